"""Through a proxy to an engine at a tcp address: HTTP, HTTPS or SOCKS, with urllib3 and PySocks."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from dockerkit import runtime
from dockerkit.errors import MissingExtra
from dockerkit.transport.failures import HintedError

if TYPE_CHECKING:
    from urllib3.util import Url

    from dockerkit.endpoint.discovery import Endpoint
    from dockerkit.transport.attempt import Attempt

_SOCKS = ("socks4", "socks4a", "socks5", "socks5h")


class ProxyFailed(HintedError):
    """The proxy refused the connection."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "Set NO_PROXY to the engine's host if no proxy is needed for it")


def connect(endpoint: Endpoint, address: tuple[str, int], attempt: Attempt) -> socket.socket:
    """Connect to the engine's host and port through the endpoint's proxy. TLS and half-close work as without it."""
    from urllib3.exceptions import HTTPError
    from urllib3.util import parse_url

    proxy = parse_url(endpoint.proxy or "")
    if proxy.scheme not in ("http", "https", *_SOCKS) or not proxy.host:
        raise ProxyFailed(
            f"the proxy {proxy.scheme}://{proxy.host} is not supported: "
            f"its scheme must be http, https or {', '.join(_SOCKS)}"
        )
    open_connection = _socks if proxy.scheme in _SOCKS else _tunnel
    try:
        sock = open_connection(proxy, address, attempt)
    except TimeoutError:
        raise
    except (OSError, HTTPError) as error:
        if getattr(error, "hint", ""):
            raise
        reason = str(error).rpartition("Tunnel connection failed: ")
        if reason[1]:
            raise ProxyFailed(f"the proxy {proxy.host} refused to connect to {address[0]}: {reason[2]}") from error
        raise ProxyFailed(f"the proxy {proxy.host}:{_port(proxy)} can't be reached: {error}") from error
    sock.setblocking(False)
    return sock


def _port(proxy: Url) -> int:
    return proxy.port or {"http": 80, "https": 443}.get(proxy.scheme or "", 1080)


def _login(proxy: Url) -> tuple[str, str] | None:
    if proxy.auth is None:
        return None
    name, _, password = proxy.auth.partition(":")
    return unquote(name), unquote(password)


def _tunnel(proxy: Url, address: tuple[str, int], attempt: Attempt) -> socket.socket:
    """Connect by CONNECT, to a proxy with or without TLS."""
    from urllib3.connection import HTTPConnection
    from urllib3.util import make_headers

    host = (proxy.host or "").strip("[]")
    sock = attempt.connect_tcp(host, _port(proxy))
    try:
        if proxy.scheme == "https":
            from urllib3.util.ssl_ import create_urllib3_context

            from dockerkit.transport import tls_stream

            context = create_urllib3_context()
            context.load_default_certs()
            sock = tls_stream.connect(sock, context, host, attempt)  # a plain socket: TLS to the engine may follow
        sock.settimeout(attempt.remaining())

        class Connection(HTTPConnection):
            def _new_conn(self) -> socket.socket:  # the hook that urllib3's SOCKS connection uses too
                return sock

        connection = Connection(host, _port(proxy))
        login = _login(proxy)
        headers = make_headers(proxy_basic_auth=":".join(login)) if login else {}
        connection.set_tunnel(*address, headers=headers)
        runtime.run_blocking(connection.connect)
    except BaseException:
        sock.close()
        raise
    return sock


def _socks(proxy: Url, address: tuple[str, int], attempt: Attempt) -> socket.socket:
    try:
        import socks
    except ImportError as error:
        raise MissingExtra("SOCKS proxies require PySocks: pip install 'dockerkit[socks]'") from error
    name, password = _login(proxy) or (None, None)
    create = cast("Callable[..., socket.socket]", socks.create_connection)  # its stub allows only whole seconds
    proxy_type = socks.SOCKS5 if (proxy.scheme or "").startswith("socks5") else socks.SOCKS4
    return runtime.run_blocking(
        create,
        address,
        timeout=attempt.remaining(),
        proxy_type=proxy_type,
        proxy_addr=(proxy.host or "").strip("[]"),
        proxy_port=_port(proxy),
        proxy_rdns=proxy.scheme in ("socks4a", "socks5h"),
        proxy_username=name,
        proxy_password=password,
    )
