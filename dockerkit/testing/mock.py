"""A transport without a network: a function from requests to responses."""

from __future__ import annotations

import contextlib
import json as jsonlib
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from dockerkit import runtime
from dockerkit.api import versions
from dockerkit.errors import ClientClosed, ConnectionFailed
from dockerkit.streams.closable import SelfClosing
from dockerkit.transport import HijackedConnection, HTTPRequest
from dockerkit.transport.connection import Connection
from dockerkit.transport.http1 import Head, Headers

if TYPE_CHECKING:
    import threading

__all__ = ["MockResponse", "MockTransport"]


class MockResponse(SelfClosing):
    """A response of a test.

    Args:
        status: HTTP status; 101 takes over the connection, for attach and exec.
        json: body as a value, or as a list of records with ``stream``.
        content: body as bytes, or as blocks that are passed on one by one.
        headers: response headers.
        stream: send each item of ``json`` as a separate line, as events and pulls do.
    """

    def __init__(
        self,
        status: int = 200,
        *,
        json: object = None,
        content: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> None:
        named = dict(headers or {})
        if json is not None:
            named.setdefault("Content-Type", "application/json")
            records = json if stream and isinstance(json, list) else [json]
            content = [jsonlib.dumps(record).encode() + b"\n" for record in records]
        self.status: int = status
        self.reason: str = HTTPStatus(status).phrase
        self.headers: Mapping[str, str] = Headers(
            [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
        )
        self.received: int = 0
        self.closed: bool = False
        self._blocks: Iterator[bytes] = iter([content] if isinstance(content, bytes) else content)
        self._done: list[Callable[[], None]] = []

    def read(self, limit: int = -1) -> bytes:
        """Return the whole body."""
        return b"".join(self.chunks())

    def chunks(self, size: int = -1) -> Iterator[bytes]:
        """Yield the body in blocks."""
        for block in self._blocks:
            if self.closed:
                return
            self.received += len(block)
            yield block
        self._finish()

    def when_done(self, callback: Callable[[], None], /) -> None:
        """Call a function at the end of the body."""
        self._done.append(callback)

    def close(self) -> None:
        """Stop reading."""
        self.closed = True
        self._finish()

    def _finish(self) -> None:
        done, self._done = self._done, []
        for callback in done:
            callback()


class MockTransport:
    """Responds to every request with a function of the test.

    The transport itself responds to ``/_ping``, so the API version is negotiated without the handler.

    Args:
        handler: function that receives a request and returns its response.
        api_version: newest API version of the simulated engine; None for the newest that dockerkit supports.

    Attributes:
        requests: all requests except ``/_ping``.
        input: data written to taken-over connections, one item each.

    Example::

        def handler(request):
            return MockResponse(json=[{"Id": "abc", "Names": ["/web"], "State": "running"}])

        with DockerClient(transport=MockTransport(handler)) as client:
            assert [container.name for container in client.containers.list()] == ["web"]
    """

    def __init__(self, handler: Callable[[HTTPRequest], MockResponse], *, api_version: str | None = None) -> None:
        self.requests: list[HTTPRequest] = []
        self.input: list[bytearray] = []
        self.closed: bool = False
        self._readers: dict[int, threading.Thread] = {}
        self._handler = handler
        self._api_version = api_version or versions.CEILING

    def send(self, request: HTTPRequest) -> MockResponse:
        """Return the handler's response."""
        if self.closed:
            raise ClientClosed("this transport is closed")
        if request.path == "/_ping":
            return MockResponse(content=b"OK", headers={"Api-Version": self._api_version})
        self.requests.append(request)
        return self._handler(request)

    def upgrade(self, request: HTTPRequest) -> HijackedConnection | MockResponse:
        """Return a connection with the handler's content as its output, or raise the handler's error."""
        response = self.send(request)
        if response.status not in (101, 200):
            return response
        local, remote = socket.socketpair()
        received = bytearray()
        self.input.append(received)
        writer = runtime.Thread(_write, (remote, response), name="dockerkit-testing-output")
        writer.start()
        reader = runtime.Thread(_read, (remote, received, writer), name="dockerkit-testing-input")
        reader.start()
        head = Head(response.status, response.reason, response.headers, None, False, False, b"1.1")
        connection = Connection(local)
        self._readers[id(connection)] = reader
        return HijackedConnection(head, connection, self, f"{request.method} {request.path}")

    def dial(self, timeout: float | None = None, *, protocol: str | None = None) -> socket.socket:
        """Raise an error: there is nothing to connect to.

        Raises:
            ConnectionFailed: always.
        """
        raise ConnectionFailed("a MockTransport has no connections to dial")

    def close(self) -> None:
        """Reject further requests."""
        self.closed = True

    def release(self, connection: Connection, reusable: bool) -> None:
        """Close a taken-over connection, and wait until all input is recorded."""
        connection.close()
        if (reader := self._readers.pop(id(connection), None)) is not None:
            reader.join(5)


def _write(sock: socket.socket, response: MockResponse) -> None:
    with contextlib.suppress(OSError):
        for block in response.chunks():
            sock.sendall(block)
        sock.shutdown(socket.SHUT_WR)


def _read(sock: socket.socket, received: bytearray, writer: threading.Thread) -> None:
    with sock:
        with contextlib.suppress(OSError):
            while data := sock.recv(65536):
                received += data
        writer.join()  # the end of the input does not end the output
