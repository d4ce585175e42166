"""Adds to each documented function the API version that its engine calls need, from dockerkit's own table."""

from __future__ import annotations

import re
from typing import Any

import griffe

from dockerkit.api._version_table import OPERATIONS
from dockerkit.api.versions import FLOOR

CALL = re.compile(r"``((?:GET|POST|PUT|DELETE|HEAD) /[^`\s]*)``")


def since(operation: str) -> str | None:
    """The first API version with this operation; None where the table does not know it."""
    row = OPERATIONS.get(operation)
    return None if row is None else row[0].partition("-")[0] or FLOOR


def note(docstring: str) -> str:
    """A line on the versions that the calls of a docstring need."""
    calls = list(dict.fromkeys(CALL.findall(docstring)))
    known = [(call, version) for call in calls if (version := since(call))]
    if not known:
        return ""
    if len(known) == 1:
        return f"Engine API: from {known[0][1]} on."
    return "Engine API: " + ", ".join(f"`{call}` from {version} on" for call, version in known) + "."


class EngineCalls(griffe.Extension):
    """The griffe extension."""

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Put the note behind the docstring's first paragraph."""
        if func.docstring is None:
            return
        text = func.docstring.value
        if added := note(text):
            head, gap, rest = text.partition("\n\n")
            func.docstring.value = f"{head}\n\n{added}{gap}{rest}"
