"""docker-py's ``docker.utils.fnmatch``: the wildcards of ignore files."""

from __future__ import annotations

import re

from dockerkit.build.ignore import _expression

__all__ = ["fnmatch", "fnmatchcase", "translate"]


def fnmatch(name: str, pat: str) -> bool:
    """Whether a path matches, whatever the case."""
    return fnmatchcase(name.lower(), pat.lower())


def fnmatchcase(name: str, pat: str) -> bool:
    """Whether a path matches; case counts."""
    return re.match(translate(pat), name) is not None


def translate(pat: str) -> str:
    """A pattern as regular expression."""
    return f"^{_expression(pat)}$"
