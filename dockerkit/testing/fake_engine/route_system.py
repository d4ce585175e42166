"""The fake engine itself: ping, version, info, disk usage, login, events."""

from __future__ import annotations

import json
import time
from typing import Any

from dockerkit.testing.fake_engine.routes import Reply, RouteContext, matches_labels, route

_VERSION = "0.0.0-fake"


@route("GET", "/_ping")
@route("HEAD", "/_ping")
def ping(call: RouteContext) -> Reply:
    headers = {"Api-Version": call.engine.api_version, "Ostype": "linux", "Builder-Version": "1"}
    return Reply(200, b"" if call.request.method == "HEAD" else b"OK", headers)


@route("GET", "/version")
def version(call: RouteContext) -> dict[str, Any]:
    return {
        "Platform": {"Name": "dockerkit fake engine"},
        "Version": _VERSION,
        "ApiVersion": call.engine.api_version,
        "MinAPIVersion": call.engine.oldest_version,
        "Os": "linux",
        "Arch": "amd64",
        "Components": [{"Name": "Engine", "Version": _VERSION}],
    }


@route("GET", "/info")
def info(call: RouteContext) -> dict[str, Any]:
    states = [container.status for container in call.engine.containers.values()]
    return {
        "ID": "FAKE",
        "Name": "fake",
        "ServerVersion": _VERSION,
        "Containers": len(states),
        "ContainersRunning": states.count("running"),
        "ContainersPaused": states.count("paused"),
        "ContainersStopped": states.count("exited") + states.count("created"),
        "Images": len(call.engine.images),
        "Driver": "fake",
        "OSType": "linux",
        "OperatingSystem": "none",
        "Architecture": "x86_64",
        "NCPU": 1,
        "MemTotal": 1_073_741_824,
        "Swarm": {"LocalNodeState": "inactive"},
        "Labels": [],
    }


@route("GET", "/system/df")
def df(call: RouteContext) -> dict[str, Any]:
    images = [{"Id": image["Id"], "Size": image["Size"]} for image in call.engine.images.values()]
    containers = [container.summary() for container in call.engine.containers.values()]
    volumes = list(call.engine.volumes.values())
    size = sum(int(image["Size"]) for image in images)
    old = {"LayersSize": size, "Images": images, "Containers": containers, "Volumes": volumes, "BuildCache": []}
    if not call.engine.lean:
        return old
    verbose = (call.request.param("verbose") or "").lower() in ("1", "true")
    used = {container["ImageID"] for container in containers}
    running = sum(container["State"] in ("running", "paused") for container in containers)
    usage = {
        "ImageUsage": _usage(images, sum(image["Id"] in used for image in images), size),
        "ContainerUsage": _usage(containers, running, 0),
        "VolumeUsage": _usage(volumes, 0, 0),
        "BuildCacheUsage": {},
    }
    return usage if verbose else {**old, **usage}


def _usage(items: list[dict[str, Any]], active: int, size: int) -> dict[str, Any]:
    """Return the disk usage of one kind; engines omit zeros."""
    fields = {"Items": items, "TotalCount": len(items), "ActiveCount": active, "TotalSize": size}
    return {name: value for name, value in fields.items() if value}


@route("POST", "/auth")
def auth(_: RouteContext) -> dict[str, str]:
    return {"Status": "Login Succeeded", "IdentityToken": ""}


def _matches(event: dict[str, Any], filters: dict[str, list[str]]) -> bool:
    attributes = event["Actor"]["Attributes"]
    actor = {event["Actor"]["ID"], attributes.get("name", "")}
    for name, values in filters.items():
        if name == "type":
            matches = event["Type"] in values
        elif name == "event":
            matches = event["Action"].partition(":")[0] in values or event["Action"] in values
        elif name == "label":
            matches = matches_labels(attributes, values)
        elif name == "image" and event["Type"] == "container":
            matches = any(attributes.get("image", "").startswith(value) for value in values)
        elif name in ("container", "image", "network", "volume"):
            matches = event["Type"] == name and any(item.startswith(value) for item in actor for value in values)
        else:
            matches = True
        if not matches:
            return False
    return True


@route("GET", "/events", sends_response=True)
def events(call: RouteContext) -> None:
    engine, filters = call.engine, call.filters
    since, until = (call.request.param(name) for name in ("since", "until"))
    with engine.lock:
        position = 0 if since else len(engine.events)
    with call.wire.chunked("application/json") as send:
        while True:
            with engine.changed:
                if len(engine.events) == position and not (until and time.time() >= float(until)):
                    engine.changed.wait(0.1)
                new = engine.events[position:]
            position += len(new)
            for event in new:
                if _matches(event, filters) and (not since or event["timeNano"] / 1e9 >= float(since)):
                    send(json.dumps(event).encode() + b"\n")
            if (until and time.time() >= float(until)) or call.wire.gone():
                return
