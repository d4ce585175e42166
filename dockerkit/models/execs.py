"""Commands in a running container, in the manner of :mod:`subprocess`: ``exec`` runs one to its end, ``popen`` holds it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Literal, overload

from dockerkit.errors import ExecTimeout, InvalidArgument
from dockerkit.models.process import Command, CompletedExec, Input, Output, Process
from dockerkit.models.resource import Model

if TYPE_CHECKING:
    from dockerkit.types.parse import Environment

__all__ = ["CompletedExec", "ExecModel", "Output", "Process"]


class ExecModel(Model):
    """The part of a container that runs commands."""

    @overload
    def exec(
        self,
        cmd: Command,
        *,
        input: Input | None = None,
        timeout: float | None = None,
        check: bool = False,
        text: Literal[False] = False,
        environment: Environment | None = None,
        user: str = "",
        workdir: str | None = None,
        privileged: bool = False,
        tty: bool = False,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> CompletedExec[bytes]: ...

    @overload
    def exec(
        self,
        cmd: Command,
        *,
        input: Input | None = None,
        timeout: float | None = None,
        check: bool = False,
        text: Literal[True],
        environment: Environment | None = None,
        user: str = "",
        workdir: str | None = None,
        privileged: bool = False,
        tty: bool = False,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> CompletedExec[str]: ...

    def exec(
        self,
        cmd: Command,
        *,
        input: Input | None = None,
        timeout: float | None = None,
        check: bool = False,
        text: bool = False,
        environment: Environment | None = None,
        user: str = "",
        workdir: str | None = None,
        privileged: bool = False,
        tty: bool = False,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> CompletedExec[bytes] | CompletedExec[str]:
        """Run a command to its end, like :func:`subprocess.run`. ``POST /containers/{id}/exec``, ``POST /exec/{id}/start``

        Args:
            cmd: the command; a text is split as a shell would, but no shell runs it.
            input: what it reads: bytes, text (as UTF-8), a binary file or blocks of bytes; then the end of input.
            timeout: seconds; after them the process and its children in the container are killed.
            check: raise where the exit code is not 0.
            text: output as text instead of bytes.
            environment: a dict, or a list of ``"NAME=value"``.
            user: name or id, with ``:group`` where wanted; "" is the container's.
            workdir: the folder to start in.
            privileged: with all privileges.
            tty: give it a terminal; all output then is stdout.
            encoding, errors: for text.

        Returns:
            Exit code, stdout and stderr apart.

        Raises:
            ExecTimeout: it took too long; with its output so far, and whether it could be ended.
            ExecError: with ``check``, its exit code is not 0.
            Conflict: the container does not run.

        Example::

            container.exec(["tr", "a-z", "A-Z"], input="shout", text=True, check=True).stdout   # "SHOUT"
        """
        if timeout is not None and not timeout > 0:
            raise InvalidArgument(f"timeout: seconds above 0 are needed, or None for no limit, not {timeout!r}")
        process = self.popen(
            cmd,
            stdin=input is not None,
            tty=tty,
            environment=environment,
            user=user,
            workdir=workdir,
            privileged=privileged,
        )
        out: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            process._converse(input, deadline, out)
            code = process.wait(None if deadline is None else max(deadline - time.monotonic(), 1.0))
        except TimeoutError:
            assert timeout is not None
            gone = process._end_it()
            raise ExecTimeout(cmd, timeout, b"".join(out["stdout"]), b"".join(out["stderr"]), not gone) from None
        except KeyboardInterrupt:
            process._end_it()
            raise
        finally:
            process.close()
        stdout, stderr = b"".join(out["stdout"]), b"".join(out["stderr"])
        done: CompletedExec[Any] = CompletedExec(cmd, code, stdout, stderr)
        if text:
            done = CompletedExec(cmd, code, stdout.decode(encoding, errors), stderr.decode(encoding, errors))
        if check:
            done.check_returncode()
        return done

    def popen(
        self,
        cmd: Command,
        *,
        stdin: bool = True,
        tty: bool = False,
        environment: Environment | None = None,
        user: str = "",
        workdir: str | None = None,
        privileged: bool = False,
        console_size: tuple[int, int] | None = None,
        marked: bool = True,
    ) -> Process:
        r"""Start a command and hold it, like :class:`subprocess.Popen`. ``POST /containers/{id}/exec``

        Args:
            cmd: the command; a text is split as a shell would, but no shell runs it.
            stdin: whether one wants to write to it.
            tty, environment, user, workdir, privileged: as for :meth:`exec`.
            console_size: rows and columns of its terminal.
            marked: give it the environment variable by which :meth:`Process.kill` finds it.

        Raises:
            Conflict: the container does not run.

        Example::

            with container.popen(["sort"]) as process:
                process.stdin.write(b"b\na\n")
                process.stdin.close()
                for stream, data in process: ...
                process.wait()
        """
        return Process(
            self.client,
            self.id or "",
            cmd,
            stdin=stdin,
            tty=tty,
            user=user,
            privileged=privileged,
            environment=environment,
            workdir=workdir,
            console_size=console_size,
            marked=marked,
        )

    def shell(
        self,
        cmd: Command | None = None,
        *,
        user: str = "",
        environment: Environment | None = None,
        workdir: str | None = None,
        privileged: bool = False,
        detach_keys: str | None = None,
    ) -> int | None:
        """A shell in the container on this program's terminal, like ``docker exec -it``.

        Args:
            cmd: what to run; None is bash where there is one, else sh.
            user, environment, workdir, privileged: as for :meth:`exec`.
            detach_keys: the key sequence that leaves it running, as ``"ctrl-p,ctrl-q"`` (the engine's default).

        Returns:
            The exit code; None if it was left running.

        Raises:
            InvalidArgument: standard input is no terminal.
        """
        from dockerkit.models import terminal

        terminal.check()
        process = Process(
            self.client,
            self.id or "",
            cmd or ["sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash || exec sh"],
            stdin=True,
            tty=True,
            user=user,
            privileged=privileged,
            environment=environment,
            workdir=workdir,
            console_size=terminal.size(),
            detach_keys=detach_keys,
            marked=False,
        )
        try:
            detached = terminal.connect(process._duplex, process.resize)
        finally:
            process.close()
        return None if detached else _settled(process)

    def attach_terminal(self, *, detach_keys: str | None = None, logs: bool = False) -> int | None:
        """This program's terminal on the container's main process, like ``docker attach``. The container needs ``tty``
        and ``stdin_open``.

        Args:
            detach_keys: the key sequence that leaves it running, as ``"ctrl-p,ctrl-q"`` (the engine's default).
            logs: show what it wrote before, too.

        Returns:
            The exit code; None if it was left running.

        Raises:
            InvalidArgument: standard input is no terminal, or the container has none.
        """
        from dockerkit.models import terminal
        from dockerkit.transport.duplex import Duplex

        terminal.check()
        facts = self.client.api.inspect_container(self.id or "")
        if not facts.get("Config", {}).get("Tty"):
            raise InvalidArgument("attach_terminal: the container has no terminal; create it with tty=True")
        params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, "logs": int(logs), "detachKeys": detach_keys}
        api = self.client.api
        link = api._hijack("POST", "/containers/{id}/attach", id=self.id or "", query=params)
        identity = self.id or ""
        try:
            terminal.connect(Duplex(link), lambda rows, columns: self.client.api.resize(identity, rows, columns))
        finally:
            link.close()
        state = self.client.api.inspect_container(identity).get("State", {})
        return None if state.get("Running") else state.get("ExitCode")


def _settled(process: Process) -> int | None:
    """The exit code of a process whose stream has ended; None if it was left running."""
    with contextlib.suppress(ExecTimeout):
        return process.wait(0.5)
    return None
