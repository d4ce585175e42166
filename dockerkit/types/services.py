"""Services of a swarm: containers, resources, placement, updates and endpoints."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import model_validator

from dockerkit.errors import InvalidArgument
from dockerkit.parsing import shorthands, values
from dockerkit.parsing.values import Command, Duration, Environment, Labels, Size
from dockerkit.types.base import Value, engine_dict, part_of, parts_of
from dockerkit.types.healthcheck import Healthcheck
from dockerkit.types.limits import Ulimit
from dockerkit.types.mounts import DriverConfig, Mount, mount_list
from dockerkit.types.option_schema import EngineField
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
IS_WINDOWS_PLATFORM = sys.platform == "win32"


def _hosts(value: object, name: str) -> list[str]:
    """Return /etc/hosts lines, from a mapping of names to addresses or ``"address name"`` strings."""
    if isinstance(value, Mapping):
        return [f"{values.string(item, name)} {values.string(host, name)}" for host, item in sorted(value.items())]
    return values.string_list(value, name)


def _cpus(value: object, name: str) -> int:
    """Return CPUs in billionths. An integer below 1,000,000, the smallest value that the Engine accepts, counts CPUs."""
    if isinstance(value, str) and value.replace(".", "", 1).isdecimal():
        value = float(value)
    if isinstance(value, float) and 0 < value < 1e6:
        return round(value * 1e9)
    number = values.integer(value, name)
    if number < 0:
        values.raise_invalid(name, "a number of CPUs", value)
    return number if number >= 1_000_000 else number * 10**9


def _generic_resources(value: object, name: str) -> list[dict[str, Any]]:
    """Return generic resources, from ``{"gpu": 2, "slot": "a"}`` (a number or a name) or the Engine's dicts."""
    if not isinstance(value, Mapping):
        return shorthands.mappings(value, name)
    resources = []
    for kind, amount in value.items():
        if isinstance(amount, int) and not isinstance(amount, bool):
            resources.append({"DiscreteResourceSpec": {"Kind": kind, "Value": amount}})
        else:
            resources.append({"NamedResourceSpec": {"Kind": kind, "Value": values.string(amount, f"{name}[{kind!r}]")}})
    return resources


def convert_service_ports(ports: object, name: str = "ports") -> list[dict[str, Any]]:
    """Return published ports of a service as the Engine's dicts.

    Args:
        ports: ``{published: target}``, where the target is a port, ``(port, "udp")`` or ``(port, "tcp", "host")``; or a
            list of the Engine's dicts, or of strings such as ``"8080:80/tcp"``.
        name: the parameter, for the error.
    """
    if not isinstance(ports, Mapping):
        if isinstance(ports, str) or not isinstance(ports, Sequence):
            values.raise_invalid(name, "a mapping of published to target ports or a list", ports)
        return [converted for item in ports for converted in _service_port(item, name)]
    converted = []
    for published, target in ports.items():
        number, protocol, mode, *extra = *(target if isinstance(target, tuple) else (target,)), None, None
        if extra not in ([], [None], [None, None]):
            values.raise_invalid(name, "port, (port, protocol) or (port, protocol, mode)", target)
        port, _, kind = shorthands.container_ports((number, protocol or "tcp"), name)[0].partition("/")
        port_config: dict[str, Any] = {"Protocol": kind, "TargetPort": int(port)}
        if published not in (None, 0):
            port_config["PublishedPort"] = values.integer(
                int(published) if isinstance(published, str) else published, name
            )
        if mode is not None:
            port_config["PublishMode"] = values.string(mode, name)
        converted.append(port_config)
    return converted


def _service_port(value: object, name: str) -> list[dict[str, Any]]:
    if isinstance(value, Mapping):
        return [shorthands.mapping(value, name)]
    port_configs = []
    for port, host in shorthands.published(value, name):
        target, _, protocol = port.partition("/")
        port_config: dict[str, Any] = {"Protocol": protocol, "TargetPort": int(target)}
        if host.get("HostIp") or "-" in host["HostPort"]:
            values.raise_invalid(name, "a service port without a host address or a range to choose from", value)
        if host["HostPort"]:
            port_config["PublishedPort"] = int(host["HostPort"])
        port_configs.append(port_config)
    return port_configs


class ContainerSpec(Value):
    """The containers of a service: ``ContainerSpec("nginx:1.29", env={"A": "1"})``."""

    image: Annotated[str, EngineField("Image", values.string)]
    """Name of the image."""
    command: Annotated[Command | None, EngineField("Command", values.command)] = None
    """Command to run instead of the image's entrypoint."""
    args: Annotated[Command | None, EngineField("Args", values.command)] = None
    """Arguments of the command."""
    hostname: Annotated[str | None, EngineField("Hostname")] = None
    """Host name (API 1.25); templates such as ``{{.Node.Hostname}}`` are expanded."""
    env: Annotated[Environment | None, EngineField("Env", values.environment)] = None
    """Variables: a dict, or ``"NAME=value"`` strings."""
    workdir: Annotated[str | None, EngineField("Dir", values.string)] = None
    """Working directory."""
    user: Annotated[str | None, EngineField("User")] = None
    """User that runs the command."""
    labels: Annotated[Labels | None, EngineField("Labels", values.labels)] = None
    """Labels of the containers."""
    mounts: Annotated[Sequence[Mount | Part | str] | None, EngineField("Mounts", mount_list)] = None
    """Mounts: values, or ``"source:target[:ro]"`` strings."""
    stop_grace_period: Annotated[Duration | None, EngineField("StopGracePeriod", values.nanoseconds)] = None
    """Time to stop before they are killed."""
    secrets: Annotated[Sequence[SecretReference | Part] | None, EngineField("Secrets", parts_of(SecretReference))] = (
        None
    )
    """Secrets for the containers (API 1.25)."""
    tty: Annotated[bool | None, EngineField("TTY")] = None
    """Allocate a terminal (API 1.25)."""
    groups: Annotated[Sequence[str | int] | None, EngineField("Groups", shorthands.group_add)] = None
    """Additional groups of the user (API 1.25)."""
    open_stdin: Annotated[bool | None, EngineField("OpenStdin")] = None
    """Keep stdin open (API 1.25)."""
    read_only: Annotated[bool | None, EngineField("ReadOnly")] = None
    """Mount the root file system read-only (API 1.28)."""
    stop_signal: Annotated[str | None, EngineField("StopSignal", values.signal)] = None
    """Signal that stops the containers (API 1.28)."""
    healthcheck: Annotated[Healthcheck | Part | None, EngineField("Healthcheck", part_of(Healthcheck))] = None
    """Health check (API 1.25)."""
    hosts: Annotated[Mapping[str, str] | Sequence[str] | None, EngineField("Hosts", _hosts)] = None
    """Lines for /etc/hosts: ``{"name": "10.0.0.1"}`` (API 1.25)."""
    dns_config: Annotated[DNSConfig | Part | None, EngineField("DNSConfig", part_of(DNSConfig))] = None
    """Name servers (API 1.25)."""
    configs: Annotated[Sequence[ConfigReference | Part] | None, EngineField("Configs", parts_of(ConfigReference))] = (
        None
    )
    """Configs for the containers (API 1.30)."""
    privileges: Annotated[Privileges | Part | None, EngineField("Privileges", part_of(Privileges))] = None
    """Security options (API 1.29)."""
    isolation: Annotated[str | None, EngineField("Isolation")] = None
    """Windows: default, process or hyperv (API 1.35)."""
    init: Annotated[bool | None, EngineField("Init")] = None
    """Run an init process that forwards signals and reaps processes (API 1.38)."""
    cap_add: Annotated[Sequence[str] | None, EngineField("CapabilityAdd", values.string_list)] = None
    """Capabilities to add (API 1.41)."""
    cap_drop: Annotated[Sequence[str] | None, EngineField("CapabilityDrop", values.string_list)] = None
    """Capabilities to drop (API 1.41)."""
    sysctls: Annotated[Mapping[str, str | int] | None, EngineField("Sysctls", values.string_map)] = None
    """Kernel parameters (API 1.40)."""
    ulimits: Annotated[Sequence[Ulimit | Part | str] | None, EngineField("Ulimits", shorthands.ulimits)] = None
    """Process limits (API 1.41)."""
    oom_score_adj: Annotated[int | None, EngineField("OomScoreAdj")] = None
    """Adjustment of the OOM killer's score, -1000 to 1000 (API 1.46)."""


class Resources(Value):
    """Resource limits and reservations of a task."""

    cpu_limit: Annotated[int | float | str | None, EngineField("Limits.NanoCPUs", _cpus)] = None
    """Maximum CPUs: ``1.5``, or in billionths."""
    mem_limit: Annotated[Size | None, EngineField("Limits.MemoryBytes", values.size)] = None
    """Maximum memory."""
    cpu_reservation: Annotated[int | float | str | None, EngineField("Reservations.NanoCPUs", _cpus)] = None
    """CPUs that a node must have free."""
    mem_reservation: Annotated[Size | None, EngineField("Reservations.MemoryBytes", values.size)] = None
    """Memory that a node must have free."""
    generic_resources: Annotated[
        Mapping[str, int | str] | Sequence[Part] | None,
        EngineField("Reservations.GenericResources", _generic_resources),
    ] = None
    """Other resources that a node must have: ``{"gpu": 2}`` (API 1.32)."""
    pids_limit: Annotated[int | None, EngineField("Limits.Pids")] = None
    """Maximum number of processes (API 1.41)."""
    swap_bytes: Annotated[Size | None, EngineField("SwapBytes", values.size)] = None
    """Swap; -1 is no limit (API 1.52)."""
    memory_swappiness: Annotated[int | None, EngineField("MemorySwappiness")] = None
    """Swappiness from 0 to 100 (API 1.52)."""
    generic_limits: Annotated[
        Mapping[str, int | str] | Sequence[Part] | None, EngineField("Limits.GenericResources", _generic_resources)
    ] = None
    """Limits of other resources (API 1.32 to 1.40)."""


class UpdateConfig(Value):
    """How to perform an update: ``UpdateConfig(parallelism=2, delay="10s", failure_action="rollback")``."""

    parallelism: Annotated[int | None, EngineField("Parallelism")] = 0
    """Number of tasks updated at once; 0 is all."""
    delay: Annotated[Duration | None, EngineField("Delay", values.nanoseconds)] = None
    """Time between tasks."""
    failure_action: Annotated[Literal["continue", "pause", "rollback"] | None, EngineField("FailureAction")] = (
        "continue"
    )
    """Action if the update fails."""
    monitor: Annotated[Duration | None, EngineField("Monitor", values.nanoseconds)] = None
    """Time to monitor each task for failure (API 1.25)."""
    max_failure_ratio: Annotated[float | None, EngineField("MaxFailureRatio")] = None
    """Ratio of tasks that may fail, 0 to 1 (API 1.25)."""
    order: Annotated[Literal["stop-first", "start-first"] | None, EngineField("Order")] = None
    """Whether to stop the old task before or after starting the new one (API 1.29)."""

    @model_validator(mode="after")
    def _check_ratio(self) -> Self:
        if self.max_failure_ratio is not None and not 0 <= self.max_failure_ratio <= 1:
            raise InvalidArgument(f"max_failure_ratio: must be a number from 0 to 1, got {self.max_failure_ratio!r}")
        return self


class RollbackConfig(UpdateConfig):
    """How to perform a rollback (API 1.28)."""

    @model_validator(mode="after")
    def _check_action(self) -> Self:
        if self.failure_action == "rollback":
            raise InvalidArgument("failure_action: must be continue or pause, since a rollback can't be rolled back")
        return self


class RestartConditionTypesEnum:
    """Conditions under which a task is restarted."""

    _values = ("none", "on-failure", "any")

    NONE = "none"
    ON_FAILURE = "on-failure"
    ANY = "any"


class RestartPolicy(Value):
    """When to restart tasks that end: ``RestartPolicy("on-failure", delay="5s", max_attempts=3)``."""

    condition_types: ClassVar[type[RestartConditionTypesEnum]] = RestartConditionTypesEnum

    condition: Annotated[Literal["none", "on-failure", "any"], EngineField("Condition")] = "none"
    """Condition for a restart."""
    delay: Annotated[Duration, EngineField("Delay", values.nanoseconds)] = 0
    """Time to wait before a restart."""
    max_attempts: Annotated[int, EngineField("MaxAttempts")] = 0
    """Maximum number of restarts; 0 is no limit."""
    window: Annotated[Duration, EngineField("Window", values.nanoseconds)] = 0
    """Time within which attempts are counted; 0 is unlimited."""


class ServiceMode(Value):
    """The mode of a service, and its number of tasks: ``ServiceMode("replicated", 3)``."""

    mode: Annotated[Literal["replicated", "global", "replicated-job", "global-job"], EngineField("")]
    """replicated: a number of tasks; global: one on each node; jobs (API 1.41) run to completion."""
    replicas: Annotated[int | None, EngineField("")] = None
    """Number of tasks; for a replicated-job, the number that must complete."""
    concurrency: Annotated[int | None, EngineField("")] = None
    """For a replicated-job: maximum number of concurrent tasks."""

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        if self.replicas is not None and not self.mode.startswith("replicated"):
            raise InvalidArgument(f"replicas: only for replicated and replicated-job, not {self.mode}")
        if self.concurrency is not None and self.mode != "replicated-job":
            raise InvalidArgument(f"concurrency: only for replicated-job, not {self.mode}")
        return self

    def to_engine(self) -> dict[str, Any]:
        """Return the Engine's dict."""
        if self.mode == "replicated":
            counts = {"Replicas": self.replicas}
        elif self.mode == "replicated-job":
            counts = {"TotalCompletions": self.replicas, "MaxConcurrent": self.concurrency}
        else:
            counts = {}
        name = "".join(part.capitalize() for part in self.mode.split("-"))
        return {name: {key: count for key, count in counts.items() if count is not None}}


class EndpointSpec(Value):
    """Published ports and service discovery: ``EndpointSpec(ports={8080: 80})``."""

    mode: Annotated[Literal["vip", "dnsrr"] | None, EngineField("Mode")] = None
    """vip: one virtual address for all tasks; dnsrr: the name resolves to the addresses of all tasks."""
    ports: Annotated[
        Mapping[int, int | tuple[Any, ...]] | Sequence[Part | str] | None, EngineField("Ports", convert_service_ports)
    ] = None
    """``{published: target}``, with a target ``80``, ``(53, "udp")`` or ``(80, "tcp", "host")``; or strings ``"8080:80"``."""


def _placement(value: object, name: str) -> dict[str, Any]:
    """Return a placement; a list is its constraints."""
    if isinstance(value, (list, tuple)):
        return Placement(list(value)).to_engine()
    return engine_dict(Placement, value, name, defaults=False)


class TaskTemplate(Value):
    """The tasks of a service: containers, resources, placement."""

    container_spec: Annotated[ContainerSpec | Part | None, EngineField("ContainerSpec", part_of(ContainerSpec))] = None
    """The containers."""
    resources: Annotated[Resources | Part | None, EngineField("Resources", part_of(Resources))] = None
    """Resource limits and reservations."""
    restart_policy: Annotated[RestartPolicy | Part | None, EngineField("RestartPolicy", part_of(RestartPolicy))] = None
    """When to restart tasks."""
    placement: Annotated[Placement | Part | Sequence[str] | None, EngineField("Placement", _placement)] = None
    """Nodes that may run the tasks; a list is constraints."""
    log_driver: Annotated[DriverConfig | Part | None, EngineField("LogDriver", part_of(DriverConfig))] = None
    """Log driver."""
    networks: Annotated[Sequence[str | NetworkAttachmentConfig | Part] | None, EngineField("Networks", attachments)] = (
        None
    )
    """Networks of the tasks (API 1.25)."""
    force_update: Annotated[int | None, EngineField("ForceUpdate")] = None
    """Counter; changing it replaces all tasks even if nothing else changed (API 1.25)."""
    runtime: Annotated[str | None, EngineField("Runtime")] = None
    """container, plugin or attachment (API 1.30)."""
    plugin_spec: Annotated[PluginSpec | Part | None, EngineField("PluginSpec", part_of(PluginSpec))] = None
    """A plugin of the engine, instead of containers (API 1.31)."""
    network_attachment_spec: Annotated[
        NetworkAttachmentSpec | Part | None, EngineField("NetworkAttachmentSpec", part_of(NetworkAttachmentSpec))
    ] = None
    """Set by the engine, for standalone containers (API 1.38)."""


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
