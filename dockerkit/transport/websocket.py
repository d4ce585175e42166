"""Attach over a websocket, with websocket-client (``pip install dockerkit[websocket]``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dockerkit.errors import DockerException

if TYPE_CHECKING:
    from websocket import WebSocket

    from dockerkit.transport.http import Timeouts, Transport


def connect(transport: Transport, target: str, headers: Mapping[str, str], timeouts: Timeouts) -> WebSocket:
    """Open a websocket to an engine, over whatever its endpoint is reached by.

    Args:
        transport: of the engine.
        target: path and query.
        headers: of the request.
        timeouts: the connect timeout bounds connection and handshake; reads then have no timeout.

    Returns:
        The library's WebSocket; whoever gets it closes it.

    Raises:
        DockerException: the library is not installed, or the engine refuses.
        ConnectionFailed: no engine answered.
    """
    try:
        import websocket
    except ImportError as error:
        raise DockerException(
            "ws: attaching by websocket needs websocket-client: pip install dockerkit[websocket]"
        ) from error
    sock = transport.dial(timeouts.connect)
    try:
        sock.settimeout(timeouts.connect)
        opened = websocket.create_connection(
            f"ws://{transport.host_header}{target}",
            socket=sock,
            header={name: value for name, value in headers.items() if name != "Host"},
            enable_multithread=True,
            suppress_origin=True,
        )
        opened.settimeout(None)
    except websocket.WebSocketException as error:
        sock.close()
        raise DockerException(f"the engine refused a websocket for {target}: {error}") from error
    except BaseException:
        sock.close()
        raise
    return opened
