"""What all tests need."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Interrupts are tested, and shells start what runs in the background with interrupts switched off."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
