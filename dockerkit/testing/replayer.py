"""Answer as a real engine did: the other half of :class:`~dockerkit.testing.recorder.Recorder`."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, Self

from dockerkit.errors import InvalidArgument
from dockerkit.testing.recording import Exchange, key_of, redacted_body, redacted_target, unpacked
from dockerkit.testing.server import Request, Server, Wire

__all__ = ["Replayer"]


class Replayer:
    r"""Serves a recording.

    A request gets the answer that the same request got (method, path, query, body), the first one first; the last one
    stays. Where none is the same, as with names that are new each time, the next of the same method and path answers.

    Args:
        path: the recording.

    Attributes:
        host: where clients connect to.
        missing: requests that nothing was recorded for; they got 404.

    Raises:
        InvalidArgument: the file is no recording.

    Example::

        with Replayer("tests/engine.jsonl") as replayer, DockerClient(replayer.host) as client:
            assert client.containers.run("busybox", ["echo", "hi"], remove=True) == b"hi\n"
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.missing: list[str] = []
        self._lock = threading.Lock()
        self._by_key: dict[str, list[Exchange]] = {}
        self._by_path: dict[str, list[Exchange]] = {}
        for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
            try:
                exchange = json.loads(line)
                self._by_key.setdefault(exchange["key"], []).append(exchange)
                self._by_path.setdefault(_place(exchange["method"], exchange["target"]), []).append(exchange)
            except (ValueError, KeyError, TypeError):
                raise InvalidArgument(f"path: line {number} of {os.fspath(path)!r} is no recorded exchange") from None
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

    def _answer(self, request: Request, wire: Wire) -> None:
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
        """End the connections."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _place(method: str, target: str) -> str:
    return f"{method} {target.partition('?')[0]}"


def _talk(found: dict[str, Any], wire: Wire) -> None:
    """Say what was said, each piece after as much input as it came after."""
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
