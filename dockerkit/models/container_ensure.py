"""Having a container with certain options, whatever there was before."""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from typing import TYPE_CHECKING

from dockerkit import errors
from dockerkit.models.container_create import Plan, plan

if TYPE_CHECKING:
    from dockerkit.models.containers import Container, ContainerCollection
    from dockerkit.models.images import Image
    from dockerkit.types.create_options import CreateOptions
    from dockerkit.types.parse import Command

SPEC = "dockerkit.spec"
"""The label that says which options a container was made with."""


def ensure(
    containers: ContainerCollection, image: str | Image, command: Command | None, options: CreateOptions
) -> Container:
    """See :meth:`ContainerCollection.ensure`."""
    made = plan(containers.client.api, image, command, options, detach=True, pull="missing")
    made.body.setdefault("Labels", {})[SPEC] = _digest(made)
    if made.pull == "always":
        containers._pull(made)
    try:
        old = containers.get(made.name or "")  # never "": ensure has refused to go without
    except errors.NotFound:
        container = containers._make(made)
        _start(container)
        return container
    if _same(containers, old, made):
        if old.status == "paused":
            old.unpause()
        else:
            old.start()
        return old
    return _replace(containers, old, made)


def _digest(made: Plan) -> str:
    body = {**made.body, "Env": sorted(made.body.get("Env", []), key=lambda variable: variable.partition("=")[0])}
    said = json.dumps([body, made.platform, made.later], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _same(containers: ContainerCollection, old: Container, made: Plan) -> bool:
    """Whether a container was made with these options, from what is the image now."""
    if old.labels.get(SPEC) != made.body["Labels"][SPEC]:
        return False
    try:
        image = containers.client.api.inspect_image(made.body["Image"])
    except errors.ImageNotFound:  # then nothing newer can be had without asking for it
        return True
    return image["Id"] == old.attrs["Image"]


def _replace(containers: ContainerCollection, old: Container, made: Plan) -> Container:
    """Put a new container in an old one's place; where that fails, the old one is back as it was."""
    ran = old.status in ("running", "restarting", "paused")
    name = str(old.name)
    old.rename(f"{name}-{uuid.uuid4().hex[:8]}")
    try:
        container = containers._make(made, stacklevel=5)
        try:
            old.stop()  # at the last moment: ports and volumes pass over
            container.start()
        except BaseException:
            with contextlib.suppress(errors.NotFound, errors.Conflict):
                container.remove(v=True, force=True)
            raise
    except BaseException:
        old.rename(name)
        if ran:
            old.start()
        raise
    with contextlib.suppress(errors.NotFound, errors.Conflict):
        old.remove(v=True, force=True)
    return container


def _start(container: Container) -> None:
    try:
        container.start()
    except BaseException:
        with contextlib.suppress(errors.NotFound, errors.Conflict):
            container.remove(v=True, force=True)
        raise
