"""docker-py's ``docker.transport``: adapters that connect a ``requests.Session`` to an engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

import requests
from requests.adapters import BaseAdapter

from dockerkit.api.adapter import TransportAdapter
from dockerkit.endpoint import discovery
from dockerkit.errors import StreamParseError, StreamTruncated
from dockerkit.transport import HTTPRequest, HTTPTransport, Response, Timeouts
from dockerkit.transport.connection import BLOCK
from dockerkit.transport.exchange import MAX_RESPONSE_BYTES

if TYPE_CHECKING:
    import socket

    from dockerkit.endpoint.discovery import Endpoint
    from dockerkit.transport import HijackedConnection, Transport

__all__ = ["BaseHTTPAdapter", "MountedTransport", "NpipeHTTPAdapter", "SSHHTTPAdapter", "UnixHTTPAdapter"]

# docker-py has a module per adapter; under the alias, all of them are this one.
basehttpadapter: ModuleType = sys.modules[__name__]
npipeconn: ModuleType = basehttpadapter
sshconn: ModuleType = basehttpadapter
unixconn: ModuleType = basehttpadapter

MAX_IDLE = 10

Seconds = float | tuple[float | None, float | None] | None


class BaseHTTPAdapter(TransportAdapter):
    """Sends the requests of a ``requests.Session`` to one engine. Uses no proxy, and the endpoint's certificates.

    Args:
        host: address of the engine, such as ``unix:///var/run/docker.sock``, or its Endpoint.
        timeout: timeout in seconds of requests without their own.
        max_pool_size: maximum number of idle connections.
    """

    def __init__(self, host: str | Endpoint, timeout: Seconds, max_pool_size: int) -> None:
        super().__init__(self._send_to_engine)
        self.timeout = timeout
        self.engine: HTTPTransport = HTTPTransport(discovery.resolve(host), max_idle=max_pool_size)

    def _send_to_engine(self, request: HTTPRequest, timeout: Seconds) -> Response:
        limit = self.timeout if timeout is None else timeout
        connect, read = limit if isinstance(limit, tuple) else (limit, limit)
        return self.engine.send(request._replace(timeouts=Timeouts(connect, read, read)))

    def close(self) -> None:
        """Close all connections."""
        super().close()
        self.engine.close()


class MountedTransport:
    """Sends a client's requests through an adapter of requests, except attach and exec, which take over a connection.

    Args:
        adapter: the adapter.
        base_url: address at the start of the requests' URLs.
        direct: the client's own transport.
    """

    def __init__(self, adapter: BaseAdapter, base_url: str, direct: Transport) -> None:
        self._adapter = adapter
        self._base_url = base_url
        self._direct = direct

    def send(self, request: HTTPRequest) -> Response:
        """Send a request, and return its response as soon as the head has arrived."""
        body: Any = request.body
        prepared = requests.Request(request.method, self._base_url + request.target, request.headers, data=body)
        limits: Any = request.timeouts.connect, request.timeouts.read
        return _AdapterResponse(self._adapter.send(prepared.prepare(), stream=True, timeout=limits))

    def upgrade(self, request: HTTPRequest) -> HijackedConnection | Response:
        """Send a request that takes over its connection."""
        return self._direct.upgrade(request)

    def dial(self, timeout: float | None = None, protocol: str | None = None) -> socket.socket:
        """Return a new connected socket."""
        return self._direct.dial(timeout, protocol)

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()
        self._direct.close()


class _AdapterResponse:
    """A response of an adapter, with the interface of the transport."""

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self.reason = response.reason or ""
        self.headers: Mapping[str, str] = response.headers
        self.received = 0
        self.closed = False
        self._response = response
        self._callbacks: list[Callable[[], None]] = []

    def read(self, limit: int = MAX_RESPONSE_BYTES) -> bytes:
        body = bytearray()
        for chunk in self.chunks():
            body += chunk
            if len(body) > limit:
                self.close()
                raise StreamParseError(f"the response has more than {limit} bytes")
        return bytes(body)

    def chunks(self, size: int = BLOCK) -> Iterator[bytes]:
        try:
            for chunk in self._response.iter_content(size):
                self.received += len(chunk)
                yield chunk
        except (AttributeError, OSError, ValueError) as error:  # for a response closed by another thread, the first one
            if not self.closed:
                raise StreamTruncated(f"the response was cut: {error}") from error
        self._end()

    def when_done(self, then: Callable[[], None], /) -> None:
        self._callbacks.append(then)

    def _end(self) -> None:
        self._response.close()
        while self._callbacks:
            self._callbacks.pop()()

    def close(self) -> None:
        self.closed = True
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class UnixHTTPAdapter(BaseHTTPAdapter):
    """Adapter for an engine on a Unix socket.

    Args:
        socket_url: ``http+unix:///path`` or ``unix:///path``.
        timeout, max_pool_size: as for :class:`BaseHTTPAdapter`.
        pool_connections: accepted for compatibility with docker-py and ignored.
    """

    def __init__(
        self, socket_url: str, timeout: Seconds = 60, pool_connections: int = 25, max_pool_size: int = MAX_IDLE
    ) -> None:
        path = socket_url.removeprefix("http+").removeprefix("unix:")
        self.socket_path: str = "/" + path.lstrip("/")
        super().__init__(f"unix://{self.socket_path}", timeout, max_pool_size)


class SSHHTTPAdapter(BaseHTTPAdapter):
    """Adapter for an engine over ssh.

    Args:
        base_url: ``ssh://user@host:port``.
        timeout, max_pool_size: as for :class:`BaseHTTPAdapter`.
        pool_connections, shell_out: accepted for compatibility with docker-py and ignored.
    """

    def __init__(
        self,
        base_url: str,
        timeout: Seconds = 60,
        pool_connections: int = 9,
        max_pool_size: int = MAX_IDLE,
        shell_out: bool = False,
    ) -> None:
        self.ssh_host: str = base_url.removeprefix("ssh://")
        super().__init__(base_url, timeout, max_pool_size)


class NpipeHTTPAdapter(BaseHTTPAdapter):
    """Adapter for an engine on a named pipe of Windows.

    Args:
        base_url: ``npipe:////./pipe/docker_engine``.
        timeout, max_pool_size: as for :class:`BaseHTTPAdapter`.
        pool_connections: accepted for compatibility with docker-py and ignored.
    """

    def __init__(
        self, base_url: str, timeout: Seconds = 60, pool_connections: int = 25, max_pool_size: int = MAX_IDLE
    ) -> None:
        self.npipe_path: str = base_url.removeprefix("npipe://")
        super().__init__(base_url, timeout, max_pool_size)
