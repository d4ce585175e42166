"""What is measured: for each scenario the canned engine's responses, and the same work for each contender.

A contender's function gets the socket's path and returns nothing. It runs in a fresh interpreter and calls ``start()`` at the
moment from which CPU time counts. A string is a whole process instead, from the interpreter's start to its end.
``contenders.py`` adds the work of aiodocker and python-on-whales.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import struct
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchmarks import canned

MIB = 1024 * 1024
Work = Callable[[str, Callable[[], None]], None]


@dataclass
class Scenario:
    """One row of the table.

    Attributes:
        name: what is done.
        target: largest ratio of dockerkit's CPU time to docker-py's.
        routes: the engine's responses.
        work: what each contender does.
        shares: the part of the work that a slow contender does; its time is scaled up.
    """

    name: str
    target: float
    routes: Callable[[], dict[tuple[str, str], canned.Send]]
    work: dict[str, Work | str] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)


SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str, target: float, routes: Callable[[], dict]) -> Scenario:  # type: ignore[type-arg]
    SCENARIOS[name] = Scenario(name, target, routes)
    return SCENARIOS[name]


def contender(row: Scenario, *names: str, share: float = 1) -> Callable[[Work], Work]:
    def add(work: Work) -> Work:
        for name in names:
            row.work[name] = work
            row.shares[name] = share
        return work

    return add


def api(path: str):  # type: ignore[no-untyped-def]
    """The low-level client of whichever of the two this process measures."""
    if "docker" in sys.modules:
        return sys.modules["docker"].APIClient(f"unix://{path}", version="1.45")
    import dockerkit

    return dockerkit.APIClient(f"unix://{path}", version="1.45")


def client(path: str):  # type: ignore[no-untyped-def]
    """Return the client of the library that this process measures."""
    if "docker" in sys.modules:
        return sys.modules["docker"].DockerClient(f"unix://{path}", version="1.45")
    import dockerkit

    return dockerkit.DockerClient(f"unix://{path}", version="1.45")


def bare(path: str, request: bytes) -> http.client.HTTPResponse:
    """The bare minimum: a socket and the standard library's reader."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    sock.sendall(request)
    response = http.client.HTTPResponse(sock)
    response.begin()
    return response


BOTH = ("dockerkit", "docker-py")
MODULES = {"dockerkit": "dockerkit", "docker-py": "docker"}
INSPECT = json.dumps(
    {
        "Id": "a" * 64,
        "Name": "/some-name",
        "State": {"Status": "running", "Running": True, "Pid": 4242, "ExitCode": 0},
        "Config": {
            "Tty": False,
            "Image": "busybox",
            "Env": [f"VARIABLE_{n}=/usr/local/share/value" for n in range(20)],
            "Labels": {f"org.example.label{n}": "some value" for n in range(20)},
        },
        "HostConfig": {f"SomeOptionOfTheHost{n}": n for n in range(80)},
        "NetworkSettings": {"Ports": {}, "Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
        "Mounts": [],
    }
).encode()
TERMINAL = INSPECT.replace(b'"Tty": false', b'"Tty": true')
SUMMARIES = json.dumps(
    [
        {
            "Id": f"{n:064x}",
            "Names": [f"/name-{n}"],
            "Image": "busybox",
            "ImageID": "sha256:" + "b" * 64,
            "Command": "sleep 1000",
            "Created": 1700000000 + n,
            "Ports": [],
            "Labels": {"a": "b", "number": str(n)},
            "State": "running",
            "Status": "Up 2 hours",
            "HostConfig": {"NetworkMode": "default"},
            "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2", "Gateway": "172.17.0.1"}}},
            "Mounts": [],
        }
        for n in range(1000)
    ]
).encode()


# 1 -- whole processes: an interpreter starts, imports, does one thing and ends

CREATED = canned.whole(json.dumps({"Id": "a" * 64, "Warnings": []}).encode(), status=b"201 Created")
living = lambda: {  # noqa: E731
    ("POST", "/containers/create"): CREATED,
    ("POST", "/containers/[^/]+/attach"): canned.upgraded(canned.frames(5, 1), 1, pause=0),
    ("POST", "/containers/[^/]+/start"): canned.empty,
    ("POST", "/containers/[^/]+/exec"): CREATED,
    ("POST", "/containers/[^/]+/wait"): canned.whole(b'{"StatusCode":0}'),
    ("DELETE", "/containers/[^/]+"): canned.empty,
    ("GET", "/containers/json"): canned.whole(SUMMARIES),
    ("GET", "/containers/[^/]+/json"): canned.whole(
        INSPECT.replace(b'"HostConfig": {', b'"HostConfig": {"LogConfig": {"Type": "json-file"}, ')
    ),
    ("GET", "/containers/[^/]+/logs"): canned.chunked(canned.frames(100, 108), 100, canned.FRAMES),
    ("POST", "/exec/[^/]+/start"): canned.upgraded(canned.frames(5, 1), 1),
    ("GET", "/images/[^/]+/json"): canned.whole(b'{"Id":"sha256:%s","RepoTags":["busybox:latest"]}' % (b"b" * 64)),
    ("GET", "/exec/[^/]+/json"): canned.whole(
        b'{"ID":"%s","Running":false,"ExitCode":0,"ProcessConfig":{"tty":false,"entrypoint":"true","arguments":[],'
        b'"privileged":false},"OpenStdin":false,"OpenStderr":true,"OpenStdout":true,"Pid":0}' % (b"a" * 64)
    ),
}

row = scenario("import", 0.15, dict)
row.work |= {"dockerkit": "import dockerkit", "docker-py": "import docker"}

CONNECTED = "import sys, {0}\nclient = {0}.DockerClient('unix://' + sys.argv[1])\n"
SCRIPTS = {  # name -> target and code
    "ping": (0.55, "client.ping()"),
    "run": (0.7, "client.containers.run('busybox', 'true', remove=True)"),
    "list 1,000, sparse": (0.7, "client.containers.list(all=True, sparse=True)"),
    "list 1,000: id, name, status, labels": (
        0.15, "for c in client.containers.list(all=True): c.id, c.name, c.status, c.labels"
    ),
    "logs of 100 lines": (0.7, "client.containers.get('abc').logs()"),
}  # fmt: skip
for name, (target, code) in SCRIPTS.items():
    row = scenario(f"script: {name}", target, living)
    row.work |= {library: CONNECTED.format(module) + code for library, module in MODULES.items()}


# 2 -- small calls

inspecting = lambda: {("GET", "/containers/[^/]+/json"): canned.whole(INSPECT)}  # noqa: E731
row = scenario("inspect, one thread", 0.3, inspecting)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = api(path)
    engine.inspect_container("abc")
    start()
    for _n in range(1500):
        engine.inspect_container("abc")


@contender(row, "limit")
def _(path: str, start: Callable[[], None]) -> None:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    stream = sock.makefile("rb")
    start()
    for _n in range(1500):
        sock.sendall(b"GET /v1.45/containers/abc/json HTTP/1.1\r\nHost: docker\r\n\r\n")
        while stream.readline() != b"\r\n":
            pass
        json.loads(stream.read(int(stream.readline(), 16)))
        stream.read(7)


def in_threads(count: int, work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


for count in (16, 64):
    row = scenario(f"inspect, {count} threads", 0.23, inspecting)

    @contender(row, *BOTH)
    def _(path: str, start: Callable[[], None], count: int = count) -> None:
        engine = api(path)
        engine.inspect_container("abc")
        start()
        in_threads(count, lambda: [engine.inspect_container("abc") for _n in range(1600 // count)] and None)


listing = lambda: {  # noqa: E731
    ("GET", "/containers/json"): canned.whole(SUMMARIES),
    ("GET", "/containers/[^/]+/json"): canned.whole(INSPECT),
}
row = scenario("list 1,000, sparse, ten times with the first", 0.9, listing)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = client(path)
    start()
    for _n in range(10):
        engine.containers.list(all=True, sparse=True)


row = scenario("list 1,000: id, name, status, labels", 0.012, listing)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = client(path)
    engine.containers.get("abc")
    start()
    for container in engine.containers.list(all=True):
        _ = container.id, container.name, container.status, container.labels


row = scenario("list 1,000: what only an inspect has", 0.32, listing)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = client(path)
    start()
    for container in engine.containers.list(all=True):
        if "docker" not in sys.modules:
            container.reload()
        _ = container.attrs["HostConfig"]


# 4 -- logs and attach


def payloads(block: bytes) -> list[bytes]:
    """The payloads of a block of whole frames, with nothing checked."""
    found, position, end = [], 0, len(block)
    unpack = struct.Struct(">LL").unpack_from
    while position < end:
        start = position + 8
        position = start + unpack(block, position)[1]
        found.append(block[start:position])
    return found


def chunks(path: str) -> Iterator[bytes]:
    """The chunks of the log, read by a bare socket and the standard library's buffer."""
    response = bare(path, b"GET /v1.45/containers/abc/logs HTTP/1.1\r\nHost: docker\r\n\r\n")
    while size := int(response.fp.readline(), 16):
        yield response.fp.read(size)
        response.fp.read(2)


for size, label, targets in ((100, "100-byte", (0.5, 0.2, 0.08)), (16384, "16-KiB", (0.5, 0.3, 0.25))):
    total = 64 if size == 100 else 256
    logs = lambda size=size, total=total: {  # noqa: E731
        ("GET", "/containers/[^/]+/json"): canned.whole(INSPECT),
        ("GET", "/containers/[^/]+/logs"): canned.chunked(
            canned.frames(size, size + 8),
            total * MIB // (size + 8),
            canned.FRAMES,
            together=max(64 * 1024 // (size + 8), 1),
        ),
        ("POST", "/containers/[^/]+/attach"): canned.upgraded(canned.frames(size, 64 * 1024), total * 4, pause=0.5),
    }
    row = scenario(f"logs {total} MiB, {label} frames, bytes", targets[0], logs)

    @contender(row, *BOTH)
    def _(path: str, start: Callable[[], None]) -> None:
        engine = api(path)
        start()
        len(engine.logs("abc"))

    @contender(row, "limit")
    def _(path: str, start: Callable[[], None]) -> None:
        start()
        whole = io.BytesIO()
        for chunk in chunks(path):
            whole.write(b"".join(payloads(chunk)))
        len(whole.getvalue())

    row = scenario(f"logs {total} MiB, {label} frames, stream", targets[1], logs)

    @contender(row, *BOTH)
    def _(path: str, start: Callable[[], None]) -> None:
        engine = api(path)
        start()
        for _chunk in engine.logs("abc", stream=True, follow=False):
            pass

    @contender(row, "limit")
    def _(path: str, start: Callable[[], None]) -> None:
        start()
        for chunk in chunks(path):
            for _payload in payloads(chunk):
                pass

    row = scenario(f"attach {total // 4} MiB, {label} frames, demux", targets[2], logs)

    @contender(row, *BOTH)
    def _(path: str, start: Callable[[], None]) -> None:
        engine = api(path)
        start()
        for _pair in engine.attach("abc", stream=True, demux=True):
            pass

    @contender(row, "limit")
    def _(path: str, start: Callable[[], None], block: int = len(canned.frames(size, 64 * 1024))) -> None:
        start()
        request = (
            b"POST /v1.45/containers/abc/attach HTTP/1.1\r\nHost: docker\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
        )
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(path)
            sock.sendall(request)
            file = sock.makefile("rb")
            while file.readline() != b"\r\n":
                pass
            while data := file.read(block):
                for _payload in payloads(data):
                    pass


# The same while the client keeps up with the engine, which sends each line as it reads it.
lines = lambda: {  # noqa: E731
    ("GET", "/containers/[^/]+/json"): canned.whole(INSPECT),
    ("GET", "/containers/[^/]+/logs"): canned.chunked(canned.frames(100, 108), 200_000, canned.FRAMES),
}
row = scenario("logs of 200,000 lines, a send each, bytes", 0.45, lines)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = api(path)
    start()
    len(engine.logs("abc"))


row = scenario("logs of 200,000 lines, a send each, stream", 0.15, lines)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = api(path)
    start()
    for _chunk in engine.logs("abc", stream=True, follow=False):
        pass


row = scenario(
    "logs of a terminal, 2 MiB, stream",
    0.002,
    lambda: {
        ("GET", "/containers/[^/]+/json"): canned.whole(TERMINAL),
        ("GET", "/containers/[^/]+/logs"): canned.chunked(b"x" * 32767 + b"\n", 64, canned.RAW),
    },
)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = api(path)
    start()
    for _chunk in engine.logs("abc", stream=True, follow=False):
        pass


# 5 -- JSON lines

EVENT = (
    json.dumps(
        {
            "status": "start",
            "id": "a" * 64,
            "from": "busybox",
            "Type": "container",
            "Action": "start",
            "Actor": {
                "ID": "a" * 64,
                "Attributes": {"image": "busybox", "name": "some-name", "maintainer": "somebody"},
            },
            "scope": "local",
            "time": 1700000000,
            "timeNano": 1700000000123456789,
        }
    ).encode()
    + b"\n"
)


def bare_records(path: str, request: bytes) -> None:
    """Read and decode all records of a response with the standard library."""
    response = bare(path, request)
    rest = b""
    while data := response.read1(65536):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            json.loads(line)


PULL = b'{"status":"Downloading","progressDetail":{"current":1048576,"total":73400320},"progress":"[>    ]  1MB/73MB","id":"0123456789ab"}\r\n'

for label, size, target in (
    ("a chunk each", 0, 0.45),
    ("1,021-byte chunks", 1021, 0.65),
    ("61,001-byte chunks", 61001, 0.95),
):
    row = scenario(
        f"50,000 events, {label}",
        target,
        lambda size=size: {("GET", "/events"): canned.chunked(EVENT, 50_000, size=size)},
    )

    @contender(row, *BOTH)
    def _(path: str, start: Callable[[], None]) -> None:
        engine = api(path)
        start()
        for _event in engine.events(decode=True):
            pass

    @contender(row, "limit")
    def _(path: str, start: Callable[[], None]) -> None:
        start()
        bare_records(path, b"GET /v1.45/events HTTP/1.1\r\nHost: docker\r\n\r\n")


row = scenario("50,000 pull records", 0.5, lambda: {("POST", "/images/create"): canned.chunked(PULL, 50_000)})


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = api(path)
    start()
    for _record in engine.pull("busybox", tag="latest", stream=True, decode=True):
        pass


STATS = json.dumps(
    {
        "read": "2026-01-01T00:00:00.123456789Z",
        "preread": "2025-12-31T23:59:59.123456789Z",
        "pids_stats": {"current": 3, "limit": 18446744073709551615},
        "blkio_stats": {
            name: [{"major": 254, "minor": 0, "op": op, "value": 4096} for op in ("read", "write")]
            for name in ("io_service_bytes_recursive", "io_serviced_recursive")
        },
        "num_procs": 0,
        **{
            name: {
                "cpu_usage": {
                    "total_usage": 1234567890,
                    "usage_in_kernelmode": 234567890,
                    "usage_in_usermode": 1000000000,
                },
                "system_cpu_usage": 12345678900000000,
                "online_cpus": 2,
                "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
            }
            for name in ("cpu_stats", "precpu_stats")
        },
        "memory_stats": {"usage": 12345678, "limit": 8589934592, "stats": {f"counter{n}": n * 4096 for n in range(35)}},
        "name": "/some-name",
        "id": "a" * 64,
        "networks": {
            "eth0": {f"{way}_{what}": 0 for way in ("rx", "tx") for what in ("bytes", "packets", "errors", "dropped")}
        },
    }
).encode()
row = scenario(
    "20,000 records of stats", 0.45, lambda: {("GET", "/containers/[^/]+/stats"): canned.chunked(STATS + b"\n", 20_000)}
)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = api(path)
    start()
    for _record in engine.stats("abc", decode=True):
        pass


@contender(row, "limit")
def _(path: str, start: Callable[[], None]) -> None:
    start()
    bare_records(path, b"GET /v1.45/containers/abc/stats HTTP/1.1\r\nHost: docker\r\n\r\n")


# 6, 8 -- archives

BLOCK = os.urandom(32 * 1024)
for verb, target in (("export", 0.82), ("get_archive", 0.82)):
    row = scenario(
        f"{verb} 512 MiB",
        target,
        lambda: {("GET", "/containers/[^/]+/(export|archive)"): canned.chunked(BLOCK, 16 * 1024, b"application/x-tar")},
    )

    @contender(row, *BOTH)
    def _(path: str, start: Callable[[], None], verb: str = verb) -> None:
        engine = api(path)
        start()
        with open(os.devnull, "wb") as out:
            out.writelines(engine.export("abc") if verb == "export" else engine.get_archive("abc", "/x")[0])


row = scenario(
    "save 512 MiB",
    0.8,
    lambda: {("GET", "/images/[^/]+/get"): canned.chunked(BLOCK, 16 * 1024, b"application/x-tar")},
)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = api(path)
    start()
    with open(os.devnull, "wb") as out:
        out.writelines(engine.get_image("abc"))


uploading = lambda: {  # noqa: E731
    ("PUT", "/containers/[^/]+/archive"): canned.whole(b""),
    ("POST", "/images/load"): canned.whole(b'{"stream":"Loaded image: x\\n"}\n'),
}


def cached_file() -> IO[bytes]:
    """Return an open file of 512 MiB that is in the page cache."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 -- the caller closes it
    file.truncate(512 * MIB)
    while file.read(MIB):
        pass
    file.seek(0)
    return file


row = scenario("put_archive 512 MiB from an iterator", 0.6, uploading)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = api(path)
    start()
    engine.put_archive("abc", "/x", (BLOCK for _n in range(16 * 1024)))


for verb, target in (("put_archive", 0.5), ("load", 0.42)):
    row = scenario(f"{verb} 512 MiB from a file", target, uploading)

    @contender(row, *BOTH)
    def _(path: str, start: Callable[[], None], verb: str = verb) -> None:
        engine = api(path)
        with cached_file() as archive:
            start()
            if verb == "put_archive":
                engine.put_archive("abc", "/x", archive)
            else:
                list(engine.load_image(archive) or ())


# 7 -- the build context

PATTERNS = ["*.log", "**/*.tmp", "node_modules", "build", ".git", "**/__pycache__", "docs/**/*.md", "!docs/keep.md"] + [
    f"skip{n}/**" for n in range(12)
]


def make_tree() -> Path:
    """20,000 files, half of which are ignored; kept between runs."""
    root = Path(tempfile.gettempdir()) / "dockerkit-benchmark-context"
    if not (root / ".done").exists():
        for n in range(100):
            folder = root / (f"skip{n % 12}" if n % 2 else "src") / f"part{n}"
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(200):
                (folder / f"file{number}.txt").write_bytes(b"x" * 1000)
        (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
        (root / ".dockerignore").write_text("\n".join(PATTERNS) + "\n")
        (root / ".done").touch()
    return root


row = scenario(
    "build context of 20,000 files, 20 patterns",
    0.16,
    lambda: {("POST", "/build"): canned.whole(b'{"stream":"ok\\n"}\n')},
)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = api(path)
    root = str(make_tree())
    start()
    for _record in engine.build(path=root, rm=True, decode=True):
        pass


# 10 ms of docker-py's 1.6 s
row = scenario("its first byte", 0.006, dict)


@contender(row, "dockerkit")
def _(path: str, start: Callable[[], None]) -> None:
    from dockerkit.builder.context import open_context

    root = make_tree()
    start()
    next(iter(open_context(root).data() or ()))


@contender(row, "docker-py")
def _(path: str, start: Callable[[], None]) -> None:
    from docker.utils import tar

    root = str(make_tree())
    start()
    with tar(root, exclude=PATTERNS) as archive:
        archive.read(1)


# 9, 10, 12 -- exec, run, create

row = scenario("100 exec_run", 0.4, living)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    container = client(path).containers.get("abc")
    container.exec_run(["true"])
    start()
    for _n in range(100):
        container.exec_run(["true"])


row = scenario("50 run, removed, the first 50 of a process", 0.28, living)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = client(path)
    start()
    for _n in range(50):
        engine.containers.run("busybox", "true", remove=True)


OPTIONS = {
    "command": ["sleep", "100"],
    "name": "n",
    "environment": {"A": "1", "B": "2"},
    "labels": {"a": "b"},
    "ports": {"80/tcp": 8080, "53/udp": ("127.0.0.1", 5353)},
    "volumes": {"/src": {"bind": "/dst", "mode": "ro"}},
    "mem_limit": "512m",
    "nano_cpus": 500_000_000,
    "pids_limit": 100,
    "cap_drop": ["ALL"],
    "cap_add": ["NET_BIND_SERVICE"],
    "read_only": True,
    "tmpfs": {"/tmp": "size=64m"},
    "user": "1000",
    "working_dir": "/app",
    "dns": ["1.1.1.1"],
    "restart_policy": {"Name": "on-failure", "MaximumRetryCount": 5},
    "extra_hosts": {"somehost": "162.242.195.82"},
}
row = scenario("500 create with 18 options", 0.3, living)


@contender(row, *BOTH)
def _(path: str, start: Callable[[], None]) -> None:
    engine = client(path)
    engine.containers.create("busybox", **OPTIONS)
    start()
    for _n in range(500):
        engine.containers.create("busybox", **OPTIONS)


row = scenario("2,000 bodies of create with 18 options, as JSON, unsent", 1.0, dict)


@contender(row, "dockerkit")
def _(path: str, start: Callable[[], None]) -> None:
    from dockerkit.api.request import Request
    from dockerkit.models.containers.create import plan

    engine = api(path)
    options = {name: value for name, value in OPTIONS.items() if name != "command"}

    def body() -> None:
        made = plan(engine, "busybox", OPTIONS["command"], options, detach=False, pull="never", owner="create")
        engine._encode(Request("POST", "/containers/create", {}, {"name": made.name}, made.body))

    body()
    start()
    for _n in range(2000):
        body()


@contender(row, "docker-py")
def _(path: str, start: Callable[[], None]) -> None:
    from docker.models.containers import _create_container_args

    engine = api(path)

    def body() -> None:
        options = _create_container_args({**OPTIONS, "image": "busybox", "version": "1.45"})
        del options["name"]
        json.dumps(engine.create_container_config(**options))

    body()
    start()
    for _n in range(2000):
        body()


def ensure_contender(name: str) -> None:
    """Import the contender before the work begins; imports are measured separately."""
    if name == "docker-py":
        import docker  # noqa: F401
    elif name == "dockerkit":
        import dockerkit.api.client
        import dockerkit.client  # noqa: F401
