"""Tools for testing programs that use dockerkit: a fake engine, pytest fixtures, recordings and cleanup.

* :class:`FakeEngine`: an engine without Docker, for unit tests.
* ``pytest_plugins = ["dockerkit.testing.pytest_plugin"]``: fixtures for tests on a real engine.
* :class:`MockTransport`: a function from request to response, without a network.
* :class:`Recorder` and :class:`Replayer`: responses of a real engine, stored in a file.
* :class:`ReapedSession`: labels everything that a test run creates, and removes it even if the run crashes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerkit._lazy import lazy_names

if TYPE_CHECKING:
    from dockerkit.testing.fake_engine.engine import FakeEngine
    from dockerkit.testing.fake_engine.processes import FakeProcess
    from dockerkit.testing.mock import MockResponse, MockTransport
    from dockerkit.testing.reaper import ReapedSession
    from dockerkit.testing.recordings.recorder import Recorder
    from dockerkit.testing.recordings.replayer import Replayer

    Session = ReapedSession


__all__ = ["FakeEngine", "FakeProcess", "MockResponse", "MockTransport", "ReapedSession", "Recorder", "Replayer"]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".fake_engine.engine": "FakeEngine",
            ".fake_engine.processes": "FakeProcess",
            ".mock": "MockResponse MockTransport",
            ".reaper": "ReapedSession",
            ".recordings.recorder": "Recorder",
            ".recordings.replayer": "Replayer",
        },
        renamed={"Session": "ReapedSession"},
    )
