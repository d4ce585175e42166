"""One engine's client without its calls: what it is made with, its API version, sending, errors, and its end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

from dockerkit import config
from dockerkit.api import encode, versions
from dockerkit.api.refs import Ref, fill
from dockerkit.constants import (
    DEFAULT_CONNECT_RETRY,
    DEFAULT_TIMEOUT_SECONDS,
    DEFAULT_USER_AGENT,
    KEPT_CONNECTIONS,
)
from dockerkit.errors import InvalidArgument, StreamParseError
from dockerkit.hooks import Hook, checked
from dockerkit.transport import Exchange, Timeouts, Transport
from dockerkit.types.wire import wire

if TYPE_CHECKING:
    import ssl
    from typing import Self

    from dockerkit.auth import AuthConfig
    from dockerkit.config import Endpoint
    from dockerkit.proxies import ProxyConfig
    from dockerkit.tls import TLSConfig
    from dockerkit.transport.dial import Dial
    from dockerkit.types.wire import ToEngine


class Unset:
    """The type of :data:`UNSET`: what an argument has that was not given, where None means something."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()

Seconds = float | tuple[float | None, float | None] | None
"""For connecting and for each wait on an answer; a pair tells them apart; None is no limit."""

Timeout = Seconds | Unset
"""The same for one call; UNSET is the client's."""

Data = bytes | IO[bytes] | Iterable[bytes]
Json = Mapping[str, Any] | Sequence[Any]

_LARGEST_ERROR = 1024 * 1024


class Connected:
    """A client of one engine, without its calls.

    Nothing is sent before the first call: that one asks the engine for its API version, once.

    Args:
        base_url: ``unix:///path``, ``tcp://host:port``, ``ssh://user@host``, ``npipe:////./pipe/name``; None to find the
            engine as the docker command does (``DOCKER_HOST``, ``DOCKER_CONTEXT``, the current context, usual sockets).
        version: API version to speak, as text; None or ``"auto"`` for the newest that both sides know.
        timeout: seconds for connecting and for each wait on an answer, or a pair of both; None is no limit. Streams,
            waits, pulls and builds have no read timeout of their own.
        tls: True, or a TLSConfig, or an ssl context, for tcp.
        user_agent: the User-Agent header.
        num_pools: taken for docker-py's sake; there is one pool whatever the number of paths.
        credstore_env: environment variables for credential helpers.
        use_ssh_client: taken for docker-py's sake; ssh:// always runs the system's ssh where there is one.
        max_pool_size: idle connections that are kept.
        context: name of a docker context, instead of base_url.
        environment: instead of ``os.environ``, for the variables named above.
        headers: sent with each request.
        hooks: told about each request, see :mod:`dockerkit.hooks`.
        connect_retry: seconds to go on trying when an engine that answered before refuses connections, because it
            restarts; 0 for not at all. What was already sent is never sent again, but for plain reads.
        dial: connects instead of dockerkit, through a tunnel of your own for example: a function of the seconds it may
            take (None: no limit) that returns a connected socket on which the engine speaks plain HTTP.

    Raises:
        InvalidArgument: an argument that can't be right.
        ContextNotFound: there is no such context.
        TLSParameterError: TLS files are missing or wrong.
        InvalidVersion: the version is no version, or older than what dockerkit speaks.
    """

    def __init__(
        self,
        base_url: str | None = None,
        version: str | None = None,
        timeout: Seconds = DEFAULT_TIMEOUT_SECONDS,
        tls: TLSConfig | ssl.SSLContext | bool | None = False,
        user_agent: str = DEFAULT_USER_AGENT,
        num_pools: int | None = None,
        credstore_env: Mapping[str, str] | None = None,
        use_ssh_client: bool = False,
        max_pool_size: int = KEPT_CONNECTIONS,
        *,
        context: str | None = None,
        environment: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        hooks: Sequence[Hook] = (),
        connect_retry: float = DEFAULT_CONNECT_RETRY,
        dial: Dial | None = None,
    ) -> None:
        self.endpoint: Endpoint = config.resolve(base_url, tls=tls or None, context=context, environment=environment)
        self.timeout = timeout
        self.credstore_env = credstore_env
        self.headers: dict[str, str] = {
            "User-Agent": user_agent,
            **config.http_headers(environment),
            **(headers or {}),
        }
        encode.check_headers(self.headers)
        self._timeouts = _timeouts(timeout)
        self._insists = False
        self._environment = environment
        self._keep = max_pool_size
        self._patience = connect_retry
        self._hooks = checked(hooks)
        self._dial = dial
        self._transport = self._new_transport()
        self._lock, self._process = threading.Lock(), os.getpid()
        asked = config.api_version(environment) if version is None else version
        self._asked_version = None if asked in (None, "auto") else asked
        self._gate = versions.gate(versions.checked(self._asked_version)) if self._asked_version else None
        self._auth_config: AuthConfig | None = None
        self._proxy_config: ProxyConfig | None = None

    def _new_transport(self) -> Transport:
        return Transport(self.endpoint, keep=self._keep, patience=self._patience, hooks=self._hooks, dial=self._dial)

    def with_timeout(self, timeout: Seconds) -> Self:
        """This client with another timeout, over the same connections; closing either closes both.

        It counts for streams, waits, pulls and builds too, which have no read timeout else.

        Args:
            timeout: seconds for connecting and for each wait on an answer, or a pair of both; None is no limit.

        Example::

            api.with_timeout(600).commit(container)
        """
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.timeout, twin._timeouts, twin._insists = timeout, _timeouts(timeout), True
        return twin

    def _timeouts_of(self, timeout: Timeout) -> Timeouts:
        """The timeouts of one call; a call without limit has one all the same where :meth:`with_timeout` asked for it."""
        if isinstance(timeout, Unset) or (timeout is None and self._insists):
            return self._timeouts
        return _timeouts(timeout, self._timeouts)

    # -- the version ---------------------------------------------------------------------------------------------

    @property
    def api_version(self) -> str:
        """The API version in use; asks the engine once, when it was not given. ``GET /_ping``"""
        return self._spoken().version

    def _spoken(self) -> versions.Gate:
        if self._gate is None:
            if self._process != os.getpid():  # a lock that another thread held at the fork stays held for ever
                self._lock, self._process = threading.Lock(), os.getpid()
            with self._lock:
                if self._gate is None:
                    newest = self._ping_headers().get("Api-Version") or versions.FLOOR
                    self._gate = versions.gate(versions.negotiate(newest))
        return self._gate

    def _ping_headers(self) -> Mapping[str, str]:
        with self._transport.request("GET", "/_ping", self.headers, timeouts=self._timeouts) as exchange:
            if exchange.status >= 400:
                self._fail(exchange, "GET", "/_ping", "/_ping")
            exchange.read(_LARGEST_ERROR)
            return exchange.headers

    def _supports(self, operation: str, name: str | None = None) -> bool:
        """Whether the API version in use has an operation ("GET /images/json"), or a parameter or field of it."""
        return self._spoken().supports(operation, name)

    # -- sending -------------------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        *,
        ids: Mapping[str, Ref],
        query: Mapping[str, object] | None = None,
        body: Json | ToEngine | None = None,
        data: Data | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = UNSET,
        versioned: bool = True,
    ) -> Exchange:
        """Send, and turn an error status into its exception; 304 counts as done."""
        target, sent, payload = self._request(method, path, ids, query, body, data, headers, versioned)
        timeouts = self._timeouts_of(timeout)
        exchange = self._transport.request(method, target, sent, payload, timeouts=timeouts, route=path)
        if exchange.status >= 300 and exchange.status != 304:
            self._fail(exchange, method, target, path)
        return exchange

    def _request(
        self,
        method: str,
        path: str,
        ids: Mapping[str, Ref],
        query: Mapping[str, object] | None,
        body: Json | ToEngine | None,
        data: Data | None,
        headers: Mapping[str, str] | None,
        versioned: bool = True,
    ) -> tuple[str, Mapping[str, str], Data | None]:
        """What goes over the wire: target, headers and payload; all that can be refused is refused here."""
        target = fill(path, ids) if ids else path
        payload: Data | None = None if data is None else encode.binary(data)
        sent: Mapping[str, str] = self.headers
        wired = None if body is None else wire(body)
        if versioned:
            gate = self._spoken()
            gate.check(f"{method} {path}", query, headers, wired)
            target = gate.prefix + target
        if wired is not None:
            payload = encode.json_body(wired)
            sent = {**sent, "Content-Type": "application/json"}
        elif data is not None:
            sent = {**sent, "Content-Type": "application/x-tar"}
        if headers:
            sent = {**sent, **headers}
        if query:
            if type(query.get("filters")) is str:  # a request by hand may bring its own JSON, a call may not
                raise InvalidArgument(f"filters: a mapping of names to values is needed, not {query['filters']!r}")
            target += encode.query_string(query)
        return target, sent, payload

    def _fail(self, exchange: Exchange, method: str, target: str, path: str) -> NoReturn:
        from dockerkit.request_errors import ErrorAnswer, api_error

        try:
            content = exchange.read(_LARGEST_ERROR)
        except (StreamParseError, ConnectionError) as error:
            content = f"its text could not be read: {error}".encode()
        finally:
            exchange.close()
        url = f"{self.endpoint.host}{target}"
        answer = ErrorAnswer(exchange.status, exchange.reason, dict(exchange.headers), content, method, url)
        text = answer.text.lower()
        image = path.startswith("/images/") or (path == "/containers/create" and "image" in text)
        raise api_error(answer, image=image)

    # -- credentials, life cycle ---------------------------------------------------------------------------------

    @property
    def _auth(self) -> AuthConfig:
        """Registry credentials, from the docker command's configuration; read when first needed."""
        if self._auth_config is None:
            from dockerkit.auth import AuthConfig

            self._auth_config = AuthConfig.load_config(None, None, self.credstore_env, environment=self._environment)
        return self._auth_config

    @property
    def _proxies(self) -> ProxyConfig:
        """Proxies that containers and builds are told about, from the docker command's configuration."""
        if self._proxy_config is None:
            from dockerkit.proxies import proxies_for

            proxies = config.config_file(self._environment).get("proxies") or {}
            self._proxy_config = proxies_for(proxies, self.endpoint.host)
        return self._proxy_config

    def close(self) -> None:
        """Close all connections; calls that run in other threads end with ClientClosed."""
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
        state["_auth_config"] = state["_proxy_config"] = None  # credentials are read anew, never written down
        if state["_gate"] is not None:
            state["_gate"] = state["_gate"].version
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._gate is not None:
            self._gate = versions.gate(state["_gate"])
        self._lock, self._process = threading.Lock(), os.getpid()
        self._transport = self._new_transport()


def _timeouts(timeout: Seconds, default: Timeouts | None = None) -> Timeouts:
    """Connect and read timeout; a call without a read timeout still connects within the client's."""
    if isinstance(timeout, tuple):
        connect, read = timeout
    elif timeout is None and default is not None:
        connect, read = default.connect, None
    else:
        connect = read = timeout
    for seconds in (connect, read):
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0
        ):
            raise InvalidArgument(f"timeout: seconds above 0 are needed, or None for no limit, not {timeout!r}")
    return Timeouts(connect, read)
