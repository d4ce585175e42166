"""Encode Python values as the Engine's query parameters, filters and bodies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus, urlencode

from dockerkit.api._version_table import FLAGS
from dockerkit.errors import InvalidArgument
from dockerkit.errors.caller import argument_name
from dockerkit.parsing import values

# One encoder for all bodies, unlike json.dumps. Cycles were refused when the body became plain data.
_dumps = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def query_string(query: Mapping[str, object]) -> str:
    """Return the query string of a request, with its question mark; "" if it is empty.

    None is omitted. Booleans become true and false, lists repeat the parameter, ``filters`` becomes JSON, a datetime
    becomes seconds since 1970 (UTC if it is naive), a timedelta becomes seconds.
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
    try:  # Python represents undecodable bytes in file names as surrogates
        return "?" + urlencode(pairs, quote_via=quote_plus, errors="surrogateescape") if pairs else ""
    except UnicodeEncodeError:
        invalid = next((pair for pair in pairs if any("\ud800" <= char < "\udc80" for char in pair[1])), pairs[0])
        raise InvalidArgument(
            f"{invalid[0]}: {invalid[1]!r} contains a lone surrogate, which is not a valid character"
        ) from None


def scalar(name: str, value: object) -> str:
    """Return one value as a string.

    Raises:
        InvalidArgument: a value of this type can't be sent.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return values.plain(value)
    if isinstance(value, float):
        return repr(value).rstrip("0").rstrip(".") if value.is_integer() else f"{value:.9f}"
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, timedelta):
        return scalar(name, value.total_seconds())
    if isinstance(value, Mapping):
        try:
            return json.dumps(value, separators=(",", ":"))
        except (TypeError, ValueError) as error:
            raise InvalidArgument(f"{argument_name(value, name)}: {error}") from None
    name = argument_name(value, name)
    raise InvalidArgument(f"{name}: a value of type {type(value).__name__} can't be sent: {value!r}")


def check_flags(*fields: object) -> None:
    """Refuse flags other than True and False. ``"false"`` is true to Python and false to the Engine.

    Args:
        fields: the query parameters and the body; anything that is not a mapping is skipped.

    Raises:
        InvalidArgument: names the parameter.
    """
    for group in fields:
        if isinstance(group, Mapping):
            for name in FLAGS.intersection(group):
                value = group[name]
                if not (value is None or value is True or value is False):
                    values.boolean(value, argument_name(value, name))


def timestamp(moment: datetime) -> str:
    """Return a datetime as seconds since 1970, with microseconds; a naive datetime is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    seconds = since // timedelta(seconds=1)
    micros = (since - timedelta(seconds=seconds)) // timedelta(microseconds=1)
    return f"{seconds}.{micros:06}" if micros else str(seconds)


def filters_json(filters: object) -> str | None:
    """Return filters in the Engine's format, a JSON object of lists of strings; None if there are none.

    Raises:
        InvalidArgument: `filters` is not a mapping, or a value is not a string, number or boolean.
    """
    if not isinstance(filters, Mapping):
        raise InvalidArgument(f"filters: must be a mapping of names to values, got {filters!r}")
    encoded = {
        _string(name): _filter_values(_string(name), value) for name, value in filters.items() if value is not None
    }
    return json.dumps(encoded, separators=(",", ":")) if encoded else None


def filters_with(filters: Mapping[str, object] | None, **more: object) -> dict[str, object]:
    """Return filters with those added that have their own parameters; None is omitted."""
    if filters is not None and not isinstance(filters, Mapping):
        raise InvalidArgument(f"filters: must be a mapping of names to values, got {filters!r}")
    return {**(filters or {}), **{name: value for name, value in more.items() if value is not None}}


def _filter_values(name: str, value: object) -> list[str]:
    if isinstance(value, Mapping):  # {"label": {"a": "b"}} means a=b
        return [
            f"{_string(key)}={_string(item)}" if item not in (None, "", True) else _string(key)
            for key, item in value.items()
        ]
    items = [value] if isinstance(value, (str, bytes)) or not isinstance(value, Iterable) else value
    return [scalar(f"filters[{name!r}]", item) for item in items]


def _string(value: object) -> str:
    return values.plain(value) if isinstance(value, (str, int)) else str(value)


def cells(parameter: str, number: object) -> int:
    """Return the height or width of a terminal."""
    if isinstance(number, str) and number.isascii() and number.isdecimal():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 65535:
        raise InvalidArgument(f"{parameter}: must be a number of rows or columns from 0 to 65535, got {number!r}")
    return number


def signal_name(value: object) -> str | None:
    """Return a signal's name or number as a string; None stays None."""
    return None if value is None else values.signal(value, "signal")


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that could inject others.

    Raises:
        InvalidArgument: a name is not a token, or a value has control characters or is not Latin-1.
    """
    for name, value in headers.items():
        if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise InvalidArgument(f"headers: {name!r} is not a valid header name")
        if not isinstance(value, str) or not value.isprintable() or any(ord(char) > 255 for char in value):
            raise InvalidArgument(f"headers: the value of {name!r} must be a Latin-1 string without control characters")


def json_body(body: object) -> bytes:
    """Return a body as JSON; None at its top level is omitted."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if value is not None}
    return _dumps(body).encode()
