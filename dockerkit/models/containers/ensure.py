"""Make sure that a container with certain options exists; see :meth:`ContainerCollection.ensure`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.errors.base import IgnoreGone
from dockerkit.models.containers.create import CreateRequest, plan
from dockerkit.models.ensured import Difference, Ensured, differences
from dockerkit.parsing.values import boolean

if TYPE_CHECKING:
    from dockerkit.models.containers import Container, ContainerCollection
    from dockerkit.models.images import Image
    from dockerkit.parsing.values import Command
    from dockerkit.progress import ProgressSpec
    from dockerkit.types.create_options import CreateOptions

SPEC = "dockerkit.spec"
"""Label of containers created by ``ensure``: a digest of the options."""
SETTINGS = "dockerkit.spec.settings"
"""Label with the names of the passed settings, without values, to report later which are no longer passed."""

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")  # the name that an engine gives to an anonymous volume
_HIDDEN = "…"  # variables contain passwords, and differences end up in logs

log: logging.Logger = logging.getLogger(__name__)


def ensure(
    containers: ContainerCollection,
    image: str | Image,
    command: Command | None,
    options: CreateOptions,
    *,
    replace_foreign: bool,
    renew_volumes: bool,
    progress: ProgressSpec,
) -> Container:
    """See :meth:`ContainerCollection.ensure`."""
    boolean(replace_foreign, "replace_foreign")
    boolean(renew_volumes, "renew_volumes")
    created = plan(containers.client.api, image, command, options, detach=True, pull="missing", owner=containers.ensure)
    labels = created.body.setdefault("Labels", {})
    labels[SPEC] = _digest(created)
    settings = dict(_leaves({**created.body, "Env": _variables(created.body.get("Env"))}))
    labels[SETTINGS] = json.dumps(sorted(settings), separators=(",", ":"))
    if created.pull == "always":
        containers._pull(created, progress)
    old = containers.get(created.name or "", default=None)  # never "": ensure() requires a name
    if old is None or old.name != created.name:  # the name may also be a prefix of another container's ID
        with contextlib.ExitStack() as undo:
            container = containers._make(created, undo, progress)
            container.start()
            container.ensured = Ensured("created")
            undo.pop_all()
            return container
    found = containers.client.images.get(created.body["Image"], default=None)
    ours = _is_ours(old, found)
    if not ours and not replace_foreign:
        raise errors.Conflict(
            f"container {created.name!r} exists and was not created by ensure(); remove it, choose another name, "
            "or pass replace_foreign=True to replace it"
        )
    new_image = found is not None and found.id != old.attrs["Image"]
    same_settings = ours and old.labels.get(SPEC) == labels[SPEC]
    if same_settings and not new_image:
        old.ensured = Ensured("started" if _resume(old) else "unchanged")
        return old
    changes = tuple(_changes(old, settings)) if ours and not same_settings else ()
    if found is not None and new_image:
        changes += (Difference("Image", old.attrs["Image"], found.id),)
    container = _replace(containers, old, created, progress, renew_volumes=renew_volumes)
    container.ensured = Ensured("replaced", changes)
    log.info("replaced container %s: %s", created.name, ", ".join(change.name for change in changes) or "not ours")
    return container


def _resume(old: Container) -> bool:
    if old.status == "paused":
        old.unpause()
        return True
    return old.start()


def _digest(created: CreateRequest) -> str:
    body = {**created.body, "Env": sorted(created.body.get("Env", []), key=lambda variable: variable.partition("=")[0])}
    text = json.dumps([body, created.platform, created.later], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the settings in a body by dotted name."""
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _leaves(item, f"{prefix}{key}.")
        elif item is not None and key not in (SPEC, SETTINGS):
            yield prefix + key, item


def _variables(env: list[str] | None) -> dict[str, str]:
    return {name: value for name, _, value in (variable.partition("=") for variable in env or ())}


def _changes(old: Container, settings: Mapping[str, Any]) -> Iterator[Difference]:
    """Name the differences. Only an explanation from what the engine reports: the digests decide."""
    attrs = old.attrs
    config = {**attrs.get("Config", {}), "Env": _variables(attrs.get("Config", {}).get("Env"))}
    networks = {"EndpointsConfig": attrs.get("NetworkSettings", {}).get("Networks")}
    current = dict(_leaves({**config, "HostConfig": attrs.get("HostConfig") or {}, "NetworkingConfig": networks}))
    try:
        before = set(json.loads(old.labels.get(SETTINGS, "")))
    except (ValueError, TypeError):  # created by an older version of dockerkit
        before = set(current) & set(settings)
    for name in sorted(before | set(settings)):
        hidden = name.startswith("Env.")
        if name not in settings:
            yield Difference(name, _HIDDEN if hidden else current.get(name), None)
        elif name not in before:
            yield Difference(name, None, _HIDDEN if hidden else settings[name])
        elif found := differences(current.get(name), settings[name], name):
            yield from (Difference(name, _HIDDEN, _HIDDEN),) if hidden else found


def _is_ours(old: Container, image: Image | None) -> bool:
    """Return whether ``ensure`` created the container. The label alone is not enough: committed images inherit it."""
    label = old.labels.get(SPEC)
    if label is None:
        return False
    if image is None or image.id != old.attrs["Image"]:
        image = old.client.images.get(old.attrs["Image"], default=None)
    return image is None or image.labels.get(SPEC) != label


def _replace(
    containers: ContainerCollection,
    old: Container,
    created: CreateRequest,
    progress: ProgressSpec,
    *,
    renew_volumes: bool,
) -> Container:
    """Replace a container with a new one. If that fails, restore the old one."""
    ran = old.status in ("running", "restarting", "paused")
    name = str(old.name)
    mounts: list[dict[str, Any]] = [mount for mount in old.attrs.get("Mounts") or [] if mount.get("Type") == "volume"]
    volumes = [mount for mount in mounts if _ANONYMOUS.fullmatch(mount.get("Name") or "")]
    if not renew_volumes:
        _carry_over(volumes, created)
    old.rename(f"{name}-{uuid.uuid4().hex[:8]}")
    try:
        with contextlib.ExitStack() as undo:  # keeps the volumes carried over, which the new container mounts by name
            container = containers._make(created, undo, progress, stacklevel=5)
            old.stop()  # as late as possible: the new container takes over its ports and volumes
            container.start()
            undo.pop_all()
    except BaseException:
        old.rename(name)
        if ran:
            old.start()
        raise
    with IgnoreGone():
        old.remove(v=renew_volumes, force=True)
    if renew_volumes:
        for volume in volumes:  # volumes carried over earlier count as named ones
            with contextlib.suppress(errors.NotFound, errors.Conflict):  # already removed, or still in use
                containers.client.api.remove_volume(volume["Name"])
    return container


def _carry_over(volumes: list[dict[str, Any]], created: CreateRequest) -> None:
    """Mount the old container's anonymous volumes in the new one, at paths where nothing else is mounted."""
    host = created.body["HostConfig"]
    taken = {*(host.get("Tmpfs") or ()), *(mount.get("Target") for mount in host.get("Mounts") or ())}
    for bind in host.get("Binds") or ():
        taken.update(re.split(r":(?!\\)", bind)[1:])
    taken = {str(path).rstrip("/") for path in taken}
    binds = [
        f"{volume['Name']}:{volume['Destination']}{'' if volume.get('RW', True) else ':ro'}"
        for volume in volumes
        if volume["Destination"].rstrip("/") not in taken
    ]
    if binds:
        host["Binds"] = [*(host.get("Binds") or ()), *binds]
