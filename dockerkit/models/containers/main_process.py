"""A container's main process as a :class:`~dockerkit.models.containers.process.Process`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.errors import InvalidArgument
from dockerkit.models.containers.process import Process, _Stdin
from dockerkit.streams.frames import FrameParser

if TYPE_CHECKING:
    from types import TracebackType

    from dockerkit.models.containers import Container
    from dockerkit.transport import Response

_WAIT = "POST /containers/{id}/wait"


class MainProcess(Process):
    """The main process of a container: its input, output and exit code. See :meth:`Container.attach_process`.

    Attributes:
        id: ID of the container.
        container: the container.
        stdin: standard input; None if not connected.
        state: state of the container at the last :meth:`poll`.
    """

    def __init__(self, container: Container, *, stdin: bool, tty: bool, auto_remove: bool, logs: bool = False) -> None:
        options: dict[str, Any] = {"user": "", "privileged": False, "environment": None, "workdir": None}
        super().__init__(container.client, container, "main process", stdin=stdin, tty=tty, marked=False, **options)
        self.container = container
        self.id: str = container.id or ""
        self._any_output = True  # which is never the engine's: a program that does not exist fails the start
        self.state: Mapping[str, Any] = {}
        self._exit: Response | None = None
        api = self._client.api
        params = {"stdin": int(bool(stdin)), "stdout": 1, "stderr": 1, "stream": 1, "logs": int(bool(logs))}
        link = api.attach_socket(container, params)
        with contextlib.ExitStack() as undo:
            undo.callback(link.close)
            multiplexed = api.is_multiplexed(link.media_type, lambda: tty)
            if auto_remove and api.supports(_WAIT, "condition"):  # after the removal, nothing else has the exit code
                self._exit = api.begin_wait(container, "removed")
            undo.pop_all()
        self._parser = FrameParser() if multiplexed else None
        self._duplex = link
        self.stdin: _Stdin | None = _Stdin(self._duplex) if stdin else None

    def start(self) -> None:
        """Start the container, once no output can be missed. ``POST /containers/{id}/start``"""
        self._started = True
        self._client.api.start(self.container)

    def poll(self) -> int | None:
        """Return the exit code, or None while running. ``GET /containers/{id}/json``"""
        if self._returncode is None:
            try:
                state: Mapping[str, Any] = self._client.api.inspect_container(self.container)["State"]
            except errors.APIError as error:
                if self._exit is None or not error.is_gone():
                    raise
                self._returncode = int(self._client.api.read_wait(self._exit))
            else:
                self.state = state
                if not state.get("Running") and state.get("Status") in ("exited", "dead"):
                    self._returncode = state["ExitCode"]
        return self._returncode

    def kill(self, signal: str | int = "KILL") -> bool:
        """Send a signal to the process. ``POST /containers/{id}/kill``

        Args:
            signal: name or number.

        Returns:
            False if the container is not running.
        """
        try:
            self._client.api.kill(self.container, signal)
        except errors.APIError as error:
            if not error.is_gone() and not isinstance(error, errors.Conflict):
                raise
            return False
        return True

    def resize(self, rows: int, columns: int) -> None:
        """Resize the terminal. ``POST /containers/{id}/resize``"""
        self._client.api.resize(self.container, rows, columns)

    def close(self) -> None:
        """Close the connection. The process keeps running."""
        super().close()
        if self._exit is not None:
            self._exit.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._started:
            super().__exit__(kind, error, trace)
        else:  # it was already running, so leave it running
            self.close()

    def __repr__(self) -> str:
        return f"<MainProcess of {self.container!r}>"


def attach(container: Container, *, start: bool, stdin: bool | None, logs: bool) -> MainProcess:
    """See :meth:`Container.attach_process`."""
    attrs = container.client.api.inspect_container(container)
    config, host, state = attrs.get("Config") or {}, attrs.get("HostConfig") or {}, attrs.get("State") or {}
    open_stdin = bool(config.get("OpenStdin"))
    if stdin and not open_stdin:
        raise InvalidArgument("stdin: the container has no standard input; create it with stdin_open=True")
    stdin = open_stdin if stdin is None else stdin
    tty, auto_remove = bool(config.get("Tty")), bool(host.get("AutoRemove"))
    process = MainProcess(container, stdin=stdin, tty=tty, auto_remove=auto_remove, logs=logs)
    process.args = config.get("Cmd") or config.get("Entrypoint") or ""
    if start and not state.get("Running"):
        try:
            process.start()
        except BaseException:
            process.close()
            raise
    return process
