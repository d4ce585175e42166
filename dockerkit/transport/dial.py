"""A connected socket for an endpoint, whatever its scheme."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dockerkit.errors import InvalidArgument
from dockerkit.transport import failures, proxy, tls_stream

if TYPE_CHECKING:
    from dockerkit.config import Endpoint

Dialer = Callable[["float | None"], socket.socket]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


def dialer_for(endpoint: Endpoint, patience: float = 0, *, half_close: bool = False) -> Dialer:
    """The function that connects to an endpoint.

    Args:
        endpoint: where the engine is.
        patience: seconds to go on trying when an engine that could be reached before refuses: it restarts. Nothing has
            been sent by then, so nothing is done twice.
        half_close: connections must be able to end one direction and go on with the other, which takes more with TLS.

    Returns:
        A function of the seconds it may take (None: no limit), which returns a connected socket. It raises
        ConnectionFailed, with what to do.

    Raises:
        InvalidArgument: the endpoint's scheme is not known.
    """
    scheme = endpoint.host.partition("://")[0]
    try:
        dial = _DIALS[scheme]
    except KeyError:
        raise InvalidArgument(
            f"base_url: {endpoint.host!r} has no scheme that dockerkit can dial; it takes {', '.join(_DIALS)}"
        ) from None
    if half_close and endpoint.tls is not None:
        dial = _tls_both_ways

    reached = False

    def connect(timeout: float | None) -> socket.socket:
        nonlocal reached
        pause = _FIRST_PAUSE
        wait = patience if timeout is None else min(patience, timeout)
        until = time.monotonic() + wait if reached else 0.0
        while True:
            try:
                sock = dial(endpoint, timeout)
            except (OSError, ValueError) as error:
                refused = isinstance(error, (ConnectionRefusedError, FileNotFoundError))
                if not refused or time.monotonic() + pause > until:
                    raise failures.connection_failed(endpoint, error) from error
            else:
                reached = True
                return sock
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    return connect


def _unix(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(endpoint.host.removeprefix("unix://"))
    except BaseException:
        sock.close()
        raise
    return sock


def _tcp(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    sock = _connected(endpoint, timeout)
    if endpoint.tls is None:
        return sock
    try:
        return endpoint.tls.ssl_context().wrap_socket(sock, server_hostname=_certified_name(endpoint))
    except BaseException:
        sock.close()
        raise


def _tls_both_ways(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    sock = _connected(endpoint, timeout)
    try:
        assert endpoint.tls is not None
        return tls_stream.connect(sock, endpoint.tls.ssl_context(), _certified_name(endpoint))
    except BaseException:
        sock.close()
        raise


def _certified_name(endpoint: Endpoint) -> str:
    return (endpoint.tls and endpoint.tls.server_hostname) or endpoint.hostname


def _connected(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    address = endpoint.hostname, endpoint.port or (2376 if endpoint.tls else 2375)
    sock = proxy.connect(endpoint, address, timeout) if endpoint.proxy else socket.create_connection(address, timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


def _ssh(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    from dockerkit.transport import ssh

    return ssh.dial(endpoint, timeout)


def _npipe(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    from dockerkit.transport import npipe

    return npipe.dial(endpoint, timeout)


_DIALS: dict[str, Callable[[Endpoint, float | None], socket.socket]] = {
    "unix": _unix,
    "tcp": _tcp,
    "ssh": _ssh,
    "npipe": _npipe,
}
