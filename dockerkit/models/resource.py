"""What all objects share: an object is an engine's dict with verbs, a collection is where they come from."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from dockerkit.errors import DockerException, InvalidArgument, StreamParseError

if TYPE_CHECKING:
    from dockerkit.api.refs import Ref
    from dockerkit.client import DockerClient

M = TypeVar("M", bound="Model")
T = TypeVar("T")

_UNEXPECTED = (TypeError, AttributeError, ValueError, LookupError)  # what comes of facts of a wrong type


def _checked(read: Callable[[Any], T]) -> Callable[[Any], T]:
    """A property's function, telling of facts of an unexpected form as such."""

    @functools.wraps(read)
    def checked(model: Model) -> T:
        try:
            return read(model)
        except DockerException:
            raise
        except _UNEXPECTED as error:
            raise _unexpected(f"{type(model).__name__}.{read.__name__}", error) from error

    return checked


@contextlib.contextmanager
def reading(what: str) -> Iterator[None]:
    """The same for other code that makes something of an answer."""
    try:
        yield
    except DockerException:
        raise
    except _UNEXPECTED as error:
        raise _unexpected(what, error) from error


def _unexpected(what: str, error: Exception) -> StreamParseError:
    return StreamParseError(f"{what}: the engine's answer has another form than expected ({error})")


def told_warnings(answer: Mapping[str, Any]) -> list[str]:
    """The warnings of an answer; older engines have one, newer ones several."""
    many = answer.get("Warnings")
    one = answer.get("Warning")
    return [str(warning) for warning in (*(many if isinstance(many, list) else ()), *((one,) if one else ()))]


class Model:
    """An object of the engine: its facts in :attr:`attrs`, as the engine sent them, and verbs.

    Facts of a list are a summary; what a summary lacks is inspected once, when it is asked for. ``repr``, ``==`` and
    ``hash`` never ask the engine.

    Attributes:
        attrs: the engine's dict.
        client: the client that it came from.
        collection: the collection that it came from.
    """

    id_attribute: ClassVar[str] = "Id"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
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
        self._partial = partial  # whether attrs are a list's summary

    @property
    def client(self) -> DockerClient:
        """The client that the object came from."""
        if self._client is None:
            raise InvalidArgument(f"{self!r} belongs to no client: get it from a client's collection")
        return self._client

    @property
    def id(self) -> str | None:
        """The full id."""
        return self.attrs.get(self.id_attribute)

    @property
    @_checked
    def short_id(self) -> str:
        """The first 12 characters of the id."""
        return (self.id or "")[:12]

    def reload(self) -> None:
        """Ask the engine for the facts anew; :attr:`attrs` is replaced."""
        self.attrs = self._inspect()
        self._partial = False

    def _inspect(self) -> dict[str, Any]:
        """The engine's full dict of this object; each resource says how."""
        if self.collection is None:
            raise InvalidArgument(f"{self!r} belongs to no collection: it can't be reloaded")
        attrs: dict[str, Any] = self.collection.get(self.id or "").attrs
        return attrs

    def _full(self) -> dict[str, Any]:
        """The facts, after making sure that they are all there."""
        if self._partial:
            self.reload()
        return self.attrs

    def _fact(self, key: str) -> Any:
        """One fact: from the summary where it has it, else inspected once."""
        if self._partial and key not in self.attrs:
            self.reload()
        return self.attrs.get(key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.__class__) and self.id == other.id

    def __hash__(self) -> int:
        return hash(f"{type(self).__name__}:{self.id}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.short_id}>"

    def _repr_html_(self) -> str:
        """A table of the main facts, for notebooks; asks the engine nothing."""
        from dockerkit.models.tables import Table

        return Table([self])._repr_html_()


class Collection(Generic[M]):
    """Where objects of one kind come from: ``get``, ``list``, ``create`` and what the engine can do with all of them.

    Attributes:
        client: the client.
    """

    model: ClassVar[type[Any]] = Model

    def __init__(self, client: DockerClient | None = None) -> None:
        self._client = client

    @property
    def client(self) -> DockerClient:
        """The client that the collection belongs to."""
        if self._client is None:
            raise InvalidArgument(f"{type(self).__name__} belongs to no client")
        return self._client

    def __call__(self, *args: object, **kwargs: object) -> None:
        raise TypeError(
            f"{type(self).__name__} is no function: client.{self._name()} has list(), get()...; "
            f"the low-level call is client.api.{self._name()}()"
        )

    def _name(self) -> str:
        return type(self).__name__.removesuffix("Collection").lower() + "s"

    def get(self, key: Ref, /) -> M:
        """One object, by id or name."""
        raise NotImplementedError(f"{type(self).__name__}.get")

    def prepare_model(self, attrs: Mapping[str, Any] | Model, *, partial: bool = False) -> M:
        """An object for an engine's dict; an object is returned with this client and collection.

        Args:
            attrs: the dict.
            partial: whether it is a list's summary.
        """
        if isinstance(attrs, Model):
            attrs._client, attrs.collection = self._client, self
            return attrs  # type: ignore[return-value]
        if not isinstance(attrs, dict):
            raise InvalidArgument(f"attrs: a dict of the engine is needed, not {type(attrs).__name__}")
        model: M = self.model(attrs=attrs, client=self._client, collection=self, partial=partial)
        return model

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"
