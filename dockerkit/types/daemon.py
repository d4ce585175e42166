"""docker-py's name for an iterator over an answer that can be closed from another thread."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator
from typing import Any, Protocol

from dockerkit.streams import Stream


class Closable(Protocol):
    """What can be closed."""

    def close(self) -> object: ...


class CancellableStream(ABC):  # noqa: B024  an ABC so that all our streams count as one
    """An iterator that ends when :meth:`close` is called, from any thread. All streams of dockerkit count as one.

    Args:
        stream: what it iterates over.
        response: what is closed.
    """

    def __init__(self, stream: Iterator[Any], response: Closable) -> None:
        self._stream = stream
        self._response = response

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._stream)

    def next(self) -> Any:
        """The next item: Python 2's name for it."""
        return next(self)

    def close(self) -> None:
        """Stop the iteration."""
        self._response.close()


CancellableStream.register(Stream)
