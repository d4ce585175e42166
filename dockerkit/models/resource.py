"""Base classes: an object has the engine's attributes and methods, a collection creates objects."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Never, TypeVar, cast

from dockerkit import errors
from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.parsing.options import suggest_in_methods
from dockerkit.parsing.responses import UNEXPECTED, unexpected_response

if TYPE_CHECKING:
    import typing_extensions

    from dockerkit.api.refs import Ref
    from dockerkit.client import DockerClient
    from dockerkit.models.ensured import Ensured

    D = typing_extensions.TypeVar("D", default=typing_extensions.Never)
else:
    D = TypeVar("D")  # the standard library's TypeVar has defaults only from Python 3.13

M = TypeVar("M", bound="Model")
T = TypeVar("T")

RAISE: Never = cast("Never", object())
"""Default of ``get(default=…)``: raise the engine's NotFound."""


def _checked(read: Callable[[Any], T]) -> Callable[[Any], T]:
    """Wrap a property function, so that attributes of unexpected types raise StreamParseError."""

    @functools.wraps(read)
    def checked(model: Model) -> T:
        try:
            return read(model)
        except DockerException:
            raise
        except UNEXPECTED as error:
            raise unexpected_response(f"{type(model).__name__}.{read.__name__}", error) from error

    return checked


def response_warnings(answer: Mapping[str, Any]) -> list[str]:
    """Return the warnings of a response; older engines send one, newer ones a list."""
    many = answer.get("Warnings")
    single = answer.get("Warning")
    return [str(warning) for warning in (*(many if isinstance(many, list) else ()), *((single,) if single else ()))]


class Model:
    """An object of the engine: its attributes in :attr:`attrs`, as returned by the engine, and methods.

    An object from a list has a summary; missing attributes are fetched once, on first access. ``repr``, ``==`` and
    ``hash`` never make a request.

    Attributes:
        attrs: dict of the engine.
        client: client of the object.
        collection: collection of the object.
        ensured: result of ``ensure()``, if that returned the object.
    """

    id_attribute: ClassVar[str] = "Id"
    ensured: Ensured | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        suggest_in_methods(cls)
        for name, value in list(vars(cls).items()):
            if isinstance(value, property) and value.fget is not None and name != "attrs":
                setattr(cls, name, value.getter(_checked(value.fget)))

    def __init__(
        self,
        attrs: dict[str, Any] | None = None,
        client: DockerClient | None = None,
        collection: Collection[Any] | None = None,
        *,
        partial: bool = False,
    ) -> None:
        self.attrs: dict[str, Any] = {} if attrs is None else attrs
        self._client = client
        self.collection = collection
        self._partial = partial  # whether attrs are the summary of a list

    @property
    def client(self) -> DockerClient:
        """Client of the object."""
        if self._client is None:
            raise InvalidArgument(f"{self!r} has no client: get it from a client's collection")
        return self._client

    @property
    def id(self) -> str | None:
        """Full ID."""
        return self.attrs.get(self.id_attribute)

    @property
    @_checked
    def short_id(self) -> str:
        """First 12 characters of the ID."""
        return (self.id or "")[:12]

    @property
    def cached_attrs(self) -> dict[str, Any]:
        """Known attributes. Never makes a request."""
        if "_attrs" in vars(self):  # in that case, reading `attrs` may make a request
            return vars(self)["_attrs"] or {}
        return self.attrs

    @property
    def display_name(self) -> str:
        """Name if known, otherwise the short ID. Never makes a request."""
        attrs = self.cached_attrs
        spec = attrs.get("Spec")
        name = attrs.get("Name") or (spec.get("Name") if isinstance(spec, dict) else None)
        if not name and isinstance(names := attrs.get("Names"), list):  # a name that contains another slash is a link's
            name = next((item for item in names if "/" not in str(item)[1:]), None)
        return str(name).lstrip("/") if name else self.short_id

    def reload(self) -> None:
        """Fetch the attributes again, and replace :attr:`attrs`."""
        self.attrs = self._inspect()
        self._partial = False

    def _inspect(self) -> dict[str, Any]:
        """Fetch the full attributes of the object; implemented by each resource."""
        if self.collection is None:
            raise InvalidArgument(f"{self!r} has no collection, so it can't be reloaded")
        attrs: dict[str, Any] = self.collection.get(self.id or "").attrs
        return attrs

    def _load(self) -> dict[str, Any]:
        """Return all attributes; fetch them if only a summary is known."""
        if self._partial:
            self.reload()
        return self.attrs

    def _get_attr(self, key: str) -> Any:
        """Return an attribute, from the summary if it has it, otherwise from an inspect."""
        if self._partial and key not in self.attrs:
            self.reload()
        return self.attrs.get(key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.__class__) and self.id == other.id

    def __hash__(self) -> int:
        return hash(f"{type(self).__name__}:{self.id}")

    def __repr__(self) -> str:
        name, short_id = (text.removeprefix("sha256:") for text in (self.display_name, self.short_id))
        words = [repr(name), *self._summary(), *([] if name in (short_id, self.id) else [short_id])]
        return f"<{type(self).__name__} {' '.join(words)}>"

    def _summary(self) -> list[str]:
        """Return the parts of ``repr`` between name and ID, from :attr:`cached_attrs`."""
        driver = self.cached_attrs.get("Driver")
        return [driver] if isinstance(driver, str) else []

    def _repr_html_(self) -> str:
        """Return a table of the main attributes, for notebooks. Makes no request."""
        from dockerkit.models.tables import Table

        return Table([self])._repr_html_()


class LazyModel(Model):
    """A model whose attributes are fetched when :attr:`attrs` is read, if it is from a list."""

    _attrs: dict[str, Any]
    _sparse = False  # whether attrs stay the list's summary, for docker-py's sparse=True
    _views: ClassVar[tuple[str, ...]]  # cached properties, which depend on the attributes

    @property
    def attrs(self) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Attributes as returned by inspecting the object, fetched on first access."""
        return self._attrs if self._sparse else self._load()

    @attrs.setter
    def attrs(self, attrs: dict[str, Any]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        if self.__dict__:
            for name in self._views:
                self.__dict__.pop(name, None)
        self._attrs = attrs

    @property
    def labels(self) -> dict[str, str]:
        """Labels, by name."""
        if self._partial and "Labels" in self._attrs:
            return self._attrs["Labels"] or {}
        return (self._load().get("Config") or {}).get("Labels") or {}

    def _load(self) -> dict[str, Any]:
        if self._partial:
            self.reload()
        return self._attrs

    def _get_attr(self, key: str) -> Any:
        return (self._attrs if key in self._attrs else self._load()).get(key)


class Collection(Generic[M]):
    """Base class of collections, which get, list, create and manage objects of one kind.

    Attributes:
        client: client of the collection.
    """

    model: ClassVar[type[Any]] = Model

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        suggest_in_methods(cls)

    def __init__(self, client: DockerClient | None = None) -> None:
        self._client = client

    @property
    def client(self) -> DockerClient:
        """Client of the collection."""
        if self._client is None:
            raise InvalidArgument(f"{type(self).__name__} has no client")
        return self._client

    def __call__(self, *args: object, **kwargs: object) -> None:
        raise TypeError(
            f"{type(self).__name__} is not callable: use client.{self._name()}.list(), get() and so on; "
            f"the low-level call is client.api.{self._name()}()"
        )

    def _name(self) -> str:
        return type(self).__name__.removesuffix("Collection").lower() + "s"

    def get(self, key: Ref, /, *, default: D = RAISE) -> M | D:
        """Return an object by ID or name.

        Args:
            key: ID or name.
            default: returned instead of raising NotFound.
        """
        raise NotImplementedError(f"{type(self).__name__}.get")

    def exists(self, key: Ref, /) -> bool:
        """Return whether an object with this ID or name exists, in one request.

        Args:
            key: ID or name.
        """
        return self.get(key, default=None) is not None

    def _get_or_create(self, name: str, create: Callable[[], M]) -> M:
        """Return the object with exactly this name; `ensured` is set if it was created now.

        The engine also matches prefixes of IDs, and another client may create the object concurrently.
        """
        for attempt in (1, 2):
            found = self.get(name, default=None)
            if found is not None and getattr(found, "name", None) == name:
                return found
            try:
                created = create()
            except errors.Conflict:
                if attempt == 2:
                    raise
            else:
                from dockerkit.models.ensured import Ensured

                created.ensured = Ensured("created")
                return created
        raise AssertionError("the second attempt returns or raises")

    def _get(self, inspect: Callable[[], Mapping[str, Any]], default: D) -> M | D:
        """Return the object that `inspect` fetches, or the default if it does not exist."""
        try:
            attrs = inspect()
        except errors.NotFound:
            if default is RAISE:
                raise
            return default
        return self.prepare_model({**attrs})

    def prepare_model(self, attrs: Mapping[str, Any] | Model, *, partial: bool = False) -> M:
        """Return the object for a dict of the engine. An object is returned with this client and collection.

        Args:
            attrs: the dict.
            partial: whether it is the summary of a list.
        """
        if isinstance(attrs, Model):
            attrs._client, attrs.collection = self._client, self
            return attrs  # type: ignore[return-value]
        if not isinstance(attrs, dict):
            raise InvalidArgument(f"attrs: must be a dict of the engine, got {type(attrs).__name__}")
        model: M = self.model(attrs=attrs, client=self._client, collection=self, partial=partial)
        return model

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"
