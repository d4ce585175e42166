"""Nodes of a swarm."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from dockerkit import runtime
from dockerkit.errors import ConvergenceTimeout
from dockerkit.models.resource import RAISE, Collection, D
from dockerkit.models.tables import Table
from dockerkit.models.versioned import Versioned, update_current
from dockerkit.parsing.values import mapping, time_limit

if TYPE_CHECKING:
    from dockerkit.api.refs import Ref
    from dockerkit.models.tasks import Task
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.parsing.values import Duration
    from dockerkit.types.filters import NodeFilters, TaskFilters


class Node(Versioned):
    """An engine in the swarm."""

    @property
    def hostname(self) -> str:
        """Host name of the machine."""
        return (self._get_attr("Description") or {}).get("Hostname") or ""

    @property
    def name(self) -> str:
        """Assigned name, or the host name."""
        return self.spec.get("Name") or self.hostname

    @property
    def role(self) -> str:
        """Desired role: ``"manager"`` or ``"worker"``."""
        return self.spec.get("Role") or ""

    @property
    def availability(self) -> str:
        """Availability: ``"active"``, ``"pause"`` or ``"drain"``."""
        return self.spec.get("Availability") or ""

    @property
    def status(self) -> str:
        """Status: ``"ready"``, ``"down"``, ``"unknown"`` or ``"disconnected"``, at the last :meth:`reload`."""
        return (self._get_attr("Status") or {}).get("State") or ""

    @property
    def is_leader(self) -> bool:
        """Whether the node is the leader of the managers, at the last :meth:`reload`."""
        return bool((self._get_attr("ManagerStatus") or {}).get("Leader"))

    @property
    def reachability(self) -> str | None:
        """``"reachable"`` or ``"unreachable"`` for a manager; None for a worker."""
        return (self._get_attr("ManagerStatus") or {}).get("Reachability")

    def tasks(self, filters: TaskFilters | None = None) -> list[Task]:
        """List the tasks on this node, including ended ones. ``GET /tasks``

        Args:
            filters: as for :meth:`dockerkit.models.tasks.TaskCollection.list`.
        """
        return self.client.tasks.list(
            filters=cast("TaskFilters", {**mapping(filters or {}, "filters"), "node": self.id or ""})
        )

    def update(self, node_spec: Mapping[str, Any] | ToEngine) -> bool:
        """Replace role, availability, labels and name. ``POST /nodes/{id}/update``

        Args:
            node_spec: ``{"Role": "worker", "Availability": "drain", "Labels": {...}, "Name": ...}``. Omitted settings
                are removed; :meth:`change` keeps them.

        Returns:
            True.

        Raises:
            ServerError: the node has been changed since the last :meth:`reload`.
        """
        return self.client.api.update_node(self, self.version, node_spec)

    def change(
        self,
        *,
        role: str | None = None,
        availability: str | None = None,
        labels: Mapping[str, str] | None = None,
        name: str | None = None,
    ) -> None:
        """Change settings of the node; unspecified ones keep their value. ``POST /nodes/{id}/update``

        Args:
            role: ``"manager"`` or ``"worker"``.
            availability: ``"active"``, ``"pause"`` (no new tasks), or ``"drain"`` (also stops existing tasks).
            labels: labels to replace the existing ones.
            name: name to assign.

        Concurrent changes are kept: on a version conflict, the update is repeated with the current settings.
        """
        fields = {"Role": role, "Availability": availability, "Labels": labels, "Name": name}
        changes = {field: value for field, value in fields.items() if value is not None}
        update_current(self, lambda: self.client.api.update_node(self, self.version, {**self.spec, **changes}))

    def promote(self) -> None:
        """Promote the node to a manager. ``POST /nodes/{id}/update``"""
        self.change(role="manager")

    def demote(self) -> None:
        """Demote the node to a worker. ``POST /nodes/{id}/update``

        Raises:
            BadRequest: the node is the last manager.
        """
        self.change(role="worker")

    def activate(self) -> None:
        """Set the availability to "active". ``POST /nodes/{id}/update``"""
        self.change(availability="active")

    def pause(self) -> None:
        """Assign no new tasks to the node. ``POST /nodes/{id}/update``"""
        self.change(availability="pause")

    def drain(self, timeout: Duration | None = None) -> None:
        """Assign no new tasks to the node, and stop its existing ones. ``POST /nodes/{id}/update``

        Args:
            timeout: maximum seconds to wait until its tasks have ended; None does not wait.

        Raises:
            ConvergenceTimeout: tasks were still running after the timeout.
        """
        limit = time_limit(timeout)
        self.change(availability="drain")
        if limit is not None:
            self._wait(lambda: not any(task.is_alive for task in self.tasks()), limit, "tasks still running")

    def wait_until(
        self, status: str = "ready", timeout: Duration | None = 60, *, reachability: str | None = None
    ) -> None:
        """Wait until the node joins or leaves. ``GET /nodes/{id}``

        Args:
            status: ``"ready"`` or ``"down"``.
            timeout: maximum seconds to wait.
            reachability: reachability as a manager to wait for: ``"reachable"`` after a promotion.

        Raises:
            ConvergenceTimeout: the status was not reached in time.
        """

        def there() -> bool:
            self.reload()
            return self.status == status and (reachability is None or self.reachability == reachability)

        self._wait(there, time_limit(timeout), f"not {status}" + (f" and {reachability}" if reachability else ""))

    def _wait(self, done: Callable[[], bool], timeout: float | None, what: str) -> None:
        began = time.monotonic()
        while not done():
            if timeout is not None and time.monotonic() - began > timeout:
                raise ConvergenceTimeout(f"{what} after {timeout:g} s", f"node {self.name}")
            runtime.sleep(0.2)

    def remove(self, force: bool = False) -> bool:
        """Remove a node from the swarm. ``DELETE /nodes/{id}``

        Args:
            force: remove it even if it is not down.

        Returns:
            True.
        """
        return self.client.api.remove_node(self, force)


class NodeCollection(Collection[Node]):
    """List and manage nodes of the swarm; requires a manager node."""

    model = Node

    def get(self, node_id: Ref, *, default: D = RAISE) -> Node | D:
        """Return a node. ``GET /nodes/{id}``, for ``"self"`` also ``GET /info``

        Args:
            node_id: ID, host name, or ``"self"`` for the engine of this client.
            default: returned instead of raising NotFound.

        Raises:
            NotFound: the node does not exist.
            ServiceUnavailable: the engine is not a swarm manager.
        """
        if node_id == "self":
            swarm: Mapping[str, Any] = self.client.api.info()["Swarm"]
            node_id = swarm.get("NodeID") or node_id
        return self._get(lambda: self.client.api.inspect_node(node_id), default)

    def list(self, filters: NodeFilters | None = None) -> Table[Node]:
        """List the nodes of the swarm, in one request. ``GET /nodes``

        Args:
            filters: ``{"role": "manager", "membership": "accepted", "name": ..., "label": ..., "node.label": ...}``.
        """
        return Table(self.prepare_model(attrs) for attrs in self.client.api.nodes(filters))
