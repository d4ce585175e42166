"""Settings for all tests."""

from __future__ import annotations

import gc
import signal

from hypothesis import HealthCheck, settings

# `make unit` takes seconds, `make test` looks harder. Both try the same examples every time, so that a run can be
# repeated; `make fuzz` is what looks for new ones. A busy machine is not a failure.
for name, examples in (("quick", 10), ("thorough", 100)):
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )


def pytest_configure() -> None:
    """Enable interrupts, which tests need: shells start background programs with interrupts ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Exclude the collected tests from garbage collection, since they stay until the end."""
    gc.freeze()
