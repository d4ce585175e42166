"""A connection taken over by attach or exec: raw bytes in both directions."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Iterable, Iterator

from dockerkit.errors import ClientClosed
from dockerkit.runtime import READ, WRITE
from dockerkit.transport.connection import BLOCK, FIRST_BLOCK, Connection, next_block
from dockerkit.transport.exchange import ConnectionOwner, ConnectionReader
from dockerkit.transport.http1 import Head


class HijackedConnection(ConnectionReader):
    """A raw stream to a process in a container, with the methods of a socket and of a file.

    Bytes that arrived together with the engine's head are read first. To use it with ``select``, read until
    :attr:`pending` is 0 before waiting on :meth:`fileno`. One thread may read while another writes.

    Attributes:
        status: HTTP status, 101 or 200.
        headers: headers of the response.
        received: bytes read so far.
        closed: whether :meth:`close` was called.
    """

    received: int

    def __init__(self, head: Head, connection: Connection, pool: ConnectionOwner, request_line: str) -> None:
        super().__init__(head, connection, pool, request_line, None)
        self._is_shut_down = False

    @property
    def media_type(self) -> str:
        """The Content-Type, which distinguishes multiplexed from raw output since API 1.42; "" if there is none."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip()

    @property
    def pending(self) -> int:
        """Number of bytes that were received but not read yet."""
        return len(self._connection.buffer)

    @property
    def raw_socket(self) -> socket.socket:
        """The connected socket, non-blocking. Read the :attr:`pending` bytes with :meth:`recv` first."""
        return self._connection.sock

    @property
    def _sock(self) -> HijackedConnection:
        """The object itself, for code that takes ``_sock`` from docker-py's socket file."""
        return self

    def recv(self, size: int = BLOCK) -> bytes:
        """Return received bytes, at most ``size``; b"" at the end.

        Raises:
            TimeoutError: nothing arrived within :meth:`settimeout`.
            StreamTruncated: the connection broke.
            ClientClosed: the client was closed meanwhile.
        """
        try:
            return self.receive(self._connection.deadline_after(self._seconds), size)
        except TimeoutError:
            if self._seconds == 0:
                raise BlockingIOError(errno.EAGAIN, "nothing has been received yet") from None
            raise

    def receive(self, deadline: float | None = None, size: int = BLOCK) -> bytes:
        """Return received bytes; b"" at the end.

        Args:
            deadline: time on the monotonic clock; None waits indefinitely.
            size: maximum bytes.

        Raises:
            TimeoutError, StreamTruncated, ClientClosed: as for :meth:`recv`.
        """
        try:
            data = self._connection.recv(size, self._connection.earliest_deadline(deadline))
        except TimeoutError:
            raise
        except (OSError, ValueError) as error:
            if self.closed or self._is_shut_down:
                return b""
            self._raise_read_error(OSError(error) if isinstance(error, ValueError) else error)
        if not data and self._pool.closed:
            raise ClientClosed(f"the client was closed during {self._request_line}")
        self.received += len(data)
        return data

    def recv_into(self, buffer: bytearray | memoryview, nbytes: int = 0) -> int:
        """Receive into a buffer, as :meth:`recv` does; return the number of bytes."""
        view = memoryview(buffer)
        data = self.recv(nbytes or len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        """Return received bytes, at most ``size``; -1 reads until the end."""
        if size is not None and size >= 0:
            return self.recv(size) if size else b""
        return b"".join(self.chunks())

    readinto = recv_into

    def chunks(self, size: int = BLOCK, *, deadline: float | None = None) -> Iterator[bytes]:
        """Yield blocks as they arrive, until the end. The deadline applies even if output never pauses."""
        block = min(size, FIRST_BLOCK)
        while data := self.recv(block) if deadline is None else self.receive(deadline, block):
            block = next_block(block, len(data), size)
            yield data
            _check_deadline(deadline)

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Send all bytes to the process's stdin; return their number."""
        self.sendall(data)
        return len(data)

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Send all bytes to the process's stdin.

        Raises:
            BrokenPipeError: the process no longer reads its input.
            TimeoutError: it accepted no more within :meth:`settimeout`.
        """
        self.transmit(data, self._connection.deadline_after(self._seconds))

    def transmit(self, data: bytes | bytearray | memoryview, deadline: float | None = None) -> None:
        """Send all bytes.

        Args:
            data: bytes to send.
            deadline: time on the monotonic clock; None waits indefinitely.

        Raises:
            BrokenPipeError: the process no longer reads its input, or its output has ended.
            TimeoutError: the process did not accept everything in time.
        """
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[self._connection.send_some(rest) :]
            if rest:
                self._connection.wait_for_room(self._connection.earliest_deadline(deadline))

    def converse(self, blocks: Iterable[bytes], deadline: float | None = None) -> Iterator[bytes]:
        """Send all blocks and the end of input, and yield the output meanwhile and afterwards.

        When the process stops reading, the rest of the input is discarded.

        Raises:
            TimeoutError, StreamTruncated, ClientClosed: as for :meth:`receive`. StreamTruncated is also raised, after all
                output, if the input was refused: the process has ended, or the connection is broken.
        """
        connection, source, rest = self._connection, iter(blocks), memoryview(b"")
        refused: OSError | None = None
        while True:
            if not rest:
                block = next(source, None)
                if block is None:
                    self.close_write()
                    break
                rest = memoryview(block).cast("B")
            try:
                rest = rest[connection.send_some(rest) :]
            except (BrokenPipeError, ConnectionResetError) as error:
                refused = error
                break
            while data := self._receive_available():
                yield data
                _check_deadline(deadline)
            if data is None:  # the output ended before all input was sent
                return
            if rest:
                connection.wait(READ | WRITE, connection.earliest_deadline(deadline))
        yield from self.chunks(deadline=deadline)
        if refused and not self.closed:  # a reset is reported only once, here to the sender
            self._raise_read_error(refused)

    def _receive_available(self) -> bytes | None:
        """Return available bytes; b"" if there are none, None at the end."""
        try:
            return self.receive(0) or None
        except TimeoutError:
            return b""

    write = send

    def flush(self) -> None:
        """Do nothing: output is never buffered."""

    def close_write(self) -> None:
        """Close the process's stdin; its output continues."""
        with contextlib.suppress(OSError):
            self._connection.sock.shutdown(socket.SHUT_WR)

    def shutdown(self, how: int) -> None:
        """Shut down as a socket does: SHUT_WR is :meth:`close_write`, the others end both directions."""
        if how == socket.SHUT_WR:
            self.close_write()
        else:
            self._is_shut_down = True
            self._connection.stop()

    def fileno(self) -> int:
        """Return the socket's descriptor; -1 if closed."""
        return self._connection.sock.fileno()

    def settimeout(self, seconds: float | None) -> None:
        """Set how long :meth:`recv` and :meth:`send` wait; None waits indefinitely."""
        self._seconds = seconds

    def gettimeout(self) -> float | None:
        """Return the seconds set by :meth:`settimeout`."""
        return self._seconds

    def setblocking(self, flag: bool) -> None:
        """Set the blocking mode as for a socket: a non-blocking :meth:`recv` raises BlockingIOError."""
        self._seconds = None if flag else 0

    def readable(self) -> bool:
        """Return True, as a file object does."""
        return True

    def writable(self) -> bool:
        """Return True, as a file object does."""
        return True


def _check_deadline(deadline: float | None) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise TimeoutError("the process did not end in time")
