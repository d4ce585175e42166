"""The environment of credential helpers."""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["create_environment_dict"]


def create_environment_dict(overrides: Mapping[str, str] | None) -> dict[str, str]:
    """Return this process's environment, updated with ``overrides``."""
    return {**os.environ, **(overrides or {})}
