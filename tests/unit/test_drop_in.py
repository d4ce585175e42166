"""``import docker`` after install_as_docker(), each in a separate process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from scripted_engine import Answer, ScriptedEngine


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_modules_are_the_same_under_both_names():
    run("""
        import dockerkit
        dockerkit.install_as_docker()
        import docker, docker.errors, docker.utils.socket
        from docker.models.resource import Model
        from docker.tls import TLSConfig
        import dockerkit.models.resource, dockerkit.compat.socket
        assert docker.__version__ == "7.2.0"
        assert Model is dockerkit.models.resource.Model
        assert docker.utils.socket.read is dockerkit.compat.socket.read
        assert docker.errors.NotFound is dockerkit.errors.NotFound
        assert dockerkit.errors.__spec__.name == "dockerkit.errors"
        assert docker.TLSConfig is TLSConfig
        assert docker.models.containers.Container is dockerkit.models.containers.Container
    """)


def test_missing_modules_raise_import_errors():
    run("""
        import dockerkit
        dockerkit.install_as_docker()
        dockerkit.install_as_docker()
        try:
            import docker.nothing_of_that_name
        except ModuleNotFoundError as error:
            assert error.name == "docker.nothing_of_that_name", error.name
        else:
            raise AssertionError
    """)


def test_install_refuses_if_docker_is_imported():
    out = run("""
        import sys, types
        sys.modules["docker"] = types.ModuleType("docker")
        import dockerkit
        try:
            dockerkit.install_as_docker()
        except RuntimeError as error:
            print(error)
    """)
    assert "before" in out


def test_install_as_docker_serves_import_docker():
    run("""
        import dockerkit as docker
        assert issubclass(docker.errors.ImageNotFound, docker.errors.APIError)
        import requests
        assert issubclass(docker.errors.APIError, requests.exceptions.HTTPError)
        assert docker.constants.DEFAULT_TIMEOUT_SECONDS == 60
        assert docker.utils.parse_repository_tag("a:b") == ("a", "b")
        docker.api, docker.auth, docker.context, docker.credentials, docker.models, docker.tls, docker.transport
        docker.types, docker.version
    """)


def test_classes_stay_the_same_if_a_test_runner_rolls_back_the_modules(
    scripted: ScriptedEngine, tmp_path: Path
) -> None:
    """pytester removes the modules that a test imported; errors raised by older clients must still be caught."""
    scripted.on("GET", "/containers/none/json", Answer.error(404, "No such container: none"))
    scripted.on("GET", "/containers/json", Answer.json([{"Id": "1", "Names": ["/one"], "State": "running"}]))
    scripted.on("GET", "/events", Answer.chunked([]))
    (tmp_path / "conftest.py").write_text("import dockerkit\ndockerkit.install_as_docker()\n")
    checks = f"""
        import docker
        import pytest

        client = docker.DockerClient({scripted.host!r})

        def check():
            with pytest.raises(docker.errors.NotFound):
                client.containers.get("none")
            (one,) = client.containers.list()
            assert type(one) is docker.models.containers.Container
            assert isinstance(client.events(), docker.types.daemon.CancellableStream)
            with pytest.raises(docker.errors.InvalidArgument):
                client.api.create_host_config(mem_limit="much")
            assert isinstance(docker.types.Mount("/a", "b", type="volume"), dict)
            with pytest.raises(docker.errors.DockerException):
                docker.DockerClient("unix:///no/such.sock")
    """
    inner = textwrap.dedent(checks) + "\n\ndef test_inside():\n    check()\n"
    outer = f"""
        def test_modules_survive_a_rollback_of_sys_modules(pytester):
            pytester.makepyfile({inner!r})
            for _ in range(2):
                pytester.runpytest_inprocess().assert_outcomes(passed=1)
                check()
    """
    (tmp_path / "test_outer.py").write_text(textwrap.dedent(checks) + textwrap.dedent(outer))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pytester", "-p", "no:cacheprovider", "test_outer.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
