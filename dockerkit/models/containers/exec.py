"""Run commands in a running container, like :mod:`subprocess`: ``exec`` waits for the end, ``popen`` does not."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast, overload

from dockerkit.errors import ExecTimeout, InvalidArgument
from dockerkit.models.resource import Model
from dockerkit.parsing.values import check_codec, time_limit
from dockerkit.transport import Scope

if TYPE_CHECKING:
    from dockerkit.models.containers import Container
    from dockerkit.models.containers.main_process import MainProcess
    from dockerkit.models.containers.process import Command, CompletedExec, Input, Process
    from dockerkit.parsing.values import Duration, Environment
    from dockerkit.types.flags import No, Yes

__all__ = ["ContainerExec"]


class ContainerExec(Model):
    """Commands of a container."""

    @overload
    def exec(
        self,
        cmd: Command,
        *,
        input: Input | None = None,
        timeout: Duration | None = None,
        check: bool = False,
        text: No = False,
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
        timeout: Duration | None = None,
        check: bool = False,
        text: Yes,
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
        timeout: Duration | None = None,
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
        """Run a command and wait for it, like :func:`subprocess.run`.

        ``POST /containers/{id}/exec``, ``POST /exec/{id}/start``

        Args:
            cmd: a string, split as a shell would split it (but not run by a shell), or a list of arguments.
            input: data for standard input: bytes, a string (encoded as UTF-8), a binary file or an iterable of bytes.
                Standard input is closed after it.
            timeout: maximum run time in seconds; the process and its children in the container are killed when it
                expires.
            check: raise if the exit code is not 0.
            text: return the output as strings instead of bytes.
            environment: a dict, or a list of ``"NAME=value"``.
            user: name or ID, optionally with ``:group``; "" for the container's user.
            workdir: working directory.
            privileged: run with all privileges.
            tty: allocate a terminal; all output is then in stdout.
            encoding, errors: as for :meth:`bytes.decode`, with ``text``.

        Returns:
            The exit code, stdout and stderr.

        Raises:
            ExecTimeout: the command did not exit in time; the error has the output so far, and whether it was killed.
            ExecStartError: the program, directory or user does not exist in the container.
            ExecError: ``check`` is set and the exit code is not 0.
            Conflict: the container is not running.

        Example::

            container.exec(["tr", "a-z", "A-Z"], input="shout", text=True).stdout  # "SHOUT"
        """
        from dockerkit.models.containers.process import CompletedExec, KeptOutput, Process, checked_input

        timeout, input = time_limit(timeout), checked_input(input)
        if text:
            check_codec(encoding, errors)
        process = Process(
            self.client,
            self,
            cmd,
            stdin=input is not None,
            tty=tty,
            user=user,
            privileged=privileged,
            environment=environment,
            workdir=workdir,
        )
        out = KeptOutput()
        scope = Scope(timeout)
        try:
            with scope:
                process._start()
                process._converse(input, scope.deadline, out)
                code = process.wait(scope.remaining())
        except TimeoutError:
            expired = scope.expired
            gone = process._terminate()
            if not expired:  # the client's timeout, or a timeout raised by reading `input`
                raise
            seconds = timeout or 0.0  # with None, the deadline was that of an enclosing scope
            raise ExecTimeout(cmd, seconds, *out.read(), not gone) from None
        except BaseException:  # also Ctrl-C, an exception of a signal handler or of `input`: kill the process
            process._terminate()
            raise
        finally:
            process.close()
        stdout, stderr = out.read()
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
        r"""Start a command without waiting for it, like :class:`subprocess.Popen`.

        ``POST /containers/{id}/exec``

        Args:
            cmd: a string, split as a shell would split it (but not run by a shell), or a list of arguments.
            stdin: connect standard input.
            tty, environment, user, workdir, privileged: as for :meth:`exec`.
            console_size: rows and columns of the terminal.
            marked: set the environment variable by which :meth:`Process.kill` finds the process.

        Raises:
            Conflict: the container is not running.

        Example::

            with container.popen(["sort"]) as process:
                process.stdin.write(b"b\na\n")
                process.stdin.close()
                for stream, data in process: ...
                process.wait()
        """
        from dockerkit.models.containers.process import Process

        process = Process(
            self.client,
            self,
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
        try:
            process._start()
        except BaseException:
            process._terminate()
            raise
        return process

    def attach_process(self, *, start: bool = True, stdin: bool | None = None, logs: bool = False) -> MainProcess:
        r"""Attach to the container's main process, as :meth:`popen` does to a command. ``POST /containers/{id}/attach``

        If the container is not running, it is started after attaching, so that no output is missed. In that case the
        process is killed if it is still running at the end of a ``with`` block; otherwise it is left running.

        Args:
            start: start the container if it is not running. Pass False to start it yourself.
            stdin: connect standard input; by default, if the container was created with ``stdin_open=True``. Closing
                ``process.stdin`` ends the input of containers created by ``create`` without ``detach=True``.
            logs: include previous output.

        Raises:
            InvalidArgument: ``stdin`` is set, but the container has no standard input.

        Example::

            container = client.containers.create("busybox", ["sort"], stdin_open=True)
            with container.attach_process() as process:
                process.stdin.write(b"b\na\n")
                process.stdin.close()
                for stream, data in process: ...
                process.wait()
        """
        from dockerkit.models.containers.main_process import attach

        return attach(cast("Container", self), start=start, stdin=stdin, logs=logs)

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
        """Run an interactive shell in the container on this terminal, like ``docker exec -it``.

        Blocks its thread, so the asynchronous client does not have it.

        Args:
            cmd: command to run; None for bash if it exists, otherwise sh.
            user, environment, workdir, privileged: as for :meth:`exec`.
            detach_keys: key sequence to detach, such as ``"ctrl-p,ctrl-q"`` (the engine's default).

        Returns:
            The exit code; None if the user detached.

        Raises:
            InvalidArgument: standard input is not a terminal.
        """
        from dockerkit.models.containers import terminal
        from dockerkit.models.containers.process import Process

        terminal.check()
        command = cmd or ["sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash || exec sh"]
        process = Process(
            self.client,
            self,
            command,
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
            process._start()
            detached = terminal.connect(process._duplex, process.resize)
        finally:
            process.close()
        with contextlib.suppress(ExecTimeout):  # still running although its output has ended: the user detached
            return None if detached else process.wait(0.5)
        return None

    def attach_terminal(self, *, detach_keys: str | None = None, logs: bool = False) -> int | None:
        """Connect this terminal to the container's main process, like ``docker attach``.

        Blocks its thread, so the asynchronous client does not have it.

        The container must have been created with ``tty=True`` and ``stdin_open=True``.

        Args:
            detach_keys: key sequence to detach, such as ``"ctrl-p,ctrl-q"`` (the engine's default).
            logs: include previous output.

        Returns:
            The exit code; None if the user detached.

        Raises:
            InvalidArgument: standard input is not a terminal, or the container has none.
        """
        from dockerkit.models.containers import terminal

        terminal.check()
        attrs = self.client.api.inspect_container(self)
        if not attrs.get("Config", {}).get("Tty"):
            raise InvalidArgument("attach_terminal: the container has no terminal; create it with tty=True")
        params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, "logs": int(logs), "detachKeys": detach_keys}
        api = self.client.api
        link = api.attach_socket(self, params)
        try:
            terminal.connect(link, lambda rows, columns: api.resize(self, rows, columns))
        finally:
            link.close()
        state = api.inspect_container(self).get("State", {})
        return None if state.get("Running") else state.get("ExitCode")
