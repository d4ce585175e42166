"""Nodes of a swarm. ``/nodes``"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import Base, Ref
from dockerkit.api.checks import index
from dockerkit.api.encode import Filters

if TYPE_CHECKING:
    from dockerkit.types import answers
    from dockerkit.types.wire import ToEngine


class NodeAPI(Base):
    """The calls on nodes; each needs a manager of a swarm."""

    def nodes(self, filters: Filters | None = None) -> list[answers.Node]:
        """List the nodes of the swarm. ``GET /nodes``

        Args:
            filters: ``{"role": "manager", "membership": "accepted", "name": ..., "label": ..., "node.label": ...}``.
        """
        return self._json("GET", "/nodes", query={"filters": filters or {}}, kind=list)

    def inspect_node(self, node_id: Ref) -> answers.Node:
        """All that the swarm knows of a node. ``GET /nodes/{id}``

        Args:
            node_id: id, host name, dict with ``ID``, or object.
        """
        return self._json("GET", "/nodes/{id}", id=node_id)

    def update_node(self, node_id: Ref, version: int, node_spec: Mapping[str, Any] | ToEngine | None = None) -> bool:
        """Change a node's role, availability or labels. ``POST /nodes/{id}/update``

        Args:
            node_id: id, host name, dict with ``ID``, or object.
            version: ``Version.Index`` of the node that is to be changed: protects from lost updates.
            node_spec: ``{"Role": "worker", "Availability": "drain", "Labels": {...}, "Name": ...}``, all of it.

        Returns:
            True.
        """
        self._none("POST", "/nodes/{id}/update", id=node_id, query={"version": index(version)}, body=node_spec or {})
        return True

    def remove_node(self, node_id: Ref, force: bool = False) -> bool:
        """Take a node that is down off the swarm. ``DELETE /nodes/{id}``

        Args:
            node_id: id, host name, dict with ``ID``, or object.
            force: even if it is not down.

        Returns:
            True.
        """
        self._none("DELETE", "/nodes/{id}", id=node_id, query={"force": force or None})
        return True
