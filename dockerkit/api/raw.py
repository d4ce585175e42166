"""Requests by hand, as docker-py's APIClient takes them from requests.Session: for calls that there are no methods for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote, urlsplit

from dockerkit.api import encode
from dockerkit.api.base import UNSET, Base, Data, Timeout
from dockerkit.errors import InvalidArgument
from dockerkit.types.wire import wire

if TYPE_CHECKING:
    from typing import Unpack

    import requests

_SCHEMES = {"unix": "http+docker://localhost", "npipe": "http+docker://localnpipe", "ssh": "http+docker://ssh"}


class RawOptions(TypedDict, total=False):
    """What requests by hand take besides their body."""

    params: Mapping[str, object] | None
    """The query; None in it is left out."""
    headers: Mapping[str, str] | None
    """Sent besides the client's own."""
    timeout: Timeout
    """Seconds, or a pair for connecting and reading."""


class RawAPI(Base):
    """The part of APIClient that sends what it is told to."""

    @property
    def base_url(self) -> str:
        """The engine's address in docker-py's form: ``http://host:port``, or ``http+docker://localhost`` for a socket.

        It tells a local engine from a remote one; :attr:`endpoint` has the real address.
        """
        scheme, _, rest = self.endpoint.host.partition("://")
        if scheme in _SCHEMES:
            return _SCHEMES[scheme]
        return f"{'https' if self.endpoint.tls else 'http'}://{rest}"

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Data | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = UNSET,
        *,
        json: object = None,
    ) -> requests.Response:
        """Send one request, and read its whole answer, whatever the status.

        Args:
            method: the verb.
            url: path, with ``/v1.xx`` or without; :attr:`base_url` may stand before it.
            params: the query; None in it is left out.
            data: the body: bytes, a binary file, or blocks of bytes.
            headers: sent besides the client's own.
            timeout: seconds, or a pair for connecting and reading.
            json: the body, to be sent as JSON.

        Returns:
            requests' Response, read to its end.

        Raises:
            InvalidArgument: the URL is another server's, or ``data`` and ``json`` are both given.
            ConnectionFailed: no answer came.

        Example::

            client.api.request("GET", "/containers/json", params={"all": True}).json()
        """
        if data is not None and json is not None:
            raise InvalidArgument("data: give data or json, not both")
        target = url.removeprefix(self.base_url)
        if not target.startswith("/") or any(ord(character) <= 32 or ord(character) == 127 for character in target):
            raise InvalidArgument(f"url: a path of this engine is needed, not {url!r}")
        if params:
            query = encode.query_string(params)
            target += query.replace("?", "&", 1) if "?" in target else query
        sent = {**self.headers, **(headers or {})}
        if json is not None:
            data = encode.json_body(wire(json))
            sent.setdefault("Content-Type", "application/json")
        with self._transport.request(method, target, sent, data, timeouts=self._timeouts_of(timeout)) as exchange:
            return _response(
                exchange.status, exchange.reason, exchange.headers, exchange.read(), self.base_url + target
            )

    def get(self, url: str, **options: Unpack[RawOptions]) -> requests.Response:
        """:meth:`request` with GET."""
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Unpack[RawOptions]) -> requests.Response:
        """:meth:`request` with HEAD."""
        return self.request("HEAD", url, **options)

    def post(
        self, url: str, data: Data | None = None, json: object = None, **options: Unpack[RawOptions]
    ) -> requests.Response:
        """:meth:`request` with POST."""
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url: str, data: Data | None = None, **options: Unpack[RawOptions]) -> requests.Response:
        """:meth:`request` with PUT."""
        return self.request("PUT", url, data=data, **options)

    def delete(self, url: str, **options: Unpack[RawOptions]) -> requests.Response:
        """:meth:`request` with DELETE."""
        return self.request("DELETE", url, **options)

    # -- underscored, but used in the wild -----------------------------------------------------------------------

    @property
    def _version(self) -> str:
        return self.api_version

    def _url(self, pathfmt: str, *args: str, versioned_api: bool = True) -> str:
        path = pathfmt.format(*(quote(str(arg), safe="/:") for arg in args))
        return f"{self.base_url}/v{self.api_version}{path}" if versioned_api else self.base_url + path

    def _set_request_timeout(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        kwargs.setdefault("timeout", self.timeout)
        return kwargs

    _get, _post, _put, _delete = get, post, put, delete

    def _raise_for_status(self, response: requests.Response) -> None:
        from dockerkit.request_errors import ErrorAnswer, api_error

        if response.status_code >= 400:
            headers = dict(response.headers)
            answer = ErrorAnswer(response.status_code, response.reason, headers, response.content, "", response.url)
            raise api_error(answer, image="/images/" in urlsplit(response.url).path)

    def _result(self, response: requests.Response, json: bool = False, binary: bool = False) -> Any:
        self._raise_for_status(response)
        return response.json() if json else response.content if binary else response.text


def _response(status: int, reason: str, headers: Mapping[str, str], content: bytes, url: str) -> requests.Response:
    import io

    import requests
    from requests.structures import CaseInsensitiveDict
    from requests.utils import get_encoding_from_headers

    response = requests.Response()
    response.status_code, response.reason, response.url = status, reason, url
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = io.BytesIO(content)
    response._content = content
    return response
