"""Streams of containers: logs, input and output, statistics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, overload

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.encode import scalar
from dockerkit.api.request import Request
from dockerkit.errors import InvalidArgument
from dockerkit.parsing.values import mapping
from dockerkit.streams import FrameStream, JSONStream
from dockerkit.streams.readers import DemuxedOutput
from dockerkit.transport import HijackedConnection

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from websocket import WebSocket

    from dockerkit.types import answers
    from dockerkit.types.flags import No, Yes

_END_OF_TIME = 2**63 // 10**9  # seconds since 1970: an engine counts them in nanoseconds of 64 bits
_ATTACH = ("stdin", "stdout", "stderr", "stream", "logs", "detachKeys")

TimeLike = datetime | int | float | str | None

ProcessOutput = bytes | DemuxedOutput | FrameStream[bytes] | FrameStream[DemuxedOutput]
"""The output of a process; ``stream`` and ``demux`` select the type."""

if TYPE_CHECKING:

    class LogOptions(TypedDict, total=False):
        """Options of logs() that don't change its return type."""

        timestamps: bool
        tail: int | str | None
        since: TimeLike
        follow: bool | None
        until: TimeLike
        details: bool | None


class ContainerStreamsAPI(APIBase):
    """Calls on containers with streams. ``container`` is an ID, a name, a dict with ``Id``, or an object."""

    def inspect_container(self, container: Ref, size: bool | None = None) -> answers.ContainerInspectResponse:
        """Return all details of a container. ``GET /containers/{id}/json``"""
        raise NotImplementedError  # implemented by ContainerAPI; declared for the methods below

    def _has_terminal(self, container: Ref) -> bool:
        return bool(self.inspect_container(container).get("Config", {}).get("Tty"))

    def _has_stopped(self, container: Ref) -> bool:
        """Return whether it ran and exited. Attaching would then wait for the next start, possibly forever."""
        return self.inspect_container(container).get("State", {}).get("Status") in ("exited", "dead")

    @overload
    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: No = False,
        timestamps: bool = False,
        tail: int | str | None = "all",
        since: TimeLike = None,
        follow: bool | None = None,
        until: TimeLike = None,
        *,
        demux: No = False,
        details: bool | None = None,
    ) -> bytes: ...

    @overload
    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: No = False,
        demux: Yes,
        **options: Unpack[LogOptions],
    ) -> DemuxedOutput: ...

    @overload
    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: Yes,
        demux: No = False,
        **options: Unpack[LogOptions],
    ) -> FrameStream[bytes]: ...

    @overload
    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: Yes,
        demux: Yes,
        **options: Unpack[LogOptions],
    ) -> FrameStream[DemuxedOutput]: ...

    @overload
    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: bool = False,
        *,
        demux: bool = False,
        **options: Unpack[LogOptions],
    ) -> ProcessOutput: ...

    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: bool = False,
        timestamps: bool = False,
        tail: int | str | None = "all",
        since: TimeLike = None,
        follow: bool | None = None,
        until: TimeLike = None,
        *,
        demux: bool = False,
        details: bool | None = None,
    ) -> ProcessOutput:
        """Return the logs of a container. ``GET /containers/{id}/logs``

        Args:
            stdout, stderr: include stdout or stderr.
            stream: return an iterator of chunks.
            timestamps: prefix each line with an RFC 3339 time.
            tail: number of lines from the end, or ``"all"``.
            since, until: only lines after, or before, a time: a datetime (UTC if it is naive), seconds since 1970, or a
                string such as ``"2030-01-31T12:00:00Z"`` or ``"10m"`` (ago).
            follow: keep streaming new output; None means True with `stream`.
            demux: return ``(stdout, stderr)`` instead of the combined output.
            details: prefix each line with the log driver's attributes.

        Returns:
            Bytes, or an iterator of bytes with ``stream``. With ``demux`` a pair, or an iterator of pairs of which one is
            None.

        Raises:
            InvalidArgument: tail, since or until is invalid.
        """
        follows = stream if follow is None else follow
        query = {
            "stdout": stdout,
            "stderr": stderr,
            "follow": follows or None,
            "timestamps": timestamps or None,
            "tail": _tail(tail),
            "since": _time_seconds("since", since),
            "until": _time_seconds("until", until),
            "details": details,
        }
        output = self._frames(
            "GET",
            "/containers/{id}/logs",
            id=container,
            query=query,
            tty=lambda: self._has_terminal(container),
            stream=follows,
            demux=demux,
        )
        return _as_requested(output, stream, demux)

    def log_records(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        *,
        tail: int | str | None = "all",
        since: TimeLike = None,
        until: TimeLike = None,
        follow: bool = False,
        details: bool | None = None,
    ) -> JSONStream[dict[str, Any]]:
        """Stream the logs of a container as JSON records. ``GET /containers/{id}/logs``

        Sends ``format=json`` (API 1.54). The format is experimental, so the fields of a record may change.
        ``container.log_entries()`` works with all engines.

        Args:
            stdout, stderr: include stdout or stderr.
            tail: number of lines from the end, or ``"all"``.
            since, until: only lines after, or before, a time, as in :meth:`logs`.
            follow: keep streaming new output.
            details: include the log driver's attributes.

        Returns:
            An iterator of the engine's records that can be closed from any thread.

        Raises:
            InvalidVersion: the API version has no JSON logs.
            InvalidArgument: tail, since or until is invalid.
        """
        query = {
            "stdout": stdout,
            "stderr": stderr,
            "follow": follow or None,
            "tail": _tail(tail),
            "since": _time_seconds("since", since),
            "until": _time_seconds("until", until),
            "details": details,
            "format": "json",
        }
        return self._json_lines("GET", "/containers/{id}/logs", id=container, query=query, decode=True)

    @overload
    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: No = False,
        logs: bool = False,
        demux: No = False,
    ) -> bytes: ...

    @overload
    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: No = False,
        logs: bool = False,
        *,
        demux: Yes,
    ) -> DemuxedOutput: ...

    @overload
    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: Yes,
        logs: bool = False,
        demux: No = False,
    ) -> FrameStream[bytes]: ...

    @overload
    def attach(
        self, container: Ref, stdout: bool = True, stderr: bool = True, *, stream: Yes, logs: bool = False, demux: Yes
    ) -> FrameStream[DemuxedOutput]: ...

    @overload
    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: bool = False,
        logs: bool = False,
        demux: bool = False,
    ) -> ProcessOutput: ...

    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: bool = False,
        logs: bool = False,
        demux: bool = False,
    ) -> ProcessOutput:
        """Return the output of a container from now on, until it stops. ``POST /containers/{id}/attach``

        Args:
            stdout, stderr: include stdout or stderr.
            stream: return an iterator of chunks as they arrive.
            logs: include earlier output.
            demux: return ``(stdout, stderr)`` instead of the combined output.

        Returns:
            Bytes when the container has stopped (empty if it had stopped before), or an iterator with ``stream``. With
            ``logs`` but without ``stream``, the output so far.
        """
        query = {"stdout": stdout, "stderr": stderr, "logs": logs or None, "stream": stream or not logs}
        if not (stream or logs) and self._has_stopped(container):
            return (None, None) if demux else b""
        hijacked = self._hijack("POST", "/containers/{id}/attach", id=container, query=query)
        output = self.read_output(hijacked, tty=lambda: self._has_terminal(container), demux=demux)
        return _as_requested(output, stream, demux)

    @overload
    def attach_socket(
        self, container: Ref, params: Mapping[str, object] | None = None, ws: No = False
    ) -> HijackedConnection: ...

    @overload
    def attach_socket(
        self, container: Ref, params: Mapping[str, object] | None = None, ws: bool = False
    ) -> HijackedConnection | WebSocket: ...

    def attach_socket(
        self, container: Ref, params: Mapping[str, object] | None = None, ws: bool = False
    ) -> HijackedConnection | WebSocket:
        """Return a socket for input and output of a container. ``POST /containers/{id}/attach``, ``GET /containers/{id}/attach/ws``

        Args:
            params: the Engine's parameters: ``stdin``, ``stdout``, ``stderr``, ``stream``, ``logs``, ``detachKeys``;
                None means stdout, stderr and stream.
            ws: use a websocket (requires ``dockerkit[websocket]``).

        Returns:
            The raw connection; without a terminal, the output is multiplexed. The caller closes it.
        """
        query: dict[str, object] = {"stdout": 1, "stderr": 1, "stream": 1}
        if params is not None:
            query = dict(mapping(params, "params"))
        if self._default_detach_keys is not None:
            query.setdefault("detachKeys", self._default_detach_keys)
        if unknown := query.keys() - _ATTACH:
            raise InvalidArgument(
                f"params: unknown {', '.join(sorted(map(str, unknown)))}; the Engine accepts {', '.join(_ATTACH)}"
            )
        if ws:
            from dockerkit.transport.websocket import connect

            path = "/containers/{id}/attach/ws"
            # Engines before API 1.42 ignore these three and always connect all of them.
            always = {name for name in ("stdin", "stdout", "stderr") if not self.supports(f"GET {path}", name)}
            query = {name: value for name, value in query.items() if not (name in always and value)}
            return connect(self._transport, self._encode(Request("GET", path, {"id": container}, query)), self.endpoint)
        return self._hijack("POST", "/containers/{id}/attach", id=container, query=query)

    @overload
    def stats(self, container: Ref, decode: No | None = None, stream: Yes = True) -> JSONStream[bytes]: ...

    @overload
    def stats(self, container: Ref, decode: Yes, stream: Yes = True) -> JSONStream[answers.ContainerStatsResponse]: ...

    @overload
    def stats(
        self, container: Ref, decode: bool | None = None, *, stream: No, one_shot: bool | None = None
    ) -> answers.ContainerStatsResponse: ...

    @overload
    def stats(
        self, container: Ref, decode: bool | None = None, stream: bool = True, one_shot: bool | None = None
    ) -> JSONStream[bytes] | JSONStream[answers.ContainerStatsResponse] | answers.ContainerStatsResponse: ...

    def stats(
        self, container: Ref, decode: bool | None = None, stream: bool = True, one_shot: bool | None = None
    ) -> JSONStream[bytes] | JSONStream[answers.ContainerStatsResponse] | answers.ContainerStatsResponse:
        """Return a container's usage of CPU, memory, network and disks. ``GET /containers/{id}/stats``

        Args:
            decode: yield dicts instead of bytes, when streaming.
            stream: return an endless iterator of one record per second; False returns one record.
            one_shot: return one record immediately, without waiting for a second sample (API 1.41).

        Returns:
            An iterator of records; one dict with ``stream=False``.

        Raises:
            InvalidArgument: ``one_shot`` together with ``stream``.
        """
        if stream:
            if one_shot:
                raise InvalidArgument("one_shot: returns one record; pass stream=False too")
            query = {"stream": True}
            return self._json_lines("GET", "/containers/{id}/stats", id=container, query=query, decode=decode)
        return self._json("GET", "/containers/{id}/stats", id=container, query={"stream": False, "one-shot": one_shot})


def _as_requested(output: FrameStream[Any], stream: bool, demux: bool) -> ProcessOutput:
    """Return output as an iterator or all at once, as requested."""
    if stream:
        return output
    with output:
        return output.read_demuxed() if demux else output.read_all()


def _tail(tail: int | str | None) -> int | str:
    if tail is None or tail in (-1, "-1"):  # -1 is the docker command's way to say it
        return "all"
    if tail == "all" or (isinstance(tail, int) and not isinstance(tail, bool) and tail >= 0):
        return tail
    if isinstance(tail, str) and tail.isascii() and tail.isdigit():
        return int(tail)
    raise InvalidArgument(f'tail: must be "all" or a number of lines, got {tail!r}')


def _time_seconds(parameter: str, time: TimeLike) -> str | None:
    """Return a time in seconds since 1970, as the engine takes it. Accepts the docker command's strings too."""
    if time is None:
        return None
    if isinstance(time, str):
        return _time_string(parameter, time)
    if isinstance(time, datetime):
        return scalar(parameter, time)
    if isinstance(time, (int, float)) and not isinstance(time, bool) and 0 <= time < _END_OF_TIME:
        return scalar(parameter, time)
    raise InvalidArgument(f"{parameter}: must be a datetime or seconds since 1970, got {time!r}")


def _time_string(parameter: str, time: str) -> str:
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", time):
        return time
    from dockerkit.parsing import values

    try:
        ago = timedelta(microseconds=values.nanoseconds(time, parameter) // 1000)
        return scalar(parameter, datetime.now(UTC) - ago)
    except (InvalidArgument, OverflowError):
        pass
    fraction = re.search(r"\.([0-9]{1,9})", time)  # parsed separately, since a datetime only has microseconds
    try:
        seconds = scalar(parameter, datetime.fromisoformat(time.replace(fraction[0], "", 1) if fraction else time))
    except ValueError:
        expected = 'a datetime, seconds since 1970, or a string such as "2030-01-31T12:00:00Z" or "10m"'
        raise InvalidArgument(f"{parameter}: must be {expected}, got {time!r}") from None
    return seconds + (fraction[0] if fraction else "")
