"""From Python values to what JSON can say: the last step before a body is sent. No pydantic here."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any, Protocol, runtime_checkable

from dockerkit.errors import InvalidArgument

_PLAIN = frozenset({str, bool, int, type(None)})


@runtime_checkable
class ToEngine(Protocol):
    """A value that knows how the Engine writes it: all of :mod:`dockerkit.types`, and your own if they have this."""

    def to_engine(self) -> Mapping[str, Any] | Sequence[Any]:
        """The value under the Engine's names."""
        ...


def wire(value: object, name: str = "body") -> Any:
    """A value as plain JSON data: dicts with text keys, lists, texts, numbers, booleans and None.

    Args:
        value: anything with ``to_engine()``, mappings, sequences and sets of such, paths, enums, and what JSON knows.
        name: what to call the value in an error.

    Raises:
        InvalidArgument: something in it has no form in JSON; the message says where it is.
    """
    try:
        return _wire(value)
    except RecursionError:
        raise InvalidArgument(f"{name}: it contains itself, or is nested too deep") from None
    except TypeError:
        for place, reason in _faults(value, name):
            raise InvalidArgument(f"{place}: {reason}") from None
        raise  # an error inside somebody's to_engine()


def _wire(value: object) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:  # written out for plain items, of which most bodies consist
        return {
            key if type(key) is str else _key(key): item if type(item) in _PLAIN else _wire(item)
            for key, item in value.items()  # type: ignore[attr-defined]
        }
    if kind is list or kind is tuple:
        return [item if type(item) in _PLAIN else _wire(item) for item in value]  # type: ignore[attr-defined]
    if (to_engine := getattr(value, "to_engine", None)) is not None and not isinstance(value, type):
        return _wire(to_engine())
    return _rarer(value)


def _rarer(value: object) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): _wire(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return _wire(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, AbstractSet):
        return sorted((_wire(item) for item in value), key=repr)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_wire(item) for item in value]
    raise TypeError(value)


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise TypeError(key)


def _faults(value: object, place: str) -> Iterator[tuple[str, str]]:
    """What in a value has no form in JSON. Looked for after it failed, so that the usual case pays nothing."""
    if (to_engine := getattr(value, "to_engine", None)) is not None and not isinstance(value, type):
        value = to_engine()
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                yield place, f"keys are texts, not {key!r}"
            yield from _faults(item, f"{place}.{key}")
    elif isinstance(value, AbstractSet) or (isinstance(value, Sequence) and not isinstance(value, (str, bytes))):
        for index, item in enumerate(value):
            yield from _faults(item, f"{place}[{index}]")
    else:
        try:
            _wire(value)
        except TypeError:
            yield place, f"a {type(value).__name__} can't be sent: {value!r}"
