"""Engines behind ssh: the system's ssh, played by a script, and paramiko with a server in this process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from scripted_engine import Answer, ScriptedEngine

from dockerkit import APIClient
from dockerkit.endpoint.discovery import Endpoint
from dockerkit.errors import ConnectionFailed
from dockerkit.transport import paramiko_ssh, ssh

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # old versions of paramiko name ciphers where cryptography no longer has them
    import paramiko
    from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_FAILED_RESOURCE_SHORTAGE, OPEN_SUCCEEDED

# Logs its arguments; forwards by linking an existing socket, which works like a forwarded one.
SSH = """#!/bin/sh
echo "$*" >> {folder}/log
case "$*" in
*"-O forward"*)
  {forward}
  while [ $# -gt 0 ]; do [ "$1" = -L ] && map=$2; shift; done
  [ -S "${{map#*:}}" ] && ln -s "${{map#*:}}" "${{map%%:*}}";;
*"-O exit"*) ;;
*dial-stdio*) exec {python} -S {folder}/dial.py;;
*ConnectTimeout*) {login};;
esac
"""
DIAL = """
import os, socket, threading
sock = socket.socket(socket.AF_UNIX)
sock.connect({path!r})
def copy():
    while data := sock.recv(4096):
        os.write(1, data)
    os.close(1)
threading.Thread(target=copy, daemon=True).start()
while data := os.read(0, 4096):
    sock.sendall(data)
sock.shutdown(socket.SHUT_WR)
"""


class FakeSSH:
    """Puts an ssh into PATH that "logs in" to this machine."""

    def __init__(self, folder: Path, engine: ScriptedEngine) -> None:
        self.folder = folder
        self.path = engine.host.removeprefix("unix://")
        self.write()

    def write(self, *, login: str = "exit 0", forward: str = ":", dial: str = DIAL) -> None:
        script = SSH.format(folder=self.folder, python=sys.executable, login=login, forward=forward)
        (self.folder / "dial.py").write_text(dial.format(path=self.path))
        (self.folder / "ssh").write_text(script)
        (self.folder / "ssh").chmod(0o755)

    def log(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()

    def count(self, text: str) -> int:
        return sum(text in line for line in self.log())


@pytest.fixture
def fake(tmp_path: Path, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSSH]:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    scripted.on("GET", "/containers/json", Answer.json([]))
    yield FakeSSH(tmp_path, scripted)
    for login in list(ssh._logins.values()):
        login.close()
    ssh._logins.clear()


def test_connections_share_one_login_and_its_forwarded_socket(fake: FakeSSH) -> None:
    with APIClient(f"ssh://me@far:2222{fake.path}", timeout=20) as api:
        assert api.containers() == []
        assert api.containers(all=True) == []
        with APIClient(f"ssh://me@far:2222{fake.path}", timeout=20) as other:
            assert other.containers() == []
        assert ssh._logins  # in use
    assert fake.count("ConnectTimeout") == 1 and fake.count("-O forward") == 1
    login = next(line for line in fake.log() if "ConnectTimeout" in line)
    assert "-p 2222" in login and "-l me" in login and "BatchMode=yes" in login
    assert login.endswith("-- far true")
    assert not ssh._logins
    assert fake.count("-O exit") == 1


def test_socket_of_the_remote_docker_command_is_used(fake: FakeSSH) -> None:
    fake.write(login=f"echo unix://{fake.path}")
    with APIClient("ssh://far", timeout=20) as api:
        assert api.containers() == []
    assert fake.count("docker context inspect") == 1
    assert fake.count(f":{fake.path}") == 1


def test_usual_socket_is_tried_if_the_host_has_no_docker_command(fake: FakeSSH) -> None:
    fake.write(login="exit 127")
    with APIClient("ssh://far", timeout=20) as api:
        assert api.containers() == []  # by dial-stdio, since nothing listens at the usual path
    assert fake.count(":/var/run/docker.sock") == 1
    assert fake.count("docker system dial-stdio") >= 1


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:2375", "unix:///with:colon"])
def test_engine_that_cannot_be_forwarded_to_is_reached_by_dial_stdio(fake: FakeSSH, address: str) -> None:
    fake.write(login=f"echo {address}")
    with APIClient("ssh://far", timeout=20) as api:
        assert api.containers() == []
    assert fake.count("-O forward") == 0


def test_forbidden_forwarding_falls_back_to_dial_stdio_with_the_path(fake: FakeSSH) -> None:
    fake.write(forward="exit 1")
    with APIClient(f"ssh://far{fake.path}", timeout=20) as api:
        assert api.containers() == []
    assert fake.count(f"docker --host unix://{fake.path} system dial-stdio") >= 1


def test_host_without_an_engine_is_reported_with_the_last_messages(fake: FakeSSH) -> None:
    fake.write(forward="exit 1", dial="import sys; sys.exit('Cannot connect to the Docker daemon')")
    with APIClient("ssh://far/x.sock", timeout=20) as api, pytest.raises(ConnectionFailed) as caught:
        api.ping()
    assert "logged in, but found no engine there: Cannot connect to the Docker daemon" in str(caught.value)
    assert "`ssh far docker version` must work" in str(caught.value)


def test_login_that_has_ended_is_repeated(fake: FakeSSH) -> None:
    with APIClient(f"ssh://far{fake.path}", timeout=20) as api:
        assert api.containers() == []
        (login,) = ssh._logins.values()
        os.unlink(login._forwarded)
        with APIClient(f"ssh://far{fake.path}", timeout=20) as other:
            assert other.containers() == []
    assert fake.count("ConnectTimeout") == 2


@pytest.mark.parametrize(
    ("message", "summary", "advice"),
    [
        ("REMOTE HOST IDENTIFICATION HAS CHANGED!", "the host's key has changed", "ssh-keygen -R far"),
        ("Host key verification failed.", "the host's key is not known", "Connect once with `ssh -p 22 me@far`"),
        ("me@far: Permission denied (publickey).", "the host refused the login: me@far: Permission", "ssh-copy-id"),
        ("ssh: Could not resolve hostname far: unknown", "Could not resolve hostname", "Check the name"),
        ("kex_exchange_identification: reset", "kex_exchange_identification", "MaxStartups"),
        ("connect to host far port 22: No route to host", "No route to host", "Is the host up, and reachable"),
        ("", "ssh failed without a message", "Try `ssh -p 22 me@far`"),
    ],
)
def test_failed_login_is_explained(fake: FakeSSH, message: str, summary: str, advice: str) -> None:
    fake.write(login=f"echo '{message}' >&2; exit 255")
    with APIClient("ssh://me@far:22/x.sock", timeout=20) as api, pytest.raises(ConnectionFailed) as caught:
        api.ping()
    assert summary in str(caught.value) and advice in str(caught.value)


def test_long_temporary_folders_are_avoided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    folder = ssh._private_folder()
    try:
        assert folder.startswith("/tmp/dk-ssh-")
        assert not list(long.iterdir())
    finally:
        os.rmdir(folder)


def test_process_that_ignores_the_end_is_killed() -> None:
    process = subprocess.Popen(
        ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        ssh._terminate(process)
        assert process.returncode == -9


# --- paramiko ---


class Host(paramiko.ServerInterface):
    """Accepts one key, and runs `docker system dial-stdio` by connecting to an engine."""

    def __init__(self, server: SSHServer) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._server.users.append(username)
        return AUTH_SUCCESSFUL if key == self._server.user_key else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if self._server.refuses_sessions:
            return OPEN_FAILED_RESOURCE_SHORTAGE
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._server.commands.append(command.decode())
        thread = threading.Thread(target=self._server.bridge, args=(channel,), daemon=True)
        thread.start()
        return True


def new_user_key(path: Path) -> paramiko.PKey:
    """Write a new key, and return it."""
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return paramiko.Ed25519Key(filename=str(path))


class SSHServer:
    """An SSH server on a port of this machine."""

    def __init__(self, path: str, folder: Path) -> None:
        self.host_key = paramiko.RSAKey.generate(2048)
        self.user_key = new_user_key(folder / "key")
        self.users: list[str] = []
        self.commands: list[str] = []
        self.refuses_sessions = False
        self._path = path
        self._transports: list[paramiko.Transport] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.host_key)
            self._transports.append(transport)
            transport.start_server(threading.Event(), Host(self))  # which doesn't wait for the client

    def bridge(self, channel: paramiko.Channel) -> None:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self._path)

            def back() -> None:
                while data := sock.recv(4096):
                    channel.sendall(data)
                channel.shutdown_write()

            thread = threading.Thread(target=back, daemon=True)
            thread.start()
            while data := channel.recv(4096):
                sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            thread.join(20)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(20)
        for transport in self._transports:
            transport.close()


@pytest.fixture
def server(scripted: ScriptedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SSHServer]:
    """A server called "far" in the user's configuration and known_hosts, on a machine without the ssh program."""
    scripted.on("GET", "/containers/json", Answer.json([]))
    folder = tmp_path / ".ssh"
    folder.mkdir()
    server = SSHServer(scripted.host.removeprefix("unix://"), folder)
    (folder / "config").write_text(
        f"Host far\n  HostName 127.0.0.1\n  Port {server.port}\n  User me\n  IdentityFile {folder}/key\n"
    )
    trust(tmp_path, server, server.host_key)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    yield server
    server.close()
    assert not paramiko_ssh._logins


def trust(home: Path, server: SSHServer, key: paramiko.PKey) -> None:
    line = f"[127.0.0.1]:{server.port} {key.get_name()} {key.get_base64()}\n"
    (home / ".ssh/known_hosts").write_text(line)


def test_paramiko_reads_the_users_configuration_and_shares_a_login(server: SSHServer) -> None:
    with APIClient("ssh://far", timeout=20) as api:
        assert api.containers() == []
        with APIClient("ssh://far", timeout=20) as other:
            assert other.containers() == []
            paramiko_ssh.close_shared_login(other.endpoint)
        assert api.containers(all=True) == []  # after a new login
    assert set(server.commands) == {"docker system dial-stdio"}
    assert set(server.users) == {"me"}


def test_paramiko_asks_for_the_socket_in_the_address(server: SSHServer) -> None:
    with APIClient(f"ssh://you@far:{server.port}/run/my-docker.sock", timeout=20) as api:
        assert api.containers() == []
    assert server.commands == ["docker --host unix:///run/my-docker.sock system dial-stdio"]
    assert set(server.users) == {"you"}


def test_paramiko_refuses_unknown_and_changed_hosts(server: SSHServer, tmp_path: Path) -> None:
    trust(tmp_path, server, paramiko.RSAKey.generate(2048))
    with APIClient("ssh://far", timeout=20) as api, pytest.raises(ConnectionFailed, match="key has changed") as caught:
        api.ping()
    assert "Ask the host's owner" in str(caught.value)
    (tmp_path / ".ssh/known_hosts").write_text("")
    with APIClient("ssh://far", timeout=20) as api, pytest.raises(ConnectionFailed, match="known_hosts") as caught:
        api.ping()
    assert "Connect once with ssh and accept its key" in str(caught.value)


def test_paramiko_reports_refused_logins_and_sessions(server: SSHServer, tmp_path: Path) -> None:
    server.user_key, known = new_user_key(tmp_path / "other"), server.user_key
    with (
        APIClient("ssh://far", timeout=20) as api,
        pytest.raises(ConnectionFailed, match="refused the login") as caught,
    ):
        api.ping()
    assert "Set up a key, or load it into the ssh agent" in str(caught.value)
    server.user_key = known
    server.refuses_sessions = True
    with (
        APIClient("ssh://far", timeout=20) as api,
        pytest.raises(ConnectionFailed, match="opened no session") as caught,
    ):
        api.ping()
    assert "MaxSessions" in str(caught.value)


def test_paramiko_reports_a_refused_key_of_a_kind_that_it_tries_to_read_in_several_ways(
    server: SSHServer, tmp_path: Path
) -> None:
    paramiko.RSAKey.generate(2048).write_private_key_file(str(tmp_path / ".ssh/key"))
    with (
        APIClient("ssh://far", timeout=20) as api,
        pytest.raises(ConnectionFailed, match="refused the login") as caught,
    ):
        api.ping()
    assert "Set up a key, or load it into the ssh agent" in str(caught.value)


def test_paramiko_uses_a_proxy_command(server: SSHServer, tmp_path: Path) -> None:
    dial = tmp_path / "proxy.py"
    dial.write_text(DIAL.replace("AF_UNIX", "AF_INET").format(path=("127.0.0.1", server.port)))
    with (tmp_path / ".ssh/config").open("a") as file:
        file.write(f"  ProxyCommand {sys.executable} -S {dial}\n")
    endpoint = Endpoint("ssh://far", "argument", "")
    settings = paramiko_ssh._settings(endpoint)
    proxy = settings["sock"]
    assert proxy.cmd[-1] == str(dial)
    proxy.process.communicate()
    assert (settings["hostname"], settings["port"], settings["username"]) == ("127.0.0.1", server.port, "me")
