"""Iterators of the object layer, closed from any thread or signal handler, on garbage collection, and at exit."""

from __future__ import annotations

import os
import queue
import time
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dockerkit import runtime
from dockerkit.streams.closable import ClosableIterator

if TYPE_CHECKING:
    import threading

__all__ = ["OwnedStream", "Producer", "carry", "join_all", "when_dropped"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_JOIN_SECONDS = 1.0
_SLICE = 0.2


class Producer(Protocol[T_co]):
    """The source of a stream. It must not refer to the stream, so that the stream is freed when it is dropped."""

    def items(self) -> Iterator[T_co]:
        """Yield the items."""
        ...

    def close(self) -> None:
        """Stop, and release everything. Called from signal handlers and finalizers; further calls do nothing."""


class OwnedStream(ClosableIterator[T]):
    """An iterator and context manager that closes its producer at the latest on garbage collection.

    Args:
        producer: yields the items.
        about: description of the source, for ``repr``: ``"container 'web'"``.
        dropped: called instead of ``producer.close`` on garbage collection, or when the interpreter exits.
    """

    def __init__(self, producer: Producer[T], dropped: Callable[[], object] | None = None, *, about: str = "") -> None:
        self._items = producer.items()
        self._about = about
        self._close = when_dropped(self, dropped or producer.close)

    def close(self) -> None:
        """Stop, and end the iteration. May be called from any thread or signal handler."""
        self._close()

    def __repr__(self) -> str:
        about = f" of {self._about}" if self._about else ""
        return f"<{type(self).__name__}{about}{'' if self._close.alive else ', closed'}>"


def when_dropped(owner: object, close: Callable[[], object]) -> weakref.finalize[..., Any]:
    """Call a function when its owner is garbage-collected, or when the interpreter exits; not in a forked child."""
    return weakref.finalize(owner, _close_here, os.getpid(), close)


def _close_here(process: int, close: Callable[[], object]) -> None:
    if process == os.getpid():  # objects in a forked child belong to its parent
        close()


def carry(source: Iterator[T], target: Any, stopped: Callable[[], bool], end: object = None) -> None:
    """Put all items into a bounded queue, followed by ``end``, or by an exception."""
    try:
        for item in source:
            if not _put(target, item, stopped):
                return
    except BaseException as error:  # raised in the receiving thread
        end = error
    _put(target, end, stopped)


def _put(target: Any, item: object, stopped: Callable[[], bool]) -> bool:
    while not stopped():
        try:
            target.put(item, timeout=_SLICE)
        except queue.Full:
            continue
        return True
    return False


def join_all(threads: list[threading.Thread]) -> None:
    """Wait at most a second for stopped threads."""
    deadline = time.monotonic() + _JOIN_SECONDS
    for thread in threads:
        if thread is not runtime.current_thread() and thread.ident is not None:
            thread.join(max(deadline - time.monotonic(), 0))
