"""What a container is and does: facts out of a list's summary or an inspect alike, raw and as typed views."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from dockerkit.errors import InvalidArgument
from dockerkit.models.resource import Model

if TYPE_CHECKING:
    from dockerkit.client import DockerClient
    from dockerkit.models.images import Image
    from dockerkit.types.views import ContainerConfigView, ContainerState, MountPoint, NetworkSettings

_ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  an answer of the engine, nothing that is bound


class Address(NamedTuple):
    """Where a published port answers."""

    host: str
    port: int


class ContainerFacts(Model):
    """The part of a container that tells about it."""

    _attrs: dict[str, Any]
    _sparse = False  # whether attrs stay the list's summary, as docker-py's sparse=True wants

    @property
    def attrs(self) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What inspecting it answers, as the engine sent it; asked for when first needed."""
        if self._partial and not self._sparse:
            self.reload()
        return self._attrs

    @attrs.setter
    def attrs(self, attrs: dict[str, Any]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._attrs = attrs
        for name in ("state", "mounts", "network_settings", "config"):
            self.__dict__.pop(name, None)

    def _inspect(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.client.api.inspect_container(self._attrs))

    def _full(self) -> dict[str, Any]:
        if self._partial:
            self.reload()
        return self._attrs

    @property
    def id(self) -> str | None:
        """The full id."""
        return self._attrs.get("Id") or self._attrs.get("ID")

    @property
    def name(self) -> str | None:
        """Its name, without the engine's slash."""
        name: str | None = _own_name(self._attrs)
        if name is None and self._partial:
            name = _own_name(self._full())
        return name

    @property
    def image(self) -> Image | None:
        """The image that it was made from. ``GET /images/{name}/json``"""
        image = self._attrs.get("ImageID") or self._full().get("Image")
        return None if image is None else self.client.images.get(image)

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        if self._partial and "Labels" in self._attrs:
            return self._attrs["Labels"] or {}
        return (self._full().get("Config") or {}).get("Labels") or {}

    @property
    def status(self) -> str:
        """created, running, paused, restarting, removing, exited or dead."""
        state = self._attrs.get("State")
        if state is None:
            state = self._full().get("State")
        return str(state.get("Status", "") if isinstance(state, dict) else state or "")

    @property
    def health(self) -> str:
        """healthy, unhealthy or starting; unknown where nothing checks it. ``state.health`` has more."""
        if self._partial and self._attrs.get("State") == "running":
            line = str(self._attrs.get("Status", ""))
            return next((word for word in ("unhealthy", "healthy", "starting") if word in line), "unknown")
        state = self._full().get("State")
        health = state.get("Health") if isinstance(state, dict) else None
        return str((health or {}).get("Status") or "unknown")

    @property
    def ports(self) -> dict[str, list[dict[str, str]] | None]:
        """Its ports, and where they are published: ``{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}``."""
        if self._partial and isinstance(self._attrs.get("Ports"), list):
            return _ports_of_summary(self._attrs["Ports"])
        return (self._full().get("NetworkSettings") or {}).get("Ports") or {}

    @property
    def created(self) -> datetime | None:
        """When it was made."""
        from pydantic import TypeAdapter

        created = self._attrs.get("Created", None) or self._full().get("Created")
        return None if created is None else TypeAdapter(datetime).validate_python(created)

    # -- typed views -----------------------------------------------------------------------------------------------

    @cached_property
    def state(self) -> ContainerState:
        """What it is doing, as of the last :meth:`reload`: exit code, times, health."""
        from dockerkit.types.views import ContainerState

        return ContainerState.of(self._full().get("State"))

    @cached_property
    def config(self) -> ContainerConfigView:
        """How it was configured: command, environment, user."""
        from dockerkit.types.views import ContainerConfigView

        return ContainerConfigView.of(self._full().get("Config"))

    @cached_property
    def network_settings(self) -> NetworkSettings:
        """Its networks, addresses and ports, as of the last :meth:`reload`."""
        from dockerkit.types.views import NetworkSettings

        return NetworkSettings.of(self._full().get("NetworkSettings"))

    @cached_property
    def mounts(self) -> list[MountPoint]:
        """What is mounted in it."""
        from dockerkit.types.views import MountPoint

        found = self._attrs.get("Mounts") if "Mounts" in self._attrs else self._full().get("Mounts")
        return [MountPoint.of(mount) for mount in found or ()]

    def address(self, port: int | str) -> Address:
        """Where one of its ports can be reached from here. ``GET /containers/{id}/json``

        Args:
            port: ``80`` or ``"80"`` (tcp, else udp, else sctp), or ``"53/udp"``.

        Returns:
            Host and port; where it is published on all addresses, the host is the engine's.

        Raises:
            NotFound: the container is gone.
            InvalidArgument: the port is not published, or the container does not run.
        """
        bindings = self.client.api.port(self, port)
        if not bindings:
            raise InvalidArgument(f"port: {port!r} of {self!r} is not published now")
        best = min(bindings, key=lambda binding: ":" in (binding.get("HostIp") or ""))
        host = best.get("HostIp") or ""
        if host in _ANYWHERE:
            host = _engine_host(self.client)
        return Address(host, int(best.get("HostPort") or 0))


def _own_name(attrs: Mapping[str, Any]) -> str | None:
    """The container's name; a summary also lists the names under which others link it, which have a second slash."""
    name = attrs.get("Name") or next((name for name in attrs.get("Names") or () if "/" not in name[1:]), None)
    return None if name is None else str(name).removeprefix("/")


def _ports_of_summary(ports: list[dict[str, Any]]) -> dict[str, list[dict[str, str]] | None]:
    """A summary's ports in the form that inspecting gives them."""
    found: dict[str, list[dict[str, str]] | None] = {}
    for port in ports:
        key = f"{port['PrivatePort']}/{port.get('Type', 'tcp')}"
        if port.get("PublicPort"):
            binding = {"HostIp": port.get("IP", ""), "HostPort": str(port["PublicPort"])}
            found[key] = [*(found.get(key) or ()), binding]
        else:
            found.setdefault(key, None)
    return found


def _engine_host(client: DockerClient) -> str:
    """The host that the engine runs on, as seen from here."""
    from urllib.parse import urlsplit

    parts = urlsplit(client.api.endpoint.host)
    return parts.hostname or "127.0.0.1" if parts.scheme in ("tcp", "http", "https", "ssh") else "127.0.0.1"
