"""Prune of everything, on a separate engine since it would remove objects of other tests."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from engines import private
from engines.images import give_busybox
from engines.settings import Spec

from dockerkit import DockerClient
from dockerkit.errors import InvalidArgument, NotFound


@pytest.fixture(params=[("bookworm", 67), ("trixie", 68), ("sid", 69)], ids=lambda param: param[0])
def client(request: pytest.FixtureRequest) -> Iterator[DockerClient]:
    suite, number = request.param
    spec = Spec(f"pruned-{suite}", number, suite)  # one for each, since tests run in parallel
    private.up(spec)
    try:
        give_busybox(spec.socket, spec.root)
        with DockerClient(spec.host) as client:
            yield client
    finally:
        private.down(spec)


@pytest.mark.timeout(180)
def test_prune(client: DockerClient) -> None:
    running = client.containers.run(
        "busybox", "sleep 600", detach=True, stop_signal="SIGKILL", volumes=["used:/data"], network="bridge"
    )
    ended = client.containers.run("busybox", "true", detach=True, volumes=["/anonymous"])
    ended.wait()
    (anonymous,) = (mount.name for mount in ended.mounts)
    client.volumes.create("named")
    client.networks.create("unused")
    tagged, _ = client.images.build(fileobj=io.BytesIO(b"FROM busybox\nLABEL kept=yes\n"), tag="pruned:tagged")
    dangling, _ = client.images.build(fileobj=io.BytesIO(b"FROM busybox\nLABEL kept=no\n"), tag="pruned:gone")
    client.images.get("busybox").tag("pruned", "gone")  # the name moves, so the built image has no name

    report = client.system.prune()
    assert report.containers == (ended.id,)
    assert report.networks == ("unused",)
    assert dangling.id in report.images
    assert report.volumes == ()
    assert report.space_reclaimed == sum(report.space.values())
    assert client.images.get("pruned:tagged").id == tagged.id
    for gone in (ended, dangling):
        with pytest.raises(NotFound):
            gone.reload()

    if client.api.supports("POST /volumes/prune", "filters.all"):
        assert client.system.prune(volumes=True).volumes == (anonymous,)
    else:
        with pytest.raises(InvalidArgument, match="volumes"):
            client.system.prune(volumes=True)
    report = client.system.prune(all=True, volumes="all")
    assert "named" in report.volumes
    assert "used" not in report.volumes
    assert tagged.id in report.images
    assert "pruned:tagged" in report.untagged

    running.reload()
    assert running.status == "running"
    fresh = client.containers.create(
        running.attrs["Image"], "true"
    )  # one of its names is left, which the engine reports
    assert client.system.prune(until="1h").containers == ()
    assert client.system.prune(build_cache=False).containers == (fresh.id,)
    again = client.system.prune(all=True)
    assert (again.containers, again.networks, again.volumes, again.images, again.build_cache) == ((), (), (), (), ())
