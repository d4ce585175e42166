"""docker-py's ``docker.utils.ports``: published ports as on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from dockerkit.errors import InvalidArgument

__all__ = ["add_port", "add_port_mapping", "build_port_bindings", "port_range", "split_port"]

External = str | tuple[str, str | None] | None

_SPEC = re.compile(
    r"(?:(?:(?:\[(?P<six>[0-9a-fA-F:]+(?:%\w+)?)\]|(?P<host>[^\[\]]+)):)?(?P<ext>\d*)(?:-(?P<ext_end>\d+))?:)?"
    r"(?P<int>\d+)(?:-(?P<int_end>\d+))?(?P<proto>/(?:udp|tcp|sctp))?"
)


def add_port_mapping(port_bindings: dict[str, list[Any]], internal_port: str, external: External) -> None:
    """Add a port to a dict of bindings."""
    port_bindings.setdefault(internal_port, []).append(external)


def add_port(
    port_bindings: dict[str, list[Any]], internal_port_range: Sequence[str], external_range: Sequence[External] | None
) -> None:
    """Add a range of ports to a dict of bindings."""
    outside = external_range or [None] * len(internal_port_range)
    for internal, external in zip(internal_port_range, outside, strict=False):
        add_port_mapping(port_bindings, internal, external)


def build_port_bindings(ports: Iterable[str | int]) -> dict[str, list[Any]]:
    """Convert ``["127.0.0.1:8080:80"]`` to a dict of bindings for ``ports=``."""
    bindings: dict[str, list[Any]] = {}
    for port in ports:
        internal, external = split_port(port)
        add_port(bindings, internal, external)
    return bindings


def port_range(
    start: str | None, end: str | None, proto: str, randomly_available_port: bool = False
) -> list[str] | None:
    """Return the ports from start to end; as one string if any of them may be used."""
    if not start:
        return None
    if not end:
        return [start + proto]
    if randomly_available_port:
        return [f"{start}-{end}{proto}"]
    return [f"{port}{proto}" for port in range(int(start), int(end) + 1)]


def split_port(port: str | int) -> tuple[list[str], list[External] | None]:
    """Parse a string as after ``docker run --publish``; return (ports of the container, ports of the host).

    Raises:
        InvalidArgument: it is invalid, or the ranges differ in length; also a ValueError.
    """
    legacy = getattr(port, "legacy_repr", None)  # docker-compose 1's own format of ports
    match = _SPEC.fullmatch(str(legacy() if legacy else port))
    if not match or (match["ext_end"] and not match["ext"]) or (match["ext"] == "" and not _host(match)):
        raise InvalidArgument(f'port: must be "[[address:]host_port[-end]:]port[-end][/protocol]", got {port!r}')
    internal = port_range(match["int"], match["int_end"], match["proto"] or "") or []
    host = _host(match)
    external = port_range(match["ext"], match["ext_end"], "", len(internal) == 1)
    if external is not None and len(external) != len(internal):
        raise InvalidArgument(f"port: the ranges of {port!r} differ in length")
    if host:
        outside: list[str] | list[None] = external or [None for _ in internal]
        return internal, [(host, port) for port in outside]
    return internal, None if external is None else list(external)


def _host(match: re.Match[str]) -> str | None:
    return match["six"] or match["host"]
