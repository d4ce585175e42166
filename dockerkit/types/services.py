"""Services of a swarm: what their containers are, where and how they run, how they are updated and found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import model_validator

from dockerkit.constants import IS_WINDOWS_PLATFORM
from dockerkit.errors import InvalidArgument
from dockerkit.types import parse, shorthands
from dockerkit.types.base import Value, Wire
from dockerkit.types.healthcheck import Healthcheck
from dockerkit.types.limits import Ulimit
from dockerkit.types.mounts import DriverConfig, Mount, mount_list
from dockerkit.types.parse import Command, Duration, Environment, Labels, Size
from dockerkit.types.service_parts import (
    ConfigReference,
    DNSConfig,
    NetworkAttachmentConfig,
    NetworkAttachmentSpec,
    Placement,
    PlacementPreference,
    PluginPrivilege,
    PluginSpec,
    Privileges,
    SecretReference,
    attachments,
)

Part = Mapping[str, Any]


def _hosts(value: object, name: str) -> list[str]:
    """A mapping of names to addresses, or ``"address name"`` lines, as /etc/hosts has them."""
    if isinstance(value, Mapping):
        return [f"{parse.text(item, name)} {parse.text(host, name)}" for host, item in sorted(value.items())]
    return parse.texts(value, name)


def _cpus(value: object, name: str) -> int:
    """CPUs in billionths. A whole number below 1 000 000 counts CPUs: the Engine takes no smaller part."""
    if isinstance(value, str) and value.replace(".", "", 1).isdecimal():
        value = float(value)
    if isinstance(value, float) and 0 < value < 1e6:
        return round(value * 1e9)
    number = parse.whole(value, name)
    if number < 0:
        parse.refuse(name, "a number of CPUs", value)
    return number if number >= 1_000_000 else number * 10**9


def _generic(value: object, name: str) -> list[dict[str, Any]]:
    """``{"gpu": 2, "slot": "a"}``, or the Engine's dicts: a number counts, a text names one."""
    if not isinstance(value, Mapping):
        return shorthands.mappings(value, name)
    plain = []
    for kind, amount in value.items():
        if isinstance(amount, int) and not isinstance(amount, bool):
            plain.append({"DiscreteResourceSpec": {"Kind": kind, "Value": amount}})
        else:
            plain.append({"NamedResourceSpec": {"Kind": kind, "Value": parse.text(amount, f"{name}[{kind!r}]")}})
    return plain


def convert_service_ports(ports: object, name: str = "ports") -> list[dict[str, Any]]:
    """Published ports of a service, as the Engine's dicts.

    Args:
        ports: ``{published: target}``, where the target is a port, ``(port, "udp")`` or ``(port, "tcp", "host")``; or a
            list of the Engine's dicts, or of texts such as ``"8080:80/tcp"``.
        name: the parameter, for the error.
    """
    if not isinstance(ports, Mapping):
        if isinstance(ports, str) or not isinstance(ports, Sequence):
            parse.refuse(name, "a mapping of published to target ports, or a list,", ports)
        return [plain for item in ports for plain in _service_port(item, name)]
    plain = []
    for published, target in ports.items():
        number, protocol, mode, *more = *(target if isinstance(target, tuple) else (target,)), None, None
        if more not in ([], [None], [None, None]):
            parse.refuse(name, "port, (port, protocol) or (port, protocol, mode)", target)
        port, _, kind = shorthands.container_ports((number, protocol or "tcp"), name)[0].partition("/")
        row: dict[str, Any] = {"Protocol": kind, "TargetPort": int(port)}
        if published not in (None, 0):
            row["PublishedPort"] = parse.whole(int(published) if isinstance(published, str) else published, name)
        if mode is not None:
            row["PublishMode"] = parse.text(mode, name)
        plain.append(row)
    return plain


def _service_port(value: object, name: str) -> list[dict[str, Any]]:
    if isinstance(value, Mapping):
        return [shorthands.mapping(value, name)]
    rows = []
    for port, host in shorthands.published(value, name):
        target, _, protocol = port.partition("/")
        row: dict[str, Any] = {"Protocol": protocol, "TargetPort": int(target)}
        if host.get("HostIp") or "-" in host["HostPort"]:
            parse.refuse(name, "a service's port, which has neither an address nor a range to choose from,", value)
        if host["HostPort"]:
            row["PublishedPort"] = int(host["HostPort"])
        rows.append(row)
    return rows


class ContainerSpec(Value):
    """What the containers of a service are: ``ContainerSpec("nginx:1.29", env={"A": "1"})``."""

    image: Annotated[str, Wire("Image", parse.text)]
    """Name of the image."""
    command: Annotated[Command | None, Wire("Command", parse.command)] = None
    """What to run, instead of the image's entrypoint."""
    args: Annotated[Command | None, Wire("Args", parse.command)] = None
    """Its arguments."""
    hostname: Annotated[str | None, Wire("Hostname")] = None
    """Host name (API 1.25); templates as ``{{.Node.Hostname}}`` are filled in."""
    env: Annotated[Environment | None, Wire("Env", parse.environment)] = None
    """Variables: a dict, or ``"NAME=value"`` texts."""
    workdir: Annotated[str | None, Wire("Dir", parse.text)] = None
    """The folder to start in."""
    user: Annotated[str | None, Wire("User")] = None
    """Who runs the command."""
    labels: Annotated[Labels | None, Wire("Labels", parse.labels)] = None
    """Labels of the containers."""
    mounts: Annotated[Sequence[Mount | Part | str] | None, Wire("Mounts", mount_list)] = None
    """Mounts: values, or ``"source:target[:ro]"`` texts."""
    stop_grace_period: Annotated[Duration | None, Wire("StopGracePeriod", parse.nanoseconds)] = None
    """How long they have to stop."""
    secrets: Annotated[Sequence[SecretReference | Part] | None, Wire("Secrets", shorthands.mappings)] = None
    """Secrets that they can read (API 1.25)."""
    tty: Annotated[bool | None, Wire("TTY")] = None
    """Give them a terminal (API 1.25)."""
    groups: Annotated[Sequence[str | int] | None, Wire("Groups", shorthands.group_add)] = None
    """Further groups of the user (API 1.25)."""
    open_stdin: Annotated[bool | None, Wire("OpenStdin")] = None
    """Keep stdin open (API 1.25)."""
    read_only: Annotated[bool | None, Wire("ReadOnly")] = None
    """A root file system that can't be written to (API 1.28)."""
    stop_signal: Annotated[str | None, Wire("StopSignal")] = None
    """The signal that stops them (API 1.28)."""
    healthcheck: Annotated[Healthcheck | Part | None, Wire("HealthCheck", shorthands.mapping)] = None
    """How to find out whether they are healthy (API 1.25)."""
    hosts: Annotated[Mapping[str, str] | Sequence[str] | None, Wire("Hosts", _hosts)] = None
    """Lines for /etc/hosts: ``{"name": "10.0.0.1"}`` (API 1.25)."""
    dns_config: Annotated[DNSConfig | Part | None, Wire("DNSConfig", shorthands.mapping)] = None
    """Name servers (API 1.25)."""
    configs: Annotated[Sequence[ConfigReference | Part] | None, Wire("Configs", shorthands.mappings)] = None
    """Configs that they can read (API 1.30)."""
    privileges: Annotated[Privileges | Part | None, Wire("Privileges", shorthands.mapping)] = None
    """What they may do (API 1.29)."""
    isolation: Annotated[str | None, Wire("Isolation")] = None
    """Windows: default, process or hyperv (API 1.35)."""
    init: Annotated[bool | None, Wire("Init")] = None
    """A small init as first process (API 1.38)."""
    cap_add: Annotated[Sequence[str] | None, Wire("CapabilityAdd", parse.texts)] = None
    """Capabilities to give (API 1.41)."""
    cap_drop: Annotated[Sequence[str] | None, Wire("CapabilityDrop", parse.texts)] = None
    """Capabilities to take away (API 1.41)."""
    sysctls: Annotated[Mapping[str, str | int] | None, Wire("Sysctls", parse.text_map)] = None
    """Parameters of the kernel (API 1.40)."""
    ulimits: Annotated[Sequence[Ulimit | Part | str] | None, Wire("Ulimits", shorthands.ulimits)] = None
    """Limits of the processes (API 1.41)."""
    oom_score_adj: Annotated[int | None, Wire("OomScoreAdj")] = None
    """How willingly the kernel kills them when memory runs out (API 1.46)."""


class Resources(Value):
    """What a task may use at most, and what is set aside for it."""

    cpu_limit: Annotated[int | float | str | None, Wire("Limits.NanoCPUs", _cpus)] = None
    """CPUs at most: ``1.5``, or in billionths."""
    mem_limit: Annotated[Size | None, Wire("Limits.MemoryBytes", parse.size)] = None
    """Memory at most."""
    cpu_reservation: Annotated[int | float | str | None, Wire("Reservations.NanoCPUs", _cpus)] = None
    """CPUs that a node must have free."""
    mem_reservation: Annotated[Size | None, Wire("Reservations.MemoryBytes", parse.size)] = None
    """Memory that a node must have free."""
    generic_resources: Annotated[
        Mapping[str, int | str] | Sequence[Part] | None, Wire("Reservations.GenericResources", _generic)
    ] = None
    """Other resources that a node must have: ``{"gpu": 2}`` (API 1.32)."""
    pids_limit: Annotated[int | None, Wire("Limits.Pids")] = None
    """Processes at most (API 1.41)."""
    swap_bytes: Annotated[Size | None, Wire("SwapBytes", parse.size)] = None
    """Swap; -1 is no limit (API 1.52)."""
    memory_swappiness: Annotated[int | None, Wire("MemorySwappiness")] = None
    """How willingly to swap: 0 to 100 (API 1.52)."""
    generic_limits: Annotated[
        Mapping[str, int | str] | Sequence[Part] | None, Wire("Limits.GenericResources", _generic)
    ] = None
    """Other resources at most (API 1.32 to 1.40)."""


class UpdateConfig(Value):
    """How an update goes on: ``UpdateConfig(parallelism=2, delay="10s", failure_action="rollback")``."""

    parallelism: Annotated[int | None, Wire("Parallelism")] = 0
    """How many tasks at once; 0 is all."""
    delay: Annotated[Duration | None, Wire("Delay", parse.nanoseconds)] = None
    """Time between them."""
    failure_action: Annotated[Literal["continue", "pause", "rollback"] | None, Wire("FailureAction")] = "continue"
    """What to do when it fails."""
    monitor: Annotated[Duration | None, Wire("Monitor", parse.nanoseconds)] = None
    """How long to watch each task for failure (API 1.25)."""
    max_failure_ratio: Annotated[float | None, Wire("MaxFailureRatio")] = None
    """Share of the tasks that may fail: 0 to 1 (API 1.25)."""
    order: Annotated[Literal["stop-first", "start-first"] | None, Wire("Order")] = None
    """Whether the old task stops before the new one starts (API 1.29)."""

    @model_validator(mode="after")
    def _share(self) -> Self:
        if self.max_failure_ratio is not None and not 0 <= self.max_failure_ratio <= 1:
            raise InvalidArgument(f"max_failure_ratio: a number from 0 to 1 is needed, not {self.max_failure_ratio!r}")
        return self


class RollbackConfig(UpdateConfig):
    """How going back goes on (API 1.28)."""

    @model_validator(mode="after")
    def _no_rollback(self) -> Self:
        if self.failure_action == "rollback":
            raise InvalidArgument("failure_action: continue or pause is needed: a rollback can't be rolled back")
        return self


class RestartConditionTypesEnum:
    """When a task is started again."""

    _values = ("none", "on-failure", "any")

    NONE = "none"
    ON_FAILURE = "on-failure"
    ANY = "any"


class RestartPolicy(Value):
    """Whether tasks that end are started again: ``RestartPolicy("on-failure", delay="5s", max_attempts=3)``."""

    condition_types: ClassVar[type[RestartConditionTypesEnum]] = RestartConditionTypesEnum

    condition: Annotated[Literal["none", "on-failure", "any"], Wire("Condition")] = "none"
    """When."""
    delay: Annotated[Duration, Wire("Delay", parse.nanoseconds)] = 0
    """Time to wait before."""
    max_attempts: Annotated[int, Wire("MaxAttempts")] = 0
    """How often; 0 is no limit."""
    window: Annotated[Duration, Wire("Window", parse.nanoseconds)] = 0
    """Only attempts within this time count; 0 is no limit."""


class ServiceMode(Value):
    """How many tasks a service has, and whether they are to end: ``ServiceMode("replicated", 3)``."""

    mode: Annotated[Literal["replicated", "global", "replicated-job", "global-job"], Wire("")]
    """replicated: so many; global: one on each node; the jobs (API 1.41) run to their end."""
    replicas: Annotated[int | None, Wire("")] = None
    """How many; of a replicated-job, how many have to complete."""
    concurrency: Annotated[int | None, Wire("")] = None
    """Of a replicated-job: how many at once."""

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.replicas is not None and not self.mode.startswith("replicated"):
            raise InvalidArgument(f"replicas: is for replicated and replicated-job, not {self.mode}")
        if self.concurrency is not None and self.mode != "replicated-job":
            raise InvalidArgument(f"concurrency: is for replicated-job, not {self.mode}")
        return self

    def to_engine(self) -> dict[str, Any]:
        """The Engine's dict."""
        if self.mode == "replicated":
            counts = {"Replicas": self.replicas}
        elif self.mode == "replicated-job":
            counts = {"TotalCompletions": self.replicas, "MaxConcurrent": self.concurrency}
        else:
            counts = {}
        name = "".join(part.capitalize() for part in self.mode.split("-"))
        return {name: {key: count for key, count in counts.items() if count is not None}}


class EndpointSpec(Value):
    """How a service is reached: ``EndpointSpec(ports={8080: 80})``."""

    mode: Annotated[Literal["vip", "dnsrr"] | None, Wire("Mode")] = None
    """vip: one address for all tasks; dnsrr: the name has all of theirs."""
    ports: Annotated[
        Mapping[int, int | tuple[Any, ...]] | Sequence[Part | str] | None, Wire("Ports", convert_service_ports)
    ] = None
    """``{published: target}``, with a target ``80``, ``(53, "udp")`` or ``(80, "tcp", "host")``; or texts ``"8080:80"``."""


def _placement(value: object, name: str) -> dict[str, Any]:
    """A list is its constraints."""
    if isinstance(value, (list, tuple)):
        return Placement(list(value)).to_engine()
    return shorthands.mapping(value, name)


class TaskTemplate(Value):
    """What the tasks of a service are, and where and how they run."""

    container_spec: Annotated[ContainerSpec | Part | None, Wire("ContainerSpec", shorthands.mapping)] = None
    """Its containers."""
    resources: Annotated[Resources | Part | None, Wire("Resources", shorthands.mapping)] = None
    """What each may use."""
    restart_policy: Annotated[RestartPolicy | Part | None, Wire("RestartPolicy", shorthands.mapping)] = None
    """Whether those that end are started again."""
    placement: Annotated[Placement | Part | Sequence[str] | None, Wire("Placement", _placement)] = None
    """Which nodes run them; a list is constraints."""
    log_driver: Annotated[DriverConfig | Part | None, Wire("LogDriver", shorthands.mapping)] = None
    """Where their output goes."""
    networks: Annotated[Sequence[str | NetworkAttachmentConfig | Part] | None, Wire("Networks", attachments)] = None
    """Networks that they are in (API 1.25)."""
    force_update: Annotated[int | None, Wire("ForceUpdate")] = None
    """Another number than before replaces all tasks though nothing else changed (API 1.25)."""
    runtime: Annotated[str | None, Wire("Runtime")] = None
    """container, plugin or attachment (API 1.30)."""
    plugin_spec: Annotated[PluginSpec | Part | None, Wire("PluginSpec", shorthands.mapping)] = None
    """Instead of containers: a plugin of the engine (API 1.31)."""
    network_attachment_spec: Annotated[
        NetworkAttachmentSpec | Part | None, Wire("NetworkAttachmentSpec", shorthands.mapping)
    ] = None
    """Set by the engine, for containers outside of services (API 1.38)."""


__all__ = [
    "IS_WINDOWS_PLATFORM",
    "ConfigReference",
    "ContainerSpec",
    "DNSConfig",
    "DriverConfig",
    "EndpointSpec",
    "Mount",
    "NetworkAttachmentConfig",
    "NetworkAttachmentSpec",
    "Placement",
    "PlacementPreference",
    "PluginPrivilege",
    "PluginSpec",
    "Privileges",
    "Resources",
    "RestartConditionTypesEnum",
    "RestartPolicy",
    "RollbackConfig",
    "SecretReference",
    "ServiceMode",
    "TaskTemplate",
    "UpdateConfig",
    "convert_service_ports",
]
