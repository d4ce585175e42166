"""One answer of the engine: its head, and its body read once, in blocks, by whoever holds it."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from dockerkit.errors import ClientClosed, StreamParseError, StreamTruncated
from dockerkit.transport import failures
from dockerkit.transport.chunked import ChunkDecoder

if TYPE_CHECKING:
    from dockerkit.transport.pool import Connection

# What one read takes at most: measured, 64 KiB and 256 KiB cost a third more CPU, 2 MiB three times as much.
BLOCK = 128 * 1024
FIRST_BLOCK = 16 * 1024
LARGEST_ANSWER = 512 * 1024 * 1024


def next_block(block: int, got: int, most: int = BLOCK) -> int:
    """How much to read next: twice as much where a read was filled, beginning with FIRST_BLOCK.

    Most answers are small, and a large buffer that is cut to a small answer each time leaves the memory in splinters.
    """
    return min(2 * block, most) if got == block < most else block


Release = Callable[["Connection", bool], None]


def followed(release: Release, then: Callable[[], None]) -> Release:
    """A release with something after it."""

    def released(connection: Connection, reusable: bool) -> None:
        release(connection, reusable)
        then()

    return released


class Exchange:
    """An answer whose head has come and whose body waits to be read.

    The connection goes back to the pool at the end of the body, and is closed when the reader stops before.
    :meth:`close` may be called from any thread: a reader that waits in another one then sees the end.

    Attributes:
        status: the HTTP status.
        reason: its text.
        headers: the answer's headers.
        received: bytes of the body that were read so far.
        closed: whether somebody closed this answer before its end.
    """

    __slots__ = (
        *("_asked", "_connection", "_finished", "_release", "_response"),
        *("closed", "headers", "reason", "received", "status"),
    )

    def __init__(
        self,
        response: http.client.HTTPResponse,
        connection: Connection,
        release: Release,
        asked: str,
    ) -> None:
        self.status: int = response.status
        self.reason: str = response.reason
        # The standard library's message is a mapping in all but name, and asks for names in any case.
        self.headers: Mapping[str, str] = cast("Mapping[str, str]", response.headers)
        self.received: int = 0
        self.closed: bool = False
        self._response = response
        self._connection = connection
        self._release = release
        self._asked = asked
        self._finished = False
        if response.length == 0 and not response.chunked:  # an answer without a body
            self._finish(reusable=not response.will_close)

    def read(self, limit: int = LARGEST_ANSWER) -> bytes:
        """The whole body.

        Args:
            limit: bytes; a larger body is refused rather than kept in memory.

        Raises:
            StreamTruncated: the engine closed the connection before the end.
            StreamParseError: the body is larger than the limit, or its framing is broken.
            EngineTimeout: nothing came for as long as the read timeout.
        """
        blocks: list[bytes] = []
        total = 0
        for block in self.chunks():
            total += len(block)
            if total > limit:
                self.close()
                raise StreamParseError(f"the answer to {self._asked} is larger than {limit} bytes")
            blocks.append(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def chunks(self, size: int = BLOCK) -> Iterator[bytes]:
        """The body in blocks, each as soon as it has come.

        Args:
            size: bytes that one read takes at most.

        Yields:
            What came, without waiting for a block to fill.

        Raises:
            StreamTruncated: the engine closed the connection before the end.
            EngineTimeout: nothing came for as long as the read timeout.
            ClientClosed: the client was closed meanwhile.
        """
        if self._finished:
            return
        complete = False
        try:
            size = min(size, BLOCK)
            yield from self._chunked(size) if self._response.chunked else self._plain(size)
            complete = True
        except TimeoutError as error:
            raise failures.read_timeout(self._asked, self._connection) from error
        except StreamTruncated:
            raise
        except (OSError, ValueError, http.client.HTTPException) as error:
            if not self.closed:
                raise self._cut_short(error) from error
        finally:
            self._finish(reusable=complete and not self._response.will_close)

    def _chunked(self, size: int) -> Iterator[bytes]:
        decoder = ChunkDecoder()
        read = self._response.fp.read1
        block = min(size, FIRST_BLOCK)
        while not decoder.done:
            data = read(block)
            if not data:
                if self.closed:
                    return
                raise self._cut_short(None)
            block = next_block(block, len(data), size)
            for piece in decoder.feed(data):
                self.received += len(piece)
                yield piece
        if decoder.rest:
            self._response.will_close = True

    def _plain(self, size: int) -> Iterator[bytes]:
        response = self._response
        while data := response.read1(size):
            self.received += len(data)
            yield data
        if response.length and not self.closed:
            raise self._cut_short(None)

    def _cut_short(self, error: Exception | None) -> Exception:
        if self._connection.pool_closed():
            return ClientClosed(f"the client was closed during {self._asked}")
        if isinstance(error, StreamParseError):
            return error
        return StreamTruncated(
            f"the engine ended its answer to {self._asked} before it was complete"
            + (f": {error}" if error else "")
            + "; it may have been restarted, or something between has a time limit"
        )

    def when_done(self, then: Callable[[], None]) -> None:
        """Have a function called at the end: the body was read, or somebody stopped before."""
        if self._finished:
            then()
        else:
            self._release = followed(self._release, then)

    def close(self) -> None:
        """Stop here: the connection is closed, and a reader in another thread sees the end."""
        if not self._finished:
            self.closed = True
            self._connection.shut_down()  # wakes a reader in another thread, which holds the buffer's lock
            self._finish(reusable=False)

    def _finish(self, *, reusable: bool) -> None:
        if self._finished:
            return
        self._finished = True
        with contextlib.suppress(OSError, ValueError):
            self._response.close()
        self._release(self._connection, reusable)

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            self.close()
