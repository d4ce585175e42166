"""What a call is made of: a method for each kind of answer.

A call of the API layer is one line: verb, path template, query, body, kind of answer. How it is sent is in
``connected.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api import versions
from dockerkit.api.connected import UNSET, Connected, Data, Json, Timeout, Unset
from dockerkit.api.refs import Ref
from dockerkit.constants import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import InvalidArgument, StreamError, StreamParseError
from dockerkit.streams import ByteStream, FrameStream, JSONStream, ProgressStream
from dockerkit.transport import Exchange, Hijacked

if TYPE_CHECKING:
    from dockerkit.types.wire import ToEngine

__all__ = ["UNSET", "Base", "Data", "Json", "Ref", "Timeout", "Unset"]

_MULTIPLEXED = "application/vnd.docker.multiplexed-stream"


class Base(Connected):
    """A client of one engine, with a method for each kind of answer. See :class:`Connected` for its arguments."""

    def _none(
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
        """A call that answers nothing."""
        self._send(method, path, ids=ids, query=query, body=body, data=data, timeout=timeout).read()

    def _changed(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        timeout: Timeout = UNSET,
        **ids: Ref,
    ) -> bool:
        """A call that answers nothing; False where everything was so already (304)."""
        exchange = self._send(method, path, ids=ids, query=query, timeout=timeout)
        exchange.read()
        return exchange.status != 304

    def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Json | ToEngine | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = UNSET,
        versioned: bool = True,
        kind: type[dict[str, Any] | list[Any] | str] = dict,
        needs: str | None = None,
        **ids: Ref,
    ) -> Any:
        """A call that answers JSON of a kind: one object, a list of objects, or a text. An empty answer is None.

        Raises:
            StreamParseError: the answer is no JSON, of another kind, or without the text `needs`, which callers go on with.
        """
        exchange = self._send(
            method, path, ids=ids, query=query, body=body, headers=headers, timeout=timeout, versioned=versioned
        )
        content = exchange.read()
        if not content:
            return None
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise StreamParseError(f"the answer to {method} {path} is no JSON: {content[:200]!r}") from error
        if answer is None and kind is list:
            return []  # how engines write an empty list at times
        if not isinstance(answer, kind) or (kind is list and not all(isinstance(item, dict) for item in answer)):
            wanted = {dict: "an object", list: "a list of objects", str: "a text"}[kind]
            raise StreamParseError(f"the answer to {method} {path} is not {wanted}: {content[:200]!r}")
        if needs is not None and not (isinstance(answer, dict) and isinstance(answer.get(needs), str)):
            raise StreamParseError(f"the answer to {method} {path} has no {needs}: {content[:200]!r}")
        return answer

    def _text(self, method: str, path: str, *, versioned: bool = True, **ids: Ref) -> str:
        """A call that answers plain text."""
        return self._send(method, path, ids=ids, versioned=versioned).read().decode("utf-8", "replace")

    def _headers(
        self, method: str, path: str, *, query: Mapping[str, object] | None = None, **ids: Ref
    ) -> Mapping[str, str]:
        """A call whose answer is in its headers."""
        exchange = self._send(method, path, ids=ids, query=query)
        exchange.read()
        return exchange.headers

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
        """A call that answers a stream of bytes, a tar archive mostly."""
        if chunk_size is not None and chunk_size < 1:
            raise InvalidArgument(f"chunk_size: a number of bytes above 0 is needed, not {chunk_size!r}")
        exchange = self._send(method, path, ids=ids, query=query, headers=headers, timeout=None, versioned=versioned)
        return ByteStream(exchange, chunk_size or DEFAULT_DATA_CHUNK_SIZE)

    def _json_lines(
        self,
        method: str,
        path: str,
        *,
        decode: bool | None,
        query: Mapping[str, object] | None = None,
        **ids: Ref,
    ) -> JSONStream[Any]:
        """A call that answers JSON records without end; dicts with ``decode``, else the bytes of each."""
        exchange = self._send(method, path, ids=ids, query=query, timeout=None)
        return JSONStream(exchange, decoded=bool(decode))

    def _progress(
        self,
        method: str,
        path: str,
        *,
        decode: bool | None = True,
        error: Callable[[str, int | None, Mapping[str, Any]], StreamError] = StreamError,
        query: Mapping[str, object] | None = None,
        body: Json | ToEngine | None = None,
        data: Data | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = None,
        **ids: Ref,
    ) -> ProgressStream[Any]:
        """A call that answers progress records; a failure in them is raised as ``error``."""
        exchange = self._send(
            method, path, ids=ids, query=query, body=body, data=data, headers=headers, timeout=timeout
        )
        return ProgressStream(exchange, decoded=bool(decode), failed=error)

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
        """A call that answers a process's output: with frames, or raw from a terminal.

        Args:
            method, path, query, ids: as elsewhere.
            tty: asked whether a terminal made the output, only where the engine does not tell.
            stream: no read timeout, since the next output may come at any time.
            demux: pairs (stdout, stderr) instead of chunks.
        """
        exchange = self._send(method, path, ids=ids, query=query, timeout=None if stream else UNSET)
        try:
            multiplexed = self._is_multiplexed(exchange.headers.get("Content-Type") or "", tty)
        except BaseException:
            exchange.close()
            raise
        return FrameStream(exchange, multiplexed=multiplexed, demux=demux)

    def _hijack(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Json | ToEngine | None = None,
        headers: Mapping[str, str] | None = None,
        **ids: Ref,
    ) -> Hijacked:
        """A call that takes its connection over: input and output of a process."""
        target, sent, payload = self._request(method, path, ids, query, body, None, headers)
        assert payload is None or isinstance(payload, bytes)
        answer = self._transport.upgrade(method, target, sent, payload, timeouts=self._timeouts, route=path)
        if isinstance(answer, Exchange):
            self._fail(answer, method, target, path)
        return answer

    def _output(self, hijacked: Hijacked, *, tty: Callable[[], bool], demux: bool = False) -> FrameStream[Any]:
        """The output of a hijacked connection."""
        try:
            multiplexed = self._is_multiplexed(hijacked.media_type, tty)
        except BaseException:
            hijacked.close()
            raise
        return FrameStream(hijacked, multiplexed=multiplexed, demux=demux)

    def _is_multiplexed(self, content_type: str, tty: Callable[[], bool]) -> bool:
        """Whether output has frames: the media type tells from API 1.42 on, the terminal below."""
        if content_type.startswith(_MULTIPLEXED):
            return True
        if self._supports(versions.MEDIA_TYPE_TELLS):
            return False
        return not tty()
