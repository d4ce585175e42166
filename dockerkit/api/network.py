"""Networks. ``/networks``"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import Base, Ref
from dockerkit.api.checks import optional
from dockerkit.api.encode import Filters, filters_with
from dockerkit.api.refs import checked_name, name_of
from dockerkit.errors import InvalidArgument
from dockerkit.types import parse

if TYPE_CHECKING:
    from dockerkit.types import answers
    from dockerkit.types.wire import ToEngine

Links = Mapping[str, str] | Sequence[str | tuple[str, str]]


class NetworkAPI(Base):
    """The calls on networks."""

    def networks(
        self, names: Sequence[str] | None = None, ids: Sequence[str] | None = None, filters: Filters | None = None
    ) -> list[answers.NetworkSummary]:
        """List networks. ``GET /networks``

        Args:
            names: only those whose name has one of these in it.
            ids: only those whose id has one of these in it.
            filters: ``{"driver": "bridge", "label": ["a=b"], "scope": "local", "type": "custom", "dangling": True}``.

        Returns:
            Summaries; the containers in a network are told by :meth:`inspect_network` only.
        """
        wanted = filters_with(filters)
        if names:
            wanted["name"] = names
        if ids:
            wanted["id"] = ids
        return self._json("GET", "/networks", query={"filters": wanted}, kind=list)

    def create_network(
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
    ) -> answers.NetworkCreateResponse:
        """Make a network. ``POST /networks/create``

        Args:
            name: its name.
            driver: ``"bridge"`` (the engine's default), ``"overlay"``, ``"macvlan"``, ``"ipvlan"``, or a plugin's.
            options: the driver's options.
            ipam: address ranges: an :class:`~dockerkit.types.IPAMConfig`, or the Engine's dict.
            check_duplicate: refuse a name that is taken; engines from API 1.46 on always do.
            internal: no way out of the network.
            labels: a dict.
            enable_ipv6: with IPv6; False leaves it to the engine.
            attachable: whether containers may join this swarm network.
            scope: ``"local"``, ``"swarm"`` or ``"global"`` (API 1.30).
            ingress: make it the swarm's routing mesh (API 1.29).
            enable_ipv4: False for a network without IPv4 (API 1.48).
            config_only: only a configuration for others to be made from, no network (API 1.30).
            config_from: name of such a configuration to make this one from (API 1.30).

        Returns:
            ``{"Id": ..., "Warning": ...}``.

        Raises:
            Conflict: the name is taken.
            Forbidden: a predefined name, or ranges that overlap another network's.
            InvalidArgument: ``ipam`` is no mapping or value, ``name`` is empty.
        """
        if ipam is not None and not isinstance(ipam, Mapping) and not hasattr(ipam, "to_engine"):
            raise InvalidArgument(f"ipam: an IPAMConfig or a dict is needed, not {ipam!r}")
        if not self._supports("POST /networks/create", "CheckDuplicate"):
            check_duplicate = None  # these engines always check
        body = {
            "Name": checked_name(name),
            "Driver": optional(parse.text, "driver", driver),
            "Options": optional(parse.text_map, "options", options),
            "IPAM": ipam,
            "CheckDuplicate": check_duplicate,
            "Internal": internal or None,
            "Labels": optional(parse.labels, "labels", labels),
            "EnableIPv6": enable_ipv6 or None,
            "EnableIPv4": enable_ipv4,
            "Attachable": attachable,
            "Scope": scope,
            "Ingress": ingress,
            "ConfigOnly": config_only,
            "ConfigFrom": None if config_from is None else {"Network": config_from},
        }
        return self._json("POST", "/networks/create", body=body, needs="Id")

    def inspect_network(
        self, net_id: Ref, verbose: bool | None = None, scope: str | None = None
    ) -> answers.NetworkInspect:
        """All that the engine knows of a network. ``GET /networks/{id}``

        Args:
            net_id: id, name, dict with ``Id``, or object.
            verbose: also the services in a swarm network and the tasks behind them (API 1.28).
            scope: look for it only in this scope (API 1.31).
        """
        query = {"verbose": verbose, "scope": scope}
        return self._json("GET", "/networks/{id}", id=net_id, query=query)

    def remove_network(self, net_id: Ref) -> None:
        """Remove a network. ``DELETE /networks/{id}``

        Args:
            net_id: id, name, dict with ``Id``, or object.

        Raises:
            Forbidden: it is predefined, or in use.
        """
        self._none("DELETE", "/networks/{id}", id=net_id)

    def connect_container_to_network(
        self,
        container: Ref,
        net_id: Ref,
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
        """Put a container into a network. ``POST /networks/{id}/connect``

        Args:
            container: id, name, dict with ``Id``, or object.
            net_id: id, name, dict with ``Id``, or object.
            ipv4_address, ipv6_address: fixed addresses out of the network's ranges.
            aliases: more names for the container in this network.
            links: other containers under names of their own: ``{"db": "database"}``.
            link_local_ips: link-local addresses.
            driver_opt: options of the network's driver (API 1.30).
            mac_address: the interface's (API 1.44); engines up to 28 don't heed it here, but in the networks of a new container.
            gw_priority: the network with the highest gives the default route; 0 is usual (API 1.48).
            endpoint_config: the whole ``EndpointConfig`` instead of the arguments from ``ipv4_address`` on.

        Raises:
            InvalidArgument: ``endpoint_config`` together with arguments that it replaces.
            NotFound: there is no such container or network.
            Forbidden: the container can't join this network.
        """
        options: dict[str, Any] = {
            "ipv4_address": ipv4_address,
            "ipv6_address": ipv6_address,
            "aliases": aliases,
            "links": links,
            "link_local_ips": link_local_ips,
            "driver_opt": driver_opt,
            "mac_address": mac_address,
            "gw_priority": gw_priority,
        }
        given = {name: value for name, value in options.items() if value is not None}
        if given and endpoint_config is not None:
            raise InvalidArgument(f"endpoint_config: it replaces {', '.join(given)}; give one or the other")
        if given:
            from dockerkit.types.networks import EndpointConfig

            endpoint_config = EndpointConfig(**given)
        body = {"Container": name_of(container, "container"), "EndpointConfig": endpoint_config}
        self._none("POST", "/networks/{id}/connect", id=net_id, body=body)

    def disconnect_container_from_network(self, container: Ref, net_id: Ref, force: bool = False) -> None:
        """Take a container out of a network. ``POST /networks/{id}/disconnect``

        Args:
            container: id, name, dict with ``Id``, or object.
            net_id: id, name, dict with ``Id``, or object.
            force: even if the container is gone.

        Raises:
            Forbidden: it is not in this network.
        """
        body = {"Container": name_of(container, "container"), "Force": force or None}
        self._none("POST", "/networks/{id}/disconnect", id=net_id, body=body)

    def prune_networks(self, filters: Filters | None = None) -> answers.NetworkPruneResponse:
        """Remove all networks that nothing uses. ``POST /networks/prune``

        Args:
            filters: ``{"until": "24h", "label": [...], "label!": [...]}``.

        Returns:
            ``{"NetworksDeleted": [names] or None}``.
        """
        return self._json("POST", "/networks/prune", query={"filters": filters or {}}, timeout=None)


NetworkApiMixin = NetworkAPI  # its name in docker-py
