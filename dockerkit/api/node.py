"""Nodes of a swarm. ``/nodes``"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.checks import version_index

if TYPE_CHECKING:
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.types import answers
    from dockerkit.types.filters import NodeFilters


class NodeAPI(APIBase):
    """Calls on nodes; they require a manager of a swarm.

    ``node_id`` is an ID, a host name, a dict with ``ID``, or an object.
    """

    def nodes(self, filters: NodeFilters | None = None) -> list[answers.Node]:
        """List the nodes of the swarm. ``GET /nodes``

        Args:
            filters: ``{"role": "manager", "membership": "accepted", "name": ..., "label": ..., "node.label": ...}``.
        """
        return self._json("GET", "/nodes", query={"filters": filters or {}}, kind=list)

    def inspect_node(self, node_id: Ref) -> answers.Node:
        """Return all details of a node. ``GET /nodes/{id}``"""
        return self._json("GET", "/nodes/{id}", id=node_id)

    def update_node(self, node_id: Ref, version: int, node_spec: Mapping[str, Any] | ToEngine | None = None) -> bool:
        """Change a node's role, availability or labels. ``POST /nodes/{id}/update``

        Args:
            version: ``Version.Index`` of the node, which prevents lost updates.
            node_spec: complete spec: ``{"Role": "worker", "Availability": "drain", "Labels": {...}, "Name": ...}``.

        Returns:
            True.
        """
        self._no_content(
            "POST", "/nodes/{id}/update", id=node_id, query={"version": version_index(version)}, body=node_spec or {}
        )
        return True

    def remove_node(self, node_id: Ref, force: bool = False) -> bool:
        """Remove a node that is down from the swarm. ``DELETE /nodes/{id}``

        Args:
            force: remove it even if it is not down.

        Returns:
            True.
        """
        self._no_content("DELETE", "/nodes/{id}", id=node_id, query={"force": force or None})
        return True
