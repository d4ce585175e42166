"""CPU of the asynchronous client beside aiodocker's, on the engine of canned bytes: ``python -m benchmarks.aio``."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.canned import FRAMES, Engine, chunked, frames, whole
from dockerkit.aio import AsyncDockerClient

ID = "a" * 64
INSPECT = {
    "Id": ID,
    "Name": "/web",
    "State": {"Status": "running", "Running": True},
    "Config": {"Tty": False, "Env": [f"NAME{n}=value{n}" for n in range(30)]},
    "HostConfig": {f"Option{n}": n for n in range(60)},
}
SUMMARY = {"Names": ["/web"], "Image": "nginx", "State": "running", "Labels": {f"label{n}": "x" for n in range(10)}}
EVENT = {
    "Type": "container",
    "Action": "start",
    "Actor": {"ID": ID, "Attributes": {"name": "web"}},
    "time": 1,
    "timeNano": 1,
}
EVENTS, EXPORTED = 20_000, 512  # records, MiB

Work = Callable[[Any], Awaitable[object]]


async def drain(stream: Any) -> None:
    async for _ in stream:
        pass


async def tasks(call: Callable[[], Awaitable[object]]) -> None:
    async def several() -> None:
        for _ in range(8):
            await call()

    await asyncio.gather(*(several() for _ in range(64)))


async def many(call: Callable[[], Awaitable[object]], times: int) -> None:
    for _ in range(times):
        await call()


async def aiodocker_events(path: Path) -> None:
    import aiodocker

    client = aiodocker.Docker(url=f"unix://{path}", api_version="v1.45")  # it reads events once in the life of a client
    try:
        subscriber = client.events.subscribe()
        while await subscriber.get() is not None:
            pass
    finally:
        await client.close()


async def aiodocker_export(client: Any) -> None:
    async with client._query(f"containers/{ID}/export") as response:  # it has no method for that
        async for _ in response.content.iter_any():
            pass


def works(ours: AsyncDockerClient, theirs: Any, path: Path) -> dict[str, tuple[Work, Work]]:
    api: Any = ours.api
    return {
        "inspect x 500": (
            lambda _: many(lambda: ours.containers.get(ID), 500),
            lambda _: many(lambda: theirs.containers.get(ID), 500),
        ),
        "64 tasks, inspect x 8": (
            lambda _: tasks(lambda: ours.containers.get(ID)),
            lambda _: tasks(lambda: theirs.containers.get(ID)),
        ),
        "list of 1,000 x 10": (
            lambda _: many(ours.containers.list, 10),
            lambda _: many(theirs.containers.list, 10),
        ),
        "logs, frames of 100 B": (
            lambda _: drain(api.logs(ID + "1", stream=True)),
            lambda _: drain(theirs.containers.container(ID + "1").log(stdout=True, stderr=True, follow=True)),
        ),
        "logs, frames of 16 KiB": (
            lambda _: drain(api.logs(ID + "2", stream=True)),
            lambda _: drain(theirs.containers.container(ID + "2").log(stdout=True, stderr=True, follow=True)),
        ),
        f"{EVENTS} events": (lambda _: drain(ours.events(decode=True)), lambda _: aiodocker_events(path)),
        f"export {EXPORTED} MiB": (
            lambda _: drain(api.export(ID)),
            lambda _: aiodocker_export(theirs),
        ),
    }


async def measure(path: Path, rounds: int) -> None:
    import aiodocker

    async with AsyncDockerClient(f"unix://{path}", version="1.45") as ours:
        theirs = aiodocker.Docker(url=f"unix://{path}", api_version="v1.45")
        try:
            for name, pair in works(ours, theirs, path).items():
                spent: tuple[list[float], list[float]] = [], []
                for _ in range(rounds):
                    for number, work in enumerate(pair):
                        begun = time.process_time()
                        await work(None)
                        spent[number].append(time.process_time() - begun)
                mine, other = (min(part) * 1000 for part in spent)  # the rest is other programs' work
                print(f"| {name} | {mine:.0f} | {other:.0f} | {mine / other:.2f} |", flush=True)
        finally:
            await theirs.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    inspect = json.dumps(INSPECT).encode()
    routes = {
        ("GET", "/info"): whole(b'{"OSType": "linux"}'),
        ("GET", "/containers/json"): whole(json.dumps([{"Id": f"{n:064x}", **SUMMARY} for n in range(1000)]).encode()),
        ("GET", f"/containers/{ID}[12]?/json"): whole(inspect),
        ("GET", f"/containers/{ID}1/logs"): chunked(frames(100, 4096), 1000, FRAMES),
        ("GET", f"/containers/{ID}2/logs"): chunked(frames(16 * 1024, 16 * 1024 + 8), 2000, FRAMES),
        ("GET", "/events"): chunked(json.dumps(EVENT).encode() + b"\n", EVENTS),
        ("GET", f"/containers/{ID}/export"): chunked(b"x" * 32 * 1024, EXPORTED * 32, b"application/x-tar"),
    }
    print("| work | dockerkit, ms of CPU | aiodocker, ms | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "engine.sock", routes)
        try:
            asyncio.run(measure(engine.path, rounds))
        finally:
            engine.close()


if __name__ == "__main__":
    main()
