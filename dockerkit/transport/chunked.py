"""HTTP's chunked transfer coding, decoded without I/O.

The standard library's reader makes three small reads for each chunk; an engine sends one chunk for each log line,
event or 32 KiB of an image, so here every block that came in one read is cut into its chunks at once.
"""

from __future__ import annotations

from dockerkit.errors import StreamParseError

_LONGEST_LINE = 8192  # of a size line or a trailer; an engine's size lines have ten bytes
_MOST_TRAILERS = 100


class ChunkDecoder:
    """Fed with what came from the socket, returns the payload in it.

    Attributes:
        done: whether the last chunk and its trailer have been seen.
        rest: bytes that came after the end; there should be none.
    """

    __slots__ = ("_carry", "_left", "_line_end_due", "_trailers", "done", "rest")

    def __init__(self) -> None:
        self.done: bool = False
        self.rest: bytes = b""
        self._carry = b""  # an unfinished size line, line end or trailer
        self._left = 0  # payload bytes of the current chunk still to come
        self._line_end_due = False  # the payload is complete, its line end is not
        self._trailers = -1  # lines seen after the last chunk; -1 before it

    def feed(self, data: bytes) -> list[bytes]:
        """Decode one block.

        Args:
            data: bytes as they came, cut anywhere.

        Returns:
            The payload in it, in order: whole chunks, or the parts of a chunk that is larger than the block.

        Raises:
            StreamParseError: this is no chunked body.
        """
        if self._carry:
            data = self._carry + data
        pieces: list[bytes] = []
        position, end = 0, len(data)
        while True:
            if self._left:
                stop = min(position + self._left, end)
                if stop > position:
                    pieces.append(data[position:stop])
                self._left -= stop - position
                position = stop
                if self._left:
                    break
                self._line_end_due = True
            if self._line_end_due:
                if end - position < 2:
                    break
                if data[position : position + 2] != b"\r\n":
                    raise StreamParseError("a chunk is longer than its size line says")
                position += 2
                self._line_end_due = False
            line_end = data.find(b"\r\n", position)
            if line_end < 0:
                break
            line, position = data[position:line_end], line_end + 2
            if self._trailers < 0:
                self._begin_chunk(line)
            elif self._end_trailer(line):
                self.done, self.rest, self._carry = True, data[position:], b""
                return pieces
        self._carry = data[position:]
        if len(self._carry) > _LONGEST_LINE:
            raise StreamParseError("a chunk's size line does not end")
        return pieces

    def _begin_chunk(self, line: bytes) -> None:
        digits = line.partition(b";")[0].strip()
        if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
            raise StreamParseError(f"{line[:40]!r} is no size of a chunk")
        self._left = int(digits, 16)
        if not self._left:
            self._trailers = 0

    def _end_trailer(self, line: bytes) -> bool:
        self._trailers += 1
        if self._trailers > _MOST_TRAILERS:
            raise StreamParseError("the trailer of a chunked body does not end")
        return not line
