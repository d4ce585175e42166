"""Progress of a service towards its desired state: read it, and wait for it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockerkit import runtime
from dockerkit.errors import ConvergenceFailed, ConvergenceTimeout
from dockerkit.models.tasks import ENDED
from dockerkit.parsing.responses import parsing_response
from dockerkit.parsing.values import time_limit

if TYPE_CHECKING:
    from dockerkit.client import DockerClient
    from dockerkit.parsing.values import Duration
    from dockerkit.types.filters import TaskFilters

_FAILED = frozenset({"failed", "rejected", "orphaned"})
_POLL = 0.2  # seconds between requests: there are no events about tasks
_GIVEN_UP = 3.0  # seconds without a live task after which the swarm will not start another


@dataclass(frozen=True)
class ServiceProgress:
    """Progress of a service towards its desired state.

    Attributes:
        desired: number of tasks that should be running; for a job, that should complete.
        ready: number of those that are running; for a job, that have completed. Tasks of earlier versions don't count.
        job: whether the service is a job.
        update: state of the last update, such as ``"updating"``, ``"completed"``, ``"paused"`` or
            ``"rollback_started"``; None if there was none.
        message: the swarm's message about the update.
        tasks: state of each task, by number; for global services, by node.
        failures: messages of failed tasks, newest first.
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
        """Whether the desired state is reached."""
        return self.ready >= self.desired and self.update not in ("updating", "rollback_started")

    def __str__(self) -> str:
        goal = "complete" if self.job else "running"
        others = Counter(state for state in self.tasks.values() if state != goal)
        text = f"{self.ready}/{self.desired} {goal}" + "".join(f", {n} {state}" for state, n in sorted(others.items()))
        return f"{text} ({self.update})" if self.update and self.update != "completed" else text


def read_progress(client: DockerClient, service_id: str) -> ServiceProgress:
    """Return the current progress of a service. ``GET /services/{id}``, ``GET /tasks``"""
    api = client.api
    service: Mapping[str, Any] = api.inspect_service(service_id)
    filters: TaskFilters = {"service": service_id}
    if api.supports("GET /tasks", "filters._up-to-date"):
        filters["_up-to-date"] = "true"
    tasks = api.tasks(filters)
    with parsing_response("the progress of a service"):
        return _progress(service, tasks)


def _progress(service: Mapping[str, Any], all_tasks: Iterable[Mapping[str, Any]]) -> ServiceProgress:
    tasks = [task for task in all_tasks if _counts(task, service)]
    tasks.sort(key=lambda task: str(task["CreatedAt"]), reverse=True)
    newest: dict[str, Mapping[str, Any]] = {}
    for task in tasks:
        newest.setdefault(str(task.get("Slot") or task.get("NodeID") or task["ID"]), task)
    mode = service["Spec"]["Mode"]
    job = "ReplicatedJob" in mode or "GlobalJob" in mode
    ready = sum(task["Status"]["State"] == ("complete" if job else "running") for task in newest.values())
    update: Mapping[str, Any] = service.get("UpdateStatus") or {}
    return ServiceProgress(
        desired=_desired(mode, newest),
        ready=ready,
        job=job,
        update=update.get("State"),
        message=update.get("Message") or "",
        tasks={name: task["Status"]["State"] for name, task in sorted(newest.items())},
        failures=tuple(_failure(task) for task in tasks if task["Status"]["State"] in _FAILED),
    )


def _counts(task: Mapping[str, Any], service: Mapping[str, Any]) -> bool:
    """Return whether a task belongs to the current version of the service."""
    if "JobStatus" in service:  # an index of 0 is omitted
        iterations = ((item or {}).get("JobIteration") or {} for item in (service["JobStatus"], task))
        return len({iteration.get("Index", 0) for iteration in iterations}) == 1
    return task["DesiredState"] in ("running", "ready") or task["Status"]["State"] in _FAILED


def _desired(mode: Mapping[str, Any], newest: Mapping[str, Any]) -> int:
    if "Replicated" in mode:
        return int(mode["Replicated"].get("Replicas", 1))
    if "ReplicatedJob" in mode:
        total = mode["ReplicatedJob"].get("TotalCompletions")
        return int(total if total is not None else mode["ReplicatedJob"].get("MaxConcurrent", 1))
    return max(1, len(newest))  # one per eligible node; none before the swarm has scheduled them


def _failure(task: Mapping[str, Any]) -> str:
    status = task["Status"]
    where = f"task {task['Slot']}" if task.get("Slot") else f"task on node {task.get('NodeID', '')[:12]}"
    return f"{where} {status['State']}: {status.get('Err') or status.get('Message') or ''}"


def iter_progress(
    client: DockerClient,
    service_id: str,
    name: str,
    timeout: Duration | None,
    stable_for: Duration,
    fails_rolled_back: bool,
) -> Iterator[ServiceProgress]:
    """Yield the progress of a service whenever it changes; end when the desired state is reached and stable."""
    limit, stable_seconds = time_limit(timeout), time_limit(stable_for, "stable_for", zero=True) or 0
    deadline = None if limit is None else time.monotonic() + limit
    subject = f"service {name}"
    last: ServiceProgress | None = None
    since_complete = since_dead = None
    while True:
        progress = read_progress(client, service_id)
        now = time.monotonic()
        if progress != last:
            yield progress
            last = progress
        fails_rolled_back |= progress.update == "updating"
        if failure := _why_failed(progress, fails_rolled_back):
            raise ConvergenceFailed(failure, subject, progress, progress.failures)
        since_complete = (since_complete or now) if progress.is_complete else None
        if since_complete is not None and (progress.job or now - since_complete >= stable_seconds):
            return
        dead = not progress.is_complete and all(state in ENDED for state in progress.tasks.values())
        since_dead = (since_dead or now) if dead and progress.failures else None
        if since_dead is not None and now - since_dead >= _GIVEN_UP:
            failure = f"only {progress}, and no task is left that could change that"
            raise ConvergenceFailed(failure, subject, progress, progress.failures)
        if deadline is not None and now >= deadline:
            raise ConvergenceTimeout(f"only {progress} after {timeout:g} s", subject, progress, progress.failures)
        runtime.sleep(_POLL)


def _why_failed(progress: ServiceProgress, fails_rolled_back: bool) -> str | None:
    if progress.update in ("paused", "rollback_paused"):
        return f"update paused: {progress.message}"
    if fails_rolled_back and progress.update == "rollback_completed":
        return f"update rolled back: {progress.message}"
    return None


OnProgress = Callable[[ServiceProgress], object]
"""Callback for the progress of a service, called whenever it changes."""
