"""Streams of JSON records, one per line: events, stats, the progress of pulls, pushes and builds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dockerkit.errors import StreamParseError, StreamTruncated

LARGEST_RECORD = 64 * 1024 * 1024
_raw_decode = json.JSONDecoder().raw_decode
_SEPARATORS = b" \t\r\n\x1e"  # including the record separator of json-seq, which newer engines can send


class JSONLines:
    """Incremental parser: takes blocks of bytes and returns the complete lines in them, without line ends."""

    __slots__ = ("_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # the unfinished line; a list avoids copying a long one for each block
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the complete lines in one block, split anywhere, in order and without empty ones.

        Raises:
            StreamParseError: a line of more than 64 MiB.
        """
        head, newline, tail = data.partition(b"\n")
        if not newline:
            self._keep(data)
            return []
        if self._parts:
            self._parts.append(head)
            head = b"".join(self._parts)
            self._parts, self._size = [], 0
        lines = [head]
        if tail:
            lines += tail.split(b"\n")
            self._keep(lines.pop())
        return [line for raw in lines if (line := raw.strip(_SEPARATORS))]

    def close(self) -> list[bytes]:
        """Finish parsing: the stream has ended. Return the last line, if it had no line end.

        Raises:
            StreamTruncated: the last line is not a complete record.
        """
        line = b"".join(self._parts).strip(_SEPARATORS)
        self._parts, self._size = [], 0
        if not line:
            return []
        try:
            decode(line)
        except StreamParseError as error:
            raise StreamTruncated("the stream ended inside a record: the engine cut it short") from error
        return [line]

    def _keep(self, data: bytes) -> None:
        if data:
            self._parts.append(data)
            self._size += len(data)
            if self._size > LARGEST_RECORD:
                raise StreamParseError(f"a JSON record is larger than {LARGEST_RECORD} bytes")


def decode(line: bytes) -> list[Any]:
    """Return the records in one line. There is usually one; old engines may write several without a line end.

    Raises:
        StreamParseError: the line is not JSON.
    """
    text = line.decode("utf-8", "replace")
    try:
        record, position = _raw_decode(text)
        if position == len(text):
            return [record]
        records = [record]
        while position < len(text):
            if text[position] in " \t\r\n\x1e":
                position += 1
            else:
                record, position = _raw_decode(text, position)
                records.append(record)
    except (ValueError, RecursionError) as error:
        raise StreamParseError(f"not a JSON record: {line[:200]!r}") from error
    return records


def best_json_decoder() -> Callable[[bytes], list[Any]]:
    """Return a :func:`decode` that takes half the time. Loading it takes as long as decoding thousands of records, so it is
    only worth it for long streams.
    """
    from pydantic_core import from_json

    def decode_faster(line: bytes) -> list[Any]:
        try:
            return [from_json(line)]
        except ValueError:  # several records, broken UTF-8, deep nesting, or not JSON
            return decode(line)

    return decode_faster
