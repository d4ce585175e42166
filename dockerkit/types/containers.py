"""Containers: the request bodies of create and update calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dockerkit._lazy import lazy_names
from dockerkit.errors import InvalidArgument, UnknownOption
from dockerkit.parsing.options import Owner
from dockerkit.types.container_options import ConfigOptions, ContainerConfigOptions
from dockerkit.types.host_options import HostOptions, UpdateOptions
from dockerkit.types.option_schema import OptionSchema

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.types.limits import DeviceRequest, LogConfig, LogConfigTypesEnum, Ulimit

if not TYPE_CHECKING:  # value classes use pydantic, which plain options do not need
    __getattr__, __dir__ = lazy_names(
        __name__, {"dockerkit.types.limits": "DeviceRequest LogConfig LogConfigTypesEnum Ulimit"}
    )

_CONFIG = OptionSchema(ContainerConfigOptions, "create_container_config")
_HOST = OptionSchema(HostOptions, "create_host_config")


def container_config(**options: Unpack[ContainerConfigOptions]) -> dict[str, Any]:
    """Return the body of ``POST /containers/create``.

    Unless ``detach`` is set, it attaches stdout and stderr, and stdin too if it is open.

    Args:
        options: options of :class:`ContainerConfigOptions`; None is ignored.

    Raises:
        InvalidArgument: a value is invalid; the message names the option.
        UnknownOption: an option is unknown (also a TypeError).
    """
    runtime = options.pop("runtime", None)
    body = _CONFIG.body(options)
    if runtime is not None:
        body["HostConfig"] = {**body.get("HostConfig", {}), **host_config(runtime=runtime)}
    if not body.get("Image"):
        raise InvalidArgument(f"image: must be a name or an ID, got {options.get('image')!r}")
    return with_streams(body, detach=bool(options.get("detach")))


def with_streams(body: dict[str, Any], *, detach: bool) -> dict[str, Any]:
    """Return the body of a create call with the streams to attach."""
    if detach:
        return body
    stdin = {"AttachStdin": True, "StdinOnce": True} if body.get("OpenStdin") else {}
    return {"AttachStdout": True, "AttachStderr": True, **stdin, **body}


def host_config(**options: Unpack[HostOptions]) -> dict[str, Any]:
    """Return the ``HostConfig`` of ``POST /containers/create``.

    Args:
        options: options of :class:`HostOptions`; None is ignored.

    Raises:
        InvalidArgument: a value is invalid, or two options conflict; the message names the option.
        UnknownOption: an option is unknown (also a TypeError).
    """
    return host_options(options)


def host_options(options: Mapping[str, object], owner: Owner | None = None) -> dict[str, Any]:
    """Return the ``HostConfig`` for a mapping of options; `owner` is the called function, for errors."""
    return host_body(_HOST, _HOST.checked(options, owner))


def host_body(schema: OptionSchema, checked: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked options as the Engine's ``HostConfig``; alternative options are merged or refused."""
    if "cpus" in checked and "nano_cpus" in checked:
        raise InvalidArgument("cpus: pass either cpus or nano_cpus, not both")
    if cdi := [device for device in checked.get("devices") or () if isinstance(device, str)]:
        devices = [device for device in checked["devices"] if not isinstance(device, str)]
        requests = [*checked.get("device_requests", ()), {"Driver": "cdi", "DeviceIDs": cdi}]
        checked = {**checked, "devices": devices, "device_requests": requests}
    if "gpus" in checked and "device_requests" in checked:
        requests = [*checked["device_requests"], *checked["gpus"]]
        checked = {name: value for name, value in checked.items() if name != "device_requests"} | {"gpus": requests}
    return schema.placed(checked)


def update_config(**options: Unpack[UpdateOptions]) -> dict[str, Any]:
    """Return the body of ``POST /containers/{id}/update``.

    Args:
        options: options of :class:`UpdateOptions`; None is ignored.

    Raises:
        InvalidArgument: a value is invalid; the message names the option.
        UnknownOption: the option is unknown, or can't be changed on an existing container.
    """
    for name in options:
        if name in _HOST.fields and name not in UpdateOptions.__annotations__:
            raise UnknownOption(f"{name} can't be changed on an existing container: create a new one")
    return host_options(options, "update_container")


def networking_config(endpoints_config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the ``NetworkingConfig`` of ``POST /containers/create``.

    Args:
        endpoints_config: ``{network: endpoint config}``.
    """
    from dockerkit.types.networks import NetworkingConfig

    return NetworkingConfig(endpoints_config).to_engine()


class HostConfig(dict[str, Any]):
    """docker-py's class of the result of :func:`host_config`.

    Args:
        version: accepted for compatibility with docker-py and ignored.
        args: positional options in docker-py's order.
        options: options of :class:`HostOptions`.
    """

    def __init__(self, version: str | None = None, *args: object, **options: Unpack[HostOptions]) -> None:
        super().__init__(host_options(_by_position(_HOST.fields, args, options)))


class ContainerConfig(dict[str, Any]):
    """docker-py's class of the result of :func:`container_config`.

    Args:
        version: accepted for compatibility with docker-py and ignored.
        args: positional options in docker-py's order: image, command, hostname...
        options: options of :class:`ContainerConfigOptions`.
    """

    def __init__(self, version: str | None = None, *args: object, **options: Unpack[ContainerConfigOptions]) -> None:
        arguments: Any = _by_position(_CONFIG.fields, args, options)
        super().__init__(container_config(**arguments))


def _by_position(names: Iterable[str], args: tuple[object, ...], options: Mapping[str, object]) -> dict[str, object]:
    arguments = dict(zip(names, args, strict=False))
    if duplicates := arguments.keys() & options.keys():
        raise UnknownOption(f"{', '.join(sorted(duplicates))}: passed both by position and by name")
    return {**arguments, **options}


__all__ = [
    "ConfigOptions",
    "ContainerConfig",
    "ContainerConfigOptions",
    "DeviceRequest",
    "HostConfig",
    "HostOptions",
    "LogConfig",
    "LogConfigTypesEnum",
    "Ulimit",
    "UpdateOptions",
    "container_config",
    "host_config",
    "networking_config",
    "update_config",
]
