"""A swarm manager that keeps services, secrets, configs, networks and a node, and runs tasks that only have a state."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from dockerkit.testing.server import Connection, Request, Server

NODE = "n" * 25
_KINDS = ("services", "secrets", "configs", "networks", "nodes")


class SwarmEngine:
    """Serves the calls about a swarm.

    Attributes:
        host: address, for ``base_url``.
        requests: all requests, without pings.
        objects: what exists, by kind and ID.
        task_state: state of the tasks of services; a list gives the states of one response after the other.
        task_error: error of each task.
        conflicts: number of updates to refuse because of a concurrent change.
        busy_networks: number of times that removing a network is refused, since it is in use.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.objects: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in _KINDS}
        self.swarm: dict[str, Any] | None = {"ID": "s" * 25, "Version": {"Index": 1}, "Spec": {"Labels": {"a": "1"}}}
        self.task_state: str | list[str] = "running"
        self.task_error = ""
        self.conflicts = 0
        self.busy_networks = 0
        self._numbers = itertools.count(10)
        spec = {"Role": "manager", "Availability": "active", "Labels": {}}
        status = {"State": "ready"}
        self.objects["nodes"][NODE] = {"ID": NODE, "Version": {"Index": 1}, "Spec": spec, "Status": status}
        self._server = Server(self._answer)
        self.host = self._server.host

    def close(self) -> None:
        self._server.close()

    def sent(self, method: str, path: str) -> list[Any]:
        """Return the bodies of all such requests."""
        return [request.json() for request in self.requests if (request.method, request.path) == (method, path)]

    def tasks(self) -> Iterator[dict[str, Any]]:
        """Yield the tasks of all services, one for each replica."""
        state = self.task_state
        if isinstance(state, list):
            state = state.pop(0) if len(state) > 1 else state[0]
        for service in self.objects["services"].values():
            mode = service["Spec"]["Mode"]
            everywhere = "Global" in mode or "GlobalJob" in mode
            job = mode.get("ReplicatedJob") or {}
            replicas = (mode.get("Replicated") or {}).get("Replicas", job.get("TotalCompletions", 1))
            for slot in range(1, replicas + 1):
                task = {"ID": f"{service['ID']}.{slot}", "ServiceID": service["ID"], "NodeID": NODE, "Slot": slot}
                if everywhere:
                    del task["Slot"]
                task |= {"CreatedAt": f"2024-01-01T00:00:{slot:02}Z", "DesiredState": "running"}
                task |= {"Spec": service["Spec"].get("TaskTemplate"), "Labels": service["Spec"].get("Labels")}
                yield {**task, "Status": {"State": state, "Err": self.task_error}}

    def _answer(self, request: Request, wire: Connection) -> None:
        if request.path == "/_ping":
            wire.respond(200, headers={"Api-Version": "1.51"})
            return
        self.requests.append(request)
        kind, _, rest = request.path.lstrip("/").partition("/")
        name, _, verb = rest.partition("/")
        if kind == "info":
            wire.json({"Swarm": {"NodeID": NODE}})
        elif kind == "swarm":
            self._swarm(request, wire, rest)
        elif kind == "tasks":
            wire.json([task for task in self.tasks() if self._listed(task, task["ServiceID"], request)])
        elif name == "create":
            self._create(kind, request, wire)
        elif not name:
            items = self.objects[kind].values()
            wire.json([item for item in items if self._listed(item, item.get("ID") or item["Id"], request)])
        else:
            self._one(kind, name, verb, request, wire)

    def _swarm(self, request: Request, wire: Connection, verb: str) -> None:
        if self.swarm is None:
            wire.json({"message": "This node is not a swarm manager."}, 503)
        elif verb == "update":
            if not self._conflicts(self.swarm, request, wire):
                self.swarm = {**self.swarm, "Version": {"Index": next(self._numbers)}, "Spec": request.json()}
                wire.respond(200)
        else:
            wire.json({"UnlockKey": "SWMKEY-1-x"} if verb == "unlockkey" else self.swarm)

    def _listed(self, item: dict[str, Any], identity: str, request: Request) -> bool:
        filters = json.loads(request.param("filters", "{}"))
        labels = item.get("Labels") or (item.get("Spec") or {}).get("Labels") or {}
        pairs = {*labels, *(f"{name}={value}" for name, value in labels.items())}
        return set(filters.get("label", [])) <= pairs and identity in filters.get("service", [identity])

    def _create(self, kind: str, request: Request, wire: Connection) -> None:
        body: dict[str, Any] = request.json()
        identity = f"{kind[:3]}{next(self._numbers)}".ljust(25, "0")
        if any(item["Spec"]["Name"] == body["Name"] for item in self.objects[kind].values()):
            wire.json({"message": f"rpc error: code = AlreadyExists desc = {kind[:-1]} already exists"}, 409)
            return
        if kind == "services":
            body.setdefault("Mode", {"Replicated": {"Replicas": 1}})
        item: dict[str, Any] = {"ID": identity, "Version": {"Index": next(self._numbers)}, "Spec": body}
        if kind == "networks":
            item = {**body, "Id": identity, "Spec": body}
        self.objects[kind][identity] = item
        wire.json({"ID": identity, "Id": identity}, 201)

    def _one(self, kind: str, name: str, verb: str, request: Request, wire: Connection) -> None:
        found = [item for key, item in self.objects[kind].items() if name in (key, item["Spec"].get("Name"))]
        if not found:
            wire.json({"message": f"{kind[:-1]} {name} not found"}, 404)
            return
        (item,) = found
        if request.method == "DELETE":
            if kind == "networks" and self.busy_networks:
                self.busy_networks -= 1
                wire.json({"message": f"network {name} is in use by task"}, 400)
                return
            del self.objects[kind][item.get("ID") or item["Id"]]
            wire.respond(204)
        elif verb == "update":
            if self._conflicts(item, request, wire):
                return
            body = request.json()
            if kind in ("secrets", "configs"):
                data = item["Spec"]["Data"]
                if body.setdefault("Data", data) != data:
                    wire.json({"message": "rpc error: desc = only updates to Labels are allowed"}, 400)
                    return
            elif kind == "services":
                body.setdefault("Mode", {"Replicated": {"Replicas": 1}})
            item["Version"], item["Spec"] = {"Index": next(self._numbers)}, body
            wire.json({"Warnings": None})
        else:
            shown = dict(item)
            if kind == "secrets":
                shown["Spec"] = {name: value for name, value in item["Spec"].items() if name != "Data"}
            wire.json(shown)

    def _conflicts(self, item: dict[str, Any], request: Request, wire: Connection) -> bool:
        if self.conflicts or request.param("version") != str(item["Version"]["Index"]):
            self.conflicts = max(self.conflicts - 1, 0)
            wire.json({"message": "rpc error: code = Unknown desc = update out of sequence"}, 500)
            return True
        return False
