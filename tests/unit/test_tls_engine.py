"""An engine behind real TLS sockets: slow handshakes, missing client certificates, and ends without close_notify."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from dockerkit import errors
from dockerkit.api.client import APIClient
from dockerkit.endpoint.tls import TLSConfig

AUTHORITY = trustme.CA()
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
CALLS: dict[str, Callable[[APIClient], object]] = {
    "small call": lambda api: api.inspect_container("abc"),
    "stream": lambda api: list(api.logs("abc", stream=True, follow=True)),
    "hijacked": lambda api: api.exec_start("abc", socket=True),
}


@pytest.fixture
def ca(tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(version: ssl.TLSVersion, *, client_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    context.minimum_version = context.maximum_version = version
    if client_certificate:
        AUTHORITY.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextlib.contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve each connection in a thread; yield the address."""
    threads: list[threading.Thread] = []

    def handle(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            serve(sock)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threads.append(threading.Thread(target=handle, args=(listener.accept()[0],)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield "tcp://127.0.0.1:{}".format(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for thread in (acceptor, *threads):
                thread.join(10)
                assert not thread.is_alive()


@pytest.mark.parametrize("call", ["small call", "hijacked"])
def test_handshake_in_single_bytes_ends_with_the_connect_timeout(ca: str, call: str) -> None:
    def serve(sock: socket.socket) -> None:
        sock.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB, of which a byte at a time arrives
        while True:
            sock.sendall(b"\x02")
            time.sleep(0.02)

    with serving(serve) as host, APIClient(host, tls=TLSConfig(ca_cert=ca), version="1.51", timeout=0.3) as api:
        begun = time.monotonic()
        with pytest.raises(errors.ConnectTimeout, match="no connection within the connect timeout"):
            CALLS[call](api)
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("call", CALLS)
def test_missing_client_certificate_is_named(ca: str, call: str, version: ssl.TLSVersion) -> None:
    context = server_context(version, client_certificate=True)

    def serve(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True):
            pass

    with serving(serve) as host, APIClient(host, tls=TLSConfig(ca_cert=ca), version="1.51", timeout=5) as api:
        for _ in range(5):
            with pytest.raises(errors.ConnectionFailed) as caught:
                CALLS[call](api)
            assert "The engine requires a client certificate: pass TLSConfig(client_cert=" in str(caught.value)


HEADS = {
    "stream": b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n",
    "hijacked": b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
}
READS: dict[str, Callable[[APIClient], bytes]] = {
    "stream": lambda api: b"".join(api.logs("abc", stream=True, follow=True)),
    "hijacked": lambda api: api.exec_start("abc", tty=True),
}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("kind", READS)
def test_only_close_notify_ends_output_without_length(ca: str, kind: str, clean: bool, version: ssl.TLSVersion) -> None:
    context = server_context(version)

    def serve(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as secure:
            request = b""
            while b"\r\n\r\n" not in request:
                request += secure.recv(65536)
            if b"/json HTTP" in request:
                body = b'{"Config":{"Tty":true},"ProcessConfig":{"tty":true}}'
                secure.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                return
            secure.sendall(HEADS[kind] + b"so far")
            if clean:
                secure.unwrap()

    with serving(serve) as host, APIClient(host, tls=TLSConfig(ca_cert=ca), version="1.51", timeout=5) as api:
        if clean:
            assert READS[kind](api) == b"so far"
        else:
            with pytest.raises(errors.StreamTruncated, match="without TLS's closing message"):
                READS[kind](api)


def test_no_client_certificate_is_asked_for_once_a_request_was_accepted(ca: str) -> None:
    context = server_context(ssl.TLSVersion.TLSv1_3)

    def serve(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            secure.recv(65536)

    with serving(serve) as host, APIClient(host, tls=TLSConfig(ca_cert=ca), version="1.51", timeout=5) as api:
        assert api.inspect_container("abc") == {}
        with pytest.raises(errors.ConnectionFailed, match="whether the request took effect is not known"):
            api.start("abc")
