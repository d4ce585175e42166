"""A whole build against a fake engine without upgrades: plain HTTP/2 on its socket."""

# Protobuf messages are created at run time.
# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import base64
import contextlib
import gc
import io
import json
import os
import signal
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from buildkit_engine import Peer
from buildkit_help import ours, tls_door

from dockerkit import APIClient, DockerClient, TLSConfig
from dockerkit.builder.buildkit import BuildStream, build, check, needs_buildkit, reason_against, services, stream
from dockerkit.builder.buildkit import messages as m
from dockerkit.builder.buildkit.call import RpcCall
from dockerkit.builder.buildkit.channel import Channel
from dockerkit.builder.buildkit.control import Control
from dockerkit.builder.buildkit.failure import _lines_of
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.builder.buildkit.trace import Trace, instruction
from dockerkit.errors import BuildError, BuildKitUnavailable, InvalidArgument, MissingExtra
from dockerkit.progress import Progress

PREFIX = "/moby.buildkit.v1.Control/"
GATEWAY = "/moby.buildkit.v1.frontend.LLBBridge/Solve"
DOCKERFILE = "FROM scratch\n\nRUN one \\\n  two\nCOPY a b\n"


class FakeEngine:
    """Responds to /_ping, refuses every upgrade, and speaks HTTP/2 with prior knowledge.

    `solve` gets the request and the engine's end of the session; `trace` are the messages about the build.
    """

    def __init__(self, path: Path, *, http2: bool = True) -> None:
        self.path = path
        self.host = f"unix://{path}"
        self.http2 = http2
        self.api_version = "1.55"
        self.requested: list[str] = []  # the requests in HTTP/1.1
        self.solve: Callable[[object, Peer], dict[str, str]] = lambda request, session: {}
        self.trace: list[object] = []
        self.lint: Callable[[object], bytes] = lambda request: b'{"warnings": null}'
        self.cancelled = threading.Event()
        self.containerd = False
        self.old = False  # returns "unknown method" as soon as it receives the headers
        self.sessions: dict[str, Peer] = {}
        self.requests: list[object] = []
        self.shared: dict[str, str] = {}
        self.stuck = threading.Event()
        self._done = threading.Event()
        self._channels: list[Channel] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the client may leave at any time
            if self._handle(connection):
                return
        connection.close()

    def _handle(self, connection: socket.socket) -> bool:
        """Answer requests until the client leaves; return whether the connection has become a channel."""
        while data := connection.recv(65536):
            if data.startswith(b"PRI ") and self.http2:
                self._channels.append(Channel(connection, initial_data=data, serve=self._control, name="fake"))
                return True
            line = data.split(b"\r\n")[0]
            self.requested.append(line.decode())
            if b"/_ping" in line:
                version = f"Api-Version: {self.api_version}\r\n".encode()
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\n"
                    + version
                    + b"Ostype: linux\r\nBuilder-Version: 2\r\nContent-Length: 2\r\n\r\nOK"
                )
            elif data.startswith(b"PRI "):
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                break
            else:
                connection.sendall(
                    b'HTTP/1.1 404 Not Found\r\nContent-Length: 24\r\n\r\n{"message":"page is gone"}'[:-2]
                )
        return False

    def _control(self, call: RpcCall) -> None:
        method = call.path.removeprefix(PREFIX)
        if method == "Session":
            return self._session(call)
        if call.path == GATEWAY:
            request = m.GatewayRequest.FromString(call.receive())
            build = call.header("buildkit-controlapi-buildid")
            while not any(getattr(item, "ref", None) == build for item in self.requests):  # as BuildKit does
                if self._done.wait(0.001):
                    return None
            self.requests.append((build, request))
            result = m.GatewayResult(metadata={"result.json": self.lint(request)})
            call.send(m.GatewayResponse(result=result).SerializeToString())
            return None
        if method not in ("ListWorkers", "Info", "Solve", "Status") or (method == "Info" and self.old):
            raise GrpcError(12, "unknown")
        request = getattr(m, f"{method}Request").FromString(call.receive())
        if method == "ListWorkers":
            labels = {"org.mobyproject.buildkit.worker.snapshotter": "x"} if self.containerd else {}
            worker = m.Worker(id="w", labels=labels)
            call.send(m.ListWorkersResponse(records=[worker]).SerializeToString())
        elif method == "Info":
            self._info(call)
        elif method == "Solve":
            self.requests.append(request)
            while request.session not in self.sessions:  # engines wait for it, too
                time.sleep(0.001)
            if not request.frontend:  # serves the gateway until it is cancelled
                call.on_end(self.cancelled.set)
                self._done.wait(20)
                return None
            response = self.solve(request, self.sessions[request.session])
            call.send(m.SolveResponse(exporter_response=response).SerializeToString())
        else:
            for message in self.trace:
                call.send(message.SerializeToString())
            if self.stuck.is_set():
                self._done.wait(20)
        return None

    def _info(self, call: RpcCall) -> None:
        call.send(m.InfoResponse().SerializeToString())

    def _session(self, call: RpcCall) -> None:
        id = call.header("x-docker-expose-session-uuid")
        self.shared[id] = call.header("x-docker-expose-session-sharedkey")
        assert services.HEALTH in call.values("x-docker-expose-session-grpc-method")
        ours, theirs = socket.socketpair()

        def outwards() -> None:
            with contextlib.suppress(OSError, GrpcError):
                while data := ours.recv(65536):
                    call.send(m.BytesMessage(data=data).SerializeToString())

        pump = threading.Thread(target=outwards)
        self._threads.append(pump)
        pump.start()
        self.sessions[id] = Peer(theirs)
        with contextlib.suppress(OSError, GrpcError):
            while (message := call.receive()) is not None:
                ours.sendall(m.BytesMessage.FromString(message).data)
        with contextlib.suppress(OSError):
            ours.shutdown(socket.SHUT_RDWR)
        pump.join()
        ours.close()

    def close(self) -> None:
        self._done.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for channel in self._channels:
            channel.close()
        for peer in self.sessions.values():
            peer.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    fake = FakeEngine(tmp_path / "engine.sock")
    yield fake
    fake.close()
    assert ours() == []


@pytest.fixture
def api(engine: FakeEngine) -> Iterator[APIClient]:
    with APIClient(engine.host) as client:
        yield client


def vertex(digest: str, name: str, started: int = 0, completed: int = 0, **more: object) -> object:
    found = m.Vertex(digest=digest, name=name, **more)
    if started:
        found.started.seconds = started
    if completed:
        found.completed.seconds = completed
    return found


def test_builds_over_plain_http2(engine: FakeEngine, api: APIClient) -> None:
    def solve(request, session: Peer) -> dict[str, str]:
        assert m.HealthResponse.FromString(session.unary(services.HEALTH)).status == 1
        response = session.unary(services.SECRETS, m.GetSecretRequest(id="s").SerializeToString())
        assert m.GetSecretResponse.FromString(response).data == b"value"
        return {"containerimage.digest": "sha256:manifest", "containerimage.config.digest": "sha256:config"}

    engine.solve = solve
    engine.trace = [
        m.StatusResponse(vertexes=[vertex("a", "[1/2] FROM x", 1), vertex("b", "[2/2] RUN y")]),
        m.StatusResponse(
            vertexes=[vertex("a", "[1/2] FROM x", 1, 2, cached=True), vertex("b", "[2/2] RUN y", 2)],
            logs=[m.VertexLog(vertex="b", stream=1, msg=b"hal"), m.VertexLog(vertex="b", stream=2, msg=b"oops\n")],
            statuses=[m.VertexStatus(id="t", vertex="b", current=5, total=10)],
        ),
        m.StatusResponse(
            vertexes=[vertex("b", "[2/2] RUN y", 2, 5)],
            logs=[m.VertexLog(vertex="b", stream=1, msg=b"lo\nrest")],
            warnings=[m.VertexWarning(short=b"Careful", url="https://x", info=m.SourceInfo(filename="Dockerfile"), ranges=[m.Range(start=m.Position(line=3), end=m.Position(line=4))])],
        ),
    ]  # fmt: skip
    with stream(
        api, path={"Dockerfile": DOCKERFILE}, tag=["one", "r:5/two:3"], secrets={"s": b"value"}, labels={"l": "v"}
    ) as running:
        events = list(running)
        result = running.result()
    assert [(event.kind, event.text) for event in events if event.kind in ("log", "warning")] == [
        ("log", "oops"), ("log", "hallo"), ("warning", "Careful (Dockerfile:3)"), ("log", "rest"),
    ]  # fmt: skip
    assert [(step.name, step.cached, step.seconds(0)) for step in result.steps] == [
        ("[1/2] FROM x", True, 1),
        ("[2/2] RUN y", False, 3),
    ]
    assert result.image_id == "sha256:config"
    assert result.warnings[0].lines == (3, 4)
    request = engine.requests[0]
    assert request.frontend == "dockerfile.v0"
    assert request.frontend_attrs["label:l"] == "v"
    assert request.exporter == "moby" and request.exporters[0].type == "moby"  # in old and new engines
    assert (
        request.exporter_attrs["name"] == request.exporters[0].attrs["name"] == "docker.io/library/one:latest,r:5/two:3"
    )
    assert len(engine.shared[request.session]) == 32


def solved_with_a_secret(request, session: Peer) -> dict[str, str]:
    response = session.unary(services.SECRETS, m.GetSecretRequest(id="s").SerializeToString())
    assert m.GetSecretResponse.FromString(response).data == b"value"
    return {"containerimage.digest": "sha256:manifest", "containerimage.config.digest": "sha256:config"}


@contextlib.contextmanager
def tcp_door(path: Path) -> Iterator[int]:
    """Open a port in front of a Unix socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    pumps: list[threading.Thread] = []
    ends: list[socket.socket] = []

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                outer, _ = listener.accept()
                inner = socket.socket(socket.AF_UNIX)
                inner.connect(str(path))
                ends.extend((outer, inner))
                for pair in ((outer, inner), (inner, outer)):
                    pumps.append(threading.Thread(target=pump, args=pair))
                    pumps[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    acceptor.join()
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    for thread in pumps:
        thread.join()
    for end in ends:
        end.close()


@pytest.mark.parametrize("api_version", ["1.41", "1.51", "1.53", "1.55"])
@pytest.mark.parametrize("scheme", ["unix", "tcp", "tls"])
def test_builds_without_grpc_and_session_upgrades(
    engine: FakeEngine, tmp_path: Path, scheme: str, api_version: str
) -> None:
    engine.solve = solved_with_a_secret
    engine.api_version = api_version
    agreed: list[str | None] = []
    with contextlib.ExitStack() as stack:
        tls = None
        host = engine.host
        if scheme == "tcp":
            host = f"tcp://127.0.0.1:{stack.enter_context(tcp_door(engine.path))}"
        elif scheme == "tls":
            authority = trustme.CA()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_alpn_protocols(["h2", "http/1.1"])  # as Go's server
            authority.issue_cert("127.0.0.1").configure_cert(context)
            authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
            host = f"tcp://127.0.0.1:{stack.enter_context(tls_door(engine.path, context, agreed))}"
            tls = TLSConfig(ca_cert=str(tmp_path / "ca.pem"), verify=True)
        api = stack.enter_context(APIClient(host, tls=tls))
        assert build(api, fileobj="FROM scratch", secrets={"s": b"value"}).image_id == "sha256:config"
    upgrades = [line for line in engine.requested if "/grpc" in line or "/session" in line]
    assert len(upgrades) == (api_version < "1.53")  # the deprecated upgrade is tried first on older engines only
    if scheme == "tls":
        assert agreed[0] == "http/1.1" and agreed[-1] == "h2"


def test_http2_is_not_sent_unless_tls_negotiates_it(engine: FakeEngine, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with tls_door(engine.path, context) as port:
        tls = TLSConfig(ca_cert=str(tmp_path / "ca.pem"), verify=True)
        with APIClient(f"tcp://127.0.0.1:{port}", tls=tls) as api, pytest.raises(BuildKitUnavailable):
            build(api, fileobj="FROM scratch")
    assert not engine._channels


@pytest.mark.parametrize("api_version", ["1.41", "1.55"])
def test_custom_tls_context_reaches_buildkit_natively_if_it_is_a_function(
    engine: FakeEngine, tmp_path: Path, api_version: str
) -> None:
    engine.solve = lambda request, session: {"containerimage.config.digest": "sha256:config"}
    engine.api_version = api_version
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert("127.0.0.1").configure_cert(server)

    def context(protocol: str) -> ssl.SSLContext:
        tls_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(tls_context)
        tls_context.set_alpn_protocols([protocol])
        return tls_context

    with tls_door(engine.path, server) as port:
        host = f"tcp://127.0.0.1:{port}"
        with APIClient(host, tls=TLSConfig(context=context)) as api:
            assert build(api, fileobj="FROM scratch").image_id == "sha256:config"
        config = TLSConfig(context=context("http/1.1"))
        with (
            APIClient(host, tls=config) as api,
            pytest.raises(BuildKitUnavailable, match=r"TLSConfig\(context=function\)"),
        ):
            build(api, fileobj="FROM scratch")


# -- checks --------------------------------------------------------------------------------------------------------

LINT = {
    "warnings": [
        {
            "ruleName": "StageNameCasing", "description": "Stage names should be lowercase", "url": "https://rule",
            "detail": "Stage name 'X' should be lowercase",
            "location": {"ranges": [{"start": {"line": 2}, "end": {"line": 3}}, {"start": {"line": 3}}]},
        },
        {"ruleName": "Bare", "description": "Nothing else is known"},
    ]
}  # fmt: skip


def test_checks_find_warnings_without_a_build(engine: FakeEngine, api: APIClient) -> None:
    engine.lint = lambda request: json.dumps(LINT).encode()
    found = check(api, path={"Dockerfile": DOCKERFILE}, target="t", buildargs={"A": "1"})
    assert [str(item) for item in found] == [
        "StageNameCasing: Stage name 'X' should be lowercase (Dockerfile:2)", "Bare: Nothing else is known"
    ]  # fmt: skip
    assert (found[0].detail, found[0].url, found[0].lines) == (
        "Stage names should be lowercase",
        "https://rule",
        (2, 3),
    )
    by_id = dict(item for item in engine.requests if isinstance(item, tuple))
    (solve,) = (item for item in engine.requests if not isinstance(item, tuple))
    request = by_id[solve.ref]
    assert (solve.frontend, solve.internal, len(solve.exporters)) == ("", True, 0)
    assert (request.frontend, request.frontend_attrs["requestid"]) == ("dockerfile.v0", "frontend.lint")
    assert (request.frontend_attrs["target"], request.frontend_attrs["build-arg:A"]) == ("t", "1")
    assert engine.cancelled.wait(10)  # and never returned from, which makes Engine 28.5 panic
    engine.lint = lambda request: b'{"warnings": null}'
    assert check(api, fileobj="FROM scratch") == []


def raises(status: int, message: str) -> Callable[[object], bytes]:
    def lint(request: object) -> bytes:
        raise GrpcError(status, message)

    return lint


def test_checks_that_fail(engine: FakeEngine, api: APIClient) -> None:
    location = {"ranges": [{"start": {"line": 2}}]}
    engine.lint = lambda request: json.dumps({"buildError": {"message": "unknown", "location": location}}).encode()
    with pytest.raises(BuildError, match="unknown") as caught:
        check(api, fileobj="FROM scratch\nRUNN x")
    assert (caught.value.dockerfile, caught.value.lines) == ("Dockerfile", (2,))
    engine.lint = raises(2, "failed to solve with frontend dockerfile.v0: unsupported request frontend.lint")
    with pytest.raises(BuildKitUnavailable, match="Engine 27"):
        check(api, fileobj="FROM scratch")
    engine.lint = raises(2, "no such image")
    with pytest.raises(BuildError, match="no such image"):
        check(api, fileobj="FROM nowhere/x")
    engine.lint = lambda request: b"no json"
    with pytest.raises(BuildError, match="no JSON"):
        check(api, fileobj="FROM scratch")


def test_build_starts_only_if_the_checks_find_nothing(engine: FakeEngine) -> None:
    engine.lint = lambda request: json.dumps(LINT).encode()
    with DockerClient(engine.host) as client:
        with pytest.raises(BuildError, match="found 2 problems") as caught:
            client.images.build(fileobj="FROM scratch", check=True)
        assert len(caught.value.warnings) == 2
        for options in ({"builder": "classic", "fileobj": "FROM x"}, {"fileobj": io.BytesIO(b"FROM x")}):
            with pytest.raises(InvalidArgument, match="check"):
                client.images.build(check=True, **options)
    assert not any(getattr(item, "frontend", "") and hasattr(item, "exporters") for item in engine.requests)


def test_image_id_is_the_manifest_digest_in_the_containerd_store(engine: FakeEngine, api: APIClient) -> None:
    engine.containerd = True
    engine.solve = lambda request, session: {
        "containerimage.digest": "sha256:m", "containerimage.config.digest": "sha256:c", "containerimage.descriptor": "e30=",
    }  # fmt: skip
    assert build(api, fileobj="FROM scratch").image_id == "sha256:m"


def test_builds_with_the_fields_of_old_engines(engine: FakeEngine, api: APIClient) -> None:
    engine.old = True
    for _ in range(20):
        build(api, fileobj="FROM scratch")
    with pytest.raises(InvalidArgument, match="requires Engine 23"):
        build(api, fileobj="FROM scratch", shmsize=1)


def test_build_error_has_the_details_of_the_failure(
    engine: FakeEngine, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    details = {
        "github.com/moby/buildkit/gatewayapi.ExitMessage+json": {"Code": 3},
        "github.com/moby/buildkit/errdefs.Vertex+json": {"digest": "v"},
        "github.com/moby/buildkit/errdefs.Source+json": {
            "info": {"filename": "Dockerfile", "data": base64.b64encode(DOCKERFILE.encode()).decode()},
            "ranges": [{"start": {"line": 3}, "end": {"line": 4}}],
        },
        "github.com/moby/buildkit/stack.Stack+json": {},
    }
    record = m.RpcStatus(
        code=2,
        message="m",
        details=[m.Detail(type_url=name, value=json.dumps(value).encode()) for name, value in details.items()],
    )
    from dockerkit.builder.buildkit import grpc

    trailers = grpc.trailers
    packed = base64.b64encode(record.SerializeToString()).decode().rstrip("=")
    monkeypatch.setattr(
        grpc,
        "trailers",
        lambda status, text="": [
            *trailers(status, text),
            *([("grpc-status-details-bin", packed)] if status == 2 else []),
        ],
    )

    def solve(request, session: Peer) -> dict[str, str]:
        raise GrpcError(2, "process did not complete")

    engine.solve = solve
    engine.trace = [
        m.StatusResponse(
            vertexes=[vertex("v", "[2/3] RUN one   two", 1, 2, error="bad")],
            logs=[m.VertexLog(vertex="v", stream=1, msg=b"last words")],
        )
    ]
    with pytest.raises(BuildError, match="process did not complete") as caught:
        build(api, path={"Dockerfile": DOCKERFILE})
    error = caught.value
    assert (error.exit_code, error.lines, error.dockerfile, error.step) == (3, (3, 4), "Dockerfile", "RUN one \\\ntwo")
    assert error.log == ("last words",)


def test_failure_does_not_wait_for_the_trace(
    engine: FakeEngine, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerkit.builder.buildkit.running._STATUS_GRACE", 0.1)

    def solve(request, session: Peer) -> dict[str, str]:
        raise GrpcError(2, "dockerfile parse error on line 2: unknown instruction: X")

    engine.solve = solve
    engine.stuck.set()
    began = time.monotonic()
    with pytest.raises(BuildError) as caught:
        build(api, path={"Dockerfile": DOCKERFILE})
    assert time.monotonic() - began < 5
    assert caught.value.lines == (2,)


def test_missing_outputs_are_an_error(engine: FakeEngine, api: APIClient, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="these outputs were not sent: tar"):
        build(api, path={"Dockerfile": DOCKERFILE}, outputs=["type=image", f"type=tar,dest={tmp_path}/x"])


def test_local_failure_is_raised_instead_of_the_engines(engine: FakeEngine, api: APIClient, tmp_path: Path) -> None:
    def solve(request, session: Peer) -> dict[str, str]:
        session.unary(services.SECRETS, m.GetSecretRequest(id="s").SerializeToString())
        raise GrpcError(2, "failed to solve")

    (tmp_path / "secret").write_bytes(b"x")
    running = threading.Event()

    def gone(request, session: Peer) -> dict[str, str]:
        (tmp_path / "secret").unlink()
        running.set()
        return solve(request, session)

    engine.solve = gone
    with pytest.raises(OSError, match="secret"):
        build(api, path={"Dockerfile": DOCKERFILE}, secrets={"s": tmp_path / "secret"})
    assert running.is_set()


def test_cancel_ends_the_build(engine: FakeEngine, api: APIClient) -> None:
    engine.stuck.set()
    started = threading.Event()

    def solve(request, session: Peer) -> dict[str, str]:
        started.set()
        engine._done.wait(20)
        return {}

    engine.solve = solve
    running = stream(api, path={"Dockerfile": DOCKERFILE})
    assert started.wait(5)
    assert isinstance(running, BuildStream) and "Building an image" in repr(running)
    threading.Timer(0.05, running.cancel).start()
    with pytest.raises(BuildError, match="cancelled"):
        running.result()
    running.close()
    with pytest.raises(BuildError), stream(api, path={"Dockerfile": DOCKERFILE}, timeout=0.05) as second:
        time.sleep(0.01)
        second.close()
        second.result()
    with pytest.raises(TimeoutError):
        build(api, path={"Dockerfile": DOCKERFILE}, timeout=0.05)


def test_dropped_build_is_cancelled_and_freed(engine: FakeEngine, api: APIClient) -> None:
    started = threading.Event()

    def solve(request, session: Peer) -> dict[str, str]:
        started.set()
        engine._done.wait(20)
        return {}

    engine.stuck.set()
    engine.solve = solve
    running = stream(api, path={"Dockerfile": DOCKERFILE})
    assert started.wait(5)
    dropped = weakref.ref(running)
    del running
    gc.collect()
    assert dropped() is None
    engine._done.set()  # ends the threads of the engine's calls
    assert ours() == []


def test_engine_without_buildkit(tmp_path: Path) -> None:
    fake = FakeEngine(tmp_path / "engine.sock", http2=False)
    try:
        with APIClient(fake.host) as api, pytest.raises(BuildKitUnavailable, match="builder='classic'"):
            build(api, path={"Dockerfile": DOCKERFILE})
    finally:
        fake.close()


def test_failure_to_start_the_build_is_reported(
    engine: FakeEngine, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(call: RpcCall) -> None:
        raise GrpcError(14, "shutting down")

    monkeypatch.setattr(engine, "_info", broken)
    with pytest.raises(BuildError, match="could not be started: shutting down"):
        build(api, path={"Dockerfile": DOCKERFILE})


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "h2" else find(name, *rest))
    with APIClient("unix:///nowhere", version="1.41") as nobody:
        with pytest.raises(MissingExtra, match=r"installed with dockerkit"):
            build(nobody, fileobj="FROM x")
        assert "h2 is not installed" in str(reason_against(nobody))


def test_which_options_need_buildkit() -> None:
    assert (
        needs_buildkit({"path": ".", "tag": "x", "nocache": True, "platform": "linux/amd64", "cache_from": ["x"]}) == []
    )
    needed = {
        "secrets": {"a": b""},
        "nocache": ["stage"],
        "platform": ["a/b"],
        "outputs": "x",
        "cache_from": [{"type": "gha"}],
        "ssh": True,
    }
    assert needs_buildkit(needed) == sorted(needed)


def test_options_are_sent_as_frontend_attributes(engine: FakeEngine, api: APIClient) -> None:
    build(
        api, path={"Dockerfile": DOCKERFILE}, platform="linux/amd64", target="t", nocache=["a", "b"], pull=True, network_mode="host",
        extra_hosts={"h": "1.2.3.4"}, shmsize="1m", ulimits=["nofile=1:2"], cache_from=["r/i:1"], cache_to="inline", allow=["security.insecure"],
        cgroup_parent="/x", buildargs={"A": 1, "B": None}, use_config_proxy=False,
    )  # fmt: skip
    request = engine.requests[0]
    attrs = dict(request.frontend_attrs)
    assert attrs == {
        "filename": "Dockerfile", "platform": "linux/amd64", "target": "t", "no-cache": "a,b", "image-resolve-mode": "pull",
        "force-network-mode": "host", "add-hosts": "h=1.2.3.4", "shm-size": "1048576", "ulimit": "nofile=1:2", "cgroup-parent": "/x",
        "build-arg:A": "1", "cache-from": "r/i:1",
    }  # fmt: skip
    assert list(request.entitlements) == ["network.host", "security.insecure"]
    assert [(item.type, dict(item.attrs)) for item in request.cache.imports] == [("registry", {"ref": "r/i:1"})]
    assert [item.type for item in request.cache.exports] == ["inline"]


def test_cache_accepts_records_with_attributes(engine: FakeEngine, api: APIClient) -> None:
    build(
        api,
        fileobj="FROM x",
        cache_from=["a/b", {"type": "s3", "region": "s"}],
        outputs=["type=cacheonly", "type=image"],
    )
    request = engine.requests[0]
    assert json.loads(request.frontend_attrs["cache-imports"]) == [
        {"Type": "registry", "Attrs": {"ref": "a/b"}}, {"Type": "s3", "Attrs": {"region": "s"}},
    ]  # fmt: skip
    assert "cache-from" not in request.frontend_attrs
    assert [item.type for item in request.exporters] == ["moby"]


def test_rejects_options_that_the_engine_does_not_support(engine: FakeEngine, api: APIClient, tmp_path: Path) -> None:
    for options in (
        {"platform": "a/b,c/d"},
        {"outputs": f"type=oci,dest={tmp_path}/x"},
        {"sbom": True},
        {"cache_to": "r/c"},
        {"outputs": {"type": "image", "push": True}},
    ):
        with pytest.raises(InvalidArgument, match="containerd's image store"):
            build(api, path={"Dockerfile": DOCKERFILE}, **options)
    assert engine.requests == []


@pytest.mark.parametrize(
    ("step", "lines"),
    [("RUN one    two", [3, 4]), ("COPY a b", [5]), ("FROM scratch", [1]), ("RUN three", [])],
)
def test_finds_the_lines_of_a_step_in_the_dockerfile(step: str, lines: list[int]) -> None:
    assert _lines_of(step, DOCKERFILE.replace("RUN", "run")) == lines


def test_instruction_strips_the_stage_prefix() -> None:
    assert instruction("[stage-1 2/3] RUN [x] y") == "RUN [x] y"
    assert instruction("[2/3] COPY a b") == "COPY a b"
    assert instruction("[internal] load .dockerignore") == "[internal] load .dockerignore"
    assert instruction("exporting to image") == "exporting to image"


def test_step_that_starts_twice() -> None:
    trace = Trace(Progress("t"))
    for part in (
        vertex("a", "x", 1),
        vertex("a", "x", 1, 3),
        vertex("a", "x", 1, 3),
        vertex("a", "x", 10),
        vertex("a", "x", 10, 14),
    ):
        trace.feed(m.StatusResponse(vertexes=[part]))
    step = trace.state.steps["a"]
    assert step.done and step.seconds(0) == 6


def test_rejects_bytes_that_are_not_messages(engine: FakeEngine, api: APIClient) -> None:
    class Garbage:
        def SerializeToString(self) -> bytes:
            return b"\xff\xff\xff"

    engine.trace = [Garbage()]
    with pytest.raises(BuildError, match="malformed message"):
        build(api, path={"Dockerfile": DOCKERFILE})


def test_lost_connection_is_a_build_error(engine: FakeEngine, api: APIClient) -> None:
    engine.stuck.set()
    started = threading.Event()

    def solve(request, session: Peer) -> dict[str, str]:
        started.set()
        engine._done.wait(20)
        return {}

    engine.solve = solve
    running = stream(api, path={"Dockerfile": DOCKERFILE})
    assert started.wait(30)
    for channel in engine._channels:
        channel._socket.shutdown(socket.SHUT_RDWR)
    with pytest.raises(BuildError, match="connection to BuildKit ended"):
        running.result()


@pytest.mark.parametrize("connection", ["_dial", "session"])
def test_an_interrupt_while_a_connection_opens_leaves_none(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, connection: str
) -> None:
    opened = getattr(Control, connection)

    def interrupted(*arguments: object) -> Channel:
        channel: Channel = opened(*arguments)
        os.kill(os.getpid(), signal.SIGALRM)
        time.sleep(0.1)  # the interrupt arrives before anything refers to the channel
        return channel

    def handler(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Control, connection, interrupted)
    previous = signal.signal(signal.SIGALRM, handler)
    try:
        with DockerClient(engine.host) as client, pytest.raises(KeyboardInterrupt):
            client.images.build(fileobj=b"FROM scratch", builder="buildkit")
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert ours() == []
