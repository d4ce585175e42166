"""Sending the body of a request, while watching for an early response."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator
from typing import IO, cast

from dockerkit.errors import UnreadableFile
from dockerkit.transport.connection import BLOCK, Connection, RespondedEarly

Body = bytes | IO[bytes] | Iterable[bytes] | None

_BUFFERED = (io.BufferedReader, io.BufferedRandom)
MAX_INLINE_BODY = 64 * 1024  # a body up to this size is sent together with the head


def known_size(body: Body) -> int | None:
    """Return the number of bytes of a body; None if it is unknown before sending.

    The size of a file is known if its ``read()`` reads directly from the disk; what was written to it is flushed first.
    """
    if body is None:
        return 0
    if isinstance(body, bytes):
        return len(body)
    file = getattr(body, "file", None) if type(body).__name__ == "_TemporaryFileWrapper" else body  # of tempfile
    if type(file) is io.FileIO or (type(file) in _BUFFERED and type(cast("io.BufferedReader", file).raw) is io.FileIO):
        body = cast("io.BufferedReader", body)
        try:
            if body.writable():
                body.flush()
            status = os.fstat(body.fileno())
            if stat.S_ISREG(status.st_mode):
                return max(status.st_size - body.tell(), 0)
        except (OSError, ValueError):
            pass
    return None


def send_body(connection: Connection, body: Body, size: int | None, seconds: float | None) -> bool:
    """Send a body of the size that :func:`known_size` returned; None sends chunks.

    Return False if the engine responded or stopped reading before it had received everything; the response says why.
    After UnreadableFile (a file became shorter), the request is incomplete, and the connection must be closed.
    """
    connection.expect_upload()
    try:
        if isinstance(body, bytes):
            connection.send_all(body, seconds, watch=True)
        elif size is None:
            for block in blocks_of(cast("IO[bytes] | Iterable[bytes]", body)):
                if block:
                    connection.send_all(b"%x\r\n%b\r\n" % (len(block), block), seconds, watch=True)
            connection.send_all(b"0\r\n\r\n", seconds, watch=True)
        elif size:
            _send_file(connection, cast("io.BufferedReader", body), size, seconds)
    except (RespondedEarly, BrokenPipeError, ConnectionResetError):
        return False
    return True


def blocks_of(body: IO[bytes] | Iterable[bytes]) -> Iterator[bytes]:
    """Return an iterator over the blocks of a file or an iterable."""
    read = getattr(body, "read", None)
    return iter(body) if read is None else iter(lambda: read(BLOCK), b"")


def _send_file(connection: Connection, file: io.BufferedReader, size: int, seconds: float | None) -> None:
    left = size
    if connection.can_send_files:
        offset = file.tell()
        left -= connection.send_file(file.fileno(), offset, size, seconds)
        file.seek(offset + size - left)
    while left:
        block = file.read(min(left, BLOCK))
        if not block:
            name = getattr(file, "name", "the file")
            raise UnreadableFile(f"{name} became shorter while it was sent: {left} of {size} bytes are missing")
        left -= len(block)
        connection.send_all(block, seconds, watch=True)
