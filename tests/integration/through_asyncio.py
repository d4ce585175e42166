"""Run tests of the synchronous client through the asynchronous one, and detect blocking of its loop.

:class:`Facade` looks like a synchronous object. Each of its calls is awaited in an event loop of another thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import gc
import queue
import select
import socket
import subprocess
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from types import FunctionType, GeneratorType, MethodType
from typing import Any

import pytest

from dockerkit import DockerClient, runtime
from dockerkit.aio import AsyncDockerClient
from dockerkit.aio.proxies import AsyncObject, AsyncStream, Pending
from dockerkit.errors import NotLoaded
from dockerkit.models.tables import Table

_END = object()


class Portal:
    """An event loop in a thread.

    Attributes:
        blocked: stacks of what would have blocked the loop, or started a thread.
    """

    def __init__(self) -> None:
        self.blocked: list[str] = []
        self.callbacks: dict[Any, Any] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), name="test-loop", daemon=True)
        self._thread.start()
        self._ready.wait()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._ready.set()
        await self._stop.wait()

    def run(self, call: Callable[[], Any]) -> Any:
        """Call a function in the loop, and await its result if it is awaitable."""

        async def main() -> Any:
            result = call()
            return await result if isinstance(result, Awaitable) else result

        future = asyncio.run_coroutine_threadsafe(main(), self.loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def note(self, what: str) -> None:
        if threading.current_thread() is self._thread:
            stack = "".join(traceback.format_stack(limit=20)[:-2])
            if "concurrent/futures" not in stack:  # the loop's executor starts threads, and does not wait for them
                self.blocked.append(f"{what}\n{stack}")

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Record each call that would block the loop's thread, or start a thread from it."""
        with pytest.MonkeyPatch.context() as patch:

            def watch(owner: Any, name: str, blocks: Callable[..., bool] = lambda *_, **__: True) -> None:
                inner = getattr(owner, name)

                @functools.wraps(inner)
                def noted(*args: Any, **options: Any) -> Any:
                    if blocks(*args, **options):
                        self.note(f"{getattr(owner, '__name__', owner)}.{name}")
                    return inner(*args, **options)

                patch.setattr(owner, name, noted)

            watch(runtime, "poll", lambda fd, events, seconds: seconds != 0)
            watch(runtime, "poll_any", lambda interests, seconds: seconds != 0)
            watch(time, "sleep")
            watch(select, "select")
            watch(threading.Condition, "wait")
            watch(threading.Thread, "start", lambda thread: not thread.name.startswith("asyncio_"))  # the executor
            watch(subprocess.Popen, "communicate")
            watch(subprocess.Popen, "wait", lambda process, *_, **__: process.poll() is None)
            for name in ("recv", "recv_into", "send", "sendall", "connect", "accept"):
                watch(socket.socket, name, lambda sock, *_, **__: sock.gettimeout() != 0)
            patch.setattr(queue, "SimpleQueue", functools.partial(_NotedQueue, self))
            yield


class _NotedQueue(queue.Queue):  # type: ignore[type-arg]  # in C, SimpleQueue can't be watched
    def __init__(self, portal: Portal) -> None:
        super().__init__()
        portal.note("queue.SimpleQueue")


@contextlib.contextmanager
def through_asyncio(host: str, **options: Any) -> Iterator[DockerClient]:
    """Yield a synchronous interface to an asynchronous client. Fail the test if something blocked the loop."""
    gc.collect()  # objects of earlier tests must not be finalized in the loop
    portal = Portal()
    try:
        with portal.watched():
            client: Any = Facade(portal.run(lambda: AsyncDockerClient(host, **options)), portal)
            try:
                yield client
            finally:
                client.close()
    finally:
        portal.close()
    assert not portal.blocked, "\n\n".join([f"{len(portal.blocked)} calls blocked the event loop", *portal.blocked[:3]])


class Facade:
    def __init__(self, target: AsyncObject, portal: Portal) -> None:
        self._target, self._portal = target, portal

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # for isinstance()
        return type(self._target._sync)

    @property
    def synchronous(self) -> Any:
        """Return the synchronous object, for tests that inspect internals."""
        return self._target._sync

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            value = self._portal.run(lambda: _Held(getattr(self._target, name))).value
        except NotLoaded:
            self.reload()
            value = self._portal.run(lambda: _Held(getattr(self._target, name))).value
        if isinstance(value, Pending):
            value = self._portal.run(lambda: value)
        if isinstance(value, MethodType) and isinstance(value.__self__, AsyncObject):
            return functools.partial(self._call, value)
        return self._wrap(value)

    def _call(self, method: Any, *args: Any, **options: Any) -> Any:
        args = tuple(map(self._unwrap, args))
        options = {name: self._unwrap(value) for name, value in options.items()}
        return self._wrap(self._portal.run(lambda: method(*args, **options)))

    def __iter__(self) -> Any:
        return (
            self if isinstance(self._target, AsyncStream) else self._wrap(self._portal.run(lambda: aiter(self._target)))
        )

    def __next__(self) -> Any:
        item = self._portal.run(lambda: anext(self._target, _END))
        if item is _END:
            raise StopIteration
        return self._wrap(item)

    def __enter__(self) -> Any:
        return self._wrap(self._portal.run(self._target.__aenter__))

    def __exit__(self, *error: object) -> None:
        self._portal.run(lambda: self._target.__aexit__(*error))

    def __eq__(self, other: object) -> bool:
        return self._target == (other._target if type(other) is Facade else other)

    def __hash__(self) -> int:
        return hash(self._target)

    def __repr__(self) -> str:
        return repr(self._target._sync)

    def _repr_html_(self) -> str:
        return self._target._repr_html_()

    def _wrap(self, value: Any) -> Any:
        if isinstance(value, AsyncObject):
            return Facade(value, self._portal)
        if isinstance(value, list) or type(value) is tuple:
            return type(value)(map(self._wrap, value))
        if isinstance(value, Table):
            return list(map(self._wrap, value))
        if isinstance(value, FunctionType):  # a decorator
            return lambda function: (self._portal.run(lambda: value(self._unwrap(function))), function)[1]
        if isinstance(value, tuple) and hasattr(value, "_make"):
            return value._make(map(self._wrap, value))
        if dataclasses.is_dataclass(value) and isinstance(getattr(value, "container", None), AsyncObject):
            return dataclasses.replace(value, container=self._wrap(value.container))  # type: ignore[type-var]
        return value

    def _unwrap(self, value: Any) -> Any:
        if type(value) is Facade:
            return value._target
        if type(value) in (list, tuple):
            return type(value)(map(self._unwrap, value))
        if isinstance(value, (FunctionType, MethodType, functools.partial)):
            if value in self._portal.callbacks:  # so that it can be removed again
                return self._portal.callbacks[value]

            async def callback(*args: Any, **options: Any) -> Any:
                return self._unwrap(await asyncio.to_thread(value, *map(self._wrap, args), **options))

            self._portal.callbacks[value] = callback
            return callback
        if isinstance(value, GeneratorType):

            async def pulled() -> Any:
                while (item := await asyncio.to_thread(next, value, _END)) is not _END:
                    yield item

            return pulled()
        return value


class _Held:
    """Holds an awaitable."""

    def __init__(self, value: Any) -> None:
        self.value = value


__all__ = ["Facade", "Pending", "through_asyncio"]
