"""What went wrong between us and the engine, in words that say what to do next."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockerkit.config import Endpoint
    from dockerkit.errors import ConnectionFailed, EngineTimeout
    from dockerkit.transport.pool import Connection


def connection_failed(endpoint: Endpoint, error: Exception) -> ConnectionFailed:
    """The exception for an endpoint that could not be reached: which one, why that one, what to do."""
    from dockerkit.errors import ConnectionFailed, ConnectTimeout

    if isinstance(error, ConnectionFailed):
        return error
    cls = ConnectTimeout if isinstance(error, TimeoutError) else ConnectionFailed
    text = f"can't reach the Docker Engine at {endpoint.host} ({endpoint.reason}): {_cause(error)}"
    if hint := _hint(endpoint, error):
        text += f". {hint}"
    if endpoint.source == "default" and endpoint.tried:
        text += f". Looked before for: {'; '.join(endpoint.tried)}"
    return cls(text, endpoint)


def no_answer(endpoint: Endpoint, asked: str, error: Exception, connection: Connection) -> ConnectionFailed:
    """The exception for a connection that was made and broke before an answer came."""
    from dockerkit.errors import ConnectionFailed

    if isinstance(error, ConnectionFailed):
        return error
    hint = (
        getattr(connection.wire, "why", str)()
        or _hint(endpoint, error)
        or (
            "It may have been restarted, or something between has closed the connection; "
            "whether the request took effect is not known"
        )
    )
    return ConnectionFailed(f"{endpoint.host} did not answer {asked}: {_cause(error)}. {hint}", endpoint)


def read_timeout(asked: str, connection: Connection | None = None) -> EngineTimeout:
    """The exception for an answer that did not come in time."""
    from dockerkit.errors import EngineTimeout

    seconds = connection.timeout if connection is not None else None
    within = f" within {seconds:g} seconds" if isinstance(seconds, (int, float)) else " in time"
    return EngineTimeout(
        f"the engine did not answer {asked}{within} (read timeout). "
        "The call may still take effect; give the client a longer timeout= for slow calls"
    )


def _cause(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was not accepted: {error.verify_message or error.reason}"
    if isinstance(error, socket.gaierror):
        return f"the host name is not known ({error.strerror})"
    if isinstance(error, TimeoutError):
        return "no connection within the connect timeout"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def _hint(endpoint: Endpoint, error: Exception) -> str:
    if hint := getattr(error, "hint", ""):
        return str(hint)
    if isinstance(error, ssl.SSLError):
        return _tls_hint(endpoint, error)
    if not isinstance(error, OSError):
        if "BadStatusLine" in type(error).__name__:
            return "What answers there is no HTTP: if the engine wants TLS, give tls= or set DOCKER_TLS_VERIFY=1"
        return ""
    if endpoint.host.startswith("unix://"):
        return _socket_hint(endpoint.host.removeprefix("unix://"), error)
    if error.errno in (errno.ECONNRESET, errno.EPIPE) and endpoint.tls is not None and endpoint.tls.cert is None:
        return _client_cert_hint(endpoint)
    if error.errno == errno.ECONNREFUSED:
        return "Nothing listens there: is the engine running, and was dockerd started with -H for this address?"
    return ""


def _socket_hint(path: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "There is no such socket: start the engine, or name another with DOCKER_HOST or a docker context"
    if error.errno in (errno.EACCES, errno.EPERM):
        user = os.environ.get("USER")
        return (
            f"Add {user or 'this user'} to the group that owns the socket, docker as a rule "
            f"(sudo usermod -aG docker {user or '$USER'}, then log in again), or use a rootless engine"
        )
    if error.errno == errno.ECONNREFUSED:
        return f"The socket exists, but no engine listens on it: start it (systemctl start docker), or remove {path}"
    return ""


_TLS_HINTS = (
    # Alerts come from the engine and are about our certificate; the others are our own verdict on the engine's.
    (("alert certificate required", "alert bad certificate", "alert handshake failure"), "wants"),
    (("alert unknown ca", "alert certificate unknown"), "The engine does not trust the CA of the client certificate"),
    (("alert certificate expired",), "The client certificate has expired: renew it"),
    (("alert protocol version",), "The engine wants another version of TLS"),
    (
        ("wrong version number", "record layer failure", "http request", "packet length too long", "unknown protocol"),
        "The engine speaks plain HTTP on this port: connect without TLS, or use the engine's TLS port (2376 by custom)",
    ),
    (
        ("hostname mismatch", "ip address mismatch"),
        "Connect by a name that the certificate was made for, or tell it: TLSConfig(server_hostname=...)",
    ),
    (("has expired",), "The engine's certificate has expired: renew it on the engine's host"),
    (("not yet valid",), "The engine's certificate is not valid yet: compare the clocks of both hosts"),
    (
        ("unable to get", "self-signed", "self signed", "signature failure", "unable to verify"),
        "It is signed by a CA that is not trusted here: give TLSConfig(ca_cert=...), or ca.pem in DOCKER_CERT_PATH",
    ),
)


def _tls_hint(endpoint: Endpoint, error: ssl.SSLError) -> str:
    text = str(error).lower().replace("_", " ")
    for marks, hint in _TLS_HINTS:
        if any(mark in text for mark in marks):
            return _client_cert_hint(endpoint) if hint == "wants" else hint
    return ""


def _client_cert_hint(endpoint: Endpoint) -> str:
    if endpoint.tls is not None and endpoint.tls.cert is not None:
        return (
            "The engine did not accept the client certificate: is it signed by the CA that dockerd got as --tlscacert?"
        )
    return (
        "The engine wants a client certificate: give TLSConfig(client_cert=(cert, key)), "
        "or cert.pem and key.pem in DOCKER_CERT_PATH"
    )


def plain_on_tls_port(endpoint: Endpoint) -> ConnectionFailed:
    """The exception for an engine that wants TLS and was spoken to without."""
    from dockerkit.errors import ConnectionFailed

    return ConnectionFailed(
        f"{endpoint.host} wants TLS, and was spoken to without: give tls=TLSConfig(...), or set DOCKER_TLS_VERIFY=1 "
        "and DOCKER_CERT_PATH",
        endpoint,
    )
