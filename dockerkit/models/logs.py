"""What containers write, line by line: with stream, time and attributes; followed over restarts of the engine; merged."""

from __future__ import annotations

import functools
import heapq
import queue
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_plus

from dockerkit.errors import (
    ClientClosed,
    ConnectionFailed,
    DockerException,
    EngineTimeout,
    NotFound,
    ServerError,
    StreamTruncated,
)
from dockerkit.models.resource import Model
from dockerkit.models.tables import known
from dockerkit.streams.frames import STDERR, STDOUT

if TYPE_CHECKING:
    from dockerkit.api.container_streams import Moment
    from dockerkit.client import DockerClient
    from dockerkit.streams import FrameStream

__all__ = ["LogEntry", "LogModel", "LogParser", "LogStream", "MergedLogs", "merge"]

_PIECE = 16 * 1024  # the engine cuts longer lines into messages of this size
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ")
# Times of stdout and stderr are taken by two threads of the engine, so they are not quite in order; after a cut this
# much is read again, and what was seen is passed over.
_OVERLAP = 1_000_000_000
_QUEUE = 1000


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line that a container wrote.

    Attributes:
        text: the line, without its end.
        stream: "stdout" or "stderr"; a terminal's output is all stdout.
        timestamp: when, in UTC; None where the engine did not say. Microseconds; :attr:`nanoseconds` has all.
        nanoseconds: the same since 1970.
        attributes: what the log driver adds, with ``details=True``.
        container: the container's name, or its id where the name is not known.
    """

    text: str
    stream: Literal["stdout", "stderr"] = "stdout"
    timestamp: datetime | None = None
    nanoseconds: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    container: str = ""

    def __str__(self) -> str:
        return self.text


class LogParser:
    """Fed with frames of a log that has timestamps, returns its whole lines.

    Each frame is one message of the engine: time, attributes, text. A line longer than 16 KiB comes as several, all with
    times of their own; raw output of a terminal has no frames, and the same in a row.

    Args:
        framed: whether there are frames.
        details: whether the log driver's attributes are there.
        container: for the entries.
        errors: what to do with bytes that are no UTF-8, as in ``bytes.decode``.
    """

    def __init__(
        self, *, framed: bool = True, details: bool = False, container: str = "", errors: str = "replace"
    ) -> None:
        self._framed = framed
        self._details = details
        self._container = container
        self._errors = errors
        self._raw = b""
        self._begun: dict[int, tuple[bytes, bytes, bytes]] = {}  # time, attributes and text of a line without its end

    def feed(self, stream: int, data: bytes) -> list[LogEntry]:
        """The lines that this frame (or block of raw output) completes, in order."""
        if self._framed:
            return self._message(stream, data)
        *lines, self._raw = (self._raw + data).split(b"\n")
        entries = []
        for line in lines:
            entries += self._raw_line(line)
        return entries

    def close(self) -> list[LogEntry]:
        """What is left at the end: a last line without its end."""
        entries = self._raw_line(self._raw) if self._raw else []
        entries += [self._entry(stream, *begun) for stream, begun in sorted(self._begun.items())]
        self._raw = b""
        self._begun.clear()
        return entries

    def _raw_line(self, line: bytes) -> list[LogEntry]:
        moment, attributes, text = self._prefix(line)
        place = _PIECE
        while len(text) > place and _TIME.match(text, place):
            text = text[:place] + self._prefix(text[place:])[2]
            place += _PIECE
        return [self._entry(STDOUT, moment, attributes, text)]

    def _message(self, stream: int, data: bytes) -> list[LogEntry]:
        moment, attributes, text = self._prefix(data)
        begun = self._begun.pop(stream, None)
        if begun is not None:
            moment, attributes, text = begun[0], begun[1], begun[2] + text
        *lines, rest = text.split(b"\n")
        if rest:
            self._begun[stream] = (moment, attributes, rest)
        return [self._entry(stream, moment, attributes, line) for line in lines]

    def _prefix(self, data: bytes) -> tuple[bytes, bytes, bytes]:
        found = _TIME.match(data)
        moment, text = (data[: found.end() - 1], data[found.end() :]) if found else (b"", data)
        attributes = b""
        if self._details:
            first, _, rest = text.partition(b" ")
            if not first or b"=" in first:  # podman takes the parameter and ignores it
                attributes, text = first, rest
        return moment, attributes, text

    def _entry(self, stream: int, moment: bytes, attributes: bytes, text: bytes) -> LogEntry:
        nanoseconds = _nanoseconds(moment) if moment else None
        return LogEntry(
            text.removesuffix(b"\r").decode("utf-8", self._errors),
            "stderr" if stream == STDERR else "stdout",
            None if nanoseconds is None else _datetime(nanoseconds),
            nanoseconds,
            _attributes(attributes) if attributes else {},
            self._container,
        )


def nanoseconds(moment: str) -> int:
    """An RFC 3339 time of the engine as nanoseconds since 1970."""
    return _nanoseconds(moment.encode())


def since_text(nanoseconds: int) -> str:
    """A time as the engine takes it for ``since``: exact, which a float would not be."""
    return f"{nanoseconds // 1_000_000_000}.{nanoseconds % 1_000_000_000:09d}"


def _nanoseconds(moment: bytes) -> int:
    found = _TIME.match(moment + b" ")
    if found is None:
        raise ValueError(f"{moment!r} is no time")
    fraction, zone = found.groups()
    return _seconds(moment[:19], zone) * 1_000_000_000 + int((fraction or b"0").ljust(9, b"0"))


@functools.lru_cache(maxsize=64)
def _seconds(moment: bytes, zone: bytes) -> int:
    return int(datetime.fromisoformat((moment + zone.replace(b"Z", b"+00:00")).decode()).timestamp())


def _datetime(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC) + timedelta(
        microseconds=nanoseconds % 1_000_000_000 // 1000
    )


def _attributes(data: bytes) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in data.decode("utf-8", "replace").split(",") if pair)
    return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}


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
        self._recent: deque[tuple[int, tuple[int | None, str, str]]] = deque()
        self._bounded = tail != "all" or since is not None
        self._first: int | None = None
        self._latest: int | None = None
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
        seen: Counter[tuple[int | None, str, str]] = Counter()
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
                            if self._is_new(entry, seen):
                                yield entry
                except (StreamTruncated, ConnectionFailed, EngineTimeout):
                    if not (self._follow and self._reconnect):
                        raise
                    cut = True  # what the parser holds of a line is read again
                if self._closed.is_set():
                    return
                if not cut:
                    yield from (entry for entry in parser.close() if self._is_new(entry, seen))
                if last or not self._follow or self._reconnect is None or (not cut and self._until is not None):
                    return
                running = self._resume(cut, began if self._latest is None else self._latest - _OVERLAP)
                if running is None:
                    return
                last, self._resumed = not running, True
                seen = Counter(key for _, key in self._recent)
        finally:
            self.close()

    def _is_new(self, entry: LogEntry, seen: Counter[tuple[int | None, str, str]]) -> bool:
        """Whether it was not given before; remembers it for the next cut."""
        key = (entry.nanoseconds, entry.stream, entry.text)
        if seen[key] > 0:
            seen[key] -= 1
            return False
        if self._resumed and entry.nanoseconds is not None and entry.nanoseconds < (self._first or 0):
            return False  # not asked for: before `since`, or above the `tail`
        if self._first is None and self._bounded:
            self._first = entry.nanoseconds
        if self._follow and entry.nanoseconds is not None:
            self._latest = max(self._latest or 0, entry.nanoseconds)
            self._recent.append((entry.nanoseconds, key))
            while self._recent and self._recent[0][0] < self._latest - _OVERLAP:
                self._recent.popleft()
        return True

    def _resume(self, cut: bool, start: int) -> bool | None:
        """Open the log once more, from ``start`` on.

        Returns:
            Whether the container runs; if not, the log is read once more without following, since engines end it before
            the very last line now and then. None: it is gone, or this was closed.
        """
        assert self._reconnect is not None
        deadline = time.monotonic() + self._reconnect
        since = since_text(start)
        pause = 0.05
        while not self._closed.is_set():
            try:
                running = cut or (self._restarts and self._runs())
                self._source = self._open(since, "all", follow=running)
            except NotFound:
                return None
            except ClientClosed:
                raise
            except (ConnectionFailed, EngineTimeout, StreamTruncated, ServerError):
                if time.monotonic() >= deadline:
                    raise
            else:
                if self._closed.is_set():  # between the question above and now
                    self._source.close()
                return running
            self._closed.wait(pause)
            pause = min(pause * 2, 1.0)
        return None

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
    names = attrs.get("Names") or []
    name = attrs.get("Name") or (names[0] if names else "")
    return str(name).lstrip("/") or container.short_id
