"""Volumes of a swarm, which a CSI plugin provides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from dockerkit.types import parse, shorthands
from dockerkit.types.base import Value, Wire
from dockerkit.types.parse import Size

Part = Mapping[str, Any]
Topology = Mapping[str, str]


def _topologies(value: object, name: str) -> list[dict[str, Any]]:
    """``[{"region": "r1", "zone": "z1"}]``, as the Engine's dicts."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        parse.refuse(name, "a list of topologies", value)
    return [
        shorthands.mapping(item, name) if set(item) == {"Segments"} else {"Segments": parse.text_map(item, name)}
        for item in value
    ]


def _secrets(value: object, name: str) -> list[dict[str, Any]]:
    """``{key: secret}``, or the Engine's dicts."""
    if isinstance(value, Mapping):
        return [{"Key": key, "Secret": secret} for key, secret in parse.text_map(value, name).items()]
    return shorthands.mappings(value, name)


class ClusterVolumeSpec(Value):
    """A volume of a swarm: ``ClusterVolumeSpec(scope="multi", sharing="all", required_bytes="1g")`` (API 1.42)."""

    group: Annotated[str | None, Wire("Group")] = None
    """Volumes of one group stand for each other: a mount's source may be ``group:NAME``."""
    scope: Annotated[Literal["single", "multi"] | None, Wire("AccessMode.Scope")] = None
    """On how many nodes it may be used at once."""
    sharing: Annotated[Literal["none", "readonly", "onewriter", "all"] | None, Wire("AccessMode.Sharing")] = None
    """How many tasks may use it at once."""
    mount_volume: Annotated[bool | None, Wire("")] = None
    """It has a file system, and is mounted: yes, unless ``block_volume``."""
    fs_type: Annotated[str | None, Wire("AccessMode.MountVolume.FsType")] = None
    """The file system."""
    mount_flags: Annotated[Sequence[str] | None, Wire("AccessMode.MountVolume.MountFlags", parse.texts)] = None
    """Mount options."""
    block_volume: Annotated[bool | None, Wire("")] = None
    """It is used as a block device."""
    secrets: Annotated[Mapping[str, str] | Sequence[Part] | None, Wire("Secrets", _secrets)] = None
    """Secrets that the plugin gets: ``{key: secret}``."""
    requisite: Annotated[Sequence[Topology | Part] | None, Wire("AccessibilityRequirements.Requisite", _topologies)] = (
        None
    )
    """Where it must be reachable from: ``[{"zone": "z1"}]``."""
    preferred: Annotated[Sequence[Topology | Part] | None, Wire("AccessibilityRequirements.Preferred", _topologies)] = (
        None
    )
    """Where it had best be."""
    required_bytes: Annotated[Size | None, Wire("CapacityRange.RequiredBytes", parse.size)] = None
    """How large at least."""
    limit_bytes: Annotated[Size | None, Wire("CapacityRange.LimitBytes", parse.size)] = None
    """How large at most."""
    availability: Annotated[Literal["active", "pause", "drain"] | None, Wire("Availability")] = None
    """Whether tasks may use it."""

    def to_engine(self) -> dict[str, Any]:
        """The Engine's dict."""
        body = super().to_engine()
        if self.block_volume:
            body.setdefault("AccessMode", {})["BlockVolume"] = {}
        elif self.mount_volume:
            body.setdefault("AccessMode", {}).setdefault("MountVolume", {})
        return body
