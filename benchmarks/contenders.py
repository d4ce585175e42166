"""The work of the scenarios for aiodocker and python-on-whales, where they can do it.

aiodocker takes the Engine's own JSON where the others take options. python-on-whales starts the docker command for each call,
whose CPU time is included. It is skipped if that command is not installed.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from benchmarks.scenarios import BLOCK, MIB, SCENARIOS, cached_file, contender

Start = Callable[[], None]
AIODOCKER = importlib.util.find_spec("aiodocker") is not None
WHALES = importlib.util.find_spec("python_on_whales") is not None and shutil.which("docker") is not None
CREATE = {
    "Image": "busybox",
    "Cmd": ["sleep", "100"],
    "Env": ["A=1", "B=2"],
    "Labels": {"a": "b"},
    "User": "1000",
    "WorkingDir": "/app",
    "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
    "HostConfig": {
        "PortBindings": {
            "80/tcp": [{"HostPort": "8080"}],
            "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "5353"}],
        },
        "Binds": ["/src:/dst:ro"],
        "Memory": 512 * MIB,
        "NanoCpus": 500_000_000,
        "PidsLimit": 100,
        "CapDrop": ["ALL"],
        "CapAdd": ["NET_BIND_SERVICE"],
        "ReadonlyRootfs": True,
        "Tmpfs": {"/tmp": "size=64m"},
        "Dns": ["1.1.1.1"],
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
        "ExtraHosts": ["somehost:162.242.195.82"],
    },
}


# -- aiodocker -----------------------------------------------------------------------------------------------------


def asynchronous(*rows: str) -> Callable[[Callable[..., Awaitable[None]]], None]:
    """Add a coroutine function of aiodocker's client to rows."""

    def add(work: Callable[..., Awaitable[None]]) -> None:
        async def measured(path: str, start: Start) -> None:
            import aiodocker

            engine = aiodocker.Docker(url=f"unix://{path}", api_version="v1.45")
            try:
                await work(engine, start)
            finally:
                await engine.close()

        if AIODOCKER:
            for row in rows:
                contender(SCENARIOS[row], "aiodocker")(lambda path, start: asyncio.run(measured(path, start)))

    return add


async def drain(stream: Any) -> None:
    async for _item in stream:
        pass


@asynchronous("inspect, one thread")
async def _(engine: Any, start: Start) -> None:
    await engine.containers.get("abc")
    start()
    for _n in range(1500):
        await engine.containers.get("abc")


def in_tasks(count: int) -> None:
    @asynchronous(f"inspect, {count} threads")
    async def _(engine: Any, start: Start) -> None:
        async def several() -> None:
            for _n in range(1600 // count):
                await engine.containers.get("abc")

        await engine.containers.get("abc")
        start()
        await asyncio.gather(*(several() for _n in range(count)))


for count in (16, 64):
    in_tasks(count)


@asynchronous("list 1,000, sparse, ten times with the first")
async def _(engine: Any, start: Start) -> None:
    start()
    for _n in range(10):
        await engine.containers.list(all=True)


@asynchronous("list 1,000: id, name, status, labels")
async def _(engine: Any, start: Start) -> None:
    await engine.containers.get("abc")
    start()
    for container in await engine.containers.list(all=True):
        _ = container.id, container["Names"], container["State"], container["Labels"]


@asynchronous("list 1,000: what only an inspect has")
async def _(engine: Any, start: Start) -> None:
    start()
    for container in await engine.containers.list(all=True):
        _ = (await container.show())["HostConfig"]


LOGS = ("logs 64 MiB, 100-byte frames", "logs 256 MiB, 16-KiB frames", "logs of 200,000 lines, a send each")


@asynchronous(*(f"{name}, bytes" for name in LOGS))
async def _(engine: Any, start: Start) -> None:
    start()
    await engine.containers.container("abc").log(stdout=True, stderr=True)


@asynchronous(*(f"{name}, stream" for name in LOGS), "logs of a terminal, 2 MiB, stream")
async def _(engine: Any, start: Start) -> None:
    start()
    await drain(engine.containers.container("abc").log(stdout=True, stderr=True, follow=True))


@asynchronous("attach 16 MiB, 100-byte frames, demux", "attach 64 MiB, 16-KiB frames, demux")
async def _(engine: Any, start: Start) -> None:
    start()
    async with engine.containers.container("abc").attach(stdout=True, stderr=True) as stream:
        while await stream.read_out() is not None:
            pass


@asynchronous(*(f"50,000 events, {chunks}" for chunks in ("a chunk each", "1,021-byte chunks", "61,001-byte chunks")))
async def _(engine: Any, start: Start) -> None:
    start()
    subscriber = engine.events.subscribe()
    while await subscriber.get() is not None:
        pass


@asynchronous("50,000 pull records")
async def _(engine: Any, start: Start) -> None:
    start()
    await drain(engine.images.pull("busybox", tag="latest", stream=True))


@asynchronous("20,000 records of stats")
async def _(engine: Any, start: Start) -> None:
    start()
    await drain(engine.containers.container("abc").stats())


@asynchronous("save 512 MiB")
async def _(engine: Any, start: Start) -> None:
    start()
    with open(os.devnull, "wb") as out:  # noqa: ASYNC230 -- never blocks
        async with engine.images.export_image("abc") as content:
            async for block in content.iter_chunked(32 * 1024):
                out.write(block)


async def blocks() -> AsyncIterator[bytes]:
    for _n in range(16 * 1024):
        yield BLOCK


@asynchronous("put_archive 512 MiB from an iterator")
async def _(engine: Any, start: Start) -> None:
    start()
    await engine.containers.container("abc").put_archive("/x", blocks())


@asynchronous("put_archive 512 MiB from a file")
async def _(engine: Any, start: Start) -> None:
    with cached_file() as archive:
        start()
        await engine.containers.container("abc").put_archive("/x", archive)


@asynchronous("load 512 MiB from a file")
async def _(engine: Any, start: Start) -> None:
    with cached_file() as archive:
        start()
        await engine.images.import_image(archive)


@asynchronous("100 exec_run")
async def _(engine: Any, start: Start) -> None:
    async def call() -> None:
        command = await container.exec(["true"])
        async with command.start() as stream:
            while await stream.read_out() is not None:
                pass
        await command.inspect()

    container = engine.containers.container("abc")
    await call()
    start()
    for _n in range(100):
        await call()


@asynchronous("50 run, removed, the first 50 of a process")
async def _(engine: Any, start: Start) -> None:
    start()
    for _n in range(50):
        container = await engine.containers.create({"Image": "busybox", "Cmd": ["true"]})
        await container.start()
        await container.wait()
        await container.log(stdout=True)
        await container.delete()


@asynchronous("500 create with 18 options")
async def _(engine: Any, start: Start) -> None:
    await engine.containers.create(CREATE, name="n")
    start()
    for _n in range(500):
        await engine.containers.create(CREATE, name="n")


SCRIPT = """
import asyncio, sys, aiodocker
async def main():
    async with aiodocker.Docker('unix://' + sys.argv[1]) as client:
        {}
asyncio.run(main())
"""
if AIODOCKER:
    SCENARIOS["import"].work["aiodocker"] = "import aiodocker"
    for name, code in {
        "ping": "await client.version()",
        "run": """
        container = await client.containers.create({"Image": "busybox", "Cmd": ["true"]})
        await container.start()
        await container.wait()
        await container.log(stdout=True)
        await container.delete()""",
        "list 1,000, sparse": "await client.containers.list(all=True)",
        "list 1,000: id, name, status, labels": """
        for c in await client.containers.list(all=True): c.id, c['Names'], c['State'], c['Labels']""",
        "logs of 100 lines": "await (await client.containers.get('abc')).log(stdout=True, stderr=True)",
    }.items():
        SCENARIOS[f"script: {name}"].work["aiodocker"] = SCRIPT.format(code)


# -- python-on-whales ----------------------------------------------------------------------------------------------


def whales(row: str, share: float = 1) -> Callable[[Callable[[Any, Start], None]], None]:
    """Add a function of python-on-whales' client to a row. It does a share of the row's work."""

    def add(work: Callable[[Any, Start], None]) -> None:
        def measured(path: str, start: Start) -> None:
            from python_on_whales import DockerClient

            work(DockerClient(host=f"unix://{path}"), start)

        if WHALES:
            contender(SCENARIOS[row], "python-on-whales", share=share)(measured)

    return add


@whales("inspect, one thread", 0.02)
def _(engine: Any, start: Start) -> None:
    start()
    for _n in range(30):
        _ = engine.container.inspect("abc").state


@whales("list 1,000: id, name, status, labels", 0.02)
def _(engine: Any, start: Start) -> None:
    start()
    for container in engine.container.list(all=True)[:20]:  # each is inspected by a process
        _ = container.id, container.name, container.state.status, container.config.labels


@whales("100 exec_run", 0.2)
def _(engine: Any, start: Start) -> None:
    start()
    for _n in range(20):
        engine.container.execute("abc", ["true"])


@whales("50 run, removed, the first 50 of a process", 0.2)
def _(engine: Any, start: Start) -> None:
    start()
    for _n in range(10):
        engine.container.run("busybox", ["true"], remove=True)


@whales("500 create with 18 options", 0.04)
def _(engine: Any, start: Start) -> None:
    start()
    for _n in range(20):
        engine.container.create(
            "busybox",
            ["sleep", "100"],
            name="n",
            envs={"A": "1", "B": "2"},
            labels={"a": "b"},
            publish=[(8080, 80), ("127.0.0.1:5353", 53, "udp")],
            volumes=[("/src", "/dst", "ro")],
            memory="512m",
            cpus=0.5,
            pids_limit=100,
            cap_drop=["ALL"],
            cap_add=["NET_BIND_SERVICE"],
            read_only=True,
            tmpfs=["/tmp:size=64m"],
            user="1000",
            workdir="/app",
            dns=["1.1.1.1"],
            restart="on-failure:5",
            add_hosts=[("somehost", "162.242.195.82")],
        )


@whales("logs 64 MiB, 100-byte frames, bytes")
def _(engine: Any, start: Start) -> None:
    start()
    engine.container.logs("abc")


@whales("logs 64 MiB, 100-byte frames, stream")
def _(engine: Any, start: Start) -> None:
    start()
    for _line in engine.container.logs("abc", stream=True):
        pass


if WHALES:
    SCENARIOS["import"].work["python-on-whales"] = "import python_on_whales"
    for name, code in {
        "ping": "client.version()",
        "run": "client.run('busybox', ['true'], remove=True)",
        "logs of 100 lines": "client.container.inspect('abc').logs()",
    }.items():
        SCENARIOS[f"script: {name}"].work["python-on-whales"] = (
            f"import sys, python_on_whales\nclient = python_on_whales.DockerClient(host='unix://' + sys.argv[1])\n{code}"
        )
