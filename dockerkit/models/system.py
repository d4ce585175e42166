"""The engine itself: typed events, disk use, and pruning of everything, each as one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dockerkit import errors
from dockerkit.errors import InvalidArgument
from dockerkit.models.resource import reading

if TYPE_CHECKING:
    from dockerkit.api.container_streams import Moment
    from dockerkit.api.encode import Filters
    from dockerkit.client import DockerClient
    from dockerkit.models.events import EventListener, EventStream
    from dockerkit.types import answers

__all__ = ["DiskUsage", "DiskUse", "PruneReport", "System"]

_RUNNING = frozenset({"running", "paused", "restarting"})


@dataclass(frozen=True)
class DiskUse:
    """What one kind of thing takes on the engine's disk, as ``docker system df`` counts it.

    Attributes:
        count: how many there are.
        active: how many of them are in use.
        size: bytes.
        reclaimable: bytes that a prune would free.
        items: the engine's records of each.
    """

    count: int = 0
    active: int = 0
    size: int = 0
    reclaimable: int = 0
    items: Sequence[Mapping[str, Any]] = field(default=(), repr=False)


@dataclass(frozen=True)
class DiskUsage:
    """Disk use by kind.

    Attributes:
        images, containers, volumes, build_cache: of each kind; zeros for a kind that was not asked for.
        raw: the engine's answer.
    """

    images: DiskUse
    containers: DiskUse
    volumes: DiskUse
    build_cache: DiskUse
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def size(self) -> int:
        """Bytes of all kinds."""
        return self.images.size + self.containers.size + self.volumes.size + self.build_cache.size

    @property
    def reclaimable(self) -> int:
        """Bytes that pruning everything would free."""
        kinds = (self.images, self.containers, self.volumes, self.build_cache)
        return sum(kind.reclaimable for kind in kinds)

    def _repr_html_(self) -> str:
        from dockerkit.models.tables import table
        from dockerkit.progress_display import size_text

        kinds = {"Images": self.images, "Containers": self.containers, "Volumes": self.volumes}
        kinds["Build cache"] = self.build_cache
        rows = [
            (name, use.count, use.active, size_text(use.size), size_text(use.reclaimable))
            for name, use in kinds.items()
        ]
        return table(("Type", "Total", "Active", "Size", "Reclaimable"), rows)


@dataclass(frozen=True)
class PruneReport:
    """What a prune removed.

    Attributes:
        containers, networks, volumes, images, build_cache: ids or names of what is gone.
        untagged: image names that were taken away.
        space: bytes freed, by kind: "containers", "volumes", "images", "build_cache".
        skipped: kinds that this engine can't prune, or not by label.
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
        """Bytes freed in all."""
        return sum(self.space.values())


class System:
    """The engine that a client talks to: ``client.system``."""

    def __init__(self, client: DockerClient) -> None:
        self.client = client

    def __repr__(self) -> str:
        return f"<System of {self.client!r}>"

    def info(self) -> answers.SystemInfo:
        """What the engine says about itself and its host. ``GET /info``"""
        return self.client.api.info()

    def version(self) -> answers.SystemVersion:
        """Versions of the engine and its parts. ``GET /version``"""
        return self.client.api.version()

    def events(
        self,
        *,
        since: Moment = None,
        until: Moment = None,
        filters: Filters | None = None,
        reconnect: float | None = 60.0,
    ) -> EventStream:
        """What happens, as typed events, over restarts of the engine without a gap. ``GET /events``

        Args:
            since, until: from, or up to, then: a datetime (UTC where it has no zone) or seconds since 1970.
            filters: ``{"type": "container", "event": ["start", "die"], "label": ...}``.
            reconnect: seconds to wait for an engine that went away; None ends with an error at once.

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
        self, *, since: Moment = None, filters: Filters | None = None, reconnect: float | None = 60.0
    ) -> EventListener:
        """Events for any number of handlers and consumers, read once, in a thread. ``GET /events``

        Args:
            since, filters, reconnect: as for :meth:`events`.

        Returns:
            A context manager with ``on(type, action)`` for handlers and ``subscribe(type, action)`` for iterators.
        """
        from dockerkit.models.events import EventListener

        return EventListener(self.client, since=since, filters=filters, reconnect=reconnect)

    def df(self, type: str | Sequence[str] | None = None) -> DiskUsage:
        """Disk use, counted as ``docker system df`` does. ``GET /system/df``

        Args:
            type: only "container", "image", "volume", "build-cache": one or several (API 1.42).
        """
        api = self.client.api
        verbose = True if api._supports("GET /system/df", "verbose") else None
        raw: Mapping[str, Any] = api.df(type, verbose)
        with reading("GET /system/df"):
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
        """Remove what is not in use: stopped containers, networks, dangling images, build cache.

        ``POST /containers/prune``, ``/networks/prune``, ``/volumes/prune``, ``/images/prune``, ``/build/prune``

        Args:
            all: all images without a container, not only those without a name; and the whole build cache.
            volumes: True for anonymous volumes too, "all" for named ones as well. (Engines before API 1.42 don't tell
                them apart, so there only "all" is taken.)
            build_cache: whether the build cache, too. It has no labels, so with ``labels`` it is left alone.
            until: only what was made before: "24h", or a time. Volumes have no such filter.
            labels: only what has these labels; a text may be ``"name"``, ``"name=value"``.

        Returns:
            One report.

        Raises:
            InvalidArgument: ``volumes=True`` on an engine that would remove named volumes, too; or together with until.
        """
        if volumes and until:
            raise InvalidArgument("until: volumes can't be pruned by age; prune them in a call of their own")
        api = self.client.api
        anonymous_only = api._supports("POST /volumes/prune", "filters.all")
        if volumes is True and not anonymous_only:
            raise InvalidArgument(
                "volumes: this engine (API below 1.42) would remove named volumes as well; "
                "say volumes='all' if that is what you want"
            )
        wanted: dict[str, Any] = {}
        if labels is not None:
            pairs = labels.items() if isinstance(labels, Mapping) else ()
            wanted["label"] = [f"{name}={value}" for name, value in pairs] or list(labels)
        aged = {**wanted, **({"until": [until]} if until else {})}
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
            everything = {"all": ["true"]} if volumes == "all" and anonymous_only else {}
            run("volumes", lambda: api.prune_volumes({**wanted, **everything}))
        run("images", lambda: api.prune_images({**aged, "dangling": [str(not all).lower()]}))
        if build_cache and labels is None:
            run("build_cache", lambda: api.prune_builds(filters=aged or None, all=all or None))
        elif build_cache:
            skipped.append("build_cache")
        with reading("the reports of what was removed"):
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


def _totals(raw: Mapping[str, Any], key: str) -> DiskUse | None:
    """The engine's own totals, from API 1.52 on."""
    use = raw.get(key)
    if not isinstance(use, Mapping):
        return None
    return DiskUse(
        use.get("TotalCount") or 0,
        use.get("ActiveCount") or 0,
        use.get("TotalSize") or 0,
        use.get("Reclaimable") or 0,
        tuple(use.get("Items") or ()),
    )


def _images(raw: Mapping[str, Any]) -> DiskUse:
    items = raw.get("Images") or ()
    used = [image for image in items if (image.get("Containers") or 0) > 0]
    size = raw.get("LayersSize") or 0
    kept = sum(image["Size"] - image["SharedSize"] for image in used if image["Size"] >= 0 and image["SharedSize"] >= 0)
    counted = DiskUse(len(items), len(used), size, max(size - kept, 0), tuple(items))
    return _totals(raw, "ImageUsage") or counted


def _containers(raw: Mapping[str, Any]) -> DiskUse:
    items = raw.get("Containers") or ()
    idle = [one for one in items if one.get("State") not in _RUNNING]
    counted = DiskUse(
        len(items),
        len(items) - len(idle),
        sum(one.get("SizeRw") or 0 for one in items),
        sum(one.get("SizeRw") or 0 for one in idle),
        tuple(items),
    )
    return _totals(raw, "ContainerUsage") or counted


def _volumes(raw: Mapping[str, Any]) -> DiskUse:
    items = raw.get("Volumes") or ()
    sizes = [(one.get("UsageData") or {}) for one in items]
    counted = DiskUse(
        len(items),
        sum((use.get("RefCount") or 0) > 0 for use in sizes),
        sum(max(use.get("Size") or 0, 0) for use in sizes),
        sum(max(use.get("Size") or 0, 0) for use in sizes if not use.get("RefCount")),
        tuple(items),
    )
    return _totals(raw, "VolumeUsage") or counted


def _build_cache(raw: Mapping[str, Any]) -> DiskUse:
    items = raw.get("BuildCache") or ()
    own = [one for one in items if not one.get("Shared")]
    counted = DiskUse(
        len(items),
        sum(bool(one.get("InUse")) for one in items),
        sum(one.get("Size") or 0 for one in own),
        sum(one.get("Size") or 0 for one in own if not one.get("InUse")),
        tuple(items),
    )
    return _totals(raw, "BuildCacheUsage") or counted
