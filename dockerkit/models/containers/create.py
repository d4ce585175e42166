"""Convert the options of ``containers.create`` and ``run`` to the body of a create call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockerkit.api import versions
from dockerkit.api.refs import check_lower_case
from dockerkit.errors import InvalidArgument
from dockerkit.parsing import values
from dockerkit.parsing.platforms import platform_text
from dockerkit.types.containers import host_body, with_streams
from dockerkit.types.create_options import CONFIG_NAMES, CREATE, HOST_NAMES

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient
    from dockerkit.parsing.options import Owner

_CREATE = "POST /containers/create"
_ENDPOINT_MAC = "NetworkingConfig.EndpointsConfig.{}.MacAddress"


@dataclass(frozen=True)
class CreateRequest:
    """A prepared create call.

    Attributes:
        body: JSON body.
        name, platform: query parameters.
        pull: always, missing or never.
        later: networks to connect after creation, with their endpoint configuration: old engines accept only one.
    """

    body: dict[str, Any]
    name: str | None
    platform: str | None
    pull: str
    later: dict[str, dict[str, Any]]


def plan(
    api: APIClient, image: object, command: object, options: Mapping[str, Any], *, detach: bool, pull: str, owner: Owner
) -> CreateRequest:
    """Prepare a create call. The engine's API version determines the format of some options.

    `pull` is the default of the option with this name, and `owner` the called method, for errors.
    """
    if not api.profile.joins_other_networks and options.get("network") is options.get("networks") is None:
        options = {name: value for name, value in options.items() if name != "networking_config"}
    checked = CREATE.checked(options, owner)
    host = host_body(CREATE, {name: value for name, value in checked.items() if name in HOST_NAMES})
    body = CREATE.placed({name: value for name, value in checked.items() if name in CONFIG_NAMES})
    platform = checked.get("platform") or platform_text(getattr(image, "_platform", None))
    image = getattr(image, "id", None) or image
    if not isinstance(image, str) or not image:
        raise InvalidArgument(f"image: must be a name, an ID or an Image, got {image!r}")
    check_lower_case(image, "image")
    body["Image"] = image
    if command is not None:
        body["Cmd"] = values.command(command, "command")
    _variables(api, body, checked)
    if files := checked.get("label_file"):
        body["Labels"] = {**files, **body.get("Labels", {})}
    _folders(body, host, checked)
    if ports := checked.get("ports"):
        host["PortBindings"] = {**host.get("PortBindings", {}), **ports}
    if published := host.get("PortBindings"):
        body["ExposedPorts"] = {port: {} for port in published}
    later = _networks(api, body, host, checked)
    body = with_streams(body, detach=detach)
    body["HostConfig"] = host
    return CreateRequest(body, checked.get("name"), platform, checked.get("pull", pull), later)


def _variables(api: APIClient, body: dict[str, Any], checked: Mapping[str, Any]) -> None:
    """Merge the variables: passed ones override env files, which override the docker command's proxies."""
    environment: list[str] = body.get("Env", [])
    if files := checked.get("env_file"):
        names = {variable.partition("=")[0] for variable in environment}
        environment = [*(f"{name}={value}" for name, value in files.items() if name not in names), *environment]
    variables = environment if checked.get("use_config_proxy") is False else api.with_proxies(environment)
    if variables:
        body["Env"] = variables


def _folders(body: dict[str, Any], host: dict[str, Any], checked: Mapping[str, Any]) -> None:
    """Add the volumes; a container path on its own is an anonymous volume."""
    specs: list[str] | None = checked.get("volumes")
    if not specs:
        return
    anonymous = [spec for spec in specs if ":" not in spec]
    binds = [*host.get("Binds", []), *(spec for spec in specs if ":" in spec)]
    if binds:
        host["Binds"] = binds
    if anonymous:
        body["Volumes"] = {path: {} for path in anonymous}


def _networks(
    api: APIClient, body: dict[str, Any], host: dict[str, Any], checked: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Set the networks, and return those to connect after creation."""
    endpoints: dict[str, dict[str, Any]] = {**checked.get("networking_config", {}), **checked.get("networks", {})}
    network = checked.get("network")
    if not api.profile.joins_other_networks and network not in endpoints:
        endpoints = {**checked.get("networks", {})}
    if network is not None and "network_mode" in checked:
        raise InvalidArgument("network: can't be combined with network_mode")
    if network is None and endpoints:
        network = host.get("NetworkMode") or next(iter(endpoints))
    place = _place(checked)
    mac = body.get("MacAddress")
    if mac and api.supports(_CREATE, _ENDPOINT_MAC):  # the container's own is deprecated
        place["MacAddress"] = body.pop("MacAddress")
        network = network or host.get("NetworkMode") or "bridge"
    if place and network is None:
        raise InvalidArgument("network: required with network_aliases, ip or ip6")
    if network is None:
        return {}
    host["NetworkMode"] = network
    endpoints = {network: {**endpoints.pop(network, {}), **place}, **endpoints}
    if not any(endpoints.values()) and len(endpoints) == 1:
        return {}
    several = api.supports(versions.SEVERAL_ENDPOINTS)
    first = endpoints if several else {network: endpoints.pop(network)}
    body["NetworkingConfig"] = {"EndpointsConfig": first}
    return {} if several else endpoints


def _place(checked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the aliases and addresses passed as separate options."""
    place: dict[str, Any] = {}
    if aliases := checked.get("network_aliases"):
        place["Aliases"] = aliases
    addresses = {"IPv4Address": checked.get("ip"), "IPv6Address": checked.get("ip6")}
    if any(addresses.values()):
        place["IPAMConfig"] = {name: address for name, address in addresses.items() if address}
    return place
