"""TLS with a half-close that loses nothing, with Python's server side."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

import pytest
import trustme

from dockerkit.transport import tls_stream
from dockerkit.transport.attempt import Attempt

CA = trustme.CA()


def served(serve: Callable[[ssl.SSLSocket], None]) -> tuple[socket.socket, threading.Thread]:
    """Return the client's end of a connection to a TLS server in a thread."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("engine").configure_cert(context)
    theirs, ours = socket.socketpair()

    def run() -> None:
        with theirs, contextlib.suppress(OSError), context.wrap_socket(theirs, server_side=True) as sock:
            serve(sock)

    thread = threading.Thread(target=run)
    thread.start()
    return ours, thread


def connect(sock: socket.socket, context: ssl.SSLContext, name: str, timeout: float = 10) -> socket.socket:
    sock.setblocking(False)
    return tls_stream.connect(sock, context, name, Attempt(timeout))


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    CA.configure_trust(context)
    return context


@pytest.mark.parametrize("size", [5, 3_000_000])
def test_data_arrives_before_and_after_a_half_close(size: int) -> None:
    received = bytearray()

    def serve(sock: ssl.SSLSocket) -> None:
        sender = threading.Thread(target=sock.sendall, args=(b"e" * size,))
        sender.start()
        while data := sock.recv(100_000):
            received.extend(data)
        sender.join()
        sock.sendall(b"late")

    ours, thread = served(serve)
    with connect(ours, trusting(), "engine") as sock:
        sock.sendall(b"in" * 100_000)
        time.sleep(0.1)  # data that the server sent first was not read yet
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(10)
        output = b"".join(iter(lambda: sock.recv(65536), b""))
        thread.join()
    assert output == b"e" * size + b"late"
    assert received == b"in" * 100_000


def test_rejects_a_certificate_for_another_name() -> None:
    def serve(sock: ssl.SSLSocket) -> None:
        sock.recv(1)

    ours, thread = served(serve)
    with ours, pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        connect(ours, trusting(), "other")
    ours.close()
    thread.join()


def test_silent_server_times_out() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(TimeoutError):
            connect(ours, trusting(), "engine", timeout=0.05)


def test_closing_ends_the_threads() -> None:
    ended = threading.Event()

    def serve(sock: ssl.SSLSocket) -> None:
        with pytest.raises(OSError):
            while sock.recv(1):
                pass
            raise ConnectionError("a clean end is one, too")
        ended.set()

    ours, thread = served(serve)
    connect(ours, trusting(), "engine").close()
    thread.join(5)
    assert ended.is_set()
    deadline = time.monotonic() + 5
    while any(thread.name == "dockerkit-tls" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(thread.name == "dockerkit-tls" for thread in threading.enumerate())
