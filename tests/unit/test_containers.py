"""Container objects with scripted responses: requests, their order, and cleanup."""

from __future__ import annotations

import json
import pickle
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit import DockerClient, errors, runtime
from dockerkit.errors import (
    APIError,
    ContainerError,
    EngineWarning,
    ImageNotFound,
    InvalidArgument,
    NotFound,
    RunTimeout,
    StreamTruncated,
    UnknownOption,
)
from dockerkit.models.containers import Container, ExecResult
from dockerkit.models.containers.run import RunOutput

CID = "4c0f" * 16
SUMMARY: dict[str, Any] = {
    "Id": CID, "Names": ["/other/alias", "/box"], "Image": "busybox", "ImageID": "sha256:abc", "Labels": {"a": "b"},
    "State": "running", "Status": "Up 2 minutes (healthy)", "Created": 1700000000, "Mounts": [],
    "Ports": [
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}, {"PrivatePort": 53, "Type": "udp"},
    ],
}  # fmt: skip
INSPECT: dict[str, Any] = {
    "Id": CID, "Name": "/box", "Image": "sha256:abc", "Created": "2023-11-14T22:13:20.5Z", "Mounts": None,
    "State": {"Status": "exited", "Running": False, "ExitCode": 3, "StartedAt": "2023-11-14T22:13:21Z",
              "FinishedAt": "0001-01-01T00:00:00Z", "Health": {"Status": "unhealthy", "FailingStreak": 2, "Log": None}},
    "Config": {"Labels": None, "Env": ["A=b=c"], "Cmd": None, "Image": "busybox", "Tty": False},
    "HostConfig": {"NetworkMode": "bridge"},
    "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "53/udp": None},
                        "Networks": {"bridge": {"IPAddress": "172.17.0.2", "Aliases": None, "Odd": 1}}},
}  # fmt: skip


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host) as client:
        yield client


def script_run(
    scripted: ScriptedEngine, *frames: bytes, code: int = 0, start: Any = None, media_type: str = MULTIPLEXED
) -> None:
    """Script a container that is created, attached, waited for, started and removed."""
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
    scripted.on("POST", f"/containers/{CID}/attach", Answer.upgraded(frames, media_type=media_type))
    scripted.on("POST", f"/containers/{CID}/wait", Answer.json({"StatusCode": code}))
    scripted.on("POST", f"/containers/{CID}/start", start or Answer.empty())
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())


def calls(scripted: ScriptedEngine) -> list[str]:
    return [f"{request.method} {request.path.replace(CID, 'ID')}" for request in scripted.requests]


def test_run_attaches_and_waits_before_it_starts(scripted, client):
    script_run(scripted, frame(1, b"out\n"), frame(2, b"err\n"))
    assert client.containers.run("busybox", "echo hello", remove=True) == b"out\n"
    assert calls(scripted) == [
        "POST /containers/create", "POST /containers/ID/attach", "POST /containers/ID/wait", "POST /containers/ID/start",
        "DELETE /containers/ID",
    ]  # fmt: skip
    create, attach, wait, _, delete = scripted.requests
    assert create.json()["Cmd"] == ["echo", "hello"]
    assert attach.flag("stdout")
    assert attach.flag("stderr")
    assert attach.flag("stream")
    assert wait.param("condition") == "next-exit"
    assert delete.flag("v")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [({}, b"oO"), ({"stderr": True}, b"oeO"), ({"stdout": False, "stderr": True}, b"e"), ({"stdout": False}, b"")],
)
def test_run_returns_the_requested_streams(scripted, client, wanted, expected):
    script_run(scripted, frame(1, b"o"), frame(2, b"e"), frame(1, b"O"))
    assert client.containers.run("busybox", **wanted) == expected
    assert "DELETE /containers/ID" not in calls(scripted)


def test_output_of_a_terminal_is_raw(scripted, client):
    script_run(scripted, b"\x01\0\0\0\0\0\0\x05hello", media_type="application/vnd.docker.raw-stream")
    assert client.containers.run("busybox", tty=True) == b"\x01\0\0\0\0\0\0\x05hello"


def test_container_error_has_output_and_exit_code(scripted, client):
    script_run(scripted, frame(1, b"out"), frame(2, b"no such file"), code=3)
    with pytest.raises(ContainerError, match="exited with code 3: no such file") as caught:
        client.containers.run("busybox", "false", remove=True)
    error = caught.value
    assert (error.exit_status, error.command, error.image) == (3, "false", "busybox")
    assert (error.stdout, error.stderr) == (b"out", b"no such file")
    assert error.container.id == CID
    assert calls(scripted)[-1] == "DELETE /containers/ID"


def test_demux_separates_the_streams(scripted, client):
    script_run(scripted, frame(1, b"o"), frame(2, b"e"), frame(1, b"O"))
    assert client.containers.run("busybox", demux=True) == (b"oO", b"e")
    pieces = client.containers.run("busybox", demux=True, stream=True)
    assert list(pieces) == [(b"o", None), (None, b"e"), (b"O", None)]
    script_run(scripted)
    assert client.containers.run("busybox", demux=True) == (None, None)


def test_run_kills_the_container_after_the_timeout(scripted, client):
    killed = threading.Event()
    script_run(scripted, code=137)
    scripted.on(
        "POST", f"/containers/{CID}/attach",
        Answer.upgraded([frame(1, b"so far")], media_type=MULTIPLEXED, talk=lambda wire: killed.wait(5)),
    )  # fmt: skip

    def kill(request, wire):
        Answer.empty()(request, wire)
        killed.set()

    scripted.on("POST", f"/containers/{CID}/kill", kill)
    with pytest.raises(RunTimeout, match="did not finish within 0.5 s") as caught:
        client.containers.run("busybox", "sleep 100", timeout=0.5, remove=True)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.stdout, caught.value.exit_status) == (b"so far", 137)
    assert calls(scripted)[-1] == "DELETE /containers/ID"
    assert pickle.loads(pickle.dumps(RunTimeout(None, 137, "x", "i", b"e", b"o"))).stdout == b"o"


def test_closing_the_client_ends_the_timeout_thread(scripted, client, monkeypatch):
    class AtOnce(runtime.Timer):
        def __init__(self, seconds, function, *, name):
            super().__init__(0, function, name=name)

    monkeypatch.setattr(runtime, "Timer", AtOnce)
    killing, closed = threading.Event(), threading.Event()
    script_run(scripted)
    scripted.on(
        "POST", f"/containers/{CID}/attach",
        Answer.upgraded([], media_type=MULTIPLEXED, talk=lambda wire: closed.wait(30)),
    )  # fmt: skip

    def kill(request, wire):
        killing.set()
        closed.wait(30)

    scripted.on("POST", f"/containers/{CID}/kill", kill)
    output = client.containers.run("busybox", "sleep 100", stream=True, timeout=60)
    assert killing.wait(30)
    client.close()
    timer = output._run._timer._thread
    timer.join(30)
    assert not timer.is_alive()
    closed.set()
    output.close()
    assert calls(scripted).count("POST /containers/ID/kill") == 1


def test_run_does_not_kill_a_container_that_exits_in_time(scripted, client):
    script_run(scripted, frame(1, b"x"))
    assert client.containers.run("busybox", timeout=60) == b"x"
    assert threading.active_count() < 20
    assert "POST /containers/ID/kill" not in calls(scripted)
    for wrong in (0, -1, True, "5"):
        with pytest.raises(InvalidArgument, match="timeout"):
            client.containers.run("busybox", timeout=wrong)
    with pytest.raises(InvalidArgument, match="detach"):
        client.containers.run("busybox", detach=True, timeout=5)


def test_stream_yields_output_as_it_arrives(scripted, client):
    script_run(scripted, frame(1, b"a"), frame(2, b"x"), frame(1, b"b"), code=1)
    output = client.containers.run("busybox", stream=True, remove=True)
    assert isinstance(output, RunOutput)
    assert output.exit_code is None
    assert [next(output), next(output)] == [b"a", b"b"]
    with pytest.raises(ContainerError) as caught:
        next(output)
    assert caught.value.stderr == b"x"
    assert output.exit_code == 1
    assert list(output) == []
    assert calls(scripted)[-1] == "DELETE /containers/ID"


def test_leaving_a_stream_early_removes_the_container(scripted, client):
    hold = threading.Event()
    script_run(scripted)
    scripted.on(
        "POST", f"/containers/{CID}/attach",
        Answer.upgraded([frame(1, b"a")], media_type=MULTIPLEXED, talk=lambda wire: hold.wait(5)),
    )  # fmt: skip
    scripted.on("POST", f"/containers/{CID}/wait", Answer.chunked([b"{"], delay=0.1))
    with client.containers.run("busybox", stream=True, remove=True) as output:
        assert next(output) == b"a"
    hold.set()
    assert list(output) == []
    assert calls(scripted).count("DELETE /containers/ID") == 1
    assert scripted.requests[-1].flag("force")


def test_truncated_stream_raises(scripted, client):
    script_run(scripted, frame(1, b"whole")[:-2])
    with pytest.raises(StreamTruncated):
        client.containers.run("busybox", remove=True)
    assert calls(scripted)[-1] == "DELETE /containers/ID"


def test_auto_removal_is_waited_for(scripted, client):
    script_run(scripted)
    client.containers.run("busybox", auto_remove=True)
    assert scripted.requests[2].param("condition") == "removed"
    assert scripted.requests[0].json()["HostConfig"] == {"AutoRemove": True}


def test_old_engines_are_waited_for_after_the_start(scripted):
    scripted.api_version = "1.24"
    script_run(scripted, frame(1, b"x"), media_type="application/vnd.docker.raw-stream")
    with DockerClient(scripted.host) as client:
        assert client.containers.run("busybox", remove=True) == b"x"
    assert calls(scripted)[2:4] == ["POST /containers/ID/start", "POST /containers/ID/wait"]


@pytest.mark.parametrize("detach", [True, False])
def test_container_that_cannot_start_is_removed(scripted, client, detach):
    script_run(scripted, start=Answer.error(400, "no such program"))
    with pytest.raises(APIError, match="no such program"):
        client.containers.run("busybox", "nothing", detach=detach)
    assert calls(scripted)[-1] == "DELETE /containers/ID"


def test_detached(scripted, client):
    script_run(scripted)
    container = client.containers.run("busybox", detach=True, remove=True)
    assert isinstance(container, Container)
    assert calls(scripted) == ["POST /containers/create", "POST /containers/ID/start"]
    body = scripted.requests[0].json()
    assert body["HostConfig"]["AutoRemove"] is True
    assert "AttachStdout" not in body


def test_missing_image_is_pulled_once(scripted, client):
    script_run(scripted)
    scripted.on(
        "POST", "/containers/create", Answer.error(404, "No such image: busybox:latest"),
        Answer.json({"Id": CID, "Warnings": None}, 201),
    )  # fmt: skip
    scripted.on("POST", "/images/create", Answer.chunked([b'{"status":"Pulling"}\n', b'{"status":"Done"}\n']))
    client.containers.run("busybox", platform="linux/arm64", detach=True)
    assert calls(scripted)[:3] == ["POST /containers/create", "POST /images/create", "POST /containers/create"]
    pull = scripted.requests[1]
    assert pull.param("platform") == "linux/arm64"
    assert (pull.param("fromImage"), pull.param("tag")) == ("busybox", "latest")


def test_pull_policies(scripted, client):
    script_run(scripted)
    scripted.on("POST", "/images/create", Answer.chunked([b"{}\n"]))
    client.containers.run("busybox", detach=True, pull="always")
    assert calls(scripted)[:2] == ["POST /images/create", "POST /containers/create"]
    scripted.on("POST", "/containers/create", Answer.error(404, "No such image: busybox"))
    scripted.requests.clear()
    for attempt in (
        lambda: client.containers.run("busybox", pull="never"),
        lambda: client.containers.create("busybox"),
        lambda: client.containers.run("sha256:" + "0" * 64),
    ):
        with pytest.raises(ImageNotFound):
            attempt()
    assert calls(scripted) == ["POST /containers/create"] * 3


def test_engine_warnings_are_python_warnings(scripted, client):
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": ["no swap"]}, 201))
    scripted.on("POST", f"/containers/{CID}/start", Answer.empty())
    for make in (
        lambda: client.containers.create("busybox"),
        lambda: client.containers.run("busybox", detach=True),
    ):
        with pytest.warns(EngineWarning, match="no swap") as caught:
            make()
        assert caught[0].filename == __file__


def test_invalid_options_send_no_request(scripted, client):
    for wrong, name in (
        ({"memory": 5}, "memory"), ({"name": 5}, "name"), ({"ports": {0: 1}}, "ports"), ({"mem_limit": "x"}, "mem_limit"),
        ({"network": "a", "network_mode": "b"}, "network"), ({"ip": "1.2.3.4"}, "network"), ({"env_file": "/none"}, "env_file"),
        ({"ip": "1.2.3", "network": "a"}, "ip: must be an IPv4"), ({"ip6": "x", "network": "a"}, "ip6: must be an IPv6"),
        ({"name": "a/b", "command": ["x"]}, "name"), ({"command": 5}, "command"), ({"pull": "maybe"}, "pull"),
    ):  # fmt: skip
        with pytest.raises(InvalidArgument, match=name):
            client.containers.create("busybox", **wrong)
    for image in ("", None, 5):
        with pytest.raises(InvalidArgument, match="image"):
            client.containers.run(image)
    with pytest.raises(TypeError):
        client.containers.run("busybox", detatch=True)
    assert scripted.requests == []


def body_of(scripted: ScriptedEngine, client: DockerClient, **options: Any) -> dict[str, Any]:
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
    client.containers.create("busybox", detach=True, use_config_proxy=False, **options)
    body: dict[str, Any] = json.loads(scripted.requests[-1].body)
    assert body.pop("Image") == "busybox"
    return body


@pytest.mark.parametrize("name", ["name", "network", "network_mode", "mem_limit", "memswap_limit", "mem_reservation"])
def test_empty_string_means_unset(scripted, client, name):
    assert body_of(scripted, client, **{name: ""}) == {"HostConfig": {}}
    assert scripted.requests[-1].query == {}


def test_options_are_sent_in_the_body(scripted, client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "env").write_text("A=file\nB=file\n")
    (tmp_path / "labels").write_text("x=file\ny\n")
    assert body_of(scripted, client) == {"HostConfig": {}}
    assert body_of(scripted, client, ports={"80/tcp": 8080, 53: None}, port_bindings=["90:91"]) == {
        "ExposedPorts": {"91/tcp": {}, "80/tcp": {}, "53/tcp": {}},
        "HostConfig": {
            "PortBindings": {
                "91/tcp": [{"HostPort": "90"}],
                "80/tcp": [{"HostPort": "8080"}],
                "53/tcp": [{"HostPort": ""}],
            }
        },
    }
    assert body_of(scripted, client, volumes=["./src:/app:ro", "/anonymous"], binds=["v:/v"]) == {
        "Volumes": {"/anonymous": {}}, "HostConfig": {"Binds": ["v:/v", f"{tmp_path}/src:/app:ro"]},
    }  # fmt: skip
    assert body_of(scripted, client, environment={"A": "here"}, env_file="env", labels={"x": "here"}, label_file=["labels"]) == {
        "Env": ["B=file", "A=here"], "Labels": {"x": "here", "y": ""}, "HostConfig": {},
    }  # fmt: skip
    assert body_of(scripted, client, gpus="all", cpus=1.5, init=True, command=None) == {
        "HostConfig": {
            "DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}], "NanoCpus": 1_500_000_000, "Init": True,
        }
    }  # fmt: skip
    create = scripted.requests[-1]
    assert "name" not in create.query
    body_of(scripted, client, name="box", platform="linux/amd64")
    assert scripted.requests[-1].query == {"name": ["box"], "platform": ["linux/amd64"]}


def test_networks_are_sent_in_the_body(scripted, client):
    assert body_of(scripted, client, network="net") == {"HostConfig": {"NetworkMode": "net"}}
    place = {"Aliases": ["a"], "IPAMConfig": {"IPv4Address": "10.0.0.5", "IPv6Address": "::5"}}
    assert body_of(scripted, client, network="net", network_aliases=["a"], ip="10.0.0.5", ip6="::5") == {
        "HostConfig": {"NetworkMode": "net"}, "NetworkingConfig": {"EndpointsConfig": {"net": place}},
    }  # fmt: skip
    docker_py = client.api.create_endpoint_config(aliases=["a"])
    assert body_of(scripted, client, network="net", networking_config={"net": docker_py}) == {
        "HostConfig": {"NetworkMode": "net"}, "NetworkingConfig": {"EndpointsConfig": {"net": {"Aliases": ["a"]}}},
    }  # fmt: skip
    assert body_of(scripted, client, networks=["a", "b"]) == {
        "HostConfig": {"NetworkMode": "a"}, "NetworkingConfig": {"EndpointsConfig": {"a": {}, "b": {}}},
    }  # fmt: skip
    assert body_of(scripted, client, mac_address="02:42:00:00:00:01") == {
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkingConfig": {"EndpointsConfig": {"bridge": {"MacAddress": "02:42:00:00:00:01"}}},
    }
    assert body_of(scripted, client, network_mode="host") == {"HostConfig": {"NetworkMode": "host"}}


def test_old_engines_take_one_network_at_creation(scripted):
    scripted.api_version = "1.41"
    scripted.on("POST", "/networks/b/connect", Answer.empty(200))
    with DockerClient(scripted.host) as client:
        body = None
        scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
        client.containers.create(
            "busybox", networks={"a": None, "b": {"Aliases": ["x"]}}, mac_address="02:42:00:00:00:01"
        )
        body = scripted.requests[0].json()
    assert body["NetworkingConfig"] == {"EndpointsConfig": {"a": {}}}
    assert body["MacAddress"] == "02:42:00:00:00:01"
    assert scripted.requests[1].json() == {"Container": CID, "EndpointConfig": {"Aliases": ["x"]}}


def test_container_that_can_not_be_connected_is_removed(scripted):
    scripted.api_version = "1.41"
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
    scripted.on("POST", "/networks/b/connect", Answer.error(404, "network b not found"))
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())
    with DockerClient(scripted.host) as client, pytest.raises(NotFound):
        client.containers.create("busybox", networks=["a", "b"])
    assert calls(scripted)[-1] == "DELETE /containers/ID"


# -- lists and attributes -----------------------------------------------------------------------------------------------


def test_list_is_one_request_and_serves_attributes_of_the_summary(scripted, client):
    scripted.on("GET", "/containers/json", Answer.json([SUMMARY]))
    (container,) = client.containers.list(all=True, filters={"status": "running"})
    assert (container.id, container.short_id, container.name) == (CID, CID[:12], "box")
    assert (container.status, container.health, container.labels) == ("running", "healthy", {"a": "b"})
    assert container.ports == {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}], "53/udp": None,
    }  # fmt: skip
    assert container.mounts == []
    assert container.created.timestamp() == 1700000000
    assert repr(container) == f"<Container 'box' busybox running {CID[:12]}>"
    assert container == client.containers.prepare_model(dict(INSPECT))
    assert len({container, client.containers.prepare_model(dict(INSPECT))}) == 1
    assert calls(scripted) == ["GET /containers/json"]


def test_attrs_are_the_result_of_inspect(scripted, client):
    scripted.on("GET", "/containers/json", Answer.json([SUMMARY]))
    scripted.on("GET", f"/containers/{CID}/json", Answer.json(INSPECT))
    (container,) = client.containers.list()
    assert container.attrs["State"]["Status"] == "exited"
    assert container.attrs["Config"]["Image"] == "busybox"
    assert container.status == "exited"
    assert calls(scripted) == ["GET /containers/json", "GET /containers/ID/json"]


def test_sparse_lists_keep_their_summaries(scripted, client):
    scripted.on("GET", "/containers/json", Answer.json([SUMMARY]))
    (container,) = client.containers.list(sparse=True, limit=1)
    assert container.attrs["State"] == "running"
    assert container.name == "box"
    assert calls(scripted) == ["GET /containers/json"]


def test_container_that_vanished_does_not_break_the_list(scripted, client):
    scripted.on("GET", "/containers/json", Answer.json([SUMMARY]))
    scripted.on("GET", f"/containers/{CID}/json", Answer.error(404, "No such container"))
    (container,) = client.containers.list(ignore_removed=True)
    assert container.status == "running"
    with pytest.raises(NotFound):
        _ = container.attrs


def test_inspected_container_has_typed_attributes(scripted, client):
    scripted.on("GET", "/containers/box/json", Answer.json(INSPECT))
    container = client.containers.get("box")
    assert (container.name, container.status, container.health, container.labels) == ("box", "exited", "unhealthy", {})
    assert container.ports == INSPECT["NetworkSettings"]["Ports"]
    assert container.state.exit_code == 3
    assert container.state.started_at.year == 2023
    assert container.state.finished_at is None
    assert container.state.health.failing_streak == 2
    assert container.state.health.log == []
    assert container.config.environment == {"A": "b=c"}
    assert container.network_settings.ip_address == "172.17.0.2"
    assert container.network_settings.ports["80/tcp"][0].host_port == 8080
    assert container.network_settings.networks["bridge"].Odd == 1
    assert container.mounts == []
    assert len(scripted.requests) == 1


def test_views_are_rebuilt_after_a_reload(scripted, client):
    running = {**INSPECT, "State": {"Status": "running", "ExitCode": 0}}
    scripted.on("GET", "/containers/box/json", Answer.json(INSPECT))
    scripted.on("GET", f"/containers/{CID}/json", Answer.json(running))
    container = client.containers.get("box")
    assert container.state.exit_code == 3
    assert container.state is container.state
    container.reload()
    assert container.state.exit_code == 0
    assert (container.status, container.health) == ("running", "unknown")


def test_address_returns_host_and_port(scripted, client):
    scripted.on("GET", f"/containers/{CID}/json", Answer.json(INSPECT))
    container = client.containers.prepare_model({"Id": CID}, partial=True)
    assert container.address(80) == ("127.0.0.1", 8080)
    with pytest.raises(InvalidArgument, match="not published"):
        container.address("53/udp")


def test_created_container_is_inspected_on_first_access(scripted, client):
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
    scripted.on("GET", f"/containers/{CID}/json", Answer.json(INSPECT))
    container = client.containers.create("busybox")
    assert len(scripted.requests) == 1
    assert (container.name, container.status, container.labels, container.health) == ("box", "exited", {}, "unhealthy")
    assert len(scripted.requests) == 2


# -- verbs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def box(client) -> Container:
    return client.containers.prepare_model(dict(INSPECT))


def test_exec_run_makes_three_requests(scripted, box):
    scripted.on("POST", f"/containers/{CID}/exec", Answer.json({"Id": "e1"}, 201))
    scripted.on("POST", "/exec/e1/start", Answer.upgraded([frame(1, b"o"), frame(2, b"e")], media_type=MULTIPLEXED))
    scripted.on("GET", "/exec/e1/json", Answer.json({"ExitCode": 2}))
    assert box.exec_run("ls -l", environment={"A": 1}, demux=True) == (2, (b"o", b"e"))
    result = box.exec_run(["ls"])
    assert (result.exit_code, result.output) == (2, b"oe")
    assert len(scripted.requests) == 6
    assert scripted.requests[0].json()["Cmd"] == ["ls", "-l"]
    assert scripted.requests[0].json()["Env"] == ["A=1"]
    exit_code, pieces = box.exec_run("ls", stream=True)
    assert exit_code is None
    assert list(pieces) == [b"o", b"e"]


def test_result_of_exec_run_is_a_named_pair():
    class Mine(ExecResult[bytes]):
        """A subclass as in libraries written for docker-py."""

    result = ExecResult(0, b"x")
    assert isinstance(result, tuple)
    assert (result._fields, result) == (("exit_code", "output"), (0, b"x"))
    assert pickle.loads(pickle.dumps(result)) == result
    assert repr(result) == "ExecResult(exit_code=0, output=b'x')"
    assert Mine(0, b"x") == result == ExecResult[bytes](0, b"x")


def test_lifecycle_methods_send_their_requests(scripted, box):
    for verb in ("start", "stop", "restart", "kill", "pause", "unpause", "rename", "resize"):
        scripted.on("POST", f"/containers/{CID}/{verb}", Answer.empty())
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())
    scripted.on("POST", f"/containers/{CID}/wait", Answer.json({"StatusCode": 5}))
    scripted.on("POST", f"/containers/{CID}/update", Answer.json({"Warnings": None}))
    scripted.on("GET", f"/containers/{CID}/changes", Answer.json(None))
    scripted.on("GET", f"/containers/{CID}/top", Answer.json({"Titles": ["PID"], "Processes": [["1"]]}))
    box.start()
    box.stop(timeout=3, signal="INT")
    box.restart(timeout=0)
    box.kill("HUP")
    box.pause()
    box.unpause()
    box.rename("new")
    box.resize(24, 80)
    assert box.wait()["StatusCode"] == 5
    assert box.update(mem_limit="1g", cpus=2, restart_policy="always") == {"Warnings": []}
    assert box.diff() == []
    assert box.top(ps_args="aux")["Titles"] == ["PID"]
    box.remove(v=True, force=True)
    by_path = {request.path.rpartition("/")[2]: request for request in scripted.requests}
    assert by_path["stop"].query == {"t": ["3"], "signal": ["INT"]}
    assert by_path["restart"].query == {"t": ["0"]}
    assert by_path["kill"].query == {"signal": ["HUP"]}
    assert by_path["rename"].query == {"name": ["new"]}
    assert by_path["resize"].query == {"h": ["24"], "w": ["80"]}
    assert by_path["update"].json() == {"Memory": 2**30, "NanoCpus": 2 * 10**9, "RestartPolicy": {"Name": "always"}}
    assert by_path[CID].query == {"v": ["true"], "force": ["true"]}


def test_context_manager_stops_and_removes(scripted, box):
    scripted.on("POST", f"/containers/{CID}/stop", Answer.empty())
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())
    with pytest.raises(RuntimeError, match="inside"), box as same:
        assert same is box
        raise RuntimeError("inside")
    assert calls(scripted) == ["POST /containers/ID/stop", "DELETE /containers/ID"]


def test_context_manager_whose_container_is_gone(scripted, box):
    scripted.on("POST", f"/containers/{CID}/stop", Answer.error(404, "No such container"))
    scripted.on("DELETE", f"/containers/{CID}", Answer.error(404, "No such container"))
    with box:
        pass
    assert calls(scripted) == ["POST /containers/ID/stop", "DELETE /containers/ID"]


# -- ensure ------------------------------------------------------------------------------------------------------------


def script_ensure(scripted: ScriptedEngine, **facts: Any) -> None:
    script_run(scripted)
    for verb in ("stop", "rename", "unpause"):
        scripted.on("POST", f"/containers/{CID}/{verb}", Answer.empty())
    scripted.on("GET", "/images/busybox/json", Answer.json({"Id": "sha256:abc"}))


def created_body(scripted: ScriptedEngine) -> dict[str, Any]:
    return next(request for request in scripted.requests if request.path == "/containers/create").json()


def ensured(scripted: ScriptedEngine, client: DockerClient, **changed: Any) -> dict[str, Any]:
    """Return the inspect response of a container created by ensure()."""
    scripted.on("GET", "/containers/box/json", Answer.error(404, "No such container"))
    client.containers.ensure("busybox", "sleep 5", name="box")
    config = created_body(scripted)
    scripted.requests.clear()
    return {
        **INSPECT,
        "State": {"Status": "running"},
        "Config": config,
        "HostConfig": config.pop("HostConfig"),
        **changed,
    }


def test_ensure_creates_a_missing_container(scripted, client):
    script_ensure(scripted)
    scripted.on("GET", "/containers/box/json", Answer.error(404, "No such container"))
    client.containers.ensure("busybox", "sleep 5", name="box")
    assert calls(scripted) == ["GET /containers/box/json", "POST /containers/create", "POST /containers/ID/start"]


def test_ensure_keeps_a_matching_container(scripted, client):
    script_ensure(scripted)
    scripted.on("GET", "/containers/box/json", Answer.json(ensured(scripted, client)))
    client.containers.ensure("busybox", "sleep 5", name="box")
    assert calls(scripted) == ["GET /containers/box/json", "GET /images/busybox/json", "POST /containers/ID/start"]


VOLUME = "5" * 64
REPLACING = [
    "POST /containers/ID/rename", "POST /containers/create", "POST /containers/ID/stop", "POST /containers/ID/start",
    "DELETE /containers/ID",
]  # fmt: skip


@pytest.mark.parametrize("changed", ["options", "image"])
def test_ensure_replaces_a_container_with_other_options(scripted, client, changed):
    script_ensure(scripted)
    old = ensured(scripted, client, **({"Image": "sha256:old"} if changed == "image" else {}))
    scripted.on("GET", "/containers/box/json", Answer.json(old))
    scripted.on("GET", "/images/sha256:old/json", Answer.json({"Id": "sha256:old"}))
    container = client.containers.ensure("busybox", "sleep 6" if changed == "options" else "sleep 5", name="box")
    assert calls(scripted)[-5:] == REPLACING
    assert "v" not in scripted.requests[-1].query
    assert container.ensured.action == "replaced"
    assert [difference.name for difference in container.ensured.differences] == (
        ["Cmd[1]"] if changed == "options" else ["Image"]
    )


@pytest.mark.parametrize("labels", [None, {"dockerkit.spec": "of the image"}], ids=["unlabelled", "label of the image"])
def test_ensure_refuses_to_replace_a_container_that_it_did_not_create(scripted, client, labels):
    script_ensure(scripted)
    scripted.on("GET", "/containers/box/json", Answer.json({**INSPECT, "Config": {"Labels": labels}}))
    scripted.on("GET", "/images/busybox/json", Answer.json({"Id": INSPECT["Image"], "Config": {"Labels": labels}}))
    with pytest.raises(errors.Conflict, match="container 'box' exists and was not created by ensure.*replace_foreign"):
        client.containers.ensure("busybox", "sleep 5", name="box")
    assert {request.method for request in scripted.requests} == {"GET"}
    scripted.requests.clear()
    client.containers.ensure("busybox", "sleep 5", name="box", replace_foreign=True)
    assert calls(scripted)[-5:] == REPLACING
    assert "v" not in scripted.requests[-1].query


def test_ensure_keeps_anonymous_volumes(scripted, client):
    script_ensure(scripted)
    mounts = [
        {"Type": "volume", "Name": VOLUME, "Destination": "/data", "RW": True},
        {"Type": "volume", "Name": "6" * 64, "Destination": "/read", "RW": False},
        {"Type": "volume", "Name": "7" * 64, "Destination": "/bound", "RW": True},
        {"Type": "volume", "Name": "8" * 64, "Destination": "/mounted", "RW": True},
        {"Type": "volume", "Name": "9" * 64, "Destination": "/tmp", "RW": True},
        {"Type": "volume", "Name": "named", "Destination": "/named", "RW": True},
        {"Type": "bind", "Source": "/srv", "Destination": "/srv", "RW": True},
    ]
    scripted.on("GET", "/containers/box/json", Answer.json({**ensured(scripted, client), "Mounts": mounts}))
    client.containers.ensure(
        "busybox",
        "sleep 6",
        name="box",
        volumes=["other:/bound/"],
        mounts=[{"Type": "volume", "Target": "/mounted", "Source": "x"}],
        tmpfs={"/tmp": ""},
    )
    binds = ["other:/bound/", f"{VOLUME}:/data", f"{'6' * 64}:/read:ro"]
    assert created_body(scripted)["HostConfig"]["Binds"] == binds


def test_ensure_renews_volumes_only_if_asked_to(scripted, client):
    script_ensure(scripted)
    mounts = [{"Type": "volume", "Name": VOLUME, "Destination": "/data", "RW": True}]
    scripted.on("GET", "/containers/box/json", Answer.json({**ensured(scripted, client), "Mounts": mounts}))
    scripted.on("DELETE", f"/volumes/{VOLUME}", Answer.error(404, "no such volume"))
    client.containers.ensure("busybox", "sleep 6", name="box", renew_volumes=True)
    assert "Binds" not in created_body(scripted)["HostConfig"]
    assert calls(scripted)[-2:] == ["DELETE /containers/ID", f"DELETE /volumes/{VOLUME}"]
    assert scripted.requests[-2].query["v"] == ["true"]


def test_ensure_names_settings_that_differ_without_values_of_variables(scripted, client):
    script_ensure(scripted)
    scripted.on("GET", "/containers/box/json", Answer.error(404, "No such container"))
    options = {"environment": {"A": "secret", "B": "2"}, "mem_limit": "1m", "ports": {"80/tcp": 80}}
    created = client.containers.ensure("busybox", name="box", **options)
    assert str(created.ensured) == "created"
    body = created_body(scripted)
    assert "secret" not in json.dumps(body["Labels"])
    config = {key: value for key, value in body.items() if key != "HostConfig"}
    inspected = {**INSPECT, "Config": config, "HostConfig": {**body["HostConfig"], "Memory": 2**20, "CpuShares": 0}}
    scripted.on("GET", "/containers/box/json", Answer.json(inspected))
    changed = client.containers.ensure("busybox", name="box", environment={"A": "other", "C": "3"}, mem_limit="2m")
    text = str(changed.ensured)
    assert "secret" not in text and "other" not in text
    for expected in (
        "Env.A was different",
        "Env.B was set",
        "Env.C was not set",
        "HostConfig.Memory: 1048576 instead of 2097152",
        "HostConfig.PortBindings.80/tcp was set",
    ):
        assert expected in text
    assert "CpuShares" not in text


def test_ensure_restores_the_old_container_if_the_new_one_fails(scripted, client):
    script_ensure(scripted)
    scripted.on("GET", "/containers/box/json", Answer.json(ensured(scripted, client)))
    scripted.on("POST", f"/containers/{CID}/start", Answer.error(500, "port is taken"), Answer.empty())
    with pytest.raises(APIError, match="port is taken"):
        client.containers.ensure("busybox", "sleep 6", name="box")
    assert calls(scripted)[-3:] == ["DELETE /containers/ID", "POST /containers/ID/rename", "POST /containers/ID/start"]
    assert scripted.requests[-2].param("name") == "box"


def test_ensure_needs_a_name(scripted, client):
    with pytest.raises(UnknownOption, match="name"):
        client.containers.ensure("busybox")
    assert scripted.requests == []


def test_no_warning_without_engine_warnings(scripted, client):
    script_run(scripted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.containers.run("busybox", remove=True)


def test_prune(scripted, client):
    scripted.on("POST", "/containers/prune", Answer.json({"ContainersDeleted": None, "SpaceReclaimed": 0}))
    assert client.containers.prune({"until": "24h"})["SpaceReclaimed"] == 0
    assert json.loads(scripted.requests[0].param("filters")) == {"until": ["24h"]}


# -- get(default) and exists ---------------------------------------------------------------------------------------


def collections(client: DockerClient) -> Iterator[Any]:
    for name in dir(type(client)):
        if type(getattr(client, name, None)).__name__.endswith("Collection"):
            yield getattr(client, name)


def test_every_collection_has_exists_and_a_default_for_get(scripted, client):
    found = list(collections(client))
    assert len(found) == 11
    for collection in found:
        path = f"/{collection._name()}/missing" if hasattr(collection, "_name") else "/services"
        missing = Answer.json([]) if path == "/services" else Answer.error(404, "missing")
        scripted.on("GET", path, missing)
        scripted.on("GET", f"{path}/json", missing)
        assert collection.get("missing", default=None) is None
        assert collection.get("missing", default="other") == "other"
        assert not collection.exists("missing")
        with pytest.raises(errors.NotFound):
            collection.get("missing")
        with pytest.raises(errors.InvalidArgument):
            collection.get("", default=None)


def test_default_hides_no_other_errors(scripted, client):
    scripted.on("GET", "/containers/box/json", Answer.error(500, "trouble"))
    with pytest.raises(APIError, match="trouble"):
        client.containers.get("box", default=None)
    with pytest.raises(APIError, match="trouble"):
        client.containers.exists("box")


def test_wait_that_takes_too_long_names_the_container(scripted, client):
    scripted.on("POST", f"/containers/{CID}/wait", lambda request, wire: time.sleep(0.5))
    container = client.containers.prepare_model({"Id": CID, "Name": "/web"})
    with pytest.raises(errors.ReadTimeout, match=r"^container 'web' did not stop within 0\.1 s$"):
        container.wait(timeout=0.1)
    with pytest.raises(errors.ReadTimeout, match=r"^container 'web' was not removed within 0\.1 s$"):
        container.wait(timeout=0.1, condition="removed")


def test_rename_changes_the_name_without_another_request(scripted, client):
    scripted.on("POST", f"/containers/{CID}/rename", Answer.empty(204))
    for known in ({"Name": "/web"}, {"Names": ["/web"]}):
        container = client.containers.prepare_model({"Id": CID, **known})
        container.rename("shop")
        assert container.name == container.display_name == "shop"
