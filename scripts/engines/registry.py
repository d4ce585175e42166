"""Three registries on this machine's loopback: an open one, one with a password, one with TLS and a password."""

from __future__ import annotations

import json
import pathlib
import shutil
import socket
import subprocess
from dataclasses import dataclass

from engines import host
from engines.roots import ensure_root
from engines.settings import REGISTRY_PORT, STATE

USER, PASSWORD = "dockerkit", "correct horse"
# htpasswd -nbB of the two above, since a bare Debian has nothing that makes bcrypt hashes.
HTPASSWD = "dockerkit:$2b$05$e5ktIdfoQsrHrEdmpkgFk.S3TKpmnbL.DvXT/zqEcTUVrOlojbZv6\n"


@dataclass(frozen=True)
class Registry:
    """A registry, on the same port for this machine and for every private engine."""

    kind: str
    port: int

    @property
    def state(self) -> pathlib.Path:
        return STATE / f"registry-{self.kind}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def ca(self) -> pathlib.Path:
        return self.state / "ca.pem"


REGISTRIES = {kind: Registry(kind, REGISTRY_PORT + n) for n, kind in enumerate(("open", "auth", "tls"))}


def up(registry: Registry) -> bool:
    """Start the registry, unless it runs. Return whether it was started."""
    with host.lock(STATE / f".registry-{registry.kind}.lock"):
        if host.alive(registry.state / "pid") is not None and _answers(registry.port):
            return False
        root = ensure_root("bookworm")
        _remove(registry)
        registry.state.mkdir(parents=True)
        (registry.state / "config.json").write_text(json.dumps(_config(registry)))
        command = [root / "usr/bin/docker-registry", "serve", registry.state / "config.json"]
        process = host.spawn(command, registry.state / "pid", registry.state / "log")
        host.wait_until(
            lambda: _answers(registry.port) or process.poll() is not None, 20, f"no registry at {registry.host}"
        )
        if process.poll() is not None:
            raise host.EngineUnavailable(f"the registry ended: {(registry.state / 'log').read_text()[-1000:]}")
    return True


def down(registry: Registry) -> bool:
    """Stop the registry, and remove its files. Return False if there was nothing to remove."""
    with host.lock(STATE / f".registry-{registry.kind}.lock"):
        if not registry.state.exists():
            return False
        _remove(registry)
    return True


def is_up(registry: Registry) -> bool:
    return host.alive(registry.state / "pid") is not None and _answers(registry.port)


def _config(registry: Registry) -> dict[str, object]:
    http: dict[str, object] = {"addr": registry.host, "secret": "only for tests"}
    config: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(registry.state / "data")}, "delete": {"enabled": True}},
        "http": http,
    }
    if registry.kind != "open":
        (registry.state / "htpasswd").write_text(HTPASSWD)
        config["auth"] = {"htpasswd": {"realm": "dockerkit", "path": str(registry.state / "htpasswd")}}
    if registry.kind == "tls":
        make_certificates(registry.state)
        http["tls"] = {"certificate": str(registry.state / "cert.pem"), "key": str(registry.state / "key.pem")}
    return config


def make_certificates(folder: pathlib.Path) -> None:
    """Create a private authority (ca.pem), and a certificate for the loopback that it signs (cert.pem, key.pem)."""
    if not shutil.which("openssl"):
        host.install(["openssl"])
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj"]
    sign = ["openssl", "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"]
    for command in (
        [*new, "/CN=dockerkit test authority", "-x509", "-days", "30", "-keyout", "ca-key.pem", "-out", "ca.pem"],
        [*new, "/CN=localhost", "-keyout", "key.pem", "-out", "request.pem"],
        [*sign, "-days", "30", "-extfile", "names", "-out", "cert.pem"],
    ):
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def _remove(registry: Registry) -> None:
    host.kill(registry.state / "pid")
    if registry.state.exists():
        shutil.rmtree(registry.state)
