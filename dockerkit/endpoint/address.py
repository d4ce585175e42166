"""Parse the address of an engine."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from dockerkit import errors
from dockerkit.errors.quoting import without_password

__all__ = ["parse_host"]

_PORT, _TLS_PORT = 2375, 2376
_ErrorFactory = Callable[[str], errors.InvalidArgument]


def parse_host(address: str, *, parameter: str = "base_url", tls: bool = False) -> tuple[str, bool]:
    """Parse an engine's address.

    Accepted are ``unix:///path``, ``http+unix:///path``, ``tcp://host[:port][/prefix]``, ``http://host:port``,
    ``https://host:port``, ``host:port``, ``ssh://[user@]host[:port][/socket]`` and ``npipe:////./pipe/name``.

    Args:
        address: address to parse.
        parameter: name of the address in error messages.
        tls: whether TLS will be used; determines the default port of ``tcp://host`` (2376, otherwise 2375).

    Returns:
        The normalized address, and whether it requires TLS (``https``).

    Raises:
        InvalidArgument: the address is invalid.
    """

    def invalid(reason: str) -> errors.InvalidArgument:
        masked = without_password(address) if isinstance(address, str) else address
        return errors.InvalidArgument(f"{parameter}: {masked!r} is not a valid engine address: {reason}")

    if not isinstance(address, str):
        raise errors.InvalidArgument(f"{parameter}: must be a string, got {type(address).__name__}")
    address = address.strip()
    if any(c.isspace() or not c.isprintable() for c in address):
        raise invalid("it contains blanks or control characters")
    scheme, mark, rest = address.partition("://")
    if not mark:
        scheme, rest = "tcp", address
        if address.startswith("unix:"):
            raise invalid(f"write 'unix:///{address.removeprefix('unix:').strip('/')}', with three slashes")
        if rest.startswith(("/", ".", "~")):
            raise invalid(f"for a socket file write 'unix://{rest}'")
        if ":" not in rest:
            raise invalid("write 'tcp://HOST:PORT', 'unix:///PATH' or 'ssh://USER@HOST'")
    scheme = scheme.lower()
    if scheme in ("unix", "http+unix"):
        if "?" in rest or "#" in rest:
            raise invalid("a socket path must not contain '?' or '#'")
        path = "/" + rest.strip("/")
        return (f"unix://{path}" if path != "/" else "unix:///var/run/docker.sock"), False
    if scheme == "npipe":
        path = "//" + rest.replace("\\", "/").strip("/")
        return (f"npipe://{path}" if rest else "npipe:////./pipe/docker_engine"), False
    if scheme in ("tcp", "http", "https"):
        return _parse_tcp(scheme, rest, tls, invalid), scheme == "https"
    if scheme == "ssh":
        return _parse_ssh(rest, invalid), False
    raise invalid(f"{scheme!r} is not one of unix, tcp, http, https, ssh, npipe")


def _parse_tcp(scheme: str, rest: str, tls: bool, invalid: _ErrorFactory) -> str:
    if not rest:
        raise invalid("the host is missing")
    host, port, user, path = _split(rest, invalid)
    if user is not None:
        raise invalid("a tcp address must not contain a user name")
    if port is None:
        if scheme != "tcp":
            raise invalid("the port is missing")
        port = _TLS_PORT if tls else _PORT
    return f"tcp://{host or '127.0.0.1'}:{port}{path}"


def _parse_ssh(rest: str, invalid: _ErrorFactory) -> str:
    host, port, user, path = _split(rest, invalid)
    if host.startswith("-") or (user or "").startswith("-"):
        raise invalid("host and user must not begin with '-'")
    return f"ssh://{user + '@' if user else ''}{host or '127.0.0.1'}{f':{port}' if port else ''}{path}"


def _split(rest: str, invalid: _ErrorFactory) -> tuple[str, int | None, str | None, str]:
    """Split what follows ``scheme://`` into host (IPv6 in brackets), port, user and path."""
    if "?" in rest or "#" in rest or ";" in rest:
        raise invalid("it must not contain '?', '#' or ';'")
    try:
        parts = urlsplit("//" + rest)
        port = parts.port
    except ValueError as error:
        raw_port = rest.rpartition("@")[2].partition("/")[0].rpartition(":")[2]
        raise invalid(
            f"the port {raw_port!r} is not a number from 1 to 65535" if "Port" in str(error) else str(error)
        ) from None
    if parts.password is not None:
        raise invalid("it must not contain a password")
    if port == 0 or parts.netloc.endswith(":"):
        raise invalid("the port is missing")
    host = parts.netloc.rpartition("@")[2]
    host = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return host, port, parts.username, parts.path.rstrip("/")
