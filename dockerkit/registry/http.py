"""HTTP requests to a registry: TLS, redirects, retries and errors. See :mod:`dockerkit.registry.auth` for credentials."""

from __future__ import annotations

import glob
import importlib.metadata
import ipaddress
import json
import os
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from dockerkit import __version__, runtime
from dockerkit.endpoint.tls import TLSConfig
from dockerkit.errors import ConnectionFailed, ConnectTimeout, ReadTimeout, RegistryError, StreamTruncated
from dockerkit.errors.api import ErrorResponse
from dockerkit.errors.explain import api_error

if TYPE_CHECKING:
    from dockerkit.errors import APIError
    from dockerkit.registry.auth import Authenticator

__all__ = ["RegistryHTTP", "is_loopback"]

_BLOCK = 128 * 1024
_MAX_ERROR_BYTES = 64 * 1024
_MAX_TOKEN_BYTES = 1024 * 1024
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRYABLE = frozenset({429, 500, 502, 503, 504})
_MAX_WAIT_SECONDS = 60.0
_CERTIFICATES = ("/etc/docker/certs.d", "~/.config/docker/certs.d")

Body = bytes | Iterator[bytes] | None


class RegistryHTTP:
    """Sends requests to one registry, which alone receives its ``Authorization`` header, and to its redirect targets.

    `insecure` returns whether to accept any certificate and plain HTTP; it is called at the first request. For the
    other arguments, see :class:`dockerkit.registry.client.Registry`.
    """

    def __init__(
        self,
        host: str,
        authenticator: Authenticator,
        *,
        ca_cert: str | None = None,
        insecure: Callable[[], bool],
        timeout: tuple[float | None, float | None],
        retries: int,
    ) -> None:
        self._host = host
        self._authenticator = authenticator
        self._ca_cert = ca_cert
        self._insecure = insecure
        self._timeout = timeout
        self._retries = retries
        self._session: requests.Session | None = None
        self._base = ""
        self._verifies = True

    def close(self) -> None:
        """Close the connections."""
        session, self._session, self._base = self._session, None, ""
        if session is not None:
            session.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        scopes: Iterable[str] = (),
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        expected: Iterable[int] = (200,),
        what: str = "",
    ) -> requests.Response:
        """Send a request and return the response. The caller reads and closes its body.

        Args:
            path: path and query relative to the registry's address, or a URL that it returned.
            scopes: scopes that a token must allow, such as ``repository:name:pull``.
            body: bytes, or an iterator, which cannot be repeated.
            expected: status codes that are not errors.
            what: name of the requested object, for error messages.
        """
        self._connect()
        url = urljoin(self._base, path)
        self._check_scheme(url)
        repeatable = body is None or isinstance(body, bytes)
        idempotent = method in ("GET", "HEAD")
        attempt = challenged = redirects = 0
        while True:
            same_origin = self._is_same_origin(url)
            auth = self._authenticator.header(scopes) if same_origin else None
            try:
                credentials = {"Authorization": auth} if auth else {}
                response = self._send(method, url, {**(headers or {}), **credentials}, body)
            except ConnectionFailed:
                if not idempotent or attempt >= self._retries:
                    raise
                runtime.sleep(_backoff(attempt))
                attempt += 1
                continue
            if response.status_code in expected:
                return response
            if response.status_code == 401 and same_origin and challenged < 2 and repeatable:
                error = self._error(response, method, what)  # reads the body, so that no connection stays open
                challenges = response.raw.headers.getlist("WWW-Authenticate")
                if not self._authenticator.accept(challenges, scopes, self, refused=auth):
                    raise error
                challenged += 1
                continue
            if repeatable and (idempotent or response.status_code == 429) and self._pause(response, attempt):
                attempt += 1
                continue
            if idempotent and response.status_code in _REDIRECTS and (target := response.headers.get("Location")):
                response.close()
                url = urljoin(url, target)
                if not self._is_same_origin(url):
                    return self._follow(method, url, headers, expected, what)
                redirects += 1
                if redirects <= _MAX_REDIRECTS:
                    continue
                raise RegistryError(f"{what}: the registry {self._host} redirects more than {_MAX_REDIRECTS} times")
            raise self._error(response, method, what)

    def _follow(
        self, method: str, url: str, headers: Mapping[str, str] | None, expected: Iterable[int], what: str
    ) -> requests.Response:
        """Follow a redirect without credentials, since the target's signed URL is sufficient."""
        for _ in range(_MAX_REDIRECTS):
            self._check_scheme(url)
            response = self._send(method, url, dict(headers or {}), None)
            if response.status_code in expected:
                return response
            target = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not target:
                raise self._error(response, method, what)
            response.close()
            url = urljoin(url, target)
        raise RegistryError(f"{what}: the registry {self._host} redirects more than {_MAX_REDIRECTS} times")

    def token_request(
        self, url: str, *, query: Mapping[str, Any], headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a request to a token service, a POST if it has a form. Return status and body; follow no redirects."""
        body = urlencode(form).encode() if form is not None else None
        if body is not None:
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        attempt = 0
        while True:
            response = self._send("GET" if body is None else "POST", url, headers, body, params=query)
            if not self._pause(response, attempt):
                return response.status_code, read_all(response, _MAX_TOKEN_BYTES, "token service")
            attempt += 1

    @property
    def base(self) -> str:
        """The registry's address with its scheme."""
        self._connect()
        return self._base

    @property
    def is_plain(self) -> bool:
        """Whether the registry uses plain HTTP."""
        return self.base.startswith("http://")

    def _is_same_origin(self, url: str) -> bool:
        return _origin(url) == _origin(self._base)

    def _check_scheme(self, url: str) -> None:
        scheme = urlsplit(url).scheme
        if scheme not in ("http", "https") or (scheme == "http" and self._verifies):
            raise RegistryError(f"the registry {self._host} redirects to {_origin(url)}, which is not HTTPS")

    def _connect(self) -> None:
        """Determine the protocol once: verified HTTPS, or for insecure registries whatever they support."""
        if self._base:
            return
        insecure = self._insecure()
        self._verifies = not insecure
        self._session = self._new_session(self._verifies)
        base = f"https://{self._host}"
        if insecure:
            try:
                self._send("GET", f"{base}/v2/", {}, None).close()
            except ConnectionFailed:
                base = f"http://{self._host}"
        self._base = base

    def _new_session(self, verify: bool) -> requests.Session:
        session = requests.Session()
        session.headers.update({"User-Agent": f"dockerkit/{__version__}", "Accept-Encoding": "identity"})
        session.auth = lambda request: request  # otherwise requests would add credentials from ~/.netrc
        context = _context(self._host, self._ca_cert, verify)
        session.mount("https://", _Adapter(context))
        session.mount("http://", _Adapter(context))
        registry_context = _context(self._host, self._ca_cert, verify, client_certs=True)
        session.mount(f"https://{self._host}/", _Adapter(registry_context))
        return session

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: Body, **options: Any) -> requests.Response:
        assert self._session is not None
        # Engines and the docker command never use a proxy for this machine; requests would, without NO_PROXY.
        proxies = {"http": "", "https": ""} if is_loopback(urlsplit(url).netloc) else {}
        try:
            return runtime.run_blocking(
                self._session.request, method, url, headers=dict(headers), data=body, stream=True, allow_redirects=False,
                timeout=self._timeout, proxies=proxies,
                verify=self._verifies, **options,  # passed here, since REQUESTS_CA_BUNDLE overrides a session's False
            )  # fmt: skip
        except requests.RequestException as error:  # its message contains the URL, which may contain a signature
            raise _connection_error(error, _origin(url)) from None

    def _pause(self, response: requests.Response, attempt: int) -> bool:
        """Wait before a retry; return False if the request should not be repeated."""
        if response.status_code not in _RETRYABLE or attempt >= self._retries:
            return False
        try:
            wait = Retry().get_retry_after(response.raw)
        except (InvalidHeader, ValueError, OverflowError):
            wait = None
        if wait is None:
            wait = _backoff(attempt)
        if wait > _MAX_WAIT_SECONDS:
            return False
        response.close()
        runtime.sleep(wait)
        return True

    def _error(self, response: requests.Response, method: str, what: str) -> APIError:
        try:
            content = read_all(response, _MAX_ERROR_BYTES, what)
        except (RegistryError, StreamTruncated, ReadTimeout):
            content = b""
        error_response = ErrorResponse(
            response.status_code,
            response.reason or "",
            {},
            _explanation(content),
            method,
            f"{self._host}/{what.removeprefix(self._host).lstrip('/')}",
        )
        return api_error(error_response)


class _Adapter(HTTPAdapter):
    """Adapter with a custom TLS context. Does not warn if the user disabled verification."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def close(self) -> None:
        """Close idle connections immediately; requests leaves that to the garbage collector."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            pools = manager.pools
            for pool in [pools.get(key) for key in pools.keys()]:  # noqa: SIM118  not a dict, and not iterable
                if pool is not None:
                    pool.close()
        super().close()

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options, ssl_context=self._context)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _SilentPool(HTTPSConnectionPool):
    def _validate_conn(self, conn: Any) -> None:
        """Connect, without urllib3's warning about each unverified request."""
        if conn.sock is None:
            conn.connect()


_POOLS = {"http": HTTPConnectionPool, "https": _SilentPool}


def is_loopback(host: str) -> bool:
    """Return whether a registry is on this machine, which engines treat as insecure."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def read_blocks(response: requests.Response, what: str) -> Iterator[bytes]:
    """Yield the body of a response in blocks."""
    response.raw.enforce_content_length = True  # urllib3 1 does not by default
    try:
        blocks = response.raw.stream(_BLOCK, decode_content=False)
        while block := runtime.run_blocking(next, blocks, b""):
            yield block
    except urllib3.exceptions.ReadTimeoutError:
        raise ReadTimeout(f"{what}: the registry stopped sending") from None
    except (urllib3.exceptions.HTTPError, OSError):
        raise StreamTruncated(f"{what}: the registry closed the connection before the end") from None
    finally:
        response.close()


def read_all(response: requests.Response, limit: int, what: str) -> bytes:
    """Return the whole body of a response; refuse more than `limit` bytes."""
    data = bytearray()
    for block in read_blocks(response, what):
        data += block
        if len(data) > limit:
            response.close()
            raise RegistryError(f"{what}: the registry's response is larger than {limit} bytes")
    return bytes(data)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _context(host: str, ca_cert: str | None, verify: bool, *, client_certs: bool = False) -> ssl.SSLContext:
    """Return the TLS context for a registry, with the system's authorities and those that an engine would trust for it.

    With `client_certs`, load the client certificates too. Only the registry itself receives one, not redirect targets
    and token services.
    """
    context = TLSConfig(verify=verify).ssl_context()
    # This urllib3 compares the name itself, and can't let ssl do so for IP addresses.
    if importlib.metadata.version("urllib3").startswith("1."):
        context.check_hostname = False
    folders = [os.path.join(os.path.expanduser(folder), host) for folder in _CERTIFICATES]
    authorities = [path for folder in folders for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.crt")))]
    for path in [ca_cert] if ca_cert else authorities:
        TLSConfig(ca_cert=path).ssl_context()  # names the file that is not a certificate
        context.load_verify_locations(cafile=path)
    for folder in folders if client_certs else ():
        for cert in sorted(glob.glob(os.path.join(glob.escape(folder), "*.cert"))):
            TLSConfig._load_client_cert(context, cert, cert.removesuffix(".cert") + ".key")
    return context


def _connection_error(error: requests.RequestException, origin: str) -> ConnectionFailed | ReadTimeout | RegistryError:
    if isinstance(error, requests.ConnectTimeout):
        return ConnectTimeout(f"{origin}: the registry did not accept the connection in time")
    if isinstance(error, requests.Timeout):
        return ReadTimeout(f"{origin}: the registry did not respond in time")
    if isinstance(error, requests.exceptions.SSLError):
        return ConnectionFailed(
            f"{origin}: the TLS connection to the registry failed: {_reason(error)}; pass ca_cert= to trust its authority, or "
            "insecure=True for a registry without a valid certificate"
        )
    if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return ConnectionFailed(f"{origin}: the registry could not be reached: {_reason(error)}")
    return RegistryError(f"{origin}: the request to the registry failed: {type(error).__name__}")


def _reason(error: BaseException) -> str:
    """Return the innermost reason, without the URL that urllib3 and requests include."""
    inner: Any = error
    for _ in range(5):
        if isinstance(inner, ssl.SSLError) or (isinstance(inner, OSError) and inner.errno):
            return getattr(inner, "verify_message", None) or inner.strerror or type(inner).__name__
        nested = [getattr(inner, "reason", None), *getattr(inner, "args", ()), inner.__cause__, inner.__context__]
        inner = next((item for item in nested if isinstance(item, BaseException)), inner)
    return type(inner).__name__


def _explanation(content: bytes) -> bytes:
    """Convert a registry's error to the format that :func:`api_error` reads."""
    try:
        errors = json.loads(content)["errors"]
        messages = [f"{item.get('code', '')}: {item.get('message', '')}".strip(": ") for item in errors]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return content
    return "; ".join(messages).encode()


def _backoff(attempt: int) -> float:
    return min(0.25 * 2.0**attempt, 8.0)
