"""The client of one engine without its calls: construction, API version, sending, errors, closing."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from dockerkit import runtime
from dockerkit.api import encode, negotiation, versions
from dockerkit.api.defaults import (
    DEFAULT_CONNECT_RETRY,
    DEFAULT_TIMEOUT_SECONDS,
    DEFAULT_USER_AGENT,
    MAX_IDLE_CONNECTIONS,
)
from dockerkit.api.profile import NATIVE, Profile
from dockerkit.api.refs import Ref, action_of, format_path, subject_of
from dockerkit.api.request import Data, Request, Seconds, Timeout, Unset
from dockerkit.cliconfig import configfile
from dockerkit.endpoint import discovery
from dockerkit.errors import EngineWarning, InvalidArgument, InvalidConfigFile, InvalidVersion, StreamParseError
from dockerkit.hooks import Hook, check_hooks
from dockerkit.parsing import values
from dockerkit.parsing.json_data import to_json_data
from dockerkit.parsing.payload import payload
from dockerkit.transport import HTTPRequest, HTTPTransport, Response, Timeouts, Transport
from dockerkit.transport.watched import WatchedTransport

if TYPE_CHECKING:
    import ssl
    from typing import Self

    from dockerkit.cliconfig.proxies import ProxyConfig
    from dockerkit.credentials.auth import AuthConfig
    from dockerkit.endpoint.discovery import Endpoint
    from dockerkit.endpoint.tls import TLSConfig
    from dockerkit.errors import DockerException
    from dockerkit.parsing.values import Duration
    from dockerkit.transport.dial import Dial

ErrorT = TypeVar("ErrorT", bound="DockerException")

_SCHEMES = {"unix": "http+docker://localhost", "npipe": "http+docker://localnpipe", "ssh": "http+docker://ssh"}
_LARGEST_ERROR = 1024 * 1024
_MAX_WORK_SECONDS = 3600.0  # seconds to wait for the head of a response that is sent after the work: prune, save, build

_PICKLED = frozenset({"DOCKER_CONFIG", "HOME", "USERPROFILE"})  # variables that lead to files; others may hold secrets


class EngineClient:
    """A client of one engine, without its calls.

    Sends nothing when it is created. The first call negotiates the API version, once.

    Args:
        base_url: address of the engine, or an Endpoint; None finds the engine as the docker command does (``DOCKER_HOST``,
            ``DOCKER_CONTEXT``, the current context, usual sockets).
        version, timeout, tls, user_agent, num_pools, credstore_env, use_ssh_client, max_pool_size, context, environment,
            headers, hooks, connect_retry, dial, transport: as for :class:`dockerkit.DockerClient`.

    Raises:
        InvalidArgument: an argument is invalid.
        ContextNotFound: the context does not exist.
        TLSParameterError: a TLS file is missing or invalid.
        InvalidVersion: the version is not valid, or too old for dockerkit.
    """

    profile: ClassVar[Profile] = NATIVE

    def __init__(
        self,
        base_url: str | Endpoint | None = None,
        version: str | None = None,
        timeout: Seconds = DEFAULT_TIMEOUT_SECONDS,
        tls: TLSConfig | ssl.SSLContext | bool | None = False,
        user_agent: str = DEFAULT_USER_AGENT,
        num_pools: int | None = None,
        credstore_env: Mapping[str, str] | None = None,
        use_ssh_client: bool = False,
        max_pool_size: int = MAX_IDLE_CONNECTIONS,
        *,
        context: str | None = None,
        environment: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        hooks: Sequence[Hook] = (),
        connect_retry: Duration = DEFAULT_CONNECT_RETRY,
        dial: Dial | None = None,
        transport: Transport | None = None,
    ) -> None:
        if transport is not None and dial is not None:
            raise InvalidArgument("dial: can't be combined with transport, which opens its own connections")
        if dial is not None and not callable(dial):
            values.raise_invalid("dial", "a function that takes a timeout and returns a socket", dial)
        if transport is not None and not callable(getattr(transport, "send", None)):
            values.raise_invalid("transport", "an object with the methods of dockerkit.transport.Transport", transport)
        if environment is not None:
            values.mapping(environment, "environment")
        if credstore_env is not None:
            values.mapping(credstore_env, "credstore_env")
        self.endpoint: Endpoint = (
            discovery.of_transport(transport)
            if transport is not None and base_url is None and context is None
            else discovery.resolve(base_url, tls=tls or None, context=context, environment=environment)
        )
        self._own_transport = transport
        self.timeout = timeout
        self.credstore_env = credstore_env
        self._file_headers: dict[str, str] = configfile.http_headers(environment)
        self.headers: dict[str, str] = {
            "User-Agent": user_agent,
            **self._file_headers,
            **(values.mapping(headers, "headers") if headers else {}),
        }
        encode.check_headers(self.headers)
        self._overrides_streams = False
        self._environment = environment
        self._max_idle: int = values.integer(max_pool_size, "max_pool_size")
        if self._max_idle < 0:
            values.raise_invalid("max_pool_size", "a number of connections", max_pool_size)
        self._connect_retry = values.time_limit(connect_retry, "connect_retry", zero=True) or 0
        self._hooks = check_hooks(hooks)
        self._dial = dial
        self._transport = self._new_transport()
        self._lock, self._process = runtime.Lock(), os.getpid()
        requested = discovery.api_version(environment) if version is None else version
        self._requested_version = None if requested in (None, "auto") else requested
        self._pinned_by = "DOCKER_API_VERSION" if version is None else "version"
        self._guessed = False  # whether the version in use is a guess: neither /_ping nor /version returned one
        self._gate = versions.gate(versions.checked(self._requested_version)) if self._requested_version else None
        self._auth_config: AuthConfig | None = None
        self._proxy_config: ProxyConfig | None = None

    @property
    def timeout(self) -> Seconds:
        """Connect and read timeout in seconds, or a pair of both; assign another to change it for later calls."""
        return self._timeout

    @timeout.setter
    def timeout(self, timeout: Seconds) -> None:
        self._timeouts = _timeouts(timeout)
        self._timeout = timeout

    def _new_transport(self) -> Transport:
        transport: Transport = self._own_transport or HTTPTransport(
            self.endpoint, max_idle=self._max_idle, connect_retry=self._connect_retry, dial=self._dial
        )
        return WatchedTransport(transport, self._hooks, self.endpoint) if self._hooks else transport

    def with_timeout(self, timeout: Seconds) -> Self:
        """Return this client with another timeout, over the same connections; closing either closes both.

        Also applies to streams, waits, pulls and builds, which otherwise have no read timeout.

        Args:
            timeout: connect and read timeout in seconds; pass a pair to set them separately. None disables them.

        Example::

            api.with_timeout(600).commit(container)
        """
        client = type(self).__new__(type(self))
        client.__dict__.update(self.__dict__)
        client.timeout, client._overrides_streams = timeout, True
        return client

    def _timeouts_of(self, timeout: Timeout, *, slow: bool = False) -> Timeouts:
        """Return the timeouts of one call; :meth:`with_timeout` also limits calls that have no read timeout.

        Waiting for the head is always limited: by the client's timeout, or an hour if the engine does the work first.
        """
        default = self._timeouts
        if isinstance(timeout, Unset) or (timeout is None and self._overrides_streams):
            return default
        timeouts = _timeouts(timeout, default)
        return (
            timeouts
            if timeouts.read is not None or default.head is None
            else timeouts._replace(head=_MAX_WORK_SECONDS if slow else default.head)
        )

    @property
    def base_url(self) -> str:
        """The engine's address in docker-py's format: ``http://host:port``, or ``http+docker://localhost`` for a socket.

        :attr:`endpoint` has the real address.
        """
        scheme, _, rest = self.endpoint.host.partition("://")
        if scheme in _SCHEMES:
            return _SCHEMES[scheme]
        return f"{'https' if self.endpoint.tls else 'http'}://{rest}"

    # -- the version ---------------------------------------------------------------------------------------------

    @property
    def api_version(self) -> str:
        """The API version in use; negotiated once, unless one was passed. ``GET /_ping``"""
        return self._negotiated_gate().version

    def _negotiated_gate(self) -> versions.Gate:
        if self._gate is None:
            if self._process != os.getpid():  # a lock that another thread held at the fork is never released
                self._lock, self._process = runtime.Lock(), os.getpid()
            with self._lock:
                if self._gate is None:
                    version = negotiation.discover(self._get_unversioned)
                    self._guessed = version is None
                    self._gate = versions.gate(version or versions.FLOOR)
        return self._gate

    def _get_unversioned(self, path: str) -> Response:
        """Send a GET without a version, and return the response whatever its status."""
        return self._transport.send(HTTPRequest("GET", path, self.headers, None, self._timeouts, path))

    def ping_headers(self) -> Mapping[str, str]:
        """Return the headers of the engine's response to a ping, whatever its status. ``GET /_ping``"""
        return negotiation.read_ping(self._get_unversioned)

    def _adopt_version(self, headers: Mapping[str, str]) -> bool:
        """Speak the version that a response advertises, unless one was set; return whether it changed."""
        newest = None if self._requested_version else negotiation.advertised(headers)
        if newest is None:
            return False
        gate, self._guessed = versions.gate(versions.negotiate(newest)), False
        changed, self._gate = gate is not self._gate, gate
        return changed

    def supports(self, operation: str, name: str | None = None) -> bool:
        """Return whether the API version in use has an operation, or a parameter or field of it.

        Args:
            operation: verb and path as in the Engine's API, ``"GET /images/json"``.
            name: query parameter, filter (``"filters.until"``) or body field (``"HostConfig.Mounts[].ImageOptions"``).
        """
        return self._negotiated_gate().supports(operation, name)

    # -- sending -------------------------------------------------------------------------------------------------

    def _send(self, request: Request) -> Response:
        """Send a request; raise the exception for an error status. 304 is a success."""
        encoded = self._encode(request)
        response = self._transport.send(encoded)
        status = response.status
        if (status == 400 or self._guessed) and self._corrects_version(request, response):
            response.close()
            return self._send(request)
        if status >= 300 and status != 304:
            self._raise_api_error(response, encoded, request.ids, request.query)
        return response

    def _corrects_version(self, request: Request, response: Response) -> bool:
        """Adopt the version that a response advertises; return whether to repeat the request with it."""
        return (
            request.versioned
            and self._adopt_version(response.headers)
            and response.status == 400  # the engine did nothing yet, so the request may be repeated
            and (request.data is None or isinstance(request.data, bytes))
        )

    def _encode(self, request: Request) -> HTTPRequest:
        """Return the HTTP request of a call; invalid arguments are refused here."""
        method, path, ids, query, body, data, headers, timeout, slow, versioned = request
        target = format_path(path, ids) if ids else path
        content: Data | None = None if data is None else payload(data)
        all_headers: Mapping[str, str] = self.headers
        if self.profile.strict:
            encode.check_flags(query, body)
        json_data = None if body is None else to_json_data(body)
        if versioned:
            gate = self._negotiated_gate()
            try:
                gate.check(f"{method} {path}", query, headers, json_data, removed=self.profile.strict)
            except InvalidVersion as error:
                if self._guessed:
                    error.add_note(
                        "The engine's API version is unknown, because /_ping and /version are forbidden. Pass `version`."
                    )
                raise
            target = gate.prefix + target
        if json_data is not None:
            content = encode.json_body(json_data)
            all_headers = {**all_headers, "Content-Type": "application/json"}
        elif data is not None:
            all_headers = {**all_headers, "Content-Type": "application/x-tar"}
        if headers:
            all_headers = {**all_headers, **headers}
        if query:
            if query.get("filters") and versioned:
                self._check_filters(f"{method} {path}", query["filters"])
            if type(query.get("filters")) is str:  # only manual requests may pass filters as JSON
                raise InvalidArgument(f"filters: must be a mapping of names to values, got {query['filters']!r}")
            target += encode.query_string(query)
        return HTTPRequest(method, target, all_headers, content, self._timeouts_of(timeout, slow=slow), path)

    def _check_filters(self, operation: str, filters: object) -> None:
        if isinstance(filters, Mapping) and self.profile.strict:
            from dockerkit.types.filters import check_filters

            try:
                check_filters(operation, filters)
            except InvalidArgument:
                if "Libpod-Api-Version" not in self.ping_headers():  # Podman has filters that Docker lacks
                    raise

    def _raise_api_error(
        self,
        response: Response,
        request: HTTPRequest,
        ids: Mapping[str, Ref],
        query: Mapping[str, object] | None = None,
    ) -> NoReturn:
        from dockerkit.errors.api import ErrorResponse
        from dockerkit.errors.explain import api_error

        try:
            content = response.read(_LARGEST_ERROR)
        except (StreamParseError, ConnectionError) as error:
            content = f"the error message could not be read: {error}".encode()
        finally:
            response.close()
        url = f"{self.endpoint.host}{request.path}"  # without the query, which may hold secrets: build arguments
        error_response = ErrorResponse(
            response.status, response.reason, dict(response.headers), content, request.method, url
        )
        if error_response.status_code == 400 and (
            version_error := negotiation.refusal(
                error_response.text,
                self._get_unversioned,
                self._negotiated_gate().version,
                self._pinned_by if self._requested_version else None,
            )
        ):
            raise version_error from api_error(error_response)
        image = getattr(ids.get("id"), "image_name", "")
        subject, action = subject_of(request.route, ids), action_of(request.route, ids, query)
        raise self.phrased(api_error(error_response, route=request.route, subject=subject, image=image, action=action))

    @property
    def _default_detach_keys(self) -> str | None:
        return None

    def phrased(self, error: ErrorT) -> ErrorT:
        """Return an error, in docker-py's words if the profile says so. Sends nothing."""
        if not self.profile.explains_errors:
            from dockerkit.errors.docker_py import rephrase

            rephrase(error, self.endpoint.host, self.base_url)
        return error

    # -- credentials, life cycle ---------------------------------------------------------------------------------

    @property
    def auth_config(self) -> AuthConfig:
        """Registry credentials from the docker command's configuration; loaded on first use."""
        if self._auth_config is None:
            from dockerkit.credentials.auth import AuthConfig

            try:
                loaded = AuthConfig.load_config(None, None, self.credstore_env, environment=self._environment)
            except InvalidConfigFile as error:
                warnings.warn(f"{error}; its credentials are not used", EngineWarning, stacklevel=3)
                loaded = AuthConfig({}, self.credstore_env)
            self._auth_config = loaded
        return self._auth_config

    @property
    def proxy_config(self) -> ProxyConfig:
        """Proxy settings passed to containers and builds, from the docker command's configuration."""
        if self._proxy_config is None:
            from dockerkit.cliconfig.proxies import proxies_for

            try:
                proxies = configfile.config_file(self._environment).get("proxies") or {}
            except InvalidConfigFile as error:
                warnings.warn(f"{error}; its proxies are not used", EngineWarning, stacklevel=3)
                proxies = {}
            self._proxy_config = proxies_for(proxies, self.endpoint.host)
        return self._proxy_config

    def close(self) -> None:
        """Close all connections; calls in other threads raise ClientClosed."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.endpoint.host}>"

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_transport"], state["_lock"]
        state["_auth_config"] = state["_proxy_config"] = None  # credentials are never pickled; they are loaded again
        from_file = state.pop("_file_headers").items()
        state["headers"] = {name: value for name, value in self.headers.items() if (name, value) not in from_file}
        if self._environment is not None:
            state["_environment"] = {name: value for name, value in self._environment.items() if name in _PICKLED}
        if "@" in (self.endpoint.proxy or ""):  # read again, too
            state["endpoint"] = self.endpoint._replace(proxy=None)
        if state["_gate"] is not None:
            state["_gate"] = state["_gate"].version
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.endpoint.scheme == "tcp" and self.endpoint.proxy is None:
            self.endpoint = self.endpoint._replace(proxy=discovery.proxy_of(self.endpoint, os.environ))
        self._file_headers = configfile.http_headers(self._environment)
        self.headers = {**self._file_headers, **self.headers}
        if self._gate is not None:
            self._gate = versions.gate(state["_gate"])
        self._lock, self._process = runtime.Lock(), os.getpid()
        self._transport = self._new_transport()


def _timeouts(timeout: Seconds, default: Timeouts | None = None) -> Timeouts:
    """Return connect and read timeout; a call without a read timeout still uses the client's connect timeout."""
    if isinstance(timeout, tuple):
        if len(timeout) != 2:
            raise InvalidArgument(f"timeout: must be seconds or a pair (connect, read), got {timeout!r}")
        connect, read = (values.time_limit(part) for part in timeout)
    elif timeout is None and default is not None:
        connect, read = default.connect, None
    else:
        connect = read = values.time_limit(timeout)
    return Timeouts(connect, read, read)
