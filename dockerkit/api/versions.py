"""API versions: negotiation, and what each version supports. The only module that compares versions.

The data is in ``_version_table``, generated from the Engine's API documents and source, and loaded by the first request
that needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from dockerkit.errors import InvalidVersion

FLOOR = "1.24"
"""The oldest API version that dockerkit supports (Engine 1.12)."""

CEILING = "1.55"
"""The newest API version that dockerkit supports (Engine 29.6)."""

MEDIA_TYPE_TELLS = "Content-Type tells multiplexed output from raw"
"""Not an operation but a behaviour; :meth:`Gate.supports` accepts these too."""

SEVERAL_ENDPOINTS = "a create call may name several networks"
"""Behaviour: older engines refuse a second network, so that it has to be connected afterwards."""

SEVERAL_PLATFORMS = "save and load calls may name several platforms"
"""Behaviour: older engines refuse a second platform."""

JSONL_EVENTS = "events are offered as application/jsonl"
"""Behaviour: older engines send the same records as application/json."""

NATIVE_HTTP2 = "BuildKit is reached by HTTP/2 on the engine's own socket"
"""Behaviour: the upgrades /grpc and /session are deprecated."""

LEAN_RESPONSES = "responses lack the fields that Engine 29 no longer sends"
"""Behaviour: events have no status and id, images no empty settings, disk usage is counted by type."""

CONNECT_SETS_MAC = "connecting to a network applies mac_address"
"""Behaviour: older engines ignore it silently."""

_BEHAVIOUR = {
    MEDIA_TYPE_TELLS: "1.42",
    SEVERAL_ENDPOINTS: "1.44",
    SEVERAL_PLATFORMS: "1.52",
    JSONL_EVENTS: "1.52",
    LEAN_RESPONSES: "1.52",
    NATIVE_HTTP2: "1.53",
    CONNECT_SETS_MAC: "1.54",
}


# Replacements of removed parameters and fields, by the last part of their name.
_REPLACEMENTS = {
    "Capabilities": "use cap_add and cap_drop",
    "CheckDuplicate": "omit it, names of networks are unique",
    "Detach": "pass detach to exec_start()",
    "DiskQuota": "use storage_opt={'size': ...}",
    "DriverOpts": "use TaskTemplate.Networks",
    "GenericResources": "use Resources.Reservations",
    "InitPath": "use init=True",
    "KernelMemory": "use mem_limit",
    "KernelMemoryTCP": "use mem_limit",
    "MacAddress": "set mac_address of the network's endpoint, with create_endpoint_config()",
    "Networks": "use TaskTemplate.Networks",
    "before": "use filters={'before': ...}",
    "email": "omit it",
    "filter": "use filters={'reference': ...}",
    "keep-storage": "use reserved_space",
    "since": "use filters={'since': ...}",
}


@cache
def as_tuple(version: str) -> tuple[int, int]:
    """Return ``"1.41"`` as ``(1, 41)``.

    Raises:
        InvalidVersion: the string is not an API version.
    """
    major, dot, minor = (
        version.partition(".") if isinstance(version, str) else ("", "", "")
    )  # a float 1.5 may mean 1.50
    if not (dot and major.isdecimal() and minor.isdecimal()):
        raise InvalidVersion(f"{version!r} is not an API version such as {CEILING!r}")
    return int(major), int(minor)


def version_lt(v1: str, v2: str) -> bool:
    """Return whether an API or engine version is older than another."""
    return compare_version(v1, v2) > 0


def version_gte(v1: str, v2: str) -> bool:
    """Return whether an API or engine version is the same as another or newer."""
    return compare_version(v1, v2) <= 0


def compare_version(v1: str, v2: str) -> int:
    """Compare two versions as docker-py does: 0 if they are equal, 1 if the second is newer, -1 if the first is."""
    from packaging.version import InvalidVersion as NoVersion
    from packaging.version import Version

    try:
        first, second = Version(v1), Version(v2)
    except (NoVersion, TypeError):
        raise InvalidVersion(f"{v1!r} and {v2!r} can't be compared: one is not a version") from None
    return (first < second) - (first > second)


def checked(version: str) -> str:
    """Return the version, if dockerkit supports it.

    Versions above the newest known one are accepted: engines keep serving the existing calls.

    Raises:
        InvalidVersion: the string is not an API version, or too old.
    """
    if not isinstance(version, str):  # as_tuple() caches its arguments, which must be hashable
        raise InvalidVersion(f"{version!r:.200} is not an API version such as {CEILING!r}")
    if as_tuple(version) < as_tuple(FLOOR):
        raise InvalidVersion(
            f"API version {version} is too old: dockerkit supports {FLOOR} (Engine 1.12) and later", needed=FLOOR
        )
    return version


def negotiate(engine_max: str, engine_min: str | None = None) -> str:
    """Return the newest API version that both sides support.

    Args:
        engine_max: newest version of the engine, from the ``Api-Version`` header of ``/_ping``.
        engine_min: oldest version it accepts, if known, from ``MinAPIVersion`` of ``/version``.

    Raises:
        InvalidVersion: the two sides have no version in common; the message says which one to upgrade.
    """
    if as_tuple(engine_max) < as_tuple(FLOOR):
        raise InvalidVersion(
            f"the engine supports API versions up to {engine_max}, dockerkit {FLOOR} and later: upgrade the engine",
            needed=FLOOR,
            spoken=engine_max,
        )
    if engine_min and as_tuple(engine_min) > as_tuple(CEILING):
        raise InvalidVersion(
            f"the engine requires API version {engine_min} or later, dockerkit supports up to {CEILING}: upgrade dockerkit",
            needed=engine_min,
            spoken=CEILING,
        )
    return min(engine_max, CEILING, key=as_tuple)


def overlap(oldest: str | None, newest: str | None) -> bool:
    """Return whether dockerkit supports a version in a range; None is an unknown bound."""
    return (oldest is None or as_tuple(oldest) <= as_tuple(CEILING)) and (
        newest is None or as_tuple(newest) >= as_tuple(FLOOR)
    )


@cache
def gate(version: str) -> Gate:
    """Return the gate of an API version: the same object for the same version."""
    return Gate(version)


# What a gate refuses of an operation: the operation itself, query parameters, headers (in lower case), filters, and body
# fields as a tree. Each has its versions as "first-last".
_Tree = dict[str, "str | _Tree"]
_Rules = tuple[str, dict[str, str], dict[str, str], dict[str, str], _Tree]


class Gate:
    """Refuses what one API version does not support, before anything is sent.

    Attributes:
        version: the API version as a string.
        prefix: prefix of versioned paths: ``"/v1.41"``.
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
        *,
        removed: bool = True,
    ) -> None:
        """Refuse what this version does not support. None is not sent; ``0``, ``False``, ``""`` and ``[]`` are.

        Args:
            operation: method and path template: ``"GET /containers/{id}/json"``.
            query: query parameters, with ``filters`` as a mapping.
            headers: headers of the call.
            body: JSON body as dicts and lists, as it will be sent.
            removed: also refuse removed parameters and fields, which the engine ignores.

        Raises:
            InvalidVersion: names the parameter or dotted field, the version it needs, and the version in use.
        """
        try:
            rules = self._rules[operation]
        except KeyError:
            rules = self._rules[operation] = self._compile(operation)
        if rules is None:
            return
        unknown, queries, header_names, filters, tree = rules
        if unknown:
            self._raise_unsupported(operation, None, unknown)
        if query:
            for name, versions in queries.items():
                if query.get(name) is not None:
                    self._raise_unsupported(operation, name, versions, removed=removed)
            filter_values = query.get("filters") if filters else None
            if isinstance(filter_values, Mapping):
                for name, versions in filters.items():
                    if filter_values.get(name) is not None:
                        self._raise_unsupported(operation, f"filters.{name}", versions, removed=removed)
        if headers and header_names:
            for name in headers:
                if name.lower() in header_names:
                    self._raise_unsupported(operation, name, header_names[name.lower()], removed=removed)
        if tree and body:
            for path, versions in _unsupported_fields(tree, body, ""):
                self._raise_unsupported(operation, path, versions, removed=removed)

    def require(self, behaviour: str, parameter: str, what: str) -> None:
        """Refuse a value of a parameter that this version does not support.

        Args:
            behaviour: one of the constants above.
            parameter: name of the parameter.
            what: description of the value, for the message.

        Raises:
            InvalidVersion: names the parameter, the version it needs, and the version in use.
        """
        if not self.supports(behaviour):
            self._raise_unsupported(f"{parameter}: {what}", None, f"{_BEHAVIOUR[behaviour]}-", parameter)

    def supports(self, operation: str, name: str | None = None) -> bool:
        """Return whether this version supports an operation, or one of its parameters.

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
        return all(self._knows(span) for field, span in fields.items() if name == field or _is_nested(name, field))

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
            _add_to_tree(tree, path, versions)
        headers = {name.lower(): versions for name, versions in headers.items()}
        if not (unknown or queries or headers or filters or tree):
            return None
        return unknown, queries, headers, filters, tree

    def _raise_unsupported(
        self, operation: str, name: str | None, versions: str, parameter: str | None = None, *, removed: bool = True
    ) -> None:
        first, _, last = versions.partition("-")
        if not removed and self._version >= as_tuple(first):
            return
        subject = f"{name} of {operation}" if name else operation
        if self._version < as_tuple(first):
            reason, required = f"needs API version {first} or later", first
        else:
            reason, required = f"was removed after API version {last}", last
            if hint := _REPLACEMENTS.get((name or "").rpartition(".")[2]):
                reason = f"{reason}: {hint}"
        raise InvalidVersion(
            f"{subject} {reason}; this client uses API version {self.version}",
            parameter=parameter or name or operation,
            needed=required,
            spoken=self.version,
        )


def _is_nested(name: str, field: str) -> bool:
    return name.startswith((f"{field}.", f"{field}[]"))


def _add_to_tree(tree: _Tree, path: str, versions: str) -> None:
    """Add a field to the tree of refused ones; fields below a refused one are skipped."""
    *parents, leaf = path.replace("[]", ".[]").lstrip(".").split(".")
    for step in parents:
        branch = tree.setdefault(step, {})
        if isinstance(branch, str):
            return
        tree = branch
    tree[leaf] = versions


def _unsupported_fields(tree: _Tree, value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield the refused fields of a body, with their paths; only the tree's branches are visited."""
    if isinstance(value, Mapping):
        for step, branch in tree.items():
            if step == "{}":
                for key, item in value.items():
                    yield from _unsupported_in(branch, item, f"{path}.{key}" if path else str(key))
            elif step in value:
                yield from _unsupported_in(branch, value[step], f"{path}.{step}" if path else step)
    elif isinstance(value, (list, tuple)) and "[]" in tree:
        for index, item in enumerate(value):
            yield from _unsupported_in(tree["[]"], item, f"{path}[{index}]")


def _unsupported_in(branch: str | _Tree, value: object, path: str) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(branch, str):
        yield path, branch
    else:
        yield from _unsupported_fields(branch, value, path)
