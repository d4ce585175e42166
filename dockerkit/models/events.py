"""What happens at an engine, as typed events: one iterator that survives restarts, or a listener with handlers."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dockerkit.models.resuming import Overlap, broken, reopen

if TYPE_CHECKING:
    from dockerkit.api.container_streams import Moment
    from dockerkit.api.encode import Filters
    from dockerkit.client import DockerClient
    from dockerkit.streams import JSONStream

__all__ = ["EngineEvent", "EventListener", "EventStream", "Subscription"]

Handler = Callable[["EngineEvent"], object]

_QUEUE = 10_000
_END = object()

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One thing that happened.

    Attributes:
        type: "container", "image", "network", "volume", "service", "daemon"…
        action: "start", "die", "health_status", "pull"…, without what some actions carry after a colon.
        detail: what follows the colon: "healthy", or the command of an exec.
        id: id (or name, for images and volumes) of what it happened to.
        name: its name, where the engine says it.
        attributes: the engine's details: labels, image, exitCode, signal…
        scope: "local" or "swarm".
        timestamp: when, in UTC; microseconds. :attr:`nanoseconds` has all.
        nanoseconds: the same since 1970.
        raw: the engine's record.
    """

    type: str
    action: str
    detail: str
    id: str
    name: str
    attributes: Mapping[str, str]
    scope: str
    timestamp: datetime
    nanoseconds: int
    raw: Mapping[str, Any] = field(repr=False, compare=False, hash=False)

    @property
    def exit_code(self) -> int | None:
        """The exit code that "die" and "exec_die" tell."""
        code = self.attributes.get("exitCode")
        return int(code) if code is not None and code.lstrip("-").isdigit() else None

    @classmethod
    def from_engine(cls, record: Mapping[str, Any]) -> EngineEvent:
        """Read the engine's record; what is missing (podman, old engines) is empty."""
        actor = record.get("Actor") or {}
        attributes = {str(name): str(value) for name, value in (actor.get("Attributes") or {}).items()}
        action, _, detail = str(record.get("Action") or record.get("status") or "").partition(":")
        nanoseconds = int(record.get("timeNano") or int(record.get("time") or 0) * 1_000_000_000)
        seconds, rest = divmod(nanoseconds, 1_000_000_000)
        return cls(
            type=str(record.get("Type") or "container"),
            action=action.strip(),
            detail=detail.strip(),
            id=str(actor.get("ID") or record.get("id") or ""),
            name=attributes.get("name", ""),
            attributes=attributes,
            scope=str(record.get("scope") or "local"),
            timestamp=datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000),
            nanoseconds=nanoseconds,
            raw=record,
        )


class EventStream:
    """Events as an iterator and context manager; :meth:`close` may be called from any thread.

    When the connection is cut or the engine restarts, it waits until the engine is back, asks for what happened since
    the last event, and passes over what it gave already. (An engine forgets its events when it stops.)
    """

    def __init__(
        self,
        client: DockerClient,
        *,
        since: Moment = None,
        until: Moment = None,
        filters: Filters | None = None,
        reconnect: float | None = 60.0,
    ) -> None:
        self._client = client
        self._until, self._filters, self._reconnect = until, filters, reconnect
        self._closed = threading.Event()
        self._overlap = Overlap()
        self._since: Moment = since
        self._source: JSONStream[Any] = self._open(since)
        # Until the first event, the engine's own clock is not known: ask again from where ours was, less the overlap.
        self._began = time.time_ns()
        self._events = self._read()

    def __iter__(self) -> Iterator[EngineEvent]:
        return self

    def __next__(self) -> EngineEvent:
        return next(self._events)

    def close(self) -> None:
        """Stop; whoever iterates sees the end."""
        self._closed.set()
        self._source.close()

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, since: Moment) -> JSONStream[Any]:
        return self._client.api.events(since=since, until=self._until, filters=self._filters, decode=True)

    def _read(self) -> Iterator[EngineEvent]:
        try:
            while True:
                cut: Exception | None = None
                try:
                    for record in self._source:
                        event = EngineEvent.from_engine(record)
                        if self._is_new(event):
                            yield event
                except broken() as error:
                    cut = error
                if self._closed.is_set() or (cut is None and self._until is not None):
                    return
                if self._reconnect is None:
                    if cut is not None:
                        raise cut
                    return
                if not self._resume(self._reconnect):
                    return
        finally:
            self.close()

    def _is_new(self, event: EngineEvent) -> bool:
        key = (event.nanoseconds, event.type, event.action, event.detail, event.id)
        if self._overlap.was_seen(key):
            return False
        self._overlap.note(event.nanoseconds, key)
        return True

    def _resume(self, seconds: float) -> bool:
        """Ask anew for what happened since; False if this was closed."""
        since = self._overlap.since(self._began)
        if self._overlap.latest is None and self._since is not None:
            source = reopen(lambda: self._open(self._since), self._closed, seconds)
        else:
            source = reopen(lambda: self._open(since), self._closed, seconds)
        if source is None:
            return False
        self._source = source
        if self._closed.is_set():  # between the question and now
            source.close()
        self._overlap.rewind()
        return True


class Subscription:
    """One consumer's events, as an iterator and context manager: all from its start on, in order.

    Attributes:
        lost: how many events were dropped because this consumer was too slow for 10 000 of them to wait.
    """

    def __init__(self, listener: EventListener, matches: Callable[[EngineEvent], bool]) -> None:
        self.lost: int = 0
        self._listener = listener
        self._matches = matches
        self._queue: queue.Queue[object] = queue.Queue(_QUEUE)
        self._ended = False

    def __iter__(self) -> Iterator[EngineEvent]:
        return self

    def __next__(self) -> EngineEvent:
        event = self.get()
        if event is None:
            raise StopIteration
        return event

    def get(self, timeout: float | None = None) -> EngineEvent | None:
        """The next event; None when there will be no more.

        Args:
            timeout: seconds; None waits as long as it takes.

        Raises:
            TimeoutError: none came in time.
            DockerException: what ended the listener, if it was an error.
        """
        if self._ended:
            return None
        try:
            item = self._queue.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"no event within {timeout:g} s") from None
        if isinstance(item, EngineEvent):
            return item
        self._ended = True
        if isinstance(item, BaseException):
            raise item
        return None

    def close(self) -> None:
        """Take no more; whoever iterates sees the end."""
        self._listener._forget(self)
        self._end(None)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _offer(self, event: EngineEvent) -> None:
        if self._matches(event):
            try:
                self._queue.put_nowait(event)
            except queue.Full:
                self.lost += 1

    def _end(self, error: BaseException | None) -> None:
        while True:
            try:
                self._queue.put_nowait(_END if error is None else error)
            except queue.Full:
                self._queue.get_nowait()
                self.lost += 1
            else:
                return


class EventListener:
    """Reads an engine's events in a thread of its own, once for any number of handlers and subscriptions.

    A context manager: at the end of the block the thread has ended. An error in a handler is logged, and ends nothing.

    Example::

        with client.system.listen() as listener:
            @listener.on("container", "die")
            def died(event): print(event.name, event.exit_code)
            with listener.subscribe("image") as images:
                for event in images: ...
    """

    def __init__(
        self,
        client: DockerClient,
        *,
        since: Moment = None,
        filters: Filters | None = None,
        reconnect: float | None = 60.0,
    ) -> None:
        self._stream = EventStream(client, since=since, filters=filters, reconnect=reconnect)
        self._lock = threading.Lock()
        self._handlers: list[tuple[Callable[[EngineEvent], bool], Handler]] = []
        self._subscriptions: list[Subscription] = []
        self._error: BaseException | None = None
        self._over = False
        self._thread = threading.Thread(target=self._run, name="dockerkit-events", daemon=True)
        self._thread.start()

    def on(
        self, type: str | Iterable[str] | None = None, action: str | Iterable[str] | None = None
    ) -> Callable[[Handler], Handler]:
        """Make a function a handler, as a decorator. It is called in the listener's thread, so it must not wait long.

        Args:
            type: "container"…, or several; None for all.
            action: "die"…, or several; None for all. "health_status: healthy" also asks for the detail.
        """

        def register(handler: Handler) -> Handler:
            with self._lock:
                self._handlers.append((_matcher(type, action), handler))
            return handler

        return register

    def off(self, handler: Handler) -> None:
        """Take a handler away again."""
        with self._lock:
            self._handlers = [pair for pair in self._handlers if pair[1] is not handler]

    def subscribe(
        self, type: str | Iterable[str] | None = None, action: str | Iterable[str] | None = None
    ) -> Subscription:
        """Events from now on, for one consumer with a pace of its own.

        Args:
            type, action: as for :meth:`on`.
        """
        subscription = Subscription(self, _matcher(type, action))
        with self._lock:
            if self._over:
                subscription._end(self._error)
            else:
                self._subscriptions.append(subscription)
        return subscription

    @property
    def error(self) -> BaseException | None:
        """What ended it, if it was an error."""
        return self._error

    def close(self) -> None:
        """Stop, and wait until the thread has ended. Subscriptions see the end."""
        self._stream.close()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> EventListener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _forget(self, subscription: Subscription) -> None:
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def _run(self) -> None:
        try:
            for event in self._stream:
                with self._lock:
                    handlers, subscriptions = list(self._handlers), list(self._subscriptions)
                for subscription in subscriptions:
                    subscription._offer(event)
                for matches, handler in handlers:
                    if matches(event):
                        self._call(handler, event)
        except BaseException as error:
            self._error = error
            log.warning("the listener ended: %s", error)
        finally:
            with self._lock:
                self._over = True
                left, self._subscriptions = self._subscriptions, []
            for subscription in left:
                subscription._end(self._error)

    def _call(self, handler: Handler, event: EngineEvent) -> None:
        try:
            handler(event)
        except Exception:
            log.exception("handler %r failed for %s %s", handler, event.type, event.action)


def _matcher(type: str | Iterable[str] | None, action: str | Iterable[str] | None) -> Callable[[EngineEvent], bool]:
    types = None if type is None else {type} if isinstance(type, str) else set(type)
    actions = None if action is None else {action} if isinstance(action, str) else set(action)

    def matches(event: EngineEvent) -> bool:
        if types is not None and event.type not in types:
            return False
        return actions is None or event.action in actions or f"{event.action}: {event.detail}" in actions

    return matches
