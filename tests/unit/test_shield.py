"""Interrupted calls: what they create in the engine is removed, even if the response is late."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient
from dockerkit.aio import AsyncDockerClient
from dockerkit.transport import shield
from dockerkit.transport.shield import Shielded, shielded

KINDS = pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, TimeoutError, type("Alarm", (Exception,), {})])


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let interrupted callers wait for the end of the call, even on a busy machine."""
    monkeypatch.setattr(shield, "_GRACE_PERIOD", 60)


@contextlib.contextmanager
def handler_raising(kind: type[BaseException]) -> Iterator[Callable[[], None]]:
    """Yield a function that makes a signal handler raise an exception in the main thread."""

    def handler(*_: object) -> None:
        raise kind

    previous = signal.signal(signal.SIGUSR1, handler)
    try:
        yield lambda: os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, previous)


def on_create(scripted: ScriptedEngine, then: Callable[[], object]) -> None:
    """Call a function between a create call and its response; the container can be started and removed."""

    def create(request: object, wire: Any) -> None:
        then()
        interrupted.wait(0.2)  # the signal arrives before the response, most of the time
        wire.json({"Id": "abc", "Warnings": None}, 201)

    interrupted = threading.Event()
    scripted.on("POST", "/containers/create", create)
    scripted.on("POST", "/images/create", Answer.chunked([b'{"status":"sha256:1"}\n']))
    scripted.on("GET", "/images/x/json", Answer.json({"Id": "sha256:1", "Config": {}}))
    scripted.on("POST", "/containers/abc/start", Answer.empty())
    scripted.on("DELETE", "/containers/abc", Answer.empty())
    scripted.on("DELETE", "/images/sha256:1", Answer.json([]))


def removals(scripted: ScriptedEngine) -> list[tuple[str, dict[str, list[str]]]]:
    return [(request.path, request.query) for request in scripted.requests if request.method == "DELETE"]


ALL = {"v": ["true"], "force": ["true"]}
OPERATIONS: dict[str, Callable[[DockerClient], object]] = {
    "create": lambda client: client.containers.create("x"),
    "low-level create": lambda client: client.api.create_container("x"),
    "run": lambda client: client.containers.run("x", remove=True),
    "detached run": lambda client: client.containers.run("x", detach=True),
    "call": lambda client: client.containers.call("x"),
    "sandbox": lambda client: client.sandbox("x"),
}


@KINDS
@pytest.mark.parametrize("operation", OPERATIONS)
def test_container_is_removed_if_its_creation_is_interrupted(
    scripted: ScriptedEngine, kind: type[BaseException], operation: str
) -> None:
    with handler_raising(kind) as interrupt, DockerClient(scripted.host, version="1.51") as client:
        on_create(scripted, interrupt)
        with pytest.raises(kind):
            OPERATIONS[operation](client)
        assert removals(scripted) == [("/containers/abc", ALL)]


@KINDS
def test_helpers_of_volume_files_are_removed_in_order_if_interrupted(
    scripted: ScriptedEngine, kind: type[BaseException]
) -> None:
    with handler_raising(kind) as interrupt, DockerClient(scripted.host, version="1.51") as client:
        on_create(scripted, interrupt)
        with pytest.raises(kind):
            client.volumes.prepare_model({"Name": "data"}).files()
        force = {"force": ["true"]}  # never v=true: Podman would remove an anonymous volume that was asked for by name
        assert removals(scripted) == [("/containers/abc", force), ("/images/sha256:1", {})]


def test_interrupted_removal_is_completed(scripted: ScriptedEngine) -> None:
    with handler_raising(KeyboardInterrupt) as interrupt, DockerClient(scripted.host, version="1.51") as client:
        on_create(scripted, lambda: None)
        ended = threading.Event()

        def remove(request: object, wire: Any) -> None:
            if not ended.is_set():  # the finalizer of the sandbox tries again
                interrupt()
            ended.set()  # before the response, since the client may be faster than this thread
            wire.send(b"HTTP/1.1 204 No Content\r\n\r\n")

        scripted.on("DELETE", "/containers/abc", remove)
        with pytest.raises(KeyboardInterrupt), client.sandbox("x"):
            pass
        assert ended.is_set()


def test_dropped_sandbox_is_removed(scripted: ScriptedEngine) -> None:
    removed = threading.Event()

    def remove(request: object, wire: Any) -> None:
        wire.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        removed.set()

    with DockerClient(scripted.host, version="1.51") as client:
        on_create(scripted, lambda: None)
        scripted.on("DELETE", "/containers/abc", remove)
        client.sandbox("x")  # dropped immediately
        assert removed.wait(10)


def test_result_that_comes_too_late_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shield, "_GRACE_PERIOD", 0.01)
    go_on, undone = threading.Event(), threading.Event()
    results: list[int] = []

    def function() -> int:
        interrupt()
        go_on.wait(10)
        return 3

    def undo(result: int) -> None:
        results.append(result)
        undone.set()

    with handler_raising(KeyboardInterrupt) as interrupt:
        call = Shielded(function, undo)
        with pytest.raises(KeyboardInterrupt):
            call.result()
        call.undo()
        assert results == []
        go_on.set()
        assert undone.wait(10)
        call.undo()
        assert results == [3]


def test_result_and_the_errors_of_a_shielded_call_are_passed_on() -> None:
    assert shielded(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        shielded(divmod, 7, 0)


def test_calls_in_succession_share_threads() -> None:
    """Starting a thread for each call would cost more than the calls."""
    threads = [shielded(threading.current_thread) for _ in range(200)]
    assert threading.main_thread() not in threads
    assert len(set(threads)) < 200


def test_client_that_its_thread_has_closed_still_creates_containers(scripted: ScriptedEngine) -> None:
    on_create(scripted, lambda: None)
    client = DockerClient(scripted.host, version="1.51")
    client.close()
    assert client.containers.create("x").id == "abc"
    client.close()


def test_cancelled_task_leaves_no_container(scripted: ScriptedEngine) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with AsyncDockerClient(scripted.host, version="1.51") as client:
            task = asyncio.ensure_future(client.containers.create("x"))
            cancelled = threading.Event()

            def cancel() -> None:
                task.cancel()
                cancelled.set()

            def cancel_first() -> None:  # and respond then
                loop.call_soon_threadsafe(cancel)
                assert cancelled.wait(10)

            on_create(scripted, cancel_first)
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert removals(scripted) == [("/containers/abc", ALL)]
