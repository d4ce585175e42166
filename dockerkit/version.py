"""docker-py's ``docker.version``."""

from __future__ import annotations

from dockerkit import __version__

__all__ = ["__version__"]
