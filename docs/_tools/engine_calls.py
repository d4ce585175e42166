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


def with_versions(docstring: str) -> str:
    """The docstring with the first API version behind each engine call."""
    seen: set[str] = set()

    def version(match: re.Match[str]) -> str:
        if match[1] in seen:
            return match[0]
        seen.add(match[1])
        return f"{match[0]} (API {since(match[1])})"

    return CALL.sub(version, docstring)


def first_sentence(docstring: str) -> str:
    """The first sentence of a docstring, without the engine call."""
    paragraph = " ".join(docstring.split("\n\n", 1)[0].split())
    return re.split(r"(?<=[.:]) |[:.,;]?$", CALL.split(paragraph, maxsplit=1)[0].strip(), maxsplit=1)[0].rstrip(".:")


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
        """Note the first sentence for the summary of the class, and the versions of engine calls."""
        if func.docstring is not None:
            func.extra["dockerkit"]["summary"] = first_sentence(func.docstring.value)
            func.docstring.value = with_versions(func.docstring.value)
