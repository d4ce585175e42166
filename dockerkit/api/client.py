"""APIClient: all calls of the Engine API on one object. Each module of this package has one part of them."""

from __future__ import annotations

from dockerkit.api.build import BuildAPI
from dockerkit.api.checkpoint import CheckpointAPI
from dockerkit.api.config import ConfigAPI
from dockerkit.api.container import ContainerAPI
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
from dockerkit.api.volume import VolumeAPI
from dockerkit.constants import DEFAULT_MAX_POOL_SIZE as DEFAULT_MAX_POOL_SIZE
from dockerkit.constants import DEFAULT_NUM_POOLS as DEFAULT_NUM_POOLS
from dockerkit.constants import DEFAULT_NUM_POOLS_SSH as DEFAULT_NUM_POOLS_SSH
from dockerkit.constants import DEFAULT_TIMEOUT_SECONDS as DEFAULT_TIMEOUT_SECONDS
from dockerkit.constants import DEFAULT_USER_AGENT as DEFAULT_USER_AGENT
from dockerkit.constants import IS_WINDOWS_PLATFORM as IS_WINDOWS_PLATFORM
from dockerkit.constants import MINIMUM_DOCKER_API_VERSION as MINIMUM_DOCKER_API_VERSION
from dockerkit.constants import STREAM_HEADER_SIZE_BYTES as STREAM_HEADER_SIZE_BYTES


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
    """The low-level client: thin methods, named as docker-py's, that answer what the engine sent.

    See :class:`dockerkit.api.connected.Connected` for what it is made with. Threads may share one; a forked child may go on using
    it and gets connections of its own; it can be pickled.

    Example::

        with APIClient() as api:
            for summary in api.containers(all=True):
                print(summary["Id"], summary["State"])
    """
