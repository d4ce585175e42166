"""Hooks before and after each request of a client, with a log and OpenTelemetry traces.

::

    client = DockerClient(hooks=[hooks.Log()])
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dockerkit._lazy import lazy_names
from dockerkit.errors import InvalidArgument, MissingExtra

if TYPE_CHECKING:
    import logging

    from opentelemetry.trace import TracerProvider

    from dockerkit.endpoint.discovery import Endpoint

__all__ = ["Hook", "Log", "OpenTelemetry", "RequestEvent"]


class RequestEvent:
    """One request, from before it is sent until the end of its response.

    Attributes:
        method: HTTP method.
        path: path as sent, with the version and without the query, which may contain secrets.
        route: path template of the Engine API, ``/containers/{id}/start``; the same as ``path`` if unknown.
        endpoint: endpoint of the engine.
        sent: bytes of the body; None if the length was not known in advance.
        status: HTTP status; None without a response.
        received: bytes of the response's body so far.
        error: exception raised instead of a response.
        answered: seconds until the head of the response arrived.
        duration: seconds until the end of the response; for streams, until they are closed.
        notes: data that hooks pass from ``before`` to ``after``.
    """

    # Not a dataclass: importing dataclasses costs a tenth of importing a whole client.
    def __init__(self, method: str, path: str, route: str, endpoint: Endpoint, sent: int | None = None) -> None:
        self.method = method
        self.path = path
        self.route = route
        self.endpoint = endpoint
        self.sent = sent
        self.status: int | None = None
        self.received = 0
        self.error: BaseException | None = None
        self.answered: float | None = None
        self.duration: float | None = None
        self.notes: dict[object, Any] = {}
        self._started = time.monotonic()

    def __repr__(self) -> str:
        return f"<RequestEvent {self.method} {self.path} {self.status or self.error or ''}>"

    def elapsed(self) -> float:
        """Return the seconds since the start of the request."""
        return time.monotonic() - self._started


class Hook:
    """Base class of hooks; pass instances to a client as ``hooks=[...]``.

    Hooks are called in the thread of the request, ``after`` in the thread that reads the end of the response. An
    exception in ``before`` stops the request; an exception in ``after`` is logged and ignored.
    """

    def before(self, call: RequestEvent) -> None:
        """Run before a request is sent."""

    def after(self, call: RequestEvent) -> None:
        """Run when the response was read, its stream was closed, or the request failed."""


def check_hooks(hooks: Iterable[Hook]) -> list[Hook]:
    """Return the hooks of a client; refuse other objects, which would fail each request.

    Raises:
        InvalidArgument: one of them has no ``before`` and ``after``, or is a class.
    """
    if isinstance(hooks, Iterable):
        instances = list(hooks)
        invalid = [hook for hook in instances if isinstance(hook, type) or not _is_hook(hook)]
        if not invalid:
            return instances
        hooks = invalid
    raise InvalidArgument(f"hooks: must be a list of Hook instances with before() and after(), got {hooks!r}")


def _is_hook(candidate: object) -> bool:
    return callable(getattr(candidate, "before", None)) and callable(getattr(candidate, "after", None))


class Log(Hook):
    """Logs one line per request: method, path, status, time, size. Headers, queries and bodies are not logged.

    Args:
        logger: logger to use; None is the logger named ``dockerkit``.
        level: level of successful requests; failed ones are warnings.
    """

    def __init__(self, logger: logging.Logger | None = None, level: int = 10) -> None:
        import logging

        self.logger: logging.Logger = logger or logging.getLogger("dockerkit")
        self.level = level

    def after(self, call: RequestEvent) -> None:
        """Log the request."""
        import logging

        failed = call.error is not None or (call.status or 0) >= 400
        self.logger.log(
            max(self.level, logging.WARNING) if failed else self.level,
            "%s %s: %s after %.1f ms, %d bytes",
            call.method,
            call.path,
            call.status if call.error is None else type(call.error).__name__,
            (call.duration or 0) * 1000,
            call.received,
        )


class OpenTelemetry(Hook):
    """Creates a client span for each request, following the HTTP conventions (extra ``dockerkit[otel]``).

    Args:
        tracer_provider: provider to use; None is the global one.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        if tracer_provider is not None and not hasattr(tracer_provider, "get_tracer"):
            raise InvalidArgument(f"tracer_provider: must be a TracerProvider, got {tracer_provider!r}")
        try:
            from opentelemetry import trace
        except ImportError as error:
            raise MissingExtra("traces require OpenTelemetry: pip install 'dockerkit[otel]'") from error
        self._trace = trace
        self._tracer = trace.get_tracer("dockerkit", tracer_provider=tracer_provider)

    def before(self, call: RequestEvent) -> None:
        """Start the span, as a child of the current one."""
        attributes: dict[str, str | int] = {
            "http.request.method": call.method,
            "http.route": call.route,
            "url.path": call.path,
            "network.transport": "tcp" if call.endpoint.scheme in ("tcp", "ssh") else "unix",
            "server.address": call.endpoint.hostname if call.endpoint.scheme in ("tcp", "ssh") else call.endpoint.path,
        }
        if call.endpoint.port is not None:
            attributes["server.port"] = call.endpoint.port
        kind = self._trace.SpanKind.CLIENT
        call.notes[self] = self._tracer.start_span(f"{call.method} {call.route}", kind=kind, attributes=attributes)

    def after(self, call: RequestEvent) -> None:
        """End the span, with the status or the error."""
        span = call.notes.pop(self)
        if call.status is not None:
            span.set_attribute("http.response.status_code", call.status)
            span.set_attribute("http.response.body.size", call.received)
        if call.error is not None:
            span.set_attribute("error.type", type(call.error).__qualname__)
            span.record_exception(call.error)
        if call.error is not None or (call.status or 0) >= 400:
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()


class _Response(Protocol):
    status: int
    received: int

    def when_done(self, then: Callable[[], None], /) -> None: ...


_R = TypeVar("_R", bound=_Response)


def send_with_hooks(hooks: Sequence[Hook], call: RequestEvent, send: Callable[[], _R]) -> _R:
    """Send a request with hooks around it."""
    started = []
    try:
        for hook in hooks:
            hook.before(call)
            started.append(hook)
        response = send()
    except BaseException as error:
        call.error = error
        _after(started, call)
        raise
    call.status, call.answered = response.status, call.elapsed()

    def done() -> None:
        call.received = response.received
        _after(started, call)

    response.when_done(done)
    return response


def _after(hooks: Sequence[Hook], call: RequestEvent) -> None:
    call.duration = call.elapsed()
    for hook in reversed(hooks):
        try:
            hook.after(call)
        except Exception:
            import logging

            logging.getLogger("dockerkit").exception("a hook failed after %s %s", call.method, call.path)


if TYPE_CHECKING:
    Call = RequestEvent
else:
    __getattr__, __dir__ = lazy_names(__name__, renamed={"Call": "RequestEvent"})
