"""The runtime of an event loop: the synchronous core runs in greenlets, which wait in the loop instead of blocking it.

A call of the asynchronous client starts a :class:`CoreGreenlet`. Where the core would block, `dockerkit.runtime` calls
:class:`LoopRuntime`, which registers a callback with the loop and switches back to it. The callback switches to the greenlet
again. No thread is involved.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

from dockerkit import runtime
from dockerkit.aio import primitives
from dockerkit.aio.readiness import Readiness, readiness
from dockerkit.errors import MissingExtra, NotLoaded, RequestCancelled, WrongEventLoop

try:
    from greenlet import GreenletExit, getcurrent, greenlet
except ImportError as _missing:
    raise MissingExtra("dockerkit.aio needs greenlet: pip install 'dockerkit[asyncio]'") from _missing

P = ParamSpec("P")
R = TypeVar("R")

TURN = 0.01  # seconds for which a greenlet runs before it lets others run
PARKED: Any = object()  # what a switch into a greenlet returns while that waits

log: logging.Logger = logging.getLogger(__name__)


class CoreGreenlet(greenlet):
    """A greenlet that runs code of the synchronous core.

    Attributes:
        runtime: the runtime that it waits in.
        future: receives the result of the greenlet.
        thread: the core's current thread; None for the greenlet itself.
        dying: whether it may no longer wait.
        resumed_at: when it was last resumed, on the monotonic clock.
    """

    def __init__(self, loop_runtime: LoopRuntime, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self.gr_context = copy_context()
        self.runtime = loop_runtime
        self.future: asyncio.Future[Any] | None = None
        self.thread: object = None
        self.dying = False
        self.resumed_at: float = time.monotonic()

    def resume(self, value: object = None) -> None:
        """Resume the greenlet, from a callback of the loop."""
        self._settle(self.switch, value)

    def interrupt(self, error: BaseException) -> None:
        """Resume the greenlet with an exception."""
        self._settle(self.throw, error)

    def _settle(self, switch: Callable[[Any], Any], value: object) -> None:
        if self.dead:
            return
        if self.parent is not (current := getcurrent()):
            self.parent = current
        self.resumed_at = time.monotonic()
        try:
            result = switch(value)
        except BaseException as error:
            if self.future is not None and not self.future.done():
                self.future.set_exception(error)
            if not isinstance(error, Exception) and not isinstance(error, asyncio.CancelledError):
                raise
        else:
            if result is not PARKED and self.future is not None and not self.future.done():
                self.future.set_result(result)


class LoopRuntime:
    """Waits in an event loop; see :class:`dockerkit.runtime.Runtime`. It belongs to the first loop that uses it."""

    Event = primitives.Event
    Lock: Any = primitives.Lock
    Condition = primitives.Condition
    Queue: Any = primitives.Queue

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._readiness: Readiness | None = None
        self._limits: dict[CoreGreenlet, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._cleanups: set[asyncio.Future[Any]] = set()

    # -- for asynchronous code --------------------------------------------------------------------------------

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop.

        Raises:
            WrongEventLoop: the runtime belongs to another loop.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            if self._loop is not None:
                raise WrongEventLoop(
                    "this client belongs to another event loop: create a client in each loop, inside its coroutines"
                )
            self._loop, self._thread = loop, threading.get_ident()
        return loop

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function of the core. If the task is cancelled, the function is interrupted and its cleanup awaited."""
        loop = self.loop
        call = CoreGreenlet(self, function)
        result: Any = call.switch(*args, **kwargs)
        if result is PARKED:
            result = await self.outcome(call, loop)
        return result  # type: ignore[no-any-return]

    async def finish(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a cleanup function, like :meth:`run`. If the task is cancelled, the function continues in the background."""
        loop = self.loop
        call = CoreGreenlet(self, function)
        result: Any = call.switch(*args, **kwargs)
        if result is not PARKED:
            return result  # type: ignore[no-any-return]
        ended = self._background(call, loop)
        await asyncio.wait((ended,))
        return ended.result()  # type: ignore[no-any-return]

    async def outcome(self, call: CoreGreenlet, loop: asyncio.AbstractEventLoop) -> Any:
        """Wait for the result of a greenlet."""
        future = call.future = loop.create_future()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                if future.exception() is None and (close := getattr(future.result(), "close", None)) is not None:
                    self.start(close)  # the result arrived at the same moment and is dropped
                raise
            ended = self._background(call, loop)
            call.interrupt(asyncio.CancelledError())
            if not ended.done():
                await asyncio.wait((ended,))
            raise
        except GeneratorExit:  # the loop has ended, or dropped the task
            call.dying = True
            call.interrupt(GreenletExit())
            raise

    def _background(self, call: CoreGreenlet, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Any]:
        ended = call.future = loop.create_future()
        self._cleanups.add(ended)
        ended.add_done_callback(self._ended)
        return ended

    def _ended(self, future: asyncio.Future[Any]) -> None:
        self._cleanups.discard(future)
        if not future.cancelled() and (error := future.exception()) is not None:
            log.debug("a cancelled call ended with %r", error)

    async def settle(self) -> None:
        """Wait for the cleanup of calls that were cancelled."""
        while self._cleanups:
            await asyncio.wait(tuple(self._cleanups))

    def run_now(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function that makes no request: properties and constructors.

        Raises:
            NotLoaded: the function makes a request.
        """
        result: R = CoreGreenlet(_NoWaiting(self), function).switch(*args, **kwargs)
        return result

    def start(self, function: Callable[[], object], thread: object = None) -> CoreGreenlet:
        """Schedule a function to run concurrently."""
        call = CoreGreenlet(self, _logged(function))
        call.thread = thread
        assert self._loop is not None
        self._loop.call_soon(call.resume)
        return call

    # -- for the core -----------------------------------------------------------------------------------------

    def wait(self, fd: int, events: int, seconds: float | None) -> int:
        """Wait until a descriptor is ready."""
        if seconds is not None and seconds <= 0:
            return runtime.poll(fd, events, 0)
        return self._watch({fd: events}, seconds) or 0

    def wait_any(self, interests: Mapping[int, int], seconds: float | None) -> dict[int, int]:
        """Wait until one of several descriptors is ready."""
        if seconds is None or seconds > 0:
            self._watch(interests, seconds)
        return runtime.poll_any(interests, 0)

    def _watch(self, interests: Mapping[int, int], seconds: float | None) -> Any:
        caller = _caller()
        if (ready := self._readiness) is None:
            assert self._loop is not None
            ready = self._readiness = readiness(self._loop)
        try:
            for fd, events in interests.items():
                ready.add(fd, events, caller)
            return self._park_within(caller, seconds)
        finally:
            for fd, events in interests.items():
                ready.discard(fd, events, caller)

    def _park_within(self, caller: CoreGreenlet, seconds: float | None) -> Any:
        """Switch to the loop until the caller is resumed; return False if the time is over first."""
        if seconds is None:
            return self.park(caller)
        loop = self._loop
        assert loop is not None
        if seconds <= 0:
            handle = loop.call_soon(caller.resume, False)
            try:
                return self.park(caller)
            finally:
                handle.cancel()
        # One timer for all: most waits end long before their limit, and a timer for each costs more than the wait.
        end = self._limits[caller] = loop.time() + seconds
        if self._timer is None or end < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(end, self._check_limits)
        try:
            return self.park(caller)
        finally:
            self._limits.pop(caller, None)

    def _check_limits(self) -> None:
        self._timer = None
        loop = self._loop
        assert loop is not None
        now = loop.time() + 0.001
        try:
            for caller, end in list(self._limits.items()):
                if end <= now and self._limits.get(caller) == end:  # it may have been resumed meanwhile
                    caller.resume(False)
        finally:
            if self._limits and self._timer is None:
                self._timer = loop.call_at(min(self._limits.values()), self._check_limits)

    def close(self) -> None:
        """Release the descriptors used for waiting; the next wait creates them again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._readiness is not None:
            self._readiness.close()
            self._readiness = None

    def park(self, caller: CoreGreenlet) -> Any:
        """Switch to the loop until the caller is resumed."""
        self.loop  # noqa: B018 - raises WrongEventLoop
        try:
            return caller.parent.switch(PARKED)  # type: ignore[union-attr]
        except GreenletExit:
            caller.dying = True
            raise

    def park_in(self, waiters: list[primitives.Waiter], seconds: float | None) -> bool:
        """Wait until :func:`primitives.wake` is called with the list; return False if the time is over first."""
        caller = _caller()
        waiter = primitives.Waiter(self, caller)
        waiters.append(waiter)
        try:
            return self._park_within(caller, seconds) is True
        finally:
            if waiter.handle is not None:
                waiter.handle.cancel()
            elif waiter in waiters:
                waiters.remove(waiter)

    def call_soon(self, function: Callable[[Any], object], value: object) -> asyncio.Handle:
        """Schedule a function in the loop, from any thread."""
        assert self._loop is not None
        in_loop_thread = threading.get_ident() == self._thread
        return (self._loop.call_soon if in_loop_thread else self._loop.call_soon_threadsafe)(function, value)

    def sleep(self, seconds: float) -> None:
        """Pause the caller, but not the loop."""
        self.park_in([], max(seconds, 0))

    def give_way(self) -> None:
        """Let other tasks run if the caller has run for long."""
        caller = getcurrent()
        if isinstance(caller, CoreGreenlet) and time.monotonic() - caller.resumed_at > TURN and not caller.dying:
            self.park_in([], 0)

    def Thread(self, target: Callable[..., object], args: tuple[Any, ...], name: str) -> Any:
        """Create a greenlet with the interface of a thread."""
        return primitives.Thread(self, target, args, name)

    def current_thread(self) -> object:
        """Return the current thread or greenlet."""
        caller = _caller()
        return caller.thread or caller

    def run_blocking(self, function: Callable[[], R]) -> R:
        """Call a function in the loop's executor."""
        loop = self._loop
        assert loop is not None
        return self._wait_for(loop.run_in_executor(None, function))

    def run_async(self, awaitable: Awaitable[R]) -> R:
        """Await a coroutine for the core: a user's callback, or the next block of an asynchronous iterator."""

        async def waiting() -> R:
            return await awaitable

        loop = self._loop
        assert loop is not None
        if threading.get_ident() != self._thread:  # called from a function in the executor
            return asyncio.run_coroutine_threadsafe(waiting(), loop).result()
        return self._wait_for(loop.create_task(waiting()))

    def _wait_for(self, future: asyncio.Future[R]) -> R:
        waiters: list[primitives.Waiter] = []
        future.add_done_callback(lambda _: primitives.wake(waiters))
        try:
            while not future.done():
                self.park_in(waiters, None)
            return future.result()
        finally:
            future.cancel()


class _NoWaiting(LoopRuntime):
    """For code that must not wait, such as properties."""

    def __init__(self, owner: LoopRuntime) -> None:
        self._owner = owner

    def _refuse(self, *_: object) -> Any:
        raise NotLoaded("this needs a request, which only awaited methods can make")

    wait = wait_any = park_in = run_blocking = run_async = _refuse  # type: ignore[assignment]

    def give_way(self) -> None:
        pass

    def Thread(self, target: Callable[..., object], args: tuple[Any, ...], name: str) -> Any:
        return primitives.Thread(self._owner, target, args, name)


def _caller() -> CoreGreenlet:
    caller = getcurrent()
    if not isinstance(caller, CoreGreenlet):
        raise RuntimeError("this would block the event loop")  # noqa: TRY004 - the type is right, the caller is wrong
    if caller.dying:
        raise RequestCancelled("the event loop has ended")
    return caller


def _logged(function: Callable[[], object]) -> Callable[..., object]:
    def run(_: object = None) -> None:
        try:
            function()
        except Exception:
            log.exception("%r failed", function)

    return run


def _choose() -> LoopRuntime | None:
    current = getcurrent()
    return current.runtime if type(current) is CoreGreenlet else None


runtime.install(_choose)
__all__ = ["PARKED", "CoreGreenlet", "LoopRuntime", "getcurrent"]
