"""Commands in running containers. ``/containers/{id}/exec`` and ``/exec``"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from dockerkit.api.base import Base, Ref
from dockerkit.api.container_streams import Output, _given
from dockerkit.api.encode import cells
from dockerkit.api.refs import name_of
from dockerkit.errors import InvalidArgument
from dockerkit.streams import FrameStream
from dockerkit.transport import Hijacked

if TYPE_CHECKING:
    from dockerkit.streams.readers import Pair
    from dockerkit.types import answers
    from dockerkit.types.parse import Environment

_REFUSAL = re.compile(  # behind a frame's head, unless there is a terminal
    rb"(\x01\0\0\0\0\0\0.)?(?P<text>(Error: )?[Ee]xec command (?P<id>\w+) (has already run|is already running))\r\n",
    re.DOTALL,
)


class ExecAPI(Base):
    """The calls on execs."""

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
            container: id, name, dict with ``Id``, or object.
            cmd: the command; a text is split as a shell would, but no shell runs it.
            stdout, stderr, stdin: which streams to connect.
            tty: give it a terminal; stdout and stderr then come as one.
            privileged: with all privileges.
            user: name or id, with ``:group`` where wanted; "" is the container's.
            environment: a dict, or a list of ``"NAME=value"`` (API 1.25).
            workdir: the folder to start in (API 1.35).
            detach_keys: the key sequence that detaches.
            console_size: rows and columns of the terminal (API 1.42).

        Returns:
            ``{"Id": ...}``.

        Raises:
            Conflict: the container does not run, or is paused.
        """
        from dockerkit.types import parse

        body = {
            "Cmd": parse.command(cmd, "cmd"),
            "AttachStdin": stdin,
            "AttachStdout": stdout,
            "AttachStderr": stderr,
            "Tty": tty,
            "Privileged": privileged,
            "User": user,
            "Env": None if environment is None else parse.environment(environment),
            "WorkingDir": workdir,
            "DetachKeys": detach_keys,
            "ConsoleSize": None if console_size is None else list(console_size),
        }
        return self._json("POST", "/containers/{id}/exec", id=container, body=body, needs="Id")

    def exec_inspect(self, exec_id: Ref) -> answers.ExecInspectResponse:
        """State and exit code of an exec. ``GET /exec/{id}/json``"""
        return self._json("GET", "/exec/{id}/json", id=exec_id)

    def exec_resize(self, exec_id: Ref, height: int | None = None, width: int | None = None) -> None:
        """Tell an exec's terminal its size. ``POST /exec/{id}/resize``

        Args:
            exec_id: id, or dict with ``Id``.
            height, width: rows and columns.
        """
        size = {
            "h": None if height is None else cells("height", height),
            "w": None if width is None else cells("width", width),
        }
        self._none("POST", "/exec/{id}/resize", id=exec_id, query=size)

    @overload
    def exec_start(
        self,
        exec_id: Ref,
        detach: Literal[False] = False,
        tty: bool = False,
        stream: Literal[False] = False,
        socket: Literal[False] = False,
        demux: Literal[False] = False,
        *,
        console_size: tuple[int, int] | None = None,
    ) -> bytes: ...

    @overload
    def exec_start(
        self,
        exec_id: Ref,
        detach: Literal[True],
        tty: bool = False,
        stream: Literal[False] = False,
        socket: Literal[False] = False,
        demux: bool = False,
        *,
        console_size: tuple[int, int] | None = None,
    ) -> str: ...

    @overload
    def exec_start(
        self,
        exec_id: Ref,
        detach: Literal[False] = False,
        tty: bool = False,
        stream: bool = False,
        *,
        socket: Literal[True],
        demux: bool = False,
        console_size: tuple[int, int] | None = None,
    ) -> Hijacked: ...

    @overload
    def exec_start(
        self,
        exec_id: Ref,
        detach: Literal[False] = False,
        tty: bool = False,
        stream: Literal[False] = False,
        socket: Literal[False] = False,
        *,
        demux: Literal[True],
        console_size: tuple[int, int] | None = None,
    ) -> Pair: ...

    @overload
    def exec_start(
        self,
        exec_id: Ref,
        detach: Literal[False] = False,
        tty: bool = False,
        *,
        stream: Literal[True],
        socket: Literal[False] = False,
        demux: Literal[False] = False,
        console_size: tuple[int, int] | None = None,
    ) -> FrameStream[bytes]: ...

    @overload
    def exec_start(
        self,
        exec_id: Ref,
        detach: Literal[False] = False,
        tty: bool = False,
        *,
        stream: Literal[True],
        socket: Literal[False] = False,
        demux: Literal[True],
        console_size: tuple[int, int] | None = None,
    ) -> FrameStream[Pair]: ...

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
    ) -> Output | Hijacked | str: ...

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
    ) -> Output | Hijacked | str:
        """Run a prepared command. ``POST /exec/{id}/start``

        Args:
            exec_id: id, or dict with ``Id``.
            detach: don't wait for it, and don't take its output.
            tty: whether it was made with a terminal.
            stream: an iterator of chunks, as they come.
            socket: the connection itself, for input; its output without a terminal has frames.
            demux: ``(stdout, stderr)`` instead of both together.
            console_size: rows and columns of the terminal (API 1.42).

        Returns:
            All output as bytes; ``""`` when detached; an iterator, a socket, or pairs where asked for.

        Raises:
            Conflict: it runs or ran already; with ``stream`` while iterating. A socket has the engine's text as output.
        """
        if detach and (stream or socket):
            raise InvalidArgument("detach: a detached command has no output, so neither stream nor socket")
        body = {
            "Tty": tty,
            "Detach": detach,
            "ConsoleSize": None if console_size is None else list(console_size),
        }
        if detach:
            self._none("POST", "/exec/{id}/start", id=exec_id, body=body)
            return ""
        hijacked = self._hijack("POST", "/exec/{id}/start", id=exec_id, body=body)
        if socket:
            return hijacked
        multiplexed = self._is_multiplexed(hijacked.media_type, lambda: tty)
        started = _Started(hijacked, name_of(exec_id, "exec_id"), self.endpoint.host)
        output: FrameStream[Any] = FrameStream(started, multiplexed=multiplexed, demux=demux)
        return _given(output, stream, demux)


class _Started:
    """An exec's connection, as a source of its output.

    An engine that won't start an exec a second time has handed the connection over by then, and writes its refusal where
    the output goes. It names the exec's id, which nothing in the container knows.
    """

    def __init__(self, link: Hijacked, exec_id: str, host: str) -> None:
        self.headers = link.headers
        self.closed = False
        self._link = link
        self._id = exec_id
        self._host = host

    def chunks(self, size: int = 65536) -> Iterator[bytes]:
        """Blocks as they come.

        Raises:
            Conflict: the first is the engine's refusal.
        """
        blocks = self._link.chunks(size)
        for first in blocks:
            found = _REFUSAL.fullmatch(first)
            if found and found["id"].decode() == self._id:
                from dockerkit.request_errors import ErrorAnswer, api_error

                url = f"{self._host}/exec/{self._id}/start"
                raise api_error(ErrorAnswer(409, "Conflict", dict(self.headers), found["text"], "POST", url))
            yield first
            break
        yield from blocks

    def close(self) -> None:
        """Stop reading."""
        self.closed = True
        self._link.close()
