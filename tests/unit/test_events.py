"""Typed events that resume without gaps; handlers and subscriptions of a listener."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.models.events import EngineEvent

NOW = 1_764_000_000 * 10**9 + 123_456_789


def record(
    nanoseconds: int, action: str = "start", kind: str = "container", id: str = "c1", **attributes: str
) -> bytes:
    return (
        json.dumps(
            {
                "Type": kind,
                "Action": action,
                "Actor": {"ID": id, "Attributes": {"name": "web", **attributes}},
                "scope": "local",
                "time": nanoseconds // 10**9,
                "timeNano": nanoseconds,
            }
        ).encode()
        + b"\n"
    )


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host) as client:
        yield client


def held(*records: bytes, release: threading.Event | None = None) -> Any:
    """Send records, then wait until the client disconnects or the event is set."""

    def script(request: Any, wire: Any) -> None:
        wire.head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        for data in records:
            wire.send(b"%x\r\n%s\r\n" % (len(data), data))
        while not wire.gone() and not (release and release.is_set()):
            time.sleep(0.005)
        wire.keep = False

    return script


def test_event_has_typed_attributes() -> None:
    event = EngineEvent.from_engine(json.loads(record(NOW, "health_status: healthy", exitCode="137")))
    assert (event.type, event.action, event.detail, event.id, event.name) == (
        "container", "health_status", "healthy", "c1", "web"
    )  # fmt: skip
    assert event.timestamp == datetime.fromtimestamp(NOW // 10**9, UTC).replace(microsecond=123456)
    assert event.nanoseconds == NOW
    assert event.exit_code == 137
    bare = EngineEvent.from_engine({"status": "die", "id": "x", "time": 5})
    assert (bare.type, bare.action, bare.id, bare.nanoseconds, bare.exit_code) == (
        "container",
        "die",
        "x",
        5 * 10**9,
        None,
    )


def test_events_resume_without_gaps_or_duplicates(scripted: ScriptedEngine, client: DockerClient) -> None:
    same = record(NOW + 1, "exec_create: sh")
    scripted.on(
        "GET",
        "/events",
        Answer.chunked([record(NOW), same], truncate=True),
        Answer.error(503, "starting"),
        Answer.chunked([record(NOW), same, same, record(NOW + 2, "die")]),
        held(record(NOW + 2, "die"), record(NOW + 3, "destroy")),
    )
    with client.system.events() as events:
        actions = [next(events).action for _ in range(5)]
    assert actions == ["start", "exec_create", "exec_create", "die", "destroy"]
    since = [request.query.get("since") for request in scripted.requests]
    assert since[0] is None
    assert since[2] == [f"{(NOW + 1 - 10**9) // 10**9}.{(NOW + 1) % 10**9:09d}"]


def test_reconnect_none_raises_immediately(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/events", Answer.chunked([record(NOW)], truncate=True))
    with client.system.events(reconnect=None) as events, pytest.raises(errors.StreamTruncated):
        list(events)
    scripted.on("GET", "/events", Answer.chunked([record(NOW)]))
    with client.system.events(until=5) as events:
        assert len(list(events)) == 1
    scripted.on("GET", "/events", Answer.chunked([record(NOW)]), Answer.error(500, "no"))
    with client.system.events(reconnect=0.05) as events, pytest.raises(errors.ServerError):
        list(events)


def test_closing_from_another_thread(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/events", held(record(NOW)))
    events = client.system.events()
    assert next(events).id == "c1"
    threading.Timer(0.03, events.close).start()
    assert list(events) == []


def test_listener_serves_handlers_and_subscriptions(
    scripted: ScriptedEngine, client: DockerClient, caplog: pytest.LogCaptureFixture
) -> None:
    begin = threading.Event()
    records = [
        record(NOW, "start"),
        record(NOW + 1, "die", exitCode="3"),
        record(NOW + 2, "pull", "image", "app"),
        record(NOW + 3, "health_status: unhealthy"),
    ]

    def script(request: Any, wire: Any) -> None:
        wire.head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        begin.wait(10)
        for data in records:
            wire.send(b"%x\r\n%s\r\n" % (len(data), data))
        while not wire.gone():
            time.sleep(0.005)
        wire.keep = False

    scripted.on("GET", "/events", script)
    seen: list[str] = []
    with client.system.listen() as listener:

        @listener.on("container", "die")
        def died(event: EngineEvent) -> None:
            seen.append(f"die {event.exit_code}")
            raise RuntimeError("oops")

        listener.on("container", ["health_status: unhealthy", "oom"])(lambda event: seen.append("sick"))
        off = listener.on()(lambda event: seen.append("never"))
        listener.off(off)
        everything, images = listener.subscribe(), listener.subscribe(["image", "volume"])
        begin.set()
        assert [next(everything).action for _ in range(4)] == ["start", "die", "pull", "health_status"]
        assert next(images).id == "app"
        with pytest.raises(TimeoutError):
            images.get(0.05)
        images.close()
        assert list(images) == []
    assert list(everything) == []
    assert listener.subscribe().get() is None
    assert seen == ["die 3", "sick"]
    assert "oops" in caplog.text
    assert not [thread for thread in threading.enumerate() if thread.name == "dockerkit-events"]


def test_failure_of_a_listener_reaches_its_subscriptions(
    scripted: ScriptedEngine, client: DockerClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    release = threading.Event()
    scripted.on("GET", "/events", held(record(NOW), release=release))
    with client.system.listen(reconnect=None) as listener:
        consumer = listener.subscribe()
        release.set()
        with pytest.raises(errors.StreamTruncated):
            for _ in consumer:
                pass
        assert isinstance(listener.error, errors.StreamTruncated)


def test_slow_subscription_drops_the_newest_and_counts_them(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/events", held())
    with client.system.listen() as listener:
        consumer = listener.subscribe()
        event = EngineEvent.from_engine(json.loads(record(NOW)))
        for _ in range(10_003):
            consumer._offer(event)
        assert consumer.lost == 3
