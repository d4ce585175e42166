"""Timeouts, retries, proxies, hooks, closing: what a client does around its requests."""

from __future__ import annotations

import base64
import logging
import os
import pickle
import socket
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

VERSION = "1.51"


@pytest.fixture
def api(scripted: ScriptedEngine) -> Iterator[APIClient]:
    with APIClient(scripted.host, version=VERSION) as api:
        yield api


# --- timeouts


def test_the_read_timeout_is_told_apart_from_the_connect_timeout(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/info", Answer.hang())
    with APIClient(scripted.host, version=VERSION, timeout=(30, 0.1)) as api:
        with pytest.raises(errors.EngineTimeout, match="GET /v1.51/info within 0.1 seconds .*read timeout") as caught:
            api.info()
    assert isinstance(caught.value, (requests.ReadTimeout, TimeoutError))


def test_another_timeout_for_one_call(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/info", Answer.hang())
    scripted.on("GET", "/version", Answer.json({"ApiVersion": VERSION}))
    with pytest.raises(errors.EngineTimeout):
        api.with_timeout(0.05).info()
    api.version()
    api.with_timeout(5).version()
    assert scripted.connections == 2, "the one that timed out, and one that both share"
    with DockerClient(scripted.host, version=VERSION) as client, pytest.raises(errors.EngineTimeout):
        client.with_timeout(0.05).info()


def test_a_stream_has_a_read_timeout_only_when_asked(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/events", Answer.chunked([b'{"Type":"x"}\n', b'{"Type":"y"}\n'], delay=0.12))
    with APIClient(scripted.host, version=VERSION, timeout=0.05) as api:
        assert len(list(api.events())) == 2
        with pytest.raises(errors.EngineTimeout):
            list(api.with_timeout(0.05).events())


@pytest.mark.parametrize("timeout", [0, -1, True, "5", (1, 0), float("nan")])
def test_impossible_timeouts_are_refused(timeout: object) -> None:
    with pytest.raises(errors.InvalidArgument, match="timeout"):
        APIClient("unix:///x", timeout=timeout)  # type: ignore[arg-type]


def test_a_connection_that_is_not_taken_times_out() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        host = "127.0.0.1:%d" % full.getsockname()[1]
        waiting = [socket.create_connection(full.getsockname()) for _ in range(1)]
        extra = []
        try:
            while True:  # fill the backlog: the kernel then leaves further connections unanswered
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


# --- an engine that restarts


def restarting(path: Path, after: float) -> threading.Thread:
    """Listen again on a socket after a while, and answer one request."""

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
    """Answer one request, and listen no more."""
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


def test_a_restarting_engine_is_waited_for(tmp_path: Path) -> None:
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


def test_an_engine_that_never_answered_fails_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    with (
        APIClient(f"unix://{tmp_path}/none.sock") as api,
        pytest.raises(errors.ConnectionFailed, match="no such socket"),
    ):
        api.ping()
    assert time.monotonic() - began < 0.5


def test_what_changes_something_is_never_sent_twice(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/info", Answer.json({}), Answer.raw(b""), Answer.json({}))
    scripted.on("POST", "/containers/x/start", Answer.raw(b""))
    api.info()
    api.info()  # broke on a used connection: asked again
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
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += sock.recv(1)
            self.heads.append(head.decode())
            sock.sendall(f"HTTP/1.1 {self._status}\r\nVia: test\r\n\r\n".encode())
            if self._status.startswith("200"):
                # The "engine" at the other end answers one request.
                sock.recv(65536)
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK")
            sock.close()

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
        assert proxy.heads[0].startswith("CONNECT engine.invalid:2375 HTTP/1.1\r\nHost: engine.invalid:2375\r\n")
        assert f"Proxy-Authorization: Basic {login}\r\n" in proxy.heads[0]


def test_a_proxy_that_refuses_is_named_without_its_password() -> None:
    with Proxy("403 Forbidden") as proxy:
        env = {"HTTP_PROXY": f"http://me:secret@127.0.0.1:{proxy.port}"}
        with APIClient("tcp://engine.invalid:2375", environment=env) as api:
            with pytest.raises(
                errors.ConnectionFailed, match="proxy 127.0.0.1 refused .* 403 Forbidden.*NO_PROXY"
            ) as caught:
                api.ping()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("proxy", "says"), [("socks5://h:1", "of a kind"), ("http://127.0.0.1:1", "proxy 127.0.0.1:1 can't be reached")]
)
def test_proxies_that_can_not_be_used(proxy: str, says: str) -> None:
    with APIClient("tcp://engine.invalid:2375", environment={"http_proxy": proxy}) as api:
        with pytest.raises(errors.ConnectionFailed, match=says):
            api.ping()


def test_local_sockets_never_go_through_a_proxy(scripted: ScriptedEngine) -> None:
    with APIClient(scripted.host, environment={"HTTP_PROXY": "http://127.0.0.1:1"}) as api:
        assert api.ping() is True


# --- a transport of one's own


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
    assert asked == [7, 7]
    assert scripted.requests[0].headers["Host"] == "behind-a-tunnel:2375"


def test_a_socket_for_others_is_dialled_within_its_own_timeout(scripted: ScriptedEngine) -> None:
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
    assert asked == [5, 3, 7, 7]


@pytest.mark.parametrize("path", ["/version", "/debug/vars"])
def test_an_answer_that_is_no_json_is_told_as_such(scripted: ScriptedEngine, api: APIClient, path: str) -> None:
    scripted.on("GET", path, Answer.text("<html>"))
    with pytest.raises(errors.StreamParseError, match=f"the answer to GET {path} is no JSON"):
        api.version() if path == "/version" else api.debug_vars()


# --- closing, headers, pickling


def test_closing_while_others_use_it_is_told_clearly(scripted: ScriptedEngine) -> None:
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
    with pytest.raises(errors.ClientClosed, match="make a new one"):
        api.info()
    api.close()


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
        self.begun: list[hooks.Call] = []
        self.ended: list[hooks.Call] = []

    def before(self, call: hooks.Call) -> None:
        assert call.status is None and call.duration is None
        self.begun.append(call)

    def after(self, call: hooks.Call) -> None:
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
    """No Hook by its class, but by what it can do."""

    def before(self, call: hooks.Call) -> None: ...

    def after(self, call: hooks.Call) -> None: ...


@pytest.mark.parametrize("wrong", [[object()], [hooks.Log], [Watching(), None], hooks.Log(), None, "log", 5])
def test_what_is_no_hook_is_refused_when_a_client_is_made(wrong: Any) -> None:
    for make in (APIClient, DockerClient):
        with pytest.raises(errors.InvalidArgument, match="^hooks: "):
            make("unix:///nowhere", hooks=wrong)
    APIClient("unix:///nowhere", hooks=(Watching(), hooks.Log())).close()  # type: ignore[arg-type]


def test_hooks_see_what_got_no_answer(tmp_path: Path) -> None:
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


def test_a_hook_can_refuse_and_a_failing_one_does_no_harm(
    scripted: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(hooks.Hook):
        def before(self, call: hooks.Call) -> None:
            raise PermissionError("not today")

    class Failing(hooks.Hook):
        def after(self, call: hooks.Call) -> None:
            raise RuntimeError("a bug of mine")

    with APIClient(scripted.host, hooks=[Failing()]) as api:
        assert api.ping() is True
    assert "a hook failed after GET /_ping" in caplog.text and "a bug of mine" in caplog.text
    with APIClient(scripted.host, hooks=[Refusing()]) as api, pytest.raises(PermissionError, match="not today"):
        api.ping()


def test_the_log_holds_no_secrets(scripted: ScriptedEngine, caplog: pytest.LogCaptureFixture) -> None:
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


def test_errors_hold_no_queries(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/containers/json", Answer.raw(b""))
    with pytest.raises(errors.ConnectionFailed) as caught:
        api.containers(filters={"label": "password=hunter2"})
    assert "hunter2" not in str(caught.value)


def test_traces(scripted: ScriptedEngine) -> None:
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


def test_no_descriptor_is_left(scripted: ScriptedEngine) -> None:
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
def test_a_fork_while_another_thread_negotiates_hangs_nobody(scripted: ScriptedEngine) -> None:
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
