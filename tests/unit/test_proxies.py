"""Engines behind proxies: HTTP, HTTPS and SOCKS, each a real one that passes bytes on."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from scripted_engine import Answer, ScriptedEngine

from dockerkit import errors
from dockerkit.api.client import APIClient

Greet = Callable[[socket.socket], str]
"""Handle a client's request for a connection; return the requested host."""


def exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError("the client left")
        data += more
    return data


def http(sock: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(sock, 1)
    if b"bWU6cEBzcw==" not in head:  # me:p@ss
        sock.sendall(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
        raise ConnectionError
    sock.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
    return head.split()[1].decode().rpartition(":")[0]


def socks5(sock: socket.socket) -> str:
    _, methods = exactly(sock, 2)
    assert 2 in exactly(sock, methods)
    sock.sendall(b"\x05\x02")
    name = exactly(sock, exactly(sock, 2)[1])
    password = exactly(sock, exactly(sock, 1)[0])
    sock.sendall(b"\x01" + (b"\x00" if (name, password) == (b"me", b"p@ss") else b"\x01"))
    assert exactly(sock, 4) == b"\x05\x01\x00\x03"  # connect, to a name
    host = exactly(sock, exactly(sock, 1)[0]).decode()
    exactly(sock, 2)
    sock.sendall(b"\x05\x00\x00\x01" + bytes(6))
    return host


class Proxy:
    def __init__(self, greet: Greet, engine: str, context: ssl.SSLContext | None = None) -> None:
        self.hosts: list[str] = []
        self._greet, self._context = greet, context
        host, _, port = engine.removeprefix("tcp://").partition(":")
        self._engine = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(sock,)))
                self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(sock)
            if self._context is not None:
                sock = stack.enter_context(self._context.wrap_socket(sock, server_side=True))
            self.hosts.append(self._greet(sock))
            engine = stack.enter_context(socket.create_connection(self._engine))
            back = threading.Thread(target=pump, args=(engine, sock))
            back.start()
            pump(sock, engine)
            back.join()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for sock in (source, target):
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


@pytest.fixture
def engine() -> Iterator[ScriptedEngine]:
    engine = ScriptedEngine(tcp=True)
    engine.on("GET", "/info", Answer.json({"ID": "behind"}))
    engine.on("POST", "/exec/e/start", Answer.upgraded(echo=True))
    yield engine
    engine.close()


@pytest.mark.parametrize("kind", ["http", "https", "socks5h"])
@pytest.mark.parametrize("password", ["p%40ss", "wrong"])
def test_through_a_real_proxy(
    engine: ScriptedEngine, kind: str, password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = None
    if kind == "https":
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    proxy = Proxy(socks5 if kind.startswith("socks") else http, engine.host, context)
    environment = {"HTTP_PROXY": f"{kind}://me:{password}@localhost:{proxy.port}"}
    try:
        with APIClient("tcp://engine.invalid:2375", version="1.51", environment=environment, timeout=5) as api:
            if password == "wrong":
                with pytest.raises(errors.ConnectionFailed, match="proxy localhost") as caught:
                    api.info()
                assert "wrong" not in str(caught.value)
                return
            assert api.info() == {"ID": "behind"}
            with api.exec_start("e", socket=True) as link:
                link.sendall(b"both ways")
                received = b""
                while len(received) < 9:
                    received += link.recv()
                assert received == b"both ways"
        assert set(proxy.hosts) == {"engine.invalid"}
    finally:
        proxy.close()
