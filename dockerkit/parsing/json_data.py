"""Convert Python values to plain JSON data, the last step before a body is sent. Does not use pydantic."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any, Protocol, runtime_checkable

from dockerkit.errors import InvalidArgument
from dockerkit.errors.caller import argument_name

_PLAIN = frozenset({str, bool, int, type(None)})


@runtime_checkable
class ToEngine(Protocol):
    """A value that converts itself for the Engine: the classes of :mod:`dockerkit.types`, or your own with this method."""

    def to_engine(self) -> Mapping[str, Any] | Sequence[Any]:
        """Return the value with the Engine's field names."""
        ...


def to_json_data(value: object, name: str = "body") -> Any:
    """Convert a value to plain JSON data: dicts with string keys, lists, strings, numbers, booleans and None.

    Args:
        value: anything with ``to_engine()``, mappings, sequences and sets of these, paths, enums, and JSON's own types.
        name: what to call the value in an error.

    Raises:
        InvalidArgument: a part of the value can't be converted; the message says which.
    """
    try:
        return _convert(value)
    except RecursionError:
        raise InvalidArgument(f"{name}: contains itself or is nested too deeply") from None
    except TypeError:
        for path, reason in _invalid_parts(value, name):
            raise InvalidArgument(f"{path}: {reason}") from None
        raise  # an error inside a to_engine() method


def _convert(value: object) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:  # inlined for plain items, which make up most bodies
        return {
            key if type(key) is str else _key(key): item if type(item) in _PLAIN else _convert(item)
            for key, item in value.items()  # type: ignore[attr-defined]
        }
    if kind is list or kind is tuple:
        return [item if type(item) in _PLAIN else _convert(item) for item in value]  # type: ignore[attr-defined]
    if (to_engine := getattr(value, "to_engine", None)) is not None and not isinstance(value, type):
        return _convert(to_engine())
    return _convert_other(value)


def _convert_other(value: object) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): _convert(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return _convert(value.value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, AbstractSet):
        return sorted((_convert(item) for item in value), key=repr)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_convert(item) for item in value]
    raise TypeError(value)


def _key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise TypeError(key)


def _invalid_parts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a value that JSON can't represent. Only runs after a failure, so that valid values cost nothing."""
    if (to_engine := getattr(value, "to_engine", None)) is not None and not isinstance(value, type):
        value = to_engine()
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                yield argument_name(value, path), f"keys must be strings, got {key!r}"
            yield from _invalid_parts(item, f"{path}.{key}")
    elif isinstance(value, AbstractSet) or (isinstance(value, Sequence) and not isinstance(value, (str, bytes))):
        for index, item in enumerate(value):
            yield from _invalid_parts(item, f"{path}[{index}]")
    else:
        try:
            _convert(value)
        except TypeError:
            yield argument_name(value, path), f"a value of type {type(value).__name__} can't be sent: {value!r}"
