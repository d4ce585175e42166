"""A response of the engine: its head, and its body, which is read once and in blocks."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NoReturn, Protocol

from dockerkit.errors import ClientClosed, DockerException, RequestCancelled, StreamParseError, StreamTruncated
from dockerkit.transport import failures
from dockerkit.transport.chunked import ChunkDecoder
from dockerkit.transport.connection import BLOCK, FIRST_BLOCK, Connection, next_block
from dockerkit.transport.http1 import Head

if TYPE_CHECKING:
    from typing import Self

MAX_RESPONSE_BYTES = 512 * 1024 * 1024
_JOIN_THRESHOLD = 16  # joining more chunks than this of one read costs less than passing each on


class ConnectionOwner(Protocol):
    """The owner of a connection: a pool, or the transport that created it."""

    closed: bool

    def release(self, connection: Connection, reusable: bool) -> None:
        """Take a connection back after use, to reuse or close it."""


class ConnectionReader:
    """A connection in use by one reader: the common part of responses and hijacked connections.

    Attributes:
        status: HTTP status.
        reason: reason phrase.
        headers: headers of the response.
        received: bytes read so far.
        closed: whether it was closed before its end.
    """

    __slots__ = (
        *("_request_line", "_callbacks", "_connection", "_finished", "_pool", "_seconds"),
        *("closed", "headers", "reason", "received", "status"),
    )

    def __init__(
        self, head: Head, connection: Connection, pool: ConnectionOwner, request_line: str, seconds: float | None
    ) -> None:
        self.status: int = head.status
        self.reason: str = head.reason
        self.headers: Mapping[str, str] = head.headers
        self.received: int = 0
        self.closed: bool = False
        self._connection = connection
        self._pool = pool
        self._request_line = request_line
        self._seconds = seconds
        self._finished = False
        self._callbacks: list[Callable[[], None]] = []

    def when_done(self, then: Callable[[], None]) -> None:
        """Register a function to call at the end: when the body was read, or reading was stopped."""
        if self._finished:
            then()
        else:
            self._callbacks.append(then)

    def close(self) -> None:
        """Stop reading and close the connection; a reader in another thread sees the end.

        May be called from any thread, greenlet, signal handler or finalizer; it never blocks.
        """
        if not self._finished:
            self.closed = True
            self._connection.stop()
            self._finish(reusable=False)

    def _finish(self, *, reusable: bool) -> None:
        if self._finished:
            return
        self._finished = True
        self._pool.release(self._connection, reusable)
        for callback in self._callbacks:
            callback()

    def _raise_read_error(self, error: OSError) -> NoReturn:
        """Raise the exception for a failure to read that was not caused by :meth:`close`."""
        scope = self._connection.scope
        if self._pool.closed:
            raise ClientClosed(f"the client was closed during {self._request_line}") from error
        if scope is not None and scope.cancelled:
            raise RequestCancelled(f"{self._request_line} was cancelled") from error
        if isinstance(error, TimeoutError):
            raise failures.read_timeout(self._request_line, self._seconds, scope) from error
        if isinstance(error, DockerException):
            raise error
        raise StreamTruncated(
            f"the connection broke before the response to {self._request_line} was complete: {failures.describe(error)}"
        ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        request = re.sub(r"(?<=[0-9a-f]{12})[0-9a-f]{52}\b", "", self._request_line)
        return f"<{type(self).__name__} of {request}{', closed' if self.closed else ''}>"

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            self.close()


class Response(ConnectionReader):
    """A response whose head has arrived and whose body can be read.

    The connection returns to the pool at the end of the body, and is closed if the reader stops before.
    """

    __slots__ = ("_chunked", "_length", "_reusable")
    received: int

    def __init__(
        self, head: Head, connection: Connection, pool: ConnectionOwner, request_line: str, seconds: float | None
    ) -> None:
        super().__init__(head, connection, pool, request_line, seconds)
        self._length = head.length
        self._chunked = head.chunked
        self._reusable = head.reusable
        if head.length == 0:
            self._finish(reusable=head.reusable)

    def read(self, limit: int = MAX_RESPONSE_BYTES) -> bytes:
        """Return the whole body.

        Args:
            limit: maximum bytes; a larger body is refused.

        Raises:
            StreamTruncated: the engine closed the connection before the end.
            StreamParseError: the body is larger than the limit, or its framing is broken.
            ReadTimeout: nothing arrived within the read timeout.
        """
        blocks: list[bytes] = []
        total = 0
        for block in self.chunks():
            total += len(block)
            if total > limit:
                self.close()
                raise StreamParseError(f"the response to {self._request_line} is larger than {limit} bytes")
            blocks.append(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def chunks(self, size: int = BLOCK) -> Iterator[bytes]:
        """Yield the body in blocks as they arrive.

        Args:
            size: maximum bytes of one read.

        Raises:
            StreamTruncated: the engine closed the connection before the end.
            ReadTimeout: nothing arrived within the read timeout.
            ClientClosed: the client was closed meanwhile.
        """
        if self._finished:
            return
        complete = False
        try:
            size = min(size, BLOCK)
            yield from self._chunked_blocks(size) if self._chunked else self._plain_blocks(size)
            complete = True
        except OSError as error:
            if not self.closed:
                self._raise_read_error(error)
        finally:
            self._finish(reusable=complete and self._reusable and not self._connection.buffer)

    def _chunked_blocks(self, size: int) -> Iterator[bytes]:
        decoder = ChunkDecoder()
        connection, seconds = self._connection, self._seconds
        block = min(size, FIRST_BLOCK)
        while data := connection.recv(block, connection.deadline_after(seconds)):
            block = next_block(block, len(data), size)
            pieces = decoder.feed(data)
            if len(pieces) > _JOIN_THRESHOLD:
                pieces = [b"".join(pieces)]
            for piece in pieces:
                self.received += len(piece)
                yield piece
            if decoder.done:
                connection.buffer += decoder.rest
                return
        self._raise_if_truncated()

    def _plain_blocks(self, size: int) -> Iterator[bytes]:
        left = self._length
        connection, seconds = self._connection, self._seconds
        block = min(size, FIRST_BLOCK)
        while left is None or left:
            data = connection.recv(block if left is None else min(block, left), connection.deadline_after(seconds))
            if not data:
                break
            block = next_block(block, len(data), size)
            self.received += len(data)
            if left is not None:
                left -= len(data)
            yield data
        if left:
            self._raise_if_truncated()

    def _raise_if_truncated(self) -> None:
        if self.closed:
            return
        if self._pool.closed:
            raise ClientClosed(f"the client was closed during {self._request_line}")
        raise StreamTruncated(
            f"the engine ended its response to {self._request_line} before it was complete; "
            "it may have been restarted, or a proxy in between has a time limit"
        )
