"""The same calls through the synchronous and the asynchronous client, and cancellation, on real engines."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import io
import os
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from buildkit_help import write
from ssh_server import SSHServer
from through_asyncio import through_asyncio

from dockerkit import DockerClient, errors
from dockerkit.aio import AsyncDockerClient
from dockerkit.transport import ssh as ssh_transport


class Both:
    """Adapter that lets asynchronous test code use a synchronous client."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not inspect.isroutine(value):
            return Both(value) if type(value).__module__.startswith("dockerkit.models") else value
        return lambda *args, **options: _Done(value(*args, **options))


class _Done:
    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Any:
        yield from ()
        value = self._value
        return Both(value) if hasattr(value, "reload") else value

    async def __aiter__(self) -> Any:
        for item in self._value:
            yield item


def through_both(test: Callable[..., Any]) -> Any:
    @pytest.mark.parametrize("kind", ["sync", "asyncio"])
    @functools.wraps(test)
    def run(kind: str, client: DockerClient, busybox: str, labels: dict[str, str], **options: Any) -> None:
        async def main() -> None:
            if kind == "sync":
                await test(Both(client), busybox=busybox, labels=labels, **options)
                return
            async with AsyncDockerClient(client.endpoint.host) as other:
                await test(other, busybox=busybox, labels=labels, **options)

        asyncio.run(main())

    run.__signature__ = _signature(run)  # type: ignore[attr-defined]
    return run


def _signature(function: Any) -> Any:
    names = ("kind", "client", "busybox", "labels")
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names])


@through_both
async def test_run_and_its_errors(client: Any, busybox: str, labels: dict[str, str]) -> None:
    assert await client.containers.run(busybox, ["echo", "hi"], remove=True, labels=labels) == b"hi\n"
    with pytest.raises(errors.ContainerError):
        await client.containers.run(busybox, ["false"], remove=True, labels=labels)


@through_both
async def test_exec_logs_files_and_waiting(client: Any, busybox: str, labels: dict[str, str]) -> None:
    command = ["sh", "-c", "echo one; echo two; exec sleep 60"]
    container = await client.containers.run(busybox, command, detach=True, labels=labels)
    try:
        await container.wait_until(lambda found: found.status == "running", timeout=20)
        assert (await container.exec(["cat"], input=b"x" * 100_000)).stdout == b"x" * 100_000
        texts = []
        async for entry in container.log_entries(follow=True):
            texts.append(entry.text)
            if len(texts) == 2:
                break
        assert texts == ["one", "two"]
        await container.write_file("/tmp/file", "content")
        assert await container.read_text("/tmp/file") == "content"
        async for record in container.stats(decode=True):
            assert record["read"]
            break
    finally:
        await container.remove(force=True)


@through_both
async def test_networks_and_volumes(client: Any, busybox: str, labels: dict[str, str]) -> None:
    name = f"aio-{uuid4().hex[:8]}"
    network = await client.networks.create(name, labels=labels)
    volume = await client.volumes.create(name, labels=labels)
    try:
        assert (await client.networks.get(name)).name == name
        assert (await client.volumes.get(name)).name == name
    finally:
        await network.remove()
        await volume.remove()


@through_both
async def test_classic_build(client: Any, busybox: str, labels: dict[str, str]) -> None:
    dockerfile = io.BytesIO(f"FROM {busybox}\nRUN echo built > /file\n".encode())
    image, _ = await client.images.build(fileobj=dockerfile, builder="classic", labels=labels, rm=True)
    image_id = image.id
    try:
        assert await client.containers.run(image_id, ["cat", "/file"], remove=True, labels=labels) == b"built\n"
    finally:
        await client.images.remove(image_id, force=True)


def test_cancelled_exec_and_run_leave_nothing_behind(
    client: DockerClient, busybox: str, labels: dict[str, str]
) -> None:
    async def main() -> None:
        async with AsyncDockerClient(client.endpoint.host) as other:
            container = await other.containers.run(busybox, ["sleep", "60"], detach=True, labels=labels)
            try:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(1):
                        await container.exec(["sleep", "71"])
                processes = (await container.top())["Processes"]
                assert not any("71" in process[-1] for process in processes)
                name = f"aio-{uuid4().hex[:8]}"
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(1):
                        await other.containers.run(busybox, ["sleep", "60"], name=name, remove=True, labels=labels)
                with pytest.raises(errors.NotFound):
                    await other.containers.get(name)
            finally:
                await container.remove(force=True)

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["folder", "archive", "files"])
def test_buildkit_builds_do_not_block_the_loop(
    engine: Any, busybox: str, labels: dict[str, str], tmp_path: Path, kind: str
) -> None:
    write(tmp_path, {"Dockerfile": f"FROM {busybox}\nCOPY data /\nRUN --mount=type=secret,id=key cat /run/secrets/key >/key\n",
                     "data": b"x" * 3_000_000})  # fmt: skip
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(tmp_path, ".")
    source: dict[str, Any] = {
        "folder": {"path": str(tmp_path)},
        "archive": {"fileobj": io.BytesIO(archive.getvalue()), "custom_context": True},
        "files": {"path": str(tmp_path), "outputs": f"type=local,dest={tmp_path}/out"},
    }[kind]
    steps: list[str] = []
    with through_asyncio(engine.host) as client:  # fails if anything blocked
        build: Any = {
            "progress": lambda progress: steps.append(progress.event.kind),
            "secrets": {"key": b"value"},
            **source,
        }
        if kind == "files":
            client.images.buildkit(**build)
            assert (tmp_path / "out" / "key").read_text() == "value"
        else:
            image, log = client.images.build(builder="buildkit", labels=labels, **build)
            try:
                assert client.containers.run(image, ["cat", "/key"], remove=True, labels=labels) == b"value"
                assert any(record.get("stream") for record in log)
            finally:
                image.remove(force=True)
    assert "done" in steps


def test_cancelled_builds_and_transfers_leave_no_connection(
    client: DockerClient, busybox: str, labels: dict[str, str], tmp_path: Path
) -> None:
    write(tmp_path, {"Dockerfile": f"FROM {busybox}\nRUN sleep 61\n"})
    started = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        header = tarfile.TarInfo("large")
        header.size = 10**9
        yield header.tobuf()
        while True:
            yield bytes(4096)
            started.set()
            await asyncio.sleep(0.01)

    async def build(other: AsyncDockerClient, _: Any) -> None:
        await other.images.build(path=str(tmp_path), builder="buildkit", progress=begun)

    def begun(progress: Any) -> None:
        event = progress.event
        if event.kind == "started" and "sleep 61" in event.step.name:
            started.set()

    async def upload(_: AsyncDockerClient, container: Any) -> None:
        await container.put_archive("/tmp", slowly())

    async def download(_: AsyncDockerClient, container: Any) -> None:
        async for _block in container.export():
            started.set()
            await asyncio.sleep(60)

    async def main() -> None:
        async with AsyncDockerClient(client.endpoint.host) as other:
            container = await other.containers.run(busybox, ["sleep", "600"], detach=True, labels=labels)
            try:
                sockets = open_sockets()
                for work in (build, upload, download):
                    started.clear()
                    task = asyncio.create_task(work(other, container))
                    waiting = asyncio.create_task(started.wait())
                    await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
                    assert not task.done(), task
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                    gc.collect()
                    for _ in range(500):
                        if len(open_sockets() - sockets) <= 1:  # an idle connection may be kept
                            break
                        await asyncio.sleep(0.01)
                    assert len(open_sockets() - sockets) <= 1, work
                assert await other.ping()
            finally:
                await container.remove(force=True)

    asyncio.run(main())


def open_sockets() -> set[str]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{name}")
            if target.startswith("socket:"):
                found.add(target)
    return found


def test_ssh(
    engine: Any, busybox: str, labels: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = SSHServer(tmp_path)
    monkeypatch.setenv("PATH", f"{server.bin}:{os.environ['PATH']}")
    server.start()
    try:
        with through_asyncio(f"ssh://{server.user}@127.0.0.1:{server.port}{engine.socket}") as client:
            container = client.containers.run(busybox, ["sh", "-c", "echo out; sleep 600"], detach=True, labels=labels)
            try:
                assert next(iter(container.log_entries(follow=True))).text == "out"
                assert container.exec(["cat"], input=b"x" * 500_000).stdout == b"x" * 500_000
            finally:
                container.remove(force=True)
    finally:
        ssh_transport._log_out()
        ssh_transport._logins.clear()
        server.stop()
