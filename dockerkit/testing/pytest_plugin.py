"""pytest fixtures for tests on a real engine. In ``conftest.py``::

    pytest_plugins = ["dockerkit.testing.pytest_plugin"]

    def test_answers(docker_container):
        web = docker_container("nginx", ports={"80/tcp": None}, ready="start worker process")
        host, port = web.address("80/tcp")

All that they create carries a label, and is removed at the end of the run, even of one that crashes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import pytest

from dockerkit.testing.engine import FakeEngine
from dockerkit.testing.reaper import Session

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.client import DockerClient
    from dockerkit.models.containers import Container
    from dockerkit.models.networks import Network
    from dockerkit.types.create_options import CreateOptions
    from dockerkit.types.parse import Command

__all__ = ["docker_client", "docker_container", "docker_network", "docker_session", "fake_engine"]

_POLL = 0.05


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
        ready: str | Callable[[Container], object] | None = None,
        timeout: float = 30.0,
        **options: Unpack[CreateOptions],
    ) -> Container:
        """Start a container, and wait until it is ready.

        Args:
            image, command, options: as of ``client.containers.run``; it is detached.
            ready: a text that its output must hold; "healthy" for its health check; a function of the container that
                says whether it is; None for as soon as it runs.
            timeout: seconds that this may take.

        Raises:
            TimeoutError: it was not ready in time; the message has the end of its output.
            RuntimeError: it ended before it was ready; likewise.
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
        _until_ready(container, ready, timeout)
        return container

    try:
        yield start
    finally:
        for container in started:
            container.remove(force=True, v=True)


def _until_ready(container: Container, ready: str | Callable[[Container], object] | None, timeout: float) -> None:
    end = time.monotonic() + timeout
    while True:
        container.reload()
        if _is_ready(container, ready):
            return
        if container.status not in ("running", "created"):
            raise RuntimeError(f"{container.name} was {container.status} before it was ready:\n{_output(container)}")
        if time.monotonic() > end:
            raise TimeoutError(f"{container.name} was not ready after {timeout} s:\n{_output(container)}")
        time.sleep(_POLL)


def _is_ready(container: Container, ready: str | Callable[[Container], object] | None) -> bool:
    if ready is None:
        return container.status == "running"
    if ready == "healthy":
        return container.health == "healthy"
    if isinstance(ready, str):
        return ready.encode() in container.logs()
    return bool(ready(container))


def _output(container: Container) -> str:
    tail: bytes = container.logs(tail=20)
    return tail.decode(errors="replace")


@pytest.fixture
def fake_engine() -> Iterator[FakeEngine]:
    """A fake engine, without Docker; give its ``host`` to what is tested."""
    with FakeEngine() as engine:
        yield engine
