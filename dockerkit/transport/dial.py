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

Dial = Callable[["float | None"], socket.socket]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class Dialer:
    """Connects to an endpoint.

    Args:
        endpoint: where the engine is.
        patience: seconds to go on trying when an engine that could be reached before refuses: it restarts. Nothing has
            been sent by then, so nothing is done twice.
        dial: connects instead; gets the seconds it may take (None: no limit), and returns a connected socket on which the
            engine speaks plain HTTP.

    Raises:
        InvalidArgument: the endpoint's scheme is not known.
    """

    def __init__(self, endpoint: Endpoint, patience: float = 0, dial: Dial | None = None) -> None:
        self._endpoint = endpoint
        self._patience = patience
        self._reached = False
        self._dial: Callable[[Endpoint, float | None], socket.socket]
        if dial is not None:
            self._dial = self._dial_both_ways = lambda endpoint, timeout: dial(timeout)
            return
        try:
            self._dial = _DIALS[endpoint.scheme]
        except KeyError:
            raise InvalidArgument(
                f"base_url: {endpoint.host!r} has no scheme that dockerkit can dial; it takes {', '.join(_DIALS)}"
            ) from None
        self._dial_both_ways = self._dial if endpoint.tls is None else _tls_both_ways

    def __call__(self, timeout: float | None, *, half_close: bool = False) -> socket.socket:
        """A connected socket.

        Args:
            timeout: seconds it may take; None is no limit.
            half_close: one direction must be able to end while the other goes on, which takes more with TLS.

        Raises:
            ConnectionFailed: the engine can't be reached; it says what to do.
        """
        dial = self._dial_both_ways if half_close else self._dial
        wait = self._patience if timeout is None else min(self._patience, timeout)
        until = time.monotonic() + wait if self._reached else 0.0
        pause = _FIRST_PAUSE
        while True:
            try:
                sock = dial(self._endpoint, timeout)
            except (OSError, ValueError) as error:
                refused = isinstance(error, (ConnectionRefusedError, FileNotFoundError))
                if not refused or time.monotonic() + pause > until:
                    raise failures.connection_failed(self._endpoint, error) from error
            else:
                self._reached = True
                return sock
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


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
