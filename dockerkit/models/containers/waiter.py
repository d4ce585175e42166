"""Wait for a container, fed by events and one log stream; conditions that no event reports are polled."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from dockerkit import errors, runtime
from dockerkit.errors import ContainerExited, ContainerUnhealthy, DockerException, WaitFailed, WaitTimeout
from dockerkit.models.containers.conditions import Condition, ContainerSnapshot, Log, PolledCondition
from dockerkit.models.containers.log_lines import LogEntry
from dockerkit.models.containers.logs import LogStream
from dockerkit.models.events import EngineEvent, EventStream
from dockerkit.models.resuming import since_text
from dockerkit.models.streaming import carry, join_all
from dockerkit.parsing.times import parse_nanoseconds
from dockerkit.transport.scope import Scope, run_outside

if TYPE_CHECKING:
    from dockerkit.models.containers import Container

__all__ = ["Waiter"]

_LAST_LINES = 50
_LINE = 4096  # maximum characters kept per line
_QUEUE = 100
_FOR_LINES = 1.0  # seconds
_SLOWEST = 1.0  # maximum seconds between polls
_FIRST = 0.05
_TELLING = frozenset(
    {"start", "restart", "die", "oom", "stop", "kill", "pause", "unpause", "destroy", "remove", "health_status"}
)


class Waiter:
    """One wait: a queue filled by two threads, and the caller's thread, which evaluates the condition."""

    def __init__(self, container: Container, condition: Condition, timeout: float | None) -> None:
        self.situation: ContainerSnapshot = ContainerSnapshot(container)
        self._condition = condition
        for part in condition.parts():
            part.reset()
        self._timeout = timeout
        self.scope: Scope = Scope(timeout)
        self._news: queue.Queue[EngineEvent | LogEntry | BaseException | str | None] = runtime.Queue(_QUEUE)
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._sources: list[EventStream | LogStream] = []
        self._threads: list[threading.Thread] = []
        self._asks = any(isinstance(part, PolledCondition) for part in condition.parts())
        self._reads = any(isinstance(part, Log) for part in condition.parts())
        self._exit_code: int | None = None

    def run(self) -> None:
        """Wait until the condition is met, or raise the error of :meth:`ContainerWaiting.wait_until`."""
        container = self.situation.container
        # Open the events before reading the state, so that changes in between are not missed.
        self._follow(EventStream(container.client, filters={"type": "container", "container": container.id or ""}))
        self._look()
        pause, ask_at = _FIRST, 0.0
        while True:
            if self._asks and time.monotonic() >= ask_at:
                self._ask()
                pause, ask_at = min(pause * 1.5, _SLOWEST), time.monotonic() + pause
            if self._condition.met(self.situation):
                return
            if why := self._condition.impossible_reason(self.situation):
                raise self._failure(why)
            self._take(ask_at if self._asks else None)

    def close(self) -> None:
        """Close all streams, and wait at most a second for the threads."""
        self.scope.cancel()
        for source in self._sources:
            source.close()
        join_all(self._threads)

    def _follow(self, source: EventStream | LogStream) -> None:
        self._sources.append(source)
        end = None if isinstance(source, LogStream) else "no more events"
        arguments = (source, self._news, lambda: self.scope.cancelled, end)
        self._threads.append(runtime.Thread(carry, arguments, name="dockerkit-wait"))
        self._threads[-1].start()

    def _take(self, ask_at: float | None) -> None:
        """Wait for the next event or line, and process all that have arrived."""
        moments = [moment for moment in (self.scope.deadline, ask_at) if moment is not None]
        left = min(moments) - time.monotonic() if moments else None
        try:
            item = self._news.get(timeout=None if left is None else max(left, 0.001))
        except queue.Empty:
            if self.scope.expired:
                raise TimeoutError from None
            return
        self._note(item)
        while not (self._news.empty() or self.situation.stopped):  # evaluate a death before a restart hides it
            self._note(self._news.get())

    def _note(self, item: EngineEvent | LogEntry | BaseException | str | None) -> None:
        if isinstance(item, BaseException):
            raise item
        if item is None:
            self.situation.log_ended = True
        elif isinstance(item, LogEntry):
            self._lines.append(item.text[-_LINE:])
            self._condition.on_log_line(item)
        elif isinstance(item, EngineEvent) and item.action in _TELLING:
            if item.action == "die":
                self._exit_code = item.exit_code
            self._look(died=item.action == "die")

    def _look(self, *, died: bool = False) -> None:
        """Fetch the state; for a removed container, derive it from its last event."""
        container = self.situation.container
        try:
            state: Any = container.client.api.inspect_container(container).get("State") or {}
        except errors.APIError as error:
            if not (error.is_gone() and self.situation.state):
                raise
            code = self._exit_code if self._exit_code is not None else self.situation.state.get("ExitCode")
            self.situation.state = {**self.situation.state, "Status": "exited", "Running": False, "ExitCode": code}
            self.situation.gone = True
            self.situation.log_ended = self.situation.log_ended or not self._reads
            return
        if died and state.get("Running"):  # restarted by its restart policy, but it did die
            state = {**state, "Status": "exited", "ExitCode": self._exit_code}
        self.situation.state = state
        if self._reads and len(self._sources) == 1 and state.get("Status") != "created":
            # Skip output of earlier runs: FinishedAt of a running container is the end of its previous run.
            before = state.get("FinishedAt") if state.get("Running") else None
            since = None if not before or before.startswith("0001-") else since_text(parse_nanoseconds(before.encode()))
            identity, name = container.id or "", container.display_name
            try:
                log = LogStream(container.client, identity, name, follow=True, since=since, restarts=False)
            except errors.APIError as error:
                if not error.is_gone():
                    raise
                self.situation.log_ended = True
            else:
                self._follow(log)

    def _ask(self) -> None:
        try:
            self._condition.poll(self.situation)
        except errors.APIError:
            # If the container died between the event and the request, the state shows it; otherwise this is an error.
            self._look()
            if not self.situation.stopped and self.situation.state.get("Status") == "running":
                raise

    def timed_out(self) -> WaitFailed:
        """Return the error for the timeout; allows one more second for the last log lines."""
        return run_outside(lambda: Scope(_FOR_LINES).run(self._failure, None))

    def _failure(self, why: str | None) -> WaitFailed:
        kind: type[WaitFailed] = ContainerExited if self.situation.stopped else ContainerUnhealthy
        if why is None:
            kind, why = WaitTimeout, f"condition not met within {self._timeout:g} s"
        pending = [repr(part) for part in self._condition.parts() if not part.met(self.situation)]
        return kind(why, self.situation.container.display_name, self.situation.state, self._last_lines(), pending)

    def _last_lines(self) -> list[str]:
        if self._reads:
            return list(self._lines)
        try:
            with self.situation.container.log_entries(tail=_LAST_LINES) as entries:
                return [entry.text for entry in entries]
        except DockerException:  # the log driver can't be read, or the container is removed
            return []
