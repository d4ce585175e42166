"""Containers: the bodies of create and update calls, and the values in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.errors import InvalidArgument, UnknownOption
from dockerkit.types.base import Rows
from dockerkit.types.container_options import ConfigOptions, ContainerConfigOptions
from dockerkit.types.host_options import HostOptions, UpdateOptions
from dockerkit.types.limits import DeviceRequest, LogConfig, LogConfigTypesEnum, Ulimit
from dockerkit.types.networks import NetworkingConfig

if TYPE_CHECKING:
    from typing import Unpack

_CONFIG = Rows(ContainerConfigOptions, "create_container_config")
_HOST = Rows(HostOptions, "create_host_config")


def container_config(**options: Unpack[ContainerConfigOptions]) -> dict[str, Any]:
    """The body of ``POST /containers/create``.

    Unless ``detach`` says otherwise, it says that stdout and stderr will be attached, and stdin too if it is open.

    Args:
        options: the rows of :class:`ContainerConfigOptions`; None counts as not given.

    Raises:
        InvalidArgument: a value can't be right; the message names the option.
        UnknownOption: there is no such option (also a TypeError).
    """
    runtime = options.pop("runtime", None)
    body = _CONFIG.body(options)
    if runtime is not None:
        body["HostConfig"] = {**body.get("HostConfig", {}), **host_config(runtime=runtime)}
    if not body.get("Image"):
        raise InvalidArgument(f"image: a name or an id is needed, not {options.get('image')!r}")
    return with_streams(body, detach=bool(options.get("detach")))


def with_streams(body: dict[str, Any], *, detach: bool) -> dict[str, Any]:
    """The body of a create call which says what will be attached."""
    if detach:
        return body
    stdin = {"AttachStdin": True, "StdinOnce": True} if body.get("OpenStdin") else {}
    return {"AttachStdout": True, "AttachStderr": True, **stdin, **body}


def host_config(**options: Unpack[HostOptions]) -> dict[str, Any]:
    """The ``HostConfig`` of ``POST /containers/create``.

    Args:
        options: the rows of :class:`HostOptions`; None counts as not given.

    Raises:
        InvalidArgument: a value can't be right, or two say the same; the message names the option.
        UnknownOption: there is no such option (also a TypeError).
    """
    return _host_body(options)


def _host_body(options: Mapping[str, object]) -> dict[str, Any]:
    return host_body(_HOST, _HOST.checked(options))


def host_body(rows: Rows, checked: Mapping[str, Any]) -> dict[str, Any]:
    """Checked options as the Engine's ``HostConfig``; two ways to say the same are put together, or refused."""
    if "cpus" in checked and "nano_cpus" in checked:
        raise InvalidArgument("cpus: give it or nano_cpus, not both")
    if "gpus" in checked and "device_requests" in checked:
        checked = {**checked, "gpus": [*checked["device_requests"], *checked["gpus"]]}
    return rows.placed(checked)


def update_config(**options: Unpack[UpdateOptions]) -> dict[str, Any]:
    """The body of ``POST /containers/{id}/update``.

    Args:
        options: the rows of :class:`UpdateOptions`; None counts as not given.

    Raises:
        InvalidArgument: a value can't be right; the message names the option.
        UnknownOption: there is no such option, or it can't be changed later.
    """
    for name in options:
        if name in _HOST.wires and name not in UpdateOptions.__annotations__:
            raise UnknownOption(f"{name} can't be changed on an existing container: create it anew")
    return _host_body(options)


def networking_config(endpoints_config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The ``NetworkingConfig`` of ``POST /containers/create``.

    Args:
        endpoints_config: ``{network: endpoint config}``.
    """
    return NetworkingConfig(endpoints_config).to_engine()


class HostConfig(dict[str, Any]):
    """docker-py's class of what :func:`host_config` makes.

    Args:
        version: taken for docker-py's sake: the version in use with the engine decides.
        args: options by position, in docker-py's order.
        options: the rows of :class:`HostOptions`.
    """

    def __init__(self, version: str | None = None, *args: object, **options: Unpack[HostOptions]) -> None:
        super().__init__(_host_body(_by_position(_HOST.wires, args, options)))


class ContainerConfig(dict[str, Any]):
    """docker-py's class of what :func:`container_config` makes.

    Args:
        version: taken for docker-py's sake: the version in use with the engine decides.
        args: options by position, in docker-py's order: image, command, hostname...
        options: the rows of :class:`ContainerConfigOptions`.
    """

    def __init__(self, version: str | None = None, *args: object, **options: Unpack[ContainerConfigOptions]) -> None:
        given: Any = _by_position(_CONFIG.wires, args, options)
        super().__init__(container_config(**given))


def _by_position(names: Iterable[str], args: tuple[object, ...], options: Mapping[str, object]) -> dict[str, object]:
    given = dict(zip(names, args, strict=False))
    if twice := given.keys() & options.keys():
        raise UnknownOption(f"{', '.join(sorted(twice))}: given by position and by name")
    return {**given, **options}


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
