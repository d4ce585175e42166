"""docker-py's ``docker.utils.proxy``."""

from __future__ import annotations

from dockerkit.cliconfig.proxies import ProxyConfig

__all__ = ["ProxyConfig"]
