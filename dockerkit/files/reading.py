"""Read local files, with errors that name them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dockerkit.errors import UnreadableFile

__all__ = ["file_blocks", "read_file"]


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Return a file's content, or raise UnreadableFile."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UnreadableFile.of(error, os.fspath(path)) from error


def file_blocks(path: str, size: int) -> Iterator[bytes]:
    """Read a file in blocks of at most ``size`` bytes, or raise UnreadableFile."""
    try:
        with open(path, "rb", buffering=0) as file:
            while block := file.read(size):
                yield block
    except OSError as error:
        raise UnreadableFile.of(error, path) from error
