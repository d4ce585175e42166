"""Parse container ports and published host ports, in all notations people use. Does not use pydantic.

Each function takes a value and the parameter's name, and returns the Engine's format or raises InvalidArgument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeGuard

from dockerkit.parsing.values import ip_version, raise_invalid, string

__all__ = [
    "ANYWHERE",
    "ExposedPorts",
    "HostBinding",
    "PortBindings",
    "PortMapping",
    "container_ports",
    "exposed_ports",
    "port_bindings",
    "ports_of_summary",
    "published",
]

ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared with the engine's responses, never bound

HostPort = int | str | None
HostBinding = HostPort | tuple[str] | tuple[str, int | str | None] | tuple[int] | Mapping[str, Any]
"""The host side: a port, None for any free port, ``("127.0.0.1", 8080)``, ``("127.0.0.1",)``, or the Engine's dict."""


class PortMapping(Protocol):
    """A mapping of container ports, numbers or strings or both, to places on the host."""

    def items(self) -> Iterable[tuple[int | str, HostBinding | Sequence[HostBinding]]]: ...

    def __len__(self) -> int: ...


PortBindings = PortMapping | list[str] | list[int] | list[int | str] | tuple[int | str, ...]
"""``{"80/tcp": 8080}`` and docker-py's other formats, or strings as on the command line: ``["127.0.0.1:8080:80/tcp"]``."""

ExposedPorts = (
    Sequence[int | str | tuple[int, str] | tuple[str, str] | tuple[int] | tuple[str]]
    | Mapping[str, Mapping[str, object]]
)
"""Container ports: ``80``, ``"53/udp"``, ``(53, "udp")``, ``"8000-8010"``."""

_PROTOCOLS = ("tcp", "udp", "sctp")
_ONE_PORT = re.compile("([1-9][0-9]{0,4})(/(?:tcp|udp|sctp))?")


def _is_number(value: object) -> TypeGuard[int]:
    """Return whether a value is an integer, such as a member of an IntEnum, but not a boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def exposed_ports(value: object, name: str = "ports") -> dict[str, dict[str, Any]]:
    """Return the ports that a container listens on: ``{"80/tcp": {}}``."""
    if isinstance(value, Mapping):
        return {port: {} for key in value for port in container_ports(key, name)}
    if isinstance(value, (int, str)) or not isinstance(value, Iterable):
        raise_invalid(name, "a list of ports", value)
    return {port: {} for item in value for port in container_ports(item, name)}


def container_ports(value: object, name: str) -> list[str]:
    """Return container ports as ``["80/tcp"]``; a range is expanded."""
    if _is_number(value) and 0 < value < 65536:
        return [f"{int(value)}/tcp"]
    if isinstance(value, str) and (port := _ONE_PORT.fullmatch(value)) and int(port[1]) < 65536:
        return [port[0] if port[2] else f"{port[0]}/tcp"]
    if isinstance(value, (tuple, list)) and len(value) in (1, 2):
        number, protocol = value if len(value) == 2 else (value[0], "tcp")
    elif isinstance(value, str) and "/" in value:
        number, _, protocol = value.partition("/")
    else:
        number, protocol = value, "tcp"
    protocol = protocol.lower() if isinstance(protocol, str) else protocol
    if protocol not in _PROTOCOLS:
        raise_invalid(name, "a port with the protocol tcp, udp or sctp", value)
    return [f"{port}/{protocol}" for port in _port_range(number, name, lowest=1)]


def _port_range(value: object, name: str, *, lowest: int) -> range:
    """Parse ``80``, ``"80"`` or ``"8000-8010"``."""
    ends: list[int] = []
    if _is_number(value):
        ends = [int(value)] * 2
    elif isinstance(value, str):
        first, _, last = value.partition("-")
        ends = [int(end) for end in (first, last or first) if end.isascii() and end.isdecimal()]
    if len(ends) != 2 or not lowest <= ends[0] <= ends[1] <= 65535:
        raise_invalid(name, f"a port from {lowest} to 65535 or a range", value)
    return range(ends[0], ends[1] + 1)


def port_bindings(value: object, name: str = "port_bindings") -> dict[str, list[dict[str, str]]]:
    """Return the mapping of container ports to host ports: ``{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}``.

    Args:
        value: ``{container port: host port}``, where the host's side is a port, a range as a string, None for any port,
            ``("127.0.0.1", 8080)``, ``("127.0.0.1",)``, the Engine's dict, or a list of those; or a list of strings
            as for ``docker run --publish``.
        name: the parameter, for the error.
    """
    bindings: dict[str, list[dict[str, str]]] = {}
    if isinstance(value, Mapping):
        for key, hosts in value.items():
            ports = container_ports(key, name)
            for port in ports:
                bindings.setdefault(port, [])
            for host in hosts if isinstance(hosts, list) else [hosts]:
                if _is_number(host) and 0 <= host < 65536 and len(ports) == 1:
                    bindings[ports[0]].append({"HostPort": str(int(host))})
                    continue
                for port, side in zip(ports, _host_sides(host, len(ports), f"{name}[{key!r}]"), strict=True):
                    bindings[port].append(side)
        return bindings
    if isinstance(value, (str, int)) or not isinstance(value, Iterable):
        raise_invalid(name, 'a mapping of container ports to host ports or a list such as ["8080:80"]', value)
    for item in value:
        for port, host in published(item, name):
            bindings.setdefault(port, []).append(host)
    return bindings


def _host_sides(value: object, count: int, name: str) -> list[dict[str, str]]:
    """Return the host side for each of ``count`` container ports; a range of host ports must have the same length."""
    side = _host_side(value, name)
    if count == 1 or not side["HostPort"]:
        return [side] * count
    span = _port_range(side["HostPort"], name, lowest=0)
    if len(span) != count:
        raise_invalid(name, f"a range of {count} host ports, or None for free ones", value)
    return [{**side, "HostPort": str(port)} for port in span]


def _host_side(value: object, name: str) -> dict[str, str]:
    if value is None or _is_number(value):
        return {"HostPort": _host_port(value, name)}
    if isinstance(value, Mapping):
        if unknown := set(value) - {"HostIp", "HostPort"}:
            raise_invalid(name, "a dict with HostIp and HostPort", unknown)
        return _host_side((value.get("HostIp") or "", value.get("HostPort")), name)
    address: object = ""
    port: object = value
    if isinstance(value, tuple):
        if len(value) == 1:
            address, port = (value[0], None) if isinstance(value[0], str) else ("", value[0])
        elif len(value) == 2:
            address, port = value
        else:
            raise_invalid(name, "(address, port)", value)
    elif isinstance(value, str) and ":" in value:
        address, _, port = value.rpartition(":")
    side = {"HostPort": _host_port(port, name)}
    if address:
        side = {"HostIp": _address(address, name), **side}
    return side


def _host_port(value: object, name: str) -> str:
    if value is None or value == "":
        return ""
    if _is_number(value) and 0 <= value < 65536:
        return str(int(value))
    span = _port_range(value, name, lowest=0)
    return str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}"


def _address(value: object, name: str) -> str:
    plain = string(value, name).removeprefix("[").removesuffix("]")
    if ip_version(plain) is None:
        raise_invalid(name, "an IP address of the host", value)
    return plain


def published(value: object, name: str = "ports") -> list[tuple[str, dict[str, str]]]:
    """Parse one value of ``docker run --publish``: ``[ADDRESS:][HOST PORT:]CONTAINER PORT[/PROTOCOL]``.

    Returns:
        Pairs of a container port and the Engine's dict for the host's side. Ranges of the same length are
        paired; with a range for one container port the engine chooses.
    """
    if isinstance(value, int):
        return [(port, {"HostPort": ""}) for port in container_ports(value, name)]
    plain, slash, protocol = string(value, name).partition("/")
    front, _, container_port = plain.rpartition(":")
    address, _, host_port = front.rpartition(":")
    ports = container_ports(f"{container_port}/{protocol}" if slash else container_port, name)
    binding = {"HostIp": _address(address, name)} if address else {}
    if not host_port:
        return [(port, {**binding, "HostPort": ""}) for port in ports]
    span = _port_range(host_port, name, lowest=0)
    if len(span) == len(ports):
        return [(port, {**binding, "HostPort": str(host)}) for port, host in zip(ports, span, strict=True)]
    if len(ports) != 1:
        raise_invalid(name, "a host range of the same length as the container's", value)
    return [(ports[0], {**binding, "HostPort": f"{span[0]}-{span[-1]}"})]


def ports_of_summary(ports: list[dict[str, Any]]) -> dict[str, list[dict[str, str]] | None]:
    """Convert a summary's ports to the format of an inspect."""
    bindings: dict[str, list[dict[str, str]] | None] = {}
    for port in ports:
        key = f"{port['PrivatePort']}/{port.get('Type', 'tcp')}"
        if port.get("PublicPort"):
            binding = {"HostIp": port.get("IP", ""), "HostPort": str(port["PublicPort"])}
            bindings[key] = [*(bindings.get(key) or ()), binding]
        else:
            bindings.setdefault(key, None)
    return bindings
