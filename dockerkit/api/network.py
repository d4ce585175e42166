"""Networks. ``/networks``"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.api import versions
from dockerkit.api.base import APIBase, Ref
from dockerkit.api.checks import check_optional
from dockerkit.api.encode import filters_with
from dockerkit.api.refs import checked_name, resolve_id
from dockerkit.errors import EngineWarning, InvalidArgument
from dockerkit.parsing import values
from dockerkit.parsing.json_data import to_json_data
from dockerkit.parsing.values import mapping

if TYPE_CHECKING:
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.types import answers
    from dockerkit.types.filters import NetworkFilters, PruneFilters

Links = Mapping[str, str] | Sequence[str | tuple[str, str]]


class NetworkAPI(APIBase):
    """Calls on networks. ``net_id`` and ``container`` are IDs, names, dicts with ``Id``, or objects."""

    def networks(
        self,
        names: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        filters: NetworkFilters | None = None,
    ) -> list[answers.NetworkSummary]:
        """List networks. ``GET /networks``

        Args:
            names: only networks whose name contains one of these.
            ids: only networks whose ID contains one of these.
            filters: ``{"driver": "bridge", "label": ["a=b"], "scope": "local", "type": "custom", "dangling": True}``.

        Returns:
            Summaries; only :meth:`inspect_network` returns the containers of a network.
        """
        combined = filters_with(filters, name=names or None, id=ids or None)
        return self._json("GET", "/networks", query={"filters": combined}, kind=list)

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
        """Create a network. ``POST /networks/create``

        Args:
            ipam: address ranges, as an :class:`~dockerkit.types.IPAMConfig`, or the Engine's dict.
            name, driver, options, check_duplicate, internal, labels, enable_ipv6, attachable, scope, ingress, enable_ipv4,
                config_only, config_from: as for :meth:`dockerkit.models.networks.NetworkCollection.create`.

        Returns:
            ``{"Id": ..., "Warning": ...}``.

        Raises:
            Conflict: the name is taken.
            Forbidden: the name is predefined, or the ranges overlap with another network's.
            InvalidArgument: ``ipam`` or ``name`` is invalid.
        """
        if ipam is not None and not isinstance(ipam, Mapping) and not hasattr(ipam, "to_engine"):
            raise InvalidArgument(f"ipam: must be an IPAMConfig or a dict, got {ipam!r}")
        if not self.supports("POST /networks/create", "CheckDuplicate"):
            check_duplicate = None  # these engines always check
        body = {
            "Name": checked_name(name),
            "Driver": check_optional(values.string, "driver", driver),
            "Options": check_optional(values.string_map, "options", options),
            "IPAM": _dict_of("IPAMConfig", ipam, "ipam"),
            "CheckDuplicate": check_duplicate,
            "Internal": internal or None,
            "Labels": check_optional(values.labels, "labels", labels),
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
        """Return all details of a network. ``GET /networks/{id}``

        Args:
            verbose: include the services of a swarm network and their tasks (API 1.28).
            scope: only search in this scope (API 1.31).
        """
        query = {"verbose": verbose, "scope": scope}
        return self._json("GET", "/networks/{id}", id=net_id, query=query)

    def remove_network(self, net_id: Ref) -> None:
        """Remove a network. ``DELETE /networks/{id}``

        Raises:
            Forbidden: the network is predefined, or in use.
        """
        self._no_content("DELETE", "/networks/{id}", id=net_id)

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
        """Connect a container to a network. ``POST /networks/{id}/connect``

        Args:
            mac_address: MAC address of the interface (API 1.44). Before API 1.54 engines ignore it here, and dockerkit
                emits an EngineWarning; set it when the container is created.
            ipv4_address, ipv6_address, aliases, links, link_local_ips, driver_opt, gw_priority, endpoint_config: as for
                :meth:`dockerkit.models.networks.Network.connect`.

        Raises:
            InvalidArgument: ``endpoint_config`` is combined with arguments that it replaces.
            NotFound: the container or network does not exist.
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
        settings = {name: value for name, value in options.items() if value is not None}
        if settings and endpoint_config is not None:
            raise InvalidArgument(f"endpoint_config: can't be combined with {', '.join(settings)}, which it replaces")
        if settings:
            from dockerkit.types.networks import EndpointConfig

            endpoint_config = EndpointConfig(**settings)
        endpoint_config = _dict_of("EndpointConfig", endpoint_config, "endpoint_config")
        config = None if endpoint_config is None else dict(mapping(to_json_data(endpoint_config), "endpoint_config"))
        if config and config.get("MacAddress") and not self.supports(versions.CONNECT_SETS_MAC):
            warnings.warn(
                "mac_address: engines ignore it here before API version 1.54 (Engine 29.3); set it when the container "
                "is created",
                EngineWarning,
                stacklevel=2,
            )
        body = {"Container": resolve_id(container, "container"), "EndpointConfig": config}
        self._no_content("POST", "/networks/{id}/connect", id=net_id, body=body)

    def disconnect_container_from_network(self, container: Ref, net_id: Ref, force: bool = False) -> None:
        """Disconnect a container from a network. ``POST /networks/{id}/disconnect``

        Args:
            force: disconnect it even if the container no longer exists.

        Raises:
            Forbidden: the container is not in this network.
        """
        body = {"Container": resolve_id(container, "container"), "Force": force or None}
        self._no_content("POST", "/networks/{id}/disconnect", id=net_id, body=body)

    def prune_networks(self, filters: PruneFilters | None = None) -> answers.NetworkPruneResponse:
        """Remove all unused networks. ``POST /networks/prune``

        Args:
            filters: ``{"until": "24h", "label": [...], "label!": [...]}``.

        Returns:
            ``{"NetworksDeleted": [names] or None}``.
        """
        return self._json(
            "POST", "/networks/prune", query={"filters": filters or {}}, timeout=None, lists=("NetworksDeleted",)
        )


NetworkApiMixin = NetworkAPI  # docker-py's name


def _dict_of(kind: str, value: Mapping[str, Any] | ToEngine | None, name: str) -> Mapping[str, Any] | ToEngine | None:
    """Convert a dict in either spelling to the Engine's."""
    if type(value) is not dict or not value:
        return value
    from dockerkit.types import base, networks

    return base.engine_dict(getattr(networks, kind), value, name, defaults=False)
