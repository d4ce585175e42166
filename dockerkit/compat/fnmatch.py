"""docker-py's ``docker.utils.fnmatch``: wildcards of ignore files."""

from __future__ import annotations

import re

from dockerkit.builder.ignore import _expression

__all__ = ["fnmatch", "fnmatchcase", "translate"]


def fnmatch(name: str, pat: str) -> bool:
    """Return whether a path matches, ignoring case."""
    return fnmatchcase(name.lower(), pat.lower())


def fnmatchcase(name: str, pat: str) -> bool:
    """Return whether a path matches, with case."""
    return re.match(translate(pat), name) is not None


def translate(pat: str) -> str:
    """Convert a pattern to a regular expression."""
    return f"^{_expression(pat)}$"
