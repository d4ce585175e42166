"""From the options of ``containers.create`` and ``run`` to the body of a create call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockerkit.api import versions
from dockerkit.errors import InvalidArgument

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient

_CREATE = "POST /containers/create"
_ENDPOINT_MAC = "NetworkingConfig.EndpointsConfig.{}.MacAddress"


@dataclass(frozen=True)
class Plan:
    """A create call, worked out.

    Attributes:
        body: what is sent.
        name, platform: its query.
        pull: always, missing or never.
        later: networks with the Engine's endpoint config, to connect after creating: an old engine takes one only.
    """

    body: dict[str, Any]
    name: str | None
    platform: str | None
    pull: str
    later: dict[str, dict[str, Any]]


def plan(
    api: APIClient, image: object, command: object, options: Mapping[str, Any], *, detach: bool, pull: str
) -> Plan:
    """Work a create call out.

    Args:
        api: whose engine will be asked; what it can do decides how things are said.
        image: name, id, or an object with an id.
        command: text or words.
        options: the rows of :class:`~dockerkit.types.create_options.CreateOptions`.
        detach: not to be attached.
        pull: when to pull, where the options don't say.

    Raises:
        InvalidArgument: a value can't be right, or two exclude each other.
        UnknownOption: there is no such option.
    """
    from dockerkit.types import create_options, parse
    from dockerkit.types.containers import host_body, with_streams

    rows = create_options.CREATE
    checked = rows.checked(options)
    host = host_body(rows, {name: checked[name] for name in checked if name in create_options.HOST_NAMES})
    body = rows.placed({name: checked[name] for name in checked if name in create_options.CONFIG_NAMES})
    image = getattr(image, "id", None) or image
    if not isinstance(image, str) or not image:
        raise InvalidArgument(f"image: a name, an id or an Image is needed, not {image!r}")
    body["Image"] = image
    if command is not None:
        body["Cmd"] = parse.command(command, "command")
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
    return Plan(body, checked.get("name"), checked.get("platform"), checked.get("pull", pull), later)


def _variables(api: APIClient, body: dict[str, Any], checked: Mapping[str, Any]) -> None:
    """Variables: what was given goes before files, these before the proxies of the docker command."""
    given: list[str] = body.get("Env", [])
    if files := checked.get("env_file"):
        names = {variable.partition("=")[0] for variable in given}
        given = [*(f"{name}={value}" for name, value in files.items() if name not in names), *given]
    variables = given if checked.get("use_config_proxy") is False else api._with_proxies(given)
    if variables:
        body["Env"] = variables


def _folders(body: dict[str, Any], host: dict[str, Any], checked: Mapping[str, Any]) -> None:
    """Folders to mount; a lone path in the container is an anonymous volume."""
    specs: list[str] = checked.get("volumes", [])
    anonymous = [spec for spec in specs if ":" not in spec]
    binds = [*host.get("Binds", []), *(spec for spec in specs if ":" in spec)]
    if binds:
        host["Binds"] = binds
    if anonymous:
        body["Volumes"] = {path: {} for path in anonymous}


def _networks(
    api: APIClient, body: dict[str, Any], host: dict[str, Any], checked: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Say which networks; answers those which have to wait until it is created."""
    endpoints: dict[str, dict[str, Any]] = {**checked.get("networking_config", {}), **checked.get("networks", {})}
    network = checked.get("network")
    if network is not None and "network_mode" in checked:
        raise InvalidArgument("network: give it or network_mode, not both")
    if network is None and endpoints:
        network = host.get("NetworkMode") or next(iter(endpoints))
    place = _place(checked)
    mac = body.get("MacAddress")
    if mac and api._supports(_CREATE, _ENDPOINT_MAC):  # where endpoints have one, the container's own is on its way out
        place["MacAddress"] = body.pop("MacAddress")
        network = network or host.get("NetworkMode") or "bridge"
    if place and network is None:
        raise InvalidArgument("network: name the network that network_aliases, ip or ip6 are for")
    if network is None:
        return {}
    host["NetworkMode"] = network
    endpoints = {network: {**endpoints.pop(network, {}), **place}, **endpoints}
    if not any(endpoints.values()) and len(endpoints) == 1:
        return {}
    several = api._supports(versions.SEVERAL_ENDPOINTS)
    first = endpoints if several else {network: endpoints.pop(network)}
    body["NetworkingConfig"] = {"EndpointsConfig": first}
    return {} if several else endpoints


def _place(checked: Mapping[str, Any]) -> dict[str, Any]:
    """What aliases and addresses were given beside the networks."""
    place: dict[str, Any] = {}
    if aliases := checked.get("network_aliases"):
        place["Aliases"] = aliases
    addresses = {"IPv4Address": checked.get("ip"), "IPv6Address": checked.get("ip6")}
    if any(addresses.values()):
        place["IPAMConfig"] = {name: address for name, address in addresses.items() if address}
    return place
