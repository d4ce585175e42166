"""Watching the requests of a client: hooks before and after each, a log, traces for OpenTelemetry.

::

    client = DockerClient(hooks=[hooks.Log()])
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dockerkit.errors import InvalidArgument

if TYPE_CHECKING:
    import logging

    from opentelemetry.trace import TracerProvider

    from dockerkit.config import Endpoint

__all__ = ["Call", "Hook", "Log", "OpenTelemetry"]


class Call:
    """One request, from before it is sent until the end of its answer.

    Attributes:
        method: the verb.
        path: the path as sent, with the version and without the query, which may hold secrets.
        route: the path as in the Engine's API, ``/containers/{id}/start``; the same as ``path`` where it is not known.
        endpoint: the engine.
        sent: bytes of the body; None where the length was not known before.
        status: the HTTP status; None before the answer, and where none came.
        received: bytes of the answer's body so far.
        error: what was raised instead of an answer.
        answered: seconds until the head of the answer came.
        duration: seconds until the end of the answer, which for streams is when they are closed.
        notes: for hooks to keep things from before to after.
    """

    # No dataclass: importing dataclasses costs a tenth of what a whole client costs.
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
        self._began = time.monotonic()

    def __repr__(self) -> str:
        return f"<Call {self.method} {self.path} {self.status or self.error or ''}>"

    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began


class Hook:
    """Something that watches requests; give instances to a client as ``hooks=[...]``.

    Hooks are called in the thread of the request, ``after`` in the thread that reads the end of the answer. What
    ``before`` raises stops the request; what ``after`` raises is logged and goes no further.
    """

    def before(self, call: Call) -> None:
        """A request is about to be sent."""

    def after(self, call: Call) -> None:
        """The end of the answer was read, the stream was closed, or no answer came."""


def checked(hooks: Iterable[Hook]) -> list[Hook]:
    """The hooks of a client. What is none is refused here: later it would fail each request.

    Raises:
        InvalidArgument: one of them has no ``before`` and ``after``, or is a class.
    """
    if isinstance(hooks, Iterable):
        found = list(hooks)
        wrong = [hook for hook in found if isinstance(hook, type) or not _is_hook(hook)]
        if not wrong:
            return found
        hooks = wrong
    raise InvalidArgument(f"hooks: a list of Hook instances is needed, each with before() and after(), not {hooks!r}")


def _is_hook(candidate: object) -> bool:
    return callable(getattr(candidate, "before", None)) and callable(getattr(candidate, "after", None))


class Log(Hook):
    """Writes one line for each request: verb, path, status, time, size. No headers, queries or bodies: no secrets.

    Args:
        logger: where to; the logger named ``dockerkit`` when None.
        level: of requests that worked; those that failed are warnings.
    """

    def __init__(self, logger: logging.Logger | None = None, level: int = 10) -> None:
        import logging

        self.logger: logging.Logger = logger or logging.getLogger("dockerkit")
        self.level = level

    def after(self, call: Call) -> None:
        """Write the line."""
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
    """Makes a client span for each request, by the conventions for HTTP (extra ``dockerkit[otel]``).

    Args:
        tracer_provider: where spans go; the global one when None.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        try:
            from opentelemetry import trace
        except ImportError as error:
            raise ImportError("traces need OpenTelemetry: pip install dockerkit[otel]") from error
        self._trace = trace
        self._tracer = trace.get_tracer("dockerkit", tracer_provider=tracer_provider)

    def before(self, call: Call) -> None:
        """Begin the span, as a child of the one that is current."""
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

    def after(self, call: Call) -> None:
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


class _Answer(Protocol):
    status: int
    received: int

    def when_done(self, then: Callable[[], None], /) -> None: ...


_A = TypeVar("_A", bound=_Answer)


def watched(hooks: Sequence[Hook], call: Call, send: Callable[[], _A]) -> _A:
    """Send a request with hooks around it."""
    started = []
    try:
        for hook in hooks:
            hook.before(call)
            started.append(hook)
        answer = send()
    except BaseException as error:
        call.error = error
        _after(started, call)
        raise
    call.status, call.answered = answer.status, call.elapsed()

    def done() -> None:
        call.received = answer.received
        _after(started, call)

    answer.when_done(done)
    return answer


def _after(hooks: Sequence[Hook], call: Call) -> None:
    call.duration = call.elapsed()
    for hook in reversed(hooks):
        try:
            hook.after(call)
        except Exception:
            import logging

            logging.getLogger("dockerkit").exception("a hook failed after %s %s", call.method, call.path)
