"""Calls that an interrupt can't cut short, so that nothing they create in the engine is lost.

An interrupt is Ctrl-C, an exception from a signal handler, or the cancellation of a task. The engine completes a request
whose client has left, and only the response has the ID of what it created. Interrupts only reach the main thread (or the
task), so the request runs in another one: the response arrives whatever happens to the caller.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from dockerkit import runtime
from dockerkit.errors import DockerException
from dockerkit.errors.base import RefusedArgument

if TYPE_CHECKING:
    from contextlib import ExitStack

P = ParamSpec("P")
T = TypeVar("T")

_GRACE_PERIOD = 3.0  # seconds that an interrupted caller waits for the end of the call
_SLICE = 0.25  # seconds after which Windows notices Ctrl-C
_IDLE_TIMEOUT = 0.1  # seconds that a thread waits for another call; starting one costs more than a call without it


class Shielded(Generic[T]):
    """One call of a function, in a thread that interrupts don't reach.

    Args:
        function: called once, without arguments.
        undo: called with the result if :meth:`undo` was called, even if the function returns later than that.
    """

    def __init__(self, function: Callable[[], T], undo: Callable[[T], object] | None = None) -> None:
        self._function = function
        self._undo = undo
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._lock: Any = None  # held while the function runs in a thread
        self._abandoned = self._ended = False

    def result(self) -> T:
        """Call the function; return its result, or raise its exception."""
        if not self._start_thread():
            self._results.append(self._function())
            return self._results[-1]
        while not self._ended:
            self._lock.acquire(timeout=_SLICE)
        error, self._error = self._error, None
        try:
            if isinstance(error, RefusedArgument):
                error.find_function()
            if error is not None:
                raise error
        finally:
            del error  # its traceback refers to this frame
        return self._results[-1]

    def result_or(self, undo: ExitStack) -> T:
        """Call the function like :meth:`result`, and leave :meth:`undo` to a stack, whose owner clears it on success."""
        undo.callback(self.undo)
        return self.result()

    def _start_thread(self) -> bool:
        """Start a thread; return False if the call needs none, or if the exiting interpreter starts none."""
        if not runtime.interruptible():
            return False
        lock = runtime.Lock()
        lock.acquire()
        context, caller = copy_context(), runtime.current_thread()

        def run() -> None:
            context.run(runtime.acting_for, caller, self._run)

        self._lock = lock
        if runtime.current() is None and _run_in_idle_thread(run):
            return True
        thread = runtime.Thread(_work, (run,), name="dockerkit-shield")
        try:
            thread.start()
        except RuntimeError:
            if thread.ident is not None:
                raise
            self._lock = None
        return self._lock is not None

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # for the caller
            self._error = error
        finally:
            self._ended = True
            self._lock.release()
        if self._abandoned:
            self._undo_result()

    def undo(self, *, quiet: bool = True) -> None:
        """Undo the call if it has succeeded. Wait at most three seconds for its end; if it ends later, undo it then.

        With `quiet`, errors of the engine are logged instead of raised.
        """
        try:
            if self._lock is not None and not self._ended:
                self._lock.acquire(timeout=_GRACE_PERIOD)
        finally:
            self._abandoned = not self._ended
        if self._results:
            shielded(self._undo_result, quiet)

    def _undo_result(self, quiet: bool = True) -> None:
        try:
            result = self._results.pop()
        except IndexError:  # it failed, or another thread was faster
            return
        if self._undo is not None:
            try:
                self._undo(result)
            except DockerException as error:
                if not quiet:
                    raise
                import logging

                logging.getLogger(__name__).warning("an interrupted call could not be undone: %s", error)


class _IdleThread:
    """A thread that has completed a call and waits for another one."""

    def __init__(self) -> None:
        self.call: Callable[[], object] | None = None
        self.ready: Any = runtime.Lock()  # released when there is a call
        self.ready.acquire()


_idle_threads: list[_IdleThread] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle_threads.clear)  # a child has no other threads


def _run_in_idle_thread(call: Callable[[], object]) -> bool:
    """Have an idle thread make a call; return False if there is none."""
    try:
        idle = _idle_threads.pop()
    except IndexError:
        return False
    try:
        idle.call = call
    finally:
        idle.ready.release()
    return True


def _work(call: Callable[[], object]) -> None:
    """Make a call, and the later calls of other threads, until none arrives for a moment."""
    call()
    del call
    if runtime.current() is not None:
        return
    idle = _IdleThread()
    while True:
        _idle_threads.append(idle)
        if not idle.ready.acquire(timeout=_IDLE_TIMEOUT):
            try:
                _idle_threads.remove(idle)
            except ValueError:  # a call is on its way
                idle.ready.acquire()
            else:
                return
        if idle.call is not None:
            call, idle.call = idle.call, None
            call()
            del call


def shielded(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function. An interrupt lets it continue for three seconds at most before it reaches the caller."""
    call = Shielded(lambda: function(*args, **kwargs))
    try:
        return call.result()
    except BaseException:
        call.undo()
        raise
