"""Deadlines and cancellation for all requests within a block.

::

    with Scope(timeout=3) as scope:
        api.inspect_container("web")    # connecting, sending, head and body share the 3 seconds

``scope.cancel()`` may be called from any thread or signal handler. It ends connection attempts, requests that
wait for a response, and the bodies of responses that began within the scope.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import ParamSpec, Protocol, Self, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Stoppable(Protocol):
    """A connection, or an attempt to connect."""

    def stop(self) -> None:
        """End it; never blocks."""


class Scope:
    """One deadline and one cancellation for all requests sent within it.

    A scope created within another one never outlasts it. Enter it with ``with`` in the code that sends; helper threads
    enter the same scope themselves. Don't hold a ``with`` block open across a generator's ``yield``: use :meth:`run`.

    Args:
        timeout: seconds from now; None sets no limit besides the outer scope's.

    Attributes:
        deadline: time on the monotonic clock; None without limit.
        cancelled: whether :meth:`cancel` was called, here or on an outer scope.
    """

    __slots__ = ("_outer", "_users", "cancelled", "deadline")

    def __init__(self, timeout: float | None = None) -> None:
        self._outer = current()
        self._users: set[Stoppable] = set()
        self.cancelled: bool = self._outer is not None and self._outer.cancelled
        deadline = None if timeout is None else time.monotonic() + timeout
        if self._outer is not None:
            if self._outer.deadline is not None:
                deadline = self._outer.deadline if deadline is None else min(deadline, self._outer.deadline)
            self._outer.add(self)
        self.deadline: float | None = deadline

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def remaining(self) -> float | None:
        """Return the seconds until the deadline, 0 if it has passed; None without limit."""
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 0)

    def cancel(self) -> None:
        """End everything that runs within this scope, and refuse later requests; never blocks."""
        self.cancelled = True
        for user in list(self._users):
            user.stop()

    stop = cancel

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function within this scope."""
        with self:
            return function(*args, **kwargs)

    def add(self, user: Stoppable) -> None:
        """Register a connection that :meth:`cancel` stops."""
        self._users.add(user)
        if self.cancelled:
            user.stop()

    def discard(self, user: Stoppable) -> None:
        """Unregister a connection."""
        self._users.discard(user)

    def __enter__(self) -> Self:
        _active.set((self, _active.get()))
        return self

    def __exit__(self, *_: object) -> None:
        active = _active.get()
        _active.set(None if active is None else active[1])
        if self._outer is not None and (active is None or active[1] is None or active[1][0] is not self):
            self._outer.discard(self)


_Active = tuple[Scope, "_Active | None"]
_active: ContextVar[_Active | None] = ContextVar("dockerkit-scope", default=None)


def current() -> Scope | None:
    """Return the scope of the calling code."""
    active = _active.get()
    return None if active is None else active[0]


def run_outside(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function outside all scopes, for cleanup that must also work after a deadline."""
    token = _active.set(None)
    try:
        return function(*args, **kwargs)
    finally:
        _active.reset(token)
