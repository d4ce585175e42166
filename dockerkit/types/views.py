"""Typed looks at what the engine answered: lenient, since engines differ. What is missing or odd is None, never an error.

A view is made when it is first asked for; the engine's dict stays as it came, in ``attrs``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.alias_generators import to_pascal


def _moment(value: object) -> object:
    """The Engine's zero time (year 1) and "" say that it never was."""
    return None if isinstance(value, str) and (not value or value.startswith("0001-")) else value


def _listed(value: object) -> object:
    return [] if value is None else value


def _mapped(value: object) -> object:
    return {} if value is None else value


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Texts = Annotated[list[str], BeforeValidator(_listed)]
TextMap = Annotated[dict[str, str], BeforeValidator(_mapped)]


class View(BaseModel):
    """A part of an answer. Attributes are the Engine's names in snake case; what we don't know is kept as well."""

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
        """A view of the Engine's dict; of anything else, an empty one."""
        return cls.model_validate(attrs if isinstance(attrs, dict) else {})


class HealthResult(View):
    """One run of a health check."""

    start: Moment = None
    end: Moment = None
    exit_code: int | None = None
    output: str | None = None


class Health(View):
    """What the health checks say.

    Attributes:
        status: none, starting, healthy or unhealthy.
        failing_streak: how many failed in a row.
        log: the last runs.
    """

    status: str | None = None
    failing_streak: int | None = None
    log: Annotated[list[HealthResult], BeforeValidator(_listed)] = []


class ContainerState(View):
    """What a container is doing.

    Attributes:
        status: created, running, paused, restarting, removing, exited or dead.
        exit_code: of the last run; 0 while it runs.
        started_at, finished_at: None where it never did.
        health: None where nothing checks it.
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
    started_at: Moment = None
    finished_at: Moment = None
    health: Health | None = None


class PortBinding(View):
    """Where on the host a port is published.

    Attributes:
        host_ip: "0.0.0.0" and "::" are all addresses.
    """

    host_ip: str | None = None
    host_port: Annotated[int | None, BeforeValidator(lambda value: value or None)] = None


class Endpoint(View):
    """A container's place in a network."""

    network_id: str | None = Field(None, alias="NetworkID")
    endpoint_id: str | None = Field(None, alias="EndpointID")
    ip_address: str | None = Field(None, alias="IPAddress")
    ip_prefix_len: int | None = Field(None, alias="IPPrefixLen")
    gateway: str | None = None
    ipv6_address: str | None = Field(None, alias="GlobalIPv6Address")
    ipv6_prefix_len: int | None = Field(None, alias="GlobalIPv6PrefixLen")
    ipv6_gateway: str | None = Field(None, alias="IPv6Gateway")
    mac_address: str | None = None
    aliases: Texts = []
    dns_names: Texts = Field([], alias="DNSNames")
    links: Texts = []
    driver_opts: TextMap = {}
    gw_priority: int | None = None


class NetworkSettings(View):
    """The networks that a container is in, and its ports.

    Attributes:
        networks: by name.
        ports: ``{"80/tcp": [PortBinding]}``; an empty list is exposed but not published.
    """

    networks: Annotated[dict[str, Endpoint], BeforeValidator(_mapped)] = {}
    ports: dict[str, Annotated[list[PortBinding], BeforeValidator(_listed)]] = {}
    sandbox_id: str | None = Field(None, alias="SandboxID")
    sandbox_key: str | None = None

    @property
    def ip_address(self) -> str | None:
        """The address in the first network that gave one."""
        return next((place.ip_address for place in self.networks.values() if place.ip_address), None)


class MountPoint(View):
    """Something that is mounted in a container.

    Attributes:
        type: bind, volume, tmpfs, image...
        name: of the volume.
        source, destination: on the host, in the container.
        rw: whether it can be written to.
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
    """A health check as configured: durations in nanoseconds."""

    test: Texts = []
    interval: int | None = None
    timeout: int | None = None
    start_period: int | None = None
    start_interval: int | None = None
    retries: int | None = None


class ImageConfig(View):
    """How containers of an image run, unless told otherwise; also a container's own configuration."""

    user: str | None = None
    env: Texts = []
    cmd: Texts = []
    entrypoint: Texts = []
    working_dir: str | None = None
    exposed_ports: Annotated[dict[str, Any], BeforeValidator(_mapped)] = {}
    volumes: Annotated[dict[str, Any], BeforeValidator(_mapped)] = {}
    labels: TextMap = {}
    stop_signal: str | None = None
    healthcheck: HealthcheckView | None = None
    on_build: Texts = []
    shell: Texts = []

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
