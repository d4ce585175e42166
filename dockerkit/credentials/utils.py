"""The environment that a credential helper gets."""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["create_environment_dict"]


def create_environment_dict(overrides: Mapping[str, str] | None) -> dict[str, str]:
    """This process's environment with ``overrides`` on top."""
    return {**os.environ, **(overrides or {})}
