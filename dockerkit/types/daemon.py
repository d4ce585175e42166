"""docker-py's type of an iterator over a response that can be closed from another thread."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator
from typing import Any, Protocol

from dockerkit.streams import Stream


class Closable(Protocol):
    """An object that can be closed."""

    def close(self) -> object: ...


class CancellableStream(ABC):  # noqa: B024  an ABC so that all of dockerkit's streams are instances
    """An iterator that ends when :meth:`close` is called, from any thread. All streams of dockerkit are instances.

    Args:
        stream: iterator over the items.
        response: object to close.
    """

    def __init__(self, stream: Iterator[Any], response: Closable) -> None:
        self._stream = stream
        self._response = response

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._stream)

    def next(self) -> Any:
        """Return the next item; Python 2's name of ``__next__``."""
        return next(self)

    def close(self) -> None:
        """Stop the iteration."""
        self._response.close()


CancellableStream.register(Stream)
