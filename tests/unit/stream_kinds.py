"""All kinds of streams, on a scripted engine that sends one item and then nothing."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

from scripted_engine import Answer, ScriptedEngine, frame

from dockerkit import DockerClient
from dockerkit.models.containers import Container
from dockerkit.models.containers.logs import merge_logs
from dockerkit.testing.server import Connection, Request

Opener = Callable[[DockerClient], Any]

_LINE = frame(1, b"2026-01-01T00:00:00.000000001Z hello\n")
_RECORD = b'{"id":"aaa","status":"Downloading","time":1,"timeNano":1000000000,"Type":"container","Action":"start"}\n'


def _silent(first: bytes, *, upgraded: bool = False) -> Callable[[Request, Connection], None]:
    def script(request: Request, connection: Connection) -> None:
        def wait(connection: Connection) -> None:
            Answer.hang()(request, connection)

        if upgraded:
            Answer.upgraded([first], media_type="application/vnd.docker.multiplexed-stream", talk=wait)(
                request, connection
            )
        else:
            kind = "application/vnd.docker.multiplexed-stream" if first == _LINE else "application/json"
            Answer.chunked([first], truncate=True, media_type=kind)(request, connection)
            wait(connection)

    return script


def script_all(engine: ScriptedEngine) -> None:
    """Script responses to everything that :data:`KINDS` request."""
    inspected = {
        "Id": "abc", "Name": "/web", "Config": {"Tty": False, "OpenStdin": True}, "State": {"Running": True},
        "HostConfig": {"LogConfig": {"Type": "json-file"}},
    }  # fmt: skip
    engine.on("GET", "/containers/abc/json", Answer.json(inspected))
    engine.on("POST", "/containers/abc/exec", Answer.json({"Id": "ex"}, 201))
    engine.on("GET", "/exec/ex/json", Answer.json({"Running": False, "ExitCode": 137, "Pid": 5, "ContainerID": "abc"}))
    engine.on("POST", "/containers/create", Answer.json({"Id": "abc", "Warnings": []}, 201))
    engine.on("POST", "/containers/abc/start", Answer.empty())
    engine.on("POST", "/containers/abc/wait", _silent(b" "))
    engine.on("POST", "/containers/abc/kill", Answer.empty())
    engine.on("DELETE", "/containers/abc", Answer.empty())
    for path in ("/events", "/containers/abc/stats"):
        engine.on("GET", path, _silent(_RECORD))
    for path in ("/containers/abc/logs", "/services/abc/logs", "/tasks/abc/logs"):
        engine.on("GET", path, _silent(_LINE))
    for path in ("/containers/abc/export", "/images/abc/get", "/images/get", "/containers/abc/archive"):
        engine.on("GET", path, _silent(b"\0" * 512))
    for path in ("/images/create", "/images/abc/push", "/build", "/images/load", "/plugins/abc/push"):
        engine.on("POST", path, _silent(_RECORD))
    for path in ("/containers/abc/attach", "/exec/ex/start"):
        engine.on("POST", path, _silent(_LINE, upgraded=True))


class Listening:
    """A subscription of an event listener; closing it closes both."""

    def __init__(self, client: DockerClient) -> None:
        self._listener = client.system.listen()
        self._subscription = self._listener.subscribe(action="die")

    def __iter__(self) -> Iterator[Any]:
        yield None  # the engine's one event came before the subscription
        yield from self._subscription

    def close(self) -> None:
        self._subscription.close()
        self._listener.close()


class Socket:
    """A hijacked connection; closing the object that is iterated would be closing a generator at work."""

    def __init__(self, client: DockerClient) -> None:
        self._socket = client.api.attach_socket("abc")

    def __iter__(self) -> Iterator[bytes]:
        return self._socket.chunks()

    def close(self) -> None:
        self._socket.close()


def container(client: DockerClient) -> Container:
    """The running container."""
    return client.containers.get("abc")


KINDS: dict[str, Opener] = {
    "api.events": lambda client: client.api.events(decode=True),
    "api.logs": lambda client: client.api.logs("abc", stream=True, follow=True),
    "api.stats": lambda client: client.api.stats("abc", decode=True),
    "api.attach": lambda client: client.api.attach("abc", stream=True),
    "api.attach_socket": Socket,
    "api.exec_start": lambda client: client.api.exec_start("ex", stream=True, demux=True),
    "api.export": lambda client: client.api.export("abc"),
    "api.get_image": lambda client: client.api.get_image("abc"),
    "api.pull": lambda client: client.api.pull("abc", tag="1", stream=True, decode=True),
    "api.push": lambda client: client.api.push("abc", stream=True, decode=True),
    "api.build": lambda client: client.api.build(fileobj=io.BytesIO(b"FROM scratch"), decode=True),
    "api.service_logs": lambda client: client.api.service_logs("abc", follow=True, is_tty=False),
    "events": lambda client: client.events(decode=True),
    "system.events": lambda client: client.system.events(),
    "system.listen": Listening,
    "logs": lambda client: container(client).logs(stream=True, follow=True),
    "log_entries": lambda client: container(client).log_entries(follow=True),
    "merge_logs": lambda client: merge_logs([container(client)], follow=True),
    "attach": lambda client: container(client).attach(stream=True),
    "stats": lambda client: container(client).stats(decode=True),
    "watch_usage": lambda client: container(client).watch_usage(),
    "exec_run": lambda client: container(client).exec_run(["x"], stream=True).output,
    "popen": lambda client: container(client).popen(["x"]),
    "export": lambda client: container(client).export(),
    "image.save": lambda client: client.api.get_image(["abc", "def"]),
    "run": lambda client: client.containers.run("x", stream=True, remove=True),
}
