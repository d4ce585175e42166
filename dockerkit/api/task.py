"""Tasks: the containers of services, on any node of the swarm. ``/tasks``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.container_streams import TimeLike
from dockerkit.api.service import log_query
from dockerkit.streams import FrameStream
from dockerkit.streams.readers import DemuxedOutput

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.service import TaskLogOptions
    from dockerkit.types import answers
    from dockerkit.types.filters import TaskFilters
    from dockerkit.types.flags import No, Yes


class TaskAPI(APIBase):
    """Calls on tasks; they require a manager of a swarm. ``task`` is an ID, a dict with ``ID``, or an object."""

    def tasks(self, filters: TaskFilters | None = None) -> list[answers.Task]:
        """List tasks, including those that have ended. ``GET /tasks``

        Args:
            filters: ``{"service": ..., "node": ..., "desired-state": "running", "name": ..., "label": ...}``.
        """
        return self._json("GET", "/tasks", query={"filters": filters or {}}, kind=list)

    def inspect_task(self, task: Ref) -> answers.Task:
        """Return all details of a task. ``GET /tasks/{id}``"""
        return self._json("GET", "/tasks/{id}", id=task)

    @overload
    def task_logs(
        self,
        task: Ref,
        details: bool = False,
        follow: bool = False,
        stdout: bool = True,
        stderr: bool = True,
        since: TimeLike = 0,
        timestamps: bool = False,
        tail: int | str | None = "all",
        is_tty: bool | None = None,
        *,
        demux: No = False,
    ) -> FrameStream[bytes]: ...

    @overload
    def task_logs(self, task: Ref, *, demux: Yes, **options: Unpack[TaskLogOptions]) -> FrameStream[DemuxedOutput]: ...

    @overload
    def task_logs(
        self, task: Ref, *, demux: bool, **options: Unpack[TaskLogOptions]
    ) -> FrameStream[bytes] | FrameStream[DemuxedOutput]: ...

    def task_logs(
        self,
        task: Ref,
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
        """Return the logs of a task, from its node. ``GET /tasks/{id}/logs``

        Args:
            details: prefix each line with labels and environment.
            stdout, stderr: include stdout or stderr.
            follow, since, timestamps, tail, is_tty, demux: as for :meth:`service_logs`.

        Returns:
            An iterator of chunks; it can be closed from any thread.
        """

        def tty() -> bool:
            if is_tty is not None:
                return is_tty
            spec: dict[str, Any] = self._json("GET", "/tasks/{id}", id=task)["Spec"]
            return bool((spec.get("ContainerSpec") or {}).get("TTY"))

        query = log_query(details, follow, stdout, stderr, since, timestamps, tail)
        return self._frames("GET", "/tasks/{id}/logs", id=task, query=query, tty=tty, stream=follow, demux=demux)
