"""Volumes and their files."""

from __future__ import annotations

import builtins
import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, cast

from dockerkit import errors
from dockerkit.api.image_archive import opened
from dockerkit.errors import InvalidArgument, StreamParseError
from dockerkit.models.files import FileReader, write_to
from dockerkit.models.resource import RAISE, Collection, D, Model
from dockerkit.models.tables import Table
from dockerkit.models.versioned import update_current
from dockerkit.models.volume_files import VolumeFiles
from dockerkit.parsing.values import boolean, file_target, mapping

if TYPE_CHECKING:
    from dockerkit.api.base import Data, Ref
    from dockerkit.models.batch import BatchReport
    from dockerkit.models.containers.copying import Folder
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.parsing.values import ContainerPath
    from dockerkit.types import answers
    from dockerkit.types.filters import VolumeFilters, VolumePruneFilters


class Volume(FileReader, Model):
    """A volume: files that persist independently of containers.

    Example::

        with client.volumes.create("data") as volume:
            with volume.files() as files:
                files.write("etc/app.conf", "debug = true")
    """

    id_attribute = "Name"

    @property
    def name(self) -> str | None:
        """Name, which is also the ID."""
        return self.attrs.get("Name")

    @property
    def driver(self) -> str:
        """Driver: ``"local"``, or the name of a plugin."""
        return self._get_attr("Driver") or ""

    @property
    def mountpoint(self) -> str:
        """Path on the engine's host."""
        return self._get_attr("Mountpoint") or ""

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the volume."""
        return self._get_attr("Labels") or {}

    @property
    def options(self) -> dict[str, str]:
        """Driver options."""
        return self._get_attr("Options") or {}

    @property
    def version(self) -> int | None:
        """Version of a cluster volume; None for other volumes."""
        return ((self._load().get("ClusterVolume") or {}).get("Version") or {}).get("Index")

    def usage(self) -> answers.VolumeUsageData | None:
        """Return size and number of containers; the engine measures all volumes for this. ``GET /system/df``

        Returns:
            ``Size`` (bytes, -1 if the driver does not report it) and ``RefCount``.
        """
        kinds = "volume" if self.client.api.supports("GET /system/df", "type") else None
        volumes: Any = self.client.system.df(kinds).volumes.items
        return next((item.get("UsageData") for item in volumes if item["Name"] == self.name), None)

    def update(self, spec: Mapping[str, Any] | ToEngine | None = None, *, availability: str | None = None) -> None:
        """Update a cluster volume (API 1.42); other volumes can't be updated. ``PUT /volumes/{name}``

        Args:
            spec: complete ``ClusterVolumeSpec``; None for the current one.
            availability: ``"active"``, ``"pause"`` or ``"drain"``.

        Raises:
            InvalidArgument: the volume is not a cluster volume.
        """

        def update() -> None:
            if self.version is None:
                raise InvalidArgument(f"volume {self.name} is not a cluster volume, so it can't be updated")
            new_spec: Any = self.attrs["ClusterVolume"]["Spec"] if spec is None else spec
            if availability is not None:
                new_spec = {**new_spec, "Availability": availability}
            self.client.api.update_volume(self.id or "", self.version, new_spec)

        update_current(self, update)

    def remove(self, force: bool = False) -> None:
        """Remove the volume with all its files. ``DELETE /volumes/{name}``

        Args:
            force: remove it even if its driver has lost it; no error if it does not exist.

        Raises:
            Conflict: a container uses the volume.
        """
        self.client.api.remove_volume(self, force)

    # -- files ---------------------------------------------------------------------------------------------------

    def files(self) -> VolumeFiles:
        """Open the volume's files for reading and writing. Needs no container or image of yours, and starts none.

        Returns:
            A context manager, which removes its temporary container and image at the end of the block.
        """
        return VolumeFiles(self.client, self.name or "")

    def write_file(
        self, path: ContainerPath, content: bytes | str, *, mode: int = 0o644, owner: tuple[int, int] = (0, 0)
    ) -> None:
        """Write one file, and create missing folders above it.

        Args:
            path: path of the file, relative to the volume's root.
            content: bytes, or a string (encoded as UTF-8).
            mode: permission bits.
            owner: user and group ID.
        """
        with self.files() as files:
            files.write_file(path, content, mode=mode, owner=owner)

    def backup(self, target: str | os.PathLike[str] | IO[bytes]) -> int:
        """Save all files, with owners, modes and times, to a tar archive.

        Args:
            target: path of the archive, which is written atomically, or a binary file.

        Returns:
            The size of the archive in bytes.
        """
        goal = file_target(target, "target")
        with self.files() as files, files.archive() as stream:
            return write_to(goal, stream)

    def restore(self, source: str | os.PathLike[str] | Data) -> None:
        """Extract a tar archive, plain or compressed, into the volume. Other files are kept.

        Args:
            source: path of the archive, bytes, a binary file, or an iterator of bytes.
        """
        with contextlib.ExitStack() as stack:
            data = stack.enter_context(opened(source, "source")) if isinstance(source, (str, os.PathLike)) else source
            stack.enter_context(self.files()).extract(data)

    def clone(
        self,
        name: str | None = None,
        driver: str | None = None,
        driver_opts: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Volume:
        """Copy all files to a new volume. Files written meanwhile may be missing.

        Args:
            name: name of the new volume; None lets the engine choose.
            driver, driver_opts, labels: settings of the new volume; None for those of this one.

        Raises:
            InvalidArgument: a volume with this name exists.
        """
        if name is not None:
            with contextlib.suppress(errors.NotFound):
                self.client.api.inspect_volume(name)
                raise InvalidArgument(f"name: volume {name!r} already exists")
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

    @contextlib.contextmanager
    def _folder(self) -> Iterator[Folder]:
        with self.files() as files, files._folder() as folder:
            yield folder

    def __enter__(self) -> Volume:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the volume; ignore it if it is already removed."""
        self.remove(force=True)


class VolumeCollection(Collection[Volume]):
    """Create, list and manage volumes; ``client.volumes``."""

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
        """Create a volume, or return the existing one with this name and driver. ``POST /volumes/create``

        Args:
            name: name; None lets the engine choose one, which makes the volume anonymous.
            driver: volume driver; the engine's default is ``"local"``.
            driver_opts: driver options: ``{"type": "tmpfs", "device": "tmpfs", "o": "size=100m"}``.
            labels: a dict.
            cluster_volume_spec: spec of a swarm's CSI volume (API 1.42).

        Raises:
            Conflict: a volume with this name has a different driver.

        Example::

            client.volumes.create("data", labels={"app": "web"})
            client.containers.run("nginx", detach=True, volumes=["data:/srv:ro"])
        """
        created = self.client.api.create_volume(
            name, driver, driver_opts, labels, cluster_volume_spec=cluster_volume_spec
        )
        return self.prepare_model({**created})

    def ensure(
        self,
        name: str,
        driver: str | None = None,
        driver_opts: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Volume:
        """Make sure that a volume with this name and these settings exists. ``GET /volumes/{name}``

        An existing volume is never changed or removed, since it contains data.

        Args:
            name: name of the volume.
            driver, driver_opts, labels: as for :meth:`create`. Unspecified settings are not compared.

        Returns:
            The volume. Its ``ensured`` attribute shows whether it was created.

        Raises:
            Conflict: a volume with this name has different settings; the message names them.
        """
        from dockerkit.models.ensured import Ensured, differences, raise_if_different

        volume = self._get_or_create(name, lambda: self.create(name, driver, driver_opts, labels))
        if not volume.ensured:
            found = differences(volume.attrs, {"Driver": driver, "Options": driver_opts, "Labels": labels})
            raise_if_different("volume", name, found, "clone() copies its files to a new volume")
            volume.ensured = Ensured("unchanged")
        return volume

    def get(self, volume_id: Ref, *, default: D = RAISE) -> Volume | D:
        """Return a volume. ``GET /volumes/{name}``

        Args:
            volume_id: name.
            default: returned instead of raising NotFound.

        Raises:
            NotFound: the volume does not exist.
        """
        return self._get(lambda: self.client.api.inspect_volume(volume_id), default)

    def list(self, filters: VolumeFilters | None = None) -> Table[Volume]:
        """List volumes, in one request. ``GET /volumes``

        Args:
            filters: ``{"dangling": True, "driver": "local", "label": ["a=b"], "name": "data"}``.
        """
        found = self.client.api.volumes(filters).get("Volumes") or []
        if not isinstance(found, builtins.list) or not all(isinstance(attrs, dict) for attrs in found):
            raise StreamParseError("the response to GET /volumes contains no list of volumes")
        return Table(self.prepare_model({**attrs}, partial=True) for attrs in found)

    def remove_many(self, volumes: Iterable[Ref], force: bool = False, *, workers: int = 8) -> BatchReport[None]:
        """Remove several volumes concurrently. ``DELETE /volumes/{name}``

        Args:
            volumes: names or objects.
            force: as for :meth:`Volume.remove`.
            workers: number of volumes to remove at a time.

        Returns:
            The successes and failures, by name; ``check()`` raises if anything failed.
        """
        from dockerkit.models.batch import run_batch

        return run_batch(lambda volume: self.client.api.remove_volume(volume, force), volumes, workers)

    def prune(self, filters: VolumePruneFilters | None = None, *, all: bool = False) -> answers.VolumePruneResponse:
        """Remove unused volumes. ``POST /volumes/prune``

        Args:
            filters: ``{"label": [...], "label!": [...]}``.
            all: also remove named volumes; below API 1.42, they are always removed.

        Returns:
            ``{"VolumesDeleted": [names] or None, "SpaceReclaimed": bytes}``.
        """
        requested = cast("VolumePruneFilters", mapping(filters or {}, "filters"))
        if boolean(all, "all") and self.client.api.supports("POST /volumes/prune", "filters.all"):
            requested = cast("VolumePruneFilters", {**requested, "all": True})
        return self.client.api.prune_volumes(requested)
