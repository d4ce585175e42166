"""Interrupts at random moments leave nothing behind in an engine."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from buildkit_help import ours, write

from dockerkit import DockerClient
from dockerkit.files.archive import files, pack

ROUNDS = 6
KINDS = pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, type("Alarm", (Exception,), {})])


def interrupt(work: Callable[[], object], kind: type[BaseException], seconds: float) -> None:
    """Call a function, and raise an exception in it from a signal handler after some time."""
    armed = True

    def handler(*_: object) -> None:
        if armed:
            raise kind

    previous = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        work()
        armed = False
    except kind:
        pass
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def moments(longest: float) -> Iterator[float]:
    """Return moments within an operation; half of them in its first part, which creates objects."""
    for number in range(ROUNDS):
        yield random.uniform(0.001, 0.1 if number % 2 else longest)


def soon(holds: Callable[[], bool]) -> None:
    """Wait until a condition is true: engines and finalizers remove objects in the background."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    """Fail a test that leaves a thread of dockerkit or a descriptor, once its client is closed."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert ours() == []
    soon(lambda: len(os.listdir("/proc/self/fd")) <= before)


@KINDS
@pytest.mark.parametrize("operation", ["run", "run with input", "call", "sandbox", "classic build"])
def test_interrupt_leaves_no_container(
    client: DockerClient,
    busybox: str,
    labels: dict[str, str],
    unique: Callable[..., str],
    no_images_left: None,
    operation: str,
    kind: type[BaseException],
) -> None:
    mark = unique("interrupt")
    marked: dict[str, str] = {**labels, mark: ""}
    dockerfile = f"FROM {busybox}\nRUN sleep 5\n".encode()

    def blocks() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.05)
            yield b"x"

    def sandbox() -> None:
        with client.sandbox(busybox, interpreter=["sh", "-c"], labels=marked) as box:
            box.run("sleep 5")

    operations: dict[str, Callable[[], object]] = {
        "run": lambda: client.containers.run(busybox, ["sleep", "5"], remove=True, labels=marked),
        "run with input": lambda: client.containers.run(busybox, ["cat"], input=blocks(), remove=True, labels=marked),
        "call": lambda: client.containers.call(busybox, ["sleep", "5"], labels=marked),
        "sandbox": sandbox,
        "classic build": lambda: client.images.build(
            fileobj=io.BytesIO(dockerfile), builder="classic", labels=marked, forcerm=True, nocache=True
        ),
    }
    for moment in moments(0.7):
        interrupt(operations[operation], kind, moment)
    soon(lambda: client.containers.list(all=True, filters={"label": [mark]}) == [])


@KINDS
def test_interrupt_leaves_no_container_of_image_files(
    client: DockerClient, unique: Callable[..., str], kind: type[BaseException]
) -> None:
    name = unique("files")
    client.api.import_image_from_data(b"".join(pack(files({"x": b"1"}))), repository=name)
    image = client.images.get(name)
    for moment in moments(0.1):
        interrupt(lambda: image.read_bytes("/x"), kind, moment)
    soon(lambda: client.containers.list(all=True, filters={"ancestor": [name]}) == [])
    image.remove(force=True)


@KINDS
def test_interrupt_leaves_no_helper_of_volume_files(
    client: DockerClient,
    labels: dict[str, str],
    unique: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    kind: type[BaseException],
) -> None:
    images: list[str] = []
    imported = client.api.import_image_from_data

    def recorded(*args: Any, **options: Any) -> str:
        records = imported(*args, **options)
        images.append(json.loads(records.splitlines()[-1])["status"])
        return records

    monkeypatch.setattr(client.api, "import_image_from_data", recorded)
    volume = client.volumes.create(unique("volume"), labels=labels)

    def work() -> None:
        with volume.files() as opened:
            opened.write("x", b"1")
            opened.read("x")

    for moment in moments(0.3):
        interrupt(work, kind, moment)
    soon(lambda: client.containers.list(all=True, filters={"volume": [volume.name or ""]}) == [])
    soon(lambda: not any(client.images.exists(image) for image in images))
    assert images
    volume.remove()


@KINDS
def test_interrupt_leaves_no_process_of_an_exec(
    client: DockerClient, busybox: str, labels: dict[str, str], kind: type[BaseException]
) -> None:
    container = client.containers.run(busybox, ["sleep", "600"], detach=True, labels=labels)
    try:
        for moment in moments(0.5):
            interrupt(lambda: container.exec(["sleep", "5001"], input=b"x"), kind, moment)
        soon(lambda: not any("5001" in str(process) for process in client.api.top(container)["Processes"]))
    finally:
        container.remove(v=True, force=True)


@KINDS
def test_an_interrupt_stops_a_buildkit_build(
    client: DockerClient,
    busybox: str,
    labels: dict[str, str],
    unique: Callable[..., str],
    tmp_path: Path,
    kind: type[BaseException],
) -> None:
    mark = unique("interrupt")
    dockerfile = f"FROM {busybox}\nCOPY . /\nRUN sleep 5002 || echo {mark}\n"
    folder = write(tmp_path, {"Dockerfile": dockerfile, "data": os.urandom(4_000_000)})

    def sleeping() -> bool:
        """Return whether the build's command runs, as seen by a container among the engine's processes."""
        listed = client.containers.run(busybox, ["ps", "-o", "args"], pid_mode="host", remove=True, labels=labels)
        return mark in listed.decode()

    def work() -> None:
        client.images.build(path=folder, builder="buildkit", nocache=True, labels=labels)

    def interrupt_command() -> None:
        soon(sleeping)
        os.kill(os.getpid(), signal.SIGALRM)

    watcher = threading.Thread(target=interrupt_command)
    watcher.start()
    began = time.monotonic()
    interrupt(work, kind, 90)
    watcher.join()
    assert time.monotonic() - began < 80, "the command was seen, and the build ended with it"
    soon(lambda: not sleeping())

    for moment in moments(2):
        interrupt(work, kind, moment)
    soon(lambda: not sleeping())
    assert ours() == [], "the client is still open, but each build's connection is its own"
