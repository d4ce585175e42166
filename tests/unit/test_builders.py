"""Builders: inspecting BuildKit, its history and logs, building elsewhere, and options that a BuildKit lacks."""

# Messages of protobuf are made at run time.
# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import test_buildkit_build
from buildkit_engine import Peer
from test_buildkit_build import vertex

from dockerkit import APIClient, DockerClient, TLSConfig, errors
from dockerkit.aio import AsyncDockerClient
from dockerkit.builder.buildkit import build, services
from dockerkit.builder.buildkit import messages as m
from dockerkit.builder.buildkit.call import RpcCall
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.builder.buildkit.remote import BuildKitHost
from dockerkit.builder.buildkit.sources import named_contexts, source_of
from dockerkit.builder.buildkit.tree import Files, Folder, walk
from dockerkit.errors import BuildKitUnavailable, InvalidArgument, UnreadableFile
from dockerkit.testing import FakeEngine


class BuildKit(test_buildkit_build.FakeEngine):
    """A BuildKit with a version, platforms, labels, and a history; None for one that is too old to have any."""

    history: list[object] | None = None
    labels = {"org.mobyproject.buildkit.worker.snapshotter": "overlayfs"}
    failure: GrpcError | None = None

    def _control(self, call: RpcCall) -> None:
        method = call.path.rpartition("/")[2]
        if method == "ListenBuildHistory" and self.history is not None:
            assert m.HistoryRequest.FromString(call.receive()).early_exit
            if self.failure:
                raise self.failure
            for event in self.history:
                call.send(event.SerializeToString())
        elif method == "ListWorkers":
            call.receive()
            platforms = [m.Platform(os="linux", architecture=name) for name in ("amd64", "386", "amd64")]
            platforms.append(m.Platform(os="linux", architecture="arm", variant="v7"))
            workers = [m.Worker(id=name, platforms=platforms, labels=self.labels) for name in ("w1", "w2")]
            call.send(m.ListWorkersResponse(records=workers).SerializeToString())
        elif method == "Status" and self.failure:
            raise self.failure
        else:
            super()._control(call)

    def _info(self, call: RpcCall) -> None:
        call.send(m.InfoResponse(version=m.Version(version="v0.12.3")).SerializeToString())


@pytest.fixture
def buildkit(tmp_path: Path) -> Iterator[BuildKit]:
    fake = BuildKit(tmp_path / "buildkit.sock")
    yield fake
    fake.close()


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    with FakeEngine() as engine:
        yield engine


@pytest.fixture
def client(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerClient]:
    monkeypatch.delenv("BUILDKIT_HOST", raising=False)
    with DockerClient(engine.host) as client:
        yield client


# --- inspecting builders ---


def test_inspect_reports_version_workers_and_platforms(client: DockerClient, buildkit: BuildKit) -> None:
    for builder in (buildkit.host, BuildKitHost(buildkit.host)):
        info = client.builders.inspect(builder)
        assert info.version == "v0.12.3"
        assert info.platforms == ["linux/amd64", "linux/386", "linux/arm/v7"]
        assert [worker.id for worker in info.workers] == ["w1", "w2"]
        assert info.workers[0].labels == buildkit.labels
        assert info.workers[0].platforms == ("linux/amd64", "linux/386", "linux/arm/v7")


def test_buildkit_without_the_info_call_has_no_version(client: DockerClient, buildkit: BuildKit) -> None:
    buildkit.old = True
    assert client.builders.inspect(buildkit.host).version == ""


def test_list_shows_which_builders_can_be_used(
    client: DockerClient, buildkit: BuildKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders = client.builders
    assert [item.name for item in builders.list()] == ["buildkit", "classic"]
    monkeypatch.setenv("BUILDKIT_HOST", buildkit.host)
    found = {item.name: item for item in builders.list()}
    assert (found[buildkit.host].usable, found[buildkit.host].reason) == (True, "set in BUILDKIT_HOST")
    assert found["classic"].reason == ""
    monkeypatch.setenv("BUILDKIT_HOST", f"unix://{tmp_path}/nothing.sock")
    (missing, *_) = builders.list()
    assert not missing.usable and missing.reason.startswith(f"no BuildKit at unix://{tmp_path}/nothing.sock")
    assert repr(builders).startswith("<Builders of <DockerClient")


def test_history_lists_builds_newest_first(client: DockerClient, buildkit: BuildKit) -> None:
    def record(ref: str, seconds: int = 0, **more: Any) -> object:
        found = m.HistoryRecord(ref=ref, **more)
        if seconds:
            found.created_at.seconds, found.created_at.nanos = seconds, 5000
        return found

    running = record("new", 1700000000, num_total_steps=5, num_cached_steps=2, frontend_attrs={"target": "t"})
    failed = record("old", 1600000000)
    failed.completed_at.seconds = 1600000009
    failed.error.message = "exit code: 1"
    buildkit.history = [
        m.HistoryEvent(type=0, record=failed),
        m.HistoryEvent(type=1, record=record("unknown time")),
        m.HistoryEvent(type=0, record=running),
        m.HistoryEvent(type=2, record=record("deleted", 1800000000)),
    ]
    newest, old, unknown = client.builders.history(buildkit.host)
    assert (newest.id, newest.created, newest.completed, newest.error) == (
        "new",
        datetime.fromtimestamp(1700000000, UTC).replace(microsecond=5),
        None,
        None,
    )
    assert (newest.steps, newest.cached_steps, newest.options) == (5, 2, {"target": "t"})
    assert (old.completed, old.error) == (datetime.fromtimestamp(1600000009, UTC), "exit code: 1")
    assert unknown.created is None


def test_history_that_cannot_be_read_is_an_error(client: DockerClient, buildkit: BuildKit) -> None:
    with pytest.raises(BuildKitUnavailable, match="no build history; it requires Engine 23 or newer"):
        client.builders.history(buildkit.host)
    buildkit.history, buildkit.failure = [], GrpcError(13, "database is locked")
    with pytest.raises(errors.BuildError, match="database is locked"):
        client.builders.history(buildkit.host)


def test_log_of_a_recorded_build_is_returned(client: DockerClient, buildkit: BuildKit) -> None:
    buildkit.trace = [
        m.StatusResponse(vertexes=[vertex("a", "[1/1] RUN make", 1)]),
        m.StatusResponse(logs=[m.VertexLog(vertex="a", stream=1, msg=b"compiling\n")]),
        m.StatusResponse(vertexes=[vertex("a", "[1/1] RUN make", 1, 3)]),
    ]
    text = client.builders.logs("ref", buildkit.host)
    assert "RUN make" in text and "compiling\n" in text
    buildkit.failure = GrpcError(5, "no such job ref")
    with pytest.raises(errors.BuildError, match="no such job ref"):
        client.builders.logs("ref", buildkit.host)
    with pytest.raises(InvalidArgument, match="build: must be the ID of a build"):
        client.builders.logs("")


def test_classic_builder_has_neither_status_nor_history(client: DockerClient) -> None:
    for call in (client.builders.inspect, client.builders.history):
        with pytest.raises(InvalidArgument, match="got 'classic', which has no status and no history"):
            call("classic")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tcp://h:1/path",), "must not have a path"),
        (("unix:///x", TLSConfig()), r"tls requires a tcp:// address"),
        (("http://h",), r"builder: must be auto, classic, buildkit, tcp://host:port or unix:///path"),
        ((5,), "builder: must be auto"),
    ],
)
def test_rejects_invalid_addresses_of_builders(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        BuildKitHost(*arguments)


def test_port_without_buildkit_is_unavailable(client: DockerClient, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "x.sock"))
        with pytest.raises(BuildKitUnavailable, match="no BuildKit at unix://"):
            client.builders.inspect(f"unix://{tmp_path}/x.sock")


# --- building with another BuildKit ---


def image_archive(name: str) -> bytes:
    """Return an archive as of docker save."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        data = json.dumps([{"RepoTags": [name]}]).encode()
        member = tarfile.TarInfo("manifest.json")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def upload(request: Any, session: Peer) -> dict[str, str]:
    """Send the built image to the client, as BuildKit's exporter "docker" does."""
    number = session.start(services.OUTPUTS, [("buildkit-attachable-exporter-id", "0")])
    session.send(number, m.BytesMessage(data=image_archive("app:1")).SerializeToString(), end=True)
    while session.message(number) is not None:
        pass
    return {"containerimage.digest": "sha256:abc"}


def test_image_of_another_builder_is_loaded_into_the_engine(
    client: DockerClient, engine: FakeEngine, buildkit: BuildKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    buildkit.solve = upload
    image, log = client.images.build(fileobj="FROM scratch", tag="app:1", builder=buildkit.host)
    assert image.tags == ["app:1"]
    assert (log.builder, log.reason) == ("buildkit", "as requested")
    assert repr(log) == f"<BuildLog: {len(log.records)} records of the buildkit builder, as requested>"
    (request,) = buildkit.requests
    assert [(item.type, dict(item.attrs)) for item in request.exporters] == [
        ("docker", {"name": "docker.io/library/app:1"})
    ]
    monkeypatch.setenv("BUILDKIT_HOST", buildkit.host)
    for options in ({}, {"secrets": {"s": b"x"}}):
        image, log = client.images.build(fileobj="FROM scratch", tag="app:1", **options)
        assert log.reason == f"because BUILDKIT_HOST={buildkit.host}"
    result = client.images.buildkit(fileobj="FROM scratch", tag="app:1")
    assert result.image_id == client.images.get("app:1").id


def test_built_image_is_pushed_with_the_given_credentials(
    client: DockerClient, engine: FakeEngine, buildkit: BuildKit
) -> None:
    buildkit.solve = upload
    _, log = client.images.build(fileobj="FROM scratch", tag="app:1", builder=buildkit.host, push=True)
    assert len(log.pushed) == 1
    configs = {"https://index.docker.io/v1/": {"username": "u", "password": "p"}}
    _, log = client.images.build(
        fileobj="FROM scratch", tag="app:1", builder=buildkit.host, push=True, auth_configs=configs
    )
    assert engine.requests.count(("POST", "/images/app/push")) == 2
    with pytest.raises(InvalidArgument, match="push: requires tag"):
        client.images.build(fileobj="FROM scratch", builder=buildkit.host, push=True)


def test_output_without_an_image_is_no_image(client: DockerClient, buildkit: BuildKit, tmp_path: Path) -> None:
    options: dict[str, Any] = {"fileobj": "FROM scratch", "outputs": "type=cacheonly", "builder": buildkit.host}
    with pytest.raises(InvalidArgument, match="the build succeeded but created no image here"):
        client.images.build(**options)
    assert client.images.buildkit(**options).image_id is None
    with pytest.raises(InvalidArgument, match="tag: these outputs include no image; omit tag"):
        client.images.buildkit(tag="x", **options)


def test_several_platforms_cannot_be_loaded_from_another_builder(client: DockerClient, buildkit: BuildKit) -> None:
    with pytest.raises(InvalidArgument, match="platform: several can't be loaded into the engine"):
        client.images.build(fileobj="FROM x", platform=["linux/amd64", "linux/arm64"], builder=buildkit.host)
    assert not buildkit.requests


def test_output_that_was_not_sent_is_an_error(client: DockerClient, buildkit: BuildKit) -> None:
    with pytest.raises(errors.BuildError, match="these outputs were not sent: docker"):
        client.images.build(fileobj="FROM scratch", builder=buildkit.host)


def test_option_of_buildkit_is_refused_by_the_classic_builder(client: DockerClient) -> None:
    with pytest.raises(InvalidArgument, match="secrets: not supported by the classic builder; pass builder='buildkit'"):
        client.images.build(fileobj="FROM x", secrets={"a": b"b"}, builder="classic")


def test_classic_build_shows_the_transfer_of_its_context(client: DockerClient, engine: FakeEngine) -> None:
    engine.add_image("base")
    shown: list[Any] = []
    client.images.build(path={"Dockerfile": "FROM base\n", "a": "x" * 1000}, builder="classic", progress=shown.append)
    assert shown[-1].steps["context"].done
    assert shown[-1].steps["context"].name == "sending the context"


def test_asynchronous_client_builds_and_inspects(engine: FakeEngine, buildkit: BuildKit) -> None:
    async def use() -> None:
        async with AsyncDockerClient(engine.host) as client:
            info = await client.builders.inspect(buildkit.host)
            assert info.version == "v0.12.3"
            image, log = await client.images.build(fileobj="FROM scratch", tag="app:1", builder=buildkit.host)
            assert (image.tags, log.builder) == (["app:1"], "buildkit")

    buildkit.solve = upload
    asyncio.run(use())


# --- options ---


@pytest.fixture
def api(buildkit: BuildKit) -> Iterator[APIClient]:
    with APIClient(buildkit.host) as api:
        yield api


def test_gateway_of_the_host_is_the_one_that_the_builder_reports(buildkit: BuildKit, api: APIClient) -> None:
    buildkit.labels = {"org.mobyproject.buildkit.worker.moby.host-gateway-ip": "10.1.2.3"}
    build(api, fileobj="FROM x", extra_hosts={"host": "host-gateway", "other": "1.2.3.4"})
    assert buildkit.requests[0].frontend_attrs["add-hosts"] == "host=10.1.2.3,other=1.2.3.4"
    buildkit.labels = {}
    with pytest.raises(InvalidArgument, match="extra_hosts: this builder has no host-gateway; pass the address"):
        build(api, builder=BuildKitHost(buildkit.host), fileobj="FROM x", extra_hosts={"host": "host-gateway"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shmsize": "1m"}, "shmsize: not supported by this engine's BuildKit"),
        ({"contexts": {"x": "docker-image://y"}}, "contexts: not supported"),
        ({"nocache": ["stage"]}, "nocache: stages are not supported"),
        ({"path": "https://host/repo.git#main:folder", "fileobj": None}, "path: a folder of a repository"),
        ({"outputs": ["type=image", "type=tar,dest=/nowhere/x.tar"]}, "supports only one output"),
    ],
)
def test_options_that_an_old_buildkit_would_ignore_are_refused(
    buildkit: BuildKit, api: APIClient, options: dict[str, Any], message: str
) -> None:
    buildkit.old = True
    with pytest.raises(InvalidArgument, match=message):
        build(api, **{"fileobj": "FROM x", **options})
    assert not buildkit.requests


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "https://host/repo.git", "fileobj": "FROM x"}, "the engine fetches this context itself"),
        ({"path": {"Dockerfile": "FROM x"}, "fileobj": "FROM x", "dockerfile": "D"}, "either dockerfile or fileobj"),
        ({}, "path: must be a folder, a dict of files or a URL"),
        ({"path": {"a": "b"}}, r"'Dockerfile' is not among the files \['a'\]"),
        ({"path": {"Dockerfile": 5}}, "path: must be a folder, or a dict"),
        ({"fileobj": "FROM x", "path": "/etc/hostname"}, "'/etc/hostname' is not a folder"),
        ({"fileobj": 5}, "fileobj: must be a file, bytes or a string"),
        ({"transfer": "carrier pigeon", "fileobj": "FROM x"}, "transfer: must be 'sync' or 'tar'"),
        ({"transfer": "tar", "path": {"Dockerfile": ""}, "encoding": "zip"}, "encoding: must be gzip or bzip2"),
        ({"transfer": "tar", "path": "https://host/repo.git"}, "the engine fetches this context itself; omit transfer"),
        ({"fileobj": "FROM x", "cache_to": ["type=local,dest=/a", "type=local,dest=/b"]}, "at most one local folder"),
        ({"fileobj": "FROM x", "ssh": "default=/etc/hostname"}, "is not the socket of an agent; add key files"),
        ({"fileobj": "FROM x", "ssh": {"a": "/no/such/agent"}}, r"ssh\['a'\]: the agent's socket .* can't be used"),
        ({"fileobj": "FROM x", "ssh": True}, "no ssh agent found"),
    ],
)
def test_rejects_contradicting_and_invalid_options(
    buildkit: BuildKit, api: APIClient, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(InvalidArgument, match=message):
        build(api, **options)
    assert not buildkit.requests


def test_remote_context_is_passed_on_with_the_name_of_its_dockerfile(buildkit: BuildKit, api: APIClient) -> None:
    build(api, path="https://host/repo.git#main:folder", dockerfile="D")
    build(api, path="https://host/repo.git")
    named, plain = (dict(request.frontend_attrs) for request in buildkit.requests)
    assert (named["context"], named["filename"]) == ("https://host/repo.git#main:folder", "D")
    assert plain["context"] == "https://host/repo.git" and "filename" not in plain


def test_named_contexts_are_images_urls_folders_or_files(
    buildkit: BuildKit, api: APIClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: dict[str, Any] = {"base": "docker-image://alpine", "repo": "https://host/x.git", "dir": tmp_path}
    source = named_contexts({**contexts, "files": {"a": "b"}})
    assert source.attrs == {
        "context:base": "docker-image://alpine",
        "context:repo": "https://host/x.git",
        "context:dir": "local:named-dir",
        "context:files": "local:named-files",
    }
    assert [path for path, _ in walk(source.trees["named-files"])] == ["a"]
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        build(api, fileobj="FROM x", ssh=True, contexts=contexts, buildargs={"BUILDKIT_INLINE_CACHE": "1"})
    (request,) = buildkit.requests
    assert request.frontend_attrs["context:base"] == "docker-image://alpine"
    assert [item.type for item in request.cache.exports] == ["inline"]


# --- the files of a context ---


def test_dict_of_files_may_contain_files_and_folders_on_disk(tmp_path: Path) -> None:
    (tmp_path / "src/sub").mkdir(parents=True)
    (tmp_path / "src/sub/code.py").write_text("x")
    (tmp_path / "Dockerfile.real").write_text("FROM y")
    (tmp_path / "ignored").write_text("*.log")
    spec = {
        "Dockerfile": tmp_path / "Dockerfile.real",
        "Dockerfile.dockerignore": tmp_path / "ignored",
        "lib/src": tmp_path / "src",
        "a.txt": b"bytes",
    }
    source = source_of(spec)
    found = dict(walk(source.trees["context"]))
    assert list(found) == [
        "Dockerfile", "Dockerfile.dockerignore", "a.txt", "lib", "lib/src", "lib/src/sub", "lib/src/sub/code.py",
    ]  # fmt: skip
    tree = source.trees["context"]
    code, folder = tree.item("lib/src/sub/code.py"), tree.item("lib/src")
    assert code is not None and code.size == 1
    assert folder is not None and folder.name == "src"
    assert tree.item("lib/nothing") is None and tree.item("lib/src/nothing") is None
    assert source.dockerfile == "FROM y"
    assert {path for path, _ in walk(source.trees["dockerfile"])} == {"Dockerfile", "Dockerfile.dockerignore"}
    with pytest.raises(UnreadableFile, match="does not exist"):
        Files({"a": tmp_path / "missing"})


def test_folder_that_disappears_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="gone"):
        Folder(str(tmp_path / "gone")).items("")
    with pytest.raises(UnreadableFile):
        Folder(str(tmp_path)).item("n" * 300)


def test_names_with_wildcards_include_what_they_match(tmp_path: Path) -> None:
    for name in ("a/x/deep.py", "a/y.py", "b/x/deep.py", "c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def paths(*names: str) -> list[str]:
        return [path for path, item in walk(Folder(str(tmp_path)), follow=names)]

    assert paths("**/deep.py") == ["a", "a/x", "a/x/deep.py", "b", "b/x", "b/x/deep.py"]
    assert paths("*/x/deep.py") == ["a", "a/x", "a/x/deep.py", "b", "b/x", "b/x/deep.py"]
    assert paths("c.py/*") == [] and paths("nothing/*") == []
    assert paths("a/*.py") == ["a", "a/y.py"]


def test_archived_context_is_sent_as_one_upload(buildkit: BuildKit, api: APIClient, tmp_path: Path) -> None:
    received: list[bytes] = []

    def solve(request: Any, session: Peer) -> dict[str, str]:
        number = session.start(services.UPLOAD)
        session.end(number)
        content = b""
        while (message := session.message(number)) is not None:
            content += m.BytesMessage.FromString(message).data
        received.append(content)
        return {}

    buildkit.solve = solve
    (tmp_path / "Dockerfile").write_text("FROM x")
    build(api, path=str(tmp_path), transfer="tar")
    build(api, fileobj=io.BytesIO(image_archive("x")), custom_context=True)
    with tarfile.open(fileobj=io.BytesIO(received[0])) as archive:
        assert "Dockerfile" in archive.getnames()
    assert received[1] == image_archive("x")
    assert os.path.basename(buildkit.requests[0].frontend_attrs["context"])
