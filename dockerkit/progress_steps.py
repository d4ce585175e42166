"""What the state of an operation is made of: steps with their parts, and the events that tell of changes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from dockerkit.progress_state import Progress

__all__ = ["LOG_LINES", "Event", "Kind", "Part", "Renderer", "Step"]

LOG_LINES = 100
"""So many last lines of output are kept of each step."""

Kind = Literal["started", "status", "amount", "log", "done", "message", "warning", "finished"]

# A pulled layer is downloaded, then unpacked: each is half of it.
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
    """A part of a step: one download, one export, with its bytes."""

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
        id: its name among the others: a layer's short digest, a step's digest or number.
        name: what to show.
        kind: "layer", "step" or "transfer".
        number: its place in order of start, from 1; 0 while it has not started.
        status: the Engine's last word about it.
        current, total: bytes done, and of how many; None where not known.
        started, ended: when, in seconds on the state's clock.
        cached: whether there was nothing to do, because it was there already.
        error: why it failed.
        parts: downloads and the like inside it, by id.
        log: the last lines of its output.
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
    cached: bool = False
    error: str | None = None
    parts: dict[str, Part] = field(default_factory=dict)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    _before: float = 0.0
    _engine_start: float | None = None
    _weight: int = 0
    _pending: dict[int, bytes] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether it came to its end, good or bad."""
        return self.ended is not None

    @property
    def fraction(self) -> float:
        """How much of it is done, from 0.0 to 1.0, as far as one can know."""
        if self.done:
            return 1.0
        share = min((self.current or 0) / self.total, 1.0) if self.total else 0.0
        if self.status in _HALVES:
            return _HALVES[self.status] + share / 2
        return share

    @property
    def percent(self) -> float:
        """The same in percent."""
        return self.fraction * 100

    def seconds(self, now: float) -> float:
        """How long it has worked until ``now`` (on the state's clock), over all its starts."""
        running = 0.0 if self.started is None or self.done else max(0.0, now - self.started)
        return self._before + running


@dataclass(frozen=True)
class Event:
    """What changed last: ``kind``, the step it is about (None: the whole), its text, and 2 as ``stream`` for stderr."""

    kind: Kind
    step: Step | None = None
    text: str = ""
    stream: int = 1


class Renderer(Protocol):
    """Who shows a state: told of each change, and of the end."""

    def update(self, progress: Progress, event: Event) -> None:
        """Something changed. Called often: whoever draws, draws seldom."""

    def finish(self, progress: Progress) -> None:
        """No more will come; also called when the operation failed."""
