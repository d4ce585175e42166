"""A real socket for what is none: a Windows pipe, a channel of paramiko.

Two threads carry bytes between it and one end of a socket pair; the other end can be selected on, timed out and cut
like any socket.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import Protocol

_BLOCK = 64 * 1024


class Duplex(Protocol):
    """What is bridged."""

    def recv(self, nbytes: int, /) -> bytes:
        """What has come; b"" at the end."""
        ...

    def sendall(self, data: bytes, /) -> None:
        """Send all of it."""

    def shutdown_write(self) -> None:
        """Say that nothing more is sent."""

    def close(self) -> None:
        """Close both directions, and wake whoever waits in :meth:`recv`."""


class _Near(socket.socket):
    """Our end; closing it closes the other thing."""

    far: Duplex | None = None
    process = 0

    def _real_close(self) -> None:
        super()._real_close()  # type: ignore[misc]
        if self.far is not None:
            if self.process == os.getpid():  # a forked child must not end the parent's conversation
                self.far.close()
            self.far = None


def bridge(far: Duplex, name: str) -> socket.socket:
    """Connect a socket to something else.

    Args:
        far: the other thing; closed with the socket.
        name: of the threads.

    Returns:
        The socket, connected.
    """
    near, inner = socket.socketpair()
    near = _Near(fileno=near.detach())
    near.far, near.process = far, os.getpid()
    threading.Thread(target=_outwards, args=(inner, far), name=name, daemon=True).start()
    threading.Thread(target=_inwards, args=(inner, far), name=name, daemon=True).start()
    return near


def _outwards(inner: socket.socket, far: Duplex) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := inner.recv(_BLOCK):
            far.sendall(data)
        far.shutdown_write()


def _inwards(inner: socket.socket, far: Duplex) -> None:
    try:
        while data := far.recv(_BLOCK):
            inner.sendall(data)
    except (OSError, EOFError):
        pass
    finally:
        with contextlib.suppress(OSError):
            inner.shutdown(socket.SHUT_RDWR)  # wakes the other thread, too
        inner.close()
        far.close()
