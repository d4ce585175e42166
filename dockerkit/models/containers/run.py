"""Run a container until it exits. It is attached, and its exit awaited, before it starts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from dockerkit import runtime
from dockerkit.errors import ContainerError, DockerException, RunTimeout
from dockerkit.models.containers.ending import close_in_background, kill_container, remove_container
from dockerkit.models.streaming import OwnedStream
from dockerkit.streams.frames import STDERR
from dockerkit.transport import Scope
from dockerkit.transport.shield import shielded

if TYPE_CHECKING:
    from dockerkit.models.containers import Container
    from dockerkit.streams import FrameStream
    from dockerkit.transport import Response

_WAIT = "POST /containers/{id}/wait"
_STDERR_LIMIT = 64 * 1024  # bytes of stderr kept for the error of a streamed run
_LONGEST_LINE = 16 * 1024  # log drivers also split longer lines


_KILLED = 137  # exit code after SIGKILL
_DRAINING = 2.0  # maximum seconds until the output of a killed container ends

T = TypeVar("T")


class RunOutput(OwnedStream[T]):
    """Output of a running container as it arrives: chunks of bytes, or pairs (stdout, stderr) with ``demux``.

    An iterator and context manager that ends when the container exits, with :class:`~dockerkit.errors.ContainerError`
    if the exit code is not 0. :meth:`close` may be called earlier, from any thread; the container then continues to
    run, unless it was started with ``remove=True``. In that case it is removed, also if this object is
    garbage-collected or the interpreter exits.

    Attributes:
        container: the container.
    """

    def __init__(
        self,
        container: Container,
        *,
        image: str,
        command: str | Sequence[str] | None,
        tty: bool,
        streams: tuple[bool, bool],
        remove: bool,
        auto_remove: bool,
        demux: bool = False,
        timeout: float | None = None,
        spooled: bool = False,
    ) -> None:
        self.container = container
        self._run = _Run(container, image, command, streams=streams, remove=remove, demux=demux, timeout=timeout)
        self._run.start(tty=tty, auto_remove=auto_remove)
        super().__init__(self._run, self._run.drop)
        if spooled:
            super().__init__(_Spool(self._items))

    @property
    def exit_code(self) -> int | None:
        """Exit code of the container; None until it has exited."""
        return self._run.exit_code

    def read_all(self) -> Any:
        """Return all requested output after the container has exited.

        Returns:
            The output as bytes; with ``demux``, the pair (stdout, stderr), with None for a stream without output.

        Raises:
            ContainerError: the exit code is not 0; the error has stdout and stderr.
            RunTimeout: the container did not exit in time, and was killed.
        """
        return self._run.read_all()

    together = read_all  # deprecated name

    def close(self) -> None:
        """Stop reading, and remove the container if it was started with ``remove=True``."""
        self._run.close()
        self._close()

    def __repr__(self) -> str:
        return f"<RunOutput of {self.container!r}>"


@dataclass(eq=False)
class _Run:
    """One run. A timer kills the container when the timeout expires, and stops reading if the output does not end."""

    container: Container
    image: str
    command: str | Sequence[str] | None
    streams: tuple[bool, bool]
    remove: bool
    demux: bool
    timeout: float | None
    exit_code: int | None = None

    def __post_init__(self) -> None:
        self._stdout, self._stderr = (True, True) if self.demux else self.streams
        self._closed = self._expired = False
        self._still_running: str | None = None  # reason, if it could not be killed
        self._scope = Scope(self.timeout)
        self._deadline = self._scope.deadline
        self._timer: runtime.Timer | None = None
        self._output: FrameStream[bytes] | None = None
        self._exit: Response | None = None

    def start(self, *, tty: bool, auto_remove: bool) -> None:
        """Attach, wait and start, in this order; raise RunTimeout if the time expires before the start."""
        try:
            self._scope.run(self._start, tty, auto_remove)
        except BaseException as error:
            self.remove = False  # the caller removes it
            self._expired = isinstance(error, TimeoutError) and self._scope.expired
            if self._expired:
                self._still_running = kill_container(self.container)
            self.close(failed=True)
            if self._expired:
                raise self._timeout(None, b"") from error
            raise
        if self._scope.deadline is not None:  # from now on, the timer enforces it, so that the output can end
            self._timer = runtime.Timer(self._scope.remaining() or 0, self._expire, name="dockerkit-run-timeout")
            self._scope.deadline = None
            self._timer.start()

    def _start(self, tty: bool, auto_remove: bool) -> None:
        api = self.container.client.api
        attached = api.attach_socket(self.container)
        try:
            self._output = api.read_output(attached, tty=lambda: tty)
        except BaseException:
            attached.close()
            raise
        if api.supports(_WAIT, "condition"):  # the engine then responds as soon as it waits
            self._exit = api.begin_wait(self.container, "removed" if auto_remove else "next-exit")
        api.start(self.container)

    def items(self) -> Iterator[Any]:
        last = b""
        lines = None if self.container.client.api.profile.streams_as_written else _Lines()
        try:
            for number, payload in self._frames():
                is_error = number == STDERR
                if is_error:
                    last = (last + payload)[-_STDERR_LIMIT:]
                if self.demux:
                    yield (None, payload) if is_error else (payload, None)
                elif self._stderr if is_error else self._stdout:
                    yield from (payload,) if lines is None else lines.feed(number, payload)
        except DockerException as error:
            if not self._expired:
                raise
            raise self._timeout(None, last) from error
        if lines is not None:
            yield from lines.rest()
        self._finish(None, last)

    def read_all(self) -> Any:
        output: list[bytes] = []
        by_stream: tuple[list[bytes], list[bytes]] = [], []
        try:
            for number, payload in self._frames():
                is_error = number == STDERR
                by_stream[is_error].append(payload)
                if self._stderr if is_error else self._stdout:
                    output.append(payload)
        except DockerException as error:
            if not self._expired:
                raise
            raise self._timeout(b"".join(by_stream[0]), b"".join(by_stream[1])) from error
        except BaseException:
            self.close(failed=True)
            raise
        stdout, stderr = b"".join(by_stream[0]), b"".join(by_stream[1])
        self._finish(stdout, stderr)
        return (stdout or None, stderr or None) if self.demux else b"".join(output)

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield the output, and clean up if interrupted."""
        assert self._output is not None
        try:
            yield from self._output.frames()
        except GeneratorExit:  # garbage-collected with the stream, whose finalizer handles forked children
            raise
        except BaseException:
            self.close(failed=True)
            raise

    def _finish(self, stdout: bytes | None, stderr: bytes) -> None:
        if self._closed:
            return
        try:
            api = self.container.client.api
            code = api.read_wait(self._exit or api.begin_wait(self.container))
        except BaseException as error:
            self.close(failed=True)
            if not self._expired or not isinstance(error, DockerException):
                raise
            raise self._timeout(stdout, stderr) from error
        self.exit_code = code
        self.close(failed=bool(code or code.error))
        if self._expired:
            raise self._timeout(stdout, stderr)
        if code.error:
            from dockerkit.errors import StreamError  # imported lazily: it loads requests

            raise StreamError(f"the engine failed to wait for the container: {code.error}")
        if code != 0:
            failed = ContainerError(self.container, code, self.command, self.image, stderr, stdout)
            raise self.container.client.api.phrased(failed)

    def _timeout(self, stdout: bytes | None, stderr: bytes) -> RunTimeout:
        code = _KILLED if self.exit_code is None else self.exit_code
        reason = self._still_running or None
        return RunTimeout(
            self.container, code, self.command, self.image, stderr, stdout, still_running=reason, timeout=self.timeout
        )

    def _expire(self) -> None:
        """Kill the container after the timeout, and stop reading if its output does not end."""
        if self._closed:
            return
        self._expired = True
        self._still_running = kill_container(self.container)
        if self._still_running == "":  # it exited at the last moment
            self._expired = False
        end = time.monotonic() + (0 if self._still_running else _DRAINING)
        while not self._closed and time.monotonic() < end:
            runtime.sleep(0.05)
        if not self._closed:
            self._expired = True
            self._scope.cancel()

    def close(self, *, failed: bool = False) -> None:
        if self._closed:
            return
        if self.remove:  # an interrupt at the end must not keep it
            shielded(self._close, failed)
        else:
            self._close(failed)

    def _close(self, failed: bool) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        # Close these first, so that their reader gets an end instead of a cancelled request.
        for link in (self._output, self._exit):
            if link is not None:
                link.close()
        self._scope.cancel()
        if self.remove:
            quiet, has_result = failed or self._expired, self.exit_code is not None
            remove_container(self.container, deadline=self._deadline, quiet=quiet, has_result=has_result)

    def drop(self) -> None:
        """Close in the background if the container is to be removed, to not block the garbage collector."""
        if self.remove and not self._closed:
            close_in_background(self.close)
        else:
            self.close()


class _Spool:
    """The output of a container that has ended, read from a temporary file; creating it waits for the end."""

    def __init__(self, items: Iterator[Any]) -> None:
        import pickle
        import tempfile

        self._load = pickle.load
        self._file = tempfile.SpooledTemporaryFile(_STDERR_LIMIT)  # noqa: SIM115 - closed with the stream
        try:
            for item in items:
                pickle.dump(item, self._file)
        except BaseException:
            self.close()
            raise
        self._file.seek(0)

    def items(self) -> Iterator[Any]:
        while not self._file.closed:
            try:
                yield self._load(self._file)
            except EOFError:
                self.close()

    def close(self) -> None:
        self._file.close()


class _Lines:
    """Splits each stream of a run into lines, as a log driver does."""

    def __init__(self) -> None:
        self._open_lines: dict[int, bytes] = {}

    def feed(self, number: int, payload: bytes) -> list[bytes]:
        """Return the completed lines with their ends, and blocks of lines that are too long."""
        lines = (self._open_lines.pop(number, b"") + payload).split(b"\n")
        last = lines.pop()
        complete = [line + b"\n" for line in lines]
        if len(last) < _LONGEST_LINE:
            self._open_lines[number] = last
        else:
            complete.append(last)
        return complete

    def rest(self) -> list[bytes]:
        """Return the remaining lines without an end."""
        return [line for line in self._open_lines.values() if line]
