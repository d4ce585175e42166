"""Remove what the tests create on an engine, and report what they left.

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
"""Distinguishes this process's objects from those of another test run on the same engine."""
PREFIX = f"dkt-{RUN}-"
"""Prefix of the names of everything that tests create."""
_ATTEMPTS = 5

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
    """Remove everything with the run's label, or with the prefix of test names."""
    for kind in KINDS:
        for item in _all(socket, kind):
            if _labels(item).get(LABEL) == RUN or any(name.startswith(PREFIX) for name in _names(item)):
                identity = urllib.parse.quote(item[KINDS[kind][2]], safe="")
                with contextlib.suppress(EngineUnavailable, OSError):
                    ask(socket, "DELETE", REMOVE[kind].format(identity))
    for _ in range(_ATTEMPTS):  # the removal fails if another process removes images meanwhile
        for image in _our_images(socket):
            with contextlib.suppress(EngineUnavailable):
                ask(socket, "DELETE", f"/images/{image}?force=1")


def _our_images(socket: pathlib.Path) -> list[str]:
    """Return the image names given by tests, then the IDs of images with the run's label.

    The order matters: removing an ID that has several names leaves the parents in containerd's store.
    """
    filters = urllib.parse.quote(json.dumps({"label": [f"{LABEL}={RUN}"]}))
    tags = {tag for image in images(socket) for tag in image["RepoTags"] or []}
    ours = {tag for tag in tags if tag.rpartition("/")[2].startswith(PREFIX)}
    return [*ours, *{image["Id"] for image in images(socket, f"?all=1&filters={filters}")}]


def images(socket: pathlib.Path, query: str = "") -> list[dict[str, Any]]:
    """Return the engine's images; with containerd's store the list can fail while another process removes one."""
    for attempt in range(_ATTEMPTS):
        try:
            found: list[dict[str, Any]] = json.loads(ask(socket, "GET", f"/images/json{query}"))
            return found
        except EngineUnavailable as error:
            if attempt == _ATTEMPTS - 1 or "content digest" not in str(error):
                raise
    raise AssertionError("the last attempt returns or raises")


def inventory(socket: pathlib.Path) -> set[str]:
    """Return everything on the engine ("container web", "network bridge", …), to compare before and after."""
    found = set()
    for kind, (_, _, identity) in KINDS.items():
        for item in _all(socket, kind):
            found.add(f"{kind} {(_names(item) or [item[identity]])[0]}")
    for image in images(socket):
        found.update(f"image {tag}" for tag in image["RepoTags"] or [] if tag != "<none>:<none>")
    found.update(f"image {identity}" for identity in nameless(socket))
    swarm = json.loads(ask(socket, "GET", "/info")).get("Swarm") or {}
    if swarm.get("LocalNodeState", "inactive") != "inactive":
        found.add("swarm membership")
    return found - {"network ingress", "network docker_gwbridge"}


def nameless(socket: pathlib.Path) -> set[str]:
    """Return the IDs of images without a name."""
    return {image["Id"] for image in images(socket) if (image["RepoTags"] or ["<none>:<none>"]) == ["<none>:<none>"]}


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
