"""Settings of the swarm and its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from dockerkit.parsing import values
from dockerkit.parsing.values import Duration, Labels
from dockerkit.types.base import Value, part_of, parts_of
from dockerkit.types.mounts import DriverConfig
from dockerkit.types.option_schema import EngineField

Part = Mapping[str, Any]


class SwarmExternalCA(Value):
    """An external certificate authority that signs the certificates of nodes."""

    url: Annotated[str, EngineField("URL")]
    """URL for signing requests."""
    protocol: Annotated[str | None, EngineField("Protocol")] = None
    """Protocol; only cfssl is supported."""
    options: Annotated[Mapping[str, str | int | bool] | None, EngineField("Options", values.string_map)] = None
    """Options of the protocol."""
    ca_cert: Annotated[str | None, EngineField("CACert", values.string)] = None
    """Its root certificate, in PEM (API 1.30)."""


class SwarmSpec(Value):
    """Settings of a swarm: ``SwarmSpec(node_cert_expiry="720h", autolock_managers=True)``."""

    version: Annotated[str | None, EngineField("")] = None
    """Accepted for compatibility with docker-py and ignored."""
    task_history_retention_limit: Annotated[int | None, EngineField("Orchestration.TaskHistoryRetentionLimit")] = None
    """Number of ended tasks to keep per slot."""
    snapshot_interval: Annotated[int | None, EngineField("Raft.SnapshotInterval")] = None
    """Log entries between two snapshots."""
    keep_old_snapshots: Annotated[int | None, EngineField("Raft.KeepOldSnapshots")] = None
    """Number of snapshots to keep besides the current one."""
    log_entries_for_slow_followers: Annotated[int | None, EngineField("Raft.LogEntriesForSlowFollowers")] = None
    """Number of log entries to keep for managers that are behind."""
    heartbeat_tick: Annotated[int | None, EngineField("Raft.HeartbeatTick")] = None
    """Ticks (seconds) between two heartbeats."""
    election_tick: Annotated[int | None, EngineField("Raft.ElectionTick")] = None
    """Ticks (seconds) without a heartbeat before an election."""
    dispatcher_heartbeat_period: Annotated[
        Duration | None, EngineField("Dispatcher.HeartbeatPeriod", values.nanoseconds)
    ] = None
    """Interval at which nodes report."""
    node_cert_expiry: Annotated[Duration | None, EngineField("CAConfig.NodeCertExpiry", values.nanoseconds)] = None
    """Validity of node certificates."""
    external_cas: Annotated[
        Sequence[SwarmExternalCA | Part] | None, EngineField("CAConfig.ExternalCAs", parts_of(SwarmExternalCA))
    ] = None
    """External authorities that sign node certificates."""
    name: Annotated[str | None, EngineField("Name")] = None
    """Name of the swarm: always ``default``."""
    labels: Annotated[Labels | None, EngineField("Labels", values.labels)] = None
    """Its labels."""
    signing_ca_cert: Annotated[str | None, EngineField("CAConfig.SigningCACert")] = None
    """CA certificate that signs node certificates, in PEM (API 1.30)."""
    signing_ca_key: Annotated[str | None, EngineField("CAConfig.SigningCAKey")] = Field(default=None, repr=False)
    """Key of that certificate, in PEM (API 1.30)."""
    ca_force_rotate: Annotated[int | None, EngineField("CAConfig.ForceRotate")] = None
    """Counter; changing it creates a new certificate authority (API 1.30)."""
    autolock_managers: Annotated[bool | None, EngineField("EncryptionConfig.AutoLockManagers")] = None
    """Require a key to unlock managers after a restart (API 1.25)."""
    log_driver: Annotated[DriverConfig | Part | None, EngineField("TaskDefaults.LogDriver", part_of(DriverConfig))] = (
        None
    )
    """Default log driver of tasks."""


class NodeSpec(Value):
    """Settings of a node of a swarm."""

    name: Annotated[str | None, EngineField("Name")] = None
    """Its name."""
    labels: Annotated[Labels | None, EngineField("Labels", values.labels)] = None
    """Its labels."""
    role: Annotated[Literal["worker", "manager"] | None, EngineField("Role")] = None
    """Role of the node."""
    availability: Annotated[Literal["active", "pause", "drain"] | None, EngineField("Availability")] = None
    """Whether the node accepts tasks; drain also moves its tasks to other nodes."""
