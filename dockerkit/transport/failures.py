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
        return _tls_hint(error)
    if not isinstance(error, OSError):
        if "BadStatusLine" in type(error).__name__:
            return "What answers there is no HTTP: if the engine wants TLS, give tls= or set DOCKER_TLS_VERIFY=1"
        return ""
    if endpoint.host.startswith("unix://"):
        return _socket_hint(endpoint.host.removeprefix("unix://"), error)
    if error.errno == errno.ECONNREFUSED:
        return "Nothing listens there: is the engine running, and was dockerd started with -H for this address?"
    return ""


def _socket_hint(path: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "There is no such socket: start the engine, or name another with DOCKER_HOST or a docker context"
    if error.errno in (errno.EACCES, errno.EPERM):
        user = os.environ.get("USER") or "this user"
        return (
            f"Permission denied: add {user} to the group that owns the socket (sudo usermod -aG docker {user}, "
            "then log in again), or use a rootless engine"
        )
    if error.errno == errno.ECONNREFUSED:
        return f"The socket exists, but no engine listens on it: start it (systemctl start docker), or remove {path}"
    return ""


def _tls_hint(error: ssl.SSLError) -> str:
    text = str(error).lower()
    if "wrong_version_number" in text or "wrong version number" in text or "record layer" in text:
        return "The engine speaks plain HTTP on this port: connect without TLS, or use the engine's TLS port"
    if "certificate_required" in text or "certificate required" in text or "bad_certificate" in text:
        return "The engine wants a client certificate: give TLSConfig(client_cert=...) or DOCKER_CERT_PATH"
    if "hostname mismatch" in text or "ip address mismatch" in text:
        return "The certificate is for another name: connect by the name it was made for"
    if "expired" in text:
        return "The engine's certificate has expired: renew it"
    if "unknown ca" in text or "unable to get" in text or "self-signed" in text or "self signed" in text:
        return "It is signed by a CA that is not trusted here: give TLSConfig(ca_cert=...) or DOCKER_CERT_PATH"
    return ""
