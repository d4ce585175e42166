"""Logs and events are followed while the engine crashes and restarts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from engines import private
from engines.images import give_busybox
from engines.settings import Spec

from dockerkit import DockerClient

SCRIPT = "i=0; while :; do i=$((i+1)); echo line $i; echo err $i >&2; sleep 0.02; done"


@pytest.fixture
def spec() -> Iterator[Spec]:
    spec = Spec("following", 66, "trixie")
    private.up(spec)
    give_busybox(spec.socket, spec.root)
    yield spec
    private.down(spec)


@pytest.mark.timeout(300)
def test_log_is_followed_across_an_engine_crash(spec: Spec) -> None:
    with DockerClient(spec.host) as client:
        container = client.containers.run(
            "busybox", ["sh", "-c", SCRIPT], detach=True, restart_policy={"Name": "always"}, stop_signal="KILL"
        )
        followed: list[tuple[int | None, str, str]] = []
        crash = threading.Timer(1.5, private.crash, [spec], {"downtime": 1.0})
        crash.start()
        stop: float | None = None
        with container.log_entries(follow=True) as entries:
            for entry in entries:
                followed.append((entry.nanoseconds, entry.stream, entry.text))
                if stop is None and not crash.is_alive() and len(followed) > 50:
                    stop = time.monotonic() + 2
                if stop is not None and time.monotonic() > stop:
                    break
        crash.join()
        kept = [(entry.nanoseconds, entry.stream, entry.text) for entry in container.log_entries()]
        assert len(followed) > 100
        assert followed == kept[: len(followed)]
        container.remove(force=True)


@pytest.mark.timeout(300)
def test_events_continue_after_an_engine_crash(spec: Spec) -> None:
    with DockerClient(spec.host) as client, client.system.listen(filters={"type": ["volume"]}) as listener:
        consumer = listener.subscribe("volume", "create")
        client.volumes.create("before")
        first = consumer.get(20)
        assert first is not None
        assert first.id == "before"
        private.crash(spec, downtime=0.5)
        client.volumes.create("after")
        second = consumer.get(60)
        assert second is not None
        assert second.id == "after"
        client.volumes.get("before").remove()
        client.volumes.get("after").remove()
