"""A whole build against a fake engine that has no upgrades any more: HTTP/2 on its socket as it is."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from buildkit_engine import Peer

from dockerkit import APIClient
from dockerkit.build.buildkit import BuildStream, build, needs_buildkit, reason_against, services, stream
from dockerkit.build.buildkit import messages as m
from dockerkit.build.buildkit.call import Call
from dockerkit.build.buildkit.channel import Channel
from dockerkit.build.buildkit.failure import _lines_of
from dockerkit.build.buildkit.grpc import GrpcError
from dockerkit.build.buildkit.trace import Trace, instruction
from dockerkit.errors import BuildError, InvalidArgument, MissingExtra, NoBuildKit
from dockerkit.progress import Progress

PREFIX = "/moby.buildkit.v1.Control/"
DOCKERFILE = "FROM scratch\n\nRUN one \\\n  two\nCOPY a b\n"


class FakeEngine:
    """Answers /_ping, refuses every upgrade, and speaks HTTP/2 by prior knowledge.

    `solve` gets the request and the engine's end of the session; `trace` are the messages about the build.
    """

    def __init__(self, path: Path, *, http2: bool = True) -> None:
        self.host = f"unix://{path}"
        self.http2 = http2
        self.solve: Callable[[object, Peer], dict[str, str]] = lambda request, session: {}
        self.trace: list[object] = []
        self.containerd = False
        self.old = False  # answers "unknown method" as soon as it sees the headers
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
        while data := connection.recv(65536):
            if data.startswith(b"PRI ") and self.http2:
                self._channels.append(Channel(connection, early=data, serve=self._control, name="fake"))
                return
            line = data.split(b"\r\n")[0]
            if b"/_ping" in line:
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nApi-Version: 1.55\r\nOstype: linux\r\nBuilder-Version: 2\r\nContent-Length: 2\r\n\r\nOK"
                )
            elif data.startswith(b"PRI "):
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                break
            else:
                connection.sendall(
                    b'HTTP/1.1 404 Not Found\r\nContent-Length: 24\r\n\r\n{"message":"page is gone"}'[:-2]
                )
        connection.close()

    def _control(self, call: Call) -> None:
        method = call.path.removeprefix(PREFIX)
        if method == "Session":
            return self._session(call)
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
            answer = self.solve(request, self.sessions[request.session])
            call.send(m.SolveResponse(exporter_response=answer).SerializeToString())
        else:
            for message in self.trace:
                call.send(message.SerializeToString())
            if self.stuck.is_set():
                self._done.wait(20)
        return None

    def _info(self, call: Call) -> None:
        call.send(m.InfoResponse().SerializeToString())

    def _session(self, call: Call) -> None:
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
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("dockerkit")]
    assert left == []


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


def test_a_build_over_http2_as_it_is(engine: FakeEngine, api: APIClient) -> None:
    def solve(request, session: Peer) -> dict[str, str]:
        assert m.HealthResponse.FromString(session.ask(services.HEALTH)).status == 1
        answer = session.ask(services.SECRETS, m.GetSecretRequest(id="s").SerializeToString())
        assert m.GetSecretResponse.FromString(answer).data == b"value"
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
    assert request.exporter == "moby" and request.exporters[0].type == "moby"  # for old and new engines
    assert (
        request.exporter_attrs["name"] == request.exporters[0].attrs["name"] == "docker.io/library/one:latest,r:5/two:3"
    )
    assert len(engine.shared[request.session]) == 32


def test_the_containerd_store_knows_images_by_their_manifest(engine: FakeEngine, api: APIClient) -> None:
    engine.containerd = True
    engine.solve = lambda request, session: {
        "containerimage.digest": "sha256:m", "containerimage.config.digest": "sha256:c", "containerimage.descriptor": "e30=",
    }  # fmt: skip
    assert build(api, fileobj="FROM scratch").image_id == "sha256:m"


def test_an_old_engine(engine: FakeEngine, api: APIClient) -> None:
    engine.old = True
    for _ in range(20):
        build(api, fileobj="FROM scratch")
    with pytest.raises(InvalidArgument, match="too old"):
        build(api, fileobj="FROM scratch", shmsize=1)


def test_details_of_a_failure(engine: FakeEngine, api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
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
    from dockerkit.build.buildkit import grpc

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


def test_a_failure_does_not_wait_for_the_trace(
    engine: FakeEngine, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerkit.build.buildkit.running._STATUS_GRACE", 0.1)

    def solve(request, session: Peer) -> dict[str, str]:
        raise GrpcError(2, "dockerfile parse error on line 2: unknown instruction: X")

    engine.solve = solve
    engine.stuck.set()
    began = time.monotonic()
    with pytest.raises(BuildError) as caught:
        build(api, path={"Dockerfile": DOCKERFILE})
    assert time.monotonic() - began < 5
    assert caught.value.lines == (2,)


def test_outputs_which_an_engine_forgot(engine: FakeEngine, api: APIClient, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="did not send these outputs: tar"):
        build(api, path={"Dockerfile": DOCKERFILE}, outputs=["type=image", f"type=tar,dest={tmp_path}/x"])


def test_our_own_failure_is_what_is_raised(engine: FakeEngine, api: APIClient, tmp_path: Path) -> None:
    def solve(request, session: Peer) -> dict[str, str]:
        session.ask(services.SECRETS, m.GetSecretRequest(id="s").SerializeToString())
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


def test_cancelling(engine: FakeEngine, api: APIClient) -> None:
    engine.stuck.set()
    begun = threading.Event()

    def solve(request, session: Peer) -> dict[str, str]:
        begun.set()
        engine._done.wait(20)
        return {}

    engine.solve = solve
    running = stream(api, path={"Dockerfile": DOCKERFILE})
    assert begun.wait(5)
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


def test_an_engine_without_buildkit(tmp_path: Path) -> None:
    fake = FakeEngine(tmp_path / "engine.sock", http2=False)
    try:
        with APIClient(fake.host) as api, pytest.raises(NoBuildKit, match="builder='classic'"):
            build(api, path={"Dockerfile": DOCKERFILE})
    finally:
        fake.close()


def test_an_engine_that_breaks_off_at_once(engine: FakeEngine, api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(call: Call) -> None:
        raise GrpcError(14, "shutting down")

    monkeypatch.setattr(engine, "_info", broken)
    with pytest.raises(BuildError, match="could not be started: shutting down"):
        build(api, path={"Dockerfile": DOCKERFILE})


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "h2" else find(name, *rest))
    with APIClient("unix:///nowhere", version="1.41") as nobody:
        with pytest.raises(MissingExtra, match=r"dockerkit\[buildkit\]"):
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


def test_options_become_attributes(engine: FakeEngine, api: APIClient) -> None:
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
    assert [(one.type, dict(one.attrs)) for one in request.cache.imports] == [("registry", {"ref": "r/i:1"})]
    assert [one.type for one in request.cache.exports] == ["inline"]


def test_cache_with_more_than_a_name(engine: FakeEngine, api: APIClient) -> None:
    build(
        api,
        fileobj="FROM x",
        cache_from=["a/b", {"type": "gha", "scope": "s"}],
        outputs=["type=cacheonly", "type=image"],
    )
    request = engine.requests[0]
    assert json.loads(request.frontend_attrs["cache-imports"]) == [
        {"Type": "registry", "Attrs": {"ref": "a/b"}}, {"Type": "gha", "Attrs": {"scope": "s"}},
    ]  # fmt: skip
    assert "cache-from" not in request.frontend_attrs
    assert [one.type for one in request.exporters] == ["moby"]


def test_what_this_engine_can_not_do(engine: FakeEngine, api: APIClient, tmp_path: Path) -> None:
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
def test_lines_of_a_step_out_of_the_dockerfile(step: str, lines: list[int]) -> None:
    assert _lines_of(step, DOCKERFILE.replace("RUN", "run")) == lines


def test_names_of_steps() -> None:
    assert instruction("[stage-1 2/3] RUN [x] y") == "RUN [x] y"
    assert instruction("[2/3] COPY a b") == "COPY a b"
    assert instruction("[internal] load .dockerignore") == "[internal] load .dockerignore"
    assert instruction("exporting to image") == "exporting to image"


def test_a_step_that_starts_twice() -> None:
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


def test_bytes_that_are_no_messages(engine: FakeEngine, api: APIClient) -> None:
    class Garbage:
        def SerializeToString(self) -> bytes:
            return b"\xff\xff\xff"

    engine.trace = [Garbage()]
    with pytest.raises(BuildError, match="no message"):
        build(api, path={"Dockerfile": DOCKERFILE})


def test_an_engine_that_dies_in_the_middle(engine: FakeEngine, api: APIClient) -> None:
    engine.stuck.set()
    begun = threading.Event()

    def solve(request, session: Peer) -> dict[str, str]:
        begun.set()
        engine._done.wait(20)
        return {}

    engine.solve = solve
    running = stream(api, path={"Dockerfile": DOCKERFILE})
    assert begun.wait(30)
    for channel in engine._channels:
        channel._socket.shutdown(socket.SHUT_RDWR)
    with pytest.raises(BuildError, match="connection to BuildKit ended"):
        running.result()
