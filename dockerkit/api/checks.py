"""Arguments that may be left out, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dockerkit.errors import InvalidArgument
from dockerkit.types import parse

T = TypeVar("T")


def optional(check: Callable[[object, str], T], name: str, value: object) -> T | None:
    """A value through its check; None stays None.

    Args:
        check: takes the value and the parameter's name; one of :mod:`dockerkit.types.parse`.
        name: the parameter.
        value: what was given.

    Raises:
        InvalidArgument: the value can't be right; the message names the parameter.
    """
    return None if value is None else check(value, name)


def index(version: object) -> int:
    """The version of a swarm object, which an update names."""
    number = parse.whole(version, "version")
    if number < 0:
        raise InvalidArgument(f"version: the object's Version.Index is needed, not {version!r}")
    return number


def reference(value: object, name: str) -> str:
    """A text that must not be empty: the name of a plugin, an address, a token.

    Raises:
        InvalidArgument: it is no text, or empty.
    """
    text = parse.text(value, name)
    if not text:
        raise InvalidArgument(f"{name}: a text is needed, not {value!r}")
    return text
