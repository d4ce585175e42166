"""Texts, numbers and shorthands as the Engine wants them. Strict: what can't be meant is refused, by name.

Each function takes a value and the name of the parameter that it was given for, and answers the Engine's form of it.
No pydantic here: the API layer uses these as well.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from pathlib import PurePath
from typing import Literal, NoReturn

from dockerkit.errors import InvalidArgument

Size = int | str
"""A number of bytes, or a text: ``"128m"``, ``"1.5g"``, ``"512MiB"``. Units are powers of 1024."""

Duration = int | float | timedelta | str
"""A timedelta, a text (``"1m30s"``, ``"500ms"``), or a number of seconds.

The Engine, and docker-py, count these in nanoseconds, so a whole number from 1 000 000 on (a millisecond, the shortest
that the Engine takes) is nanoseconds; below that it is seconds.
"""

Environment = Mapping[str, str | int | float | bytes | PurePath | None] | Sequence[str]
"""Variables: a mapping (None takes a variable away that the image sets), or ``"NAME=value"`` texts."""

Labels = Mapping[str, str] | Sequence[str]
"""Labels: a mapping, or ``"name=value"`` texts; a bare name has the value ``""``."""

Command = str | Sequence[str]
"""A text that is split as a shell does, or its words."""

_LARGEST = 2**63 - 1
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtpKMGTP]?)(?:[iI]?[bB]|[iI])?")
_UNITS = {
    letter: 1024**power for power, pair in enumerate(("", "kK", "mM", "gG", "tT", "pP")) for letter in pair or [""]
}
_PLAIN_WORDS = re.compile(r"[\w \-./:=@,+%]*", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_SHORTEST = 1_000_000


def refuse(name: str, needed: str, value: object) -> NoReturn:
    """Raise what a value gets that can't be meant.

    Raises:
        InvalidArgument: always; "NAME: NEEDED is needed, not VALUE".
    """
    shown = repr(value)
    raise InvalidArgument(f"{name}: {needed} is needed, not {shown if len(shown) < 200 else shown[:200] + '...'}")


def text(value: object, name: str) -> str:
    """A text, or a path as one."""
    if type(value) is str:
        return value
    if isinstance(value, (str, PurePath)):
        return str(value)
    refuse(name, "a text", value)


def whole(value: object, name: str) -> int:
    """A whole number; True and False are none."""
    if isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST:
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return int(value)
    refuse(name, "a whole number", value)


def size(value: object, name: str = "size") -> int:
    """A number of bytes.

    Args:
        value: an int, or a text such as ``"100000b"``, ``"1000k"``, ``"128m"``, ``"1.5g"``, ``"512Mi"``, ``"1GiB"``;
            -1 stands for "no limit" where the Engine knows that.
        name: the parameter, for the error.

    Raises:
        InvalidArgument: it is none, is negative (but for -1), or does not fit 64 bits.
    """
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        if match:
            number, unit = match.groups()
            whole_number = int(number) if number.isdecimal() else Fraction(number)
            if whole_number * _UNITS[unit] <= _LARGEST:
                return int(whole_number * _UNITS[unit])
        elif value.strip() == "-1":
            return -1
    elif not isinstance(value, bool) and isinstance(value, (int, float)) and -1 <= value <= _LARGEST:
        return whole(value, name)
    refuse(name, 'a number of bytes or a text such as "512m"', value)


def nanoseconds(value: object, name: str = "duration") -> int:
    """A duration as the Engine counts it.

    Args:
        value: a timedelta; a text such as ``"1m30s"``; a number of seconds. A whole number from 1 000 000 on is taken
            for nanoseconds, as the Engine counts.
        name: the parameter, for the error.

    Raises:
        InvalidArgument: it is none, is negative, or does not fit 64 bits.
    """
    nanos: Fraction | int | None = None
    if isinstance(value, timedelta):
        nanos = (value // timedelta(microseconds=1)) * 1000
    elif isinstance(value, str):
        nanos = _go_duration(value.strip())
    elif isinstance(value, int) and not isinstance(value, bool):
        nanos = value if value >= _SHORTEST else value * 10**9
    elif isinstance(value, float) and value == value and abs(value) < _LARGEST:
        nanos = Fraction(value) * 10**9
    if nanos is None or not 0 <= nanos <= _LARGEST:
        refuse(name, 'a number of seconds, a timedelta, or a text such as "1m30s"', value)
    return round(nanos)


def seconds(value: object, name: str = "seconds") -> int:
    """A duration in whole seconds, rounded up. Numbers are seconds whatever their size; -1 stands for ever."""
    if isinstance(value, int) and not isinstance(value, bool):
        if -1 <= value <= _LARGEST:
            return value
        refuse(name, "a number of seconds", value)
    return -(-nanoseconds(value, name) // 10**9)


def _go_duration(text: str) -> Fraction | None:
    """``"1h2m3.5s"`` in nanoseconds; None where it is no duration."""
    if text == "0":
        return Fraction(0)
    total, end = Fraction(0), 0
    while match := _DURATION.match(text, end):
        total += Fraction(match[1].rstrip(".")) * _NANOSECONDS[match[2]]
        end = match.end()
    return total if end and end == len(text) else None


def texts(value: object, name: str) -> list[str]:
    """A list of texts. A lone text is refused: it would be taken apart letter by letter elsewhere."""
    if isinstance(value, (list, tuple, set, frozenset)) or (
        isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))
    ):
        return [text(item, f"{name}[{index}]") for index, item in enumerate(value)]
    refuse(name, "a list of texts", value)


def ipv4(value: object, name: str) -> str:
    """An IPv4 address. An empty text is none, as in the Engine's own answers."""
    return _address(value, name, "IPv4")


def ipv6(value: object, name: str) -> str:
    """An IPv6 address. An empty text is none, as in the Engine's own answers."""
    return _address(value, name, "IPv6")


def ips(value: object, name: str) -> list[str]:
    """A list of addresses, each IPv4 or IPv6."""
    return [_address(item, f"{name}[{index}]", "IP") for index, item in enumerate(texts(value, name))]


def _address(value: object, name: str, kind: Literal["IPv4", "IPv6", "IP"]) -> str:
    import ipaddress

    given = text(value, name)
    if given:
        try:
            found = ipaddress.ip_address(given)
        except ValueError:
            refuse(name, f"an {kind} address", value)
        if kind not in ("IP", f"IPv{found.version}") or "%" in given:
            refuse(name, f"an {kind} address", value)
    return given


def text_map(value: object, name: str) -> dict[str, str]:
    """A mapping of texts; numbers and booleans become the text that the Engine writes them with."""
    if not isinstance(value, Mapping):
        refuse(name, "a mapping of texts", value)
    plain: dict[str, str] = {}
    for key, item in value.items():
        place = f"{name}[{key!r}]"
        if isinstance(item, bool):
            item = "true" if item else "false"
        elif isinstance(item, (int, float)):
            item = str(item)
        plain[text(key, name)] = text(item, place)
    return plain


def labels(value: object, name: str = "labels") -> dict[str, str]:
    """Labels as a mapping, whichever way they were given."""
    if isinstance(value, Mapping):
        plain = {}
        for key, item in value.items():
            plain[_named(key, name)] = "" if item is None else text(item, f"{name}[{key!r}]")
        return plain
    pairs = (item.partition("=") for item in texts(value, name))
    return {_named(key, name): item for key, _, item in pairs}


def environment(value: object, name: str = "environment") -> list[str]:
    """Variables as ``"NAME=value"`` texts; a bare name takes a variable away that the image sets."""
    if not isinstance(value, Mapping):
        variables = texts(value, name)
        for variable in variables:
            _named(variable.partition("=")[0], name)
        return variables
    variables = []
    for key, item in value.items():
        variable = _named(key.decode() if isinstance(key, bytes) else key, name)
        if "=" in variable:
            refuse(name, "a variable's name without '='", variable)
        if isinstance(item, bytes):
            item = item.decode("utf-8", "surrogateescape")
        elif isinstance(item, (int, float, PurePath)):
            item = str(item)
        variables.append(variable if item is None else f"{variable}={text(item, f'{name}[{variable!r}]')}")
    return variables


def _named(value: object, name: str) -> str:
    if isinstance(value, str) and value and "\0" not in value:
        return value
    refuse(name, "a name that is not empty", value)


def command(value: object, name: str = "command") -> list[str]:
    """A command's words: a text is split as a shell does, a sequence is kept."""
    if isinstance(value, str):
        if _PLAIN_WORDS.fullmatch(value):  # nothing that a shell would treat in its own way
            return value.split()
        try:
            return shlex.split(value)
        except ValueError as error:
            raise InvalidArgument(f"{name}: {value!r} can't be split into words: {error}") from None
    return texts(value, name)


def env_file(path: str | PurePath, name: str = "env_file") -> dict[str, str]:
    """Read a file of variables as ``docker run --env-file`` does.

    A line is ``NAME=value``, taken as it is, quotes and all; a bare ``NAME`` takes the value that this process has,
    if any; empty lines and those which begin with ``#`` are skipped.

    Args:
        path: the file, in UTF-8; a byte order mark is allowed.
        name: the parameter, for the error.

    Raises:
        InvalidArgument: it can't be read, or a line is none of these; the message has the file and the line's number.
    """
    import os

    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"{name}: {str(path)!r} can't be read: {error}") from error
    variables: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        line = line.lstrip()
        if not line or line.startswith("#"):
            continue
        variable, equals, value = line.partition("=")
        if not variable or re.search(r"\s", variable):
            raise InvalidArgument(f"{name}: line {number} of {str(path)!r} is no NAME=value: {line!r}")
        if equals:
            variables[variable] = value
        elif variable in os.environ:
            variables[variable] = os.environ[variable]
    return variables


def label_file(path: str | PurePath, name: str = "label_file") -> dict[str, str]:
    """Read a file of labels: ``name=value`` lines, or bare names; empty lines and ``#`` lines are skipped."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.lstrip() for line in file.read().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"{name}: {str(path)!r} can't be read: {error}") from error
    return labels([line for line in lines if line and not line.startswith("#")], name)
