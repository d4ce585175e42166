"""Nodes of a swarm."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.encode import Filters
from dockerkit.errors import ConvergenceTimeout
from dockerkit.models.resource import Collection
from dockerkit.models.tables import Table
from dockerkit.models.versioned import Versioned, retried

if TYPE_CHECKING:
    from dockerkit.api.refs import Ref
    from dockerkit.models.tasks import Task
    from dockerkit.types.wire import ToEngine


class Node(Versioned):
    """An engine that is part of the swarm."""

    @property
    def hostname(self) -> str:
        """Its machine's name."""
        return (self._fact("Description") or {}).get("Hostname") or ""

    @property
    def name(self) -> str:
        """The name given to it, else its machine's."""
        return self.spec.get("Name") or self.hostname

    @property
    def role(self) -> str:
        """``"manager"`` or ``"worker"``: what it is to be."""
        return self.spec.get("Role") or ""

    @property
    def availability(self) -> str:
        """``"active"``, ``"pause"`` or ``"drain"``."""
        return self.spec.get("Availability") or ""

    @property
    def status(self) -> str:
        """``"ready"``, ``"down"``, ``"unknown"`` or ``"disconnected"``, as of the last :meth:`reload`."""
        return (self._fact("Status") or {}).get("State") or ""

    @property
    def is_leader(self) -> bool:
        """Whether it is the manager that the others follow, as of the last :meth:`reload`."""
        return bool((self._fact("ManagerStatus") or {}).get("Leader"))

    @property
    def reachability(self) -> str | None:
        """``"reachable"`` or ``"unreachable"`` for a manager, None for a worker."""
        return (self._fact("ManagerStatus") or {}).get("Reachability")

    def tasks(self, filters: Filters | None = None) -> list[Task]:
        """The tasks on this node, also those that have ended. ``GET /tasks``

        Args:
            filters: as of :meth:`dockerkit.models.tasks.TaskCollection.list`.
        """
        return self.client.tasks.list(filters={**(filters or {}), "node": self.id or ""})

    def update(self, node_spec: Mapping[str, Any] | ToEngine) -> bool:
        """Replace role, availability, labels and name. ``POST /nodes/{id}/update``

        Args:
            node_spec: ``{"Role": "worker", "Availability": "drain", "Labels": {...}, "Name": ...}``; what is left out
                is gone afterwards. :meth:`change` keeps it.

        Returns:
            True.

        Raises:
            ServerError: somebody else has changed it since the last :meth:`reload`.
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
        """Change some of the node's settings and keep the rest. ``POST /nodes/{id}/update``

        Args:
            role: ``"manager"`` or ``"worker"``.
            availability: ``"active"``; ``"pause"`` takes no new tasks; ``"drain"`` also gives up those it has.
            labels: instead of all that it has.
            name: a name of its own.

        A change that somebody else makes at the same time is kept too: the update is made again from what is there.
        """
        given = {"Role": role, "Availability": availability, "Labels": labels, "Name": name}
        changes = {field: value for field, value in given.items() if value is not None}

        def attempt() -> None:
            self.reload()
            self.client.api.update_node(self, self.version, {**self.spec, **changes})

        retried(attempt)
        self.reload()

    def promote(self) -> None:
        """Make it a manager. ``POST /nodes/{id}/update``"""
        self.change(role="manager")

    def demote(self) -> None:
        """Make it a worker. ``POST /nodes/{id}/update``

        Raises:
            BadRequest: it is the last manager.
        """
        self.change(role="worker")

    def activate(self) -> None:
        """Let it take tasks again. ``POST /nodes/{id}/update``"""
        self.change(availability="active")

    def pause(self) -> None:
        """Let it take no new tasks. ``POST /nodes/{id}/update``"""
        self.change(availability="pause")

    def drain(self, timeout: float | None = None) -> None:
        """Let it take no new tasks and give up those it has. ``POST /nodes/{id}/update``

        Args:
            timeout: seconds to wait until its tasks have ended; None does not wait.

        Raises:
            ConvergenceTimeout: tasks still run then.
        """
        self.change(availability="drain")
        if timeout is not None:
            self._wait(lambda: not any(task.is_alive for task in self.tasks()), timeout, "its tasks have ended")

    def wait_until(self, status: str = "ready", timeout: float = 60, *, reachability: str | None = None) -> None:
        """Wait for a node to come, or go. ``GET /nodes/{id}``

        Args:
            status: ``"ready"`` or ``"down"``.
            timeout: seconds.
            reachability: also wait until it is this as a manager: ``"reachable"`` after a promotion.

        Raises:
            ConvergenceTimeout: it is not so by then.
        """

        def there() -> bool:
            self.reload()
            return self.status == status and (reachability is None or self.reachability == reachability)

        self._wait(there, timeout, f"it is {status}" + (f" and {reachability}" if reachability else ""))

    def _wait(self, done: Callable[[], bool], timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            if time.monotonic() > deadline:
                raise ConvergenceTimeout(f"{timeout:g} s have gone by before {what}", f"node {self.name}")
            time.sleep(0.2)

    def remove(self, force: bool = False) -> bool:
        """Take a node that is down off the swarm. ``DELETE /nodes/{id}``

        Args:
            force: even if it is not down.

        Returns:
            True.
        """
        return self.client.api.remove_node(self, force)


class NodeCollection(Collection[Node]):
    """The nodes of a swarm; a manager knows them."""

    model = Node

    def get(self, node_id: Ref) -> Node:
        """One node. ``GET /nodes/{id}``, for ``"self"`` also ``GET /info``

        Args:
            node_id: id, host name, or ``"self"`` for the one that this client talks to.

        Raises:
            NotFound: there is none.
            ServiceUnavailable: this engine is no manager of a swarm.
        """
        if node_id == "self":
            swarm: Mapping[str, Any] = self.client.api.info()["Swarm"]
            node_id = swarm.get("NodeID") or node_id
        return self.prepare_model({**self.client.api.inspect_node(node_id)})

    def list(self, filters: Filters | None = None) -> builtins.list[Node]:
        """List the nodes of the swarm, by one request. ``GET /nodes``

        Args:
            filters: ``{"role": "manager", "membership": "accepted", "name": ..., "label": ..., "node.label": ...}``.
        """
        return Table(self.prepare_model(attrs) for attrs in self.client.api.nodes(filters))
