"""Multiplexed output: stdout and stderr in one stream, as frames with a header of eight bytes."""

from __future__ import annotations

import struct

from dockerkit import errors
from dockerkit.errors import StreamParseError, StreamTruncated

STDIN, STDOUT, STDERR, SYSTEM_ERROR = 0, 1, 2, 3

HEADER_SIZE = 8
# An engine's frames have 16 or 32 KiB at most. Larger ones are passed on in parts, so that none has to fit in memory.
LARGEST_WHOLE_FRAME = 1024 * 1024

_HEADER = struct.Struct(">LL")  # the stream's number and three zero bytes; the payload's length
_STREAMS = {number << 24: number for number in (STDIN, STDOUT, STDERR)}

Frame = tuple[int, bytes]
# Stream numbers and payloads of several frames: two lists cost less than a tuple for each frame.
Frames = tuple[list[int], list[bytes]]


class FrameParser:
    """Incremental parser: takes blocks of bytes and returns the frames in them."""

    __slots__ = ("_buffered", "_parts", "_remaining", "_required", "_stream")

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # of the unfinished frame; a list avoids copying it for each block
        self._buffered = 0  # bytes in them
        self._required = 0  # bytes needed for a complete frame or header
        self._stream = STDOUT  # of the frame that is passed on in parts
        self._remaining = 0  # bytes of it still expected

    def feed(self, data: bytes) -> Frames:
        """Parse one block, split anywhere, and return the stream numbers and payloads of the complete frames, in order.

        A frame above 1 MiB is returned in parts, as it arrives.

        Raises:
            StreamParseError: the data is not multiplexed; most likely it is the raw output of a terminal.
            StreamError: the engine reported a failure in a frame.
        """
        if self._parts:
            self._parts.append(data)
            self._buffered += len(data)
            if data and self._buffered < self._required:
                return [], []
            data = b"".join(self._parts)
            self._parts = []
        streams: list[int] = []
        payloads: list[bytes] = []
        position, end = 0, len(data)
        if self._remaining:
            position = self._part(data, 0, streams, payloads)
        unpack, add_stream, add_payload = _HEADER.unpack_from, streams.append, payloads.append
        last = end - HEADER_SIZE
        self._required = HEADER_SIZE
        try:
            while position <= last:
                head, size = unpack(data, position)
                stream = _STREAMS[head]
                start = position + HEADER_SIZE
                stop = start + size
                if stop <= end:
                    add_stream(stream)
                    add_payload(data[start:stop])
                    position = stop
                elif size > LARGEST_WHOLE_FRAME:
                    self._stream, self._remaining = stream, size
                    position = self._part(data, start, streams, payloads)
                else:
                    self._required = HEADER_SIZE + size
                    break
        except KeyError:
            if not payloads:  # otherwise the frames before it are returned first
                self._required = _raise_invalid(data[position:])
        if position < end:
            self._parts, self._buffered = [data[position:]], end - position
        return streams, payloads

    def _part(self, data: bytes, position: int, streams: list[int], payloads: list[bytes]) -> int:
        piece = data[position : position + self._remaining]
        if piece:
            streams.append(self._stream)
            payloads.append(piece)
        self._remaining -= len(piece)
        return position + len(piece)

    def close(self) -> None:
        """Finish parsing: the stream has ended.

        Raises:
            StreamTruncated: the stream ended inside a frame.
            StreamParseError, StreamError: as for :meth:`feed`, delayed until the frames before it were returned.
        """
        if self._parts:
            self.feed(b"")
        if self._parts or self._remaining:
            raise StreamTruncated("the output ended inside a frame: the engine cut it short")


def _raise_invalid(data: bytes) -> int:
    """Raise the error for a frame that is not output: a failure reported by the engine, or not a frame at all.

    If the failure is incomplete, return the number of bytes required to read it.
    """
    head: int
    size: int
    head, size = _HEADER.unpack_from(data)
    if head != SYSTEM_ERROR << 24:
        raise StreamParseError(f"{data[:HEADER_SIZE]!r} is not a frame header; is this the raw output of a terminal?")
    required = HEADER_SIZE + min(size, LARGEST_WHOLE_FRAME)
    if len(data) < required:
        return required
    message = data[HEADER_SIZE : HEADER_SIZE + size].decode("utf-8", "replace").strip()
    raise errors.StreamError(message or "the engine failed in the middle of the output")
