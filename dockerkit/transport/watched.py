"""A transport that calls hooks."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from dockerkit.endpoint.discovery import Endpoint
from dockerkit.hooks import Hook, RequestEvent, send_with_hooks
from dockerkit.transport.base import HTTPRequest, Response, Transport
from dockerkit.transport.hijack import HijackedConnection
from dockerkit.transport.upload import known_size


class WatchedTransport:
    """Wraps a transport and calls hooks before and after each request."""

    def __init__(self, inner: Transport, hooks: Sequence[Hook], endpoint: Endpoint) -> None:
        self.inner = inner
        self.hooks = hooks
        self._endpoint = endpoint

    def send(self, request: HTTPRequest) -> Response:
        """Send a request; see :class:`Transport`."""
        return send_with_hooks(self.hooks, self._event(request), lambda: self.inner.send(request))

    def upgrade(self, request: HTTPRequest) -> HijackedConnection | Response:
        """Send a request that takes its connection over."""
        return send_with_hooks(self.hooks, self._event(request), lambda: self.inner.upgrade(request))

    def dial(self, timeout: float | None = None, protocol: str | None = None) -> socket.socket:
        """Return a new connected socket."""
        return self.inner.dial(timeout, protocol=protocol)

    def close(self) -> None:
        """Close the wrapped transport."""
        self.inner.close()

    def _event(self, request: HTTPRequest) -> RequestEvent:
        path = request.path
        size = known_size(request.body)
        return RequestEvent(request.method, path, request.route or path, self._endpoint, size)
