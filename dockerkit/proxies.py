"""Proxies that containers and builds get told about, from ``proxies`` in config.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["ProxyConfig", "proxies_for"]

_NAMES = {"httpProxy": "http", "httpsProxy": "https", "ftpProxy": "ftp", "noProxy": "no_proxy", "allProxy": "all"}
_VARIABLES = {
    "http": "http_proxy",
    "https": "https_proxy",
    "ftp": "ftp_proxy",
    "no_proxy": "no_proxy",
    "all": "all_proxy",
}


class ProxyConfig(dict[str, str]):
    """Proxies by kind: ``http``, ``https``, ``ftp``, ``all`` and ``no_proxy``. Its repr hides passwords in URLs."""

    @property
    def http(self) -> str | None:
        """Proxy for http."""
        return self.get("http")

    @property
    def https(self) -> str | None:
        """Proxy for https."""
        return self.get("https")

    @property
    def ftp(self) -> str | None:
        """Proxy for ftp."""
        return self.get("ftp")

    @property
    def no_proxy(self) -> str | None:
        """Hosts that are reached without one."""
        return self.get("no_proxy")

    @staticmethod
    def from_dict(config: Mapping[str, str]) -> ProxyConfig:
        """From an entry of config.json's ``proxies`` (``httpProxy``, ``httpsProxy``, ``ftpProxy``, ``allProxy``, ``noProxy``)."""
        return ProxyConfig({ours: config[theirs] for theirs, ours in _NAMES.items() if config.get(theirs)})

    def get_environment(self) -> dict[str, str]:
        """The environment variables, each in lower and in upper case, because programs look at either."""
        environment = {}
        for kind, variable in _VARIABLES.items():
            if self.get(kind):
                environment[variable] = environment[variable.upper()] = self[kind]
        return environment

    def inject_proxy_environment(self, environment: Sequence[str] | None) -> list[str] | None:
        """The proxies' variables in front of ``environment`` ("NAME=value" strings), so that those in it win."""
        if not self:
            return None if environment is None else list(environment)
        return [f"{name}={value}" for name, value in self.get_environment().items()] + list(environment or ())

    def __repr__(self) -> str:
        return "ProxyConfig(" + ", ".join(f"{kind}={_without_password(value)}" for kind, value in self.items()) + ")"

    __str__ = __repr__


def _without_password(url: str) -> str:
    scheme, mark, rest = url.rpartition("://")
    account, at, host = rest.rpartition("@")
    return f"{scheme}{mark}{account.partition(':')[0]}:***@{host}" if at and ":" in account else url


def proxies_for(proxies: Mapping[str, Mapping[str, str]], host: str) -> ProxyConfig:
    """The proxies for containers of an engine.

    Args:
        proxies: config.json's ``proxies``.
        host: the engine's address, as in ``DOCKER_HOST``; "default" in the file stands for all others.
    """
    return ProxyConfig.from_dict(proxies.get(host) or proxies.get("default") or {})
