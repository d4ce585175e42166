"""The engine itself: events, disk usage, and pruning of everything with one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from dockerkit import errors
from dockerkit.errors import InvalidArgument
from dockerkit.parsing.options import suggest_in_methods
from dockerkit.parsing.responses import parsing_response
from dockerkit.parsing.values import boolean, raise_invalid, scalar, sequence, string

if TYPE_CHECKING:
    from dockerkit.api.container_streams import TimeLike
    from dockerkit.client import DockerClient
    from dockerkit.models.events import EventListener, EventStream
    from dockerkit.parsing.values import Duration
    from dockerkit.types import answers
    from dockerkit.types.filters import (
        BuildPruneFilters,
        EventFilters,
        ImagePruneFilters,
        LabelFilters,
        PruneFilters,
        VolumePruneFilters,
    )

__all__ = ["DiskUsage", "DiskUse", "PruneReport", "System"]

_RUNNING = frozenset({"running", "paused", "restarting"})


@dataclass(frozen=True)
class DiskUse:
    """Disk usage of one kind of object, calculated as in ``docker system df``.

    Attributes:
        count: number of objects.
        active: number of objects in use.
        size: size in bytes.
        reclaimable: bytes that a prune would free.
        items: records returned by the engine.
    """

    count: int = 0
    active: int = 0
    size: int = 0
    reclaimable: int = 0
    items: Sequence[Mapping[str, Any]] = field(default=(), repr=False)


@dataclass(frozen=True)
class DiskUsage:
    """Disk usage by kind.

    Attributes:
        images, containers, volumes, build_cache: usage of each kind; zeros for kinds that were not requested.
        raw: response of the engine.
    """

    images: DiskUse
    containers: DiskUse
    volumes: DiskUse
    build_cache: DiskUse
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def size(self) -> int:
        """Total bytes."""
        return self.images.size + self.containers.size + self.volumes.size + self.build_cache.size

    @property
    def reclaimable(self) -> int:
        """Total bytes that pruning everything would free."""
        kinds = (self.images, self.containers, self.volumes, self.build_cache)
        return sum(kind.reclaimable for kind in kinds)

    def _repr_html_(self) -> str:
        from dockerkit.models.tables import table
        from dockerkit.progress.text import size_text

        kinds = {"Images": self.images, "Containers": self.containers, "Volumes": self.volumes}
        kinds["Build cache"] = self.build_cache
        rows = [
            (name, use.count, use.active, size_text(use.size), size_text(use.reclaimable))
            for name, use in kinds.items()
        ]
        return table(("Type", "Total", "Active", "Size", "Reclaimable"), rows)


@dataclass(frozen=True)
class PruneReport:
    """The result of a prune.

    Attributes:
        containers, networks, volumes, images, build_cache: IDs or names of removed objects.
        untagged: removed image names.
        space: freed bytes by kind: "containers", "volumes", "images", "build_cache".
        skipped: kinds that this engine can't prune at all, or not by label.
    """

    containers: Sequence[str] = ()
    networks: Sequence[str] = ()
    volumes: Sequence[str] = ()
    images: Sequence[str] = ()
    build_cache: Sequence[str] = ()
    untagged: Sequence[str] = ()
    space: Mapping[str, int] = field(default_factory=dict)
    skipped: Sequence[str] = ()

    @property
    def space_reclaimed(self) -> int:
        """Total freed bytes."""
        return sum(self.space.values())


@suggest_in_methods
class System:
    """The engine of a client: ``client.system``."""

    def __init__(self, client: DockerClient) -> None:
        self.client = client

    def __repr__(self) -> str:
        return f"<System of {self.client!r}>"

    def info(self) -> answers.SystemInfo:
        """Return information about the engine and its host. ``GET /info``"""
        return self.client.api.info()

    def version(self) -> answers.SystemVersion:
        """Return the versions of the engine and its components. ``GET /version``"""
        return self.client.api.version()

    def events(
        self,
        *,
        since: TimeLike = None,
        until: TimeLike = None,
        filters: EventFilters | None = None,
        reconnect: Duration | None = 60.0,
    ) -> EventStream:
        """Return events, without gaps when the engine restarts. ``GET /events``

        Args:
            since, until: only events from this time on, or until it: a datetime (UTC if it has no time zone) or seconds
                since 1970.
            filters: ``{"type": "container", "event": ["start", "die"], "label": ...}``.
            reconnect: seconds to wait for the engine if the connection is lost; None raises immediately.

        Returns:
            An iterator and context manager; ``close()`` may be called from any thread.

        Example::

            with client.system.events(filters={"type": "container"}) as events:
                for event in events:
                    print(event.timestamp, event.action, event.name)
        """
        from dockerkit.models.events import EventStream

        return EventStream(self.client, since=since, until=until, filters=filters, reconnect=reconnect)

    def listen(
        self, *, since: TimeLike = None, filters: EventFilters | None = None, reconnect: Duration | None = 60.0
    ) -> EventListener:
        """Read events once, in a thread, for any number of handlers and consumers. ``GET /events``

        Args:
            since, filters, reconnect: as for :meth:`events`.

        Returns:
            A context manager with ``on(type, action)`` for handlers and ``subscribe(type, action)`` for iterators.
        """
        from dockerkit.models.events import EventListener

        return EventListener(self.client, since=since, filters=filters, reconnect=reconnect)

    def df(self, type: str | Sequence[str] | None = None) -> DiskUsage:
        """Return the disk usage, calculated as in ``docker system df``. ``GET /system/df``

        Args:
            type: only these kinds: "container", "image", "volume", "build-cache"; one or several (API 1.42).
        """
        api = self.client.api
        verbose = True if api.supports("GET /system/df", "verbose") else None
        raw: Mapping[str, Any] = api.df(type, verbose)
        with parsing_response("GET /system/df"):
            return DiskUsage(_images(raw), _containers(raw), _volumes(raw), _build_cache(raw), raw)

    def prune(
        self,
        *,
        all: bool = False,
        volumes: bool | Literal["all"] = False,
        build_cache: bool = True,
        until: str | None = None,
        labels: Mapping[str, str] | Sequence[str] | None = None,
    ) -> PruneReport:
        """Remove unused objects: stopped containers, networks, dangling images, build cache.

        ``POST /containers/prune``, ``/networks/prune``, ``/volumes/prune``, ``/images/prune``, ``/build/prune``

        Args:
            all: remove all unused images, not only dangling ones, and the whole build cache.
            volumes: True also removes anonymous volumes, "all" named ones as well. (Engines before API 1.42 don't
                distinguish them, so they only accept "all".)
            build_cache: remove build cache. With ``labels``, it is kept, since it has none.
            until: only objects created before: "24h", or a time. Volumes have no such filter.
            labels: only objects with these labels: ``"name"`` or ``"name=value"``.

        Returns:
            The combined report.

        Raises:
            InvalidArgument: ``volumes=True`` on an engine that would also remove named volumes, or ``volumes`` with
                ``until``.
        """
        boolean(all, "all")
        boolean(build_cache, "build_cache")
        if volumes not in (True, False, "all"):
            raise_invalid("volumes", "True or False, or 'all'", volumes)
        if volumes and until:
            raise InvalidArgument("until: volumes can't be pruned by age; prune them in a separate call")
        api = self.client.api
        anonymous_only = api.supports("POST /volumes/prune", "filters.all")
        if volumes is True and not anonymous_only:
            raise InvalidArgument(
                "volumes: this engine (API below 1.42) would remove named volumes as well; "
                "pass volumes='all' to allow that"
            )
        by_label: LabelFilters = {}
        if labels is not None:
            pairs = labels.items() if isinstance(labels, Mapping) else ()
            texts = [f"{string(name, 'labels')}={scalar(value, 'labels')}" for name, value in pairs]
            by_label["label"] = texts or sequence(labels or (), "labels")
        aged = cast("PruneFilters", {**by_label, "until": [until]} if until else by_label)
        answers: dict[str, Mapping[str, Any]] = {}
        skipped: list[str] = []

        def run(kind: str, answer: Any) -> None:
            try:
                answers[kind] = answer() or {}
            except errors.NotFound:
                skipped.append(kind)

        run("containers", lambda: api.prune_containers(aged))
        run("networks", lambda: api.prune_networks(aged))
        if volumes:
            named: VolumePruneFilters = {"all": True} if volumes == "all" and anonymous_only else {}
            run("volumes", lambda: api.prune_volumes(cast("VolumePruneFilters", {**named, **by_label})))
        run("images", lambda: api.prune_images(cast("ImagePruneFilters", {**aged, "dangling": not all})))
        if build_cache and labels is None:
            old: BuildPruneFilters | None = {"until": [until]} if until else None
            run("build_cache", lambda: api.prune_builds(filters=old, all=bool(all) or None))
        elif build_cache:
            skipped.append("build_cache")
        with parsing_response("the reports of what was removed"):
            return _report(answers, skipped)


def _report(answers: Mapping[str, Mapping[str, Any]], skipped: Sequence[str]) -> PruneReport:
    def gone(kind: str, key: str) -> tuple[str, ...]:
        return tuple(answers.get(kind, {}).get(key) or ())

    images = answers.get("images", {}).get("ImagesDeleted") or ()
    return PruneReport(
        containers=gone("containers", "ContainersDeleted"),
        networks=gone("networks", "NetworksDeleted"),
        volumes=gone("volumes", "VolumesDeleted"),
        images=tuple(image["Deleted"] for image in images if image.get("Deleted")),
        build_cache=gone("build_cache", "CachesDeleted"),
        untagged=tuple(image["Untagged"] for image in images if image.get("Untagged")),
        space={kind: answer.get("SpaceReclaimed") or 0 for kind, answer in answers.items() if kind != "networks"},
        skipped=tuple(skipped),
    )


def _images(raw: Mapping[str, Any]) -> DiskUse:
    items = raw.get("Images") or ()
    used = [image for image in items if (image.get("Containers") or 0) > 0]
    size = raw.get("LayersSize") or 0
    in_use = sum(
        image["Size"] - image["SharedSize"] for image in used if image["Size"] >= 0 and image["SharedSize"] >= 0
    )
    return _totals(raw, "ImageUsage") or DiskUse(len(items), len(used), size, max(size - in_use, 0), tuple(items))


def _containers(raw: Mapping[str, Any]) -> DiskUse:
    items = raw.get("Containers") or ()
    sizes = [item.get("SizeRw") or 0 for item in items]
    idle = [item.get("SizeRw") or 0 for item in items if item.get("State") not in _RUNNING]
    counted = DiskUse(len(items), len(items) - len(idle), sum(sizes), sum(idle), tuple(items))
    return _totals(raw, "ContainerUsage") or counted


def _volumes(raw: Mapping[str, Any]) -> DiskUse:
    items = raw.get("Volumes") or ()
    uses = [(item.get("UsageData") or {}) for item in items]
    active = sum((use.get("RefCount") or 0) > 0 for use in uses)
    sizes = [max(use.get("Size") or 0, 0) for use in uses]
    idle = [max(use.get("Size") or 0, 0) for use in uses if not use.get("RefCount")]
    return _totals(raw, "VolumeUsage") or DiskUse(len(items), active, sum(sizes), sum(idle), tuple(items))


def _build_cache(raw: Mapping[str, Any]) -> DiskUse:
    items = raw.get("BuildCache") or ()
    active = sum(bool(item.get("InUse")) for item in items)
    sizes = [item.get("Size") or 0 for item in items if not item.get("Shared")]
    idle = [item.get("Size") or 0 for item in items if not item.get("Shared") and not item.get("InUse")]
    return _totals(raw, "BuildCacheUsage") or DiskUse(len(items), active, sum(sizes), sum(idle), tuple(items))


def _totals(raw: Mapping[str, Any], key: str) -> DiskUse | None:
    """Return the engine's own totals, available since API 1.52."""
    use = raw.get(key)
    if not isinstance(use, Mapping):
        return None
    names = ("TotalCount", "ActiveCount", "TotalSize", "Reclaimable")
    count, active, size, reclaimable = (use.get(name) or 0 for name in names)
    return DiskUse(count, active, size, reclaimable, tuple(use.get("Items") or ()))
