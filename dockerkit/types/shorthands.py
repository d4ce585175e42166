"""What a container is made of, as people write it: folders, devices, links, limits. No pydantic here.

Each function takes a value and the parameter's name, and answers the Engine's form, or raises InvalidArgument.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, TypedDict

from dockerkit.errors import InvalidArgument
from dockerkit.types.parse import refuse, size, text, texts, whole
from dockerkit.types.ports import ExposedPorts, PortBindings, container_ports, exposed_ports, port_bindings, published
from dockerkit.types.wire import wire

Binds = Mapping[str, str | Mapping[str, Any]] | Sequence[str | PurePath]
"""``{host folder or volume: {"bind": "/in/container", "mode": "ro"}}``, or texts ``"./src:/app:ro"``."""


class Throttle(TypedDict):
    """A limit of a block device, as the Engine writes it."""

    Path: str
    """The device."""
    Rate: int
    """Bytes or operations per second."""


_CDI_NAME = re.compile(r"[A-Za-z][\w.-]*\.[\w.-]+/[\w-]+=[\w.:-]+")


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
    "Binds", "ExposedPorts", "PortBindings", "absolute", "binds", "bytes_per_second", "container_ports", "devices",
    "exposed_ports", "extra_hosts", "group_add", "links", "mapping", "mappings", "mount_points", "per_second",
    "port_bindings", "published", "restart_policy", "tmpfs", "ulimit", "ulimits", "volumes_from", "weights",
]  # fmt: skip
