"""Mounts: folders, volumes, tmpfs and images in a container's file system."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from dockerkit.errors import InvalidArgument
from dockerkit.parsing import values
from dockerkit.parsing.shorthands import absolute_folder, mapping
from dockerkit.parsing.values import Labels, Size, raise_invalid, size, string, string_list, string_map
from dockerkit.types.base import Value, engine_dict
from dockerkit.types.option_schema import EngineField

Options = Mapping[str, str | int | float | bool]

_DRIVE = re.compile(r"[A-Za-z]:\\")
_FOLDER = re.compile(r"[/\\.~]|[A-Za-z]:\\")

_MOUNT_TYPES = {
    "propagation": ("bind",),
    "non_recursive": ("bind",),
    "create_mountpoint": ("bind",),
    "read_only_non_recursive": ("bind",),
    "read_only_force_recursive": ("bind",),
    "no_copy": ("volume",),
    "labels": ("volume",),
    "driver_config": ("volume",),
    "tmpfs_size": ("tmpfs",),
    "tmpfs_mode": ("tmpfs",),
    "tmpfs_options": ("tmpfs",),
    "subpath": ("volume", "image"),
}


class DriverConfig(Value):
    """A driver and its options: of a volume, a log, an IPAM."""

    name: Annotated[str, EngineField("Name")]
    """Name of the driver."""
    options: Annotated[Options | None, EngineField("Options", string_map)] = None
    """Options of the driver; numbers are converted to strings."""


def _tmpfs_options(value: object, name: str) -> list[list[str]]:
    """``["noexec", ("uid", "1000")]`` or ``{"uid": 1000, "noexec": None}``, as the Engine's lists."""
    if isinstance(value, Mapping):
        value = [[key] if item is None else [key, str(item)] for key, item in value.items()]
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise_invalid(name, "a list of options or a mapping", value)
    return [[string(item, name)] if isinstance(item, str) else string_list(item, name) for item in value]


class Mount(Value):
    """Something to mount into a container, or into the containers of a service.

    Example::

        Mount("/data", "my-volume", read_only=True)
        Mount("/app", "./src", type="bind")
        Mount("/scratch", None, type="tmpfs", tmpfs_size="64m")
        Mount("/models", "example.org/models:1", type="image", subpath="small")
    """

    target: Annotated[str, EngineField("Target", string)]
    """Path in the container."""
    source: Annotated[str | None, EngineField("Source", string)] = None
    """Name of a volume, folder of the host (``./src`` is relative to the current directory), or image; None for an anonymous volume."""
    type: Annotated[Literal["volume", "bind", "tmpfs", "npipe", "cluster", "image"], EngineField("Type")] = "volume"
    """What is mounted: volume, bind, tmpfs, npipe, cluster (API 1.42) or image (API 1.48)."""
    read_only: Annotated[bool | None, EngineField("ReadOnly", unset=False)] = False
    """Mount it read-only."""
    consistency: Annotated[str | None, EngineField("Consistency")] = None
    """default, consistent, cached or delegated: for Docker Desktop."""
    propagation: Annotated[str | None, EngineField("BindOptions.Propagation")] = None
    """bind: private, rprivate, shared, rshared, slave or rslave."""
    no_copy: Annotated[bool | None, EngineField("VolumeOptions.NoCopy", unset=False)] = False
    """volume: don't copy the image's files at the target to a new volume."""
    labels: Annotated[Labels | None, EngineField("VolumeOptions.Labels", values.labels)] = None
    """volume: labels of a new volume."""
    driver_config: Annotated[
        DriverConfig | Mapping[str, Any] | None, EngineField("VolumeOptions.DriverConfig", mapping)
    ] = None
    """volume: driver of a new volume."""
    tmpfs_size: Annotated[Size | None, EngineField("TmpfsOptions.SizeBytes", size)] = None
    """tmpfs: maximum size."""
    tmpfs_mode: Annotated[int | None, EngineField("TmpfsOptions.Mode")] = None
    """tmpfs: permissions, such as ``0o1777``."""
    subpath: Annotated[str | None, EngineField("VolumeOptions.Subpath", string)] = None
    """volume (API 1.45) and image (1.48): mount only this subfolder."""
    non_recursive: Annotated[bool | None, EngineField("BindOptions.NonRecursive", unset=False)] = None
    """bind: exclude mounts below the source (API 1.40)."""
    create_mountpoint: Annotated[bool | None, EngineField("BindOptions.CreateMountpoint", unset=False)] = None
    """bind: create a missing source (API 1.42)."""
    read_only_non_recursive: Annotated[bool | None, EngineField("BindOptions.ReadOnlyNonRecursive", unset=False)] = None
    """bind, read-only: mounts below the source stay writable (API 1.44)."""
    read_only_force_recursive: Annotated[
        bool | None, EngineField("BindOptions.ReadOnlyForceRecursive", unset=False)
    ] = None
    """bind, read-only: fail if mounts below the source can't be made read-only (API 1.44)."""
    tmpfs_options: Annotated[
        Sequence[str | Sequence[str]] | Mapping[str, str | int | None] | None,
        EngineField("TmpfsOptions.Options", _tmpfs_options),
    ] = None
    """tmpfs: further mount options: ``["noexec"]`` (API 1.46)."""
    cluster_options: Annotated[Mapping[str, Any] | None, EngineField("ClusterOptions", mapping)] = None
    """cluster: the Engine's dict, currently always empty."""

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        for name, kinds in _MOUNT_TYPES.items():
            value = self.__dict__[name]
            if value is not None and value is not False and self.type not in kinds:
                raise InvalidArgument(f"{name}: only for mounts of type {' or '.join(kinds)}, not {self.type}")
        if self.type == "volume" and self.source is not None and _FOLDER.match(self.source):
            raise InvalidArgument(f"source: {self.source!r} is a folder, not the name of a volume: pass type='bind'")
        return self

    def to_engine(self) -> dict[str, Any]:
        """Return the Engine's dict."""
        body = super().to_engine()
        if self.type == "image":  # sent even if empty, so that engines that are too old are detected
            body["ImageOptions"] = body.pop("VolumeOptions", {})
        if self.type == "bind" and self.source is not None:
            body["Source"] = absolute_folder(self.source, anything=True, name="source")
        return body

    @classmethod
    def from_engine(cls, attrs: Mapping[str, Any]) -> Self:
        """Create a mount from the Engine's dict; unknown fields are ignored."""
        if image := attrs.get("ImageOptions"):
            attrs = {**attrs, "VolumeOptions": image}
        mount: Self = super().from_engine(attrs)
        return mount

    @classmethod
    def parse_mount_string(cls, string: str) -> Self:
        """Create a mount from ``"source:target[:ro]"`` or ``"target"``; if the source is a path, it is a bind mount."""
        drive = _DRIVE.match(values.string(string, "mount"))
        parts = string[len(drive[0]) if drive else 0 :].split(":")
        if drive:
            parts[0] = drive[0] + parts[0]
        if len(parts) > 3 or not all(parts) or parts[2:] not in ([], ["ro"], ["rw"]):
            raise_invalid("mount", '"source:target[:ro]"', string)
        if len(parts) == 1:
            return cls(target=parts[0])
        return cls(parts[1], parts[0], "bind" if _FOLDER.match(parts[0]) else "volume", parts[2:] == ["ro"])


def mount_list(value: object, name: str = "mounts") -> list[dict[str, Any]]:
    """Return mounts as the Engine's dicts, from values, dicts, or ``"source:target[:ro]"`` strings."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise_invalid(name, "a list of mounts", value)
    return [
        Mount.parse_mount_string(item).to_engine() if isinstance(item, str) else engine_dict(Mount, item, name)
        for item in value
    ]
