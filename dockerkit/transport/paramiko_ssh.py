"""Connections through paramiko, on machines without an ssh program (extra ``dockerkit[ssh]``).

It reads ``~/.ssh/config`` (HostName, User, Port, IdentityFile, ProxyCommand) and known_hosts, refuses unknown hosts, and
uses the ssh agent. There is one login per host; each connection is a channel of it, bridged to a socket pair.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from dockerkit.errors import MissingExtra
from dockerkit.transport.bridge import bridge
from dockerkit.transport.failures import SSH_LIMIT_HINT, SSHFailed

if TYPE_CHECKING:
    import paramiko

    from dockerkit.endpoint.discovery import Endpoint

_logins: dict[tuple[int, str], paramiko.SSHClient] = {}
_lock = threading.Lock()
_OTHER_KIND = re.compile(r"encountered \w+ key, expected \w+ key")


def dial(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    """Connect to an engine behind ssh; see :func:`dockerkit.transport.ssh.dial`."""
    key = (os.getpid(), endpoint.host)
    with _lock:
        client = _logins.get(key)
        transport = client.get_transport() if client is not None else None
        if client is None or transport is None or not transport.is_active():
            client = _logins[key] = _log_in(endpoint, timeout)
    host_option = f"--host unix://{shlex.quote(endpoint.path)} " if endpoint.path else ""
    transport = client.get_transport()
    assert transport is not None
    import paramiko

    try:
        channel = transport.open_session(timeout=timeout)
        channel.exec_command(f"docker {host_option}system dial-stdio")
    except paramiko.ChannelException as error:
        raise SSHFailed(f"the host opened no session: {error.text}", SSH_LIMIT_HINT) from error
    except paramiko.SSHException as error:
        raise SSHFailed(f"the host opened no session: {error}") from error
    return bridge(channel, "dockerkit-ssh")


def close_shared_login(endpoint: Endpoint) -> None:
    """Log out of an endpoint's host."""
    with _lock:
        client = _logins.pop((os.getpid(), endpoint.host), None)
    if client is not None:
        client.close()


def _log_in(endpoint: Endpoint, timeout: float | None) -> paramiko.SSHClient:
    try:
        import paramiko
    except ImportError as error:
        program = "" if sys.platform == "win32" else "OpenSSH's client or "  # which isn't used on Windows
        raise MissingExtra(f"{endpoint.host} requires {program}paramiko: pip install 'dockerkit[ssh]'") from error
    client = paramiko.SSHClient()
    client.load_system_host_keys()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        client.connect(**_settings(endpoint), timeout=timeout, auth_timeout=timeout, banner_timeout=timeout)
    except BaseException as error:
        client.close()
        if isinstance(error, paramiko.SSHException):
            raise _ssh_error(error) from error
        raise
    return client


def _ssh_error(error: paramiko.SSHException) -> SSHFailed:
    import paramiko

    if isinstance(error, paramiko.BadHostKeyException):
        return SSHFailed("the host's key has changed", "Ask the host's owner before you remove the old key")
    refused = "Set up a key, or load it into the ssh agent"
    if isinstance(error, paramiko.AuthenticationException):
        return SSHFailed(f"the host refused the login: {error}", refused)
    if _OTHER_KIND.fullmatch(str(error)):  # of the last attempt to read a key that was read and refused before
        return SSHFailed("the host refused the login", refused)
    return SSHFailed(str(error), "Connect once with ssh and accept its key" if "known_hosts" in str(error) else "")


def _settings(endpoint: Endpoint) -> dict[str, Any]:
    import paramiko

    config = paramiko.SSHConfig()
    with contextlib.suppress(OSError), open(os.path.expanduser("~/.ssh/config"), encoding="utf-8") as file:
        config.parse(file)
    host = config.lookup(endpoint.hostname)
    settings: dict[str, Any] = {
        "hostname": host.get("hostname", endpoint.hostname),
        "port": endpoint.port or int(host.get("port", 22)),
        "username": endpoint.user or host.get("user"),
        "key_filename": host.get("identityfile"),
    }
    if host.get("proxycommand", "none") != "none":
        settings["sock"] = paramiko.ProxyCommand(host["proxycommand"])
    return settings
