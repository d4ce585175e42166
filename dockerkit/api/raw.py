"""Manual requests, as docker-py's APIClient inherits them from requests.Session, for calls without a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict, cast
from urllib.parse import quote, urlsplit

from dockerkit.api import encode
from dockerkit.api.base import UNSET, APIBase, Data, Timeout
from dockerkit.errors import InvalidArgument
from dockerkit.parsing.json_data import to_json_data
from dockerkit.parsing.values import string
from dockerkit.transport import HTTPRequest, Response

if TYPE_CHECKING:
    from typing import Unpack

    import requests


class RawOptions(TypedDict, total=False):
    """Options of manual requests besides their body."""

    params: Mapping[str, object] | None
    """The query parameters; None is omitted."""
    headers: Mapping[str, str] | None
    """Sent in addition to the client's."""
    stream: bool
    """Don't read the body, so that it can be read in blocks."""
    timeout: Timeout
    """Seconds, or a pair of connect and read timeout."""


class RawAPI(APIBase):
    """The part of APIClient that sends manual requests."""

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
        stream: bool = False,
    ) -> requests.Response:
        """Send one request over this client's connections, as a ``requests.Session`` would. Error statuses don't raise.

        Args:
            method: HTTP method.
            url: path with or without ``/v1.xx``, optionally prefixed with :attr:`base_url`.
            params: query parameters; None is omitted.
            data: body as bytes, a binary file, or blocks of bytes.
            headers: sent in addition to the client's.
            timeout: seconds, or a pair of connect and read timeout.
            json: body to send as JSON.
            stream: don't read the body; use ``iter_content`` or ``raw``, then close the response.

        Returns:
            requests' Response.

        Raises:
            InvalidArgument: the URL belongs to another server, or both ``data`` and ``json`` are passed.
            ConnectionFailed: the engine did not respond.

        Example::

            client.api.request("GET", "/containers/json", params={"all": True}).json()
        """
        if data is not None and json is not None:
            raise InvalidArgument("data: pass either data or json, not both")
        target = string(url, "url").removeprefix(self.base_url)
        if not target.startswith("/") or any(ord(character) <= 32 or ord(character) == 127 for character in target):
            raise InvalidArgument(f"url: must be a path of this engine, got {url!r}")
        if params:
            query = encode.query_string(params)
            target += query.replace("?", "&", 1) if "?" in target else query
        request_headers = {**self.headers, **(headers or {})}
        if json is not None:
            data = encode.json_body(to_json_data(json))
            request_headers.setdefault("Content-Type", "application/json")
        return self._session.request(
            method,
            self.base_url + target,
            data=cast("bytes | None", data),
            headers=request_headers,
            timeout=cast("float | None", timeout),
            allow_redirects=False,
            stream=stream,
        )

    @property
    def _session(self) -> requests.Session:
        """A requests session over this client's transport."""
        from dockerkit.api import adapter

        prefix = self.endpoint.path if self.endpoint.scheme == "tcp" else ""
        return adapter.session(self._send_raw, self.base_url, prefix, {})

    def _send_raw(self, request: HTTPRequest, timeout: Timeout) -> Response:
        return self._transport.send(request._replace(timeouts=self._timeouts_of(timeout)))

    def get(self, url: str, **options: Unpack[RawOptions]) -> requests.Response:
        """Send a GET request, see :meth:`request`."""
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Unpack[RawOptions]) -> requests.Response:
        """Send a HEAD request, see :meth:`request`."""
        return self.request("HEAD", url, **options)

    def post(
        self, url: str, data: Data | None = None, json: object = None, **options: Unpack[RawOptions]
    ) -> requests.Response:
        """Send a POST request, see :meth:`request`."""
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url: str, data: Data | None = None, **options: Unpack[RawOptions]) -> requests.Response:
        """Send a PUT request, see :meth:`request`."""
        return self.request("PUT", url, data=data, **options)

    def delete(self, url: str, **options: Unpack[RawOptions]) -> requests.Response:
        """Send a DELETE request, see :meth:`request`."""
        return self.request("DELETE", url, **options)

    # -- private in docker-py, but used in existing code -----------------------------------------------------------------------

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
        from dockerkit.errors.api import ErrorResponse
        from dockerkit.errors.explain import api_error

        if response.status_code >= 400:
            headers = dict(response.headers)
            error_response = ErrorResponse(
                response.status_code, response.reason, headers, response.content, "", response.url
            )
            raise self.phrased(api_error(error_response, route=urlsplit(response.url).path))

    def _result(self, response: requests.Response, json: bool = False, binary: bool = False) -> Any:
        self._raise_for_status(response)
        return response.json() if json else response.content if binary else response.text
