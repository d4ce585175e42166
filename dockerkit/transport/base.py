"""The interface between calls and their transport: requests, responses and the transport protocol."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, Self

from dockerkit.transport.hijack import HijackedConnection
from dockerkit.transport.upload import Body

__all__ = ["Body", "HTTPRequest", "Response", "Timeouts", "Transport"]


class Timeouts(NamedTuple):
    """Limits of one request in seconds; None is no limit.

    Attributes:
        connect: time to connect.
        read: time of each wait for the body of the response, and while sending.
        head: time from the end of the request to the complete head of the response.
    """

    connect: float | None
    read: float | None
    head: float | None = None


class HTTPRequest(NamedTuple):
    """One complete request.

    Attributes:
        method: HTTP method.
        target: quoted path and query.
        headers: all headers except Host and those of the body's framing.
        body: None, bytes, a binary file (sent from its current position), or an iterable of bytes.
        timeouts: timeouts of this request.
        route: path template of the Engine API, for hooks; "" if unknown.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: Body = None
    timeouts: Timeouts = Timeouts(60, 60, 60)
    route: str = ""

    @property
    def path(self) -> str:
        """The target without its query, which may hold secrets."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        """The values of each query parameter."""
        from urllib.parse import parse_qs

        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    def json(self) -> Any:
        """Return the decoded JSON body; None if it is empty or a stream."""
        import json

        return json.loads(self.body) if isinstance(self.body, bytes) and self.body else None


class Response(Protocol):
    """A response: its head, and its body, which can be read once.

    Attributes:
        status: HTTP status.
        reason: reason phrase.
        headers: headers, with case-insensitive names.
        received: bytes of the body read so far.
        closed: whether :meth:`close` was called before the end.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    received: int
    closed: bool

    def read(self, limit: int = ...) -> bytes:
        """Return the whole body."""
        ...

    def chunks(self, size: int = ...) -> Iterator[bytes]:
        """Yield the body in blocks as they arrive."""
        ...

    def when_done(self, then: Callable[[], None], /) -> None:
        """Register a function to call at the end of the body."""

    def close(self) -> None:
        """Stop reading. Safe from any thread, signal handler or finalizer."""

    def __enter__(self) -> Self:
        """Return the response."""
        ...

    def __exit__(self, *_: object) -> None:
        """Close it."""


class Transport(Protocol):
    """Sends requests to one engine; pass your own as ``DockerClient(transport=...)``.

    It must be thread-safe. Error statuses are handled by the API layer.
    """

    def send(self, request: HTTPRequest, /) -> Response:
        """Send a request, and return its response as soon as the head has arrived.

        Raises:
            ConnectionFailed: there was no response.
            ReadTimeout: the response did not arrive in time.
            ClientClosed: the transport is closed.
        """
        ...

    def upgrade(self, request: HTTPRequest, /) -> HijackedConnection | Response:
        """Send a request that takes its connection over (attach, exec, sessions).

        Returns:
            The connection, or the response if the engine refuses.
        """
        ...

    def dial(self, timeout: float | None = None, /, protocol: str | None = None) -> socket.socket:
        """Return a new connected socket for a protocol other than HTTP/1.1; the caller closes it.

        `protocol` is the protocol that TLS, if used, must negotiate by ALPN: "h2".
        """
        ...

    def close(self) -> None:
        """Close all connections, including those in use."""
