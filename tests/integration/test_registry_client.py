"""The registry client with real registries (open, with a password, over TLS), and with engines."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from dockerkit import Registry, errors
from dockerkit.registry import Index, Manifest, copy_image

if TYPE_CHECKING:
    from conftest import RegistryAccess

    from dockerkit import DockerClient

OCI = "application/vnd.oci.image.{}.v1+json"


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


def account(access: RegistryAccess) -> dict[str, str]:
    return {"username": access.user, "password": access.password}


def put_image(registry: Registry, name: str, architecture: str = "amd64") -> str:
    """Push an image with a random layer of a megabyte; return the digest of its manifest."""
    repository = name.partition(":")[0]
    config = f'{{"os": "linux", "architecture": "{architecture}", "config": {{}}}}'.encode()
    layer = os.urandom(2**20)
    return registry.put_manifest(name, {
        "schemaVersion": 2, "mediaType": OCI.format("manifest"),
        "config": registry.upload(repository, config, media_type=OCI.format("config")).attrs,
        "layers": [registry.upload(repository, iter([layer[:999], layer[999:]]), media_type="x/layer").attrs],
    })  # fmt: skip


def test_stores_reads_and_deletes_images(registry: str, unique: Callable[..., str]) -> None:
    name = unique("client")
    with Registry(registry) as opened:
        digest = put_image(opened, f"{name}:1")
        assert opened.tags(name) == ["1"]
        assert name in opened.repositories()
        assert opened.digest(f"{registry}/{name}:1") == digest
        manifest = opened.manifest(f"{name}:1")
        assert isinstance(manifest, Manifest)
        with opened.blob(name, manifest.layers[0].digest) as blob:
            assert f"sha256:{hashlib.sha256(blob.read()).hexdigest()}" == manifest.layers[0].digest
        assert opened.config(f"{name}:1").platform == "linux/amd64"
        assert opened.referrers(f"{name}:1") == []
        with pytest.raises(errors.RegistryError, match="cannot delete a single tag"):
            opened.delete(f"{name}:1")
        opened.delete(f"{name}@{digest}")
        assert not opened.exists(f"{name}:1")
        with pytest.raises(errors.NotFound):
            opened.manifest(f"{name}:1")


def test_registry_with_a_password_over_tls(tls_registry: RegistryAccess, unique: Callable[..., str]) -> None:
    name = unique("client")
    ours = account(tls_registry)
    with Registry(tls_registry.host, auth_config=ours, ca_cert=tls_registry.ca) as opened:  # verified
        put_image(opened, f"{name}:1")
        assert opened.tags(name) == ["1"]
    with Registry(tls_registry.host, auth_config=ours) as opened:  # on this machine, so nothing is verified
        assert opened.exists(f"{name}:1")
    for wrong in ({}, {**ours, "password": "wrong"}):
        with Registry(tls_registry.host, auth_config=wrong) as opened, pytest.raises(errors.Unauthorized):
            opened.exists(f"{name}:1")
    with Registry(tls_registry.host, auth_config=ours, insecure=False, retries=0) as opened:
        with pytest.raises(errors.ConnectionFailed, match="ca_cert="):
            opened.ping()


def test_unknown_authority_is_refused(tls_registry: RegistryAccess, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    with Registry(tls_registry.host, ca_cert=tmp_path / "other.pem", retries=0) as opened:
        with pytest.raises(errors.ConnectionFailed, match="the TLS connection to the registry failed"):
            opened.ping()


def test_copies_between_three_registries(
    registry: str, auth_registry: RegistryAccess, tls_registry: RegistryAccess, unique: Callable[..., str]
) -> None:
    name = unique("client")

    def open_registry(host: str) -> Registry:
        ca = tls_registry.ca if host == tls_registry.host else None
        return Registry(host, auth_config=account(auth_registry) if host != registry else {}, ca_cert=ca)

    with Registry(registry) as opened:
        digest = put_image(opened, f"{name}:1")
    for source, target in (
        (f"{registry}/{name}:1", f"{auth_registry.host}/{name}"),
        (f"{auth_registry.host}/{name}:1", f"{tls_registry.host}/{name}"),
        (f"{tls_registry.host}/{name}:1", f"{tls_registry.host}/{name}-mounted:2"),
        (f"{tls_registry.host}/{name}-mounted:2", f"{registry}/{name}:back"),
    ):
        assert copy_image(source, target, open_registry=open_registry) == digest


def test_engine_runs_what_was_copied_and_put_together(
    client: DockerClient, registry: str, busybox: str, unique: Callable[..., str]
) -> None:
    """Push an image, copy it, add it to an index, and pull it again."""
    name = f"{registry}/{unique('client')}"
    client.images.get(busybox).tag(name, "1")
    try:
        client.images.get(f"{name}:1").push(f"{name}:1")
        digest = client.images.copy(f"{name}:1", f"{name}-copy:1")
        with client.registry(registry) as opened:
            assert digest == opened.digest(f"{name}:1") == opened.digest(f"{name}-copy:1")
            platform = opened.config(f"{name}:1").platform
            put_image(opened, f"{name.partition('/')[2]}:riscv", "riscv64")
            client.images.create_index(f"{name}-index:1", [f"{name}-copy:1", f"{name}:riscv"])
            index = opened.manifest(f"{name}-index:1")
            assert isinstance(index, Index)
            assert index.platforms == [platform, "linux/riscv64"]
        client.images.annotate_index(f"{name}-index:1", {"org.example.by": "dockerkit"})
        client.images.remove(f"{name}:1")
        pulled = client.images.pull(f"{name}-index:1")
        assert pulled.platform == platform
        if all(tag.startswith(registry) for tag in pulled.tags):
            with pulled.registry() as opened:
                assert opened.tags(f"{name}-index:1") == ["1"]
        else:  # engines without containerd's store know the image as busybox as well
            with pytest.raises(errors.InvalidArgument, match="names in 2 registries"):
                pulled.registry()
        assert client.containers.run(f"{name}-index:1", ["echo", "hello"], remove=True) == b"hello\n"
    finally:
        for tag in (f"{name}:1", f"{name}-index:1"):
            if client.images.exists(tag):
                client.images.remove(tag, force=True)


def test_uses_the_engines_insecure_registries(client: DockerClient) -> None:
    networks: list[Any] = client.info()["RegistryConfig"]["InsecureRegistryCIDRs"]
    inside = next(network.partition("/")[0] for network in networks if ":" not in network)
    registry = client.registry(f"{inside}:5000")
    assert registry._is_insecure()
    assert not client.registry("registry.example.com")._is_insecure()
