"""Record the responses of a real engine, to replay them in tests."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path
from typing import IO, Any

from dockerkit.endpoint import discovery
from dockerkit.errors import DockerException
from dockerkit.streams.closable import SelfClosing
from dockerkit.testing.recordings.recording import key_of, packed, recorded_headers, redacted_body, redacted_target
from dockerkit.testing.server import Connection, Request, Server
from dockerkit.transport import HijackedConnection, HTTPRequest, HTTPTransport, Response, Timeouts

__all__ = ["Recorder"]

_CONNECTION_HEADERS = frozenset({"host", "connection", "upgrade", "content-length", "transfer-encoding"})
_NO_LIMIT = Timeouts(60, None)


class Recorder(SelfClosing):
    """A proxy between clients and an engine that records the communication, without secrets.

    It records method, path, query and JSON body of requests, and digests of other bodies, but no headers and no input
    of execs. Likely secrets (passwords, tokens, credentials, data of secrets, build arguments, variables with such
    names, passwords in URLs) are replaced by ``***`` in requests and responses. The output of programs is recorded
    unchanged, so review a recording before sharing it. BuildKit sessions can't be replayed; builds with
    ``builder="classic"`` can.

    Args:
        path: file to write, as lines of JSON; an existing one is replaced.
        base_url: address of the engine; None finds it as the docker command does.

    Attributes:
        host: address for clients.

    Example::

        with Recorder("tests/engine.jsonl") as recorder, DockerClient(recorder.host) as client:
            client.containers.run("busybox", ["echo", "hi"], remove=True)
    """

    def __init__(self, path: str | os.PathLike[str], base_url: str | None = None) -> None:
        self._transport = HTTPTransport(discovery.resolve(base_url))
        self._file: IO[str] = Path(path).open("w", encoding="utf-8")  # noqa: SIM115 - closed in close()
        self._lock = threading.Lock()
        self._server = Server(self._forward)
        self.host: str = self._server.host

    def _forward(self, request: Request, wire: Connection) -> None:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _CONNECTION_HEADERS}
        target = redacted_target(request.target)
        body = redacted_body(request.path, request.headers.get("Content-Type", ""), request.body)
        exchange: dict[str, Any] = {"method": request.method, "target": target, "body": body}
        exchange["key"] = key_of(request.method, target, body)
        send = self._transport.upgrade if request.headers.get("Upgrade") else self._transport.send
        try:
            response = send(HTTPRequest(request.method, request.target, headers, request.body or None, _NO_LIMIT))
        except DockerException as error:
            wire.json({"message": f"recorder: {error}"}, 502)
            return
        with response:
            if isinstance(response, HijackedConnection):
                self._record_hijacked(response, wire, exchange)
            else:
                self._record_response(request, response, wire, exchange)
        with self._lock:
            if not self._file.closed:
                self._file.write(json.dumps(exchange) + "\n")

    def _record_response(
        self, request: Request, response: Response, wire: Connection, exchange: dict[str, Any]
    ) -> None:
        media_type = response.headers.get("Content-Type") or ""
        exchange |= {"status": response.status, "headers": recorded_headers(dict(response.headers))}
        chunks: list[bytes] = []
        try:
            if request.method == "HEAD" or response.status in (204, 304):
                wire.respond(response.status, b"", exchange["headers"])
            elif "Content-Length" in response.headers:
                chunks.append(response.read())
                wire.respond(response.status, chunks[0], exchange["headers"])
            else:
                with wire.chunked(media_type, exchange["headers"], response.status) as send:
                    for chunk in response.chunks():
                        chunks.append(chunk)
                        send(chunk)
        except OSError:  # the client has disconnected
            wire.keep = False
        is_json = "json" in media_type  # split between values, so that secrets can be found in each
        exchange["chunks"] = [packed(chunk, media_type) for chunk in ([b"".join(chunks)] if is_json else chunks)]

    def _record_hijacked(self, response: HijackedConnection, wire: Connection, exchange: dict[str, Any]) -> None:
        exchange |= {"status": 101, "headers": {"Content-Type": response.media_type}, "talk": (blocks := [])}
        wire.upgrade(response.media_type)

        def forward() -> None:
            with contextlib.suppress(OSError, ValueError, DockerException):
                while data := wire.recv():
                    blocks.append({"in": len(data)})
                    response.sendall(data)
            with contextlib.suppress(OSError, DockerException):
                response.close_write()

        reader = threading.Thread(target=forward, name="dockerkit-testing-input", daemon=True)
        reader.start()
        with contextlib.suppress(OSError, DockerException):
            for data in response.chunks():
                blocks.append({"out": packed(data)})
                wire.send(data)
        wire.half_close()
        wire.close_reading()
        reader.join(5)

    def close(self) -> None:
        """Close all connections, and complete the file."""
        self._transport.close()
        self._server.close()
        with self._lock:
            self._file.close()
