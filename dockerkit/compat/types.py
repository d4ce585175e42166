"""docker-py's ``docker.types`` in the drop-in profile: the same values as :mod:`dockerkit.types`, as dicts."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

from dockerkit.types.base import Value
from dockerkit.types.option_schema import EngineField, set_path

__all__ = ["DictValue", "drop_in"]


class DictValue(dict[str, Any]):
    """The Engine's dict of a value, checked on creation and mutable afterwards.

    Args:
        args, options: as for the class of :mod:`dockerkit.types` with the same name.

    Raises:
        InvalidArgument: an argument is invalid; the message names it.
        UnknownOption: an argument is unknown or missing (also a TypeError).
    """

    _kind: ClassVar[type[Value]]

    def __init__(self, *args: Any, **options: Any) -> None:
        value = self._kind(*args, **options)
        super().__init__(value.to_engine())
        for name, field in self._kind._engine_fields.items():
            if not field.path:  # several keys, or none: the passed value stays readable
                self.__dict__[name] = getattr(value, name)

    def __missing__(self, key: str) -> Any:
        """Add the keys of unset fields that docker-py also has, mostly with None."""
        for field in self._kind._engine_fields.values():
            if field.path[:1] == (key,):
                return field.unset if len(field.path) == 1 else None
        raise KeyError(key)

    def __getattr__(self, name: str) -> Any:
        field = self._field(name)
        value: Any = self
        for key in field.path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def __setattr__(self, name: str, value: object) -> None:
        field = self._field(name)
        set_path(self, field.path, field.convert(value, name) if field.convert and value is not None else value)

    def _field(self, name: str) -> EngineField:
        field = self._kind._engine_fields.get(name)
        if field is None or not field.path:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return field


@cache
def drop_in(kind: type[Value]) -> type[DictValue]:
    """Return the dict class that replaces a class of :mod:`dockerkit.types`.

    Methods and constants defined by the class itself are kept; they work on the dict's attributes.
    """
    members = {
        name: member
        for name, member in vars(kind).items()
        if not name.startswith("_") and name not in _CONVERSIONS and _is_member(member)
    }
    body: dict[str, Any] = {"_kind": kind, "__doc__": kind.__doc__, "__module__": kind.__module__, **members}
    bases: Iterable[type[Value]] = (base for base in kind.__bases__ if issubclass(base, Value) and base is not Value)
    return type(kind.__name__, tuple(map(drop_in, bases)) or (DictValue,), body)  # pyright: ignore[reportArgumentType]


_CONVERSIONS = frozenset({"to_engine", "from_engine"})


def _is_member(member: object) -> bool:
    return isinstance(member, (classmethod, staticmethod, property, type)) or inspect.isfunction(member)
