"""Wait for descriptors: one epoll descriptor in the event loop for all sockets of a client, if the system has epoll.

Registering each wait with the loop costs 10 µs in asyncio. This costs one system call. It also tolerates descriptors that are
closed by finalizers in other threads: the kernel forgets them, and no other list contains them.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from dockerkit.errors import StreamInUse
from dockerkit.runtime import READ, WRITE

if TYPE_CHECKING:
    import asyncio

    from dockerkit.aio.greenlets import CoreGreenlet

__all__ = ["Readiness", "readiness"]


class Readiness:
    """Resumes greenlets when their descriptors are ready, with the loop's own methods.

    Args:
        loop: the running loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._readers: dict[int, CoreGreenlet] = {}
        self._writers: dict[int, CoreGreenlet] = {}

    def add(self, fd: int, events: int, caller: CoreGreenlet) -> None:
        """Resume a greenlet with the events when one of them occurs.

        Raises:
            StreamInUse: another greenlet waits for the same descriptor.
        """
        if events & READ and self._readers.setdefault(fd, caller) is not caller:
            raise StreamInUse
        if events & WRITE and self._writers.setdefault(fd, caller) is not caller:
            raise StreamInUse
        self._watch(fd)

    def discard(self, fd: int, events: int, caller: CoreGreenlet) -> None:
        """Undo :meth:`add`."""
        if events & READ and self._readers.get(fd) is caller:
            del self._readers[fd]
            self._loop.remove_reader(fd)
        if events & WRITE and self._writers.get(fd) is caller:
            del self._writers[fd]
            self._loop.remove_writer(fd)

    def close(self) -> None:
        """Close its descriptor, if it has one."""

    def _watch(self, fd: int) -> None:
        if (reader := self._readers.get(fd)) is not None:
            self._loop.add_reader(fd, reader.resume, READ)
        if (writer := self._writers.get(fd)) is not None:
            self._loop.add_writer(fd, writer.resume, WRITE)


class _Epoll(Readiness):
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._epoll = select.epoll()
        self._closing = False
        loop.add_reader(self._epoll.fileno(), self._ready)

    def discard(self, fd: int, events: int, caller: CoreGreenlet) -> None:
        # The kernel may still report it once: then no greenlet is resumed.
        if events & READ and self._readers.get(fd) is caller:
            del self._readers[fd]
        if events & WRITE and self._writers.get(fd) is caller:
            del self._writers[fd]
        if self._closing:
            self.close()

    def close(self) -> None:
        self._closing = True
        if not (self._readers or self._writers or self._epoll.closed):  # the last waiting greenlet closes it
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _watch(self, fd: int) -> None:
        mask = (READ if fd in self._readers else 0) | (WRITE if fd in self._writers else 0)
        if mask:
            try:
                self._epoll.modify(fd, mask | select.EPOLLONESHOT)
            except FileNotFoundError:
                self._epoll.register(fd, mask | select.EPOLLONESHOT)

    def _ready(self) -> None:
        events = self._epoll.poll(0) if not self._epoll.closed else []
        for number, (fd, mask) in enumerate(events):
            try:
                self._resume(fd, mask)
            except BaseException:  # such as KeyboardInterrupt, which ends the loop, or not
                for rest in events[number + 1 :]:
                    self._loop.call_soon(self._resume, *rest)
                raise

    def _resume(self, fd: int, mask: int) -> None:
        # Errors and hang-ups concern both directions.
        reader = self._readers.pop(fd, None) if mask & ~WRITE else None
        writer = self._writers.pop(fd, None) if mask & ~READ else None
        if fd in self._readers or fd in self._writers:
            self._watch(fd)
        if reader is not None:
            reader.resume(mask)
        if writer is not None and writer is not reader:
            writer.resume(mask)


def readiness(loop: asyncio.AbstractEventLoop) -> Readiness:
    """Return the best implementation for this system."""
    return _Epoll(loop) if hasattr(select, "epoll") else Readiness(loop)
