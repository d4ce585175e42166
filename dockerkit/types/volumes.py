"""Volumes of a swarm, provided by CSI plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from dockerkit.parsing import shorthands, values
from dockerkit.parsing.values import Size
from dockerkit.types.base import Value
from dockerkit.types.option_schema import EngineField

Part = Mapping[str, Any]
Topology = Mapping[str, str]


def _topologies(value: object, name: str) -> list[dict[str, Any]]:
    """``[{"region": "r1", "zone": "z1"}]``, as the Engine's dicts."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        values.raise_invalid(name, "a list of topologies", value)
    return [
        shorthands.mapping(item, name)
        if isinstance(item, Mapping) and set(item) == {"Segments"}
        else {"Segments": values.string_map(item, name)}
        for item in value
    ]


def _secrets(value: object, name: str) -> list[dict[str, Any]]:
    """``{key: secret}``, or the Engine's dicts."""
    if isinstance(value, Mapping):
        return [{"Key": key, "Secret": secret} for key, secret in values.string_map(value, name).items()]
    return shorthands.mappings(value, name)


class ClusterVolumeSpec(Value):
    """A volume of a swarm: ``ClusterVolumeSpec(scope="multi", sharing="all", required_bytes="1g")`` (API 1.42)."""

    group: Annotated[str | None, EngineField("Group")] = None
    """Group of interchangeable volumes: the source of a mount may be ``group:NAME``."""
    scope: Annotated[Literal["single", "multi"] | None, EngineField("AccessMode.Scope")] = None
    """Whether one or several nodes may use it at once."""
    sharing: Annotated[Literal["none", "readonly", "onewriter", "all"] | None, EngineField("AccessMode.Sharing")] = None
    """How tasks may share it."""
    mount_volume: Annotated[bool | None, EngineField("")] = None
    """Mount it as a file system; the default, unless ``block_volume`` is set."""
    fs_type: Annotated[str | None, EngineField("AccessMode.MountVolume.FsType")] = None
    """Type of the file system."""
    mount_flags: Annotated[
        Sequence[str] | None, EngineField("AccessMode.MountVolume.MountFlags", values.string_list)
    ] = None
    """Mount options."""
    block_volume: Annotated[bool | None, EngineField("")] = None
    """Use it as a block device."""
    secrets: Annotated[Mapping[str, str] | Sequence[Part] | None, EngineField("Secrets", _secrets)] = None
    """Secrets for the plugin: ``{key: secret}``."""
    requisite: Annotated[
        Sequence[Topology | Part] | None, EngineField("AccessibilityRequirements.Requisite", _topologies)
    ] = None
    """Topologies from which it must be accessible: ``[{"zone": "z1"}]``."""
    preferred: Annotated[
        Sequence[Topology | Part] | None, EngineField("AccessibilityRequirements.Preferred", _topologies)
    ] = None
    """Preferred topologies."""
    required_bytes: Annotated[Size | None, EngineField("CapacityRange.RequiredBytes", values.size)] = None
    """Minimum size."""
    limit_bytes: Annotated[Size | None, EngineField("CapacityRange.LimitBytes", values.size)] = None
    """Maximum size."""
    availability: Annotated[Literal["active", "pause", "drain"] | None, EngineField("Availability")] = None
    """Whether tasks may use it."""

    def to_engine(self) -> dict[str, Any]:
        """Return the Engine's dict."""
        body = super().to_engine()
        if self.block_volume:
            body.setdefault("AccessMode", {})["BlockVolume"] = {}
        elif self.mount_volume:
            body.setdefault("AccessMode", {}).setdefault("MountVolume", {})
        return body
