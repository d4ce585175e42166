"""Ports, as people write them: those that a container listens on, and where the host publishes them. No pydantic here.

Each function takes a value and the parameter's name, and answers the Engine's form, or raises InvalidArgument.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockerkit.types.parse import refuse, text

__all__ = [
    "ExposedPorts",
    "HostBinding",
    "PortBindings",
    "container_ports",
    "exposed_ports",
    "port_bindings",
    "published",
]

HostPort = int | str | None
HostBinding = HostPort | tuple[str] | tuple[str, int | str | None] | tuple[int] | Mapping[str, Any]
"""Where on the host: a port; None for a free one; ``("127.0.0.1", 8080)``; ``("127.0.0.1",)``; the Engine's dict."""

PortBindings = (
    Mapping[int, HostBinding | Sequence[HostBinding]]
    | Mapping[str, HostBinding | Sequence[HostBinding]]
    | Sequence[int | str]
)
"""``{"80/tcp": 8080}`` and the other forms of docker-py; or texts as on the command line: ``["127.0.0.1:8080:80/tcp"]``."""

ExposedPorts = Sequence[int | str | tuple[int, str] | tuple[str, str]] | Mapping[str, Mapping[str, object]]
"""Container ports: ``80``, ``"53/udp"``, ``(53, "udp")``, ``"8000-8010"``."""

_PROTOCOLS = ("tcp", "udp", "sctp")


def exposed_ports(value: object, name: str = "ports") -> dict[str, dict[str, Any]]:
    """Ports of the container that it listens on: ``{"80/tcp": {}}``."""
    if isinstance(value, Mapping):
        return {port: {} for key in value for port in container_ports(key, name)}
    if isinstance(value, (int, str)) or not isinstance(value, Iterable):
        refuse(name, "a list of ports", value)
    return {port: {} for item in value for port in container_ports(item, name)}


def container_ports(value: object, name: str) -> list[str]:
    """One way to write container ports, as ``["80/tcp"]``; a range gives all of its ports."""
    if type(value) is int and 0 < value < 65536:
        return [f"{value}/tcp"]
    if isinstance(value, (tuple, list)) and len(value) == 2:
        number, protocol = value
    elif isinstance(value, str) and "/" in value:
        number, _, protocol = value.partition("/")
    else:
        number, protocol = value, "tcp"
    protocol = protocol.lower() if isinstance(protocol, str) else protocol
    if protocol not in _PROTOCOLS:
        refuse(name, "a port with the protocol tcp, udp or sctp", value)
    return [f"{port}/{protocol}" for port in _port_range(number, name, lowest=1)]


def _port_range(value: object, name: str, *, lowest: int) -> range:
    """``80``, ``"80"`` or ``"8000-8010"``."""
    ends: list[int] = []
    if type(value) is int:
        ends = [value, value]
    elif isinstance(value, str):
        first, _, last = value.partition("-")
        ends = [int(end) for end in (first, last or first) if end.isascii() and end.isdecimal()]
    if len(ends) != 2 or not lowest <= ends[0] <= ends[1] <= 65535:
        refuse(name, f"a port from {lowest} to 65535, or a range of them,", value)
    return range(ends[0], ends[1] + 1)


def port_bindings(value: object, name: str = "port_bindings") -> dict[str, list[dict[str, str]]]:
    """Which host ports lead to which of the container's: ``{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}``.

    Args:
        value: ``{container port: host port}``, where the host's side is a port, a range as text, None for a free port,
            ``("127.0.0.1", 8080)``, ``("127.0.0.1",)``, the Engine's dict, or a list of those; or a list of texts as
            after ``docker run --publish``.
        name: the parameter, for the error.
    """
    bindings: dict[str, list[dict[str, str]]] = {}
    if isinstance(value, Mapping):
        for key, hosts in value.items():
            many = hosts if isinstance(hosts, list) else [hosts]
            for port in container_ports(key, name):
                bindings.setdefault(port, []).extend(_host_side(host, f"{name}[{key!r}]") for host in many)
        return bindings
    if isinstance(value, (str, int)) or not isinstance(value, Iterable):
        refuse(name, 'a mapping of container to host ports, or a list such as ["8080:80"],', value)
    for item in value:
        for port, host in published(item, name):
            bindings.setdefault(port, []).append(host)
    return bindings


def _host_side(value: object, name: str) -> dict[str, str]:
    if type(value) is int or value is None:
        return {"HostPort": _host_port(value, name)}
    if isinstance(value, Mapping):
        if unknown := set(value) - {"HostIp", "HostPort"}:
            refuse(name, "a dict with HostIp and HostPort", unknown)
        return _host_side((value.get("HostIp") or "", value.get("HostPort")), name)
    address: object = ""
    port: object = value
    if isinstance(value, tuple):
        if len(value) == 1:
            address, port = (value[0], None) if isinstance(value[0], str) else ("", value[0])
        elif len(value) == 2:
            address, port = value
        else:
            refuse(name, "(address, port)", value)
    elif isinstance(value, str) and ":" in value:
        address, _, port = value.rpartition(":")
    side = {"HostPort": _host_port(port, name)}
    if address:
        side = {"HostIp": _address(address, name), **side}
    return side


def _host_port(value: object, name: str) -> str:
    if value is None or value == "":
        return ""
    if type(value) is int and 0 <= value < 65536:
        return str(value)
    span = _port_range(value, name, lowest=0)
    return str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}"


def _address(value: object, name: str) -> str:
    plain = text(value, name).removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(plain)
    except ValueError:
        refuse(name, "an IP address of the host", value)
    return plain


def published(value: object, name: str = "ports") -> list[tuple[str, dict[str, str]]]:
    """One text as after ``docker run --publish``: ``[ADDRESS:][HOST PORT:]CONTAINER PORT[/PROTOCOL]``.

    Returns:
        Pairs of a container port and the Engine's dict for the host's side. Ranges of the same length go side by side;
        a range for one container port lets the engine choose.
    """
    if isinstance(value, int):
        return [(port, {"HostPort": ""}) for port in container_ports(value, name)]
    plain, slash, protocol = text(value, name).partition("/")
    front, _, inside = plain.rpartition(":")
    address, _, outside = front.rpartition(":")
    ports = container_ports(f"{inside}/{protocol}" if slash else inside, name)
    where = {"HostIp": _address(address, name)} if address else {}
    if not outside:
        return [(port, {**where, "HostPort": ""}) for port in ports]
    span = _port_range(outside, name, lowest=0)
    if len(span) == len(ports):
        return [(port, {**where, "HostPort": str(host)}) for port, host in zip(ports, span, strict=True)]
    if len(ports) != 1:
        refuse(name, "a range of host ports as long as the container's", value)
    return [(ports[0], {**where, "HostPort": f"{span[0]}-{span[-1]}"})]
