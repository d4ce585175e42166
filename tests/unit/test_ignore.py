""".dockerignore is read as the docker command reads it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dockerkit.builder import ignore
from dockerkit.builder.context import missing_file
from dockerkit.builder.ignore import IgnoreRules, read_patterns
from dockerkit.errors import InvalidArgument

# Files of a tree that the docker command's classic builder sent for 600 ignore files, half of them random.
RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "dockerignore.json").read_text())
PATHS: list[str] = [*RECORDED["paths"], "Dockerfile", ".dockerignore"]
FOLDERS = {path[:at] for path in PATHS for at in range(len(path)) if path[at] == "/"}
ALL = sorted({*PATHS, *FOLDERS})
CHILDREN = {folder: [path for path in ALL if path.rpartition("/")[0] == folder] for folder in ("", *FOLDERS)}


def sent(rules: IgnoreRules, *, classic: bool) -> set[str]:
    """Return what a walk sends. The classic command enters an ignored folder only for an exception with its name."""
    exceptions = [pattern[1:] + "/" for pattern in rules.patterns if pattern.startswith("!")]
    included: set[str] = set()

    def walk(folder: str, verdict: tuple[bool, ...]) -> None:
        for path in CHILDREN[folder]:
            ignored, inner = rules.judge(path, verdict)
            if not ignored:
                included.add(path)
            if path in FOLDERS and (
                not ignored
                or (any(text.startswith(path + "/") for text in exceptions) if classic else rules.may_descend(path))
            ):
                walk(path, inner)

    walk("", rules.root)
    return included


def with_build_files(content: str) -> IgnoreRules:
    rules = IgnoreRules.read(content)
    return IgnoreRules(
        [*read_patterns(content), *(f"!{n}" for n in (".dockerignore", "Dockerfile") if rules.ignores(n))]
    )


def test_matches_the_docker_commands_verdicts() -> None:
    for content, expected in RECORDED["cases"]:
        if expected is None:
            with pytest.raises(InvalidArgument):
                IgnoreRules.read(content)
            continue
        rules = with_build_files(content)
        recorded = {path for place, path in enumerate(ALL) if int(expected, 16) >> place & 1}
        assert sent(rules, classic=True) == recorded, content
        # BuildKit's rules may include more; folders that are never entered contain no exceptions.
        everything = {path for path in ALL if not rules.ignores(path)}
        assert recorded <= everything, content
        assert sent(rules, classic=False) == everything, content


def test_lines_are_cleaned() -> None:
    content = b"\xef\xbb\xbf# comment\n\n  /a/./b/ \r\n #kept\n! /c/../d\n\\#e\nf\xff\n/\n!\n"
    assert read_patterns(content) == ["a/b", "#kept", "!d", "\\#e", "f\udcff", "/", "!"]


def test_exception_below_an_ignored_folder_needs_a_walk() -> None:
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
def test_exceptions_below_an_ignored_folder_are_reachable(rules_text: list[str], path: str) -> None:
    rules = IgnoreRules(rules_text)
    if not rules.ignores(path):
        for at in (at for at, char in enumerate(path) if char == "/"):
            assert not rules.ignores(path[:at]) or rules.may_descend(path[:at])


@given(st.lists(patterns, max_size=8))
def test_read_patterns_is_idempotent(rules_text: list[str]) -> None:
    once = read_patterns("\n".join(rules_text))
    assert read_patterns("\n".join(once)) == once


@given(st.text(max_size=40))
def test_any_content_is_parsed_or_rejected(content: str) -> None:
    try:
        rules = IgnoreRules.read(content)
    except InvalidArgument:
        return
    rules.ignores("a/b")


tricky = st.text(alphabet="ab*?/[]^\\|-.\n", max_size=12)


@given(tricky, st.lists(st.text(alphabet="ab/]^*?.\n", max_size=10), max_size=8))
@example("**/a*/**/b", ["a/a\n/b", "a/x/b"])
@example("*a**/b", ["xaa/b", "ab", "xa/y/b"])
@example("[*]*a*b", ["[xx]aab", "]ab", "/]ab"])
@example(r"\*\*a*b*", ["**ab", "*ab"])
def test_expressions_automata_and_backtracking_agree(pattern: str, candidates: list[str]) -> None:
    try:
        tokens = ignore._tokens(ignore._to_go(pattern), pattern)
    except (InvalidArgument, IndexError):
        return
    backtracking = re.compile("".join(tokens))
    automaton, linear = ignore._Automaton(tokens), ignore._linear(tokens)
    for path in candidates:
        expected = backtracking.fullmatch(path) is not None
        assert automaton.fullmatch(path) is expected
        assert linear is None or (re.fullmatch(linear, path) is not None) is expected


HOSTILE = [
    "*a*a*a*a*a*a*a*a*b",
    "**/" + "[!-z]*" * 8 + "b",
    "a/**/b/**/b/**/b/**/b/x*y",
    "^" + "*[^x]" * 8 + "b",
    "!" + "*a" * 20 + "/x",
]


@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("name", ["a", "b/", "a/b/"])
def test_no_pattern_takes_exponential_time(pattern: str, name: str) -> None:
    """A matcher that backtracks would not return."""
    rules = IgnoreRules(["*", pattern] if pattern.startswith("!") else [pattern])
    path = (name * 4000).strip("/")
    rules.judge(path, rules.root)
    rules.may_descend(path)


@pytest.mark.parametrize(
    "pattern", ["*.o", "**/*.o", "**/node_modules", "**/*.test.*", "a/*/b*c/**", "docs/**/*.md", "[ab]*.c"]
)
def test_usual_patterns_are_expressions(pattern: str) -> None:
    assert isinstance(ignore._expression(pattern), str)


BUILDKIT = 'failed to calculate checksum of ref e0a7::ys5l: "/{}": not found'
OLD_BUILDKIT = 'failed to compute cache key: "/{}" not found: not found'
CLASSIC = "COPY failed: file not found in build context or excluded by .dockerignore: stat {}: file does not exist"


@pytest.mark.parametrize("message", [BUILDKIT, OLD_BUILDKIT, CLASSIC], ids=["BuildKit", "20.10", "classic"])
def test_line_that_excludes_a_file_is_named(tmp_path: Path, message: str) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("docs/notes.txt", "kept.md"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".dockerignore").write_text("# texts\n!docs\n*.log\ndocs\n**/*.txt\n")
    place = tmp_path / ".dockerignore"
    reason = missing_file(message.format("docs/notes.txt"), tmp_path, None)
    assert reason == f"'docs/notes.txt' is excluded from the build context by line 5 of {place}: **/*.txt"
    assert missing_file(message.format("kept.md"), tmp_path, None) == ""
    assert missing_file(message.format("none.md"), tmp_path, None) == (
        f"'none.md' does not exist in the build context {str(tmp_path)!r}"
    )
    (tmp_path / "app.dockerfile.dockerignore").write_text("*.md\n")
    reason = missing_file(message.format("kept.md"), str(tmp_path), "app.dockerfile")
    assert reason.endswith("by line 1 of " + str(tmp_path / "app.dockerfile.dockerignore") + ": *.md")


@pytest.mark.parametrize("path", [None, {"kept.md": "x"}, "https://example.com/app.git", "/no/such/folder"])
def test_unknown_cause_is_not_guessed(path: object) -> None:
    assert missing_file(BUILDKIT.format("kept.md"), path, None) == ""
    assert missing_file("exit code: 3", path, None) == ""


def test_file_missing_in_a_dict_is_named() -> None:
    assert missing_file(BUILDKIT.format("app.py"), {"Dockerfile": ""}, None) == (
        "'app.py' does not exist in the build context"
    )


@pytest.mark.parametrize("pattern", ["\\ü", "a\\ü*", "[\\ü]"])
def test_escapes_of_letters_beyond_ascii_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidArgument, match="ignore pattern"):
        IgnoreRules.read(pattern)


def test_byte_order_mark_before_a_wildcard_is_skipped() -> None:
    rules = IgnoreRules.read("/\ufeff[ab]\n/\ufeffc")
    assert [name for name in ("a", "b", "c") if rules.ignores(name)] == ["a", "b"]
