"""Find the function of the fake engine that handles a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from dockerkit.testing.server import Connection, Request

if TYPE_CHECKING:
    from dockerkit.testing.fake_engine.engine import FakeEngine

__all__ = ["Refused", "RouteContext", "find", "route"]


class Refused(Exception):
    """An error response: a status and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class RouteContext:
    """A request being handled.

    Attributes:
        engine: the engine.
        request: HTTP request.
        wire: connection for the response.
        id: ID in the path; "" if it has none.
    """

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


Answerer = Callable[[RouteContext], None]
_ROUTES: list[tuple[str, re.Pattern[str], Answerer]] = []


def route(method: str, path: str) -> Callable[[Answerer], Answerer]:
    """Register a function for requests with this method and path template.

    ``{id}`` matches one part of the path; ``{name}`` may contain slashes.
    """
    pattern = re.compile(path.replace("{id}", "([^/]+)").replace("{name}", "(.+)"))

    def register(function: Answerer) -> Answerer:
        _ROUTES.append((method, pattern, function))
        return function

    return register


def find(method: str, path: str) -> tuple[Answerer, str] | None:
    """Return the function for a request, and the ID in its path."""
    for verb, pattern, function in _ROUTES:
        if verb == method and (match := pattern.fullmatch(path)):
            return function, unquote(match[1]) if match.groups() else ""
    return None


def labelled(labels: dict[str, str], wanted: list[str]) -> bool:
    """Return whether the labels match all filters: ``name`` or ``name=value``."""
    pairs = [text.partition("=") for text in wanted]
    return all(key in labels and (not equals or labels[key] == value) for key, equals, value in pairs)
