"""Run a command in a new container, like :func:`subprocess.run`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, AnyStr, Generic

from dockerkit.errors import ContainerError, InvalidArgument, RunTimeout
from dockerkit.models.containers.ending import kill_container, remove_container
from dockerkit.models.containers.process import KeptOutput
from dockerkit.parsing import values
from dockerkit.transport import Scope

if TYPE_CHECKING:
    from dockerkit.models.containers import Container
    from dockerkit.models.containers.create import CreateRequest
    from dockerkit.models.containers.process import Input

__all__ = ["CompletedRun", "KeptOutput", "output_limit", "run_to_end"]


@dataclass(frozen=True)
class CompletedRun(Generic[AnyStr]):
    """The result of a container that has exited.

    Attributes:
        args: the command; None for the image's default.
        returncode: exit code.
        stdout, stderr: output; with ``tty=True``, all of it is in stdout.
        duration: seconds from start to exit.
        container: the container; already removed unless ``remove=False``.
        image: the image of the container.
        oom_killed: whether the kernel killed the container because it exceeded its memory limit.
        truncated: whether it wrote more than ``max_output``.
    """

    args: str | Sequence[str] | None
    returncode: int
    stdout: AnyStr
    stderr: AnyStr
    duration: float
    container: Container = field(repr=False)
    image: str = field(repr=False)
    oom_killed: bool = False
    truncated: bool = False

    @property
    def container_id(self) -> str:
        """ID of the container."""
        return self.container.id or ""

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.returncode == 0

    def check_returncode(self) -> None:
        """Raise if the exit code is not 0.

        Raises:
            ContainerError: the exit code is not 0.
        """
        if self.returncode != 0:
            stdout = self.stdout.encode() if isinstance(self.stdout, str) else self.stdout
            error = ContainerError(self.container, self.returncode, self.args, self.image, self.stderr, stdout)
            raise self.container.client.api.phrased(error)


def output_limit(max_output: int | str | None) -> int | None:
    """Return the number of bytes of each stream to keep; None for no limit."""
    limit = None if max_output is None else values.size(max_output, "max_output")
    if limit is not None and limit < 0:
        raise InvalidArgument(f"max_output: must be a size such as '1m' or a number of bytes, got {max_output!r}")
    return limit


def run_to_end(
    container: Container,
    created: CreateRequest,
    command: str | Sequence[str] | None,
    undo: contextlib.ExitStack,
    *,
    input: Input | None,
    timeout: float | None,
    max_output: int | None = None,
    remove: bool,
    order: Sequence[str] = (),
) -> tuple[CompletedRun[bytes], bytes]:
    """Start a created container, send its input, and collect its output until it exits.

    `undo` removes the container unless this function takes over. Also returns the combined output of the streams in
    `order`.
    """
    from dockerkit.models.containers.main_process import MainProcess

    out = KeptOutput(max_output, order)
    tty, auto_remove = bool(created.body.get("Tty")), bool(created.body["HostConfig"].get("AutoRemove"))
    image = created.body["Image"]
    ended = False
    scope = Scope(timeout)
    with contextlib.ExitStack() as finish:
        if remove:
            finish.callback(
                lambda: remove_container(container, deadline=scope.deadline, quiet=not ended, has_result=ended)
            )
        undo.pop_all()
        process: MainProcess | None = None
        began = time.monotonic()
        try:
            with scope:
                process = MainProcess(container, stdin=input is not None, tty=tty, auto_remove=auto_remove)
                finish.callback(process.close)
                began = time.monotonic()
                process.start()
                process._converse(input, scope.deadline, out)
                code = process.wait(scope.remaining())
                ended = True
        except BaseException as error:
            expired = isinstance(error, TimeoutError) and scope.expired
            if process is not None:
                process.close()  # close first: an engine with pending output is slow to kill
            still_running = kill_container(container) or None
            if not expired:
                raise
            stdout, stderr = out.read()
            raise RunTimeout(
                container, 137, command, image, stderr, stdout, still_running=still_running, timeout=timeout
            ) from None
        duration = time.monotonic() - began
        oom_killed = bool(process.state.get("OOMKilled"))
        run = CompletedRun(command, code, *out.read(), duration, container, image, oom_killed, out.truncated)
        return run, b"".join(out.together)


def decoded(run: CompletedRun[bytes]) -> CompletedRun[str]:
    """Return the same result with output as strings."""
    stdout, stderr = (output.decode("utf-8", "replace") for output in (run.stdout, run.stderr))
    fields: dict[str, Any] = {**vars(run), "stdout": stdout, "stderr": stderr}
    return CompletedRun(**fields)
