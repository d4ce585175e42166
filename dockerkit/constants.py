"""Names and numbers that users of docker-py import, and our own defaults."""

from __future__ import annotations

import sys

from dockerkit.api.versions import CEILING, FLOOR

DEFAULT_DOCKER_API_VERSION = CEILING
MINIMUM_DOCKER_API_VERSION = FLOOR
DEFAULT_TIMEOUT_SECONDS = 60
DEFAULT_DATA_CHUNK_SIZE = 1024 * 2048
STREAM_HEADER_SIZE_BYTES = 8
CONTAINER_LIMITS_KEYS = ["memory", "memswap", "cpushares", "cpusetcpus"]

DEFAULT_HTTP_HOST = "127.0.0.1"
DEFAULT_UNIX_SOCKET = "http+unix:///var/run/docker.sock"
DEFAULT_NPIPE = "npipe:////./pipe/docker_engine"

BYTE_UNITS = {"b": 1, "k": 1024, "m": 1024 * 1024, "g": 1024 * 1024 * 1024}

INSECURE_REGISTRY_DEPRECATION_WARNING = (
    "The insecure_registry argument has no effect: list the registry in the engine's own configuration"
)
IS_WINDOWS_PLATFORM = sys.platform == "win32"
WINDOWS_LONGPATH_PREFIX = "\\\\?\\"

DEFAULT_USER_AGENT = "dockerkit/0.1.0"
DEFAULT_NUM_POOLS = 25
DEFAULT_NUM_POOLS_SSH = 9
DEFAULT_MAX_POOL_SIZE = 10
# Idle connections that a client keeps: as many as threads that share it, within reason.
KEPT_CONNECTIONS = 64
# Seconds that a restarting engine is waited for.
DEFAULT_CONNECT_RETRY = 10.0

DEFAULT_SWARM_ADDR_POOL = ["10.0.0.0/8"]
DEFAULT_SWARM_SUBNET_SIZE = 24
