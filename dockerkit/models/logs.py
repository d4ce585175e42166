"""What containers write, line by line: with stream, time and attributes; followed over restarts of the engine; merged."""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dockerkit import errors as failures
from dockerkit.errors import DockerException
from dockerkit.models.log_lines import LogEntry, LogParser
from dockerkit.models.resource import Model
from dockerkit.models.resuming import Overlap, broken, reopen
from dockerkit.models.tables import known

if TYPE_CHECKING:
    from dockerkit.api.container_streams import Moment
    from dockerkit.client import DockerClient
    from dockerkit.streams import FrameStream

__all__ = ["LogEntry", "LogModel", "LogParser", "LogStream", "MergedLogs", "merge"]

_QUEUE = 1000


class LogStream:
    """The lines of one container, as an iterator and context manager; :meth:`close` may be called from any thread.

    Following, it survives a cut connection and a restart of the engine: it waits until the engine is back, and goes on
    after the last line that it gave, none lost and none twice. It ends when the container has stopped.
    """

    def __init__(
        self,
        client: DockerClient,
        container: str,
        name: str = "",
        *,
        follow: bool = False,
        since: Moment = None,
        until: Moment = None,
        tail: int | str = "all",
        stdout: bool = True,
        stderr: bool = True,
        details: bool = False,
        errors: str = "replace",
        reconnect: float | None = 60.0,
        restarts: bool = True,
    ) -> None:
        self._client = client
        self._restarts = restarts  # whether it goes on when the container does
        self._id = container
        self._name = name or container
        self._follow, self._until, self._reconnect = follow, until, reconnect
        self._stdout, self._stderr, self._details, self._errors = stdout, stderr, details, errors
        self._closed = threading.Event()
        self._overlap = Overlap()
        self._bounded = tail != "all" or since is not None
        self._first: int | None = None
        self._resumed = False
        self._source: FrameStream[bytes] | None = self._open(since, tail, follow=follow)
        self._entries = self._read()

    def __iter__(self) -> Iterator[LogEntry]:
        return self

    def __next__(self) -> LogEntry:
        return next(self._entries)

    def close(self) -> None:
        """Stop; whoever iterates sees the end."""
        self._closed.set()
        if self._source is not None:
            self._source.close()

    def __enter__(self) -> LogStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, since: Moment, tail: int | str, *, follow: bool) -> FrameStream[bytes]:
        source: FrameStream[bytes] = self._client.api.logs(
            self._id,
            stdout=self._stdout,
            stderr=self._stderr,
            stream=True,
            timestamps=True,
            tail=tail,
            since=since,
            follow=follow,
            until=self._until,
            details=self._details or None,
        )
        return source

    def _read(self) -> Iterator[LogEntry]:
        began = time.time_ns()
        last = False
        try:
            while True:
                assert self._source is not None
                parser = LogParser(
                    framed=self._source.multiplexed,
                    details=self._details,
                    container=self._name,
                    errors=self._errors,
                )
                cut = False
                try:
                    for stream, data in self._source.frames():
                        for entry in parser.feed(stream, data):
                            if self._is_new(entry):
                                yield entry
                except broken():
                    if not (self._follow and self._reconnect):
                        raise
                    cut = True  # what the parser holds of a line is read again
                if self._closed.is_set():
                    return
                if not cut:
                    yield from (entry for entry in parser.close() if self._is_new(entry))
                if last or not self._follow or self._reconnect is None or (not cut and self._until is not None):
                    return
                running = self._resume(cut, self._overlap.since(began), self._reconnect)
                if running is None:
                    return
                last, self._resumed = not running, True
        finally:
            self.close()

    def _is_new(self, entry: LogEntry) -> bool:
        """Whether it was not given before, and was asked for."""
        key = (entry.nanoseconds, entry.stream, entry.text)
        if self._overlap.was_seen(key):
            return False
        if self._resumed and entry.nanoseconds is not None and entry.nanoseconds < (self._first or 0):
            return False  # before `since`, or above the `tail`
        if self._first is None and self._bounded:
            self._first = entry.nanoseconds
        if self._follow and entry.nanoseconds is not None:
            self._overlap.note(entry.nanoseconds, key)
        return True

    def _resume(self, cut: bool, since: str, seconds: float) -> bool | None:
        """Open the log once more.

        Returns:
            Whether the container runs; if not, the log is read once more without following, since engines end it before
            the very last line now and then. None: it is gone, or this was closed.
        """

        def opener() -> tuple[bool, FrameStream[bytes]]:
            running = cut or (self._restarts and self._runs())
            return running, self._open(since, "all", follow=running)

        try:
            opened = reopen(opener, self._closed, seconds)
        except failures.NotFound:
            return None
        if opened is None:
            return None
        running, self._source = opened
        if self._closed.is_set():  # between the question and now
            self._source.close()
        self._overlap.rewind()
        return running

    def _runs(self) -> bool:
        state: Mapping[str, object] = self._client.api.inspect_container(self._id).get("State") or {}
        return bool(state.get("Running") or state.get("Restarting"))


class MergedLogs:
    """The lines of several containers as one iterator and context manager; :meth:`close` may be called from any thread.

    Without following they come in the order of their times; with it, as they arrive.
    """

    def __init__(self, streams: Sequence[LogStream], *, follow: bool) -> None:
        self._streams = streams
        self._closed = threading.Event()
        self._queue: queue.Queue[LogEntry | BaseException | None] = queue.Queue(_QUEUE)
        self._threads: list[threading.Thread] = []
        self._entries = self._arriving() if follow else heapq.merge(*streams, key=lambda entry: entry.nanoseconds or 0)

    def __iter__(self) -> Iterator[LogEntry]:
        return self

    def __next__(self) -> LogEntry:
        return next(self._entries)

    def close(self) -> None:
        """Stop; whoever iterates sees the end."""
        self._closed.set()
        for stream in self._streams:
            stream.close()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def __enter__(self) -> MergedLogs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _arriving(self) -> Iterator[LogEntry]:
        self._threads = [
            threading.Thread(target=self._carry, args=(stream,), name="dockerkit-logs", daemon=True)
            for stream in self._streams
        ]
        for thread in self._threads:
            thread.start()
        left = len(self._threads)
        try:
            while left and not self._closed.is_set():
                try:
                    item = self._queue.get(timeout=0.2)
                except queue.Empty:
                    continue
                if isinstance(item, BaseException):
                    raise item
                if item is None:
                    left -= 1
                else:
                    yield item
        finally:
            self.close()

    def _carry(self, stream: LogStream) -> None:
        end: BaseException | None = None
        try:
            for entry in stream:
                if not self._put(entry):
                    return
        except BaseException as error:
            end = error
        self._put(end)

    def _put(self, item: LogEntry | BaseException | None) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False


def merge(
    containers: Iterable[LogModel],
    *,
    follow: bool = False,
    since: Moment = None,
    until: Moment = None,
    tail: int | str = "all",
    details: bool = False,
    reconnect: float | None = 60.0,
) -> MergedLogs:
    """The lines of several containers as one stream. ``GET /containers/{id}/logs`` of each

    Args:
        containers: whose.
        follow, since, until, tail, details, reconnect: as for :meth:`LogModel.log_entries`, for each.

    Returns:
        An iterator and context manager; entries say in ``container`` whose they are.

    Example::

        with merge([web, db], follow=True) as entries:
            for entry in entries:
                print(entry.container, entry.text)
    """
    streams: list[LogStream] = []
    try:
        for container in containers:
            stream = container.log_entries(
                follow=follow, since=since, until=until, tail=tail, details=details, reconnect=reconnect
            )
            streams.append(stream)
    except DockerException:
        for stream in streams:
            stream.close()
        raise
    return MergedLogs(streams, follow=follow)


class LogModel(Model):
    """The part of a container that tells what it wrote."""

    def log_entries(
        self,
        *,
        follow: bool = False,
        since: Moment = None,
        until: Moment = None,
        tail: int | str = "all",
        stdout: bool = True,
        stderr: bool = True,
        details: bool = False,
        errors: str = "replace",
        reconnect: float | None = 60.0,
    ) -> LogStream:
        """What it has written, line by line. ``GET /containers/{id}/logs``

        Args:
            follow: go on with what comes, until the container stops.
            since, until: only from, or up to, then: a datetime (UTC where it has no zone) or seconds since 1970.
            tail: the last so many lines, or ``"all"``.
            stdout, stderr: which of the two.
            details: also the attributes that the log driver keeps.
            errors: what to do with bytes that are no UTF-8, as in ``bytes.decode``.
            reconnect: seconds to wait for an engine that went away while following; None ends with an error at once.

        Returns:
            An iterator of :class:`LogEntry`, and a context manager; ``close()`` may be called from any thread.

        Raises:
            NotFound: there is no such container.
            StreamTruncated, ConnectionFailed: the engine went away, and did not come back in time.

        Example::

            with container.log_entries(follow=True, tail=10) as entries:
                for entry in entries:
                    print(entry.timestamp, entry.stream, entry.text)
        """
        if not known(self).keys() & {"Name", "Names"}:
            self.reload()  # it was just made: entries tell its name, which may be the engine's choice
        return LogStream(
            self.client,
            self.id or "",
            name_of(self),
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


def name_of(container: Model) -> str:
    """A container's name out of what is known of it, else its short id; asks nobody."""
    attrs = known(container)
    names = attrs.get("Names")
    name = attrs.get("Name") or (names[0] if names and isinstance(names, list) else "")
    return str(name).lstrip("/") or container.short_id
