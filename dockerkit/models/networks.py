"""Networks and their containers."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import Ref
from dockerkit.errors.base import IgnoreGone
from dockerkit.models.resource import RAISE, Collection, D, Model
from dockerkit.models.tables import Table
from dockerkit.parsing.options import check_options
from dockerkit.parsing.values import boolean

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from dockerkit.api.network import Links
    from dockerkit.models.batch import BatchReport
    from dockerkit.models.containers import Container
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.types import answers
    from dockerkit.types.filters import NetworkFilters, PruneFilters

    class NetworkOptions(TypedDict, total=False):
        """The options of networks.create that ensure compares."""

        driver: str | None
        options: Mapping[str, str] | None
        ipam: Mapping[str, Any] | ToEngine | None
        internal: bool
        labels: Mapping[str, str] | None
        enable_ipv6: bool
        attachable: bool | None
        scope: str | None
        ingress: bool | None
        enable_ipv4: bool | None
        config_only: bool | None
        config_from: str | None


_FIELDS = {
    "driver": "Driver",
    "options": "Options",
    "ipam": "IPAM",
    "internal": "Internal",
    "labels": "Labels",
    "enable_ipv6": "EnableIPv6",
    "enable_ipv4": "EnableIPv4",
    "attachable": "Attachable",
    "scope": "Scope",
    "ingress": "Ingress",
    "config_only": "ConfigOnly",
}


def _settings(options: Mapping[str, Any]) -> Any:
    """Return the settings as in an inspect of the network; False leaves IPv6 to the engine."""
    from dockerkit.parsing.json_data import to_json_data

    settings = {_FIELDS[name]: value for name, value in options.items() if name in _FIELDS}
    if options.get("config_from"):
        settings["ConfigFrom"] = {"Network": options["config_from"]}
    settings["EnableIPv6"] = settings.get("EnableIPv6") or None
    return to_json_data(settings)


class Network(Model):
    """A network.

    Example::

        with client.networks.create("backend", internal=True) as network:
            network.connect(database, aliases=["db"])
    """

    @property
    def name(self) -> str | None:
        """Name of the network."""
        return self._get_attr("Name")

    @property
    def driver(self) -> str:
        """Driver: ``"bridge"``, ``"overlay"``..."""
        return self._get_attr("Driver") or ""

    @property
    def scope(self) -> str:
        """Scope: ``"local"``, or ``"swarm"`` for a network across the nodes of a swarm."""
        return self._get_attr("Scope") or ""

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the network."""
        return self._get_attr("Labels") or {}

    @property
    def subnets(self) -> list[str]:
        """Address ranges of the network."""
        pools = (self._get_attr("IPAM") or {}).get("Config") or []
        return [pool["Subnet"] for pool in pools if pool.get("Subnet")]

    @property
    def ipam_status(self) -> answers.IPAMStatus | None:
        """Number of used addresses by range; None below API 1.52. ``GET /networks/{id}``"""
        return (self._load().get("Status") or {}).get("IPAM")

    @property
    def endpoints(self) -> dict[str, answers.EndpointResource]:
        """Name and addresses of each running container, by container ID, at the last :meth:`reload`."""
        if "Containers" not in self.attrs:  # a list does not include them
            self.reload()
        return self.attrs.get("Containers") or {}

    @property
    def containers(self) -> list[Container]:
        """List the running containers in the network, in one request. ``GET /containers/json``"""
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
        """Connect a container to the network. ``POST /networks/{id}/connect``

        Args:
            container: an object, ID or name.
            ipv4_address, ipv6_address: fixed addresses in the network's ranges.
            aliases: additional names of the container in this network.
            links: other containers under additional names: ``{"db": "database"}``.
            link_local_ips: link-local addresses.
            driver_opt: driver options (API 1.30).
            mac_address: MAC address of the interface (API 1.44). Engines up to 28 ignore it here, but not in
                ``networks`` of a new container.
            gw_priority: priority for the default route: the network with the highest wins; default 0 (API 1.48).
            endpoint_config: ``EndpointConfig`` of the Engine, instead of the arguments from ``ipv4_address`` on.

        Raises:
            NotFound: the container or the network does not exist.
            Forbidden: the container can't be connected.
            InvalidArgument: ``endpoint_config`` was combined with arguments that it replaces.
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
        """Disconnect a container from the network. ``POST /networks/{id}/disconnect``

        Args:
            container: an object, ID or name.
            force: disconnect even if the container no longer exists.

        Raises:
            Forbidden: the container is not connected.
        """
        self.client.api.disconnect_container_from_network(container, self, force)

    def remove(self) -> None:
        """Remove the network. ``DELETE /networks/{id}``

        Raises:
            Forbidden: the network is predefined or in use.
        """
        self.client.api.remove_network(self)

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the network; ignore it if it is already removed."""
        with IgnoreGone():
            self.remove()


class NetworkCollection(Collection[Network]):
    """Create, list and manage networks; ``client.networks``."""

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
        """Create a network. ``POST /networks/create``

        Args:
            name: name of the network.
            driver: ``"bridge"`` (the engine's default), ``"overlay"``, ``"macvlan"``, ``"ipvlan"``, or that of a
                plugin.
            options: driver options.
            ipam: address ranges, as an :class:`~dockerkit.types.IPAMConfig`.
            check_duplicate: reject an existing name; engines always do so since API 1.46.
            internal: no connection to the outside.
            labels: a dict.
            enable_ipv6: enable IPv6; False leaves it to the engine.
            attachable: whether containers may join a swarm network.
            scope: ``"local"``, ``"swarm"`` or ``"global"`` (API 1.30).
            ingress: use it for the swarm's routing mesh (API 1.29).
            enable_ipv4: False for a network without IPv4 (API 1.48).
            config_only: create only a configuration for other networks (API 1.30).
            config_from: name of such a configuration to use (API 1.30).

        Raises:
            Conflict: the name is taken.
            Forbidden: the name is predefined, or the ranges overlap with those of another network.

        Example::

            ipam = IPAMConfig(pool_configs=[IPAMPool(subnet="10.9.0.0/24", gateway="10.9.0.254")])
            network = client.networks.create("backend", ipam=ipam)
        """
        created = self.client.api.create_network(
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
        if warning := created.get("Warning"):
            warnings.warn(f"network {name}: {warning}", stacklevel=3)
        return self.get(created["Id"])

    def ensure(self, name: str, *, replace: bool = False, **options: Unpack[NetworkOptions]) -> Network:
        """Make sure that a network with this name and these settings exists. ``GET /networks/{id}``

        Args:
            name: name of the network.
            replace: recreate a network whose settings differ. The engine rejects that while containers are connected.
            options: as for :meth:`create`. Unspecified settings are not compared.

        Returns:
            The network. Its ``ensured`` attribute shows what was done, and what differed.

        Raises:
            Conflict: a network with this name has different settings; the message names them.
            Forbidden: ``replace`` is set, but containers are connected.

        Example::

            client.networks.ensure("backend", internal=True)
        """
        from dockerkit.models.ensured import Ensured, differences, raise_if_different

        boolean(replace, "replace")
        check_options("ensure", options, inspect.signature(self.create).parameters)
        network = self._get_or_create(name, lambda: self.create(name, **options))
        if network.ensured:
            return network
        found = differences(network.attrs, _settings(options))
        if not replace:
            raise_if_different("network", name, found, "pass replace=True to replace it")
        if found:
            network.remove()
            network = self.create(name, **options)
        network.ensured = Ensured("replaced" if found else "unchanged", found)
        return network

    def get(
        self, network_id: Ref, verbose: bool | None = None, scope: str | None = None, *, default: D = RAISE
    ) -> Network | D:
        """Return a network. ``GET /networks/{id}``

        Args:
            network_id: ID or name.
            verbose: include the services and tasks of a swarm network (API 1.28).
            scope: only look in this scope (API 1.31).
            default: returned instead of raising NotFound.

        Raises:
            NotFound: the network does not exist.
        """
        return self._get(lambda: self.client.api.inspect_network(network_id, verbose, scope), default)

    def list(
        self,
        names: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        filters: NetworkFilters | None = None,
        greedy: bool = False,
    ) -> Table[Network]:
        """List networks, in one request. ``GET /networks``

        Args:
            names: only networks whose name contains one of these.
            ids: only networks whose ID contains one of these.
            filters: ``{"driver": "bridge", "label": ["a=b"], "scope": "local", "type": "custom", "dangling": True}``.
            greedy: inspect each network, for :attr:`Network.endpoints`. Networks removed meanwhile are skipped.
        """
        found = Table(
            self.prepare_model(attrs, partial=True) for attrs in self.client.api.networks(names, ids, filters)
        )
        if not greedy:
            return found
        there: Table[Network] = Table()
        for network in found:
            with IgnoreGone():
                network.reload()
                there.append(network)
        return there

    def remove_many(self, networks: Iterable[Ref], *, workers: int = 8) -> BatchReport[None]:
        """Remove several networks concurrently. ``DELETE /networks/{id}``

        Args:
            networks: names, IDs or objects.
            workers: number of networks to remove at a time.

        Returns:
            The successes and failures, by name; ``check()`` raises if anything failed.
        """
        from dockerkit.models.batch import run_batch

        return run_batch(self.client.api.remove_network, networks, workers)

    def prune(self, filters: PruneFilters | None = None) -> answers.NetworkPruneResponse:
        """Remove all unused networks. ``POST /networks/prune``

        Args:
            filters: ``{"until": "24h", "label": [...], "label!": [...]}``.
        """
        return self.client.api.prune_networks(filters)
