"""Checks of optional arguments, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dockerkit.errors import InvalidArgument
from dockerkit.errors.caller import argument_name
from dockerkit.parsing import values

T = TypeVar("T")


def check_optional(check: Callable[[object, str], T], name: str, value: object) -> T | None:
    """Return a checked value; None stays None.

    Args:
        check: takes the value and the parameter's name; a function of :mod:`dockerkit.parsing.values`.
        name: name of the parameter.
        value: the argument.

    Raises:
        InvalidArgument: the value is invalid; the message names the parameter.
    """
    return None if value is None else check(value, name)


def version_index(version: object) -> int:
    """Return the version of a swarm object, which an update must name."""
    if isinstance(version, str) and version.isascii() and version.isdecimal():
        version = int(version)
    number = values.integer(version, "version")
    if number < 0:
        raise InvalidArgument(f"version: must be the object's Version.Index, got {version!r}")
    return number


def nonempty_string(value: object, name: str) -> str:
    """Return a non-empty string: the name of a plugin, an address, a token.

    Raises:
        InvalidArgument: the value is not a string, or empty.
    """
    checked = values.string(value, name)
    if not checked:
        raise InvalidArgument(f"{argument_name(value, name)}: must be a non-empty string, got {value!r}")
    return checked
