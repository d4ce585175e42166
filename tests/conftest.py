"""What all tests need."""

from __future__ import annotations

import gc
import signal

from hypothesis import settings

# `make unit` takes seconds; `make test` and CI look harder. None has a deadline: a busy machine is no failure.
settings.register_profile("quick", max_examples=10, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)


def pytest_configure() -> None:
    """Interrupts are tested, and shells start what runs in the background with interrupts switched off."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector need not look at it again after each test."""
    gc.freeze()
