"""Options of a call as keys of a TypedDict, with their Engine fields and checks. Does not use pydantic.

A value is checked by its converter, or by its type if it has none. Only options that are passed are processed, so the
first call of a process is as cheap as any other.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from dockerkit.parsing.options import Owner, unknown_option
from dockerkit.parsing.values import raise_invalid

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

Convert = Callable[[object, str], Any]
"""Takes a value and the parameter's name, returns the Engine's format, or raises InvalidArgument."""


class EngineField:
    """Annotation that maps an option to its Engine field and its conversion.

    Args:
        path: field of the Engine, dotted if nested: ``"TmpfsOptions.SizeBytes"``; "" for an option that is not sent
            itself.
        convert: converts the value to the Engine's format; None sends it unchanged after a check of its type.
        unset: value that means unset, and is not sent.
    """

    __slots__ = ("convert", "path", "unset")

    def __init__(self, path: str, convert: Convert | None = None, *, unset: object = None) -> None:
        self.path: tuple[str, ...] = tuple(path.split(".")) if path else ()
        self.convert: Convert | None = convert
        self.unset: object = unset

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if self.convert is None:
            return handler(source)
        from pydantic_core import core_schema

        schema = core_schema.no_info_plain_validator_function(_named(self.convert, handler.field_name or "value"))
        return core_schema.nullable_schema(schema) if type(None) in _alternatives(source) else schema


def _named(convert: Convert, name: str) -> Callable[[object], Any]:
    def converted(value: object) -> Any:
        return convert(value, name)

    return converted


def _alternatives(hint: object) -> tuple[Any, ...]:
    """Return the members of a union; anything else is its only member."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _by_type(hint: object) -> Convert:
    """Return the check of an option that is sent as it was passed: of type ``str``, ``int``, ``bool`` or a Literal."""
    (kind,) = (item for item in _alternatives(hint) if item is not type(None))
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        return _check(lambda value: value in choices, f"one of {', '.join(map(repr, choices))}")
    if kind is bool:
        return _check(lambda value: type(value) is bool, "True or False")
    if kind is int:
        return _check(lambda value: isinstance(value, int) and not isinstance(value, bool), "an integer")
    assert kind is str, f"an option of type {kind} needs a converter"
    return _check(lambda value: isinstance(value, str), "a string")


def _check(passes: Callable[[object], bool], expected: str) -> Convert:
    def checked(value: object, name: str) -> object:
        if not passes(value):
            raise_invalid(name, expected, value)
        return value

    return checked


def set_path(body: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    """Set a value at its path, creating the objects on the way."""
    for part in path[:-1]:
        body = body.setdefault(part, {})
    body[path[-1]] = value


_MAY_BE_EMPTY = frozenset({"name", "network", "network_mode", "mem_limit", "memswap_limit", "mem_reservation"})
"""Options for which an empty string means unset, as for ``docker run``."""


class OptionSchema:
    """The options of a call: a TypedDict whose keys define name, type, conversion, Engine field and documentation.

    Args:
        options: TypedDict, in a module that evaluates annotations.
        owner: name of the function, for errors.
    """

    def __init__(self, options: type, owner: str) -> None:
        self.options = options
        self.owner = owner
        self._converters: dict[str, Convert] = {}  # of the options passed so far

    @cached_property
    def fields(self) -> dict[str, EngineField]:
        """The EngineField of each option."""
        return {name: hint.__metadata__[0] for name, hint in self.options.__annotations__.items()}

    def checked(self, options: Mapping[str, object], owner: Owner | None = None) -> dict[str, Any]:
        """Return options in the Engine's format, by their Python names; None is ignored.

        Args:
            options: options as passed.
            owner: called method, for errors, if not the default.

        Raises:
            InvalidArgument: a value is invalid.
            UnknownOption: an option is unknown.
        """
        checked = {}
        converters = self._converters
        for name, value in options.items():
            if value is not None and (value != "" or name not in _MAY_BE_EMPTY):
                convert = converters.get(name) or self._converter(name, owner or self.owner)
                checked[name] = convert(value, name)
        return checked

    def _converter(self, name: str, owner: Owner) -> Convert:
        field = self.fields.get(name)
        if field is None:
            raise unknown_option(owner, name, self.fields)
        convert = field.convert or _by_type(self.options.__annotations__[name].__origin__)
        self._converters[name] = convert
        return convert

    def body(self, options: Mapping[str, object]) -> dict[str, Any]:
        """Return options in the Engine's format, by the Engine's names.

        Raises:
            InvalidArgument: a value is invalid.
            UnknownOption: an option is unknown.
        """
        return self.placed(self.checked(options))

    def placed(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        """Return checked options by the Engine's names."""
        body: dict[str, Any] = {}
        fields = self.fields
        for name, value in checked.items():
            field = fields[name]
            if field.path and value is not field.unset:
                if len(field.path) == 1:
                    body[field.path[0]] = value
                else:
                    set_path(body, field.path, value)
        return body


__all__ = ["Convert", "EngineField", "OptionSchema", "set_path"]
