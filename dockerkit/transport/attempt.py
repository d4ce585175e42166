"""One attempt to connect, with its deadline and cancellation."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from typing import Any

from dockerkit import runtime
from dockerkit.transport.connection import Stopped, blocked_direction
from dockerkit.transport.scope import Scope

_SLICE = 0.25  # seconds of one wait; stop() takes effect within this time
_FIRST_PAUSE, _MAX_PAUSE = 0.01, 0.25
_IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY)


class _Socket(socket.socket):
    """Closes itself when it is dropped: a signal handler may raise before anything owns it."""

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            if self.fileno() >= 0:
                socket.close(self.detach())


class Attempt(Scope):
    """Limits all steps of connecting together. :meth:`stop` makes the current or next wait raise :class:`Stopped`."""

    __slots__ = ()

    def done(self) -> None:
        """Leave the scope of the caller."""
        if self._outer is not None:
            self._outer.discard(self)

    def remaining(self) -> float | None:
        """Return the seconds left; None without limit. Raise Stopped or TimeoutError if it has ended."""
        if self.cancelled:
            raise Stopped("connecting was stopped")
        seconds = super().remaining()
        if seconds == 0:
            raise TimeoutError("timed out")
        return seconds

    def wait(self, sock: socket.socket, direction: int) -> None:
        """Wait until a socket is ready."""
        while not runtime.wait(sock.fileno(), direction, min(self.remaining() or _SLICE, _SLICE)):
            pass

    def wait_for(self, error: OSError, sock: socket.socket, direction: int) -> None:
        """Wait until a call on a socket that would block can be retried; raise any other error."""
        if not (blocked := blocked_direction(error, direction)):
            raise error
        self.wait(sock, blocked)

    def sleep(self, seconds: float) -> None:
        """Pause, at most until the deadline."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            runtime.sleep(min(left, self.remaining() or _SLICE, _SLICE))

    def connect(self, family: int, address: str | tuple[Any, ...]) -> socket.socket:
        """Return a connected, non-blocking socket.

        While the queue of a Unix socket is full, connecting is retried, as a blocking connect would wait.
        """
        sock = _Socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            pause = _FIRST_PAUSE
            while True:
                self.remaining()
                code = sock.connect_ex(address)
                if code == errno.EAGAIN and family not in (socket.AF_INET, socket.AF_INET6):
                    self.sleep(pause)
                    pause = min(2 * pause, _MAX_PAUSE)
                    continue
                if code in _IN_PROGRESS:
                    self.wait(sock, runtime.WRITE)
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, os.strerror(code))
                return sock
        except BaseException:
            sock.close()
            raise

    def connect_tcp(self, host: str, port: int) -> socket.socket:
        """Return a connected, non-blocking socket to the first address of a host that accepts."""
        addresses = runtime.run_blocking(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        failure: OSError | None = None
        for family, _, _, _, address in addresses:
            try:
                return self.connect(family, address)
            except (TimeoutError, Stopped):
                raise
            except OSError as error:
                failure = failure or error
        raise failure or OSError(f"no address for {host}")
