"""API versions: which one to speak, and what it knows. The only place where versions are compared.

The facts are in ``_version_table``, made from the Engine's documents and source, and loaded with the first request that
needs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NoReturn

from dockerkit.errors import InvalidVersion

FLOOR = "1.24"
"""The oldest API version that dockerkit speaks (Engine 1.12)."""

CEILING = "1.55"
"""The newest API version that dockerkit knows (Engine 29.6)."""

MEDIA_TYPE_TELLS = "Content-Type tells multiplexed output from raw"
"""Not an operation but a way in which answers behave; :meth:`Gate.supports` knows it too."""

SEVERAL_ENDPOINTS = "a create call may name several networks"
"""Likewise: engines below refuse a second one, so that it has to be connected afterwards."""

_BEHAVIOUR = {MEDIA_TYPE_TELLS: "1.42", SEVERAL_ENDPOINTS: "1.44"}


@cache
def as_tuple(version: str) -> tuple[int, int]:
    """``"1.41"`` as ``(1, 41)``.

    Raises:
        InvalidVersion: the text is no API version.
    """
    major, dot, minor = version.partition(".") if isinstance(version, str) else ("", "", "")  # 1.5 may mean 1.50
    if not (dot and major.isdecimal() and minor.isdecimal()):
        raise InvalidVersion(f"{version!r} is no API version: one looks like {CEILING!r}")
    return int(major), int(minor)


def version_lt(v1: str, v2: str) -> bool:
    """Whether one version, of the API or of an engine, is older than another."""
    return compare_version(v1, v2) > 0


def version_gte(v1: str, v2: str) -> bool:
    """Whether one version, of the API or of an engine, is another or newer."""
    return compare_version(v1, v2) <= 0


def compare_version(v1: str, v2: str) -> int:
    """docker-py's order of two versions: 0 where they are the same, 1 where the second is newer, -1 where the first is."""
    from packaging.version import InvalidVersion as NoVersion
    from packaging.version import Version

    try:
        first, second = Version(v1), Version(v2)
    except (NoVersion, TypeError):
        raise InvalidVersion(f"{v1!r} and {v2!r} can't be compared: one is no version") from None
    return (first < second) - (first > second)


def checked(version: str) -> str:
    """The version itself, if dockerkit can speak it.

    Versions above the newest known one are let through: engines go on serving what there is.

    Raises:
        InvalidVersion: it is no API version, or below the floor.
    """
    if as_tuple(version) < as_tuple(FLOOR):
        raise InvalidVersion(
            f"API version {version} is too old: dockerkit speaks {FLOOR} (Engine 1.12) and later", needed=FLOOR
        )
    return version


def negotiate(engine_max: str, engine_min: str | None = None) -> str:
    """The newest API version that both sides know.

    Args:
        engine_max: the newest version the engine knows: the ``Api-Version`` header of ``/_ping``.
        engine_min: the oldest it accepts, where known: ``MinAPIVersion`` of ``/version``.

    Raises:
        InvalidVersion: there is none; the message says which side is to be upgraded.
    """
    if as_tuple(engine_max) < as_tuple(FLOOR):
        raise InvalidVersion(
            f"the engine speaks API versions up to {engine_max}, dockerkit {FLOOR} and later: upgrade the engine",
            needed=FLOOR,
            spoken=engine_max,
        )
    if engine_min and as_tuple(engine_min) > as_tuple(CEILING):
        raise InvalidVersion(
            f"the engine wants API version {engine_min} or later, dockerkit knows up to {CEILING}: upgrade dockerkit",
            needed=engine_min,
            spoken=CEILING,
        )
    return min(engine_max, CEILING, key=as_tuple)


@cache
def gate(version: str) -> Gate:
    """The gate for an API version: always the same one for the same version."""
    return Gate(version)


# What a gate keeps of an operation: why the operation itself can't be called, refused query names, headers (in lower
# case) and filters, and the refused body fields as a tree. A leaf is the text "first-last".
_Tree = dict[str, "str | _Tree"]
_Rules = tuple[str, dict[str, str], dict[str, str], dict[str, str], _Tree]


class Gate:
    """Lets through what one API version knows, and refuses the rest before it is sent.

    Attributes:
        version: the API version, as text.
        prefix: what a versioned path begins with: ``"/v1.41"``.
    """

    __slots__ = ("_rules", "_version", "prefix", "version")

    def __init__(self, version: str) -> None:
        self.version: str = version
        self.prefix: str = f"/v{version}"
        self._version = as_tuple(version)
        self._rules: dict[str, _Rules | None] = {}

    def check(
        self,
        operation: str,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> None:
        """Refuse what this version does not know. None counts as not sent; ``0``, ``False``, ``""``, ``[]`` are sent.

        Args:
            operation: method and path template: ``"GET /containers/{id}/json"``.
            query: the query parameters; ``filters`` as a mapping.
            headers: the headers of the call.
            body: the JSON body as dicts and lists, as it will be sent.

        Raises:
            InvalidVersion: names the parameter or dotted field, the version it needs, and the one spoken.
        """
        try:
            rules = self._rules[operation]
        except KeyError:
            rules = self._rules[operation] = self._compile(operation)
        if rules is None:
            return
        unknown, queries, header_names, filters, tree = rules
        if unknown:
            self._refuse(operation, None, unknown)
        if query:
            for name, versions in queries.items():
                if query.get(name) is not None:
                    self._refuse(operation, name, versions)
            given = query.get("filters") if filters else None
            if isinstance(given, Mapping):
                for name, versions in filters.items():
                    if given.get(name) is not None:
                        self._refuse(operation, f"filters.{name}", versions)
        if headers and header_names:
            for name in headers:
                if name.lower() in header_names:
                    self._refuse(operation, name, header_names[name.lower()])
        if tree and body:
            for path, versions in _sent(tree, body, ""):
                self._refuse(operation, path, versions)

    def supports(self, operation: str, name: str | None = None) -> bool:
        """Whether this version knows an operation, or one of its parameters.

        Args:
            operation: method and path template, as in :meth:`check`.
            name: a query parameter, a header, a dotted body field, or ``filters.NAME``.
        """
        if operation in _BEHAVIOUR:
            return self._knows(_BEHAVIOUR[operation])
        from dockerkit.api._version_table import OPERATIONS

        row = OPERATIONS.get(operation)
        if row is None:
            return True
        versions, queries, headers, filters, fields = row
        if name is None or not self._knows(versions):
            return self._knows(versions)
        if name.startswith("filters."):
            return self._knows(filters.get(name.removeprefix("filters."), ""))
        if name in queries or name in headers:
            return self._knows(queries.get(name) or headers[name])
        return all(self._knows(span) for field, span in fields.items() if name == field or _below(name, field))

    def _knows(self, versions: str) -> bool:
        if not versions:
            return True
        first, _, last = versions.partition("-")
        return as_tuple(first) <= self._version and (not last or self._version <= as_tuple(last))

    def _compile(self, operation: str) -> _Rules | None:
        from dockerkit.api._version_table import OPERATIONS

        row = OPERATIONS.get(operation)
        if row is None:
            return None
        unknown = "" if self._knows(row[0]) else row[0]
        queries, headers, filters, fields = (
            {name: versions for name, versions in group.items() if not self._knows(versions)} for group in row[1:]
        )
        tree: _Tree = {}
        for path, versions in fields.items():
            _plant(tree, path, versions)
        headers = {name.lower(): versions for name, versions in headers.items()}
        if not (unknown or queries or headers or filters or tree):
            return None
        return unknown, queries, headers, filters, tree

    def _refuse(self, operation: str, name: str | None, versions: str) -> NoReturn:
        first, _, last = versions.partition("-")
        what = f"{name} of {operation}" if name else operation
        if self._version < as_tuple(first):
            why, needed = f"needs API version {first} or later", first
        else:
            why, needed = f"is gone since API version {last}, the last that had it", last
        raise InvalidVersion(
            f"{what} {why}; this client speaks {self.version} with the engine",
            parameter=name or operation,
            needed=needed,
            spoken=self.version,
        )


def _below(name: str, field: str) -> bool:
    return name.startswith((f"{field}.", f"{field}[]"))


def _plant(tree: _Tree, path: str, versions: str) -> None:
    """Add a field to the tree of refused ones; what is below a refused field need not be looked at."""
    *above, leaf = path.replace("[]", ".[]").lstrip(".").split(".")
    for step in above:
        branch = tree.setdefault(step, {})
        if isinstance(branch, str):
            return
        tree = branch
    tree[leaf] = versions


def _sent(tree: _Tree, value: object, path: str) -> Iterator[tuple[str, str]]:
    """The refused fields that a body holds, with their paths; only the tree's branches are looked at."""
    if isinstance(value, Mapping):
        for step, branch in tree.items():
            if step == "{}":
                for key, item in value.items():
                    yield from _found(branch, item, f"{path}.{key}" if path else str(key))
            elif step in value:
                yield from _found(branch, value[step], f"{path}.{step}" if path else step)
    elif isinstance(value, (list, tuple)) and "[]" in tree:
        for number, item in enumerate(value):
            yield from _found(tree["[]"], item, f"{path}[{number}]")


def _found(branch: str | _Tree, value: object, path: str) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(branch, str):
        yield path, branch
    else:
        yield from _sent(branch, value, path)
