"""What goes in and out of containers: logs, terminals, statistics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, overload

from dockerkit.api.base import Base, Ref
from dockerkit.api.encode import scalar
from dockerkit.errors import InvalidArgument
from dockerkit.streams import FrameStream, JSONStream
from dockerkit.streams.readers import Pair
from dockerkit.transport import Hijacked

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from websocket import WebSocket

    from dockerkit.types import answers

_END_OF_TIME = 2**63 // 10**9  # seconds since 1970: an engine counts them in nanoseconds of 64 bits
_ATTACH = ("stdin", "stdout", "stderr", "stream", "logs", "detachKeys")

Moment = datetime | int | float | str | None

Output = bytes | Pair | FrameStream[bytes] | FrameStream[Pair]
"""What a process wrote, in one of the forms that ``stream`` and ``demux`` ask for."""

if TYPE_CHECKING:

    class LogOptions(TypedDict, total=False):
        """Of the options of logs those that don't change what is answered."""

        timestamps: bool
        tail: int | str
        since: Moment
        follow: bool | None
        until: Moment
        details: bool | None


class ContainerStreamsAPI(Base):
    """The calls on containers that answer streams, or take them."""

    def inspect_container(self, container: Ref, size: bool | None = None) -> answers.ContainerInspectResponse:
        """All that the engine knows of a container. ``GET /containers/{id}/json``"""
        raise NotImplementedError  # ContainerAPI has it; named here for what asks about terminals below

    def _has_terminal(self, container: Ref) -> bool:
        return bool(self.inspect_container(container).get("Config", {}).get("Tty"))

    def _has_stopped(self, container: Ref) -> bool:
        """Whether it ran and ended: an engine lets who attaches then wait for the next start, maybe for ever."""
        return self.inspect_container(container).get("State", {}).get("Status") in ("exited", "dead")

    @overload
    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: Literal[False] = False,
        timestamps: bool = False,
        tail: int | str = "all",
        since: Moment = None,
        follow: bool | None = None,
        until: Moment = None,
        *,
        demux: Literal[False] = False,
        details: bool | None = None,
    ) -> bytes: ...

    @overload
    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: Literal[False] = False,
        demux: Literal[True],
        **options: Unpack[LogOptions],
    ) -> Pair: ...

    @overload
    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: Literal[True],
        demux: Literal[False] = False,
        **options: Unpack[LogOptions],
    ) -> FrameStream[bytes]: ...

    @overload
    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: Literal[True],
        demux: Literal[True],
        **options: Unpack[LogOptions],
    ) -> FrameStream[Pair]: ...

    @overload
    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: bool = False,
        timestamps: bool = False,
        tail: int | str = "all",
        since: Moment = None,
        follow: bool | None = None,
        until: Moment = None,
        *,
        demux: bool = False,
        details: bool | None = None,
    ) -> Output: ...

    def logs(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: bool = False,
        timestamps: bool = False,
        tail: int | str = "all",
        since: Moment = None,
        follow: bool | None = None,
        until: Moment = None,
        *,
        demux: bool = False,
        details: bool | None = None,
    ) -> Output:
        """What a container has written. ``GET /containers/{id}/logs``

        Args:
            container: id, name, dict with ``Id``, or object.
            stdout, stderr: which of the two.
            stream: an iterator of chunks instead of all at once.
            timestamps: an RFC 3339 time before each line.
            tail: the last so many lines, or ``"all"``.
            since, until: only from, or up to, then: a datetime (UTC where it has no zone), seconds since 1970, or a text:
                ``"2030-01-31T12:00:00Z"``, or ``"10m"`` ago.
            follow: go on with what comes; None follows when streaming.
            demux: ``(stdout, stderr)`` instead of both together.
            details: also the log driver's attributes, before each line.

        Returns:
            bytes; an iterator of bytes with ``stream``; with ``demux`` pairs of which the iterator's have one None.

        Raises:
            InvalidArgument: tail, since or until can't be understood.
        """
        following = stream if follow is None else follow
        query = {
            "stdout": stdout,
            "stderr": stderr,
            "follow": following or None,
            "timestamps": timestamps or None,
            "tail": _tail(tail),
            "since": _moment("since", since),
            "until": _moment("until", until),
            "details": details,
        }
        output = self._frames(
            "GET",
            "/containers/{id}/logs",
            id=container,
            query=query,
            tty=lambda: self._has_terminal(container),
            stream=following,
            demux=demux,
        )
        return _given(output, stream, demux)

    @overload
    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: Literal[False] = False,
        logs: bool = False,
        demux: Literal[False] = False,
    ) -> bytes: ...

    @overload
    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: Literal[False] = False,
        logs: bool = False,
        *,
        demux: Literal[True],
    ) -> Pair: ...

    @overload
    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: Literal[True],
        logs: bool = False,
        demux: Literal[False] = False,
    ) -> FrameStream[bytes]: ...

    @overload
    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: Literal[True],
        logs: bool = False,
        demux: Literal[True],
    ) -> FrameStream[Pair]: ...

    @overload
    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: bool = False,
        logs: bool = False,
        demux: bool = False,
    ) -> Output: ...

    def attach(
        self,
        container: Ref,
        stdout: bool = True,
        stderr: bool = True,
        stream: bool = False,
        logs: bool = False,
        demux: bool = False,
    ) -> Output:
        """What a container writes from now on, until it stops. ``POST /containers/{id}/attach``

        Args:
            container: id, name, dict with ``Id``, or object.
            stdout, stderr: which of the two.
            stream: an iterator of chunks, as they come.
            logs: also what was written before.
            demux: ``(stdout, stderr)`` instead of both together.

        Returns:
            bytes once it has stopped (none where it had before); an iterator with ``stream``; with ``demux`` pairs.
            Without ``stream`` and with ``logs``, what was written so far.
        """
        query = {"stdout": stdout, "stderr": stderr, "logs": logs or None, "stream": stream or not logs}
        if not (stream or logs) and self._has_stopped(container):
            return (None, None) if demux else b""
        hijacked = self._hijack("POST", "/containers/{id}/attach", id=container, query=query)
        output = self._output(hijacked, tty=lambda: self._has_terminal(container), demux=demux)
        return _given(output, stream, demux)

    def attach_socket(
        self, container: Ref, params: Mapping[str, object] | None = None, ws: bool = False
    ) -> Hijacked | WebSocket:
        """A container's input and output as a socket. ``POST /containers/{id}/attach``, ``GET /containers/{id}/attach/ws``

        Args:
            container: id, name, dict with ``Id``, or object.
            params: the Engine's parameters: ``stdin``, ``stdout``, ``stderr``, ``stream``, ``logs``, ``detachKeys``;
                None is stdout, stderr and stream.
            ws: over a websocket (needs ``dockerkit[websocket]``).

        Returns:
            The connection. It is raw: output without a terminal has frames. Whoever gets it closes it.
        """
        query = {"stdout": 1, "stderr": 1, "stream": 1} if params is None else dict(params)
        if unknown := query.keys() - _ATTACH:
            raise InvalidArgument(f"params: {', '.join(sorted(unknown))}: the Engine knows {', '.join(_ATTACH)}")
        if ws:
            from dockerkit.transport.websocket import connect

            path = "/containers/{id}/attach/ws"
            # Engines before API 1.42 don't read these three and always connect all of them.
            always = {name for name in ("stdin", "stdout", "stderr") if not self._supports(f"GET {path}", name)}
            query = {name: value for name, value in query.items() if not (name in always and value)}
            target, headers, _ = self._request("GET", path, {"id": container}, query, None, None, None)
            return connect(self._transport, target, headers, self._timeouts)
        return self._hijack("POST", "/containers/{id}/attach", id=container, query=query)

    @overload
    def stats(
        self,
        container: Ref,
        decode: Literal[False] | None = None,
        stream: Literal[True] = True,
        one_shot: bool | None = None,
    ) -> JSONStream[bytes]: ...

    @overload
    def stats(
        self, container: Ref, decode: Literal[True], stream: Literal[True] = True, one_shot: bool | None = None
    ) -> JSONStream[answers.ContainerStatsResponse]: ...

    @overload
    def stats(
        self,
        container: Ref,
        decode: bool | None = None,
        *,
        stream: Literal[False],
        one_shot: bool | None = None,
    ) -> answers.ContainerStatsResponse: ...

    @overload
    def stats(
        self, container: Ref, decode: bool | None = None, stream: bool = True, one_shot: bool | None = None
    ) -> JSONStream[bytes] | JSONStream[answers.ContainerStatsResponse] | answers.ContainerStatsResponse: ...

    def stats(
        self, container: Ref, decode: bool | None = None, stream: bool = True, one_shot: bool | None = None
    ) -> JSONStream[bytes] | JSONStream[answers.ContainerStatsResponse] | answers.ContainerStatsResponse:
        """A container's use of CPU, memory, network and disks. ``GET /containers/{id}/stats``

        Args:
            container: id, name, dict with ``Id``, or object.
            decode: dicts instead of bytes, when streaming.
            stream: one record a second, for ever; False answers one record.
            one_shot: one record at once, without waiting for a second one to compare with (API 1.41).

        Returns:
            An iterator of records; one dict with ``stream=False``.

        Raises:
            InvalidArgument: ``one_shot`` together with ``stream``.
        """
        if stream:
            if one_shot:
                raise InvalidArgument("one_shot: it answers one record, so stream must be False")
            query = {"stream": True}
            return self._json_lines("GET", "/containers/{id}/stats", id=container, query=query, decode=decode)
        return self._json("GET", "/containers/{id}/stats", id=container, query={"stream": False, "one-shot": one_shot})


def _given(output: FrameStream[Any], stream: bool, demux: bool) -> Output:
    """The output as it was asked for: an iterator, or all at once."""
    if stream:
        return output
    with output:
        return output.apart() if demux else output.together()


def _tail(tail: int | str) -> int | str:
    if tail == "all" or (isinstance(tail, int) and not isinstance(tail, bool) and tail >= 0):
        return tail
    if isinstance(tail, str) and tail.isascii() and tail.isdigit():
        return int(tail)
    raise InvalidArgument(f'tail: "all" or a number of lines is needed, not {tail!r}')


def _moment(parameter: str, moment: Moment) -> str | None:
    """A time as the engine reads it: seconds since 1970. What the docker command takes as a text is taken here, too."""
    if moment is None:
        return None
    if isinstance(moment, str):
        return _moment_text(parameter, moment)
    if isinstance(moment, datetime):
        return scalar(parameter, moment)
    if isinstance(moment, (int, float)) and not isinstance(moment, bool) and 0 <= moment < _END_OF_TIME:
        return scalar(parameter, moment)
    raise InvalidArgument(f"{parameter}: a datetime or seconds since 1970 are needed, not {moment!r}")


def _moment_text(parameter: str, moment: str) -> str:
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", moment):
        return moment
    from dockerkit.types import parse

    try:
        ago = timedelta(microseconds=parse.nanoseconds(moment, parameter) // 1000)
        return scalar(parameter, datetime.now(UTC) - ago)
    except (InvalidArgument, OverflowError):
        pass
    fraction = re.search(r"\.([0-9]{1,9})", moment)  # as exact as it is: a datetime has microseconds only
    try:
        whole = scalar(parameter, datetime.fromisoformat(moment.replace(fraction[0], "", 1) if fraction else moment))
    except ValueError:
        needed = 'a datetime, seconds since 1970, or a text such as "2030-01-31T12:00:00Z" or "10m" are'
        raise InvalidArgument(f"{parameter}: {needed} needed, not {moment!r}") from None
    return whole + (fraction[0] if fraction else "")
