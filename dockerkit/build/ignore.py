"""``.dockerignore``: which files of a folder stay out of a build context.

The rules are those of the engine's own tools: lines are cleaned as paths, the last line that matches decides,
``!`` takes back, what is true of a folder is true of what lies in it, and ``**`` spans any number of folders.
Two things make it quick: neighbouring lines of one kind become one compiled expression, and an ignored folder
is entered only if an exception could match below it.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable
from itertools import groupby

from dockerkit.errors import InvalidArgument

__all__ = ["IgnoreRules", "Verdict", "read_patterns"]

# The white space of the engine's reader; str.strip() would also take U+001C to U+001F.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_BOM = b"\xef\xbb\xbf"

# What is known about a folder: for each block of rules, whether it matched the folder or one above it.
Verdict = tuple[bool, ...]


def read_patterns(content: bytes | str) -> list[str]:
    """The patterns of an ignore file, cleaned, in the file's order.

    Comments, empty lines and a byte order mark are dropped; a leading ``/`` means nothing, nor does a trailing one.
    """
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    patterns: list[str] = []
    for raw in data.removeprefix(_BOM).split(b"\n"):
        line = raw.removesuffix(b"\r").decode("utf-8", "surrogateescape")
        if line.startswith("#"):
            continue
        line = line.strip(_SPACE)
        if not line:
            continue
        negated = line.startswith("!")
        if negated:
            line = line[1:].strip(_SPACE)
        if line:
            line = _clean(line)
            if len(line) > 1:
                line = line.removeprefix("/")
        patterns.append("!" + line if negated else line)
    return patterns


class IgnoreRules:
    """The rules of one ignore file, ready to be asked about paths.

    Paths are relative to the context's root, with ``/`` between their parts. A walk hands each folder's verdict to
    what lies in it::

        ignored, verdict = rules.judge("src", rules.root)
        ignored, _ = rules.judge("src/main.c", verdict)

    Raises:
        InvalidArgument: a pattern is malformed; the message quotes it.
    """

    __slots__ = ("_blocks", "_descend", "patterns", "root")

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        parsed = [_parse(stripped) for pattern in patterns if (stripped := pattern.strip(_SPACE))]
        self.patterns: tuple[str, ...] = tuple(("!" if keeps else "") + text for keeps, text in parsed)
        # Within a block of one kind it does not matter which rule matched, so a block is one expression.
        self._blocks: list[tuple[bool, re.Pattern[str]]] = [
            (keeps, _compile([_expression(text) for _, text in group]))
            for keeps, group in groupby(parsed, key=lambda rule: rule[0])
        ]
        self.root: Verdict = (False,) * len(self._blocks)
        prefixes = [folders for keeps, text in parsed if keeps and (folders := _folders(text)) is not None]
        self._descend: re.Pattern[str] | None = _compile(prefixes) if prefixes else None

    @classmethod
    def read(cls, content: bytes | str) -> IgnoreRules:
        """The rules that an ignore file's content holds."""
        return cls(read_patterns(content))

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.patterns)!r})"

    def judge(self, path: str, parent: Verdict) -> tuple[bool, Verdict]:
        """Whether `path` is ignored, and the verdict to hand to what lies in it.

        Args:
            path: the path, relative to the root.
            parent: the verdict on the folder it lies in; `root` at the top.
        """
        ignored = False
        verdict: list[bool] = []
        for (keeps, matcher), inherited in zip(self._blocks, parent, strict=True):
            # A block that could change nothing is not asked, and then counts as not matching further down.
            match = inherited or (keeps is ignored and matcher.fullmatch(path) is not None)
            verdict.append(match)
            if match:
                ignored = not keeps
        return ignored, tuple(verdict)

    def ignores(self, path: str) -> bool:
        """Whether `path` is ignored, taking the folders above it into account."""
        ignored, verdict = False, self.root
        at = 0
        while at != -1:
            at = path.find("/", at + 1)
            ignored, verdict = self.judge(path if at == -1 else path[:at], verdict)
        return ignored

    def may_descend(self, folder: str) -> bool:
        """Whether an exception could match something below an ignored `folder`. If not, it need not be walked."""
        return self._descend is not None and self._descend.fullmatch(folder) is not None


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path.replace(os.sep, "/"))
    return cleaned[1:] if cleaned.startswith("//") else cleaned  # POSIX lets two leading slashes mean something else


def _parse(pattern: str) -> tuple[bool, str]:
    text = _clean(pattern)
    keeps = text.startswith("!")
    if keeps:
        text = text[1:]
        if not text:
            raise InvalidArgument("an ignore pattern needs something after '!'")
    _check(text)
    return keeps, text


def _malformed(pattern: str) -> InvalidArgument:
    return InvalidArgument(f"malformed ignore pattern {pattern!r}: check its brackets and backslashes")


def _check(pattern: str) -> None:
    """Refuse what the shell-like syntax does not allow: an open or empty class, a backslash at the end."""
    at, end = 0, len(pattern)

    def member(at: int) -> int:
        if at >= end or pattern[at] in "-]":
            raise _malformed(pattern)
        if pattern[at] == "\\":
            at += 1
        if at + 1 >= end:
            raise _malformed(pattern)
        return at + 1

    while at < end:
        char = pattern[at]
        at += 1
        if char == "\\":
            if at >= end:
                raise _malformed(pattern)
            at += 1
        elif char == "[":
            if pattern[at : at + 1] == "^":
                at += 1
            members = 0
            while not (members and pattern[at : at + 1] == "]"):
                at = member(at)
                if pattern[at] == "-":
                    at = member(at + 1)
                members += 1
            at += 1


def _compile(expressions: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{expression})" for expression in dict.fromkeys(expressions)))


def _is_plain(text: str) -> bool:
    return not any(char in "*?[]\\" for char in text)


def _expression(pattern: str) -> str:
    """A cleaned pattern as an expression for the whole path."""
    if _is_plain(pattern):
        return re.escape(pattern)
    if pattern.startswith("**") and _is_plain(rest := pattern[2:]):
        return f"(?:(?s:.*)/)?{re.escape(rest[1:])}" if rest.startswith("/") else f"(?s:.*){re.escape(rest)}"
    if pattern.endswith("**") and _is_plain(rest := pattern[:-2]):
        return f"{re.escape(rest)}(?s:.*)"
    return _to_python(_to_go(pattern), pattern)


def _to_go(pattern: str) -> str:
    """The expression that the engine's tools make of a pattern, in Go's syntax.

    They do not know about classes while they do so: ``[*]`` becomes ``[[^/]*]``. Whoever reads the same file must too.
    """
    parts: list[str] = []
    at, end = 0, len(pattern)
    while at < end:
        char = pattern[at]
        at += 1
        if char == "*" and pattern.startswith("*", at):
            at += 2 if pattern.startswith("/", at + 1) else 1
            parts.append("(.*/)?" if at < end else ".*")
        elif char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char in ".+()|{}$":
            parts.append("\\" + char)
        elif char == "\\":
            parts.append(pattern[at - 1 : at + 1])
            at += 1
        else:
            parts.append(char)
    return "".join(parts)


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


def _to_python(expression: str, pattern: str) -> str:
    """An expression of the kind `_to_go` makes, in Python's syntax."""
    parts: list[str] = []
    at, end = 0, len(expression)
    while at < end:
        char = expression[at]
        at += 1
        if char == "\\":
            char = expression[at]
            at += 1
            if char.lower() in _PERL_CLASSES:
                parts.append(f"[{'^' if char.isupper() else ''}{_PERL_CLASSES[char.lower()]}]")
            else:
                parts.append(_ANCHORS.get(char) or _escaped(char, pattern))
        elif char == "[":
            negated = expression.startswith("^", at)
            members, at = _members(expression, at + negated, pattern)
            parts.append(f"[{'^' if negated else ''}{members}]")
        else:
            parts.append(char)
    try:
        re.compile("".join(parts))
    except re.error as error:
        raise _malformed(pattern) from error
    return "".join(parts)


def _members(expression: str, at: int, pattern: str) -> tuple[str, int]:
    """The members of a class, from the place after its bracket; and the place behind it."""
    parts: list[str] = []
    while expression[at : at + 1] != "]" or not parts:
        if at >= len(expression):
            raise _malformed(pattern)
        if named := re.compile(r"\[:([a-z]+):\]").match(expression, at):
            if named[1] not in _POSIX_CLASSES:
                raise _malformed(pattern)
            parts.append(_POSIX_CLASSES[named[1]])
            at = named.end()
            continue
        char = expression[at]
        at += 1
        if char == "\\":
            char = expression[at]
            at += 1
            parts.append(_PERL_CLASSES.get(char) or _escaped(char, pattern))
        elif char == "-" and parts and expression[at : at + 1] != "]":
            parts.append("-")
        else:
            parts.append(re.escape(char) if char not in "-&~|" else "\\" + char)
    return "".join(parts), at + 1


def _escaped(char: str, pattern: str) -> str:
    if char in _CONTROLS:
        return _CONTROLS[char]
    if char.isascii() and char.isalnum():
        raise InvalidArgument(f"unknown escape '\\{char}' in ignore pattern {pattern!r}")
    return re.escape(char)


def _folders(pattern: str) -> str | None:
    """An expression for the folders that can hold a match of an exception; None if it only matches at the top."""
    parts = pattern.split("/")
    expression: str | None = None
    for at, part in enumerate(parts):
        if "**" in part or "[" in part or "\\" in part:  # may reach across a slash: from here on, anything
            parts, expression = parts[:at], "(?s:.*)"
            break
    else:
        parts = parts[:-1]
    for part in reversed(parts):
        expression = _expression(part) + (f"(?:/{expression})?" if expression is not None else "")
    return expression
