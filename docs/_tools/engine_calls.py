"""Adds to each documented function the API version that its engine calls need, from dockerkit's own table."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe

from dockerkit.api._version_table import OPERATIONS
from dockerkit.api.versions import FLOOR

CALL = re.compile(r"``((?:GET|POST|PUT|DELETE|HEAD) /[^`\s]*)``")


def since(operation: str) -> str:
    """The first API version with this operation; the table leaves out what has always been there."""
    row = OPERATIONS.get(operation)
    return (row[0].partition("-")[0] if row else "") or FLOOR


def note(docstring: str) -> str:
    """A line on the versions that the calls of a docstring need."""
    calls = list(dict.fromkeys(CALL.findall(docstring)))
    known = [(call, since(call)) for call in calls]
    if not known:
        return ""
    if len({version for _, version in known}) == 1:
        return f"Engine API: from {known[0][1]} on."
    return "Engine API: " + ", ".join(f"`{call}` from {version} on" for call, version in known) + "."


ROLE = re.compile(r":(?:class|meth|attr|func|mod|exc|data|obj):`~?([\w.]+)`")


def linked(text: str) -> str:
    """Sphinx's roles as links to the reference, where there is such an entry."""

    def link(match: re.Match[str]) -> str:
        path, name = match[1], match[1].rpartition(".")[2]
        if not path.startswith("dockerkit."):
            return f"`{path}`"
        return f'<autoref optional identifier="{path}"><code>{name}</code></autoref>'

    return ROLE.sub(link, text)


CODE = re.compile(r"^(?P<lead>[^\n]*[^:\n])?::\n\n(?P<code>(?:(?: {4}[^\n]*)?\n)*(?: {4}[^\n]*))", re.MULTILINE)


def fenced(text: str) -> str:
    """Literal blocks after ``::`` as Python."""

    def fence(match: re.Match[str]) -> str:
        lead = f"{match['lead']}:\n\n" if match["lead"] else ""
        return f"{lead}```python\n{textwrap.dedent(match['code'])}\n```"

    return CODE.sub(fence, text)


class EngineCalls(griffe.Extension):
    """The griffe extension."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Turn Sphinx's ways of writing into Markdown."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(linked(obj.docstring.value))

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Put the note behind the docstring's first paragraph."""
        if func.docstring is None:
            return
        text = func.docstring.value
        if added := note(text):
            head, gap, rest = text.partition("\n\n")
            func.docstring.value = f"{head}\n\n{added}{gap}{rest}"
