"""``import docker`` after install_as_docker(), each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap


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
        import dockerkit.models.resource, dockerkit.utils.socket
        assert docker.__version__ == "7.2.0"
        assert docker.from_env == dockerkit.from_env
        assert Model is dockerkit.models.resource.Model
        assert docker.utils.socket is dockerkit.utils.socket
        assert docker.errors.NotFound is dockerkit.errors.NotFound
        assert dockerkit.errors.__spec__.name == "dockerkit.errors"
        assert docker.TLSConfig is TLSConfig
    """)


def test_what_is_not_there_is_not_found():
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


def test_it_refuses_when_docker_is_there_already():
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


def test_one_line_is_enough():
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
