"""Attach over a websocket, with websocket-client (``pip install dockerkit[websocket]``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerkit import runtime
from dockerkit.errors import DockerException, MissingExtra
from dockerkit.transport.http import host_header

if TYPE_CHECKING:
    from websocket import WebSocket

    from dockerkit.endpoint.discovery import Endpoint
    from dockerkit.transport.base import HTTPRequest, Transport


def connect(transport: Transport, request: HTTPRequest, endpoint: Endpoint) -> WebSocket:
    """Open a websocket to an engine, over any kind of endpoint; the caller closes it.

    The request's connect timeout limits connection and handshake. Reads have no timeout.
    """
    try:
        import websocket
    except ImportError as error:
        raise MissingExtra(
            "ws: attaching by websocket requires websocket-client: pip install 'dockerkit[websocket]'"
        ) from error
    prefix = endpoint.path if endpoint.scheme == "tcp" else ""
    sock = transport.dial(request.timeouts.connect)
    try:
        sock.settimeout(request.timeouts.connect)
        connection = runtime.run_blocking(
            websocket.create_connection,
            f"ws://{host_header(endpoint.host)}{prefix}{request.target}",
            socket=sock,
            header={name: value for name, value in request.headers.items() if name != "Host"},
            enable_multithread=True,
            suppress_origin=True,
        )
        connection.settimeout(None)
    except websocket.WebSocketException as error:
        sock.close()
        raise DockerException(f"the engine refused a websocket for {request.path}: {error}") from error
    except BaseException:
        sock.close()
        raise
    return connection
