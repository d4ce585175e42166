"""Objects that vanish during an operation, with every error that engines report for it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from scripted_engine import MULTIPLEXED, Answer, Script, ScriptedEngine, frame

from dockerkit import DockerClient, errors
from dockerkit.models.containers import Container
from dockerkit.models.containers.conditions import Exited, File, Log
from dockerkit.models.containers.usage import usage_of
from dockerkit.models.networks import Network
from dockerkit.models.volume_files import VolumeFiles

ID = "c" * 64
PATH = f"/containers/{ID}"
RUNNING = {"Id": ID, "Name": "/web", "State": {"Status": "running", "Running": True}}

GONE = {
    "404": (404, f"No such container: {ID}"),
    "409 removing": (409, f"removal of container {ID} is already in progress"),
    "409 dead": (409, "can not get logs from container which is dead or marked for removal"),
    "500 removed": (500, "container has already been removed"),
    "500 no such": (500, f'no container with name or ID "{ID}" found: no such container'),
}
OTHER = {
    "409 name": (409, 'Conflict. The container name "/web" is already in use'),
    "409 stopped": (409, f"container {ID} is not running"),
    "500 disk": (500, "write /var/lib/docker/x: no space left on device"),
    "500 file": (500, "open /x: no such file or directory"),
    "500 executable": (500, 'exec: "x": executable file not found in $PATH'),
    "503": (503, "no such container"),
}


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host) as client:
        yield client


@pytest.fixture(params=GONE.values(), ids=GONE)
def gone(request: pytest.FixtureRequest) -> Script:
    return Answer.error(*request.param)


@pytest.fixture
def container(client: DockerClient) -> Container:
    return Container({"Id": ID, "Name": "/web"}, client)


@pytest.mark.parametrize(("status", "message"), [*GONE.values(), *OTHER.values()], ids=[*GONE, *OTHER])
def test_is_gone_recognizes_removed_objects(
    scripted: ScriptedEngine, container: Container, status: int, message: str
) -> None:
    scripted.on("POST", f"{PATH}/kill", Answer.error(status, message))
    with pytest.raises(errors.APIError) as caught:
        container.kill()
    assert caught.value.is_gone() == ((status, message) in GONE.values())
    assert not errors.InvalidArgument("x").is_gone()


def logs(*lines: bytes) -> Script:
    return Answer.chunked([frame(1, line) for line in lines], media_type=MULTIPLEXED)


def test_followed_logs_end(scripted: ScriptedEngine, container: Container, gone: Script) -> None:
    scripted.on("GET", f"{PATH}/logs", logs(b"2026-11-25T17:57:29.968237123Z one\n"), gone)
    scripted.on("GET", f"{PATH}/json", Answer.json(RUNNING))
    with container.log_entries(follow=True) as entries:
        assert [entry.text for entry in entries] == ["one"]


def events(*records: object) -> Script:
    def script(request: object, wire: object) -> None:
        Answer.chunked([json.dumps(record).encode() + b"\n" for record in records], truncate=True)(request, wire)  # type: ignore[arg-type]
        Answer.hang()(request, wire)  # type: ignore[arg-type]

    return script


DIED = {
    "Type": "container",
    "Action": "die",
    "Actor": {"ID": ID, "Attributes": {"exitCode": "0"}},
    "timeNano": 5,
}


@pytest.mark.parametrize("reload_too", [False, True])
def test_wait_for_the_end_succeeds(
    scripted: ScriptedEngine, container: Container, gone: Script, reload_too: bool
) -> None:
    exited = Answer.json({**RUNNING, "State": {"Status": "exited", "Running": False, "ExitCode": 0}})
    scripted.on("GET", "/events", events(DIED))
    scripted.on("GET", f"{PATH}/json", Answer.json(RUNNING), *([exited] if reload_too else []), gone)
    container.wait_until(Exited(), timeout=10)


def test_wait_for_a_line_fails_as_ended(scripted: ScriptedEngine, container: Container, gone: Script) -> None:
    scripted.on("GET", "/events", events(DIED))
    scripted.on("GET", f"{PATH}/json", Answer.json(RUNNING), gone)
    scripted.on("GET", f"{PATH}/logs", gone)
    with pytest.raises(errors.ContainerExited):
        container.wait_until(Log("ready"), timeout=10)


def test_wait_for_a_file_fails_as_ended(scripted: ScriptedEngine, container: Container, gone: Script) -> None:
    scripted.on("GET", "/events", events())
    scripted.on("GET", f"{PATH}/json", Answer.json(RUNNING), gone)
    scripted.on("GET", f"{PATH}/logs", gone)
    scripted.on("HEAD", f"{PATH}/archive", Answer.empty(404), Answer.empty(409))
    with pytest.raises((errors.ContainerExited, errors.WaitTimeout)):
        container.wait_until(File("/ready"), timeout=0.5)


def test_context_manager_ignores_a_removed_container(
    scripted: ScriptedEngine, container: Container, gone: Script
) -> None:
    scripted.on("POST", f"{PATH}/stop", gone)
    scripted.on("DELETE", PATH, gone)
    with container:
        pass


def test_context_manager_removes_a_container_that_cannot_be_stopped(
    scripted: ScriptedEngine, container: Container
) -> None:
    scripted.on("POST", f"{PATH}/stop", Answer.error(500, "cannot stop"))
    scripted.on("DELETE", PATH, Answer.empty())
    with pytest.raises(errors.ServerError, match="cannot stop"), container:
        pass
    assert scripted.requests[-1].method == "DELETE"


def test_usage_of_returns_none_for_a_removed_container(
    scripted: ScriptedEngine, container: Container, gone: Script
) -> None:
    scripted.on("GET", f"{PATH}/stats", gone)
    assert usage_of([container]) == [None]


def test_context_manager_ignores_a_removed_network(
    scripted: ScriptedEngine, client: DockerClient, gone: Script
) -> None:
    scripted.on("DELETE", "/networks/n", gone)
    with Network({"Id": "n"}, client):
        pass


def test_failed_start_raises_its_own_error(scripted: ScriptedEngine, client: DockerClient, gone: Script) -> None:
    scripted.on("POST", "/containers/create", Answer.json({"Id": ID}, 201))
    scripted.on("POST", f"{PATH}/start", Answer.error(500, "no such device"))
    scripted.on("DELETE", PATH, gone)
    with pytest.raises(errors.ServerError, match="no such device"):
        client.containers.run("busybox", detach=True)


def test_volume_files_still_remove_their_image(scripted: ScriptedEngine, client: DockerClient, gone: Script) -> None:
    scripted.on("POST", "/images/create", Answer.chunked([b'{"status":"sha256:abc"}\n']))
    scripted.on("POST", "/containers/create", Answer.json({"Id": ID}, 201))
    scripted.on("DELETE", PATH, gone, Answer.error(500, "busy"))
    scripted.on("DELETE", "/images/sha256%3Aabc", gone)
    scripted.on("DELETE", "/images/sha256:abc", gone)
    VolumeFiles(client, "v").close()
    with pytest.raises(errors.ServerError, match="busy"):
        VolumeFiles(client, "v").close()
    assert "images" in scripted.requests[-1].path
