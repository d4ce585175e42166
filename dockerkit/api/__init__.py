"""The low-level layer: one method per call of the Engine API, raw dicts in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerkit._lazy import lazy_names

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient as APIClient

__all__ = ["APIClient"]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, {".client": "APIClient"})
