""".dockerignore is read as the docker command reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dockerkit.build.ignore import IgnoreRules, read_patterns
from dockerkit.errors import InvalidArgument

# What the docker command's classic builder sent of one tree for 600 ignore files, half of them made at random.
RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "dockerignore.json").read_text())
PATHS: list[str] = [*RECORDED["paths"], "Dockerfile", ".dockerignore"]
FOLDERS = {path[:at] for path in PATHS for at in range(len(path)) if path[at] == "/"}
ALL = sorted({*PATHS, *FOLDERS})
CHILDREN = {folder: [path for path in ALL if path.rpartition("/")[0] == folder] for folder in ("", *FOLDERS)}


def sent(rules: IgnoreRules, *, classic: bool) -> set[str]:
    """What a walk sends. The classic command enters an ignored folder only for an exception that starts with its name."""
    exceptions = [pattern[1:] + "/" for pattern in rules.patterns if pattern.startswith("!")]
    kept: set[str] = set()

    def walk(folder: str, verdict: tuple[bool, ...]) -> None:
        for path in CHILDREN[folder]:
            ignored, inner = rules.judge(path, verdict)
            if not ignored:
                kept.add(path)
            if path in FOLDERS and (
                not ignored
                or (any(text.startswith(path + "/") for text in exceptions) if classic else rules.may_descend(path))
            ):
                walk(path, inner)

    walk("", rules.root)
    return kept


def with_build_files(content: str) -> IgnoreRules:
    rules = IgnoreRules.read(content)
    return IgnoreRules(
        [*read_patterns(content), *(f"!{n}" for n in (".dockerignore", "Dockerfile") if rules.ignores(n))]
    )


def test_the_docker_command_agrees() -> None:
    for content, expected in RECORDED["cases"]:
        if expected is None:
            with pytest.raises(InvalidArgument):
                IgnoreRules.read(content)
            continue
        rules = with_build_files(content)
        recorded = {path for place, path in enumerate(ALL) if int(expected, 16) >> place & 1}
        assert sent(rules, classic=True) == recorded, content
        # The whole truth, as BuildKit sees it, may take back more; what is never entered holds nothing to take back.
        everything = {path for path in ALL if not rules.ignores(path)}
        assert recorded <= everything, content
        assert sent(rules, classic=False) == everything, content


def test_lines_are_cleaned() -> None:
    content = b"\xef\xbb\xbf# comment\n\n  /a/./b/ \r\n #kept\n! /c/../d\n\\#e\nf\xff\n/\n!\n"
    assert read_patterns(content) == ["a/b", "#kept", "!d", "\\#e", "f\udcff", "/", "!"]


def test_an_exception_below_an_ignored_folder_needs_a_walk() -> None:
    rules = IgnoreRules(["*", "!src/lib/*.h", "!**/keep"])
    assert rules.may_descend("anything")
    rules = IgnoreRules(["*", "!src/*/include/x.h", "!doc"])
    assert [rules.may_descend(path) for path in ("src", "src/a", "src/a/include", "src/a/b", "doc", "other")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
    assert not IgnoreRules(["*"]).may_descend("src")


@pytest.mark.parametrize("pattern", ["[", "[]", "[a", "a\\", "[a-", "!", "[z-a]", "\\1", "\\p"])
def test_malformed_patterns_are_quoted(pattern: str) -> None:
    with pytest.raises(InvalidArgument, match="pattern"):
        IgnoreRules([pattern])


def test_escapes() -> None:
    rules = IgnoreRules(["a\\*b", "\\d", "x\\?", "[\\]]"])
    ignored = {path for path in ("a*b", "axb", "5", "d", "x?", "xy", "]") if rules.ignores(path)}
    assert ignored == {"a*b", "5", "x?", "]"}


paths = st.lists(st.sampled_from(["a", "b", "ab", "a.o", "d"]), min_size=1, max_size=4).map("/".join)
pieces = st.sampled_from(["a", "b", "ab", "*", "**", "?", "a*", "*.o", "[ab]", "d"])
patterns = st.tuples(st.sampled_from(["", "!"]), st.lists(pieces, min_size=1, max_size=4)).map(
    lambda rule: rule[0] + "/".join(rule[1])
)


@given(st.lists(patterns, max_size=8), paths)
@example(["*", "!a/b", "a/b/a"], "a/b/d")
def test_what_is_kept_below_an_ignored_folder_can_be_reached(rules_text: list[str], path: str) -> None:
    rules = IgnoreRules(rules_text)
    if not rules.ignores(path):
        for at in (at for at, char in enumerate(path) if char == "/"):
            assert not rules.ignores(path[:at]) or rules.may_descend(path[:at])


@given(st.lists(patterns, max_size=8))
def test_reading_what_was_read_changes_nothing(rules_text: list[str]) -> None:
    once = read_patterns("\n".join(rules_text))
    assert read_patterns("\n".join(once)) == once


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(content: str) -> None:
    try:
        rules = IgnoreRules.read(content)
    except InvalidArgument:
        return
    rules.ignores("a/b")
