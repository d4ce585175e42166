"""Python values as the Engine's query parameters, filters and bodies."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO, cast
from urllib.parse import quote_plus, urlencode

from dockerkit.errors import InvalidArgument

_dumps = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make an encoder for each body

FilterValue = str | bool | int | Sequence[str | bool | int]
Filters = Mapping[str, FilterValue]
"""Filters of a list, prune or events call: a value or a list of values for each name."""


def query_string(query: Mapping[str, object]) -> str:
    """The query of a request, with its question mark; "" where nothing is left to send.

    None is left out. Booleans become true and false, lists repeat the parameter, ``filters`` becomes JSON, a datetime
    seconds since 1970 (without a zone it counts as UTC), a timedelta seconds.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if value is None:
            continue
        if type(value) is str:
            pairs.append((name, value))
        elif name == "filters":
            if encoded := filters_json(value):
                pairs.append((name, encoded))
        elif isinstance(value, (list, tuple, set, frozenset)):
            pairs.extend((name, scalar(name, item)) for item in value)
        else:
            pairs.append((name, scalar(name, value)))
    return "?" + urlencode(pairs, quote_via=quote_plus) if pairs else ""


def scalar(name: str, value: object) -> str:
    """One value as text.

    Raises:
        InvalidArgument: a value of this type can't be sent.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, float):
        return repr(value).rstrip("0").rstrip(".") if value.is_integer() else f"{value:.9f}"
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, timedelta):
        return scalar(name, value.total_seconds())
    if isinstance(value, Mapping):
        return json.dumps(value, separators=(",", ":"))
    raise InvalidArgument(f"{name}: a value of type {type(value).__name__} can't be sent: {value!r}")


def timestamp(moment: datetime) -> str:
    """A datetime as seconds since 1970 with all its microseconds; without a zone it counts as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = since // timedelta(seconds=1)
    micros = (since - timedelta(seconds=seconds)) // timedelta(microseconds=1)
    return f"{seconds}.{micros:06}" if micros else str(seconds)


def filters_json(filters: object) -> str | None:
    """Filters as the Engine takes them: a JSON map of lists of texts. None where there are none.

    Raises:
        InvalidArgument: this is no mapping, or a value is neither text, number nor boolean.
    """
    if not isinstance(filters, Mapping):
        raise InvalidArgument(f"filters: a mapping of names to values is needed, not {filters!r}")
    encoded = {str(name): _filter_values(str(name), value) for name, value in filters.items() if value is not None}
    return json.dumps(encoded, separators=(",", ":")) if encoded else None


def filters_with(filters: Filters | None, **more: FilterValue | None) -> dict[str, FilterValue]:
    """Filters with those that a call has parameters for; None is left out."""
    if filters is not None and not isinstance(filters, Mapping):
        raise InvalidArgument(f"filters: a mapping of names to values is needed, not {filters!r}")
    return {**(filters or {}), **{name: value for name, value in more.items() if value is not None}}


def _filter_values(name: str, value: object) -> list[str]:
    if isinstance(value, Mapping):  # {"label": {"a": "b"}} reads as a=b
        return [f"{key}={item}" if item not in (None, "", True) else str(key) for key, item in value.items()]
    items = [value] if isinstance(value, (str, bytes)) or not isinstance(value, Iterable) else value
    return [scalar(f"filters[{name!r}]", item) for item in items]


def cells(parameter: str, number: object) -> int:
    """The height or width of a terminal."""
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 65535:
        raise InvalidArgument(f"{parameter}: a number of rows or columns from 0 to 65535 is needed, not {number!r}")
    return number


def signal_name(value: object) -> str | None:
    """A signal's name or number as the engine reads it; None, the engine's own choice, stays. "" would be SIGKILL."""
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))  # of signal.SIGTERM, too
    raise InvalidArgument(f'signal: a name such as "SIGTERM" or a number is needed, not {value!r}')


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that would be more than themselves on the wire.

    Raises:
        InvalidArgument: a name is no token, or a value has control characters or what Latin-1 has not.
    """
    for name, value in headers.items():
        if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise InvalidArgument(f"headers: {name!r} is no name of a header")
        if not isinstance(value, str) or not value.isprintable() or any(ord(char) > 255 for char in value):
            raise InvalidArgument(f"headers: the value of {name!r} is no text without control characters")


def json_body(body: object) -> bytes:
    """A body as JSON; None at its top level counts as not given."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if value is not None}
    return _dumps(body).encode()


def binary(data: object) -> bytes | IO[bytes] | Iterable[bytes]:
    """A payload as it can be sent: bytes, a binary file, or blocks, each of which is checked when its turn comes.

    Raises:
        InvalidArgument: it is text, or nothing that has bytes.
    """
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    if isinstance(data, bytes):
        return data
    if hasattr(data, "read") and not isinstance(data, io.TextIOBase):
        return cast("IO[bytes]", data)
    if isinstance(data, (str, io.TextIOBase, Mapping)) or not isinstance(data, Iterable):
        raise InvalidArgument(f"data: bytes, a binary file or blocks of bytes are needed, not {type(data).__name__}")
    return _blocks(data)


def _blocks(data: Iterable[object]) -> Iterator[bytes]:
    for block in data:
        if not isinstance(block, (bytes, bytearray, memoryview)):
            raise InvalidArgument(f"data: its blocks must be bytes, not {type(block).__name__} {block!r:.100}")
        yield bytes(block)
