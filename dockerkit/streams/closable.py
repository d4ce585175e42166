"""The bases of everything that is closed at the end of a ``with`` block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from dockerkit.errors import StreamInUse

if TYPE_CHECKING:
    from typing import Self

__all__ = ["ClosableIterator", "SelfClosing"]

T_co = TypeVar("T_co", covariant=True)


class SelfClosing:
    """A context manager that closes at the end of its block."""

    def close(self) -> None:
        """Release all resources."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ClosableIterator(SelfClosing, Generic[T_co]):
    """An iterator over ``self._items`` that is also a context manager, and closes at the end of its block."""

    _items: Iterator[T_co]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T_co:
        try:
            return next(self._items)
        except ValueError:
            if getattr(self._items, "gi_running", False):
                raise StreamInUse from None
            raise
