"""What a call's path is made of: ids and names, checked and quoted before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable
from urllib.parse import quote

from dockerkit.errors import InvalidArgument, NullResource


@runtime_checkable
class HasId(Protocol):
    """An object of the object layer, or anything else with an ``id``."""

    @property
    def id(self) -> str | None: ...


Ref = str | Mapping[str, object] | HasId
"""An id or a name; a dict with ``Id`` or ``ID``, as the engine answers; or an object with an ``id``. A container's name may
have the slash before it that the engine writes."""


class LinkName(str):
    """The name of a link between containers, ``container/alias``: the one such name that has a slash."""

    __slots__ = ()


# Resources whose names have slashes: repositories.
_WITH_SLASHES = ("/images/", "/distribution/", "/plugins/")


def name_of(ref: Ref, parameter: str) -> str:
    """The id or name that a reference stands for.

    Args:
        ref: what the caller gave.
        parameter: its name, for the error.

    Raises:
        NullResource: it is None, empty, or a dict or object without an id.
        InvalidArgument: it is of another type.
    """
    value: object = ref
    if isinstance(ref, Mapping):
        value = ref.get("Id", ref.get("ID"))
    elif not isinstance(ref, str) and hasattr(ref, "id"):
        value = ref.id
    if value is None or value == "":
        raise NullResource(f"{parameter}: an id or a name is needed, not {ref!r}")
    if not isinstance(value, str):
        raise InvalidArgument(f"{parameter}: an id or a name is a text, not {type(value).__name__} {value!r}")
    return value


def fill(path: str, ids: Mapping[str, Ref]) -> str:
    """Put ids and names into a path template.

    Args:
        path: ``/containers/{id}/json``.
        ids: a reference for each placeholder.

    Returns:
        The path, quoted.

    Raises:
        NullResource: an id is empty.
        InvalidArgument: an id is no id: it has control characters, or slashes where there are none.
    """
    slashes = path.startswith(_WITH_SLASHES)
    for placeholder, ref in ids.items():
        name = name_of(ref, placeholder)
        link = isinstance(name, LinkName)
        if path.startswith("/containers/") and len(name) > 1:
            name = name.removeprefix("/")  # as the engine itself writes names
        if not name.isprintable() or name != name.strip() or name in (".", ".."):
            raise InvalidArgument(f"{placeholder}: {name!r} is no id or name")
        if "/" in name and not ((slashes or link) and _is_repository(name)):
            raise InvalidArgument(f"{placeholder}: {name!r} is no id or name: it has a slash")
        path = path.replace("{" + placeholder + "}", quote(name, safe=":@"))
    return path


def checked_name(name: object) -> str:
    """A container's new name."""
    if not isinstance(name, str) or not name:
        raise InvalidArgument(f"name: a text is needed, not {name!r}")
    if "/" in name.removeprefix("/") or not name.isprintable():
        raise InvalidArgument(f"name: {name!r} has slashes or control characters")
    return name


def _is_repository(name: str) -> bool:
    return all(part not in ("", ".", "..") for part in name.split("/"))
