"""APIClient: all calls of the Engine API on one object. Each module of this package implements a part of them."""

from __future__ import annotations

import sys

from dockerkit.api.build import BuildAPI
from dockerkit.api.checkpoint import CheckpointAPI
from dockerkit.api.config import ConfigAPI
from dockerkit.api.container import ContainerAPI
from dockerkit.api.defaults import DEFAULT_MAX_POOL_SIZE as DEFAULT_MAX_POOL_SIZE
from dockerkit.api.defaults import DEFAULT_NUM_POOLS as DEFAULT_NUM_POOLS
from dockerkit.api.defaults import DEFAULT_NUM_POOLS_SSH as DEFAULT_NUM_POOLS_SSH
from dockerkit.api.defaults import DEFAULT_TIMEOUT_SECONDS as DEFAULT_TIMEOUT_SECONDS
from dockerkit.api.defaults import DEFAULT_USER_AGENT as DEFAULT_USER_AGENT
from dockerkit.api.distribution import DistributionAPI
from dockerkit.api.exec import ExecAPI
from dockerkit.api.image import ImageAPI
from dockerkit.api.network import NetworkAPI
from dockerkit.api.node import NodeAPI
from dockerkit.api.plugin import PluginAPI
from dockerkit.api.raw import RawAPI
from dockerkit.api.secret import SecretAPI
from dockerkit.api.service import ServiceAPI
from dockerkit.api.session import SessionAPI
from dockerkit.api.swarm import SwarmAPI
from dockerkit.api.system import SystemAPI
from dockerkit.api.task import TaskAPI
from dockerkit.api.versions import FLOOR
from dockerkit.api.volume import VolumeAPI
from dockerkit.streams.frames import HEADER_SIZE

# docker-py's names.
IS_WINDOWS_PLATFORM = sys.platform == "win32"
MINIMUM_DOCKER_API_VERSION = FLOOR
STREAM_HEADER_SIZE_BYTES = HEADER_SIZE


class APIClient(
    ContainerAPI,
    ExecAPI,
    ImageAPI,
    BuildAPI,
    DistributionAPI,
    NetworkAPI,
    VolumeAPI,
    SystemAPI,
    SwarmAPI,
    NodeAPI,
    ServiceAPI,
    TaskAPI,
    SecretAPI,
    ConfigAPI,
    PluginAPI,
    CheckpointAPI,
    SessionAPI,
    RawAPI,
):
    """The low-level client: thin methods with docker-py's names that return the engine's response.

    :class:`dockerkit.api.engine_client.EngineClient` describes its arguments. Clients are thread-safe and can be pickled.
    A forked child may keep using its parent's client; it gets its own connections.

    Example::

        with APIClient() as api:
            for summary in api.containers(all=True):
                print(summary["Id"], summary["State"])
    """
