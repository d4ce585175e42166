"""The counterparts of the synchronous classes: same names, but calls are awaited.

The classes are created from the synchronous ones on first use.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import AsyncIterable, Callable, Coroutine, Generator, Iterator
from types import FunctionType, MethodType
from typing import Any, ClassVar, Self, TypeVar

from dockerkit.aio.classes import AWAITED, PLAIN, PROXIED, UNAVAILABLE, async_name
from dockerkit.aio.greenlets import PARKED, CoreGreenlet, LoopRuntime, getcurrent
from dockerkit.errors import NotLoaded, StreamInUse

T = TypeVar("T")

_END: Any = object()
_FUNCTIONS = (FunctionType, MethodType, functools.partial)
_PLAIN_DATA: frozenset[type] = frozenset({str, bytes, int, float, bool, type(None)})


class Pending(Coroutine[Any, Any, T]):
    """A call that begins when it is awaited, iterated or entered.

    ``await container.logs()``, ``async for block in container.logs(stream=True)``, and
    ``async with container.popen("sh") as process``.
    """

    __slots__ = ("_call", "_opened")

    def __init__(self, call: Coroutine[Any, Any, T]) -> None:
        self._call = call
        self._opened: Any = None

    def __await__(self) -> Generator[Any, Any, T]:
        return self._call.__await__()

    def send(self, value: Any) -> Any:
        return self._call.send(value)

    def throw(self, *error: Any) -> Any:
        return self._call.throw(*error)

    def close(self) -> None:
        self._call.close()

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[Any, Any, Any]:
        return self._first() if self._opened is None else self._opened.__anext__()

    async def _first(self) -> Any:
        opened: Any = await self._call
        self._opened = aiter(opened)
        return await anext(self._opened)

    async def aclose(self) -> None:
        """Close the stream that is iterated."""
        if self._opened is None:
            self._call.close()
        else:
            await self._opened.aclose()

    async def __aenter__(self) -> Any:
        self._opened = await self._call
        return await self._opened.__aenter__()

    async def __aexit__(self, *error: object) -> Any:
        return await self._opened.__aexit__(*error)


class AsyncObject:
    """Base class of all counterparts. They are equal if their synchronous objects are."""

    __slots__ = ("__weakref__", "_cached", "_feeder", "_runtime", "_sync")

    _sync: Any
    _unavailable: ClassVar[dict[str, str]] = {}

    def __init__(self, sync: Any, runtime: LoopRuntime) -> None:
        self._sync = sync
        self._runtime = runtime
        self._feeder: CoreGreenlet | None = None
        self._cached: dict[str, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if (reason := self._unavailable.get(name)) is not None:
            raise AttributeError(f"{type(self).__name__}.{name} {reason}")
        return wrap(self._runtime.run_now(getattr, self._sync, name), self._runtime)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncObject) and bool(self._sync == other._sync)

    def __hash__(self) -> int:
        return hash(self._sync)

    def __repr__(self) -> str:
        return repr(self._sync).replace("<", "<Async", 1)

    def _repr_html_(self) -> str:
        return str(self._sync._repr_html_())


class _Context(AsyncObject):
    """A context manager, or another object with ``close()``."""

    __slots__ = ()

    async def __aenter__(self) -> Self:
        await self._runtime.run(type(self._sync).__enter__, self._sync)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runtime.finish(type(self._sync).__exit__, self._sync, *error)


class _Closable(AsyncObject):
    __slots__ = ()

    async def close(self) -> None:
        """Close the object, even if the task is cancelled meanwhile."""
        await self._runtime.finish(self._sync.close)

    aclose = close


class _Iterable(AsyncObject):
    __slots__ = ()

    def __aiter__(self) -> AsyncStream:
        return AsyncStream(iter(self._sync), self._runtime)


class AsyncStream(AsyncObject):
    """An asynchronous iterator. If the task that waits for the next item is cancelled, the stream is closed."""

    __slots__ = ()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        feeder = self._feeder
        if feeder is None:
            self._runtime.loop  # noqa: B018 - raises WrongEventLoop, as each wait does
            feeder = self._feeder = CoreGreenlet(self._runtime, _feed)
            result = feeder.switch(self._sync)
        elif feeder.dead:
            raise StopAsyncIteration
        elif feeder.future is not None:
            raise StreamInUse("another task is reading this stream: open a separate stream for each task")
        else:
            if feeder.parent is not (current := getcurrent()):
                self._runtime.loop  # noqa: B018 - greenlets can't change threads
                feeder.parent = current
            result = feeder.switch()
        if result is PARKED:
            try:
                result = await self._runtime.outcome(feeder, self._runtime.loop)
            finally:
                feeder.future = None
        if result is _END:
            raise StopAsyncIteration
        return wrap(result, self._runtime)

    async def close(self) -> None:
        """Close the stream; a task that iterates over it sees the end."""
        if (close := getattr(self._sync, "close", None)) is None:
            return
        if self._feeder is not None and self._feeder.future is not None and isinstance(self._sync, Generator):
            self._feeder.interrupt(GeneratorExit())
        await self._runtime.finish(close)

    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _feed(items: Iterator[Any]) -> Any:
    """Pass on items one by one, each with a switch."""
    for item in items:
        getcurrent().parent.switch(item)  # type: ignore[union-attr]  # a variable for the greenlet would be a cycle
    return _END


class _Client(_Context, _Closable):
    """The counterpart of :class:`dockerkit.DockerClient`. It belongs to the first event loop that it is used in."""

    __slots__ = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        from dockerkit.client import DockerClient

        runtime = LoopRuntime()
        super().__init__(runtime.run_now(DockerClient, *args, **options), runtime)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """Create a client of the engine that the docker command would use; see :meth:`DockerClient.from_env`."""
        return cls._create("from_env", options)

    @classmethod
    def from_context(cls, name: str | None = None, **options: Any) -> Self:
        """Create a client of the engine of a Docker context; see :meth:`DockerClient.from_context`."""
        return cls._create("from_context", {"name": name, **options})

    @classmethod
    def _create(cls, method: str, options: dict[str, Any]) -> Self:
        from dockerkit.client import DockerClient

        runtime = LoopRuntime()
        client: Self = wrap(runtime.run_now(getattr(DockerClient, method), **options), runtime)
        return client

    async def close(self) -> None:
        """Close all connections, and wait for the cleanup of calls that were cancelled."""
        await self._runtime.settle()
        await super().close()
        self._runtime.close()

    aclose = close

    async def __aenter__(self) -> Self:
        self._runtime.loop  # noqa: B018 - binds the client to this loop
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Listener(_Context, _Closable):
    """The counterpart of an event listener: handlers may be coroutine functions."""

    __slots__ = ("_handlers",)

    def __init__(self, sync: Any, runtime: LoopRuntime) -> None:
        super().__init__(sync, runtime)
        self._handlers: list[tuple[Any, Any]] = []

    def on(self, type: Any = None, action: Any = None) -> Callable[[Any], Any]:
        """Register a function or coroutine function as a handler; use it as a decorator. See :meth:`EventListener.on`."""

        def register(handler: Any) -> Any:
            inner = unwrap(handler, self._runtime)
            self._handlers.append((handler, inner))
            self._sync.on(type, action)(inner)
            return handler

        return register

    def off(self, handler: Any) -> None:
        """Remove a handler."""
        for pair in [pair for pair in self._handlers if pair[0] is handler]:
            self._handlers.remove(pair)
            self._sync.off(pair[1])


_SPECIAL: dict[str, type[AsyncObject]] = {"DockerClient": _Client, "EventListener": _Listener}
_counterparts: dict[type, type[AsyncObject] | None] = dict.fromkeys(_PLAIN_DATA)


def counterpart(cls: type) -> type[AsyncObject] | None:
    """Return the asynchronous counterpart of a class; None if it has none."""
    try:
        return _counterparts[cls]
    except KeyError:
        proxy = None
        for base in cls.__mro__:
            if base.__name__ in PROXIED.get(base.__module__, ()):
                proxy = _counterparts.get(base) or _build(base)
                _counterparts[base] = proxy
                break
        else:
            if issubclass(cls, Iterator) and not hasattr(cls, "fileno"):
                proxy = AsyncStream
        _counterparts[cls] = proxy
        return proxy


def _build(cls: type[Any]) -> type[AsyncObject]:
    bases: list[type[AsyncObject]] = [_SPECIAL[cls.__name__]] if cls.__name__ in _SPECIAL else []
    if not bases:
        if hasattr(cls, "__next__"):
            bases.append(AsyncStream)
        else:
            bases += [_Context] if hasattr(cls, "__enter__") else []
            bases += [_Closable] if hasattr(cls, "close") else []
            bases += [_Iterable] if hasattr(cls, "__iter__") else []
    bases = bases or [AsyncObject]
    inherited = {name for base in bases for ancestor in base.__mro__ for name in vars(ancestor)}
    unavailable: dict[str, str] = {}
    names: dict[str, Any] = {
        "__doc__": cls.__doc__,
        "__module__": "dockerkit.aio",
        "__slots__": (),
        "_unavailable": unavailable,
    }
    for name in dir(cls):
        if not name.startswith("_") and name not in inherited:
            qualified_name, member = _find(cls, name)
            if qualified_name in UNAVAILABLE:
                unavailable[name] = UNAVAILABLE[qualified_name]
            elif qualified_name in AWAITED:
                names[name] = property(functools.partial(_request, name), doc=member.__doc__)
            elif isinstance(member, functools.cached_property):
                read = _read_once if bases == [_Client] else _read  # others change with reload()
                names[name] = property(functools.partial(read, name), doc=member.__doc__)
            elif isinstance(member, property):
                names[name] = property(functools.partial(_read, name), doc=member.__doc__)
            elif isinstance(member, FunctionType):  # AsyncObject.__getattr__ finds the rest
                names[name] = _plain_method(member) if qualified_name in PLAIN else _awaited_method(member, name)
    return type(async_name(cls.__name__), tuple(bases), names)


def _find(cls: type[Any], name: str) -> tuple[str, Any]:
    """Return a member of a class, and its qualified name."""
    base = next(base for base in cls.__mro__ if name in vars(base))
    return f"{base.__name__}.{name}", vars(base)[name]


def _awaited_method(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(function, updated=())
    def method(self: AsyncObject, /, *args: Any, **options: Any) -> Pending[Any]:
        return Pending(_call(self._runtime, getattr(self._sync, name), args, options))

    return method


async def _call(
    runtime: LoopRuntime, method: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    if args:
        args = tuple([unwrap(value, runtime) for value in args])
    for name, value in options.items():
        options[name] = unwrap(value, runtime)
    return wrap(await runtime.run(method, *args, **options), runtime)


def _plain_method(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function, updated=())
    def method(self: AsyncObject, /, *args: Any, **options: Any) -> Any:
        return wrap(self._runtime.run_now(function, self._sync, *args, **options), self._runtime)

    return method


def _read_once(name: str, self: AsyncObject) -> Any:
    if (cached := self._cached) is None:
        cached = self._cached = {}
    elif name in cached:
        return cached[name]
    cached[name] = value = _read(name, self)
    return value


def _request(name: str, self: AsyncObject) -> Pending[Any]:
    return Pending(_call(self._runtime, getattr, (self._sync, name), {}))


def _read(name: str, self: AsyncObject) -> Any:
    if type(getcurrent()) is CoreGreenlet:  # in a user's callback, which the core calls where it may wait
        return wrap(getattr(self._sync, name), self._runtime)
    try:
        return wrap(self._runtime.run_now(getattr, self._sync, name), self._runtime)
    except NotLoaded:
        kind = type(self).__name__
        raise NotLoaded(f"{kind}.{name} has not been loaded: call `await {kind[5:].lower()}.reload()` first") from None


def wrap(value: Any, runtime: LoopRuntime) -> Any:
    """Return the counterpart of what the core returned, also inside lists, tuples and dicts."""
    kind = type(value)
    if kind in _PLAIN_DATA:  # each block of a stream, for example
        return value
    if (proxy_class := counterpart(kind)) is not None:
        proxy = proxy_class.__new__(proxy_class)
        if proxy_class.__base__ is _Client:
            AsyncObject.__init__(proxy, value, runtime)
        else:
            proxy.__init__(value, runtime)  # type: ignore[misc]
        return proxy
    if kind is tuple:
        return tuple([wrap(item, runtime) for item in value])
    if isinstance(value, list):
        if any(counterpart(type(item)) is not None for item in value):
            return kind(wrap(item, runtime) for item in value)  # a table stays a table
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        return value._make([wrap(item, runtime) for item in value])  # type: ignore[attr-defined]
    elif kind.__name__ == "CompletedRun":
        completed: Any = value
        return dataclasses.replace(completed, container=wrap(completed.container, runtime))
    return value


def unwrap(value: Any, runtime: LoopRuntime) -> Any:
    """Return an argument as the core accepts it: synchronous objects, iterators and functions."""
    kind = type(value)
    if kind in _PLAIN_DATA:
        return value
    if isinstance(value, AsyncObject):
        return value._sync
    if kind is list or kind is tuple:
        return kind([unwrap(item, runtime) for item in value])
    if kind is dict:
        return {name: unwrap(item, runtime) for name, item in value.items()}
    if isinstance(value, _FUNCTIONS):
        return _Callback(value, runtime)
    if isinstance(value, AsyncIterable):
        return _iterate(value, runtime)
    return value


class _Callback:
    """A user's function or coroutine function, called by the core."""

    def __init__(self, function: Callable[..., Any], runtime: LoopRuntime) -> None:
        self._function, self._runtime = function, runtime
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **options: Any) -> Any:
        result = self._function(*[wrap(item, self._runtime) for item in args], **options)
        if hasattr(result, "__await__"):
            result = self._runtime.run_async(result)
        return unwrap(result, self._runtime)


def _iterate(source: AsyncIterable[T], runtime: LoopRuntime) -> Iterator[T]:
    items = aiter(source)
    while True:
        try:
            item = runtime.run_async(anext(items))
        except StopAsyncIteration:
            return
        yield item


def merge_logs(containers: Any, **options: Any) -> Pending[Any]:
    """Merge the log lines of several containers; see :func:`dockerkit.merge_logs`."""
    from dockerkit.models.containers.logs import merge_logs as merge

    return _call_with(merge, containers, options)


def usage_of(containers: Any) -> Pending[Any]:
    """Return the current usage of several containers; see :func:`dockerkit.usage_of`."""
    from dockerkit.models.containers.usage import usage_of as usage

    return _call_with(usage, containers, {})


def _call_with(function: Callable[..., Any], containers: Any, options: dict[str, Any]) -> Pending[Any]:
    containers = list(containers)
    runtime = containers[0]._runtime if containers else LoopRuntime()
    return Pending(_call(runtime, function, (containers,), options))
