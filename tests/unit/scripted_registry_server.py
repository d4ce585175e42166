"""A registry in memory for the unit tests, with tokens, mounts, referrers and faults."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

USER, PASSWORD, IDENTITY = "someone", "a secret", "an identity token"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class MemoryRegistry:
    """A registry that keeps everything in memory.

    Attributes:
        auth: "none", "basic" or "token".
        realm: the address of the token service, by default its own ``/token``.
        faults: what goes wrong: see `Handler`.
        requests: (method, path with query, headers) of everything that came.
    """

    def __init__(self, auth: str = "none", faults: frozenset[str] = frozenset()) -> None:
        self.auth, self.faults = auth, faults
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[bytes, str]] = {}
        self.tags: dict[str, list[str]] = {}
        self.uploads: dict[str, bytearray] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.redirect_to = ""
        self.failures = 0  # this many requests fail with `failure` before the next succeeds
        self.failure: tuple[int, dict[str, str]] = (503, {})
        self.scopes: dict[str, list[str]] = {}
        registry = self

        class Handler(_Handler):
            about = registry

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._server.block_on_close = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.realm = f"http://{self.host}/token"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add_image(self, name: str, platform: str = "linux/amd64", **manifest: Any) -> str:
        """Store an image with a different layer for each platform; return the digest of its manifest."""
        path, _, tag = name.partition(":")
        os, architecture, *variant = platform.split("/")
        config = json.dumps({
            "os": os, "architecture": architecture, **({"variant": variant[0]} if variant else {}),
            "created": "2030-01-02T03:04:05Z", "config": {"Labels": {"for": platform}, "Cmd": ["/run"]},
        }).encode()  # fmt: skip
        layer = platform.encode() * 1000
        for blob in (config, layer):
            self.blobs[path, digest_of(blob)] = blob
        record = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config),
                       "size": len(config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(layer),
                        "size": len(layer)}],
            **manifest,
        }  # fmt: skip
        return self.add_manifest(path, tag, record)

    def add_manifest(self, path: str, tag: str, record: dict[str, Any]) -> str:
        raw = json.dumps(record).encode()
        digest = digest_of(raw)
        for reference in filter(None, (tag, digest)):
            self.manifests[path, reference] = raw, record["mediaType"]
        if tag:
            self.tags.setdefault(path, []).append(tag)
        return digest

    def descriptor(self, path: str, digest: str, **more: Any) -> dict[str, Any]:
        raw, kind = self.manifests[path, digest]
        return {"mediaType": kind, "digest": digest, "size": len(raw), **more}

    def add_index(self, name: str, platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64/v8")) -> str:
        """Store an index, with a provenance attestation for its first platform."""
        path, _, tag = name.partition(":")
        entries = []
        for platform in platforms:
            os, architecture, *variant = platform.split("/")
            record = {"os": os, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
            entries.append(self.descriptor(path, self.add_image(path, platform), platform=record))
        statement = json.dumps(
            {"predicateType": "https://slsa.dev/provenance/v1", "predicate": {"by": "test"}}
        ).encode()
        self.blobs[path, digest_of(statement)] = statement
        config = b"{}"
        self.blobs[path, digest_of(config)] = config
        attestation = self.add_manifest(path, "", {
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config), "size": 2},
            "layers": [{"mediaType": "application/vnd.in-toto+json", "digest": digest_of(statement),
                        "size": len(statement),
                        "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"}}],
        })  # fmt: skip
        entries.append(self.descriptor(
            path, attestation, platform={"os": "unknown", "architecture": "unknown"},
            annotations={"vnd.docker.reference.type": "attestation-manifest",
                         "vnd.docker.reference.digest": entries[0]["digest"]},
        ))  # fmt: skip
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries}
        return self.add_manifest(path, tag, index)

    def sent(self, method: str, part: str) -> list[dict[str, str]]:
        """Return the headers of requests of a method whose path contains a string."""
        return [headers for verb, path, headers in self.requests if verb == method and part in path]


@contextlib.contextmanager
def memory_registry(auth: str = "none", *faults: str) -> Iterator[MemoryRegistry]:
    registry = MemoryRegistry(auth, frozenset(faults))
    try:
        yield registry
    finally:
        registry.close()


class _Handler(BaseHTTPRequestHandler):
    about: MemoryRegistry
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024  # head and body in one packet, else the body waits for the client's acknowledgement

    def log_message(self, *args: object) -> None:
        """Log nothing."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def _serve(self) -> None:
        about = self.about
        about.requests.append((self.command, self.path, {key.lower(): value for key, value in self.headers.items()}))
        body = self._body()
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if about.failures:
            about.failures -= 1
            status, headers = about.failure
            return self.reply(status, b"", headers)
        if parts.path == "/token":
            return self._token(query, body)
        if parts.path.startswith("/elsewhere/"):  # target of redirected blobs
            path, _, digest = parts.path.removeprefix("/elsewhere/").rpartition("/")
            return self._blob(path, digest)
        if not self._is_allowed():
            return None
        if "moved" in about.faults and parts.path.startswith("/v2/old/"):
            return self.reply(301, b"", {"Location": self.path.replace("/old/", "/new/")})
        if "moved" in about.faults and parts.path.startswith("/v2/circle/"):
            return self.reply(302, b"", {"Location": self.path})
        for pattern, handler in (
            (r"/v2/", lambda: self.reply(200, b"{}")),
            (r"/v2/(.+)/tags/list", self._tags),
            (r"/v2/(.+)/manifests/([^/]+)", lambda *at: self._manifest(*at, body)),
            (r"/v2/(.+)/blobs/uploads/(.*)", lambda *at: self._upload(*at, query, body)),
            (r"/v2/(.+)/blobs/(sha256:.+)", self._redirected_blob),
            (r"/v2/(.+)/referrers/(.+)", self._referrers),
        ):
            if found := re.fullmatch(pattern, parts.path):
                return handler(*found.groups())
        return self.reply(404)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None, length: int = -1) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) if length < 0 else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _token(self, query: dict[str, list[str]], body: bytes) -> None:
        form = parse_qs(body.decode())
        scopes = query.get("scope") or form.get("scope", [""])[0].split()
        trusted = self.headers.get("Authorization") == BASIC or form.get("refresh_token") == [IDENTITY]
        if not trusted and self.headers.get("Authorization"):
            return self.reply(401)
        if not trusted and any("push" in scope for scope in scopes):
            return self.reply(401)
        token = f"token-{len(self.about.scopes)}"
        self.about.scopes[token] = scopes
        return self.reply(200, json.dumps({"token": token, "expires_in": 300}).encode())

    def _is_allowed(self) -> bool:
        about, header = self.about, self.headers.get("Authorization", "")
        if about.auth == "none" or (about.auth == "basic" and header == BASIC):
            return True
        if about.auth == "token" and header.removeprefix("Bearer ") in about.scopes and "never" not in about.faults:
            return True
        challenge = f'Bearer realm="{about.realm}",service="tests"' if about.auth == "token" else 'Basic realm="tests"'
        error = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}).encode()
        self.reply(401, error, {"WWW-Authenticate": challenge})
        return False

    def _tags(self, path: str) -> None:
        tags = self.about.tags.get(path)
        if tags is None:
            error = {"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known to registry"}]}
            return self.reply(404, json.dumps(error).encode())
        query = parse_qs(urlsplit(self.path).query)
        page = int(query.get("page", ["0"])[0])
        headers = {}
        if "endless" in self.about.faults:
            headers["Link"] = f'</v2/{path}/tags/list?page={page + 1}>; rel="next"'
        elif "circle" in self.about.faults:
            headers["Link"] = f'</v2/{path}/tags/list?page={1 - page}>; rel="next"'
        elif "elsewhere" in self.about.faults:
            headers["Link"] = f'<{self.about.redirect_to}/v2/{path}/tags/list>; rel="next"'
        elif page + 1 < len(tags):
            headers["Link"] = f'</v2/{path}/tags/list?page={page + 1}>; rel="next"'
        return self.reply(200, json.dumps({"name": path, "tags": tags[page : page + 1]}).encode(), headers)

    def _manifest(self, path: str, reference: str, body: bytes) -> None:
        about = self.about
        if self.command == "PUT":
            kind = self.headers["Content-Type"]
            digest = digest_of(b"other" if "other digest" in about.faults else body)
            for name in (reference, digest_of(body)):
                about.manifests[path, name] = body, kind
            if not reference.startswith("sha256:"):
                about.tags.setdefault(path, []).append(reference)
            headers = {"Docker-Content-Digest": digest}
            subject = (json.loads(body).get("subject") or {}).get("digest")
            if subject and "no referrers" not in about.faults:
                headers["OCI-Subject"] = subject
            return self.reply(201, b"", headers)
        if (path, reference) not in about.manifests:
            error = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
            return self.reply(404, json.dumps(error).encode())
        raw, kind = about.manifests[path, reference]
        if self.command == "DELETE":
            if not reference.startswith("sha256:"):
                return self.reply(405)
            for key in [key for key, stored in about.manifests.items() if key[0] == path and stored[0] == raw]:
                del about.manifests[key]
            return self.reply(202)
        headers = {"Content-Type": kind, "Docker-Content-Digest": digest_of(raw)}
        if "wrong manifest" in about.faults:
            raw = raw.replace(b"2", b"3", 1)
        if "huge manifest" in about.faults:
            raw = b" " * (5 * 1024 * 1024)
        return self.reply(200, raw if self.command == "GET" else b"", headers, len(raw))

    def _upload(self, path: str, id: str, query: dict[str, list[str]], body: bytes) -> None:
        about = self.about
        if self.command == "POST":
            source, digest = query.get("from", [""])[0], query.get("mount", [""])[0]
            if (source, digest) in about.blobs and "no mount" not in about.faults:
                about.blobs[path, digest] = about.blobs[source, digest]
                return self.reply(201, b"", {"Docker-Content-Digest": digest})
            id = f"upload-{len(about.uploads)}"
            about.uploads[id] = bytearray()
            return self.reply(202, b"", {"Location": f"/v2/{path}/blobs/uploads/{id}?state=1"})
        about.uploads[id] += body
        if self.command == "PATCH":
            return self.reply(202, b"", {"Location": f"/v2/{path}/blobs/uploads/{id}?state=2"})
        digest = query["digest"][0]
        if digest != digest_of(about.uploads[id]):
            return self.reply(400, json.dumps({"errors": [{"code": "DIGEST_INVALID", "message": "no"}]}).encode())
        about.blobs[path, digest] = bytes(about.uploads[id])
        return self.reply(201, b"", {"Docker-Content-Digest": digest})

    def _redirected_blob(self, path: str, digest: str) -> None:
        if self.about.redirect_to and self.command == "GET":
            return self.reply(
                307, b"", {"Location": f"{self.about.redirect_to}/elsewhere/{path}/{digest}?signature=s3cret"}
            )
        return self._blob(path, digest)

    def _blob(self, path: str, digest: str) -> None:
        about = self.about
        content = about.blobs.get((path, digest))
        if content is None:
            return self.reply(404)
        if self.command == "HEAD":
            return self.reply(200, b"", {}, len(content))
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        status = 206 if start else 200
        if "wrong blob" in about.faults:
            content = bytes(len(content))
        if "cut" in about.faults or ("cut once" in about.faults and not start):
            self.reply(status, content[start : (start + len(content)) // 2], {}, len(content) - start)
            self.close_connection = True
            return None
        return self.reply(status, content[start:])

    def _referrers(self, path: str, digest: str) -> None:
        if "no referrers" in self.about.faults:
            return self.reply(404)
        found = [
            {
                **self.about.descriptor(path, name),
                "artifactType": json.loads(raw).get("artifactType"),
                "annotations": json.loads(raw).get("annotations"),
            }
            for (repository, name), (raw, _) in self.about.manifests.items()
            if repository == path and name.startswith("sha256:")
            and (json.loads(raw).get("subject") or {}).get("digest") == digest
        ]  # fmt: skip
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": found}
        return self.reply(200, json.dumps(index).encode())
