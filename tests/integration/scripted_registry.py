"""A registry for the tests with one small image and configurable faults."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import http.server
import io
import json
import os
import socket
import ssl
import tarfile
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
USER, PASSWORD, REFRESH_TOKEN, TOKEN = "someone", "something", "a-refresh-token", "a-bearer-token"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class ScriptedRegistry:
    """The registry: its image, its faults, and the requests it received.

    Attributes:
        mode: "good"; "loop401" (never satisfied); "limited" (429); "cut" (the configuration ends half way); "wrong"
            (the layer is another than its digest says); "endless" (the layer never ends); "token" (a token service).
        requests: method and path of what came.
        aborted: set when a client went away from an endless answer.
    """

    def __init__(self, host: str, mode: str, context: ssl.SSLContext | None = None) -> None:
        self.mode = mode
        self.requests: list[str] = []
        self.aborted = threading.Event()
        self.endless = threading.Event()
        layer_tar = io.BytesIO()
        with tarfile.open(fileobj=layer_tar, mode="w") as tar:
            member = tarfile.TarInfo("file")
            member.size = 16
            tar.addfile(member, io.BytesIO(os.urandom(16)))  # no engine has this layer
        layer = gzip.compress(layer_tar.getvalue(), mtime=0)
        config = json.dumps({
            "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/file"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer_tar.getvalue())]}, "history": [{"created_by": "test"}],
        }).encode()  # fmt: skip
        self.blobs = {_digest(blob): blob for blob in (config, layer)}
        self.config, self.layer = _digest(config), _digest(layer)
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config),
                       "digest": self.config},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(layer),
                        "digest": self.layer}],
        }).encode()  # fmt: skip
        registry = self

        class Handler(_Handler):
            about = registry

        self._server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        if context is not None:  # the handshake runs in the connection's thread
            listener = self._server.socket
            self._server.socket = context.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.host = f"{host}:{self._server.server_address[1]}"

    def close(self) -> None:
        self.endless.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextlib.contextmanager
def scripted_registry(
    host: str, mode: str = "good", context: ssl.SSLContext | None = None
) -> Iterator[ScriptedRegistry]:
    """Run a registry for the block; over TLS with a `context`."""
    registry = ScriptedRegistry(host, mode, context)
    try:
        yield registry
    finally:
        registry.close()


class _Handler(http.server.BaseHTTPRequestHandler):
    about: ScriptedRegistry
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        plain = not isinstance(self.connection, ssl.SSLSocket)
        if (
            plain and self.connection.recv(1, socket.MSG_PEEK) == b"\x16"
        ):  # engines try TLS first, and expect a response
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            return
        with contextlib.suppress(
            ssl.SSLError, ConnectionError
        ):  # a client that does not trust the certificate disconnects
            super().handle()

    def log_message(self, *args: object) -> None:
        """Log nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        self.about.requests.append(f"POST {self.path}")
        if urlsplit(self.path).path == "/token" and form.get("refresh_token") == [REFRESH_TOKEN]:
            self.answer(200, {"access_token": TOKEN, "token": TOKEN, "expires_in": 300})
        else:
            self.refuse("Bearer error")

    def do_GET(self) -> None:
        about, path = self.about, urlsplit(self.path).path
        about.requests.append(f"{self.command} {self.path}")
        if path == "/token":
            right = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if self.headers.get("Authorization") == right:
                self.answer(200, {"token": TOKEN, "access_token": TOKEN, "expires_in": 300})
            else:
                self.refuse("Basic realm=token")
        elif about.mode == "loop401":
            self.refuse('Basic realm="never"')
        elif about.mode == "token" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.refuse(f'Bearer realm="http://{about.host}/token",service="tests"')
        elif path == "/v2/":
            self.answer(200, {})
        elif path == "/v1/_ping":
            self.answer(200, {"standalone": True}, {"X-Docker-Registry-Standalone": "True"})
        elif path == "/v1/search":
            term = parse_qs(urlsplit(self.path).query)["q"][0]
            found = {"name": term, "description": "found", "star_count": 3, "is_official": True, "is_automated": False}
            self.answer(200, {"query": term, "num_results": 1, "results": [found]})
        elif "/manifests/" in path:
            self.serve_manifest()
        elif path.rpartition("/")[2] in about.blobs:
            self.serve_blob(path.rpartition("/")[2])
        else:
            self.answer(404, {"errors": [{"code": "NAME_UNKNOWN", "message": "no such thing"}]})

    def serve_manifest(self) -> None:
        if self.about.mode == "limited":
            error = {"code": "TOOMANYREQUESTS", "message": "you have reached your pull rate limit"}
            self.answer(429, {"errors": [error]}, {"Retry-After": "1"})
            return
        content = self.about.manifest
        self.answer(200, content, {"Content-Type": MANIFEST, "Docker-Content-Digest": _digest(content)})

    def serve_blob(self, digest: str) -> None:
        about, content = self.about, self.about.blobs[digest]
        if about.mode == "wrong" and digest == about.layer:
            content = bytes(len(content))
        if about.mode == "cut" and digest == about.config:
            self.head(200, len(content))
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif about.mode == "endless" and digest == about.layer:
            self.head(200, 2**30)
            self.close_connection = True
            try:
                while not about.endless.wait(0.05):
                    self.wfile.write(bytes(100))
                    self.wfile.flush()
            except OSError:
                about.aborted.set()
        else:
            self.answer(200, content, {"Docker-Content-Digest": digest})

    def refuse(self, challenge: str) -> None:
        error = {"code": "UNAUTHORIZED", "message": "authentication required"}
        self.answer(401, {"errors": [error]}, {"WWW-Authenticate": challenge})

    def head(self, status: int, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Docker-Distribution-Api-Version": "registry/2.0", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def answer(self, status: int, content: bytes | dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        if not isinstance(content, bytes):
            headers = {"Content-Type": "application/json", **(headers or {})}
        self.head(status, len(data), headers)
        if self.command != "HEAD":
            self.wfile.write(data)


def eventually(condition: Any, seconds: float = 10) -> bool:
    """Return whether a condition becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
