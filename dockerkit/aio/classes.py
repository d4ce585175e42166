"""The classes that have asynchronous counterparts, and their methods that need special treatment."""

from __future__ import annotations

from typing import Final

# The classes with methods that wait, by module. The counterpart of Container is AsyncContainer.
PROXIED: Final[dict[str, tuple[str, ...]]] = {
    "dockerkit.client": ("DockerClient",),
    "dockerkit.api.client": ("APIClient",),
    "dockerkit.models.builders": ("Builders",),
    "dockerkit.models.configs": ("Config", "ConfigCollection"),
    "dockerkit.models.containers.collection": ("ContainerCollection",),
    "dockerkit.models.containers.container": ("Container",),
    "dockerkit.models.containers.logs": ("LogStream", "MergedLogs"),
    "dockerkit.models.containers.main_process": ("MainProcess",),
    "dockerkit.models.containers.process": ("Process", "_Stdin"),
    "dockerkit.models.containers.run": ("RunOutput",),
    "dockerkit.models.containers.usage": ("UsageStream",),
    "dockerkit.models.events": ("EventListener", "EventStream", "Subscription"),
    "dockerkit.models.images.builds": ("BuildLog",),
    "dockerkit.models.images.collection": ("ImageCollection",),
    "dockerkit.models.images.image": ("Image",),
    "dockerkit.models.images.registry": ("RegistryData",),
    "dockerkit.models.networks": ("Network", "NetworkCollection"),
    "dockerkit.models.nodes": ("Node", "NodeCollection"),
    "dockerkit.models.plugins": ("Plugin", "PluginCollection"),
    "dockerkit.models.sandbox": ("Sandbox", "SandboxShell"),
    "dockerkit.models.secrets": ("Secret", "SecretCollection"),
    "dockerkit.models.services.collection": ("ServiceCollection",),
    "dockerkit.models.services.service": ("Service",),
    "dockerkit.models.services.stacks": ("Stack", "StackCollection"),
    "dockerkit.models.swarm": ("Swarm",),
    "dockerkit.models.system": ("System",),
    "dockerkit.models.tasks": ("Task", "TaskCollection"),
    "dockerkit.models.volume_files": ("VolumeFiles",),
    "dockerkit.models.volumes": ("Volume", "VolumeCollection"),
    "dockerkit.registry.blobs": ("BlobStream",),
    "dockerkit.registry.client": ("Registry",),
    "dockerkit.streams.readers": ("ByteStream", "FrameStream", "JSONStream", "ProgressStream"),
    "dockerkit.transport.hijack": ("HijackedConnection",),
}

# Methods that never wait, and are not awaited.
PLAIN: Final = frozenset({
    *("DockerClient.with_timeout", "DockerClient.registry", "Image.registry", "EngineClient.with_timeout"),
    *("EventListener.on", "EventListener.off", "EventListener.subscribe", "Collection.prepare_model"),
    *("HijackedConnection.fileno", "HijackedConnection.settimeout", "HijackedConnection.gettimeout"),
    *("HijackedConnection.setblocking", "HijackedConnection.readable", "HijackedConnection.writable"),
    *("ByteStream.readable", "_Stdin.writable"),
})  # fmt: skip

# Properties that make a request each time, and are awaited.
AWAITED: Final = frozenset({
    *("EngineClient.api_version", "Network.containers", "Swarm.is_manager"),
})  # fmt: skip

_TERMINAL = "uses this process's terminal and blocks: call it on the synchronous client with asyncio.to_thread()"
UNAVAILABLE: Final[dict[str, str]] = {
    "ContainerExec.attach_terminal": _TERMINAL,
    "ContainerExec.shell": _TERMINAL,
    "ProgressStream.or_instead": "is internal",
    "HijackedConnection.raw_socket": "belongs to the event loop",
}


def async_name(name: str) -> str:
    """Return the name of a class's counterpart."""
    return "Async" + name.lstrip("_")
