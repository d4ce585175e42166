"""IDs and names in the path of a call, checked and quoted before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn, Protocol, cast, runtime_checkable
from urllib.parse import quote

from dockerkit.errors import InvalidArgument, NullResource
from dockerkit.errors.caller import argument_name
from dockerkit.parsing.reference import parse_repository_tag, split_registry


@runtime_checkable
class HasId(Protocol):
    """An object of the high-level layer, or anything else with an ``id``."""

    @property
    def id(self) -> str | None: ...


Ref = str | Mapping[str, object] | HasId
"""An ID or a name; a dict with ``Id`` or ``ID``, as the engine returns; or an object with an ``id``. A container's name may
begin with a slash, as in the engine's responses."""


class LinkName(str):
    """The name of a link between containers, ``container/alias``: the only container name with a slash."""

    __slots__ = ()


_FULL_ID = re.compile(r"[0-9a-f]{64}")
# Resources whose names may have slashes: repositories.
_SLASH_PATHS = ("/images/", "/distribution/", "/plugins/")


def resolve_id(ref: Ref, parameter: str) -> str:
    """Return the ID or name of a reference.

    Args:
        ref: the argument.
        parameter: name of the parameter, for the error.

    Raises:
        NullResource: the reference is None, empty, or a dict or object without an ID.
        InvalidArgument: the reference has another type.
    """
    value: object = ref
    if isinstance(ref, Mapping):
        value = ref.get("Id", ref.get("ID"))
    elif not isinstance(ref, str) and hasattr(ref, "id"):
        value = ref.id
    if value is None or value == "":
        raise NullResource(f"{argument_name(ref, parameter)}: must be an ID or a name, got {ref!r}")
    if not isinstance(value, str):
        parameter = argument_name(ref, parameter)
        raise InvalidArgument(f"{parameter}: must be an ID or a name as a string, got {type(value).__name__} {value!r}")
    return value


def format_path(path: str, ids: Mapping[str, Ref]) -> str:
    """Put ids and names into a path template.

    Args:
        path: path template such as ``/containers/{id}/json``.
        ids: a reference for each placeholder.

    Returns:
        The quoted path.

    Raises:
        NullResource: an ID is empty.
        InvalidName: an ID has control characters or slashes.
    """
    slashes = path.startswith(_SLASH_PATHS)
    for placeholder, ref in ids.items():
        name = resolve_id(ref, placeholder)
        link = isinstance(name, LinkName)
        if slashes:
            name = re.sub("/+", "/", name).removeprefix("/")  # as the engine normalizes a path
        if path.startswith("/containers/") and len(name) > 1:
            name = name.lstrip("/") or name  # the engine writes names with a slash, and merges several
        if path.startswith("/images/"):
            check_lower_case(name, placeholder)
        if not name.isprintable() or name != name.strip() or name in ("", ".", ".."):
            _raise_invalid_name(argument_name(ref, placeholder), name, "is not a valid ID or name", path)
        if "/" in name and not ((slashes or link) and _is_repository(name)):
            _raise_invalid_name(
                argument_name(ref, placeholder), name, "is not a valid ID or name: it contains a slash", path
            )
        path = path.replace("{" + placeholder + "}", quote(name, safe=":@"))
    return path


def check_lower_case(image: str, parameter: str) -> None:
    """Refuse an image name with capital letters, which every engine and registry refuses.

    Raises:
        InvalidImageName: says what the name may be.
    """
    name = image.partition("@")[0]
    if name == name.lower():
        return
    repository, tag = parse_repository_tag(name)
    _, path = split_registry(repository)
    if path != path.lower():
        from dockerkit.errors.api import InvalidImageName

        suggestion = repository.removesuffix(path) + path.lower() + (f":{tag}" if tag else "")
        raise InvalidImageName(f"{parameter}: image names are in lower case, got {image!r}. Use {suggestion!r}")


def _raise_invalid_name(placeholder: str, name: str, reason: str, path: str) -> NoReturn:
    """Raise a NotFound subclass: no engine can have an object with such a name."""
    from dockerkit.errors.api import InvalidImageName, InvalidName

    kind = InvalidImageName if path.startswith("/images/") else InvalidName
    raise kind(f"{placeholder}: {name!r} {reason}")


def subject_of(path: str, ids: Mapping[str, Ref]) -> str:
    """Return the object of a call for messages, such as ``container 'web'``; "" for a call without an ID. Sends nothing.

    Args:
        path: path template such as ``/containers/{id}/json``.
        ids: a reference for each placeholder.
    """
    for placeholder, ref in ids.items():
        name = getattr(ref, "display_name", None) or resolve_id(ref, placeholder)
        kind = path.split("/")[1].removesuffix("s")
        return f"{kind} {name.removeprefix('/')[:80]!r}" if not _FULL_ID.fullmatch(name) else f"{kind} {name[:12]}"
    return ""


_ACTIONS = {"/images/create": "pulling", "/images/{name}/push": "pushing"}


def action_of(path: str, ids: Mapping[str, Ref], query: Mapping[str, object] | None) -> str:
    """Return what a call does, for errors that would not name the image otherwise: ``pulling image 'busybox:1.36'``."""
    image = (query or {}).get("fromImage") or ids.get("name")
    if path not in _ACTIONS or image is None:
        return ""
    tag = str((query or {}).get("tag") or "")
    separator = "@" if ":" in tag else ":" if tag else ""
    name = f"{resolve_id(cast('Ref', image), 'image')}{separator}{tag}"
    return f"{_ACTIONS[path]} image {name!r}"


def checked_name(name: object, parameter: str = "name") -> str:
    """Return the name if it is valid for something new on the engine."""
    if not isinstance(name, str) or not name:
        raise InvalidArgument(f"{parameter}: must be a non-empty string, got {name!r}")
    if "/" in name.removeprefix("/") or not name.isprintable():
        raise InvalidArgument(f"{parameter}: {name!r} contains slashes or control characters")
    return name


def _is_repository(name: str) -> bool:
    return all(part not in ("", ".", "..") for part in name.split("/"))
