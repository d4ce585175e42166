"""Costs, counted without a clock: modules, requests, connections, sends, memory, instructions.

Each row of docs/benchmarks.md has a guard here.
"""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit.api.client import APIClient
from dockerkit.builder.context import open_context
from dockerkit.client import DockerClient
from dockerkit.models.containers.create import plan
from dockerkit.streams.frames import FrameParser, Frames
from dockerkit.streams.readers import FrameStream, JSONStream, ProgressStream
from dockerkit.transport.chunked import ChunkDecoder
from dockerkit.transport.connection import Connection
from dockerkit.transport.upload import known_size, send_body

HEAVY = {"requests", "urllib3", "pydantic", "pydantic_core", "typing_extensions", "asyncio", "ssl", "email", "http"}


def loaded_by(code: str, **environment: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after running the code."""
    program = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{program}"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_importing_dockerkit_loads_nothing() -> None:
    assert loaded_by("import dockerkit") - loaded_by("pass") == {"dockerkit", "dockerkit._lazy", "__future__"}


def test_first_ping_loads_nothing_heavy(scripted: ScriptedEngine) -> None:
    code = "import dockerkit\nwith dockerkit.from_env() as client: client.ping()"
    loaded = loaded_by(code, DOCKER_HOST=scripted.host)
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
    assert len(loaded) < 200


def test_list_of_objects_loads_neither_requests_nor_pydantic(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/json", Answer.json([{"Id": "a", "Names": ["/n"], "State": "running"}]))
    code = "import dockerkit\nwith dockerkit.from_env() as client: print([c.name for c in client.containers.list()])"
    loaded = loaded_by(code, DOCKER_HOST=scripted.host)
    assert not {name.partition(".")[0] for name in loaded} & {"requests", "urllib3", "pydantic", "pydantic_core"}


def test_first_run_loads_nothing_heavy(scripted: ScriptedEngine) -> None:
    scripted.on("POST", "/containers/create", Answer.json({"Id": "a" * 64, "Warnings": []}, status=201))
    path = f"/containers/{'a' * 64}"
    scripted.on("POST", f"{path}/attach", Answer.upgraded([frame(1, b"out\n")], media_type=MULTIPLEXED))
    scripted.on("POST", f"{path}/wait", Answer.json({"StatusCode": 0}))
    scripted.on("POST", f"{path}/start", Answer.empty(204))
    scripted.on("DELETE", path, Answer.empty(204))
    code = (
        "import dockerkit\n"
        "with dockerkit.from_env() as client: client.containers.run("
        "'busybox', 'true', remove=True, environment={'A': 'b'}, ports={'80/tcp': 8080}, tty=False, "
        "volumes=['/src:/dst'], mem_limit='1g', network='net', labels=['x'], user=1, cap_add=['ALL'])"
    )
    loaded = loaded_by(code, DOCKER_HOST=scripted.host)
    assert not {name.partition(".")[0] for name in loaded} & (HEAVY | {"logging", "tarfile", "decimal", "difflib"})
    assert len(loaded) < 235


@pytest.mark.parametrize(
    ("call", "requests"),
    [
        (lambda api: api.inspect_container("abc"), ["GET /containers/abc/json"]),
        (lambda api: api.containers(all=True), ["GET /containers/json"]),
        (lambda api: api.logs("abc"), ["GET /containers/abc/logs"]),
        (lambda api: api.exec_start("abc"), ["POST /exec/abc/start"]),
        (lambda api: api.put_archive("abc", "/x", b"tar"), ["PUT /containers/abc/archive"]),
        (lambda api: api.create_container("app"), ["POST /containers/create"]),
        (lambda api: api.ping(), []),
    ],
)
def test_call_makes_only_the_requests_that_it_needs(
    scripted: ScriptedEngine, call: Callable[[APIClient], object], requests: list[str]
) -> None:
    scripted.on("GET", "/containers/abc/json", Answer.json({"Id": "abc"}))
    scripted.on("GET", "/containers/json", Answer.json([]))
    scripted.on("GET", "/containers/abc/logs", Answer.chunked([], media_type=MULTIPLEXED))
    scripted.on("POST", "/exec/abc/start", Answer.upgraded([], media_type=MULTIPLEXED))
    scripted.on("PUT", "/containers/abc/archive", Answer.empty(200))
    scripted.on("POST", "/containers/create", Answer.json({"Id": "abc", "Warnings": []}, status=201))
    with APIClient(scripted.host) as api:
        call(api)
    assert [f"{request.method} {request.path}" for request in scripted.requests] == requests
    assert scripted.pings == 1


def test_run_makes_five_requests(scripted: ScriptedEngine) -> None:
    path = f"/containers/{'a' * 64}"
    scripted.on("POST", "/containers/create", Answer.json({"Id": "a" * 64, "Warnings": []}, status=201))
    scripted.on("POST", f"{path}/attach", Answer.upgraded([frame(1, b"out\n")], media_type=MULTIPLEXED))
    scripted.on("POST", f"{path}/wait", Answer.json({"StatusCode": 0}))
    scripted.on("POST", f"{path}/start", Answer.empty(204))
    scripted.on("DELETE", path, Answer.empty(204))
    with DockerClient(scripted.host) as client:
        assert client.containers.run("app", "true", remove=True) == b"out\n"
    assert len(scripted.requests) == 5


def test_exec_run_makes_three_requests(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/abc/json", Answer.json({"Id": "abc"}))
    scripted.on("POST", "/containers/abc/exec", Answer.json({"Id": "e"}, status=201))
    scripted.on("POST", "/exec/e/start", Answer.upgraded([frame(1, b"out\n")], media_type=MULTIPLEXED))
    scripted.on("GET", "/exec/e/json", Answer.json({"ExitCode": 0, "Running": False}))
    with DockerClient(scripted.host) as client:
        container = client.containers.get("abc")
        assert container.exec_run(["true"]).output == b"out\n"
    assert len(scripted.requests) == 1 + 3


def test_threads_share_connections(scripted: ScriptedEngine) -> None:
    """One request for each call, one connection for each thread at most, and one ping."""
    scripted.on("GET", "/containers/abc/json", Answer.json({"Id": "abc"}))
    with APIClient(scripted.host) as api:

        def inspect() -> None:
            for _ in range(10):
                api.inspect_container("abc")

        threads = [threading.Thread(target=inspect) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(scripted.requests) == 80
    assert scripted.connections <= 8
    assert scripted.pings <= 8  # threads that start together may each negotiate the version


READS: dict[str, tuple[str, Callable[[APIClient], Any]]] = {
    "export": ("/containers/abc/export", lambda api: api.export("abc")),
    "get_archive": ("/containers/abc/archive", lambda api: api.get_archive("abc", "/x")[0]),
    "save": ("/images/abc/get", lambda api: api.get_image("abc")),
    "logs": ("/containers/abc/logs", lambda api: api.logs("abc", stream=True, follow=False)),
}


@pytest.mark.parametrize("kind", READS)
def test_streams_use_bounded_memory(scripted: ScriptedEngine, kind: str) -> None:
    """64 MiB are streamed without growing memory."""
    block = b"x" * 32768
    path, call = READS[kind]
    chunk = frame(1, block) if kind == "logs" else block
    headers = {"X-Docker-Container-Path-Stat": base64.b64encode(b'{"name":"x","size":1,"mode":420}').decode()}
    scripted.on("GET", path, Answer.chunked([chunk] * 2048, media_type=MULTIPLEXED, headers=headers))
    with APIClient(scripted.host) as api:
        stream = iter(call(api))
        size = len(next(stream))
        tracemalloc.start()
        try:
            size += sum(len(piece) for piece in stream)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert size == 64 * 1024 * 1024
    assert peak < 4 * 1024 * 1024


class CountedConnection(Connection):
    """Counts its sends."""

    __slots__ = ("sends",)

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.sends = 0

    def send_all(self, data: bytes | memoryview, seconds: float | None = None, *, watch: bool = False) -> None:
        self.sends += 1
        super().send_all(data, seconds, watch=watch)


@pytest.fixture
def upload() -> Iterator[CountedConnection]:
    """Return a connection whose other end discards all data."""
    ours, theirs = socket.socketpair()
    buffer = bytearray(65536)

    def discard() -> None:
        while theirs.recv_into(buffer):
            pass

    thread = threading.Thread(target=discard)
    thread.start()
    connection = CountedConnection(ours)
    try:
        yield connection
    finally:
        connection.close()
        thread.join()
        theirs.close()


def test_uploaded_iterator_costs_one_send_per_block_and_is_not_held_in_memory(upload: CountedConnection) -> None:
    block = bytes(32 * 1024)
    tracemalloc.start()
    try:
        assert send_body(upload, (block for _ in range(512)), None, 30)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert upload.sends == 512 + 1
    assert peak < 4 * 1024 * 1024


@pytest.mark.parametrize("kind", ["open", "unbuffered", "TemporaryFile", "NamedTemporaryFile"])
def test_uploaded_file_is_not_held_in_memory(upload: CountedConnection, tmp_path: Path, kind: str) -> None:
    size = 16 * 1024 * 1024
    path = tmp_path / "archive.tar"
    path.write_bytes(b"")
    os.truncate(path, size)
    opened: Any
    if kind.endswith("TemporaryFile"):
        opened = getattr(tempfile, kind)(dir=tmp_path)
        opened.write(path.read_bytes())
        opened.seek(0)
        opened.write(b"not flushed")
    else:
        opened = open(path, "rb", buffering=0 if kind == "unbuffered" else -1)
        opened.seek(11)
    with opened as file:
        size -= 11
        assert known_size(file) == size
        tracemalloc.start()
        try:
            assert send_body(upload, file, size, 30)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
    if upload.can_send_files:
        assert upload.sends == 0  # by sendfile(), without a copy through Python


def test_upload_over_a_unix_socket_fills_a_larger_buffer_before_it_waits(upload: CountedConnection) -> None:
    before = upload.sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert send_body(upload, [b"x"], None, 30)
    assert upload.sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) > before


def test_upload_over_tcp_leaves_the_size_of_the_buffer_to_the_system() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sock:
        before = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        connection = Connection(sock)
        connection.expect_upload()
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == before


def test_image_of_a_container_is_inspected_once_and_only_for_more_than_its_id(scripted: ScriptedEngine) -> None:
    image = "sha256:" + "a" * 64
    scripted.on("GET", "/containers/json", Answer.json([{"Id": "abc", "ImageID": image, "Names": ["/n"]}]))
    scripted.on("GET", "/containers/abc/json", Answer.json({"Id": "abc", "Image": image}))
    inspected = {"Id": image, "RepoTags": ["app:1"], "Size": 7, "Os": "linux", "Architecture": "arm64"}
    scripted.on("GET", f"/images/{image}/json", Answer.json(inspected))
    with DockerClient(scripted.host) as client:
        (container,) = client.containers.list()
        assert container.image is not None
        assert (container.image.id, container.image.short_id) == (image, "sha256:" + "a" * 12)
        assert (repr(container.image), container.image == container.image) == (f"<Image {image[7:19]!r}>", True)
        assert [request.path for request in scripted.requests] == ["/containers/json"]
        assert (container.image.tags, container.image.size, container.image.platform) == (["app:1"], 7, "linux/arm64")
        assert container.image.labels == {}
        assert [request.path for request in scripted.requests][1:] == [f"/images/{image}/json"]
        container.reload()
        assert container.image.tags == ["app:1"]
        assert [request.path for request in scripted.requests][2:] == ["/containers/abc/json", f"/images/{image}/json"]


def instructions(call: Callable[[], object]) -> int:
    """Return the bytecode instructions that a call executes, in dockerkit and in the standard library."""
    if sys.version_info >= (3, 12):
        pytest.skip("tracing does not report all instructions from Python 3.12 on")
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> object:
        nonlocal counted
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        counted += event == "opcode"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        call()
    finally:
        sys.settrace(before)
    return counted


OPTIONS: dict[str, Any] = {
    "name": "web", "environment": {"A": "1", "B": "two"}, "labels": {"a": "b"}, "ports": {"80/tcp": 8080},
    "volumes": {"/src": {"bind": "/dst", "mode": "ro"}}, "mem_limit": "512m", "nano_cpus": 500_000_000,
    "pids_limit": 100, "cap_drop": ["ALL"], "cap_add": ["NET_BIND_SERVICE"], "read_only": True,
    "tmpfs": {"/tmp": "size=64m"}, "user": "1000", "working_dir": "/app", "dns": ["1.1.1.1"],
    "restart_policy": {"Name": "on-failure", "MaximumRetryCount": 5}, "extra_hosts": {"somehost": "162.242.195.82"},
}  # fmt: skip


def test_instructions_of_a_body_with_18_options(scripted: ScriptedEngine) -> None:
    with APIClient(scripted.host) as api:

        def body() -> object:
            return plan(api, "busybox", "sleep 1000", OPTIONS, detach=False, pull="never", owner="create").body

        body()
        assert instructions(body) < 3_600  # 3,000 with Python 3.11; each option costs about 170


def test_instructions_of_a_container_in_a_list(scripted: ScriptedEngine) -> None:
    summaries = [{"Id": f"{n:064x}", "Names": ["/n"], "State": "running", "Labels": {}} for n in range(200)]
    few, many = Answer.json(summaries[:100]), Answer.json(summaries)
    scripted.on("GET", "/containers/json", few, few, many, many)
    with DockerClient(scripted.host) as client:
        client.containers.list()
        first = instructions(client.containers.list)
        assert (instructions(client.containers.list) - first) / 100 < 100
        containers = client.containers.list()
    assert instructions(lambda: [(c.id, c.name, c.status, c.labels) for c in containers]) / 200 < 180
    assert len(scripted.requests) == 4


def test_instructions_of_a_chunk_that_is_one_frame() -> None:
    """A log line costs one step in the chunk decoder and one in the frame parser."""
    line = frame(1, b"x" * 100)
    body = b"%x\r\n%s\r\n" % (len(line), line) * 1000
    assert instructions(lambda: FrameParser().feed(b"".join(ChunkDecoder().feed(body)))) / 1000 < 105


def test_chunks_of_one_read_are_parsed_together(scripted: ScriptedEngine, monkeypatch: Any) -> None:
    feeds: list[int] = []
    feed = FrameParser.feed

    def counted(parser: FrameParser, data: bytes) -> Frames:
        feeds.append(len(data))
        return feed(parser, data)

    monkeypatch.setattr(FrameParser, "feed", counted)
    line = frame(1, b"x" * 100)
    wire = b"%x\r\n%s\r\n" % (len(line), line) * 1000 + b"0\r\n\r\n"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {MULTIPLEXED}\r\nTransfer-Encoding: chunked\r\n\r\n"
    scripted.on("GET", "/containers/abc/logs", Answer.raw(head.encode() + wire))
    with APIClient(scripted.host) as api:
        assert len(api.logs("abc")) == 100_000
    assert len(feeds) < 100


INSPECT = {
    "Id": "a" * 64,
    "Config": {"Env": [f"VARIABLE_{n}=value" for n in range(20)]},
    "HostConfig": {f"Option{n}": n for n in range(80)},
}


def test_instructions_of_an_inspect(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/abc/json", Answer.json(INSPECT))
    with APIClient(scripted.host) as api:
        api.inspect_container("abc")
        assert instructions(lambda: api.inspect_container("abc")) < 2_500  # 1,906; with h11, 4,060


EVENT = b'{"Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"name":"web"}},"time":1}\n'


@pytest.mark.parametrize("kind", ["events", "pull"])
def test_instructions_of_a_record(kind: str) -> None:
    """A record costs its share of the split and one step of a generator."""

    def read(count: int) -> int:
        source = Recorded([EVENT * count])
        stream: Iterator[object]
        stream = JSONStream(source, decoded=True) if kind == "events" else ProgressStream(source, decoded=True)
        return instructions(lambda: all(stream))

    assert (read(900) - read(400)) / 500 < 120


class Recorded:
    """A response whose blocks are known."""

    closed = False

    def __init__(self, blocks: list[bytes]) -> None:
        self.headers: dict[str, str] = {}
        self._blocks = blocks

    def chunks(self, size: int = 0) -> Iterator[bytes]:
        return iter(self._blocks)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("demux", [False, True])
def test_instructions_of_a_frame(demux: bool) -> None:
    def read(count: int) -> int:
        stream: FrameStream[object] = FrameStream(
            Recorded([frame(1, b"x" * 100) * count]), multiplexed=True, demux=demux
        )
        return instructions(lambda: all(stream))

    assert (read(900) - read(400)) / 500 < 85


def test_instructions_of_a_block_of_a_terminal() -> None:
    def read(count: int) -> int:
        stream: FrameStream[bytes] = FrameStream(Recorded([b"x" * 32768] * count), multiplexed=False)
        return instructions(lambda: all(stream))

    assert (read(900) - read(400)) / 500 < 40


def test_instructions_of_a_file_in_a_build_context(tmp_path: Path) -> None:
    """A file costs its header and the match of all patterns at once; the first byte does not wait for the last file."""
    patterns = [f"skip{n}/**" for n in range(20)]
    for name, count in (("few", 100), ("many", 300)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text("FROM scratch\n")
        for number in range(count):
            (tmp_path / name / f"file{number}.txt").write_bytes(bytes(10_000))

    def pack(name: str) -> int:
        return instructions(lambda: all(open_context(tmp_path / name, ignore=patterns).data() or ()))

    def first() -> object:
        return next(iter(open_context(tmp_path / "many", ignore=patterns).data() or ()))

    pack("few")
    few, many = pack("few"), pack("many")
    assert (many - few) / 200 < 650
    assert instructions(first) < many / 2
