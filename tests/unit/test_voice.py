"""The text reads as plain English: phrases of the old voice don't come back where they were removed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PHRASES = re.compile(
    r"(?<!there )\b(?:is|are) no (?!limit\b|longer\b|more\b)[a-z]|\banew\b|\bfor ever\b|\bso many\b|\bwhoever\b|\blikewise\b"
    r"|is needed, not|docker-py's sake|can't be right|can't be meant|that there is not|that (?:is|are) none\b|in the wild"
    r"|\btold apart\b|\bmisspelt\b|\bheeds?\b",
    re.IGNORECASE,
)
EXEMPT = ("answers.py", "_version_table.py", "test_voice.py")
PLACES = ("dockerkit", "docs", "examples", "scripts", "benchmarks", "tests")


def pages():
    for place in PLACES:
        yield from sorted(path for kind in ("*.py", "*.pyi", "*.md") for path in (ROOT / place).rglob(kind))
    yield from sorted(ROOT.glob("*.md"))


@pytest.mark.parametrize("path", [path for path in pages() if path.name not in EXEMPT], ids=lambda path: path.name)
def test_text_has_no_phrase_of_the_old_voice(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [(number, line) for number, line in enumerate(lines, 1) if PHRASES.search(line)] == []
