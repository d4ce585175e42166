"""A service: the object that ``client.services`` returns."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast, overload

from dockerkit.errors import InvalidArgument
from dockerkit.models.resource import response_warnings
from dockerkit.models.services.convergence import OnProgress, ServiceProgress, iter_progress, read_progress
from dockerkit.models.services.options import ServiceUpdateOptions, api_arguments
from dockerkit.models.versioned import Versioned, retry_on_version_conflict
from dockerkit.parsing.options import check_options, expands_options
from dockerkit.parsing.responses import parsing_response
from dockerkit.parsing.values import mapping

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.container_streams import TimeLike
    from dockerkit.api.service import TaskLogOptions
    from dockerkit.parsing.values import Duration
    from dockerkit.streams import FrameStream
    from dockerkit.streams.readers import DemuxedOutput
    from dockerkit.types import answers
    from dockerkit.types.filters import TaskFilters
    from dockerkit.types.flags import No, Yes


class Service(Versioned):
    """A service: containers that the swarm keeps running or, for a job, runs until they complete.

    Example::

        service = client.services.create("nginx", name="web", replicas=3, ports={8080: 80})
        service.wait(on_progress=print)
        service.update(image="nginx:1.29")
    """

    _updated = False  # whether this object has updated the service, so that a rollback is a failure

    @property
    def image(self) -> str:
        """Image of the containers."""
        return (self.spec.get("TaskTemplate", {}).get("ContainerSpec") or {}).get("Image") or ""

    @property
    def mode(self) -> str:
        """``"replicated"``, ``"global"``, ``"replicated-job"`` or ``"global-job"``."""
        names = {"Global": "global", "ReplicatedJob": "replicated-job", "GlobalJob": "global-job"}
        return next((name for field, name in names.items() if field in self.spec.get("Mode", {})), "replicated")

    @property
    def replicas(self) -> int | None:
        """Desired number of tasks; None for modes without such a number."""
        return (self.spec.get("Mode", {}).get("Replicated") or {}).get("Replicas")

    @property
    def update_status(self) -> dict[str, Any]:
        """``State``, ``Message``, ``StartedAt`` and ``CompletedAt`` of the last update; empty if there was none."""
        return self._get_attr("UpdateStatus") or {}

    def tasks(self, filters: TaskFilters | None = None) -> list[answers.Task]:
        """List the tasks as dicts, including ended ones. ``GET /tasks``

        ``client.tasks.list(filters={"service": service.id})`` returns objects.

        Args:
            filters: ``{"node": ..., "desired-state": "running", "name": ..., "label": ...}``.
        """
        return self.client.api.tasks(
            cast("TaskFilters", {**mapping(filters or {}, "filters"), "service": self.id or ""})
        )

    @overload
    def logs(self, *, demux: No = False, **options: Unpack[TaskLogOptions]) -> FrameStream[bytes]: ...

    @overload
    def logs(self, *, demux: Yes, **options: Unpack[TaskLogOptions]) -> FrameStream[DemuxedOutput]: ...

    @overload
    def logs(
        self, *, demux: bool, **options: Unpack[TaskLogOptions]
    ) -> FrameStream[bytes] | FrameStream[DemuxedOutput]: ...

    def logs(
        self,
        details: bool = False,
        follow: bool = False,
        stdout: bool | None = None,
        stderr: bool | None = None,
        since: TimeLike = 0,
        timestamps: bool = False,
        tail: int | str | None = "all",
        is_tty: bool | None = None,
        *,
        demux: bool = False,
    ) -> FrameStream[bytes] | FrameStream[DemuxedOutput]:
        """Return the logs of all tasks, collected from their nodes. ``GET /services/{id}/logs``

        Args:
            details: include task, node, labels and environment in each line.
            follow: keep streaming new output.
            stdout, stderr: which output to return; both if neither is set.
            since: only output from this time on: a datetime (UTC if it has no time zone) or seconds since 1970.
            timestamps: begin each line with an RFC 3339 time.
            tail: number of lines from the end, or ``"all"``.
            is_tty: whether the tasks have a terminal; None inspects the service.
            demux: yield pairs ``(stdout, stderr)``, one of which is None, instead of chunks.

        Returns:
            An iterator of chunks, which can be closed from any thread.
        """
        both = stdout is None and stderr is None
        tty = bool((self.spec["TaskTemplate"].get("ContainerSpec") or {}).get("TTY")) if is_tty is None else is_tty
        return self.client.api.service_logs(
            self,
            demux=demux,
            details=details,
            follow=follow,
            stdout=both or bool(stdout),
            stderr=both or bool(stderr),
            since=since,
            timestamps=timestamps,
            tail=tail,
            is_tty=tty,
        )

    @expands_options("dockerkit.models.services.options:ServiceUpdateOptions")
    def update(self, **options: Unpack[ServiceUpdateOptions]) -> answers.ServiceUpdateResponse:
        """Update the service; unspecified settings keep their value. ``POST /services/{id}/update``

        Concurrent changes are kept: on a version conflict, the update is repeated with the current settings.

        Args:
            options: options of :class:`~dockerkit.models.services.options.ServiceUpdateOptions`.

        Returns:
            ``{"Warnings": [...] or None}``. Call :meth:`wait` to wait until the tasks are replaced.

        Raises:
            TypeError: an option is unknown.
            InvalidArgument: a value is invalid.
        """
        changes: dict[str, Any] = {**options}
        fetched = changes.pop("fetch_current_spec", None) is not False
        check_options(self.update, changes, ServiceUpdateOptions.__annotations__)

        def attempt() -> answers.ServiceUpdateResponse:
            self.reload()
            again: dict[str, Any] = {"image": self.image, "name": self.name}
            if changes.get("force_update") is True:
                with parsing_response("Service.spec"):
                    again["force_update"] = int(self.spec["TaskTemplate"].get("ForceUpdate") or 0) + 1
            arguments = api_arguments(
                self.client, {**changes, **again, **_passed(changes, "image", "name")}, self.update
            )
            return self.client.api.update_service(self, self.version, fetch_current_spec=fetched, **arguments)

        return self._finish_update(retry_on_version_conflict(attempt))

    def _replace(self, options: Mapping[str, Any]) -> None:
        """Set exactly these options; tasks that already match keep running."""

        def attempt() -> answers.ServiceUpdateResponse:
            self.reload()
            forced = int(self.spec["TaskTemplate"].get("ForceUpdate") or 0)
            arguments = api_arguments(self.client, {**options, "force_update": forced}, self.update)
            return self.client.api.update_service(self, self.version, **arguments)

        self._finish_update(retry_on_version_conflict(attempt))

    def scale(self, replicas: int) -> answers.ServiceUpdateResponse:
        """Set the number of tasks; for a job, of completions. ``POST /services/{id}/update``

        Args:
            replicas: number of tasks.

        Raises:
            InvalidArgument: the service is global, with one task per node.
        """
        if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 0:
            raise InvalidArgument(f"replicas: must be a number of tasks, got {replicas!r}")

        def attempt() -> answers.ServiceUpdateResponse:
            self.reload()
            if self.mode.startswith("global"):
                raise InvalidArgument(f"replicas: service {self.name} is {self.mode}: each node has one task")
            mode: dict[str, Any] = {"Replicated": {"Replicas": replicas}}
            if self.mode == "replicated-job":
                mode = {"ReplicatedJob": {**self.spec["Mode"]["ReplicatedJob"], "TotalCompletions": replicas}}
            return self.client.api.update_service(self, self.version, mode=mode, fetch_current_spec=True)

        return self._finish_update(retry_on_version_conflict(attempt))

    def force_update(self) -> answers.ServiceUpdateResponse:
        """Replace all tasks without changing the service. ``POST /services/{id}/update``"""
        return self.update(force_update=True)

    def rollback(self) -> answers.ServiceUpdateResponse:
        """Restore the settings before the last update. ``POST /services/{id}/update``

        Raises:
            BadRequest: there is no previous version.
            InvalidVersion: the API version is below 1.28.
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

        response = self._finish_update(retry_on_version_conflict(attempt))
        self._updated = False
        return response

    def progress(self) -> ServiceProgress:
        """Return the current progress: running or completed tasks, and the desired number."""
        return read_progress(self.client, self.id or "")

    def wait(
        self, timeout: Duration | None = 300, *, on_progress: OnProgress | None = None, stable_for: Duration = 5
    ) -> ServiceProgress:
        """Wait until the service has converged: all tasks run the newest spec, or the job has completed.

        Args:
            timeout: maximum seconds to wait; None for no limit.
            on_progress: called with a :class:`~dockerkit.models.services.convergence.ServiceProgress` whenever it changes,
                such as ``print``.
            stable_for: seconds that all tasks must run without interruption; ignored for jobs.

        Returns:
            The final progress.

        Raises:
            ConvergenceFailed: the update was paused or rolled back, or no task is left that could run. The message
                includes the tasks' errors.
            ConvergenceTimeout: the service did not converge in time (also a TimeoutError).
        """
        last: ServiceProgress | None = None
        for last in self.watch(timeout, stable_for=stable_for):
            if on_progress:
                on_progress(last)
        self.reload()
        assert last is not None
        return last

    def watch(self, timeout: Duration | None = 300, *, stable_for: Duration = 5) -> Iterator[ServiceProgress]:
        """Yield the progress whenever it changes, until the service has converged; see :meth:`wait`.

        Args:
            timeout: maximum seconds to wait; None for no limit.
            stable_for: seconds that all tasks must run without interruption.
        """
        return iter_progress(self.client, self.id or "", self.name or "", timeout, stable_for, self._updated)

    def remove(self) -> bool:
        """Remove the service and stop its tasks. ``DELETE /services/{id}``

        Returns:
            True.
        """
        return self.client.api.remove_service(self)

    def _finish_update(self, response: answers.ServiceUpdateResponse) -> answers.ServiceUpdateResponse:
        self._updated = True
        for warning in response_warnings(response):
            warnings.warn(f"service {self.name}: {warning}", stacklevel=3)
        self.reload()
        return response


def _passed(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: options[name] for name in names if options.get(name) is not None}
