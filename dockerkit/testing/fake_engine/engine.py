"""A fake engine that listens on a real socket and keeps state, but runs nothing."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dockerkit.api import versions
from dockerkit.parsing.values import command as split_words
from dockerkit.streams.closable import SelfClosing
from dockerkit.testing.fake_engine import (  # noqa: F401 - importing them registers their routes
    route_containers,
    route_execs,
    route_files,
    route_images,
    route_networks,
    route_system,
)
from dockerkit.testing.fake_engine.fakes import FakeContainer, FakeExec, default_networks, image_names
from dockerkit.testing.fake_engine.processes import Behaviour, Program, Rule, stamp
from dockerkit.testing.fake_engine.routes import Refused, RouteContext, find
from dockerkit.testing.server import Connection, Request, Server

__all__ = ["FakeEngine"]


class FakeEngine(SelfClosing):
    r"""An engine for tests: images, containers, execs, networks, volumes and events, without Docker.

    Serves the Engine API on a Unix socket (or a port of 127.0.0.1) for any client. It keeps state as an engine does,
    but runs nothing. Script the output and exit code of a container's process with :meth:`when`, those of an exec with
    :meth:`when_exec`. A process without a script exits immediately with code 0 and no output. Unsupported calls get
    status 501.

    Args:
        api_version: API version to serve; since "1.52", it responds as Engine 29 does.
        tcp: listen on a free port instead of a Unix socket.

    Attributes:
        host: address, for ``base_url`` or ``DOCKER_HOST``.
        requests: all requests so far, as (method, path without version).
        events: all events so far.
        lean: whether it responds as Engine 29 does.
        oldest_version: oldest API version that it accepts.

    Example::

        with FakeEngine() as engine, DockerClient(engine.host) as client:
            engine.add_image("alpine")
            engine.when("alpine", ["echo", "hi"], stdout="hi\n")
            assert client.containers.run("alpine", ["echo", "hi"]) == b"hi\n"
    """

    def __init__(self, *, api_version: str = "1.51", tcp: bool = False) -> None:
        self.api_version = api_version
        self.lean: bool = versions.gate(api_version).supports(versions.LEAN_RESPONSES)
        self.oldest_version: str = "1.40" if self.lean else "1.24"
        self.requests: list[tuple[str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.images: dict[str, dict[str, Any]] = {}
        self.containers: dict[str, FakeContainer] = {}
        self.execs: dict[str, FakeExec] = {}
        self.networks: dict[str, dict[str, Any]] = default_networks()
        self.volumes: dict[str, dict[str, Any]] = {}
        self.lock: threading.RLock = threading.RLock()
        self.changed: threading.Condition = threading.Condition(self.lock)
        self._rules: list[Rule] = []
        self._failures: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self._unpullable: set[str] = set()
        self._numbers = itertools.count(1)
        self._threads: list[threading.Thread] = []
        self._server = Server(self._handle, tcp=tcp)
        self.host: str = self._server.host

    # -- what tests prepare ----------------------------------------------------------------------------------------

    def add_image(self, name: str, *, labels: Mapping[str, str] | None = None, **config: object) -> str:
        """Add an image to the engine.

        Args:
            name: name; ``:latest`` is appended if it has no tag.
            labels: labels of the image.
            config: further fields of ``Config``: ``Cmd=["sh"]``, ``Env=[...]``.

        Returns:
            The ID of the image.
        """
        tag = image_names(name)[0]
        image_id = "sha256:" + hashlib.sha256(f"{tag}{next(self._numbers)}".encode()).hexdigest()
        with self.changed:
            for image in self.images.values():
                if tag in image["RepoTags"]:
                    image["RepoTags"].remove(tag)
            self.images[image_id] = {
                "Id": image_id,
                "RepoTags": [tag],
                "RepoDigests": [],
                "Parent": "",
                "Created": self.now(),
                "Size": 4096,
                "Architecture": "amd64",
                "Os": "linux",
                "RootFS": {"Type": "layers", "Layers": [image_id]},
                "Config": {"Cmd": ["sh"], "Env": ["PATH=/bin"], "Labels": dict(labels or {}), **config},
            }
        return image_id

    def when(
        self,
        image: str | None = None,
        command: str | Sequence[str] | None = None,
        *,
        stdout: bytes | str = b"",
        stderr: bytes | str = b"",
        exit_code: int = 0,
        seconds: float | None = 0.0,
        program: Program | None = None,
    ) -> None:
        """Script the processes of containers. Later rules take precedence.

        Args:
            image: name of the image; None for any.
            command: command; None for any.
            stdout, stderr: output.
            exit_code: exit code.
            seconds: run time in seconds; None until they are stopped.
            program: function to run instead, with a :class:`FakeProcess`, which returns the exit code.
        """
        self._rule(image, command, Behaviour(stdout, stderr, exit_code, seconds, program), of_exec=False)

    def when_exec(
        self,
        command: str | Sequence[str] | None = None,
        *,
        image: str | None = None,
        stdout: bytes | str = b"",
        stderr: bytes | str = b"",
        exit_code: int = 0,
        seconds: float | None = 0.0,
        program: Program | None = None,
    ) -> None:
        """Script the commands executed in running containers; see :meth:`when`."""
        self._rule(image, command, Behaviour(stdout, stderr, exit_code, seconds, program), of_exec=True)

    def _rule(
        self, image: str | None, command: str | Sequence[str] | None, behaviour: Behaviour, *, of_exec: bool
    ) -> None:
        arguments = None if command is None else tuple(split_words(command))
        with self.lock:
            self._rules.insert(0, Rule(behaviour, image, arguments, of_exec))

    def fail(self, method: str, path: str, status: int, message: str, *, times: int = 1) -> None:
        """Fail the next requests of this kind.

        Args:
            method, path: method and path without ``/v1.xx``, such as ``"/containers/create"``.
            status, message: response.
            times: number of requests to fail.
        """
        with self.lock:
            self._failures.setdefault((method, path), []).extend([(status, message)] * times)

    def refuse_pull(self, name: str) -> None:
        """Fail pulls of this image, as if no registry had it; all others succeed."""
        self._unpullable.add(image_names(name)[0])

    def set_health(self, container: str, status: str) -> None:
        """Set a container's health: ``starting``, ``healthy`` or ``unhealthy``."""
        with self.changed:
            target = self.container(container)
            target.health = status
            self.event("container", f"health_status: {status}", target.id, target.event_attributes())

    # -- what the routes use ---------------------------------------------------------------------------------------

    def now(self) -> str:
        """Return the time in the Engine's format."""
        return stamp(time.time())

    def new_id(self) -> str:
        """Return a new ID."""
        return hashlib.sha256(f"{id(self)}/{next(self._numbers)}".encode()).hexdigest()

    def may_pull(self, name: str) -> bool:
        """Return whether a registry has this image."""
        return image_names(name)[0] not in self._unpullable

    def behaviour(self, images: Sequence[str], command: Sequence[str], *, of_exec: bool = False) -> Behaviour:
        """Return the script for a process."""
        for rule in self._rules:
            if rule.matches(images, command, of_exec=of_exec):
                return rule.behaviour
        return Behaviour()

    def container(self, key: str) -> FakeContainer:
        """Return a container by ID, prefix of an ID, or name.

        Raises:
            Refused: the container does not exist.
        """
        for container in self.containers.values():
            if key.lstrip("/") == container.name or container.id.startswith(key):
                return container
        raise Refused(404, f"No such container: {key}")

    def network(self, key: str) -> dict[str, Any]:
        """Return a network by name, ID or prefix of an ID.

        Raises:
            Refused: the network does not exist.
        """
        for name, network in self.networks.items():
            if key == name or network["Id"].startswith(key):
                return network
        raise Refused(404, f"network {key} not found")

    def join(self, key: str, container: FakeContainer, settings: dict[str, Any]) -> None:
        """Connect a container to a network."""
        network = self.network(key)
        address = (settings.get("IPAMConfig") or {}).get("IPv4Address") or f"172.30.0.{len(network['Containers']) + 2}"
        container.networks[network["Name"]] = {
            **settings,
            "NetworkID": network["Id"],
            "IPAddress": address,
            "IPPrefixLen": 16,
            "Gateway": "172.30.0.1",
            "Aliases": settings.get("Aliases") or [],
        }
        network["Containers"][container.id] = {
            "Name": container.name,
            "IPv4Address": f"{address}/16",
            "IPv6Address": "",
        }

    def image(self, key: str) -> dict[str, Any]:
        """Return an image by name, ID or prefix of an ID.

        Raises:
            Refused: the image does not exist.
        """
        names = image_names(key)
        for image_id, image in self.images.items():
            if set(names) & set(image["RepoTags"]) or image_id.startswith((key, f"sha256:{key}")):
                return image
        raise Refused(404, f"No such image: {names[0]}")

    def event(self, kind: str, action: str, actor: str, attributes: Mapping[str, str]) -> None:
        """Send an event to all listeners."""
        now = time.time()
        with self.changed:
            self.events.append(
                {
                    "Type": kind,
                    "Action": action,
                    "Actor": {"ID": actor, "Attributes": dict(attributes)},
                    "scope": "local",
                    "time": int(now),
                    "timeNano": int(now * 1e9),
                    **({"status": action, "id": actor} if kind in ("container", "image") and not self.lean else {}),
                }
            )
            self.changed.notify_all()

    def run(self, function: Callable[[], None]) -> None:
        """Run a process's script in a thread that ends with the engine."""
        thread = threading.Thread(target=function, name="dockerkit-testing-process", daemon=True)
        with self.lock:
            self._threads = [*(running for running in self._threads if running.is_alive()), thread]
        thread.start()

    # -- the server ------------------------------------------------------------------------------------------------

    def _handle(self, request: Request, wire: Connection) -> None:
        with self.lock:
            self.requests.append((request.method, request.path))
            failures = self._failures.get((request.method, request.path))
            failure = failures.pop(0) if failures else None
        try:
            if failure:
                raise Refused(*failure)
            self._check_version(request.version or self.api_version)
            match = find(request.method, request.path)
            if match is None:
                raise Refused(501, f"the fake engine has no {request.method} {request.path}")
            function, key = match
            function(RouteContext(self, request, wire, key))
        except Refused as refusal:
            if request.method == "HEAD":
                wire.respond(refusal.status, headers={"Api-Version": self.api_version})
            else:
                wire.json({"message": refusal.message}, refusal.status, {"Api-Version": self.api_version})

    def _check_version(self, version: str) -> None:
        if versions.as_tuple(version) < versions.as_tuple(self.oldest_version):
            raise Refused(
                400,
                f"client version {version} is too old. Minimum supported API version is {self.oldest_version}, please "
                "upgrade your client to a newer version",
            )
        if versions.as_tuple(version) > versions.as_tuple(self.api_version):
            limit = f"Maximum supported API version is {self.api_version}"
            raise Refused(400, f"client version {version} is too new. {limit}")

    def close(self) -> None:
        """Stop all processes and connections, and remove the socket."""
        with self.lock:
            processes = [c.process for c in self.containers.values()] + [e.process for e in self.execs.values()]
            threads = self._threads
        for process in processes:
            if process is not None:
                process.stop("KILL")
        self._server.close()
        for thread in threads:
            thread.join(5)
