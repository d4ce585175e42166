"""Fixtures of the unit tests: no engine, no network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scripted_engine import ScriptedEngine  # noqa: E402


@pytest.fixture
def scripted() -> Iterator[ScriptedEngine]:
    """A scripted engine on a Unix socket, see scripted_engine.py; a request that nothing was scripted for fails."""
    engine = ScriptedEngine()
    try:
        yield engine
    finally:
        engine.close()
    assert not engine.unexpected, [f"{request.method} {request.target}" for request in engine.unexpected]
