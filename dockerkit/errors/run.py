"""Errors about containers that ran, commands in them, and awaited conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.errors.base import DockerException
from dockerkit.errors.quoting import bounded, quoted

if TYPE_CHECKING:
    from dockerkit.models.containers import Container


def _with_stderr(stderr: bytes | str | None) -> str:
    """Return a program's error output as a suffix for a message."""
    output = quoted(stderr)
    return f": {output}" if output else ""


class ContainerError(DockerException):
    """The container exited with a non-zero exit code.

    Attributes:
        container: the container. It may have been removed.
        exit_status: its exit code.
        command: the command it ran.
        image: the image it came from.
        stdout, stderr: its output as bytes; None if it was not requested or empty.
    """

    def __init__(
        self,
        container: Container,
        exit_status: int,
        command: str | Sequence[str] | None,
        image: object,
        stderr: bytes | str | None,
        stdout: bytes | None = None,
    ) -> None:
        self.container = container
        self.exit_status = exit_status
        self.command = command
        self.image = image
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(f"command {command!r} in image {image!r} {self._outcome()}")

    def _outcome(self) -> str:
        return f"exited with code {self.exit_status}{_with_stderr(self.stderr)}"

    @property
    def exit_code(self) -> int:
        """Return ``exit_status``."""
        return self.exit_status


class RunTimeout(ContainerError, TimeoutError):
    """The container did not exit in time. Holds its output so far.

    Attributes:
        still_running: why the container may still be running; None if it was killed.
        timeout: the limit in seconds, if known.
    """

    args: tuple[Any, ...]

    def __init__(
        self,
        container: Container,
        exit_status: int,
        command: str | Sequence[str] | None,
        image: object,
        stderr: bytes | str | None,
        stdout: bytes | None = None,
        *,
        still_running: str | None = None,
        timeout: float | None = None,
    ) -> None:
        self.still_running = still_running
        self.timeout = timeout
        super().__init__(container, exit_status, command, image, stderr, stdout)

    def _outcome(self) -> str:
        outcome = "timed out" if self.timeout is None else f"did not finish within {self.timeout:g} s"
        if self.still_running is None:
            return f"{outcome}, and its container was killed"
        return f"{outcome}, and its container may still be running because it could not be killed: {self.still_running}"


class ExecError(DockerException):
    """The command exited with a non-zero exit code and ``check=True`` was passed.

    Attributes:
        cmd: the command.
        returncode: its exit code.
        stdout, stderr: its output, as bytes or str like the result would have been.
    """

    def __init__(self, cmd: str | Sequence[str], returncode: int, stdout: bytes | str, stderr: bytes | str) -> None:
        self.cmd = cmd
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(f"command {cmd!r} exited with code {returncode}{_with_stderr(stderr)}")


class ExecStartError(ExecError):
    """A command could not be started in a container: its program, directory or user does not exist there.

    Attributes:
        cmd: the command.
        returncode: 126 or 127.
        stdout, stderr: empty.
        reason: the engine's own text.
    """

    def __init__(self, cmd: str | Sequence[str], returncode: int, news: str, reason: str) -> None:
        super().__init__(cmd, returncode, b"", b"")
        self.reason = reason
        self.args: tuple[Any, ...] = (
            bounded(f"{quoted(news, 500)}\n  command {cmd!r} was not started: {quoted(reason, 500)}"),
        )


class ExecTimeout(DockerException, TimeoutError):
    """The command did not exit in time.

    Attributes:
        cmd: the command.
        timeout: the limit in seconds.
        stdout, stderr: its output so far, as bytes.
        still_running: whether the command may still be running because it could not be killed.
    """

    def __init__(
        self, cmd: str | Sequence[str], timeout: float, stdout: bytes, stderr: bytes, still_running: bool
    ) -> None:
        self.cmd = cmd
        self.timeout = timeout
        self.stdout = stdout
        self.stderr = stderr
        self.still_running = still_running
        outcome = (
            "it may still be running: the engine did not respond, or the container has no sh to kill it with"
            if still_running
            else "it was killed"
        )
        super().__init__(f"command {cmd!r} timed out after {timeout:g} s; {outcome}")


class WaitFailed(DockerException):
    """The awaited condition can no longer be met.

    Attributes:
        container: name or ID of the container.
        state: the container's last known state.
        logs: its last log lines.
        pending: the conditions that were not met.
    """

    def __init__(
        self,
        message: str,
        container: str = "",
        state: Mapping[str, Any] | None = None,
        logs: Sequence[str] = (),
        pending: Sequence[str] = (),
    ) -> None:
        self.container = container
        self.state: Mapping[str, Any] = state or {}
        self.logs: tuple[str, ...] = tuple(logs)
        self.pending: tuple[str, ...] = tuple(pending)
        super().__init__(message)

    def __str__(self) -> str:
        message = f"container {self.container!r}: {self.args[0]}"
        if self.pending:
            message += f"\n  still waiting for: {', '.join(self.pending)}"
        if self.state:
            health = (self.state.get("Health") or {}).get("Status")
            status = str(self.state.get("Status", ""))
            details = [status] if status == "running" else [status, f"exit code {self.state.get('ExitCode')}"]
            details += [f"health {health}"] if health else []
            details += [str(self.state["Error"])] if self.state.get("Error") else []
            message += f"\n  state: {', '.join(details)}"
            checks = (self.state.get("Health") or {}).get("Log") or []
            if checks and health != "healthy":
                message += f"\n  last health check: {quoted(str(checks[-1].get('Output', '')), 500)}"
        if self.logs:
            message += "\n  last log lines:\n" + "\n".join(f"    {quoted(line, 500)}" for line in self.logs[-10:])
        return bounded(message)


class ContainerExited(WaitFailed):
    """The container stopped before the condition was met."""


class ContainerUnhealthy(WaitFailed):
    """The container became unhealthy, or has no health check, while its health was awaited."""


class WaitTimeout(WaitFailed, TimeoutError):
    """The condition was not met in time."""


class ConvergenceFailed(DockerException):
    """A service or node of a swarm does not reach its desired state.

    Attributes:
        name: name of the service or node.
        progress: progress of the service (a ``ServiceProgress``); None for a node.
        tasks: messages of failed tasks, newest first.
    """

    def __init__(self, message: str, name: str = "", progress: object = None, tasks: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.progress = progress
        self.tasks: tuple[str, ...] = tuple(tasks)

    def __str__(self) -> str:
        message = f"{self.name}: {self.args[0]}" if self.name else str(self.args[0])
        return message + "".join(f"\n  {quoted(task, 500)}" for task in self.tasks[:5])


class ConvergenceTimeout(ConvergenceFailed, TimeoutError):
    """A service or node of a swarm did not reach its desired state in time. It may still do so."""
