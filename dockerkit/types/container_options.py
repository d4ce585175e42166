"""The options of a container itself: names, environment, terminal."""

from collections.abc import Mapping, Sequence  # annotations are evaluated, as in host_options
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dockerkit.parsing import shorthands, values
from dockerkit.parsing.shorthands import ExposedPorts
from dockerkit.parsing.values import Command, Duration, Environment, Labels
from dockerkit.types.option_schema import EngineField

if TYPE_CHECKING:
    from dockerkit.types.healthcheck import Healthcheck
    from dockerkit.types.networks import EndpointConfig, NetworkingConfig


def _user(value: object, name: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(int(value))
    return values.string(value, name)


def _healthcheck(value: object, name: str) -> dict[str, Any]:
    from dockerkit.types.base import engine_dict
    from dockerkit.types.healthcheck import Healthcheck

    return engine_dict(Healthcheck, value, name)


def _host_config(value: object, name: str) -> dict[str, Any]:
    return value if type(value) is dict else shorthands.mapping(value, name)  # a dict is converted when it is sent


def _networking(value: object, name: str) -> dict[str, Any]:
    """Return the Engine's NetworkingConfig, also from a plain mapping of networks."""
    from dockerkit.types.networks import endpoints

    plain = shorthands.mapping(value, name)
    networks = plain["EndpointsConfig"] or {} if set(plain) == {"EndpointsConfig"} else plain
    return {"EndpointsConfig": endpoints(networks, name)} if plain else {}


class ConfigOptions(TypedDict, total=False):
    """Options that ``create_container`` and ``containers.create`` share."""

    hostname: Annotated[str | None, EngineField("Hostname")]
    """Host name."""
    user: Annotated[str | int | None, EngineField("User", _user)]
    """User that runs the command: name or ID, optionally with ``:group``."""
    stdin_open: Annotated[bool | None, EngineField("OpenStdin", unset=False)]
    """Keep stdin open even if nobody is attached."""
    tty: Annotated[bool | None, EngineField("Tty", unset=False)]
    """Allocate a terminal, which combines stdout and stderr."""
    environment: Annotated[Environment | None, EngineField("Env", values.environment)]
    """Environment variables: a dict (None removes a variable of the image), or ``"NAME=value"`` strings."""
    network_disabled: Annotated[bool | None, EngineField("NetworkDisabled", unset=False)]
    """Disable networking."""
    entrypoint: Annotated[Command | None, EngineField("Entrypoint", values.command)]
    """Entrypoint instead of the image's, as a list or a string that is split; ``[]`` for none."""
    working_dir: Annotated[str | None, EngineField("WorkingDir", values.string)]
    """Working directory of the command."""
    domainname: Annotated[str | None, EngineField("Domainname")]
    """Domain name."""
    mac_address: Annotated[str | None, EngineField("MacAddress", values.string)]
    """MAC address."""
    labels: Annotated[Labels | None, EngineField("Labels", values.labels)]
    """Labels: a dict, or a list of ``"name=value"`` or bare names."""
    stop_signal: Annotated[str | None, EngineField("StopSignal", values.signal)]
    """Signal that stops the container; usually SIGTERM."""
    healthcheck: Annotated["Healthcheck | Mapping[str, Any] | None", EngineField("Healthcheck", _healthcheck)]
    """Health check instead of the image's."""
    stop_timeout: Annotated[Duration | None, EngineField("StopTimeout", values.seconds)]
    """Seconds between the stop signal and SIGKILL (API 1.25)."""
    attach_stdin: Annotated[bool | None, EngineField("AttachStdin")]
    """Attach to stdin."""
    attach_stdout: Annotated[bool | None, EngineField("AttachStdout")]
    """Attach to stdout."""
    attach_stderr: Annotated[bool | None, EngineField("AttachStderr")]
    """Attach to stderr."""
    stdin_once: Annotated[bool | None, EngineField("StdinOnce")]
    """Close stdin when the first attached client disconnects."""
    on_build: Annotated[Sequence[str] | None, EngineField("OnBuild", values.string_list)]
    """Dockerfile instructions for images that are built from this container; kept by commit."""
    shell: Annotated[Sequence[str] | None, EngineField("Shell", values.string_list)]
    """Shell of health checks and builds."""
    args_escaped: Annotated[bool | None, EngineField("ArgsEscaped", unset=False)]
    """Windows: whether the command is already escaped."""


class ContainerConfigOptions(ConfigOptions, total=False):
    """Options of :meth:`APIClient.create_container_config`."""

    image: Annotated[str, EngineField("Image", values.string)]
    """Name or ID of the image."""
    command: Annotated[Command | None, EngineField("Cmd", values.command)]
    """Command to run, as a list or a string that is split as a shell does."""
    detach: Annotated[bool | None, EngineField("")]
    """Don't attach to the streams."""
    ports: Annotated[ExposedPorts | None, EngineField("ExposedPorts", shorthands.exposed_ports)]
    """Ports that the container listens on: ``[80, "53/udp", (53, "udp")]``."""
    volumes: Annotated[str | Sequence[str] | Mapping[str, Any] | None, EngineField("Volumes", shorthands.mount_points)]
    """Paths in the container that become anonymous volumes."""
    host_config: Annotated[Mapping[str, Any] | None, EngineField("HostConfig", _host_config)]
    """Result of :meth:`APIClient.create_host_config`."""
    networking_config: Annotated[
        "NetworkingConfig | Mapping[str, EndpointConfig | Mapping[str, Any] | None] | None",
        EngineField("NetworkingConfig", _networking),
    ]
    """Result of :meth:`APIClient.create_networking_config`."""
    runtime: Annotated[str | None, EngineField("HostConfig.Runtime")]
    """OCI runtime."""


# A TypedDict has its base's keys first; positional arguments follow docker-py's order.
_POSITIONS = (
    *("image", "command", "hostname", "user", "detach", "stdin_open", "tty", "ports", "environment", "volumes"),
    *("network_disabled", "entrypoint", "working_dir", "domainname", "host_config", "mac_address", "labels"),
    *("stop_signal", "networking_config", "healthcheck", "stop_timeout", "runtime"),
)
_fields = ContainerConfigOptions.__annotations__
ContainerConfigOptions.__annotations__ = {**{name: _fields[name] for name in _POSITIONS}, **_fields}
