"""The engine as a whole: use of disk, and making room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockerkit.api.encode import Filters
from dockerkit.errors import InvalidArgument

if TYPE_CHECKING:
    from dockerkit.client import DockerClient
    from dockerkit.types import answers


@dataclass(frozen=True)
class Usage:
    """The use of disk by one kind of things.

    Attributes:
        count: how many there are.
        active: how many of them are in use.
        size: bytes that they take up; shared ones count once.
        reclaimable: bytes that a prune would give back.
    """

    count: int
    active: int
    size: int
    reclaimable: int


@dataclass(frozen=True)
class DiskUsage:
    """The use of disk at an engine.

    Attributes:
        images, containers, volumes, build_cache: by kind.
    """

    images: Usage
    containers: Usage
    volumes: Usage
    build_cache: Usage

    @property
    def size(self) -> int:
        """Bytes altogether."""
        return sum(one.size for one in (self.images, self.containers, self.volumes, self.build_cache))

    @property
    def reclaimable(self) -> int:
        """Bytes that prunes would give back."""
        return sum(one.reclaimable for one in (self.images, self.containers, self.volumes, self.build_cache))


@dataclass(frozen=True)
class PruneReport:
    """What a prune removed.

    Attributes:
        containers: ids.
        networks: names.
        volumes: names.
        images: ids of those deleted.
        untagged: names that images lost.
        build_cache: ids of records.
        space_reclaimed: bytes.
    """

    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    untagged: tuple[str, ...] = ()
    build_cache: tuple[str, ...] = ()
    space_reclaimed: int = field(default=0, compare=False)


class System:
    """The engine as a whole."""

    def __init__(self, client: DockerClient) -> None:
        self.client = client

    def info(self) -> answers.SystemInfo:
        """What the engine says about itself and its host. ``GET /info``"""
        return self.client.api.info()

    def version(self) -> answers.SystemVersion:
        """Versions of the engine and its parts. ``GET /version``"""
        return self.client.api.version()

    def df(self) -> DiskUsage:
        """Use of disk in numbers, as ``docker system df`` shows it. ``GET /system/df``"""
        answer: Mapping[str, Any] = self.client.api.df()
        return DiskUsage(_images(answer), _containers(answer), _volumes(answer), _build_cache(answer))

    def prune(
        self,
        *,
        containers: bool = True,
        networks: bool = True,
        images: bool = True,
        build_cache: bool = True,
        volumes: bool = False,
        all_images: bool = False,
        filters: Filters | None = None,
    ) -> PruneReport:
        """Remove what is not in use, in the order in which things stop being in use.

        Args:
            containers: stopped containers. ``POST /containers/prune``
            networks: networks without containers. ``POST /networks/prune``
            images: images without a name. ``POST /images/prune``
            build_cache: what builds have left (API 1.31); left alone where ``filters`` name labels, as it has none.
                ``POST /build/prune``
            volumes: volumes without containers, from API 1.42 on only anonymous ones. ``POST /volumes/prune``
            all_images: also images with a name that no container uses.
            filters: ``{"until": "24h", "label": [...], "label!": [...]}``; volumes know no ``until``.

        Raises:
            InvalidArgument: ``until`` together with ``volumes``, before anything is removed.
        """
        given: dict[str, Any] = dict(filters or {})
        if volumes and "until" in given:
            raise InvalidArgument("filters: volumes have no age, so 'until' can't be used with volumes=True")
        api, found, space = self.client.api, dict[str, tuple[str, ...]](), 0
        if containers:
            of_containers = api.prune_containers(given)
            found["containers"] = tuple(of_containers["ContainersDeleted"] or ())
            space += of_containers["SpaceReclaimed"]
        if networks:
            found["networks"] = tuple(api.prune_networks(given)["NetworksDeleted"] or ())
        if volumes:
            of_volumes = api.prune_volumes(given)
            found["volumes"] = tuple(of_volumes["VolumesDeleted"] or ())
            space += of_volumes["SpaceReclaimed"]
        if images:
            of_images: Mapping[str, Any] = api.prune_images({**given, "dangling": not all_images})
            records: Sequence[Mapping[str, str]] = of_images["ImagesDeleted"] or ()
            found["images"] = tuple(one["Deleted"] for one in records if one.get("Deleted"))
            found["untagged"] = tuple(one["Untagged"] for one in records if one.get("Untagged"))
            space += of_images["SpaceReclaimed"]
        labelled = any(name.startswith("label") for name in given)  # builds have no labels, so none of theirs is meant
        if build_cache and not labelled and api._supports("POST /build/prune"):
            of_builds: Mapping[str, Any] = api.prune_builds(**_of_builds(given, api._supports))
            found["build_cache"] = tuple(of_builds.get("CachesDeleted") or ())
            space += of_builds.get("SpaceReclaimed", 0)
        return PruneReport(**found, space_reclaimed=space)

    def __repr__(self) -> str:
        return f"<System of {self.client!r}>"


def _of_builds(filters: Mapping[str, Any], supports: Any) -> dict[str, Any]:
    """Filters for the build cache, which has no labels."""
    until = {"until": filters["until"]} if "until" in filters else {}
    return {"filters": until} if until and supports("POST /build/prune", "filters") else {}


def _total(answer: Mapping[str, Any], name: str) -> Usage | None:
    """What engines from API 1.52 on add up themselves."""
    total = answer.get(name)
    if not total:
        return None
    return Usage(
        total.get("TotalCount", 0), total.get("ActiveCount", 0), total.get("TotalSize", 0), total.get("Reclaimable", 0)
    )


def _items(answer: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    return answer.get(name) or ()


def _images(answer: Mapping[str, Any]) -> Usage:
    images = list(_items(answer, "Images"))
    active = [one for one in images if one.get("Containers", 0) > 0]
    size = answer.get("LayersSize") or 0
    used = sum(one["Size"] - max(one.get("SharedSize", 0), 0) for one in active)
    return _total(answer, "ImageUsage") or Usage(len(images), len(active), size, max(0, size - used))


def _containers(answer: Mapping[str, Any]) -> Usage:
    containers = list(_items(answer, "Containers"))
    live = ("running", "paused", "restarting")
    idle = sum(one.get("SizeRw") or 0 for one in containers if one.get("State") not in live)
    size = sum(one.get("SizeRw") or 0 for one in containers)
    active = sum(one.get("State") in live for one in containers)
    return _total(answer, "ContainerUsage") or Usage(len(containers), active, size, idle)


def _volumes(answer: Mapping[str, Any]) -> Usage:
    facts = [one.get("UsageData") or {} for one in _items(answer, "Volumes")]
    sizes = [(max(one.get("Size", 0), 0), one.get("RefCount", 0) > 0) for one in facts]
    size, idle = sum(one for one, _ in sizes), sum(one for one, used in sizes if not used)
    return _total(answer, "VolumeUsage") or Usage(len(sizes), sum(used for _, used in sizes), size, idle)


def _build_cache(answer: Mapping[str, Any]) -> Usage:
    records = list(_items(answer, "BuildCache"))
    own = [one for one in records if not one.get("Shared")]
    size = sum(one.get("Size", 0) for one in own)
    idle = sum(one.get("Size", 0) for one in own if not one.get("InUse"))
    active = sum(bool(one.get("InUse")) for one in records)
    return _total(answer, "BuildCacheUsage") or Usage(len(records), active, size, idle)
