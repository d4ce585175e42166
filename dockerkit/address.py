"""Reading the address of an engine."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from dockerkit import errors

__all__ = ["parse_host"]

_PORT, _TLS_PORT = 2375, 2376
_Bad = Callable[[str], errors.InvalidArgument]


def parse_host(address: str, *, parameter: str = "base_url", tls: bool = False) -> tuple[str, bool]:
    """Read an engine's address.

    Accepted are ``unix:///path``, ``http+unix:///path``, ``tcp://host[:port][/prefix]``, ``http://host:port``,
    ``https://host:port``, ``host:port``, ``ssh://[user@]host[:port][/socket]`` and ``npipe:////./pipe/name``.

    Args:
        address: the text.
        parameter: what the address is called in messages.
        tls: whether TLS will be spoken, which decides the port that ``tcp://host`` stands for (2376, else 2375).

    Returns:
        The address in its normal form, and whether it asked for TLS (``https``).

    Raises:
        InvalidArgument: it is no address.
    """

    def bad(why: str) -> errors.InvalidArgument:
        return errors.InvalidArgument(f"{parameter}: {_without_password(address)!r} is no address of an engine: {why}")

    if not isinstance(address, str):
        raise errors.InvalidArgument(f"{parameter}: give a text, not {type(address).__name__}")
    address = address.strip()
    if any(c.isspace() or not c.isprintable() for c in address):
        raise bad("it holds blanks or control characters")
    scheme, mark, rest = address.partition("://")
    if not mark:
        scheme, rest = "tcp", address
        if rest.startswith(("/", ".", "~")):
            raise bad(f"for a socket file write 'unix://{rest}'")
        if ":" not in rest:
            raise bad("write 'tcp://HOST:PORT', 'unix:///PATH' or 'ssh://USER@HOST'")
    scheme = scheme.lower()
    if scheme in ("unix", "http+unix"):
        if "?" in rest or "#" in rest:
            raise bad("a socket's path holds neither '?' nor '#'")
        path = "/" + rest.strip("/")
        return (f"unix://{path}" if path != "/" else "unix:///var/run/docker.sock"), False
    if scheme == "npipe":
        path = "//" + rest.replace("\\", "/").strip("/")
        return (f"npipe://{path}" if rest else "npipe:////./pipe/docker_engine"), False
    if scheme in ("tcp", "http", "https"):
        return _parse_tcp(scheme, rest, tls, bad), scheme == "https"
    if scheme == "ssh":
        return _parse_ssh(rest, bad), False
    raise bad(f"{scheme!r} is not one of unix, tcp, http, https, ssh, npipe")


def _parse_tcp(scheme: str, rest: str, tls: bool, bad: _Bad) -> str:
    if not rest:
        raise bad("the host is missing")
    host, port, user, path = _split(rest, bad)
    if user is not None:
        raise bad("a tcp address takes no user name")
    if port is None:
        if scheme != "tcp":
            raise bad("the port is missing")
        port = _TLS_PORT if tls else _PORT
    return f"tcp://{host or '127.0.0.1'}:{port}{path}"


def _parse_ssh(rest: str, bad: _Bad) -> str:
    host, port, user, path = _split(rest, bad)
    if host.startswith("-") or (user or "").startswith("-"):
        raise bad("host and user must not begin with '-'")
    return f"ssh://{user + '@' if user else ''}{host or '127.0.0.1'}{f':{port}' if port else ''}{path}"


def _split(rest: str, bad: _Bad) -> tuple[str, int | None, str | None, str]:
    """Host (IPv6 in brackets), port, user and path of what follows ``scheme://``."""
    if "?" in rest or "#" in rest or ";" in rest:
        raise bad("it takes no '?', '#' or ';'")
    try:
        parts = urlsplit("//" + rest)
        port = parts.port
    except ValueError as error:
        raise bad(str(error)) from None
    if parts.password is not None:
        raise bad("it must not hold a password")
    if port == 0 or parts.netloc.endswith(":"):
        raise bad("the port is missing")
    host = parts.netloc.rpartition("@")[2]
    host = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return host, port, parts.username, parts.path.rstrip("/")


def _without_password(address: object) -> object:
    if not isinstance(address, str) or "@" not in address:
        return address
    head, _, tail = address.rpartition("@")
    scheme, mark, login = head.rpartition("://")
    user, colon, _ = login.partition(":")
    return f"{scheme}{mark}{user}{':***' if colon else ''}@{tail}"
