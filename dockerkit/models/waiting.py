"""Waiting for a container, fed by events and one log stream; what nobody announces is asked for now and then."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from dockerkit import errors
from dockerkit.errors import (
    ContainerExited,
    ContainerUnhealthy,
    DockerException,
    InvalidArgument,
    WaitFailed,
    WaitTimeout,
)
from dockerkit.models.condition_base import Asked, Check, Condition, Situation, condition
from dockerkit.models.conditions import Exited, File, Healthy, Http, Log, Port, Running
from dockerkit.models.events import EngineEvent, EventStream
from dockerkit.models.log_lines import LogEntry, nanoseconds
from dockerkit.models.logs import LogStream, name_of
from dockerkit.models.resource import Model
from dockerkit.models.resuming import since_text

if TYPE_CHECKING:
    from dockerkit.models.containers import Container

__all__ = ["Check", "Condition", "Exited", "File", "Healthy", "Http", "Log", "Port", "Running", "WaitModel"]

_LAST_LINES = 50
_SLOWEST = 1.0  # seconds between two questions for what nobody announces
_FIRST = 0.05
_TELLING = frozenset(
    {"start", "restart", "die", "oom", "stop", "kill", "pause", "unpause", "destroy", "remove", "health_status"}
)


class WaitModel(Model):
    """The part of a container that is waited for."""

    def wait_until(self, wanted: Condition | Callable[[Container], object], timeout: float | None = 60.0) -> Container:
        """Wait until something is so, and fail at once when it can't come any more.

        ``GET /events``, ``GET /containers/{id}/json``, ``GET /containers/{id}/logs`` where a log is waited for

        Args:
            wanted: :class:`Healthy`, :class:`Running`, :class:`Exited`, :class:`Log`, :class:`Port`, :class:`Http`,
                :class:`File`, or a function that is called with the container; combined with ``&`` and ``|``.
            timeout: seconds for all of it; None waits as long as it takes.

        Returns:
            The container, with its facts of now.

        Raises:
            WaitTimeout: it did not come in time.
            ContainerExited: the container stopped before.
            ContainerUnhealthy: it turned unhealthy, or has no health check, while its health was waited for.
            NotFound: there is no such container.

        All three carry the container's state and its last log lines.

        Example::

            container.wait_until(Healthy() & (Port(5432) | Log(r"ready to accept", count=2)), timeout=30)
        """
        if timeout is not None and not timeout > 0:
            raise InvalidArgument(f"timeout: seconds above 0 are needed, or None for no limit, not {timeout!r}")
        waiter = _Waiter(cast("Container", self), condition(wanted), timeout)
        try:
            waiter.run()
        finally:
            waiter.close()
        if not waiter.situation.gone:
            self.reload()
        return cast("Container", self)


class _Waiter:
    """One wait: a queue that two threads fill, and the thread of the caller, which looks and decides."""

    def __init__(self, container: Container, wanted: Condition, timeout: float | None) -> None:
        self.situation = Situation(container)
        self._wanted = wanted
        for part in wanted.parts():
            part.begin()
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._news: queue.SimpleQueue[EngineEvent | LogEntry | BaseException | None] = queue.SimpleQueue()
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._sources: list[EventStream | LogStream] = []
        self._threads: list[threading.Thread] = []
        self._asks = any(isinstance(part, Asked) for part in wanted.parts())
        self._reads = any(isinstance(part, Log) for part in wanted.parts())
        self._exit_code: int | None = None

    def run(self) -> None:
        """Wait.

        Raises:
            WaitFailed: as :meth:`WaitModel.wait_until` says.
        """
        container = self.situation.container
        # First the events, then the state: what happens between the two is in the events.
        self._follow(EventStream(container.client, filters={"type": "container", "container": container.id or ""}))
        self._look()
        pause, ask_at = _FIRST, 0.0
        while True:
            if self._asks and time.monotonic() >= ask_at:
                self._ask()
                pause, ask_at = min(pause * 1.5, _SLOWEST), time.monotonic() + pause
            if self._wanted.met(self.situation):
                return
            if why := self._wanted.hopeless(self.situation):
                raise self._failure(why)
            self._take(ask_at if self._asks else None)

    def close(self) -> None:
        """Close the streams and wait for the threads."""
        for source in self._sources:
            source.close()
        for thread in self._threads:
            thread.join()

    def _follow(self, source: EventStream | LogStream) -> None:
        self._sources.append(source)
        thread = threading.Thread(target=self._carry, args=(source,), name="dockerkit-wait", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _carry(self, source: EventStream | LogStream) -> None:
        try:
            for item in source:
                self._news.put(item)
            if isinstance(source, LogStream):
                self._news.put(None)
        except BaseException as error:
            self._news.put(error)

    def _take(self, ask_at: float | None) -> None:
        """Wait for news, and take in what has come."""
        moments = [moment for moment in (self._deadline, ask_at) if moment is not None]
        left = min(moments) - time.monotonic() if moments else None
        try:
            item = self._news.get(timeout=None if left is None else max(left, 0.001))
        except queue.Empty:
            if self._deadline is not None and time.monotonic() >= self._deadline:
                raise self._failure(None) from None
            return
        self._note(item)
        while not (self._news.empty() or self.situation.stopped):  # a death is judged before a restart hides it
            self._note(self._news.get())

    def _note(self, item: EngineEvent | LogEntry | BaseException | None) -> None:
        if isinstance(item, BaseException):
            raise item
        if item is None:
            self.situation.log_ended = True
        elif isinstance(item, LogEntry):
            self._lines.append(item.text)
            self._wanted.read(item)
        elif item.action in _TELLING:
            if item.action == "die":
                self._exit_code = item.exit_code
            self._look(died=item.action == "die")

    def _look(self, *, died: bool = False) -> None:
        """Ask for the state; a container that is gone by now ended as its last event said."""
        container = self.situation.container
        try:
            state: Any = container.client.api.inspect_container(container.id or "").get("State") or {}
        except errors.NotFound:
            if not self.situation.state:
                raise
            code = self._exit_code if self._exit_code is not None else self.situation.state.get("ExitCode")
            self.situation.state = {**self.situation.state, "Status": "exited", "Running": False, "ExitCode": code}
            self.situation.gone = True
            self.situation.log_ended = self.situation.log_ended or not self._reads
            return
        if died and state.get("Running"):  # its restart policy was faster than we: it died all the same
            state = {**state, "Status": "exited", "ExitCode": self._exit_code}
        self.situation.state = state
        if self._reads and len(self._sources) == 1 and state.get("Status") != "created":
            # Not what it wrote in an earlier run: of one that runs, FinishedAt is the end of the run before.
            before = state.get("FinishedAt") if state.get("Running") else None
            since = None if not before or before.startswith("0001-") else since_text(nanoseconds(before))
            identity, name = container.id or "", name_of(container)
            self._follow(LogStream(container.client, identity, name, follow=True, since=since, restarts=False))

    def _ask(self) -> None:
        try:
            self._wanted.ask(self.situation)
        except errors.APIError:
            # It may have died between the event and the question: then the state says so, else this is an error.
            self._look()
            if not self.situation.stopped and self.situation.state.get("Status") == "running":
                raise

    def _failure(self, why: str | None) -> WaitFailed:
        kind: type[WaitFailed] = ContainerExited if self.situation.stopped else ContainerUnhealthy
        if why is None:
            kind, why = WaitTimeout, f"not so within {self._timeout:g} s"
        pending = [repr(part) for part in self._wanted.parts() if not part.met(self.situation)]
        return kind(why, name_of(self.situation.container), self.situation.state, self._last_lines(), pending)

    def _last_lines(self) -> list[str]:
        if self._reads:
            return list(self._lines)
        try:
            with self.situation.container.log_entries(tail=_LAST_LINES) as entries:
                return [entry.text for entry in entries]
        except DockerException:  # a log driver that can't be read, or no container any more
            return []
