"""Times as the engine writes them: RFC 3339 with up to nine fractional digits."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta

__all__ = ["as_datetime", "parse_nanoseconds", "parse_time"]

_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


def parse_nanoseconds(time: bytes) -> int:
    """Return an RFC 3339 time as nanoseconds since 1970; raise ValueError if it is not one."""
    match = _TIME.fullmatch(time)
    if match is None:
        raise ValueError(f"{time!r} is not an RFC 3339 time")
    fraction, zone = match.groups()
    return _seconds(time[:19], zone) * 1_000_000_000 + int((fraction or b"0").ljust(9, b"0"))


@functools.lru_cache(maxsize=64)  # many log lines fall in the same second
def _seconds(time: bytes, zone: bytes) -> int:
    return int(datetime.fromisoformat((time + zone.replace(b"Z", b"+00:00")).decode()).timestamp())


def as_datetime(nanoseconds: int) -> datetime:
    """Return nanoseconds since 1970 as a UTC datetime, truncated to microseconds."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest // 1000)


def parse_time(time: object) -> datetime | None:
    """Return an RFC 3339 time as a UTC datetime; None for the engine's zero time, or if it is not a time."""
    if not isinstance(time, str) or time.startswith("0001-"):
        return None
    try:
        return as_datetime(parse_nanoseconds(time.encode()))
    except (ValueError, OverflowError):
        return None
