"""A real socket in front of something else: a Windows pipe, or a channel of paramiko.

Two threads copy bytes between it and one end of a socket pair. The other end supports select, timeouts and shutdown
like any socket.
"""

from __future__ import annotations

import contextlib
import os
import socket
import weakref
from typing import Protocol

from dockerkit import runtime
from dockerkit.transport.connection import Connection

_BLOCK = 64 * 1024


class Duplex(Protocol):
    """A bidirectional stream to bridge."""

    def recv(self, nbytes: int, /) -> bytes:
        """Return received bytes; b"" at the end."""
        ...

    def sendall(self, data: bytes, /) -> None:
        """Send all bytes."""

    def shutdown_write(self) -> None:
        """Signal the end of the output."""

    def close(self) -> None:
        """Close both directions, and wake a thread that waits in :meth:`recv`."""


class _Near(socket.socket):
    """The near end; closing it closes the bridged stream."""

    far: Duplex | None = None
    process = 0
    failure: Exception | None = None  # that ended the bridged stream

    def close(self) -> None:
        super().close()
        if self.far is not None:
            if self.process == os.getpid():  # a forked child must not close the parent's stream
                self.far.close()
            self.far = None


def bridge(far: Duplex, name: str) -> socket.socket:
    """Return a socket that is connected to another stream, and closes it too."""
    near, far_end = socket.socketpair()
    near = _Near(fileno=near.detach())
    near.far, near.process = far, os.getpid()
    inner = Connection(far_end)
    runtime.Thread(_copy_to_far, (inner, far), name=name).start()
    runtime.Thread(_copy_from_far, (inner, far, weakref.ref(near)), name=name).start()
    return near


def _copy_to_far(inner: Connection, far: Duplex) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := inner.recv(_BLOCK, None):
            far.sendall(data)
        far.shutdown_write()


def _copy_from_far(inner: Connection, far: Duplex, near: weakref.ref[_Near]) -> None:
    try:
        while data := far.recv(_BLOCK):
            inner.send_all(data)
    except (OSError, EOFError) as error:
        if (ours := near()) is not None:
            ours.failure = error
    finally:
        inner.stop()  # also wakes the other thread
        inner.close()
        far.close()
