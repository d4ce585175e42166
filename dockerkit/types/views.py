"""Typed views of the engine's responses. Missing or unexpected values are None, never an error, since engines differ.

A view is created on first access; ``attrs`` keeps the engine's dict unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.alias_generators import to_pascal


def _parse_time(value: object) -> object:
    """Return None for the Engine's zero time (year 1) and "", which mean never."""
    return None if isinstance(value, str) and (not value or value.startswith("0001-")) else value


def _listed(value: object) -> object:
    return [] if value is None else value


def _mapped(value: object) -> object:
    return {} if value is None else value


ParsedTime = Annotated[datetime | None, BeforeValidator(_parse_time)]
Strings = Annotated[list[str], BeforeValidator(_listed)]
StringMap = Annotated[dict[str, str], BeforeValidator(_mapped)]


class View(BaseModel):
    """A part of a response. Attributes are the Engine's names in snake case; unknown ones are kept."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        alias_generator=to_pascal, populate_by_name=True, extra="allow", frozen=True
    )

    @field_validator("*", mode="wrap")
    @classmethod
    def _lenient(cls, value: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
        try:
            return handler(value)
        except ValidationError:
            return cls.model_fields[info.field_name or ""].get_default()

    @classmethod
    def of(cls, attrs: object) -> Self:
        """Return a view of the Engine's dict, or an empty view for anything else."""
        return cls.model_validate(attrs if isinstance(attrs, dict) else {})


class HealthResult(View):
    """One run of a health check."""

    start: ParsedTime = None
    end: ParsedTime = None
    exit_code: int | None = None
    output: str | None = None


class Health(View):
    """The results of health checks.

    Attributes:
        status: none, starting, healthy or unhealthy.
        failing_streak: number of consecutive failures.
        log: the latest results.
    """

    status: str | None = None
    failing_streak: int | None = None
    log: Annotated[list[HealthResult], BeforeValidator(_listed)] = []


class ContainerState(View):
    """The state of a container.

    Attributes:
        status: created, running, paused, restarting, removing, exited or dead.
        exit_code: exit code of the last run; 0 while running.
        started_at, finished_at: None if it never started or finished.
        health: None without a health check.
    """

    status: str | None = None
    running: bool | None = None
    paused: bool | None = None
    restarting: bool | None = None
    oom_killed: bool | None = Field(None, alias="OOMKilled")
    dead: bool | None = None
    pid: int | None = None
    exit_code: int | None = None
    error: str | None = None
    started_at: ParsedTime = None
    finished_at: ParsedTime = None
    health: Health | None = None


class PortBinding(View):
    """The address on the host at which a port is published.

    Attributes:
        host_ip: "0.0.0.0" and "::" mean all addresses.
    """

    host_ip: str | None = None
    host_port: Annotated[int | None, BeforeValidator(lambda value: value or None)] = None


class Endpoint(View):
    """The endpoint of a container in a network."""

    network_id: str | None = Field(None, alias="NetworkID")
    endpoint_id: str | None = Field(None, alias="EndpointID")
    ip_address: str | None = Field(None, alias="IPAddress")
    ip_prefix_len: int | None = Field(None, alias="IPPrefixLen")
    gateway: str | None = None
    ipv6_address: str | None = Field(None, alias="GlobalIPv6Address")
    ipv6_prefix_len: int | None = Field(None, alias="GlobalIPv6PrefixLen")
    ipv6_gateway: str | None = Field(None, alias="IPv6Gateway")
    mac_address: str | None = None
    aliases: Strings = []
    dns_names: Strings = Field([], alias="DNSNames")
    links: Strings = []
    driver_opts: StringMap = {}
    gw_priority: int | None = None


class NetworkSettings(View):
    """The networks and ports of a container.

    Attributes:
        networks: endpoints by network name.
        ports: ``{"80/tcp": [PortBinding]}``; the list is empty if a port is exposed but not published.
    """

    networks: Annotated[dict[str, Endpoint], BeforeValidator(_mapped)] = {}
    ports: dict[str, Annotated[list[PortBinding], BeforeValidator(_listed)]] = {}
    sandbox_id: str | None = Field(None, alias="SandboxID")
    sandbox_key: str | None = None

    @property
    def ip_address(self) -> str | None:
        """The first IPv4 address in any network."""
        return next((endpoint.ip_address for endpoint in self.networks.values() if endpoint.ip_address), None)


class MountPoint(View):
    """A mount of a container.

    Attributes:
        type: bind, volume, tmpfs, image...
        name: name of the volume.
        source, destination: path on the host and in the container.
        rw: whether it is writable.
    """

    type: str | None = None
    name: str | None = None
    source: str | None = None
    destination: str | None = None
    driver: str | None = None
    mode: str | None = None
    rw: bool | None = Field(None, alias="RW")
    propagation: str | None = None


class HealthcheckView(View):
    """A configured health check; durations are in nanoseconds."""

    test: Strings = []
    interval: int | None = None
    timeout: int | None = None
    start_period: int | None = None
    start_interval: int | None = None
    retries: int | None = None


class ImageConfig(View):
    """The default configuration of containers of an image."""

    user: str | None = None
    env: Strings = []
    cmd: Strings = []
    entrypoint: Strings = []
    working_dir: str | None = None
    exposed_ports: Annotated[dict[str, Any], BeforeValidator(_mapped)] = {}
    volumes: Annotated[dict[str, Any], BeforeValidator(_mapped)] = {}
    labels: StringMap = {}
    stop_signal: str | None = None
    healthcheck: HealthcheckView | None = None
    on_build: Strings = []
    shell: Strings = []

    @property
    def environment(self) -> dict[str, str]:
        """``env`` as a dict."""
        return {name: value for name, _, value in (variable.partition("=") for variable in self.env)}


class ContainerConfigView(ImageConfig):
    """A container's configuration."""

    image: str | None = None
    hostname: str | None = None
    domainname: str | None = None
    tty: bool | None = None
    open_stdin: bool | None = None
    stdin_once: bool | None = None
    stop_timeout: int | None = None


__all__ = [
    "ContainerConfigView",
    "ContainerState",
    "Endpoint",
    "Health",
    "HealthResult",
    "HealthcheckView",
    "ImageConfig",
    "MountPoint",
    "NetworkSettings",
    "PortBinding",
    "View",
]
