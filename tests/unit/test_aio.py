"""The asynchronous client: calls, streams and cancellation in one event loop, without threads."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import io
import os
import socket
import threading
import time
import weakref
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvloop
from scripted_engine import Answer, ScriptedEngine, frame

from dockerkit import runtime
from dockerkit.aio import AsyncContainer, AsyncDockerClient, AsyncImage, merge_logs, usage_of
from dockerkit.aio.greenlets import CoreGreenlet, LoopRuntime
from dockerkit.aio.readiness import Readiness, readiness
from dockerkit.context import ContextAPI
from dockerkit.errors import (
    ClientClosed,
    ContainerError,
    ContainerNotFound,
    ExecTimeout,
    InvalidArgument,
    NotLoaded,
    ReadTimeout,
    RunTimeout,
    StreamInUse,
    WrongEventLoop,
)
from dockerkit.testing import FakeEngine


def in_loop(test: Any) -> Any:
    @functools.wraps(test)
    def run(*args: Any, **options: Any) -> None:
        asyncio.run(test(*args, **options))

    return run


@pytest.fixture
def fake() -> Iterator[FakeEngine]:
    with FakeEngine() as engine:
        engine.add_image("alpine")
        yield engine


async def wait_until(ready: Any) -> None:
    async with asyncio.timeout(10):
        while not ready():
            await asyncio.sleep(0.01)


# -- calls and objects ---------------------------------------------------------------------------------------------


@in_loop
async def test_run_returns_the_output(fake: FakeEngine) -> None:
    fake.when("alpine", ["echo", "hi"], stdout="hi\n")
    async with AsyncDockerClient(fake.host) as client:
        assert await client.containers.run("alpine", ["echo", "hi"], remove=True) == b"hi\n"
        assert await client.containers.list(all=True) == []


@in_loop
async def test_raises_the_same_errors(fake: FakeEngine) -> None:
    fake.when("alpine", ["false"], exit_code=1)
    async with AsyncDockerClient(fake.host) as client:
        with pytest.raises(ContainerNotFound):
            await client.containers.get("missing")
        with pytest.raises(ContainerError) as caught:
            await client.containers.run("alpine", ["false"])
        assert caught.value.exit_status == 1
    with pytest.raises(InvalidArgument):
        AsyncDockerClient("gopher://engine")


@in_loop
async def test_objects_are_counterparts_of_the_synchronous_ones(fake: FakeEngine) -> None:
    fake.when("alpine", seconds=None)
    async with AsyncDockerClient(fake.host) as client:
        container = await client.containers.run("alpine", name="web", detach=True)
        assert isinstance(container, AsyncContainer)
        (listed,) = await client.containers.list()
        assert container == listed
        assert {container: 1}[listed] == 1
        assert listed.status == "running"
        assert repr(listed).startswith("<AsyncContainer 'web'")
        assert isinstance(await client.images.get("alpine"), AsyncImage)
        assert listed.client.containers is not None
        await container.reload()
        assert container.name == "web"
        image, tag = await client.images.get("alpine"), "alpine:copy"
        assert await image.tag(tag)
        assert await client.containers.create(image)


@in_loop
async def test_lists_are_shown_as_tables(fake: FakeEngine) -> None:
    async with AsyncDockerClient(fake.host) as client:
        await client.containers.create("alpine", name="web")
        found: Any = await client.containers.list(all=True)
        assert "web" in str(found)
        assert "<table" in found._repr_html_()


@in_loop
async def test_property_that_needs_a_request_says_what_to_await(fake: FakeEngine) -> None:
    async with AsyncDockerClient(fake.host) as client:
        await client.containers.create("alpine")
        (listed,) = await client.containers.list(all=True)
        sent = len(fake.requests)
        with pytest.raises(NotLoaded, match=r"AsyncContainer.attrs .*await container.reload\(\)"):
            listed.attrs  # noqa: B018
        assert len(fake.requests) == sent
        await listed.reload()
        assert listed.attrs["Config"]


@in_loop
async def test_tasks_share_a_client_and_negotiate_once(fake: FakeEngine) -> None:
    async with AsyncDockerClient(fake.host) as client:
        made = await client.containers.create("alpine")
        found = await asyncio.gather(*(client.containers.get(made.id) for _ in range(50)))
        assert {container.id for container in found} == {made.id}
        assert fake.requests.count(("HEAD", "/_ping")) + fake.requests.count(("GET", "/_ping")) == 1


@in_loop
async def test_call_is_a_coroutine(fake: FakeEngine) -> None:
    async with AsyncDockerClient(fake.host) as client:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(client.ping())
        assert task.result() is True
        assert await asyncio.wait_for(client.ping(), 5)


def test_call_that_is_not_awaited_is_a_warning(fake: FakeEngine) -> None:
    client = AsyncDockerClient(fake.host)
    with pytest.warns(RuntimeWarning, match="never awaited"):
        client.ping()
        gc.collect()


def test_client_belongs_to_one_loop(fake: FakeEngine) -> None:
    client = AsyncDockerClient(fake.host)

    async def ping() -> None:
        await client.ping()

    asyncio.run(ping())
    with pytest.raises(WrongEventLoop):
        asyncio.run(ping())
    client._sync.close()  # type: ignore[attr-defined]


def test_a_stream_belongs_to_one_loop(fake: FakeEngine) -> None:
    fake.when("alpine", ["echo", "one"], stdout="one\n", seconds=None)
    client = AsyncDockerClient(fake.host)

    async def begin() -> Any:
        container = await client.containers.run("alpine", "echo one", detach=True)
        entries = await container.log_entries(follow=True)
        assert (await anext(entries)).text == "one"
        return entries

    async def read(entries: Any) -> None:
        async with asyncio.timeout(5):
            await anext(entries)

    entries = asyncio.run(begin())
    with pytest.raises(WrongEventLoop), ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, read(entries)).result()
    with pytest.raises(WrongEventLoop):
        asyncio.run(read(entries))
    client._sync.close()  # type: ignore[attr-defined]


@in_loop
async def test_closed_client_refuses_calls(fake: FakeEngine) -> None:
    fake.when("alpine", seconds=None)
    client = AsyncDockerClient(fake.host)
    container = await client.containers.run("alpine", detach=True)
    waiting = asyncio.create_task(container.wait())
    await asyncio.sleep(0.05)
    await client.close()
    with pytest.raises(ClientClosed):
        await waiting
    with pytest.raises(ClientClosed):
        await client.ping()


@in_loop
async def test_terminal_methods_are_not_available(fake: FakeEngine) -> None:
    async with AsyncDockerClient(fake.host) as client:
        container = await client.containers.create("alpine")
        with pytest.raises(AttributeError, match="to_thread"):
            container.shell  # type: ignore[attr-defined]  # noqa: B018


@in_loop
async def test_read_timeout_ends_a_call(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/info", Answer.hang())
    async with AsyncDockerClient(scripted.host, version="1.51", timeout=0.1) as client:
        with pytest.raises(ReadTimeout):
            await client.info()


@in_loop
async def test_blocking_work_is_done_by_the_executor() -> None:
    with FakeEngine(tcp=True) as fake:
        async with AsyncDockerClient(fake.host.replace("127.0.0.1", "localhost")) as client:
            assert await client.ping()


# -- streams -------------------------------------------------------------------------------------------------------


@in_loop
async def test_logs_are_awaited_or_iterated(fake: FakeEngine) -> None:
    fake.when("alpine", stdout="one\n")
    async with AsyncDockerClient(fake.host) as client:
        container = await client.containers.run("alpine", detach=True)
        await container.wait()
        assert await container.logs() == b"one\n"
        assert b"".join([block async for block in container.logs(stream=True)]) == b"one\n"
        assert [entry.text async for entry in container.log_entries(follow=True)] == ["one"]
        async with container.log_entries() as entries:
            assert (await anext(entries)).text == "one"
        merged = merge_logs([container, await client.containers.get(container.id)], follow=True)
        assert sorted([entry.text async for entry in merged]) == ["one", "one"]


@in_loop
async def test_batch_calls_run_side_by_side_without_threads(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []  # threads that this thread starts; the engine's threads start others
    start = threading.Thread.start
    here = threading.current_thread()

    def noted(thread: threading.Thread) -> None:
        if threading.current_thread() is here:
            started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", noted)
    fake.when("alpine", ["keep"], seconds=None)

    async def commands() -> AsyncIterator[list[str]]:
        for number in range(6):
            fake.when("alpine", ["echo", str(number)], stdout=f"{number}\n")
            yield ["echo", str(number)]

    async with AsyncDockerClient(fake.host) as client:
        results = [run.stdout async for run in client.containers.map("alpine", commands(), workers=2)]
        assert results == [f"{number}\n" for number in range(6)]
        kept = [await client.containers.run("alpine", ["keep"], detach=True) for _ in range(3)]
        assert all(await usage_of(kept))
        report = await client.containers.stop_many(kept, workers=2, timeout=0)
        assert report.ok, report
        assert len(report.done) == 3
    assert started == []


@pytest.mark.parametrize(
    "verb", ["pull", "push", "build", "load", "put_archive", "get_archive", "export", "save", "commit"]
)
@in_loop
async def test_cancelling_closes_the_connection(scripted: ScriptedEngine, verb: str) -> None:
    asked, gone = threading.Event(), threading.Event()

    def hang(request: Any, wire: Any) -> None:
        asked.set()
        while not wire.gone():
            time.sleep(0.005)
        gone.set()

    for method, path in {
        "pull": ("POST", "/images/create"),
        "push": ("POST", "/images/alpine/push"),
        "build": ("POST", "/build"),
        "load": ("POST", "/images/load"),
        "put_archive": ("PUT", "/containers/abc/archive"),
        "get_archive": ("GET", "/containers/abc/archive"),
        "export": ("GET", "/containers/abc/export"),
        "save": ("GET", "/images/sha256:1/get"),
        "commit": ("POST", "/commit"),
    }.values():
        scripted.on(method, path, hang)
    scripted.on("GET", "/containers/abc/json", Answer.json({"Id": "abc", "Config": {}}))
    scripted.on("GET", "/images/alpine/json", Answer.json({"Id": "sha256:1", "RepoTags": ["alpine:latest"]}))
    async with AsyncDockerClient(scripted.host, version="1.51") as client:
        container, image = await client.containers.get("abc"), await client.images.get("alpine")
        calls: dict[str, Any] = {
            "pull": lambda: client.images.pull("alpine"),
            "push": lambda: client.images.push("alpine"),
            "build": lambda: client.images.build(fileobj=io.BytesIO(b"FROM scratch"), builder="classic"),
            "load": lambda: client.images.load(b"x"),
            "put_archive": lambda: container.put_archive("/", b"x"),
            "get_archive": lambda: container.get_archive("/"),
            "export": lambda: container.export(),
            "save": lambda: image.save(),
            "commit": lambda: container.commit(),
        }
        for limit in (None, 0.05):
            asked.clear()
            gone.clear()
            if limit is not None:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(limit):
                        await calls[verb]()
                await wait_until(lambda: gone.is_set() or not asked.is_set())
                continue
            task = asyncio.create_task(calls[verb]())
            await wait_until(asked.is_set)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await wait_until(gone.is_set)


@in_loop
async def test_exec_sends_input_also_from_an_asynchronous_iterator(fake: FakeEngine) -> None:
    def cat(process: Any) -> int:
        while data := process.stdin.read(10):
            process.write(data)
        return 0

    async def blocks() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0)
            yield b"%d" % number

    fake.when("alpine", seconds=None)
    fake.when_exec(["cat"], program=cat)
    async with AsyncDockerClient(fake.host) as client:
        container = await client.containers.run("alpine", detach=True)
        assert (await container.exec(["cat"], input=b"abc")).stdout == b"abc"
        assert (await container.exec(["cat"], input=blocks())).stdout == b"012"
        async with container.popen(["cat"], stdin=True) as process:
            await process.stdin.write(b"x")
            await process.stdin.close()
            assert [piece.data async for piece in process] == [b"x"]
            assert await process.wait() == 0


@in_loop
async def test_listener_takes_coroutine_functions(fake: FakeEngine) -> None:
    seen: list[str] = []
    async with AsyncDockerClient(fake.host) as client, client.system.listen() as listener:

        @listener.on("container", "create")
        async def created(event: Any) -> None:
            await asyncio.sleep(0)
            seen.append(event.action)

        await wait_until(lambda: ("GET", "/events") in fake.requests)
        await client.containers.create("alpine")
        await wait_until(lambda: seen)
        listener.off(created)
        await client.containers.create("alpine")
        await asyncio.sleep(0.05)
        assert seen == ["create"]


@in_loop
async def test_condition_may_be_a_coroutine_function(fake: FakeEngine) -> None:
    fake.when("alpine", seconds=None)

    async def running(container: AsyncContainer) -> bool:
        await container.reload()
        return container.status == "running"

    async with AsyncDockerClient(fake.host) as client:
        container = await client.containers.run("alpine", detach=True)
        assert await container.wait_until(running, timeout=10) == container


@in_loop
async def test_two_tasks_cannot_read_one_stream(fake: FakeEngine) -> None:
    fake.when("alpine", seconds=None)
    async with AsyncDockerClient(fake.host) as client:
        container = await client.containers.run("alpine", detach=True)
        async with container.log_entries(follow=True) as entries:
            reading = asyncio.create_task(anext(entries, None))
            await asyncio.sleep(0.05)
            with pytest.raises(StreamInUse):
                await anext(entries)
            await entries.aclose()
            assert await reading is None


@in_loop
async def test_stream_that_never_waits_lets_other_tasks_run(scripted: ScriptedEngine) -> None:
    body = b"".join(frame(1, b"x" * 100) for _ in range(50_000))
    scripted.on("GET", "/containers/abc/json", Answer.json({"Id": "abc", "Config": {"Tty": False}}))
    scripted.on("GET", "/containers/abc/logs", lambda request, wire: wire.respond(
        200, body, {"Content-Type": "application/vnd.docker.multiplexed-stream"}))  # fmt: skip
    async with AsyncDockerClient(scripted.host, version="1.51") as client:
        container = await client.containers.get("abc")
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        longest = 0
        async for _ in container.logs(stream=True):
            longest, turns = max(longest, turns), 0
        counting.cancel()
        assert longest > 0


# -- cancellation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["wait", "logs", "entries", "events", "stats", "exec", "run", "wait_until"])
@in_loop
async def test_cancelling_ends_the_call_and_closes_its_connection(fake: FakeEngine, verb: str) -> None:
    fake.when("alpine", seconds=None)
    fake.when_exec(exit_code=1)  # the shell that kills
    fake.when_exec(["sleep"], seconds=None)
    before = set(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else set()
    async with AsyncDockerClient(fake.host) as client:
        container = await client.containers.run("alpine", detach=True)

        async def drain(stream: Any) -> None:
            async for _ in stream:
                pass

        calls = {
            "wait": lambda: container.wait(),
            "logs": lambda: container.logs(follow=True, stream=False),
            "entries": lambda: drain(container.log_entries(follow=True)),
            "events": lambda: drain(client.system.events()),
            "stats": lambda: drain(container.stats(decode=True)),
            "exec": lambda: container.exec(["sleep"]),
            "run": lambda: client.containers.run("alpine", name="run", remove=True),
            "wait_until": lambda: container.wait_until(lambda _: False, timeout=60),
        }
        task = asyncio.create_task(calls[verb]())
        await asyncio.sleep(0.2)
        assert not task.done(), task
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not [name for name in fake.containers if name != container.id]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await calls[verb]()
        assert await client.ping()
    gc.collect()
    if before:
        await wait_until(lambda: len(set(os.listdir("/proc/self/fd")) - before) <= 4)  # the loop's and the engine's own


@in_loop
async def test_timeouts_of_calls_apply(fake: FakeEngine) -> None:
    fake.when("alpine", ["sleep"], seconds=None)
    fake.when("alpine", ["keep"], seconds=None)
    fake.when_exec(exit_code=1)  # the shell that kills
    fake.when_exec(["sleep"], seconds=None)
    async with AsyncDockerClient(fake.host) as client:
        with pytest.raises(RunTimeout):
            await client.containers.run("alpine", ["sleep"], timeout=0.2, remove=True)
        container = await client.containers.run("alpine", ["keep"], detach=True)
        with pytest.raises(ExecTimeout):
            await container.exec(["sleep"], timeout=0.2)


@in_loop
async def test_cleanup_continues_after_a_second_cancellation(fake: FakeEngine) -> None:
    fake.when("alpine", seconds=None)
    async with AsyncDockerClient(fake.host) as client:
        task = asyncio.create_task(client.containers.run("alpine", remove=True))
        await wait_until(lambda: any(path.endswith("/start") for _, path in fake.requests))
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not fake.containers


@in_loop
async def test_dropped_stream_closes_its_connection(fake: FakeEngine) -> None:
    fake.when("alpine", stdout="one\ntwo\n", seconds=None)
    async with AsyncDockerClient(fake.host) as client:
        container = await client.containers.run("alpine", detach=True)
        entries = await container.log_entries(follow=True)
        async for _ in entries:
            break
        dropped = weakref.ref(entries._sync)  # type: ignore[attr-defined]
        del entries, _
        await asyncio.sleep(0)  # the step of this task that got the stream still refers to it
        gc.collect()
        assert dropped() is None


# -- other loops ---------------------------------------------------------------------------------------------------


def test_runs_under_uvloop(fake: FakeEngine) -> None:
    fake.when("alpine", stdout="hi\n")

    async def main() -> bytes:
        async with AsyncDockerClient(fake.host) as client:
            container = await client.containers.run("alpine", detach=True)
            async for _ in container.logs(stream=True, follow=True):
                pass
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    async for _ in client.system.events():
                        pass
            return await client.containers.run("alpine", remove=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == b"hi\n"


@in_loop
async def test_runs_on_loops_without_epoll(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockerkit.aio.greenlets.readiness", Readiness)
    fake.when("alpine", stdout="one\n", seconds=None)
    fake.when_exec(["cat"], program=lambda process: process.write(process.stdin.read(3)) and 0)
    async with AsyncDockerClient(fake.host) as client:
        container = await client.containers.run("alpine", detach=True)
        assert (await container.exec(["cat"], input=b"abc")).stdout == b"abc"
        async for entry in container.log_entries(follow=True):
            assert entry.text == "one"
            break
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await container.wait()
        assert await client.ping()


@in_loop
async def test_waiting_twice_for_one_descriptor_is_refused() -> None:
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    with ours, theirs:
        for kind in (Readiness, readiness):
            ready = kind(loop)
            first, second = (CoreGreenlet(LoopRuntime(), print) for _ in range(2))
            ready.add(ours.fileno(), 1, first)
            with pytest.raises(StreamInUse):
                ready.add(ours.fileno(), 1, second)
            ready.add(ours.fileno(), 4, second)  # the other direction is free
            ready.discard(ours.fileno(), 1, first)
            ready.discard(ours.fileno(), 4, second)
            ready.close()


def test_runs_under_anyio(fake: FakeEngine) -> None:
    fake.when("alpine", seconds=None)

    async def main() -> None:
        async with AsyncDockerClient(fake.host) as client:
            with anyio.move_on_after(0.2) as scope:
                await client.containers.run("alpine", remove=True)
            assert scope.cancelled_caught
            async with anyio.create_task_group() as group:
                group.start_soon(client.ping)
        assert not fake.containers

    anyio.run(main, backend="asyncio")


# -- many ----------------------------------------------------------------------------------------------------------


class LogServer(asyncio.Protocol):
    """Sends the lines of followed logs once all are open, in the test's loop."""

    following: list[asyncio.Transport] = []
    expected = 0
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    inspected = b'{"Id": "abc", "Name": "/abc", "Config": {"Tty": false}, "State": {"Running": false}}'

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if b"/logs?" not in data:
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(self.inspected), self.inspected)
            )
        elif b"follow=true" not in data:
            self.transport.write(self.head + b"0\r\n\r\n")
        else:
            self.following.append(self.transport)
            if len(self.following) == self.expected:
                line = frame(1, b"2026-01-01T00:00:00.000000001Z hello\n")
                for transport in self.following:
                    transport.write(self.head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(line), line))


def test_a_thousand_followed_logs_need_no_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted engine runs in the same loop, so all threads of the process are the client's."""
    count, path = 1000, str(tmp_path / "engine.sock")
    monkeypatch.setattr(LogServer, "expected", count)
    monkeypatch.setattr(LogServer, "following", [])

    async def follow(container: Any) -> tuple[list[str], int]:
        return [entry.text async for entry in container.log_entries(follow=True)], threading.active_count()

    async def main() -> None:
        loop, before = asyncio.get_running_loop(), threading.active_count()
        async with await loop.create_unix_server(LogServer, path, backlog=count):
            async with AsyncDockerClient(f"unix://{path}", version="1.51") as client:
                container = await client.containers.get("abc")
                results = await asyncio.gather(*(follow(container) for _ in range(count)))
                assert results == [(["hello"], before)] * count

    asyncio.run(main())


# -- other ways to create clients and to use calls ---------------------------------------------------------------------


@in_loop
async def test_clients_of_the_environment_and_of_a_context(
    fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", fake.host)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    async with AsyncDockerClient.from_env(timeout=20) as client:
        assert type(client) is AsyncDockerClient
        assert await client.ping()
    ContextAPI.create_context("here", host=fake.host)
    monkeypatch.delenv("DOCKER_HOST")
    async with AsyncDockerClient.from_context("here") as client:
        assert await client.ping()


@in_loop
async def test_call_that_is_closed_sends_nothing(fake: FakeEngine) -> None:
    async with AsyncDockerClient(fake.host) as client:
        call = client.containers.list()
        call.close()
        pending = client.events(decode=True)
        await pending.aclose()
        assert fake.requests == []


@in_loop
async def test_pending_stream_is_closed_while_it_is_iterated(fake: FakeEngine) -> None:
    fake.when("alpine", stdout="one\ntwo\n", seconds=None)
    async with AsyncDockerClient(fake.host) as client:
        container = await client.containers.run("alpine", detach=True)
        call = container.logs(stream=True, follow=True)
        async for chunk in call:
            assert chunk == b"one\n"
            await call.aclose()
            break
        stream = await container.logs(stream=True, follow=True)
        assert await anext(aiter(stream)) == b"one\n"
        await stream.close()
        rest = [chunk async for chunk in stream]  # only what had arrived, instead of waiting for more
        assert b"".join(rest) in (b"", b"two\n")


@in_loop
async def test_arguments_in_dicts_and_lists_may_be_asynchronous_objects(fake: FakeEngine) -> None:
    fake.when("alpine", seconds=None)
    async with AsyncDockerClient(fake.host) as client:
        network = await client.networks.create("net")
        containers = [await client.containers.run("alpine", detach=True) for _ in range(2)]
        await network.connect(containers[0])
        removed = await client.containers.remove_many(containers, force=True)
        removed.check()
        assert await client.containers.list(all=True) == []


@in_loop
async def test_sandbox_runs_code_and_returns_its_counterpart(fake: FakeEngine) -> None:
    fake.when("alpine", seconds=None)
    fake.when_exec(["sh", "-c", "echo hi"], stdout="hi\n")
    async with AsyncDockerClient(fake.host) as client:
        async with client.sandbox("alpine") as sandbox:
            run = await sandbox.run("echo hi")
            assert (run.stdout, type(run.container)) == ("hi\n", AsyncContainer)
            assert run.container == sandbox.container
    assert not fake.containers


@in_loop
async def test_locks_events_and_conditions_wait_without_blocking_the_loop() -> None:
    loop_runtime = LoopRuntime()
    order: list[str] = []

    def consumer() -> str:
        lock = runtime.Lock()
        changed, event = runtime.Condition(lock), runtime.Event()
        queue = runtime.Queue(1)

        def producer() -> None:
            with changed:
                order.append("produced")
                changed.notify_all()
            queue.put("first")
            queue.put("second")  # waits for room
            event.set()

        with changed:
            assert not lock.acquire(False)
            assert not changed.wait(0.01)
            thread = runtime.Thread(producer, (), name="producer")
            thread.start()
            order.append("waiting")
            assert changed.wait(20)
        received = [queue.get(timeout=20), queue.get(timeout=20)]
        assert event.wait(20) and event.is_set()
        event.clear()
        assert not event.wait(0.01)
        assert queue.empty()
        thread.join(20)
        assert not thread.is_alive()
        assert "unset" in repr(event)
        return " ".join(map(str, received))

    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticker = asyncio.create_task(tick())
    assert await loop_runtime.run(consumer) == "first second"
    ticker.cancel()
    assert order == ["waiting", "produced"]
    assert ticks > 1
