"""Output of a container: logs, terminals, statistics and commands, with docker-py's methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from dockerkit.models.resource import Model

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    import typing_extensions
    from websocket import WebSocket

    from dockerkit.api.container_streams import LogOptions, ProcessOutput, TimeLike
    from dockerkit.parsing.values import Command, Environment
    from dockerkit.streams import FrameStream, JSONStream
    from dockerkit.streams.readers import DemuxedOutput
    from dockerkit.transport import HijackedConnection
    from dockerkit.types import answers
    from dockerkit.types.flags import No, Yes

    O_co = typing_extensions.TypeVar("O_co", covariant=True, default=Any)

    class ExecOptions(TypedDict, total=False):
        """Options of exec_run() that don't change its return type."""

        stdin: bool
        tty: bool
        privileged: bool
        user: str
        environment: Environment | None
        workdir: str | None

    class AttachedOptions(ExecOptions, total=False):
        """The same for a command whose output is read."""

        detach: No
        socket: No

else:
    O_co = TypeVar("O_co", covariant=True)  # the standard library's TypeVar has defaults only from Python 3.13


class ExecResult(NamedTuple, Generic[O_co]):
    """The result of a command in a container.

    Attributes:
        exit_code: exit code; None if detached, streamed, or a socket.
        output: bytes; a pair (stdout, stderr) with ``demux``; an iterator with ``stream``; a connection with
            ``socket``; ``""`` if detached.
    """

    exit_code: int | None
    output: O_co


class ContainerOutput(Model):
    """Output methods of a container."""

    @overload
    def stats(self, decode: No | None = None, stream: Yes = True) -> JSONStream[bytes]: ...

    @overload
    def stats(self, decode: Yes, stream: Yes = True) -> JSONStream[answers.ContainerStatsResponse]: ...

    @overload
    def stats(
        self, decode: bool | None = None, *, stream: No, one_shot: bool | None = None
    ) -> answers.ContainerStatsResponse: ...

    @overload
    def stats(
        self, decode: bool | None = None, stream: bool = True, one_shot: bool | None = None
    ) -> JSONStream[bytes] | JSONStream[answers.ContainerStatsResponse] | answers.ContainerStatsResponse: ...

    def stats(
        self, decode: bool | None = None, stream: bool = True, one_shot: bool | None = None
    ) -> JSONStream[bytes] | JSONStream[answers.ContainerStatsResponse] | answers.ContainerStatsResponse:
        """Return the use of CPU, memory, network and disks. ``GET /containers/{id}/stats``

        Args:
            decode: with ``stream``, yield dicts instead of bytes.
            stream: yield one record per second, indefinitely; False returns one dict.
            one_shot: return one record immediately, without a second sample to compare with (API 1.41).
        """
        return self.client.api.stats(self, decode, stream, one_shot)

    @overload
    def logs(
        self,
        stdout: bool = True,
        stderr: bool = True,
        stream: No = False,
        *,
        demux: No = False,
        **options: Unpack[LogOptions],
    ) -> bytes: ...

    @overload
    def logs(
        self, stdout: bool = True, stderr: bool = True, *, stream: No = False, demux: Yes, **options: Unpack[LogOptions]
    ) -> DemuxedOutput: ...

    @overload
    def logs(
        self, stdout: bool = True, stderr: bool = True, *, stream: Yes, demux: No = False, **options: Unpack[LogOptions]
    ) -> FrameStream[bytes]: ...

    @overload
    def logs(
        self, stdout: bool = True, stderr: bool = True, *, stream: Yes, demux: Yes, **options: Unpack[LogOptions]
    ) -> FrameStream[DemuxedOutput]: ...

    @overload
    def logs(
        self,
        stdout: bool = True,
        stderr: bool = True,
        stream: bool = False,
        *,
        demux: bool = False,
        **options: Unpack[LogOptions],
    ) -> ProcessOutput: ...

    def logs(
        self,
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
        """Return the logs as bytes. ``GET /containers/{id}/logs``

        Args:
            stdout, stderr: which output to return.
            stream: return an iterator of chunks instead of all output at once.
            timestamps: begin each line with an RFC 3339 time.
            tail: number of lines from the end, or ``"all"``.
            since, until: only output from this time on, or until it: a datetime or seconds since 1970.
            follow: keep streaming new output; None follows if ``stream`` is set.
            demux: return ``(stdout, stderr)`` instead of the combined output.
            details: include the log driver's attributes in each line.

        Example::

            for chunk in container.logs(stream=True, follow=True, tail=10):
                print(chunk.decode(), end="")
        """
        return self.client.api.logs(
            self,
            stdout,
            stderr,
            stream,
            timestamps=timestamps,
            tail=tail,
            since=since,
            follow=follow,
            until=until,
            demux=demux,
            details=details,
        )

    @overload
    def attach(
        self, stdout: bool = True, stderr: bool = True, stream: No = False, logs: bool = False, demux: No = False
    ) -> bytes: ...

    @overload
    def attach(
        self, stdout: bool = True, stderr: bool = True, stream: No = False, logs: bool = False, *, demux: Yes
    ) -> DemuxedOutput: ...

    @overload
    def attach(
        self, stdout: bool = True, stderr: bool = True, *, stream: Yes, logs: bool = False, demux: No = False
    ) -> FrameStream[bytes]: ...

    @overload
    def attach(
        self, stdout: bool = True, stderr: bool = True, *, stream: Yes, logs: bool = False, demux: Yes
    ) -> FrameStream[DemuxedOutput]: ...

    @overload
    def attach(
        self, stdout: bool = True, stderr: bool = True, stream: bool = False, logs: bool = False, demux: bool = False
    ) -> ProcessOutput: ...

    def attach(
        self, stdout: bool = True, stderr: bool = True, stream: bool = False, logs: bool = False, demux: bool = False
    ) -> ProcessOutput:
        """Return the output from now on, until the container stops. ``POST /containers/{id}/attach``

        Args:
            stdout, stderr: which output to return.
            stream: return an iterator of chunks as they arrive.
            logs: include previous output.
            demux: return ``(stdout, stderr)`` instead of the combined output.
        """
        return self.client.api.attach(self, stdout, stderr, stream, logs, demux)

    def attach_socket(
        self, params: Mapping[str, object] | None = None, ws: bool = False
    ) -> HijackedConnection | WebSocket:
        """Return a socket for input and output. ``POST /containers/{id}/attach``

        Args:
            params: parameters of the Engine: ``stdin``, ``stdout``, ``stderr``, ``stream``, ``logs``, ``detachKeys``.
            ws: use a websocket (requires ``dockerkit[websocket]``).
        """
        return self.client.api.attach_socket(self, params, ws)

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: No = False,
        demux: No = False,
        **options: Unpack[AttachedOptions],
    ) -> ExecResult[bytes]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: No = False,
        demux: Yes,
        **options: Unpack[AttachedOptions],
    ) -> ExecResult[DemuxedOutput]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: Yes,
        demux: No = False,
        **options: Unpack[AttachedOptions],
    ) -> ExecResult[FrameStream[bytes]]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        stream: Yes,
        demux: Yes,
        **options: Unpack[AttachedOptions],
    ) -> ExecResult[FrameStream[DemuxedOutput]]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        detach: No = False,
        socket: Yes,
        **options: Unpack[ExecOptions],
    ) -> ExecResult[HijackedConnection]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        detach: Yes,
        socket: No = False,
        **options: Unpack[ExecOptions],
    ) -> ExecResult[str]: ...

    @overload
    def exec_run(
        self,
        cmd: Command,
        stdout: bool = True,
        stderr: bool = True,
        *,
        detach: bool = False,
        stream: bool = False,
        socket: bool = False,
        demux: bool = False,
        **options: Unpack[ExecOptions],
    ) -> ExecResult[ProcessOutput | HijackedConnection | str]: ...

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
    ) -> ExecResult[ProcessOutput | HijackedConnection | str]:
        """Run a command in the container, as in docker-py; :meth:`exec` does more. ``POST /containers/{id}/exec``

        Args:
            cmd: a string, split as a shell would split it (but not run by a shell), or a list of arguments.
            stdout, stderr, stdin: which streams to connect.
            tty: allocate a terminal; stdout and stderr are then combined.
            privileged: run with all privileges.
            user: name or ID; "" for the container's user.
            detach: don't wait for the command.
            stream: return an iterator of chunks as they arrive.
            socket: return the connection itself, for input.
            environment: a dict, or a list of ``"NAME=value"``.
            workdir: working directory.
            demux: return ``(stdout, stderr)`` instead of the combined output.

        Raises:
            Conflict: the container is not running.

        Example::

            exit_code, output = container.exec_run(["ls", "/srv"], user="1000")
        """
        api = self.client.api
        created = api.exec_create(self, cmd, stdout, stderr, stdin, tty, privileged, user, environment, workdir)
        output = api.exec_start(created["Id"], detach=detach, tty=tty, stream=stream, socket=socket, demux=demux)
        if socket or stream or detach:
            return ExecResult(None, output)
        return ExecResult(api.exec_inspect(created["Id"])["ExitCode"], output)
