"""The registry client with a real registry that requires tokens of the test's token service."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from engines.roots import ensure_root

from dockerkit import Registry, errors
from dockerkit.registry import copy_image

ACCOUNT = {"username": "me", "password": "correct horse"}
OCI = "application/vnd.oci.image.{}.v1+json"


@dataclass
class Tokens:
    """The token service, and the requests it received."""

    realm_host: str
    registry: str = ""
    asked: list[tuple[list[str], str | None]] = field(default_factory=list)


@pytest.fixture(scope="module", name="tokens")
def token_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tokens]:
    """Start a token service at ``127.0.0.1``, and a registry that trusts it."""
    authority = trustme.CA()
    issued = authority.issue_cert("tokens.example.com")
    key: Any = load_pem_private_key(issued.private_key_pem.bytes(), None)
    chain = [x509.load_pem_x509_certificate(pem.bytes()) for pem in issued.cert_chain_pems]
    folder = tmp_path_factory.mktemp("token-registry")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))

    def sign(claims: dict[str, Any]) -> str:
        header = {
            "typ": "JWT", "alg": "ES256",
            "x5c": [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in chain],
        }  # fmt: skip
        signed = b".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return b".".join([signed, encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))]).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            authorization = self.headers.get("Authorization")
            tokens.asked.append((query.get("scope", []), authorization))
            right = "Basic " + base64.b64encode(":".join(ACCOUNT.values()).encode()).decode()
            if authorization not in (None, right):
                return self.reply(401, {"errors": []})
            granted = [scope.rsplit(":", 2) for scope in query.get("scope", []) if authorization]
            access = [{"type": kind, "name": name, "actions": what.split(",")} for kind, name, what in granted]
            now = int(time.time())
            claims = {"iss": "tests", "aud": query["service"][0], "sub": "me", "access": access, "jti": "x",
                      "iat": now - 60, "nbf": now - 60, "exp": now + 600}  # fmt: skip
            return self.reply(200, {"token": sign(claims), "expires_in": 600})

        def reply(self, status: int, record: dict[str, Any]) -> None:
            body = json.dumps(record).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.05,))
        thread.start()
        tokens = Tokens(f"127.0.0.1:{service.server_address[1]}")
        try:
            with registry_process(folder, f"http://{tokens.realm_host}/token") as tokens.registry:
                yield tokens
        finally:
            service.shutdown()
            thread.join()


def encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@contextlib.contextmanager
def registry_process(folder: Path, realm: str) -> Iterator[str]:
    """Run a registry with this token service; yield its host."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    auth = {"realm": realm, "service": "test registry", "issuer": "tests", "rootcertbundle": str(folder / "ca.pem")}
    config = {
        "version": "0.1", "log": {"level": "warn"}, "http": {"addr": host, "secret": "x"}, "auth": {"token": auth},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    program = ensure_root("bookworm") / "usr/bin/docker-registry"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", folder / "config.json"], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])), 1):
                break
            time.sleep(0.05)
        assert process.poll() is None, (folder / "log").read_text()
        yield host
    finally:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1,localhost")


def put_image(registry: Registry, name: str) -> str:
    repository = name.partition(":")[0]
    config = registry.upload(repository, b'{"os": "linux", "architecture": "amd64"}', media_type=OCI.format("config"))
    layer = registry.upload(repository, b"layer", media_type="x/layer")
    return registry.put_manifest(name, {
        "schemaVersion": 2, "mediaType": OCI.format("manifest"), "config": config.attrs, "layers": [layer.attrs],
    })  # fmt: skip


def test_everything_works_with_tokens(tokens: Tokens) -> None:
    with Registry(tokens.registry, auth_config=ACCOUNT) as registry:
        digest = put_image(registry, "team/app:1")
        assert registry.tags("team/app") == ["1"]
        assert "team/app" in registry.repositories()
        assert registry.config("team/app:1").platform == "linux/amd64"
        before = len(tokens.asked)
        assert registry.digest("team/app:1") == registry.manifest("team/app:1").digest == digest
        assert len(tokens.asked) == before  # tokens are used until they expire
        source, target = f"{tokens.registry}/team/app:1", f"{tokens.registry}/other/app:1"
        assert copy_image(source, target, open_registry=lambda host: Registry(host, auth_config=ACCOUNT)) == digest
        registry.delete(f"other/app@{digest}")
        assert not registry.exists("other/app:1")
    scopes = {scope for asked, _ in tokens.asked for scope in asked}
    assert {"repository:team/app:pull", "repository:team/app:pull,push", "registry:catalog:*"} <= scopes


@pytest.mark.parametrize("auth", [{}, {**ACCOUNT, "password": "wrong"}])
def test_wrong_credentials_are_refused(tokens: Tokens, auth: dict[str, str]) -> None:
    with Registry(tokens.registry, auth_config=auth) as registry, pytest.raises(errors.Unauthorized) as caught:
        registry.tags("team/app")
    assert "wrong" not in str(caught.value)


def test_token_service_elsewhere_gets_no_credentials_unless_allowed(tokens: Tokens, tmp_path: Path) -> None:
    """For a registry at 127.0.0.1, localhost is another host."""
    elsewhere = f"localhost:{tokens.realm_host.rpartition(':')[2]}"
    (tmp_path / "ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
    before = len(tokens.asked)
    with registry_process(tmp_path, f"http://{elsewhere}/token") as host:
        with Registry(host, auth_config=ACCOUNT) as registry, pytest.raises(errors.RegistryError, match="token_hosts"):
            registry.tags("team/app")
        assert tokens.asked[before:] == []
        allowed = Registry(host, auth_config=ACCOUNT, token_hosts=["localhost"])
        with allowed, pytest.raises(errors.Unauthorized):  # this registry trusts another authority
            allowed.tags("team/app")
        assert {authorization is not None for _, authorization in tokens.asked[before:]} == {True}
