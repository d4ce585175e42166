"""What the tests put on an engine, removed again; and what they forgot, told.

Speaks to the engine by itself, so that a mistake in dockerkit can't hide what it leaves behind.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import secrets
import urllib.parse
from typing import Any

from engines.host import EngineUnavailable
from engines.images import ask

LABEL = "dockerkit.test"
RUN = secrets.token_hex(3)
"""Tells this process's things from those of another that tests on the same engine."""
PREFIX = f"dkt-{RUN}-"
"""Names of all that tests create start so."""

# kind -> (how to list, where the list is, id field)
KINDS = {
    "service": ("/services", None, "ID"),
    "container": ("/containers/json?all=1", None, "Id"),
    "network": ("/networks", None, "Id"),
    "volume": ("/volumes", "Volumes", "Name"),
    "secret": ("/secrets", None, "ID"),
    "config": ("/configs", None, "ID"),
}
REMOVE = {
    "service": "/services/{}",
    "container": "/containers/{}?force=1&v=1",
    "network": "/networks/{}",
    "volume": "/volumes/{}?force=1",
    "secret": "/secrets/{}",
    "config": "/configs/{}",
}


def remove_ours(socket: pathlib.Path) -> None:
    """Remove everything that has the run's label, or a name that tests give."""
    for kind in KINDS:
        for item in _all(socket, kind):
            if _labels(item).get(LABEL) == RUN or any(name.startswith(PREFIX) for name in _names(item)):
                identity = urllib.parse.quote(item[KINDS[kind][2]], safe="")
                with contextlib.suppress(EngineUnavailable, OSError):
                    ask(socket, "DELETE", REMOVE[kind].format(identity))
    filters = urllib.parse.quote(json.dumps({"label": [f"{LABEL}={RUN}"]}))
    for image in json.loads(ask(socket, "GET", "/images/json")):
        for tag in image["RepoTags"] or []:
            if tag.rpartition("/")[2].startswith(PREFIX):
                with contextlib.suppress(EngineUnavailable):
                    ask(socket, "DELETE", f"/images/{tag}?force=1")
    for image in json.loads(ask(socket, "GET", f"/images/json?all=1&filters={filters}")):
        with contextlib.suppress(EngineUnavailable):
            ask(socket, "DELETE", f"/images/{image['Id']}?force=1")


def inventory(socket: pathlib.Path) -> set[str]:
    """What is on the engine: "container web", "network bridge", …; for comparing before with after."""
    found = set()
    for kind, (_, _, identity) in KINDS.items():
        for item in _all(socket, kind):
            found.add(f"{kind} {(_names(item) or [item[identity]])[0]}")
    for image in json.loads(ask(socket, "GET", "/images/json")):
        found.update(f"image {tag}" for tag in image["RepoTags"] or [] if tag != "<none>:<none>")
    found.update(f"image {identity}" for identity in nameless(socket))
    swarm = json.loads(ask(socket, "GET", "/info")).get("Swarm") or {}
    if swarm.get("LocalNodeState", "inactive") != "inactive":
        found.add("swarm membership")
    return found - {"network ingress", "network docker_gwbridge"}


def nameless(socket: pathlib.Path) -> set[str]:
    """The ids of images that have no name."""
    images = json.loads(ask(socket, "GET", "/images/json"))
    return {image["Id"] for image in images if (image["RepoTags"] or ["<none>:<none>"]) == ["<none>:<none>"]}


def _all(socket: pathlib.Path, kind: str) -> list[dict[str, Any]]:
    path, inside, _ = KINDS[kind]
    try:
        answer = json.loads(ask(socket, "GET", path))
    except EngineUnavailable:  # no swarm, no services
        return []
    return (answer[inside] if inside else answer) or []


def _labels(item: dict[str, Any]) -> dict[str, str]:
    return item.get("Labels") or (item.get("Spec") or {}).get("Labels") or {}


def _names(item: dict[str, Any]) -> list[str]:
    names = item.get("Names") or [item.get("Name") or (item.get("Spec") or {}).get("Name") or ""]
    return [name.lstrip("/") for name in names if name]
