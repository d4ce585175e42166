"""A registry with a certificate of a private authority, which the engine verifies.

Engines take any certificate from registries on the loopback and in the network of the tests, which are told to be
insecure, whatever their name; so this one is at another address.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import trustme
from engines import host
from engines.settings import GATEWAY_NAME
from scripted_registry import ScriptedRegistry, scripted_registry

from dockerkit.errors import APIError, PullError

if TYPE_CHECKING:
    from conftest import Engine

    from dockerkit import DockerClient

WORDS = r"(?i)x509|certificate"


@pytest.fixture
def tls_registry_by_name(engine: Engine) -> Iterator[tuple[ScriptedRegistry, str, trustme.CA]]:
    """A registry over TLS: itself, its name for the engine, and the authority of its certificate."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(GATEWAY_NAME).configure_cert(context)
    with scripted_registry(engine.spec.distant, context=context) as registry:
        yield registry, registry.host.replace(engine.spec.distant, GATEWAY_NAME), authority


@contextlib.contextmanager
def trusted(engine: Engine, registry: str, authority: trustme.CA) -> Iterator[None]:
    """Let the engine trust an authority for a registry, as Docker's documentation describes."""
    first = host.alive(engine.spec.state / "pid")
    assert first is not None
    daemon = next(pid for pid in host.descendants(first) if host.name_of(pid) == engine.spec.program)
    folder = pathlib.Path(f"/proc/{daemon}/root/etc/docker/certs.d") / registry
    folder.mkdir(parents=True)
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    try:
        yield
    finally:
        shutil.rmtree(folder)


def test_pull_requires_a_trusted_authority(
    client: DockerClient, engine: Engine, tls_registry_by_name: tuple[ScriptedRegistry, str, trustme.CA]
) -> None:
    registry, name, authority = tls_registry_by_name
    reference = f"{name}/app"
    with pytest.raises((PullError, APIError), match=WORDS):
        client.images.pull(reference)
    with pytest.raises(APIError, match=WORDS):
        client.images.get_registry_data(reference)
    assert registry.requests == []  # nothing was sent to an untrusted server
    with trusted(engine, name, trustme.CA()), pytest.raises((PullError, APIError), match=WORDS):
        client.images.pull(reference)
    with trusted(engine, name, authority):
        assert client.images.get_registry_data(reference).id
        image = client.images.pull(reference)
    try:
        assert image.attrs["Config"]["Cmd"] == ["/file"] and image.tags == [f"{reference}:latest"]
        assert any("/manifests/" in request for request in registry.requests)
        with pytest.raises((PullError, APIError), match=WORDS):  # the trust has been withdrawn
            client.images.pull(reference)
    finally:
        image.remove(force=True)
