"""Users' code for type checkers; it is never run.

A line that must be refused carries the error that it gets; mypy reports one that is not needed.
"""

from __future__ import annotations

from typing import assert_type

from dockerkit import DockerClient
from dockerkit.models.containers import Address, Container
from dockerkit.models.containers.run import RunOutput
from dockerkit.types import Healthcheck, Mount, Ulimit
from dockerkit.types.views import ContainerState, Health


def run(client: DockerClient, flag: bool) -> None:
    assert_type(client.containers.run("busybox", "true", remove=True), bytes)
    assert_type(client.containers.run("busybox", stream=True), RunOutput[bytes])
    assert_type(client.containers.run("busybox", stream=True, demux=True), RunOutput[tuple[bytes | None, bytes | None]])
    assert_type(client.containers.run("busybox", demux=True), tuple[bytes | None, bytes | None])
    assert_type(client.containers.run("busybox", timeout=5), bytes)
    assert_type(client.containers.run("busybox", detach=True, mem_limit="1g", ports={"80/tcp": None}), Container)
    assert_type(
        client.containers.run("busybox", detach=flag),
        Container
        | RunOutput[bytes]
        | RunOutput[tuple[bytes | None, bytes | None]]
        | tuple[bytes | None, bytes | None]
        | bytes,
    )
    client.containers.run("busybox", ports={80: ("127.0.0.1", 8080), 81: [82, None]}, volumes=["./a:/b:ro"])
    client.containers.run(
        "busybox", ports=["8080:80"], volumes={"/a": {"bind": "/b", "mode": "ro"}}, environment=["A=b"]
    )
    client.containers.run("busybox", mem_limt="1g")  # type: ignore[call-overload]
    client.containers.run("busybox", mem_limit=[])  # type: ignore[call-overload]
    client.containers.create("busybox", privileged="yes")  # type: ignore[arg-type]
    client.containers.create("busybox", pull="sometimes")  # type: ignore[arg-type]
    client.containers.ensure("busybox", naem="x")  # type: ignore[call-arg]


def facts(container: Container) -> None:
    assert_type(container.state, ContainerState)
    assert_type(container.state.health, Health | None)
    assert_type(container.address(80), Address)
    assert_type(container.status, str)
    container.update(cpus=1.5)
    container.update(cpsu=1.5)  # type: ignore[call-arg]


def values() -> None:
    Mount("/data", "volume", "volume", True)
    Mount("/data", "volume", "floppy")  # type: ignore[arg-type]
    Mount("/data", subpth="x")  # type: ignore[call-arg]
    Ulimit("nofile", 1, 2)
    Ulimit()  # type: ignore[call-arg]
    Healthcheck("true", interval="5s", start_interval=0.5)
    Healthcheck("true", interval=[])  # type: ignore[arg-type]
