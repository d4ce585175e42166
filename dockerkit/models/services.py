"""Services of a swarm."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from dockerkit.api.encode import Filters
from dockerkit.errors import InvalidArgument
from dockerkit.models.convergence import OnProgress, Progress, look, watch
from dockerkit.models.resource import Collection, reading, told_warnings
from dockerkit.models.service_options import ServiceOptions, ServiceUpdateOptions, api_arguments
from dockerkit.models.tables import Table
from dockerkit.models.versioned import Versioned, retried

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.container_streams import Moment
    from dockerkit.api.refs import Ref
    from dockerkit.api.service import TaskLogOptions
    from dockerkit.streams import FrameStream
    from dockerkit.streams.readers import Pair
    from dockerkit.types import answers


class Service(Versioned):
    """A service: containers that the swarm keeps running somewhere, or, as a job, runs to their end.

    Example::

        service = client.services.create("nginx", name="web", replicas=3, ports={8080: 80})
        service.wait(on_progress=print)
        service.update(image="nginx:1.29")
    """

    _updated = False  # whether this object asked for an update, so that a rollback of it is a failure

    @property
    def image(self) -> str:
        """The image of its containers."""
        return (self.spec.get("TaskTemplate", {}).get("ContainerSpec") or {}).get("Image") or ""

    @property
    def mode(self) -> str:
        """``"replicated"``, ``"global"``, ``"replicated-job"`` or ``"global-job"``."""
        names = {"Global": "global", "ReplicatedJob": "replicated-job", "GlobalJob": "global-job"}
        return next((name for field, name in names.items() if field in self.spec.get("Mode", {})), "replicated")

    @property
    def replicas(self) -> int | None:
        """How many tasks it should have; None where that is not a number of its own."""
        return (self.spec.get("Mode", {}).get("Replicated") or {}).get("Replicas")

    @property
    def update_status(self) -> dict[str, Any]:
        """``State``, ``Message``, ``StartedAt`` and ``CompletedAt`` of its last update; empty if there was none."""
        return self._fact("UpdateStatus") or {}

    def tasks(self, filters: Filters | None = None) -> list[answers.Task]:
        """Its tasks as dicts, also those that have ended. ``GET /tasks``

        ``client.tasks.list(filters={"service": service.id})`` answers objects.

        Args:
            filters: ``{"node": ..., "desired-state": "running", "name": ..., "label": ...}``.
        """
        return self.client.api.tasks({**(filters or {}), "service": self.id or ""})

    @overload
    def logs(
        self,
        details: bool = False,
        follow: bool = False,
        stdout: bool | None = None,
        stderr: bool | None = None,
        since: Moment = 0,
        timestamps: bool = False,
        tail: int | str = "all",
        is_tty: bool | None = None,
        *,
        demux: Literal[False] = False,
    ) -> FrameStream[bytes]: ...

    @overload
    def logs(self, *, demux: Literal[True], **options: Unpack[TaskLogOptions]) -> FrameStream[Pair]: ...

    @overload
    def logs(
        self,
        details: bool = False,
        follow: bool = False,
        stdout: bool | None = None,
        stderr: bool | None = None,
        since: Moment = 0,
        timestamps: bool = False,
        tail: int | str = "all",
        is_tty: bool | None = None,
        *,
        demux: bool = False,
    ) -> FrameStream[bytes] | FrameStream[Pair]: ...

    def logs(
        self,
        details: bool = False,
        follow: bool = False,
        stdout: bool | None = None,
        stderr: bool | None = None,
        since: Moment = 0,
        timestamps: bool = False,
        tail: int | str = "all",
        is_tty: bool | None = None,
        *,
        demux: bool = False,
    ) -> FrameStream[bytes] | FrameStream[Pair]:
        """What its tasks have written, gathered from their nodes. ``GET /services/{id}/logs``

        Args:
            details: also task, node, labels and environment, before each line.
            follow: go on with what comes.
            stdout, stderr: which of the two; both where neither is asked for.
            since: only from then on: a datetime (UTC where it has no zone) or seconds since 1970.
            timestamps: an RFC 3339 time before each line.
            tail: the last so many lines, or ``"all"``.
            is_tty: whether its tasks have a terminal; None looks.
            demux: pairs ``(stdout, stderr)`` of which one is None, instead of chunks.

        Returns:
            An iterator of chunks; it can be closed from any thread.
        """
        both = stdout is None and stderr is None
        tty = bool((self.spec["TaskTemplate"].get("ContainerSpec") or {}).get("TTY")) if is_tty is None else is_tty
        return self.client.api.service_logs(
            self, details, follow, both or bool(stdout), both or bool(stderr), since, timestamps, tail, tty, demux=demux
        )

    def update(self, **options: Unpack[ServiceUpdateOptions]) -> answers.ServiceUpdateResponse:
        """Change some of it and keep the rest. ``POST /services/{id}/update``

        A change that somebody else makes at the same time is kept too: the update is made again from what is there.

        Args:
            options: the rows of :class:`~dockerkit.models.service_options.ServiceUpdateOptions`.

        Returns:
            ``{"Warnings": [...] or None}``. :meth:`wait` waits until the tasks are replaced.

        Raises:
            TypeError: an option that there is not.
            InvalidArgument: a value that can't be right.
        """
        given: dict[str, Any] = {**options}
        given.pop("fetch_current_spec", None)  # docker-py's; here it always is

        def attempt() -> answers.ServiceUpdateResponse:
            self.reload()
            again: dict[str, Any] = {"image": self.image}
            if given.get("force_update") is True:
                with reading("Service.spec"):
                    again["force_update"] = int(self.spec["TaskTemplate"].get("ForceUpdate") or 0) + 1
            arguments = api_arguments(self.client, {**given, **again, **_kept(given, "image")})
            return self.client.api.update_service(self, self.version, fetch_current_spec=True, **arguments)

        return self._changed(retried(attempt))

    def _replace(self, options: Mapping[str, Any]) -> None:
        """Make it what the options say and nothing else; tasks that are so already go on."""

        def attempt() -> answers.ServiceUpdateResponse:
            self.reload()
            forced = int(self.spec["TaskTemplate"].get("ForceUpdate") or 0)
            arguments = api_arguments(self.client, {**options, "force_update": forced})
            return self.client.api.update_service(self, self.version, **arguments)

        self._changed(retried(attempt))

    def scale(self, replicas: int) -> answers.ServiceUpdateResponse:
        """Change how many tasks it has; of a job: how many are to complete. ``POST /services/{id}/update``

        Args:
            replicas: how many.

        Raises:
            InvalidArgument: it is global: each node has one.
        """
        if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 0:
            raise InvalidArgument(f"replicas: a number of tasks is needed, not {replicas!r}")

        def attempt() -> answers.ServiceUpdateResponse:
            self.reload()
            if self.mode.startswith("global"):
                raise InvalidArgument(f"replicas: service {self.name} is {self.mode}: each node has one task")
            mode: dict[str, Any] = {"Replicated": {"Replicas": replicas}}
            if self.mode == "replicated-job":
                mode = {"ReplicatedJob": {**self.spec["Mode"]["ReplicatedJob"], "TotalCompletions": replicas}}
            return self.client.api.update_service(self, self.version, mode=mode, fetch_current_spec=True)

        return self._changed(retried(attempt))

    def force_update(self) -> answers.ServiceUpdateResponse:
        """Replace all its tasks, though nothing changes. ``POST /services/{id}/update``"""
        return self.update(force_update=True)

    def rollback(self) -> answers.ServiceUpdateResponse:
        """Go back to what it was before its last update. ``POST /services/{id}/update``

        Raises:
            BadRequest: there is nothing to go back to.
            InvalidVersion: below API 1.28.
        """

        def attempt() -> answers.ServiceUpdateResponse:
            self.reload()
            return self.client.api.update_service(
                self,
                self.version,
                fetch_current_spec=True,
                rollback="previous",
                registry_auth_from="previous-spec",
            )

        answer = self._changed(retried(attempt))
        self._updated = False
        return answer

    def progress(self) -> Progress:
        """How far it has come, now: tasks that run, or that have completed, of those that should."""
        return look(self.client, self.id or "")

    def wait(
        self, timeout: float | None = 300, *, on_progress: OnProgress | None = None, stable_for: float = 5
    ) -> Progress:
        """Wait until it is what it was told to be: all tasks run, each of the newest spec; or the job has completed.

        Args:
            timeout: seconds; None waits for ever.
            on_progress: is given a :class:`~dockerkit.models.convergence.Progress` each time that it changes;
                ``print`` will do.
            stable_for: seconds that all tasks must have run in a row; no matter for jobs.

        Returns:
            How far it has come in the end.

        Raises:
            ConvergenceFailed: its update was paused or rolled back, or no task is left that could run. The message has
                what the tasks said.
            ConvergenceTimeout: it has not come so far in time (also a TimeoutError).
        """
        last: Progress | None = None
        for last in self.watch(timeout, stable_for=stable_for):
            if on_progress:
                on_progress(last)
        self.reload()
        assert last is not None
        return last

    def watch(self, timeout: float | None = 300, *, stable_for: float = 5) -> Iterator[Progress]:
        """The same as :meth:`wait` as an iterator: how far it has come, each time that it changes.

        Args:
            timeout: seconds; None waits for ever.
            stable_for: seconds that all tasks must have run in a row.
        """
        return watch(self.client, self.id or "", self.name or "", timeout, stable_for, self._updated)

    def remove(self) -> bool:
        """Stop its tasks and remove it. ``DELETE /services/{id}``

        Returns:
            True.
        """
        return self.client.api.remove_service(self)

    def _changed(self, answer: answers.ServiceUpdateResponse) -> answers.ServiceUpdateResponse:
        self._updated = True
        for warning in told_warnings(answer):
            warnings.warn(f"service {self.name}: {warning}", stacklevel=3)
        self.reload()
        return answer


class ServiceCollection(Collection[Service]):
    """The services of a swarm; a manager knows them."""

    model = Service

    def create(
        self, image: str, command: str | Sequence[str] | None = None, **options: Unpack[ServiceOptions]
    ) -> Service:
        """Make a service. ``POST /services/create``

        Args:
            image: of its containers.
            command: a list, or a text that is split as a shell would; None is the image's.
            options: the rows of :class:`~dockerkit.models.service_options.ServiceOptions`.

        Returns:
            The service; :meth:`Service.wait` waits until it runs.

        Raises:
            TypeError: an option that there is not.
            InvalidArgument: a value that can't be right, or a secret or config that there is not.
            Conflict: the name is taken.
            ServiceUnavailable: this engine is no manager of a swarm.

        Example::

            client.services.create("backup", mode="replicated-job", secrets=["key"]).wait()
        """
        arguments = api_arguments(self.client, {**options, "image": image, "command": command})
        made = self.client.api.create_service(**arguments)
        for warning in told_warnings(made):
            warnings.warn(f"service {options.get('name') or made['ID']}: {warning}", stacklevel=2)
        return self.get(made["ID"])

    def get(self, service_id: Ref, insert_defaults: bool | None = None) -> Service:
        """One service. ``GET /services/{id}``

        Args:
            service_id: id or name.
            insert_defaults: fill in the Engine's defaults where the spec says nothing (API 1.29).

        Raises:
            NotFound: there is none.
        """
        return self.prepare_model({**self.client.api.inspect_service(service_id, insert_defaults)})

    def list(self, filters: Filters | None = None, status: bool | None = None) -> builtins.list[Service]:
        """List services, by one request. ``GET /services``

        Args:
            filters: ``{"id": ..., "name": ..., "label": ["a=b"], "mode": "global"}``.
            status: also how many tasks of each run, and should, in ``attrs["ServiceStatus"]`` (API 1.41).
        """
        return Table(self.prepare_model({**attrs}) for attrs in self.client.api.services(filters, status))


def _kept(options: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {name: options[name]} if options.get(name) is not None else {}
