"""The swarm that the engine is part of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from dockerkit import errors
from dockerkit.models.resource import Model
from dockerkit.models.versioned import retried
from dockerkit.types.wire import wire

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.client import DockerClient
    from dockerkit.types.mounts import DriverConfig
    from dockerkit.types.parse import Duration, Labels
    from dockerkit.types.swarm import SwarmExternalCA


class SwarmSettings(TypedDict, total=False):
    """The settings of a swarm: keywords of :meth:`Swarm.init` and :meth:`Swarm.update`."""

    task_history_retention_limit: int | None
    """How many ended tasks are kept for each replica."""
    snapshot_interval: int | None
    """Log entries between snapshots of the managers' log."""
    keep_old_snapshots: int | None
    """How many snapshots are kept besides the current one."""
    log_entries_for_slow_followers: int | None
    """Log entries kept for managers that lag behind."""
    heartbeat_tick: int | None
    """Ticks (of a second) between the leader's heartbeats."""
    election_tick: int | None
    """Ticks (of a second) without a heartbeat until managers elect another leader; more than ``heartbeat_tick``."""
    dispatcher_heartbeat_period: Duration | None
    """Time between the heartbeats of nodes: ``"5s"``, a timedelta, or nanoseconds."""
    node_cert_expiry: Duration | None
    """How long a node's certificate is good: ``"720h"``, a timedelta, or nanoseconds."""
    external_ca: SwarmExternalCA | Mapping[str, Any] | None
    """An authority that signs nodes' certificates."""
    external_cas: Sequence[SwarmExternalCA | Mapping[str, Any]] | None
    """Several of them."""
    name: str | None
    """The swarm's name; the Engine only knows ``"default"``."""
    labels: Labels | None
    """The swarm's labels."""
    signing_ca_cert: str | None
    """Certificate of the authority to sign with, as PEM."""
    signing_ca_key: str | None
    """Its key, as PEM."""
    ca_force_rotate: int | None
    """Another number than now makes a new authority."""
    autolock_managers: bool | None
    """Ask for a key when a manager starts again."""
    log_driver: DriverConfig | Mapping[str, Any] | None
    """Log driver of tasks that say nothing of one."""


class Swarm(Model):
    """The swarm that the engine is part of, if it is: :attr:`attrs` are empty if it is none's manager.

    The facts are asked for when they are first used.
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
        """The engine's dict. ``GET /swarm``"""
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
        """Counts the swarm's changes; an update names the one that it was made from. None where there is no swarm."""
        return (self.attrs.get("Version") or {}).get("Index")

    @property
    def join_tokens(self) -> dict[str, str]:
        """What a node needs to join, by the role it joins as: ``"Worker"``, ``"Manager"``."""
        return self.attrs.get("JoinTokens") or {}

    @property
    def is_manager(self) -> bool:
        """Whether this engine is a manager of a swarm, now. ``GET /swarm``"""
        try:
            self.reload()
        except errors.ServiceUnavailable:
            self._attrs = {}
        return bool(self._attrs)

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
        """Make a swarm with this engine as its first manager. ``POST /swarm/init``

        Args:
            advertise_addr: where other nodes reach this one: address or interface, with a port where it is not the
                usual one. None lets the engine choose, which works where there is one address only.
            listen_addr: where this node listens for other managers.
            force_new_cluster: make a swarm of one out of what is left of a broken one.
            default_addr_pool: ranges for the swarm's networks: ``["10.0.0.0/8"]`` (API 1.39).
            subnet_size: prefix length of each network's part of them (API 1.39).
            data_path_addr: address or interface for the traffic of containers (API 1.30).
            data_path_port: UDP port for it, 1024 to 49151 (API 1.40).
            auto_lock_managers: the same as ``autolock_managers``, outside the settings.
            availability: ``"active"``, ``"pause"`` or ``"drain"`` for this node.
            settings: the rows of :class:`SwarmSettings`.

        Returns:
            This node's id.

        Raises:
            ServiceUnavailable: this engine is part of a swarm already.

        Example::

            client.swarm.init(advertise_addr="10.0.0.1", task_history_retention_limit=2)
        """
        node_id = self.client.api.init_swarm(
            advertise_addr,
            listen_addr,
            force_new_cluster,
            self.client.api.create_swarm_spec(**settings),
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
        """Make this engine a node of a swarm. ``POST /swarm/join``

        Args:
            remote_addrs: addresses of managers of it: ``["10.0.0.1:2377"]``.
            join_token: the swarm's token for workers, or for managers: see :attr:`join_tokens`.
            listen_addr: where this node listens, should it become a manager.
            advertise_addr: where other nodes reach this one.
            data_path_addr: address or interface for the traffic of containers (API 1.30).
            availability: ``"active"``, ``"pause"`` or ``"drain"``.

        Returns:
            True.

        Raises:
            ServiceUnavailable: this engine is part of a swarm already, or no manager answered.
        """
        self._attrs = None
        return self.client.api.join_swarm(
            remote_addrs, join_token, listen_addr, advertise_addr, data_path_addr, availability=availability
        )

    def leave(self, force: bool = False) -> bool:
        """Take this engine out of its swarm. ``POST /swarm/leave``

        Args:
            force: even if it is a manager; no error if it is in no swarm.

        Returns:
            True.

        Raises:
            ServiceUnavailable: it is a manager, or in no swarm, and ``force`` was not given.
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
        """Change some of the swarm's settings and keep the rest, or change its tokens. ``POST /swarm/update``

        Args:
            rotate_worker_token, rotate_manager_token: make a new join token; the old one is worth nothing then.
            rotate_manager_unlock_key: make a new unlock key (API 1.25).
            settings: the rows of :class:`SwarmSettings`.

        Returns:
            True.
        """
        changes: dict[str, Any] = wire(self.client.api.create_swarm_spec(**settings), "settings")

        def attempt() -> None:
            self.reload()
            spec = {**(self.attrs.get("Spec") or {})}
            for part, value in changes.items():
                merges = isinstance(value, dict) and part != "Labels"
                spec[part] = {**(spec.get(part) or {}), **value} if merges else value
            self.client.api.update_swarm(
                self.version or 0, spec, rotate_worker_token, rotate_manager_token, rotate_manager_unlock_key
            )

        retried(attempt)
        self.reload()
        return True

    def get_unlock_key(self) -> dict[str, str]:
        """The key that unlocks managers after a restart. ``GET /swarm/unlockkey``

        Returns:
            ``{"UnlockKey": ...}``; empty where managers are not locked.
        """
        return {"UnlockKey": self.client.api.get_unlock_key()["UnlockKey"]}

    def unlock(self, key: str | Mapping[str, str]) -> bool:
        """Unlock this manager after a restart. ``POST /swarm/unlock``

        Args:
            key: the key, or what :meth:`get_unlock_key` answered.

        Returns:
            True.
        """
        self._attrs = None
        return self.client.api.unlock_swarm(key)

    def reload(self) -> None:
        """Ask for the facts anew. ``GET /swarm``

        Raises:
            ServiceUnavailable: this engine is no manager of a swarm.
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
