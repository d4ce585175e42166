"""Code written for docker-py, on real engines; the most common idioms first."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap

import pytest
import requests

import dockerkit as docker


@pytest.fixture
def env(engine):
    return {"DOCKER_HOST": engine.host}


@pytest.fixture
def docker_client(env):
    client = docker.from_env(environment=env, timeout=30)
    client.ping()
    yield client
    client.close()


def test_get_or_pull(docker_client, registry, busybox, unique):
    name = f"{registry}/{unique()}"
    docker_client.images.get(busybox).tag(name)
    for line in docker_client.api.push(name, stream=True, decode=True):
        assert "error" not in line
    docker_client.images.remove(name)
    try:
        image = docker_client.images.get(name)
    except docker.errors.ImageNotFound:
        image = docker_client.images.pull(name, tag="latest")
    assert f"{name}:latest" in image.tags
    docker_client.images.remove(name)


def test_get_stop_remove(docker_client, busybox, unique, labels):
    name = unique()
    docker_client.containers.run(busybox, "sleep 600", detach=True, name=name, labels=labels, tty=True)
    for _ in range(2):
        try:
            container = docker_client.containers.get(name)
            container.stop(timeout=0)
            container.remove()
        except docker.errors.NotFound:
            break
    else:
        pytest.fail("it is still there")


def test_wait_with_a_timeout_raises_what_requests_raises(docker_client, busybox, labels):
    container = docker_client.containers.run(busybox, "sleep 600", detach=True, labels=labels)
    with pytest.raises((requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError)):
        container.wait(timeout=1)
    container.kill()
    assert container.wait(timeout=30)["StatusCode"] == 137
    container.reload()
    assert container.attrs["NetworkSettings"] is not None
    container.remove()


def test_no_engine_is_requests_connection_error():
    with docker.DockerClient("unix:///tmp/no-such-engine.sock") as client:
        with pytest.raises(requests.exceptions.ConnectionError):
            client.ping()
        with pytest.raises(docker.errors.DockerException):
            client.ping()


def test_sandbox_options_and_bytes(docker_client, busybox, labels):
    output = docker_client.containers.run(
        busybox, ["sh", "-c", "echo out; echo err >&2"], remove=True, stdout=True, stderr=True, mem_limit="64m",
        nano_cpus=500_000_000, pids_limit=32, cap_drop=["ALL"], security_opt=["no-new-privileges"], network_mode="none",
        read_only=True, tmpfs={"/tmp": ""}, ulimits=[docker.types.Ulimit(name="nofile", soft=64, hard=64)],
        mounts=[docker.types.Mount("/data", "", type="tmpfs")], labels=labels,
    ).decode()  # fmt: skip
    assert sorted(output.split()) == ["err", "out"]


def test_low_level_with_host_config(docker_client, busybox, labels, unique):
    api = docker_client.api
    network = docker_client.networks.create(unique(), labels=labels)
    host_config = api.create_host_config(binds=["/tmp:/x:ro"], port_bindings={80: ("127.0.0.1",)}, mem_limit="64m")
    networking = api.create_networking_config({network.name: api.create_endpoint_config(aliases=["me"])})
    made = api.create_container(
        busybox,
        ["sh", "-c", "exit 3"],
        host_config=host_config,
        networking_config=networking,
        ports=[80],
        labels=labels,
    )
    api.start(container=made.get("Id"))
    assert api.wait(made)["StatusCode"] == 3
    assert api.inspect_container(made["Id"])["HostConfig"]["Memory"] == 64 * 2**20
    api.remove_container(made, v=True, force=True)
    network.remove()


def test_exec_socket_with_sock_and_frames_iter(docker_client, busybox, labels):
    container = docker_client.containers.run(busybox, "cat", detach=True, stdin_open=True, labels=labels)
    api = docker_client.api
    made = api.exec_create(container.id, ["sh", "-c", "read x; echo got $x; echo err >&2"], stdin=True)
    sock = api.exec_start(made["Id"], socket=True)
    sock._sock.sendall(b"word\n")
    frames = list(docker.utils.socket.frames_iter(sock, tty=False))
    sock.close()
    joined = {stream: b"".join(data for kind, data in frames if kind == stream) for stream in (1, 2)}
    assert joined == {1: b"got word\n", 2: b"err\n"}
    assert api.exec_inspect(made["Id"])["ExitCode"] == 0
    container.remove(force=True)


def test_attach_socket_and_logs(docker_client, busybox, labels):
    container = docker_client.containers.create(
        busybox, ["sh", "-c", "read x; echo $x"], stdin_open=True, labels=labels
    )
    sock = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    container.start()
    sock._sock.send(b"hello\n")
    assert docker.utils.socket.next_frame_header(sock) == (1, 6)
    assert docker.utils.socket.read_exactly(sock, 6) == b"hello\n"
    sock.close()
    container.wait(timeout=30)
    assert container.logs(stdout=True, stderr=True, timestamps=False, tail="all") == b"hello\n"
    container.remove()


def test_requests_by_hand(docker_client):
    api = docker_client.api
    assert api.base_url.startswith("http")
    assert api.head(api.base_url + "/_ping").status_code == 200
    assert api.get(api._url("/info")).json()["ID"] == docker_client.info()["ID"]
    assert api._set_request_timeout({})["timeout"] == 30


def test_builds_from_a_file_object(docker_client, busybox, unique, labels):
    name = unique()
    image, logs = docker_client.images.build(
        fileobj=io.BytesIO(f"FROM {busybox}\nRUN echo built\n".encode()), tag=name, rm=True, labels=labels
    )
    assert isinstance(image, docker.models.images.Image)
    assert list(logs)
    docker_client.images.remove(name)
    with pytest.raises((docker.errors.BuildError, docker.errors.APIError)):
        docker_client.images.build(fileobj=io.BytesIO(f"FROM {busybox}\nRUN false\n".encode()), rm=True)


def test_one_changed_line_in_a_program(engine, busybox, unique, labels):
    """A program for docker-py, run under install_as_docker(), with nothing else changed."""
    program = f"""
        import dockerkit; dockerkit.install_as_docker()

        import docker
        from docker.errors import APIError, NotFound
        from docker.models.containers import Container
        from docker.types import Mount
        from docker.utils import kwargs_from_env

        client = docker.DockerClient(version="auto", **kwargs_from_env())
        container: Container = client.containers.run(
            {busybox!r}, "sleep 600", detach=True, name={unique()!r}, labels={labels!r},
            mounts=[Mount(target="/t", source=None, type="tmpfs")],
        )
        assert isinstance(container, Container)
        assert container in client.containers.list(filters={{"name": container.name}})
        code, output = container.exec_run("echo hi")
        assert (code, output) == (0, b"hi\\n"), (code, output)
        container.remove(force=True)
        try:
            client.containers.get(container.id)
        except NotFound as error:
            assert isinstance(error, APIError) and error.response.status_code == 404
        client.close()
        print("done")
    """
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", textwrap.dedent(program)],
        env={**os.environ, "DOCKER_HOST": engine.host},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "done\n", done.stderr
