"""Compatibility modules: docker-py's import paths for objects defined elsewhere in dockerkit.

``scripts/make_doors.py`` generates each module from this table, as re-exports that type checkers follow.
"""

from __future__ import annotations

__all__ = ["DOORS"]

DOORS: dict[str, tuple[str, ...]] = {
    "auth": ("dockerkit.credentials.auth",),
    "config": (
        "dockerkit.endpoint.discovery",
        "dockerkit.endpoint.address",
        "dockerkit.cliconfig.configfile",
    ),
    "constants": ("dockerkit.compat.constants",),
    "context": ("dockerkit.endpoint.context", "dockerkit.endpoint.context_api"),
    "context.api": ("dockerkit.endpoint.context_api",),
    "context.config": ("dockerkit.compat.context_config",),
    "context.context": ("dockerkit.endpoint.context",),
    "tls": ("dockerkit.endpoint.tls",),
    "utils": ("dockerkit.compat.build", "dockerkit.compat.decorators", "dockerkit.compat.utils"),
    "utils.build": ("dockerkit.compat.build",),
    "utils.config": ("dockerkit.compat.config",),
    "utils.decorators": ("dockerkit.compat.decorators",),
    "utils.fnmatch": ("dockerkit.compat.fnmatch",),
    "utils.json_stream": ("dockerkit.compat.json_stream",),
    "utils.ports": ("dockerkit.compat.ports",),
    "utils.proxy": ("dockerkit.cliconfig.proxies",),
    "utils.socket": ("dockerkit.compat.socket",),
    "utils.utils": ("dockerkit.compat.utils",),
    "version": ("dockerkit",),
}
"""Modules of dockerkit, and the modules whose public names they re-export."""
