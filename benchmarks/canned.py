"""An engine that sends prepared bytes from a process of its own, so that only the client's CPU time is measured.

It responds as dockerd does: connections stay open, heads have the same fields, a body above 2,048 bytes is one chunk and a
smaller one has a length, archives come in chunks of 32 KiB, and each frame, event or record is a chunk that is sent at once.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

Send = Callable[[socket.socket], None]
HEAD = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nDocker-Experimental: false\r\nOstype: linux\r\n"
    b"Server: Docker/26.1.5 (linux)\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\n"
)
PING = (
    HEAD + b"Builder-Version: 2\r\nCache-Control: no-cache, no-store, must-revalidate\r\nPragma: no-cache\r\n"
    b"Swarm: inactive\r\nContent-Length: 2\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
)
RAW = b"application/vnd.docker.raw-stream"
FRAMES = b"application/vnd.docker.multiplexed-stream"


def whole(body: bytes, media: bytes = b"application/json", status: bytes = b"200 OK") -> Send:
    """Return a body: with its length if it is small, else as one chunk."""
    head = HEAD.replace(b"200 OK", status) + b"Content-Type: %s\r\n" % media
    if len(body) > 2048:
        wire = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    else:
        wire = head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    return lambda sock: sock.sendall(wire)


def empty(sock: socket.socket) -> None:
    """Return 204 without a body."""
    sock.sendall(HEAD.replace(b"200 OK", b"204 No Content") + b"\r\n")


def chunked(block: bytes, times: int, media: bytes = b"application/json", *, size: int = 0, together: int = 1) -> Send:
    """Return the same block many times, a chunk each.

    Args:
        block: content of a chunk.
        times: how often.
        media: content type.
        size: send chunks of this size instead, cut without regard to the content, as a proxy does.
        together: chunks in one send, as a client finds them that reads more slowly than the engine writes.
    """
    head = HEAD + b"Content-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % media

    def send(sock: socket.socket) -> None:
        sock.sendall(head)
        if size:
            for piece in _cut(block, times, size):
                sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        else:
            wire = b"%x\r\n%s\r\n" % (len(block), block) * together
            for _ in range(times // together):
                sock.sendall(wire)
        sock.sendall(b"0\r\n\r\n")

    return send


def _cut(block: bytes, times: int, size: int) -> Iterator[bytes]:
    rest = b""
    for _ in range(times):
        rest += block
        while len(rest) >= size:
            yield rest[:size]
            rest = rest[size:]
    if rest:
        yield rest


def upgraded(block: bytes, times: int, media: bytes = FRAMES, pause: float = 0.02) -> Send:
    """A connection that is taken over, and closed by the engine at the end.

    The pause after the head is for docker-py, which loses data that arrives together with it.
    """
    head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: %s\r\n\r\n" % media

    def send(sock: socket.socket) -> None:
        sock.sendall(head)
        time.sleep(pause)
        for _ in range(times):
            sock.sendall(block)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass

    return send


def frames(size: int, total: int) -> bytes:
    """Frames with ``size`` bytes of payload each, ``total`` bytes together."""
    payload = (b"x" * (size - 1)) + b"\n"
    return b"".join(struct.pack(">BxxxL", 1 + n % 2, size) + payload for n in range(max(total // (size + 8), 1)))


class Engine:
    """Serve routes until it is closed.

    Args:
        path: of the socket.
        routes: (method, pattern of the path without version) to what is sent.
    """

    def __init__(self, path: Path, routes: dict[tuple[str, str], Send]) -> None:
        self.path = path
        ready = multiprocessing.Event()
        self.requests = multiprocessing.Value("q", 0)
        self.connections = multiprocessing.Value("q", 0)
        everything = {
            ("GET", "/_ping"): lambda sock: sock.sendall(PING + b"OK"),
            ("HEAD", "/_ping"): lambda sock: sock.sendall(PING),
            ("GET", "/version"): whole(VERSION),
            **routes,
        }
        self._process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(path, everything, ready, self.requests, self.connections), daemon=True
        )
        self._process.start()
        ready.wait(10)

    def counts(self) -> tuple[int, int]:
        """Requests and connections since the last call."""
        counted = self.requests.value, self.connections.value
        self.requests.value = self.connections.value = 0
        return counted

    def close(self) -> None:
        """Stop the process, and remove the socket."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.path.unlink(missing_ok=True)


VERSION = b'{"Version":"26.1.5","ApiVersion":"1.45","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64"}'


def _serve(path: Path, routes: dict[tuple[str, str], Send], ready, requests, connections) -> None:  # type: ignore[no-untyped-def]
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    table = [(method, re.compile(pattern + r"$"), send) for (method, pattern), send in routes.items()]
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(256)
    ready.set()
    while True:
        sock, _ = server.accept()
        connections.value += 1
        threading.Thread(target=_converse, args=(sock, table, requests), daemon=True).start()


def _converse(sock: socket.socket, table, requests) -> None:  # type: ignore[no-untyped-def]
    with contextlib.suppress(OSError), sock:
        buffered = sock.makefile("rb", 1024 * 1024)
        while line := buffered.readline():
            method, target, _ = line.decode().split(" ", 2)
            headers = {}
            while (header := buffered.readline()) not in (b"\r\n", b""):
                name, _, value = header.decode().partition(":")
                headers[name.lower()] = value.strip()
            _swallow(buffered, headers)
            requests.value += 1
            path = re.sub(r"^/v1\.\d+", "", target.partition("?")[0])
            send = next((send for verb, pattern, send in table if verb == method and pattern.match(path)), None)
            (send or whole(b'{"message":"no such route"}', status=b"404 Not Found"))(sock)


def _swallow(buffered, headers: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    """Read a request's body, and discard it."""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(buffered.readline().split(b";")[0], 16):
            _skip(buffered, size + 2)
        buffered.readline()
    elif length := int(headers.get("content-length", 0)):
        _skip(buffered, length)


def _skip(buffered, count: int) -> None:  # type: ignore[no-untyped-def]
    while count:
        count -= len(buffered.read(min(count, 1024 * 1024)))
