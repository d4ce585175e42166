"""Networks: address management, and endpoint configurations of containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from dockerkit.parsing import shorthands
from dockerkit.parsing.values import ips, ipv4, ipv6, raise_invalid, string, string_list, string_map
from dockerkit.types.base import Value, engine_dict, parts_of
from dockerkit.types.option_schema import EngineField

Options = Mapping[str, str | int | float | bool]


class IPAMPool(Value):
    """A range of addresses of a network: ``IPAMPool("172.28.0.0/16", gateway="172.28.0.254")``."""

    subnet: Annotated[str | None, EngineField("Subnet", string)] = None
    """Subnet, such as ``"172.28.0.0/16"``."""
    iprange: Annotated[str | None, EngineField("IPRange", string)] = None
    """Part of the subnet from which containers get their addresses."""
    gateway: Annotated[str | None, EngineField("Gateway", string)] = None
    """Address of the gateway."""
    aux_addresses: Annotated[Mapping[str, str] | None, EngineField("AuxiliaryAddresses", string_map)] = None
    """Addresses used by the network driver: ``{"name": "172.28.0.5"}``."""


class IPAMConfig(Value):
    """Address management of a network: ``IPAMConfig(pool_configs=[IPAMPool("172.28.0.0/16")])``."""

    driver: Annotated[str | None, EngineField("Driver")] = "default"
    """IPAM driver."""
    pool_configs: Annotated[
        Sequence[IPAMPool | Mapping[str, Any]] | None, EngineField("Config", parts_of(IPAMPool))
    ] = None
    """Address ranges."""
    options: Annotated[Options | None, EngineField("Options", string_map)] = None
    """Options of the driver."""


class EndpointConfig(Value):
    """The endpoint configuration of a container in a network: names, addresses, options."""

    version: Annotated[str | None, EngineField("")] = None
    """Accepted for compatibility with docker-py and ignored."""
    aliases: Annotated[Sequence[str] | None, EngineField("Aliases", string_list)] = None
    """Additional names in the network."""
    links: Annotated[
        Mapping[str, str] | Sequence[str | tuple[str, str]] | None, EngineField("Links", shorthands.links)
    ] = None
    """Links to containers, with aliases that only this container sees: ``{"container": "alias"}``."""
    ipv4_address: Annotated[str | None, EngineField("IPAMConfig.IPv4Address", ipv4)] = None
    """A fixed IPv4 address."""
    ipv6_address: Annotated[str | None, EngineField("IPAMConfig.IPv6Address", ipv6)] = None
    """A fixed IPv6 address."""
    link_local_ips: Annotated[Sequence[str] | None, EngineField("IPAMConfig.LinkLocalIPs", ips)] = None
    """Link-local addresses."""
    driver_opt: Annotated[Options | None, EngineField("DriverOpts", string_map)] = None
    """Options of the network driver for this endpoint (API 1.30)."""
    mac_address: Annotated[str | None, EngineField("MacAddress", string)] = None
    """A fixed MAC address (API 1.44)."""
    gw_priority: Annotated[int | None, EngineField("GwPriority")] = None
    """Priority; the network with the highest one provides the default route (API 1.48)."""


def endpoints(value: object, name: str = "endpoints_config") -> dict[str, Any]:
    """Return networks with their endpoint configurations: ``{"net": EndpointConfig(...)}``; None means defaults."""
    if not isinstance(value, Mapping):
        raise_invalid(name, "a mapping of networks to endpoint configs", value)
    return {
        string(network, name): {} if endpoint is None else engine_dict(EndpointConfig, endpoint, f"{name}[{network!r}]")
        for network, endpoint in value.items()
    }


class NetworkingConfig(Value):
    """The networks of a new container: ``NetworkingConfig({"net": EndpointConfig(aliases=["db"])})``."""

    endpoints_config: Annotated[
        Mapping[str, EndpointConfig | Mapping[str, Any] | None] | None, EngineField("EndpointsConfig", endpoints)
    ] = None
    """``{network: endpoint config}``."""
