"""Volumes. ``/volumes``"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import Base, Ref
from dockerkit.api.checks import index, optional
from dockerkit.api.encode import Filters
from dockerkit.api.refs import checked_name
from dockerkit.types import parse

if TYPE_CHECKING:
    from dockerkit.types import answers
    from dockerkit.types.wire import ToEngine


class VolumeAPI(Base):
    """The calls on volumes."""

    def volumes(self, filters: Filters | None = None) -> answers.VolumeListResponse:
        """List volumes. ``GET /volumes``

        Args:
            filters: ``{"dangling": True, "driver": "local", "label": ["a=b"], "name": "data"}``.

        Returns:
            ``{"Volumes": [...] or None, "Warnings": [...] or None}``.
        """
        return self._json("GET", "/volumes", query={"filters": filters or {}})

    def create_volume(
        self,
        name: str | None = None,
        driver: str | None = None,
        driver_opts: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        *,
        cluster_volume_spec: Mapping[str, Any] | ToEngine | None = None,
    ) -> answers.Volume:
        """Make a volume, or answer the one of that name and driver. ``POST /volumes/create``

        Args:
            name: None lets the engine choose one; such a volume counts as anonymous.
            driver: ``"local"`` is the engine's default.
            driver_opts: the driver's options: ``{"type": "tmpfs", "device": "tmpfs", "o": "size=100m"}``.
            labels: a dict.
            cluster_volume_spec: a swarm's CSI volume (API 1.42).

        Raises:
            InvalidArgument: an argument can't be right; the message names it.
            Conflict: the name is taken by a volume of another driver.
        """
        body = {
            "Name": None if name is None else checked_name(name),
            "Driver": optional(parse.text, "driver", driver),
            "DriverOpts": optional(parse.text_map, "driver_opts", driver_opts),
            "Labels": optional(parse.labels, "labels", labels),
            "ClusterVolumeSpec": cluster_volume_spec,
        }
        return self._json("POST", "/volumes/create", body=body)

    def inspect_volume(self, name: Ref) -> answers.Volume:
        """All that the engine knows of a volume. ``GET /volumes/{name}``

        Args:
            name: name, dict with ``Name``, or object.
        """
        return self._json("GET", "/volumes/{name}", name=_name(name))

    def update_volume(self, name: Ref, version: int, spec: Mapping[str, Any] | ToEngine) -> None:
        """Change a cluster volume; other volumes can't be changed. ``PUT /volumes/{name}``

        Args:
            name: name, dict with ``Name``, or object.
            version: ``ClusterVolume.Version.Index`` of the volume that is to be changed: protects from lost updates.
            spec: the whole ``ClusterVolumeSpec``; only ``Availability`` may differ from what it was.

        Raises:
            InvalidVersion: below API 1.42.
            ServiceUnavailable: this engine is no manager of a swarm.
        """
        self._none("PUT", "/volumes/{name}", name=_name(name), query={"version": index(version)}, body={"Spec": spec})

    def remove_volume(self, name: Ref, force: bool = False) -> None:
        """Remove a volume. ``DELETE /volumes/{name}``

        Args:
            name: name, dict with ``Name``, or object.
            force: also where its driver has lost it; no error if there is none.

        Raises:
            Conflict: a container uses it.
        """
        self._none("DELETE", "/volumes/{name}", name=_name(name), query={"force": force or None})

    def prune_volumes(self, filters: Filters | None = None) -> answers.VolumePruneResponse:
        """Remove volumes that no container uses. ``POST /volumes/prune``

        Args:
            filters: ``{"label": [...], "label!": [...], "all": True}``; from API 1.42 on only anonymous volumes go,
                unless ``all``.

        Returns:
            ``{"VolumesDeleted": [names] or None, "SpaceReclaimed": bytes}``.
        """
        return self._json("POST", "/volumes/prune", query={"filters": filters or {}}, timeout=None)


def _name(volume: Ref) -> Ref:
    """A volume is known by its name: what the engine answers about it has no ``Id``."""
    return str(volume.get("Name") or "") if isinstance(volume, Mapping) else volume


VolumeApiMixin = VolumeAPI  # its name in docker-py
