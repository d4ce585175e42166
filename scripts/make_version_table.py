#!/usr/bin/env python3
"""Write dockerkit/api/_version_table.py from scripts/data/operations.json.

operations.json holds the facts: each operation of the Engine API with its parameters and body fields, and the API
versions that know them. The table keeps what a request can get wrong: whatever came after the floor, or went. A field
is left out where its parent, or the operation, says the same. Marked ``ignored`` (no engine reads it) and
``output_only`` (the engine sets it in objects that users hand back) are left out too: they do no harm.

    scripts/make_version_table.py            writes the module
    scripts/make_version_table.py --check    only tells whether it is up to date
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FACTS = ROOT / "scripts/data/operations.json"
MODULE = ROOT / "dockerkit/api/_version_table.py"
GROUPS = ("query", "headers", "filters", "body")

HEADER = '''"""Which API versions know what. Made by scripts/make_version_table.py: change the facts, not this file.

``operation: (versions, query, headers, filters, body)``: versions are "first-last", the last one open while the newest
version has it; "" where all versions have it. Whatever is not named is known as long as its operation or parent is.
FLAGS are the boolean parameters and top-level fields; such a name is boolean in every operation.
"""

from __future__ import annotations

'''


def parents(path: str) -> Iterator[str]:
    """Return the paths above a field: ``A.B[].C`` is below ``A.B[]``, ``A.B`` and ``A``."""
    while True:
        if path.endswith("[]") and path != "[]":
            path = path[:-2]
        elif "." in path:
            path = path.rpartition(".")[0]
        else:
            return
        yield path


def span(fact: dict[str, Any], floor: str) -> str:
    first, last = fact["first"], fact["last"]
    return "" if first == floor and last is None else f"{first}-{last or ''}"


def rows(operation: dict[str, Any], group: str, floor: str) -> dict[str, str]:
    """Return the names of a group whose versions differ from those above them."""
    if group == "body":
        facts, key = (operation["body"] or {}).get("fields") or [], "path"
    else:
        facts, key = operation.get(group) or [], "name"
    spans = {fact[key]: span(fact, floor) for fact in facts if not fact.get("ignored") and not fact.get("output_only")}
    above_all = span(operation, floor)
    kept = {}
    for name, versions in spans.items():
        above = next((spans[parent] for parent in parents(name) if parent in spans), above_all)
        if versions != above:
            kept[name] = versions or f"{floor}-"
    return kept


def flags(facts: dict[str, Any]) -> list[str]:
    """Return the names that are boolean wherever they stand."""
    types: dict[str, set[str]] = {}
    for operation in facts["operations"]:
        for fact in [*operation["query"], *((operation["body"] or {}).get("fields") or [])]:
            types.setdefault(fact.get("name") or fact["path"], set()).add(fact["type"])
    return sorted(name for name, found in types.items() if found == {"boolean"} and "." not in name)


def table(facts: dict[str, Any]) -> str:
    floor = facts["oldest"]
    lines = [f'OLDEST = "{floor}"', f'NEWEST = "{facts["newest"]}"', ""]
    lines.append("FLAGS = frozenset(")
    lines.extend(["    {", *(f'        "{name}",' for name in flags(facts)), "    }", ")", ""])
    lines.append("Row = tuple[str, dict[str, str], dict[str, str], dict[str, str], dict[str, str]]")
    lines.append("")
    lines.append("OPERATIONS: dict[str, Row] = {")
    for operation in facts["operations"]:
        groups = [rows(operation, group, floor) for group in GROUPS]
        versions = span(operation, floor)
        if not versions and not any(groups):
            continue
        lines.append(f'    "{operation["method"]} {operation["path"]}": (')
        lines.append(f'        "{versions}",')
        for group in groups:
            if not group:
                lines.append("        {},")
                continue
            lines.append("        {")
            lines.extend(f'            "{name}": "{value}",' for name, value in group.items())
            lines.append("        },")
        lines.append("    ),")
    lines.append("}")
    return HEADER + "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; leave with 1 if the module is out of date")
    arguments = parser.parse_args()
    text = table(json.loads(FACTS.read_text()))
    if arguments.check:
        if MODULE.read_text() != text:
            print(f"{MODULE.relative_to(ROOT)} is out of date: run scripts/make_version_table.py", file=sys.stderr)
            return 1
        return 0
    MODULE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
