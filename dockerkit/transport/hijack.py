"""A connection that attach or exec has taken over: bytes both ways, until each side says that it is done."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from dockerkit.errors import ClientClosed, StreamTruncated
from dockerkit.transport import failures
from dockerkit.transport.exchange import BLOCK, FIRST_BLOCK, Release, followed, next_block

if TYPE_CHECKING:
    from dockerkit.transport.pool import Connection


class Hijacked:
    """A raw stream to a process in a container, with the manners of a socket and of a file.

    What came together with the engine's head is read first, so no byte is lost. To use it with ``select``, read until
    :attr:`pending` is 0 before waiting on :meth:`fileno`.

    Attributes:
        status: the head's status, 101 or 200.
        headers: the head's headers.
        received: bytes that were read so far.
        closed: whether :meth:`close` was called.
    """

    def __init__(
        self,
        response: http.client.HTTPResponse,
        connection: Connection,
        release: Release,
        asked: str,
    ) -> None:
        self.status: int = response.status
        self.headers: Mapping[str, str] = cast("Mapping[str, str]", response.headers)
        self.received: int = 0
        self.closed: bool = False
        self._connection = connection
        self._socket = connection.sock
        self._release = release
        self._asked = asked
        self._early = _drain(response, self._socket)
        self._socket.settimeout(None)

    @property
    def media_type(self) -> str:
        """The Content-Type, which tells multiplexed from raw output from API 1.42 on; "" where there is none."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip()

    @property
    def pending(self) -> int:
        """Bytes that have been received and not yet read."""
        return len(self._early)

    @property
    def _sock(self) -> Hijacked:
        """What code written for docker-py takes from its socket file; the same object, so that no byte is skipped."""
        return self

    def recv(self, size: int = BLOCK) -> bytes:
        """What has come, at most ``size`` bytes; b"" at the end.

        Raises:
            TimeoutError: nothing came within :meth:`settimeout`.
            StreamTruncated: the connection broke.
            ClientClosed: the client was closed meanwhile.
        """
        if self._early:
            data, self._early = self._early[:size], self._early[size:]
            self.received += len(data)
            return data
        try:
            data = self._socket.recv(size)
        except TimeoutError:
            raise
        except (OSError, ValueError) as error:
            self._end(error)
            return b""
        if not data and self._connection.pool_closed():
            raise ClientClosed(f"the client was closed during {self._asked}")
        self.received += len(data)
        return data

    def recv_into(self, buffer: bytearray | memoryview, nbytes: int = 0) -> int:
        """Like :meth:`recv`, into a buffer; returns how many bytes."""
        view = memoryview(buffer)
        data = self.recv(nbytes or len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        """What has come, at most ``size`` bytes; with -1 everything until the end."""
        if size is not None and size >= 0:
            return self.recv(size) if size else b""
        return b"".join(self.chunks())

    readinto = recv_into

    def chunks(self, size: int = BLOCK) -> Iterator[bytes]:
        """Blocks as they come, until the end."""
        block = min(size, FIRST_BLOCK)
        while data := self.recv(block):
            block = next_block(block, len(data), size)
            yield data

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Send to the process's stdin; returns how many bytes were taken, which is all of them."""
        self.sendall(data)
        return len(data)

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it to the process's stdin.

        Raises:
            BrokenPipeError: the other end no longer reads.
        """
        self._socket.sendall(data)

    write = send

    def flush(self) -> None:
        """Nothing: what is sent is never kept back."""

    def close_write(self) -> None:
        """Say that no more input comes: the process sees the end of its stdin, its output goes on."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def shutdown(self, how: int) -> None:
        """As a socket's: SHUT_WR is :meth:`close_write`, the others close."""
        if how == socket.SHUT_WR:
            self.close_write()
        else:
            self._connection.shut_down()

    def fileno(self) -> int:
        """The socket's descriptor; -1 when closed."""
        return self._socket.fileno()

    def settimeout(self, seconds: float | None) -> None:
        """How long :meth:`recv` and :meth:`send` wait; None is for ever."""
        self._socket.settimeout(seconds)

    def gettimeout(self) -> float | None:
        """The seconds set by :meth:`settimeout`."""
        return self._socket.gettimeout()

    def setblocking(self, flag: bool) -> None:
        """As a socket's."""
        self._socket.setblocking(flag)

    def readable(self) -> bool:
        """True: as a file object's."""
        return True

    def writable(self) -> bool:
        """True: as a file object's."""
        return True

    def when_done(self, then: Callable[[], None]) -> None:
        """Have a function called when this is closed."""
        if self.closed:
            then()
        else:
            self._release = followed(self._release, then)

    def close(self) -> None:
        """Close both directions; may be called from any thread, and wakes one that reads."""
        if not self.closed:
            self.closed = True
            self._connection.shut_down()
            self._release(self._connection, False)

    def _end(self, error: Exception) -> None:
        """A read that failed: the end, if we closed; an error otherwise."""
        if self.closed:
            return
        if self._connection.pool_closed():
            raise ClientClosed(f"the client was closed during {self._asked}") from error
        raise StreamTruncated(f"the connection of {self._asked} broke: {failures._cause(error)}") from error

    def __enter__(self) -> Hijacked:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            self.close()


def _drain(response: http.client.HTTPResponse, sock: socket.socket) -> bytes:
    """Take the bytes which the head's buffer holds beyond the head, without waiting for more."""
    sock.settimeout(0)
    early = b""
    try:
        early = response.fp.peek()
        early = response.fp.read(len(early)) if early else b""
    except BlockingIOError:
        pass
    finally:
        with contextlib.suppress(OSError):
            response.close()  # the buffer only: the connection keeps the socket
    return early or b""
