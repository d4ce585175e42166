"""pytest fixtures for tests on a real engine. In ``conftest.py``::

    pytest_plugins = ["dockerkit.testing.pytest_plugin"]

    def test_web_server(docker_container):
        web = docker_container("nginx", ports={"80/tcp": None}, ready="start worker process")
        host, port = web.address("80/tcp")

Everything that the fixtures create is labelled, and removed at the end of the run, even if the run crashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import pytest

from dockerkit.testing.fake_engine.engine import FakeEngine
from dockerkit.testing.reaper import ReapedSession

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.client import DockerClient
    from dockerkit.models.containers import Container
    from dockerkit.models.containers.conditions import Condition
    from dockerkit.models.networks import Network
    from dockerkit.parsing.values import Command, Duration
    from dockerkit.types.create_options import CreateOptions

__all__ = ["docker_client", "docker_container", "docker_network", "docker_session", "fake_engine"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--docker-host``."""
    parser.addoption("--docker-host", help="engine for the docker_* fixtures; default: the docker command's")


@pytest.fixture(scope="session")
def docker_session(pytestconfig: pytest.Config) -> Iterator[ReapedSession]:
    """The session of the run, with ``client`` and the ``labels`` for objects created by other programs."""
    with ReapedSession(pytestconfig.getoption("docker_host")) as session:
        yield session


@pytest.fixture(scope="session")
def docker_client(docker_session: ReapedSession) -> DockerClient:
    """A client. Everything it creates is removed at the end of the run."""
    docker_session.client.ping()
    return docker_session.client


@pytest.fixture
def docker_network(docker_client: DockerClient) -> Iterator[Network]:
    """A network for the test, without a connection to the outside."""
    network = docker_client.networks.create(f"test-{uuid4().hex[:12]}", internal=True)
    try:
        yield network
    finally:
        for container in network.containers:
            network.disconnect(container, force=True)
        network.remove()


class ContainerFactory(Protocol):
    """Type of the fixture ``docker_container``."""

    def __call__(
        self,
        image: str,
        command: Command | None = None,
        *,
        ready: Condition | str | Callable[[Container], object] | None = None,
        timeout: Duration = 30.0,
        **options: Unpack[CreateOptions],
    ) -> Container:
        """Start a container, and wait until it is ready.

        Args:
            image, command, options: as for ``client.containers.run``, which is called with ``detach=True``.
            ready: condition to wait for: a string in the output; "healthy" for the health check; a condition of
                :mod:`dockerkit.models.containers.waiting`, or a function of the container; None for running.
            timeout: maximum seconds to wait.

        Raises:
            WaitTimeout: the container was not ready in time (also a TimeoutError); the message has its last output.
            ContainerExited: it exited before it was ready.
        """
        ...


@pytest.fixture
def docker_container(docker_client: DockerClient) -> Iterator[ContainerFactory]:
    """Return a function that starts containers, which are removed after the test."""
    started: list[Container] = []

    def start(
        image: str, command: Any = None, *, ready: Any = None, timeout: Duration = 30.0, **options: Any
    ) -> Container:
        options["detach"] = True
        container: Container = docker_client.containers.run(image, command, **options)
        started.append(container)
        return container.wait_until(_condition(ready), timeout)

    try:
        yield start
    finally:
        for container in started:
            container.remove(force=True, v=True)


def _condition(
    ready: Condition | str | Callable[[Container], object] | None,
) -> Condition | Callable[[Container], object]:
    from dockerkit.models.containers.waiting import Healthy, Log, Running

    if ready is None:
        return Running()
    if ready == "healthy":
        return Healthy()
    return Log(ready) if isinstance(ready, str) else ready


@pytest.fixture
def fake_engine() -> Iterator[FakeEngine]:
    """A fake engine, without Docker; pass its ``host`` to the tested code."""
    with FakeEngine() as engine:
        yield engine
