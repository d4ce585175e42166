"""docker-py's ``docker.api.exec_api``."""

from __future__ import annotations

from dockerkit.api.exec import ExecAPI as ExecApiMixin

__all__ = ["ExecApiMixin"]
