"""Find the function of the fake engine that handles a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote

from dockerkit.testing.server import Connection, Request

if TYPE_CHECKING:
    from dockerkit.testing.fake_engine.engine import FakeEngine
    from dockerkit.testing.fake_engine.fakes import FakeContainer
    from dockerkit.testing.fake_engine.processes import Behaviour, FakeProcess

__all__ = ["Records", "Refused", "Reply", "RouteContext", "find", "route"]


class Refused(Exception):
    """An error response: a status and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Reply(NamedTuple):
    """A response other than JSON with status 200: its body is bytes, or a value that is sent as JSON."""

    status: int
    body: object = b""
    headers: Mapping[str, str] | None = None


class Records(list[dict[str, Any]]):
    """A response of JSON records, one per line, as pulls and builds have."""


@dataclass(frozen=True)
class RouteContext:
    """A request being handled, and the connection for its response; `id` is the one in the path, if any."""

    engine: FakeEngine
    request: Request
    wire: Connection
    id: str

    @property
    def body(self) -> dict[str, Any]:
        """JSON body; {} if empty."""
        return self.request.json() or {}

    @property
    def filters(self) -> dict[str, list[str]]:
        """Filters as lists, from either of their two formats."""
        filters = json.loads(self.request.param("filters") or "{}")
        return {name: list(value) for name, value in filters.items()}

    @property
    def container(self) -> FakeContainer:
        """The container in the path."""
        return self.engine.container(self.id)

    def event(self, container: FakeContainer, action: str, **attributes: str) -> None:
        """Send an event of a container."""
        self.engine.event("container", action, container.id, {**container.event_attributes(), **attributes})

    def launch(self, process: FakeProcess, script: Behaviour, failed: int, ended: Callable[[int], None]) -> None:
        """Run a script in a thread; `ended` takes the exit code, `failed` if it raises, with the engine's lock held."""

        def run_script() -> None:
            code = failed
            try:
                code = script.finish(process)
            finally:
                with self.engine.changed:
                    process.exit_code = code
                    ended(code)
                    self.engine.changed.notify_all()

        script.start(process)
        self.engine.run(run_script)

    def send(self, response: object) -> None:
        """Send a status, a :class:`Reply`, :class:`Records`, or any other value as JSON."""
        if isinstance(response, Records):
            self.wire.stream((json.dumps(record).encode() + b"\r\n" for record in response), "application/json")
            return
        if isinstance(response, int):
            response = Reply(response)
        status, body, headers = response if isinstance(response, Reply) else Reply(200, response)
        if isinstance(body, bytes):
            self.wire.respond(status, body, headers)
        else:
            self.wire.json(body, status, headers)


RouteHandler = Callable[[RouteContext], None]
_Function = TypeVar("_Function", bound=Callable[[RouteContext], object])
_ROUTES: list[tuple[str, re.Pattern[str], RouteHandler]] = []


def route(method: str, path: str, *, sends_response: bool = False) -> Callable[[_Function], _Function]:
    """Register a function for requests with this method and path template.

    Args:
        method: HTTP method.
        path: path; ``{id}`` matches one part of it, ``{name}`` may contain slashes.
        sends_response: whether the function sends its response itself. Otherwise it runs with the engine's lock held,
            and returns what :meth:`RouteContext.send` takes.
    """
    pattern = re.compile(path.replace("{id}", "([^/]+)").replace("{name}", "(.+)"))

    def register(function: _Function) -> _Function:
        def handle(call: RouteContext) -> None:
            if sends_response:
                function(call)
                return
            with call.engine.lock:
                response = function(call)
            call.send(response)

        _ROUTES.append((method, pattern, handle))
        return function

    return register


def find(method: str, path: str) -> tuple[RouteHandler, str] | None:
    """Return the function for a request, and the ID in its path."""
    for verb, pattern, function in _ROUTES:
        if verb == method and (match := pattern.fullmatch(path)):
            return function, unquote(match[1]) if match.groups() else ""
    return None


def matches_labels(labels: dict[str, str], filters: list[str]) -> bool:
    """Return whether the labels match all filters: ``name`` or ``name=value``."""
    pairs = [item.partition("=") for item in filters]
    return all(key in labels and (not equals or labels[key] == value) for key, equals, value in pairs)
