"""The swarm that this engine is part of. ``/swarm``"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.api.base import Base
from dockerkit.api.checks import index, optional, reference
from dockerkit.constants import DEFAULT_SWARM_ADDR_POOL, DEFAULT_SWARM_SUBNET_SIZE
from dockerkit.errors import InvalidArgument
from dockerkit.types import parse

if TYPE_CHECKING:
    from dockerkit.types import answers
    from dockerkit.types.mounts import DriverConfig
    from dockerkit.types.parse import Duration, Labels
    from dockerkit.types.swarm import SwarmExternalCA, SwarmSpec
    from dockerkit.types.wire import ToEngine


__all__ = ["DEFAULT_SWARM_ADDR_POOL", "DEFAULT_SWARM_SUBNET_SIZE", "SwarmAPI"]


class SwarmAPI(Base):
    """The calls on the swarm itself."""

    def create_swarm_spec(
        self,
        task_history_retention_limit: int | None = None,
        snapshot_interval: int | None = None,
        keep_old_snapshots: int | None = None,
        log_entries_for_slow_followers: int | None = None,
        heartbeat_tick: int | None = None,
        election_tick: int | None = None,
        dispatcher_heartbeat_period: Duration | None = None,
        node_cert_expiry: Duration | None = None,
        external_cas: Sequence[SwarmExternalCA | Mapping[str, Any]] | None = None,
        name: str | None = None,
        labels: Labels | None = None,
        signing_ca_cert: str | None = None,
        signing_ca_key: str | None = None,
        ca_force_rotate: int | None = None,
        autolock_managers: bool | None = None,
        log_driver: DriverConfig | Mapping[str, Any] | None = None,
        *,
        external_ca: SwarmExternalCA | Mapping[str, Any] | None = None,
    ) -> SwarmSpec:
        """A swarm's settings, for :meth:`init_swarm` and :meth:`update_swarm`. Sends nothing.

        All but ``external_ca`` are the fields of :class:`~dockerkit.types.swarm.SwarmSpec`, which says what they mean.

        Args:
            external_ca: one authority outside that signs nodes' certificates, instead of ``external_cas``.

        Raises:
            InvalidArgument: an argument can't be right; the message names it.
        """
        from dockerkit.types.swarm import SwarmSpec

        if external_ca is not None:
            if external_cas is not None:
                raise InvalidArgument("external_ca: give it or external_cas, not both")
            external_cas = [external_ca]
        return SwarmSpec(
            self.api_version,
            task_history_retention_limit,
            snapshot_interval,
            keep_old_snapshots,
            log_entries_for_slow_followers,
            heartbeat_tick,
            election_tick,
            dispatcher_heartbeat_period,
            node_cert_expiry,
            external_cas,
            name,
            labels,
            signing_ca_cert,
            signing_ca_key,
            ca_force_rotate,
            autolock_managers,
            log_driver,
        )

    def inspect_swarm(self) -> answers.Swarm:
        """The swarm's facts and join tokens. ``GET /swarm``

        Raises:
            ServiceUnavailable: this engine is no manager of a swarm.
        """
        return self._json("GET", "/swarm")

    def init_swarm(
        self,
        advertise_addr: str | None = None,
        listen_addr: str = "0.0.0.0:2377",
        force_new_cluster: bool = False,
        swarm_spec: Mapping[str, Any] | ToEngine | None = None,
        default_addr_pool: Sequence[str] | None = None,
        subnet_size: int | None = None,
        data_path_addr: str | None = None,
        data_path_port: int | None = None,
        *,
        auto_lock_managers: bool | None = None,
        availability: str | None = None,
    ) -> str:
        """Make a swarm with this engine as its first manager. ``POST /swarm/init``

        Args:
            advertise_addr: where other nodes reach this one: address or interface, with a port where it is not the
                usual one. None lets the engine choose, which works where there is one address only.
            listen_addr: where this node listens for other managers.
            force_new_cluster: make a swarm of one out of what is left of a broken one.
            swarm_spec: of :meth:`create_swarm_spec`, or the Engine's dict.
            default_addr_pool: ranges for the swarm's networks: ``["10.0.0.0/8"]`` (API 1.39).
            subnet_size: prefix length of each network's part of them (API 1.39).
            data_path_addr: address or interface for the traffic of containers (API 1.30).
            data_path_port: UDP port for it, 1024 to 49151 (API 1.40).
            auto_lock_managers: ask for a key when a manager starts again.
            availability: ``"active"``, ``"pause"`` or ``"drain"`` for this node.

        Returns:
            This node's id.

        Raises:
            ServiceUnavailable: this engine is part of a swarm already.
        """
        body = {
            "AdvertiseAddr": advertise_addr,
            "ListenAddr": listen_addr,
            "ForceNewCluster": force_new_cluster or None,
            "Spec": swarm_spec,
            "DefaultAddrPool": optional(parse.texts, "default_addr_pool", default_addr_pool),
            "SubnetSize": optional(parse.whole, "subnet_size", subnet_size),
            "DataPathAddr": data_path_addr,
            "DataPathPort": optional(parse.whole, "data_path_port", data_path_port),
            "AutoLockManagers": auto_lock_managers,
            "Availability": availability,
        }
        return self._json("POST", "/swarm/init", body=body, timeout=None, kind=str)

    def join_swarm(
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
            join_token: the swarm's token for workers, or for managers; it decides which this node becomes.
            listen_addr: where this node listens, should it become a manager.
            advertise_addr: where other nodes reach this one.
            data_path_addr: address or interface for the traffic of containers (API 1.30).
            availability: ``"active"``, ``"pause"`` or ``"drain"``.

        Returns:
            True.

        Raises:
            ServiceUnavailable: this engine is part of a swarm already, or no manager answered.
        """
        body = {
            "RemoteAddrs": parse.texts(remote_addrs, "remote_addrs"),
            "JoinToken": reference(join_token, "join_token"),
            "ListenAddr": listen_addr,
            "AdvertiseAddr": advertise_addr,
            "DataPathAddr": data_path_addr,
            "Availability": availability,
        }
        self._none("POST", "/swarm/join", body=body, timeout=None)
        return True

    def leave_swarm(self, force: bool = False) -> bool:
        """Take this engine out of its swarm. ``POST /swarm/leave``

        Args:
            force: even if it is a manager; no error if it is in no swarm.

        Returns:
            True.

        Raises:
            ServiceUnavailable: it is a manager, or in no swarm, and ``force`` was not given.
        """
        try:
            self._none("POST", "/swarm/leave", query={"force": force or None}, timeout=None)
        except errors.ServiceUnavailable:
            if not force:
                raise
        return True

    def update_swarm(
        self,
        version: int,
        swarm_spec: Mapping[str, Any] | ToEngine | None = None,
        rotate_worker_token: bool = False,
        rotate_manager_token: bool = False,
        rotate_manager_unlock_key: bool = False,
    ) -> bool:
        """Change the swarm's settings, or its tokens and keys. ``POST /swarm/update``

        Args:
            version: ``Version.Index`` of the swarm that is to be changed: protects from lost updates.
            swarm_spec: all settings; what is left out goes back to the Engine's default.
            rotate_worker_token, rotate_manager_token: make a new join token; the old one is worth nothing then.
            rotate_manager_unlock_key: make a new unlock key (API 1.25).

        Returns:
            True.
        """
        query = {
            "version": index(version),
            "rotateWorkerToken": rotate_worker_token or None,
            "rotateManagerToken": rotate_manager_token or None,
            "rotateManagerUnlockKey": rotate_manager_unlock_key or None,
        }
        self._none("POST", "/swarm/update", query=query, body=swarm_spec or {}, timeout=None)
        return True

    def get_unlock_key(self) -> answers.SwarmUnlockkeyResponse:
        """The key that unlocks managers after a restart. ``GET /swarm/unlockkey``

        Returns:
            ``{"UnlockKey": ...}``; empty where managers are not locked.
        """
        return self._json("GET", "/swarm/unlockkey", needs="UnlockKey")

    def unlock_swarm(self, key: str | Mapping[str, str]) -> bool:
        """Unlock this manager after a restart. ``POST /swarm/unlock``

        Args:
            key: the key, or what :meth:`get_unlock_key` answered.

        Returns:
            True.

        Raises:
            InvalidArgument: ``key`` is neither.
        """
        text = key.get("UnlockKey") if isinstance(key, Mapping) else key
        if not isinstance(text, str) or not text:
            raise InvalidArgument("key: an unlock key is needed, or the answer of get_unlock_key()")
        self._none("POST", "/swarm/unlock", body={"UnlockKey": text}, timeout=None)
        return True


SwarmApiMixin = SwarmAPI  # its name in docker-py
