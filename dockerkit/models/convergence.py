"""How a service becomes what it was told to be: looking, and waiting."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockerkit.errors import ConvergenceFailed, ConvergenceTimeout

if TYPE_CHECKING:
    from dockerkit.client import DockerClient

_ENDED = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})
_FAILED = frozenset({"failed", "rejected", "orphaned"})
_POLL = 0.2  # seconds: tasks have no events
_GIVEN_UP = 3.0  # seconds without a live task after which the swarm is not going to make one


@dataclass(frozen=True)
class Progress:
    """How far a service has come.

    Attributes:
        desired: how many tasks there should be; of a job: how many should have completed.
        ready: how many of these run; of a job: have completed. Tasks of before the last change don't count.
        job: whether it is a job.
        update: ``"updating"``, ``"completed"``, ``"paused"``, ``"rollback_started"``..., or None if it never changed.
        message: what the swarm says about the update.
        tasks: the state of each task: by number, or by node where each node has one.
        failures: what tasks that failed say, newest first.
    """

    desired: int
    ready: int
    job: bool = False
    update: str | None = None
    message: str = ""
    tasks: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether it has come where it should."""
        return self.ready >= self.desired and self.update not in ("updating", "rollback_started")

    def __str__(self) -> str:
        goal = "complete" if self.job else "running"
        others = Counter(state for state in self.tasks.values() if state != goal)
        text = f"{self.ready}/{self.desired} {goal}" + "".join(f", {n} {state}" for state, n in sorted(others.items()))
        return f"{text} ({self.update})" if self.update and self.update != "completed" else text


def look(client: DockerClient, service_id: str) -> Progress:
    """How far a service has come, now. ``GET /services/{id}``, ``GET /tasks``"""
    api = client.api
    service: Mapping[str, Any] = api.inspect_service(service_id)
    filters = {"service": service_id}
    if api._supports("GET /tasks", "filters._up-to-date"):
        filters["_up-to-date"] = "true"
    tasks: list[Mapping[str, Any]] = [task for task in api.tasks(filters) if _counts(task, service)]
    tasks.sort(key=lambda task: str(task["CreatedAt"]), reverse=True)
    newest: dict[str, Mapping[str, Any]] = {}
    for task in tasks:
        newest.setdefault(str(task.get("Slot") or task.get("NodeID") or task["ID"]), task)
    mode = service["Spec"]["Mode"]
    job = "ReplicatedJob" in mode or "GlobalJob" in mode
    ready = sum(task["Status"]["State"] == ("complete" if job else "running") for task in newest.values())
    update: Mapping[str, Any] = service.get("UpdateStatus") or {}
    return Progress(
        desired=_desired(mode, newest),
        ready=ready,
        job=job,
        update=update.get("State"),
        message=update.get("Message") or "",
        tasks={name: task["Status"]["State"] for name, task in sorted(newest.items())},
        failures=tuple(_failure(task) for task in tasks if task["Status"]["State"] in _FAILED),
    )


def _counts(task: Mapping[str, Any], service: Mapping[str, Any]) -> bool:
    """Whether a task is one of those that the service should have now."""
    if "JobStatus" in service:  # an index of 0 is left out
        iterations = ((one or {}).get("JobIteration") or {} for one in (service["JobStatus"], task))
        return len({iteration.get("Index", 0) for iteration in iterations}) == 1
    return task["DesiredState"] in ("running", "ready") or task["Status"]["State"] in _FAILED


def _desired(mode: Mapping[str, Any], newest: Mapping[str, Any]) -> int:
    if "Replicated" in mode:
        return int(mode["Replicated"].get("Replicas", 1))
    if "ReplicatedJob" in mode:
        total = mode["ReplicatedJob"].get("TotalCompletions")
        return int(total if total is not None else mode["ReplicatedJob"].get("MaxConcurrent", 1))
    return max(1, len(newest))  # one on each node that fits; before the swarm has looked there is none


def _failure(task: Mapping[str, Any]) -> str:
    status = task["Status"]
    where = f"task {task['Slot']}" if task.get("Slot") else f"task on node {task.get('NodeID', '')[:12]}"
    return f"{where} {status['State']}: {status.get('Err') or status.get('Message') or ''}"


def watch(
    client: DockerClient, service_id: str, name: str, timeout: float | None, stable_for: float, fails_rolled_back: bool
) -> Iterator[Progress]:
    """Yield how far a service has come each time that it changes; end when it has come there and stays so.

    Args:
        client: whose swarm.
        service_id: of the service.
        name: for errors.
        timeout: seconds; None is no limit.
        stable_for: seconds that all tasks must have run in a row.
        fails_rolled_back: whether a rollback is a failure.

    Raises:
        ConvergenceFailed: the update was paused or rolled back, or nothing is left that could run.
        ConvergenceTimeout: it did not come there in time.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    last: Progress | None = None
    since_complete = since_dead = None
    while True:
        progress = look(client, service_id)
        now = time.monotonic()
        if progress != last:
            yield progress
            last = progress
        fails_rolled_back |= progress.update == "updating"
        if failure := _why_failed(progress, fails_rolled_back):
            raise ConvergenceFailed(failure, f"service {name}", progress, progress.failures)
        since_complete = (since_complete or now) if progress.is_complete else None
        if since_complete is not None and (progress.job or now - since_complete >= stable_for):
            return
        dead = not progress.is_complete and all(state in _ENDED for state in progress.tasks.values())
        since_dead = (since_dead or now) if dead and progress.failures else None
        if since_dead is not None and now - since_dead >= _GIVEN_UP:
            raise ConvergenceFailed(
                f"only {progress}, and no task is left that could change that",
                f"service {name}",
                progress,
                progress.failures,
            )
        if deadline is not None and now >= deadline:
            raise ConvergenceTimeout(
                f"only {progress} after {timeout:g} s", f"service {name}", progress, progress.failures
            )
        time.sleep(_POLL)


def _why_failed(progress: Progress, fails_rolled_back: bool) -> str | None:
    if progress.update in ("paused", "rollback_paused"):
        return f"its update is paused: {progress.message}"
    if fails_rolled_back and progress.update == "rollback_completed":
        return f"its update was rolled back: {progress.message}"
    return None


OnProgress = Callable[[Progress], object]
"""Is given how far a service has come, each time that it changes."""
