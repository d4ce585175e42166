"""docker-py's ``docker.utils.utils``."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from dockerkit import address, config
from dockerkit.api.encode import filters_json
from dockerkit.api.versions import compare_version, version_gte, version_lt
from dockerkit.constants import BYTE_UNITS, DEFAULT_HTTP_HOST, DEFAULT_NPIPE, DEFAULT_UNIX_SOCKET
from dockerkit.errors import DeprecatedMethod
from dockerkit.reference import parse_repository_tag
from dockerkit.types import parse, shorthands

if TYPE_CHECKING:
    from dockerkit.tls import TLSConfig

__all__ = [
    "BYTE_UNITS", "DEFAULT_HTTP_HOST", "DEFAULT_NPIPE", "DEFAULT_UNIX_SOCKET", "URLComponents", "compare_version",
    "convert_filters", "convert_port_bindings", "convert_service_networks", "convert_tmpfs_mounts",
    "convert_volume_binds", "create_host_config", "create_ipam_config", "create_ipam_pool", "datetime_to_timestamp",
    "decode_json_header", "format_environment", "format_extra_hosts", "kwargs_from_env", "normalize_links",
    "parse_bytes", "parse_devices", "parse_env_file", "parse_host", "parse_repository_tag", "split_command",
    "version_gte", "version_lt",
]  # fmt: skip


class URLComponents(NamedTuple):
    """The parts of a URL."""

    scheme: str | None
    netloc: str | None
    url: str
    params: str | None
    query: str | None
    fragment: str | None


def convert_filters(filters: Mapping[str, object]) -> str:
    """Filters as the JSON text that the Engine takes."""
    return filters_json(filters) or "{}"


def convert_port_bindings(port_bindings: shorthands.PortBindings) -> dict[str, list[dict[str, str]]]:
    """``{"80/tcp": 8080}`` as ``HostConfig.PortBindings``."""
    return shorthands.port_bindings(port_bindings)


def convert_volume_binds(binds: shorthands.Binds) -> list[str]:
    """``{"/src": {"bind": "/app", "mode": "ro"}}`` as ``HostConfig.Binds``."""
    return shorthands.binds(binds)


def convert_tmpfs_mounts(tmpfs: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """``["/run:size=64m"]`` as ``HostConfig.Tmpfs``."""
    return shorthands.tmpfs(tmpfs)


def convert_service_networks(networks: Sequence[str | Mapping[str, object]] | None) -> list[dict[str, Any]] | None:
    """Names of networks as what a service's task takes."""
    if not networks:
        return None if networks is None else []
    if not isinstance(networks, list):
        raise TypeError(f"networks: a list is needed, not {networks!r}")
    return [{"Target": network} if isinstance(network, str) else dict(network) for network in networks]


def create_host_config(self: object, *args: object, **kwargs: object) -> NoReturn:
    """Gone from docker-py long ago.

    Raises:
        DeprecatedMethod: always; says what to use.
    """
    raise DeprecatedMethod("utils.create_host_config is gone; use dockerkit.types.HostConfig")


def create_ipam_pool(*args: object, **kwargs: object) -> NoReturn:
    """Gone from docker-py long ago.

    Raises:
        DeprecatedMethod: always; says what to use.
    """
    raise DeprecatedMethod("utils.create_ipam_pool is gone; use dockerkit.types.IPAMPool")


def create_ipam_config(*args: object, **kwargs: object) -> NoReturn:
    """Gone from docker-py long ago.

    Raises:
        DeprecatedMethod: always; says what to use.
    """
    raise DeprecatedMethod("utils.create_ipam_config is gone; use dockerkit.types.IPAMConfig")


def datetime_to_timestamp(dt: datetime) -> int:
    """Whole seconds since 1970; a datetime without a zone is UTC."""
    return int((dt if dt.tzinfo else dt.replace(tzinfo=UTC)).timestamp())


def decode_json_header(header: str) -> dict[str, Any]:
    """What a header of base64'd JSON says."""
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(header))
    return value


def format_environment(environment: Mapping[str, Any]) -> list[str]:
    """Variables as ``"NAME=value"`` texts."""
    return parse.environment(environment)


def format_extra_hosts(extra_hosts: Mapping[str, str], task: bool = False) -> list[str]:
    """Lines for /etc/hosts: ``"name:address"`` for containers, ``"address name"`` for a service's tasks."""
    if task:
        return [f"{ip} {host}" for host, ip in sorted(extra_hosts.items())]
    return shorthands.extra_hosts(extra_hosts)


def kwargs_from_env(environment: Mapping[str, str] | None = None) -> dict[str, str | TLSConfig]:
    """What ``DOCKER_HOST``, ``DOCKER_TLS_VERIFY`` and ``DOCKER_CERT_PATH`` say, for ``DockerClient(**it)``."""
    env = os.environ if environment is None else environment
    if not env.get("DOCKER_HOST"):
        return {}
    endpoint = config.resolve(environment=env, use_context=False)
    found: dict[str, str | TLSConfig] = {"base_url": endpoint.host}
    if endpoint.tls:
        found["tls"] = endpoint.tls
    return found


def normalize_links(links: Mapping[str, str | None] | Sequence[tuple[str, str | None]]) -> list[str]:
    """Links as ``"container:alias"`` texts."""
    return shorthands.links(links)


def parse_bytes(s: str | float) -> int | float:
    """Bytes of a text such as ``"128m"``; numbers stay what they are, and nothing is 0."""
    return s if isinstance(s, (int, float)) else parse.size(s) if s else 0


def parse_devices(devices: Sequence[str | Mapping[str, str]]) -> list[dict[str, str]]:
    """``["/dev/sda:/dev/xvda:rwm"]`` as ``HostConfig.Devices``."""
    return shorthands.devices(devices)


def parse_env_file(env_file: str) -> dict[str, str]:
    """The variables of a file as ``docker run --env-file`` reads it."""
    return parse.env_file(env_file)


def parse_host(addr: str | None, is_win32: bool = False, tls: bool = False) -> str:
    """An engine's address in docker-py's form: ``http+unix:///path``, ``http://host:port``, ``ssh://user@host:22``."""
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
    """A command's words, as a shell splits them."""
    return parse.command(command)
