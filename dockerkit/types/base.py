"""Values of requests: checked by pydantic on creation, and readable like the Engine's dicts."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dockerkit.errors import InvalidArgument, UnknownOption
from dockerkit.parsing.json_data import to_json_data
from dockerkit.parsing.options import Owner, unknown_option
from dockerkit.parsing.values import sequence
from dockerkit.types.option_schema import EngineField, set_path

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


def refused(error: ValidationError, owner: Owner, names: Iterator[str] | Mapping[str, object]) -> InvalidArgument:
    """Convert a ValidationError to an error of dockerkit, with one sentence that names the parameter."""
    fault = error.errors(include_url=False)[0]
    parameter = "".join(f"[{part!r}]" if index else str(part) for index, part in enumerate(fault["loc"]))
    cause = fault.get("ctx", {}).get("error")
    if fault["type"] == "extra_forbidden":
        return unknown_option(owner, parameter, names)
    if fault["type"] == "missing":
        return UnknownOption(f"{owner if isinstance(owner, str) else owner.__name__} requires {parameter!r}")
    if isinstance(cause, InvalidArgument):
        return InvalidArgument(*cause.args)
    parameter = parameter or (owner if isinstance(owner, str) else owner.__name__)
    message = fault["msg"].replace("Input should be", "must be")
    return InvalidArgument(f"{parameter}: {message}, got {fault['input']!r:.200}")


@dataclass_transform(kw_only_default=False, field_specifiers=(Field,))
class ValueType(ModelMetaclass):
    """Metaclass of the value classes: tells type checkers that arguments may be positional."""


class Value(BaseModel, metaclass=ValueType):
    """A part of a request, checked on creation and immutable.

    Arguments can be positional, in the order of the fields, or named: by dockerkit's names (``tmpfs_size``) or the
    Engine's (``Target``), if there is a single field. It also reads like the Engine's dict: ``mount["Target"]``,
    ``in``, ``get``, ``dict(mount)``, ``mount == {...}``. It is accepted wherever such a dict is.

    Raises:
        InvalidArgument: an argument is invalid; the message names it.
        UnknownOption: an argument is unknown or missing (also a TypeError).
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True
    )

    _engine_fields: ClassVar[dict[str, EngineField]] = {}
    _aliases: ClassVar[dict[str, str]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        cls._engine_fields = {
            name: next(annotation for annotation in field.metadata if isinstance(annotation, EngineField))
            for name, field in cls.model_fields.items()
        }
        cls._aliases = {
            engine_field.path[0]: name
            for name, engine_field in cls._engine_fields.items()
            if len(engine_field.path) == 1
        }

    def __init__(self, /, *args: Any, **options: Any) -> None:
        names = list(self._engine_fields)
        if len(args) > len(names):
            raise UnknownOption(f"{type(self).__name__} takes at most {len(names)} arguments, got {len(args)}")
        arguments = dict(zip(names, args, strict=False))
        for key, value in options.items():
            name = self._aliases.get(key, key)
            if name in arguments:
                raise UnknownOption(f"{type(self).__name__} got {name!r} twice")
            arguments[name] = value
        try:
            super().__init__(**arguments)
        except ValidationError as error:
            raise refused(error, type(self).__name__, self._engine_fields) from None

    @classmethod
    def from_engine(cls, attrs: Mapping[str, Any]) -> Any:
        """Create a value from the Engine's dict, as returned by an inspect; unknown fields are ignored."""
        fields: dict[str, Any] = {}
        for name, engine_field in cls._engine_fields.items():
            part: Any = attrs
            for key in engine_field.path:
                part = part.get(key) if isinstance(part, Mapping) else None
            if engine_field.path and part is not None:
                fields[name] = part
        return cls(**fields)

    def to_engine(self) -> dict[str, Any]:
        """Return the Engine's dict: its names, plain data, without unset fields."""
        body: dict[str, Any] = {}
        for name, engine_field in self._engine_fields.items():
            value = self.__dict__[name]
            if value is not None and engine_field.path and value is not engine_field.unset:
                set_path(body, engine_field.path, to_json_data(value))
        return body

    def __setattr__(self, name: str, value: object) -> None:
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            if self.model_config.get("frozen"):
                raise AttributeError(f"a {type(self).__name__} can't be changed; create a new one") from None
            raise refused(error, type(self).__name__, self._engine_fields) from None

    # -- as the Engine's dict --------------------------------------------------------------------------------------

    def __getitem__(self, key: str) -> Any:
        return self.to_engine()[key]

    def get(self, key: str, default: object = None) -> Any:
        """Return a field of the Engine's dict."""
        return self.to_engine().get(key, default)

    def keys(self) -> KeysView[str]:
        """Return the Engine's names of the set fields."""
        return self.to_engine().keys()

    def values(self) -> ValuesView[Any]:
        """Return the set values, in the Engine's format."""
        return self.to_engine().values()

    def items(self) -> ItemsView[str, Any]:
        """Return the Engine's names and values of the set fields."""
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
    """docker-py's base class of small values; dockerkit's are :class:`Value`.

    Args:
        init: initial content.
    """

    def __init__(self, init: Mapping[str, Any]) -> None:
        super().__init__({key: value for key, value in init.items() if value is not None})


Mapping.register(Value)  # pyright: ignore[reportAttributeAccessIssue]


def engine_dict(kind: type[Value], value: object, name: str, *, defaults: bool = True) -> dict[str, Any]:
    """Return the Engine's dict of a value: from the value, from a dict by dockerkit's names, or from the Engine's dict.

    Args:
        kind: class that knows dockerkit's names.
        value: passed value.
        name: parameter, for errors.
        defaults: whether the class's defaults apply to a dict; if not, the Engine's do.
    """
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"{name}: must be a {kind.__name__} or a dict, got {value!r:.200}")
    if isinstance(value, Value):
        plain: dict[str, Any] = to_json_data(value, name)
        return plain
    try:
        if all(isinstance(key, str) and key[:1].isupper() for key in value):
            return _engine_spelling(kind, to_json_data(value, name), defaults)
        return _body(kind(**{str(key): item for key, item in value.items()}), defaults)
    except InvalidArgument as error:
        raise type(error)(f"{name}: {error.args[0]}") from None


def _body(value: Value, defaults: bool) -> dict[str, Any]:
    body = value.to_engine()
    if not defaults:
        for name, engine_field in type(value)._engine_fields.items():
            if name not in value.model_fields_set and len(engine_field.path) == 1:
                body.pop(engine_field.path[0], None)
    return body


def part_of(kind: type[Value]) -> Callable[[object, str], dict[str, Any]]:
    """Return a conversion of a value, or of a dict in either spelling, to the Engine's dict."""
    return lambda value, name: engine_dict(kind, value, name, defaults=False)


def parts_of(kind: type[Value]) -> Callable[[object, str], list[dict[str, Any]]]:
    """Return a conversion of a list of values or dicts to a list of the Engine's dicts."""

    def convert(value: object, name: str) -> list[dict[str, Any]]:
        return [
            engine_dict(kind, item, f"{name}[{index}]", defaults=False)
            for index, item in enumerate(sequence(value, name))
        ]

    return convert


def _engine_spelling(kind: type[Value], rest: dict[str, Any], defaults: bool) -> dict[str, Any]:
    """Return the Engine's dict from one with the Engine's names: known fields are converted and checked."""
    known_fields = _body(kind.from_engine(rest), defaults) if rest else {}

    def merged(original: Any, converted: Any) -> Any:
        if not isinstance(original, dict) or not isinstance(converted, dict):
            return converted
        return {key: merged(item, converted[key]) if key in converted else item for key, item in original.items()} | {
            key: item for key, item in converted.items() if key not in original
        }

    result: dict[str, Any] = merged(rest, known_fields)
    return result


__all__ = ["Value", "engine_dict", "part_of", "parts_of", "refused"]
