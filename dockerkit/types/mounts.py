"""Folders, volumes, memory and images that appear in a container's file system."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from dockerkit.errors import InvalidArgument
from dockerkit.types import parse
from dockerkit.types.base import Value, Wire, engine_dict
from dockerkit.types.parse import Labels, Size, refuse, size, text, text_map
from dockerkit.types.shorthands import absolute, mapping

Options = Mapping[str, str | int | float | bool]

_DRIVE = re.compile(r"[A-Za-z]:\\")
_FOLDER = re.compile(r"[/\\.~]|[A-Za-z]:\\")

_FITS = {
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

    name: Annotated[str, Wire("Name")]
    """Name of the driver."""
    options: Annotated[Options | None, Wire("Options", text_map)] = None
    """Its options; numbers become texts."""


def _tmpfs_options(value: object, name: str) -> list[list[str]]:
    """``["noexec", ("uid", "1000")]`` or ``{"uid": 1000, "noexec": None}``, as the Engine's lists."""
    if isinstance(value, Mapping):
        value = [[key] if item is None else [key, str(item)] for key, item in value.items()]
    if isinstance(value, str) or not isinstance(value, Sequence):
        refuse(name, "a list of options, or a mapping,", value)
    return [[text(part, name) for part in ([item] if isinstance(item, str) else item)] for item in value]


class Mount(Value):
    """Something to mount into a container, or into the containers of a service.

    Example::

        Mount("/data", "my-volume", read_only=True)
        Mount("/app", "./src", type="bind")
        Mount("/scratch", None, type="tmpfs", tmpfs_size="64m")
        Mount("/models", "example.org/models:1", type="image", subpath="small")
    """

    target: Annotated[str, Wire("Target", text)]
    """Path in the container."""
    source: Annotated[str | None, Wire("Source", text)] = None
    """A volume's name, a folder of the host (``./src`` counts from here), an image; None for an anonymous volume."""
    type: Annotated[Literal["volume", "bind", "tmpfs", "npipe", "cluster", "image"], Wire("Type")] = "volume"
    """What is mounted: volume, bind, tmpfs, npipe, cluster (API 1.42) or image (API 1.48)."""
    read_only: Annotated[bool | None, Wire("ReadOnly", unset=False)] = False
    """Not writable from within."""
    consistency: Annotated[str | None, Wire("Consistency")] = None
    """default, consistent, cached or delegated: for Docker Desktop."""
    propagation: Annotated[str | None, Wire("BindOptions.Propagation")] = None
    """bind: private, rprivate, shared, rshared, slave or rslave."""
    no_copy: Annotated[bool | None, Wire("VolumeOptions.NoCopy", unset=False)] = False
    """volume: don't fill a new one with what the image has at the target."""
    labels: Annotated[Labels | None, Wire("VolumeOptions.Labels", parse.labels)] = None
    """volume: labels of a new one."""
    driver_config: Annotated[DriverConfig | Mapping[str, Any] | None, Wire("VolumeOptions.DriverConfig", mapping)] = (
        None
    )
    """volume: driver of a new one."""
    tmpfs_size: Annotated[Size | None, Wire("TmpfsOptions.SizeBytes", size)] = None
    """tmpfs: how large it may get."""
    tmpfs_mode: Annotated[int | None, Wire("TmpfsOptions.Mode")] = None
    """tmpfs: its permissions, as ``0o1777``."""
    subpath: Annotated[str | None, Wire("VolumeOptions.Subpath", text)] = None
    """volume (API 1.45) and image (1.48): mount only this folder of it."""
    non_recursive: Annotated[bool | None, Wire("BindOptions.NonRecursive", unset=False)] = None
    """bind: without what is mounted below the source (API 1.40)."""
    create_mountpoint: Annotated[bool | None, Wire("BindOptions.CreateMountpoint", unset=False)] = None
    """bind: make the source where it is missing (API 1.42)."""
    read_only_non_recursive: Annotated[bool | None, Wire("BindOptions.ReadOnlyNonRecursive", unset=False)] = None
    """bind, read-only: what is mounted below stays writable (API 1.44)."""
    read_only_force_recursive: Annotated[bool | None, Wire("BindOptions.ReadOnlyForceRecursive", unset=False)] = None
    """bind, read-only: fail where what is mounted below can't be made read-only as well (API 1.44)."""
    tmpfs_options: Annotated[
        Sequence[str | Sequence[str]] | Mapping[str, str | int | None] | None,
        Wire("TmpfsOptions.Options", _tmpfs_options),
    ] = None
    """tmpfs: further mount options: ``["noexec"]`` (API 1.46)."""
    cluster_options: Annotated[Mapping[str, Any] | None, Wire("ClusterOptions", mapping)] = None
    """cluster: the Engine's dict, which is empty so far."""

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        for name, kinds in _FITS.items():
            value = self.__dict__[name]
            if value is not None and value is not False and self.type not in kinds:
                raise InvalidArgument(f"{name}: is for mounts of type {' or '.join(kinds)}, not {self.type}")
        if self.type == "volume" and self.source is not None and _FOLDER.match(self.source):
            raise InvalidArgument(f"source: {self.source!r} is a folder, no volume's name: say type='bind'")
        return self

    def to_engine(self) -> dict[str, Any]:
        """The Engine's dict."""
        body = super().to_engine()
        if (
            self.type == "image"
        ):  # told also where empty, so that an engine which is too old is known before it is asked
            body["ImageOptions"] = body.pop("VolumeOptions", {})
        if self.type == "bind" and self.source is not None:
            body["Source"] = absolute(self.source)
        return body

    @classmethod
    def from_engine(cls, attrs: Mapping[str, Any]) -> Self:
        """A value from the Engine's dict; fields that we don't know are left out."""
        if image := attrs.get("ImageOptions"):
            attrs = {**attrs, "VolumeOptions": image}
        mount: Self = super().from_engine(attrs)
        return mount

    @classmethod
    def parse_mount_string(cls, string: str) -> Self:
        """A mount from ``"source:target[:ro]"`` or ``"target"``; a source that is a path makes it a bind mount."""
        drive = _DRIVE.match(text(string, "mount"))
        parts = string[len(drive[0]) if drive else 0 :].split(":")
        if drive:
            parts[0] = drive[0] + parts[0]
        if len(parts) > 3 or not all(parts) or parts[2:] not in ([], ["ro"], ["rw"]):
            refuse("mount", '"source:target[:ro]"', string)
        if len(parts) == 1:
            return cls(target=parts[0])
        return cls(parts[1], parts[0], "bind" if _FOLDER.match(parts[0]) else "volume", parts[2:] == ["ro"])


def mount_list(value: object, name: str = "mounts") -> list[dict[str, Any]]:
    """Mounts as the Engine's dicts: from values, dicts, or ``"source:target[:ro]"`` texts."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        refuse(name, "a list of mounts", value)
    return [
        Mount.parse_mount_string(item).to_engine() if isinstance(item, str) else engine_dict(Mount, item, name)
        for item in value
    ]
