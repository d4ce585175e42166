"""An existing engine: tests don't touch its settings, its other objects and its swarm."""

from __future__ import annotations

import pathlib
import subprocess
from dataclasses import dataclass

import pytest
from engines import images
from engines.host import EngineUnavailable
from engines.settings import BUSYBOX, Spec

NAME = "named"
# Fixtures that only private engines and registries have.
PRIVATE_FIXTURES = frozenset(
    {"private_engine", "registry", "auth_registry", "tls_registry", "engine_with_swarm", "swarm", "no_images_left"}
)
# Modules whose tests prune, join swarms, restart or stop engines, or list everything on an engine.
PRIVATE_MODULES = frozenset(
    {
        "test_answers",
        "test_checkpoints",
        "test_credentials",
        "test_dying_engine",
        "test_following_restart",
        "test_memory",
        "test_plugins",
        "test_registry_client",
        "test_registry_trouble",
        "test_registry_trust",
        "test_restart",
        "test_ssh",
        "test_swarm",
        "test_swarm_nodes",
        "test_system_api",
        "test_system_prune",
        "test_tls",
    }
)


@dataclass(frozen=True)
class NamedSpec(Spec):
    """The attributes of an existing engine that tests use: published ports are on this machine."""

    path: pathlib.Path = pathlib.Path()

    @property
    def socket(self) -> pathlib.Path:
        return self.path

    @property
    def address(self) -> str:
        return "127.0.0.1"

    @property
    def gateway(self) -> str:
        pytest.skip("needs a private engine: only there containers reach this machine by a known address")

    @property
    def tcp(self) -> str:
        pytest.skip("needs a private engine: only those listen at TCP")

    @property
    def root(self) -> pathlib.Path:
        pytest.skip("needs a private engine: its files")

    state = namespace = distant = root


def spec_of(host: str) -> NamedSpec:
    """Return the engine at ``unix:///path``; "" is the one that the docker command would use.

    Raises:
        EngineUnavailable: it can't be reached, or not through a socket here.
    """
    from dockerkit.endpoint import discovery
    from dockerkit.errors import DockerException

    try:
        endpoint = discovery.resolve(host or None)
    except DockerException as error:
        raise EngineUnavailable(str(error)) from error
    if endpoint.scheme != "unix":
        raise EngineUnavailable(f"{endpoint.host} is not the address of a Unix socket, which the tests need")
    spec = NamedSpec(NAME, 0, "", path=pathlib.Path(endpoint.path))
    if images.version(spec.socket) is None:
        raise EngineUnavailable(f"no engine answers at {endpoint.host} ({endpoint.reason})")
    return spec


def give_busybox(spec: Spec) -> bool:
    """Import the busybox image; return whether it was missing, and so must be removed at the end.

    Raises:
        EngineUnavailable: the engine has none, and can't get it.
    """
    if _has_busybox(spec):
        return False
    program = pathlib.Path("/bin/busybox")
    if program.exists() and subprocess.run([program, "true"], check=False).returncode == 0:
        images.give_busybox(spec.socket, pathlib.Path("/"))
    else:
        images.ask(spec.socket, "POST", "/images/create?fromImage=busybox&tag=latest", timeout=300)
        if not _has_busybox(spec):
            raise EngineUnavailable(f"the tests need the image {BUSYBOX}: pull it, or install busybox-static")
    return True


def _has_busybox(spec: Spec) -> bool:
    try:
        images.ask(spec.socket, "GET", f"/images/{BUSYBOX}/json")
    except EngineUnavailable:
        return False
    return True


def remove_busybox(spec: Spec) -> None:
    """Remove the image imported by :func:`give_busybox`."""
    images.ask(spec.socket, "DELETE", f"/images/{BUSYBOX}?force=1")


def leave_out(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests that change other objects of an existing engine, or require a private engine."""
    return [
        item
        for item in items
        if item.path.stem in PRIVATE_MODULES
        or PRIVATE_FIXTURES & set(getattr(item, "fixturenames", ()))
        or "prune" in item.name
        or "all_engine" in item.name
    ]
