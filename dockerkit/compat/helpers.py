"""Helpers that docker-py has in modules that dockerkit shares with it, for existing code that imports them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from dockerkit.builder.context import DOCKERFILE
from dockerkit.errors import create_unexpected_kwargs_error

__all__ = ["ADDED", "_create_container_args", "is_file", "process_dockerfile"]

ADDED = {
    "docker.api.build": ("process_dockerfile",),
    "docker.api.image": ("is_file",),
    "docker.models.containers": ("_create_container_args",),
}
"""Modules of the alias, and the names added to them."""


def process_dockerfile(dockerfile: str | None, path: str) -> tuple[str | None, str | None]:
    """Return the Dockerfile's name in a context, and its content if it is outside.

    Args:
        dockerfile: path, absolute or relative to the context; None for the default.
        path: the context's folder.
    """
    if not dockerfile:
        return None, None
    root, file = os.path.realpath(path), os.path.join(path, dockerfile)
    if os.path.commonpath([root, os.path.realpath(file)]) != root:
        with open(file, encoding="utf-8") as opened:
            return f".{DOCKERFILE.lower()}.{os.urandom(10).hex()}", opened.read()
    return (os.path.relpath(file, path) if os.path.isabs(dockerfile) else dockerfile), None


def is_file(src: object) -> bool:
    """Return whether a value is the path of a file."""
    return isinstance(src, (str, os.PathLike)) and os.path.isfile(src)


def _create_container_args(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``api.create_container`` for the options of ``containers.run``.

    Raises:
        TypeError: an option is unknown.
    """
    from dockerkit.parsing import shorthands
    from dockerkit.types.containers import HostConfig
    from dockerkit.types.create_options import CONFIG_NAMES, HOST_NAMES

    options = {name: value for name, value in kwargs.items() if value is not None}
    host = {name: options.pop(name) for name in [*options] if name in HOST_NAMES}
    ports, volumes, network = options.pop("ports", None), options.pop("volumes", None), options.pop("network", None)
    networking = options.pop("networking_config", {})
    version = options.pop("version", None)
    if unknown := set(options) - CONFIG_NAMES - {"image", "command", "name", "detach", "platform", "use_config_proxy"}:
        raise create_unexpected_kwargs_error("run", dict.fromkeys(unknown))
    if ports:
        host["port_bindings"] = ports
        options["ports"] = [tuple(port.split("/")) for port in sorted(shorthands.port_bindings(ports))]
    if volumes:
        host["binds"] = volumes
        options["volumes"] = [bind.split(":")[1] if ":" in bind else bind for bind in shorthands.binds(volumes)]
    if network:
        host["network_mode"] = network
        options["networking_config"] = {"EndpointsConfig": {network: networking.get(network)}}
    return {**options, "host_config": HostConfig(version, **host)}
