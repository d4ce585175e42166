"""A ``requests.Session`` over dockerkit's transport, for the raw requests of docker-py's client."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.response import HTTPResponse

from dockerkit.errors import InvalidArgument
from dockerkit.transport import HTTPRequest, Response

if TYPE_CHECKING:
    from dockerkit.api.request import Data

_FRAMING = frozenset({"connection", "host", "content-length", "transfer-encoding"})


class TransportAdapter(HTTPAdapter):
    """Sends the requests of a session over a transport.

    Args:
        send: sends one request with a timeout.
        prefix: part of the URL's path that the transport adds itself.
    """

    def __init__(self, send: Callable[[HTTPRequest, Any], Response], prefix: str = "") -> None:
        super().__init__()
        self._send = send
        self._prefix = prefix

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a prepared request; TLS and proxies are configured by the client."""
        headers = {
            name: value if isinstance(value, str) else value.decode("latin-1")
            for name, value in request.headers.items()
            if name.lower() not in _FRAMING
        }
        body = request.body.encode() if isinstance(request.body, str) else cast("Data | None", request.body)
        target = request.path_url.removeprefix(self._prefix)
        response = self._send(HTTPRequest(request.method or "GET", target, headers, body), timeout)
        raw = HTTPResponse(
            body=_Body(response),
            headers=dict(response.headers),
            status=response.status,
            reason=response.reason,
            preload_content=False,
            decode_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


class _Body(io.RawIOBase):
    """The body of a response as a file that urllib3 reads."""

    def __init__(self, response: Response) -> None:
        self._response = response
        self._blocks: Iterator[bytes] = response.chunks()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = next(self._blocks, b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def close(self) -> None:
        if not self.closed:
            self._response.close()
        super().close()


def session(
    send: Callable[[HTTPRequest, Any], Response], base_url: str, prefix: str, headers: Mapping[str, str]
) -> requests.Session:
    """Return a session that sends requests to one engine over a transport, and refuses all other URLs.

    Args:
        send: as for :class:`TransportAdapter`.
        base_url: prefix of the engine's URLs.
        prefix: prefix of their path.
        headers: headers of each request.
    """
    result = requests.Session()
    result.trust_env = False  # the endpoint's settings apply, not .netrc or the environment's proxies
    result.headers.clear()
    result.headers.update(headers)
    result.adapters.clear()
    result.mount("http", _RejectingAdapter())
    result.mount(base_url, TransportAdapter(send, prefix))
    return result


class _RejectingAdapter(BaseAdapter):
    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        raise InvalidArgument(f"url: must be a path of this engine, got {request.url!r}")

    def close(self) -> None:
        pass
