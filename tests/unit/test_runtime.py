"""The runtime: everything that blocks goes through it, and it can be replaced."""

from __future__ import annotations

import ast
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

import dockerkit
from dockerkit import runtime
from dockerkit.api.client import APIClient

ROOT = Path(dockerkit.__file__).parent
BLOCKING = {
    *("threading.Thread", "threading.Timer", "threading.Event", "threading.Condition", "threading.current_thread"),
    *("queue.Queue", "queue.SimpleQueue", "time.sleep", "select.select", "select.poll", "socket.create_connection"),
}
# Code that may block outside the runtime, and why.
ALLOWED = {
    "runtime.py": "is the place",
    "testing/": "servers in threads of their own",
    "models/containers/terminal.py": "a terminal has no asynchronous form",
    "transport/npipe.py": "Windows' own waiting, in threads of the bridge",
    "endpoint/discovery.py": "a probe of half a second",
}


def test_nothing_blocks_outside_the_runtime() -> None:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if any(name.startswith(allowed) for allowed in ALLOWED):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in BLOCKING:
                found.append(f"{name}:{node.lineno}: {ast.unparse(node.func)}")
    assert found == []


class Counting:
    """A runtime that counts its waits, for selected threads."""

    def __init__(self) -> None:
        self.waits: list[tuple[int, float | None]] = []
        self.thread = threading.current_thread()

    def wait(self, fd: int, events: int, seconds: float | None) -> int:
        self.waits.append((events, seconds))
        return runtime.poll(fd, events, seconds)

    def current_thread(self) -> object:
        return threading.current_thread()

    def give_way(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was not expected here")


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counting]:
    hub = Counting()
    monkeypatch.setattr(runtime, "_choose", runtime._choose)  # restores that of dockerkit.aio, which installs it once
    runtime.install(lambda: hub if threading.current_thread() is hub.thread else None)
    yield hub


def test_another_runtime_gets_every_wait_of_its_callers(scripted: ScriptedEngine, counting: Counting) -> None:
    scripted.on("GET", "/containers/abc/json", Answer.json({"Id": "abc"}))
    runtime.install(None)
    api = APIClient(scripted.host, version="1.51", timeout=5)
    runtime.install(lambda: counting if threading.current_thread() is counting.thread else None)
    with api:
        assert api.inspect_container("abc") == {"Id": "abc"}
        (events, seconds) = counting.waits[0]
        assert events == runtime.READ
        assert seconds is not None
        assert 0 < seconds <= 5
        seen = len(counting.waits)
        thread = threading.Thread(target=api.inspect_container, args=("abc",))
        thread.start()
        thread.join()
        assert len(counting.waits) == seen


@pytest.mark.parametrize("wait", [
    lambda fd, events: runtime.wait(fd, events, 0),
    lambda fd, events: runtime.wait_any({fd: events}, 0).get(fd, 0),
])  # fmt: skip
def test_wait_reports_readiness_of_a_descriptor(wait: Callable[[int, int], int]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not wait(ours.fileno(), runtime.READ)
        assert wait(ours.fileno(), runtime.READ | runtime.WRITE) == runtime.WRITE
        theirs.send(b"x")
        assert wait(ours.fileno(), runtime.READ | runtime.WRITE) == runtime.READ | runtime.WRITE
        theirs.close()
        assert wait(ours.fileno(), runtime.READ)


def test_timer_calls_its_function_unless_it_is_cancelled() -> None:
    called = threading.Event()
    timer = runtime.Timer(0.01, called.set, name="dockerkit-test")
    timer.start()
    assert called.wait(5)
    timer._thread.join(5)
    cancelled = runtime.Timer(60, lambda: pytest.fail("called"), name="dockerkit-test")
    cancelled.start()
    cancelled.cancel()
    begun = time.monotonic()
    cancelled._thread.join(5)
    assert time.monotonic() - begun < 5


def test_wait_any_returns_all_ready_descriptors() -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    try:
        for _, theirs in pairs:
            theirs.send(b"x")
        interests: Mapping[int, int] = {ours.fileno(): runtime.READ for ours, _ in pairs}
        assert runtime.wait_any(interests, 1) == interests
    finally:
        for pair in pairs:
            for sock in pair:
                sock.close()
