"""Networks, and the containers in them."""

from __future__ import annotations

import builtins
import contextlib
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.api.base import Ref
from dockerkit.api.encode import Filters
from dockerkit.models.resource import Collection, Model
from dockerkit.models.tables import Table

if TYPE_CHECKING:
    from dockerkit.api.network import Links
    from dockerkit.models.containers import Container
    from dockerkit.types import answers
    from dockerkit.types.wire import ToEngine


class Network(Model):
    """A network.

    Example::

        with client.networks.create("backend", internal=True) as network:
            network.connect(database, aliases=["db"])
    """

    @property
    def name(self) -> str | None:
        """Its name."""
        return self._fact("Name")

    @property
    def driver(self) -> str:
        """``"bridge"``, ``"overlay"``..."""
        return self._fact("Driver") or ""

    @property
    def scope(self) -> str:
        """``"local"``, or ``"swarm"`` where it reaches over the nodes of a swarm."""
        return self._fact("Scope") or ""

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return self._fact("Labels") or {}

    @property
    def subnets(self) -> list[str]:
        """Its address ranges."""
        pools = (self._fact("IPAM") or {}).get("Config") or []
        return [pool["Subnet"] for pool in pools if pool.get("Subnet")]

    @property
    def ipam_status(self) -> answers.IPAMStatus | None:
        """How many addresses are in use, by range; None below API 1.52. ``GET /networks/{id}``"""
        return (self._full().get("Status") or {}).get("IPAM")

    @property
    def endpoints(self) -> dict[str, answers.EndpointResource]:
        """Name and addresses of each running container in it, by container id, as of the last :meth:`reload`."""
        if "Containers" not in self.attrs:  # lists lack them
            self.reload()
        return self.attrs.get("Containers") or {}

    @property
    def containers(self) -> list[Container]:
        """The running containers in it, now, by one request. ``GET /containers/json``"""
        return self.client.containers.list(filters={"network": self.id or ""})

    def connect(
        self,
        container: Ref,
        ipv4_address: str | None = None,
        ipv6_address: str | None = None,
        aliases: Sequence[str] | None = None,
        links: Links | None = None,
        link_local_ips: Sequence[str] | None = None,
        driver_opt: Mapping[str, str] | None = None,
        mac_address: str | None = None,
        *,
        gw_priority: int | None = None,
        endpoint_config: Mapping[str, Any] | ToEngine | None = None,
    ) -> None:
        """Put a container into the network. ``POST /networks/{id}/connect``

        Args:
            container: an object, id or name.
            ipv4_address, ipv6_address: fixed addresses out of the network's ranges.
            aliases: more names for the container in this network.
            links: other containers under names of their own: ``{"db": "database"}``.
            link_local_ips: link-local addresses.
            driver_opt: options of the network's driver (API 1.30).
            mac_address: the interface's (API 1.44); engines up to 28 don't heed it here, but in ``networks`` of a new container.
            gw_priority: the network with the highest gives the default route; 0 is usual (API 1.48).
            endpoint_config: the Engine's whole ``EndpointConfig`` instead of the arguments from ``ipv4_address`` on.

        Raises:
            NotFound: there is no such container, or no longer this network.
            Forbidden: the container can't join it.
            InvalidArgument: ``endpoint_config`` together with arguments that it replaces.
        """
        self.client.api.connect_container_to_network(
            container,
            self,
            ipv4_address,
            ipv6_address,
            aliases,
            links,
            link_local_ips,
            driver_opt,
            mac_address,
            gw_priority=gw_priority,
            endpoint_config=endpoint_config,
        )

    def disconnect(self, container: Ref, force: bool = False) -> None:
        """Take a container out of the network. ``POST /networks/{id}/disconnect``

        Args:
            container: an object, id or name.
            force: even if the container is gone.

        Raises:
            Forbidden: it is not in the network.
        """
        self.client.api.disconnect_container_from_network(container, self, force)

    def remove(self) -> None:
        """Remove the network. ``DELETE /networks/{id}``

        Raises:
            Forbidden: it is predefined, or containers are in it.
        """
        self.client.api.remove_network(self)

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the network; it may be gone already."""
        with contextlib.suppress(errors.NotFound):
            self.remove()


class NetworkCollection(Collection[Network]):
    """The networks of an engine."""

    model = Network

    def create(
        self,
        name: str,
        driver: str | None = None,
        options: Mapping[str, str] | None = None,
        ipam: Mapping[str, Any] | ToEngine | None = None,
        check_duplicate: bool | None = None,
        internal: bool = False,
        labels: Mapping[str, str] | None = None,
        enable_ipv6: bool = False,
        attachable: bool | None = None,
        scope: str | None = None,
        ingress: bool | None = None,
        *,
        enable_ipv4: bool | None = None,
        config_only: bool | None = None,
        config_from: str | None = None,
    ) -> Network:
        """Make a network. ``POST /networks/create``

        Args:
            name: its name.
            driver: ``"bridge"`` (the engine's default), ``"overlay"``, ``"macvlan"``, ``"ipvlan"``, or a plugin's.
            options: the driver's options.
            ipam: address ranges, as an :class:`~dockerkit.types.IPAMConfig`.
            check_duplicate: refuse a name that is taken; engines from API 1.46 on always do.
            internal: no way out of the network.
            labels: a dict.
            enable_ipv6: with IPv6; False leaves it to the engine.
            attachable: whether containers may join this swarm network.
            scope: ``"local"``, ``"swarm"`` or ``"global"`` (API 1.30).
            ingress: make it the swarm's routing mesh (API 1.29).
            enable_ipv4: False for a network without IPv4 (API 1.48).
            config_only: only a configuration for others to be made from (API 1.30).
            config_from: name of such a configuration to make this one from (API 1.30).

        Raises:
            Conflict: the name is taken.
            Forbidden: a predefined name, or ranges that overlap another network's.

        Example::

            ipam = IPAMConfig(pool_configs=[IPAMPool(subnet="10.9.0.0/24", gateway="10.9.0.254")])
            network = client.networks.create("backend", ipam=ipam)
        """
        made = self.client.api.create_network(
            name,
            driver,
            options,
            ipam,
            check_duplicate,
            internal,
            labels,
            enable_ipv6,
            attachable,
            scope,
            ingress,
            enable_ipv4=enable_ipv4,
            config_only=config_only,
            config_from=config_from,
        )
        if warning := made.get("Warning"):
            warnings.warn(f"network {name}: {warning}", stacklevel=2)
        return self.get(made["Id"])

    def get(self, network_id: Ref, verbose: bool | None = None, scope: str | None = None) -> Network:
        """One network. ``GET /networks/{id}``

        Args:
            network_id: id or name.
            verbose: also the services in a swarm network and the tasks behind them (API 1.28).
            scope: look for it only in this scope (API 1.31).

        Raises:
            NotFound: there is none.
        """
        return self.prepare_model(self.client.api.inspect_network(network_id, verbose, scope))

    def list(
        self,
        names: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        filters: Filters | None = None,
        greedy: bool = False,
    ) -> builtins.list[Network]:
        """List networks, by one request. ``GET /networks``

        Args:
            names: only those whose name has one of these in it.
            ids: only those whose id has one of these in it.
            filters: ``{"driver": "bridge", "label": ["a=b"], "scope": "local", "type": "custom", "dangling": True}``.
            greedy: inspect each, so that :attr:`Network.endpoints` are known; one that vanishes meanwhile is left out.
        """
        found = Table(
            self.prepare_model(attrs, partial=True) for attrs in self.client.api.networks(names, ids, filters)
        )
        if not greedy:
            return found
        there = []
        for network in found:
            with contextlib.suppress(errors.NotFound):
                network.reload()
                there.append(network)
        return there

    def prune(self, filters: Filters | None = None) -> answers.NetworkPruneResponse:
        """Remove all networks that nothing uses. ``POST /networks/prune``

        Args:
            filters: ``{"until": "24h", "label": [...], "label!": [...]}``.
        """
        return self.client.api.prune_networks(filters)
