"""A stalling engine: close() reaches what waits, deadlines hold at every request, and what is dropped is freed."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit import DockerClient, errors
from dockerkit.models.containers import Container, ending, process, run, waiter
from dockerkit.models.containers.conditions import Condition, Exited, File, Log
from dockerkit.models.containers.logs import merge_logs
from dockerkit.transport import Scope

ID = "c" * 64
LOGS, INSPECT = f"/containers/{ID}/logs", f"/containers/{ID}/json"
LINE = frame(1, b"2026-11-25T17:57:29.968237123Z one\n")
EVENT = b'{"Type":"container","Action":"start","timeNano":1764000000000000000}\n'


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host, timeout=60) as client:
        yield client


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time given to stalled engines."""
    monkeypatch.setattr(ending, "_SECONDS", 0.2)
    monkeypatch.setattr(run, "_DRAINING", 0.1)
    monkeypatch.setattr(waiter, "_FOR_LINES", 0.1)
    monkeypatch.setattr(process, "_ENDING", 0.3)


@pytest.fixture
def container(client: DockerClient) -> Container:
    return Container({"Id": ID, "Name": "/web"}, client)


def silent(*chunks: bytes) -> Callable[[Any, Any], None]:
    """A response that begins, and then waits until the client disconnects."""

    def script(request: Any, wire: Any) -> None:
        wire.head(200, {"Content-Type": MULTIPLEXED, "Transfer-Encoding": "chunked"})
        for data in chunks:
            wire.send(b"%x\r\n%s\r\n" % (len(data), data))
        while not wire.gone():
            time.sleep(0.005)
        wire.keep = False

    return script


def ends(function: Callable[[], object]) -> None:
    """Call a function in a thread, and fail if it does not return."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()


def quiet() -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not [
            one for one in threading.enumerate() if one.name in ("dockerkit-events", "dockerkit-logs", "dockerkit-wait")
        ]:
            return True
        time.sleep(0.005)
    return False


def requests_until(scripted: ScriptedEngine, path: str, count: int) -> None:
    deadline = time.monotonic() + 5
    while sum(request.path == path for request in scripted.requests) < count and time.monotonic() < deadline:
        time.sleep(0.005)


FOLLOWERS: dict[str, tuple[str, Callable[[DockerClient, Container], Any]]] = {
    "events": ("/events", lambda client, container: client.system.events()),
    "log": (LOGS, lambda client, container: container.log_entries(follow=True)),
    "merged logs": (LOGS, lambda client, container: merge_logs([container], follow=True)),
}


@pytest.mark.parametrize("name", FOLLOWERS)
@pytest.mark.parametrize("how", ["thread", "signal"])
def test_closing_reaches_a_reconnect_whose_head_never_comes(
    scripted: ScriptedEngine, client: DockerClient, container: Container, name: str, how: str
) -> None:
    path, follow = FOLLOWERS[name]
    first = Answer.chunked([EVENT if path == "/events" else LINE], truncate=True, media_type=MULTIPLEXED)
    scripted.on("GET", path, first, Answer.hang())
    stream = follow(client, container)
    assert next(stream) is not None
    if how == "signal":
        previous = signal.signal(signal.SIGALRM, lambda *_: stream.close())
        try:
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGALRM)).start()
            assert list(stream) == []
        finally:
            signal.signal(signal.SIGALRM, previous)
    else:
        reader = threading.Thread(target=lambda: list(stream), daemon=True)
        reader.start()
        requests_until(scripted, path, 2)
        ends(stream.close)
        reader.join(5)
        assert not reader.is_alive()
    assert quiet()


def test_listener_closes_while_it_reconnects(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/events", Answer.chunked([EVENT], truncate=True), Answer.hang())
    listener = client.system.listen()
    requests_until(scripted, "/events", 2)
    ends(listener.close)
    assert quiet()


@pytest.mark.parametrize("name", FOLLOWERS)
def test_stream_that_is_dropped_is_freed_at_once(
    scripted: ScriptedEngine, client: DockerClient, container: Container, name: str
) -> None:
    path, follow = FOLLOWERS[name]
    scripted.on("GET", path, silent(EVENT if path == "/events" else LINE))
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            stream = follow(client, container)
            assert next(stream) is not None
            dropped = weakref.ref(stream)
            del stream
            assert dropped() is None
        assert quiet()
        references = client.api._transport.pool._connections.values()  # type: ignore[attr-defined]
        assert not [one for one in (reference() for reference in references) if one and one.sock.fileno() != -1]
    finally:
        gc.enable()


def test_listener_that_is_dropped_ends_unless_it_has_handlers(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/events", silent(EVENT))
    listener = client.system.listen()
    subscription = listener.subscribe()
    dropped = weakref.ref(listener)
    del listener
    assert dropped() is not None  # a subscription needs it
    del subscription
    assert dropped() is None
    assert quiet()
    seen = threading.Event()
    listener = client.system.listen()
    listener.on("container")(lambda event: seen.set())
    dropped = weakref.ref(listener)
    del listener
    assert dropped() is not None
    listener = dropped()
    assert listener is not None
    listener.close()
    assert quiet()


def test_dropped_subscription_is_freed_after_an_event(scripted: ScriptedEngine, client: DockerClient) -> None:
    subscribed = threading.Event()

    def script(request: Any, wire: Any) -> None:
        wire.head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        subscribed.wait(5)
        wire.send(b"%x\r\n%s\r\n" % (len(EVENT), EVENT))
        stays(wire)
        wire.keep = False

    scripted.on("GET", "/events", script)
    subscription = client.system.listen().subscribe()
    subscribed.set()
    assert subscription.get(timeout=5) is not None
    del subscription
    assert quiet()


@pytest.mark.parametrize("name", ["events", "log"])
def test_second_reader_gets_an_error_and_the_first_continues(
    scripted: ScriptedEngine, client: DockerClient, container: Container, name: str
) -> None:
    go_on = threading.Event()

    def script(request: Any, wire: Any) -> None:
        wire.head(200, {"Content-Type": MULTIPLEXED, "Transfer-Encoding": "chunked"})
        go_on.wait(5)
        data = EVENT if name == "events" else LINE
        wire.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))

    path, follow = FOLLOWERS[name]
    scripted.on("GET", path, script)
    low = {
        "events": lambda: client.api.events(decode=True),
        "log": lambda: client.api.logs(ID, stream=True, follow=True),
    }
    for make in (lambda: follow(client, container), low[name]):
        go_on.clear()
        stream = make()
        got: list[object] = []
        reader = threading.Thread(target=lambda stream=stream, got=got: got.append(next(stream)), daemon=True)
        reader.start()
        deadline = time.monotonic() + 5
        while not stream._items.gi_running and time.monotonic() < deadline:
            time.sleep(0.005)
        with pytest.raises(errors.StreamInUse, match="another thread"):
            next(stream)
        go_on.set()
        reader.join(5)
        assert len(got) == 1
        stream.close()


@pytest.mark.parametrize("ending", ["pass", "sys.exit(0)", "del stream", "stream.close()"])
@pytest.mark.parametrize("name", ["events", "log_entries", "merge_logs", "listen"])
def test_interpreter_ends_quietly_in_the_middle_of_followers(scripted: ScriptedEngine, ending: str, name: str) -> None:
    scripted.on("GET", "/events", silent(EVENT))
    scripted.on("GET", LOGS, silent(LINE))
    scripted.on("GET", INSPECT, Answer.json({"Id": ID, "Name": "/web"}))
    make = {
        "events": "client.system.events()",
        "log_entries": "container.log_entries(follow=True)",
        "merge_logs": "merge_logs([container], follow=True)",
        "listen": "client.system.listen().subscribe()",
    }[name]
    program = f"""
import sys
sys.path[:] = {sys.path!r}
import dockerkit
from dockerkit.models.containers.logs import merge_logs
client = dockerkit.DockerClient({scripted.host!r})
container = client.containers.get({ID!r})
stream = {make}
{"next(stream)" if name != "listen" else ""}
{ending}
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# -- run -------------------------------------------------------------------------------------------------------------

CREATE, ATTACH, WAIT = "/containers/create", f"/containers/{ID}/attach", f"/containers/{ID}/wait"
START, KILL, REMOVE = f"/containers/{ID}/start", f"/containers/{ID}/kill", f"/containers/{ID}"


def stays(wire: Any) -> None:
    while not wire.gone():
        time.sleep(0.005)


def script_run(scripted: ScriptedEngine, **scripts: Any) -> None:
    """Script a container that runs until it is killed, and never ends its output."""
    scripted.on("POST", CREATE, Answer.json({"Id": ID, "Warnings": []}, 201))
    output = Answer.upgraded([frame(1, b"so far")], media_type=MULTIPLEXED, talk=stays)
    scripted.on("POST", ATTACH, scripts.get("attach", output))
    scripted.on("POST", WAIT, scripts.get("wait", silent()))
    scripted.on("POST", START, scripts.get("start", Answer.empty()))
    scripted.on("POST", KILL, scripts.get("kill", Answer.empty()))
    scripted.on("DELETE", REMOVE, scripts.get("remove", Answer.empty()))
    scripted.on("GET", INSPECT, Answer.json({"Id": ID, "State": {"Running": True, "Status": "running"}}))


STALLS: dict[str, dict[str, Any]] = {
    "attach": {"attach": Answer.hang()},
    "wait": {"wait": Answer.hang()},
    "start": {"start": Answer.hang()},
    "output": {},
    "kill": {"kill": Answer.hang()},
    "kill fails": {"kill": Answer.error(500, "permission denied")},
    "kill and remove": {"kill": Answer.hang(), "remove": Answer.hang()},
    "everything": dict.fromkeys(("attach", "wait", "start", "kill", "remove"), Answer.hang()),
}


@pytest.mark.parametrize(
    "attempt",
    [
        lambda client: client.containers.create("busybox"),
        lambda client: client.containers.call("busybox"),
        lambda client: client.containers.run("busybox", remove=True),
        lambda client: client.volumes.prepare_model({"Name": "x"}).files(),
        lambda client: client.sandbox("busybox"),
    ],
    ids=["create", "call", "run", "volume files", "sandbox"],
)
def test_deadline_of_a_scope_holds_in_helper_threads(
    scripted: ScriptedEngine, client: DockerClient, attempt: Callable[[DockerClient], object]
) -> None:
    scripted.on("POST", "/images/create", Answer.hang())
    scripted.on("GET", "/images/busybox/json", Answer.json({"Id": "sha256:1", "Config": {}}))
    scripted.on("POST", CREATE, Answer.hang())
    with pytest.raises((errors.ReadTimeout, errors.ConnectTimeout)), Scope(0.2):
        attempt(client)


@pytest.mark.parametrize("mode", ["run", "stream", "input"])
@pytest.mark.parametrize("point", STALLS)
def test_run_keeps_its_deadline_wherever_the_engine_stalls(
    scripted: ScriptedEngine, client: DockerClient, point: str, mode: str, capfd: pytest.CaptureFixture[str]
) -> None:
    script_run(scripted, **STALLS[point])
    caught: list[BaseException] = []

    def attempt() -> None:
        try:
            if mode == "input":
                client.containers.run("busybox", timeout=0.6, remove=True, input=b"")
            else:
                output = client.containers.run("busybox", timeout=0.6, remove=True, stream=mode == "stream")  # type: ignore[call-overload]
                list(output)
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(12)
    assert not thread.is_alive()
    (error,) = caught
    assert isinstance(error, errors.RunTimeout), error
    if STALLS[point].get("kill"):
        assert error.still_running
        assert "may still be running" in str(error)
    else:
        assert error.still_running is None
    if point.startswith(("output", "kill")) and mode == "run":
        assert error.stdout == b"so far"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "answer",
    [b"garbage", b"[]", b"5", b'""', b"", b"null", b'{"StatusCode":"x"}', b'{"StatusCode":0,"Error":{"Message":"no"}}'],
)
def test_odd_end_of_a_run_is_an_error_of_ours(scripted: ScriptedEngine, client: DockerClient, answer: bytes) -> None:
    ended = Answer.upgraded([frame(1, b"x")], media_type=MULTIPLEXED)
    script_run(scripted, attach=ended, wait=Answer.chunked([answer] if answer else []))
    with pytest.raises((errors.StreamParseError, errors.StreamError)):
        client.containers.run("busybox", remove=True)
    assert scripted.requests[-1].method == "DELETE"


def test_run_that_is_dropped_unread_is_removed(scripted: ScriptedEngine, client: DockerClient) -> None:
    script_run(scripted)
    gc.disable()
    try:
        output = client.containers.run("busybox", remove=True, stream=True)
        del output
        requests_until(scripted, REMOVE, 1)
    finally:
        gc.enable()
    assert scripted.requests[-1].method == "DELETE"


@pytest.mark.parametrize("ending", ["pass", "next(output)", "del output", "[output].append(output)"])
def test_run_is_removed_when_the_interpreter_exits(scripted: ScriptedEngine, ending: str) -> None:
    script_run(scripted)
    program = f"""
import sys
sys.path[:] = {sys.path!r}
import dockerkit
client = dockerkit.DockerClient({scripted.host!r})
output = client.containers.run("busybox", remove=True, stream=True)
{ending}
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [request.method for request in scripted.requests][-1] == "DELETE"


def script_ended_run(scripted: ScriptedEngine, code: int = 0, *, reads_input: bool = False) -> None:
    """A container that exits by itself, and whose removal stalls."""
    talk = (lambda wire: wire.recv()) if reads_input else None
    ended = Answer.upgraded([frame(1, b"all of it")], media_type=MULTIPLEXED, talk=talk)
    script_run(scripted, attach=ended, wait=Answer.json({"StatusCode": code}), remove=Answer.hang())
    state = {"Running": False, "Status": "exited", "ExitCode": code}
    scripted.on("GET", INSPECT, Answer.json({"Id": ID, "State": state}))


REMOVED_RUNS: dict[str, Callable[[DockerClient], object]] = {
    "run": lambda client: client.containers.run("busybox", remove=True),
    "with a timeout": lambda client: client.containers.run("busybox", remove=True, timeout=30),
    "stream": lambda client: b"".join(client.containers.run("busybox", remove=True, stream=True)),
    "input": lambda client: client.containers.run("busybox", remove=True, input=b""),
    "call": lambda client: client.containers.call("busybox", text=False).stdout,
}


@pytest.mark.parametrize("mode", REMOVED_RUNS)
def test_removal_that_stalls_after_the_end_loses_no_result(
    scripted: ScriptedEngine, client: DockerClient, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    script_ended_run(scripted, reads_input=mode == "input")
    client.api.timeout = 0.5
    begun = time.monotonic()
    assert REMOVED_RUNS[mode](client) == b"all of it"
    assert time.monotonic() - begun < 5
    (record,) = caplog.records
    assert f"container {ID[:12]} was not removed: the engine did not respond to DELETE" in record.getMessage()


@pytest.mark.parametrize("mode", [mode for mode in REMOVED_RUNS if mode != "call"])
def test_removal_that_stalls_does_not_hide_the_failure_of_the_run(
    scripted: ScriptedEngine, client: DockerClient, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    script_ended_run(scripted, 3, reads_input=mode == "input")
    client.api.timeout = 0.5
    with pytest.raises(errors.ContainerError) as caught:
        REMOVED_RUNS[mode](client)
    assert caught.value.exit_status == 3
    assert "was not removed" in caplog.text


def test_removal_that_fails_does_not_hide_an_interrupt(
    scripted: ScriptedEngine, client: DockerClient, caplog: pytest.LogCaptureFixture
) -> None:
    script_run(scripted, remove=Answer.error(500, "driver failed to remove root filesystem"))
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            client.containers.run("busybox", remove=True)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert "driver failed to remove root filesystem" in caplog.text


@pytest.mark.parametrize("code", [0, 3])
def test_removal_that_the_engine_refuses_is_an_error(scripted: ScriptedEngine, client: DockerClient, code: int) -> None:
    script_ended_run(scripted, code)
    scripted.on("DELETE", REMOVE, Answer.error(500, "driver failed to remove root filesystem"))
    with pytest.raises(
        errors.ContainerError if code else errors.APIError, match="exited with code 3" if code else "driver failed"
    ):
        client.containers.run("busybox", remove=True)


# -- exec ------------------------------------------------------------------------------------------------------------

EXEC, EXEC_START, EXEC_INSPECT = f"/containers/{ID}/exec", "/exec/e1/start", "/exec/e1/json"
RUNS = Answer.json({"Running": True, "ExitCode": None})
EXEC_STALLS: dict[str, dict[str, Any]] = {
    "create": {"create": Answer.hang()},
    "start": {"start": Answer.hang()},
    "output": {},
    "inspect": {"start": Answer.upgraded(media_type=MULTIPLEXED), "inspect": Answer.hang()},
    "kill": {"start": Answer.upgraded(media_type=MULTIPLEXED, talk=stays), "inspect": Answer.hang()},
}


@pytest.mark.parametrize("point", EXEC_STALLS)
def test_exec_keeps_its_deadline_wherever_the_engine_stalls(
    scripted: ScriptedEngine, container: Container, point: str
) -> None:
    scripts = EXEC_STALLS[point]
    scripted.on("POST", EXEC, scripts.get("create", Answer.json({"Id": "e1"}, 201)))
    scripted.on("POST", EXEC_START, scripts.get("start", Answer.upgraded(media_type=MULTIPLEXED, talk=stays)))
    scripted.on("GET", EXEC_INSPECT, scripts.get("inspect", RUNS))
    caught: list[errors.ExecTimeout] = []

    def attempt() -> None:
        with pytest.raises(errors.ExecTimeout) as error:
            container.exec(["sleep", "100"], timeout=0.6)
        caught.append(error.value)

    ends(attempt)
    assert caught[0].still_running is (point != "create")


@pytest.mark.parametrize("name", ["wait", "kill"])
def test_process_keeps_its_deadlines(scripted: ScriptedEngine, container: Container, name: str) -> None:
    scripted.on("POST", EXEC, Answer.json({"Id": "e1"}, 201), Answer.hang())
    scripted.on("POST", EXEC_START, Answer.upgraded(media_type=MULTIPLEXED, talk=stays))
    scripted.on("GET", EXEC_INSPECT, Answer.hang())
    held = container.popen(["sleep", "100"], stdin=False)

    def wait() -> None:
        with pytest.raises(errors.ExecTimeout):
            held.wait(0.3)

    if name == "wait":
        ends(wait)
    else:
        ends(lambda: held.kill())
    held.close()


# -- wait_until ------------------------------------------------------------------------------------------------------

STATE = Answer.json({"Id": ID, "Name": "/web", "State": {"Running": True, "Status": "running"}})
CUT = Answer.chunked([EVENT], truncate=True)
WAIT_STALLS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "events": {"events": (Answer.hang(),)},
    "events again": {"events": (CUT, Answer.hang())},
    "inspect": {"inspect": (Answer.hang(),)},
    "inspect again": {"events": (silent(EVENT.replace(b"start", b"restart")),), "inspect": (STATE, Answer.hang())},
    "log": {"log": (Answer.hang(),)},
    "log again": {"log": (Answer.chunked([LINE], truncate=True, media_type=MULTIPLEXED), Answer.hang())},
    "everything": {"events": (Answer.hang(),), "inspect": (Answer.hang(),), "log": (Answer.hang(),)},
}


@pytest.mark.parametrize("wanted", [Exited(), Log("never"), Exited() & File("/x")], ids=["state", "log", "file"])
@pytest.mark.parametrize("point", WAIT_STALLS)
def test_wait_until_keeps_its_deadline_wherever_the_engine_stalls(
    scripted: ScriptedEngine, container: Container, point: str, wanted: Condition
) -> None:
    scripts = WAIT_STALLS[point]
    scripted.on("GET", "/events", *scripts.get("events", (silent(),)))
    scripted.on("GET", INSPECT, *scripts.get("inspect", (STATE,)))
    scripted.on("GET", LOGS, *scripts.get("log", (silent(LINE),)))
    scripted.on("HEAD", f"/containers/{ID}/archive", Answer.hang())

    def attempt() -> None:
        with pytest.raises(errors.WaitTimeout, match=r"condition not met within 0\.3 s"):
            container.wait_until(wanted, timeout=0.3)

    ends(attempt)
    assert quiet()
