"""What request values and option rows share: where a value goes on the wire, how it gets its form, how it is refused."""

from __future__ import annotations

import difflib
import types
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, core_schema

from dockerkit.errors import InvalidArgument, UnknownOption
from dockerkit.types.wire import wire

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

Convert = Callable[[object, str], Any]
"""Takes a value and the parameter's name, answers the Engine's form, raises InvalidArgument."""


class Wire:
    """Says of an option, beside its type, what the Engine calls it and how it becomes what the Engine takes.

    Args:
        path: the Engine's field, dotted where it is a part of a part: ``"TmpfsOptions.SizeBytes"``; "" for an option
            that is not sent itself.
        convert: from what people write to what the Engine takes; None where they are the same, and the type is checked.
        unset: a value that says nothing to the Engine, and is not sent.
    """

    __slots__ = ("convert", "path", "unset")

    def __init__(self, path: str, convert: Convert | None = None, *, unset: object = None) -> None:
        self.path: tuple[str, ...] = tuple(path.split(".")) if path else ()
        self.convert: Convert | None = convert
        self.unset: object = unset

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if self.convert is None:
            return handler(source)
        schema = core_schema.no_info_plain_validator_function(_named(self.convert, handler.field_name or "value"))
        return core_schema.nullable_schema(schema) if _takes_none(source) else schema


def _named(convert: Convert, name: str) -> Callable[[object], Any]:
    def converted(value: object) -> Any:
        return convert(value, name)

    return converted


def _takes_none(source: object) -> bool:
    return get_origin(source) in (Union, types.UnionType) and type(None) in get_args(source)


def put(body: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    """Put a value where its path says, making the parts on the way."""
    for part in path[:-1]:
        body = body.setdefault(part, {})
    body[path[-1]] = value


def refused(error: ValidationError, owner: str, names: Iterator[str] | Mapping[str, object]) -> InvalidArgument:
    """A ValidationError as ours: one sentence, which names the parameter."""
    fault = error.errors(include_url=False)[0]
    place = "".join(f"[{part!r}]" if at else str(part) for at, part in enumerate(fault["loc"])) or owner
    cause = fault.get("ctx", {}).get("error")
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(place, names, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return UnknownOption(f"{owner} has no option {place!r}{hint}")
    if fault["type"] == "missing":
        return UnknownOption(f"{owner} needs {place!r}")
    if isinstance(cause, InvalidArgument):
        return InvalidArgument(str(cause))
    message = fault["msg"].replace("Input should be", "must be")
    return InvalidArgument(f"{place}: {message}, not {fault['input']!r:.200}")


@dataclass_transform(kw_only_default=False, field_specifiers=(Field,))
class ValueType(ModelMetaclass):
    """The class of value classes: tells type checkers that arguments may be given by position."""


class Value(BaseModel, metaclass=ValueType):
    """A part of a request, checked when it is made, and unchangeable.

    Arguments are given by position, in the order of the fields, or by name: ours (``tmpfs_size``) or the Engine's
    (``Target``), where it is one field there. It reads like the Engine's dict too: ``mount["Target"]``, ``in``,
    ``get``, ``dict(mount)``, ``mount == {...}``; and it may stand wherever such a dict may.

    Raises:
        InvalidArgument: an argument can't be right; the message names it.
        UnknownOption: there is no such argument, or one is missing (also a TypeError).
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True
    )

    _wires: ClassVar[dict[str, Wire]] = {}
    _aliases: ClassVar[dict[str, str]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        cls._wires = {
            name: next(fact for fact in field.metadata if isinstance(fact, Wire))
            for name, field in cls.model_fields.items()
        }
        cls._aliases = {row.path[0]: name for name, row in cls._wires.items() if len(row.path) == 1}

    def __init__(self, /, *args: Any, **options: Any) -> None:
        names = list(self._wires)
        if len(args) > len(names):
            raise UnknownOption(f"{type(self).__name__} takes {len(names)} arguments at most, not {len(args)}")
        given = dict(zip(names, args, strict=False))
        for key, value in options.items():
            name = self._aliases.get(key, key)
            if name in given:
                raise UnknownOption(f"{type(self).__name__} got {name!r} twice")
            given[name] = value
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise refused(error, type(self).__name__, self._wires) from None

    @classmethod
    def from_engine(cls, attrs: Mapping[str, Any]) -> Any:
        """A value from the Engine's dict, as an inspect answers it; fields that we don't know are left out."""
        given: dict[str, Any] = {}
        for name, row in cls._wires.items():
            part: Any = attrs
            for key in row.path:
                part = part.get(key) if isinstance(part, Mapping) else None
            if row.path and part is not None:
                given[name] = part
        return cls(**given)

    def to_engine(self) -> dict[str, Any]:
        """The Engine's dict: its names, plain data, without what was not given."""
        body: dict[str, Any] = {}
        for name, row in self._wires.items():
            value = self.__dict__[name]
            if value is not None and row.path and value is not row.unset:
                put(body, row.path, wire(value))
        return body

    def __setattr__(self, name: str, value: object) -> None:
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            if self.model_config.get("frozen"):
                raise AttributeError(f"a {type(self).__name__} can't be changed: make another one") from None
            raise refused(error, type(self).__name__, self._wires) from None

    # -- as the Engine's dict --------------------------------------------------------------------------------------

    def __getitem__(self, key: str) -> Any:
        return self.to_engine()[key]

    def get(self, key: str, default: object = None) -> Any:
        """One of the Engine's fields."""
        return self.to_engine().get(key, default)

    def keys(self) -> KeysView[str]:
        """The Engine's names of what was given."""
        return self.to_engine().keys()

    def values(self) -> ValuesView[Any]:
        """What was given, in the Engine's form."""
        return self.to_engine().values()

    def items(self) -> ItemsView[str, Any]:
        """The Engine's names and forms of what was given."""
        return self.to_engine().items()

    def __contains__(self, key: object) -> bool:
        return key in self.to_engine()

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self.to_engine())

    def __len__(self) -> int:
        return len(self.to_engine())

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Value):
            return type(self) is type(other) and self.to_engine() == other.to_engine()
        if isinstance(other, Mapping):
            return self.to_engine() == other
        return NotImplemented

    def __hash__(self) -> int:
        return hash(repr(sorted(self.to_engine().items())))

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        fields = type(self).model_fields
        for name, value in self.__dict__.items():
            if value != fields[name].default:
                yield name, value if fields[name].repr else "..."


class DictType(dict[str, Any]):
    """docker-py's base of small values; ours are :class:`Value`.

    Args:
        init: what is in it.
    """

    def __init__(self, init: Mapping[str, Any]) -> None:
        super().__init__({key: value for key, value in init.items() if value is not None})


Mapping.register(Value)  # pyright: ignore[reportAttributeAccessIssue]


def engine_dict(kind: type[Value], value: object, name: str) -> dict[str, Any]:
    """The Engine's dict of a value: from the value, from a dict by our names, or from the Engine's own dict.

    Args:
        kind: the class that knows our names.
        value: what was given.
        name: the parameter, for the error.
    """
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"{name}: a {kind.__name__} or a dict is needed, not {value!r:.200}")
    if isinstance(value, Value) or all(isinstance(key, str) and key[:1].isupper() for key in value):
        plain: dict[str, Any] = wire(value, name)
        return plain
    try:
        return kind(**{str(key): item for key, item in value.items()}).to_engine()
    except InvalidArgument as error:
        raise type(error)(f"{name}: {error}") from None


class Rows:
    """The options of a call: a TypedDict whose keys say, each in one place, name, type, form, wire path and meaning.

    Args:
        options: the TypedDict.
        owner: what to call it in errors.
    """

    def __init__(self, options: type, owner: str) -> None:
        self.options = options
        self.owner = owner

    @cached_property
    def wires(self) -> dict[str, Wire]:
        """The row of each option."""
        hints = get_type_hints(self.options, include_extras=True)
        return {name: next(fact for fact in get_args(hint) if isinstance(fact, Wire)) for name, hint in hints.items()}

    @cached_property
    def _check(self) -> Callable[[Mapping[str, object]], dict[str, Any]]:
        self.options.__pydantic_config__ = ConfigDict(  # type: ignore[attr-defined]
            strict=True, extra="forbid", arbitrary_types_allowed=True
        )
        adapter: TypeAdapter[Any] = TypeAdapter(self.options)
        return adapter.validate_python

    def checked(self, given: Mapping[str, object]) -> dict[str, Any]:
        """Options in the Engine's form, by our names; None counts as not given.

        Raises:
            InvalidArgument: a value can't be right.
            UnknownOption: there is no such option.
        """
        try:
            return self._check({name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise refused(error, self.owner, self.wires) from None

    def body(self, given: Mapping[str, object]) -> dict[str, Any]:
        """Options in the Engine's form, by the Engine's names.

        Raises:
            InvalidArgument: a value can't be right.
            UnknownOption: there is no such option.
        """
        return self.placed(self.checked(given))

    def placed(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        """Options that were checked, by the Engine's names."""
        body: dict[str, Any] = {}
        wires = self.wires
        for name, value in checked.items():
            row = wires[name]
            if row.path and value is not row.unset:
                if len(row.path) == 1:
                    body[row.path[0]] = value
                else:
                    put(body, row.path, value)
        return body


__all__ = ["Convert", "Rows", "Value", "Wire", "engine_dict", "put", "refused"]
