"""The low-level layer: one method per call of the Engine API, raw dicts in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient as APIClient

__all__ = ["APIClient"]


def __getattr__(name: str) -> object:
    if name == "APIClient":
        from dockerkit.api.client import APIClient

        return APIClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
