"""Replay a recording of :class:`~dockerkit.testing.recordings.recorder.Recorder`."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from dockerkit.errors import InvalidArgument
from dockerkit.streams.closable import SelfClosing
from dockerkit.testing.recordings.recording import Exchange, key_of, redacted_body, redacted_target, unpacked
from dockerkit.testing.server import Connection, Request, Server

__all__ = ["Replayer"]


class Replayer(SelfClosing):
    r"""Serves recorded responses.

    A request gets the recorded response of the same request (method, path, query, body), in order; the last one is
    repeated. If there is none, for example because names are random, it gets the next one of the same method and path.

    Args:
        path: file with the recording.

    Attributes:
        host: address for clients.
        missing: requests without a recorded response, which got 404.

    Raises:
        InvalidArgument: the file is not a recording.

    Example::

        with Replayer("tests/engine.jsonl") as replayer, DockerClient(replayer.host) as client:
            assert client.containers.run("busybox", ["echo", "hi"], remove=True) == b"hi\n"
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.missing: list[str] = []
        self._lock = threading.Lock()
        self._by_key: dict[str, list[Exchange]] = {}
        self._by_path: dict[str, list[Exchange]] = {}
        for number, line in enumerate(Path(path).read_bytes().splitlines(), 1):
            try:
                exchange = json.loads(line)
                self._by_key.setdefault(exchange["key"], []).append(exchange)
                self._by_path.setdefault(_path_key(exchange["method"], exchange["target"]), []).append(exchange)
            except (ValueError, KeyError, TypeError):
                name = os.fspath(path)
                raise InvalidArgument(f"path: line {number} of {name!r} is not a recorded exchange") from None
        self._server = Server(self._handle)
        self.host: str = self._server.host

    def _find(self, request: Request) -> Exchange | None:
        target = redacted_target(request.target)
        body = redacted_body(request.path, request.headers.get("Content-Type", ""), request.body)
        path_key = _path_key(request.method, target)
        with self._lock:
            for exchanges in (self._by_key.get(key_of(request.method, target, body)), self._by_path.get(path_key)):
                if exchanges:
                    exchange = exchanges[0]
                    if len(exchanges) > 1:
                        exchanges.pop(0)
                    return exchange
            self.missing.append(f"{request.method} {target}")
        return None

    def _handle(self, request: Request, wire: Connection) -> None:
        exchange = self._find(request)
        if exchange is None:
            wire.json({"message": f"nothing was recorded for {request.method} {request.path}"}, 404)
        elif "talk" in exchange:
            _replay_hijacked(exchange, wire)
        else:
            body = b"".join(unpacked(chunk) for chunk in exchange["chunks"])
            if request.method == "HEAD" or exchange["status"] in (204, 304):
                wire.respond(exchange["status"], b"", exchange["headers"])
            elif len(exchange["chunks"]) > 1:
                with wire.chunked(
                    exchange["headers"].get("Content-Type", ""), exchange["headers"], exchange["status"]
                ) as send:
                    for chunk in exchange["chunks"]:
                        send(unpacked(chunk))
            else:
                wire.respond(exchange["status"], body, exchange["headers"])

    def close(self) -> None:
        """Close all connections."""
        self._server.close()


def _path_key(method: str, target: str) -> str:
    return f"{method} {target.partition('?')[0]}"


def _replay_hijacked(exchange: dict[str, Any], wire: Connection) -> None:
    """Send the recorded output, each block after the same amount of input as in the recording."""
    wire.upgrade(exchange["headers"]["Content-Type"])
    expected = 0
    for block in exchange["talk"]:
        if "in" in block:
            expected += block["in"]
            while expected > 0 and (data := wire.recv()):
                expected -= len(data)
        else:
            wire.send(unpacked(block["out"]))
    wire.half_close()
