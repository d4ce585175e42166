"""A fake engine: it listens on a real socket and remembers, but runs nothing."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from dockerkit.testing import (  # noqa: F401 - they register what they answer
    route_containers,
    route_execs,
    route_files,
    route_images,
    route_networks,
    route_system,
)
from dockerkit.testing.fakes import FakeContainer, FakeExec, default_networks, image_names
from dockerkit.testing.processes import Behaviour, Program, Rule, stamp
from dockerkit.testing.routes import Call, Refused, find
from dockerkit.testing.server import Request, Server, Wire
from dockerkit.types.parse import command as split_words

__all__ = ["FakeEngine"]


class FakeEngine:
    r"""An engine for tests: images, containers, execs, networks, volumes and events, without Docker.

    It speaks the Engine API on a Unix socket (or a port of 127.0.0.1), to any client. It keeps state as an engine does,
    but runs nothing: what a container's process says and how it ends is scripted with :meth:`when` and
    :meth:`when_exec`; a process that nothing was scripted for ends at once, silent, with 0. What it does not know is
    answered with 501.

    Args:
        api_version: the API version that it speaks.
        tcp: listen on a free port instead of a Unix socket.

    Attributes:
        host: where it listens, for ``base_url`` or ``DOCKER_HOST``.
        requests: all requests so far, as (method, path without version).
        events: all events so far.

    Example::

        with FakeEngine() as engine, DockerClient(engine.host) as client:
            engine.add_image("alpine")
            engine.when("alpine", ["echo", "hi"], stdout="hi\n")
            assert client.containers.run("alpine", ["echo", "hi"]) == b"hi\n"
    """

    def __init__(self, *, api_version: str = "1.51", tcp: bool = False) -> None:
        self.api_version = api_version
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
        self._server = Server(self._answer, tcp=tcp)
        self.host: str = self._server.host

    # -- what tests prepare ----------------------------------------------------------------------------------------

    def add_image(self, name: str, *, labels: Mapping[str, str] | None = None, **config: object) -> str:
        """Put an image into the engine.

        Args:
            name: its name; ``:latest`` where it has no tag.
            labels: its labels.
            config: more of the Engine's ``Config``: ``Cmd=["sh"]``, ``Env=[...]``.

        Returns:
            Its id.
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
        """Say what containers do. Rules that were given later come first.

        Args:
            image: of this image; None is any.
            command: with this command; None is any.
            stdout, stderr: what they write.
            exit_code: with which they end.
            seconds: how long they run; None is until they are stopped.
            program: a function of a :class:`FakeProcess` instead, which returns the exit code.
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
        """Say what commands do that are executed in running containers; as :meth:`when`."""
        self._rule(image, command, Behaviour(stdout, stderr, exit_code, seconds, program), of_exec=True)

    def _rule(
        self, image: str | None, command: str | Sequence[str] | None, behaviour: Behaviour, *, of_exec: bool
    ) -> None:
        words = None if command is None else tuple(split_words(command))
        with self.lock:
            self._rules.insert(0, Rule(behaviour, image, words, of_exec))

    def fail(self, method: str, path: str, status: int, message: str, *, times: int = 1) -> None:
        """Let the next requests of this kind fail.

        Args:
            method, path: which; the path without ``/v1.xx``, as in ``"/containers/create"``.
            status, message: the answer.
            times: how many.
        """
        with self.lock:
            self._failures.setdefault((method, path), []).extend([(status, message)] * times)

    def refuse_pull(self, name: str) -> None:
        """Let pulls of this image fail, as if no registry had it; all others succeed."""
        self._unpullable.add(image_names(name)[0])

    def set_health(self, container: str, status: str) -> None:
        """Let a container's health be ``starting``, ``healthy`` or ``unhealthy``."""
        with self.changed:
            found = self.container(container)
            found.health = status
            self.event("container", f"health_status: {status}", found.id, found.event_attributes())

    # -- what the routes use ---------------------------------------------------------------------------------------

    def now(self) -> str:
        """The time as the Engine writes it."""
        return stamp(time.time())

    def new_id(self) -> str:
        """An id that nobody has."""
        return hashlib.sha256(f"{id(self)}/{next(self._numbers)}".encode()).hexdigest()

    def may_pull(self, name: str) -> bool:
        """Whether a registry has this image."""
        return image_names(name)[0] not in self._unpullable

    def behaviour(self, images: Sequence[str], command: Sequence[str], *, of_exec: bool = False) -> Behaviour:
        """What a process of this command does."""
        for rule in self._rules:
            if rule.fits(images, command, of_exec=of_exec):
                return rule.behaviour
        return Behaviour()

    def container(self, key: str) -> FakeContainer:
        """A container by id, begin of an id, or name.

        Raises:
            Refused: there is none.
        """
        for container in self.containers.values():
            if key.lstrip("/") == container.name or container.id.startswith(key):
                return container
        raise Refused(404, f"No such container: {key}")

    def image(self, key: str) -> dict[str, Any]:
        """An image by name, id or begin of an id.

        Raises:
            Refused: there is none.
        """
        names = image_names(key)
        for image_id, image in self.images.items():
            if set(names) & set(image["RepoTags"]) or image_id.startswith((key, f"sha256:{key}")):
                return image
        raise Refused(404, f"No such image: {names[0]}")

    def event(self, kind: str, action: str, actor: str, attributes: Mapping[str, str]) -> None:
        """Tell who listens that something happened."""
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
                    **({"status": action, "id": actor} if kind in ("container", "image") else {}),
                }
            )
            self.changed.notify_all()

    def run(self, function: Callable[[], None]) -> None:
        """Run a process's script in a thread that ends with the engine."""
        thread = threading.Thread(target=function, name="dockerkit-testing-process", daemon=True)
        with self.lock:
            self._threads = [*(known for known in self._threads if known.is_alive()), thread]
        thread.start()

    # -- the server ------------------------------------------------------------------------------------------------

    def _answer(self, request: Request, wire: Wire) -> None:
        with self.lock:
            self.requests.append((request.method, request.path))
            failures = self._failures.get((request.method, request.path))
            failure = failures.pop(0) if failures else None
        try:
            if failure:
                raise Refused(*failure)
            found = find(request.method, request.path)
            if found is None:
                raise Refused(501, f"the fake engine has no {request.method} {request.path}")
            function, key = found
            function(Call(self, request, wire, key))
        except Refused as refusal:
            wire.json({"message": refusal.message}, refusal.status)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
