"""A small HTTP/1.1 server on a real socket that behaves like the Engine: streams, upgrades, half-closed connections.

The fake engine and the recorder are based on it. A handler receives each request and a :class:`Connection` for the response,
and controls every byte that is sent.
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
from typing import IO, Any
from urllib.parse import parse_qs

from dockerkit.streams.closable import SelfClosing

__all__ = ["Connection", "Handler", "Request", "Server"]

_PREFIX = re.compile(r"/v(\d+\.\d+)(?=/)")
_LINE = 64 * 1024
_JOIN = 5.0


@dataclass(frozen=True)
class Request:
    """A request with its body.

    Attributes:
        method: HTTP method.
        target: path and query as received.
        path: the path without ``/v1.xx``, still quoted.
        version: API version in the path; None if it has none.
        query: values of each parameter.
        headers: headers, with case-insensitive names.
        body: decoded body.
    """

    method: str
    target: str
    path: str
    version: str | None
    query: Mapping[str, list[str]]
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """Decoded JSON body; None if empty."""
        return json.loads(self.body) if self.body else None

    def param(self, name: str, default: str = "") -> str:
        """Return the last value of a query parameter."""
        return self.query.get(name, [default])[-1]

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a query parameter as a boolean, as the Engine parses it."""
        return self.param(name, "1" if default else "").lower() not in ("", "0", "false", "no", "none")


class Connection:
    """The connection of a request, for the response.

    Attributes:
        sock: the socket.
        keep: whether the connection serves another request after this one.
    """

    def __init__(self, sock: socket.socket, closing: threading.Event) -> None:
        self.sock = sock
        self.keep: bool = True
        self.rfile: io.BufferedReader = sock.makefile("rb")
        self.closing = closing

    def send(self, data: bytes) -> None:
        """Send exactly these bytes."""
        self.sock.sendall(data)

    def recv(self, size: int = 65536) -> bytes:
        """Receive data sent after the request, at most ``size`` bytes; b"" at the end."""
        return self.rfile.read1(size)

    def close_reading(self) -> None:
        """Stop receiving; a waiting :meth:`recv` returns the end."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)

    def half_close(self) -> None:
        """Close the sending side; the client may continue to send."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def head(self, status: int, headers: Mapping[str, str] | None = None, reason: str | None = None) -> None:
        """Send the status line and headers."""
        phrase = reason if reason is not None else HTTPStatus(status).phrase
        lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def respond(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Send a complete response with its length."""
        self.head(status, {**(headers or {}), **({} if status in (204, 304) else {"Content-Length": str(len(body))})})
        if body:
            self.send(body)

    def json(self, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Send a JSON response."""
        self.respond(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    @contextlib.contextmanager
    def chunked(
        self, media_type: str, headers: Mapping[str, str] | None = None, status: int = 200
    ) -> Iterator[Callable[[bytes], None]]:
        """Send a chunked response: yields a function that sends one chunk, and ends it if the block succeeds."""
        self.head(status, {"Content-Type": media_type, "Transfer-Encoding": "chunked", **(headers or {})})

        def chunk(data: bytes) -> None:
            if data:
                self.send(b"%x\r\n%s\r\n" % (len(data), data))

        keep = self.keep
        self.keep = False  # restored on success; if the block raises, the client sees a truncated response
        yield chunk
        self.send(b"0\r\n\r\n")
        self.keep = keep

    def stream(self, chunks: Iterable[bytes], media_type: str, headers: Mapping[str, str] | None = None) -> None:
        """Send a chunked response from these chunks."""
        with self.chunked(media_type, headers) as chunk:
            for data in chunks:
                chunk(data)

    def upgrade(self, media_type: str = "application/vnd.docker.raw-stream") -> None:
        """Take over the connection for raw bytes in both directions."""
        self.head(101, {"Content-Type": media_type, "Connection": "Upgrade", "Upgrade": "tcp"}, reason="UPGRADED")
        self.keep = False

    def gone(self) -> bool:
        """Whether the client has disconnected, or the server is being closed."""
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


Handler = Callable[[Request, Connection], None]


def _line(rfile: IO[bytes]) -> bytes:
    line = rfile.readline(_LINE)
    if not line.endswith(b"\n"):
        raise ConnectionError("the client disconnected in the middle of a line")
    return line.rstrip(b"\r\n")


def _exactly(rfile: IO[bytes], size: int) -> bytes:
    data = rfile.read(size)
    if len(data) < size:
        raise ConnectionError("the client disconnected in the middle of a body")
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
    parts = first.decode("latin-1").split()
    if len(parts) != 3:  # not HTTP/1, such as a client that continues with HTTP/2 after a refused upgrade
        return None
    method, target, _ = parts
    headers = http.client.parse_headers(rfile)
    prefix = _PREFIX.match(target)
    path, _, query = target[prefix.end() if prefix else 0 :].partition("?")
    version, parameters = prefix[1] if prefix else None, parse_qs(query, keep_blank_values=True)
    return Request(method, target, path, version, parameters, headers, _body(rfile, headers))


class Server(SelfClosing):
    """Serves a handler on a Unix socket or a port of 127.0.0.1 until it is closed.

    Args:
        handler: called with each request, in the connection's thread.
        tcp: listen on a free port instead of a Unix socket.
        path: path of the Unix socket; None for a new temporary folder.

    Attributes:
        host: ``unix:///…`` or ``tcp://127.0.0.1:…``.
        connections: number of accepted connections.
    """

    def __init__(self, handler: Handler, *, tcp: bool = False, path: str | None = None) -> None:
        self.connections: int = 0
        self._handler = handler
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._wires: set[Connection] = set()
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
            wire = Connection(sock, self._closing)
            thread = threading.Thread(target=self._serve, args=(wire,), name="dockerkit-testing", daemon=True)
            with self._lock:
                self.connections += 1
                self._wires.add(wire)
                self._threads = [*(running for running in self._threads if running.is_alive()), thread]
                thread.start()

    def _serve(self, wire: Connection) -> None:
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
        """Close all connections and threads, and remove the socket."""
        if self._closing.is_set():
            return
        self._closing.set()
        with contextlib.suppress(OSError), socket.socket(self._listener.family) as waker:
            waker.connect(self._listener.getsockname())  # makes accept() return
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
