"""Resume a stream after an interruption, without losing or repeating items."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dockerkit import errors, runtime
from dockerkit.errors import DockerException
from dockerkit.parsing.values import time_limit
from dockerkit.transport import Scope

if TYPE_CHECKING:
    from dockerkit.api.container_streams import TimeLike
    from dockerkit.parsing.values import Duration
    from dockerkit.streams.readers import Stream

__all__ = ["OVERLAP", "Follower", "ResumeWindow", "engine_clock", "since_text"]

T = TypeVar("T")
S = TypeVar("S", bound="Stream[Any]")

_SLICE = 0.1  # seconds until a pause notices that the stream was closed


# Items are not exactly ordered by time, since two threads of the engine read stdout and stderr. So after an
# interruption, this much is read again, and items already seen are skipped.
OVERLAP = 1_000_000_000


class ResumeWindow:
    """Remembers the items of the last second, by the engine's times, to recognize them.

    Attributes:
        latest: latest time so far, in nanoseconds since 1970; None before the first item.
    """

    def __init__(self) -> None:
        self.latest: int | None = None
        self._recent: deque[tuple[int, Hashable]] = deque()
        self._behind = False  # whether items are still older than the last returned one
        self._skipped = 0
        self._again: Counter[Hashable] = Counter()

    def was_seen(self, key: Hashable) -> bool:
        """Return whether this item was already returned; each occurrence counts once."""
        if self._again[key] > 0:
            self._again[key] -= 1
            if self._behind and key == self._recent[-1][1]:
                self._behind = False
            return True
        return False

    def is_late(self, nanoseconds: int | None) -> bool:
        """Return whether a new item is older than the last returned one; such items are counted."""
        if not self._behind or nanoseconds is None:
            return False
        self._behind = nanoseconds <= (self.latest or 0)
        self._skipped += self._behind
        return self._behind

    def take_skipped(self) -> int:
        """Return and reset the number of late items."""
        skipped, self._skipped = self._skipped, 0
        return skipped

    def note(self, nanoseconds: int, key: Hashable) -> None:
        """Remember a returned item."""
        self.latest = max(self.latest or 0, nanoseconds)
        self._recent.append((nanoseconds, key))
        while self._recent[0][0] < self.latest - OVERLAP:
            self._recent.popleft()

    def rewind(self) -> None:
        """Prepare for the stream to be read again from :meth:`since` on."""
        self._again = Counter(key for _, key in self._recent)
        self._behind = bool(self._recent)

    def since(self, first: TimeLike) -> TimeLike:
        """Return the time to resume from: the last second of items, or ``first`` if there were none."""
        return first if self.latest is None else since_text(self.latest - OVERLAP)


def since_text(nanoseconds: int) -> str:
    """Return a time for the engine's ``since``, with full precision, which a float lacks."""
    return f"{nanoseconds // 1_000_000_000}.{nanoseconds % 1_000_000_000:09d}"


class Follower(Generic[S]):
    """A stream that is reopened after an interruption. All its requests share a scope, so that it can always be closed.

    Attributes:
        source: the open stream.
    """

    source: S

    def __init__(self, reconnect: Duration | None) -> None:
        self._scope = Scope()
        self._overlap = ResumeWindow()
        self._reconnect = time_limit(reconnect, "reconnect", zero=True)

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._scope.cancelled

    def open(self, opener: Callable[[], T]) -> T:
        """Open the stream."""
        return self._scope.run(opener)

    def reopen(self, opener: Callable[[], S], seconds: float) -> bool:
        """Open the stream again, as soon as the engine is available; return False if this was closed."""
        deadline = time.monotonic() + seconds
        pause = 0.05
        while not self.closed:
            try:
                with self._scope, Scope(max(deadline - time.monotonic(), 0.1)) as attempt:
                    self.source = opener()
                    attempt.deadline = self._scope.deadline  # the opened stream inherits this deadline
                self._overlap.rewind()
                break
            except DockerException as error:
                if self.closed:
                    break
                if error.is_gone() or not (error.is_disconnect() or isinstance(error, errors.ServerError)):
                    raise
                if time.monotonic() >= deadline:
                    raise
            end = time.monotonic() + pause
            while not self.closed and (left := end - time.monotonic()) > 0:
                runtime.sleep(min(left, _SLICE))
            pause = min(pause * 2, 1.0)
        return not self.closed

    def close(self) -> None:
        """Close the stream, or cancel opening it, without waiting."""
        self._scope.cancel()
        if (source := getattr(self, "source", None)) is not None:
            source.close()


def engine_clock(headers: Mapping[str, str]) -> int:
    """Return the time of a response by the engine's clock, in nanoseconds since 1970, to the second."""
    from email.utils import parsedate_to_datetime  # imported lazily: loads more than a whole run needs

    try:
        seconds = parsedate_to_datetime(headers.get("Date") or "").timestamp()
    except ValueError:  # the header is missing
        seconds = time.time()
    return int(seconds) * 1_000_000_000
