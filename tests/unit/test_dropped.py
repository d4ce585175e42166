"""Objects with a connection are dropped without being closed: no descriptor, thread or object is left."""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import os
import socket
import ssl
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import test_tls_engine
from scripted_engine import Answer, ScriptedEngine
from scripted_registry_server import memory_registry
from stream_kinds import KINDS, script_all
from test_closing_streams import held

from dockerkit import DockerClient, Registry, errors
from dockerkit.aio import AsyncDockerClient
from dockerkit.api.client import APIClient
from dockerkit.endpoint.tls import TLSConfig
from dockerkit.testing.server import Connection, Request
from dockerkit.transport import ssh
from dockerkit.transport.connection import Connection as EngineConnection

Make = Callable[[ScriptedEngine], object]


def objects() -> Counter[type]:
    """Return the number of dockerkit's objects by class, without those of the scripted engine."""
    gc.collect()
    counted = Counter(map(type, gc.get_objects()))
    modules = {cls: str(cls.__module__) for cls in counted}
    ours = (cls for cls, module in modules.items() if module.startswith("dockerkit."))
    return Counter({cls: counted[cls] for cls in ours if not modules[cls].startswith("dockerkit.testing")})


def client(engine: ScriptedEngine) -> DockerClient:
    return DockerClient(engine.host, version="1.51", timeout=5)


def used_api(engine: ScriptedEngine) -> APIClient:
    api = APIClient(engine.host, version="1.51", timeout=5)
    api.inspect_container("abc")
    return api


def used_collections(engine: ScriptedEngine) -> DockerClient:
    used = client(engine)
    used.containers.get("abc").reload()
    _ = used.images, used.volumes, used.system
    return used


def failed_call(engine: ScriptedEngine) -> object:
    api = used_api(engine)
    try:
        api.inspect_container("none")
    except errors.NotFound as error:
        return api, error  # with its traceback
    raise AssertionError("the container does not exist")


HOLDERS: dict[str, Make] = {
    "client for the API": used_api,
    "client": used_collections,
    "client with another timeout": lambda engine: used_api(engine).with_timeout(3),
    "object without its client": lambda engine: client(engine).containers.get("abc"),
    "error of the engine": failed_call,
    "hijacked connection of attach": lambda engine: client(engine).api.attach_socket("abc"),
    "hijacked connection of exec": lambda engine: client(engine).api.exec_start("ex", socket=True),
    "websocket": lambda engine: client(engine).api.attach_socket("abc", ws=True),
    "process": lambda engine: client(engine).containers.get("abc").popen(["x"]),
    "main process": lambda engine: client(engine).containers.get("abc").attach_process(),
    "listener": lambda engine: client(engine).system.listen(),
    "subscription": lambda engine: client(engine).system.listen().subscribe(),
    "run": lambda engine: client(engine).containers.run("x", stream=True, remove=True),
}


def websocket(request: Request, wire: Connection) -> None:
    """Accept a websocket, and send nothing."""
    key = request.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    wire.head(101, {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept})
    Answer.hang()(request, wire)


@pytest.fixture
def engine(scripted: ScriptedEngine) -> ScriptedEngine:
    script_all(scripted)
    scripted.on("GET", "/containers/none/json", Answer.error(404, "No such container: none"))
    scripted.on("GET", "/containers/abc/attach/ws", websocket)
    return scripted


def assert_freed(make: Callable[[], object], *, gone: Callable[[], bool] = lambda: True) -> None:
    """Drop a function's result twice, first to fill caches; the second time nothing may be left."""
    for caches_filled in (False, True):
        before, counted = held(), objects()
        holder = make()
        del holder

        def left() -> list[object]:
            more = objects() - counted
            return [item for item in (caches_filled and more, held() > before and (before, held()), not gone()) if item]

        deadline = time.monotonic() + 5
        while left() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert left() == []


@pytest.mark.parametrize("name", HOLDERS)
def test_holder_of_a_connection(engine: ScriptedEngine, name: str) -> None:
    assert_freed(lambda: HOLDERS[name](engine))


@pytest.mark.parametrize("kind", KINDS)
def test_stream_and_its_client(engine: ScriptedEngine, kind: str) -> None:
    def make() -> object:
        stream = KINDS[kind](client(engine))
        next(iter(stream))
        return stream

    assert_freed(make)


@pytest.mark.parametrize("kind", KINDS)
def test_connection_of_a_stream_is_freed_without_the_collector(engine: ScriptedEngine, kind: str) -> None:
    holder = client(engine)
    gc.collect()
    gc.disable()
    try:
        items = iter(KINDS[kind](holder))
        next(items)
        pool = holder.api._transport.pool  # type: ignore[attr-defined]
        used = [reference for reference in pool._connections.values() if reference() not in pool._idle]
        assert used
        del items
        deadline = time.monotonic() + 5
        while any(is_open(reference) for reference in used) and time.monotonic() < deadline:
            time.sleep(0.01)  # for the threads of those that have some
        assert not any(is_open(reference) for reference in used)
    finally:
        gc.enable()
        holder.close()


def is_open(reference: weakref.ref[EngineConnection]) -> bool:
    connection = reference()
    return connection is not None and connection.sock.fileno() != -1


@pytest.mark.parametrize("kind", ["small call", "hijacked"])
def test_client_over_tls(tmp_path: Path, kind: str) -> None:
    ca = tmp_path / "ca.pem"
    test_tls_engine.AUTHORITY.cert_pem.write_to_path(str(ca))
    context = test_tls_engine.server_context(ssl.TLSVersion.TLSv1_3)
    heads = {
        "small call": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "hijacked": test_tls_engine.HEADS["hijacked"],
    }

    def serve(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(heads[kind])
            secure.recv(65536)

    with test_tls_engine.serving(serve) as host:

        def make() -> object:
            api = APIClient(host, tls=TLSConfig(ca_cert=str(ca)), version="1.51", timeout=5)
            return api, test_tls_engine.CALLS[kind](api)

        assert_freed(make)


def test_client_through_ssh(engine: ScriptedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each connection is a process here, since forwarding is forbidden; the shared login ends by itself."""
    (tmp_path / "ssh").write_text(f"""#!/bin/sh
case "$*" in
*"-O forward"*) exit 1;;
*dial-stdio*) echo $$ >> {tmp_path}/pids; exec {sys.executable} -S -c '
import socket, sys, threading, os
sock = socket.socket(socket.AF_UNIX); sock.connect("{engine.host.removeprefix("unix://")}")
def copy():
    while data := sock.recv(4096): os.write(1, data)
threading.Thread(target=copy, daemon=True).start()
while data := os.read(0, 4096): sock.sendall(data)
';;
esac
""")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def make() -> object:
        api = APIClient("ssh://far/x.sock", version="1.51", timeout=20)
        api.inspect_container("abc")
        return api

    def gone() -> bool:
        return not any(os.path.exists(f"/proc/{pid}") for pid in (tmp_path / "pids").read_text().split())

    try:
        assert_freed(make, gone=gone)
        assert (tmp_path / "pids").read_text().count("\n") == 3  # one to find the engine
    finally:
        ssh._logins.pop("ssh://far/x.sock").close()


def test_registry_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with memory_registry() as server:
        server.tags["team/app"] = ["1"]

        def make() -> object:
            registry = Registry(server.host)
            assert registry.tags("team/app") == ["1"]
            return registry

        assert_freed(make)


def test_asynchronous_client(engine: ScriptedEngine) -> None:
    async def use() -> object:
        client = AsyncDockerClient(engine.host, version="1.51", timeout=5)
        await client.containers.get("abc")
        stream = await client.events(decode=True)
        assert await anext(aiter(stream))
        return client, stream

    def make() -> object:
        loop = asyncio.new_event_loop()
        try:
            return loop, loop.run_until_complete(use())
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    assert_freed(make)
