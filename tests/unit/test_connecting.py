"""Timeouts, retries, proxies, hooks, closing: what a client does around its requests."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted_engine import Answer, ScriptedEngine

from dockerkit import APIClient, DockerClient, errors, hooks
from dockerkit.testing import MockResponse, MockTransport

VERSION = "1.51"


@pytest.fixture
def api(scripted: ScriptedEngine) -> Iterator[APIClient]:
    with APIClient(scripted.host, version=VERSION) as api:
        yield api


# --- timeouts


def test_read_and_connect_timeouts_are_separate(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/info", Answer.hang())
    with APIClient(scripted.host, version=VERSION, timeout=(30, 0.1)) as api:
        with pytest.raises(errors.ReadTimeout, match="GET /v1.51/info within 0.1 s .*read timeout") as caught:
            api.info()
    assert isinstance(caught.value, (requests.ReadTimeout, TimeoutError))


def test_with_timeout_changes_the_timeout_of_one_call(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/info", Answer.hang())
    scripted.on("GET", "/version", Answer.json({"ApiVersion": VERSION}))
    with pytest.raises(errors.ReadTimeout):
        api.with_timeout(0.05).info()
    api.version()
    api.with_timeout(5).version()
    assert scripted.connections == 2, "the one that timed out, and one that both share"
    with DockerClient(scripted.host, version=VERSION) as client, pytest.raises(errors.ReadTimeout):
        client.with_timeout(0.05).info()


def test_streams_have_a_read_timeout_only_on_request(scripted: ScriptedEngine) -> None:
    transport = MockTransport(lambda _: MockResponse())
    with APIClient(transport=transport, version=VERSION, timeout=7) as api:
        list(api.events())
        list(api.with_timeout(8).events())
    assert [request.timeouts.read for request in transport.requests] == [None, 8]

    def one_record(request: object, wire: object) -> None:
        Answer.chunked([b'{"Type":"x"}\n'], truncate=True)(request, wire)  # type: ignore[arg-type]
        Answer.hang()(request, wire)  # type: ignore[arg-type]

    scripted.on("GET", "/events", one_record)
    with APIClient(scripted.host, version=VERSION) as api, pytest.raises(errors.ReadTimeout):
        list(api.with_timeout(0.2).events())


def fake_ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put an ssh into PATH that runs a script instead of logging in."""
    (folder / "ssh").write_text(f'#!/bin/sh\ncase "$*" in *ConnectTimeout*) {script};; esac\n')
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


ADVICE = "Is the host up, and reachable from here (VPN, firewall, port)? Try `ssh dead`"


@pytest.mark.parametrize(("timeout", "expected"), [(60, 10), (5, 5)])
def test_dead_ssh_host_fails_after_ten_seconds_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timeout: float, expected: int
) -> None:
    message = "ssh: connect to host dead port 22: Connection timed out"
    fake_ssh(tmp_path, monkeypatch, f'echo "$*" > {tmp_path}/arguments; echo {message} >&2; exit 255')
    with APIClient("ssh://dead/x.sock", timeout=timeout) as api, pytest.raises(errors.ConnectTimeout) as caught:
        api.ping()
    assert f"{message}. {ADVICE}" in str(caught.value)
    assert f"ConnectTimeout={expected} " in (tmp_path / "arguments").read_text()


def test_ssh_login_that_hangs_ends_with_the_connect_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(tmp_path, monkeypatch, "exec sleep 60")
    with APIClient("ssh://dead/x.sock", timeout=0.1) as api, pytest.raises(errors.ConnectTimeout) as caught:
        api.ping()
    assert "ssh did not log in within" in str(caught.value) and ADVICE in str(caught.value)


REFUSED_SESSION = "mux_client_request_session: session request failed: Session open refused by peer"
REFUSED_LOGIN = "kex_exchange_identification: read: Connection reset by peer"


@pytest.mark.parametrize("refused", ["login", "connection"])
@pytest.mark.parametrize("messages", [[REFUSED_SESSION], [REFUSED_LOGIN], [REFUSED_SESSION, REFUSED_LOGIN]])
def test_ssh_server_that_has_reached_its_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, messages: list[str], refused: str
) -> None:
    refuse = "; ".join(f"echo {message} >&2" for message in messages) + "; exit 255"
    fake_ssh(tmp_path, monkeypatch, refuse if refused == "login" else "exit 0")
    with (tmp_path / "ssh").open(
        "a"
    ) as file:  # without forwarding: the first session finds the engine, the next ones are refused
        file.write(
            'case "$*" in *"-O forward"*) exit 1;; *dial-stdio*) '
            f"mkdir {tmp_path}/found 2>/dev/null && read -r _ && printf 'HTTP/1.1 200 OK\\r\\n\\r\\n' || {{ {refuse}; }};; esac\n"
        )
    with APIClient("ssh://busy/x.sock", version=VERSION, timeout=5) as api:
        for _ in range(3):
            begun = time.monotonic()
            with pytest.raises(errors.ConnectionFailed) as caught:
                api.inspect_container("abc")
            assert time.monotonic() - begun < 4
            assert f"{'; '.join(messages)}. The server limits sessions or simultaneous logins" in str(caught.value)


@pytest.mark.parametrize("timeout", [0, -1, True, "5", (1, 0), float("nan")])
def test_rejects_invalid_timeouts(timeout: object) -> None:
    with pytest.raises(errors.InvalidArgument, match="timeout"):
        APIClient("unix:///x", timeout=timeout)  # type: ignore[arg-type]


def test_unaccepted_connection_times_out() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        host = "127.0.0.1:%d" % full.getsockname()[1]
        waiting = [socket.create_connection(full.getsockname()) for _ in range(1)]
        extra = []
        try:
            while True:  # fill the backlog: the kernel then ignores further connections
                one = socket.socket()
                extra.append(one)
                one.settimeout(0.1)
                one.connect(full.getsockname())
        except TimeoutError:
            pass
        with APIClient(host, timeout=(0.1, 30)) as api, pytest.raises(errors.ConnectionFailed, match="connect timeout"):
            api.info()
        for sock in (*waiting, *extra):
            sock.close()


@pytest.mark.parametrize("loaded", [False, True])
def test_running_out_of_descriptors_raises_a_dockerkit_error(scripted: ScriptedEngine, loaded: bool) -> None:
    """Loading the module of the exception would require a descriptor, too."""
    program = f"""
import os, resource, sys
sys.path[:] = {sys.path!r}
from dockerkit import DockerClient, errors
client = DockerClient({scripted.host!r}, version="1.51")
if {loaded}:
    errors.ConnectionFailed
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
try:
    client.ping()
except errors.DockerException as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "too many open files" in done.stdout and "ulimit -n" in done.stdout, done.stderr


# --- an engine that restarts


def restarting(path: Path, after: float) -> threading.Thread:
    """Listen on a socket again after a while, and respond to one request."""

    def run() -> None:
        time.sleep(after)
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def engine_that_ends(path: Path) -> threading.Thread:
    """Respond to one request, then stop listening."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def answer() -> None:
        connection, _ = server.accept()
        with connection, server:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


def test_restarting_engine_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    ending = engine_that_ends(path)
    with APIClient(f"unix://{path}", version=VERSION) as api:
        assert api.info() == {}
        ending.join()
        back = restarting(path, 0.12)
        began = time.monotonic()
        api.start("x")  # POST: nothing was sent before the connection was there
        assert 0.1 < time.monotonic() - began < 5
        back.join()


@pytest.mark.parametrize("patience", [0, 0.1])
def test_waiting_is_bounded_and_can_be_switched_off(tmp_path: Path, patience: float) -> None:
    path = tmp_path / "docker.sock"
    ending = engine_that_ends(path)
    with APIClient(f"unix://{path}", version=VERSION, connect_retry=patience) as api:
        api.info()
        ending.join()
        began = time.monotonic()
        with pytest.raises(errors.ConnectionFailed, match="no engine listens on it"):
            api.info()
        assert time.monotonic() - began < patience + 0.5


def test_engine_that_was_never_reached_fails_immediately(tmp_path: Path) -> None:
    began = time.monotonic()
    with (
        APIClient(f"unix://{tmp_path}/none.sock") as api,
        pytest.raises(errors.ConnectionFailed, match="Start the engine"),
    ):
        api.ping()
    assert time.monotonic() - began < 0.5


def test_requests_with_side_effects_are_never_repeated(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/info", Answer.json({}), Answer.raw(b""), Answer.json({}))
    scripted.on("POST", "/containers/x/start", Answer.raw(b""))
    api.info()
    api.info()  # broke on a used connection: repeated
    with pytest.raises(errors.ConnectionFailed, match="whether the request took effect is not known"):
        api.start("x")
    assert [request.method for request in scripted.requests].count("POST") == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_no_permission_for_the_socket(scripted: ScriptedEngine) -> None:
    os.chmod(scripted.host.removeprefix("unix://"), 0o600)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.setuid(65534)
            APIClient(scripted.host).ping()
        except errors.ConnectionFailed as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with open(reading) as said:
        assert "permission denied. Add" in said.read()


# --- proxies


class Proxy:
    """An HTTP proxy that connects, or refuses."""

    def __init__(self, status: str = "200 OK") -> None:
        self.heads: list[str] = []
        self._status = status
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._server.accept()
            except OSError:
                return
            with sock, contextlib.suppress(OSError):
                self._answer(sock)

    def _answer(self, sock: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (byte := sock.recv(1)):
                return
            head += byte
        self.heads.append(head.decode())
        sock.sendall(f"HTTP/1.1 {self._status}\r\nVia: test\r\n\r\n".encode())
        if self._status.startswith("200"):
            # The "engine" at the other end responds to one request.
            sock.recv(65536)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK")

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()


def test_through_a_proxy() -> None:
    with Proxy() as proxy:
        env = {"HTTP_PROXY": f"http://me:p%40ss@127.0.0.1:{proxy.port}"}
        with APIClient("tcp://engine.invalid:2375", environment=env) as api:
            assert api.ping() is True
        login = base64.b64encode(b"me:p@ss").decode()
        assert proxy.heads[0].startswith("CONNECT engine.invalid:2375 HTTP/1.")
        assert f"proxy-authorization: basic {login}\r\n".lower() in proxy.heads[0].lower()


def test_proxy_that_refuses_is_named_without_its_password() -> None:
    with Proxy("403 Forbidden") as proxy:
        env = {"HTTP_PROXY": f"http://me:secret@127.0.0.1:{proxy.port}"}
        with APIClient("tcp://engine.invalid:2375", environment=env) as api:
            with pytest.raises(
                errors.ConnectionFailed, match="proxy 127.0.0.1 refused .* 403 Forbidden.*NO_PROXY"
            ) as caught:
                api.ping()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("proxy", "says"), [("ftp://h:1", "is not supported"), ("http://127.0.0.1:1", "proxy 127.0.0.1:1 can't be reached")]
)
def test_rejects_unsupported_proxies(proxy: str, says: str) -> None:
    with APIClient("tcp://engine.invalid:2375", environment={"http_proxy": proxy}) as api:
        with pytest.raises(errors.ConnectionFailed, match=says):
            api.ping()


def test_local_sockets_never_go_through_a_proxy(scripted: ScriptedEngine) -> None:
    with APIClient(scripted.host, environment={"HTTP_PROXY": "http://127.0.0.1:1"}) as api:
        assert api.ping() is True


# --- custom connections


def test_connections_made_by_the_caller(scripted: ScriptedEngine) -> None:
    scripted.on("POST", "/exec/e/start", Answer.upgraded([b"hello"]))
    asked: list[float | None] = []

    def dial(timeout: float | None) -> socket.socket:
        asked.append(timeout)
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(scripted.host.removeprefix("unix://"))
        return sock

    with DockerClient("tcp://behind-a-tunnel:2375", timeout=(7, 30), dial=dial) as client:
        assert client.ping() is True
        with client.api.exec_start("e", socket=True) as stream:
            assert stream.recv(5) == b"hello"
    assert asked == pytest.approx([7, 7], abs=1)
    assert scripted.requests[0].headers["Host"] == "behind-a-tunnel:2375"


def test_dial_uses_its_own_timeout(scripted: ScriptedEngine) -> None:
    asked: list[float | None] = []

    def dial(seconds: float | None) -> socket.socket:
        asked.append(seconds)
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(scripted.host.removeprefix("unix://"))
        return sock

    with APIClient(scripted.host, version=VERSION, timeout=(7, 60), dial=dial) as api:
        for timeout in ((5, None), 3, None):
            api.dial(timeout).close()
        api.dial().close()
    assert asked == pytest.approx([5, 3, 7, 7], abs=1)


@pytest.mark.parametrize("path", ["/version", "/debug/vars"])
def test_response_that_is_not_json_is_reported(scripted: ScriptedEngine, api: APIClient, path: str) -> None:
    scripted.on("GET", path, Answer.text("<html>"))
    with pytest.raises(errors.StreamParseError, match=f"the response to GET {path} is not JSON"):
        api.version() if path == "/version" else api.debug_vars()


# --- closing, headers, pickling


def test_close_raises_client_closed_in_other_threads(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/info", Answer.hang())
    api = APIClient(scripted.host, version=VERSION)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            api.info()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 5
    while len(scripted.requests) < 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    api.close()
    for thread in threads:
        thread.join(5)
    assert [type(error) for error in failures] == [errors.ClientClosed] * 8
    late: list[BaseException] = []

    def use() -> None:
        try:
            api.info()
        except errors.ClientClosed as error:
            late.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join(5)
    assert "closed by another thread" in str(late[0])
    api.close()


def test_thread_that_closed_a_client_can_use_it_again(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/info", Answer.json({"ID": "x"}))
    with APIClient(scripted.host) as api:
        assert api.info()["ID"] == "x"
        api.close()
        assert api.info()["ID"] == "x"
    assert api.info()["ID"] == "x"
    api.close()
    assert scripted.connections == 3


def test_headers_of_the_docker_command_and_of_the_client(scripted: ScriptedEngine, tmp_path: Path) -> None:
    scripted.on("GET", "/info", Answer.json({}))
    (tmp_path / "config.json").write_text('{"HttpHeaders": {"X-Team": "blue"}}')
    env = {"DOCKER_CONFIG": str(tmp_path)}
    with APIClient(scripted.host, version=VERSION, environment=env, headers={"X-Mine": "1"}, user_agent="me/1") as api:
        api.info()
    sent = scripted.requests[-1].headers
    assert (sent["X-Team"], sent["X-Mine"], sent["User-Agent"]) == ("blue", "1", "me/1")


def test_docker_api_version(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/info", Answer.json({}))
    env = {"DOCKER_HOST": scripted.host, "DOCKER_API_VERSION": "1.41"}
    with DockerClient.from_env(environment=env) as client:
        client.info()
    assert scripted.requests[-1].target.startswith("/v1.41/")


# --- hooks


class Recorder(hooks.Hook):
    def __init__(self) -> None:
        self.begun: list[hooks.RequestEvent] = []
        self.ended: list[hooks.RequestEvent] = []

    def before(self, call: hooks.RequestEvent) -> None:
        assert call.status is None and call.duration is None
        self.begun.append(call)

    def after(self, call: hooks.RequestEvent) -> None:
        self.ended.append(call)


def test_hooks_see_each_request(scripted: ScriptedEngine) -> None:
    scripted.on("POST", "/containers/x/rename", Answer.empty())
    scripted.on("GET", "/containers/x/export", Answer.chunked([b"a" * 1000, b"b" * 500]))
    scripted.on("DELETE", "/containers/x", Answer.error(409, "in use"))
    recorder = Recorder()
    with APIClient(scripted.host, hooks=[recorder]) as api:
        api.rename("x", "new")
        ping, rename = recorder.ended
        assert (ping.method, ping.path, ping.status) == ("GET", "/_ping", 200)
        assert (rename.path, rename.route) == ("/v1.51/containers/x/rename", "/containers/{id}/rename")
        assert (rename.status, rename.sent, rename.received, rename.error) == (204, 0, 0, None)
        assert 0 < (rename.answered or 0) <= (rename.duration or 0) < 5

        stream = api.export("x")
        assert len(recorder.ended) == 2, "a stream ends when it was read"
        assert len(b"".join(stream)) == recorder.ended[-1].received == 1500

        with pytest.raises(errors.Conflict):
            api.remove_container("x")
        assert recorder.ended[-1].status == 409
    assert recorder.begun == recorder.ended


class Watching:
    """A hook that is not a subclass of Hook."""

    def before(self, call: hooks.RequestEvent) -> None: ...

    def after(self, call: hooks.RequestEvent) -> None: ...


@pytest.mark.parametrize("wrong", [[object()], [hooks.Log], [Watching(), None], hooks.Log(), None, "log", 5])
def test_client_rejects_invalid_hooks(wrong: Any) -> None:
    for make in (APIClient, DockerClient):
        with pytest.raises(errors.InvalidArgument, match="^hooks: "):
            make("unix:///nowhere", hooks=wrong)
    APIClient("unix:///nowhere", hooks=(Watching(), hooks.Log())).close()  # type: ignore[arg-type]


def test_hooks_see_failed_requests(tmp_path: Path) -> None:
    recorder = Recorder()
    with APIClient(f"unix://{tmp_path}/none.sock", hooks=[recorder]) as api, pytest.raises(errors.ConnectionFailed):
        api.ping()
    assert [type(call.error) for call in recorder.ended] == [errors.ConnectionFailed]


def test_hooks_see_hijacked_streams(scripted: ScriptedEngine) -> None:
    scripted.on("POST", "/exec/e/start", Answer.upgraded([b"hello"]))
    recorder = Recorder()
    with APIClient(scripted.host, version=VERSION, hooks=[recorder]) as api:
        with api.exec_start("e", socket=True) as stream:
            assert stream.recv(5) == b"hello"
            assert recorder.ended == []
        assert (recorder.ended[0].status, recorder.ended[0].received) == (101, 5)


def test_hook_can_refuse_a_request_and_its_errors_are_ignored(
    scripted: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(hooks.Hook):
        def before(self, call: hooks.RequestEvent) -> None:
            raise PermissionError("not today")

    class Failing(hooks.Hook):
        def after(self, call: hooks.RequestEvent) -> None:
            raise RuntimeError("a bug of mine")

    with APIClient(scripted.host, hooks=[Failing()]) as api:
        assert api.ping() is True
    assert "a hook failed after GET /_ping" in caplog.text and "a bug of mine" in caplog.text
    with APIClient(scripted.host, hooks=[Refusing()]) as api, pytest.raises(PermissionError, match="not today"):
        api.ping()


def test_log_contains_no_secrets(scripted: ScriptedEngine, caplog: pytest.LogCaptureFixture) -> None:
    scripted.on("POST", "/auth", Answer.error(401, "no"))
    scripted.on("GET", "/containers/json", Answer.json([]))
    caplog.set_level(logging.DEBUG)
    with APIClient(scripted.host, version=VERSION, hooks=[hooks.Log()], headers={"X-Token": "hunter2"}) as api:
        api.containers(filters={"label": "password=hunter2"})
        with pytest.raises(errors.APIError):
            api.login("me", "hunter2", registry="r.example", reauth=True)
    assert "GET /v1.51/containers/json: 200 after" in caplog.text
    assert [record.levelname for record in caplog.records if record.name == "dockerkit"] == ["DEBUG", "WARNING"]
    assert "hunter2" not in caplog.text


def test_error_messages_contain_no_queries(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/containers/json", Answer.raw(b""))
    with pytest.raises(errors.ConnectionFailed) as caught:
        api.containers(filters={"label": "password=hunter2"})
    assert "hunter2" not in str(caught.value)


def test_requests_are_traced(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/x/json", Answer.json({"Id": "x"}), Answer.error(404, "none"))
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("mine")
    with APIClient(scripted.host, version=VERSION, hooks=[hooks.OpenTelemetry(provider)]) as api:
        with tracer.start_as_current_span("outer"):
            api.inspect_container("x")
        with pytest.raises(errors.NotFound):
            api.inspect_container("x")
    good, outer, bad = exporter.get_finished_spans()
    assert good.name == "GET /containers/{id}/json" and good.parent is not None
    assert good.parent.span_id == outer.context.span_id
    assert good.attributes is not None
    assert good.attributes["http.response.status_code"] == 200
    assert good.attributes["network.transport"] == "unix"
    assert good.status.is_unset and not bad.status.is_ok and bad.status.status_code.name == "ERROR"
    provider.shutdown()


def test_hooks_survive_pickling(scripted: ScriptedEngine) -> None:
    with APIClient(scripted.host, hooks=[hooks.Log()]) as api, pickle.loads(pickle.dumps(api)) as twin:
        assert twin.ping() is True
        assert isinstance(twin._transport.hooks[0], hooks.Log)


def test_failed_connections_close_their_descriptors(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/info", Answer.json({}))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with APIClient(scripted.host, version=VERSION) as api:
            api.info()
    deadline = time.monotonic() + 2  # the scripted engine closes its ends in its own time
    while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_during_negotiation_does_not_deadlock(scripted: ScriptedEngine) -> None:
    with APIClient(scripted.host) as api:
        with api._lock:
            child = os.fork()
            if child == 0:
                try:
                    os._exit(0 if api.api_version == VERSION else 1)
                except BaseException:
                    os._exit(2)
        deadline = time.monotonic() + 5
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(child, 9)
                os.waitpid(child, 0)
                pytest.fail("the child waits for a lock that nobody will release")
            time.sleep(0.01)


@pytest.mark.parametrize("host", ["MyBox", "myBox.Example"])
def test_ssh_host_names_keep_their_case(host: str) -> None:
    with APIClient(f"ssh://me@{host}:2222/run/docker.sock") as api:
        assert (api.endpoint.hostname, api.endpoint.port, api.endpoint.user) == (host, 2222, "me")
