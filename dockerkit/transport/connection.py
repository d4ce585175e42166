"""One connection to an engine: sends and receives within a deadline, and can be stopped from anywhere.

The socket is non-blocking; :mod:`dockerkit.runtime` waits for it. So every wait has a limit, and :meth:`Connection.stop`
ends it from any thread, signal handler or greenlet: it shuts the socket down, which wakes the waiting code, and leaves
closing the descriptor to that code.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from dockerkit import runtime
from dockerkit.runtime import READ, WRITE
from dockerkit.transport.http1 import Disconnected, Head, HeadParser

if TYPE_CHECKING:
    from dockerkit.transport.scope import Scope

# Maximum size of one read. Measured: with 128 KiB, an export costs a tenth to a third more CPU.
BLOCK = 256 * 1024
FIRST_BLOCK = 16 * 1024

_LARGE_SEND_BUFFER = 2 * 1024 * 1024
_SLICE = 0.25  # seconds after which a blocked writer checks whether the other side has closed
_NO_SENDFILE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EOVERFLOW)
_TLS_DIRECTIONS = {
    "SSLWantReadError": READ,
    "SSLWantWriteError": WRITE,
}  # by name, since importing ssl costs more than a whole client


class Stopped(OSError):
    """The connection was stopped on this side: its stream, client or scope was closed."""


class RespondedEarly(Exception):
    """The engine sent its response before it had received the whole body."""


def next_block(block: int, received: int, limit: int = BLOCK) -> int:
    """Return the size of the next read: double it after a full read, starting with FIRST_BLOCK.

    Most responses are small, and cutting a large buffer to a small response each time fragments memory.
    """
    return min(2 * block, limit) if received == block < limit else block


def blocked_direction(error: OSError, direction: int) -> int:
    """Return the direction to wait for after a call on a socket that would block; 0 for any other error."""
    return direction if isinstance(error, BlockingIOError) else _TLS_DIRECTIONS.get(type(error).__name__, 0)


def _disconnect_error(error: Exception) -> Exception:
    """Return the error to raise for a broken connection; TLS's for a missing closing message is not readable."""
    if type(error).__name__ == "SSLEOFError":
        return ConnectionResetError(errno.ECONNRESET, "the connection ended without TLS's closing message")
    return error


class Connection:
    """A connected socket that belongs to one request at a time.

    Attributes:
        sock: the socket, non-blocking.
        buffer: received bytes that are not used yet.
        stopped: whether it was stopped on this side.
        used: number of requests sent on it; from the second on, the engine may have closed it.
        scope: the scope of the current request.
        sent: bytes sent for the current request.
    """

    __slots__ = (
        *("__weakref__", "_close_requested", "_process", "_reading", "_tls", "_writing"),
        *("buffer", "scope", "sent", "sock", "stopped", "used"),
    )

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.buffer: bytes = b""
        self.stopped: bool = False
        self.used: int = 0
        self.sent: int = 0
        self.scope: Scope | None = None
        self._process = os.getpid()
        self._tls = hasattr(sock, "pending")
        self._reading = self._writing = self._close_requested = False

    def deadline_after(self, seconds: float | None) -> float | None:
        """Return the time on the monotonic clock at which a wait of at most `seconds` ends, here and by the scope."""
        scope = self.scope
        if scope is None or scope.deadline is None:
            return None if seconds is None else time.monotonic() + seconds
        return scope.deadline if seconds is None else min(time.monotonic() + seconds, scope.deadline)

    def earliest_deadline(self, deadline: float | None) -> float | None:
        """Return the earlier of a deadline and the scope's."""
        scope = self.scope
        if scope is None or scope.deadline is None:
            return deadline
        return scope.deadline if deadline is None else min(deadline, scope.deadline)

    def recv(self, size: int, deadline: float | None) -> bytes:
        """Return received bytes, at most `size`; b"" at the end.

        Raises:
            TimeoutError: nothing was received in time.
            Stopped: the connection was stopped.
        """
        if self.buffer and not self.stopped:
            data, self.buffer = self.buffer[:size], self.buffer[size:]
            return data
        try:
            self._reading = True
            while True:
                try:
                    data = self.sock.recv(size)
                except OSError as error:
                    self._wait_for(error, READ, deadline)
                else:
                    if self.stopped:
                        raise Stopped("the connection was closed")
                    if not data:
                        self._raise_failure()
                    runtime.give_way()
                    return data
        finally:
            self._reading = False
            self._close_if_requested()

    def send_all(self, data: bytes | memoryview, seconds: float | None = None, *, watch: bool = False) -> None:
        """Send all bytes.

        Args:
            data: bytes, or a view of single bytes.
            seconds: limit of each wait until the other side accepts more.
            watch: whether to check for a response meanwhile.

        Raises:
            TimeoutError: the other side accepts no more.
            RespondedEarly: a response arrived before everything was sent.
            Stopped: the connection was stopped.
        """
        try:
            self._writing = True
            while True:
                try:
                    sent = self.sock.send(data)
                except OSError as error:
                    self._wait_for(error, WRITE, self.deadline_after(seconds), watch=watch)
                    continue
                self.sent += sent
                if sent == len(data):
                    runtime.give_way()
                    return
                data = memoryview(data)[sent:]
                self._wait(WRITE, self.deadline_after(seconds), watch=watch)  # a retry now would fail
        finally:
            self._writing = False
            self._close_if_requested()

    @property
    def can_send_files(self) -> bool:
        """Whether :meth:`send_file` is supported on this connection."""
        return not self._tls and hasattr(os, "sendfile")

    def expect_upload(self) -> None:
        """Give a Unix socket a large buffer: each wait until the engine accepts more costs as much as copying 100 KiB.

        A TCP socket sizes its own.
        """
        if self.sock.family == getattr(socket, "AF_UNIX", None):
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGE_SEND_BUFFER)

    def send_some(self, data: memoryview) -> int:
        """Send what the other side accepts immediately; return the number of bytes."""
        try:
            self._writing = True
            return self.sock.send(data[: 64 * 1024])
        except OSError as error:
            if self.stopped or not blocked_direction(error, WRITE):
                raise
            return 0
        finally:
            self._writing = False
            self._close_if_requested()

    def wait_for_room(self, deadline: float | None) -> None:
        """Wait until the other side accepts more.

        Raises:
            BrokenPipeError: the other side has closed the connection.
            TimeoutError: the time is over.
        """
        try:
            self._writing = True
            while True:
                try:
                    if self.sock.recv(1, socket.MSG_PEEK) == b"":
                        raise BrokenPipeError(errno.EPIPE, "the other side has closed the connection")
                except BlockingIOError:
                    pass
                next_check = time.monotonic() + _SLICE
                try:
                    return self._wait(WRITE, next_check if deadline is None else min(next_check, deadline))
                except TimeoutError:
                    if deadline is not None and time.monotonic() >= deadline:
                        raise
        finally:
            self._writing = False
            self._close_if_requested()

    def wait(self, direction: int, deadline: float | None) -> None:
        """Wait for either direction of a connection that one thread reads and writes."""
        try:
            self._writing = True
            self._wait(direction, deadline)
        finally:
            self._writing = False
            self._close_if_requested()

    def send_file(self, descriptor: int, offset: int, size: int, seconds: float | None) -> int:
        """Send a part of a file without copying it through Python; return how many bytes were sent.

        Returns less than `size` if the file is shorter, or if the system can't send from it; read and send the rest then.
        """
        remaining = size
        try:
            self._writing = True
            while remaining:
                limit = min(remaining, 2**30)
                try:
                    sent = os.sendfile(self.sock.fileno(), descriptor, offset, limit)
                except OSError as error:
                    if error.errno in _NO_SENDFILE:
                        break
                    self._wait_for(error, WRITE, self.deadline_after(seconds), watch=True)
                    continue
                if not sent:
                    break
                self.sent += sent
                offset, remaining = offset + sent, remaining - sent
                if sent < limit:
                    self._wait(WRITE, self.deadline_after(seconds), watch=True)
        finally:
            self._writing = False
            self._close_if_requested()
        return size - remaining

    def read_head(self, method: str, seconds: float | None, *, upgrade: bool = False) -> Head:
        """Read the head of a response; bytes after it stay in :attr:`buffer`.

        Args:
            method: method of the request.
            seconds: time until the head must be complete.
            upgrade: whether the request asked to upgrade the connection.

        Raises:
            TimeoutError: the head was not complete in time.
            Disconnected: the connection was closed before.
            InvalidResponse: the received bytes are not an HTTP response.
            Stopped: the connection was stopped.
        """
        deadline = self.deadline_after(seconds)
        parser = HeadParser(method, upgrade=upgrade)
        data, self.buffer = self.buffer, b""
        try:
            self._reading = True
            while True:
                if data and (head := parser.feed(data)) is not None:
                    self.buffer = parser.rest
                    return head
                if not self._tls:  # TLS may have read its bytes from the socket already
                    self._wait(READ, deadline)
                try:
                    data = self.sock.recv(FIRST_BLOCK)
                except OSError as error:
                    data = b""
                    self._wait_for(error, READ, deadline)
                else:
                    if self.stopped:
                        raise Stopped("the connection was closed")
                    if not data:
                        self._raise_failure()
                        raise Disconnected("the connection was closed before the response was complete")
        finally:
            self._reading = False
            self._close_if_requested()

    def early_response(self, method: str) -> bool:
        """Receive while a body is being sent; return whether a final response has arrived."""
        try:
            data = self.sock.recv(FIRST_BLOCK)
        except OSError as error:
            if not blocked_direction(error, READ):
                raise
            return False
        if not data:
            raise BrokenPipeError("the engine closed the connection while a body was being sent")
        self.buffer += data
        return HeadParser(method).feed(self.buffer) is not None

    def _wait_for(self, error: OSError, direction: int, deadline: float | None, *, watch: bool = False) -> None:
        """Wait until a call on the socket that would block can be retried; raise any other error."""
        if self.stopped:
            raise Stopped("the connection was closed") from error
        blocked = blocked_direction(error, direction)
        if not blocked:
            self._raise_failure()
            raise _disconnect_error(error)
        self._wait(blocked, deadline, watch=watch)

    def _raise_failure(self) -> None:
        """Raise the error that ended a bridged stream, if one did."""
        failure: Exception | None = getattr(self.sock, "failure", None)
        if failure is not None:
            raise _disconnect_error(failure if hasattr(failure, "library") else ConnectionResetError(str(failure)))

    def _wait(self, direction: int, deadline: float | None, *, watch: bool = False) -> None:
        seconds = None
        if deadline is not None:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                raise TimeoutError("timed out")
        if self.stopped:
            raise Stopped("the connection was closed")
        ready = runtime.wait(self.sock.fileno(), direction | (READ if watch else 0), seconds)
        if not ready:
            raise TimeoutError("timed out")
        if watch and ready & READ and self.early_response("POST"):
            raise RespondedEarly

    def is_stale(self) -> bool:
        """Return whether an idle connection can't be reused: the engine closed it, or sent unrequested bytes."""
        return bool(self.buffer) or bool(runtime.wait(self.sock.fileno(), READ, 0))

    def stop(self) -> None:
        """Shut down both directions, and wake the code that waits for them, which closes the descriptor.

        In a forked child this does not affect the parent's connection.
        """
        self.stopped = True
        if self._process == os.getpid():
            shutdown = self.sock.shutdown
            if self._tls:  # its own shutdown forgets TLS's state; gevent has another class named "socket"
                base: Any = next(cls for cls in type(self.sock).__mro__ if cls.__name__ == "socket")
                shutdown = partial(base.shutdown, self.sock)
            with contextlib.suppress(OSError):
                shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection. A thread that waits for it closes the descriptor, so that its number is not reused too early."""
        self.stopped = self._close_requested = True
        if self._reading or self._writing:
            self.stop()
        else:
            self._close_if_requested()

    def _close_if_requested(self) -> None:
        if self._close_requested and not (self._reading or self._writing):
            with contextlib.suppress(OSError):
                self.sock.close()

    def abandon(self) -> None:
        """Close only this process's handle, after a fork."""
        self.stopped = True
        with contextlib.suppress(OSError):
            os.close(self.sock.detach())

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            self.sock.close()
