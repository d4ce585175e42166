"""The swarm that this engine is part of. ``/swarm``"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.api.base import APIBase
from dockerkit.api.checks import check_optional, nonempty_string, version_index
from dockerkit.api.defaults import DEFAULT_SWARM_ADDR_POOL, DEFAULT_SWARM_SUBNET_SIZE
from dockerkit.errors import InvalidArgument
from dockerkit.parsing import values

if TYPE_CHECKING:
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.parsing.values import Duration, Labels
    from dockerkit.types import answers
    from dockerkit.types.mounts import DriverConfig
    from dockerkit.types.swarm import SwarmExternalCA, SwarmSpec


__all__ = ["DEFAULT_SWARM_ADDR_POOL", "DEFAULT_SWARM_SUBNET_SIZE", "SwarmAPI"]


class SwarmAPI(APIBase):
    """Calls on the swarm itself."""

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
        """Return a swarm's settings, for :meth:`init_swarm` and :meth:`update_swarm`. Sends nothing.

        The other arguments are the fields of :class:`~dockerkit.types.swarm.SwarmSpec`, which describes them.

        Args:
            external_ca: one external authority that signs the certificates of nodes, instead of ``external_cas``.

        Raises:
            InvalidArgument: an argument is invalid; the message names it.
        """
        from dockerkit.types.swarm import SwarmSpec

        if external_ca is not None:
            if external_cas is not None:
                raise InvalidArgument("external_ca: pass either external_ca or external_cas, not both")
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
        """Return all details of the swarm, and its join tokens. ``GET /swarm``

        Raises:
            ServiceUnavailable: this engine is not a manager of a swarm.
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
        """Create a swarm with this engine as its first manager. ``POST /swarm/init``

        Args:
            swarm_spec: result of :meth:`create_swarm_spec`, or the Engine's dict.
            default_addr_pool: address ranges of the swarm's networks (API 1.39); ``["10.0.0.0/8"]`` if only `subnet_size` is passed.
            subnet_size: prefix length of each network (API 1.39); 24 if only `default_addr_pool` is passed.
            auto_lock_managers: require a key when a manager restarts.
            advertise_addr, listen_addr, force_new_cluster, data_path_addr, data_path_port, availability: as for
                :meth:`dockerkit.models.swarm.Swarm.init`.

        Returns:
            This node's ID.

        Raises:
            ServiceUnavailable: this engine is already part of a swarm.
        """
        if default_addr_pool or subnet_size:  # the Engine allocates no addresses if one of the two is missing
            default_addr_pool = default_addr_pool or DEFAULT_SWARM_ADDR_POOL
            subnet_size = subnet_size or DEFAULT_SWARM_SUBNET_SIZE
        body = {
            "AdvertiseAddr": advertise_addr,
            "ListenAddr": listen_addr,
            "ForceNewCluster": force_new_cluster or None,
            "Spec": swarm_spec,
            "DefaultAddrPool": check_optional(values.string_list, "default_addr_pool", default_addr_pool),
            "SubnetSize": check_optional(values.integer, "subnet_size", subnet_size),
            "DataPathAddr": data_path_addr,
            "DataPathPort": check_optional(values.integer, "data_path_port", data_path_port),
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
        """Join a swarm as a node. ``POST /swarm/join``

        Args:
            remote_addrs, join_token, listen_addr, advertise_addr, data_path_addr, availability: as for
                :meth:`dockerkit.models.swarm.Swarm.join`.

        Returns:
            True.

        Raises:
            ServiceUnavailable: this engine is already part of a swarm, or no manager responded.
        """
        body = {
            "RemoteAddrs": values.string_list(remote_addrs, "remote_addrs"),
            "JoinToken": nonempty_string(join_token, "join_token"),
            "ListenAddr": listen_addr,
            "AdvertiseAddr": advertise_addr,
            "DataPathAddr": data_path_addr,
            "Availability": availability,
        }
        self._no_content("POST", "/swarm/join", body=body, timeout=None)
        return True

    def leave_swarm(self, force: bool = False) -> bool:
        """Leave the swarm. ``POST /swarm/leave``

        Args:
            force: leave even as a manager; no error if it is not part of a swarm.

        Returns:
            True.

        Raises:
            ServiceUnavailable: the engine is a manager or not part of a swarm, without ``force``.
        """
        try:
            self._no_content("POST", "/swarm/leave", query={"force": force or None}, timeout=None)
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
            version: ``Version.Index`` of the swarm, which prevents lost updates.
            swarm_spec: all settings; unspecified ones are reset to the Engine's defaults.
            rotate_worker_token, rotate_manager_token: create a new join token and invalidate the old one.
            rotate_manager_unlock_key: create a new unlock key (API 1.25).

        Returns:
            True.
        """
        query = {
            "version": version_index(version),
            "rotateWorkerToken": rotate_worker_token or None,
            "rotateManagerToken": rotate_manager_token or None,
            "rotateManagerUnlockKey": rotate_manager_unlock_key or None,
        }
        self._no_content("POST", "/swarm/update", query=query, body=swarm_spec or {}, timeout=None)
        return True

    def get_unlock_key(self) -> answers.SwarmUnlockkeyResponse:
        """Return the key that unlocks managers after a restart. ``GET /swarm/unlockkey``

        Returns:
            ``{"UnlockKey": ...}``; empty if managers are not locked.
        """
        return self._json("GET", "/swarm/unlockkey", needs="UnlockKey")

    def unlock_swarm(self, key: str | Mapping[str, str]) -> bool:
        """Unlock this manager after a restart. ``POST /swarm/unlock``

        Args:
            key: unlock key, or result of :meth:`get_unlock_key`.

        Returns:
            True.

        Raises:
            InvalidArgument: ``key`` is neither of these.
        """
        unlock_key = key.get("UnlockKey") if isinstance(key, Mapping) else key
        if not isinstance(unlock_key, str) or not unlock_key:
            raise InvalidArgument("key: must be an unlock key, or the result of get_unlock_key()")
        self._no_content("POST", "/swarm/unlock", body={"UnlockKey": unlock_key}, timeout=None)
        return True


SwarmApiMixin = SwarmAPI  # docker-py's name
