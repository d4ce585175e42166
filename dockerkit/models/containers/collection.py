"""The container collection: ``client.containers``."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast, overload

from dockerkit import errors
from dockerkit.errors import EngineWarning, InvalidArgument, UnknownOption
from dockerkit.models.containers.container import Container
from dockerkit.models.resource import RAISE, Collection, D, response_warnings
from dockerkit.models.tables import Table
from dockerkit.parsing.options import expands_options
from dockerkit.parsing.values import boolean, mapping

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.refs import Ref
    from dockerkit.models.batch import BatchReport
    from dockerkit.models.containers.call import CompletedRun
    from dockerkit.models.containers.create import CreateRequest
    from dockerkit.models.containers.run import RunOutput
    from dockerkit.models.containers.run_options import CallOptions, RunFlags, RunOptions
    from dockerkit.models.images import Image
    from dockerkit.parsing.options import Owner
    from dockerkit.parsing.values import Command, Duration
    from dockerkit.progress import ProgressSpec
    from dockerkit.streams.readers import DemuxedOutput
    from dockerkit.types import answers
    from dockerkit.types.create_options import CreateOptions
    from dockerkit.types.filters import ContainerFilters, PruneFilters
    from dockerkit.types.flags import No, Yes

__all__ = ["ContainerCollection"]


class ContainerCollection(Collection[Container]):
    """Create, list and manage containers; ``client.containers``."""

    model = Container

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        *,
        detach: Yes,
        stream: bool = False,
        demux: No = False,
        timeout: None = None,
        **options: Unpack[RunFlags],
    ) -> Container: ...

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        *,
        detach: No = False,
        stream: Yes,
        demux: No = False,
        timeout: Duration | None = None,
        **options: Unpack[RunFlags],
    ) -> RunOutput[bytes]: ...

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        *,
        detach: No = False,
        stream: Yes,
        demux: Yes,
        timeout: Duration | None = None,
        **options: Unpack[RunFlags],
    ) -> RunOutput[DemuxedOutput]: ...

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        *,
        detach: No = False,
        stream: No = False,
        demux: Yes,
        timeout: Duration | None = None,
        **options: Unpack[RunFlags],
    ) -> DemuxedOutput: ...

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        stdout: bool = True,
        stderr: bool = False,
        remove: bool = False,
        *,
        detach: No = False,
        stream: No = False,
        demux: No = False,
        timeout: Duration | None = None,
        **options: Unpack[RunOptions],
    ) -> bytes: ...

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        stdout: bool = True,
        stderr: bool = False,
        remove: bool = False,
        *,
        detach: bool,
        stream: bool = False,
        demux: bool = False,
        timeout: Duration | None = None,
        **options: Unpack[RunOptions],
    ) -> Container | RunOutput[bytes] | RunOutput[DemuxedOutput] | DemuxedOutput | bytes: ...

    @expands_options("dockerkit.models.containers.run_options:RunOptions")
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        stdout: bool = True,
        stderr: bool = False,
        remove: bool = False,
        *,
        detach: bool = False,
        stream: bool = False,
        demux: bool = False,
        timeout: Duration | None = None,
        **options: Unpack[RunOptions],
    ) -> Container | RunOutput[bytes] | RunOutput[DemuxedOutput] | DemuxedOutput | bytes:
        """Run a command in a new container. ``POST /containers/create``, ``POST /containers/{id}/start``

        A missing image is pulled first. If the container can't be started, it is removed.

        Args:
            image: image to run: a name, an ID, or an Image.
            command: a string, split as a shell would split it, or a list of arguments. None runs the image's default
                command.
            stdout, stderr: which output to return. Works with every log driver.
            remove: remove the container, with its anonymous volumes, after it has exited.
            detach: return the running container immediately.
            stream: return an iterator over the output as it arrives.
            demux: return ``(stdout, stderr)`` instead of the combined output.
            timeout: maximum run time in seconds; the container is killed when it expires. None for no limit.
            input: data for standard input: bytes, a string (encoded as UTF-8), a binary file or an iterable of bytes.
                Standard input is closed after it. Not with ``detach`` or ``stream``; see
                :meth:`Container.attach_process`.
            files: files to write before the start: contents (bytes or strings) by absolute path.
            wait_for: with ``detach``, a condition to wait for after the start, such as ``Healthy()``. If waiting fails,
                the container is removed.
            wait_timeout: maximum seconds to wait for the condition.
            progress: progress display of the pull: True, "plain" or a function.
            options: options of the container. The most common ones, by purpose:

                - general: ``name``, ``environment``, ``env_file``, ``working_dir``, ``user``, ``entrypoint``,
                  ``labels``, ``hostname``, ``tty``, ``stdin_open``
                - network: ``ports``, ``network``, ``network_aliases``, ``network_mode``, ``extra_hosts``, ``dns``
                - files: ``volumes``, ``mounts``, ``tmpfs``, ``read_only``
                - limits: ``mem_limit``, ``cpus``, ``pids_limit``, ``shm_size``, ``gpus``, ``ulimits``
                - security: ``cap_add``, ``cap_drop``, ``security_opt``, ``privileged``
                - lifecycle: ``restart_policy``, ``healthcheck``, ``init``, ``auto_remove``, ``log_config``,
                  ``platform``, ``pull``

                See :class:`~dockerkit.types.create_options.CreateOptions` for all options, with types and examples.

        Returns:
            The output as bytes, after the container has exited. With ``detach``, the container. With ``stream``, an
            iterator of chunks with ``close()`` and ``container``. With ``demux``, pairs.

        Raises:
            ContainerError: the exit code is not 0; the error has ``stdout`` and ``stderr``.
            RunTimeout: the container did not exit in time; the error has the output so far.
            ImageNotFound: the image exists neither locally nor in its registry.
            InvalidArgument: an option is invalid; the message names it.

        Example::

            client.containers.run("busybox", "echo hello", remove=True)
            with client.containers.run("nginx", detach=True, ports=["8080:80"]) as web:
                print(web.status)
        """
        from dockerkit.models.containers.run import RunOutput
        from dockerkit.parsing.values import time_limit

        input, files = options.pop("input", None), options.pop("files", None)
        wait_for, wait_timeout = options.pop("wait_for", None), options.pop("wait_timeout", 60.0)
        progress = options.pop("progress", None)
        timeout = time_limit(timeout)
        if self.client.api.profile.strict:
            boolean(remove, "remove")
        if detach and (demux or timeout is not None):
            raise InvalidArgument(
                "detach: can't be combined with demux or timeout; a detached container is not waited for"
            )
        if input is not None and (detach or stream):
            raise InvalidArgument(
                "input: can't be combined with detach or stream; use create() and attach_process() instead"
            )
        if wait_for is not None and not detach:
            raise InvalidArgument("wait_for: requires detach=True; otherwise run() waits for the container to exit")
        if detach and remove:
            options["auto_remove"] = True
        if input is not None:
            from dockerkit.models.containers.process import checked_input

            options["stdin_open"], input = True, checked_input(input)
        with contextlib.ExitStack() as undo:
            container, request = self._create(
                image, command, options, undo, detach=detach, owner=self.run, progress=progress, files=files
            )
            if detach:
                container.start()
                if wait_for is not None:
                    container.wait_until(wait_for, timeout=wait_timeout)
                undo.pop_all()
                return container
            if input is not None:
                from dockerkit.models.containers.call import run_to_end

                order = ("stdout",) * stdout + ("stderr",) * stderr
                run, combined = run_to_end(
                    container, request, command, undo, input=input, timeout=timeout, remove=remove, order=order
                )
                run.check_returncode()
                return (run.stdout or None, run.stderr or None) if demux else combined
            tty, auto_remove = bool(request.body.get("Tty")), bool(request.body["HostConfig"].get("AutoRemove"))
            spooled = stream and not self.client.api.profile.streams_as_written
            output: RunOutput[Any] = RunOutput(
                container,
                image=request.body["Image"],
                command=command,
                tty=tty,
                streams=(stdout, stderr),
                remove=remove,
                auto_remove=auto_remove,
                demux=demux,
                timeout=timeout,
                spooled=spooled,
            )
            undo.pop_all()
        if stream:
            return output
        response: DemuxedOutput | bytes = output.read_all()
        return response

    @overload
    def call(
        self, image: str | Image, command: Command | None = None, *, text: Yes = True, **options: Unpack[CallOptions]
    ) -> CompletedRun[str]: ...

    @overload
    def call(
        self, image: str | Image, command: Command | None = None, *, text: No, **options: Unpack[CallOptions]
    ) -> CompletedRun[bytes]: ...

    @expands_options("dockerkit.models.containers.run_options:CallOptions")
    def call(
        self, image: str | Image, command: Command | None = None, *, text: bool = True, **options: Unpack[CallOptions]
    ) -> CompletedRun[str] | CompletedRun[bytes]:
        r"""Run a command in a new container and wait for it to exit, like :func:`subprocess.run`.

        ``POST /containers/create``, ``POST /containers/{id}/attach``, ``POST /containers/{id}/start``. A missing image is
        pulled first.

        Args:
            image: image to run: a name, an ID, or an Image.
            command: a string, split as a shell would split it, or a list of arguments. None runs the image's default
                command.
            text: return the output as strings, with invalid UTF-8 replaced. False returns bytes.
            input: data for standard input: bytes, a string (encoded as UTF-8), a binary file or an iterable of bytes.
                Standard input is closed after it.
            check: raise if the exit code is not 0.
            timeout: maximum run time in seconds, without the pull; the container is killed when it expires.
            max_output: maximum size of stdout and of stderr to keep, as ``"1m"`` or a number of bytes. Output beyond it
                is dropped, and ``truncated`` is set. None keeps everything.
            files: files to write before the start: contents (bytes or strings) by absolute path.
            progress: progress display of the pull: True, "plain" or a function.
            remove: remove the container, with its anonymous volumes, after it has exited.
            options: as for :meth:`run`.

        Returns:
            The exit code, stdout and stderr, the duration, and whether the container ran out of memory.

        Raises:
            RunTimeout: the container did not exit in time; the error has the output so far.
            ContainerError: ``check`` is set and the exit code is not 0.
            ImageNotFound: the image exists neither locally nor in its registry.
            InvalidArgument: an option is invalid; the message names it.

        Example::

            run = client.containers.call("busybox", ["sort"], input="b\na\n", timeout=10)
            print(run.returncode, run.stdout)
        """
        from dockerkit.models.containers.call import decoded, output_limit, run_to_end
        from dockerkit.parsing.values import time_limit

        input, check, remove = options.pop("input", None), options.pop("check", False), options.pop("remove", True)
        timeout, max_output = options.pop("timeout", None), options.pop("max_output", None)
        progress, files = options.pop("progress", None), options.pop("files", None)
        timeout = time_limit(timeout)
        boolean(remove, "remove")
        max_output = output_limit(max_output)
        if input is not None:
            from dockerkit.models.containers.process import checked_input

            options["stdin_open"], input = True, checked_input(input)
        if remove:  # the container is removed, so its log could not be read, and much output would make it large
            options.setdefault("log_config", {"type": "none"})
        with contextlib.ExitStack() as undo:
            container, request = self._create(
                image, command, options, undo, detach=False, owner=self.call, progress=progress, files=files
            )
            run, _ = run_to_end(
                container, request, command, undo, input=input, timeout=timeout, max_output=max_output, remove=remove
            )
        if check:
            run.check_returncode()
        return decoded(run) if text else run

    @expands_options("dockerkit.types.create_options:CreateOptions")
    def create(
        self,
        image: str | Image,
        command: Command | None = None,
        *,
        detach: bool = False,
        progress: ProgressSpec = None,
        **options: Unpack[CreateOptions],
    ) -> Container:
        """Create a container; ``start()`` runs it. ``POST /containers/create``

        Args:
            image: image to use: a name, an ID, or an Image.
            command: a string, split as a shell would split it, or a list of arguments. None runs the image's default
                command.
            detach: omit the ``AttachStdout`` and ``AttachStderr`` flags.
            progress: progress display of the pull, with ``pull="missing"`` or ``"always"``: True, "plain" or a
                function.
            options: as for :meth:`run`.

        Raises:
            ImageNotFound: the image does not exist.
            Conflict: the name is taken.
            InvalidArgument: an option is invalid; the message names it.
        """
        with contextlib.ExitStack() as undo:
            container, _ = self._create(
                image, command, options, undo, detach=detach, pull="never", owner=self.create, progress=progress
            )
            undo.pop_all()
            return container

    @expands_options("dockerkit.types.create_options:CreateOptions")
    def ensure(
        self,
        image: str | Image,
        command: Command | None = None,
        *,
        replace_foreign: bool = False,
        renew_volumes: bool = False,
        progress: ProgressSpec = None,
        **options: Unpack[CreateOptions],
    ) -> Container:
        """Make sure that a container with this name and these options is running. ``GET /containers/{id}/json``

        A container that ``ensure()`` created earlier with other options, or from an image that has changed since, is
        replaced. The old container is kept until the new one has started, and is restored if that fails. Its anonymous
        volumes are moved to the new container.

        Args:
            image, command: as for :meth:`run`.
            replace_foreign: also replace a container that ``ensure()`` did not create.
            renew_volumes: remove the old container's anonymous volumes, with all their data, instead of keeping them.
            progress: progress display of the pull: True, "plain" or a function.
            options: as for :meth:`run`; ``name`` is required.

        Returns:
            The running container. Its ``ensured`` attribute has the ``action`` taken and the ``differences`` found.

        Raises:
            Conflict: a container with this name was not created by ``ensure()``.

        Example::

            data = ["data:/var/lib/postgresql/data"]
            db = client.containers.ensure("postgres:16", name="db", volumes=data)
            print(db.ensured)  # replaced (Env.TZ was not set)
        """
        from dockerkit.models.containers.ensure import ensure

        if not options.get("name"):
            raise UnknownOption("ensure() requires 'name', to find the container on later calls")
        return ensure(
            self,
            image,
            command,
            options,
            replace_foreign=replace_foreign,
            renew_volumes=renew_volumes,
            progress=progress,
        )

    def _create(
        self,
        image: str | Image,
        command: Command | None,
        options: CreateOptions,
        undo: contextlib.ExitStack,
        *,
        detach: bool,
        pull: str = "missing",
        owner: Owner,
        progress: ProgressSpec = None,
        files: Mapping[str, bytes | str] | None = None,
    ) -> tuple[Container, CreateRequest]:
        from dockerkit.models.containers.create import plan

        for path in mapping(files, "files") if files is not None else ():
            if not isinstance(path, str) or not path.startswith("/"):
                raise InvalidArgument(f"files: must be absolute paths, got {path!r}")
        request = plan(self.client.api, image, command, options, detach=detach, pull=pull, owner=owner)
        container = self._make(request, undo, progress)
        if files:
            from dockerkit.files import archive

            entries = archive.files(files, mtime=int(time.time()))
            self.client.api.put_archive(container, "/", archive.pack(entries))
        return container, request

    def _make(
        self, request: CreateRequest, undo: contextlib.ExitStack, progress: ProgressSpec = None, *, stacklevel: int = 4
    ) -> Container:
        """Execute a plan: pull if requested, create, connect to networks, and pass on the engine's warnings.

        `undo` gets a callback that removes the container.
        """
        api = self.client.api
        if request.pull == "always":
            self._pull(request, progress)
        try:
            response = api.begin_create_container(request.body, request.name, request.platform).result_or(undo)
        except errors.ImageNotFound:
            if request.pull != "missing" or request.body["Image"].startswith("sha256:"):
                raise
            self._pull(request, progress)
            response = api.begin_create_container(request.body, request.name, request.platform).result_or(undo)
        for warning in response_warnings(response):
            warnings.warn(warning, EngineWarning, stacklevel=stacklevel)
        known = {
            "Id": response["Id"],
            "Image": request.body["Image"],
            **({"Name": f"/{request.name}"} if request.name else {}),
        }
        container = self.prepare_model(known, partial=True)
        for network, endpoint in request.later.items():
            api.connect_container_to_network(container, network, endpoint_config=endpoint)
        return container

    def _pull(self, request: CreateRequest, progress: ProgressSpec) -> None:
        from dockerkit.models.containers.pull import pull

        pull(self.client.api, request.body["Image"], request.platform, progress)

    def get(self, container_id: Ref, *, size: bool | None = None, default: D = RAISE) -> Container | D:
        """Return a container. ``GET /containers/{id}/json``

        Args:
            container_id: name or ID.
            size: include ``SizeRw`` and ``SizeRootFs`` (bytes) in ``attrs``, which can take the engine some time.
            default: returned instead of raising NotFound.

        Raises:
            NotFound: the container does not exist.
        """
        return self._get(lambda: self.client.api.inspect_container(container_id, size), default)

    def list(
        self,
        all: bool = False,
        before: str | None = None,
        filters: ContainerFilters | None = None,
        limit: int = -1,
        since: str | None = None,
        sparse: bool = False,
        ignore_removed: bool = False,
        *,
        size: bool = False,
    ) -> Table[Container]:
        """List containers, newest first, in one request. ``GET /containers/json``

        Args:
            all: include containers that are not running.
            before, since: only containers created before or after this one (ID or name).
            filters: ``{"status": "running", "label": ["a=b"], "name": ..., "ancestor": ...}``.
            limit: maximum number of containers, running or not, newest first; -1 for no limit.
            sparse: keep the summaries in ``attrs``. Otherwise ``attrs`` inspects a container on first access.
            ignore_removed: accepted for compatibility with docker-py and ignored; listing never inspects single
                containers.
            size: with ``sparse``, include ``SizeRw`` and ``SizeRootFs`` (bytes).

        Example::

            for container in client.containers.list(all=True, filters={"label": "app=web"}):
                print(container.name, container.status)
        """
        found = self.client.api.containers(all=all, before=before, filters=filters, limit=limit, since=since, size=size)
        containers = Table(self.prepare_model(cast("dict[str, Any]", summary), partial=True) for summary in found)
        if sparse:
            for container in containers:
                container._sparse = True
        return containers

    def start_many(self, containers: Iterable[Ref], *, workers: int = 8) -> BatchReport[bool]:
        """Start several containers concurrently. ``POST /containers/{id}/start``

        Args:
            containers: names, IDs or objects.
            workers: number of containers to process at a time.

        Returns:
            The successes and failures, by name; ``check()`` raises if anything failed.
        """
        from dockerkit.models.batch import run_batch

        return run_batch(self.client.api.start, containers, workers)

    def stop_many(
        self, containers: Iterable[Ref], timeout: Duration | None = None, *, workers: int = 8
    ) -> BatchReport[bool]:
        """Stop several containers concurrently. ``POST /containers/{id}/stop``

        Args:
            containers: names, IDs or objects.
            timeout: seconds before SIGKILL; None for each container's stop timeout.
            workers: number of containers to process at a time.

        Returns:
            The successes and failures, by name; ``check()`` raises if anything failed.
        """
        from dockerkit.models.batch import run_batch

        return run_batch(lambda container: self.client.api.stop(container, timeout), containers, workers)

    def remove_many(
        self, containers: Iterable[Ref], v: bool = False, force: bool = False, *, workers: int = 8
    ) -> BatchReport[None]:
        """Remove several containers concurrently. ``DELETE /containers/{id}``

        Args:
            containers: names, IDs or objects.
            v: also remove their anonymous volumes.
            force: kill running containers.
            workers: number of containers to process at a time.

        Returns:
            The successes and failures, by name; ``check()`` raises if anything failed.
        """
        from dockerkit.models.batch import run_batch

        return run_batch(
            lambda container: self.client.api.remove_container(container, v, force=force), containers, workers
        )

    @expands_options("dockerkit.models.containers.run_options:CallOptions")
    def map(
        self,
        image: str | Image,
        commands: Iterable[Command],
        *,
        workers: int = 8,
        return_exceptions: bool = False,
        **options: Unpack[CallOptions],
    ) -> Iterator[CompletedRun[str]]:
        """Run many commands concurrently, each in a new container. See :meth:`call`.

        Args:
            image: image to run the commands in.
            commands: an iterable of commands, consumed as workers become free.
            workers: number of containers to run at a time.
            return_exceptions: yield an error in place of its result instead of raising it.
            options: as for :meth:`call`.

        Yields:
            The results, in the order of the commands.

        Raises:
            RunTimeout, ContainerError: as for :meth:`call`; no further commands are started.

        Example::

            commands = [["echo", str(n)] for n in range(100)]
            for run in client.containers.map("busybox", commands, workers=4):
                print(run.stdout)
        """
        from dockerkit.models.batch import map_ordered

        def call(command: Command) -> CompletedRun[str]:
            try:
                return self.call(image, command, **options)
            except errors.DockerException as error:
                if not return_exceptions:
                    raise
                return cast("CompletedRun[str]", error)

        return map_ordered(call, commands, workers)

    def prune(self, filters: PruneFilters | None = None) -> answers.ContainerPruneResponse:
        """Remove all containers that are not running. ``POST /containers/prune``

        Args:
            filters: ``{"until": "24h", "label": [...], "label!": [...]}``.

        Returns:
            ``ContainersDeleted`` (IDs, or None) and ``SpaceReclaimed`` (bytes).
        """
        return self.client.api.prune_containers(filters)
