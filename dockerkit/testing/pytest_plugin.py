"""pytest fixtures for tests on a real engine. In ``conftest.py``::

    pytest_plugins = ["dockerkit.testing.pytest_plugin"]

    def test_answers(docker_container):
        web = docker_container("nginx", ports={"80/tcp": None}, ready="start worker process")
        host, port = web.address("80/tcp")

All that they create carries a label, and is removed at the end of the run, even of one that crashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import pytest

from dockerkit.testing.engine import FakeEngine
from dockerkit.testing.reaper import Session

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.client import DockerClient
    from dockerkit.models.conditions import Condition
    from dockerkit.models.containers import Container
    from dockerkit.models.networks import Network
    from dockerkit.types.create_options import CreateOptions
    from dockerkit.types.parse import Command

__all__ = ["docker_client", "docker_container", "docker_network", "docker_session", "fake_engine"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--docker-host``."""
    parser.addoption("--docker-host", help="engine for the docker_* fixtures, instead of the docker command's")


@pytest.fixture(scope="session")
def docker_session(pytestconfig: pytest.Config) -> Iterator[Session]:
    """The session: its ``labels`` for what other programs create, its ``client``."""
    with Session(pytestconfig.getoption("docker_host")) as session:
        yield session


@pytest.fixture(scope="session")
def docker_client(docker_session: Session) -> DockerClient:
    """A client; what it creates is removed at the end of the run."""
    docker_session.client.ping()
    return docker_session.client


@pytest.fixture
def docker_network(docker_client: DockerClient) -> Iterator[Network]:
    """A network of the test's own, without a way out of it."""
    network = docker_client.networks.create(f"test-{uuid4().hex[:12]}", internal=True)
    try:
        yield network
    finally:
        for container in network.containers:
            network.disconnect(container, force=True)
        network.remove()


class ContainerFactory(Protocol):
    """What the fixture ``docker_container`` gives."""

    def __call__(
        self,
        image: str,
        command: Command | None = None,
        *,
        ready: Condition | str | Callable[[Container], object] | None = None,
        timeout: float = 30.0,
        **options: Unpack[CreateOptions],
    ) -> Container:
        """Start a container, and wait until it is ready.

        Args:
            image, command, options: as of ``client.containers.run``; it is detached.
            ready: a text that its output must hold; "healthy" for its health check; a condition of
                :mod:`dockerkit.models.waiting`, or a function of the container; None for as soon as it runs.
            timeout: seconds that this may take.

        Raises:
            WaitTimeout: it was not ready in time (also a TimeoutError); the message has the end of its output.
            ContainerExited: it ended before it was ready; likewise.
        """
        ...


@pytest.fixture
def docker_container(docker_client: DockerClient) -> Iterator[ContainerFactory]:
    """A function that starts containers, which are removed after the test."""
    started: list[Container] = []

    def start(
        image: str, command: Any = None, *, ready: Any = None, timeout: float = 30.0, **options: Any
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
    from dockerkit.models.waiting import Healthy, Log, Running

    if ready is None:
        return Running()
    if ready == "healthy":
        return Healthy()
    return Log(ready) if isinstance(ready, str) else ready


@pytest.fixture
def fake_engine() -> Iterator[FakeEngine]:
    """A fake engine, without Docker; give its ``host`` to what is tested."""
    with FakeEngine() as engine:
        yield engine
