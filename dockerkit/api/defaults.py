"""The defaults of calls and of the client."""

from __future__ import annotations

from dockerkit import __version__

DEFAULT_TIMEOUT_SECONDS = 60
# Seconds to wait for an engine that is restarting.
DEFAULT_CONNECT_RETRY = 10.0
# Maximum number of idle connections of a client: enough for one per thread that shares it.
MAX_IDLE_CONNECTIONS = 64
DEFAULT_DATA_CHUNK_SIZE = 1024 * 2048
DEFAULT_SWARM_ADDR_POOL = ["10.0.0.0/8"]
DEFAULT_SWARM_SUBNET_SIZE = 24
DEFAULT_USER_AGENT = f"dockerkit/{__version__}"
# docker-py's names; the pool sizes have no effect.
DEFAULT_NUM_POOLS = 25
DEFAULT_NUM_POOLS_SSH = 9
DEFAULT_MAX_POOL_SIZE = 10
