"""Volumes, and the files in them."""

from __future__ import annotations

import builtins
import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.api.encode import Filters
from dockerkit.errors import InvalidArgument, StreamParseError
from dockerkit.models.resource import Collection, Model
from dockerkit.models.tables import Table
from dockerkit.models.versioned import retried
from dockerkit.models.volume_files import VolumeFiles

if TYPE_CHECKING:
    from dockerkit.api.base import Data, Ref
    from dockerkit.types import answers
    from dockerkit.types.wire import ToEngine


class Volume(Model):
    """A volume: files that outlive containers.

    Example::

        with client.volumes.create("data") as volume:
            with volume.files() as files:
                files.write("etc/app.conf", "debug = true")
    """

    id_attribute = "Name"

    @property
    def name(self) -> str | None:
        """Its name, which is its id."""
        return self.attrs.get("Name")

    @property
    def driver(self) -> str:
        """``"local"``, or a plugin's name."""
        return self._fact("Driver") or ""

    @property
    def mountpoint(self) -> str:
        """Where it is on the engine's host."""
        return self._fact("Mountpoint") or ""

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return self._fact("Labels") or {}

    @property
    def options(self) -> dict[str, str]:
        """Its driver's options."""
        return self._fact("Options") or {}

    @property
    def version(self) -> int | None:
        """Counts the changes of a cluster volume; None for other volumes."""
        return ((self._full().get("ClusterVolume") or {}).get("Version") or {}).get("Index")

    def usage(self) -> answers.VolumeUsageData | None:
        """How large it is and how many containers have it, now; the engine measures all volumes. ``GET /system/df``

        Returns:
            ``Size`` (bytes, -1 where the driver does not tell) and ``RefCount``.
        """
        kinds = "volume" if self.client.api._supports("GET /system/df", "type") else None
        found: Any = self.client.api.df(type=kinds).get("Volumes") or []
        return next((one.get("UsageData") for one in found if one["Name"] == self.name), None)

    def update(self, spec: Mapping[str, Any] | ToEngine | None = None, *, availability: str | None = None) -> None:
        """Change a cluster volume (API 1.42); other volumes can't be changed. ``PUT /volumes/{name}``

        Args:
            spec: the whole ``ClusterVolumeSpec``; None is the one that it has.
            availability: ``"active"``, ``"pause"`` or ``"drain"``.

        Raises:
            InvalidArgument: this is no cluster volume.
        """

        def attempt() -> None:
            self.reload()
            if self.version is None:
                raise InvalidArgument(f"volume {self.name} is no cluster volume: it can't be changed")
            wanted: Any = self.attrs["ClusterVolume"]["Spec"] if spec is None else spec
            if availability is not None:
                wanted = {**wanted, "Availability": availability}
            self.client.api.update_volume(self.id or "", self.version, wanted)

        retried(attempt)
        self.reload()

    def remove(self, force: bool = False) -> None:
        """Remove it with all its files. ``DELETE /volumes/{name}``

        Args:
            force: also where its driver has lost it; no error if it is gone already.

        Raises:
            Conflict: a container uses it.
        """
        self.client.api.remove_volume(self, force)

    # -- files ---------------------------------------------------------------------------------------------------

    def files(self) -> VolumeFiles:
        """Read and write its files; no container of yours and no image from outside is needed, and none is started.

        Returns:
            A context manager, which removes at its end what it made.
        """
        return VolumeFiles(self.client, self.name or "")

    def backup(self, target: str | os.PathLike[str] | IO[bytes]) -> int:
        """Write all its files, with owners, modes and times, into a tar archive.

        Args:
            target: path of the archive, which is replaced when it is complete; or a binary file.

        Returns:
            The archive's length in bytes.
        """
        with self.files() as files, files.archive() as stream:
            if not isinstance(target, (str, os.PathLike)):
                return sum(target.write(block) for block in stream)
            path = Path(target)
            partial = path.with_name(f".{path.name}.partial")
            try:
                with partial.open("wb") as file:
                    length = sum(file.write(block) for block in stream)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
            return length

    def restore(self, source: str | os.PathLike[str] | Data) -> None:
        """Unpack a tar archive into it, plain or compressed. Files of other names stay.

        Args:
            source: path of the archive; or bytes, a binary file, or an iterator of blocks.
        """
        with self.files() as files:
            if isinstance(source, (str, os.PathLike)):
                with Path(source).open("rb") as file:
                    files.extract(file)
            else:
                files.extract(source)

    def clone(
        self,
        name: str | None = None,
        driver: str | None = None,
        driver_opts: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Volume:
        """Make another volume with the same files. What is written meanwhile may be missing in it.

        Args:
            name: of the new one; None lets the engine choose.
            driver, driver_opts, labels: of the new one; None is this one's.

        Raises:
            InvalidArgument: there is a volume of that name.
        """
        if name is not None:
            with contextlib.suppress(errors.NotFound):
                self.client.api.inspect_volume(name)
                raise InvalidArgument(f"name: there is a volume {name!r} already")
        same = driver is None or driver == self.driver
        options = driver_opts if driver_opts is not None or not same else self.options
        collection = self.client.volumes
        twin = collection.create(name, driver or self.driver, options, self.labels if labels is None else labels)
        try:
            with self.files() as ours, twin.files() as theirs, ours.archive() as stream:
                theirs.extract(stream)
        except BaseException:
            twin.remove(force=True)
            raise
        return twin

    def __enter__(self) -> Volume:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the volume; it may be gone already."""
        self.remove(force=True)


class VolumeCollection(Collection[Volume]):
    """The volumes of an engine."""

    model = Volume

    def create(
        self,
        name: str | None = None,
        driver: str | None = None,
        driver_opts: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        *,
        cluster_volume_spec: Mapping[str, Any] | ToEngine | None = None,
    ) -> Volume:
        """Make a volume, or answer the one of that name and driver. ``POST /volumes/create``

        Args:
            name: None lets the engine choose one; such a volume counts as anonymous.
            driver: ``"local"`` is the engine's default.
            driver_opts: the driver's options: ``{"type": "tmpfs", "device": "tmpfs", "o": "size=100m"}``.
            labels: a dict.
            cluster_volume_spec: a swarm's CSI volume (API 1.42).

        Raises:
            Conflict: the name is taken by a volume of another driver.
        """
        made = self.client.api.create_volume(name, driver, driver_opts, labels, cluster_volume_spec=cluster_volume_spec)
        return self.prepare_model({**made})

    def get(self, volume_id: Ref) -> Volume:
        """One volume. ``GET /volumes/{name}``

        Args:
            volume_id: its name.

        Raises:
            NotFound: there is none.
        """
        return self.prepare_model({**self.client.api.inspect_volume(volume_id)})

    def list(self, filters: Filters | None = None) -> builtins.list[Volume]:
        """List volumes, by one request. ``GET /volumes``

        Args:
            filters: ``{"dangling": True, "driver": "local", "label": ["a=b"], "name": "data"}``.
        """
        found = self.client.api.volumes(filters).get("Volumes") or []
        if not isinstance(found, builtins.list) or not all(isinstance(attrs, dict) for attrs in found):
            raise StreamParseError("the answer to GET /volumes holds no list of volumes")
        return Table(self.prepare_model({**attrs}, partial=True) for attrs in found)

    def prune(self, filters: Filters | None = None, *, all: bool = False) -> answers.VolumePruneResponse:
        """Remove volumes that no container uses. ``POST /volumes/prune``

        Args:
            filters: ``{"label": [...], "label!": [...]}``.
            all: also those with names; below API 1.42 they go in any case.

        Returns:
            ``{"VolumesDeleted": [names] or None, "SpaceReclaimed": bytes}``.
        """
        wanted: dict[str, Any] = dict(filters or {})
        if all and self.client.api._supports("POST /volumes/prune", "filters.all"):
            wanted["all"] = True
        return self.client.api.prune_volumes(wanted)
