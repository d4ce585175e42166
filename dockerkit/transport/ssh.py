"""Reaching an engine through the system's ssh, with its config, agent and known hosts.

One login per host: an ssh that other sshs share (a "control master", in a private folder). Through it the engine's
socket is forwarded to a local one, so that a connection costs no process and no login, and is a real socket: it can be
selected on, half-closed and cancelled. Where the server forbids such forwarding, each connection is one end of a
socket pair whose other end is stdin and stdout of ``ssh HOST docker system dial-stdio``.

ssh is never let near a terminal: where it would ask for a password or about a host key, it fails, and we tell why.
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

if TYPE_CHECKING:
    from dockerkit.config import Endpoint

_USUAL_SOCKET = "/var/run/docker.sock"
_LOGIN_TIMEOUT = 60.0  # where the caller sets none; ssh itself would wait for as long as TCP does
_WHERE = "docker context inspect --format '{{.Endpoints.docker.Host}}'"
_OPTIONS = (
    *("BatchMode=yes", "ClearAllForwardings=yes", "RemoteCommand=none", "RequestTTY=no", "ForwardX11=no"),
    *("LogLevel=ERROR", "ServerAliveInterval=30", "ServerAliveCountMax=3", "ExitOnForwardFailure=no"),
)


class SSHFailed(ConnectionError):
    """ssh did not get us to an engine; the text is ssh's own.

    Attributes:
        hint: what to do about it.
    """

    def __init__(self, said: str, hint: str = "") -> None:
        super().__init__(said)
        self.hint = hint


def dial(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    """Connect to an engine behind ssh.

    Args:
        endpoint: ``ssh://[user@]host[:port][/path/of/socket]``; without a path, the engine that the remote host's
            docker command uses.
        timeout: seconds for logging in, where that has not happened yet.

    Returns:
        A connected socket.

    Raises:
        SSHFailed: no login, or no engine behind it.
    """
    if sys.platform == "win32" or shutil.which("ssh") is None:
        from dockerkit.transport import paramiko_ssh

        return paramiko_ssh.dial(endpoint, timeout)
    with _lock:
        login = _logins.get(endpoint.host)
        if login is None:
            login = _logins[endpoint.host] = _Login(endpoint)
    return login.dial(timeout)


def hang_up(endpoint: Endpoint) -> None:
    """Log out of an endpoint's host, unless connections through it are still open."""
    from dockerkit.transport import paramiko_ssh

    paramiko_ssh.hang_up(endpoint)
    with _lock:
        login = _logins.get(endpoint.host)
        if login is None or login.in_use():
            return
        del _logins[endpoint.host]
    login.close()


def check(sock: socket.socket, timeout: float | None) -> bool:
    """Whether an engine answers on a socket just made: one ``/_ping``."""
    sock.settimeout(timeout)
    try:
        sock.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
        return sock.recv(4096).startswith(b"HTTP/1.")
    except OSError:
        return False


class _Login:
    """One login at a host, and what is known of the way from there to its engine."""

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
        except (FileNotFoundError, ConnectionRefusedError):  # ssh has ended: the network broke, or it idled too long
            with self._lock:
                if self._folder in (folder, None):  # and no other thread has logged in meanwhile
                    self._forget()
                    self._log_in(timeout)
                forwarded = self._forwarded
            return self._connect(forwarded, timeout)

    def in_use(self) -> bool:
        return bool(self._open)

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _connect(self, forwarded: str, timeout: float | None) -> socket.socket:
        made = self._connect_forwarded(forwarded, timeout) if forwarded else self._connect_stdio()
        self._open.add(id(made))
        return made

    def _closed(self, sock: socket.socket) -> None:
        self._open.discard(id(sock))

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
        """One end of a socket pair whose other end is stdin and stdout of an ssh."""
        at = f"--host unix://{shlex.quote(self._endpoint.path)} " if self._endpoint.path else ""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the socket
        try:
            process = subprocess.Popen(
                self._command(f"docker {at}system dial-stdio"),
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
        """Log in, find the engine's socket, and choose the way to it that works."""
        wait = _LOGIN_TIMEOUT if timeout is None else timeout
        self._folder = _private_folder()
        try:
            where = self._ask_where(wait)
            if (
                where.startswith("unix://")
                and ":" not in where[7:]
                and self._forward(where.removeprefix("unix://"), wait)
            ):
                return
            self._forwarded = ""
            with self._connect_stdio() as sock:
                if not check(sock, wait):
                    raise SSHFailed(
                        f"logged in, but found no engine there: {sock.why() or 'nothing answers'}",
                        f"`ssh {self._endpoint.hostname} docker version` must work; "
                        "to use another socket write ssh://HOST/PATH/OF.sock",
                    )
        except BaseException:
            self._forget()
            raise

    def _ask_where(self, wait: float) -> str:
        """Log in; the answer is the address that the docker command there uses."""
        master = ("ControlMaster=yes", "ControlPersist=30", f"ConnectTimeout={max(1, round(wait))}")
        question = "true" if self._endpoint.path else _WHERE
        done = _run(self._command(question, *master), wait)
        if done.returncode == 255:
            raise SSHFailed(*_explain(done.stderr, self._endpoint))
        if self._endpoint.path:
            return f"unix://{self._endpoint.path}"
        if done.returncode != 0:  # no docker command there: perhaps the engine is in its usual place all the same
            return f"unix://{_USUAL_SOCKET}"
        return done.stdout.strip()

    def _forward(self, path: str, wait: float) -> bool:
        """Forward a local socket to the engine's; whether an engine answers through it."""
        self._forwarded = f"{self._folder}/engine"
        control = ["ssh", "-F", os.devnull, "-S", f"{self._folder}/control", "-O"]
        done = _run([*control, "forward", "-L", f"{self._forwarded}:{path}", "--", self._endpoint.hostname], wait)
        if done.returncode != 0:
            return False
        with self._connect_forwarded(self._forwarded, wait) as sock:
            return check(sock, wait)

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
                _run(["ssh", "-F", os.devnull, "-S", f"{self._folder}/control", "-O", "exit", "--", "engine"], 5)
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder, self._forwarded = None, ""


class _Socket(socket.socket):
    """Our end of a connection; when it is closed, the ssh that served it alone is ended and waited for."""

    login: _Login | None = None
    process: subprocess.Popen[bytes] | None = None
    errors: IO[bytes] | None = None
    said = ""

    def why(self) -> str:
        """What ssh and the remote command had to say about the end of the connection."""
        if self.process is not None and self.errors is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)
            self.errors.seek(0)
            self.said = _last_words(self.errors.read().decode("utf-8", "replace"))
        return self.said

    def _real_close(self) -> None:
        super()._real_close()  # type: ignore[misc]
        if self.login is not None:
            self.login._closed(self)
            self.login = None
        if self.process is not None and self.errors is not None:
            _end(self.process)
            self.why()
            self.errors.close()
            self.process = self.errors = None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run(command: list[str], wait: float) -> subprocess.CompletedProcess[str]:
    """Run an ssh that comes back by itself."""
    # Into files: the ssh that stays behind for others would keep a pipe open, and us waiting for its end.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"ssh did not log in within {wait:g} seconds") from None
        finally:
            _end(process)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, process.returncode, out.read(), err.read())


def _explain(said: str, endpoint: Endpoint) -> tuple[str, str]:
    """The words of ssh itself, and what to do."""
    by_hand = f"`ssh {f'-p {endpoint.port} ' if endpoint.port else ''}{_login_name(endpoint)}`"
    if "IDENTIFICATION HAS CHANGED" in said:
        return "the host's key has changed", (
            "Somebody may be listening in, or the host was set up anew: ask its owner, then remove the old key with "
            f"`ssh-keygen -R {endpoint.hostname}`"
        )
    if "Host key verification failed" in said:
        return "the host's key is not known", f"Connect once by hand with {by_hand}, compare the key, and accept it"
    if "Permission denied" in said or "Too many authentication failures" in said:
        return f"the host refused the login: {_last_words(said)}", (
            "Passwords are never asked for: set up a key (ssh-copy-id) or load it into the ssh agent, "
            f"until {by_hand} asks nothing"
        )
    if "Could not resolve hostname" in said:
        return _last_words(said), "Check the name, or the Host entries of ~/.ssh/config"
    return _last_words(said) or "ssh failed and said nothing", f"Try {by_hand}"


def _login_name(endpoint: Endpoint) -> str:
    return f"{endpoint.user}@{endpoint.hostname}" if endpoint.user else endpoint.hostname


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return "; ".join(lines[-2:])


def _private_folder() -> str:
    folder = tempfile.mkdtemp(prefix="dk-ssh-")
    # A socket's path has 104 to 108 bytes, and ssh appends 17 of its own; blanks, quotes and % mean something to ssh.
    if len(folder) > 70 or not re.fullmatch(r"[\w./+-]+", folder):
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="dk-ssh-", dir="/tmp")
    return folder


_lock = threading.Lock()
_logins: dict[str, _Login] = {}


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _logins.clear()  # they are the parent's: the child logs in by itself


@atexit.register
def _log_out() -> None:
    for login in list(_logins.values()):
        login.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
