"""Settings for all tests."""

from __future__ import annotations

import gc
import signal

from hypothesis import settings

# `make unit` takes seconds; `make test` and CI look harder, at the same examples every time, so that a run can be
# repeated; `make fuzz` is what looks for new ones. No profile has a deadline: a busy machine is not a failure.
settings.register_profile("quick", max_examples=10, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None, derandomize=True)


def pytest_configure() -> None:
    """Enable interrupts, which tests need: shells start background programs with interrupts ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Exclude the collected tests from garbage collection, since they stay until the end."""
    gc.freeze()
