"""Tasks: the containers of services, wherever in the swarm they run. ``/tasks``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from dockerkit.api.base import Base, Ref
from dockerkit.api.container_streams import Moment
from dockerkit.api.encode import Filters
from dockerkit.api.service import log_query
from dockerkit.streams import FrameStream
from dockerkit.streams.readers import Pair

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.service import TaskLogOptions
    from dockerkit.types import answers


class TaskAPI(Base):
    """The calls on tasks; each needs a manager of a swarm."""

    def tasks(self, filters: Filters | None = None) -> list[answers.Task]:
        """List tasks, also those that have ended. ``GET /tasks``

        Args:
            filters: ``{"service": ..., "node": ..., "desired-state": "running", "name": ..., "label": ...}``.
        """
        return self._json("GET", "/tasks", query={"filters": filters or {}}, kind=list)

    def inspect_task(self, task: Ref) -> answers.Task:
        """All that the swarm knows of a task. ``GET /tasks/{id}``

        Args:
            task: id, dict with ``ID``, or object.
        """
        return self._json("GET", "/tasks/{id}", id=task)

    @overload
    def task_logs(
        self,
        task: Ref,
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
    def task_logs(self, task: Ref, *, demux: Literal[True], **options: Unpack[TaskLogOptions]) -> FrameStream[Pair]: ...

    @overload
    def task_logs(
        self,
        task: Ref,
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

    def task_logs(
        self,
        task: Ref,
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
        """What a task has written, gathered from its node. ``GET /tasks/{id}/logs``

        Args:
            task: id, dict with ``ID``, or object.
            details: also labels and environment, before each line.
            follow: go on with what comes.
            stdout, stderr: which of the two.
            since: only from then on: a datetime (UTC where it has no zone) or seconds since 1970.
            timestamps: an RFC 3339 time before each line.
            tail: the last so many lines, or ``"all"``.
            is_tty: whether the task has a terminal; None asks the engine where that must be known.
            demux: pairs ``(stdout, stderr)`` of which one is None, instead of chunks.

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
