"""Options of services, and their conversion to the parts of a service's spec."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from dockerkit.errors import InvalidArgument
from dockerkit.parsing.options import Owner, check_options
from dockerkit.parsing.values import raise_invalid, sequence

if TYPE_CHECKING:
    from dockerkit.client import DockerClient
    from dockerkit.credentials.auth import AuthSource
    from dockerkit.models.configs import Config
    from dockerkit.models.networks import Network
    from dockerkit.models.secrets import Secret
    from dockerkit.parsing.json_data import ToEngine

    Part = ToEngine | Mapping[str, Any]


class ServiceOptions(TypedDict, total=False):
    """Options of ``services.create()`` and ``service.update()``; None means not set."""

    # Containers.
    args: Sequence[str] | None
    """Arguments of the command."""
    hostname: str | None
    """Host name; templates such as ``{{.Node.Hostname}}`` are expanded."""
    env: Sequence[str] | Mapping[str, object] | None
    """Environment variables: a dict, or a list of ``"NAME=value"``."""
    workdir: str | None
    """Working directory."""
    user: str | None
    """User name or ID."""
    groups: Sequence[str] | None
    """Additional groups of the user."""
    container_labels: Mapping[str, str] | None
    """Labels of the containers; ``labels`` are those of the service."""
    mounts: Sequence[str | Part] | None
    """:class:`~dockerkit.types.Mount`, or ``"volume:/path:ro"``."""
    stop_grace_period: int | timedelta | str | None
    """Time between stop signal and SIGKILL: nanoseconds, a timedelta, or ``"30s"``."""
    stop_signal: str | None
    """Stop signal."""
    secrets: Sequence[str | Secret | Part] | None
    """Secrets mounted under ``/run/secrets``: names, objects, or :class:`~dockerkit.types.SecretReference`."""
    configs: Sequence[str | Config | Part] | None
    """Configs mounted under ``/``: names, objects, or :class:`~dockerkit.types.ConfigReference`."""
    tty: bool | None
    """Allocate a terminal."""
    open_stdin: bool | None
    """Keep stdin open."""
    read_only: bool | None
    """Make the root file system read-only."""
    healthcheck: Part | None
    """A :class:`~dockerkit.types.Healthcheck`."""
    hosts: Mapping[str, str] | Sequence[str] | None
    """Additional host names: a dict of names and addresses."""
    dns_config: Part | None
    """A :class:`~dockerkit.types.DNSConfig`."""
    privileges: Part | None
    """A :class:`~dockerkit.types.Privileges`."""
    isolation: str | None
    """Windows: isolation technology."""
    init: bool | None
    """Run an init process as the first process (API 1.38)."""
    cap_add: Sequence[str] | None
    """Capabilities to add (API 1.41)."""
    cap_drop: Sequence[str] | None
    """Capabilities to drop (API 1.41)."""
    sysctls: Mapping[str, str] | None
    """Kernel parameters (API 1.40)."""
    ulimits: Sequence[Part] | None
    """:class:`~dockerkit.types.Ulimit` (API 1.41)."""
    oom_score_adj: int | None
    """Preference of the kernel's OOM killer, -1000 to 1000 (API 1.46)."""

    # Placement and resources.
    constraints: Sequence[str] | None
    """Constraints on nodes: ``["node.role == worker"]``."""
    preferences: Sequence[Part | tuple[str, str]] | None
    """Placement preferences: ``[("spread", "node.labels.rack")]``."""
    platforms: Sequence[tuple[str, str] | Part] | None
    """Supported platforms, as pairs of architecture and operating system."""
    maxreplicas: int | None
    """Maximum number of tasks per node (API 1.40)."""
    resources: Part | None
    """A :class:`~dockerkit.types.Resources`: limits and reservations."""
    restart_policy: Part | None
    """A :class:`~dockerkit.types.RestartPolicy`."""
    log_driver: str | None
    """Name of the log driver."""
    log_driver_options: Mapping[str, str] | None
    """Options of the log driver."""
    networks: Sequence[str | Network | Part] | None
    """Networks: names, IDs, objects, or :class:`~dockerkit.types.NetworkAttachmentConfig`."""

    # Service.
    name: str | None
    """Name of the service."""
    labels: Mapping[str, str] | None
    """Labels of the service."""
    mode: str | Part | None
    """``"replicated"``, ``"global"``, ``"replicated-job"``, ``"global-job"``, or a :class:`~dockerkit.types.ServiceMode`."""
    replicas: int | None
    """Number of tasks; short for ``mode=ServiceMode("replicated", n)``."""
    update_config: Part | None
    """An :class:`~dockerkit.types.UpdateConfig`: rollout of updates."""
    rollback_config: Part | None
    """A :class:`~dockerkit.types.RollbackConfig`: rollout of rollbacks (API 1.28)."""
    endpoint_spec: Part | None
    """An :class:`~dockerkit.types.EndpointSpec`: published ports and service discovery."""
    ports: Mapping[int, Any] | None
    """Published ports; short for ``endpoint_spec=EndpointSpec(ports={8080: 80})``."""
    auth_config: AuthSource | None
    """Credentials for the image's registry; None uses the stored ones, ``{}`` sends none."""


class ServiceUpdateOptions(ServiceOptions, total=False):
    """Options of ``service.update()``."""

    image: str | None
    """Image of the containers."""
    command: str | Sequence[str] | None
    """Command: a list of arguments, or a string, split as a shell would split it."""
    force_update: bool | int | None
    """Replace all tasks even if nothing changed."""
    registry_auth_from: Literal["spec", "previous-spec"] | None
    """Use the credentials of the current or the previous spec instead of sending any."""
    fetch_current_spec: bool | None
    """False resets settings that are not passed, instead of keeping them."""


_SERVICE = (
    *("name", "labels", "mode", "update_config", "rollback_config", "endpoint_spec"),
    *("auth_config", "registry_auth_from"),
)


def api_arguments(client: DockerClient, options: Mapping[str, Any], owner: Owner) -> dict[str, Any]:
    """Return the arguments of the low-level create and update calls.

    Args:
        client: used to look up the IDs of secrets and configs passed by name.
        options: options of :class:`ServiceUpdateOptions`, including ``image``.
        owner: the called method, for errors.

    Raises:
        TypeError: an option is unknown.
        InvalidArgument: options exclude each other, or a secret or config does not exist.
    """
    from dockerkit.parsing.values import labels, string
    from dockerkit.types.services import ContainerSpec, DriverConfig, Placement, TaskTemplate

    check_options(owner, options, ServiceUpdateOptions.__annotations__)
    settings = {name: value for name, value in options.items() if value is not None}
    container = {name: settings[name] for name in ContainerSpec.model_fields if name in settings}
    container.pop("labels", None)  # those of the service
    if "container_labels" in settings:
        container["labels"] = labels(settings["container_labels"], "container_labels")
    if "secrets" in settings:
        container["secrets"] = references("secrets", settings["secrets"], client.api.secrets)
    if "configs" in settings:
        container["configs"] = references("configs", settings["configs"], client.api.configs)
    template: dict[str, Any] = {
        name: settings[name] for name in ("resources", "restart_policy", "force_update") if name in settings
    }
    if placement := {name: settings[name] for name in Placement.model_fields if name in settings}:
        template["placement"] = Placement(**placement)
    if "log_driver" in settings or "log_driver_options" in settings:
        if "log_driver" not in settings:
            raise InvalidArgument("log_driver_options: requires log_driver")
        template["log_driver"] = DriverConfig(
            string(settings["log_driver"], "log_driver"), settings.get("log_driver_options")
        )
    arguments = {name: settings[name] for name in _SERVICE if name in settings}
    if "networks" in settings:
        arguments["networks"] = [
            getattr(item, "id", None) or item for item in sequence(settings["networks"], "networks")
        ]
    _shorthands(arguments, settings)
    arguments["task_template"] = TaskTemplate(ContainerSpec(**container), **template)
    return arguments


def _shorthands(arguments: dict[str, Any], settings: Mapping[str, Any]) -> None:
    from dockerkit.types.services import EndpointSpec, ServiceMode

    for short, long in (("replicas", "mode"), ("ports", "endpoint_spec")):
        if short in settings and long in settings:
            raise InvalidArgument(f"{short}: short for {long}; pass only one of them")
    if "replicas" in settings:
        arguments["mode"] = ServiceMode("replicated", settings["replicas"])
    if "ports" in settings:
        arguments["endpoint_spec"] = EndpointSpec(ports=settings["ports"])


def references(
    kind: str, requested: Iterable[Any], list_all: Callable[[Any], Iterable[Mapping[str, Any]]]
) -> list[Any]:
    """Return the references of a service to secrets or configs, by ID and name.

    Args:
        kind: ``"secrets"`` or ``"configs"``.
        requested: names, objects, or references.
        list_all: function that lists them, by filters.

    Raises:
        InvalidArgument: a name does not exist.
    """
    from dockerkit.types.services import ConfigReference, SecretReference

    make = SecretReference if kind == "secrets" else ConfigReference
    requested = sequence(requested, kind)
    names = [item for item in requested if isinstance(item, str)]
    ids = {item["Spec"]["Name"]: item["ID"] for item in list_all({"name": names})} if names else {}
    resolved: list[Any] = []
    for item in requested:
        if isinstance(item, str):
            if item not in ids:
                raise InvalidArgument(f"{kind}: the swarm has no {kind[:-1]} named {item!r}")
            resolved.append(make(ids[item], item))
        elif isinstance(item, Mapping) or hasattr(item, "to_engine"):
            resolved.append(item)
        elif hasattr(item, "id") and hasattr(item, "name"):
            resolved.append(make(item.id, item.name))
        else:
            raise_invalid(kind, "a list of names, objects, or references", item)
    return resolved
