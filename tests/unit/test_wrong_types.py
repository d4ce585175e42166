"""A hostile engine that returns valid JSON of wrong types: every call raises an error of dockerkit."""

from __future__ import annotations

import base64
import contextlib
import copy
import inspect
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.models.configs import Config
from dockerkit.models.containers import Container
from dockerkit.models.images import Image
from dockerkit.models.networks import Network
from dockerkit.models.nodes import Node
from dockerkit.models.plugins import Plugin
from dockerkit.models.resource import Model
from dockerkit.models.secrets import Secret
from dockerkit.models.services import Service
from dockerkit.models.tasks import Task
from dockerkit.models.volumes import Volume

STEP = max(1, 50 // settings.default.max_examples)  # `make unit` tries a fifth of them, `make test` all
VALUES: list[Any] = [5, 1.5, "x", True, None, [], [5], ["x"], [[]], [{}], {}, {"a": 5}, {"Id": 5}, [{"Id": 5}]]
KEYS = (
    "Id",
    "ID",
    "Warnings",
    "Warning",
    "State",
    "Config",
    "Containers",
    "Volumes",
    "StatusCode",
    "ExitCode",
    "Names",
)
MORE = ("Error", "message", "Titles", "Processes", "Images", "ContainersDeleted", "SpaceReclaimed", "Spec", "Status")
ANSWERS = [*VALUES, *({**dict.fromkeys(KEYS + MORE, value), "Id": "a" * 64, "ID": "a" * 64} for value in VALUES)]

CALLS: dict[str, Callable[[DockerClient], object]] = {
    "list": lambda client: [(one.name, one.status, one.labels, one.ports) for one in client.containers.list(all=True)],
    "get": lambda client: client.containers.get("a").name,
    "run": lambda client: client.containers.run("busybox", "true"),
    "run, detached": lambda client: client.containers.run("busybox", "true", detach=True).id,
    "exec": lambda client: client.api.exec_start(client.api.exec_create("a", "true")),
    "top": lambda client: client.api.top("a"),
    "wait": lambda client: client.api.wait("a"),
    "diff": lambda client: client.api.diff("a"),
    "commit": lambda client: client.containers.get("a").commit(),
    "prune": lambda client: client.containers.prune(),
    "images": lambda client: [one.tags for one in client.images.list()],
    "image": lambda client: client.images.get("a").tags,
    "remove image": lambda client: client.images.remove("a"),
    "history": lambda client: client.images.get("a").history(),
    "search": lambda client: client.images.search("a"),
    "pull": lambda client: client.images.pull("a", tag="1").id,
    "volumes": lambda client: [one.name for one in client.volumes.list()],
    "create volume": lambda client: client.volumes.create("a").name,
    "networks": lambda client: [one.name for one in client.networks.list()],
    "create network": lambda client: client.networks.create("a").name,
    "info": lambda client: client.info(),
    "version": lambda client: client.version(),
    "df": lambda client: client.df(),
    "login": lambda client: client.login("a", "b"),
    "events": lambda client: list(client.events(decode=True)),
    "swarm": lambda client: (client.swarm.attrs, client.swarm.join_tokens),
    "nodes": lambda client: [(one.id, one.status, one.role) for one in client.nodes.list()],
    "services": lambda client: [(one.id, one.name) for one in client.services.list()],
    "create service": lambda client: client.services.create("busybox").name,
    "tasks": lambda client: [(one.id, one.status) for one in client.tasks.list()],
    "secrets": lambda client: [one.name for one in client.secrets.list()],
    "create config": lambda client: client.configs.create("a", "b").name,
    "plugins": lambda client: [(one.id, one.enabled) for one in client.plugins.list()],
    "exec_run": lambda client: client.containers.get("a").exec_run("true"),
    "usage": lambda client: client.containers.get("a").usage().cpu_percent,
    "wait until": lambda client: client.containers.get("a").wait_until("running", timeout=0.05),
    "log entries": lambda client: list(client.containers.get("a").log_entries()),
    "ensure": lambda client: client.containers.ensure("web", "busybox"),
    "build": lambda client: client.images.build(path={"Dockerfile": "FROM a"}, builder="classic"),
    "load": lambda client: client.images.load(b"x"),
    "update service": lambda client: client.services.get("a").update(env=["A=1"]),
    "wait for service": lambda client: client.services.get("a").wait(0.05),
    "unlock key": lambda client: client.swarm.get_unlock_key(),
    "init swarm": lambda client: client.swarm.init(),
    "deploy": lambda client: client.stacks.deploy("a", {"web": {"image": "a"}}),
    "rotate": lambda client: client.secrets.rotate("a", "b"),
    "prune all": lambda client: client.system.prune(),
    "disk use": lambda client: client.system.df(),
    "volume's files": lambda client: client.volumes.get("a").files().close(),
    "stat": lambda client: client.api.stat_archive("a", "/"),
}


class Stubborn(ScriptedEngine):
    """Returns the same response to everything."""

    answer: Any = None
    status = 200

    def _answer(self, request: Any, wire: Any) -> None:
        if request.path == "/_ping":
            wire.respond(200, b"OK", {"Api-Version": "1.51"})
        else:
            wire.json(self.answer, self.status, {"X-Docker-Container-Path-Stat": "bm90IEpTT04="})


@pytest.fixture
def stubborn() -> Iterator[Stubborn]:
    engine = Stubborn()
    yield engine
    engine.close()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", CALLS)
def test_any_response_ends_in_a_result_or_a_dockerkit_error(stubborn: Stubborn, name: str) -> None:
    with DockerClient(stubborn.host, timeout=(5, 2)) as client:
        for stubborn.status, stubborn.answer in itertools.product((200, 404, 500), ANSWERS[::STEP]):
            try:
                CALLS[name](client)
            except errors.DockerException:
                pass


FACTS: dict[str, Any] = {
    "Id": "a" * 64,
    "ID": "a" * 25,
    "Name": "/web",
    "Names": ["/web"],
    "Created": "2026-01-01T00:00:00Z",
    "CreatedAt": "2026-01-01T00:00:00Z",
    "State": {"Status": "running", "ExitCode": 0, "Health": {"Status": "healthy", "Log": []}},
    "Status": {"State": "running", "Addr": "10.0.0.1", "ContainerStatus": {"ContainerID": "b"}},
    "Config": {"Labels": {"a": "b"}, "Image": "busybox", "Env": ["A=1"], "Healthcheck": {"Test": ["CMD"]}},
    "HostConfig": {"AutoRemove": False, "LogConfig": {"Type": "json-file"}},
    "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8"}]}, "Networks": {"bridge": {}}},
    "Ports": [{"PrivatePort": 80, "PublicPort": 8, "Type": "tcp", "IP": "0.0.0.0"}],
    "Mounts": [{"Type": "volume", "Name": "data"}],
    "Image": "sha256:" + "c" * 64,
    "RepoTags": ["web:1"],
    "RepoDigests": ["web@sha256:" + "d" * 64],
    "Size": 5,
    "RootFS": {"Layers": ["sha256:e"]},
    "Os": "linux",
    "Architecture": "amd64",
    "Labels": {"a": "b"},
    "Driver": "local",
    "Mountpoint": "/data",
    "Options": {},
    "UsageData": {"Size": 1, "RefCount": 1},
    "Scope": "local",
    "IPAM": {"Config": [{"Subnet": "10.0.0.0/24"}]},
    "Containers": {"f": {"Name": "web", "IPv4Address": "10.0.0.2/24"}},
    "Spec": {"Name": "web", "Labels": {}, "Role": "worker", "Mode": {"Replicated": {"Replicas": 1}}, "Data": "eA=="},
    "Description": {"Hostname": "one", "Engine": {"Labels": {}}},
    "ManagerStatus": {"Leader": True},
    "Version": {"Index": 1},
    "Endpoint": {"Ports": []},
    "Enabled": True,
    "Settings": {"Env": []},
    "Slot": 1,
    "NodeID": "n",
    "ServiceID": "s",
}
KINDS: list[type[Model]] = [Config, Container, Image, Network, Node, Plugin, Secret, Service, Task, Volume]


def places(facts: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in facts.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places(value, (*above, key))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_properties_survive_attributes_of_wrong_types(stubborn: Stubborn, kind: type[Model]) -> None:
    stubborn.answer = {}
    names = [name for name, value in inspect.getmembers(kind) if isinstance(value, property) and name[0] != "_"]
    told = 0
    with DockerClient(stubborn.host, timeout=(5, 2)) as client:
        collection = getattr(client, f"{kind.__name__.lower()}s")
        for place in places(FACTS):
            for value in VALUES[::STEP]:
                facts = copy.deepcopy(FACTS)
                inside = facts
                for key in place[:-1]:
                    inside = inside[key]
                inside[place[-1]] = value
                for name in names:
                    try:
                        getattr(kind(facts, client, collection), name)
                    except errors.StreamParseError as error:
                        told += f"{kind.__name__}." in str(error)
                    except errors.DockerException:
                        pass
    assert told, "no value was of a wrong type"


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", CALLS)
def test_calls_survive_missing_and_mistyped_attributes(stubborn: Stubborn, name: str) -> None:
    """The response is valid enough for the first request of a call, so it also reaches the code after the others."""
    with DockerClient(stubborn.host, timeout=(5, 2)) as client:
        for place, value in itertools.product(places(FACTS), (..., *VALUES[:: 2 * STEP])):
            facts = inside = copy.deepcopy({**FACTS, "ID": "a" * 64})
            for key in place[:-1]:
                inside = inside[key]
            if value is ...:
                del inside[place[-1]]
            else:
                inside[place[-1]] = value
            stubborn.answer = facts
            with contextlib.suppress(errors.DockerException):
                CALLS[name](client)


STAT = {"name": "f", "size": 1, "mode": 0o644, "mtime": "2026-01-01T00:00:00Z", "linkTarget": ""}
STAT_VALUES = [*VALUES, -1, 2**70, 1e308, "2026-13-01", {}]


@pytest.mark.parametrize("field", [*STAT, None])
@pytest.mark.parametrize("call", ["stat", "list_files", "copy_from", "read_bytes"])
def test_any_path_stat_ends_in_a_result_or_a_dockerkit_error(
    scripted: ScriptedEngine, tmp_path: Path, call: str, field: str | None
) -> None:
    with DockerClient(scripted.host) as client:
        container = Container({"Id": "a" * 64}, client)
        for value in STAT_VALUES:
            told = json.dumps(value if field is None else {**STAT, field: value}).encode()
            head = {"X-Docker-Container-Path-Stat": base64.b64encode(told).decode()}
            path = f"/containers/{'a' * 64}/archive"
            scripted.on("HEAD", path, Answer.empty(200, headers=head))
            scripted.on("GET", path, Answer.text("no archive", headers=head))
            arguments = (tmp_path,) if call == "copy_from" else ()
            with contextlib.suppress(errors.DockerException):
                getattr(container, call)("/f", *arguments)


def test_names_that_are_not_utf_8_are_sent_as_their_bytes(scripted: ScriptedEngine) -> None:
    name = b"/\xff\xfe".decode("utf-8", "surrogateescape")
    scripted.on("HEAD", "/containers/a/archive", Answer.empty(404))
    with DockerClient(scripted.host) as client:
        with pytest.raises(errors.NotFound):
            client.api.stat_archive("a", name)
        assert scripted.requests[-1].target.endswith("?path=%2F%FF%FE")
        with pytest.raises(errors.InvalidArgument, match="path"):
            client.api.stat_archive("a", "\ud800")
