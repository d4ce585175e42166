"""How an engine finds out whether a container is healthy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from dockerkit.types.base import Value, Wire
from dockerkit.types.parse import Duration, nanoseconds, refuse, texts

_KINDS = ("CMD", "CMD-SHELL", "NONE")


def _test(value: object, name: str) -> list[str]:
    if isinstance(value, str):
        return ["CMD-SHELL", value]
    words = texts(value, name)
    if words and words[0] not in _KINDS:
        refuse(name, f"a text for a shell, or a list that begins with one of {', '.join(_KINDS)},", value)
    return words


class Healthcheck(Value, frozen=False, validate_assignment=True):
    """A health check: what to run, and how often.

    Example::

        Healthcheck("wget -q -O /dev/null http://localhost/", interval="5s", timeout="2s", start_interval=0.5)
    """

    test: Annotated[str | Sequence[str] | None, Wire("Test", _test)] = None
    """A text for the container's shell; or ``["CMD", "program", ...]``, ``["CMD-SHELL", "..."]``; ``["NONE"]`` to have
    none though the image has; ``[]`` for the image's."""
    interval: Annotated[Duration | None, Wire("Interval", nanoseconds)] = None
    """Time between two checks."""
    timeout: Annotated[Duration | None, Wire("Timeout", nanoseconds)] = None
    """How long a check may take."""
    retries: Annotated[int | None, Wire("Retries")] = None
    """How many failures in a row make it unhealthy."""
    start_period: Annotated[Duration | None, Wire("StartPeriod", nanoseconds)] = None
    """Time after the start in which failures don't count (API 1.29)."""
    start_interval: Annotated[Duration | None, Wire("StartInterval", nanoseconds)] = None
    """Time between two checks within ``start_period`` (API 1.44)."""
