"""Checkpoints: saved states of containers. ``/containers/{name}/checkpoints``

They require an engine in experimental mode with CRIU installed. The Engine's API documents don't mention them.
"""

from __future__ import annotations

from typing import Any

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.refs import checked_name


class CheckpointAPI(APIBase):
    """Calls on checkpoints. ``start(container, checkpoint=...)`` starts a container from one.

    ``container`` is an ID, a name, a dict with ``Id``, or an object.
    """

    def checkpoints(self, container: Ref, directory: str | None = None) -> list[dict[str, Any]]:
        """List a container's checkpoints. ``GET /containers/{name}/checkpoints``

        Args:
            directory: their folder on the engine's host, if not the engine's default.

        Returns:
            ``[{"Name": ...}]``.
        """
        query = {"dir": directory}
        return self._json("GET", "/containers/{name}/checkpoints", name=container, query=query, kind=list)

    def create_checkpoint(
        self, container: Ref, checkpoint: str, directory: str | None = None, exit: bool | None = None
    ) -> None:
        """Save the state of a running container. ``POST /containers/{name}/checkpoints``

        Args:
            checkpoint: name of the checkpoint.
            directory: its folder on the engine's host, if not the engine's default.
            exit: stop the container afterwards; by default it keeps running.

        Raises:
            ServerError: the engine is not experimental, or has no CRIU.
        """
        body = {"CheckpointID": checked_name(checkpoint, "checkpoint"), "CheckpointDir": directory, "Exit": exit}
        self._no_content("POST", "/containers/{name}/checkpoints", name=container, body=body, timeout=None)

    def remove_checkpoint(self, container: Ref, checkpoint: str, directory: str | None = None) -> None:
        """Remove a checkpoint. ``DELETE /containers/{name}/checkpoints/{checkpoint}``

        Args:
            checkpoint: name of the checkpoint.
            directory: its folder on the engine's host, if not the engine's default.
        """
        self._no_content(
            "DELETE",
            "/containers/{name}/checkpoints/{checkpoint}",
            name=container,
            checkpoint=checkpoint,
            query={"dir": directory},
        )
