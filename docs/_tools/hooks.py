"""mkdocs hooks: the table of all engine calls is made from the code."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from engine_calls import CALL, since

MARK = "<!-- all engine calls -->"


def rows() -> list[str]:
    """One row for each public call of APIClient."""
    from dockerkit.api.client import APIClient

    table = []
    for name, member in sorted(inspect.getmembers(APIClient, inspect.isfunction)):
        doc = inspect.getdoc(member) or ""
        calls = list(dict.fromkeys(CALL.findall(doc)))
        if name.startswith("_") or not calls:
            continue
        home = f"{member.__module__}.{member.__qualname__}"
        paths = "<br>".join(f"`{call}`" for call in calls)
        versions = "<br>".join(since(call) for call in calls)
        meaning = re.split(r"(?<=[.:]) ", doc.replace("\n", " "), maxsplit=1)[0].partition("``")[0].strip()
        table.append(f"| [`{name}`][{home}] | {paths} | {versions} | {meaning.replace('|', '/')} |")
    return table


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the table."""
    if MARK not in markdown:
        return markdown
    head = ["| method | engine call | from API | |", "| --- | --- | --- | --- |"]
    table = "\n".join([*head, *rows()])
    return markdown.replace(MARK, f'<div class="engine-calls" markdown>\n\n{table}\n\n</div>')
