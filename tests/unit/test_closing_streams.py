"""All kinds of streams can be closed from everywhere without errors or leaks."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import ScriptedEngine
from stream_kinds import KINDS, script_all

from dockerkit import DockerClient


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    script_all(scripted)
    with DockerClient(scripted.host, version="1.51", timeout=5) as client:
        yield client


def held() -> tuple[int, list[str]]:
    """Return the open descriptors, and the threads except the engine's."""
    threads = [thread.name for thread in threading.enumerate() if not thread.name.startswith("dockerkit-testing")]
    return len(os.listdir("/proc/self/fd")), sorted(threads)


def assert_released(client: DockerClient, before: tuple[int, list[str]]) -> None:
    client.close()
    deadline = time.monotonic() + 5
    while held() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert held() <= before


def read_until_closed(items: Iterator[Any], closing: threading.Timer | None = None) -> None:
    started = time.monotonic()
    assert list(items) == []
    if closing is not None:
        closing.join(3)
        assert not closing.is_alive()
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("kind", KINDS)
def test_stream_can_be_closed_by_a_signal_handler_of_the_reader(client: DockerClient, kind: str) -> None:
    before = held()
    stream = KINDS[kind](client)
    items = iter(stream)
    next(items)
    previous = signal.signal(signal.SIGALRM, lambda *_: stream.close())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        read_until_closed(items)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert_released(client, before)


@pytest.mark.parametrize("kind", KINDS)
def test_stream_can_be_closed_by_another_thread(client: DockerClient, kind: str) -> None:
    before = held()
    stream = KINDS[kind](client)
    items = iter(stream)
    next(items)
    closing = threading.Timer(0.05, stream.close)
    closing.start()
    read_until_closed(items, closing)
    assert_released(client, before)


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_dropped_stream_is_closed(client: DockerClient, kind: str, read: bool) -> None:
    if kind == "system.listen":
        pytest.skip("a listener has a thread until it is closed")
    before = held()
    items = iter(KINDS[kind](client))
    if read:
        next(items)
    del items
    gc.collect()
    assert_released(client, before)


@pytest.mark.parametrize("kind", KINDS)
def test_stream_dropped_in_a_forked_child_stays_open_in_the_parent(
    client: DockerClient, scripted: ScriptedEngine, kind: str
) -> None:
    before = held()
    stream = KINDS[kind](client)
    items = iter(stream)
    next(items)
    requests = len(scripted.requests)
    child = os.fork()
    if child == 0:
        del stream, items
        gc.collect()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(scripted.requests) == requests
    closing = threading.Timer(0.05, stream.close)
    closing.start()
    read_until_closed(items, closing)
    assert_released(client, before)


OPEN_ALL = """
import sys
sys.path[:] = {path!r}
from stream_kinds import KINDS
from dockerkit import DockerClient
client = DockerClient({host!r}, version="1.51", timeout=5)
"""


def ended(host: str, program: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", OPEN_ALL.format(path=sys.path, host=host) + program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("ending", ["pass", "sys.exit(0)", "del streams, items"])
def test_interpreter_exits_quietly_with_an_open_stream(
    client: DockerClient, scripted: ScriptedEngine, ending: str
) -> None:
    program = f"""
streams = [make(client) for make in KINDS.values()]
items = [iter(stream) for stream in streams]
for one in items: next(one)
{ending}
"""
    assert ended(scripted.host, program) == (0, "", "")


def test_streams_can_be_collected_while_the_errors_are_imported(client: DockerClient, scripted: ScriptedEngine) -> None:
    """Nothing that closes a stream may need a module that is only half imported."""
    program = """
import gc
streams = [make(client) for make in KINDS.values()]
items = [iter(stream) for stream in streams]
for item in items: next(item)
del item
class Collecting:
    def find_spec(self, name, *_):
        if name == "requests" and streams:  # imported by dockerkit.errors.api
            streams.clear(); items.clear(); gc.collect()
sys.meta_path.insert(0, Collecting())
for name in [name for name in sys.modules if name.startswith(("requests", "dockerkit.errors."))]:
    del sys.modules[name]
import dockerkit.errors.api
assert not streams
"""
    assert ended(scripted.host, program) == (0, "", "")
