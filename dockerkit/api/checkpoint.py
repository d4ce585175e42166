"""Checkpoints: frozen states of containers. ``/containers/{name}/checkpoints``

Only engines in experimental mode with CRIU installed have them; the Engine's documents leave them out.
"""

from __future__ import annotations

from typing import Any

from dockerkit.api.base import Base, Ref
from dockerkit.api.refs import checked_name


class CheckpointAPI(Base):
    """The calls on checkpoints. ``start(container, checkpoint=...)`` starts a container from one."""

    def checkpoints(self, container: Ref, directory: str | None = None) -> list[dict[str, Any]]:
        """List a container's checkpoints. ``GET /containers/{name}/checkpoints``

        Args:
            container: id, name, dict with ``Id``, or object.
            directory: where they are, on the engine's host, if not in the engine's own place.

        Returns:
            ``[{"Name": ...}]``.
        """
        query = {"dir": directory}
        return self._json("GET", "/containers/{name}/checkpoints", name=container, query=query, kind=list)

    def create_checkpoint(
        self, container: Ref, checkpoint: str, directory: str | None = None, exit: bool | None = None
    ) -> None:
        """Freeze the state of a running container. ``POST /containers/{name}/checkpoints``

        Args:
            container: id, name, dict with ``Id``, or object.
            checkpoint: its name.
            directory: where to keep it, on the engine's host, if not in the engine's own place.
            exit: stop the container afterwards; the Engine's default is to let it run.

        Raises:
            ServerError: the engine is not experimental, or has no CRIU.
        """
        body = {"CheckpointID": checked_name(checkpoint), "CheckpointDir": directory, "Exit": exit}
        self._none("POST", "/containers/{name}/checkpoints", name=container, body=body, timeout=None)

    def remove_checkpoint(self, container: Ref, checkpoint: str, directory: str | None = None) -> None:
        """Remove a checkpoint. ``DELETE /containers/{name}/checkpoints/{checkpoint}``

        Args:
            container: id, name, dict with ``Id``, or object.
            checkpoint: its name.
            directory: where it is, on the engine's host, if not in the engine's own place.
        """
        self._none(
            "DELETE",
            "/containers/{name}/checkpoints/{checkpoint}",
            name=container,
            checkpoint=checkpoint,
            query={"dir": directory},
        )
