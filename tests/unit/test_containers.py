"""Containers as objects, against scripted answers: which requests are made, in which order, and what is left behind."""

from __future__ import annotations

import json
import pickle
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit import DockerClient
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
from dockerkit.models.container_run import RunOutput
from dockerkit.models.containers import Container, ExecResult

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
    """A container that is created, attached, waited for, started and removed."""
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
def test_run_answers_what_was_asked_for(scripted, client, wanted, expected):
    script_run(scripted, frame(1, b"o"), frame(2, b"e"), frame(1, b"O"))
    assert client.containers.run("busybox", **wanted) == expected
    assert "DELETE /containers/ID" not in calls(scripted)


def test_the_output_of_a_terminal_is_raw(scripted, client):
    script_run(scripted, b"\x01\0\0\0\0\0\0\x05hello", media_type="application/vnd.docker.raw-stream")
    assert client.containers.run("busybox", tty=True) == b"\x01\0\0\0\0\0\0\x05hello"


def test_a_failed_command_tells_all(scripted, client):
    script_run(scripted, frame(1, b"out"), frame(2, b"no such file"), code=3)
    with pytest.raises(ContainerError, match="exit code 3: no such file") as caught:
        client.containers.run("busybox", "false", remove=True)
    error = caught.value
    assert (error.exit_status, error.command, error.image) == (3, "false", "busybox")
    assert (error.stdout, error.stderr) == (b"out", b"no such file")
    assert error.container.id == CID
    assert calls(scripted)[-1] == "DELETE /containers/ID"


def test_both_streams_apart(scripted, client):
    script_run(scripted, frame(1, b"o"), frame(2, b"e"), frame(1, b"O"))
    assert client.containers.run("busybox", demux=True) == (b"oO", b"e")
    pieces = client.containers.run("busybox", demux=True, stream=True)
    assert list(pieces) == [(b"o", None), (None, b"e"), (b"O", None)]
    script_run(scripted)
    assert client.containers.run("busybox", demux=True) == (None, None)


def test_what_takes_too_long_is_killed(scripted, client):
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
    with pytest.raises(RunTimeout, match="did not end in time") as caught:
        client.containers.run("busybox", "sleep 100", timeout=0.2, remove=True)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.stdout, caught.value.exit_status) == (b"so far", 137)
    assert calls(scripted)[-1] == "DELETE /containers/ID"
    assert pickle.loads(pickle.dumps(RunTimeout(None, 137, "x", "i", b"e", b"o"))).stdout == b"o"


def test_what_ends_in_time_is_not_killed(scripted, client):
    script_run(scripted, frame(1, b"x"))
    assert client.containers.run("busybox", timeout=60) == b"x"
    assert threading.active_count() < 20
    assert "POST /containers/ID/kill" not in calls(scripted)
    for wrong in (0, -1, True, "5"):
        with pytest.raises(InvalidArgument, match="timeout"):
            client.containers.run("busybox", timeout=wrong)
    with pytest.raises(InvalidArgument, match="detach"):
        client.containers.run("busybox", detach=True, timeout=5)


def test_streaming(scripted, client):
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


def test_leaving_a_stream_early_removes_what_was_to_be_removed(scripted, client):
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


def test_a_cut_stream_is_no_success(scripted, client):
    script_run(scripted, frame(1, b"whole")[:-2])
    with pytest.raises(StreamTruncated):
        client.containers.run("busybox", remove=True)
    assert calls(scripted)[-1] == "DELETE /containers/ID"


def test_auto_removal_is_waited_for(scripted, client):
    script_run(scripted)
    client.containers.run("busybox", auto_remove=True)
    assert scripted.requests[2].param("condition") == "removed"
    assert scripted.requests[0].json()["HostConfig"] == {"AutoRemove": True}


def test_old_engines_are_asked_after_the_start(scripted):
    scripted.api_version = "1.24"
    script_run(scripted, frame(1, b"x"), media_type="application/vnd.docker.raw-stream")
    with DockerClient(scripted.host) as client:
        assert client.containers.run("busybox", remove=True) == b"x"
    assert calls(scripted)[2:4] == ["POST /containers/ID/start", "POST /containers/ID/wait"]


@pytest.mark.parametrize("detach", [True, False])
def test_what_can_not_start_is_removed(scripted, client, detach):
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


def test_a_missing_image_is_pulled_once(scripted, client):
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


def test_the_engines_warnings_become_pythons(scripted, client):
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": ["no swap"]}, 201))
    scripted.on("POST", f"/containers/{CID}/start", Answer.empty())
    for make in (
        lambda: client.containers.create("busybox"),
        lambda: client.containers.run("busybox", detach=True),
    ):
        with pytest.warns(EngineWarning, match="no swap") as caught:
            make()
        assert caught[0].filename == __file__


def test_nothing_is_sent_for_wrong_options(scripted, client):
    for wrong, name in (
        ({"memory": 5}, "memory"), ({"name": 5}, "name"), ({"ports": {0: 1}}, "ports"), ({"mem_limit": "x"}, "mem_limit"),
        ({"network": "a", "network_mode": "b"}, "network"), ({"ip": "1.2.3.4"}, "network"), ({"env_file": "/none"}, "env_file"),
        ({"ip": "1.2.3", "network": "a"}, "ip: an IPv4"), ({"ip6": "x", "network": "a"}, "ip6: an IPv6"), ({"name": ""}, "name"),
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


def test_bodies(scripted, client, tmp_path, monkeypatch):
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


def test_networks(scripted, client):
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


def test_a_container_that_can_not_be_connected_is_removed(scripted):
    scripted.api_version = "1.41"
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
    scripted.on("POST", "/networks/b/connect", Answer.error(404, "network b not found"))
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())
    with DockerClient(scripted.host) as client, pytest.raises(NotFound):
        client.containers.create("busybox", networks=["a", "b"])
    assert calls(scripted)[-1] == "DELETE /containers/ID"


# -- lists and facts -----------------------------------------------------------------------------------------------


def test_a_list_is_one_request_and_answers_what_its_summaries_know(scripted, client):
    scripted.on("GET", "/containers/json", Answer.json([SUMMARY]))
    (container,) = client.containers.list(all=True, filters={"status": "running"})
    assert (container.id, container.short_id, container.name) == (CID, CID[:12], "box")
    assert (container.status, container.health, container.labels) == ("running", "healthy", {"a": "b"})
    assert container.ports == {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}], "53/udp": None,
    }  # fmt: skip
    assert container.mounts == []
    assert container.created.timestamp() == 1700000000
    assert repr(container) == f"<Container: {CID[:12]}>"
    assert container == client.containers.prepare_model(dict(INSPECT))
    assert len({container, client.containers.prepare_model(dict(INSPECT))}) == 1
    assert calls(scripted) == ["GET /containers/json"]


def test_attrs_are_what_inspecting_answers(scripted, client):
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


def test_a_container_that_vanished_does_not_break_the_list(scripted, client):
    scripted.on("GET", "/containers/json", Answer.json([SUMMARY]))
    scripted.on("GET", f"/containers/{CID}/json", Answer.error(404, "No such container"))
    (container,) = client.containers.list(ignore_removed=True)
    assert container.status == "running"
    with pytest.raises(NotFound):
        _ = container.attrs


def test_facts_of_an_inspected_container(scripted, client):
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


def test_views_are_made_anew_after_a_reload(scripted, client):
    running = {**INSPECT, "State": {"Status": "running", "ExitCode": 0}}
    scripted.on("GET", "/containers/box/json", Answer.json(INSPECT))
    scripted.on("GET", f"/containers/{CID}/json", Answer.json(running))
    container = client.containers.get("box")
    assert container.state.exit_code == 3
    assert container.state is container.state
    container.reload()
    assert container.state.exit_code == 0
    assert (container.status, container.health) == ("running", "unknown")


def test_where_a_port_answers(scripted, client):
    scripted.on("GET", f"/containers/{CID}/json", Answer.json(INSPECT))
    container = client.containers.prepare_model({"Id": CID}, partial=True)
    assert container.address(80) == ("127.0.0.1", 8080)
    with pytest.raises(InvalidArgument, match="not published"):
        container.address("53/udp")


def test_a_container_made_just_now_is_inspected_when_it_is_asked(scripted, client):
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


def test_the_result_of_exec_run_is_a_named_pair():
    class Mine(ExecResult[bytes]):
        """As libraries have it that were written for docker-py."""

    result = ExecResult(0, b"x")
    assert isinstance(result, tuple)
    assert (result._fields, result) == (("exit_code", "output"), (0, b"x"))
    assert pickle.loads(pickle.dumps(result)) == result
    assert repr(result) == "ExecResult(exit_code=0, output=b'x')"
    assert Mine(0, b"x") == result == ExecResult[bytes](0, b"x")


def test_verbs_reach_the_engine(scripted, box):
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
    assert box.update(mem_limit="1g", cpus=2, restart_policy="always") == {"Warnings": None}
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


def test_a_context_manager_stops_and_removes(scripted, box):
    scripted.on("POST", f"/containers/{CID}/stop", Answer.empty())
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())
    with pytest.raises(RuntimeError, match="inside"), box as same:
        assert same is box
        raise RuntimeError("inside")
    assert calls(scripted) == ["POST /containers/ID/stop", "DELETE /containers/ID"]


def test_a_context_manager_whose_container_is_gone(scripted, box):
    scripted.on("POST", f"/containers/{CID}/stop", Answer.error(404, "No such container"))
    with box:
        pass
    assert calls(scripted) == ["POST /containers/ID/stop"]


# -- ensure ------------------------------------------------------------------------------------------------------------


def script_ensure(scripted: ScriptedEngine, **facts: Any) -> None:
    script_run(scripted)
    for verb in ("stop", "rename", "unpause"):
        scripted.on("POST", f"/containers/{CID}/{verb}", Answer.empty())
    scripted.on("GET", "/images/busybox/json", Answer.json({"Id": "sha256:abc"}))


def ensured(scripted: ScriptedEngine, client: DockerClient, **changed: Any) -> dict[str, Any]:
    """What inspecting a container that was ensured answers."""
    scripted.on("GET", "/containers/box/json", Answer.error(404, "No such container"))
    client.containers.ensure("busybox", "sleep 5", name="box")
    labels = next(request for request in scripted.requests if request.path == "/containers/create").json()["Labels"]
    scripted.requests.clear()
    state = {"Status": "running"}
    return {**INSPECT, "State": state, "Config": {"Labels": labels}, **changed}


def test_ensure_makes_what_is_missing(scripted, client):
    script_ensure(scripted)
    scripted.on("GET", "/containers/box/json", Answer.error(404, "No such container"))
    client.containers.ensure("busybox", "sleep 5", name="box")
    assert calls(scripted) == ["GET /containers/box/json", "POST /containers/create", "POST /containers/ID/start"]


def test_ensure_leaves_alone_what_is_right(scripted, client):
    script_ensure(scripted)
    scripted.on("GET", "/containers/box/json", Answer.json(ensured(scripted, client)))
    client.containers.ensure("busybox", "sleep 5", name="box")
    assert calls(scripted) == ["GET /containers/box/json", "GET /images/busybox/json", "POST /containers/ID/start"]


@pytest.mark.parametrize("changed", ["options", "image", "foreign"])
def test_ensure_replaces_what_differs(scripted, client, changed):
    script_ensure(scripted)
    old = ensured(scripted, client, **({"Image": "sha256:old"} if changed == "image" else {}))
    if changed == "foreign":
        old["Config"] = {"Labels": None}
    scripted.on("GET", "/containers/box/json", Answer.json(old))
    client.containers.ensure("busybox", "sleep 6" if changed == "options" else "sleep 5", name="box")
    expected = [
        "POST /containers/ID/rename", "POST /containers/create", "POST /containers/ID/stop", "POST /containers/ID/start",
        "DELETE /containers/ID",
    ]  # fmt: skip
    assert calls(scripted)[-5:] == expected


def test_ensure_puts_the_old_one_back_when_the_new_one_fails(scripted, client):
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


def test_no_warnings_without_warnings(scripted, client):
    script_run(scripted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.containers.run("busybox", remove=True)


def test_prune(scripted, client):
    scripted.on("POST", "/containers/prune", Answer.json({"ContainersDeleted": None, "SpaceReclaimed": 0}))
    assert client.containers.prune({"until": "24h"})["SpaceReclaimed"] == 0
    assert json.loads(scripted.requests[0].param("filters")) == {"until": ["24h"]}
