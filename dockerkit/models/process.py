"""A command that runs in a container: input, output, exit code, signals. Made by :mod:`dockerkit.models.execs`."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, AnyStr, Generic, Literal, NamedTuple, cast

from dockerkit import errors as failures
from dockerkit.errors import DockerException, ExecError, ExecTimeout, InvalidArgument, StreamTruncated
from dockerkit.streams.frames import STDERR, FrameParser
from dockerkit.transport.duplex import Duplex

if TYPE_CHECKING:
    from types import TracebackType

    from dockerkit.client import DockerClient
    from dockerkit.types.parse import Environment

__all__ = ["Command", "CompletedExec", "Input", "Output", "Process"]

Command = str | Sequence[str]
Input = bytes | str | IO[bytes] | Iterable[bytes]

_BLOCK = 64 * 1024
_MARK = "DOCKERKIT_EXEC"
# Run by the container's own sh: finds the processes whose environment has our mark (children inherit it), by built-ins
# alone, and signals them. Mark and signal are arguments, never part of the script.
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
_ENDING = 5.0  # seconds that a killed process may take to be gone


@dataclass(frozen=True)
class CompletedExec(Generic[AnyStr]):
    """A command that came to its end.

    Attributes:
        args: the command.
        returncode: its exit code.
        stdout, stderr: its output; with ``tty=True`` all of it is stdout.
    """

    args: Command
    returncode: int
    stdout: AnyStr
    stderr: AnyStr

    def check_returncode(self) -> None:
        """Raise if the exit code is not 0.

        Raises:
            ExecError: it is not.
        """
        if self.returncode != 0:
            raise ExecError(self.args, self.returncode, self.stdout, self.stderr)


class Output(NamedTuple):
    """A piece of output: ``stream`` is "stdout" or "stderr"."""

    stream: Literal["stdout", "stderr"]
    data: bytes


class _Stdin:
    """What the process reads: ``write`` sends at once, ``close`` is the end of its input; its output goes on."""

    def __init__(self, duplex: Duplex) -> None:
        self._duplex = duplex
        self.closed: bool = False

    def write(self, data: bytes | str) -> int:
        """Send bytes, or text as UTF-8; returns how many bytes.

        Raises:
            BrokenPipeError: the process no longer reads.
        """
        raw = data.encode() if isinstance(data, str) else data
        if self.closed:
            raise ValueError("write to closed stdin")
        self._duplex.send(raw)
        return len(raw)

    def flush(self) -> None:
        """Nothing: what is written is never kept back."""

    def writable(self) -> bool:
        """True."""
        return True

    def close(self) -> None:
        """The end of input: the process reads end-of-file."""
        if not self.closed:
            self.closed = True
            self._duplex.close_write()

    def __enter__(self) -> _Stdin:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Process:
    """A command that runs in a container: its input, its output, and its end.

    Iterate it for :class:`Output` pieces, in the order in which they came. It is a context manager: what still runs at
    the end of the block is killed.

    Attributes:
        id: the exec's id.
        args: the command.
        stdin: writes to it; None where it was not asked for.
        tty: whether it has a terminal; then all output is stdout.
    """

    def __init__(
        self,
        client: DockerClient,
        container: str,
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
        self._user = user
        self._returncode: int | None = None
        api = client.api
        marked = marked and api._supports("POST /containers/{id}/exec", "Env")
        self._mark = os.urandom(16).hex() if marked else None
        sized = console_size if console_size and api._supports("POST /containers/{id}/exec", "ConsoleSize") else None
        made = api.exec_create(
            container,
            args,
            stdin=stdin,
            tty=tty,
            privileged=privileged,
            user=user,
            environment=_marked(environment, self._mark),
            workdir=workdir,
            detach_keys=detach_keys,
            console_size=sized,
        )
        self.id: str = made["Id"]
        link = api.exec_start(self.id, tty=tty, socket=True, console_size=sized)
        try:
            multiplexed = api._is_multiplexed(link.media_type, lambda: tty)
        except BaseException:
            link.close()
            raise
        self._parser = FrameParser() if multiplexed else None
        self._duplex = Duplex(link)
        self.stdin: _Stdin | None = _Stdin(self._duplex) if stdin else None
        self._pieces: deque[Output] = deque()
        self._ended = False

    # --- output ---

    def __iter__(self) -> Iterator[Output]:
        while (piece := self.read_piece()) is not None:
            yield piece

    def read_piece(self, timeout: float | None = None) -> Output | None:
        """The next piece of output; None at the end.

        Args:
            timeout: seconds; None waits as long as it takes.

        Raises:
            TimeoutError: nothing came in time; one may go on.
            StreamTruncated: the engine cut the stream.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._pieces and not self._ended:
            self._take(self._duplex.receive(deadline))
        return self._pieces.popleft() if self._pieces else None

    def lines(self, encoding: str = "utf-8", errors: str = "replace") -> Iterator[tuple[str, str]]:
        """Whole lines as (stream, text), without their ends; no character is cut."""
        rests: dict[Literal["stdout", "stderr"], bytes] = {"stdout": b"", "stderr": b""}
        for stream, data in self:
            *whole, rests[stream] = (rests[stream] + data).split(b"\n")
            for line in whole:
                yield stream, line.removesuffix(b"\r").decode(encoding, errors)
        for stream, rest in rests.items():
            if rest:
                yield stream, rest.decode(encoding, errors)

    def communicate(self, input: Input | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Send input and its end, and take all output: (stdout, stderr).

        Args:
            input: bytes, text (as UTF-8), a binary file or blocks of bytes.
            timeout: seconds for all of it.

        Raises:
            ExecTimeout: it did not end in time; it still runs, and :meth:`kill` ends it.
        """
        out: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        try:
            self._converse(input, None if timeout is None else time.monotonic() + timeout, out)
        except TimeoutError:
            assert timeout is not None
            raise ExecTimeout(self.args, timeout, b"".join(out["stdout"]), b"".join(out["stderr"]), True) from None
        return b"".join(out["stdout"]), b"".join(out["stderr"])

    def _converse(self, input: Input | None, deadline: float | None, out: Mapping[str, list[bytes]]) -> None:
        if input is not None and self.stdin is None:
            raise InvalidArgument("input: the process was made without stdin")
        if self.stdin is not None and not self.stdin.closed:
            self.stdin.closed = True
            try:
                for data in self._duplex.converse(_blocks(input), deadline):
                    self._take(data)
                    _collect(self._pieces, out)
            except StreamTruncated as error:
                # Who closes with our input unread breaks the connection, after all output: no harm if the process ended.
                if not (isinstance(error.__cause__, ConnectionError) and self._has_ended(deadline)):
                    raise
        else:
            while not self._ended:
                self._take(self._duplex.receive(deadline))
                _collect(self._pieces, out)
        self._finish()
        _collect(self._pieces, out)

    def _take(self, data: bytes) -> None:
        if not data:
            self._finish()
        elif self._parser is None:
            self._pieces.append(Output("stdout", data))
        else:
            self._pieces += [
                Output("stderr" if number == STDERR else "stdout", payload)
                for number, payload in zip(*self._parser.feed(data), strict=True)
            ]

    def _finish(self) -> None:
        if not self._ended:
            self._ended = True
            closed = self._duplex.link.closed
            self._duplex.link.close()
            if self._parser is not None and not closed:
                self._parser.close()

    # --- the end ---

    @property
    def returncode(self) -> int | None:
        """The exit code as last seen; None while it runs. :meth:`poll` asks the engine."""
        return self._returncode

    def poll(self) -> int | None:
        """The exit code, or None while it runs. ``GET /exec/{id}/json``"""
        if self._returncode is None:
            state = self._client.api.exec_inspect(self.id)
            if not state.get("Running") and state.get("ExitCode") is not None:
                self._returncode = state["ExitCode"]
        return self._returncode

    def _has_ended(self, deadline: float | None) -> bool:
        """Whether the engine says so, within moments."""
        left = _ENDING if deadline is None else min(deadline - time.monotonic(), _ENDING)
        try:
            self.wait(max(left, 0))
        except DockerException:
            return False
        return True

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. A process whose output nobody reads may wait for a reader: read it first.

        Args:
            timeout: seconds; None waits as long as it takes.

        Raises:
            ExecTimeout: it did not end in time; it still runs.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = 0.005
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() >= deadline:
                assert timeout is not None
                raise ExecTimeout(self.args, timeout, b"", b"", True)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)
        return code

    def kill(self, signal: str | int = "KILL") -> bool:
        """Send a signal to it and to the processes that it started. Two small execs in the container.

        The Engine has no call for that, so the container's own ``sh`` does it: it looks for processes whose environment
        has the mark that we gave to this one.

        Args:
            signal: a name without SIG, or a number.

        Returns:
            Whether that could be done: False where the container has no ``sh``, or is gone.
        """
        if self._mark is None:
            return False
        name = str(signal).removeprefix("SIG")
        command = ["sh", "-c", _KILL, "sh", f"{_MARK}={self._mark}", name]
        try:
            made = self._client.api.exec_create(self._container, command, user=self._user)
            self._client.api.exec_start(made["Id"])
            return self._client.api.exec_inspect(made["Id"]).get("ExitCode") == 0
        except DockerException:
            return False

    def terminate(self) -> bool:
        """:meth:`kill` with TERM."""
        return self.kill("TERM")

    def _end_it(self) -> bool:
        """Kill it, and see whether it is gone."""
        deadline = time.monotonic() + _ENDING
        while self.kill() and time.monotonic() < deadline:
            with contextlib.suppress(ExecTimeout):
                self.wait(0.5)
                return True
        try:
            return self.poll() is not None
        except failures.NotFound:
            return True  # the container is gone, and the process with it
        except DockerException:
            return False

    def resize(self, rows: int, columns: int) -> None:
        """Tell its terminal the size. ``POST /exec/{id}/resize``"""
        self._client.api.exec_resize(self.id, rows, columns)

    def close(self) -> None:
        """Close the connection; the process is left as it is."""
        self._ended = True
        self._duplex.link.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.returncode is None and (kind is not None or not self._ended):
                with contextlib.suppress(DockerException):
                    if self.poll() is None:
                        self._end_it()
        finally:
            self.close()

    def __repr__(self) -> str:
        return f"<Process: {self.args!r}>"


def _marked(environment: Environment | None, mark: str | None) -> Environment | None:
    if mark is None:
        return environment
    variable = {_MARK: mark}
    if environment is None or isinstance(environment, Mapping):
        return {**(environment or {}), **variable}
    return [*environment, f"{_MARK}={mark}"]


def _blocks(input: Input | None) -> Iterator[bytes]:
    if input is None:
        return
    if isinstance(input, str):
        yield input.encode()
    elif isinstance(input, (bytes, bytearray, memoryview)):
        yield bytes(input)
    elif hasattr(input, "read"):
        while block := cast("IO[bytes]", input).read(_BLOCK):
            if not isinstance(block, bytes):
                raise InvalidArgument("input: a binary file is needed (opened with 'rb'), not one of text")
            yield block
    else:
        yield from input


def _collect(pieces: deque[Output], out: Mapping[str, list[bytes]]) -> None:
    for stream, data in pieces:
        out[stream].append(data)
    pieces.clear()
