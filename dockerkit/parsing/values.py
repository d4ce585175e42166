"""Convert strings, numbers and shorthands to the Engine's formats. Invalid values are refused, and the parameter is named.

Each function takes a value and its parameter's name, and returns the Engine's format of the value. Does not use
pydantic, since the API layer uses these functions too.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import shlex
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, Literal, NoReturn, cast

from dockerkit.errors import InvalidArgument

if TYPE_CHECKING:
    from fractions import Fraction

ContainerPath = str | os.PathLike[str]
"""The path of a file or folder in a container."""

Size = int | str
"""A number of bytes, or a string: ``"128m"``, ``"1.5g"``, ``"512MiB"``. Units are powers of 1024."""

Duration = int | float | timedelta | str
"""A timedelta, a string (``"1m30s"``, ``"500ms"``), or a number of seconds.

In health checks and services, the Engine and docker-py count in nanoseconds. There, an integer from 1,000,000 on (a
millisecond, the shortest duration that the Engine accepts) is nanoseconds; a smaller one is seconds.
"""

Environment = Mapping[str, str | int | float | bytes | PurePath | None] | Sequence[str]
"""Variables: a mapping (None removes a variable that the image sets), or ``"NAME=value"`` strings."""

Labels = Mapping[str, str] | Sequence[str]
"""Labels: a mapping, or ``"name=value"`` strings; a bare name has the value ``""``."""

Command = str | Sequence[str]
"""A string that is split as a shell does, or a list of arguments."""

_LARGEST = 2**63 - 1
# White space as the docker command defines it; str.strip() would also take U+001C to U+001F.
GO_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtpKMGTP]?)(?:[iI]?[bB]|[iI])?")
_UNITS = {
    letter: 1024**power for power, pair in enumerate(("", "kK", "mM", "gG", "tT", "pP")) for letter in pair or [""]
}
_PLAIN_WORDS = re.compile(r"[\w \-./:=@,+%]*", re.ASCII)
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?=.)|\Z)){4}", re.DOTALL)
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
_SIGNAL = re.compile(
    r"(SIG)?(ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|SEGV|STKFLT|STOP|SYS|TERM|TRAP"
    r"|TSTP|TTIN|TTOU|UNUSED|URG|USR1|USR2|VTALRM|WINCH|XCPU|XFSZ|RTMIN(\+[0-9]{1,2})?|RTMAX(-[0-9]{1,2})?)",
    re.IGNORECASE,
)
_LAST_SIGNAL = 64


def raise_invalid(name: str, expected: str, value: object) -> NoReturn:
    """Raise InvalidArgument for an invalid value: "NAME: must be EXPECTED, got VALUE"."""
    value_repr = repr(value)
    raise InvalidArgument(
        f"{name}: must be {expected}, got {value_repr if len(value_repr) < 200 else value_repr[:200] + '...'}"
    )


def string(value: object, name: str) -> str:
    """Return a string; paths are converted."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, PurePath):
        return str(value)
    raise_invalid(name, "a string", value)


def plain(value: str | float) -> str:
    """Return a string or number as a plain string, even if its class defines another, as enums do."""
    if isinstance(value, str):
        return str.__str__(value)
    return int.__repr__(value) if isinstance(value, int) else float.__repr__(value)


def container_path(value: object, name: str = "path") -> str:
    """Return the path of a file or folder in a container, from a string or a path object of any system."""
    path = value.as_posix() if isinstance(value, PurePath) else value
    if isinstance(path, (os.PathLike, bytes)):
        path = os.fsdecode(path)
    if isinstance(path, str) and path and "\0" not in path:
        return path
    raise_invalid(name, "the path of a file or folder", value)


def boolean(value: object, name: str) -> bool:
    """Return a flag: True, False, 1 or 0. Other values are refused: ``"false"`` is true to Python."""
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise_invalid(name, "True or False", value)


def integer(value: object, name: str) -> int:
    """Return an integer; booleans are refused."""
    if isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST:
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return int(value)
    raise_invalid(name, "an integer", value)


def size(value: object, name: str = "size") -> int:
    """Return a number of bytes.

    Args:
        value: an int, or a string such as ``"100000b"``, ``"1000k"``, ``"128m"``, ``"1.5g"``, ``"512Mi"``, ``"1GiB"``;
            -1 means no limit where the Engine supports it.
        name: the parameter, for the error.

    Raises:
        InvalidArgument: the value is not a size, is negative (other than -1), or does not fit in 64 bits.
    """
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        if match:
            number, unit = match.groups()
            count = (int(number) if number.isdecimal() else _fraction(number)) * _UNITS[unit]
            if count <= _LARGEST:
                return int(count)
        elif value.strip() == "-1":
            return -1
    elif not isinstance(value, bool) and isinstance(value, (int, float)) and -1 <= value <= _LARGEST:
        return integer(value, name)
    raise_invalid(name, 'a size such as "512m" or a number of bytes', value)


def nanoseconds(value: object, name: str = "duration") -> int:
    """Return a duration in nanoseconds, the Engine's unit.

    Args:
        value: a timedelta, a string such as ``"1m30s"``, or a number of seconds; an integer from 1,000,000 on is
            nanoseconds.
        name: the parameter, for the error.

    Raises:
        InvalidArgument: the value is not a duration, is negative, or does not fit in 64 bits.
    """
    nanos: Fraction | int | None = None
    if isinstance(value, timedelta):
        nanos = (value // timedelta(microseconds=1)) * 1000
    elif isinstance(value, str):
        nanos = _go_duration(value.strip())
    elif isinstance(value, int) and not isinstance(value, bool):
        nanos = value if value >= _SHORTEST else value * 10**9
    elif isinstance(value, float) and value == value and abs(value) < _LARGEST:
        nanos = _fraction(value) * 10**9
    if nanos is None or not 0 <= nanos <= _LARGEST:
        raise_invalid(name, 'a number of seconds, a timedelta or a string such as "1m30s"', value)
    return round(nanos)


def seconds(value: object, name: str = "seconds") -> int:
    """Return a duration in whole seconds, rounded up. Integers of any size are seconds; -1 means no limit."""
    if isinstance(value, int) and not isinstance(value, bool):
        if -1 <= value <= _LARGEST:
            return value
        raise_invalid(name, "a number of seconds", value)
    return -(-nanoseconds(value, name) // 10**9)


def _fraction(value: str | float) -> Fraction:
    from fractions import Fraction  # loads decimal, which integers do not need

    return Fraction(value)


def _go_duration(string: str) -> Fraction | None:
    """Return ``"1h2m3.5s"`` in nanoseconds, or None if it is not a duration."""
    if string == "0":
        return _fraction(0)
    total, end = _fraction(0), 0
    while match := _DURATION.match(string, end):
        total += _fraction(match[1].rstrip(".")) * _NANOSECONDS[match[2]]
        end = match.end()
    return total if end and end == len(string) else None


def signal(value: object, name: str = "signal") -> str:
    """Return a signal's name or number, as a string. The engine knows Linux's signals, whatever system this is."""
    spec = str(int(value)) if isinstance(value, int) and not isinstance(value, bool) else value  # also signal.SIGTERM
    if isinstance(spec, str) and (
        _SIGNAL.fullmatch(spec.strip())
        or (spec.strip().isdecimal() and spec.isascii() and 0 < int(spec) <= _LAST_SIGNAL)
    ):
        return spec.strip()
    raise_invalid(name, f'a signal such as "SIGTERM", or a number from 1 to {_LAST_SIGNAL}', value)


def sequence(value: object, name: str) -> list[Any]:
    """Return a list from any iterable except a string, file or mapping."""
    if isinstance(value, (str, bytes, bytearray, Mapping, io.IOBase)) or not isinstance(value, Iterable):
        raise_invalid(name, "a list", value)
    return list(value)


def mapping(value: object, name: str) -> Mapping[Any, Any]:
    """Return a mapping unchanged."""
    if not isinstance(value, Mapping):
        raise_invalid(name, "a mapping", value)
    return value


def mapping_of_mappings(value: object, name: str) -> Mapping[str, Mapping[str, Any]] | None:
    """Return a mapping of mappings, such as credentials by registry; None stays None."""
    if value is None:
        return None
    result = mapping(value, name)
    for key, item in result.items():
        mapping(item, f"{name}[{key!r}]")
    return result


def local_path(value: object, name: str = "path") -> str:
    """Return the path of a local file or folder as a string."""
    path = os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else ""
    if not path or "\0" in path:
        raise_invalid(name, "the path of a file or folder", value)
    return path


def file_content(value: object, name: str) -> bytes:
    """Return the content of a file; a string is encoded as UTF-8."""
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        return value.encode() if isinstance(value, str) else bytes(value)
    raise_invalid(name, "bytes or a string", value)


def check_codec(encoding: object, errors: object) -> None:
    """Refuse an unknown encoding or error handler, before there is something to decode."""
    for name, value, find in (("encoding", encoding, codecs.lookup), ("errors", errors, codecs.lookup_error)):
        try:
            find(string(value, name))
        except (LookupError, ValueError):
            raise_invalid(name, "a name that bytes.decode() knows", value)


def owner_ids(owner: object) -> tuple[int, int]:
    """Return the user and group ID that own a file."""
    if isinstance(owner, tuple) and len(owner) == 2 and all(type(number) is int and number >= 0 for number in owner):
        return owner
    raise_invalid("owner", "a user and group ID such as (1000, 1000)", owner)


def file_target(value: object, name: str) -> str | IO[bytes]:
    """Return where to write: the path of a file on this machine, or an open binary file."""
    if callable(getattr(value, "write", None)) and not isinstance(value, io.TextIOBase):
        return cast("IO[bytes]", value)
    if isinstance(value, (str, bytes, os.PathLike)):
        return local_path(value, name)
    raise_invalid(name, "the path of a file, or an open binary file", value)


def time_limit(value: object, name: str = "timeout", *, zero: bool = False) -> float | None:
    """Return the longest time to wait, in seconds; None for no limit.

    Args:
        value: a number of seconds, a timedelta, or a string such as ``"10s"``.
        name: the parameter, for the error.
        zero: whether 0 is allowed.

    Raises:
        InvalidArgument: the value is not a duration, or not positive.
    """
    if value is None:
        return None
    limit = value
    if isinstance(value, (str, timedelta)):
        try:
            limit = nanoseconds(value, name) / 10**9
        except InvalidArgument:
            limit = -1
    is_number = isinstance(limit, (int, float)) and not isinstance(limit, bool)
    if is_number and (0 < limit <= threading.TIMEOUT_MAX or (zero and limit == 0)):  # type: ignore[operator]
        return limit  # type: ignore[return-value]
    least = "not below" if zero else "above"
    raise_invalid(
        name, f'a number of seconds {least} 0, a timedelta, a string such as "10s", or None for no limit', value
    )


def string_list(value: object, name: str, expected: str = "a list of strings") -> list[str]:
    """Return a list of strings. A single string is refused: iterating over it would yield its characters."""
    if isinstance(value, (list, tuple, set, frozenset)) or (
        isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))
    ):
        return [item if type(item) is str else string(item, f"{name}[{index}]") for index, item in enumerate(value)]
    raise_invalid(name, expected, value)


def ipv4(value: object, name: str) -> str:
    """Return an IPv4 address. An empty string means no address, as in the Engine's responses."""
    return _address(value, name, "IPv4")


def ipv6(value: object, name: str) -> str:
    """Return an IPv6 address. An empty string means no address, as in the Engine's responses."""
    return _address(value, name, "IPv6")


def ip(value: object, name: str) -> str:
    """Return an IPv4 or IPv6 address."""
    return _address(value, name, "IP")


def ips(value: object, name: str) -> list[str]:
    """Return a list of addresses, each IPv4 or IPv6."""
    return [ip(item, f"{name}[{index}]") for index, item in enumerate(string_list(value, name))]


def ip_version(address: str) -> Literal["IPv4", "IPv6"] | None:
    """Return which kind of IP address a string is; None if it is not one."""
    if _IPV4.fullmatch(address):  # most addresses; loading and calling ipaddress costs more than the rest of a check
        return "IPv4"
    import ipaddress

    try:
        return "IPv4" if ipaddress.ip_address(address).version == 4 else "IPv6"
    except ValueError:
        return None


def _address(value: object, name: str, kind: Literal["IPv4", "IPv6", "IP"]) -> str:
    address = string(value, name)
    if address:
        version = ip_version(address)
        if version is None or kind not in ("IP", version) or "%" in address:
            raise_invalid(name, f"an {kind} address", value)
    return address


def string_map(value: object, name: str) -> dict[str, str]:
    """Return a mapping of strings; numbers and booleans are converted as the Engine writes them."""
    if not isinstance(value, Mapping):
        raise_invalid(name, "a mapping of strings", value)
    return {string(key, name): scalar(item, f"{name}[{key!r}]") for key, item in value.items()}


def scalar(value: object, name: str) -> str:
    """Return a string; numbers and booleans are converted as the Engine writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value) if isinstance(value, (int, float)) else string(value, name)


def build_arguments(value: object, name: str = "buildargs") -> dict[str, str | None]:
    """Return values of ``ARG`` by name; None keeps the Dockerfile's default."""
    if not isinstance(value, Mapping):
        raise_invalid(name, 'a mapping such as {"VERSION": "1"}', value)
    return {
        _named(key, name): None if item is None else scalar(item, f"{name}[{key!r}]") for key, item in value.items()
    }


def labels(value: object, name: str = "labels") -> dict[str, str]:
    """Return labels as a mapping, from a mapping or ``"name=value"`` strings."""
    if isinstance(value, Mapping):
        return {
            _named(key, name): item if type(item) is str else "" if item is None else scalar(item, f"{name}[{key!r}]")
            for key, item in value.items()
        }
    strings = string_list(value, name, 'a mapping, or a list of "name=value" strings')
    pairs = (item.partition("=") for item in strings)
    return {_named(key, name): item for key, _, item in pairs}


def environment(value: object, name: str = "environment") -> list[str]:
    """Return variables as ``"NAME=value"`` strings; a bare name removes a variable that the image sets."""
    if not isinstance(value, Mapping):
        variables = string_list(value, name, 'a mapping, or a list of "NAME=value" strings')
        for variable in variables:
            _named(variable.partition("=")[0], name)
        return variables
    variables = []
    for key, item in value.items():
        variable = _named(key.decode() if isinstance(key, bytes) else key, name)
        if "=" in variable:
            raise_invalid(name, "a variable name without '='", variable)
        if isinstance(item, bytes):
            item = item.decode("utf-8", "surrogateescape")
        if item is not None:
            plain = type(item) in (str, bool)  # True is "True", as str() and docker-py have it
            variable += f"={item if plain else scalar(item, f'{name}[{variable!r}]')}"
        variables.append(variable)
    return variables


def _named(value: object, name: str) -> str:
    if isinstance(value, str) and value and "\0" not in value:
        return plain(value)
    raise_invalid(name, "a non-empty name", value)


def command(value: object, name: str = "command") -> list[str]:
    """Return a command as a list of arguments; a string is split as a shell does."""
    if isinstance(value, str):
        if _PLAIN_WORDS.fullmatch(value):  # no character that a shell would interpret
            return value.split()
        try:
            return shlex.split(value)
        except ValueError as error:
            raise InvalidArgument(f"{name}: {value!r} can't be split into words: {error}") from None
    return string_list(value, name)


def env_file(path: str | os.PathLike[str], name: str = "env_file") -> dict[str, str]:
    """Read a file of variables as ``docker run --env-file`` does.

    A line is ``NAME=value``, taken literally, including quotes. A bare ``NAME`` takes its value from this process's
    environment, if set. Empty lines and lines that begin with ``#`` are skipped.

    Args:
        path: the file, in UTF-8; a byte order mark is allowed.
        name: the parameter, for the error.

    Raises:
        InvalidArgument: the file can't be read, or a line is invalid; the message has the file and the line number.
    """
    variables: dict[str, str] = {}
    for variable, equals, value in _pairs(path, name):
        if equals:
            variables[variable] = value
        elif variable in os.environ:
            variables[variable] = os.environ[variable]
    return variables


def label_file(path: str | os.PathLike[str], name: str = "label_file") -> dict[str, str]:
    """Read a file of labels: ``name=value`` lines, or bare names; empty lines and ``#`` lines are skipped."""
    return {label: value for label, _, value in _pairs(path, name)}


def _pairs(path: str | os.PathLike[str], name: str) -> Iterator[tuple[str, str, str]]:
    """Yield the lines of a file split at the equals sign, as the docker command reads it.

    Lines end with LF or CR LF. Leading white space, empty lines and comments are dropped.
    """
    path = local_path(path, name)
    path_repr = repr(path)
    try:
        with open(path, "rb") as file:
            content = file.read().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"{name}: {path_repr} can't be read: {error}") from error
    for number, line in enumerate(content.split("\n"), 1):
        stripped = line.removesuffix("\r").lstrip(GO_SPACE)
        if stripped and not stripped.startswith("#"):
            key, equals, value = stripped.partition("=")
            if not key or " " in key or "\t" in key:
                raise InvalidArgument(
                    f"{name}: line {number} of {path_repr} must be NAME=value or NAME, got the name {key!r}"
                )
            yield key, equals, value
