"""Connections through the system's ssh, with its configuration, agent and known hosts.

There is one login per host, shared by all connections (a "control master" in a private folder). It forwards the engine's
socket to a local one, so that a connection needs no new process or login, and is a real socket that supports select,
half-close and cancellation. If the server forbids forwarding, each connection is one end of a socket pair whose other
end is stdin and stdout of ``ssh HOST docker system dial-stdio``.

ssh never gets a terminal: instead of asking for a password or about a host key it fails, and the error says why.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from typing import IO, TYPE_CHECKING

from dockerkit.transport.failures import SSH_LIMIT_HINT, SSHFailed, SSHTimeout

if TYPE_CHECKING:
    from dockerkit.endpoint.discovery import Endpoint

_DEFAULT_SOCKET = "/var/run/docker.sock"
_CONNECT_TIMEOUT = 10.0  # for the host to respond; the whole login may take longer
_LOGIN_TIMEOUT = 60.0  # if the caller sets none; ssh itself would wait as long as TCP does
_CONTEXT_COMMAND = "docker context inspect --format '{{.Endpoints.docker.Host}}'"
_LIMIT_MESSAGES = ("Session open refused", "kex_exchange_identification")
_OPTIONS = (
    *("BatchMode=yes", "ClearAllForwardings=yes", "RemoteCommand=none", "RequestTTY=no", "ForwardX11=no"),
    *("LogLevel=ERROR", "ServerAliveInterval=30", "ServerAliveCountMax=3", "ExitOnForwardFailure=no"),
)


def dial(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    """Connect to an engine behind ssh; without a path in its address, to that of the remote host's docker command.

    The timeout limits the login, if there is none yet.
    """
    if sys.platform == "win32" or shutil.which("ssh") is None:
        from dockerkit.transport import paramiko_ssh

        return paramiko_ssh.dial(endpoint, timeout)
    with _lock:
        login = _logins.get(endpoint.host)
        if login is None:
            login = _logins[endpoint.host] = _ControlMaster(endpoint)
    return login.dial(timeout)


def close_shared_login(endpoint: Endpoint) -> None:
    """Log out of an endpoint's host, unless connections through it are still open."""
    from dockerkit.transport import paramiko_ssh

    paramiko_ssh.close_shared_login(endpoint)
    with _lock:
        login = _logins.get(endpoint.host)
        if login is None or login._open:
            return
        del _logins[endpoint.host]
    login.close()


def check(sock: socket.socket, timeout: float | None) -> bool:
    """Return whether an engine responds to ``/_ping`` on a new socket."""
    sock.settimeout(timeout)
    try:
        sock.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
        return sock.recv(4096).startswith(b"HTTP/1.")
    except OSError:
        return False


class _ControlMaster:
    """One login on a host, and how to reach the engine from there."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._folder: str | None = None
        self._forwarded = ""
        self._open: set[int] = set()

    def dial(self, timeout: float | None) -> socket.socket:
        with self._lock:
            if self._folder is None:
                self._log_in(timeout)
            folder, forwarded = self._folder, self._forwarded
        try:
            return self._connect(forwarded, timeout)
        except (FileNotFoundError, ConnectionRefusedError):  # ssh has exited: network failure, or idle for too long
            with self._lock:
                if self._folder in (folder, None):  # unless another thread has logged in meanwhile
                    self._forget()
                    self._log_in(timeout)
                forwarded = self._forwarded
            return self._connect(forwarded, timeout)

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _connect(self, forwarded: str, timeout: float | None) -> socket.socket:
        sock = self._connect_forwarded(forwarded, timeout) if forwarded else self._connect_stdio()
        self._open.add(id(sock))
        return sock

    def _connect_forwarded(self, path: str, timeout: float | None) -> _Socket:
        sock = _Socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            sock.connect(path)
        except BaseException:
            sock.close()
            raise
        sock.login = self
        return sock

    def _connect_stdio(self) -> _Socket:
        """Return one end of a socket pair whose other end is stdin and stdout of an ssh process."""
        host_option = f"--host unix://{shlex.quote(self._endpoint.path)} " if self._endpoint.path else ""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the socket
        try:
            process = subprocess.Popen(
                self._command(f"docker {host_option}system dial-stdio"),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=errors,
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            errors.close()
            raise
        finally:
            theirs.close()
        sock = _Socket(fileno=ours.detach())
        sock.login, sock.process, sock.errors = self, process, errors
        return sock

    def _log_in(self, timeout: float | None) -> None:
        """Log in, find the engine's socket, and choose how to connect to it."""
        timeout = _LOGIN_TIMEOUT if timeout is None else timeout
        self._folder = _private_folder()
        try:
            address = self._query_address(timeout)
            scheme, _, path = address.partition("://")
            if scheme == "unix" and ":" not in path and self._forward(path, timeout):
                return
            self._forwarded = ""
            with self._connect_stdio() as sock:
                if not check(sock, timeout):
                    raise SSHFailed(
                        f"logged in, but found no engine there: {sock.last_messages() or 'no response'}",
                        f"`ssh {self._endpoint.hostname} docker version` must work; "
                        "to use another socket write ssh://HOST/PATH/OF.sock",
                    )
        except BaseException:
            self._forget()
            raise

    def _query_address(self, timeout: float) -> str:
        """Log in; return the address that the docker command on the host uses."""
        master = (
            "ControlMaster=yes",
            "ControlPersist=30",
            f"ConnectTimeout={max(1, round(min(timeout, _CONNECT_TIMEOUT)))}",
        )
        command = "true" if self._endpoint.path else _CONTEXT_COMMAND
        try:
            result = _run(self._command(command, *master), timeout)
        except TimeoutError as error:
            raise SSHTimeout(str(error), _reachability_hint(self._endpoint)) from None
        if result.returncode == 255:
            failure = SSHTimeout if "timed out" in result.stderr else SSHFailed
            raise failure(*_explain(result.stderr, self._endpoint))
        if self._endpoint.path:
            return f"unix://{self._endpoint.path}"
        if result.returncode != 0:  # no docker command there: try the engine's default socket
            return f"unix://{_DEFAULT_SOCKET}"
        return result.stdout.strip()

    def _forward(self, path: str, timeout: float) -> bool:
        """Forward a local socket to the engine's; return whether an engine responds through it."""
        self._forwarded = f"{self._folder}/engine"
        result = self._control("forward", "-L", f"{self._forwarded}:{path}", timeout=timeout)
        if result.returncode != 0:
            return False
        with self._connect_forwarded(self._forwarded, timeout) as sock:
            return check(sock, timeout)

    def _control(self, *arguments: str, timeout: float) -> subprocess.CompletedProcess[str]:
        control = ["ssh", "-F", os.devnull, "-S", f"{self._folder}/control", "-O"]
        return _run([*control, *arguments, "--", self._endpoint.hostname], timeout)

    def _command(self, remote: str, *options: str) -> list[str]:
        command = ["ssh", "-T"]
        for option in (*_OPTIONS, f"ControlPath={self._folder}/control", *options):
            command += ["-o", option]
        if self._endpoint.port:
            command += ["-p", str(self._endpoint.port)]
        if self._endpoint.user:
            command += ["-l", self._endpoint.user]
        return [*command, "--", self._endpoint.hostname, remote]

    def _forget(self) -> None:
        if self._folder is not None:
            with contextlib.suppress(OSError, SSHFailed):
                self._control("exit", timeout=5)
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder, self._forwarded = None, ""


class _Socket(socket.socket):
    """The local end of a connection; closing it ends its own ssh process, if it has one."""

    login: _ControlMaster | None = None
    process: subprocess.Popen[bytes] | None = None
    errors: IO[bytes] | None = None
    message = ""

    def last_messages(self) -> str:
        """Return the last messages of ssh and the remote command."""
        if self.process is not None and self.errors is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)
            self.errors.seek(0)
            message = self.errors.read().decode("utf-8", "replace")
            self.message = _last_lines(message)
            if any(marker in message for marker in _LIMIT_MESSAGES):
                self.message += f". {SSH_LIMIT_HINT}"
        return self.message

    def close(self) -> None:
        super().close()
        if self.login is not None:
            self.login._open.discard(id(self))
            self.login = None
        if self.process is not None and self.errors is not None:
            _terminate(self.process)
            self.last_messages()
            self.errors.close()
            self.process = self.errors = None


def _terminate(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run(command: list[str], timeout: float) -> subprocess.CompletedProcess[str]:
    """Run an ssh command that exits by itself."""
    # Output goes to files: the control master that stays in the background would keep a pipe open.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"ssh did not log in within {timeout:.3g} seconds") from None
        finally:
            _terminate(process)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, process.returncode, out.read(), err.read())


def _explain(message: str, endpoint: Endpoint) -> tuple[str, str]:
    """Return ssh's error message, and what to do."""
    manual_command = _manual_command(endpoint)
    if "IDENTIFICATION HAS CHANGED" in message:
        return "the host's key has changed", (
            "Somebody may be intercepting the connection, or the host was reinstalled: ask its owner, then remove the old key with "
            f"`ssh-keygen -R {endpoint.hostname}`"
        )
    if "Host key verification failed" in message:
        return "the host's key is not known", f"Connect once with {manual_command}, compare the key, and accept it"
    if "Permission denied" in message or "Too many authentication failures" in message:
        return f"the host refused the login: {_last_lines(message)}", (
            "dockerkit never prompts for passwords: set up a key (ssh-copy-id) or load it into the ssh agent, "
            f"until {manual_command} works without a prompt"
        )
    if "Could not resolve hostname" in message:
        return _last_lines(message), "Check the name, or the Host entries of ~/.ssh/config"
    if any(marker in message for marker in _LIMIT_MESSAGES):
        return _last_lines(message), SSH_LIMIT_HINT
    if "timed out" in message or "No route to host" in message or "unreachable" in message:
        return _last_lines(message), _reachability_hint(endpoint)
    return _last_lines(message) or "ssh failed without a message", f"Try {manual_command}"


def _reachability_hint(endpoint: Endpoint) -> str:
    return f"Is the host up, and reachable from here (VPN, firewall, port)? Try {_manual_command(endpoint)}"


def _manual_command(endpoint: Endpoint) -> str:
    return f"`ssh {f'-p {endpoint.port} ' if endpoint.port else ''}{_login_name(endpoint)}`"


def _login_name(endpoint: Endpoint) -> str:
    return f"{endpoint.user}@{endpoint.hostname}" if endpoint.user else endpoint.hostname


def _last_lines(message: str) -> str:
    lines = [line.strip() for line in message.split("\n") if line.strip()]
    return "; ".join(lines[-2:])


def _private_folder() -> str:
    folder = tempfile.mkdtemp(prefix="dk-ssh-")
    # A socket's path has at most 104 to 108 bytes, and ssh appends 17; blanks, quotes and % are special to ssh.
    if len(folder) > 70 or not re.fullmatch(r"[\w./+-]+", folder):
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="dk-ssh-", dir="/tmp")
    return folder


_lock = threading.Lock()
_logins: dict[str, _ControlMaster] = {}


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _logins.clear()  # they belong to the parent; the child logs in itself


@atexit.register
def _log_out() -> None:
    for login in list(_logins.values()):
        login.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
