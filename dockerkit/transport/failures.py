"""Exceptions for failed connections: what went wrong, and what to do next."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import TYPE_CHECKING

from dockerkit.errors import DockerException
from dockerkit.errors.quoting import with_short_ids
from dockerkit.transport.http1 import InvalidResponse

if TYPE_CHECKING:
    from dockerkit.endpoint.discovery import Endpoint
    from dockerkit.errors import ConnectionFailed, ReadTimeout
    from dockerkit.transport.connection import Connection
    from dockerkit.transport.scope import Scope

_DESCRIPTORS = "Close streams, files and clients that are no longer needed, or raise the limit (ulimit -n)"
SSH_LIMIT_HINT = (
    "The server limits sessions or simultaneous logins: raise MaxSessions and MaxStartups in its sshd_config, or use fewer "
    "threads. If it permits forwarding (AllowStreamLocalForwarding), one login serves all connections"
)


def connection_failed(endpoint: Endpoint, error: Exception) -> DockerException:
    """Return the exception for an endpoint that can't be reached: its address, its origin, and what to do."""
    try:
        from dockerkit.errors import ConnectionFailed, ConnectTimeout
    except OSError:  # out of descriptors, which loading a module needs too
        return DockerException(f"can't reach the Docker Engine at {endpoint.host}: {describe(error)}. {_DESCRIPTORS}")

    if isinstance(error, ConnectionFailed):
        return error
    if endpoint.source == "default" and endpoint.tried and isinstance(error, FileNotFoundError):
        return ConnectionFailed(_no_engine(endpoint), endpoint)
    cls = ConnectTimeout if isinstance(error, TimeoutError) else ConnectionFailed
    message = f"can't reach the Docker Engine at {endpoint.host} ({endpoint.reason}): {describe(error)}"
    if hint := _hint(endpoint, error):
        message += f". {hint}"
    return cls(message, endpoint)


def _no_engine(endpoint: Endpoint) -> str:
    """Return the message if no engine was named and no usual socket exists; ``error.endpoint.tried`` lists them."""
    from dockerkit.endpoint.discovery import NOT_LISTENING

    stopped = next((item for item in endpoint.tried if item.endswith(NOT_LISTENING)), None)
    message = f"no Docker Engine was found: {endpoint.host} does not exist, nor does any other usual socket respond"
    if stopped:
        message += f"\n  One engine seems to be stopped: {stopped}"
    return (
        f"{message}\n  Start an engine (Linux: sudo systemctl start docker; macOS, Windows: open Docker Desktop), "
        "or name one with DOCKER_HOST or a docker context\n  List everything that was tried: dockerkit doctor"
    )


def no_response(
    endpoint: Endpoint, request_line: str, error: Exception, connection: Connection | None
) -> ConnectionFailed:
    """Return the exception for a connection that broke before a response arrived."""
    from dockerkit.errors import ConnectionFailed

    if isinstance(error, ConnectionFailed):
        return error
    hint = (
        (getattr(connection.sock, "last_messages", str)() if connection is not None else "")
        or _hint(endpoint, error, accepted=connection is not None and connection.used > 0)
        or (
            "It may have been restarted, or a proxy in between has closed the connection; "
            "whether the request took effect is not known"
        )
    )
    return ConnectionFailed(
        f"{endpoint.host} did not respond to {with_short_ids(request_line)}: {describe(error)}. {hint}", endpoint
    )


def read_timeout(request_line: str, seconds: float | None, scope: Scope | None = None) -> ReadTimeout:
    """Return the exception for a response that did not arrive in time."""
    from dockerkit.errors import ReadTimeout

    request_line = with_short_ids(request_line)
    if scope is not None and scope.expired:
        return ReadTimeout(
            f"the engine did not respond to {request_line} before the caller's deadline. The request may still take effect"
        )
    within = f" within {seconds:g} s" if seconds is not None else " in time"
    return ReadTimeout(
        f"the engine did not respond to {request_line}{within} (read timeout). "
        "The request may still take effect; pass a longer timeout= to the client for slow calls"
    )


def describe(error: Exception) -> str:
    """Return a description of an error."""
    if message := getattr(error, "verify_message", ""):  # an ssl error, identified without importing ssl
        return f"its certificate was rejected: {message}"
    if isinstance(error, socket.gaierror):
        return f"unknown host name ({error.strerror})"
    if isinstance(error, TimeoutError) and not isinstance(error, SSHFailed):
        return "no connection within the connect timeout"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error) or type(error).__name__


def _hint(endpoint: Endpoint, error: Exception, *, accepted: bool = False) -> str:
    if hint := getattr(error, "hint", ""):
        return str(hint)
    if hasattr(error, "library"):  # ssl.SSLError
        return _tls_hint(endpoint, error)
    if isinstance(error, InvalidResponse):
        return "The server does not speak plain HTTP: if the engine requires TLS, pass tls= or set DOCKER_TLS_VERIFY=1"
    if not isinstance(error, OSError):
        return ""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return _DESCRIPTORS
    if endpoint.host.startswith("unix://"):
        return _socket_hint(endpoint.host.removeprefix("unix://"), error)
    if error.errno in (errno.ECONNRESET, errno.EPIPE) and endpoint.tls is not None and endpoint.tls.cert is None:
        # With TLS 1.3 the engine's alert is often lost in the reset. It can't be the cause if a request was accepted before.
        return "" if accepted else _client_cert_hint(endpoint)
    if error.errno == errno.ECONNREFUSED:
        return "Nothing listens there: is the engine running, and was dockerd started with -H for this address?"
    return ""


def _socket_hint(path: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "Start the engine, or select another with DOCKER_HOST or a Docker context"
    if error.errno in (errno.EACCES, errno.EPERM):
        user = os.environ.get("USER")
        return (
            f"Add {user or 'this user'} to the group that owns the socket, usually docker "
            f"(sudo usermod -aG docker {user or '$USER'}, then log in again), or use a rootless engine"
        )
    if error.errno == errno.ECONNREFUSED:
        if not _is_socket(path):
            return f"{path} is {'a directory' if os.path.isdir(path) else 'a file'}, not a socket: check the address"
        return f"The socket exists, but no engine listens on it: start it (systemctl start docker), or remove {path}"
    return ""


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return True


_TLS_HINTS = (
    # Alerts come from the engine and concern the client's certificate; the others concern the engine's certificate.
    (("alert certificate required", "alert bad certificate", "alert handshake failure"), "client certificate"),
    (("alert unknown ca", "alert certificate unknown"), "The engine does not trust the CA of the client certificate"),
    (("alert certificate expired",), "The client certificate has expired: renew it"),
    (("alert protocol version",), "The engine requires another version of TLS"),
    (
        ("wrong version number", "record layer failure", "http request", "packet length too long", "unknown protocol"),
        "The engine speaks plain HTTP on this port: connect without TLS, or use the engine's TLS port (usually 2376)",
    ),
    (
        ("hostname mismatch", "ip address mismatch"),
        "Connect by a name in the certificate, or pass it: TLSConfig(server_hostname=...)",
    ),
    (("has expired",), "The engine's certificate has expired: renew it on the engine's host"),
    (("not yet valid",), "The engine's certificate is not valid yet: compare the clocks of both hosts"),
    (
        ("unable to get", "self-signed", "self signed", "signature failure", "unable to verify"),
        "It is signed by a CA that is not trusted here: pass TLSConfig(ca_cert=...), or put ca.pem in DOCKER_CERT_PATH",
    ),
)


def _tls_hint(endpoint: Endpoint, error: Exception) -> str:
    message = str(error).lower().replace("_", " ")
    for markers, hint in _TLS_HINTS:
        if any(marker in message for marker in markers):
            return _client_cert_hint(endpoint) if hint == "client certificate" else hint
    return ""


def _client_cert_hint(endpoint: Endpoint) -> str:
    if endpoint.tls is not None and endpoint.tls.cert is not None:
        return "The engine did not accept the client certificate: is it signed by the CA in dockerd's --tlscacert?"
    return (
        "The engine requires a client certificate: pass TLSConfig(client_cert=(cert, key)), "
        "or put cert.pem and key.pem in DOCKER_CERT_PATH"
    )


def tls_required(endpoint: Endpoint) -> ConnectionFailed:
    """Return the exception for an engine that requires TLS and was contacted without it."""
    from dockerkit.errors import ConnectionFailed

    return ConnectionFailed(
        f"{endpoint.host} requires TLS: pass tls=TLSConfig(...), or set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH",
        endpoint,
    )


class HintedError(ConnectionError):
    """Connecting failed.

    Attributes:
        hint: what to do.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SSHFailed(HintedError):
    """Connecting through ssh failed; the message is ssh's."""


class SSHTimeout(SSHFailed, TimeoutError):
    """The login through ssh took too long."""
