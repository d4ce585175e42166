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
                self._by_path.setdefault(_place(exchange["method"], exchange["target"]), []).append(exchange)
            except (ValueError, KeyError, TypeError):
                shown = os.fspath(path)
                raise InvalidArgument(f"path: line {number} of {shown!r} is not a recorded exchange") from None
        self._server = Server(self._answer)
        self.host: str = self._server.host

    def _find(self, request: Request) -> Exchange | None:
        target = redacted_target(request.target)
        body = redacted_body(request.path, request.headers.get("Content-Type", ""), request.body)
        place = _place(request.method, target)
        with self._lock:
            for known in (self._by_key.get(key_of(request.method, target, body)), self._by_path.get(place)):
                if known:
                    found = known[0]
                    if len(known) > 1:
                        known.pop(0)
                    return found
            self.missing.append(f"{request.method} {target}")
        return None

    def _answer(self, request: Request, wire: Connection) -> None:
        found = self._find(request)
        if found is None:
            wire.json({"message": f"nothing was recorded for {request.method} {request.path}"}, 404)
        elif "talk" in found:
            _talk(found, wire)
        else:
            body = b"".join(unpacked(chunk) for chunk in found["chunks"])
            if request.method == "HEAD" or found["status"] in (204, 304):
                wire.answer(found["status"], b"", found["headers"])
            elif len(found["chunks"]) > 1:
                with wire.chunked(found["headers"].get("Content-Type", ""), found["headers"], found["status"]) as send:
                    for chunk in found["chunks"]:
                        send(unpacked(chunk))
            else:
                wire.answer(found["status"], body, found["headers"])

    def close(self) -> None:
        """Close all connections."""
        self._server.close()


def _place(method: str, target: str) -> str:
    return f"{method} {target.partition('?')[0]}"


def _talk(found: dict[str, Any], wire: Connection) -> None:
    """Send the recorded output, each block after the same amount of input as in the recording."""
    wire.upgrade(found["headers"]["Content-Type"])
    owed = 0
    for piece in found["talk"]:
        if "in" in piece:
            owed += piece["in"]
            while owed > 0 and (data := wire.recv()):
                owed -= len(data)
        else:
            wire.send(unpacked(piece["out"]))
    wire.half_close()
