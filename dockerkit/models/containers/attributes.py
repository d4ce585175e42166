"""Attributes of a container, from a list's summary or an inspect: raw and as typed views."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from dockerkit.errors import InvalidArgument
from dockerkit.models.resource import LazyModel
from dockerkit.parsing.ports import ANYWHERE, ports_of_summary

if TYPE_CHECKING:
    from dockerkit.models.containers.usage import Usage, UsageStream
    from dockerkit.models.images import Image
    from dockerkit.types.views import ContainerConfigView, ContainerState, MountPoint, NetworkSettings


class Address(NamedTuple):
    """Address of a published port."""

    host: str
    port: int


class ContainerAttributes(LazyModel):
    """Attributes of a container."""

    _views = ("state", "mounts", "network_settings", "config", "image")

    def _inspect(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.client.api.inspect_container(self._attrs))

    @property
    def id(self) -> str | None:
        """Full ID of the container."""
        return self._attrs.get("Id") or self._attrs.get("ID")

    @property
    def name(self) -> str:
        """Name, without the engine's leading slash."""
        name = _own_name(self._attrs)
        if name is None and self._partial:
            name = _own_name(self._load())
        return name or ""

    @cached_property
    def image(self) -> Image | None:
        """Image that the container was created from.

        Holds only the image's ID, without a request. The image is inspected once, on access to its other attributes,
        and kept until :meth:`reload`.
        """
        image = self._attrs.get("ImageID") or self._load().get("Image")
        return None if image is None else self.client.images.prepare_model({"Id": image}, partial=True)

    @property
    def status(self) -> str:
        """Status: created, running, paused, restarting, removing, exited or dead."""
        state = self._attrs.get("State")
        if state is None:
            state = self._load().get("State")
        return str(state.get("Status", "") if isinstance(state, dict) else state or "")

    @property
    def health(self) -> str:
        """Health status: healthy, unhealthy or starting; unknown without a health check. See also ``state.health``."""
        if self._partial and isinstance(summary := self._attrs.get("Health"), Mapping):  # since API 1.52
            status = str(summary.get("Status") or "none")
            return "unknown" if status == "none" else status
        if self._partial and self._attrs.get("State") == "running":
            line = str(self._attrs.get("Status", ""))
            return next((word for word in ("unhealthy", "healthy", "starting") if word in line), "unknown")
        state = self._load().get("State")
        health = state.get("Health") if isinstance(state, dict) else None
        return str((health or {}).get("Status") or "unknown")

    @property
    def ports(self) -> dict[str, list[dict[str, str]] | None]:
        """Ports and their publications: ``{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}``."""
        if self._partial and isinstance(self._attrs.get("Ports"), list):
            return ports_of_summary(self._attrs["Ports"])
        return (self._load().get("NetworkSettings") or {}).get("Ports") or {}

    @property
    def created(self) -> datetime | None:
        """Time of creation."""
        from pydantic import TypeAdapter

        created = self._attrs.get("Created", None) or self._load().get("Created")
        return None if created is None else TypeAdapter(datetime).validate_python(created)

    # -- typed views -----------------------------------------------------------------------------------------------

    @cached_property
    def state(self) -> ContainerState:
        """State at the last :meth:`reload`: exit code, times, health."""
        from dockerkit.types.views import ContainerState

        return ContainerState.of(self._load().get("State"))

    @cached_property
    def config(self) -> ContainerConfigView:
        """Configuration: command, environment, user."""
        from dockerkit.types.views import ContainerConfigView

        return ContainerConfigView.of(self._load().get("Config"))

    @cached_property
    def network_settings(self) -> NetworkSettings:
        """Networks, addresses and ports at the last :meth:`reload`."""
        from dockerkit.types.views import NetworkSettings

        return NetworkSettings.of(self._load().get("NetworkSettings"))

    @cached_property
    def mounts(self) -> list[MountPoint]:
        """Mounts of the container."""
        from dockerkit.types.views import MountPoint

        return [MountPoint.of(mount) for mount in self._get_attr("Mounts") or ()]

    def address(self, port: int | str) -> Address:
        """Return the address at which a published port can be reached. ``GET /containers/{id}/json``

        Args:
            port: ``80`` or ``"80"`` (tcp, otherwise udp, otherwise sctp), or ``"53/udp"``.

        Returns:
            Host and port. If the port is published on all addresses, the host is the engine's.

        Raises:
            NotFound: the container does not exist.
            InvalidArgument: the port is not published, or the container is not running.
        """
        from urllib.parse import urlsplit

        bindings = self.client.api.port(self, port)
        if not bindings:
            raise InvalidArgument(f"port: {port!r} of {self!r} is not published")
        best = min(bindings, key=lambda binding: ":" in (binding.get("HostIp") or ""))
        host = best.get("HostIp") or ""
        if host in ANYWHERE:  # on all addresses of the engine's host
            engine = urlsplit(self.client.api.endpoint.host)
            remote = engine.scheme in ("tcp", "http", "https", "ssh")
            host = (engine.hostname if remote else None) or "127.0.0.1"
        return Address(host, int(best.get("HostPort") or 0))

    def usage(self) -> Usage:
        """Return the current resource usage. ``GET /containers/{id}/stats?stream=false``

        Takes a second, in which the engine measures the CPU usage.

        Raises:
            NotFound: the container does not exist.
        """
        from dockerkit.models.containers.usage import measure

        return measure(self)

    def watch_usage(self) -> UsageStream:
        """Yield the resource usage once per second. ``GET /containers/{id}/stats``

        Example::

            with container.watch_usage() as usages:
                for usage in usages:
                    print(usage.cpu_percent, usage.memory)
        """
        from dockerkit.models.containers.usage import UsageStream

        return UsageStream(self.client.api.stats(self, decode=True), self.display_name)


def _own_name(attrs: Mapping[str, Any]) -> str | None:
    """Return the container's name. Summaries also list link aliases, which contain a second slash."""
    name = attrs.get("Name") or next((name for name in attrs.get("Names") or () if "/" not in name[1:]), None)
    return None if name is None else str(name).removeprefix("/")
