"""The asynchronous client with pytest-asyncio's and AnyIO's fixtures, as the guide shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from dockerkit.aio import AsyncDockerClient
from dockerkit.testing import FakeEngine


@pytest_asyncio.fixture
async def client() -> AsyncIterator[AsyncDockerClient]:
    with FakeEngine() as engine:
        engine.add_image("alpine")
        engine.when("alpine", stdout="hi\n")
        async with AsyncDockerClient(engine.host) as client:
            yield client


@pytest.mark.asyncio
async def test_with_pytest_asyncio(client: AsyncDockerClient) -> None:
    assert await client.containers.run("alpine", remove=True) == b"hi\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def other(anyio_backend: str) -> AsyncIterator[AsyncDockerClient]:
    with FakeEngine() as engine:
        async with AsyncDockerClient(engine.host) as client:
            yield client


@pytest.mark.anyio
async def test_with_anyio(other: AsyncDockerClient) -> None:
    assert await other.ping()
