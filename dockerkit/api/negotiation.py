"""Find out which API versions an engine accepts, even through a proxy that forbids some calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from dockerkit.api import versions
from dockerkit.errors import DockerException, InvalidVersion
from dockerkit.transport import Response

Get = Callable[[str], Response]
"""Sends a GET request without an API version."""

_REFUSED = re.compile(r"client version \S+ is too (?:old|new)\. (Minimum|Maximum) supported API version is (\d+\.\d+)")
_LARGEST = 1024 * 1024


class VersionRange(NamedTuple):
    """The API versions that an engine accepts; None for an unknown bound."""

    oldest: str | None = None
    newest: str | None = None

    def __str__(self) -> str:
        if self.oldest and self.newest:
            return f"{self.oldest} to {self.newest}"
        return f"up to {self.newest}" if self.newest else f"{self.oldest} and later"


def read_ping(get: Get) -> Mapping[str, str]:
    """Return the headers of ``/_ping``, whatever its status, since a proxy may forbid the call."""
    with get("/_ping") as response:
        response.read(_LARGEST)
        return response.headers


def engine_range(get: Get) -> VersionRange:
    """Return the versions that ``/version`` reports; unknown bounds if a proxy forbids the call."""
    with get("/version") as response:
        try:
            record = json.loads(response.read(_LARGEST))
        except (ValueError, RecursionError):
            return VersionRange()
    if not isinstance(record, dict):
        return VersionRange()
    return VersionRange(_version(record.get("MinAPIVersion")), _version(record.get("ApiVersion")))


def advertised(headers: Mapping[str, str]) -> str | None:
    """Return the newest version that the engine accepts, from the header of any of its responses."""
    return _version(headers.get("Api-Version"))


def discover(get: Get) -> str | None:
    """Return the newest API version that both sides support; None if neither ``/_ping`` nor ``/version`` reports one.

    Raises:
        InvalidVersion: the engine and dockerkit have no version in common.
    """
    newest = advertised(read_ping(get))
    if newest:
        return versions.negotiate(newest)
    accepted = engine_range(get)
    return versions.negotiate(accepted.newest, accepted.oldest) if accepted.newest else None


def refusal(text: str, get: Get, spoken: str, pinned_by: str | None) -> InvalidVersion | None:
    """Return the error for a response that refuses the API version in use; None for any other response.

    Args:
        text: the engine's error message.
        get: sends a request, to find the range it accepts.
        spoken: the API version in use.
        pinned_by: what set it, ``version`` or ``DOCKER_API_VERSION``; None if it was negotiated.
    """
    match = _REFUSED.search(text)
    if match is None:
        return None
    bound = VersionRange(match[2]) if match[1] == "Minimum" else VersionRange(None, match[2])
    try:
        reported = engine_range(get)
    except (DockerException, OSError):
        reported = VersionRange()
    accepted = VersionRange(reported.oldest or bound.oldest, reported.newest or bound.newest)
    supported = VersionRange(versions.FLOOR, versions.CEILING)
    if pinned_by and versions.overlap(accepted.oldest, accepted.newest):
        fix = "omit `version=`" if pinned_by == "version" else "unset DOCKER_API_VERSION"
        message = (
            f"API version {spoken}, set by {pinned_by}, is not accepted by this engine, which accepts {accepted} "
            f"(dockerkit supports {supported}): {fix} to negotiate the newest version that both support"
        )
    else:
        outdated = "the engine" if match[1] == "Maximum" else "dockerkit"
        message = f"this engine accepts API versions {accepted}, dockerkit supports {supported}: upgrade {outdated}"
    return InvalidVersion(message, needed=match[2], spoken=spoken)


def _version(value: object) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(r"\d+\.\d+", value) else None
