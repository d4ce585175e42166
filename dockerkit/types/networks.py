"""Networks: their address management, and a container's place in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from dockerkit.types import shorthands
from dockerkit.types.base import Value, Wire
from dockerkit.types.parse import ips, ipv4, ipv6, refuse, text, text_map, texts
from dockerkit.types.shorthands import mapping, mappings

Options = Mapping[str, str | int | float | bool]


class IPAMPool(Value):
    """A range of addresses of a network: ``IPAMPool("172.28.0.0/16", gateway="172.28.0.254")``."""

    subnet: Annotated[str | None, Wire("Subnet", text)] = None
    """The subnet, as ``"172.28.0.0/16"``."""
    iprange: Annotated[str | None, Wire("IPRange", text)] = None
    """The part of it that containers get their addresses from."""
    gateway: Annotated[str | None, Wire("Gateway", text)] = None
    """The gateway's address."""
    aux_addresses: Annotated[Mapping[str, str] | None, Wire("AuxiliaryAddresses", text_map)] = None
    """Addresses that the network's driver takes for itself: ``{"name": "172.28.0.5"}``."""


class IPAMConfig(Value):
    """How a network hands out addresses: ``IPAMConfig(pool_configs=[IPAMPool("172.28.0.0/16")])``."""

    driver: Annotated[str | None, Wire("Driver")] = "default"
    """The driver."""
    pool_configs: Annotated[Sequence[IPAMPool | Mapping[str, Any]] | None, Wire("Config", mappings)] = None
    """Its ranges of addresses."""
    options: Annotated[Options | None, Wire("Options", text_map)] = None
    """Options of the driver."""


class EndpointConfig(Value):
    """A container's place in a network: names, addresses, options."""

    version: Annotated[str | None, Wire("")] = None
    """Taken for docker-py's sake: the version in use with the engine decides."""
    aliases: Annotated[Sequence[str] | None, Wire("Aliases", texts)] = None
    """Further names in the network."""
    links: Annotated[Mapping[str, str] | Sequence[str | tuple[str, str]] | None, Wire("Links", shorthands.links)] = None
    """Containers under names that only this one sees: ``{"container": "alias"}``."""
    ipv4_address: Annotated[str | None, Wire("IPAMConfig.IPv4Address", ipv4)] = None
    """A fixed address."""
    ipv6_address: Annotated[str | None, Wire("IPAMConfig.IPv6Address", ipv6)] = None
    """A fixed IPv6 address."""
    link_local_ips: Annotated[Sequence[str] | None, Wire("IPAMConfig.LinkLocalIPs", ips)] = None
    """Link-local addresses."""
    driver_opt: Annotated[Options | None, Wire("DriverOpts", text_map)] = None
    """Options of the network's driver for this endpoint (API 1.30)."""
    mac_address: Annotated[str | None, Wire("MacAddress", text)] = None
    """A fixed MAC address (API 1.44)."""
    gw_priority: Annotated[int | None, Wire("GwPriority")] = None
    """The network with the highest one is the way out (API 1.48)."""


def endpoints(value: object, name: str = "endpoints_config") -> dict[str, Any]:
    """Networks and a container's place in each: ``{"net": EndpointConfig(...)}``; None is all defaults."""
    if not isinstance(value, Mapping):
        refuse(name, "a mapping of networks to endpoint configs", value)
    return {
        text(network, name): {} if place is None else mapping(place, f"{name}[{network!r}]")
        for network, place in value.items()
    }


class NetworkingConfig(Value):
    """The networks of a new container: ``NetworkingConfig({"net": EndpointConfig(aliases=["db"])})``."""

    endpoints_config: Annotated[
        Mapping[str, EndpointConfig | Mapping[str, Any] | None] | None, Wire("EndpointsConfig", endpoints)
    ] = None
    """``{network: endpoint config}``."""
