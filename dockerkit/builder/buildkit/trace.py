"""Translate BuildKit's status messages to the progress state that pulls and pushes also use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dockerkit.progress.state import Progress

__all__ = ["BuildWarning", "Trace"]

_STEP = re.compile(r"\[[^\]]*\d+/\d+\] ")


@dataclass(frozen=True)
class BuildWarning:
    """A warning about the Dockerfile.

    Attributes:
        text: the warning in one line.
        detail: longer explanation.
        url: address of the documentation.
        dockerfile: name of the Dockerfile.
        lines: numbers of the affected lines.
    """

    text: str
    detail: str = ""
    url: str = ""
    dockerfile: str = ""
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        location = f" ({self.dockerfile}:{self.lines[0]})" if self.dockerfile and self.lines else ""
        return f"{self.text}{location}"


class Trace:
    """Feeds BuildKit's status messages into a progress state; `failed` is ID and name of the first step that failed."""

    def __init__(self, state: Progress) -> None:
        self.state = state
        self.warnings: list[BuildWarning] = []
        self.failed: tuple[str, str] | None = None
        self.names: dict[str, str] = {}
        self._started: dict[str, float] = {}
        self._completed: dict[str, float] = {}

    def feed(self, response: Any) -> None:
        """Process one StatusResponse."""
        for vertex in response.vertexes:
            self._begin(vertex)
        for status in response.statuses:
            done = status.HasField("completed")
            self.state.step_status(status.vertex, status.id, status.id, status.current, status.total or None, done)
        for log in response.logs:
            self.state.step_log(log.vertex, log.msg, 2 if log.stream == 2 else 1)
        for warning in response.warnings:
            self._warn(warning)
        for vertex in response.vertexes:  # after the logs: one message may have a step's end and its last output
            self._end(vertex)

    def _begin(self, vertex: Any) -> None:
        self.names[vertex.digest] = vertex.name
        self.state.step_planned(vertex.digest, vertex.name)
        started = _seconds(vertex, "started")
        if started is not None and started != self._started.get(vertex.digest):
            self._started[vertex.digest] = started
            self._completed.pop(vertex.digest, None)
            self.state.step_started(vertex.digest, vertex.name, started)

    def _end(self, vertex: Any) -> None:
        completed, previous = _seconds(vertex, "completed"), self._completed.get(vertex.digest)
        if completed is None or (completed == previous and not vertex.error):
            return
        self._completed[vertex.digest] = completed
        if vertex.error and self.failed is None and "context canceled" not in vertex.error:
            self.failed = (vertex.digest, vertex.name)
        if previous is None or vertex.error:
            self.state.step_done(vertex.digest, vertex.cached, vertex.error or None, completed)

    def _warn(self, warning: Any) -> None:
        lines = [
            line for item in warning.ranges for line in range(item.start.line, max(item.end.line, item.start.line) + 1)
        ]
        parsed = BuildWarning(
            warning.short.decode("utf-8", "replace"),
            "\n".join(part.decode("utf-8", "replace") for part in warning.detail),
            warning.url,
            warning.info.filename,
            tuple(dict.fromkeys(lines)),
        )
        if parsed not in self.warnings:
            self.warnings.append(parsed)
            self.state.warning(str(parsed))


def instruction(name: str) -> str:
    """Return a step's name as written in the Dockerfile, without a prefix such as ``[stage 2/3]``."""
    return _STEP.sub("", name, count=1) if _STEP.match(name) else name


def _seconds(vertex: Any, field: str) -> float | None:
    if not vertex.HasField(field):
        return None
    timestamp = getattr(vertex, field)
    return float(timestamp.seconds + timestamp.nanos / 1e9)
