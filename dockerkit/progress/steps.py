"""Parts of a progress state: steps with their parts, and events that describe changes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from dockerkit.streams.lines import LineSplitter

if TYPE_CHECKING:
    from dockerkit.progress.state import Progress

__all__ = ["LOG_LINES", "Event", "Kind", "Part", "Renderer", "Step"]

LOG_LINES = 100
"""Number of last output lines stored per step."""
_LOG_WIDTH = 4096

Kind = Literal["started", "status", "amount", "log", "done", "message", "warning", "finished"]

# A pulled layer is downloaded, then unpacked: each counts as half.
_HALVES = {
    "Pulling fs layer": 0.0,
    "Waiting": 0.0,
    "Downloading": 0.0,
    "Verifying Checksum": 0.5,
    "Download complete": 0.5,
    "Extracting": 0.5,
}


@dataclass
class Part:
    """A part of a step, such as a download or export, with its bytes."""

    id: str
    name: str
    current: int | None = None
    total: int | None = None
    done: bool = False
    started: float = 0.0


@dataclass
class Step:
    """One layer of an image, one step of a build, or one transfer.

    Attributes:
        id: unique ID: a layer's short digest, a step's digest or number.
        name: displayed name.
        kind: "layer", "step" or "transfer".
        number: position in order of start, from 1; 0 before the start.
        status: last status reported by the Engine.
        current, total: transferred and total bytes; None if unknown.
        detail: progress in a unit other than bytes, such as "3 s" of unpacking.
        started, ended: start and end in seconds on the state's clock.
        cached: whether the result was already present.
        error: error message.
        parts: downloads and other parts by ID.
        log: last lines of output, each truncated to 4 KiB.
    """

    id: str
    name: str
    kind: str = "step"
    number: int = 0
    status: str = ""
    current: int | None = None
    total: int | None = None
    started: float | None = None
    ended: float | None = None
    detail: str = ""
    cached: bool = False
    error: str | None = None
    parts: dict[str, Part] = field(default_factory=dict)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    _previous_seconds: float = 0.0
    _engine_start: float | None = None
    _weight: int = 0
    _pending: dict[int, LineSplitter] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the step has ended, successfully or not."""
        return self.ended is not None

    @property
    def fraction(self) -> float:
        """Progress from 0.0 to 1.0, as far as known."""
        if self.done:
            return 1.0
        share = min((self.current or 0) / self.total, 1.0) if self.total else 0.0
        if self.status in _HALVES:
            return _HALVES[self.status] + share / 2
        return share

    @property
    def percent(self) -> float:
        """Progress in percent."""
        return self.fraction * 100

    def seconds(self, now: float) -> float:
        """Return the total run time in seconds until ``now`` (on the state's clock), including restarts."""
        running = 0.0 if self.started is None or self.done else max(0.0, now - self.started)
        return self._previous_seconds + running


def clip(line: str) -> str:
    """Truncate a line of output for :attr:`Step.log`."""
    return line if len(line) <= _LOG_WIDTH else line[:_LOG_WIDTH] + "…"


@dataclass(frozen=True)
class Event:
    """A change: its ``kind``, the step (None for the whole operation), the text, and ``stream`` (2 for stderr)."""

    kind: Kind
    step: Step | None = None
    text: str = ""
    stream: int = 1


class Renderer(Protocol):
    """A display, which is notified of each change and of the end."""

    def update(self, progress: Progress, event: Event) -> None:
        """Handle a change. Called often, so redraw only at intervals."""

    def finish(self, progress: Progress) -> None:
        """Handle the end of the operation, also after a failure."""
