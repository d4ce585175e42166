"""mkdocs hooks: the version, generated tables, and which pages a search lists first."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import run_options
from engine_calls import CALL, first_sentence, linked, since

MARK = "<!-- all engine calls -->"

# Pages -> the weight of their hits in a search; the first match counts.
BOOSTS = (
    ("reference/(api|calls|types|.*values)", 0.02),
    ("reference/", 0.1),
    ("(architecture|benchmarks|changelog|reliability|versions)", 0.5),
    ("", 4),
)


def on_config(config: Any) -> None:
    """Show the version at the bottom of each page."""
    from dockerkit import __version__

    config.copyright = f"dockerkit {__version__}"


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
        meaning = first_sentence(linked(doc)).replace("|", "/")
        table.append(f"| [`{name}`][{home}]<br>{meaning} | {paths} | {versions} |")
    return table


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in the generated tables; let a search list guides before the reference."""
    boost = next(boost for path, boost in BOOSTS if re.match(path, page.file.src_uri))
    page.meta.setdefault("search", {"boost": boost})
    if run_options.MARK in markdown:
        return markdown.replace(run_options.MARK, run_options.table())
    if MARK not in markdown:
        return markdown
    head = ["| method | engine call | from API |", "| --- | --- | --- |"]
    table = "\n".join([*head, *rows()])
    return markdown.replace(MARK, f'<div class="engine-calls" markdown>\n\n{table}\n\n</div>')
