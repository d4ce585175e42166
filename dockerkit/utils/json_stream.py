"""docker-py's ``docker.utils.json_stream``: JSON values in a stream of text, one after the other."""

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
    """Blocks of bytes as text; a character may be cut between two."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for data in stream:
        yield data if isinstance(data, str) else decoder.decode(data)


def json_splitter(buffer: str) -> tuple[Any, str] | None:
    """The first JSON value of a text and the rest; None where it is not complete."""
    text = buffer.strip()
    try:
        value, end = json_decoder.raw_decode(text)
    except ValueError:
        return None
    return value, text[end:].lstrip()


def json_stream(stream: Iterable[bytes | str]) -> Iterator[Any]:
    """The JSON values of a stream.

    Raises:
        StreamParseError: what is left at its end is none.
    """
    return split_buffer(stream, json_splitter, json.loads)


def line_splitter(buffer: str, separator: str = "\n") -> tuple[str, str] | None:
    """The first line of a text, its end included, and the rest; None where there is no line end."""
    line, found, rest = buffer.partition(separator)
    return (line + found, rest) if found else None


def split_buffer(
    stream: Iterable[bytes | str],
    splitter: Callable[[str], tuple[Any, str] | None] | None = None,
    decoder: Callable[[str], Any] = lambda a: a,
) -> Iterator[Any]:
    """What a splitter cuts off a stream.

    Args:
        stream: blocks.
        splitter: gives (item, rest), or None while there is no whole item; lines where None.
        decoder: makes the last item out of what is left at the end.

    Raises:
        StreamParseError: the decoder can't.
    """
    split = splitter or line_splitter
    buffered = ""
    for data in stream_as_text(stream):
        buffered += data
        while (found := split(buffered)) is not None:
            item, buffered = found
            yield item
    if buffered.strip() if splitter else buffered:
        try:
            yield decoder(buffered)
        except ValueError as error:
            raise StreamParseError(f"the stream ended inside an item: {error}") from error
