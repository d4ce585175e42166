"""How the fake engine finds what answers a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from dockerkit.testing.server import Request, Wire

if TYPE_CHECKING:
    from dockerkit.testing.engine import FakeEngine

__all__ = ["Call", "Refused", "find", "route"]


class Refused(Exception):
    """The engine says no: a status and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Call:
    """A request on its way to what answers it.

    Attributes:
        engine: the engine.
        request: the request.
        wire: what to answer on.
        id: what the path names; "" where it names nothing.
    """

    engine: FakeEngine
    request: Request
    wire: Wire
    id: str

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body; {} where there is none."""
        return self.request.json() or {}

    @property
    def filters(self) -> dict[str, list[str]]:
        """The filters as lists, whichever of the two ways they came."""
        given = json.loads(self.request.param("filters") or "{}")
        return {name: list(value) for name, value in given.items()}


Answerer = Callable[[Call], None]
_ROUTES: list[tuple[str, re.Pattern[str], Answerer]] = []


def route(method: str, path: str) -> Callable[[Answerer], Answerer]:
    """Let a function answer requests of this method and path template.

    ``{id}`` is one part of the path; ``{name}`` may have slashes in it.
    """
    pattern = re.compile(path.replace("{id}", "([^/]+)").replace("{name}", "(.+)"))

    def register(function: Answerer) -> Answerer:
        _ROUTES.append((method, pattern, function))
        return function

    return register


def find(method: str, path: str) -> tuple[Answerer, str] | None:
    """What answers, and the id in the path."""
    for verb, pattern, function in _ROUTES:
        if verb == method and (match := pattern.fullmatch(path)):
            return function, unquote(match[1]) if match.groups() else ""
    return None
