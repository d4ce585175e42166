"""Build history: past builds and their logs."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dockerkit.builder.buildkit import grpc, messages
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.errors import BuildKitUnavailable
from dockerkit.progress import Progress

if TYPE_CHECKING:
    from dockerkit.builder.buildkit.control import Control

__all__ = ["PastBuild"]

_DELETED = 2


@dataclass(frozen=True)
class PastBuild:
    """A running or finished build in BuildKit's history.

    Attributes:
        id: BuildKit's ID of the build, as in ``BuildStream.id``.
        created: start time.
        completed: end time; None while the build is running.
        error: error message; None if the build did not fail.
        steps: number of steps; 0 if this BuildKit does not report it.
        cached_steps: number of steps taken from the cache.
        options: attributes passed to the Dockerfile frontend: ``target``, ``platform``, ``build-arg:NAME``…
    """

    id: str
    created: datetime | None
    completed: datetime | None
    error: str | None
    steps: int = 0
    cached_steps: int = 0
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


def list_builds(control: Control) -> list[PastBuild]:
    """Return the builds in BuildKit's history, newest first."""
    builds: dict[str, PastBuild] = {}
    try:
        for event in control.stream("ListenBuildHistory", messages.HistoryRequest(early_exit=True), "HistoryEvent"):
            if event.type != _DELETED:
                builds[event.record.ref] = _past_build(event.record)
    except GrpcError as error:
        if error.status == grpc.UNIMPLEMENTED:
            raise BuildKitUnavailable("this BuildKit has no build history; it requires Engine 23 or newer") from error
        raise
    return sorted(builds.values(), key=lambda item: item.created or datetime.min.replace(tzinfo=UTC), reverse=True)


def read_log(control: Control, id: str) -> str:
    """Return the log of a build."""
    from dockerkit.builder.buildkit.running import Recorder
    from dockerkit.builder.buildkit.trace import Trace

    records: deque[dict[str, Any]] = deque()
    trace = Trace(Progress("", Recorder(deque(maxlen=0), records, None)))
    for response in control.stream("Status", messages.StatusRequest(ref=id), "StatusResponse"):
        trace.feed(response)
    return "".join(record["stream"] for record in records)


def _past_build(record: Any) -> PastBuild:
    return PastBuild(
        record.ref,
        _datetime(record.created_at),
        _datetime(record.completed_at),
        record.error.message or None,
        record.num_total_steps,
        record.num_cached_steps,
        dict(record.frontend_attrs),
    )


def _datetime(timestamp: Any) -> datetime | None:
    if not timestamp.seconds:
        return None
    return datetime.fromtimestamp(timestamp.seconds, UTC).replace(microsecond=timestamp.nanos // 1000)
