"""Requests to one engine: a head and a body out, an :class:`Exchange` or a :class:`Hijacked` back."""

from __future__ import annotations

import http.client
import os
import ssl
import stat
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urlsplit

from dockerkit.errors import StreamParseError
from dockerkit.hooks import Call, Hook, watched
from dockerkit.transport import failures
from dockerkit.transport.dial import Dial, Dialer
from dockerkit.transport.exchange import Exchange
from dockerkit.transport.hijack import Hijacked
from dockerkit.transport.pool import Connection, Pool

if TYPE_CHECKING:
    import socket

    from dockerkit.config import Endpoint

Body = bytes | IO[bytes] | Iterable[bytes] | None

# What may be sent a second time over a new connection, if an idle one turns out to be dead.
_SAFE = frozenset({"GET", "HEAD"})
_BROKEN = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class Timeouts(NamedTuple):
    """Seconds for making a connection, and for each wait on an answer; None is no limit."""

    connect: float | None
    read: float | None


class Transport:
    """Carries requests to one engine. Threads may share it; a forked child gets connections of its own.

    Attributes:
        endpoint: where the engine is, and why it was taken.
        host_header: the Host header of its requests.
        pool: the open connections.
        hooks: told about each request.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        keep: int = 64,
        patience: float = 0,
        hooks: Sequence[Hook] = (),
        dial: Dial | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._dial = Dialer(endpoint, patience, dial)
        self.host_header: str = _host_header(endpoint.host)
        self.pool: Pool = Pool(self._dial, self.host_header, keep)
        self.hooks = hooks

    def dial(self, timeout: float | None = None) -> socket.socket:
        """A connected socket of its own, for what is no HTTP/1.1; the caller closes it."""
        return self._dial(timeout)

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Body = None,
        *,
        timeouts: Timeouts,
        route: str | None = None,
    ) -> Exchange:
        """Send a request and wait for the head of the answer.

        Args:
            method: the verb.
            target: path and query, quoted.
            headers: all headers but Host and those of the body's framing.
            body: bytes, a binary file (sent from where it stands), or blocks of bytes.
            timeouts: for this request.
            route: the path as in the Engine's API, for hooks.

        Returns:
            The answer; whoever gets it reads it to the end or closes it.

        Raises:
            ConnectionFailed: no connection, or it broke before an answer came.
            EngineTimeout: no answer within the read timeout.
            ClientClosed: the client is closed.
        """
        if self.hooks:
            call = self._call(method, target, route, body)
            return watched(self.hooks, call, lambda: self._request(method, target, headers, body, timeouts))
        return self._request(method, target, headers, body, timeouts)

    def _request(
        self, method: str, target: str, headers: Mapping[str, str], body: Body, timeouts: Timeouts
    ) -> Exchange:
        asked = f"{method} {target.partition('?')[0]}"  # a query may hold secrets: build arguments
        connection = self.pool.take(timeouts.connect)
        try:
            try:
                response = _ask(connection, method, target, headers, body, timeouts)
            except _BROKEN:
                if method not in _SAFE or not connection.used or self.pool.closed:
                    raise
                self.pool.give_back(connection, False)
                connection = self.pool.take(timeouts.connect, fresh=True)
                response = _ask(connection, method, target, headers, body, timeouts)
            if response.version == 10 and self.endpoint.tls is None and _wants_tls(response):
                raise failures.plain_on_tls_port(self.endpoint)
        except BaseException as error:
            self.pool.give_back(connection, False)
            self._explain(asked, connection, error)
            raise
        connection.used += 1
        return Exchange(response, connection, self.pool.give_back, asked)

    def upgrade(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        timeouts: Timeouts,
        route: str | None = None,
    ) -> Hijacked | Exchange:
        """Send a request that takes its connection over.

        The connection is a new one, and leaves the pool's care; input may be sent as soon as this returns.

        Returns:
            The raw connection, or the answer where the engine refused.
        """
        if self.hooks:
            call = self._call(method, target, route, body)
            return watched(self.hooks, call, lambda: self._upgrade(method, target, headers, body, timeouts))
        return self._upgrade(method, target, headers, body, timeouts)

    def _upgrade(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeouts: Timeouts
    ) -> Hijacked | Exchange:
        asked = f"{method} {target.partition('?')[0]}"
        connection = self.pool.take(timeouts.connect, fresh=True, dial=partial(self._dial, half_close=True))
        try:
            upgrade = {"Connection": "Upgrade", "Upgrade": "tcp", **headers}
            _send(connection, method, target, upgrade, body, timeouts)
            response = _head(connection, method)
            if response.status in (http.client.SWITCHING_PROTOCOLS, http.client.OK):
                _refuse_a_body(response, asked)
                return Hijacked(response, connection, self.pool.give_back, asked)
            response.will_close = True  # its head was read past the connection, which can't be used again
        except BaseException as error:
            self.pool.give_back(connection, False)
            self._explain(asked, connection, error)
            raise
        return Exchange(response, connection, self.pool.give_back, asked)

    def close(self) -> None:
        """Close all connections; calls that run in other threads end with :class:`ClientClosed`."""
        self.pool.close()
        if self.endpoint.host.startswith("ssh://"):
            from dockerkit.transport import ssh

            ssh.hang_up(self.endpoint)

    def _call(self, method: str, target: str, route: str | None, body: Body) -> Call:
        path = target.partition("?")[0]
        size = len(body) if isinstance(body, bytes) else 0 if body is None else _size(body)
        return Call(method, path, route or path, self.endpoint, size)

    def _explain(self, asked: str, connection: Connection, error: BaseException) -> None:
        """Raise what a broken connection means; leave alone what needs no explanation."""
        from dockerkit.errors import ClientClosed, DockerException

        if isinstance(error, DockerException) or not isinstance(error, (OSError, http.client.HTTPException)):
            return
        if self.pool.closed:
            raise ClientClosed(f"the client was closed during {asked}") from error
        if isinstance(error, TimeoutError):
            raise failures.read_timeout(asked, connection) from error
        raise failures.no_answer(self.endpoint, asked, error, connection) from error


def _wants_tls(response: http.client.HTTPResponse) -> bool:
    """Whether this is how a server of TLS answers plain HTTP; such an answer is then closed."""
    if response.status != http.client.BAD_REQUEST or b"HTTPS server" not in response.fp.peek(200):
        return False
    response.close()
    return True


def _refuse_a_body(response: http.client.HTTPResponse, asked: str) -> None:
    """A body of known size is no connection that was handed over: it would be waited for without end."""
    if response.status == http.client.OK and (response.chunked or response.length is not None):
        raise StreamParseError(
            f"{asked} was answered with a body of its own, not with the connection to read and write; "
            "is there a proxy in between that does not pass on upgrades?"
        )


def _ask(
    connection: Connection, method: str, target: str, headers: Mapping[str, str], body: Body, timeouts: Timeouts
) -> http.client.HTTPResponse:
    try:
        _send(connection, method, target, headers, body, timeouts)
    except (BrokenPipeError, ConnectionResetError):
        if body is None:
            raise
        # The engine refused a body before it was all sent: its answer is there to be read, and says why.
        response = _head(connection, method)
        response.will_close = True
        return response
    return connection.getresponse()


def _send(
    connection: Connection, method: str, target: str, headers: Mapping[str, str], body: Body, timeouts: Timeouts
) -> None:
    connection.timeout = timeouts.read
    connection.sock.settimeout(timeouts.read)
    framed = _framed(headers, body)
    if "Content-Length" in framed and not isinstance(connection.sock, ssl.SSLSocket):
        connection.request(method, target, headers=framed)
        file, size = cast("IO[bytes]", body), int(framed["Content-Length"])  # a length is only known of files
        if size:
            connection.sock.sendfile(file, file.tell(), size)
    else:
        connection.request(method, target, body, framed, encode_chunked=True)


def _head(connection: Connection, method: str) -> http.client.HTTPResponse:
    """The head of an answer, read without the connection's own bookkeeping, which would close it."""
    response = connection.response_class(connection.sock, method=method)
    try:
        response.begin()
    except BaseException:
        response.close()
        raise
    return response


def _framed(headers: Mapping[str, str], body: Body) -> dict[str, str]:
    """Add how the body's end is told: a length where it is known, chunks otherwise."""
    if body is None or isinstance(body, bytes):
        return dict(headers)  # the standard library sets a length
    size = _size(body)
    if size is None:
        return {**headers, "Transfer-Encoding": "chunked"}
    return {**headers, "Content-Length": str(size)}


def _size(body: object) -> int | None:
    """Bytes that a regular file still holds; None for all else."""
    try:
        status = os.fstat(body.fileno())  # type: ignore[attr-defined]
        if stat.S_ISREG(status.st_mode):
            return max(status.st_size - int(body.tell()), 0)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        pass
    return None


def _host_header(host: str) -> str:
    """The Host header: the address for tcp, a stand-in where the engine has no name."""
    return urlsplit(host).netloc.rpartition("@")[2] if host.startswith("tcp://") else "docker"
