"""An engine behind a real OpenSSH server."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ssh_server import SSHServer

from dockerkit import APIClient, DockerClient, errors
from dockerkit.transport import ssh


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SSHServer]:
    server = SSHServer(tmp_path)
    monkeypatch.setenv("PATH", f"{server.bin}:{os.environ['PATH']}")
    yield server
    ssh._log_out()
    ssh._logins.clear()
    server.stop()
    assert server.ours() == [], "every ssh has ended and was waited for"


@pytest.fixture
def url(server: SSHServer) -> str:
    return f"ssh://{server.user}@127.0.0.1:{{port}}"


# How to reach the engine: "path" and "asked" forward its socket, the others use `docker system dial-stdio`.
@pytest.fixture(params=["path", "asked", "stdio", "paramiko"])
def host(request: Any, server: SSHServer, engine: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    sock = engine.socket
    if request.param == "path":
        server.start()
        return f"ssh://{server.user}@127.0.0.1:{server.port}{sock}"
    if request.param == "asked":
        server.start(f"SetEnv DOCKER_HOST=unix://{sock}")
        return f"ssh://{server.user}@127.0.0.1:{server.port}"
    server.start("AllowStreamLocalForwarding no")
    if request.param == "paramiko":
        without_ssh(server, monkeypatch)
    return f"ssh://{server.user}@127.0.0.1:{server.port}{sock}"


def without_ssh(server: SSHServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use paramiko as on a machine without ssh, with keys and hosts in the usual files."""
    (server.folder / ".ssh").mkdir()
    (server.folder / ".ssh" / "known_hosts").write_text((server.folder / "known_hosts").read_text())
    (server.folder / ".ssh" / "config").write_text(f"Host *\n  IdentityFile {server.folder}/user\n")
    monkeypatch.setenv("HOME", str(server.folder))
    monkeypatch.setattr("dockerkit.transport.ssh.shutil.which", lambda name: None)


def test_many_calls_cost_one_login(server: SSHServer, host: str) -> None:
    with APIClient(host) as api:
        for _ in range(5):
            assert api.ping() is True
        assert api.version()["ApiVersion"]
        assert server.logins() == 1
        assert api.endpoint.host == host
    assert server.ours() == [], "closing the client ends ssh"


def test_exec_reads_input_until_it_is_closed(
    host: str, engine: Any, busybox: str, labels: dict[str, str], unique: Callable[[], str]
) -> None:
    with APIClient(engine.host) as near, APIClient(host) as api:
        box = near.create_container(busybox, ["sleep", "60"], name=unique(), labels=labels)["Id"]
        try:
            near.start(box)
            # wc responds only after the end of its input, so the output must survive a half-close.
            exec_id = api.exec_create(box, ["wc", "-c"], stdin=True)["Id"]
            with api.exec_start(exec_id, socket=True) as stream:
                stream.sendall(b"x" * 300_000)
                stream.close_write()
                output = b"".join(iter(lambda: stream.recv(4096), b""))
            assert b"300000" in output
            with DockerClient(host) as client:
                done = client.containers.get(box).exec(["cat"], input=b"y" * 300_000, timeout=60)
            assert done.stdout == b"y" * 300_000
        finally:
            near.remove_container(box, force=True)


def test_logs_are_followed_and_can_be_cancelled(
    host: str, engine: Any, busybox: str, labels: dict[str, str], unique: Callable[[], str]
) -> None:
    with APIClient(engine.host) as near, APIClient(host) as api:
        box = near.create_container(busybox, ["sh", "-c", "echo one; sleep 60"], name=unique(), labels=labels)["Id"]
        try:
            near.start(box)
            logs = api.logs(box, stream=True, follow=True)
            assert next(logs) == b"one\n"
            threading.Timer(0.3, logs.close).start()
            began = time.monotonic()
            assert list(logs) == []
            assert time.monotonic() - began < 5
        finally:
            near.remove_container(box, force=True)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_uses_its_own_login(server: SSHServer, host: str) -> None:
    with APIClient(host) as api:
        events = api.events()
        assert api.ping()
        child = os.fork()
        if child == 0:
            try:
                worked = api.ping()
                api.close()
                os._exit(0 if worked else 1)
            except BaseException:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert api.ping(), "the child did not close what is ours"
        events.close()


def test_many_threads_share_the_login(server: SSHServer, engine: Any) -> None:
    server.start()
    with APIClient(f"ssh://{server.user}@127.0.0.1:{server.port}{engine.socket}") as api:
        failures: list[Exception] = []

        def work() -> None:
            try:
                for _ in range(5):
                    assert api.ping()
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert server.logins() == 1


def test_logs_in_again_after_ssh_has_ended(server: SSHServer, engine: Any) -> None:
    server.start()
    with APIClient(f"ssh://{server.user}@127.0.0.1:{server.port}{engine.socket}") as api:
        assert api.ping()
        login = next(iter(ssh._logins.values()))
        ssh._run(["ssh", "-F", os.devnull, "-S", f"{login._folder}/control", "-O", "exit", "--", "engine"], 5)
        assert api.ping()
        assert server.logins() == 2


def test_many_threads_share_a_new_login(server: SSHServer, engine: Any) -> None:
    server.start()
    with APIClient(f"ssh://{server.user}@127.0.0.1:{server.port}{engine.socket}") as api:
        assert api.ping()
        login = next(iter(ssh._logins.values()))
        ssh._run(["ssh", "-F", os.devnull, "-S", f"{login._folder}/control", "-O", "exit", "--", "engine"], 5)
        failures: list[Exception] = []

        def work() -> None:
            try:
                assert api.ping()
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert server.logins() == 2


def test_users_ssh_config_is_used(server: SSHServer, engine: Any) -> None:
    server.start()
    alias = (
        "Host build-host",
        "HostName 127.0.0.1",
        f"Port {server.port}",
        f"User {server.user}",
        "RemoteCommand date",
    )
    server.client("user", *alias, f"HostKeyAlias [127.0.0.1]:{server.port}", "LogLevel QUIET")
    with APIClient(f"ssh://build-host{engine.socket}") as api:
        assert api.ping()


def test_ssh_agent_is_used(server: SSHServer, engine: Any) -> None:
    server.start()
    agent = server.folder / "agent.sock"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(agent)], stdout=subprocess.DEVNULL)
    try:
        while not agent.exists():
            time.sleep(0.01)
        variables = {**os.environ, "SSH_AUTH_SOCK": str(agent)}
        subprocess.run(["ssh-add", "-q", str(server.folder / "user")], env=variables, check=True, capture_output=True)
        server.client("none", "Host *", f"IdentityAgent {agent}", "IdentitiesOnly no")
        with APIClient(f"ssh://{server.user}@127.0.0.1:{server.port}{engine.socket}") as api:
            assert api.ping()
    finally:
        process.terminate()
        process.wait()


def test_temporary_folder_with_an_odd_name(
    server: SSHServer, engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    odd = tmp_path / "100 % mine"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    with APIClient(f"ssh://{server.user}@127.0.0.1:{server.port}{engine.socket}") as api:
        assert api.ping()


# --- failures and their messages


def failure(host: str, timeout: float = 20) -> str:
    began = time.monotonic()
    with APIClient(host, timeout=timeout) as api, pytest.raises(errors.ConnectionFailed) as caught:
        api.ping()
    assert time.monotonic() - began < timeout, "it fails at once, and waits for nobody to type"
    assert host in str(caught.value)
    return str(caught.value)


def test_unknown_host_is_reported(server: SSHServer) -> None:
    server.start()
    server.trust("")
    said = failure(f"ssh://{server.user}@127.0.0.1:{server.port}/x.sock")
    assert "the host's key is not known" in said and f"`ssh -p {server.port} {server.user}@127.0.0.1`" in said


def test_host_whose_key_has_changed(server: SSHServer) -> None:
    server.start()
    server.trust("stranger")
    assert "the host's key has changed" in failure(f"ssh://127.0.0.1:{server.port}/x.sock")


def test_unreachable_host_is_reported(server: SSHServer) -> None:
    server.start()
    server.stop()
    assert "Connection refused" in failure(f"ssh://127.0.0.1:{server.port}/x.sock")


def test_unresponsive_host_is_reported(server: SSHServer) -> None:
    server.start()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        host = f"ssh://127.0.0.1:{silent.getsockname()[1]}/x.sock"
        with APIClient(host, timeout=2) as api, pytest.raises(errors.ConnectionFailed):
            api.ping()


def test_unknown_host_name_is_reported(server: SSHServer) -> None:
    server.start()
    said = failure("ssh://no-such-host.invalid/x.sock")
    assert "Could not resolve hostname" in said and "~/.ssh/config" in said


def test_password_logins_are_refused_with_advice(server: SSHServer) -> None:
    server.start("PasswordAuthentication yes", "KbdInteractiveAuthentication yes")
    server.client("stranger")
    said = failure(f"ssh://{server.user}@127.0.0.1:{server.port}/x.sock")
    assert "the host refused the login" in said and "Permission denied" in said
    assert "dockerkit never prompts for passwords" in said


def test_no_engine_behind_the_login(server: SSHServer, tmp_path: Path) -> None:
    server.start()
    said = failure(f"ssh://{server.user}@127.0.0.1:{server.port}{tmp_path}/none.sock")
    assert "logged in, but found no engine there" in said and "none.sock" in said


def test_no_docker_command_there(server: SSHServer, tmp_path: Path) -> None:
    server.start("SetEnv PATH=/nowhere", "AllowStreamLocalForwarding no")
    said = failure(f"ssh://{server.user}@127.0.0.1:{server.port}")
    assert "found no engine" in said and "docker" in said


def test_no_ssh_program_here(server: SSHServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.start()
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(__import__("sys").modules, "paramiko", None)
    with (
        APIClient(f"ssh://127.0.0.1:{server.port}") as api,
        pytest.raises(errors.MissingExtra, match=r"dockerkit\[ssh\]"),
    ):
        api.ping()


def test_paramiko_failures_are_explained(server: SSHServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.start()
    without_ssh(server, monkeypatch)
    (server.folder / ".ssh" / "config").write_text(f"Host *\n  IdentityFile {server.folder}/stranger\n")
    assert "the host refused the login" in failure(f"ssh://127.0.0.1:{server.port}")
    (server.folder / ".ssh" / "known_hosts").write_text("")
    assert "accept its key" in failure(f"ssh://127.0.0.1:{server.port}")
    server.trust("stranger")
    (server.folder / ".ssh" / "known_hosts").write_text((server.folder / "known_hosts").read_text())
    assert "the host's key has changed" in failure(f"ssh://127.0.0.1:{server.port}")


@pytest.mark.parametrize("program", ["ssh", "paramiko"])
def test_server_that_opens_no_session(server: SSHServer, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    server.start("MaxSessions 0")
    if program == "paramiko":
        without_ssh(server, monkeypatch)
    assert "raise MaxSessions and MaxStartups" in failure(f"ssh://127.0.0.1:{server.port}/run/docker.sock")


def test_threads_beyond_the_limit_of_sessions_log_in_themselves(server: SSHServer, engine: Any) -> None:
    server.start("MaxSessions 1", "AllowStreamLocalForwarding no")
    with (
        APIClient(f"ssh://{server.user}@127.0.0.1:{server.port}{engine.socket}", timeout=60) as api,
        ThreadPoolExecutor(10) as pool,
    ):
        assert list(pool.map(lambda _: api.ping(), range(10))) == [True] * 10
    assert server.logins() > 1
