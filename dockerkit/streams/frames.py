"""Multiplexed output: stdout and stderr in one stream, as frames with a header of eight bytes."""

from __future__ import annotations

import struct

from dockerkit.errors import StreamError, StreamParseError, StreamTruncated

STDIN, STDOUT, STDERR, SYSTEM_ERROR = 0, 1, 2, 3

HEADER_SIZE = 8
# An engine's frames have 16 or 32 KiB at most. A larger one is handed on in parts, so that none must fit in memory.
LARGEST_WHOLE_FRAME = 1024 * 1024

_HEADER = struct.Struct(">LL")  # the stream's number and three zero bytes; the payload's length
_STREAMS = {number << 24: number for number in (STDIN, STDOUT, STDERR)}

Frame = tuple[int, bytes]
# The streams' numbers and the payloads of some frames: two lists cost less than a tuple for each frame.
Frames = tuple[list[int], list[bytes]]


class FrameParser:
    """Fed with what came, returns the frames in it."""

    __slots__ = ("_left", "_rest", "_stream")

    def __init__(self) -> None:
        self._rest = b""
        self._stream = STDOUT  # of the frame that is handed on in parts
        self._left = 0  # bytes of it still to come

    def feed(self, data: bytes) -> Frames:
        """Cut one block into frames.

        Args:
            data: bytes as they came, cut anywhere.

        Returns:
            Of the frames that are complete, in order: their streams' numbers, and their payloads. A frame above 1 MiB
            comes in parts, as it arrives.

        Raises:
            StreamParseError: these are no frames; most likely the output is raw, from a container with a terminal.
            StreamError: a frame in which the engine says that it failed.
        """
        if self._rest:
            data = self._rest + data
        streams: list[int] = []
        payloads: list[bytes] = []
        position, end = 0, len(data)
        if self._left:
            position = self._part(data, 0, streams, payloads)
        unpack, add_stream, add_payload = _HEADER.unpack_from, streams.append, payloads.append
        last = end - HEADER_SIZE
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
                    self._stream, self._left = stream, size
                    position = self._part(data, start, streams, payloads)
                else:
                    break
        except KeyError:
            if not payloads:  # else what came before is handed on first
                _refuse(data[position:])
        self._rest = data[position:]
        return streams, payloads

    def _part(self, data: bytes, position: int, streams: list[int], payloads: list[bytes]) -> int:
        piece = data[position : position + self._left]
        if piece:
            streams.append(self._stream)
            payloads.append(piece)
        self._left -= len(piece)
        return position + len(piece)

    def close(self) -> None:
        """Say that the stream has ended.

        Raises:
            StreamTruncated: it ended inside a frame.
            StreamParseError, StreamError: as :meth:`feed`, where the last block had frames before that.
        """
        if self._rest:
            self.feed(b"")
        if self._rest or self._left:
            raise StreamTruncated("the output ended inside a frame: the engine cut it short")


def _refuse(data: bytes) -> None:
    """A frame that is no output: the engine's own failure, once it is all there, or no frame at all."""
    head, size = _HEADER.unpack_from(data)
    if head != SYSTEM_ERROR << 24:
        raise StreamParseError(f"{data[:HEADER_SIZE]!r} is no frame header; is this the raw output of a terminal?")
    if len(data) >= HEADER_SIZE + min(size, LARGEST_WHOLE_FRAME):
        text = data[HEADER_SIZE : HEADER_SIZE + size].decode("utf-8", "replace").strip()
        raise StreamError(text or "the engine failed in the middle of the output")
