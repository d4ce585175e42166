"""A small HTTP/1.1 server on a real socket, with the Engine's ways: streams, upgrades, half-closed connections.

What the fake engine and the recorder stand on. A handler gets each request and the :class:`Wire` to answer on; what it
writes is what goes out, byte for byte.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import re
import select
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any, Self
from urllib.parse import parse_qs

__all__ = ["Handler", "Request", "Server", "Wire"]

_PREFIX = re.compile(r"/v(\d+\.\d+)(?=/)")
_LINE = 64 * 1024
_JOIN = 5.0


@dataclass(frozen=True)
class Request:
    """One request, read to its end.

    Attributes:
        method: the verb.
        target: path and query as they came.
        path: the path without ``/v1.xx``, still quoted.
        version: the API version in the path; None where there is none.
        query: each parameter's values.
        headers: the headers; names in any case.
        body: the body, chunks put together.
    """

    method: str
    target: str
    path: str
    version: str | None
    query: Mapping[str, list[str]]
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body decoded; None where it is empty."""
        return json.loads(self.body) if self.body else None

    def param(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return self.query.get(name, [default])[-1]

    def flag(self, name: str, default: bool = False) -> bool:
        """A query parameter read as the Engine reads booleans."""
        return self.param(name, "1" if default else "").lower() not in ("", "0", "false", "no", "none")


class Wire:
    """The connection that a request came on, to answer it.

    Attributes:
        sock: the socket itself.
        keep: whether the connection serves another request after this one.
    """

    def __init__(self, sock: socket.socket, closing: threading.Event) -> None:
        self.sock = sock
        self.keep: bool = True
        self.rfile: io.BufferedReader = sock.makefile("rb")
        self.closing = closing

    def send(self, data: bytes) -> None:
        """Exactly these bytes."""
        self.sock.sendall(data)

    def recv(self, size: int = 65536) -> bytes:
        """What the client has sent after its request, at most ``size`` bytes; b"" at its end."""
        return self.rfile.read1(size)

    def close_reading(self) -> None:
        """Hear no more of the client; who waits in :meth:`recv` sees the end."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)

    def half_close(self) -> None:
        """Say that nothing more will be sent; the client may go on."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def head(self, status: int, headers: Mapping[str, str] | None = None, reason: str | None = None) -> None:
        """The status line and headers."""
        phrase = reason if reason is not None else HTTPStatus(status).phrase
        lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """A whole answer with its length."""
        self.head(status, {**(headers or {}), **({} if status in (204, 304) else {"Content-Length": str(len(body))})})
        if body:
            self.send(body)

    def json(self, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """A JSON answer."""
        self.answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    @contextlib.contextmanager
    def chunked(
        self, media_type: str, headers: Mapping[str, str] | None = None, status: int = 200
    ) -> Iterator[Callable[[bytes], None]]:
        """A streamed answer: yields what sends one chunk; the end is marked when the block ends well."""
        self.head(status, {"Content-Type": media_type, "Transfer-Encoding": "chunked", **(headers or {})})

        def chunk(data: bytes) -> None:
            if data:
                self.send(b"%x\r\n%s\r\n" % (len(data), data))

        self.keep, keep = False, self.keep  # stays so when the block raises: the client sees a truncated answer
        yield chunk
        self.send(b"0\r\n\r\n")
        self.keep = keep

    def stream(self, chunks: Iterable[bytes], media_type: str, headers: Mapping[str, str] | None = None) -> None:
        """A streamed answer out of these chunks."""
        with self.chunked(media_type, headers) as chunk:
            for data in chunks:
                chunk(data)

    def upgrade(self, media_type: str = "application/vnd.docker.raw-stream") -> None:
        """Take the connection over: from now on it is bytes both ways."""
        self.head(101, {"Content-Type": media_type, "Connection": "Upgrade", "Upgrade": "tcp"}, reason="UPGRADED")
        self.keep = False

    def gone(self) -> bool:
        """Whether the client has left, or the server is being closed."""
        if self.closing.is_set():
            return True
        try:
            readable = select.select([self.sock], [], [], 0)[0]
            return bool(readable) and not self.sock.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.rfile.close()
        self.sock.close()


Handler = Callable[[Request, Wire], None]


def _line(rfile: IO[bytes]) -> bytes:
    line = rfile.readline(_LINE)
    if not line.endswith(b"\n"):
        raise ConnectionError("the client left in the middle of a line")
    return line.rstrip(b"\r\n")


def _exactly(rfile: IO[bytes], size: int) -> bytes:
    data = rfile.read(size)
    if len(data) < size:
        raise ConnectionError("the client left in the middle of a body")
    return data


def _body(rfile: IO[bytes], headers: http.client.HTTPMessage) -> bytes:
    if "chunked" not in headers.get("Transfer-Encoding", "").lower():
        return _exactly(rfile, int(headers.get("Content-Length", 0)))
    chunks = []
    while size := int(_line(rfile).partition(b";")[0], 16):
        chunks.append(_exactly(rfile, size))
        _line(rfile)
    while _line(rfile):
        pass
    return b"".join(chunks)


def _read_request(rfile: IO[bytes]) -> Request | None:
    first = rfile.readline(_LINE)
    if not first:
        return None
    method, target, _ = first.decode("latin-1").split()
    headers = http.client.parse_headers(rfile)
    prefix = _PREFIX.match(target)
    path, _, query = target[prefix.end() if prefix else 0 :].partition("?")
    return Request(
        method,
        target,
        path,
        prefix[1] if prefix else None,
        parse_qs(query, keep_blank_values=True),
        headers,
        _body(rfile, headers),
    )


class Server:
    """Serves a handler on a Unix socket, or on a port of 127.0.0.1, until it is closed.

    Args:
        handler: called in the connection's thread with each request.
        tcp: listen on a free port instead of a Unix socket.
        path: where the Unix socket is to be; None for a new folder that goes with the server.

    Attributes:
        host: ``unix:///…`` or ``tcp://127.0.0.1:…``.
        connections: how many have been accepted.
    """

    def __init__(self, handler: Handler, *, tcp: bool = False, path: str | None = None) -> None:
        self.connections: int = 0
        self._handler = handler
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._wires: set[Wire] = set()
        self._threads: list[threading.Thread] = []
        self._folder: str | None = None
        self._path: str | None = None
        if tcp or not hasattr(socket, "AF_UNIX"):  # Windows
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.host: str = "tcp://{}:{}".format(*self._listener.getsockname()[:2])
        else:
            if path is None:
                self._folder = tempfile.mkdtemp(prefix="dockerkit-")
            self._path = path or f"{self._folder}/engine.sock"
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(self._path)
            self._listener.listen(128)
            self.host = f"unix://{self._path}"
        self._acceptor = threading.Thread(target=self._accept, name="dockerkit-testing-accept", daemon=True)
        self._acceptor.start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._closing.is_set():
                sock.close()
                return
            wire = Wire(sock, self._closing)
            thread = threading.Thread(target=self._serve, args=(wire,), name="dockerkit-testing", daemon=True)
            with self._lock:
                self.connections += 1
                self._wires.add(wire)
                self._threads = [*(known for known in self._threads if known.is_alive()), thread]
                thread.start()

    def _serve(self, wire: Wire) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                while wire.keep and not self._closing.is_set():
                    request = _read_request(wire.rfile)
                    if request is None:
                        break
                    if request.headers.get("Connection", "").lower() == "close":
                        wire.keep = False
                    self._handler(request, wire)
        finally:
            with self._lock:
                self._wires.discard(wire)
            wire.close()

    def close(self) -> None:
        """End all connections and threads, and remove the socket."""
        if self._closing.is_set():
            return
        self._closing.set()
        with contextlib.suppress(OSError), socket.socket(self._listener.family) as waker:
            waker.connect(self._listener.getsockname())  # accept() returns and sees the end
        self._acceptor.join(_JOIN)
        self._listener.close()
        with self._lock:
            wires, threads = list(self._wires), list(self._threads)
        for wire in wires:
            with contextlib.suppress(OSError):
                wire.sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN)
        if self._path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
