"""docker-py's ``docker.utils.utils``."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from dockerkit.api.encode import filters_json
from dockerkit.api.versions import compare_version, version_gte, version_lt
from dockerkit.compat.constants import BYTE_UNITS, DEFAULT_HTTP_HOST, DEFAULT_NPIPE, DEFAULT_UNIX_SOCKET
from dockerkit.endpoint import address, discovery
from dockerkit.errors import DeprecatedMethod
from dockerkit.parsing import shorthands, values
from dockerkit.parsing.reference import parse_repository_tag

if TYPE_CHECKING:
    from dockerkit.endpoint.tls import TLSConfig

__all__ = [
    "BYTE_UNITS", "DEFAULT_HTTP_HOST", "DEFAULT_NPIPE", "DEFAULT_UNIX_SOCKET", "URLComponents", "compare_version",
    "convert_filters", "convert_port_bindings", "convert_service_networks", "convert_tmpfs_mounts",
    "convert_volume_binds", "create_host_config", "create_ipam_config", "create_ipam_pool", "datetime_to_timestamp",
    "decode_json_header", "format_environment", "format_extra_hosts", "kwargs_from_env", "normalize_links",
    "parse_bytes", "parse_devices", "parse_env_file", "parse_host", "parse_repository_tag", "split_command",
    "version_gte", "version_lt",
]  # fmt: skip


class URLComponents(NamedTuple):
    """Parts of a URL."""

    scheme: str | None
    netloc: str | None
    url: str
    params: str | None
    query: str | None
    fragment: str | None


def convert_filters(filters: Mapping[str, object]) -> str:
    """Return filters as the JSON string that the Engine expects."""
    return filters_json(filters) or "{}"


def convert_port_bindings(port_bindings: shorthands.PortBindings) -> dict[str, list[dict[str, str]]]:
    """Return ``{"80/tcp": 8080}`` as ``HostConfig.PortBindings``."""
    return shorthands.port_bindings(port_bindings)


def convert_volume_binds(binds: shorthands.Binds) -> list[str]:
    """Return ``{"/src": {"bind": "/app", "mode": "ro"}}`` as ``HostConfig.Binds``."""
    return shorthands.binds(binds)


def convert_tmpfs_mounts(tmpfs: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """Return ``["/run:size=64m"]`` as ``HostConfig.Tmpfs``."""
    return shorthands.tmpfs(tmpfs)


def convert_service_networks(networks: Sequence[str | Mapping[str, object]] | None) -> list[dict[str, Any]] | None:
    """Return names of networks in the format of a service's task."""
    if not networks:
        return None if networks is None else []
    if not isinstance(networks, list):
        raise TypeError(f"networks: must be a list, got {networks!r}")
    return [{"Target": network} if isinstance(network, str) else dict(network) for network in networks]


def create_host_config(self: object, *args: object, **kwargs: object) -> NoReturn:
    """Raise an error: removed from docker-py long ago.

    Raises:
        DeprecatedMethod: always; names the replacement.
    """
    raise DeprecatedMethod("utils.create_host_config was removed; use dockerkit.types.HostConfig")


def create_ipam_pool(*args: object, **kwargs: object) -> NoReturn:
    """Raise an error: removed from docker-py long ago.

    Raises:
        DeprecatedMethod: always; names the replacement.
    """
    raise DeprecatedMethod("utils.create_ipam_pool was removed; use dockerkit.types.IPAMPool")


def create_ipam_config(*args: object, **kwargs: object) -> NoReturn:
    """Raise an error: removed from docker-py long ago.

    Raises:
        DeprecatedMethod: always; names the replacement.
    """
    raise DeprecatedMethod("utils.create_ipam_config was removed; use dockerkit.types.IPAMConfig")


def datetime_to_timestamp(dt: datetime) -> int:
    """Return whole seconds since 1970; a datetime without a time zone is UTC."""
    return int((dt if dt.tzinfo else dt.replace(tzinfo=UTC)).timestamp())


def decode_json_header(header: str) -> dict[str, Any]:
    """Decode a header of base64-encoded JSON."""
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(header))
    return value


def format_environment(environment: Mapping[str, Any]) -> list[str]:
    """Return variables as ``"NAME=value"`` strings."""
    return values.environment(environment)


def format_extra_hosts(extra_hosts: Mapping[str, str], task: bool = False) -> list[str]:
    """Return lines for /etc/hosts: ``"name:address"`` for containers, ``"address name"`` for a service's tasks."""
    if task:
        return [f"{ip} {host}" for host, ip in sorted(extra_hosts.items())]
    return shorthands.extra_hosts(extra_hosts)


def kwargs_from_env(
    environment: Mapping[str, str] | None = None, *, ssl_version: object = None, assert_hostname: object = None
) -> dict[str, str | TLSConfig]:
    """Return arguments for ``DockerClient`` from ``DOCKER_HOST``, ``DOCKER_TLS_VERIFY`` and ``DOCKER_CERT_PATH``.

    Args:
        environment: variables to use instead of ``os.environ``.
        ssl_version, assert_hostname: accepted for compatibility with docker-py before 7 and ignored.
    """
    env = os.environ if environment is None else environment
    if not env.get("DOCKER_HOST"):
        return {}
    endpoint = discovery.resolve(environment=env, use_context=False)
    kwargs: dict[str, str | TLSConfig] = {"base_url": endpoint.host}
    if endpoint.tls:
        kwargs["tls"] = endpoint.tls
    return kwargs


def normalize_links(links: Mapping[str, str | None] | Sequence[tuple[str, str | None]]) -> list[str]:
    """Return links as ``"container:alias"`` strings."""
    return shorthands.links(links)


def parse_bytes(s: str | float) -> int | float:
    """Return the bytes of a string such as ``"128m"``; numbers are returned unchanged, and None as 0."""
    return s if isinstance(s, (int, float)) else values.size(s) if s else 0


def parse_devices(devices: Sequence[str | Mapping[str, str]]) -> list[dict[str, str]]:
    """Return ``["/dev/sda:/dev/xvda:rwm"]`` as ``HostConfig.Devices``."""
    return shorthands.devices(devices)


def parse_env_file(env_file: str) -> dict[str, str]:
    """Return the variables of a file, parsed as by ``docker run --env-file``."""
    return values.env_file(env_file)


def parse_host(addr: str | None, is_win32: bool = False, tls: bool = False) -> str:
    """Return an engine's address in docker-py's format: ``http+unix:///path``, ``http://host:port``, ``ssh://user@host:22``."""
    if not addr or addr == "unix://":
        return DEFAULT_NPIPE if is_win32 else DEFAULT_UNIX_SOCKET
    host, secure = address.parse_host(addr, parameter="addr", tls=tls)
    scheme, _, rest = host.partition("://")
    if scheme == "unix":
        return f"http+unix://{rest}"
    if scheme == "tcp":
        return f"{'https' if secure or tls else 'http'}://{rest}"
    if scheme == "ssh":
        server, slash, path = rest.partition("/")
        port = "" if server.rpartition("@")[2].rpartition("]")[2].count(":") else ":22"
        return f"ssh://{server}{port}{slash}{path}"
    return host


def split_command(command: str) -> list[str]:
    """Split a command into arguments, as a shell does."""
    return values.command(command)
