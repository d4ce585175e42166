"""Docker contexts: named engines, kept in the docker command's own store.

What is written here the docker command reads, and the reverse.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockerkit.context.api import ContextAPI as ContextAPI
    from dockerkit.context.context import Context as Context

__all__ = ["Context", "ContextAPI"]


def __getattr__(name: str) -> object:
    # Loaded when named: dockerkit.config reads the store beside this file, and the two classes need dockerkit.config.
    if name == "ContextAPI":
        from dockerkit.context.api import ContextAPI

        return ContextAPI
    if name == "Context":
        from dockerkit.context.context import Context

        return Context
    if name in ("api", "config", "context"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
