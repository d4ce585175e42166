"""Values for calls, accepted wherever the Engine's dicts are. Loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerkit._lazy import lazy_names

if TYPE_CHECKING:
    from dockerkit.types.containers import ContainerConfig, HostConfig
    from dockerkit.types.daemon import CancellableStream
    from dockerkit.types.healthcheck import Healthcheck
    from dockerkit.types.limits import DeviceRequest, LogConfig, LogConfigTypesEnum, Ulimit
    from dockerkit.types.mounts import DriverConfig, Mount
    from dockerkit.types.networks import EndpointConfig, IPAMConfig, IPAMPool, NetworkingConfig
    from dockerkit.types.service_parts import (
        ConfigReference,
        DNSConfig,
        NetworkAttachmentConfig,
        Placement,
        PlacementPreference,
        PluginPrivilege,
        PluginSpec,
        Privileges,
        SecretReference,
    )
    from dockerkit.types.services import (
        ContainerSpec,
        EndpointSpec,
        Resources,
        RestartConditionTypesEnum,
        RestartPolicy,
        RollbackConfig,
        ServiceMode,
        TaskTemplate,
        UpdateConfig,
    )
    from dockerkit.types.swarm import NodeSpec, SwarmExternalCA, SwarmSpec
    from dockerkit.types.volumes import ClusterVolumeSpec

__all__ = [
    "CancellableStream",
    "ClusterVolumeSpec",
    "ConfigReference",
    "ContainerConfig",
    "ContainerSpec",
    "DNSConfig",
    "DeviceRequest",
    "DriverConfig",
    "EndpointConfig",
    "EndpointSpec",
    "Healthcheck",
    "HostConfig",
    "IPAMConfig",
    "IPAMPool",
    "LogConfig",
    "LogConfigTypesEnum",
    "Mount",
    "NetworkAttachmentConfig",
    "NetworkingConfig",
    "NodeSpec",
    "Placement",
    "PlacementPreference",
    "PluginPrivilege",
    "PluginSpec",
    "Privileges",
    "Resources",
    "RestartConditionTypesEnum",
    "RestartPolicy",
    "RollbackConfig",
    "SecretReference",
    "ServiceMode",
    "SwarmExternalCA",
    "SwarmSpec",
    "TaskTemplate",
    "Ulimit",
    "UpdateConfig",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".containers": "ContainerConfig HostConfig",
            ".daemon": "CancellableStream",
            ".healthcheck": "Healthcheck",
            ".limits": "DeviceRequest LogConfig LogConfigTypesEnum Ulimit",
            ".mounts": "DriverConfig Mount",
            ".networks": "EndpointConfig IPAMConfig IPAMPool NetworkingConfig",
            ".service_parts": (
                "ConfigReference DNSConfig NetworkAttachmentConfig Placement PlacementPreference PluginPrivilege "
                "PluginSpec Privileges SecretReference"
            ),
            ".services": (
                "ContainerSpec EndpointSpec Resources RestartConditionTypesEnum RestartPolicy RollbackConfig "
                "ServiceMode TaskTemplate UpdateConfig"
            ),
            ".swarm": "NodeSpec SwarmExternalCA SwarmSpec",
            ".volumes": "ClusterVolumeSpec",
        },
        # Existing code uses `docker.types.services.Mount` after `import docker`.
        submodules="base containers daemon healthcheck networks services swarm views",
    )
