"""docker-py's ``docker.api.client`` in the drop-in profile."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from dockerkit.api import client as native
from dockerkit.api import versions
from dockerkit.api.profile import Profile
from dockerkit.cliconfig import configfile
from dockerkit.compat.profile import DROP_IN
from dockerkit.endpoint import discovery
from dockerkit.errors import DockerException

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from dockerkit.api.container import ExitCode
    from dockerkit.api.refs import Ref
    from dockerkit.api.request import Request
    from dockerkit.cliconfig.proxies import ProxyConfig
    from dockerkit.compat.transport import BaseHTTPAdapter
    from dockerkit.credentials.auth import AuthConfig
    from dockerkit.parsing.values import Duration
    from dockerkit.transport import HTTPRequest

__all__ = ["APIClient"]


class APIClient(native.APIClient):
    """A low-level client with docker-py's behavior; see :mod:`dockerkit.compat.profile`.

    The attributes that existing code reads and replaces keep docker-py's names: ``_auth_configs``, ``_proxy_configs``
    and ``_general_configs``.
    """

    profile: ClassVar[Profile] = DROP_IN

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.profile.connects_when_created:
            try:
                self._negotiated_gate()
            except DockerException as error:
                self.close()
                aborted = (
                    f"('Connection aborted.', {error.__cause__!r})\n" if isinstance(error.__cause__, OSError) else ""
                )
                error.args = (f"Error while fetching server API version: {aborted}{error}", *error.args[1:])
                raise

    @property
    def _version(self) -> str:
        return self.api_version

    @_version.setter
    def _version(self, version: str) -> None:
        self._gate = versions.gate(versions.checked(version))

    @_version.deleter
    def _version(self) -> None:
        """Negotiate the version again at the next call."""
        self._gate = None

    @property
    def base_url(self) -> str:
        """The engine's address in docker-py's format; assign another to change the engine."""
        return super().base_url

    @base_url.setter
    def base_url(self, address: str) -> None:
        if address.startswith(("http+docker:", self.base_url)):  # docker-py's addresses for the current engine
            return
        self.close()
        self.endpoint: discovery.Endpoint = discovery.resolve(address.removeprefix("http+"), tls=self.endpoint.tls)
        self._transport = self._new_transport()
        self.__dict__.pop("adapters", None)
        if self._requested_version is None:
            self._gate = None

    def _encode(self, request: Request) -> HTTPRequest:
        """Return the HTTP request of a call; a string is sent as bytes."""
        data: object = request.data
        return super()._encode(request._replace(data=data.encode()) if isinstance(data, str) else request)

    def wait(  # type: ignore[override]
        self, container: Ref, timeout: Duration | None = None, condition: str | None = None
    ) -> ExitCode | dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Wait until a container stops, and return ``{"StatusCode": 0}``. ``POST /containers/{id}/wait``"""
        code = super().wait(container, timeout, condition)
        if self.profile.waits_return_int:
            return code
        details = {"Error": code["Error"]} if code.error else {}
        return {"StatusCode": int(code), **details}

    @property
    def verify(self) -> bool | str:
        """Authorities to verify the engine's certificate with in a ``requests.Session``, or whether to verify it."""
        tls = self.endpoint.tls
        return True if tls is None else tls.verify is not False and (tls.ca_cert or True)

    @property
    def cert(self) -> tuple[str, str] | None:
        """Paths of the client certificate and its key."""
        return None if self.endpoint.tls is None else self.endpoint.tls.cert

    @cached_property
    def adapters(self) -> dict[str, BaseAdapter]:
        """Adapters by URL prefix: this engine's, and those of :meth:`mount`."""
        return {self.base_url.partition("//")[0] + "//": self._custom_adapter}

    @cached_property
    def _custom_adapter(self) -> BaseHTTPAdapter:
        """Return an adapter for this engine, for use in another ``requests.Session``."""
        from dockerkit.compat import transport

        adapter_classes: dict[str, Any] = {
            "unix": transport.UnixHTTPAdapter,
            "ssh": transport.SSHHTTPAdapter,
            "npipe": transport.NpipeHTTPAdapter,
        }
        adapter_class = adapter_classes.get(self.endpoint.scheme)
        if adapter_class is None:
            return transport.BaseHTTPAdapter(self.endpoint, self._timeouts[:2], transport.MAX_IDLE)
        adapter: BaseHTTPAdapter = adapter_class(self.endpoint.host, self._timeouts[:2])
        return adapter

    def get_adapter(self, url: str) -> BaseAdapter:
        """Return the adapter with the longest matching prefix; this engine's if none matches. Sends nothing."""
        prefixes = [prefix for prefix in self.adapters if url.lower().startswith(prefix.lower())]
        return self.adapters[max(prefixes, key=len)] if prefixes else self._custom_adapter

    def mount(self, prefix: str, adapter: BaseAdapter) -> None:
        """Use an adapter of requests for URLs with a prefix. URLs begin with :attr:`base_url`.

        Args:
            prefix: URL prefix, such as ``http://``, or ``http+docker://`` for sockets.
            adapter: the adapter.
        """
        from dockerkit.compat.transport import MountedTransport

        previous = self.get_adapter(self.base_url)
        self.adapters[prefix] = adapter
        if self.get_adapter(self.base_url) is not previous:
            self._transport = MountedTransport(adapter, self.base_url, self._transport)

    def close(self) -> None:
        """Close all connections. Calls in other threads raise ClientClosed."""
        super().close()
        if adapter := self.__dict__.pop("_custom_adapter", None):
            adapter.close()

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        for name in ("_custom_adapter", "adapters"):
            state.pop(name, None)
        return state

    @cached_property
    def _general_configs(self) -> dict[str, Any]:
        """The docker command's config.json."""
        return configfile.load_general_config(configfile.config_path(self._environment))

    @property
    def _default_detach_keys(self) -> str | None:
        return self._general_configs.get("detachKeys")

    @property
    def _auth_configs(self) -> AuthConfig:
        return self.auth_config

    @_auth_configs.setter
    def _auth_configs(self, configs: Mapping[str, Any]) -> None:
        from dockerkit.credentials.auth import AuthConfig

        config = configs if isinstance(configs, AuthConfig) else AuthConfig(configs, self.credstore_env)
        self._auth_config = config

    @property
    def _proxy_configs(self) -> ProxyConfig:
        return self.proxy_config

    @_proxy_configs.setter
    def _proxy_configs(self, proxies: Mapping[str, str]) -> None:
        from dockerkit.cliconfig.proxies import ProxyConfig

        self._proxy_config = ProxyConfig(proxies)
