"""Waiting for containers on the fake engine: conditions that are met, and those that can no longer be met."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from scripted_engine import MULTIPLEXED, Answer, Script, ScriptedEngine, frame

from dockerkit import DockerClient, errors
from dockerkit.models.containers import Container
from dockerkit.models.containers.conditions import AllOf, AnyOf, Check, Condition, ContainerSnapshot
from dockerkit.models.containers.waiting import Exited, File, Healthy, Http, Log, Port, Running
from dockerkit.testing import FakeEngine
from dockerkit.testing.fake_engine.processes import FakeProcess
from dockerkit.testing.server import Connection, Request

Start = Callable[..., Container]


@pytest.fixture
def client(engine: FakeEngine) -> Iterator[DockerClient]:
    with DockerClient(engine.host) as client:
        yield client


@pytest.fixture
def start(client: DockerClient) -> Start:
    return lambda command="serve", **options: client.containers.run("app", command, detach=True, **options)


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "dockerkit-wait"]


def set_health_on_poll(engine: FakeEngine, container: Container, status: str) -> Callable[[Container], bool]:
    """Return a function to wait for, which changes the health when it is first called."""

    def change(asked: Container) -> bool:
        engine.set_health(container.id or "", status)
        return True

    return change


# --- what events report ---


def test_running_container_is_running(start: Start) -> None:
    container = start()
    assert container.wait_until(Running(), timeout=20) is container


def test_container_that_is_started_later_is_waited_for(client: DockerClient, engine: FakeEngine) -> None:
    engine.when("app", stdout="up\n", seconds=None)
    container = client.containers.create("app")

    def start_it() -> None:
        with DockerClient(engine.host) as other:
            other.containers.get(container.id or "").start()

    starter = threading.Timer(0.05, start_it)
    starter.start()
    container.wait_until(Running() & Log("up"), timeout=20)
    starter.join()
    assert container.status == "running"


def test_healthy_is_met_when_the_check_succeeds(engine: FakeEngine, start: Start) -> None:
    container = start(healthcheck={"test": ["CMD", "true"]})
    container.wait_until(Healthy(), timeout=20)
    engine.set_health(container.id or "", "starting")
    container.wait_until(Check(set_health_on_poll(engine, container, "healthy")) & Healthy(), timeout=20)
    assert container.health == "healthy"


def test_unhealthy_container_fails_immediately_with_its_last_lines(engine: FakeEngine, start: Start) -> None:
    engine.when("app", stdout="hello\n", seconds=None)
    container = start(healthcheck={"test": ["CMD", "false"]})
    engine.set_health(container.id or "", "unhealthy")
    with pytest.raises(errors.ContainerUnhealthy, match="the container is unhealthy") as caught:
        container.wait_until(Healthy(), timeout=60)
    assert caught.value.state["Health"]["Status"] == "unhealthy"
    assert (caught.value.logs, caught.value.pending) == (("hello",), ("Healthy()",))


def test_container_without_health_check_is_never_healthy(start: Start) -> None:
    with pytest.raises(errors.ContainerUnhealthy, match="no health check: create it with healthcheck="):
        start().wait_until(Healthy(), timeout=60)


def test_container_that_died_is_neither_healthy_nor_running(engine: FakeEngine, start: Start) -> None:
    engine.when("app", exit_code=7, stdout="last words\n")
    container = start()
    for wanted in (Healthy(), Running(), Port(80), File("/x"), lambda container: False):
        with pytest.raises(errors.ContainerExited, match="the container has stopped") as caught:
            container.wait_until(wanted, timeout=60)
        assert caught.value.state["ExitCode"] == 7
        assert caught.value.logs == ("last words",)


def test_exited_is_met_by_any_code_or_only_by_the_given_one(engine: FakeEngine, start: Start) -> None:
    engine.when("app", exit_code=3)
    container = start()
    container.wait_until(Exited(), timeout=20)
    container.wait_until(Exited(3), timeout=20)
    with pytest.raises(errors.ContainerExited, match="the container stopped with exit code 3"):
        container.wait_until(Exited(0), timeout=20)


def test_container_that_is_removed_while_waiting_has_exited(engine: FakeEngine, start: Start) -> None:
    end = threading.Event()

    def live(process: FakeProcess) -> int:
        end.wait(20)
        return 4

    engine.when("app", program=live)
    container = start(auto_remove=True)
    container.wait_until(Check(lambda container: end.set() or True) & Exited(4), timeout=20)
    with pytest.raises(errors.NotFound):
        container.wait_until(Running(), timeout=20)


# --- log lines ---


def test_log_is_met_by_matching_lines_of_a_stream(engine: FakeEngine, start: Start) -> None:
    def live(process: FakeProcess) -> None:
        for number in range(1, 4):
            process.write(f"step {number}\n")
            process.write(f"err {number}\n", stderr=True)
        process.sleep(None)

    engine.when("app", program=live)
    container = start()
    wanted = Log(r"step (\d)", count=2)
    container.wait_until(wanted, timeout=20)
    assert [match[1] for match in wanted.matches] == ["1", "2"]
    container.wait_until(wanted, timeout=20)  # again, with new matches
    assert len(wanted.matches) == 2
    container.wait_until(Log("err 3", stream="stderr"), timeout=20)
    with pytest.raises(errors.WaitTimeout, match=r"condition not met within 0.3 s") as caught:
        container.wait_until(Log("step 3", stream="stderr"), timeout=0.3)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.pending == ("Log('step 3')",)


def test_last_line_counts_after_the_container_died(engine: FakeEngine, start: Start) -> None:
    engine.when("app", stdout="almost\ndone\n")
    start().wait_until(Log("done"), timeout=20)


def test_log_that_ended_without_the_line_fails_immediately(engine: FakeEngine, start: Start) -> None:
    engine.when("app", stdout="other\n")
    with pytest.raises(errors.ContainerExited) as caught:
        start().wait_until(Log("never"), timeout=60)
    assert caught.value.logs == ("other",)


# --- what is polled ---

LISTED = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100
   1: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 101
   2: 0100007F:1F91 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 102
"""


def test_port_is_met_if_a_socket_listens_on_it(engine: FakeEngine, start: Start) -> None:
    engine.when_exec(["cat", "/proc/net/tcp", "/proc/net/tcp6"], stdout=LISTED)
    engine.when_exec(["cat", "/proc/net/udp", "/proc/net/udp6"], stdout=LISTED)
    container = start()
    container.wait_until(Port(8080) & Port("53/udp") & Port("8080/tcp"), timeout=20)
    with pytest.raises(errors.WaitTimeout) as caught:  # a connection from that port is not a listener
        container.wait_until(Port(8081) | Port("8080/udp"), timeout=0.3)
    assert caught.value.pending == ("Port(8081)", "Port('8080/udp')")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.mark.parametrize("cat", ["missing", "silent"])
def test_port_of_a_container_without_cat_is_met_by_a_connection(
    engine: FakeEngine, client: DockerClient, start: Start, listener: socket.socket, cat: str
) -> None:
    container = start()
    client.networks.create("net").connect(container, ipv4_address="127.0.0.1")
    if cat == "missing":
        text = 'OCI runtime exec failed: exec: "cat": executable file not found in $PATH: unknown'
        engine.fail("POST", f"/containers/{container.id}/exec", 400, text, times=1000)
    port = listener.getsockname()[1]
    container.wait_until(Port(port), timeout=20)
    listener.close()
    with pytest.raises(errors.WaitTimeout):
        container.wait_until(Port(port) | Port(f"{port}/udp"), timeout=0.3)


def test_file_is_met_if_the_path_exists(engine: FakeEngine, start: Start) -> None:
    container = start()
    with pytest.raises(errors.WaitTimeout) as caught:
        container.wait_until(File("/data/ready"), timeout=0.3)
    assert caught.value.pending == ("File('/data/ready')",)
    engine.containers[container.id or ""].files["/data/ready"] = b""
    container.wait_until(File("/data/ready"), timeout=20)


def test_function_is_called_until_it_returns_a_true_value(start: Start) -> None:
    container = start()
    seen: list[Container] = []

    def third(asked: Container) -> bool:
        seen.append(asked)
        return len(seen) == 3

    container.wait_until(third, timeout=20)
    assert seen == [container] * 3

    def broken(asked: Container) -> bool:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        container.wait_until(broken, timeout=20)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response({"/": 200, "/moved": 302}.get(self.path, 404))
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


def serve(context: ssl.SSLContext | None = None) -> http.server.ThreadingHTTPServer:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


@pytest.fixture
def web() -> Iterator[http.server.ThreadingHTTPServer]:
    with serve() as server:
        yield server
        server.shutdown()


def test_http_is_met_by_a_status_of_success_or_the_expected_one(
    start: Start, web: http.server.ThreadingHTTPServer
) -> None:
    container = start(ports={"80/tcp": web.server_port})
    container.wait_until(Http(80) & Http("80/tcp", "/moved") & Http(80, "/nothing", status=404), timeout=20)
    with pytest.raises(errors.WaitTimeout) as caught:
        container.wait_until(Http(80, "/nothing") | Http(80, status=500), timeout=0.3)
    assert caught.value.pending == ("Http(80, '/nothing')", "Http(80, '/')")


def test_http_waits_for_a_port_that_is_not_published_or_refuses(start: Start, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    container = start(ports={"80/tcp": port})
    with pytest.raises(errors.WaitTimeout):
        container.wait_until(Http(8000) | Http(80), timeout=0.3)


def test_http_over_tls_does_not_verify_the_certificate(start: Start) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("elsewhere.test").configure_cert(context)
    with serve(context) as server:
        container = start(ports={"443/tcp": server.server_port})
        container.wait_until(Http(443, tls=True, host="127.0.0.1"), timeout=20)
        server.shutdown()


# --- combinations, and invalid arguments ---


def test_conditions_can_be_combined(engine: FakeEngine, start: Start) -> None:
    engine.when("app", stdout="b\n", seconds=None)
    container = start()
    engine.containers[container.id or ""].files["/a"] = b""
    container.wait_until(File("/a") & Log("b"), timeout=20)
    container.wait_until(File("/never") | Log("b"), timeout=20)
    container.wait_until((lambda container: True) & Log("b") | Exited(), timeout=20)
    container.wait_until((lambda container: False) | Log("b"), timeout=20)


def test_alternatives_fail_once_none_of_them_is_possible(engine: FakeEngine, start: Start) -> None:
    engine.when("app", exit_code=2)
    container = start()
    container.wait_until(Log("never") | Exited(2), timeout=20)
    with pytest.raises(errors.ContainerExited, match="has stopped; the container stopped with exit code 2"):
        container.wait_until(Running() | Exited(0), timeout=60)
    with pytest.raises(errors.ContainerExited):
        container.wait_until(Exited(2) & Running(), timeout=60)


def test_conditions_show_what_they_wait_for() -> None:
    def ready(container: Container) -> bool:
        return True

    assert repr(File("/a") & Log("b") | Exited(0)) == "((File('/a') & Log('b')) | Exited(code=0))"
    assert repr(Log("x", count=3) & ready) == "(Log('x', count=3) & Check(ready))"
    assert repr(ready | Port("53/udp") | Port(80)) == "((Check(ready) | Port('53/udp')) | Port(80))"
    assert isinstance(ready & Running(), AllOf)
    assert isinstance(ready | Running(), AnyOf)


def test_condition_of_a_user_can_be_awaited(start: Start) -> None:
    class Named(Condition):
        def met(self, situation: ContainerSnapshot) -> bool:
            return situation.container.name == "web"

    start(name="web").wait_until(Named() & Running(), timeout=20)


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (lambda: Port("http"), "port: must be a number"),
        (lambda: Port(0), "port"),
        (lambda: Port("80/sctp"), "port"),
        (lambda: Http("x"), "port"),
        (lambda: Http(80, status="ok"), "status"),
        (lambda: Log("("), "pattern: '\\(' is not a valid regular expression"),
        (lambda: Log("x", count=0), "count: must be a number above 0"),
        (lambda: Log("x", stream="both"), "stream"),
        (lambda: File("relative"), "path"),
        (lambda: Exited("0"), "code"),
        (lambda: Running() & "healthy", "condition: must be"),
    ],
)
def test_rejects_invalid_arguments_of_conditions(create: Callable[[], Any], message: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=message):
        create()


@pytest.mark.parametrize("wanted", [Healthy, "healthy", None])
def test_rejects_what_is_not_a_condition(start: Start, wanted: Any) -> None:
    with pytest.raises(errors.InvalidArgument, match=r"must be Healthy\(\), Running\(\)"):
        start().wait_until(wanted)


# --- rare situations ---

ID = "c" * 64
STATE = {"Status": "running", "Running": True, "FinishedAt": "0001-01-01T00:00:00Z", "ExitCode": 0}


def events(*actions: str, **attributes: str) -> Script:
    """Return an event stream with these actions, which then stays open."""

    def script(request: Request, wire: Connection) -> None:
        with wire.chunked("application/json") as send:
            for action in actions:
                actor = {"ID": ID, "Attributes": attributes}
                record = {"Type": "container", "Action": action, "Actor": actor, "time": 1700000000}
                send(json.dumps(record).encode() + b"\n")
            while not wire.gone():
                time.sleep(0.005)

    return script


@pytest.fixture
def scripted_container(scripted: ScriptedEngine) -> Iterator[Container]:
    with DockerClient(scripted.host, version="1.51") as client:
        yield Container({"Id": ID, "Name": "/web"}, client)


def test_restart_policy_does_not_hide_a_death(scripted: ScriptedEngine, scripted_container: Container) -> None:
    scripted.on("GET", "/events", events("die", exitCode="5"))
    scripted.on("GET", f"/containers/{ID}/json", Answer.json({"Id": ID, "State": STATE}))
    line = frame(1, b"2024-01-01T00:00:00Z line\n")
    scripted.on("GET", f"/containers/{ID}/logs", Answer.chunked([line], media_type=MULTIPLEXED))
    with pytest.raises(errors.ContainerExited) as caught:
        scripted_container.wait_until(Log("never"), timeout=30)
    assert caught.value.state["ExitCode"] == 5


def test_error_of_the_engine_ends_the_wait_while_the_container_runs(
    scripted: ScriptedEngine, scripted_container: Container
) -> None:
    scripted.on("GET", "/events", events())
    scripted.on("GET", f"/containers/{ID}/json", Answer.json({"Id": ID, "State": STATE}))
    scripted.on("HEAD", f"/containers/{ID}/archive", Answer.empty(500))
    with pytest.raises(errors.ServerError):
        scripted_container.wait_until(File("/ready"), timeout=30)


def test_logs_that_cannot_be_read_are_left_out_of_the_error(
    scripted: ScriptedEngine, scripted_container: Container
) -> None:
    scripted.on("GET", "/events", events("start"))
    stopped = {**STATE, "Status": "exited", "Running": False, "ExitCode": 1}
    scripted.on("GET", f"/containers/{ID}/json", Answer.json({"Id": ID, "State": stopped}))
    scripted.on(
        "GET", f"/containers/{ID}/logs", Answer.error(500, "configured logging driver does not support reading")
    )
    with pytest.raises(errors.ContainerExited) as caught:
        scripted_container.wait_until(Running(), timeout=30)
    assert caught.value.logs == ()
