"""docker-py's ``docker.utils.socket``: read the frames of an attach or exec socket by hand."""

from __future__ import annotations

import os
import select
from collections.abc import Iterable, Iterator
from typing import Any, Literal, Protocol, cast, overload

from dockerkit.errors import DockerException, StreamTruncated
from dockerkit.streams.frames import HEADER_SIZE

__all__ = [
    "NPIPE_ENDED", "STDERR", "STDOUT", "SocketError", "consume_socket_output", "demux_adaptor", "frames_iter",
    "frames_iter_no_tty", "frames_iter_tty", "next_frame_header", "read", "read_exactly",
]  # fmt: skip

STDOUT = 1
STDERR = 2
NPIPE_ENDED = 109

Pair = tuple[bytes | None, bytes | None]


class Receiver(Protocol):
    """A socket, or what ``attach_socket`` and ``exec_start(socket=True)`` gave."""

    def recv(self, size: int, /) -> bytes: ...


class Reader(Protocol):
    """A binary file."""

    def read(self, size: int, /) -> bytes | None: ...


class HasFileno(Protocol):
    """Whatever else can be read by its descriptor."""

    def fileno(self) -> int: ...


Readable = Receiver | Reader | HasFileno


class SocketError(DockerException):
    """A socket gave what it should not."""


def read(socket: Readable, n: int = 4096) -> bytes:
    """What has come, at most n bytes; b"" at the end.

    Args:
        socket: what ``attach_socket`` or ``exec_start(socket=True)`` gave; or any socket, or file.
        n: bytes.
    """
    given: Any = socket
    if hasattr(given, "recv"):
        if not getattr(given, "pending", 0) and not hasattr(given, "media_type"):
            select.select([given], [], [])
        return cast("bytes", given.recv(n))
    reader = getattr(given, "read1", None) or getattr(given, "read", None)
    if reader is not None:
        return cast("bytes", reader(n) or b"")
    return os.read(given.fileno(), n)


def read_exactly(socket: Readable, n: int) -> bytes:
    """Exactly n bytes.

    Raises:
        SocketError: the socket ended before.
    """
    data = b""
    while len(data) < n:
        more = read(socket, n - len(data))
        if not more:
            raise SocketError(f"the socket ended after {len(data)} of {n} bytes")
        data += more
    return data


def next_frame_header(socket: Readable) -> tuple[int, int]:
    """(stream, size) of the next frame; (-1, -1) at the end."""
    try:
        header = read_exactly(socket, HEADER_SIZE)
    except (SocketError, StreamTruncated):
        return -1, -1
    return header[0], int.from_bytes(header[4:], "big")


def frames_iter(socket: Readable, tty: bool) -> Iterator[tuple[int, bytes]]:
    """(stream, bytes) of what comes; with a terminal all is stdout."""
    return ((STDOUT, frame) for frame in frames_iter_tty(socket)) if tty else frames_iter_no_tty(socket)


def frames_iter_no_tty(socket: Readable) -> Iterator[tuple[int, bytes]]:
    """(stream, bytes) of multiplexed output; a frame comes in as many parts as it arrives in."""
    while True:
        stream, left = next_frame_header(socket)
        if left < 0:
            return
        while left > 0:
            data = read(socket, left)
            if not data:
                return
            left -= len(data)
            yield stream, data


def frames_iter_tty(socket: Readable) -> Iterator[bytes]:
    """Blocks of raw output."""
    while data := read(socket):
        yield data


@overload
def consume_socket_output(frames: Iterable[bytes], demux: Literal[False] = False) -> bytes: ...


@overload
def consume_socket_output(frames: Iterable[Pair], demux: Literal[True]) -> Pair: ...


def consume_socket_output(frames: Iterable[bytes] | Iterable[Pair], demux: bool = False) -> bytes | Pair:
    """All frames together: bytes; or with demux (stdout, stderr), each None where there was none.

    Args:
        frames: blocks of bytes; or with demux pairs as of :func:`demux_adaptor`.
        demux: which.
    """
    if not demux:
        return b"".join(cast("Iterable[bytes]", frames))
    out: list[list[bytes]] = [[], []]
    for pair in cast("Iterable[Pair]", frames):
        for kept, data in zip(out, pair, strict=True):
            if data is not None:
                kept.append(data)
    return (b"".join(out[0]) if out[0] else None, b"".join(out[1]) if out[1] else None)


def demux_adaptor(stream_id: int, data: bytes) -> Pair:
    """A frame as (stdout, stderr), None for what it is not.

    Raises:
        ValueError: it is of another stream.
    """
    if stream_id == STDOUT:
        return data, None
    if stream_id == STDERR:
        return None, data
    raise ValueError(f"{stream_id} is neither stdout (1) nor stderr (2)")
