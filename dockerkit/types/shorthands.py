"""What a container is made of, as people write it: ports, folders, devices, links. No pydantic here.

Each function takes a value and the parameter's name, and answers the Engine's form, or raises InvalidArgument.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, TypedDict

from dockerkit.errors import InvalidArgument
from dockerkit.types.parse import refuse, size, text, texts, whole
from dockerkit.types.wire import wire

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

Binds = Mapping[str, str | Mapping[str, Any]] | Sequence[str | PurePath]
"""``{host folder or volume: {"bind": "/in/container", "mode": "ro"}}``, or texts ``"./src:/app:ro"``."""


class Throttle(TypedDict):
    """A limit of a block device, as the Engine writes it."""

    Path: str
    """The device."""
    Rate: int
    """Bytes or operations per second."""


_CDI_NAME = re.compile(r"[A-Za-z][\w.-]*\.[\w.-]+/[\w-]+=[\w.:-]+")
_PROTOCOLS = ("tcp", "udp", "sctp")


# -- ports -------------------------------------------------------------------------------------------------------


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


# -- folders -----------------------------------------------------------------------------------------------------


def binds(value: object, name: str = "binds") -> list[str]:
    """Folders and volumes to mount: ``["/host/src:/app:ro"]``.

    A host folder that begins with ``.`` or ``~`` is made absolute from here; the engine may be on another machine.
    """
    if isinstance(value, Mapping):
        return [_bind(source, target, f"{name}[{source!r}]") for source, target in value.items()]
    return [absolute(item) for item in texts(value, name)]


def _bind(source: object, target: object, name: str) -> str:
    where = absolute(text(source.decode() if isinstance(source, bytes) else source, name))
    if not isinstance(target, Mapping):
        return f"{where}:{text(target, name)}:rw"
    if unknown := set(target) - {"bind", "mode", "ro", "propagation"}:
        raise InvalidArgument(f"{name}: {', '.join(map(repr, sorted(unknown)))} is none of bind, mode, ro, propagation")
    if "bind" not in target:
        refuse(name, "a dict with 'bind', the path in the container,", dict(target))
    if "ro" in target and "mode" in target:
        raise InvalidArgument(f"{name}: give 'mode' or 'ro', not both: {dict(target)!r}")
    mode = ("ro" if target["ro"] else "rw") if "ro" in target else target.get("mode") or "rw"
    if target.get("propagation"):
        mode = f"{mode},{text(target['propagation'], name)}"
    return f"{where}:{text(target['bind'], name)}:{text(mode, name)}"


def absolute(spec: str) -> str:
    """A bind's text with a host folder that is absolute, where it was relative to this process's folder or home."""
    source, colon, rest = spec.partition(":")
    if "\0" in spec:
        raise InvalidArgument(f"volumes: {spec!r} has a null character, which no path has")
    if source.startswith("~"):
        source = os.path.expanduser(source)
    elif source in (".", "..") or source.startswith(("./", "../", ".\\", "..\\")):
        source = os.path.abspath(source)
    return source + colon + rest


def mount_points(value: object, name: str = "volumes") -> dict[str, dict[str, Any]]:
    """Paths in the container that are volumes: ``{"/data": {}}``."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):
        value = list(value)
    return {path: {} for path in texts(value, name)}


def tmpfs(value: object, name: str = "tmpfs") -> dict[str, str]:
    """Folders in memory: ``{"/run": "size=64m"}``, or texts ``"/run:size=64m"``."""
    if isinstance(value, Mapping):
        return {text(path, name): text(options or "", f"{name}[{path!r}]") for path, options in value.items()}
    pairs = (item.partition(":") for item in texts(value, name))
    return {path: options for path, _, options in pairs}


# -- hosts and other containers ------------------------------------------------------------------------------------


def extra_hosts(value: object, name: str = "extra_hosts") -> list[str]:
    """Lines for /etc/hosts: a mapping of names to addresses (or lists of them), or ``"name:address"`` texts."""
    if isinstance(value, Mapping):
        return [
            f"{text(host, name)}:{text(address, f'{name}[{host!r}]')}"
            for host, addresses in sorted(value.items())
            for address in (addresses if isinstance(addresses, (list, tuple)) else [addresses])
        ]
    lines = []
    for line in texts(value, name):
        ends = [at for at in (line.find("="), line.find(":")) if at > 0]
        if not ends or not line[min(ends) + 1 :]:
            refuse(name, '"name:address"', line)
        lines.append(f"{line[: min(ends)]}:{line[min(ends) + 1 :]}")
    return lines


def links(value: object, name: str = "links") -> list[str]:
    """Links to other containers: a mapping of containers to aliases, pairs, or ``"container:alias"`` texts."""
    if isinstance(value, Mapping):
        value = sorted(value.items())
    if isinstance(value, str) or not isinstance(value, Iterable):
        refuse(name, "a mapping, pairs, or texts", value)
    plain = []
    for item in value:
        if isinstance(item, str):
            plain.append(item)
        elif isinstance(item, (tuple, list)) and len(item) == 2:
            container, alias = item
            plain.append(f"{text(container, name)}:{text(alias, name)}" if alias else text(container, name))
        else:
            refuse(name, '(container, alias) or "container:alias"', item)
    return plain


def volumes_from(value: object, name: str = "volumes_from") -> list[str]:
    """Containers whose volumes to mount as well; a text is split at its commas."""
    return value.split(",") if isinstance(value, str) else texts(value, name)


def group_add(value: object, name: str = "group_add") -> list[str]:
    """Groups by name or number."""
    if isinstance(value, (str, int)) or not isinstance(value, Iterable):
        refuse(name, "a list of groups", value)
    return [str(whole(item, name)) if isinstance(item, int) else text(item, name) for item in value]


# -- devices and limits --------------------------------------------------------------------------------------------


def devices(value: object, name: str = "devices") -> list[dict[str, str]]:
    """Devices of the host: ``"/dev/sda:/dev/xvda:rwm"``, or the Engine's dicts."""
    return [_device(item, name) for item in _items(value, name)]


def _device(value: object, name: str) -> dict[str, str]:
    if isinstance(value, Mapping):
        plain: dict[str, str] = wire(value, name)
        return plain
    if _CDI_NAME.fullmatch(text(value, name)):
        raise InvalidArgument(
            f"{name}: {value!r} is a CDI name: give it as device_requests=[DeviceRequest.cdi({value!r})]"
        )
    outside, *rest = text(value, name).split(":")
    inside, permissions = outside, "rwm"
    if rest and set(rest[-1]) <= set("rwm") and rest[-1]:
        permissions = rest.pop()
    if rest:
        inside = rest.pop()
    if rest or not outside or not inside:
        refuse(name, '"/dev/on/host[:/dev/in/container][:rwm]"', value)
    return {"PathOnHost": outside, "PathInContainer": inside, "CgroupPermissions": permissions}


def bytes_per_second(value: object, name: str) -> list[Throttle]:
    """Limits of block devices: ``[("/dev/sda", "10m")]``, ``["/dev/sda:10m"]``, or the Engine's dicts."""
    return [{"Path": path, "Rate": size(rate, name)} for path, rate in _per_device(value, name, "Rate")]


def per_second(value: object, name: str) -> list[Throttle]:
    """Operations per second of block devices: ``[("/dev/sda", 1000)]``, ``["/dev/sda:1000"]``, or the Engine's dicts."""
    return [{"Path": path, "Rate": _number(rate, name)} for path, rate in _per_device(value, name, "Rate")]


def weights(value: object, name: str) -> list[dict[str, object]]:
    """Weights of block devices: ``[("/dev/sda", 300)]``, ``["/dev/sda:300"]``, or the Engine's dicts."""
    return [{"Path": path, "Weight": _number(weight, name)} for path, weight in _per_device(value, name, "Weight")]


def _per_device(value: object, name: str, key: str) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for item in _items(value, name):
        if isinstance(item, str):
            path, colon, amount = item.rpartition(":")
            if not colon:
                refuse(name, f'"/dev/name:{key.lower()}"', item)
            pairs.append((path, amount))
        elif isinstance(item, Mapping) and set(item) == {"Path", key}:
            pairs.append((text(item["Path"], name), item[key]))
        elif isinstance(item, (tuple, list)) and len(item) == 2:
            pairs.append((text(item[0], name), item[1]))
        else:
            refuse(name, f"a dict with Path and {key}", item)
    return pairs


def _number(value: object, name: str) -> int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else whole(value, name)


def ulimits(value: object, name: str = "ulimits") -> list[dict[str, Any]]:
    """Limits of the process: ``Ulimit`` values, the Engine's dicts, or ``"nofile=1024:2048"`` texts."""
    return [ulimit(item, name) for item in _items(value, name)]


def ulimit(value: object, name: str = "ulimits") -> dict[str, Any]:
    """One limit, as the Engine's dict."""
    if isinstance(value, str):
        kind, equals, numbers = value.partition("=")
        soft, _, hard = numbers.partition(":")
        ends = [int(end) for end in (soft, hard or soft) if end.removeprefix("-").isdecimal() and end.isascii()]
        if not kind or not equals or len(ends) != 2:
            refuse(name, '"name=soft[:hard]"', value)
        return {"Name": kind, "Soft": ends[0], "Hard": ends[1]}
    if not isinstance(value, Mapping):
        refuse(name, "an Ulimit, a dict, or a text", value)
    plain: dict[str, Any] = wire(value, name)
    names = {"name": "Name", "soft": "Soft", "hard": "Hard"}
    return {names.get(key, key): item for key, item in plain.items()}


def restart_policy(value: object, name: str = "restart_policy") -> dict[str, Any]:
    """When to start it again: ``"always"``, ``"on-failure:5"``, or the Engine's dict."""
    if isinstance(value, str):
        policy, colon, count = value.partition(":")
        plain: dict[str, Any] = {"Name": policy}
        if colon:
            plain["MaximumRetryCount"] = _number(count, name)
    elif isinstance(value, Mapping):
        plain = wire(value, name)
        if unknown := set(plain) - {"Name", "MaximumRetryCount"}:
            refuse(name, "a dict with Name and MaximumRetryCount", sorted(unknown))
    else:
        refuse(name, "a text or a dict", value)
    if plain.get("Name") not in ("", "no", "always", "unless-stopped", "on-failure", None):
        refuse(name, "no, always, unless-stopped or on-failure", value)
    return plain


def mappings(value: object, name: str) -> list[dict[str, Any]]:
    """A list of the Engine's dicts, or of values that know theirs."""
    plain: list[dict[str, Any]] = []
    for item in _items(value, name):
        if not isinstance(item, Mapping):
            refuse(name, "a list of values or dicts", item)
        plain.append(wire(item, name))
    return plain


def mapping(value: object, name: str) -> dict[str, Any]:
    """The Engine's dict, or a value that knows it."""
    if not isinstance(value, Mapping):
        refuse(name, "a value of dockerkit.types or a dict", value)
    plain: dict[str, Any] = wire(value, name)
    return plain


def _items(value: object, name: str) -> Iterable[object]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        refuse(name, "a list", value)
    return value


__all__ = [
    "Binds", "ExposedPorts", "HostBinding", "HostPort", "PortBindings", "absolute", "binds", "bytes_per_second",
    "container_ports", "devices", "exposed_ports", "extra_hosts", "group_add", "links", "mapping", "mappings",
    "mount_points", "per_second", "port_bindings", "published", "restart_policy", "tmpfs", "ulimit", "ulimits",
    "volumes_from", "weights",
]  # fmt: skip
