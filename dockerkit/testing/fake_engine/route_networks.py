"""The fake engine's networks and volumes."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from dockerkit.testing.fake_engine.fakes import fake_network
from dockerkit.testing.fake_engine.routes import Refused, Reply, RouteContext, matches_labels, route

_PREDEFINED = ("bridge", "host", "none")


def _matches(item: dict[str, Any], filters: dict[str, list[str]], identity: str) -> bool:
    return (
        matches_labels(item.get("Labels") or {}, filters.get("label", []))
        and (not filters.get("name") or any(value in item["Name"] for value in filters["name"]))
        and (not filters.get("id") or any(item[identity].startswith(value) for value in filters["id"]))
        and (not filters.get("driver") or item["Driver"] in filters["driver"])
        and (filters.get("type") != ["custom"] or item["Name"] not in _PREDEFINED)
    )


@route("GET", "/networks")
def list_networks(call: RouteContext) -> list[dict[str, Any]]:
    return [item for item in call.engine.networks.values() if _matches(item, call.filters, "Id")]


@route("POST", "/networks/create")
def create_network(call: RouteContext) -> Reply:
    engine, body = call.engine, call.body
    name = body.get("Name") or ""
    if not name:
        raise Refused(400, "network name is required")
    if name in engine.networks:
        raise Refused(409, f"network with name {name} already exists")
    network = fake_network(
        engine.new_id(),
        name,
        body.get("Driver") or "bridge",
        Created=engine.now(),
        Scope=body.get("Scope") or "local",
        EnableIPv6=bool(body.get("EnableIPv6")),
        Internal=bool(body.get("Internal")),
        Attachable=bool(body.get("Attachable")),
        IPAM=body.get("IPAM") or {"Driver": "default", "Config": [{"Subnet": "172.30.0.0/16"}]},
        Options=body.get("Options") or {},
        Labels=body.get("Labels") or {},
    )
    engine.networks[name] = network
    engine.event("network", "create", network["Id"], {"name": name, "type": network["Driver"]})
    return Reply(201, {"Id": network["Id"], "Warning": ""})


@route("POST", "/networks/prune")
def prune_networks(call: RouteContext) -> dict[str, Any]:
    removed = [
        name
        for name, network in call.engine.networks.items()
        if name not in _PREDEFINED and not network["Containers"] and _matches(network, call.filters, "Id")
    ]
    for name in removed:
        del call.engine.networks[name]
    return {"NetworksDeleted": removed or None}


@route("POST", "/networks/{id}/connect")
def connect(call: RouteContext) -> int:
    network = call.engine.network(call.id)
    container = call.engine.container(str(call.body.get("Container")))
    if network["Name"] in container.networks:
        raise Refused(403, f"endpoint with name {container.name} already exists in network {network['Name']}")
    call.engine.join(network["Name"], container, call.body.get("EndpointConfig") or {})
    call.engine.event("network", "connect", network["Id"], {"container": container.id, "name": network["Name"]})
    return 200


@route("POST", "/networks/{id}/disconnect")
def disconnect(call: RouteContext) -> int:
    network = call.engine.network(call.id)
    container = call.engine.container(str(call.body.get("Container")))
    if container.networks.pop(network["Name"], None) is None and not call.body.get("Force"):
        raise Refused(403, f"container {container.id} is not connected to network {network['Name']}")
    network["Containers"].pop(container.id, None)
    call.engine.event("network", "disconnect", network["Id"], {"container": container.id, "name": network["Name"]})
    return 200


@route("GET", "/networks/{id}")
def inspect_network(call: RouteContext) -> dict[str, Any]:
    network = call.engine.network(call.id)
    return {**network, "Status": _status(network)} if call.engine.lean else network


def _status(network: dict[str, Any]) -> dict[str, Any]:
    """Return the address usage of a network, as engines report it since 29."""
    subnets = {}
    for config in network["IPAM"].get("Config") or []:
        used = 3 + len(network["Containers"])  # the network's own address, the broadcast address and the gateway
        size = ip_network(config["Subnet"], strict=False).num_addresses
        subnets[config["Subnet"]] = {"IPsInUse": used, "DynamicIPsAvailable": max(size - used, 0)}
    return {"IPAM": {"Subnets": subnets}}


@route("DELETE", "/networks/{id}")
def remove_network(call: RouteContext) -> int:
    network = call.engine.network(call.id)
    if network["Name"] in _PREDEFINED:
        raise Refused(403, f"{network['Name']} is a pre-defined network and cannot be removed")
    if network["Containers"]:
        raise Refused(403, f"error while removing network: network {network['Name']} has active endpoints")
    del call.engine.networks[network["Name"]]
    call.engine.event("network", "destroy", network["Id"], {"name": network["Name"]})
    return 204


# -- volumes -----------------------------------------------------------------------------------------------------


@route("GET", "/volumes")
def list_volumes(call: RouteContext) -> dict[str, Any]:
    volumes = [item for item in call.engine.volumes.values() if _matches(item, call.filters, "Name")]
    return {"Volumes": volumes, "Warnings": None}


@route("POST", "/volumes/create")
def create_volume(call: RouteContext) -> Reply:
    engine, body = call.engine, call.body
    name = body.get("Name") or engine.new_id()
    new = {
        "Name": name,
        "Driver": body.get("Driver") or "local",
        "Mountpoint": f"/var/lib/docker/volumes/{name}/_data",
        "CreatedAt": engine.now(),
        "Labels": body.get("Labels") or {},
        "Options": body.get("DriverOpts") or {},
        "Scope": "local",
    }
    volume = engine.volumes.setdefault(name, new)
    engine.event("volume", "create", name, {"driver": volume["Driver"]})
    return Reply(201, volume)


@route("POST", "/volumes/prune")
def prune_volumes(call: RouteContext) -> dict[str, Any]:
    removed = [name for name, item in call.engine.volumes.items() if _matches(item, call.filters, "Name")]
    for name in removed:
        del call.engine.volumes[name]
    return {"VolumesDeleted": removed, "SpaceReclaimed": 0}


@route("GET", "/volumes/{id}")
def inspect_volume(call: RouteContext) -> dict[str, Any]:
    try:
        return call.engine.volumes[call.id]
    except KeyError:
        raise Refused(404, f"get {call.id}: no such volume") from None


@route("DELETE", "/volumes/{id}")
def remove_volume(call: RouteContext) -> int:
    del call.engine.volumes[inspect_volume(call)["Name"]]
    call.engine.event("volume", "destroy", call.id, {"driver": "local"})
    return 204
