"""Tasks: the containers of services on the nodes of a swarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from dockerkit.models.resource import RAISE, Collection, D, Model
from dockerkit.models.tables import Table

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.container_streams import TimeLike
    from dockerkit.api.refs import Ref
    from dockerkit.api.service import TaskLogOptions
    from dockerkit.streams import FrameStream
    from dockerkit.streams.readers import DemuxedOutput
    from dockerkit.types.filters import TaskFilters
    from dockerkit.types.flags import No, Yes

ENDED = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})
"""The states in which a task has ended."""


class Task(Model):
    """A run of a service's container on a node."""

    id_attribute = "ID"

    @property
    def service_id(self) -> str:
        """ID of the service."""
        return self._get_attr("ServiceID") or ""

    @property
    def node_id(self) -> str | None:
        """ID of the node; None if not assigned yet."""
        return self._get_attr("NodeID") or None

    @property
    def slot(self) -> int | None:
        """Number among the service's replicas; None for global services."""
        return self._get_attr("Slot")

    @property
    def status(self) -> str:
        """State: ``"running"``, ``"complete"``, ``"failed"``, ``"pending"``..., at the last :meth:`reload`."""
        return (self._get_attr("Status") or {}).get("State") or ""

    @property
    def desired_state(self) -> str:
        """State that the swarm wants it to have."""
        return self._get_attr("DesiredState") or ""

    @property
    def is_alive(self) -> bool:
        """Whether the task has not ended."""
        return self.status not in ENDED

    @property
    def message(self) -> str:
        """Message of its node: the error, if there was one."""
        status = self._get_attr("Status") or {}
        return status.get("Err") or status.get("Message") or ""

    @property
    def exit_code(self) -> int | None:
        """Exit code of the container; None if it has not exited or never ran."""
        container = (self._get_attr("Status") or {}).get("ContainerStatus") or {}
        return container.get("ExitCode") if not self.is_alive and container.get("ContainerID") else None

    @property
    def container_id(self) -> str | None:
        """ID of the container on its node."""
        return ((self._get_attr("Status") or {}).get("ContainerStatus") or {}).get("ContainerID") or None

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the container, as set by the service."""
        return ((self._get_attr("Spec") or {}).get("ContainerSpec") or {}).get("Labels") or {}

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
        stdout: bool = True,
        stderr: bool = True,
        since: TimeLike = 0,
        timestamps: bool = False,
        tail: int | str | None = "all",
        is_tty: bool | None = None,
        *,
        demux: bool = False,
    ) -> FrameStream[bytes] | FrameStream[DemuxedOutput]:
        """Return the logs, collected from its node. ``GET /tasks/{id}/logs``

        Args:
            details: include labels and environment in each line.
            stdout, stderr: which output to return.
            follow, since, timestamps, tail, is_tty, demux: as for :meth:`Service.logs`.

        Returns:
            An iterator of chunks, which can be closed from any thread.
        """
        return self.client.api.task_logs(
            self,
            demux=demux,
            details=details,
            follow=follow,
            stdout=stdout,
            stderr=stderr,
            since=since,
            timestamps=timestamps,
            tail=tail,
            is_tty=is_tty,
        )


class TaskCollection(Collection[Task]):
    """List tasks of a swarm; requires a manager node."""

    model = Task

    def get(self, task_id: Ref, *, default: D = RAISE) -> Task | D:
        """Return a task. ``GET /tasks/{id}``

        Args:
            task_id: ID of the task.
            default: returned instead of raising NotFound.

        Raises:
            NotFound: the task does not exist, or was removed.
        """
        return self._get(lambda: self.client.api.inspect_task(task_id), default)

    def list(self, filters: TaskFilters | None = None) -> Table[Task]:
        """List tasks, including ended ones, in one request. ``GET /tasks``

        Args:
            filters: ``{"service": ..., "node": ..., "desired-state": "running", "name": ..., "label": ...}``.
        """
        return Table(self.prepare_model(attrs) for attrs in self.client.api.tasks(filters))
