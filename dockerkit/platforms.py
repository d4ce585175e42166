"""Platforms: ``linux/arm64/v8`` as a text, and as the record that newer engine calls want."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import cast

from dockerkit.errors import InvalidArgument

__all__ = ["Platform", "platform_json", "platform_list", "platform_text"]

Platform = str | Mapping[str, object]
"""``"linux/arm64/v8"``, or a record with ``os``, ``architecture`` and maybe ``variant`` and ``os.version``."""


def platform_text(platform: Platform | None) -> str | None:
    """A platform as ``os/architecture/variant``; None stays None.

    Raises:
        InvalidArgument: it is neither such a text nor such a record.
    """
    if platform is None or isinstance(platform, str):
        if platform is not None and (not platform or not all(platform.split("/"))):
            raise InvalidArgument(f"platform: something like 'linux/arm64' is needed, not {platform!r}")
        return platform
    return "/".join(str(value) for key in ("os", "architecture", "variant") if (value := _lower(platform).get(key)))


def platform_json(platform: Platform | None) -> str | None:
    """A platform as the JSON record that inspect, history, push, save and load take; None stays None.

    Raises:
        InvalidArgument: it is neither such a text nor such a record, or has no architecture.
    """
    if platform is None:
        return None
    if isinstance(platform, str):
        parts = platform_text(platform).split("/")  # type: ignore[union-attr]  # a text stays one
        if not 2 <= len(parts) <= 3:
            raise InvalidArgument(f"platform: os/architecture[/variant] is needed, not {platform!r}")
        platform = dict(zip(("os", "architecture", "variant"), parts, strict=False))
    return json.dumps(_lower(platform), separators=(",", ":"))


def platform_list(platforms: Platform | Iterable[Platform] | None) -> list[str] | None:
    """One platform or several, each as JSON; None stays None."""
    if platforms is None:
        return None
    several = [cast("Platform", platforms)] if isinstance(platforms, (str, Mapping)) else platforms
    return [encoded for platform in several if (encoded := platform_json(platform))]


def _lower(platform: Mapping[str, object]) -> dict[str, object]:
    if not isinstance(platform, Mapping):
        raise InvalidArgument(f"platform: a text such as 'linux/arm64' is needed, not {platform!r}")
    record = {str(key).lower(): value for key, value in platform.items() if value}
    if not {"os", "architecture"} <= record.keys():
        raise InvalidArgument(f"platform: os and architecture are needed, not {dict(platform)!r}")
    return record
