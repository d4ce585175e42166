"""Commands in running containers. ``/containers/{id}/exec`` and ``/exec``"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.container_streams import ProcessOutput, _as_requested
from dockerkit.api.encode import cells
from dockerkit.api.refs import resolve_id
from dockerkit.errors import InvalidArgument
from dockerkit.parsing.values import sequence
from dockerkit.streams import FrameStream
from dockerkit.transport import HijackedConnection

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from dockerkit.parsing.values import Environment
    from dockerkit.streams.readers import DemuxedOutput
    from dockerkit.types import answers
    from dockerkit.types.flags import No, Yes

    class StartOptions(TypedDict, total=False):
        """Options of exec_start() that don't change its return type."""

        tty: bool
        console_size: tuple[int, int] | None

    class AttachedOptions(StartOptions, total=False):
        """The same for a command whose output is read."""

        detach: No
        socket: No


_REFUSAL = re.compile(  # after a frame header, unless there is a terminal
    rb"(\x01\0\0\0\0\0\0.)?(?P<text>(Error: )?[Ee]xec command (?P<id>\w+) (has already run|is already running))\r\n",
    re.DOTALL,
)


class ExecAPI(APIBase):
    """Calls on commands in running containers. ``container`` is an ID, a name, a dict with ``Id``, or an object."""

    def exec_create(
        self,
        container: Ref,
        cmd: str | Sequence[str],
        stdout: bool = True,
        stderr: bool = True,
        stdin: bool = False,
        tty: bool = False,
        privileged: bool = False,
        user: str = "",
        environment: Environment | None = None,
        workdir: str | None = None,
        detach_keys: str | None = None,
        *,
        console_size: tuple[int, int] | None = None,
    ) -> answers.IDResponse:
        """Prepare a command in a running container; :meth:`exec_start` runs it. ``POST /containers/{id}/exec``

        Args:
            cmd: command as a list, or a string that is split as a shell would; no shell runs it.
            stdout, stderr, stdin: streams to connect.
            tty: allocate a terminal, which combines stdout and stderr.
            privileged: run with all privileges.
            user: name or ID, optionally with ``:group``; "" is the container's user.
            environment: a dict, or a list of ``"NAME=value"`` (API 1.25).
            workdir: working directory (API 1.35).
            detach_keys: key sequence that detaches.
            console_size: rows and columns of the terminal (API 1.42).

        Returns:
            ``{"Id": ...}``.

        Raises:
            Conflict: the container is not running, or is paused.
        """
        from dockerkit.parsing import values

        body = {
            "Cmd": values.command(cmd, "cmd"),
            "AttachStdin": stdin,
            "AttachStdout": stdout,
            "AttachStderr": stderr,
            "Tty": tty,
            "Privileged": privileged,
            "User": user,
            "Env": None if environment is None else values.environment(environment),
            "WorkingDir": workdir,
            "DetachKeys": detach_keys or self._default_detach_keys,
            "ConsoleSize": None if console_size is None else sequence(console_size, "console_size"),
        }
        return self._json("POST", "/containers/{id}/exec", id=container, body=body, needs="Id")

    def exec_inspect(self, exec_id: Ref) -> answers.ExecInspectResponse:
        """Return state and exit code of a command. ``GET /exec/{id}/json``"""
        return self._json("GET", "/exec/{id}/json", id=exec_id)

    def exec_resize(self, exec_id: Ref, height: int | None = None, width: int | None = None) -> None:
        """Resize the terminal of a command. ``POST /exec/{id}/resize``

        Args:
            exec_id: ID, or dict with ``Id``.
            height, width: rows and columns.
        """
        size = {
            "h": None if height is None else cells("height", height),
            "w": None if width is None else cells("width", width),
        }
        self._no_content("POST", "/exec/{id}/resize", id=exec_id, query=size)

    @overload
    def exec_start(
        self,
        exec_id: Ref,
        detach: No = False,
        tty: bool = False,
        stream: No = False,
        socket: No = False,
        demux: No = False,
        *,
        console_size: tuple[int, int] | None = None,
    ) -> bytes: ...

    @overload
    def exec_start(
        self, exec_id: Ref, *, stream: No = False, demux: Yes, **options: Unpack[AttachedOptions]
    ) -> DemuxedOutput: ...

    @overload
    def exec_start(
        self, exec_id: Ref, *, stream: Yes, demux: No = False, **options: Unpack[AttachedOptions]
    ) -> FrameStream[bytes]: ...

    @overload
    def exec_start(
        self, exec_id: Ref, *, stream: Yes, demux: Yes, **options: Unpack[AttachedOptions]
    ) -> FrameStream[DemuxedOutput]: ...

    @overload
    def exec_start(
        self, exec_id: Ref, detach: No = False, *, socket: Yes, demux: bool = False, **options: Unpack[StartOptions]
    ) -> HijackedConnection: ...

    @overload
    def exec_start(
        self, exec_id: Ref, detach: Yes, *, socket: No = False, demux: bool = False, **options: Unpack[StartOptions]
    ) -> str: ...

    @overload
    def exec_start(
        self,
        exec_id: Ref,
        detach: bool = False,
        tty: bool = False,
        stream: bool = False,
        socket: bool = False,
        demux: bool = False,
        *,
        console_size: tuple[int, int] | None = None,
    ) -> ProcessOutput | HijackedConnection | str: ...

    def exec_start(
        self,
        exec_id: Ref,
        detach: bool = False,
        tty: bool = False,
        stream: bool = False,
        socket: bool = False,
        demux: bool = False,
        *,
        console_size: tuple[int, int] | None = None,
    ) -> ProcessOutput | HijackedConnection | str:
        """Run a prepared command. ``POST /exec/{id}/start``

        Args:
            exec_id: ID, or dict with ``Id``.
            detach: don't wait for it, and discard its output.
            tty: whether it was created with a terminal.
            stream: return an iterator of chunks as they arrive.
            socket: return the connection, for input; without a terminal its output is multiplexed.
            demux: return ``(stdout, stderr)`` instead of the combined output.
            console_size: rows and columns of the terminal (API 1.42).

        Returns:
            All output as bytes; ``""`` if detached; an iterator, a socket or pairs if requested.

        Raises:
            Conflict: the command was started before. With ``stream`` it is raised while iterating; with ``socket`` the
                engine's message is part of the output.
        """
        if detach and (stream or socket):
            raise InvalidArgument(
                "detach: can't be combined with stream or socket, since a detached command has no output"
            )
        body = {
            "Tty": tty,
            "Detach": detach,
            "ConsoleSize": None if console_size is None else sequence(console_size, "console_size"),
        }
        if detach:
            self._no_content("POST", "/exec/{id}/start", id=exec_id, body=body)
            return ""
        hijacked = self._hijack("POST", "/exec/{id}/start", id=exec_id, body=body)
        if socket:
            return hijacked
        multiplexed = self.is_multiplexed(hijacked.media_type, lambda: tty)
        started_exec = _StartedExec(hijacked, resolve_id(exec_id, "exec_id"), self.endpoint.host)
        output: FrameStream[Any] = FrameStream(started_exec, multiplexed=multiplexed, demux=demux)
        return _as_requested(output, stream, demux)


class _StartedExec:
    """The connection of a command, as a source of its output.

    An engine that refuses to start a command twice has already upgraded the connection, so it writes the error as output.
    The error contains the command's ID, which is unknown inside the container, so it can't be forged.
    """

    def __init__(self, link: HijackedConnection, exec_id: str, host: str) -> None:
        self.headers = link.headers
        self.closed = False
        self._link = link
        self._id = exec_id
        self._host = host

    def chunks(self, size: int = 65536) -> Iterator[bytes]:
        """Yield blocks as they arrive.

        Raises:
            Conflict: the first block is the engine's refusal.
        """
        blocks = self._link.chunks(size)
        for first in blocks:
            refusal = _REFUSAL.fullmatch(first)
            if refusal and refusal["id"].decode() == self._id:
                from dockerkit.errors.api import ErrorResponse
                from dockerkit.errors.explain import api_error

                url = f"{self._host}/exec/{self._id}/start"
                raise api_error(ErrorResponse(409, "Conflict", dict(self.headers), refusal["text"], "POST", url))
            yield first
            break
        yield from blocks

    def close(self) -> None:
        """Stop reading."""
        self.closed = True
        self._link.close()
