"""Proxy settings passed to containers and builds, from ``proxies`` in config.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dockerkit.errors.quoting import without_password

__all__ = ["ProxyConfig", "proxies_for"]

_NAMES = {"httpProxy": "http", "httpsProxy": "https", "ftpProxy": "ftp", "noProxy": "no_proxy", "allProxy": "all"}


class ProxyConfig(dict[str, str]):
    """Proxies by kind: ``http``, ``https``, ``ftp``, ``all`` and ``no_proxy``. Its repr hides passwords in URLs."""

    @property
    def http(self) -> str | None:
        """Proxy for HTTP."""
        return self.get("http")

    @property
    def https(self) -> str | None:
        """Proxy for HTTPS."""
        return self.get("https")

    @property
    def ftp(self) -> str | None:
        """Proxy for FTP."""
        return self.get("ftp")

    @property
    def no_proxy(self) -> str | None:
        """Hosts to connect to without a proxy."""
        return self.get("no_proxy")

    @staticmethod
    def from_dict(config: Mapping[str, str]) -> ProxyConfig:
        """Create from an entry of ``proxies`` in config.json (``httpProxy``, ``httpsProxy``, ``ftpProxy``, ``allProxy``, ``noProxy``)."""
        return ProxyConfig({ours: config[theirs] for theirs, ours in _NAMES.items() if config.get(theirs)})

    def get_environment(self) -> dict[str, str]:
        """Return the environment variables, each in lower and upper case, since programs use either."""
        environment = {}
        for kind in _NAMES.values():
            if self.get(kind):
                variable = kind if kind == "no_proxy" else f"{kind}_proxy"
                environment[variable] = environment[variable.upper()] = self[kind]
        return environment

    def inject_proxy_environment(self, environment: Sequence[str] | None) -> list[str] | None:
        """Return ``environment`` ("NAME=value" strings) with the proxy variables prepended, so that it overrides them."""
        if not self:
            return None if environment is None else list(environment)
        return [f"{name}={value}" for name, value in self.get_environment().items()] + list(environment or ())

    def __repr__(self) -> str:
        return "ProxyConfig(" + ", ".join(f"{kind}={without_password(value)}" for kind, value in self.items()) + ")"

    __str__ = __repr__


def proxies_for(proxies: Mapping[str, Mapping[str, str]], host: str) -> ProxyConfig:
    """Return the proxies for containers of an engine.

    Args:
        proxies: ``proxies`` in config.json.
        host: address of the engine, as in ``DOCKER_HOST``; "default" in the file applies to all others.
    """
    return ProxyConfig.from_dict(proxies.get(host) or proxies.get("default") or {})
