"""dockerkit.testing on real engines: sessions, recordings and fixtures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from dockerkit import DockerClient
from dockerkit.testing import ReapedSession, Recorder, Replayer
from dockerkit.testing.reaper import LABEL


def left(client, session):
    filters = {"label": f"{LABEL}={session}"}
    return [
        *client.containers.list(all=True, filters=filters),
        *client.networks.list(filters=filters),
        *client.volumes.list(filters=filters),
        *client.images.list(filters=filters),
    ]


def test_session_cleans_up(engine, client, busybox, labels, tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {busybox}\nRUN true > /made\n")
    with ReapedSession(engine.host) as session:
        ours = session.client
        ours.networks.create("of-a-session", labels=labels)
        ours.volumes.create(labels=labels)
        ours.images.build(path=str(tmp_path), labels=labels)
        container = ours.containers.run(busybox, "sleep 600", detach=True, labels=labels)
        assert container.labels[LABEL] == session.id
        assert len(left(client, session.id)) == 4
    assert left(client, session.id) == []


CRASH = """
    import os, sys, signal
    from dockerkit.testing import Session
    session = Session(sys.argv[1])
    session.client.containers.run(sys.argv[2], "sleep 600", detach=True)
    session.client.volumes.create()
    print(session.id, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_session_cleans_up_after_a_crash(engine, client, busybox, how):
    command = [sys.executable, "-c", textwrap.dedent(CRASH), engine.host, busybox]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=os.getcwd()
    ) as process:
        session = process.stdout.readline().strip()
        assert len(left(client, session)) == 2
        process.send_signal(how)
    end = time.monotonic() + 30
    while remaining := left(client, session):
        assert time.monotonic() < end, remaining
        time.sleep(0.1)


def test_real_engine_is_recorded_and_replayed(engine, busybox, labels, tmp_path):
    def use(client):
        output = client.containers.run(busybox, ["sh", "-c", "echo out; echo err >&2"], stderr=True, labels=labels)
        container = client.containers.run(busybox, "cat", detach=True, stdin_open=True, labels=labels)
        exec_id = client.api.exec_create(container.id, ["tr", "a-z", "A-Z"], stdin=True)["Id"]
        with client.api.exec_start(exec_id, socket=True) as sock:
            sock.sendall(b"hello")
            sock.close_write()
            answer = sock.read()
        container.remove(force=True)
        return sorted(output.splitlines()), answer[8:], client.version()["Version"]

    file = tmp_path / "recording.jsonl"
    with Recorder(file, engine.host) as recorder, DockerClient(recorder.host) as client:
        recorded = use(client)
    assert recorded[:2] == ([b"err", b"out"], b"HELLO")
    with Replayer(file) as replayer, DockerClient(replayer.host) as client:
        assert use(client) == recorded
        assert replayer.missing == []


TESTS = """
    import pytest
    from dockerkit.errors import ContainerExited, WaitTimeout

    pytest_plugins = ["dockerkit.testing.pytest_plugin"]
    IMAGE = "{image}"

    def test_container_with_wait(docker_container):
        container = docker_container(IMAGE, ["sh", "-c", "sleep 0.3; echo ready; sleep 600"], ready="ready")
        assert b"ready" in container.logs()

    def test_container_that_ends_early(docker_container):
        with pytest.raises(ContainerExited, match="no luck"):
            docker_container(IMAGE, ["sh", "-c", "echo no luck; exit 1"], ready="ready")

    def test_container_that_takes_too_long(docker_container):
        with pytest.raises(WaitTimeout):
            docker_container(IMAGE, "sleep 600", ready=lambda container: False, timeout=0.3)

    def test_health(docker_container):
        check = {{"test": ["CMD", "true"], "interval": 100_000_000}}
        assert docker_container(IMAGE, "sleep 600", ready="healthy", healthcheck=check).health == "healthy"

    def test_network(docker_container, docker_network):
        docker_container(IMAGE, ["sh", "-c", "echo hi | nc -l -p 80"], network=docker_network.name, name="{name}")
        client = docker_container(IMAGE, ["sh", "-c", "sleep 0.5; nc {name} 80"], network=docker_network.name)
        assert client.wait()["StatusCode"] == 0
        assert client.logs() == b"hi\\n"

    def test_session_label(docker_client, docker_session):
        assert docker_client.volumes.create("{name}").attrs["Labels"] == docker_session.labels

    def test_fake(fake_engine):
        assert fake_engine.host.startswith("unix://")

    def test_report(docker_session):
        print("SESSION", docker_session.id)
"""


def test_fixtures(engine, client, busybox, unique, tmp_path):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["dockerkit.testing.pytest_plugin"]\n')
    tests = textwrap.dedent(TESTS).replace('pytest_plugins = ["dockerkit.testing.pytest_plugin"]\n', "")
    (tmp_path / "test_users.py").write_text(tests.format(image=busybox, name=unique()))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", f"--docker-host={engine.host}", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout
    (session,) = [line.split()[-1] for line in done.stdout.splitlines() if "SESSION" in line]
    assert left(client, session) == []
