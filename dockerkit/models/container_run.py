"""Running a container to its end: attached before it starts, its exit awaited before it starts."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dockerkit import errors
from dockerkit.errors import ContainerError, InvalidArgument, RunTimeout
from dockerkit.streams.frames import STDERR

if TYPE_CHECKING:
    from types import TracebackType

    from dockerkit.models.containers import Container
    from dockerkit.transport import Exchange

_WAIT = "POST /containers/{id}/wait"
_KEPT = 64 * 1024  # of stderr, for the error of a run whose output is read piece by piece


T_co = TypeVar("T_co", covariant=True)


class RunOutput(Generic[T_co]):
    """The output of a container that runs, as it comes: chunks of bytes, or with ``demux`` pairs (stdout, stderr).

    It is a context manager, and ends by itself with the container: with :class:`~dockerkit.errors.ContainerError` where
    the exit code is not 0. :meth:`close` may be called before, from any thread; the container then goes on, unless it
    was to be removed.

    Attributes:
        container: the container.
        exit_code: its exit code, once it has ended.
    """

    exit_code: int | None

    def __init__(
        self,
        container: Container,
        *,
        image: str,
        command: str | Sequence[str] | None,
        tty: bool,
        wanted: tuple[bool, bool],
        remove: bool,
        auto_remove: bool,
        demux: bool = False,
        timeout: float | None = None,
    ) -> None:
        self.container = container
        self.exit_code = None
        self._image = image
        self._command = command
        self._remove = remove
        self._stdout, self._stderr = (True, True) if demux else wanted
        self._demux = demux
        self._closed = False
        self._expired = False
        self._timer = None if timeout is None else threading.Timer(timeout, self._expire)
        self._pieces: Iterator[T_co] = self._read()
        api = container.client.api
        reference = container.id or ""
        with contextlib.ExitStack() as undo:
            undo.callback(_removed, container)
            query = {"stdout": True, "stderr": True, "stream": True}
            attached = api._hijack("POST", "/containers/{id}/attach", id=reference, query=query)
            undo.callback(attached.close)
            self._output = api._output(attached, tty=lambda: tty)
            self._exit: Exchange | None = None
            if api._supports(_WAIT, "condition"):  # then the engine answers as soon as it waits, and we know it does
                condition = "removed" if auto_remove else "next-exit"
                self._exit = api._send(
                    "POST", "/containers/{id}/wait", ids={"id": reference}, query={"condition": condition}, timeout=None
                )
                undo.callback(self._exit.close)
            api.start(reference)
            undo.pop_all()
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def __iter__(self) -> Iterator[T_co]:
        return self

    def __next__(self) -> T_co:
        return next(self._pieces)

    def _read(self) -> Iterator[Any]:
        last = b""
        for number, payload in self._frames():
            is_error = number == STDERR
            if is_error:
                last = (last + payload)[-_KEPT:]
            if self._demux:
                yield (None, payload) if is_error else (payload, None)
            elif self._stderr if is_error else self._stdout:
                yield payload
        self._finish(None, last)

    def together(self) -> Any:
        """All of the output that was asked for; ends with the container.

        Returns:
            bytes; with ``demux`` the pair (stdout, stderr), of which None is what had nothing.

        Raises:
            ContainerError: the exit code is not 0; it has stdout and stderr.
            RunTimeout: it did not end in time, and was killed.
        """
        wanted: list[bytes] = []
        apart: tuple[list[bytes], list[bytes]] = [], []
        for number, payload in self._frames():
            is_error = number == STDERR
            apart[is_error].append(payload)
            if self._stderr if is_error else self._stdout:
                wanted.append(payload)
        stdout, stderr = b"".join(apart[0]), b"".join(apart[1])
        self._finish(stdout, stderr)
        return (stdout or None, stderr or None) if self._demux else b"".join(wanted)

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """The output; whatever interrupts it leaves nothing behind."""
        try:
            yield from self._output.frames()
        except BaseException:
            self.close()
            raise

    def _finish(self, stdout: bytes | None, stderr: bytes) -> None:
        if self._closed:
            return
        try:
            self.exit_code = self._code()
        finally:
            self.close()
        if self._expired:
            raise RunTimeout(self.container, self.exit_code, self._command, self._image, stderr, stdout)
        if self.exit_code != 0:
            raise ContainerError(self.container, self.exit_code, self._command, self._image, stderr, stdout)

    def _code(self) -> int:
        if self._exit is None:
            return int(self.container.client.api.wait(self.container))
        answer = json.loads(self._exit.read())
        return int(answer.get("StatusCode", -1))

    def _expire(self) -> None:
        """The time is over: end the container, which ends its output."""
        self._expired = True
        try:
            self.container.client.api.kill(self.container)
        except (errors.NotFound, errors.Conflict):  # it had ended at the last moment
            self._expired = False

    def close(self) -> None:
        """Stop reading; the container is removed, if it was to be."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._output.close()
        if self._exit is not None:
            self._exit.close()
        if self._remove:
            _removed(self.container)

    def __enter__(self) -> RunOutput[T_co]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RunOutput of {self.container!r}>"


def checked_timeout(timeout: object) -> None:
    """Refuse what is no number of seconds above 0."""
    if timeout is not None and (
        isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout <= threading.TIMEOUT_MAX
    ):
        raise InvalidArgument(f"timeout: a number of seconds above 0 is needed, not {timeout!r}")


def _removed(container: Container) -> None:
    """Remove a container with its anonymous volumes, however it is; somebody may have done it before."""
    try:
        container.client.api.remove_container(container, v=True, force=True)
    except (errors.NotFound, errors.Conflict):  # not in a suppress(), since naming them loads requests
        return
