"""The base of all calls: a method for each kind of response.

A call of the API layer is one line: verb, path template, query, body, kind of response. Sending is implemented in
``engine_client.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.api import versions
from dockerkit.api.defaults import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.api.engine_client import EngineClient
from dockerkit.api.refs import Ref, action_of
from dockerkit.api.request import UNSET, Data, Json, Request, Timeout, Unset
from dockerkit.errors import InvalidArgument, StreamParseError
from dockerkit.streams import ByteStream, FrameStream, JSONStream, ProgressStream
from dockerkit.transport import HijackedConnection

if TYPE_CHECKING:
    from dockerkit.parsing.json_data import ToEngine

__all__ = ["UNSET", "APIBase", "Data", "Json", "Ref", "Timeout", "Unset"]

_MULTIPLEXED = "application/vnd.docker.multiplexed-stream"


class APIBase(EngineClient):
    """A client of one engine, with a method for each kind of response. :class:`EngineClient` describes its arguments."""

    def _no_content(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Json | ToEngine | None = None,
        data: Data | None = None,
        timeout: Timeout = UNSET,
        **ids: Ref,
    ) -> None:
        """Send a request whose response has no body."""
        self._send(Request(method, path, ids, query, body, data, timeout=timeout)).read()

    def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Json | ToEngine | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = UNSET,
        slow: bool = True,
        versioned: bool = True,
        kind: type[dict[str, Any] | list[Any] | str] = dict,
        needs: str | None = None,
        lists: Sequence[str] = (),
        **ids: Ref,
    ) -> Any:
        """Send a request that returns JSON: one object, a list of objects, or a string; None for 204.

        In the fields named by `lists`, null is replaced with [].

        Raises:
            StreamParseError: the response is not JSON, is of another kind, or lacks the string field `needs`.
        """
        response = self._send(Request(method, path, ids, query, body, None, headers, timeout, slow, versioned))
        content = response.read()
        if not content and response.status == 204:
            return None
        try:
            result: Any = json.loads(content)
        except (ValueError, RecursionError) as error:
            from dockerkit.errors.explain import NOT_AN_ENGINE, is_web_page

            problem = f", but a web page. {NOT_AN_ENGINE}" if is_web_page(content) else f": {content[:200]!r}"
            raise StreamParseError(f"the response to {method} {path} is not JSON{problem}") from error
        if kind is list and result in (None, {}):
            return []  # engines sometimes write an empty list as null, and what stands in for one as {}
        if kind is list and isinstance(result, dict) and ("Id" in result or "ID" in result):
            return [result]  # a single object in place of a list of one
        if not isinstance(result, kind) or (kind is list and not all(isinstance(item, dict) for item in result)):
            expected = {dict: "an object", list: "a list of objects", str: "a string"}[kind]
            raise StreamParseError(f"the response to {method} {path} is not {expected}: {content[:200]!r}")
        if needs is not None and isinstance(result, dict) and needs not in result:
            result.update((needs, value) for name, value in [*result.items()] if name.lower() == needs.lower())
        if needs is not None and not (isinstance(result, dict) and isinstance(result.get(needs), str)):
            raise StreamParseError(f"the response to {method} {path} has no {needs}: {content[:200]!r}")
        if isinstance(result, dict):
            result.update((name, []) for name in lists if name in result and result[name] is None)
        return result

    def _text(self, method: str, path: str, *, versioned: bool = True, **ids: Ref) -> str:
        """Send a request that returns plain text."""
        return self._send(Request(method, path, ids, versioned=versioned)).read().decode("utf-8", "replace")

    def _headers(
        self, method: str, path: str, *, query: Mapping[str, object] | None = None, **ids: Ref
    ) -> Mapping[str, str]:
        """Send a request that returns its result in the headers."""
        response = self._send(Request(method, path, ids, query))
        response.read()
        return response.headers

    def _bytes(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE,
        versioned: bool = True,
        **ids: Ref,
    ) -> ByteStream:
        """Send a request that returns a stream of bytes, such as a tar archive."""
        if chunk_size is not None and (type(chunk_size) is not int or chunk_size < 1):
            raise InvalidArgument(f"chunk_size: must be a positive number of bytes, got {chunk_size!r}")
        response = self._send(Request(method, path, ids, query, headers=headers, timeout=None, versioned=versioned))
        return ByteStream(response, chunk_size or DEFAULT_DATA_CHUNK_SIZE)

    def _json_lines(
        self,
        method: str,
        path: str,
        *,
        decode: bool | None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        **ids: Ref,
    ) -> JSONStream[Any]:
        """Send a request that returns an endless stream of JSON records: dicts with ``decode``, otherwise bytes."""
        response = self._send(Request(method, path, ids, query, headers=headers, timeout=None, slow=False))
        return JSONStream(response, decoded=bool(decode))

    def _progress(
        self,
        method: str,
        path: str,
        *,
        decode: bool | None = True,
        error: str = "StreamError",
        query: Mapping[str, object] | None = None,
        body: Json | ToEngine | None = None,
        data: Data | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = None,
        **ids: Ref,
    ) -> ProgressStream[Any]:
        """Send a request that returns progress records; a failure in them is raised as the exception named ``error``."""
        response = self._send(Request(method, path, ids, query, body, data, headers, timeout))
        raises, action = self.profile.raises_in_streams, action_of(path, ids, query)
        return ProgressStream(response, decoded=bool(decode), error=error, raises=raises, action=action)

    def _frames(
        self,
        method: str,
        path: str,
        *,
        tty: Callable[[], bool],
        stream: bool = False,
        demux: bool = False,
        query: Mapping[str, object] | None = None,
        **ids: Ref,
    ) -> FrameStream[Any]:
        """Send a request that returns the output of a process: multiplexed, or raw from a terminal.

        Args:
            method, path, query, ids: as in :class:`Request`.
            tty: returns whether the process has a terminal; called only if the response does not say.
            stream: disable the read timeout, since output may arrive at any time.
            demux: yield pairs (stdout, stderr) instead of chunks.
        """
        response = self._send(Request(method, path, ids, query, timeout=None if stream else UNSET, slow=False))
        try:
            multiplexed = self.is_multiplexed(response.headers.get("Content-Type") or "", tty)
        except BaseException:
            response.close()
            raise
        return FrameStream(response, multiplexed=multiplexed, demux=demux)

    def _hijack(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Json | ToEngine | None = None,
        headers: Mapping[str, str] | None = None,
        **ids: Ref,
    ) -> HijackedConnection:
        """Send a request that turns its connection into the input and output of a process."""
        request = Request(method, path, ids, query, body, headers=headers)
        encoded = self._encode(request)
        response = self._transport.upgrade(encoded)
        if not isinstance(response, HijackedConnection):
            if self._corrects_version(request, response):
                response.close()
                return self._hijack(method, path, query=query, body=body, headers=headers, **ids)
            self._raise_api_error(response, encoded, ids)
        return response

    def read_output(
        self, hijacked: HijackedConnection, *, tty: Callable[[], bool], demux: bool = False
    ) -> FrameStream[Any]:
        """Read the output of a process from a hijacked connection.

        Args:
            hijacked: from ``attach_socket`` or ``exec_start``; closing the result closes it.
            tty: returns whether the process has a terminal; called only if the response does not say.
            demux: yield pairs (stdout, stderr) instead of chunks.
        """
        try:
            multiplexed = self.is_multiplexed(hijacked.media_type, tty)
        except BaseException:
            hijacked.close()
            raise
        return FrameStream(hijacked, multiplexed=multiplexed, demux=demux)

    def is_multiplexed(self, content_type: str, tty: Callable[[], bool]) -> bool:
        """Return whether output is multiplexed. The media type says so since API 1.42; before, the terminal decides.

        Args:
            content_type: media type of the response.
            tty: returns whether the process has a terminal; called only if the media type does not decide.
        """
        if content_type.startswith(_MULTIPLEXED):
            return True
        if self.supports(versions.MEDIA_TYPE_TELLS):
            return False
        return not tty()
