"""Through an HTTP proxy to an engine at a tcp address."""

from __future__ import annotations

import base64
import socket
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from dockerkit.config import Endpoint

_LARGEST_HEAD = 64 * 1024


class ProxyFailed(OSError):
    """The proxy did not let us through.

    Attributes:
        hint: what to do about it.
    """

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.hint = "Set NO_PROXY to the engine's host if no proxy is needed for it"


def connect(endpoint: Endpoint, address: tuple[str, int], timeout: float | None) -> socket.socket:
    """Have the proxy connect us to the engine, by CONNECT: TLS and hijacked streams then work as without it.

    Args:
        endpoint: its ``proxy`` is where to go first.
        address: host and port of the engine.
        timeout: seconds for each step.

    Returns:
        A socket that leads to the engine.

    Raises:
        ProxyFailed: the proxy refused, or does not speak HTTP.
        OSError: it can't be reached.
    """
    proxy = urlsplit(endpoint.proxy or "")
    if proxy.scheme != "http" or not proxy.hostname:
        raise ProxyFailed(
            f"the proxy {proxy.scheme}://{proxy.hostname} is of a kind that dockerkit can't use: only http://"
        )
    try:
        sock = socket.create_connection((proxy.hostname, proxy.port or 80), timeout)
    except OSError as error:
        raise ProxyFailed(f"the proxy {proxy.hostname}:{proxy.port or 80} can't be reached: {error}") from error
    try:
        host, port = address
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        login = ""
        if proxy.username is not None:
            pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
            login = f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}\r\n"
        sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n".encode())
        status = _head(sock).split(b"\r\n", 1)[0].decode("latin-1")
        if status.split()[1:2] != ["200"]:
            raise ProxyFailed(
                f"the proxy {proxy.hostname} refused to connect to {target}: {status or 'it said nothing'}"
            )
    except BaseException:
        sock.close()
        raise
    return sock


def _head(sock: socket.socket) -> bytes:
    """The proxy's answer up to its empty line, and not a byte more: what follows is the engine's."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < _LARGEST_HEAD:
        byte = sock.recv(1)
        if not byte:
            break
        head += byte
    return head
