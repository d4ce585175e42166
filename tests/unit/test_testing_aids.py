"""Sessions that remove what they created, and the pytest fixtures, on the fake engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import APIClient, DockerClient, errors
from dockerkit.testing import FakeEngine, ReapedSession
from dockerkit.testing.reaper import LABEL, remove_labelled


def objects(engine: FakeEngine) -> int:
    """Number of containers, networks, volumes and images that were added to a new engine."""
    with engine.lock:
        return len(engine.containers) + len(engine.networks) - 3 + len(engine.volumes) + len(engine.images) - 1


def wait_until_empty(engine: FakeEngine) -> None:
    with engine.changed:
        assert engine.changed.wait_for(lambda: objects(engine) == 0, 30)


def test_session_labels_what_it_creates_and_removes_it(engine: FakeEngine) -> None:
    with DockerClient(engine.host) as other:
        unlabelled = other.volumes.create("kept")
    with ReapedSession(engine.host, guard=False) as session:
        container = session.client.containers.run("app", detach=True, labels={"own": "label"}, network="none")
        network = session.client.networks.create("net")
        volume = session.client.volumes.create("data")
        session.client.images.build(fileobj=b"FROM app\n", tag="built", builder="classic")
        assert container.labels == {"own": "label", **session.labels}
        assert session.labels == {LABEL: session.id}
        for item in (network, volume):
            assert item.attrs["Labels"] == session.labels
        assert objects(engine) == 5
    assert list(engine.volumes) == [unlabelled.name]
    assert objects(engine) == 1


def test_guarded_session_removes_everything_once_and_ends_its_guard(engine: FakeEngine) -> None:
    session = ReapedSession(engine.host)
    guard = session._guard
    assert guard is not None and guard.poll() is None
    session.client.volumes.create("data")
    session.remove_all()
    assert not engine.volumes
    session.client.volumes.create("more")
    session.close()
    assert guard.returncode == 0
    assert objects(engine) == 0


CRASH = """
    import sys
    from dockerkit.testing import ReapedSession
    session = ReapedSession(sys.argv[1])
    session.client.containers.run("app", detach=True)
    session.client.volumes.create()
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_objects_of_a_process_that_crashed_are_removed(engine: FakeEngine, how: signal.Signals) -> None:
    command = [sys.executable, "-c", textwrap.dedent(CRASH), engine.host]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert objects(engine) == 2
        process.send_signal(how)
    wait_until_empty(engine)


def test_what_cannot_be_removed_does_not_keep_the_rest(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/services", Answer.json([{"ID": "s1"}]))
    scripted.on("GET", "/containers/json", Answer.json([{"Id": "c1"}, {"Id": "c2"}, {"Id": "c3"}]))
    scripted.on("GET", "/networks", Answer.json([{"Id": "n1"}]))
    scripted.on("GET", "/volumes", Answer.json({"Volumes": None}))
    scripted.on("GET", "/images/json", Answer.json([{"Id": "sha256:i1"}]))
    scripted.on("DELETE", "/services/s1", Answer.empty(200))
    scripted.on("DELETE", "/containers/c1", Answer.error(404, "No such container: c1"))
    scripted.on("DELETE", "/containers/c2", Answer.error(500, "driver failed to remove root filesystem"))
    scripted.on("DELETE", "/containers/c3", Answer.error(409, "removal is already in progress"))
    scripted.on("DELETE", "/networks/n1", Answer.empty())
    scripted.on("DELETE", "/images/sha256:i1", Answer.json([]))
    with APIClient(scripted.host) as api, pytest.raises(errors.ServerError, match="failed to remove root filesystem"):
        remove_labelled(api, "1234")
    removed = [request.path for request in scripted.requests if request.method == "DELETE"]
    assert removed == [
        "/services/s1", "/containers/c1", "/containers/c2", "/containers/c3", "/networks/n1", "/images/sha256:i1",
    ]  # fmt: skip
    listed = [request for request in scripted.requests if request.method == "GET"]
    assert {request.param("filters") for request in listed} == {f'{{"label":["{LABEL}=1234"]}}'}


TESTS = """
    import pytest
    from dockerkit.errors import ContainerExited, WaitTimeout
    from dockerkit.models.containers.waiting import Running

    def test_container_with_wait(docker_container):
        container = docker_container("app", "serve", ready="read")
        assert b"ready" in container.logs()

    def test_container_that_ends_early(docker_container):
        with pytest.raises(ContainerExited, match="no luck"):
            docker_container("app", "fail", ready="ready")

    def test_container_that_takes_too_long(docker_container):
        with pytest.raises(WaitTimeout):
            docker_container("app", "serve", ready=lambda container: False, timeout=0.3)

    def test_health(docker_container):
        check = {"test": ["CMD", "true"], "interval": 100_000_000}
        assert docker_container("app", "serve", ready="healthy", healthcheck=check).health == "healthy"

    def test_network(docker_container, docker_network):
        assert docker_network.attrs["Internal"]
        one = docker_container("app", "serve", ready=Running(), network=docker_network.name)
        docker_network.reload()
        assert docker_network.containers == [one]

    def test_nothing_is_left_of_earlier_tests(docker_client):
        assert docker_client.containers.list(all=True) == []
        assert len(docker_client.networks.list()) == 3

    def test_session_label(docker_client, docker_session):
        assert docker_client.volumes.create("data").attrs["Labels"] == docker_session.labels

    def test_fake(fake_engine):
        assert fake_engine.host.startswith("unix://") and fake_engine.host != "HOST"
"""


def test_fixtures_start_containers_and_remove_everything(engine: FakeEngine, tmp_path: Path) -> None:
    engine.when("app", "serve", stdout="ready\n", seconds=None)
    engine.when("app", "fail", stderr="no luck\n", exit_code=1)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["dockerkit.testing.pytest_plugin"]\n')
    (tmp_path / "test_users.py").write_text(textwrap.dedent(TESTS).replace("HOST", engine.host))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--docker-host={engine.host}", "."]
    path = os.pathsep.join([os.getcwd(), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout
    wait_until_empty(engine)
