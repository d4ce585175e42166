"""Platforms: ``linux/arm64/v8`` as a string, and as the JSON object that newer engine calls take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import cast

from dockerkit.errors import InvalidArgument
from dockerkit.errors.caller import argument_name
from dockerkit.parsing.values import sequence

__all__ = ["Platform", "platform_json", "platform_list", "platform_text"]

Platform = str | Mapping[str, object]
"""``"linux/arm64/v8"``, or a dict with ``os``, ``architecture`` and optionally ``variant`` and ``os.version``."""


def platform_text(platform: Platform | None) -> str | None:
    """Return a platform as ``os/architecture/variant``; None stays None.

    Raises:
        InvalidArgument: the value is neither such a string nor such a dict.
    """
    if platform is None or isinstance(platform, str):
        if platform is not None and (not platform or not all(platform.split("/"))):
            raise InvalidArgument(f"{_name(platform)}: must be a string such as 'linux/arm64', got {platform!r}")
        return platform
    return "/".join(str(value) for key in ("os", "architecture", "variant") if (value := _record(platform).get(key)))


def platform_json(platform: Platform | None) -> str | None:
    """Return a platform as the JSON object that inspect, history, push, save and load take; None stays None.

    Raises:
        InvalidArgument: the value is neither such a string nor such a dict, or has no architecture.
    """
    if platform is None:
        return None
    if isinstance(platform, str):
        parts = platform_text(platform).split("/")  # type: ignore[union-attr]  # a string stays one
        if not 2 <= len(parts) <= 3:
            raise InvalidArgument(f"{_name(platform)}: must be os/architecture[/variant], got {platform!r}")
        platform = dict(zip(("os", "architecture", "variant"), parts, strict=False))
    return json.dumps(_record(platform), separators=(",", ":"))


def platform_list(platforms: Platform | Iterable[Platform] | None) -> list[str] | None:
    """Return one or several platforms, each as JSON; None stays None."""
    if platforms is None:
        return None
    platform_values = (
        [cast("Platform", platforms)] if isinstance(platforms, (str, Mapping)) else sequence(platforms, "platforms")
    )
    return [encoded for platform in platform_values if (encoded := platform_json(platform))]


def _record(platform: Mapping[str, object]) -> dict[str, object]:
    if not isinstance(platform, Mapping):
        raise InvalidArgument(f"{_name(platform)}: must be a string such as 'linux/arm64' or a dict, got {platform!r}")
    record = {str(key).lower(): value for key, value in platform.items() if value}
    if not {"os", "architecture"} <= record.keys():
        raise InvalidArgument(f"{_name(platform)}: must have os and architecture, got {dict(platform)!r}")
    return record


def _name(platform: object) -> str:
    return argument_name(platform, "platform")
