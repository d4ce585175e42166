"""Containers for untrusted code: no privileges, no network, and limits on all resources."""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from dockerkit import errors, runtime
from dockerkit.errors import DockerException, ExecTimeout, InvalidArgument
from dockerkit.models.containers.call import CompletedRun, decoded, output_limit
from dockerkit.models.containers.ending import close_in_background, remove_container
from dockerkit.models.containers.process import KeptOutput, Process
from dockerkit.models.streaming import when_dropped
from dockerkit.parsing import values
from dockerkit.parsing.options import suggest_in_methods
from dockerkit.parsing.values import time_limit
from dockerkit.streams.closable import SelfClosing

if TYPE_CHECKING:
    from dockerkit.client import DockerClient
    from dockerkit.files.extract import OutsideLinks
    from dockerkit.models.containers import Container
    from dockerkit.models.containers.copying import FileStat, Source
    from dockerkit.models.containers.process import Input
    from dockerkit.models.images import Image
    from dockerkit.parsing.shorthands import Binds
    from dockerkit.parsing.values import Duration, Environment, Labels
    from dockerkit.progress import ProgressSpec
    from dockerkit.types.create_options import CreateOptions

__all__ = ["Sandbox", "SandboxShell"]

# The container's first process runs as root without capabilities, so that the code, which runs as another user,
# can't signal it. A shell that waits for a child also reaps orphaned processes of the code.
_KEEPER = ["sh", "-c", "while sleep 60; do :; done"]
_KEEPER_PROCESSES = 2
_KILL_ALL = ["sh", "-c", "for i in 1 2 3; do kill -9 -1; done; exit 0"]
_OOM_COUNT = "cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null"
_KILLING = 1.0  # seconds per attempt to kill processes after a timeout
_SCRATCH = "/tmp"  # noqa: S108 - in the container
_LARGEST_ARGUMENT = 128 * 1024 - 1  # the limit of Linux for an argument


class SandboxOptions(TypedDict, total=False):
    """Options of ``containers.create`` that a sandbox accepts."""

    name: str
    labels: Labels
    platform: str
    pull: Literal["always", "missing", "never"]
    runtime: str
    volumes: Binds


@suggest_in_methods
class Sandbox(SelfClosing):
    """A container for untrusted code, created by :meth:`DockerClient.sandbox`. Close it after use.

    The code runs as an unprivileged user without capabilities, on a read-only file system, without network. Only its
    folder and ``/tmp`` are writable; they are in memory, with a size limit. Memory, CPUs, processes, time and output
    are limited, and nothing is logged on the host. Like any container, it shares the host's kernel.

    Attributes:
        container: the container.
        workdir: folder of the code.
        user: user of the code: ``uid:gid``.
    """

    def __init__(
        self,
        client: DockerClient,
        image: str | Image,
        *,
        network: bool | str,
        memory: int | str,
        cpus: float | str,
        pids: int,
        disk: int | str,
        timeout: Duration | None,
        max_output: int | str | None,
        files: Mapping[str, bytes | str] | None,
        workdir: str,
        user: str,
        interpreter: Sequence[str],
        environment: Environment | None,
        progress: ProgressSpec,
        options: SandboxOptions,
    ) -> None:
        limit = time_limit(timeout)
        if not re.fullmatch(r"[1-9]\d*:\d+", user):
            raise InvalidArgument(f"user: must be numeric and not root, such as '65534:65534', got {user!r}")
        if not workdir.startswith("/") or posixpath.normpath(workdir) == "/":
            raise InvalidArgument(f"workdir: must be an absolute path below /, got {workdir!r}")
        self._client = client
        self.workdir: str = posixpath.normpath(workdir)
        self.user: str = user
        self._image = image if isinstance(image, str) else image.id or ""
        self._interpreter = list(interpreter)
        self._timeout = limit
        self._limit = output_limit(max_output)
        self._files = {self._path(path): content for path, content in (files or {}).items()}
        self._oom_kills = 0
        size = values.size(disk, "disk")
        settings = _hardened(self.workdir, size, network, memory, cpus, pids, environment)
        for path in self._volumes_of_image(options, progress):
            settings["tmpfs"].setdefault(path, settings["tmpfs"][_SCRATCH])
        merged = cast("CreateOptions", {**settings, **options})
        with contextlib.ExitStack() as undo:
            created = client.containers._create(
                self._image, None, merged, undo, detach=True, pull="never", owner=client.containers.create
            )
            self.container: Container = created[0]
            self._start()
            self._finalizer = when_dropped(
                self, partial(close_in_background, partial(remove_container, self.container))
            )
            undo.pop_all()

    def _volumes_of_image(self, options: SandboxOptions, progress: ProgressSpec) -> Iterator[str]:
        """Return the folders that the image declares as volumes: they would be writable, without a size limit."""
        from dockerkit.models.containers.pull import pull

        pulls = options.pop("pull", None) or "missing"
        if pulls == "always" or (pulls == "missing" and not self._client.images.exists(self._image)):
            pull(self._client.api, self._image, options.get("platform"), progress)
        config = self._client.images.get(self._image).attrs.get("Config") or {}
        yield from (path for path in config.get("Volumes") or () if posixpath.normpath(path) != self.workdir)

    def _start(self) -> None:
        self.container.start()
        self._oom_kills = 0
        self._put(self._files)

    # -- running ---------------------------------------------------------------------------------------------------

    def run(
        self,
        command: str | Sequence[str],
        *,
        input: Input | None = None,
        timeout: Duration | None = None,
        max_output: int | str | None = None,
        environment: Environment | None = None,
        check: bool = False,
    ) -> CompletedRun[str]:
        """Run a program or code, and wait for it. ``POST /containers/{id}/exec``

        Args:
            command: a list of arguments, or code for the sandbox's interpreter as a string.
            input: data for standard input: bytes, a string (encoded as UTF-8), a binary file or an iterable of bytes.
                Standard input is closed after it.
            timeout: maximum run time in seconds, instead of the sandbox's.
            max_output: maximum bytes of stdout and of stderr to keep, instead of the sandbox's.
            environment: a dict, or a list of ``"NAME=value"``.
            check: raise if the exit code is not 0.

        Returns:
            The exit code, stdout and stderr as strings (with invalid UTF-8 replaced), the duration, whether it ran out
            of memory, and whether output was dropped.

        Raises:
            ExecTimeout: the timeout expired, and all processes in the sandbox were killed.
            ContainerError: ``check`` is set and the exit code is not 0.
        """
        if isinstance(command, str):
            if len(command.encode()) > _LARGEST_ARGUMENT:
                raise InvalidArgument("command: code must be shorter than 128 KiB; write() it to a file and run that")
            args: list[str] = [*self._interpreter, command]
        else:
            args = list(command)
        seconds = self._timeout if timeout is None else time_limit(timeout)
        out = KeptOutput(self._limit if max_output is None else output_limit(max_output))
        process = self._process(args, stdin=input is not None, environment=environment)
        began = time.monotonic()
        deadline = None if seconds is None else began + seconds
        try:
            process._converse(input, deadline, out)
            code = process.wait(None if deadline is None else max(deadline - time.monotonic(), 0.1))
        except errors.ExecStartError:
            raise
        except BaseException as error:
            raise self._interrupted(process, error, command, seconds, deadline, out) from None
        finally:
            process.close()
        run = self._completed(command, code, out, began)
        if check:
            run.check_returncode()
        return run

    def shell(self) -> SandboxShell:
        """Open a shell that keeps its state between commands. Requires ``sh`` in the image.

        Returns:
            A context manager that closes the shell at the end of the block.
        """
        return SandboxShell(self)

    def kill(self) -> None:
        """Kill all processes in the sandbox, such as background processes of an earlier run.

        If the container has to be killed for that, it is restarted with its initial files.
        """
        self._kill_all()

    def _process(self, args: list[str], *, stdin: bool, environment: Environment | None = None) -> Process:
        """Start a process. If the container died or was killed after a timeout, it is restarted."""
        process = Process(
            self._client,
            self.container,
            args,
            stdin=stdin,
            tty=False,
            user=self.user,
            privileged=False,
            environment=environment,
            workdir=self.workdir,
            marked=False,
        )
        try:
            process._start()
        except errors.Conflict:
            self._start()
            process._start()
        return process

    def _completed(self, command: str | Sequence[str], code: int, out: KeptOutput, began: float) -> CompletedRun[str]:
        duration = time.monotonic() - began
        oom_killed = code == 137 and self._ran_out_of_memory()
        return decoded(
            CompletedRun(command, code, *out.read(), duration, self.container, self._image, oom_killed, out.truncated)
        )

    def _ran_out_of_memory(self) -> bool:
        """Return whether the kernel has killed a process since the last call."""
        try:
            counts = self.container.exec(["sh", "-c", _OOM_COUNT], text=True, timeout=5).stdout
        except errors.Conflict:  # the kernel killed the container's first process
            return True
        kills = sum(int(count) for count in re.findall(r"^oom_kill (\d+)", counts, re.MULTILINE))
        grown, self._oom_kills = kills > self._oom_kills, kills
        return grown

    def _interrupted(
        self,
        process: Process,
        error: BaseException,
        command: str | Sequence[str],
        seconds: float | None,
        deadline: float | None,
        out: KeptOutput,
    ) -> BaseException:
        """Kill all processes; return the exception to raise."""
        process.close()  # close first: an engine with pending output is slow to kill
        killed = self._kill_all()
        if not isinstance(error, TimeoutError) or deadline is None or time.monotonic() < deadline:
            return error
        assert seconds is not None
        expired = ExecTimeout(command, seconds, *out.read(), False)
        if not killed:
            expired.add_note(
                "The sandbox was restarted with its initial files, since the processes could not be killed otherwise."
            )
        return expired

    def _kill_all(self) -> bool:
        """Kill all processes of the code; if that fails, the whole container. Return whether the container was kept."""
        api = self._client.with_timeout(_KILLING).api
        until = time.monotonic() + _KILLING
        with contextlib.suppress(DockerException):
            created = api.exec_create(self.container, _KILL_ALL, user=self.user)
            api.exec_start(created["Id"])
            while len(api.top(self.container).get("Processes") or ()) > _KEEPER_PROCESSES:
                if time.monotonic() > until:
                    break
                runtime.sleep(0.05)
            else:
                return True
        with contextlib.suppress(DockerException):
            api.kill(self.container)
        return False

    # -- files -----------------------------------------------------------------------------------------------------

    def write(self, path: str, content: bytes | str) -> None:
        """Write a file and create missing folders above it. ``PUT /containers/{id}/archive``

        Args:
            path: relative to the sandbox's folder, or an absolute path below it.
            content: bytes, or a string (encoded as UTF-8).
        """
        self._put({self._path(path): content})

    def read(self, path: str, *, max_bytes: int | None = None) -> bytes:
        """Return a file's content. ``GET /containers/{id}/archive``

        Args:
            path: as for :meth:`write`.
            max_bytes: maximum size in bytes.
        """
        return self.container.read_bytes(self._path(path), max_bytes=max_bytes)

    def read_text(self, path: str, *, max_bytes: int | None = None) -> str:
        """Return a file's content as a string, with invalid UTF-8 replaced.

        Args:
            path, max_bytes: as for :meth:`read`.
        """
        return self.read(path, max_bytes=max_bytes).decode("utf-8", "replace")

    def list_files(self, path: str = ".", *, recursive: bool = False) -> list[FileStat]:
        """List a folder. ``GET /containers/{id}/archive``

        Args:
            path: as for :meth:`write`.
            recursive: include its subfolders.
        """
        return self.container.list_files(self._path(path), recursive=recursive)

    def copy_to(self, source: Source, path: str = ".") -> None:
        """Copy files into the sandbox. They are owned by its user. See :meth:`Container.copy_to`.

        Args:
            source: a local file or folder, or a dict of file contents by name.
            path: as for :meth:`write`.
        """
        self.container.copy_to(source, self._path(path), owner=self._owner)

    def copy_from(
        self,
        path: str,
        target: str | os.PathLike[str],
        *,
        max_bytes: int | None = None,
        outside_links: OutsideLinks = "refuse",
    ) -> int:
        """Copy files out of the sandbox. Nothing is written outside of the target. See :meth:`Container.copy_from`.

        Args:
            path: as for :meth:`write`.
            target: local destination.
            max_bytes: maximum size of the contents in bytes.
            outside_links: handling of links that point outside the copied folder: "refuse", "skip" or "keep".
        """
        return self.container.copy_from(self._path(path), target, max_bytes=max_bytes, outside_links=outside_links)

    @property
    def _owner(self) -> tuple[int, int]:
        uid, gid = self.user.split(":")
        return int(uid), int(gid)

    def _path(self, path: str) -> str:
        place = posixpath.normpath(posixpath.join(self.workdir, path))
        if place != self.workdir and not place.startswith(self.workdir + "/"):
            raise InvalidArgument(
                f"path: must be below {self.workdir}, the only folder accessible from outside, got {path!r}"
            )
        return place

    def _put(self, contents: Mapping[str, bytes | str]) -> None:
        """Write files by absolute path, owned by the sandbox's user, and create missing folders above them."""
        from dockerkit.files.archive import Entry, files, pack

        if not contents:
            return
        uid, gid = self._owner
        now = int(time.time())
        names = {posixpath.relpath(path, self.workdir): content for path, content in contents.items()}
        folders = sorted({str(parent) for name in names for parent in PurePosixPath(name).parents} - {"."})
        entries = [
            *(Entry(folder, 0o040755, b"", 0, now, "", uid, gid) for folder in folders),
            *files(names, uid=uid, gid=gid, mtime=now),
        ]
        self._client.api.put_archive(self.container, self.workdir, pack(entries))

    # -- the end ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Remove the sandbox with all its files. Also done on garbage collection, and when the interpreter exits."""
        remove_container(self.container)
        self._finalizer.detach()

    def __repr__(self) -> str:
        return f"<Sandbox {self._image!r} {self.container.short_id}>"


@suggest_in_methods
class SandboxShell(SelfClosing):
    """A shell in a sandbox that keeps its state: folder, variables and functions. Created by :meth:`Sandbox.shell`.

    A command that ends the shell (``exit``) or times out discards this state: the next command gets a new shell.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._process: Process | None = None

    def run(
        self, command: str, *, timeout: Duration | None = None, max_output: int | str | None = None
    ) -> CompletedRun[str]:
        """Run a command in the shell, with empty standard input.

        Args:
            command: shell code of one or more lines.
            timeout: maximum run time in seconds, instead of the sandbox's.
            max_output: maximum bytes of stdout and of stderr to keep, instead of the sandbox's.

        Returns:
            The exit code and output, as from :meth:`Sandbox.run`.

        Raises:
            ExecTimeout: the timeout expired, and all processes in the sandbox were killed.
        """
        sandbox = self._sandbox
        seconds = sandbox._timeout if timeout is None else time_limit(timeout)
        out = KeptOutput(sandbox._limit if max_output is None else output_limit(max_output))
        process = self._process = self._process or sandbox._process(["sh"], stdin=True)
        mark = os.urandom(16).hex()
        began = time.monotonic()
        deadline = None if seconds is None else began + seconds
        assert process.stdin is not None
        try:
            # `command` keeps the shell running after a syntax error.
            script = (
                f"command eval {shlex.quote(command)} </dev/null; printf '{mark} %d\\n' $?; printf '{mark} \\n' >&2\n"
            )
            process._duplex.transmit(script.encode(), deadline)
            code = _read_until(process, mark.encode() + b" ", out, deadline)
            if code is None:
                self._process = None
                code = process.wait(5)
                process.close()
        except BaseException as error:
            self._process = None
            raise sandbox._interrupted(process, error, command, seconds, deadline, out) from None
        return sandbox._completed(command, code, out, began)

    def close(self) -> None:
        """Close the shell."""
        if self._process is not None:
            self._process.close()  # ends its input, and with it the shell
            self._process = None

    def __repr__(self) -> str:
        return f"<SandboxShell of {self._sandbox!r}>"


def _read_until(process: Process, mark: bytes, out: KeptOutput, deadline: float | None) -> int | None:
    """Read output until the mark appears on both streams. Return the number after it; None at the end of output.

    Raises:
        TimeoutError: the deadline has passed. All output until then is in `out`.
    """
    rests = {"stdout": b"", "stderr": b""}
    lines: dict[str, bytes] = {}
    try:
        while len(lines) < len(rests):
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            if left == 0:
                raise TimeoutError
            piece = process.read_piece(left)
            if piece is None:
                _keep(rests, out)
                return None
            stream, data = piece
            data = rests[stream] + data
            before, found, after = data.partition(mark)
            if found and b"\n" in after:
                lines[stream], rests[stream] = after.partition(b"\n")[0], b""
                out[stream].append(before)
            else:
                held = len(data) - len(before) if found else min(len(mark) - 1, len(data))
                out[stream].append(data[: len(data) - held])
                rests[stream] = data[len(data) - held :]
    except TimeoutError:
        _keep(rests, out)
        raise
    return int(lines["stdout"])


def _keep(rests: Mapping[str, bytes], out: KeptOutput) -> None:
    """Keep what was held back because it could have been the beginning of a mark."""
    for stream, rest in rests.items():
        out[stream].append(rest)


def _hardened(
    workdir: str,
    disk: int,
    network: bool | str,
    memory: int | str,
    cpus: float | str,
    pids: int,
    environment: Environment | None,
) -> dict[str, Any]:
    """Return the options of a container with minimal privileges."""
    options = f"size={disk},mode=1777,nosuid,nodev"
    # A tmpfs volume: limited in size like a tmpfs mount, but accessible by the engine's archive calls.
    volume = {"type": "tmpfs", "device": "tmpfs", "o": options}
    settings: dict[str, Any] = {
        "entrypoint": _KEEPER,
        "user": "0:0",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "read_only": True,
        "mounts": [
            {
                "Type": "volume",
                "Target": workdir,
                "VolumeOptions": {"NoCopy": True, "DriverConfig": {"Name": "local", "Options": volume}},
            }
        ],
        "tmpfs": {_SCRATCH: options},
        "shm_size": "16m",
        "working_dir": workdir,
        "environment": environment,
        "mem_limit": memory,
        "memswap_limit": memory,
        "cpus": cpus,
        "pids_limit": pids,
        "ulimits": ["core=0"],
        "log_config": {"type": "none"},
        "healthcheck": {"test": ["NONE"]},
        "use_config_proxy": network is not False,
    }
    if network is False:
        settings["network_mode"] = "none"
    elif isinstance(network, str):
        settings["network"] = network
    return settings
