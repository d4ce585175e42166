"""Asynchronous code as users write it: mypy --strict and pyright have nothing to say, and know what everything is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, assert_type

from dockerkit import errors
from dockerkit.aio import (
    AsyncContainer,
    AsyncDockerClient,
    AsyncImage,
    AsyncLogStream,
    AsyncNetwork,
    AsyncProcess,
    AsyncService,
    AsyncVolume,
    from_env,
    merge_logs,
    usage_of,
)
from dockerkit.models.containers.log_lines import LogEntry
from dockerkit.models.containers.usage import Usage
from dockerkit.models.containers.waiting import Healthy
from dockerkit.models.events import EngineEvent
from dockerkit.models.tables import Table
from dockerkit.testing import FakeEngine


async def blocks() -> AsyncIterator[bytes]:
    yield b"input"


async def containers(client: AsyncDockerClient) -> None:
    assert_type(await client.containers.run("busybox", ["echo", "hi"]), bytes)
    assert_type(await client.containers.run("busybox", "true", detach=True), AsyncContainer)
    container = await client.containers.create("busybox", ["sleep", "1"], name="web", ports={"80/tcp": 8080})
    assert_type(container, AsyncContainer)
    await container.start()
    assert_type(container.status, str)
    assert_type(container.labels, dict[str, str])
    assert_type(await container.stop(timeout=3), bool)
    code = (await container.wait())["StatusCode"]
    print(code + 1, container.state.exit_code)
    assert_type((await container.exec(["cat"], input=blocks(), text=True)).stdout, str)
    await container.wait_until(Healthy(), timeout=5)

    async def ready(found: AsyncContainer) -> bool:
        await found.reload()
        return found.status == "running"

    await container.wait_until(ready)
    await container.wait_until(lambda found: found.status == "running")
    listed: list[AsyncContainer] = await client.containers.list(all=True, filters={"label": ["a=b"]})
    assert_type(await usage_of(listed), list[Usage | None])
    print((await client.containers.stop_many(listed)).ok)
    async for run in client.containers.map("busybox", (["echo", str(n)] for n in range(3)), workers=2):
        assert_type(run.stdout, str)
    try:
        await client.containers.get("missing")
    except errors.ContainerNotFound as error:
        print(error.status_code)


async def streams(client: AsyncDockerClient, container: AsyncContainer) -> None:
    assert_type(await container.logs(), bytes)
    async for block in container.logs(stream=True):
        assert_type(block, bytes)
    async for entry in container.log_entries(follow=True):
        assert_type(entry, LogEntry)
    async with container.log_entries() as entries:
        assert_type(entries, AsyncLogStream)
        assert_type(await anext(entries), LogEntry)
    async for entry in merge_logs([container], follow=True):
        print(entry.text)
    async for record in client.events(decode=True):
        assert_type(record, dict[str, Any])
    async with container.popen(["sh"], stdin=True) as process:
        assert_type(process, AsyncProcess)
        if process.stdin is not None:
            await process.stdin.write(b"date\n")
            await process.stdin.close()
        async for piece in process:
            print(piece.data)
        assert_type(await process.wait(), int)
    async with client.system.listen() as listener:

        @listener.on("container", "die")
        async def died(event: EngineEvent) -> None:
            print(event.action)

        listener.off(died)
        async for event in listener.subscribe("network"):
            assert_type(event, EngineEvent)


async def others(client: AsyncDockerClient) -> None:
    image, log = await client.images.build(path=".", tag="app:1", builder="buildkit")
    assert_type(image, AsyncImage)
    async for line in log:
        print(line.get("stream"))
    assert_type(await client.images.pull("busybox", progress=True), AsyncImage)
    network = await client.networks.create("net")
    assert_type(network, AsyncNetwork)
    assert_type(await network.containers, list[AsyncContainer])
    assert_type(await client.volumes.create("data"), AsyncVolume)
    assert_type(await client.services.list(), Table[AsyncService])
    async with client.sandbox("busybox") as sandbox:
        assert_type((await sandbox.run(["true"])).stdout, str)
    assert_type(await client.ping(), bool)


async def opening() -> None:
    async with from_env() as client:
        await client.version()
    with FakeEngine() as engine:
        async with AsyncDockerClient(engine.host) as client:
            call = client.ping()
            assert_type(await call, bool)
