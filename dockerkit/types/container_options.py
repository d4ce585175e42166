"""The options of a container that are about itself: names, environment, terminal. One row for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from typing_extensions import TypedDict  # as in host_options

from dockerkit.types import parse, shorthands
from dockerkit.types.base import Wire, engine_dict
from dockerkit.types.healthcheck import Healthcheck
from dockerkit.types.networks import EndpointConfig, NetworkingConfig, endpoints
from dockerkit.types.parse import Command, Duration, Environment, Labels
from dockerkit.types.shorthands import ExposedPorts


def _user(value: object, name: str) -> str:
    return str(value) if type(value) is int and value >= 0 else parse.text(value, name)


def _healthcheck(value: object, name: str) -> dict[str, Any]:
    return engine_dict(Healthcheck, value, name)


def _host_config(value: object, name: str) -> dict[str, Any]:
    return value if type(value) is dict else shorthands.mapping(value, name)  # a dict is made plain when it is sent


def _networking(value: object, name: str) -> dict[str, Any]:
    """The Engine's NetworkingConfig; a bare mapping of networks is one as well."""
    plain = shorthands.mapping(value, name)
    return plain if not plain or set(plain) == {"EndpointsConfig"} else {"EndpointsConfig": endpoints(plain, name)}


class ConfigOptions(TypedDict, total=False):
    """Options that ``create_container`` and ``containers.create`` share."""

    hostname: Annotated[str | None, Wire("Hostname")]
    """Its host name."""
    user: Annotated[str | int | None, Wire("User", _user)]
    """Who runs the command: name or id, with ``:group`` where wanted."""
    stdin_open: Annotated[bool | None, Wire("OpenStdin", unset=False)]
    """Keep stdin open though nobody is attached."""
    tty: Annotated[bool | None, Wire("Tty", unset=False)]
    """Give it a terminal; stdout and stderr then come as one."""
    environment: Annotated[Environment | None, Wire("Env", parse.environment)]
    """Variables: a dict (None takes one of the image's away), or ``"NAME=value"`` texts."""
    network_disabled: Annotated[bool | None, Wire("NetworkDisabled", unset=False)]
    """No network at all."""
    entrypoint: Annotated[Command | None, Wire("Entrypoint", parse.command)]
    """Instead of the image's: its words, or a text that is split; ``[]`` for none."""
    working_dir: Annotated[str | None, Wire("WorkingDir", parse.text)]
    """The folder that the command starts in."""
    domainname: Annotated[str | None, Wire("Domainname")]
    """Its domain name."""
    mac_address: Annotated[str | None, Wire("MacAddress", parse.text)]
    """Its MAC address."""
    labels: Annotated[Labels | None, Wire("Labels", parse.labels)]
    """Labels: a dict, or a list of ``"name=value"`` or bare names."""
    stop_signal: Annotated[str | None, Wire("StopSignal")]
    """The signal that stops it; SIGTERM as a rule."""
    healthcheck: Annotated[Healthcheck | Mapping[str, Any] | None, Wire("Healthcheck", _healthcheck)]
    """How to find out whether it is healthy, instead of the image's."""
    stop_timeout: Annotated[Duration | None, Wire("StopTimeout", parse.seconds)]
    """Seconds between the stop signal and SIGKILL (API 1.25)."""
    attach_stdin: Annotated[bool | None, Wire("AttachStdin")]
    """Say that stdin will be attached."""
    attach_stdout: Annotated[bool | None, Wire("AttachStdout")]
    """Say that stdout will be attached."""
    attach_stderr: Annotated[bool | None, Wire("AttachStderr")]
    """Say that stderr will be attached."""
    stdin_once: Annotated[bool | None, Wire("StdinOnce")]
    """Close stdin when the first who attached leaves."""
    on_build: Annotated[Sequence[str] | None, Wire("OnBuild", parse.texts)]
    """Dockerfile instructions for images built from this; kept by commit."""
    shell: Annotated[Sequence[str] | None, Wire("Shell", parse.texts)]
    """The shell of health checks and of builds."""
    args_escaped: Annotated[bool | None, Wire("ArgsEscaped", unset=False)]
    """Windows: the command is escaped already."""


class ContainerConfigOptions(ConfigOptions, total=False):
    """Options of :meth:`APIClient.create_container_config`."""

    image: Annotated[str, Wire("Image", parse.text)]
    """Name or id of the image."""
    command: Annotated[Command | None, Wire("Cmd", parse.command)]
    """What to run: a text that is split as a shell does, or its words."""
    detach: Annotated[bool | None, Wire("")]
    """Not attached to its streams."""
    ports: Annotated[ExposedPorts | None, Wire("ExposedPorts", shorthands.exposed_ports)]
    """Ports that it listens on: ``[80, "53/udp", (53, "udp")]``."""
    volumes: Annotated[str | Sequence[str] | Mapping[str, Any] | None, Wire("Volumes", shorthands.mount_points)]
    """Paths in it that become anonymous volumes."""
    host_config: Annotated[Mapping[str, Any] | None, Wire("HostConfig", _host_config)]
    """Of :meth:`APIClient.create_host_config`."""
    networking_config: Annotated[
        NetworkingConfig | Mapping[str, EndpointConfig | Mapping[str, Any] | None] | None,
        Wire("NetworkingConfig", _networking),
    ]
    """Of :meth:`APIClient.create_networking_config`."""
    runtime: Annotated[str | None, Wire("HostConfig.Runtime")]
    """The OCI runtime."""


# A TypedDict has its base's rows first; by position docker-py's order counts.
_POSITIONS = (
    *("image", "command", "hostname", "user", "detach", "stdin_open", "tty", "ports", "environment", "volumes"),
    *("network_disabled", "entrypoint", "working_dir", "domainname", "host_config", "mac_address", "labels"),
    *("stop_signal", "networking_config", "healthcheck", "stop_timeout", "runtime"),
)
_rows = ContainerConfigOptions.__annotations__
ContainerConfigOptions.__annotations__ = {**{name: _rows[name] for name in _POSITIONS}, **_rows}
