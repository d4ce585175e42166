"""Health checks of containers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from dockerkit.parsing.values import Duration, nanoseconds, raise_invalid, string_list
from dockerkit.types.base import Value
from dockerkit.types.option_schema import EngineField

_KINDS = ("CMD", "CMD-SHELL", "NONE")


def _test(value: object, name: str) -> list[str]:
    if isinstance(value, str):
        return ["CMD-SHELL", value]
    words = string_list(value, name)
    if words and words[0] not in _KINDS:
        raise_invalid(name, f"a string for a shell, or a list that begins with one of {', '.join(_KINDS)}", value)
    return words


class Healthcheck(Value, frozen=False, validate_assignment=True):
    """A health check: the command, and how often to run it.

    Example::

        Healthcheck("wget -q -O /dev/null http://localhost/", interval="5s", timeout="2s")
    """

    test: Annotated[str | Sequence[str] | None, EngineField("Test", _test)] = None
    """A string for the container's shell; or ``["CMD", "program", ...]``, ``["CMD-SHELL", "..."]``; ``["NONE"]`` disables
    the image's health check; ``[]`` uses the image's."""
    interval: Annotated[Duration | None, EngineField("Interval", nanoseconds)] = None
    """Time between two checks."""
    timeout: Annotated[Duration | None, EngineField("Timeout", nanoseconds)] = None
    """Maximum duration of a check."""
    retries: Annotated[int | None, EngineField("Retries")] = None
    """Number of consecutive failures that make the container unhealthy."""
    start_period: Annotated[Duration | None, EngineField("StartPeriod", nanoseconds)] = None
    """Time after the start during which failures don't count (API 1.29)."""
    start_interval: Annotated[Duration | None, EngineField("StartInterval", nanoseconds)] = None
    """Time between two checks within ``start_period`` (API 1.44)."""
