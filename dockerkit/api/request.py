"""A call before it is sent: a plain value, created without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from dockerkit.api.refs import Ref
from dockerkit.parsing.values import Duration

if TYPE_CHECKING:
    from dockerkit.parsing.json_data import ToEngine


class Unset:
    """The type of :data:`UNSET`: the value of an argument that was not passed, where None has a meaning."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()

Seconds = Duration | tuple[Duration | None, Duration | None] | None
"""Connect and read timeout, as seconds or another duration; a pair sets them separately; None disables them."""

Timeout = Seconds | Unset
"""The timeout of one call; UNSET uses the client's."""

Data = bytes | IO[bytes] | Iterable[bytes]
Json = Mapping[str, Any] | Sequence[Any]


class Request(NamedTuple):
    """One call of the Engine API.

    Attributes:
        method: HTTP method.
        path: path template of the Engine API: ``/containers/{id}/json``.
        ids: a reference for each placeholder.
        query: query parameters as Python values; None is omitted.
        body: sent as JSON.
        data: sent unchanged, such as an archive.
        headers: sent in addition to the client's.
        timeout: timeout of this call.
        slow: whether the engine does the work before it sends the head of its response.
        versioned: whether the path is prefixed with the API version.
    """

    method: str
    path: str
    ids: Mapping[str, Ref]
    query: Mapping[str, object] | None = None
    body: Json | ToEngine | None = None
    data: Data | None = None
    headers: Mapping[str, str] | None = None
    timeout: Timeout = UNSET
    slow: bool = True
    versioned: bool = True
