"""Lines out of a log's frames, without I/O."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import unquote_plus

from dockerkit.streams.frames import STDERR, STDOUT

__all__ = ["LogEntry", "LogParser", "nanoseconds"]

_PIECE = 16 * 1024  # the engine cuts longer lines into messages of this size
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ")


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
