"""Multiplexed output: stdout and stderr in one stream, as frames with a header of eight bytes."""

from __future__ import annotations

import struct

from dockerkit.errors import StreamParseError, StreamTruncated

STDIN, STDOUT, STDERR, SYSTEM_ERROR = 0, 1, 2, 3

HEADER_SIZE = 8
# An engine's frames have 16 or 32 KiB at most. A larger one is handed on in parts, so that none must fit in memory.
LARGEST_WHOLE_FRAME = 1024 * 1024

_HEADER = struct.Struct(">LL")  # the stream's number and three zero bytes; the payload's length
_STREAMS = {number << 24: number for number in (STDIN, STDOUT, STDERR, SYSTEM_ERROR)}

Frame = tuple[int, bytes]


class FrameParser:
    """Fed with what came, returns the frames in it: (stream number, payload)."""

    __slots__ = ("_left", "_rest", "_stream")

    def __init__(self) -> None:
        self._rest = b""
        self._stream = STDOUT  # of the frame that is handed on in parts
        self._left = 0  # bytes of it still to come

    def feed(self, data: bytes) -> list[Frame]:
        """Cut one block into frames.

        Args:
            data: bytes as they came, cut anywhere.

        Returns:
            The frames that are complete, in order. A frame above 1 MiB comes in parts, as it arrives.

        Raises:
            StreamParseError: these are no frames; most likely the output is raw, from a container with a terminal.
        """
        frames: list[Frame] = []
        if self._rest:
            data = self._rest + data
        position, end = 0, len(data)
        if self._left:
            position = self._part(data, 0, frames)
        unpack, streams = _HEADER.unpack_from, _STREAMS
        while end - position >= HEADER_SIZE:
            head, size = unpack(data, position)
            stream = streams.get(head)
            if stream is None:
                raise StreamParseError(
                    f"{data[position : position + HEADER_SIZE]!r} is no frame header; is this the raw output of a terminal?"
                )
            start = position + HEADER_SIZE
            stop = start + size
            if stop <= end:
                frames.append((stream, data[start:stop]))
                position = stop
            elif size > LARGEST_WHOLE_FRAME:
                self._stream, self._left = stream, size
                position = self._part(data, start, frames)
            else:
                break
        self._rest = data[position:]
        return frames

    def _part(self, data: bytes, position: int, frames: list[Frame]) -> int:
        piece = data[position : position + self._left]
        if piece:
            frames.append((self._stream, piece))
        self._left -= len(piece)
        return position + len(piece)

    def close(self) -> None:
        """Say that the stream has ended.

        Raises:
            StreamTruncated: it ended inside a frame.
        """
        if self._rest or self._left:
            raise StreamTruncated("the output ended inside a frame: the engine cut it short")
