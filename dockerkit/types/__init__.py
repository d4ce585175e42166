"""Values that calls take: each may stand wherever the Engine's dict may. Loaded when first named."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockerkit.types.containers import ContainerConfig as ContainerConfig
    from dockerkit.types.containers import HostConfig as HostConfig
    from dockerkit.types.daemon import CancellableStream as CancellableStream
    from dockerkit.types.healthcheck import Healthcheck as Healthcheck
    from dockerkit.types.limits import DeviceRequest as DeviceRequest
    from dockerkit.types.limits import LogConfig as LogConfig
    from dockerkit.types.limits import LogConfigTypesEnum as LogConfigTypesEnum
    from dockerkit.types.limits import Ulimit as Ulimit
    from dockerkit.types.mounts import DriverConfig as DriverConfig
    from dockerkit.types.mounts import Mount as Mount
    from dockerkit.types.networks import EndpointConfig as EndpointConfig
    from dockerkit.types.networks import IPAMConfig as IPAMConfig
    from dockerkit.types.networks import IPAMPool as IPAMPool
    from dockerkit.types.networks import NetworkingConfig as NetworkingConfig
    from dockerkit.types.service_parts import ConfigReference as ConfigReference
    from dockerkit.types.service_parts import DNSConfig as DNSConfig
    from dockerkit.types.service_parts import NetworkAttachmentConfig as NetworkAttachmentConfig
    from dockerkit.types.service_parts import Placement as Placement
    from dockerkit.types.service_parts import PlacementPreference as PlacementPreference
    from dockerkit.types.service_parts import PluginPrivilege as PluginPrivilege
    from dockerkit.types.service_parts import PluginSpec as PluginSpec
    from dockerkit.types.service_parts import Privileges as Privileges
    from dockerkit.types.service_parts import SecretReference as SecretReference
    from dockerkit.types.services import ContainerSpec as ContainerSpec
    from dockerkit.types.services import EndpointSpec as EndpointSpec
    from dockerkit.types.services import Resources as Resources
    from dockerkit.types.services import RestartConditionTypesEnum as RestartConditionTypesEnum
    from dockerkit.types.services import RestartPolicy as RestartPolicy
    from dockerkit.types.services import RollbackConfig as RollbackConfig
    from dockerkit.types.services import ServiceMode as ServiceMode
    from dockerkit.types.services import TaskTemplate as TaskTemplate
    from dockerkit.types.services import UpdateConfig as UpdateConfig
    from dockerkit.types.swarm import NodeSpec as NodeSpec
    from dockerkit.types.swarm import SwarmExternalCA as SwarmExternalCA
    from dockerkit.types.swarm import SwarmSpec as SwarmSpec
    from dockerkit.types.volumes import ClusterVolumeSpec as ClusterVolumeSpec

_HOMES = {
    "CancellableStream": "daemon",
    "ClusterVolumeSpec": "volumes",
    "ConfigReference": "service_parts",
    "ContainerConfig": "containers",
    "ContainerSpec": "services",
    "DNSConfig": "service_parts",
    "DeviceRequest": "limits",
    "DriverConfig": "mounts",
    "EndpointConfig": "networks",
    "EndpointSpec": "services",
    "Healthcheck": "healthcheck",
    "HostConfig": "containers",
    "IPAMConfig": "networks",
    "IPAMPool": "networks",
    "LogConfig": "limits",
    "LogConfigTypesEnum": "limits",
    "Mount": "mounts",
    "NetworkAttachmentConfig": "service_parts",
    "NetworkingConfig": "networks",
    "NodeSpec": "swarm",
    "Placement": "service_parts",
    "PlacementPreference": "service_parts",
    "PluginPrivilege": "service_parts",
    "PluginSpec": "service_parts",
    "Privileges": "service_parts",
    "Resources": "services",
    "RestartConditionTypesEnum": "services",
    "RestartPolicy": "services",
    "RollbackConfig": "services",
    "SecretReference": "service_parts",
    "ServiceMode": "services",
    "SwarmExternalCA": "swarm",
    "SwarmSpec": "swarm",
    "TaskTemplate": "services",
    "Ulimit": "limits",
    "UpdateConfig": "services",
}

# Code in the wild says `docker.types.services.Mount` after `import docker`.
_SUBMODULES = frozenset({"base", "containers", "daemon", "healthcheck", "networks", "services", "swarm", "views"})

__all__ = list(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_SUBMODULES})
