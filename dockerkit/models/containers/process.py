"""A command running in a container: input, output, exit code, signals."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, AnyStr, Generic, Literal, NamedTuple, Self, cast

from dockerkit import errors as failures
from dockerkit import runtime
from dockerkit.errors import DockerException, ExecError, ExecStartError, ExecTimeout, InvalidArgument, StreamTruncated
from dockerkit.parsing import values
from dockerkit.parsing.options import suggest_in_methods
from dockerkit.parsing.payload import payload
from dockerkit.parsing.values import string_list
from dockerkit.streams.closable import SelfClosing
from dockerkit.streams.frames import STDERR, FrameParser
from dockerkit.streams.lines import LineSplitter
from dockerkit.transport import HijackedConnection, Scope
from dockerkit.transport.scope import run_outside

if TYPE_CHECKING:
    from types import TracebackType

    from dockerkit.api.refs import Ref
    from dockerkit.client import DockerClient
    from dockerkit.parsing.values import Duration, Environment

__all__ = ["Command", "CompletedExec", "Input", "KeptOutput", "Process", "ProcessOutput"]

Command = str | Sequence[str]
Input = bytes | str | IO[bytes] | Iterable[bytes]

_BLOCK = 64 * 1024
_MARK = "DOCKERKIT_EXEC"
# Run by the container's own sh: finds the processes whose environment has our mark (children inherit it), with shell
# builtins only, and signals them. Mark and signal are arguments, never part of the script.
_KILL = """
for file in /proc/[0-9]*/environ; do
  found=
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in *"$1"*) found=1; break;; esac
  done 2>/dev/null <"$file"
  pid=${file#/proc/}
  if [ -n "$found" ]; then kill -s "$2" "${pid%/environ}"; fi
done 2>/dev/null
exit 0
"""
# How engines begin to report on stdout that a command could not be started; Podman does so on stderr.
_NOT_STARTED = re.compile(rb"OCI runtime exec failed: |unable to find (user|group) |(Error: )?(crun|runc): ")
_ENDING = 5.0  # seconds until a killed process must be gone


@dataclass(frozen=True)
class CompletedExec(Generic[AnyStr]):
    """A command that has exited.

    Attributes:
        args: the command.
        returncode: exit code.
        stdout, stderr: output; with ``tty=True``, all of it is in stdout.
    """

    args: Command
    returncode: int
    stdout: AnyStr
    stderr: AnyStr

    def check_returncode(self) -> None:
        """Raise if the exit code is not 0.

        Raises:
            ExecError: the exit code is not 0.
        """
        if self.returncode != 0:
            raise ExecError(self.args, self.returncode, self.stdout, self.stderr)


class ProcessOutput(NamedTuple):
    """A block of output: ``stream`` is "stdout" or "stderr"."""

    stream: Literal["stdout", "stderr"]
    data: bytes


class KeptOutput(dict[str, "_Kept"]):
    """Collects output: keeps a limited number of bytes of each stream, and drops the rest as it is read.

    The streams in `order` are also kept combined, in the order received.
    """

    def __init__(self, limit: int | None = None, order: Sequence[str] = ()) -> None:
        self.together: list[bytes] = []
        super().__init__(
            {stream: _Kept(limit, self.together if stream in order else None) for stream in ("stdout", "stderr")}
        )

    @property
    def truncated(self) -> bool:
        """Whether output was dropped."""
        return any(kept.truncated for kept in self.values())

    def read(self) -> tuple[bytes, bytes]:
        """Return what was kept of stdout and stderr."""
        return b"".join(self["stdout"]), b"".join(self["stderr"])


class _Kept(list[bytes]):
    def __init__(self, limit: int | None, together: list[bytes] | None) -> None:
        super().__init__()
        self._left = limit
        self._together = together
        self.truncated = False

    def append(self, data: bytes) -> None:
        if self._left is not None:
            self.truncated |= len(data) > self._left
            data = data[: self._left]
            self._left -= len(data)
        if data:
            super().append(data)
            if self._together is not None:
                self._together.append(data)


class _Stdin(SelfClosing):
    """Standard input of the process. ``write`` sends immediately; ``close`` ends only the input, not the output."""

    def __init__(self, duplex: HijackedConnection) -> None:
        self._duplex = duplex
        self.closed: bool = False

    def write(self, data: bytes | str) -> int:
        """Send bytes, or a string encoded as UTF-8, and return the number of bytes.

        Raises:
            BrokenPipeError: the process has closed its input.
        """
        raw = data.encode() if isinstance(data, str) else data
        if self.closed:
            raise ValueError("write to closed stdin")
        self._duplex.transmit(raw)
        return len(raw)

    def flush(self) -> None:
        """Do nothing: writes are never buffered."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """End the input: the process reads end-of-file."""
        if not self.closed:
            self.closed = True
            self._duplex.close_write()


@suggest_in_methods
class Process:
    """A command running in a container: its input, output and exit code.

    Iterate over it for :class:`ProcessOutput` blocks, in the order in which they arrive. As a context manager, it kills the
    process if it is still running at the end of the block.

    Attributes:
        id: ID of the exec.
        args: the command.
        stdin: standard input; None if not connected.
        tty: whether it has a terminal; all output is then stdout.
    """

    _duplex: HijackedConnection

    def __init__(
        self,
        client: DockerClient,
        container: Ref,
        args: Command,
        *,
        stdin: bool,
        tty: bool,
        user: str,
        privileged: bool,
        environment: Environment | None,
        workdir: str | None,
        console_size: tuple[int, int] | None = None,
        detach_keys: str | None = None,
        marked: bool = True,
    ) -> None:
        self.args = args
        self.tty = tty
        self._client = client
        self._container = container
        self._returncode: int | None = None
        self.id: str = ""
        self.stdin: _Stdin | None = None
        self._options: dict[str, Any] = {
            "stdin": stdin,
            "tty": tty,
            "privileged": privileged,
            "user": user,
            "workdir": workdir,
            "detach_keys": detach_keys,
        }
        self._environment, self._console_size = environment, console_size
        self._mark: str | None = os.urandom(16).hex() if marked else None
        self._parser: FrameParser | None = None
        self._pieces: deque[ProcessOutput] = deque()
        self._started = self._ended = self._any_output = False

    def _start(self) -> None:
        """Start the command. Not done in the constructor, so that an interrupted caller can call :meth:`_terminate`."""
        api = self._client.api
        if not api.supports("POST /containers/{id}/exec", "Env"):
            self._mark = None
        sized = self._console_size if api.supports("POST /containers/{id}/exec", "ConsoleSize") else None
        try:
            environment = _marked(self._environment, self._mark)
            created = api.exec_create(
                self._container, self.args, environment=environment, console_size=sized, **self._options
            )
            self.id = created["Id"]
            self._started = True
            link = api.exec_start(self.id, tty=self.tty, socket=True, console_size=sized)
        except failures.APIError as error:  # newer engines look the user up when they create the command
            self._started = False
            if _NOT_STARTED.search((error.explanation or "").encode()):
                raise self._start_error(127, error.explanation or "") from error
            raise
        self._duplex = link
        self._parser = FrameParser() if api.is_multiplexed(link.media_type, lambda: self.tty) else None
        if self._options["stdin"]:
            self.stdin = _Stdin(self._duplex)

    # --- output ---

    def __iter__(self) -> Iterator[ProcessOutput]:
        while (piece := self.read_piece()) is not None:
            yield piece

    def read_piece(self, timeout: Duration | None = None) -> ProcessOutput | None:
        """Return the next block of output; None at the end.

        Args:
            timeout: maximum seconds to wait; None for no limit.

        Raises:
            TimeoutError: no output arrived in time. You can call this again.
            StreamTruncated: the engine cut the stream.
        """
        limit = values.time_limit(timeout, zero=True)
        deadline = None if limit is None else time.monotonic() + limit
        while not self._pieces and not self._ended:
            self._take(self._duplex.receive(deadline))
        return self._pieces.popleft() if self._pieces else None

    def lines(self, encoding: str = "utf-8", errors: str = "replace") -> Iterator[tuple[str, str]]:
        """Yield lines as (stream, text), without line ends. A line longer than 1 MiB is split into blocks of that size,
        between characters.
        """
        splitters = {"stdout": LineSplitter(), "stderr": LineSplitter()}
        for stream, data in self:
            for line in splitters[stream].feed(data):
                yield stream, line.removesuffix(b"\r").decode(encoding, errors)
        for name, splitter in splitters.items():
            if rest := splitter.close():
                yield name, rest.decode(encoding, errors)

    def communicate(self, input: Input | None = None, timeout: Duration | None = None) -> tuple[bytes, bytes]:
        """Send all input, close it, and return all output: (stdout, stderr).

        Args:
            input: bytes, a string (encoded as UTF-8), a binary file or an iterable of bytes.
            timeout: maximum seconds for all of it.

        Raises:
            ExecTimeout: the process did not exit in time. It is still running; :meth:`kill` ends it.
        """
        out = KeptOutput()
        limit = values.time_limit(timeout, zero=True)
        try:
            self._converse(input, None if limit is None else time.monotonic() + limit, out)
        except TimeoutError:
            assert limit is not None
            raise ExecTimeout(self.args, limit, *out.read(), True) from None
        return out.read()

    def _converse(self, input: Input | None, deadline: float | None, out: KeptOutput) -> None:
        if input is not None and self.stdin is None:
            raise InvalidArgument("input: the process was started without stdin")
        received: Iterable[bytes] = ()
        sends = False
        if self.stdin is not None and not self.stdin.closed:
            self.stdin.closed = sends = True
            received = self._duplex.converse(_blocks(input), deadline)
        elif not self._ended:
            received = self._duplex.chunks(deadline=deadline)
        self._move_pieces(out)
        try:
            for data in received:
                self._take(data)
                self._move_pieces(out)
        except StreamTruncated as error:
            # Closing with unread input resets the connection, after all output: harmless if the process ended.
            if not (sends and isinstance(error.__cause__, ConnectionError) and self._has_ended(deadline)):
                raise
        self._finish()
        self._move_pieces(out)

    def _move_pieces(self, out: KeptOutput) -> None:
        for stream, data in self._pieces:
            out[stream].append(data)
        self._pieces.clear()

    def _take(self, data: bytes) -> None:
        if not data:
            self._finish()
        elif self._parser is None:
            self._pieces.append(ProcessOutput("stdout", data))
        else:
            self._pieces += [
                ProcessOutput("stderr" if number == STDERR else "stdout", payload)
                for number, payload in zip(*self._parser.feed(data), strict=True)
            ]
        if self._pieces and not self._any_output:
            self._any_output = True
            if _NOT_STARTED.match(self._pieces[0].data):
                self._check_started(self._pieces[0].data)

    def _check_started(self, text: bytes) -> None:
        """Raise if the output is the engine's report that the command was not started."""
        with Scope(_ENDING) as scope:
            while not scope.expired:
                state = self._client.api.exec_inspect(self.id)
                code = state.get("ExitCode")
                if state.get("Pid") or (code is not None and code not in (126, 127)):
                    return
                if code is not None and not state.get("Running"):
                    self._started, self._returncode = False, code
                    raise self._start_error(code, text.partition(b"\n")[0].decode("utf-8", "replace").strip())
                runtime.sleep(0.01)

    def _start_error(self, code: int, text: str) -> ExecStartError:
        from dockerkit.api.refs import subject_of
        from dockerkit.errors.explain import explain

        _, news = explain(text, subject_of("/containers/{id}/exec", {"id": self._container}))
        return ExecStartError(self.args, code, news, text)

    def _finish(self) -> None:
        if not self._ended:
            self._ended = True
            closed = self._duplex.closed
            self._duplex.close()
            if self._parser is not None and not closed:
                self._parser.close()

    # --- the end ---

    @property
    def returncode(self) -> int | None:
        """Last known exit code; None while running. :meth:`poll` asks the engine."""
        return self._returncode

    def poll(self) -> int | None:
        """Return the exit code, or None while running. ``GET /exec/{id}/json``"""
        if self._returncode is None:
            state = self._client.api.exec_inspect(self.id)
            if not state.get("Running") and state.get("ExitCode") is not None:
                self._returncode = state["ExitCode"]
        return self._returncode

    def _has_ended(self, deadline: float | None) -> bool:
        """Return whether the engine reports the end within a short time."""
        left = _ENDING if deadline is None else min(deadline - time.monotonic(), _ENDING)
        try:
            self.wait(max(left, 0))
        except DockerException:
            return False
        return True

    def wait(self, timeout: Duration | None = None) -> int:
        """Wait until the process exits, and return its exit code.

        A process can block until its output is read, so read that first.

        Args:
            timeout: maximum seconds to wait; None for no limit.

        Raises:
            ExecTimeout: the process did not exit in time; it is still running.
        """
        pause = 0.005
        limit = values.time_limit(timeout, zero=True)
        with Scope(limit) as scope:
            while True:
                try:
                    code = self.poll()
                except TimeoutError:
                    if limit is None or not scope.expired:
                        raise
                    code = None
                if code is not None:
                    if code in (126, 127) and not (self._any_output or self._ended):  # the engine's report, perhaps
                        self._take(self._duplex.receive(time.monotonic() + _ENDING))
                    return code
                if limit is not None and scope.expired:
                    raise ExecTimeout(self.args, limit, b"", b"", True)
                runtime.sleep(pause)
                pause = min(pause * 1.5, 0.25)

    def kill(self, signal: str | int = "KILL") -> bool:
        """Send a signal to the process and its children. Runs two small commands in the container.

        The Engine has no call for this, so the container's own ``sh`` does it: it finds the processes whose environment
        contains the mark of this one.

        Args:
            signal: name without SIG, or a number.

        Returns:
            Whether the signal could be sent: False if the container has no ``sh`` or is removed.
        """
        if self._mark is None:
            return False
        name = values.signal(signal).upper().removeprefix("SIG")
        command = ["sh", "-c", _KILL, "sh", f"{_MARK}={self._mark}", name]
        try:
            with Scope(_ENDING):
                created = self._client.api.exec_create(self._container, command, user=self._options["user"])
                with self._client.api.exec_start(created["Id"], socket=True) as link:
                    deque(link.chunks(), maxlen=0)
                return self._client.api.exec_inspect(created["Id"]).get("ExitCode") == 0
        except (DockerException, TimeoutError):
            return False

    def terminate(self) -> bool:
        """Call :meth:`kill` with TERM."""
        return self.kill("TERM")

    def _terminate(self) -> bool:
        """Kill the process and check that it is gone, within five seconds, also outside of the caller's deadline."""
        return not self._started or run_outside(self._terminate_in_time)

    def _terminate_in_time(self) -> bool:
        with Scope(_ENDING) as scope:
            while self.kill() and not scope.expired:
                with contextlib.suppress(ExecTimeout):
                    self.wait(0.5)
                    return True
            try:
                return self.poll() is not None
            except DockerException as error:
                return error.is_gone()  # the container is removed, and so is the process

    def resize(self, rows: int, columns: int) -> None:
        """Resize the terminal. ``POST /exec/{id}/resize``"""
        self._client.api.exec_resize(self.id, rows, columns)

    def close(self) -> None:
        """Close the connection. The process keeps running."""
        self._ended = True
        if hasattr(self, "_duplex"):
            self._duplex.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.returncode is None and (kind is not None or not self._ended):
                with contextlib.suppress(DockerException):
                    if self.poll() is None:
                        self._terminate()
        finally:
            self.close()

    def __repr__(self) -> str:
        return f"<Process: {self.args!r}>"


def _marked(environment: Environment | None, mark: str | None) -> Environment | None:
    if mark is None:
        return environment
    if environment is None or isinstance(environment, Mapping):
        return {**(environment or {}), _MARK: mark}
    return [*string_list(environment, "environment"), f"{_MARK}={mark}"]


def checked_input(input: Input | None) -> bytes | IO[bytes] | Iterable[bytes] | None:
    """Refuse input of a wrong type, before anything is created for it."""
    return None if input is None else payload(input.encode() if isinstance(input, str) else input, "input")


def _blocks(input: Input | None) -> Iterator[bytes]:
    data = checked_input(input)
    if isinstance(data, bytes):
        yield data
    elif hasattr(data, "read"):
        while block := cast("IO[bytes]", data).read(_BLOCK):
            if not isinstance(block, bytes):
                raise InvalidArgument("input: must be a binary file (opened with 'rb'), got a text file")
            yield block
    else:
        yield from data or ()
