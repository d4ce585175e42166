"""Events, locks, conditions, queues and threads for greenlets, with the interfaces of their counterparts in the standard library.

Each has a list of waiting greenlets and wakes all of them, so that they check their condition again. Any thread or finalizer
may set, release and put; only greenlets may wait.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dockerkit import runtime
from dockerkit.transport.scope import run_outside

if TYPE_CHECKING:
    import asyncio

    from dockerkit.aio.greenlets import CoreGreenlet, LoopRuntime


class Waiter:
    """A waiting greenlet.

    Attributes:
        handle: callback that will resume it, once it has been woken.
    """

    __slots__ = ("caller", "handle", "runtime")

    def __init__(self, loop_runtime: LoopRuntime, caller: CoreGreenlet) -> None:
        self.runtime: LoopRuntime = loop_runtime
        self.caller: CoreGreenlet = caller
        self.handle: asyncio.Handle | None = None


def wake(waiters: list[Waiter]) -> None:
    """Schedule all waiting greenlets of a list to resume."""
    while waiters:
        waiter = waiters.pop()
        waiter.handle = waiter.runtime.call_soon(waiter.caller.resume, True)


def _wait(waiters: list[Waiter], ready: Callable[[], bool], seconds: float | None) -> bool:
    """Wait until a condition is true; return whether it is."""
    if ready():
        return True
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return False
        current: Any = runtime.current()
        if current is None:
            raise RuntimeError("this would block the event loop")
        current.park_in(waiters, left)
        if ready():
            return True


class Event(threading.Event):
    def __init__(self) -> None:
        self._set = False
        self._waiters: list[Waiter] = []

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        wake(self._waiters)

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        return _wait(self._waiters, self.is_set, timeout)

    def __repr__(self) -> str:
        return f"<Event {'set' if self._set else 'unset'}>"


class Lock:
    def __init__(self) -> None:
        self._lock = threading.Lock()  # only a flag: nothing waits for it
        self._waiters: list[Waiter] = []

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._lock.acquire(blocking=False):
            return True
        return blocking and _wait(
            self._waiters, lambda: self._lock.acquire(blocking=False), None if timeout < 0 else timeout
        )

    def release(self) -> None:
        self._lock.release()
        wake(self._waiters)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Condition(threading.Condition):
    def __init__(self, lock: Any) -> None:
        super().__init__(lock)  # has the lock's methods
        self._notifications = 0
        self._sleepers: list[Waiter] = []

    def wait(self, timeout: float | None = None) -> bool:
        before = self._notifications
        self.release()
        try:
            return _wait(self._sleepers, lambda: self._notifications != before, timeout)
        finally:
            self.acquire()

    def notify(self, n: int = 1) -> None:
        self._notifications += 1
        wake(self._sleepers)

    def notify_all(self) -> None:
        self.notify()


class Queue:
    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize
        self._items: deque[Any] = deque()
        self._getters: list[Waiter] = []
        self._putters: list[Waiter] = []

    def empty(self) -> bool:
        return not self._items

    def full(self) -> bool:
        return 0 < self.maxsize <= len(self._items)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if self.full() and not (block and _wait(self._putters, lambda: not self.full(), timeout)):
            raise queue.Full
        self._items.append(item)
        wake(self._getters)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if not self._items and not (block and _wait(self._getters, lambda: bool(self._items), timeout)):
            raise queue.Empty
        item = self._items.popleft()
        wake(self._putters)
        return item

    def put_nowait(self, item: Any) -> None:
        self.put(item, block=False)

    def get_nowait(self) -> Any:
        return self.get(block=False)


class Thread:
    """A greenlet that looks like a thread.

    Attributes:
        daemon: ignored.
        ident: None until it is started.
        name: its name.
    """

    def __init__(self, loop_runtime: LoopRuntime, target: Callable[..., object], args: Any, name: str) -> None:
        self._runtime, self._target, self._args = loop_runtime, target, args
        self._ended = Event()
        self.name = name
        self.daemon = True
        self.ident: int | None = None

    def start(self) -> None:
        """Schedule the greenlet to start."""
        self.ident = id(self)
        self._runtime.start(self._run, self)

    def _run(self) -> None:
        try:
            run_outside(self._target, *self._args)  # like a thread, outside the scopes of its starter
        finally:
            self._ended.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the greenlet has ended."""
        self._ended.wait(timeout)

    def is_alive(self) -> bool:
        """Return whether the greenlet was started and has not ended."""
        return self.ident is not None and not self._ended.is_set()
