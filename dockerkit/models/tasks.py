"""Tasks: the containers of services, wherever in the swarm they run."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Literal, overload

from dockerkit.api.encode import Filters
from dockerkit.models.resource import Collection, Model
from dockerkit.models.tables import Table

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.container_streams import Moment
    from dockerkit.api.refs import Ref
    from dockerkit.api.service import TaskLogOptions
    from dockerkit.streams import FrameStream
    from dockerkit.streams.readers import Pair

_ENDED = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})


class Task(Model):
    """One run of a service's container on one node."""

    id_attribute = "ID"

    @property
    def service_id(self) -> str:
        """Id of the service that it belongs to."""
        return self._fact("ServiceID") or ""

    @property
    def node_id(self) -> str | None:
        """Id of the node that it was given to; None as long as there is none."""
        return self._fact("NodeID") or None

    @property
    def slot(self) -> int | None:
        """Its number among the service's replicas; None where each node has one."""
        return self._fact("Slot")

    @property
    def status(self) -> str:
        """What it is: ``"running"``, ``"complete"``, ``"failed"``, ``"pending"``..., as of the last :meth:`reload`."""
        return (self._fact("Status") or {}).get("State") or ""

    @property
    def desired_state(self) -> str:
        """What the swarm wants it to be."""
        return self._fact("DesiredState") or ""

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        return self.status not in _ENDED

    @property
    def message(self) -> str:
        """What its node says about it: the error, where there was one."""
        status = self._fact("Status") or {}
        return status.get("Err") or status.get("Message") or ""

    @property
    def exit_code(self) -> int | None:
        """Its container's exit code; None while it runs, or if it never did."""
        container = (self._fact("Status") or {}).get("ContainerStatus") or {}
        return container.get("ExitCode") if not self.is_alive and container.get("ContainerID") else None

    @property
    def container_id(self) -> str | None:
        """Id of its container on its node."""
        return ((self._fact("Status") or {}).get("ContainerStatus") or {}).get("ContainerID") or None

    @property
    def labels(self) -> dict[str, str]:
        """Its container's labels, as the service sets them."""
        return ((self._fact("Spec") or {}).get("ContainerSpec") or {}).get("Labels") or {}

    @overload
    def logs(
        self,
        details: bool = False,
        follow: bool = False,
        stdout: bool = True,
        stderr: bool = True,
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
        stdout: bool = True,
        stderr: bool = True,
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
        stdout: bool = True,
        stderr: bool = True,
        since: Moment = 0,
        timestamps: bool = False,
        tail: int | str = "all",
        is_tty: bool | None = None,
        *,
        demux: bool = False,
    ) -> FrameStream[bytes] | FrameStream[Pair]:
        """What it has written, gathered from its node. ``GET /tasks/{id}/logs``

        Args:
            details: also labels and environment, before each line.
            follow: go on with what comes.
            stdout, stderr: which of the two.
            since: only from then on: a datetime (UTC where it has no zone) or seconds since 1970.
            timestamps: an RFC 3339 time before each line.
            tail: the last so many lines, or ``"all"``.
            is_tty: whether it has a terminal; None asks the engine where that must be known.
            demux: pairs ``(stdout, stderr)`` of which one is None, instead of chunks.

        Returns:
            An iterator of chunks; it can be closed from any thread.
        """
        return self.client.api.task_logs(
            self, details, follow, stdout, stderr, since, timestamps, tail, is_tty, demux=demux
        )


class TaskCollection(Collection[Task]):
    """The tasks of a swarm; a manager knows them."""

    model = Task

    def get(self, task_id: Ref) -> Task:
        """One task. ``GET /tasks/{id}``

        Args:
            task_id: its id.

        Raises:
            NotFound: there is none, or no longer.
        """
        return self.prepare_model(self.client.api.inspect_task(task_id))

    def list(self, filters: Filters | None = None) -> builtins.list[Task]:
        """List tasks, also those that have ended, by one request. ``GET /tasks``

        Args:
            filters: ``{"service": ..., "node": ..., "desired-state": "running", "name": ..., "label": ...}``.
        """
        return Table(self.prepare_model(attrs) for attrs in self.client.api.tasks(filters))
