"""docker-py's ``docker.api.daemon``."""

from __future__ import annotations

from dockerkit.api.system import SystemAPI as DaemonApiMixin

__all__ = ["DaemonApiMixin"]
