"""docker-py's ``docker.utils.json_stream``: consecutive JSON values in a stream."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterable, Iterator
from json import JSONDecoder
from typing import Any

from dockerkit.errors import StreamParseError

__all__ = ["json_decoder", "json_splitter", "json_stream", "line_splitter", "split_buffer", "stream_as_text"]

json_decoder: JSONDecoder = JSONDecoder()


def stream_as_text(stream: Iterable[bytes | str]) -> Iterator[str]:
    """Decode blocks of bytes, which may be split within a character."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for data in stream:
        yield data if isinstance(data, str) else decoder.decode(data)


def json_splitter(buffer: str) -> tuple[Any, str] | None:
    """Return the first JSON value of a string and the rest; None if it is incomplete."""
    stripped = buffer.strip()
    try:
        value, end = json_decoder.raw_decode(stripped)
    except ValueError:
        return None
    return value, stripped[end:].lstrip()


def json_stream(stream: Iterable[bytes | str]) -> Iterator[Any]:
    """Yield the JSON values of a stream.

    Raises:
        StreamParseError: the stream ends within a value.
    """
    return split_buffer(stream, json_splitter, json.loads)


def line_splitter(buffer: str, separator: str = "\n") -> tuple[str, str] | None:
    """Return the first line of a string with its end, and the rest; None if it has no line end."""
    line, end, rest = buffer.partition(separator)
    return (line + end, rest) if end else None


def split_buffer(
    stream: Iterable[bytes | str],
    splitter: Callable[[str], tuple[Any, str] | None] | None = None,
    decoder: Callable[[str], Any] = lambda a: a,
) -> Iterator[Any]:
    """Yield the items that a splitter finds in a stream.

    Args:
        stream: iterable of blocks.
        splitter: returns (item, rest), or None while no item is complete; by default, splits lines.
        decoder: converts the remaining text at the end to an item.

    Raises:
        StreamParseError: the decoder failed.
    """
    split = splitter or line_splitter
    buffered = ""
    for data in stream_as_text(stream):
        buffered += data
        while (result := split(buffered)) is not None:
            item, buffered = result
            yield item
    if buffered.strip() if splitter else buffered:
        try:
            yield decoder(buffered)
        except ValueError as error:
            raise StreamParseError(f"the stream ended within an item: {error}") from error
