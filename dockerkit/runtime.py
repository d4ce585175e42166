"""The only module that waits: for sockets, for time, and for other threads.

Every call in the package that can block uses this module, and every thread is started here. By default it is a thin
layer over ``select.poll``, ``time.sleep`` and ``threading``. :func:`install` adds another runtime, which is chosen for
each caller (a greenlet in an event loop, for example). Sockets are always non-blocking, so the calling code is the same
in both cases: try, and :func:`wait` if the socket is not ready.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast

if TYPE_CHECKING:
    import queue

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["READ", "WRITE", "Runtime", "current", "install", "poll", "poll_any"]

READ, WRITE = 1, 4  # the values of POLLIN and POLLOUT


class Runtime(Protocol):
    """The primitives that an event loop provides instead of threads, with the interfaces of the standard library."""

    def wait(self, fd: int, events: int, seconds: float | None) -> int:
        """Wait until a descriptor is ready; see :func:`wait`."""
        ...

    def wait_any(self, interests: Mapping[int, int], seconds: float | None) -> dict[int, int]:
        """Wait until one of several descriptors is ready; see :func:`wait_any`."""
        ...

    def sleep(self, seconds: float) -> None:
        """Pause the caller only."""

    def give_way(self) -> None:
        """Let others run if it is time; see :func:`give_way`."""

    def Event(self) -> threading.Event:
        """Create a ``threading.Event``."""
        ...

    def Lock(self) -> Any:
        """Create a ``threading.Lock``."""
        ...

    def Condition(self, lock: Any) -> threading.Condition:
        """Create a ``threading.Condition``."""
        ...

    def Queue(self, maxsize: int) -> queue.Queue[Any]:
        """Create a ``queue.Queue``."""
        ...

    def Thread(self, target: Callable[..., object], args: tuple[Any, ...], name: str) -> threading.Thread:
        """Create a thread that runs a function: ``start``, ``join``, ``is_alive``."""
        ...

    def current_thread(self) -> object:
        """Return the calling thread, comparable to the result of :meth:`Thread`."""
        ...

    def run_blocking(self, function: Callable[[], R]) -> R:
        """Call a function that blocks outside this module; see :func:`run_blocking`."""
        ...


_choose: Callable[[], Runtime | None] | None = None


def install(choose: Callable[[], Runtime | None] | None) -> None:
    """Install a function that returns the runtime of the calling code; None means threads."""
    global _choose
    _choose = choose


def current() -> Runtime | None:
    """Return the caller's runtime; None for threads."""
    return None if _choose is None else _choose()


if hasattr(select, "poll"):  # unlike select(), it has no limit on descriptor numbers

    def poll(fd: int, events: int, seconds: float | None) -> int:
        """Block the thread until a descriptor is ready; see :func:`wait`."""
        poller = select.poll()
        poller.register(fd, events)
        for _, ready in poller.poll(None if seconds is None else max(seconds, 0) * 1000):
            return ready
        return 0

    def poll_any(interests: Mapping[int, int], seconds: float | None) -> dict[int, int]:
        """Block the thread until one of several descriptors is ready; see :func:`wait_any`."""
        poller = select.poll()
        for fd, events in interests.items():
            poller.register(fd, events)
        return dict(poller.poll(None if seconds is None else max(seconds, 0) * 1000))

else:

    def poll(fd: int, events: int, seconds: float | None) -> int:
        return poll_any({fd: events}, seconds).get(fd, 0)

    def poll_any(interests: Mapping[int, int], seconds: float | None) -> dict[int, int]:
        reading = [fd for fd, events in interests.items() if events & READ]
        writing = [fd for fd, events in interests.items() if events & WRITE]
        readable, writable, failed = select.select(reading, writing, list(interests), seconds)
        ready = dict.fromkeys(readable, READ)
        for fd in writable:
            ready[fd] = ready.get(fd, 0) | WRITE
        return ready | dict.fromkeys(failed, READ | WRITE)


def wait(fd: int, events: int, seconds: float | None = None) -> int:
    """Wait until a descriptor is ready.

    Args:
        fd: descriptor of a socket.
        events: :data:`READ`, :data:`WRITE` or both.
        seconds: None waits indefinitely, 0 does not wait.

    Returns:
        Events as reported by poll(), including errors and hang-ups; 0 on timeout.
    """
    if _choose is not None and (runtime := _choose()) is not None:
        return runtime.wait(fd, events, seconds)
    return poll(fd, events, seconds)


def wait_any(interests: Mapping[int, int], seconds: float | None = None) -> dict[int, int]:
    """Wait until at least one of several descriptors is ready.

    Args:
        interests: events to wait for, by descriptor.
        seconds: None waits indefinitely, 0 does not wait.

    Returns:
        Events of each descriptor that is ready, as :func:`wait` returns them; empty on timeout.
    """
    if (runtime := current()) is not None:
        return runtime.wait_any(interests, seconds)
    return poll_any(interests, seconds)


def sleep(seconds: float) -> None:
    """Pause the calling thread."""
    if (runtime := current()) is not None:
        runtime.sleep(seconds)
    else:
        time.sleep(seconds)


def give_way() -> None:
    """Let an event loop run others if the caller has run for long; called wherever data is transferred without waiting."""
    if _choose is not None and (runtime := _choose()) is not None:
        runtime.give_way()


def Event() -> threading.Event:
    """Create a ``threading.Event``."""
    return threading.Event() if (runtime := current()) is None else runtime.Event()


def Lock() -> Any:
    """Create a ``threading.Lock``."""
    return threading.Lock() if (runtime := current()) is None else runtime.Lock()


def Condition(lock: Any) -> threading.Condition:
    """Create a ``threading.Condition`` over a lock from :func:`Lock`."""
    return threading.Condition(lock) if (runtime := current()) is None else runtime.Condition(lock)


def Queue(maxsize: int = 0) -> queue.Queue[Any]:
    """Create a ``queue.Queue``; a size of 0 is unlimited."""
    if (runtime := current()) is not None:
        return runtime.Queue(maxsize)
    import queue

    return queue.Queue(maxsize)


def SimpleQueue() -> queue.SimpleQueue[Any]:
    """Create a ``queue.SimpleQueue``, which signal handlers and finalizers may put into."""
    if (runtime := current()) is not None:
        return cast("queue.SimpleQueue[Any]", runtime.Queue(0))
    import queue

    return queue.SimpleQueue()


def Thread(target: Callable[..., object], args: tuple[Any, ...] = (), *, name: str) -> threading.Thread:
    """Create a daemon thread, not yet started."""
    if (runtime := current()) is not None:
        return runtime.Thread(target, args, name)
    return threading.Thread(target=target, args=args, name=name, daemon=True)


class Timer:
    """Calls a function in a separate thread, some time after :meth:`start`, unless it is cancelled before."""

    def __init__(self, seconds: float, function: Callable[[], object], *, name: str) -> None:
        self._seconds = seconds
        self._function = function
        self._cancelled = Event()
        self._thread = Thread(self._run, name=name)

    def start(self) -> None:
        """Start the timer."""
        self._thread.start()

    def cancel(self) -> None:
        """Cancel the timer, if the function was not called yet."""
        self._cancelled.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of the function."""
        self._thread.join(timeout)

    def _run(self) -> None:
        if not self._cancelled.wait(self._seconds):
            self._function()


def interruptible() -> bool:
    """Return whether interrupts reach the caller: exceptions of signal handlers, or the cancellation of its task."""
    return current() is not None or threading.current_thread() is threading.main_thread()


_caller: ContextVar[object] = ContextVar("dockerkit-caller", default=None)


def acting_for(caller: object, function: Callable[[], R]) -> R:
    """Call a function for another thread, which :func:`current_thread` returns meanwhile."""
    token = _caller.set(caller)
    try:
        return function()
    finally:
        _caller.reset(token)


def current_thread() -> object:
    """Return the calling thread, comparable to the result of :func:`Thread`."""
    if (caller := _caller.get()) is not None:
        return caller
    return threading.current_thread() if (runtime := current()) is None else runtime.current_thread()


def run_blocking(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function that blocks outside this module, such as name resolution. An event loop runs it in a thread."""
    if (runtime := current()) is not None:
        return runtime.run_blocking(partial(function, *args, **kwargs))
    return function(*args, **kwargs)
