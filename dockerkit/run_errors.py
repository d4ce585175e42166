"""Errors about what ran: containers, commands in them, what was waited for. Named through :mod:`dockerkit.errors`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.errors import DockerException

if TYPE_CHECKING:
    from dockerkit.models.containers import Container


def _told(stderr: bytes | str | None) -> str:
    """What a program wrote about its failure, to be put behind what we say of it."""
    text = (stderr.decode("utf-8", "replace") if isinstance(stderr, bytes) else stderr or "").strip()
    return f": {text}" if text else ""


class ContainerError(DockerException):
    """A container run to its end left with a non-zero exit code.

    Attributes:
        container: the container (it may be gone by now).
        exit_status: its exit code.
        command: the command it ran.
        image: the image it came from.
        stdout, stderr: its output as bytes, apart; None where it was not asked for or there was none.
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
        return f"left with exit code {self.exit_status}{_told(self.stderr)}"

    @property
    def exit_code(self) -> int:
        """The same as ``exit_status``."""
        return self.exit_status


class RunTimeout(ContainerError, TimeoutError):
    """A container that was run did not end within its time, and was killed; has its output until then."""

    args: tuple[Any, ...]

    def _outcome(self) -> str:
        return "did not end in time: its container was killed"


class ExecError(DockerException):
    """A command in a container left with a non-zero exit code, and ``check=True`` asked to hear of it.

    Attributes:
        cmd: the command.
        returncode: its exit code.
        stdout, stderr: its output, as bytes or text as it was asked for.
    """

    def __init__(self, cmd: str | Sequence[str], returncode: int, stdout: bytes | str, stderr: bytes | str) -> None:
        self.cmd = cmd
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(f"command {cmd!r} left with exit code {returncode}{_told(stderr[-2000:])}")


class ExecTimeout(DockerException, TimeoutError):
    """A command in a container did not end within its time.

    Attributes:
        cmd: the command.
        timeout: the seconds that it had.
        stdout, stderr: its output until then, as bytes.
        still_running: whether it goes on in the container, because it could not be ended there.
    """

    def __init__(
        self, cmd: str | Sequence[str], timeout: float, stdout: bytes, stderr: bytes, still_running: bool
    ) -> None:
        self.cmd = cmd
        self.timeout = timeout
        self.stdout = stdout
        self.stderr = stderr
        self.still_running = still_running
        fate = (
            "it could not be ended (the Engine has no call for that, and the container no sh to do it with), so it still runs"
            if still_running
            else "it was ended"
        )
        super().__init__(f"command {cmd!r} did not end within {timeout:g} s; {fate}")


class WaitFailed(DockerException):
    """What was waited for can't come any more.

    Attributes:
        container: name or id of the container.
        state: the container's state, as the engine gave it last.
        logs: the last lines that it wrote.
        pending: what had not come yet, in words.
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
        text = f"container {self.container}: {self.args[0]}"
        if self.pending:
            text += f"\n  still waited for: {', '.join(self.pending)}"
        if self.state:
            health = (self.state.get("Health") or {}).get("Status")
            facts = [str(self.state.get("Status", "")), f"exit code {self.state.get('ExitCode')}"]
            facts += [f"health {health}"] if health else []
            facts += [str(self.state["Error"])] if self.state.get("Error") else []
            text += f"\n  state: {', '.join(facts)}"
            checks = (self.state.get("Health") or {}).get("Log") or []
            if checks and health != "healthy":
                text += f"\n  last health check: {str(checks[-1].get('Output', '')).strip()[-500:]}"
        if self.logs:
            text += "\n  last log lines:\n" + "\n".join(f"    {line}" for line in self.logs[-10:])
        return text


class ContainerExited(WaitFailed):
    """The container stopped before what was waited for came."""


class ContainerUnhealthy(WaitFailed):
    """The container turned unhealthy, or has no health check, while its health was waited for."""


class WaitTimeout(WaitFailed, TimeoutError):
    """What was waited for did not come in time."""


class ConvergenceFailed(DockerException):
    """A service or node of a swarm does not become what it was told to be.

    Attributes:
        name: of the service or node.
        progress: how far a service had come (a :class:`dockerkit.models.convergence.Progress`); None for a node.
        tasks: what the tasks that failed last say, newest first.
    """

    def __init__(self, message: str, name: str = "", progress: object = None, tasks: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.progress = progress
        self.tasks: tuple[str, ...] = tuple(tasks)

    def __str__(self) -> str:
        text = f"{self.name}: {self.args[0]}" if self.name else str(self.args[0])
        return text + "".join(f"\n  {task}" for task in self.tasks[:5])


class ConvergenceTimeout(ConvergenceFailed, TimeoutError):
    """A service or node of a swarm did not become what it was told to be in time. It may still do so."""
