"""Containers as objects: ``client.containers`` and what it gives."""

from __future__ import annotations

import builtins
import contextlib
import warnings
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from dockerkit import errors
from dockerkit.constants import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import EngineWarning, InvalidArgument, UnknownOption
from dockerkit.models.container_facts import Address, ContainerFacts
from dockerkit.models.container_output import ContainerOutput, ExecResult
from dockerkit.models.container_verbs import ContainerVerbs
from dockerkit.models.execs import ExecModel
from dockerkit.models.files import ContainerFiles
from dockerkit.models.logs import LogModel
from dockerkit.models.resource import Collection, told_warnings
from dockerkit.models.stats import StatsModel
from dockerkit.models.tables import Table
from dockerkit.models.waiting import WaitModel

if TYPE_CHECKING:
    from typing import Self, Unpack

    from dockerkit.api.encode import Filters
    from dockerkit.api.refs import Ref
    from dockerkit.models.container_create import Plan
    from dockerkit.models.container_run import RunOutput
    from dockerkit.models.images import Image
    from dockerkit.streams.readers import Pair
    from dockerkit.types import answers
    from dockerkit.types.create_options import CreateOptions
    from dockerkit.types.parse import Command

__all__ = ["DEFAULT_DATA_CHUNK_SIZE", "Address", "Container", "ContainerCollection", "ExecResult"]


class Container(  # pyright: ignore[reportIncompatibleVariableOverride]
    ContainerFacts, ExecModel, LogModel, WaitModel, StatsModel, ContainerFiles, ContainerOutput, ContainerVerbs
):
    """A container of the engine.

    It knows what the call that it came from answered; what that lacks is asked for once, and :meth:`reload` asks anew.
    As a context manager it is stopped and removed, with its anonymous volumes, at the end.

    Example::

        with client.containers.run("nginx", detach=True, ports={"80/tcp": None}) as web:
            print(web.address(80))
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
            self.remove(v=True, force=True)
        except (errors.NotFound, errors.Conflict):
            pass  # gone, or going by itself

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.short_id}>"


class ContainerCollection(Collection[Container]):
    """The containers of an engine."""

    model = Container

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        stdout: bool = True,
        stderr: bool = False,
        remove: bool = False,
        *,
        detach: Literal[True],
        stream: bool = False,
        demux: Literal[False] = False,
        timeout: None = None,
        **options: Unpack[CreateOptions],
    ) -> Container: ...

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        stdout: bool = True,
        stderr: bool = False,
        remove: bool = False,
        *,
        detach: Literal[False] = False,
        stream: Literal[True],
        demux: Literal[False] = False,
        timeout: float | None = None,
        **options: Unpack[CreateOptions],
    ) -> RunOutput[bytes]: ...

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        stdout: bool = True,
        stderr: bool = False,
        remove: bool = False,
        *,
        detach: Literal[False] = False,
        stream: Literal[True],
        demux: Literal[True],
        timeout: float | None = None,
        **options: Unpack[CreateOptions],
    ) -> RunOutput[Pair]: ...

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        stdout: bool = True,
        stderr: bool = False,
        remove: bool = False,
        *,
        detach: Literal[False] = False,
        stream: Literal[False] = False,
        demux: Literal[True],
        timeout: float | None = None,
        **options: Unpack[CreateOptions],
    ) -> Pair: ...

    @overload
    def run(
        self,
        image: str | Image,
        command: Command | None = None,
        stdout: bool = True,
        stderr: bool = False,
        remove: bool = False,
        *,
        detach: Literal[False] = False,
        stream: Literal[False] = False,
        demux: Literal[False] = False,
        timeout: float | None = None,
        **options: Unpack[CreateOptions],
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
        timeout: float | None = None,
        **options: Unpack[CreateOptions],
    ) -> Container | RunOutput[bytes] | RunOutput[Pair] | Pair | bytes: ...

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
        timeout: float | None = None,
        **options: Unpack[CreateOptions],
    ) -> Container | RunOutput[bytes] | RunOutput[Pair] | Pair | bytes:
        """Run a command in a new container. ``POST /containers/create``, ``POST /containers/{id}/start``

        A missing image is pulled first. A container that can't be started is removed again.

        Args:
            image: what to run: a name, an id, or an Image.
            command: a text that is split as a shell would, or its words; None is the image's own.
            stdout, stderr: what of its output to answer. Both are read, whatever its log driver.
            remove: remove it, with its anonymous volumes, when it has ended.
            detach: answer the container at once.
            stream: answer its output as it comes.
            demux: answer ``(stdout, stderr)``, both, instead of one.
            timeout: seconds that it may take from its start; then it is killed. None is no limit.
            options: everything that a container can be given: the rows of
                :class:`~dockerkit.types.create_options.CreateOptions` and the two classes above it.

        Returns:
            The output as bytes, once it has ended; the container with ``detach``; with ``stream`` an iterator of
            chunks, which has ``close()`` and the ``container``. With ``demux`` pairs.

        Raises:
            ContainerError: it ended with an exit code other than 0; has ``stdout`` and ``stderr``.
            RunTimeout: it did not end in time; has its output until then.
            ImageNotFound: there is no such image, here or in its registry.
            InvalidArgument: an option can't be right; the message names it.

        Example::

            client.containers.run("busybox", "echo hello", remove=True)
            with client.containers.run("nginx", detach=True, ports=["127.0.0.1:8080:80"], mem_limit="256m") as web: ...
        """
        from dockerkit.models.container_run import RunOutput, checked_timeout

        checked_timeout(timeout)
        if detach and (demux or timeout is not None):
            raise InvalidArgument("detach: a detached container is not waited for, so neither demux nor timeout")
        if detach and remove:
            options["auto_remove"] = True
        container, made = self._create(image, command, options, detach=detach, pull="missing")
        if detach:
            try:
                container.start()
            except BaseException:
                with contextlib.suppress(errors.NotFound, errors.Conflict):
                    container.remove(v=True, force=True)
                raise
            return container
        output: RunOutput[Any] = RunOutput(
            container,
            image=made.body["Image"],
            command=command,
            tty=bool(made.body.get("Tty")),
            wanted=(stdout, stderr),
            remove=remove,
            auto_remove=bool(made.body["HostConfig"].get("AutoRemove")),
            demux=demux,
            timeout=timeout,
        )
        if stream:
            return output
        answer: Pair | bytes = output.together()
        return answer

    def create(
        self,
        image: str | Image,
        command: Command | None = None,
        *,
        detach: bool = False,
        **options: Unpack[CreateOptions],
    ) -> Container:
        """Make a container; ``start()`` runs it. ``POST /containers/create``

        Args:
            image: what to make it from: a name, an id, or an Image.
            command: a text that is split as a shell would, or its words; None is the image's own.
            detach: don't say that its streams will be attached.
            options: as for :meth:`run`.

        Raises:
            ImageNotFound: there is no such image.
            Conflict: the name is taken.
            InvalidArgument: an option can't be right; the message names it.
        """
        return self._create(image, command, options, detach=detach, pull="never")[0]

    def ensure(self, image: str | Image, command: Command | None = None, **options: Unpack[CreateOptions]) -> Container:
        """Have a container of this name run with these options; change nothing where one does.

        One that runs with other options, or from an image that has changed since, is replaced: the old one is kept
        aside until the new one has started, and comes back where that fails. ``GET /containers/{id}/json``

        Args:
            image, command: as for :meth:`run`.
            options: likewise. ``name`` is needed: what else has this name and was not made by this call is replaced.

        Returns:
            The container, running.

        Example::

            client.containers.ensure("postgres:16", name="db", volumes=["data:/var/lib/postgresql/data"])
        """
        from dockerkit.models.container_ensure import ensure

        if not options.get("name"):
            raise UnknownOption("ensure needs 'name', by which to find the container again")
        return ensure(self, image, command, options)

    def _create(
        self, image: str | Image, command: Command | None, options: CreateOptions, *, detach: bool, pull: str
    ) -> tuple[Container, Plan]:
        from dockerkit.models.container_create import plan

        made = plan(self.client.api, image, command, options, detach=detach, pull=pull)
        container = self._make(made)
        return container, made

    def _make(self, made: Plan, stacklevel: int = 4) -> Container:
        """Carry a plan out: pull where it says so, create, connect, and pass the engine's warnings on."""
        api = self.client.api
        if made.pull == "always":
            self._pull(made)
        try:
            answer = api.create_container_from_config(made.body, made.name, made.platform)
        except errors.ImageNotFound:
            if made.pull != "missing" or made.body["Image"].startswith("sha256:"):
                raise
            self._pull(made)
            answer = api.create_container_from_config(made.body, made.name, made.platform)
        for warning in told_warnings(answer):
            warnings.warn(warning, EngineWarning, stacklevel=stacklevel)
        container = self.prepare_model({"Id": answer["Id"]}, partial=True)
        try:
            for network, endpoint in made.later.items():
                api.connect_container_to_network(container, network, endpoint_config=endpoint)
        except BaseException:
            container.remove(v=True, force=True)
            raise
        return container

    def _pull(self, made: Plan) -> None:
        with self.client.api.pull(made.body["Image"], platform=made.platform, stream=True, decode=True) as records:
            for _ in records:
                pass

    def get(self, container_id: Ref, *, size: bool | None = None) -> Container:
        """One container. ``GET /containers/{id}/json``

        Args:
            container_id: its name or id.
            size: also ``SizeRw`` and ``SizeRootFs`` (bytes) in ``attrs``, which takes the engine a while.

        Raises:
            NotFound: there is no such container.
        """
        return self.prepare_model(cast("dict[str, Any]", self.client.api.inspect_container(container_id, size)))

    def list(
        self,
        all: bool = False,
        before: str | None = None,
        filters: Filters | None = None,
        limit: int = -1,
        since: str | None = None,
        sparse: bool = False,
        ignore_removed: bool = False,
        *,
        size: bool = False,
    ) -> builtins.list[Container]:
        """Containers, newest first, in one request. ``GET /containers/json``

        Args:
            all: also those that don't run.
            before, since: only those created before, or after, the container of this id or name.
            filters: ``{"status": "running", "label": ["a=b"], "name": ..., "ancestor": ...}``.
            limit: the newest so many, running or not; -1 is no limit.
            sparse: keep the summaries in ``attrs``; otherwise ``attrs`` inspects a container when it is asked for.
            ignore_removed: taken for docker-py's sake: nothing is asked about single containers here.
            size: with ``sparse``: also ``SizeRw`` and ``SizeRootFs`` (bytes).
        """
        found = self.client.api.containers(all=all, before=before, filters=filters, limit=limit, since=since, size=size)
        containers = Table(self.prepare_model(cast("dict[str, Any]", summary), partial=True) for summary in found)
        for container in containers:
            container._sparse = sparse
        return containers

    def prune(self, filters: Filters | None = None) -> answers.ContainerPruneResponse:
        """Remove all containers that don't run. ``POST /containers/prune``

        Args:
            filters: ``{"until": "24h", "label": [...], "label!": [...]}``.

        Returns:
            ``ContainersDeleted`` (ids, or None) and ``SpaceReclaimed`` (bytes).
        """
        return self.client.api.prune_containers(filters)


def __getattr__(name: str) -> object:
    if name in ("RUN_CREATE_KWARGS", "RUN_HOST_CONFIG_KWARGS"):  # docker-py's lists of the options of run()
        from dockerkit.types import create_options

        names = create_options.CONFIG_NAMES if name == "RUN_CREATE_KWARGS" else create_options.HOST_NAMES
        return sorted(names | {"detach", "name", "platform", "use_config_proxy"} if "CREATE" in name else names)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
