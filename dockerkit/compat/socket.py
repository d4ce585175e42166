"""docker-py's ``docker.utils.socket``: read the frames of an attach or exec socket by hand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, Literal, Protocol, cast, overload

from dockerkit import runtime
from dockerkit.errors import DockerException, StreamTruncated
from dockerkit.streams.frames import HEADER_SIZE

__all__ = [
    "NPIPE_ENDED", "STDERR", "STDOUT", "SocketError", "consume_socket_output", "demux_adaptor", "frames_iter",
    "frames_iter_no_tty", "frames_iter_tty", "next_frame_header", "read", "read_exactly",
]  # fmt: skip

STDOUT = 1
STDERR = 2
NPIPE_ENDED = 109

DemuxedOutput = tuple[bytes | None, bytes | None]


class Receiver(Protocol):
    """A socket, or the result of ``attach_socket`` and ``exec_start(socket=True)``."""

    def recv(self, size: int, /) -> bytes: ...


class Reader(Protocol):
    """A binary file."""

    def read(self, size: int, /) -> bytes | None: ...


class HasFileno(Protocol):
    """Anything else that can be read by its descriptor."""

    def fileno(self) -> int: ...


Readable = Receiver | Reader | HasFileno


class SocketError(DockerException):
    """A socket returned unexpected data."""


def read(socket: Readable, n: int = 4096) -> bytes:
    """Return available data, at most n bytes; b"" at the end.

    Args:
        socket: the result of ``attach_socket`` or ``exec_start(socket=True)``, or any socket or file.
        n: maximum number of bytes.
    """
    connection: Any = socket
    if hasattr(connection, "recv"):
        if not getattr(connection, "pending", 0) and not hasattr(connection, "media_type"):
            runtime.wait(connection.fileno(), runtime.READ)
        return cast("bytes", connection.recv(n))
    reader = getattr(connection, "read1", None) or getattr(connection, "read", None)
    if reader is not None:
        return cast("bytes", reader(n) or b"")
    return os.read(connection.fileno(), n)


def read_exactly(socket: Readable, n: int) -> bytes:
    """Return exactly n bytes.

    Raises:
        SocketError: the socket ended earlier.
    """
    data = b""
    while len(data) < n:
        block = read(socket, n - len(data))
        if not block:
            raise SocketError(f"the socket ended after {len(data)} of {n} bytes")
        data += block
    return data


def next_frame_header(socket: Readable) -> tuple[int, int]:
    """Return (stream, size) of the next frame; (-1, -1) at the end."""
    try:
        header = read_exactly(socket, HEADER_SIZE)
    except (SocketError, StreamTruncated):
        return -1, -1
    return header[0], int.from_bytes(header[4:], "big")


def frames_iter(socket: Readable, tty: bool) -> Iterator[tuple[int, bytes]]:
    """Yield (stream, bytes) as they arrive; with a terminal, all is stdout."""
    return ((STDOUT, frame) for frame in frames_iter_tty(socket)) if tty else frames_iter_no_tty(socket)


def frames_iter_no_tty(socket: Readable) -> Iterator[tuple[int, bytes]]:
    """Yield (stream, bytes) of multiplexed output; a frame is yielded in the parts in which it arrives."""
    while True:
        stream, remaining = next_frame_header(socket)
        if remaining < 0:
            return
        while remaining > 0:
            data = read(socket, remaining)
            if not data:
                return
            remaining -= len(data)
            yield stream, data


def frames_iter_tty(socket: Readable) -> Iterator[bytes]:
    """Yield blocks of raw output."""
    while data := read(socket):
        yield data


@overload
def consume_socket_output(frames: Iterable[bytes], demux: Literal[False] = False) -> bytes: ...


@overload
def consume_socket_output(frames: Iterable[DemuxedOutput], demux: Literal[True]) -> DemuxedOutput: ...


def consume_socket_output(
    frames: Iterable[bytes] | Iterable[DemuxedOutput], demux: bool = False
) -> bytes | DemuxedOutput:
    """Return all frames combined: bytes; or with demux (stdout, stderr), each None if it has no output.

    Args:
        frames: blocks of bytes; with demux, pairs of :func:`demux_adaptor`.
        demux: whether frames are pairs.
    """
    if not demux:
        return b"".join(cast("Iterable[bytes]", frames))
    outputs: list[list[bytes]] = [[], []]
    for pair in cast("Iterable[DemuxedOutput]", frames):
        for blocks, data in zip(outputs, pair, strict=True):
            if data is not None:
                blocks.append(data)
    return (b"".join(outputs[0]) if outputs[0] else None, b"".join(outputs[1]) if outputs[1] else None)


def demux_adaptor(stream_id: int, data: bytes) -> DemuxedOutput:
    """Return a frame as (stdout, stderr), with None for the other stream.

    Raises:
        ValueError: the frame belongs to another stream.
    """
    if stream_id == STDOUT:
        return data, None
    if stream_id == STDERR:
        return None, data
    raise ValueError(f"{stream_id} is neither stdout (1) nor stderr (2)")
