"""A connected socket for an endpoint, whatever its scheme."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from dockerkit import runtime
from dockerkit.errors import InvalidArgument
from dockerkit.runtime import READ
from dockerkit.transport import failures
from dockerkit.transport.attempt import Attempt
from dockerkit.transport.connection import Stopped

if TYPE_CHECKING:
    from dockerkit.endpoint.discovery import Endpoint

Dial = Callable[["float | None"], socket.socket]

_FIRST_PAUSE, _MAX_PAUSE = 0.05, 1.0
# Idle seconds before the first probe (macOS has another name), seconds between probes, and unanswered probes.
_KEEP_ALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPALIVE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


class Dialer:
    """Connects to an endpoint.

    Args:
        endpoint: where the engine is.
        connect_retry: seconds to retry while an engine that was reachable before refuses connections, because it
            restarts. Nothing has been sent by then, so nothing is done twice.
        dial: opens connections instead: takes a timeout in seconds (None: no limit), and returns a connected socket on
            which the engine speaks plain HTTP.
    """

    def __init__(self, endpoint: Endpoint, connect_retry: float = 0, dial: Dial | None = None) -> None:
        self._endpoint = endpoint
        self._connect_retry = connect_retry
        self._reached = False
        self._dial: Callable[[Endpoint, Attempt], socket.socket]
        self._secure = dial is None and endpoint.tls is not None
        if dial is not None:
            self._dial = lambda endpoint, attempt: runtime.run_blocking(dial, attempt.remaining())
            return
        try:
            self._dial = _DIALS[endpoint.scheme]
        except KeyError:
            raise InvalidArgument(
                f"base_url: {endpoint.host!r} has an unsupported scheme; use {', '.join(_DIALS)}"
            ) from None

    def __call__(self, attempt: Attempt, *, half_close: bool = False, protocol: str | None = None) -> socket.socket:
        """Return a connected socket, or raise ConnectionFailed, which says what to do.

        Args:
            attempt: deadline and cancellation.
            half_close: whether one direction must be able to end before the other, which is more expensive with TLS.
            protocol: protocol that TLS must negotiate by ALPN, such as "h2"; implies `half_close`.
        """
        dial = self._dial
        if self._secure and (half_close or protocol):
            dial = partial(_tls_half_close, protocol=protocol)
        retry_until = time.monotonic() + self._connect_retry if self._reached else 0.0
        pause = _FIRST_PAUSE
        while True:
            try:
                sock = dial(self._endpoint, attempt)
            except Stopped:
                raise
            except (OSError, ValueError) as error:
                refused = isinstance(error, (ConnectionRefusedError, FileNotFoundError))
                if not refused or time.monotonic() + pause > retry_until:
                    raise failures.connection_failed(self._endpoint, error) from error
                failure = error
            else:
                self._reached = True
                return sock
            try:
                attempt.sleep(pause)
            except TimeoutError:
                raise failures.connection_failed(self._endpoint, failure) from failure
            pause = min(pause * 2, _MAX_PAUSE)


def _unix(endpoint: Endpoint, attempt: Attempt) -> socket.socket:
    return attempt.connect(socket.AF_UNIX, endpoint.host.removeprefix("unix://"))


def _tcp(endpoint: Endpoint, attempt: Attempt) -> socket.socket:
    sock = _connect_tcp(endpoint, attempt)
    if endpoint.tls is None:
        return sock
    try:
        context = endpoint.tls.ssl_context()
        secure = context.wrap_socket(
            sock,
            server_hostname=_server_hostname(endpoint),
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
        )
    except BaseException:
        sock.close()
        raise
    try:
        while True:
            try:
                secure.do_handshake()
            except OSError as error:
                attempt.wait_for(error, secure, READ)
            else:
                return secure
    except BaseException:
        secure.close()
        raise


def _tls_half_close(endpoint: Endpoint, attempt: Attempt, protocol: str | None = None) -> socket.socket:
    sock = _connect_tcp(endpoint, attempt)
    from dockerkit.transport import tls_stream

    try:
        assert endpoint.tls is not None
        context = endpoint.tls.ssl_context(protocol or "http/1.1")
        return tls_stream.connect(sock, context, _server_hostname(endpoint), attempt, protocol)
    except BaseException:
        sock.close()
        raise


def _server_hostname(endpoint: Endpoint) -> str:
    return (endpoint.tls and endpoint.tls.server_hostname) or endpoint.hostname


def _connect_tcp(endpoint: Endpoint, attempt: Attempt) -> socket.socket:
    host, port = endpoint.hostname, endpoint.port or (2376 if endpoint.tls else 2375)
    if endpoint.proxy:
        from dockerkit.transport import proxy

        sock = proxy.connect(endpoint, (host, port), attempt)
    else:
        sock = attempt.connect_tcp(host, port)
    if sock.family in (socket.AF_INET, socket.AF_INET6):  # behind an HTTPS proxy it is one end of a socket pair
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(sock)
    return sock


def keep_alive(sock: socket.socket) -> None:
    """Detect within two minutes that the other side is gone; the system's default is two hours."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _ssh(endpoint: Endpoint, attempt: Attempt) -> socket.socket:
    from dockerkit.transport import ssh

    return runtime.run_blocking(ssh.dial, endpoint, attempt.remaining())


def _npipe(endpoint: Endpoint, attempt: Attempt) -> socket.socket:
    from dockerkit.transport import npipe

    return npipe.dial(endpoint, attempt.remaining())


_DIALS: dict[str, Callable[[Endpoint, Attempt], socket.socket]] = {
    "unix": _unix,
    "tcp": _tcp,
    "ssh": _ssh,
    "npipe": _npipe,
}
