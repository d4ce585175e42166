"""Parse the short notations of container options: binds, devices, links, limits. Does not use pydantic.

Each function takes a value and the parameter's name, and returns the Engine's format or raises InvalidArgument.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Literal, TypedDict, cast

from dockerkit.errors import InvalidArgument
from dockerkit.parsing.json_data import to_json_data
from dockerkit.parsing.ports import ExposedPorts, PortBindings, container_ports, exposed_ports, port_bindings, published
from dockerkit.parsing.values import integer, ip, raise_invalid, sequence, size, string, string_list

RestartPolicyName = Literal[
    "no", "always", "unless-stopped", "on-failure", "on-failure:1", "on-failure:2", "on-failure:3", "on-failure:4",
    "on-failure:5", "on-failure:10",
]  # fmt: skip
"""A policy; the dict of the Engine has any number of attempts."""

Binds = Mapping[str, str | Mapping[str, Any]] | Sequence[str | PurePath]
"""``{host folder or volume: {"bind": "/in/container", "mode": "ro"}}``, or strings ``"./src:/app:ro"``."""


class Throttle(TypedDict):
    """A limit of a block device, in the Engine's format."""

    Path: str
    """The device."""
    Rate: int
    """Bytes or operations per second."""


_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_CDI_NAME = re.compile(r"[A-Za-z][\w.-]*\.[\w.-]+/[\w-]+=[\w.:-]+")


# -- folders -----------------------------------------------------------------------------------------------------


def binds(value: object, name: str = "binds") -> list[str]:
    """Return folders and volumes to mount: ``["/host/src:/app:ro"]``.

    A host folder that begins with ``.`` or ``~`` is resolved on this machine; the engine may run on another one.
    """
    if isinstance(value, Mapping):
        return [_bind(source, target, f"{name}[{source!r}]") for source, target in value.items()]
    return [absolute(item, name) for item in string_list(value, name)]


def _bind(source: object, target: object, name: str) -> str:
    source_path = absolute(string(os.fsdecode(source) if isinstance(source, bytes) else source, name), name)
    if not isinstance(target, Mapping):
        path = string(target, name)
        return f"{source_path}:{path}" if ":" in _DRIVE.sub("", path) else f"{source_path}:{path}:rw"
    if unknown := set(target) - {"bind", "mode", "ro", "propagation"}:
        raise InvalidArgument(
            f"{name}: unknown key {', '.join(map(repr, sorted(unknown)))}; use bind, mode, ro or propagation"
        )
    if "bind" not in target:
        raise_invalid(name, "a dict with 'bind', the path in the container", dict(target))
    if "ro" in target and "mode" in target:
        raise InvalidArgument(f"{name}: pass either 'mode' or 'ro', not both, got {dict(target)!r}")
    mode = ("ro" if target["ro"] else "rw") if "ro" in target else target.get("mode") or "rw"
    if target.get("propagation"):
        mode = f"{mode},{string(target['propagation'], name)}"
    path = os.fsdecode(target["bind"]) if isinstance(target["bind"], bytes) else target["bind"]
    return f"{source_path}:{string(path, name)}:{string(mode, name)}"


def absolute(spec: str, name: str = "volumes") -> str:
    """Return a bind with its host folder made absolute, from the current directory or a home folder."""
    source, colon, rest = spec.partition(":")
    if "\0" in spec:
        raise InvalidArgument(f"{name}: {spec!r} contains a null character")
    return absolute_folder(source, anything=False, name=name) + colon + rest


def absolute_folder(source: str, *, anything: bool, name: str = "volumes") -> str:
    """Return a host folder as an absolute path, from the current directory or a home folder.

    Args:
        source: the folder.
        anything: whether a bare name is a folder too, instead of a volume.
        name: name of the parameter, for the error.
    """
    if source.startswith("~"):
        expanded = os.path.expanduser(source)
        if expanded.startswith("~"):
            raise InvalidArgument(f"{name}: {source!r} names a home folder that does not exist on this machine")
        return expanded
    if source.startswith(".") or (anything and not source.startswith(("/", "\\")) and not _DRIVE.match(source)):
        return os.path.abspath(source)
    return source


def mount_points(value: object, name: str = "volumes") -> dict[str, dict[str, Any]]:
    """Return the paths in the container that are volumes: ``{"/data": {}}``."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):
        value = list(value)
    return {path: {} for path in string_list(value, name)}


def tmpfs(value: object, name: str = "tmpfs") -> dict[str, str]:
    """Return tmpfs mounts, from ``{"/run": "size=64m"}`` or strings ``"/run:size=64m"``."""
    if isinstance(value, Mapping):
        return {string(path, name): string(options or "", f"{name}[{path!r}]") for path, options in value.items()}
    pairs = (item.partition(":") for item in string_list(value, name))
    return {path: options for path, _, options in pairs}


# -- hosts and other containers ------------------------------------------------------------------------------------


def extra_hosts(value: object, name: str = "extra_hosts") -> list[str]:
    """Return lines for /etc/hosts, from a mapping of names to addresses (or lists of them) or ``"name:address"`` strings."""
    if isinstance(value, Mapping):
        return [
            f"{string(host, name)}:{_host_address(address, f'{name}[{host!r}]')}"
            for host, addresses in sorted(value.items())
            for address in (addresses if isinstance(addresses, (list, tuple)) else [addresses])
        ]
    lines = []
    for line in string_list(value, name):
        ends = [offset for offset in (line.find("="), line.find(":")) if offset > 0]
        if not ends or not line[min(ends) + 1 :]:
            raise_invalid(name, '"name:address"', line)
        lines.append(f"{line[: min(ends)]}:{_host_address(line[min(ends) + 1 :], name)}")
    return lines


def _host_address(value: object, name: str) -> str:
    plain = string(value, name)
    if plain.startswith("[") and plain.endswith("]"):
        plain = plain[1:-1]
    return plain if plain == "host-gateway" else ip(plain, name)


def links(value: object, name: str = "links") -> list[str]:
    """Return links, from a mapping of containers to aliases, pairs, or ``"container:alias"`` strings."""
    if isinstance(value, Mapping):
        value = sorted(value.items())
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise_invalid(name, "a mapping, pairs or strings", value)
    plain = []
    for item in value:
        if isinstance(item, str):
            plain.append(item)
        elif isinstance(item, (tuple, list)) and len(item) == 2:
            container, alias = item
            plain.append(f"{string(container, name)}:{string(alias, name)}" if alias else string(container, name))
        else:
            raise_invalid(name, '(container, alias) or "container:alias"', item)
    return plain


def volumes_from(value: object, name: str = "volumes_from") -> list[str]:
    """Return the containers whose volumes are mounted too; a string is split at its commas."""
    return value.split(",") if isinstance(value, str) else string_list(value, name)


def group_add(value: object, name: str = "group_add") -> list[str]:
    """Return groups by name or number."""
    if isinstance(value, (str, int)) or not isinstance(value, Iterable):
        raise_invalid(name, "a list of groups", value)
    return [str(integer(item, name)) if isinstance(item, int) else string(item, name) for item in value]


def capabilities(value: object, name: str) -> list[str]:
    """Return a list of capabilities; a string is a single one."""
    return [value] if isinstance(value, str) and value else string_list(value, name)


# -- devices and limits --------------------------------------------------------------------------------------------


def devices(value: object, name: str = "devices") -> list[dict[str, str]]:
    """Return host devices, from ``"/dev/sda:/dev/xvda:rwm"`` or the Engine's dicts."""
    return [_device(item, name) for item in sequence(value, name)]


def devices_and_cdi(value: object, name: str = "devices") -> list[dict[str, str] | str]:
    """Return host devices as :func:`devices` does; names of the Container Device Interface stay strings."""
    return [
        item if isinstance(item, str) and _CDI_NAME.fullmatch(item) else _device(item, name)
        for item in sequence(value, name)
    ]


def _device(value: object, name: str) -> dict[str, str]:
    if isinstance(value, Mapping):
        return cast("dict[str, str]", to_json_data(value, name))
    if _CDI_NAME.fullmatch(string(value, name)):
        raise InvalidArgument(f"{name}: {value!r} is a CDI name; pass device_requests=[DeviceRequest.cdi({value!r})]")
    outside, *rest = string(value, name).split(":")
    inside, permissions = outside, "rwm"
    if rest and set(rest[-1]) <= set("rwm") and rest[-1]:
        permissions = rest.pop()
    if rest:
        inside = rest.pop()
    if rest or not outside or not inside:
        raise_invalid(name, '"/dev/on/host[:/dev/in/container][:rwm]"', value)
    return {"PathOnHost": outside, "PathInContainer": inside, "CgroupPermissions": permissions}


def bytes_per_second(value: object, name: str) -> list[Throttle]:
    """Return byte rates of block devices, from ``[("/dev/sda", "10m")]``, ``["/dev/sda:10m"]``, or the Engine's dicts."""
    return [{"Path": path, "Rate": size(rate, name)} for path, rate in _per_device(value, name, "Rate")]


def per_second(value: object, name: str) -> list[Throttle]:
    """Return operations per second of block devices, from ``[("/dev/sda", 1000)]``, ``["/dev/sda:1000"]`` or dicts."""
    return [{"Path": path, "Rate": _number(rate, name)} for path, rate in _per_device(value, name, "Rate")]


def weights(value: object, name: str) -> list[dict[str, object]]:
    """Return weights of block devices, from ``[("/dev/sda", 300)]``, ``["/dev/sda:300"]``, or the Engine's dicts."""
    return [{"Path": path, "Weight": _number(weight, name)} for path, weight in _per_device(value, name, "Weight")]


def _per_device(value: object, name: str, key: str) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for item in sequence(value, name):
        if isinstance(item, str):
            path, colon, amount = item.rpartition(":")
            if not colon:
                raise_invalid(name, f'"/dev/name:{key.lower()}"', item)
            pairs.append((path, amount))
        elif isinstance(item, Mapping) and set(item) == {"Path", key}:
            pairs.append((string(item["Path"], name), item[key]))
        elif isinstance(item, (tuple, list)) and len(item) == 2:
            pairs.append((string(item[0], name), item[1]))
        else:
            raise_invalid(name, f"a dict with Path and {key}", item)
    return pairs


def _number(value: object, name: str) -> int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else integer(value, name)


def ulimits(value: object, name: str = "ulimits") -> list[dict[str, Any]]:
    """Return process limits, from ``Ulimit`` values, the Engine's dicts, or ``"nofile=1024:2048"`` strings."""
    return [ulimit(item, name) for item in sequence(value, name)]


def ulimit(value: object, name: str = "ulimits") -> dict[str, Any]:
    """Return one process limit as the Engine's dict."""
    if isinstance(value, str):
        kind, equals, numbers = value.partition("=")
        soft, _, hard = numbers.partition(":")
        ends = [int(end) for end in (soft, hard or soft) if end.removeprefix("-").isdecimal() and end.isascii()]
        if not kind or not equals or len(ends) != 2:
            raise_invalid(name, '"name=soft[:hard]"', value)
        return {"Name": kind, "Soft": ends[0], "Hard": ends[1]}
    names = {"name": "Name", "soft": "Soft", "hard": "Hard"}
    fields = _record(value, name, "a Ulimit, a dict or a string")
    return {names.get(key, key): item for key, item in fields.items()}


def restart_policy(value: object, name: str = "restart_policy") -> dict[str, Any]:
    """Return a restart policy, from ``"always"``, ``"on-failure:5"`` or the Engine's dict."""
    if isinstance(value, str):
        policy, colon, count = value.partition(":")
        plain: dict[str, Any] = {"Name": policy}
        if colon:
            plain["MaximumRetryCount"] = _number(count, name)
    else:
        names = {"name": "Name", "maximumretrycount": "MaximumRetryCount"}
        fields = _record(value, name, "a string or a dict")
        plain = {names.get(key.lower(), key): item for key, item in fields.items()}
        if unknown := set(plain) - {"Name", "MaximumRetryCount"}:
            raise_invalid(name, "a dict with Name and MaximumRetryCount", sorted(unknown))
    if plain.get("Name") not in ("", "no", "always", "unless-stopped", "on-failure", None):
        raise_invalid(name, "no, always, unless-stopped or on-failure", value)
    return plain


def mappings(value: object, name: str) -> list[dict[str, Any]]:
    """Return a list of the Engine's dicts, from dicts or values of dockerkit.types."""
    return [_record(item, name, "a list of values or dicts") for item in sequence(value, name)]


def mapping(value: object, name: str) -> dict[str, Any]:
    """Return the Engine's dict, from a dict or a value of dockerkit.types."""
    return _record(value, name, "a value of dockerkit.types or a dict")


def _record(value: object, name: str, expected: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise_invalid(name, expected, value)
    return cast("dict[str, Any]", to_json_data(value, name))


__all__ = [
    "Binds", "ExposedPorts", "PortBindings", "absolute", "binds", "bytes_per_second", "capabilities", "container_ports", "devices",
    "exposed_ports", "extra_hosts", "group_add", "links", "mapping", "mappings", "mount_points", "per_second",
    "port_bindings", "published", "restart_policy", "tmpfs", "ulimit", "ulimits", "volumes_from", "weights",
]  # fmt: skip
