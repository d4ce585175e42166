"""Log lines of containers, with stream, time and attributes; followed across engine restarts, and merged."""

from __future__ import annotations

import queue
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING, Any

from dockerkit import runtime
from dockerkit.errors import DockerException, EngineWarning
from dockerkit.errors.base import IgnoreGone
from dockerkit.models.resource import Model
from dockerkit.models.resuming import Follower, engine_clock, since_text
from dockerkit.models.streaming import OwnedStream, carry, join_all

if TYPE_CHECKING:
    import threading

    from dockerkit.api.container_streams import TimeLike
    from dockerkit.client import DockerClient
    from dockerkit.models.containers.log_lines import LogEntry
    from dockerkit.parsing.values import Duration
    from dockerkit.streams import FrameStream

__all__ = ["ContainerLogs", "LogStream", "MergedLogs", "merge_logs"]

_QUEUE = 100  # lines, each of at most 1 MiB


class LogStream(OwnedStream["LogEntry"]):
    """The log lines of a container, as an iterator and context manager. :meth:`close` may be called from any thread.

    While following, it survives broken connections and restarts of the engine: it waits until the engine is back, and
    continues after the last line, without losing or repeating lines. It ends when the container has stopped.
    """

    def __init__(
        self,
        client: DockerClient,
        container: str,
        name: str = "",
        *,
        follow: bool = False,
        since: TimeLike = None,
        until: TimeLike = None,
        tail: int | str | None = "all",
        stdout: bool = True,
        stderr: bool = True,
        details: bool = False,
        errors: str = "replace",
        reconnect: Duration | None = 60.0,
        restarts: bool = True,
    ) -> None:
        options = {"stdout": stdout, "stderr": stderr, "until": until, "details": details or None}
        lines = _Lines(
            client,
            container,
            name or container,
            options,
            follow=follow,
            since=since,
            tail=tail,
            errors=errors,
            reconnect=reconnect if follow else None,
            restarts=restarts,
        )
        super().__init__(lines, about=f"container {name or container[:12]!r}")


@dataclass(eq=False)
class _Lines(Follower["FrameStream[bytes]"]):
    client: DockerClient
    container: str
    name: str
    options: Mapping[str, Any]
    follow: bool
    since: TimeLike
    tail: int | str | None
    errors: str
    reconnect: InitVar[Duration | None]
    restarts: bool

    def __post_init__(self, reconnect: Duration | None) -> None:
        super().__init__(reconnect)
        self._bounded = self.tail not in ("all", None) or self.since is not None
        self._first: int | None = None
        self._running = self._resumed = False
        self.source = self.open(lambda: self._request(self.since, self.tail, follow=self.follow))
        if self.tail == 0:  # tail=0 would lose lines written during an interruption
            self.since, self.tail = since_text(engine_clock(self.source.headers)), "all"

    def _request(self, since: TimeLike, tail: int | str | None, *, follow: bool) -> FrameStream[bytes]:
        source: FrameStream[bytes] = self.client.api.logs(
            self.container, stream=True, timestamps=True, tail=tail, since=since, follow=follow, **self.options
        )
        return source

    def items(self) -> Iterator[LogEntry]:
        from dockerkit.models.containers.log_lines import LogParser

        last = False
        try:
            while True:
                framed, details = self.source.multiplexed, bool(self.options["details"])
                parser = LogParser(framed=framed, details=details, container=self.name, errors=self.errors)
                cut = False
                try:
                    for stream, data in self.source.frames():
                        for entry in parser.feed(stream, data):
                            if self._is_new(entry):
                                yield entry
                except DockerException as error:
                    if not self.closed and (not self._reconnect or not error.is_disconnect()):
                        raise
                    cut = True  # the parser's partial line is read again
                if self.closed:
                    return
                if not cut:
                    yield from (entry for entry in parser.close() if self._is_new(entry))
                if last or self._reconnect is None or (not cut and self.options["until"] is not None):
                    return
                self._tell_gap()
                if not self._resume(cut, self._reconnect):
                    return
                last, self._resumed = not self._running, True
        finally:
            self._tell_gap()
            self.close()

    def _tell_gap(self) -> None:
        """Warn about lines skipped while following, because the log was rotated faster than it was read."""
        if skipped := self._overlap.take_skipped():
            warnings.warn(
                f"at least {skipped} log lines of {self.name} were not received: "
                f"its log was rotated away before the engine sent them",
                EngineWarning,
                stacklevel=2,
            )

    def _is_new(self, entry: LogEntry) -> bool:
        """Return whether an entry is new and within the requested range."""
        # The hash stands for the text, which may be long, and there are many.
        key = (entry.nanoseconds, entry.stream, hash(entry.text))
        if self._overlap.was_seen(key):
            return False
        if self._resumed and entry.nanoseconds is not None and entry.nanoseconds < (self._first or 0):
            return False  # before `since`, or above the `tail`
        if self._overlap.is_late(entry.nanoseconds):
            return False
        if self._first is None and self._bounded:
            self._first = entry.nanoseconds
        if self.follow and entry.nanoseconds is not None:
            self._overlap.note(entry.nanoseconds, key)
        return True

    def _resume(self, cut: bool, seconds: float) -> bool:
        """Open the log again; return False if the container is removed, or this was closed.

        If the container is not running, the log is read once more without following, since engines sometimes end it
        before the last line.
        """
        # Before the first line, repeat the original request, since the local clock may differ from the engine's.
        since, tail = (self.since, self.tail) if self._overlap.latest is None else (self._overlap.since(None), "all")

        def opener() -> FrameStream[bytes]:
            self._running = cut or (self.restarts and self._runs())
            return self._request(since, tail, follow=self._running)

        with IgnoreGone():
            return self.reopen(opener, seconds)
        return False

    def _runs(self) -> bool:
        state: Mapping[str, object] = self.client.api.inspect_container(self.container).get("State") or {}
        return bool(state.get("Running") or state.get("Restarting"))


class MergedLogs(OwnedStream["LogEntry"]):
    """The log lines of several containers, as an iterator and context manager.

    Without following, they are sorted by time; while following, they arrive in the order received. :meth:`close` may be
    called from any thread.
    """

    def __init__(self, streams: Sequence[LogStream], *, follow: bool) -> None:
        self._merged = _Merged(streams, follow=follow)
        super().__init__(self._merged, about=f"{len(streams)} containers")

    def close(self) -> None:
        """Stop, and wait at most a second for the threads. The reading loop ends."""
        super().close()
        join_all(self._merged.threads)


class _Merged:
    def __init__(self, streams: Sequence[LogStream], *, follow: bool) -> None:
        self._streams = streams
        self._follow = follow
        self._closed = False
        self.threads: list[threading.Thread] = []

    def items(self) -> Iterator[LogEntry]:
        from heapq import merge

        try:
            yield from (
                self._arriving() if self._follow else merge(*self._streams, key=lambda entry: entry.nanoseconds or 0)
            )
        finally:
            self.close()
            join_all(self.threads)

    def close(self) -> None:
        self._closed = True
        for stream in self._streams:
            stream.close()

    def _arriving(self) -> Iterator[LogEntry]:
        arrived = runtime.Queue(_QUEUE)
        for stream in self._streams:
            arguments = (stream, arrived, lambda: self._closed)
            self.threads.append(runtime.Thread(carry, arguments, name="dockerkit-logs"))
            self.threads[-1].start()
        left = len(self.threads)
        while left and not self._closed:
            try:
                item = arrived.get(timeout=0.2)
            except queue.Empty:
                continue
            if isinstance(item, BaseException):
                raise item
            if item is None:
                left -= 1
            else:
                yield item


def merge_logs(
    containers: Iterable[ContainerLogs],
    *,
    follow: bool = False,
    since: TimeLike = None,
    until: TimeLike = None,
    tail: int | str | None = "all",
    details: bool = False,
    reconnect: Duration | None = 60.0,
) -> MergedLogs:
    """Merge the log lines of several containers. ``GET /containers/{id}/logs`` for each

    Args:
        containers: containers whose logs to read.
        follow, since, until, tail, details, reconnect: as for :meth:`ContainerLogs.log_entries`, for each container.

    Returns:
        An iterator and context manager; the attribute ``container`` of an entry names its container.

    Example::

        with merge_logs([web, db], follow=True) as entries:
            for entry in entries:
                print(entry.container, entry.text)
    """
    from dockerkit.models.batch import with_method

    streams: list[LogStream] = []
    try:
        for container in with_method(containers, "log_entries"):
            stream = container.log_entries(
                follow=follow, since=since, until=until, tail=tail, details=details, reconnect=reconnect
            )
            streams.append(stream)
    except DockerException:
        for stream in streams:
            stream.close()
        raise
    return MergedLogs(streams, follow=follow)


class ContainerLogs(Model):
    """Log lines of a container."""

    def log_entries(
        self,
        *,
        follow: bool = False,
        since: TimeLike = None,
        until: TimeLike = None,
        tail: int | str | None = "all",
        stdout: bool = True,
        stderr: bool = True,
        details: bool = False,
        errors: str = "replace",
        reconnect: Duration | None = 60.0,
    ) -> LogStream:
        """Return the logs as lines. ``GET /containers/{id}/logs``

        Args:
            follow: keep streaming new output, until the container stops.
            since, until: only lines from this time on, or until it: a datetime (UTC if it has no time zone) or seconds
                since 1970.
            tail: number of lines from the end, or ``"all"``.
            stdout, stderr: which output to return.
            details: include the log driver's attributes.
            errors: handling of invalid UTF-8, as for :meth:`bytes.decode`.
            reconnect: seconds to wait for the engine if the connection is lost while following; None raises
                immediately.

        Returns:
            An iterator of :class:`LogEntry`, and a context manager; ``close()`` may be called from any thread.

        Raises:
            NotFound: the container does not exist.
            StreamTruncated, ConnectionFailed: the engine was lost, and did not come back in time.

        Example::

            with container.log_entries(follow=True, tail=10) as entries:
                for entry in entries:
                    print(entry.timestamp, entry.stream, entry.text)
        """
        if not self.cached_attrs.keys() & {"Name", "Names"}:
            self.reload()  # the container was just created: fetch its name, which the engine may have chosen
        return LogStream(
            self.client,
            self.id or "",
            self.display_name,
            follow=follow,
            since=since,
            until=until,
            tail=tail,
            stdout=stdout,
            stderr=stderr,
            details=details,
            errors=errors,
            reconnect=reconnect,
        )
