"""``.dockerignore``: which files of a folder stay out of a build context.

The rules are those of Docker's own tools: lines are cleaned as paths, the last matching line decides,
``!`` makes an exception, a folder's verdict applies to its contents, and ``**`` spans any number of folders.
Two things make it fast: adjacent lines of the same kind become one compiled expression, and an ignored folder
is entered only if an exception could match below it. Matching time is bounded: patterns that would make an expression
backtrack far are matched by :class:`_Automaton`.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from dockerkit.errors import InvalidArgument
from dockerkit.parsing.values import GO_SPACE

__all__ = ["IgnoreRules", "Verdict", "read_patterns"]

_BOM = b"\xef\xbb\xbf"
# Go's syntax: no unclosed or empty class, and no trailing backslash.
_MEMBER = r"(?:\\.|[^-\]\\])"
_VALID = re.compile(rf"(?s)(?:\\.|[^\[\\]|\[(?:\^|(?!\^))(?:{_MEMBER}(?:-{_MEMBER})?)+\])*")

# The verdict on a folder: for each block of rules, whether it matched the folder or one of its parents.
Verdict = tuple[bool, ...]


def read_patterns(content: bytes | str) -> list[str]:
    """Return the cleaned patterns of an ignore file, in the file's order.

    Comments, empty lines and a byte order mark are dropped; leading and trailing slashes are ignored.
    """
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    patterns: list[str] = []
    for raw in data.removeprefix(_BOM).split(b"\n"):
        line = raw.removesuffix(b"\r").decode("utf-8", "surrogateescape")
        if line.startswith("#"):
            continue
        line = line.strip(GO_SPACE)
        if not line:
            continue
        negated = line.startswith("!")
        if negated:
            line = line[1:].strip(GO_SPACE)
        if line:
            line = _clean(line)
            if len(line) > 1:
                line = line.removeprefix("/")
        patterns.append("!" + line if negated else line)
    return patterns


class IgnoreRules:
    """The rules of one ignore file, compiled for matching paths.

    Paths are relative to the context's root, with ``/`` as the separator. A walk passes each folder's verdict on to
    what lies in it::

        ignored, verdict = rules.judge("src", rules.root)
        ignored, _ = rules.judge("src/main.c", verdict)

    Raises:
        InvalidArgument: a pattern is malformed; the message quotes it.
    """

    __slots__ = ("_blocks", "_descend", "patterns", "root")

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        parsed = [_parse(stripped) for pattern in patterns if (stripped := pattern.strip(GO_SPACE))]
        self.patterns: tuple[str, ...] = tuple(
            ("!" if is_exception else "") + pattern for is_exception, pattern in parsed
        )
        # Within a block of one kind it does not matter which rule matched, so a block is one expression.
        self._blocks: list[tuple[bool, Callable[[str], object]]] = [
            (is_exception, _matcher([pattern for _, pattern in group]))
            for is_exception, group in groupby(parsed, key=lambda rule: rule[0])
        ]
        self.root: Verdict = (False,) * len(self._blocks)
        prefixes = [
            folders for is_exception, pattern in parsed if is_exception and (folders := _folders(pattern)) is not None
        ]
        self._descend: re.Pattern[str] | None = _compile(prefixes) if prefixes else None

    @classmethod
    def read(cls, content: bytes | str) -> IgnoreRules:
        """Parse the content of an ignore file."""
        return cls(read_patterns(content))

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.patterns)!r})"

    def judge(self, path: str, parent: Verdict) -> tuple[bool, Verdict]:
        """Return whether `path` is ignored, and the verdict to pass on to its contents.

        `parent` is the verdict on the parent folder; `root` at the top level.
        """
        ignored = False
        verdict: list[bool] = []
        for (is_exception, matches), inherited in zip(self._blocks, parent, strict=True):
            # A block that can't change the result is skipped, and then counts as not matching further down.
            match = inherited or (is_exception is ignored and bool(matches(path)))
            verdict.append(match)
            if match:
                ignored = not is_exception
        return ignored, tuple(verdict)

    def ignores(self, path: str) -> bool:
        """Return whether `path` or one of its parent folders is ignored."""
        ignored, verdict = False, self.root
        end = 0
        while end != -1:
            end = path.find("/", end + 1)
            ignored, verdict = self.judge(path if end == -1 else path[:end], verdict)
        return ignored

    def may_descend(self, folder: str) -> bool:
        """Return whether an exception could match below an ignored `folder`. If not, the walk can skip it."""
        return self._descend is not None and self._descend.fullmatch(folder) is not None


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path.replace(os.sep, "/"))
    return cleaned[1:] if cleaned.startswith("//") else cleaned  # normpath keeps two leading slashes, as POSIX does


def _parse(pattern: str) -> tuple[bool, str]:
    cleaned = _clean(pattern)
    is_exception = cleaned.startswith("!")
    if is_exception:
        cleaned = cleaned[1:]
        if not cleaned:
            raise InvalidArgument("invalid ignore pattern '!': a pattern must follow the '!'")
    if not _VALID.fullmatch(cleaned):
        raise _malformed(cleaned)
    return is_exception, cleaned


def _malformed(pattern: str) -> InvalidArgument:
    return InvalidArgument(f"malformed ignore pattern {pattern!r}: check its brackets and backslashes")


def _compile(expressions: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{expression})" for expression in dict.fromkeys(expressions)))


def _is_plain(pattern: str) -> bool:
    return not any(char in "*?[]\\" for char in pattern)


def _matcher(patterns: Iterable[str]) -> Callable[[str], object]:
    """Return a test for cleaned patterns: one combined expression, and an automaton for each pattern that needs it."""
    compiled = [_expression(pattern) for pattern in dict.fromkeys(patterns)]
    expressions = [matcher for matcher in compiled if isinstance(matcher, str)]
    matchers: list[re.Pattern[str] | _Automaton] = [matcher for matcher in compiled if not isinstance(matcher, str)]
    if expressions:
        matchers.insert(0, _compile(expressions))
    if len(matchers) == 1:
        return matchers[0].fullmatch
    return lambda path: any(matcher.fullmatch(path) for matcher in matchers)


def _expression(pattern: str) -> str | _Automaton:
    """Compile a cleaned pattern to an expression that matches the whole path."""
    if _is_plain(pattern):
        return re.escape(pattern)
    if pattern.startswith("**") and _is_plain(rest := pattern[2:]):
        return f"(?:(?s:.*)/)?{re.escape(rest[1:])}" if rest.startswith("/") else f"(?s:.*){re.escape(rest)}"
    if pattern.endswith("**") and _is_plain(rest := pattern[:-2]):
        return f"{re.escape(rest)}(?s:.*)"
    # Go's scanner, with which Docker's tools translate patterns, skips a byte order mark at the beginning.
    tokens = _tokens(_to_go(pattern.removeprefix("\ufeff")), pattern)
    return _linear(tokens) or _Automaton(tokens)


def _linear(tokens: Sequence[str]) -> str | None:
    """Return an expression that matches the tokens in linear time; None if backtracking could take longer.

    Between two stars within one folder name, the first match of the text between them is always correct.
    """
    if tokens.count(_FOLDERS) > 1:
        return None
    parts: list[str] = []
    after_star: list[str] | None = None  # tokens after the last star; None before the first star of a name
    for previous, item in zip(("/", *tokens), tokens, strict=False):
        if item == _STAR:
            parts += (f"(?>{_STAR}?", *after_star, ")") if after_star is not None else ()
            after_star = []
        elif item in ("/", _FOLDERS, _REST):
            if item == _FOLDERS and previous != "/":
                return None
            parts += (_STAR, *after_star, item) if after_star is not None else (item,)
            after_star = None
        elif _repeats(item) or (
            after_star is not None and item.startswith("[") and item != _ANY_CHAR
        ):  # may match a slash
            return None
        else:
            (parts if after_star is None else after_star).append(item)
    parts += (_STAR, *after_star) if after_star is not None else ()
    return "".join(parts)


class _Automaton:
    """A nondeterministic automaton whose states are the bits of an integer, so each path is read only once."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._stay: list[tuple[int, re.Pattern[str]]] = []
        self._advance: list[tuple[int, re.Pattern[str]]] = []
        # Transitions that consume no character, in the pattern's order: from, to, and the condition on the position.
        self._epsilon: list[tuple[int, int, re.Pattern[str] | None]] = []
        self._next: dict[tuple[int, str], int] = {}
        state = 1
        for item in tokens:
            if item == _FOLDERS:
                self._epsilon += [(state, state << 1, None), (state, state << 2, None)]
                state <<= 1
                self._stay.append((state, re.compile(".")))
                self._advance.append((state, re.compile("/")))
            elif _repeats(item):
                self._epsilon.append((state, state << 1, None))
                self._stay.append((state, re.compile(item[:-1])))
            elif item == "^" or item in _ANCHORS.values():
                self._epsilon.append((state, state << 1, re.compile(item)))
            else:
                self._advance.append((state, re.compile(item)))
            state <<= 1
        self._final = state
        self._anchored = any(anchor for _, _, anchor in self._epsilon)

    def fullmatch(self, path: str) -> bool:
        """Return whether the whole path matches."""
        states = self._reach(1, path, 0)
        for position, char in enumerate(path, 1):
            next_states = self._next.get((states, char))
            if next_states is None:
                stay = sum(bit for bit, condition in self._stay if bit & states and condition.fullmatch(char))
                advance = sum(bit for bit, condition in self._advance if bit & states and condition.fullmatch(char))
                next_states = self._reach(stay | advance << 1, path, position)
                if not self._anchored and len(self._next) < _MAX_CACHED:
                    self._next[states, char] = next_states
            states = next_states
        return bool(states & self._final)

    def _reach(self, states: int, path: str, position: int) -> int:
        """Add the states that are reachable without consuming a character."""
        for origin, target, anchor in self._epsilon:
            if states & origin and (anchor is None or anchor.match(path, position)):
                states |= target
        return states


def _to_go(pattern: str) -> str:
    """Translate a pattern to a Go regular expression, exactly as Docker's tools do.

    They ignore classes while translating: ``[*]`` becomes ``[[^/]*]``. This quirk must be reproduced.
    """

    def translate(match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith("**"):
            return "(.*/)?" if match.end() < len(pattern) else ".*"
        if token.startswith("\\"):
            return token
        return {"*": "[^/]*", "?": "[^/]"}.get(token, "\\" + token)

    return re.sub(r"(?s)\*\*/?|\\.|[*?.+()|{}$]", translate, pattern)


_PERL_CLASSES = {
    "d": "0-9",
    "s": r"\t\n\f\r ",
    "w": "0-9A-Za-z_",
}
_POSIX_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_CONTROLS = {"a": r"\a", "f": r"\f", "n": r"\n", "r": r"\r", "t": r"\t", "v": r"\v"}
_ANCHORS = {"A": r"\A", "b": r"\b", "B": r"\B", "z": r"\Z"}

_ANY_CHAR, _STAR, _FOLDERS, _REST = "[^/]", "[^/]*", "(.*/)?", ".*"
_MAX_CACHED = 10_000  # cached transitions of one automaton


def _repeats(item: str) -> bool:
    return item.endswith("*") and item != r"\*"


def _tokens(expression: str, pattern: str) -> list[str]:
    """Split an expression from `_to_go` into tokens in Python's syntax: characters, classes, anchors, each maybe repeated."""
    tokens: list[str] = []
    offset, end = 0, len(expression)
    while offset < end:
        char = expression[offset]
        offset += 1
        if char == "\\":
            char = expression[offset]
            offset += 1
            if char.lower() in _PERL_CLASSES:
                tokens.append(f"[{'^' if char.isupper() else ''}{_PERL_CLASSES[char.lower()]}]")
            else:
                tokens.append(_ANCHORS.get(char) or _escaped(char, pattern))
        elif char == "[":
            negated = expression.startswith("^", offset)
            members, offset = _members(expression, offset + negated, pattern)
            tokens.append(f"[{'^' if negated else ''}{members}]")
        elif char == "(":
            if tokens[-1:] != [_FOLDERS]:
                tokens.append(_FOLDERS)
            offset += len(_FOLDERS) - 1
        elif char == "*":
            tokens[-1] += "*"
        else:
            tokens.append(char)
    try:
        re.compile("".join(tokens))
    except re.error as error:
        raise _malformed(pattern) from error
    return tokens


def _members(expression: str, offset: int, pattern: str) -> tuple[str, int]:
    """Return the members of a class whose content starts at `offset`, and the offset after its closing bracket."""
    parts: list[str] = []
    while expression[offset : offset + 1] != "]" or not parts:
        if offset >= len(expression):
            raise _malformed(pattern)
        if named := re.compile(r"\[:([a-z]+):\]").match(expression, offset):
            if named[1] not in _POSIX_CLASSES:
                raise _malformed(pattern)
            parts.append(_POSIX_CLASSES[named[1]])
            offset = named.end()
            continue
        char = expression[offset]
        offset += 1
        if char == "\\":
            char = expression[offset]
            offset += 1
            parts.append(_PERL_CLASSES.get(char) or _escaped(char, pattern))
        elif char == "-" and parts and parts[-1] != "-" and expression[offset : offset + 1] != "]":
            parts.append("-")
        else:
            parts.append(re.escape(char) if char not in "-&~|" else "\\" + char)
    return "".join(parts), offset + 1


def _escaped(char: str, pattern: str) -> str:
    if char in _CONTROLS:
        return _CONTROLS[char]
    if not char.isascii() or char.isalnum():  # Go's regular expressions have no such escape
        raise InvalidArgument(f"unknown escape '\\{char}' in ignore pattern {pattern!r}")
    return re.escape(char)


def _folders(pattern: str) -> str | None:
    """Return an expression for the folders that can contain a match of an exception; None if only the top level can."""
    parts = pattern.split("/")
    expression: str | None = None
    for index, part in enumerate(parts):
        if "**" in part or "[" in part or "\\" in part:  # may span a slash: accept anything from here on
            parts, expression = parts[:index], "(?s:.*)"
            break
    else:
        parts = parts[:-1]
    for part in reversed(parts):
        compiled = _expression(part)
        folder = compiled if isinstance(compiled, str) else _STAR  # entering too many folders only costs time
        expression = folder + (f"(?:/{expression})?" if expression is not None else "")
    return expression
