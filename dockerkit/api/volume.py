"""Volumes. ``/volumes``"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.checks import check_optional, version_index
from dockerkit.api.refs import checked_name
from dockerkit.parsing import values

if TYPE_CHECKING:
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.types import answers
    from dockerkit.types.filters import VolumeFilters, VolumePruneFilters


class VolumeAPI(APIBase):
    """Calls on volumes. ``name`` is a name, a dict with ``Name``, or an object."""

    def volumes(self, filters: VolumeFilters | None = None) -> answers.VolumeListResponse:
        """List volumes. ``GET /volumes``

        Args:
            filters: ``{"dangling": True, "driver": "local", "label": ["a=b"], "name": "data"}``.

        Returns:
            ``{"Volumes": [...] or None, "Warnings": [...] or None}``.
        """
        return self._json("GET", "/volumes", query={"filters": filters or {}}, lists=("Volumes", "Warnings"))

    def create_volume(
        self,
        name: str | None = None,
        driver: str | None = None,
        driver_opts: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        *,
        cluster_volume_spec: Mapping[str, Any] | ToEngine | None = None,
    ) -> answers.Volume:
        """Create a volume, or return the existing one with that name and driver. ``POST /volumes/create``

        Args:
            name, driver, driver_opts, labels, cluster_volume_spec: as for
                :meth:`dockerkit.models.volumes.VolumeCollection.create`.

        Raises:
            InvalidArgument: an argument is invalid; the message names it.
            Conflict: a volume of another driver has this name.
        """
        body = {
            "Name": checked_name(name) if name else None,
            "Driver": check_optional(values.string, "driver", driver),
            "DriverOpts": check_optional(values.string_map, "driver_opts", driver_opts),
            "Labels": check_optional(values.labels, "labels", labels),
            "ClusterVolumeSpec": cluster_volume_spec,
        }
        return self._json("POST", "/volumes/create", body=body)

    def inspect_volume(self, name: Ref) -> answers.Volume:
        """Return all details of a volume. ``GET /volumes/{name}``"""
        return self._json("GET", "/volumes/{name}", name=_name(name))

    def update_volume(self, name: Ref, version: int, spec: Mapping[str, Any] | ToEngine) -> None:
        """Change a cluster volume; other volumes can't be changed. ``PUT /volumes/{name}``

        Args:
            version: ``ClusterVolume.Version.Index`` of the volume, which prevents lost updates.
            spec: complete ``ClusterVolumeSpec``; only ``Availability`` may be changed.

        Raises:
            InvalidVersion: the API version is below 1.42.
            ServiceUnavailable: this engine is not a manager of a swarm.
        """
        self._no_content(
            "PUT", "/volumes/{name}", name=_name(name), query={"version": version_index(version)}, body={"Spec": spec}
        )

    def remove_volume(self, name: Ref, force: bool = False) -> None:
        """Remove a volume. ``DELETE /volumes/{name}``

        Args:
            force: remove it even if its driver has lost it; no error if it does not exist.

        Raises:
            Conflict: a container uses the volume.
        """
        self._no_content("DELETE", "/volumes/{name}", name=_name(name), query={"force": force or None})

    def prune_volumes(self, filters: VolumePruneFilters | None = None) -> answers.VolumePruneResponse:
        """Remove volumes that no container uses. ``POST /volumes/prune``

        Args:
            filters: ``{"label": [...], "label!": [...], "all": True}``; from API 1.42 on only anonymous volumes are
                removed, unless ``all``.

        Returns:
            ``{"VolumesDeleted": [names] or None, "SpaceReclaimed": bytes}``.
        """
        return self._json(
            "POST", "/volumes/prune", query={"filters": filters or {}}, timeout=None, lists=("VolumesDeleted",)
        )


def _name(volume: Ref) -> Ref:
    """Return the name of a volume; the engine's dicts of volumes have no ``Id``."""
    return str(volume.get("Name") or "") if isinstance(volume, Mapping) else volume


VolumeApiMixin = VolumeAPI  # docker-py's name
