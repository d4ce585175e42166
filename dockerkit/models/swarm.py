"""The engine's swarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from dockerkit import errors
from dockerkit.models.resource import Model
from dockerkit.models.versioned import retry_on_version_conflict
from dockerkit.parsing.json_data import to_json_data
from dockerkit.parsing.options import check_options

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.client import DockerClient
    from dockerkit.parsing.values import Duration, Labels
    from dockerkit.types.mounts import DriverConfig
    from dockerkit.types.swarm import SwarmExternalCA


class SwarmSettings(TypedDict, total=False):
    """Settings of a swarm: options of :meth:`Swarm.init` and :meth:`Swarm.update`."""

    task_history_retention_limit: int | None
    """Number of ended tasks kept per replica."""
    snapshot_interval: int | None
    """Number of log entries between snapshots of the managers' log."""
    keep_old_snapshots: int | None
    """Number of snapshots kept in addition to the current one."""
    log_entries_for_slow_followers: int | None
    """Number of log entries kept for slow managers."""
    heartbeat_tick: int | None
    """Ticks (seconds) between the leader's heartbeats."""
    election_tick: int | None
    """Ticks (seconds) without a heartbeat until managers elect another leader; must exceed ``heartbeat_tick``."""
    dispatcher_heartbeat_period: Duration | None
    """Time between the heartbeats of nodes: ``"5s"``, a timedelta, or nanoseconds."""
    node_cert_expiry: Duration | None
    """Validity of a node's certificate: ``"720h"``, a timedelta, or nanoseconds."""
    external_ca: SwarmExternalCA | Mapping[str, Any] | None
    """An external authority that signs node certificates."""
    external_cas: Sequence[SwarmExternalCA | Mapping[str, Any]] | None
    """Several external authorities."""
    name: str | None
    """Name of the swarm; the Engine only supports ``"default"``."""
    labels: Labels | None
    """Labels of the swarm."""
    signing_ca_cert: str | None
    """Certificate of the signing authority, as PEM."""
    signing_ca_key: str | None
    """Key of the signing authority, as PEM."""
    ca_force_rotate: int | None
    """A number different from the current one creates a new authority."""
    autolock_managers: bool | None
    """Require a key when a manager restarts."""
    log_driver: DriverConfig | Mapping[str, Any] | None
    """Default log driver of tasks."""


class Swarm(Model):
    """The swarm of the engine; ``client.swarm``. :attr:`attrs` are empty if the engine is not a swarm manager.

    The attributes are fetched on first access.
    """

    id_attribute = "ID"

    def __init__(
        self,
        attrs: dict[str, Any] | None = None,
        client: DockerClient | None = None,
        collection: None = None,
    ) -> None:
        self._attrs = attrs
        super().__init__(attrs, client, collection)

    @property
    def attrs(self) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleVariableOverride]  # settable, but lazy
        """Dict of the engine. ``GET /swarm``"""
        if self._attrs is None:
            try:
                self._attrs = self._inspect()
            except errors.APIError as error:
                if error.status_code not in (406, 503):
                    raise
                self._attrs = {}
        return self._attrs

    @attrs.setter
    def attrs(self, value: dict[str, Any]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._attrs = value or self._attrs

    @property
    def version(self) -> int | None:
        """Version of the swarm, which an update must match. None without a swarm."""
        return (self.attrs.get("Version") or {}).get("Index")

    @property
    def join_tokens(self) -> dict[str, str]:
        """Tokens for joining, by role: ``"Worker"``, ``"Manager"``."""
        return self.attrs.get("JoinTokens") or {}

    @property
    def is_manager(self) -> bool:
        """Return whether this engine is currently a swarm manager. ``GET /swarm``"""
        try:
            self.reload()
        except errors.ServiceUnavailable:
            self._attrs = {}
        return bool(self._attrs)

    def _spec(self, method: str, settings: SwarmSettings) -> dict[str, Any]:
        check_options(method, settings, SwarmSettings.__annotations__)
        return to_json_data(self.client.api.create_swarm_spec(**settings), "settings")

    def init(
        self,
        advertise_addr: str | None = None,
        listen_addr: str = "0.0.0.0:2377",
        force_new_cluster: bool = False,
        default_addr_pool: Sequence[str] | None = None,
        subnet_size: int | None = None,
        data_path_addr: str | None = None,
        data_path_port: int | None = None,
        *,
        auto_lock_managers: bool | None = None,
        availability: str | None = None,
        **settings: Unpack[SwarmSettings],
    ) -> str:
        """Create a swarm with this engine as its first manager. ``POST /swarm/init``

        Args:
            advertise_addr: address or interface at which other nodes reach this one, with a port if it is not the
                default one. None lets the engine choose, which requires a single address.
            listen_addr: address at which this node listens for other managers.
            force_new_cluster: create a single-node swarm from the state of a broken one.
            default_addr_pool: address ranges for the swarm's networks: ``["10.0.0.0/8"]`` (API 1.39).
            subnet_size: prefix length of each network's range (API 1.39).
            data_path_addr: address or interface for the traffic of containers (API 1.30).
            data_path_port: UDP port for this traffic, 1024 to 49151 (API 1.40).
            auto_lock_managers: same as the setting ``autolock_managers``.
            availability: availability of this node: ``"active"``, ``"pause"`` or ``"drain"``.
            settings: options of :class:`SwarmSettings`.

        Returns:
            The ID of this node.

        Raises:
            ServiceUnavailable: the engine is already in a swarm.

        Example::

            client.swarm.init(advertise_addr="10.0.0.1", task_history_retention_limit=2)
        """
        node_id = self.client.api.init_swarm(
            advertise_addr,
            listen_addr,
            force_new_cluster,
            self._spec("swarm.init", settings),
            default_addr_pool,
            subnet_size,
            data_path_addr,
            data_path_port,
            auto_lock_managers=auto_lock_managers,
            availability=availability,
        )
        self.reload()
        return node_id

    def join(
        self,
        remote_addrs: Sequence[str],
        join_token: str,
        listen_addr: str = "0.0.0.0:2377",
        advertise_addr: str | None = None,
        data_path_addr: str | None = None,
        *,
        availability: str | None = None,
    ) -> bool:
        """Join a swarm. ``POST /swarm/join``

        Args:
            remote_addrs: addresses of its managers: ``["10.0.0.1:2377"]``.
            join_token: token for workers or for managers; see :attr:`join_tokens`.
            listen_addr: address at which this node listens if it becomes a manager.
            advertise_addr: address at which other nodes reach this one.
            data_path_addr: address or interface for the traffic of containers (API 1.30).
            availability: ``"active"``, ``"pause"`` or ``"drain"``.

        Returns:
            True.

        Raises:
            ServiceUnavailable: the engine is already in a swarm, or no manager responded.
        """
        self._attrs = None
        return self.client.api.join_swarm(
            remote_addrs, join_token, listen_addr, advertise_addr, data_path_addr, availability=availability
        )

    def leave(self, force: bool = False) -> bool:
        """Leave the swarm. ``POST /swarm/leave``

        Args:
            force: leave even if the node is a manager; no error if it is not in a swarm.

        Returns:
            True.

        Raises:
            ServiceUnavailable: ``force`` is not set, and the node is a manager or not in a swarm.
        """
        left = self.client.api.leave_swarm(force)
        self._attrs = None
        return left

    def update(
        self,
        rotate_worker_token: bool = False,
        rotate_manager_token: bool = False,
        rotate_manager_unlock_key: bool = False,
        **settings: Unpack[SwarmSettings],
    ) -> bool:
        """Change settings or tokens of the swarm; unspecified settings keep their value. ``POST /swarm/update``

        Args:
            rotate_worker_token, rotate_manager_token: create a new join token, which invalidates the old one.
            rotate_manager_unlock_key: create a new unlock key (API 1.25).
            settings: options of :class:`SwarmSettings`.

        Returns:
            True.
        """
        changes = self._spec("swarm.update", settings)

        def attempt() -> None:
            self.reload()
            spec = {**(self.attrs.get("Spec") or {})}
            for part, value in changes.items():
                merges = isinstance(value, dict) and part != "Labels"
                spec[part] = {**(spec.get(part) or {}), **value} if merges else value
            self.client.api.update_swarm(
                self.version or 0, spec, rotate_worker_token, rotate_manager_token, rotate_manager_unlock_key
            )

        retry_on_version_conflict(attempt)
        self.reload()
        return True

    def get_unlock_key(self) -> dict[str, str]:
        """Return the key that unlocks managers after a restart. ``GET /swarm/unlockkey``

        Returns:
            ``{"UnlockKey": ...}``; the key is empty if managers are not locked.
        """
        return {"UnlockKey": self.client.api.get_unlock_key()["UnlockKey"]}

    def unlock(self, key: str | Mapping[str, str]) -> bool:
        """Unlock this manager after a restart. ``POST /swarm/unlock``

        Args:
            key: the key, or the result of :meth:`get_unlock_key`.

        Returns:
            True.
        """
        self._attrs = None
        return self.client.api.unlock_swarm(key)

    def reload(self) -> None:
        """Fetch the attributes again. ``GET /swarm``

        Raises:
            ServiceUnavailable: the engine is not a swarm manager.
        """
        self._attrs = self._inspect()

    def _inspect(self) -> dict[str, Any]:
        return {**self.client.api.inspect_swarm()}

    def __repr__(self) -> str:
        return f"<Swarm: {str((self._attrs or {}).get('ID', ''))[:12]}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Swarm) and self._client is other._client

    def __hash__(self) -> int:
        return hash(("Swarm", id(self._client)))
