"""A real engine that stalls like a paused machine: SIGSTOP during operations, then SIGCONT."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from engines import private
from engines.settings import Spec

from dockerkit import DockerClient, errors
from dockerkit.errors.base import IgnoreGone
from dockerkit.models.containers.conditions import Exited, Log
from dockerkit.transport import Scope

SPEC = Spec("stalled", 67, "trixie")
pytestmark = pytest.mark.xdist_group("stalled")
BOUND = 15.0  # seconds; the deadlines below are 2, and cleaning up may take 3 to 5


@pytest.fixture(scope="module")
def client() -> Iterator[DockerClient]:
    private.up(SPEC)
    try:
        with DockerClient(SPEC.host, timeout=60) as client:
            yield client
    finally:
        private.signal_daemon(SPEC, signal.SIGCONT)
        private.down(SPEC)


def outcome(function: Callable[[], Any]) -> object:
    """Return what a function returns or raises; fail if it does neither in time."""
    got: list[object] = []

    def call() -> None:
        try:
            got.append(function())
        except BaseException as error:
            got.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(BOUND)
    assert not thread.is_alive(), "it hangs"
    return got[0]


def test_deadlines_and_close_work_while_the_engine_stalls(client: DockerClient) -> None:
    sleeper = client.containers.create("busybox", ["sleep", "600"], name="sleeper")
    sleeper.start()
    events, log, listener = client.system.events(), sleeper.log_entries(follow=True), client.system.listen()
    streams: dict[str, Any] = {"events": events, "log": log, "listener": listener}
    running: list[object] = []
    run = threading.Thread(
        target=lambda: running.append(
            outcome(lambda: client.containers.run("busybox", ["sleep", "600"], name="run", timeout=2, remove=True))
        )
    )
    run.start()
    sleeper.wait_until(lambda _: any(one.name == "run" for one in client.containers.list()), timeout=20)
    private.signal_daemon(SPEC, signal.SIGSTOP)
    try:
        run.join(BOUND + 1)
        (ended,) = running
        assert isinstance(ended, errors.RunTimeout)
        assert ended.still_running
        assert isinstance(outcome(lambda: sleeper.exec(["sleep", "60"], timeout=2)), errors.ExecTimeout)
        assert isinstance(outcome(lambda: sleeper.wait_until(Exited(), timeout=2)), errors.WaitTimeout)
        assert isinstance(outcome(lambda: sleeper.wait_until(Log("x"), timeout=2)), errors.WaitTimeout)
        attempts: dict[str, Callable[[], Any]] = {
            "create": lambda: client.containers.create("busybox"),
            "call": lambda: client.containers.call("busybox", ["true"]),
            "sandbox": lambda: client.sandbox("busybox"),
            "attach": sleeper.attach_process,
            "start": sleeper.start,
            "files": client.volumes.prepare_model({"Name": "none"}).files,
        }
        for name, attempt in attempts.items():
            assert isinstance(outcome(lambda attempt=attempt: Scope(2).run(attempt)), errors.ReadTimeout), name
        for name, stream in streams.items():
            assert outcome(stream.close) is None, name
    finally:
        private.signal_daemon(SPEC, signal.SIGCONT)
    assert client.ping()
    assert sleeper.exec(["echo", "back"], timeout=20).stdout == b"back\n"
    for container in client.containers.list(all=True):
        with IgnoreGone():  # removals that were sent while it stalled take effect now
            container.remove(force=True)
