"""Parse lines from log frames, without I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import unquote_plus

from dockerkit.parsing.times import as_datetime, parse_nanoseconds
from dockerkit.streams.frames import STDERR, STDOUT
from dockerkit.streams.lines import LinePiece, LineSplitter

__all__ = ["LogEntry", "LogParser"]

_PIECE = 16 * 1024  # the engine splits longer lines into messages of this size
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of a container's log.

    Attributes:
        text: the line, without line end.
        stream: "stdout" or "stderr"; a terminal's output is all stdout.
        timestamp: time in UTC, with microseconds; None if not reported. :attr:`nanoseconds` has the full precision.
        nanoseconds: time in nanoseconds since 1970.
        attributes: attributes added by the log driver, with ``details=True``.
        container: name of the container, or its ID if the name is unknown.
        partial: whether the line continues: a line longer than 1 MiB is split into entries of that size.
    """

    text: str
    stream: Literal["stdout", "stderr"] = "stdout"
    timestamp: datetime | None = None
    nanoseconds: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    container: str = ""
    partial: bool = False

    def __str__(self) -> str:
        return self.text


class LogParser:
    """Parses frames of a log with timestamps into lines.

    Each frame is a message of the engine: time, attributes, text. A line longer than 16 KiB is split into several
    messages, each with its own time. Output of a terminal has no frames; its messages follow each other directly.
    """

    def __init__(
        self, *, framed: bool = True, details: bool = False, container: str = "", errors: str = "replace"
    ) -> None:
        self._framed = framed
        self._details = details
        self._container = container
        self._errors = errors
        self._raw = LineSplitter()
        # Time and attributes of an incomplete line, and the line.
        self._open_lines: dict[int, tuple[bytes, bytes, LineSplitter]] = {}

    def feed(self, stream: int, data: bytes) -> list[LogEntry]:
        """Return the lines that this frame (or block of raw output) completes, in order."""
        if self._framed:
            return self._message(stream, data)
        return [self._raw_line(line) for line in self._raw.feed(data)]

    def close(self) -> list[LogEntry]:
        """Return the last line if it has no line end."""
        entries = [self._raw_line(rest)] if (rest := self._raw.close()) else []
        for stream, (moment, attributes, line) in sorted(self._open_lines.items()):
            if rest := line.close():
                entries.append(self._entry(stream, moment, attributes, rest))
        self._open_lines.clear()
        return entries

    def _raw_line(self, line: bytes) -> LogEntry:
        """Parse a line of raw output: consecutive messages, each with a prefix."""
        moment, attributes, start = self._prefix(line)
        parts: list[bytes] = []
        message = 0
        while len(line) - start > _PIECE and _TIME.match(line, start + _PIECE):
            message = start + _PIECE
            parts.append(line[start:message])
            start = self._prefix(line, message)[2]
        if message and isinstance(line, LinePiece):
            self._raw.push_back(line[message:])  # so that the next block begins with a prefix
            return self._entry(STDOUT, moment, attributes, LinePiece(b"".join(parts)))
        rest = LinePiece(line[start:]) if isinstance(line, LinePiece) else line[start:]
        return self._entry(STDOUT, moment, attributes, b"".join((*parts, rest)) if parts else rest)

    def _message(self, stream: int, data: bytes) -> list[LogEntry]:
        moment, attributes, start = self._prefix(data)
        open_line = self._open_lines.get(stream)
        if open_line is None:
            if data.find(b"\n", start) == len(data) - 1:  # usually, a message is one line
                return [self._entry(stream, moment, attributes, data[start:-1])]
            self._open_lines[stream] = open_line = (moment, attributes, LineSplitter())
        moment, attributes, line = open_line
        entries = [self._entry(stream, moment, attributes, text) for text in line.feed(data[start:])]
        if data.endswith(b"\n"):
            del self._open_lines[stream]
        return entries

    def _prefix(self, data: bytes, start: int = 0) -> tuple[bytes, bytes, int]:
        """Parse time and attributes of the message at ``start``; return them with the position of its text."""
        found = _TIME.match(data, start)
        moment = b""
        if found:
            moment, start = data[start : found.end() - 1], found.end()
        if self._details:
            end = data.find(b" ", start)
            end = len(data) if end == -1 else end
            first = data[start:end]
            if not first or b"=" in first:  # podman accepts and ignores the parameter
                return moment, first, min(end + 1, len(data))
        return moment, b"", start

    def _entry(self, stream: int, moment: bytes, attributes: bytes, text: bytes) -> LogEntry:
        nanoseconds = parse_nanoseconds(moment) if moment else None
        return LogEntry(
            text.removesuffix(b"\r").decode("utf-8", self._errors),
            "stderr" if stream == STDERR else "stdout",
            None if nanoseconds is None else as_datetime(nanoseconds),
            nanoseconds,
            _attributes(attributes) if attributes else {},
            self._container,
            isinstance(text, LinePiece),
        )


def _attributes(data: bytes) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in data.decode("utf-8", "replace").split(",") if pair)
    return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}
