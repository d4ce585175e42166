"""An engine with responses scripted byte by byte, on a real socket.

::

    def test_something(scripted):
        scripted.on("GET", "/containers/json", Answer.json([]))
        with APIClient(scripted.host) as api:
            assert api.containers() == []
        assert scripted.requests[-1].query["all"] == ["0"]

Paths are given without ``/v1.xx``, quoted as they travel. Several answers are given one after the other, the last for
ever. ``/_ping`` is answered without script. A request that nothing was scripted for gets 404, and fails the test.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from dockerkit.testing.server import Connection, Request, Server

Headers = Mapping[str, str] | None
Script = Callable[[Request, Connection], None]

RAW = "application/vnd.docker.raw-stream"
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"


def frame(stream: int, data: bytes) -> bytes:
    """Return one frame of multiplexed output; stream 1 is stdout, 2 is stderr."""
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


class Answer:
    """Functions that create scripts. A script is any callable that accepts the request and the connection."""

    @staticmethod
    def json(value: object, status: int = 200, headers: Headers = None) -> Script:
        return lambda request, wire: wire.json(value, status, headers)

    @staticmethod
    def error(status: int, message: str) -> Script:
        """An error response of the engine."""
        return Answer.json({"message": message}, status)

    @staticmethod
    def text(text: str, status: int = 200, headers: Headers = None) -> Script:
        plain = {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}
        return lambda request, wire: wire.respond(status, text.encode(), plain)

    @staticmethod
    def empty(status: int = 204, headers: Headers = None) -> Script:
        return lambda request, wire: wire.respond(status, b"", headers)

    @staticmethod
    def raw(data: bytes, *, piece: int = 0, delay: float = 0.0, close: bool = True) -> Script:
        """Exactly these bytes, including the head, ``piece`` at a time (0: all at once), ``delay`` seconds apart."""

        def script(request: Request, wire: Connection) -> None:
            for start in range(0, len(data), piece or len(data) or 1):
                wire.send(data[start : start + (piece or len(data))])
                if delay:
                    time.sleep(delay)
            wire.keep = not close

        return script

    @staticmethod
    def chunked(
        chunks: Iterable[bytes],
        *,
        truncate: bool = False,
        media_type: str = "application/json",
        status: int = 200,
        headers: Headers = None,
        delay: float = 0.0,
    ) -> Script:
        """A chunked response; with ``truncate`` the connection ends without the last chunk."""
        kept = list(chunks)

        def script(request: Request, wire: Connection) -> None:
            wire.head(status, {"Content-Type": media_type, "Transfer-Encoding": "chunked", **(headers or {})})
            for chunk in kept:
                wire.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                if delay:
                    time.sleep(delay)
            if truncate:
                wire.keep = False
            else:
                wire.send(b"0\r\n\r\n")

        return script

    @staticmethod
    def length(body: bytes, cut_after: int | None = None, status: int = 200, headers: Headers = None) -> Script:
        """A body with Content-Length, of which only ``cut_after`` bytes are sent before the connection ends."""

        def script(request: Request, wire: Connection) -> None:
            wire.head(status, {"Content-Length": str(len(body)), **(headers or {})})
            wire.send(body[:cut_after])
            wire.keep = cut_after is None

        return script

    @staticmethod
    def until_close(body: bytes, media_type: str = RAW, status: int = 200) -> Script:
        """A body without length, which ends with the connection (what old engines do to attach)."""

        def script(request: Request, wire: Connection) -> None:
            wire.head(status, {"Content-Type": media_type})
            wire.send(body)
            wire.keep = False

        return script

    @staticmethod
    def upgraded(
        chunks: Iterable[bytes] = (),
        *,
        media_type: str = RAW,
        with_head: bool = False,
        talk: Callable[[Connection], None] | None = None,
        echo: bool = False,
    ) -> Script:
        """101 UPGRADED, then the chunks; ``with_head``: in the same packet as the head. Then ``talk(wire)``, or with
        ``echo`` what comes goes back until the client half-closes."""
        kept = list(chunks)

        def script(request: Request, wire: Connection) -> None:
            head = f"HTTP/1.1 101 UPGRADED\r\nContent-Type: {media_type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
            if with_head:
                wire.send(head.encode() + b"".join(kept))
            else:
                wire.send(head.encode())
                for chunk in kept:
                    wire.send(chunk)
            wire.keep = False
            if talk:
                talk(wire)
            if echo:
                while data := wire.recv():
                    wire.send(data)
            wire.half_close()

        return script

    @staticmethod
    def hang(until: threading.Event | None = None) -> Script:
        """No response until the event is set, or the client disconnects."""

        def script(request: Request, wire: Connection) -> None:
            while not (until and until.is_set()) and not wire.gone():
                time.sleep(0.01)
            wire.keep = False

        return script


class ScriptedEngine:
    """A server with scripted responses.

    Attributes:
        host: where it listens, for ``base_url``.
        requests: all that came, ``/_ping`` aside, in order.
        pings: how often ``/_ping`` was asked.
        unexpected: requests that nothing was scripted for.
    """

    def __init__(self, *, api_version: str = "1.51", tcp: bool = False) -> None:
        self.requests: list[Request] = []
        self.unexpected: list[Request] = []
        self.pings = 0
        self.api_version = api_version
        self._scripts: dict[tuple[str, str], list[Script]] = {}
        self._lock = threading.Lock()
        self._server = Server(self._answer, tcp=tcp)
        self.host = self._server.host

    @property
    def connections(self) -> int:
        """Number of accepted connections."""
        return self._server.connections

    def on(self, method: str, path: str, *answers: Script) -> None:
        """Respond to such requests with these scripts in sequence, and repeat the last one."""
        assert answers, "no answer given"
        with self._lock:
            self._scripts[method, path] = list(answers)

    def json_bodies(self) -> list[object]:
        """Return the decoded bodies of all requests with a body."""
        return [json.loads(request.body) for request in self.requests if request.body]

    def _answer(self, request: Request, wire: Connection) -> None:
        with self._lock:
            key = (request.method, request.path)
            scripts = self._scripts.get(key)
            if scripts is None and request.path == "/_ping":
                self.pings += 1
            else:
                self.requests.append(request)
                if scripts is None:
                    self.unexpected.append(request)
            script = None if not scripts else scripts.pop(0) if len(scripts) > 1 else scripts[0]
        if script:
            script(request, wire)
        elif request.path == "/_ping":
            wire.respond(200, b"" if request.method == "HEAD" else b"OK", {"Api-Version": self.api_version})
        else:
            wire.json({"message": f"nothing scripted for {request.method} {request.path}"}, 404)

    def close(self) -> None:
        """Close all connections, and wait for the threads."""
        self._server.close()
