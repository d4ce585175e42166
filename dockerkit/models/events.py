"""Engine events as typed objects: an iterator that survives restarts, or a listener with handlers."""

from __future__ import annotations

import contextlib
import queue
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from dockerkit import runtime
from dockerkit.errors import DockerException
from dockerkit.models.resuming import OVERLAP, Follower, engine_clock, since_text
from dockerkit.models.streaming import OwnedStream, join_all
from dockerkit.parsing.times import as_datetime
from dockerkit.parsing.values import time_limit
from dockerkit.streams.closable import ClosableIterator, SelfClosing

if TYPE_CHECKING:
    import logging

    from dockerkit.api.container_streams import TimeLike
    from dockerkit.client import DockerClient
    from dockerkit.parsing.values import Duration
    from dockerkit.streams import JSONStream
    from dockerkit.types.filters import EventFilters

__all__ = ["EngineEvent", "EventListener", "EventStream", "Subscription"]

Handler = Callable[["EngineEvent"], object]

_QUEUE = 10_000
_END = object()


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """An event of the engine.

    Attributes:
        type: "container", "image", "network", "volume", "service", "daemon"…
        action: "start", "die", "health_status", "pull"…, without the part after a colon.
        detail: the part after the colon: "healthy", or the command of an exec.
        id: ID of the object (name, for images and volumes).
        name: name of the object, if reported.
        attributes: details from the engine: labels, image, exitCode, signal…
        scope: "local" or "swarm".
        timestamp: time in UTC, with microseconds; :attr:`nanoseconds` has the full precision.
        nanoseconds: time in nanoseconds since 1970.
        raw: record returned by the engine.
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
        """Exit code of "die" and "exec_die" events."""
        code = self.attributes.get("exitCode")
        return int(code) if code is not None and code.lstrip("-").isdigit() else None

    @classmethod
    def from_engine(cls, record: Mapping[str, Any]) -> EngineEvent:
        """Parse the engine's record. Fields that podman and old engines omit are empty."""
        actor = record.get("Actor") or {}
        attributes = {str(name): str(value) for name, value in (actor.get("Attributes") or {}).items()}
        action, _, detail = str(record.get("Action") or record.get("status") or "").partition(":")
        nanoseconds = int(record.get("timeNano") or int(record.get("time") or 0) * 1_000_000_000)
        return cls(
            type=str(record.get("Type") or "container"),
            action=action.strip(),
            detail=detail.strip(),
            id=str(actor.get("ID") or record.get("id") or ""),
            name=attributes.get("name", ""),
            attributes=attributes,
            scope=str(record.get("scope") or "local"),
            timestamp=as_datetime(nanoseconds),
            nanoseconds=nanoseconds,
            raw=record,
        )


class EventStream(OwnedStream[EngineEvent]):
    """Events as an iterator and context manager. :meth:`close` may be called from any thread.

    If the connection is lost or the engine restarts, it waits until the engine is back, requests the events since the
    last one, and skips those already received. (An engine loses its events when it stops.)
    """

    def __init__(
        self,
        client: DockerClient,
        *,
        since: TimeLike = None,
        until: TimeLike = None,
        filters: EventFilters | None = None,
        reconnect: Duration | None = 60.0,
    ) -> None:
        request = partial(client.api.events, until=until, filters=filters, decode=True)
        super().__init__(_Events(request, since, until, reconnect), about=f"{client!r}")


class _Events(Follower["JSONStream[Any]"]):
    def __init__(
        self, request: Callable[..., JSONStream[Any]], since: TimeLike, until: TimeLike, reconnect: Duration | None
    ) -> None:
        super().__init__(reconnect)
        self._request, self._until = request, until
        self.source = self.open(partial(request, since=since))
        # Before the first event, request from the start again, minus the overlap.
        self._first: TimeLike = since
        if since is None:
            self._first = since_text(engine_clock(self.source.headers) - OVERLAP)

    def items(self) -> Iterator[EngineEvent]:
        try:
            while True:
                cut = False
                try:
                    for record in self.source:
                        event = EngineEvent.from_engine(record)
                        if self._is_new(event):
                            yield event
                except DockerException as error:
                    if not self.closed and (self._reconnect is None or not error.is_disconnect()):
                        raise
                    cut = True
                if self.closed or self._reconnect is None or (not cut and self._until is not None):
                    return
                if not self.reopen(partial(self._request, since=self._overlap.since(self._first)), self._reconnect):
                    return
        finally:
            self.close()

    def _is_new(self, event: EngineEvent) -> bool:
        key = (event.nanoseconds, event.type, event.action, event.detail, event.id)
        if self._overlap.was_seen(key):
            return False
        self._overlap.note(event.nanoseconds, key)
        return True


class Subscription(ClosableIterator[EngineEvent]):
    """Events for one consumer, as an iterator and context manager: all since its creation, in order.

    Attributes:
        lost: number of events dropped because more than 10,000 were waiting for this consumer.
    """

    def __init__(self, listener: EventListener, matches: Callable[[EngineEvent], bool]) -> None:
        self.lost: int = 0
        self._listener = listener
        self._matches = matches
        self._queue: queue.Queue[object] = runtime.Queue(_QUEUE)
        self._ended = False

    def __next__(self) -> EngineEvent:
        event = self.get()
        if event is None:
            raise StopIteration
        return event

    def get(self, timeout: Duration | None = None) -> EngineEvent | None:
        """Return the next event; None at the end.

        Args:
            timeout: maximum seconds to wait; None for no limit.

        Raises:
            TimeoutError: no event arrived in time.
            DockerException: the error that ended the listener, if any.
        """
        if self._ended:
            return None
        limit = time_limit(timeout, zero=True)
        try:
            item = self._queue.get(timeout=limit)
        except queue.Empty:
            raise TimeoutError(f"no event within {limit:g} s") from None
        if isinstance(item, EngineEvent):
            return item
        self._ended = True
        if isinstance(item, BaseException):
            raise item
        return None

    def close(self) -> None:
        """Stop receiving, and end the iteration."""
        with contextlib.suppress(ValueError):
            self._listener._hub.subscriptions.remove(weakref.ref(self))
        self._end(None)

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


class EventListener(SelfClosing):
    """Reads an engine's events once, in a separate thread, for any number of handlers and subscriptions.

    As a context manager, it stops the thread at the end of the block. Errors in handlers are logged and do not stop it.

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
        since: TimeLike = None,
        filters: EventFilters | None = None,
        reconnect: Duration | None = 60.0,
    ) -> None:
        self._hub = _Hub(EventStream(client, since=since, filters=filters, reconnect=reconnect))
        self._thread = runtime.Thread(self._hub.run, name="dockerkit-events")
        self._thread.start()
        self._stop = weakref.finalize(self, self._hub.stream.close)

    def on(
        self, type: str | Iterable[str] | None = None, action: str | Iterable[str] | None = None
    ) -> Callable[[Handler], Handler]:
        """Register a handler; use it as a decorator. Handlers run in the listener's thread, so they must not block.

        A listener with handlers runs until it is closed, even if nothing refers to it.

        Args:
            type: event type or types, such as "container"; None for all.
            action: action or actions, such as "die"; None for all. "health_status: healthy" also matches the detail.
        """

        def register(handler: Handler) -> Handler:
            self._hub.handlers.append((_matcher(type, action), handler))
            self._hub.listener = self
            return handler

        return register

    def off(self, handler: Handler) -> None:
        """Remove a handler."""
        for pair in [pair for pair in self._hub.handlers if pair[1] is handler]:
            self._hub.handlers.remove(pair)
        self._hub.listener = self if self._hub.handlers else None

    def subscribe(
        self, type: str | Iterable[str] | None = None, action: str | Iterable[str] | None = None
    ) -> Subscription:
        """Return events from now on, for one consumer at its own pace.

        Args:
            type, action: as for :meth:`on`.
        """
        subscription = Subscription(self, _matcher(type, action))
        self._hub.subscriptions.append(weakref.ref(subscription))
        if self._hub.over:
            subscription._end(self._hub.error)
        return subscription

    @property
    def error(self) -> BaseException | None:
        """Error that ended the listener; None if there was none."""
        return self._hub.error

    def close(self) -> None:
        """Stop, and wait at most a second for the thread. Subscriptions end."""
        self._stop()
        join_all([self._thread])


class _Hub:
    """State of a listener's thread. It refers to the listener only while that has handlers."""

    def __init__(self, stream: EventStream) -> None:
        self.stream = stream
        self.listener: EventListener | None = None
        self.handlers: list[tuple[Callable[[EngineEvent], bool], Handler]] = []
        self.subscriptions: list[weakref.ref[Subscription]] = []
        self.error: BaseException | None = None
        self.over = False

    def run(self) -> None:
        try:
            for event in self.stream:
                self._deliver(event)
        except BaseException as error:
            self.error = error
            _log().warning("the listener ended: %s", error)
        finally:
            self.over, self.listener = True, None
            for reference in list(self.subscriptions):
                if (subscription := reference()) is not None:
                    subscription._end(self.error)

    def _deliver(self, event: EngineEvent) -> None:
        # A function of its own: between two events, the thread must not refer to a subscription, or it is never dropped.
        for reference in list(self.subscriptions):
            if (subscription := reference()) is not None:
                subscription._offer(event)
            else:
                self.subscriptions.remove(reference)
        for matches, handler in list(self.handlers):
            if matches(event):
                try:
                    handler(event)
                except Exception:
                    _log().exception("handler %r failed for %s %s", handler, event.type, event.action)


def _matcher(type: str | Iterable[str] | None, action: str | Iterable[str] | None) -> Callable[[EngineEvent], bool]:
    types = None if type is None else {type} if isinstance(type, str) else set(type)
    actions = None if action is None else {action} if isinstance(action, str) else set(action)

    def matches(event: EngineEvent) -> bool:
        if types is not None and event.type not in types:
            return False
        return actions is None or event.action in actions or f"{event.action}: {event.detail}" in actions

    return matches


def _log() -> logging.Logger:
    import logging

    return logging.getLogger(__name__)
