"""HTTP to one engine: sends requests, and returns a :class:`Response` or a :class:`HijackedConnection`."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dockerkit import runtime
from dockerkit.errors import ClientClosed, DockerException, RequestCancelled, StreamParseError
from dockerkit.transport import failures
from dockerkit.transport.attempt import Attempt
from dockerkit.transport.base import HTTPRequest
from dockerkit.transport.connection import Connection
from dockerkit.transport.dial import Dial, Dialer
from dockerkit.transport.exchange import Response
from dockerkit.transport.hijack import HijackedConnection
from dockerkit.transport.http1 import Disconnected, Head, request_head
from dockerkit.transport.pool import Pool
from dockerkit.transport.scope import current
from dockerkit.transport.upload import MAX_INLINE_BODY, known_size, send_body

if TYPE_CHECKING:
    from dockerkit.endpoint.discovery import Endpoint

# Methods that may be repeated on a new connection if an idle one turns out to be closed.
_SAFE = frozenset({"GET", "HEAD"})
_DISCONNECT_ERRORS = (Disconnected, ConnectionResetError, BrokenPipeError)
_SWITCHING_PROTOCOLS, _OK = 101, 200


class HTTPTransport:
    """Sends requests to one engine. It is thread-safe; a forked child gets its own connections.

    Args:
        endpoint: where the engine is.
        max_idle: maximum number of idle connections.
        connect_retry: seconds to retry while an engine that was reachable before refuses connections.
        dial: opens connections instead; see :class:`dockerkit.transport.dial.Dialer`.

    Attributes:
        host_header: Host header of its requests.
        pool: open connections.
    """

    def __init__(
        self, endpoint: Endpoint, *, max_idle: int = 64, connect_retry: float = 0, dial: Dial | None = None
    ) -> None:
        self.endpoint = endpoint
        self._dial = Dialer(endpoint, connect_retry, dial)
        self.host_header: str = host_header(endpoint.host)
        self._prefix = endpoint.path if endpoint.scheme == "tcp" else ""
        self.pool: Pool = Pool(self._dial, max_idle)

    def dial(self, timeout: float | None = None, protocol: str | None = None) -> socket.socket:
        """Return a connected socket for a protocol other than HTTP/1.1; the caller closes it."""
        attempt = Attempt(timeout)
        try:
            sock = self._dial(attempt, protocol=protocol)
        finally:
            attempt.done()
        sock.setblocking(True)
        return sock

    def send(self, request: HTTPRequest) -> Response:
        """Send a request and wait for the head of the response.

        Returns:
            The response; the caller reads it to the end or closes it.

        Raises:
            ConnectionFailed: connecting failed, or the connection broke before a response arrived.
            ReadTimeout: no response arrived in time.
            ClientClosed: the client is closed.
            RequestCancelled: the caller's scope was cancelled.
        """
        method, target, headers, body, timeouts, _ = request
        size = known_size(body)
        length = None if body is None else size
        head = request_head(
            method, self._prefix + target, self.host_header, headers, length, chunked=body is not None and size is None
        )
        if isinstance(body, bytes) and len(body) <= MAX_INLINE_BODY:
            head, body = head + body, None
        send_timeout = timeouts.head if timeouts.read is None else timeouts.read
        connection: Connection | None = None
        responded_early = False
        try:
            while True:
                try:
                    connection = self.pool.take(timeouts.connect, fresh=connection is not None)
                    connection.send_all(head, send_timeout)
                    if body is not None:
                        responded_early = not send_body(connection, body, size, send_timeout)
                    response_head = connection.read_head(method, timeouts.head)
                except _DISCONNECT_ERRORS:
                    # The engine has closed an idle connection: nothing was sent, or repeating the request is harmless.
                    if connection is None or not connection.used or responded_early or self.pool.closed:
                        raise
                    if method not in _SAFE and connection.sent:
                        raise
                    self.pool.release(connection, False)
                    continue
                if (
                    response_head.version == b"1.0"
                    and self.endpoint.tls is None
                    and _wants_tls(response_head, connection)
                ):
                    raise failures.tls_required(self.endpoint)
                connection.used += 1
                if responded_early:
                    response_head = response_head._replace(reusable=False)
                return Response(response_head, connection, self.pool, f"{method} {request.path}", timeouts.read)
        except BaseException as error:
            self._handle_failure(request, connection, error)
            raise

    def upgrade(self, request: HTTPRequest) -> HijackedConnection | Response:
        """Send a request that takes its connection over.

        It always opens a new connection. Input may be sent as soon as this method returns.

        Returns:
            The raw connection, or the response if the engine refused.
        """
        method, target, headers, body, timeouts, _ = request
        payload = body if isinstance(body, bytes) else b""
        upgrade = {"Connection": "Upgrade", "Upgrade": "tcp", **headers}
        head = request_head(method, self._prefix + target, self.host_header, upgrade, len(payload), chunked=False)
        request_line = f"{method} {request.path}"
        connection: Connection | None = None
        try:
            connection = self.pool.take(timeouts.connect, half_close=True)
            connection.send_all(head + payload, timeouts.head)
            response_head = connection.read_head(method, timeouts.head, upgrade=True)
            if response_head.status in (_SWITCHING_PROTOCOLS, _OK):
                _refuse_body(response_head, request_line)
                return HijackedConnection(response_head, connection, self.pool, request_line)
        except BaseException as error:
            self._handle_failure(request, connection, error)
            raise
        return Response(response_head._replace(reusable=False), connection, self.pool, request_line, timeouts.head)

    def close(self) -> None:
        """Close all connections; calls in other threads raise :class:`ClientClosed`."""
        self.pool.close()
        if self.endpoint.scheme == "ssh":
            from dockerkit.transport import ssh

            runtime.run_blocking(ssh.close_shared_login, self.endpoint)

    def _handle_failure(self, request: HTTPRequest, connection: Connection | None, error: BaseException) -> None:
        """Close the connection, and raise an exception that explains the error, unless it needs no explanation."""
        scope = current()
        if connection is not None:
            self.pool.release(connection, False)
        if isinstance(error, DockerException) or not isinstance(error, OSError):
            return
        request_line = f"{request.method} {request.path}"
        if self.pool.closed:
            raise ClientClosed(f"the client was closed during {request_line}") from error
        if scope is not None and scope.cancelled:
            raise RequestCancelled(f"{request_line} was cancelled") from error
        if isinstance(error, TimeoutError):
            raise failures.read_timeout(request_line, request.timeouts.head, scope) from error
        raise failures.no_response(self.endpoint, request_line, error, connection) from error


def _wants_tls(response_head: Head, connection: Connection) -> bool:
    """Return whether this is a TLS server's response to plain HTTP."""
    if response_head.status != 400:
        return False
    if not connection.buffer:
        with contextlib.suppress(OSError):
            connection.buffer = connection.recv(200, connection.deadline_after(1))
    return b"HTTPS server" in connection.buffer


def _refuse_body(response_head: Head, request_line: str) -> None:
    """Refuse a response with a body, which is not an upgraded connection: reading it would never end."""
    if response_head.status == _OK and (response_head.chunked or response_head.length is not None):
        raise StreamParseError(
            f"{request_line} returned a body instead of upgrading the connection; "
            "is there a proxy in between that does not forward upgrades?"
        )


def host_header(host: str) -> str:
    """Return the Host header: the address for tcp, otherwise a placeholder."""
    return urlsplit(host).netloc.rpartition("@")[2] if host.startswith("tcp://") else "docker"
