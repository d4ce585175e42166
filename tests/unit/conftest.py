"""Fixtures of the unit tests: no engine, no network."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scripted_engine import ScriptedEngine  # noqa: E402

from dockerkit.testing import FakeEngine  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Never repeat a failed unit test: only a real engine may fail now and then."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=0))


@pytest.fixture
def scripted() -> Iterator[ScriptedEngine]:
    """A scripted engine on a Unix socket, see scripted_engine.py; an unscripted request fails."""
    engine = ScriptedEngine()
    try:
        yield engine
    finally:
        engine.close()
    assert not engine.unexpected, [f"{request.method} {request.target}" for request in engine.unexpected]


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    """A fake engine with the image "app", whose containers run until they are stopped."""
    with FakeEngine() as engine:
        engine.add_image("app")
        engine.when("app", seconds=None)
        yield engine


@pytest.fixture(scope="session")
def jedi() -> ModuleType:
    """Jedi with a cache for each test process: it reads cache files that another process is still writing."""
    import jedi

    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    jedi.settings.cache_directory = os.path.join(jedi.settings.cache_directory, worker)
    return jedi
