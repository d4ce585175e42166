"""Going on with a stream after a cut: from where it was, nothing lost and nothing twice."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from typing import TypeVar

from dockerkit import errors
from dockerkit.errors import StreamTruncated

__all__ = ["Overlap", "broken", "reopen", "since_text"]

T = TypeVar("T")


def broken(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What a connection that broke raises. Asked for when something was raised, since naming these loads requests."""
    return StreamTruncated, errors.ConnectionFailed, errors.EngineTimeout, *more


# Items come not quite in the order of their times: those of stdout and stderr are taken by two threads of the engine.
# So after a cut this much is read again, and what was seen is passed over.
_OVERLAP = 1_000_000_000


class Overlap:
    """Remembers what came in the last second, by the engine's times, to know it again.

    Attributes:
        latest: the latest time so far, in nanoseconds since 1970; None before the first.
    """

    def __init__(self) -> None:
        self.latest: int | None = None
        self._recent: deque[tuple[int, Hashable]] = deque()
        self._again: Counter[Hashable] = Counter()

    def was_seen(self, key: Hashable) -> bool:
        """Whether this item came before the cut; each counts once."""
        if self._again[key] > 0:
            self._again[key] -= 1
            return True
        return False

    def note(self, nanoseconds: int, key: Hashable) -> None:
        """Remember an item that is given now."""
        self.latest = max(self.latest or 0, nanoseconds)
        self._recent.append((nanoseconds, key))
        while self._recent[0][0] < self.latest - _OVERLAP:
            self._recent.popleft()

    def rewind(self) -> None:
        """The stream comes anew, from :meth:`since` on."""
        self._again = Counter(key for _, key in self._recent)

    def since(self, began: int) -> str:
        """From when on to ask for it: the last second of what came; where nothing did, ``began``."""
        return since_text(began if self.latest is None else self.latest - _OVERLAP)


def since_text(nanoseconds: int) -> str:
    """A time as the engine takes it for ``since``: exact, which a float would not be."""
    return f"{nanoseconds // 1_000_000_000}.{nanoseconds % 1_000_000_000:09d}"


def reopen(opener: Callable[[], T], closed: threading.Event, seconds: float) -> T | None:
    """Open a stream once more, as soon as the engine is there.

    Args:
        opener: opens it.
        closed: set when nobody wants it any more.
        seconds: how long the engine may be away.

    Returns:
        What ``opener`` answers; None if nobody wants it any more.

    Raises:
        ConnectionFailed, EngineTimeout, StreamTruncated, ServerError: the engine did not come back in time.
    """
    deadline = time.monotonic() + seconds
    pause = 0.05
    while not closed.is_set():
        try:
            return opener()
        except broken(errors.ServerError):
            if time.monotonic() >= deadline:
                raise
        closed.wait(pause)
        pause = min(pause * 2, 1.0)
    return None
