"""Mistakes: each line that is marked is refused by mypy and by pyright, and no other line is."""

from __future__ import annotations

import dockerkit
from dockerkit.models.containers import Container
from dockerkit.testing import FakeEngine
from dockerkit.types import Healthcheck, Mount


def mistakes(client: dockerkit.DockerClient, container: Container, engine: FakeEngine) -> None:
    client.containers.run("busybox", "true", memlimit="1g")  # refused
    client.containers.run("busybox", "true", mem_limit=["1g"])  # refused
    client.containers.run("busybox", "true", detach="yes")  # refused
    client.containers.run(command="true")  # refused
    client.containers.run("busybox", "true").start()  # refused
    client.containers.run("busybox", "true", detach=True).decode()  # refused
    client.containers.create("busybox", enviroment={"A": "1"})  # refused
    client.containers.list(al=True)  # refused
    client.containers.list(filters={"labels": "a"})  # refused
    client.containers.list(filters={"status": "runing"})  # refused
    client.images.list(filters={"dangeling": True})  # refused
    client.api.networks(filters={"scop": "local"})  # refused
    client.system.events(filters={"typ": "container"})  # refused
    client.containers.run("busybox", restart_policy="allways")  # refused
    client.containers.run("busybox", ports="80:80")  # refused
    container.update(restart_policy="allways")  # refused
    client.container.list()  # refused
    client.images.build(path=".", tags="x")  # refused
    client.images.pull("busybox", plattform="linux/arm64")  # refused
    client.networks.create("net", drivers="bridge")  # refused
    client.volumes.create(naem="data")  # refused
    client.services.create("busybox", replica=3)  # refused
    container.stop(timout=3)  # refused
    container.logs(tails=3)  # refused
    container.logs(demux=True).decode()  # refused
    container.logs(stream=True).decode()  # refused
    container.stats(stream=False)["cpu"]  # refused
    container.exec_run("true").output.read()  # refused
    container.exec_run("true", stream=True, usr="me")  # refused
    container.update(binds=["/a:/b"])  # refused
    container.exec(["true"], input=3)  # refused
    container.exec(["true"], text=True).stdout.decode()  # refused
    container.wait()["StatusCode"].upper()  # refused
    container.statsu  # refused
    container.state.exitcode  # refused
    client.api.containers()[0]["id"]  # refused
    client.api.stop("x", time_out=1)  # refused
    client.api.create_host_config(memlimit="5m")  # refused
    client.api.create_container("x", memlimit="5m")  # refused
    client.api.update_container("x", nanocpus=5)  # refused
    client.api.create_endpoint_config(ip="1.2.3.4")  # refused
    client.api.create_swarm_spec(nme="x")  # refused
    client.api.exec_start("x").read()  # refused
    client.containers.get(5)  # refused
    client.version()["apiVersion"]  # refused
    Mount("/data", "volume", read_ony=True)  # refused
    Healthcheck(test=["CMD", "true"], intervall=5)  # refused
    dockerkit.utils.parse_repository("a:b")  # refused
    dockerkit.from_env(time_out=3)  # refused
    engine.when("alpine", exit_code="3")  # refused
