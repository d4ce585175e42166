"""What the tests of dockerkit's users need: a fake engine, pytest fixtures, record and replay, a reaper.

* :class:`FakeEngine`: an engine without Docker, for unit tests.
* ``pytest_plugins = ["dockerkit.testing.pytest_plugin"]``: fixtures for tests on a real engine.
* :class:`Recorder` and :class:`Replayer`: a real engine's answers, kept in a file.
* :class:`Session`: labels what a run creates, and removes it even when the run crashes.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockerkit.testing.engine import FakeEngine as FakeEngine
    from dockerkit.testing.processes import FakeProcess as FakeProcess
    from dockerkit.testing.reaper import Session as Session
    from dockerkit.testing.recorder import Recorder as Recorder
    from dockerkit.testing.replayer import Replayer as Replayer

_HOMES = {
    "FakeEngine": "engine",
    "FakeProcess": "processes",
    "Recorder": "recorder",
    "Replayer": "replayer",
    "Session": "reaper",
}

__all__ = ["FakeEngine", "FakeProcess", "Recorder", "Replayer", "Session"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
