"""docker-py's ``docker.constants``."""

from __future__ import annotations

import sys

from dockerkit.api.defaults import (
    DEFAULT_DATA_CHUNK_SIZE,
    DEFAULT_MAX_POOL_SIZE,
    DEFAULT_NUM_POOLS,
    DEFAULT_NUM_POOLS_SSH,
    DEFAULT_SWARM_ADDR_POOL,
    DEFAULT_SWARM_SUBNET_SIZE,
    DEFAULT_TIMEOUT_SECONDS,
    DEFAULT_USER_AGENT,
)
from dockerkit.api.versions import CEILING, FLOOR
from dockerkit.streams.frames import HEADER_SIZE as STREAM_HEADER_SIZE_BYTES

__all__ = [
    "BYTE_UNITS", "CONTAINER_LIMITS_KEYS", "DEFAULT_DATA_CHUNK_SIZE", "DEFAULT_DOCKER_API_VERSION",
    "DEFAULT_HTTP_HOST", "DEFAULT_MAX_POOL_SIZE", "DEFAULT_NPIPE", "DEFAULT_NUM_POOLS", "DEFAULT_NUM_POOLS_SSH",
    "DEFAULT_SWARM_ADDR_POOL", "DEFAULT_SWARM_SUBNET_SIZE", "DEFAULT_TIMEOUT_SECONDS", "DEFAULT_UNIX_SOCKET",
    "DEFAULT_USER_AGENT", "INSECURE_REGISTRY_DEPRECATION_WARNING", "IS_WINDOWS_PLATFORM", "MINIMUM_DOCKER_API_VERSION",
    "STREAM_HEADER_SIZE_BYTES", "WINDOWS_LONGPATH_PREFIX",
]  # fmt: skip

DEFAULT_DOCKER_API_VERSION = CEILING
MINIMUM_DOCKER_API_VERSION = FLOOR
CONTAINER_LIMITS_KEYS = ["memory", "memswap", "cpushares", "cpusetcpus"]

DEFAULT_HTTP_HOST = "127.0.0.1"
DEFAULT_UNIX_SOCKET = "http+unix:///var/run/docker.sock"
DEFAULT_NPIPE = "npipe:////./pipe/docker_engine"

BYTE_UNITS = {"b": 1, "k": 1024, "m": 1024 * 1024, "g": 1024 * 1024 * 1024}

INSECURE_REGISTRY_DEPRECATION_WARNING = (
    "insecure_registry has no effect: add the registry to insecure-registries in the engine's configuration"
)
IS_WINDOWS_PLATFORM = sys.platform == "win32"
WINDOWS_LONGPATH_PREFIX = "\\\\?\\"
