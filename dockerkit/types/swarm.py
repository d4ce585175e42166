"""The swarm as a whole: its settings, its certificate authority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from dockerkit.types import parse, shorthands
from dockerkit.types.base import Value, Wire
from dockerkit.types.mounts import DriverConfig
from dockerkit.types.parse import Duration, Labels

Part = Mapping[str, Any]


class SwarmExternalCA(Value):
    """An authority outside of the swarm that signs nodes' certificates."""

    url: Annotated[str, Wire("URL")]
    """Where it takes requests."""
    protocol: Annotated[str | None, Wire("Protocol")] = None
    """cfssl is the only one."""
    options: Annotated[Mapping[str, str | int | bool] | None, Wire("Options", parse.text_map)] = None
    """Options of the protocol."""
    ca_cert: Annotated[str | None, Wire("CACert", parse.text)] = None
    """Its root certificate, in PEM (API 1.30)."""


class SwarmSpec(Value):
    """Settings of a swarm: ``SwarmSpec(node_cert_expiry="720h", autolock_managers=True)``."""

    version: Annotated[str | None, Wire("")] = None
    """Taken for docker-py's sake: the version in use with the engine decides."""
    task_history_retention_limit: Annotated[int | None, Wire("Orchestration.TaskHistoryRetentionLimit")] = None
    """How many ended tasks are kept of each slot."""
    snapshot_interval: Annotated[int | None, Wire("Raft.SnapshotInterval")] = None
    """Log entries between two snapshots."""
    keep_old_snapshots: Annotated[int | None, Wire("Raft.KeepOldSnapshots")] = None
    """How many snapshots are kept beside the current one."""
    log_entries_for_slow_followers: Annotated[int | None, Wire("Raft.LogEntriesForSlowFollowers")] = None
    """Log entries that are kept for managers that are behind."""
    heartbeat_tick: Annotated[int | None, Wire("Raft.HeartbeatTick")] = None
    """Ticks (seconds) between two heartbeats."""
    election_tick: Annotated[int | None, Wire("Raft.ElectionTick")] = None
    """Ticks (seconds) without a heartbeat before an election."""
    dispatcher_heartbeat_period: Annotated[Duration | None, Wire("Dispatcher.HeartbeatPeriod", parse.nanoseconds)] = (
        None
    )
    """How often nodes report."""
    node_cert_expiry: Annotated[Duration | None, Wire("CAConfig.NodeCertExpiry", parse.nanoseconds)] = None
    """How long nodes' certificates are valid."""
    external_cas: Annotated[
        Sequence[SwarmExternalCA | Part] | None, Wire("CAConfig.ExternalCAs", shorthands.mappings)
    ] = None
    """Authorities outside that sign nodes' certificates."""
    name: Annotated[str | None, Wire("Name")] = None
    """Its name: always ``default``."""
    labels: Annotated[Labels | None, Wire("Labels", parse.labels)] = None
    """Its labels."""
    signing_ca_cert: Annotated[str | None, Wire("CAConfig.SigningCACert")] = None
    """Certificate that signs nodes', in PEM (API 1.30)."""
    signing_ca_key: Annotated[str | None, Wire("CAConfig.SigningCAKey")] = Field(default=None, repr=False)
    """Key of that certificate, in PEM (API 1.30)."""
    ca_force_rotate: Annotated[int | None, Wire("CAConfig.ForceRotate")] = None
    """Another number than before makes a new authority (API 1.30)."""
    autolock_managers: Annotated[bool | None, Wire("EncryptionConfig.AutoLockManagers")] = None
    """A manager that starts again has to be unlocked with a key (API 1.25)."""
    log_driver: Annotated[DriverConfig | Part | None, Wire("TaskDefaults.LogDriver", shorthands.mapping)] = None
    """Where the output of tasks goes that say nothing of it."""


class NodeSpec(Value):
    """Settings of a node of a swarm."""

    name: Annotated[str | None, Wire("Name")] = None
    """Its name."""
    labels: Annotated[Labels | None, Wire("Labels", parse.labels)] = None
    """Its labels."""
    role: Annotated[Literal["worker", "manager"] | None, Wire("Role")] = None
    """What it is."""
    availability: Annotated[Literal["active", "pause", "drain"] | None, Wire("Availability")] = None
    """Whether it takes tasks; drain moves those that it has away."""
