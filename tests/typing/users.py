"""Code as users write it: mypy --strict and pyright have nothing to say, and know what everything is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, assert_type

import dockerkit
import dockerkit as docker
from dockerkit import APIClient, DockerClient, errors
from dockerkit.api.container_streams import ProcessOutput
from dockerkit.models.containers import Container, ExecResult
from dockerkit.models.containers.waiting import Healthy, Log, Port
from dockerkit.models.images import Image
from dockerkit.models.networks import Network
from dockerkit.models.volumes import Volume
from dockerkit.streams import FrameStream, JSONStream, ProgressStream
from dockerkit.streams.readers import DemuxedOutput
from dockerkit.testing import FakeEngine
from dockerkit.transport import HijackedConnection
from dockerkit.types import Healthcheck, LogConfig, Mount, Ulimit, answers
from dockerkit.types.filters import ContainerFilters
from dockerkit.utils import parse_repository_tag


def containers(client: DockerClient) -> None:
    assert_type(client.containers.run("busybox", "true", detach=True), Container)
    assert_type(client.containers.run("busybox", ["echo", "hi"]), bytes)
    container = client.containers.create(
        "busybox",
        ["sleep", "1"],
        name="web",
        environment={"A": "1", "B": None},
        ports={"80/tcp": 8080, "443/tcp": ("127.0.0.1", 8443), "53/udp": None},
        volumes={"/src": {"bind": "/app", "mode": "ro"}},
        mounts=[Mount("/data", "volume", type="volume", read_only=True)],
        mem_limit="512m",
        nano_cpus=1_500_000_000,
        healthcheck=Healthcheck(test=["CMD", "true"], interval="5s"),
        ulimits=[Ulimit(name="nofile", soft=1024, hard=2048)],
        log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": "1m"}),
        restart_policy={"Name": "on-failure", "MaximumRetryCount": 3},
        labels={"a": "b"},
    )
    assert_type(container, Container)
    container.start()
    container.wait_until(Healthy() & (Log("ready") | Port(80)), timeout=5)
    assert_type(container.status, str)
    assert_type(container.name, str)
    client.containers.create("busybox", ports={"80/tcp": 8080, 443: 8443}, restart_policy="on-failure:5")
    published = ["8080:80"]
    client.containers.create("busybox", ports=published, restart_policy="always")
    assert_type(container.labels, dict[str, str])
    code = container.wait()["StatusCode"]
    print(code + 1, container.state.exit_code, container.config.image)
    completed = container.exec(["cat"], input="text", text=True)
    assert_type(completed.stdout, str)
    assert_type(container.exec(["cat"], input=b"bytes").stdout, bytes)
    for line in container.logs(stream=True):
        print(line.decode())
    for entry in container.log_entries(tail=10):
        print(entry.timestamp, entry.text.upper())
    listed: list[Container] = client.containers.list(all=True, filters={"label": ["a=b"], "status": "running"})
    print(listed[0].name, container.usage().memory / 2**20)


def images(client: DockerClient) -> Iterator[str]:
    assert_type(client.images.get("busybox"), Image)
    image, log = client.images.build(path=".", tag="app:1", buildargs={"A": "1"}, secrets={"key": Path("key")})
    assert_type(image, Image)
    for record in log:
        print(record.get("stream"))
    yield from image.tags
    for found in client.images.list(filters={"dangling": True}):
        yield found.short_id


def filters(client: DockerClient) -> None:
    client.containers.list(filters={"status": ["running", "paused"], "label": {"a": "b"}, "is-task": False})
    client.images.prune({"dangling": False, "label!": "keep"})
    client.networks.list(filters={"type": "custom", "driver": ["bridge", "host"]})
    client.events(filters={"type": "container", "event": ["start", "die"]}, decode=True)
    wanted: ContainerFilters = {"name": "web"}
    client.containers.list(filters=wanted)


def networks_and_volumes(client: DockerClient) -> None:
    assert_type(client.networks.create("net", driver="bridge", internal=True), Network)
    volume = client.volumes.create("data")
    assert_type(volume, Volume)
    with volume.files() as files:
        files.write("/a", "text")


def low_level(api: APIClient) -> None:
    summary = api.containers(all=True)[0]
    print(summary["Id"].upper(), summary["State"])
    created = api.create_container("busybox", "true", host_config=api.create_host_config(mem_limit="1g"))
    api.start(created)
    print(api.inspect_container(created)["State"]["ExitCode"] + 1)
    print(api.version()["ApiVersion"].partition("."), api.info()["NCPU"] + 1)


def output(container: Container, flag: bool) -> None:
    assert_type(container.logs(), bytes)
    assert_type(container.logs(True, False, tail=3, timestamps=True), bytes)
    assert_type(container.logs(demux=True, since="10m"), DemuxedOutput)
    assert_type(container.logs(stream=True, follow=False), FrameStream[bytes])
    assert_type(container.logs(stream=True, demux=True), FrameStream[DemuxedOutput])
    assert_type(container.logs(stream=flag), ProcessOutput)
    assert_type(container.attach(), bytes)
    assert_type(container.attach(demux=True), DemuxedOutput)
    assert_type(container.attach(stream=True, logs=True), FrameStream[bytes])
    assert_type(container.attach(stream=True, demux=True), FrameStream[DemuxedOutput])
    assert_type(container.attach(stream=flag), ProcessOutput)
    assert_type(container.stats(stream=False)["cpu_stats"], answers.ContainerCPUStats)
    assert_type(container.stats(), JSONStream[bytes])
    assert_type(container.stats(decode=True), JSONStream[answers.ContainerStatsResponse])
    for record in container.stats(decode=True):
        assert_type(record["num_procs"], int)
    code, said = container.exec_run(["cat", "/a"], workdir="/tmp")
    assert_type(code, int | None)
    assert_type(said, bytes)
    assert_type(container.exec_run("true", demux=True).output, DemuxedOutput)
    assert_type(container.exec_run("true", stream=True).output, FrameStream[bytes])
    assert_type(container.exec_run("true", stream=True, demux=True, user="me").output, FrameStream[DemuxedOutput])
    assert_type(container.exec_run("true", socket=True, stdin=True).output, HijackedConnection)
    assert_type(container.exec_run("true", detach=True), ExecResult[str])
    assert_type(container.exec_run("true", stream=flag), ExecResult[ProcessOutput | HijackedConnection | str])


def ran(container: Container) -> ExecResult:  # without a parameter, as in code that was written for docker-py
    return container.exec_run("true")


def low_level_output(api: APIClient, flag: bool) -> None:
    assert_type(api.logs("c"), bytes)
    assert_type(api.logs("c", demux=True), DemuxedOutput)
    assert_type(api.logs("c", stream=True), FrameStream[bytes])
    assert_type(api.logs("c", stream=True, demux=True), FrameStream[DemuxedOutput])
    assert_type(api.attach("c", stream=True), FrameStream[bytes])
    assert_type(api.stats("c", True), JSONStream[answers.ContainerStatsResponse])
    assert_type(api.stats("c", stream=False, one_shot=True), answers.ContainerStatsResponse)
    made = api.exec_create("c", "true")
    assert_type(api.exec_start(made), bytes)
    assert_type(api.exec_start(made, tty=True, demux=True), DemuxedOutput)
    assert_type(api.exec_start(made["Id"], stream=True), FrameStream[bytes])
    assert_type(api.exec_start(made, stream=True, demux=True), FrameStream[DemuxedOutput])
    assert_type(api.exec_start(made, socket=True), HijackedConnection)
    assert_type(api.exec_start(made, True), str)
    assert_type(api.exec_start(made, stream=flag), ProcessOutput | HijackedConnection | str)
    assert_type(api.service_logs("s", stdout=True), FrameStream[bytes])
    assert_type(api.task_logs("t", demux=True), FrameStream[DemuxedOutput])
    assert_type(api.images(quiet=True), list[str])
    assert_type(api.images("busybox")[0], answers.ImageSummary)
    assert_type(api.pull("busybox"), str)
    assert_type(api.pull("busybox", stream=True), ProgressStream[bytes])
    assert_type(api.pull("busybox", "latest", stream=True, decode=True), ProgressStream[dict[str, Any]])
    assert_type(api.push("busybox", stream=True, decode=True), ProgressStream[dict[str, Any]])
    assert_type(api.build(".", decode=True), ProgressStream[dict[str, Any]])
    assert_type(api.build(path=".", tag="app", rm=True), ProgressStream[bytes])
    assert_type(api.load_image(b""), ProgressStream[dict[str, Any]])
    assert_type(api.events(decode=True), JSONStream[dict[str, Any]])
    assert_type(api.events(), JSONStream[bytes])


def options(client: DockerClient, container: Container) -> None:
    api = client.api
    api.create_container("busybox", mem_limit="1g", runtime="runc", network_mode="host")
    api.update_container(container, mem_limit="1g", pids_limit=5)
    container.update(cpus=1.5, restart_policy="always")
    place = api.create_endpoint_config(["db"], ipv4_address="10.0.0.2")
    api.create_networking_config({"net": place})
    api.create_swarm_spec(node_cert_expiry="720h", labels={"a": "b"})
    client.containers.get(container)
    client.volumes.get({"Name": "data"})


def failures(client: docker.DockerClient) -> int | None:
    try:
        client.containers.get("x")
    except errors.NotFound as error:
        return error.status_code
    except docker.errors.ContainerError as error:
        return error.exit_status
    return None


def compatibility_modules() -> None:
    assert_type(parse_repository_tag("a:b"), tuple[str, str | None])
    assert_type(docker.utils.utils.version_lt("1.2", "1.3"), bool)
    print(docker.tls.TLSConfig, docker.context.ContextAPI, docker.constants.DEFAULT_TIMEOUT_SECONDS + 1)


def fake() -> None:
    with FakeEngine() as engine, dockerkit.DockerClient(engine.host) as client:
        engine.when("alpine", ["true"], exit_code=3, program=lambda process: process.write("out"))
        client.ping()
    with dockerkit.from_env(timeout=5) as client:
        client.swarm.init(advertise_addr="127.0.0.1")
        client.services.create("busybox", name="s").scale(3)
