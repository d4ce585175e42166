"""Split blocks of bytes into lines, in linear time and bounded memory."""

from __future__ import annotations

__all__ = ["LARGEST_LINE", "LinePiece", "LineSplitter"]

LARGEST_LINE = 1024 * 1024
"""A longer line is returned in pieces of about this many bytes, so that no line has to fit in memory."""


class LinePiece(bytes):
    """A part of a line that is too long to buffer; the rest of the line follows."""


class LineSplitter:
    """Splits blocks into lines, without their line ends.

    A line longer than :data:`LARGEST_LINE` comes as several :class:`LinePiece` followed by its end. UTF-8 characters are never split.
    """

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that this block completes, in order; a :class:`LinePiece` can only be the last of them."""
        *lines, rest = data.split(b"\n")
        if lines and self._buffer:
            self._buffer += lines[0]
            lines[0] = bytes(self._buffer)
            self._buffer.clear()
        self._buffer += rest
        if len(self._buffer) > LARGEST_LINE:
            cut = _character_start(self._buffer)
            lines.append(LinePiece(self._buffer[:cut]))
            del self._buffer[:cut]
        return lines

    def push_back(self, data: bytes) -> None:
        """Put the end of the last :class:`LinePiece` back; the next block is appended to it."""
        self._buffer[:0] = data

    def close(self) -> bytes:
        """Return the rest at the end of the stream: an unterminated last line, or b""."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest


def _character_start(data: bytearray) -> int:
    """Return where the last UTF-8 character begins if it may be incomplete, otherwise the end."""
    for back in range(1, min(len(data), 4) + 1):
        if data[-back] & 0xC0 != 0x80:  # the first byte of a character
            return len(data) - back if data[-back] >= 0xC0 else len(data)
    return len(data)
