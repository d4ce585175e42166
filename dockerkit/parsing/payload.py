"""Payloads that are sent unchanged: bytes, binary files, blocks."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, cast

from dockerkit.errors import InvalidArgument
from dockerkit.errors.caller import argument_name


def payload(data: object, name: str | None = None) -> bytes | IO[bytes] | Iterable[bytes]:
    """Return a payload as bytes, a binary file, or blocks, each of which is checked when it is sent.

    Args:
        data: the payload.
        name: the parameter, for the error; by default the caller's parameter that has this payload.

    Raises:
        InvalidArgument: the payload is text, or has no bytes.
    """
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    if isinstance(data, bytes):
        return data
    if hasattr(data, "read") and not isinstance(data, io.TextIOBase):
        return cast("IO[bytes]", data)
    if isinstance(data, (str, io.TextIOBase, Mapping)) or not isinstance(data, Iterable):
        name = name or argument_name(data, "data")
        raise InvalidArgument(f"{name}: must be bytes, a binary file or blocks of bytes, got {type(data).__name__}")
    return _checked_blocks(data, name)


def _checked_blocks(data: Iterable[object], name: str | None) -> Iterator[bytes]:
    for block in data:
        if not isinstance(block, (bytes, bytearray, memoryview)):
            name = name or argument_name(data, "data")
            raise InvalidArgument(f"{name}: blocks must be bytes, got {type(block).__name__} {block!r:.100}")
        yield bytes(block)
