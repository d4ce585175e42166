"""The options of services, spelled out once, and how they become the parts of a service's spec."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from dockerkit.errors import InvalidArgument

if TYPE_CHECKING:
    from dockerkit.auth import AuthSource
    from dockerkit.client import DockerClient
    from dockerkit.models.configs import Config
    from dockerkit.models.networks import Network
    from dockerkit.models.secrets import Secret
    from dockerkit.types.wire import ToEngine

    Part = ToEngine | Mapping[str, Any]


class ServiceOptions(TypedDict, total=False):
    """Keywords of ``services.create()`` and ``service.update()``; None counts as not given."""

    # What its containers are.
    args: Sequence[str] | None
    """Arguments of the command."""
    hostname: str | None
    """Host name; templates as ``{{.Node.Hostname}}`` are filled in."""
    env: Sequence[str] | Mapping[str, object] | None
    """Environment variables: a dict, or a list of ``"NAME=value"``."""
    workdir: str | None
    """The folder to start in."""
    user: str | None
    """User name or id."""
    groups: Sequence[str] | None
    """More groups of the user."""
    container_labels: Mapping[str, str] | None
    """Labels of the containers; ``labels`` are the service's."""
    mounts: Sequence[str | Part] | None
    """:class:`~dockerkit.types.Mount`, or ``"volume:/path:ro"``."""
    stop_grace_period: int | timedelta | str | None
    """How long containers have to stop: nanoseconds, a timedelta, or ``"30s"``."""
    stop_signal: str | None
    """Signal that stops them."""
    secrets: Sequence[str | Secret | Part] | None
    """Secrets that they see under ``/run/secrets``: names, objects, or :class:`~dockerkit.types.SecretReference`."""
    configs: Sequence[str | Config | Part] | None
    """Configs that they see under ``/``: names, objects, or :class:`~dockerkit.types.ConfigReference`."""
    tty: bool | None
    """Give them a terminal."""
    open_stdin: bool | None
    """Keep stdin open."""
    read_only: bool | None
    """Make their root file system read-only."""
    healthcheck: Part | None
    """A :class:`~dockerkit.types.Healthcheck`."""
    hosts: Mapping[str, str] | Sequence[str] | None
    """More host names: a dict of name and address."""
    dns_config: Part | None
    """A :class:`~dockerkit.types.DNSConfig`."""
    privileges: Part | None
    """A :class:`~dockerkit.types.Privileges`."""
    isolation: str | None
    """Windows: how they are isolated."""
    init: bool | None
    """Run an init as their first process (API 1.38)."""
    cap_add: Sequence[str] | None
    """Capabilities that they get (API 1.41)."""
    cap_drop: Sequence[str] | None
    """Capabilities that they lose (API 1.41)."""
    sysctls: Mapping[str, str] | None
    """Kernel parameters (API 1.40)."""
    ulimits: Sequence[Part] | None
    """:class:`~dockerkit.types.Ulimit` (API 1.41)."""
    oom_score_adj: int | None
    """How soon the kernel ends them when memory is short (API 1.46)."""

    # Where and how they run.
    constraints: Sequence[str] | None
    """Nodes that may run them: ``["node.role == worker"]``."""
    preferences: Sequence[Part | tuple[str, str]] | None
    """What to spread them over: ``[("spread", "node.labels.rack")]``."""
    platforms: Sequence[tuple[str, str] | Part] | None
    """Pairs of architecture and system that they run on."""
    maxreplicas: int | None
    """How many of them one node may have (API 1.40)."""
    resources: Part | None
    """A :class:`~dockerkit.types.Resources`: limits and reservations."""
    restart_policy: Part | None
    """A :class:`~dockerkit.types.RestartPolicy`."""
    log_driver: str | None
    """Log driver."""
    log_driver_options: Mapping[str, str] | None
    """Options of the log driver."""
    networks: Sequence[str | Network | Part] | None
    """Networks: names, ids, objects, or :class:`~dockerkit.types.NetworkAttachmentConfig`."""

    # The service.
    name: str | None
    """Its name."""
    labels: Mapping[str, str] | None
    """Its labels."""
    mode: str | Part | None
    """``"replicated"``, ``"global"``, ``"replicated-job"``, ``"global-job"``, or a :class:`~dockerkit.types.ServiceMode`."""
    replicas: int | None
    """How many tasks: short for ``mode=ServiceMode("replicated", n)``."""
    update_config: Part | None
    """An :class:`~dockerkit.types.UpdateConfig`: how updates go on."""
    rollback_config: Part | None
    """A :class:`~dockerkit.types.RollbackConfig`: how rollbacks go on (API 1.28)."""
    endpoint_spec: Part | None
    """An :class:`~dockerkit.types.EndpointSpec`: published ports, and how it is found."""
    ports: Mapping[int, Any] | None
    """Published ports: short for ``endpoint_spec=EndpointSpec(ports={8080: 80})``."""
    auth_config: AuthSource | None
    """Credentials for the image's registry; None takes what the client knows, ``{}`` sends none."""


class ServiceUpdateOptions(ServiceOptions, total=False):
    """Keywords of ``service.update()``."""

    image: str | None
    """The image."""
    command: str | Sequence[str] | None
    """The command: a list, or a text that is split as a shell would."""
    force_update: bool | int | None
    """True replaces all tasks, though nothing else may have changed."""
    registry_auth_from: Literal["spec", "previous-spec"] | None
    """Take the credentials from the service as it is, or as it was before, instead of sending any."""


_CONTAINER = [
    "image",
    "command",
    "args",
    "hostname",
    "env",
    "workdir",
    "user",
    "groups",
    "mounts",
    "stop_grace_period",
    "stop_signal",
    "tty",
    "open_stdin",
    "read_only",
    "healthcheck",
    "hosts",
    "dns_config",
    "privileges",
    "isolation",
    "init",
    "cap_add",
    "cap_drop",
    "sysctls",
    "ulimits",
    "oom_score_adj",
]
_PLACEMENT = ("constraints", "preferences", "platforms", "maxreplicas")
_SERVICE = (
    "name",
    "labels",
    "mode",
    "update_config",
    "rollback_config",
    "endpoint_spec",
    "auth_config",
    "registry_auth_from",
)


def api_arguments(client: DockerClient, options: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the low-level create and update calls.

    Args:
        client: asked for the ids of secrets and configs which are given by name.
        options: the rows of :class:`ServiceUpdateOptions`; ``image`` must be there.

    Raises:
        TypeError: an option that there is not.
        InvalidArgument: options that exclude each other, or a secret or config that there is not.
    """
    from dockerkit.types.services import ContainerSpec, DriverConfig, Placement, TaskTemplate

    known = ServiceUpdateOptions.__annotations__.keys()
    if unknown := options.keys() - known:
        raise TypeError(f"services have no option {', '.join(sorted(unknown))}; they have {', '.join(sorted(known))}")
    given = {name: value for name, value in options.items() if value is not None}
    container = {name: given[name] for name in _CONTAINER if name in given}
    if "container_labels" in given:
        container["labels"] = given["container_labels"]
    if "secrets" in given:
        container["secrets"] = references("secrets", given["secrets"], client.api.secrets)
    if "configs" in given:
        container["configs"] = references("configs", given["configs"], client.api.configs)
    template: dict[str, Any] = {
        name: given[name] for name in ("resources", "restart_policy", "force_update") if name in given
    }
    if placement := {name: given[name] for name in _PLACEMENT if name in given}:
        template["placement"] = Placement(**placement)
    if "log_driver" in given or "log_driver_options" in given:
        if "log_driver" not in given:
            raise InvalidArgument("log_driver_options: they need a log_driver")
        template["log_driver"] = DriverConfig(given["log_driver"], given.get("log_driver_options"))
    arguments = {name: given[name] for name in _SERVICE if name in given}
    if "networks" in given:
        arguments["networks"] = [getattr(one, "id", None) or one for one in given["networks"]]
    _shorthands(arguments, given)
    arguments["task_template"] = TaskTemplate(ContainerSpec(**container), **template)
    return arguments


def _shorthands(arguments: dict[str, Any], given: Mapping[str, Any]) -> None:
    from dockerkit.types.services import EndpointSpec, ServiceMode

    for short, long in (("replicas", "mode"), ("ports", "endpoint_spec")):
        if short in given and long in given:
            raise InvalidArgument(f"{short}: it is short for {long}; give one or the other")
    if "replicas" in given:
        arguments["mode"] = ServiceMode("replicated", given["replicas"])
    if "ports" in given:
        arguments["endpoint_spec"] = EndpointSpec(ports=given["ports"])


def references(kind: str, wanted: Iterable[Any], ask: Callable[[Any], Iterable[Mapping[str, Any]]]) -> list[Any]:
    """Secrets or configs as services name them: by id and name.

    Args:
        kind: ``"secrets"`` or ``"configs"``.
        wanted: names, objects, or references.
        ask: lists them, by filters.

    Raises:
        InvalidArgument: there is none of a name.
    """
    from dockerkit.types.services import ConfigReference, SecretReference

    make = SecretReference if kind == "secrets" else ConfigReference
    wanted = list(wanted)
    names = [one for one in wanted if isinstance(one, str)]
    ids = {one["Spec"]["Name"]: one["ID"] for one in ask({"name": names})} if names else {}
    found: list[Any] = []
    for one in wanted:
        if isinstance(one, str):
            if one not in ids:
                raise InvalidArgument(f"{kind}: the swarm has no {kind[:-1]} named {one!r}")
            found.append(make(ids[one], one))
        elif isinstance(one, Mapping) or hasattr(one, "to_engine"):
            found.append(one)
        else:
            found.append(make(one.id, one.name))
    return found
