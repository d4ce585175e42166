"""What comes out of a container: logs, terminals, statistics, commands, in docker-py's manner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar, overload

from dockerkit.models.resource import Model

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    import typing_extensions
    from websocket import WebSocket

    from dockerkit.api.container_streams import LogOptions, Moment, Output
    from dockerkit.streams import FrameStream, JSONStream
    from dockerkit.streams.readers import Pair
    from dockerkit.transport import Hijacked
    from dockerkit.types import answers
    from dockerkit.types.parse import Command, Environment

    O_co = typing_extensions.TypeVar("O_co", covariant=True, default=Any)

    class ExecOptions(TypedDict, total=False):
        """Of the options of exec_run those that don't change what is answered."""

        stdin: bool
        tty: bool
        privileged: bool
        user: str
        environment: Environment | None
        workdir: str | None

else:
    O_co = TypeVar("O_co", covariant=True)  # the standard library's has defaults from Python 3.13 on only


class ExecResult(NamedTuple, Generic[O_co]):
    """What a command in a container left.

    Attributes:
        exit_code: None where it was detached, streamed, or is a socket.
        output: bytes; a pair (stdout, stderr) with ``demux``; an iterator with ``stream``; a connection with ``socket``;
            ``""`` where it was detached.
    """

    exit_code: int | None
    output: O_co


class ContainerOutput(Model):
    """The part of a container that reads what it writes."""

    @overload
    def stats(
        self,
        decode: Literal[False] | None = None,
        stream: Literal[True] = True,
        one_shot: bool | None = None,
    ) -> JSONStream[bytes]: ...

    @overload
    def stats(
        self, decode: Literal[True], stream: Literal[True] = True, one_shot: bool | None = None
    ) -> JSONStream[answers.ContainerStatsResponse]: ...

    @overload
    def stats(
        self,
        decode: bool | None = None,
        *,
        stream: Literal[False],
        one_shot: bool | None = None,
    ) -> answers.ContainerStatsResponse: ...

    @overload
    def stats(
        self, decode: bool | None = None, stream: bool = True, one_shot: bool | None = None
    ) -> JSONStream[bytes] | JSONStream[answers.ContainerStatsResponse] | answers.ContainerStatsResponse: ...

    def stats(
        self, decode: bool | None = None, stream: bool = True, one_shot: bool | None = None
    ) -> JSONStream[bytes] | JSONStream[answers.ContainerStatsResponse] | answers.ContainerStatsResponse:
        """Its use of CPU, memory, network and disks. ``GET /containers/{id}/stats``

        Args:
            decode: dicts instead of bytes, when streaming.
            stream: one record a second, for ever; False answers one dict.
            one_shot: one record at once (API 1.41).
        """
        return self.client.api.stats(self, decode, stream, one_shot)

    @overload
    def logs(
        self,
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
        """What it has written. ``GET /containers/{id}/logs``

        Args:
            stdout, stderr: which of the two.
            stream: an iterator of chunks instead of all at once.
            timestamps: an RFC 3339 time before each line.
            tail: the last so many lines, or ``"all"``.
            since, until: only from, or up to, then: a datetime or seconds since 1970.
            follow: go on with what comes; None follows when streaming.
            demux: ``(stdout, stderr)`` instead of both together.
            details: also the log driver's attributes, before each line.
        """
        return self.client.api.logs(
            self, stdout, stderr, stream, timestamps, tail, since, follow, until, demux=demux, details=details
        )

    @overload
    def attach(
        self,
        stdout: bool = True,
        stderr: bool = True,
        stream: Literal[False] = False,
        logs: bool = False,
        demux: Literal[False] = False,
    ) -> bytes: ...

    @overload
    def attach(
        self,
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
        stdout: bool = True,
        stderr: bool = True,
        stream: bool = False,
        logs: bool = False,
        demux: bool = False,
    ) -> Output: ...

    def attach(
        self, stdout: bool = True, stderr: bool = True, stream: bool = False, logs: bool = False, demux: bool = False
    ) -> Output:
        """What it writes from now on, until it stops. ``POST /containers/{id}/attach``

        Args:
            stdout, stderr: which of the two.
            stream: an iterator of chunks, as they come.
            logs: also what was written before.
            demux: ``(stdout, stderr)`` instead of both together.
        """
        return self.client.api.attach(self, stdout, stderr, stream, logs, demux)

    def attach_socket(self, params: Mapping[str, object] | None = None, ws: bool = False) -> Hijacked | WebSocket:
        """Its input and output as a socket. ``POST /containers/{id}/attach``

        Args:
            params: the Engine's parameters: ``stdin``, ``stdout``, ``stderr``, ``stream``, ``logs``, ``detachKeys``.
            ws: over a websocket (needs ``dockerkit[websocket]``).
        """
        return self.client.api.attach_socket(self, params, ws)

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        stdin: bool = False,
        tty: bool = False,
        privileged: bool = False,
        user: str = "",
        detach: Literal[False] = False,
        stream: Literal[False] = False,
        socket: Literal[False] = False,
        environment: Environment | None = None,
        workdir: str | None = None,
        demux: Literal[False] = False,
    ) -> ExecResult[bytes]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        detach: Literal[True],
        stream: Literal[False] = False,
        socket: Literal[False] = False,
        demux: bool = False,
        **options: Unpack[ExecOptions],
    ) -> ExecResult[str]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        detach: Literal[False] = False,
        stream: bool = False,
        socket: Literal[True],
        demux: bool = False,
        **options: Unpack[ExecOptions],
    ) -> ExecResult[Hijacked]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        detach: Literal[False] = False,
        stream: Literal[False] = False,
        socket: Literal[False] = False,
        demux: Literal[True],
        **options: Unpack[ExecOptions],
    ) -> ExecResult[Pair]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        detach: Literal[False] = False,
        stream: Literal[True],
        socket: Literal[False] = False,
        demux: Literal[False] = False,
        **options: Unpack[ExecOptions],
    ) -> ExecResult[FrameStream[bytes]]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        detach: Literal[False] = False,
        stream: Literal[True],
        socket: Literal[False] = False,
        demux: Literal[True],
        **options: Unpack[ExecOptions],
    ) -> ExecResult[FrameStream[Pair]]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        stdin: bool = False,
        tty: bool = False,
        privileged: bool = False,
        user: str = "",
        detach: bool = False,
        stream: bool = False,
        socket: bool = False,
        environment: Environment | None = None,
        workdir: str | None = None,
        demux: bool = False,
    ) -> ExecResult[Output | Hijacked | str]: ...

    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        stdin: bool = False,
        tty: bool = False,
        privileged: bool = False,
        user: str = "",
        detach: bool = False,
        stream: bool = False,
        socket: bool = False,
        environment: Environment | None = None,
        workdir: str | None = None,
        demux: bool = False,
    ) -> ExecResult[Output | Hijacked | str]:
        """Run a command in it, as docker-py does; see :meth:`exec` for more. ``POST /containers/{id}/exec``

        Args:
            cmd: the command; a text is split as a shell would, but no shell runs it.
            stdout, stderr, stdin: which streams to connect.
            tty: give it a terminal; stdout and stderr then come as one.
            privileged: with all privileges.
            user: name or id; "" is the container's.
            detach: don't wait for it.
            stream: an iterator of chunks, as they come.
            socket: the connection itself, for input.
            environment: a dict, or a list of ``"NAME=value"``.
            workdir: the folder to start in.
            demux: ``(stdout, stderr)`` instead of both together.

        Raises:
            Conflict: the container does not run.
        """
        api = self.client.api
        made = api.exec_create(self, cmd, stdout, stderr, stdin, tty, privileged, user, environment, workdir)
        output = api.exec_start(made["Id"], detach=detach, tty=tty, stream=stream, socket=socket, demux=demux)
        if socket or stream or detach:
            return ExecResult(None, output)
        return ExecResult(api.exec_inspect(made["Id"])["ExitCode"], output)
