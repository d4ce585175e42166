"""HTTP's chunked transfer coding, decoded without I/O.

The standard library's reader makes three small reads for each chunk; an engine sends one chunk for each log line,
event or 32 KiB of an image. Here every block that was read is split into all of its chunks.
"""

from __future__ import annotations

from dockerkit.errors import StreamParseError

_MAX_LINE = 8192  # of a size line or a trailer; an engine's size lines have ten bytes
_MAX_TRAILERS = 100
_KNOWN_SIZES = 1024


class ChunkDecoder:
    """Incremental decoder: takes blocks from the socket and returns their payload.

    Attributes:
        done: whether the last chunk and its trailer have been read.
        rest: bytes after the end; normally empty.
    """

    __slots__ = ("_carry", "_expects_line_end", "_left", "_separators", "_trailers", "_width", "done", "rest")

    def __init__(self) -> None:
        self.done: bool = False
        self.rest: bytes = b""
        self._carry = b""  # an unfinished size line, line end or trailer
        self._left = 0  # payload bytes of the current chunk still expected
        self._expects_line_end = False  # whether the line end after a payload is still expected
        self._trailers = -1  # lines seen after the last chunk; -1 before it
        # Size by the bytes between two payloads, "\r\n6c\r\n": the chunks of a stream have few different sizes.
        self._separators: dict[bytes, int] = {}
        self._width = 0  # of the last of them

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payload in a block: whole chunks, or parts of a chunk that is larger than the block."""
        if self._carry:
            data = self._carry + data
        pieces: list[bytes] = []
        position, end, separators, width = 0, len(data), self._separators, self._width
        while True:
            if self._left:
                stop = min(position + self._left, end)
                if stop > position:
                    pieces.append(data[position:stop])
                self._left -= stop - position
                position = stop
                if self._left:
                    break
                self._expects_line_end = True
            if self._expects_line_end:
                while True:  # whole chunks of known sizes
                    size = separators.get(data[position : position + width])
                    if not size:
                        separator = data[position : data.find(b"\r\n", position + 2) + 2]
                        size, width = separators.get(separator), len(separator)
                        if not size:
                            break
                    stop = position + width + size
                    if stop > end:
                        break
                    pieces.append(data[position + width : stop])
                    position = stop
                if end - position < 2:
                    break
                if data[position : position + 2] != b"\r\n":
                    raise StreamParseError("a chunk is longer than its size line says")
                position += 2
                self._expects_line_end = False
            line_end = data.find(b"\r\n", position)
            if line_end < 0:
                break
            line, position = data[position:line_end], line_end + 2
            if self._trailers < 0:
                self._begin_chunk(line)
                width = self._width
            elif self._end_trailer(line):
                self.done, self.rest, self._carry = True, data[position:], b""
                return pieces
        self._carry = data[position:]
        if len(self._carry) > _MAX_LINE:
            raise StreamParseError("a chunk's size line does not end")
        return pieces

    def _begin_chunk(self, line: bytes) -> None:
        digits = line.partition(b";")[0].strip()
        if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
            raise StreamParseError(f"{line[:40]!r} is not a chunk size")
        self._left = int(digits, 16)
        if not self._left:
            self._trailers = 0
            return
        self._width = len(line) + 4
        if len(self._separators) < _KNOWN_SIZES:
            self._separators[b"\r\n%s\r\n" % line] = self._left

    def _end_trailer(self, line: bytes) -> bool:
        self._trailers += 1
        if self._trailers > _MAX_TRAILERS:
            raise StreamParseError("the trailer of a chunked body does not end")
        return not line
