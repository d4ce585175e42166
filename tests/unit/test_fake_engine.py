"""The fake engine, used through a client."""

from __future__ import annotations

import contextlib
import io
import tarfile
import threading
import time

import pytest

from dockerkit import DockerClient, errors
from dockerkit.testing import FakeEngine


@pytest.fixture
def engine():
    with FakeEngine() as engine:
        engine.add_image("alpine", labels={"kind": "base"})
        yield engine


@pytest.fixture
def client(engine):
    with DockerClient(engine.host) as client:
        yield client


def test_run_gives_the_scripted_output(engine, client):
    engine.when("alpine", ["echo", "hi"], stdout="hi\n")
    assert client.containers.run("alpine", ["echo", "hi"]) == b"hi\n"
    assert client.containers.run("alpine", ["echo", "hi"], remove=True) == b"hi\n"
    assert len(client.containers.list(all=True)) == 1


def test_run_raises_for_a_scripted_exit_code(engine, client):
    engine.when(command="false", exit_code=3, stderr="no\n")
    with pytest.raises(errors.ContainerError) as caught:
        client.containers.run("alpine", "false")
    assert caught.value.exit_status == 3
    assert caught.value.stderr == b"no\n"


def test_container_lifecycle(engine, client):
    engine.when("alpine", "serve", stdout="ready\n", seconds=None)
    container = client.containers.run(
        "alpine", "serve", detach=True, name="web", labels={"a": "b"}, ports={"80/tcp": 8080}, environment={"X": "1"}
    )
    assert (container.name, container.labels) == ("web", {"kind": "base", "a": "b"})
    container.reload()
    assert container.status == "running"
    assert container.ports["80/tcp"][0]["HostPort"] == "8080"
    assert "X=1" in container.attrs["Config"]["Env"]
    assert client.containers.list(filters={"label": "a=b"}) == [container]
    assert client.containers.list(filters={"label": "a=c"}) == []
    with pytest.raises(errors.Conflict):
        client.containers.create("alpine", name="web")
    with pytest.raises(errors.Conflict):
        container.remove()
    container.pause()
    container.unpause()
    container.stop()
    assert container.wait()["StatusCode"] == 143
    assert container.logs() == b"ready\n"
    container.rename("old")
    container.remove()
    with pytest.raises(errors.NotFound):
        client.containers.get("old")


def test_images_are_pulled_tagged_and_removed(engine, client):
    with pytest.raises(errors.ImageNotFound):
        client.images.get("busybox")
    image = client.images.pull("busybox", tag="1.36")
    assert image.tags == ["busybox:1.36"]
    assert image.tag("mine", "x")
    assert sorted(client.images.get("mine:x").tags) == ["busybox:1.36", "mine:x"]
    client.images.push("mine", tag="x")
    with pytest.raises(errors.NotFound):
        client.images.push("mine", tag="y")
    client.images.remove("mine:x")
    client.images.remove("busybox:1.36")
    engine.refuse_pull("secret")
    with pytest.raises(errors.NotFound):
        client.images.pull("secret")


def test_exec_with_output_code_and_input(engine, client):
    engine.when(seconds=None)
    engine.when_exec("cat", program=lambda process: process.write(process.stdin.read().upper()))
    engine.when_exec(["sh", "-c", "ls"], stdout="out", stderr="err", exit_code=2)
    container = client.containers.run("alpine", detach=True)
    result = container.exec_run(["sh", "-c", "ls"], demux=True)
    assert result.exit_code == 2
    assert result.output == (b"out", b"err")
    exec_id = client.api.exec_create(container.id, "cat", stdin=True)["Id"]
    with client.api.exec_start(exec_id, socket=True) as sock:
        sock.sendall(b"hello")
        sock.close_write()
        assert sock.read().endswith(b"HELLO")
    assert client.api.exec_inspect(exec_id)["ExitCode"] == 0


def test_logs_are_followed(engine, client):
    def count(process):
        for number in range(3):
            process.write(f"{number}\n")
            process.sleep(0.01)

    engine.when(program=count)
    container = client.containers.run("alpine", detach=True)
    assert b"".join(container.logs(stream=True, follow=True)) == b"0\n1\n2\n"
    assert container.logs(tail=1) == b"2\n"


def test_networks_and_volumes(engine, client):
    network = client.networks.create("net", labels={"a": "b"})
    container = client.containers.create("alpine", network="net")
    assert client.networks.get("net").attrs["Containers"].keys() == {container.id}
    for name_or_id in ("net", network.id):
        assert client.containers.list(all=True, filters={"network": name_or_id}) == [container]
    with pytest.raises(errors.Forbidden):
        network.remove()
    network.disconnect(container)
    network.remove()
    assert {network.name for network in client.networks.list()} == {"bridge", "host", "none"}
    volume = client.volumes.create("data")
    assert client.volumes.get("data") == volume
    volume.remove()
    with pytest.raises(errors.NotFound):
        client.volumes.get("data")


def test_events_come_as_things_happen(engine, client):
    with client.events(decode=True, filters={"type": "container"}) as events:
        container = client.containers.run("alpine", detach=True)
        container.wait()
        seen = []
        for event in events:
            seen.append(event["Action"])
            if event["Action"] == "die":
                break
    assert seen == ["create", "start", "die"]


def test_uploaded_files_can_be_downloaded(engine, client):
    container = client.containers.create("alpine")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    assert container.put_archive("/data", buffer.getvalue())
    blocks, stat = container.get_archive("/data/a.txt")
    assert (stat["name"], stat["size"]) == ("a.txt", 3)
    with tarfile.open(fileobj=io.BytesIO(b"".join(blocks))) as archive:
        assert archive.extractfile("a.txt").read() == b"abc"
    with pytest.raises(errors.NotFound):
        container.get_archive("/nowhere")


def test_build_makes_an_image(engine, client):
    image, log = client.images.build(fileobj=io.BytesIO(b"FROM alpine\nRUN true\n"), tag="built")
    assert "built:latest" in image.tags
    assert any("Step 2/2" in str(record.get("stream")) for record in log)


def test_images_are_saved_and_loaded(engine, client, tmp_path):
    engine.add_image("mine:1")
    client.images.save(["alpine", "mine:1"], tmp_path / "images.tar")
    client.images.remove("mine:1")
    loaded = client.images.load(tmp_path / "images.tar")
    assert sorted(tag for image in loaded for tag in image.tags) == ["alpine:latest", "mine:1"]
    assert b"".join(client.images.get("mine:1").save(named=True))


def test_failures_are_injected(engine, client):
    engine.fail("POST", "/containers/create", 500, "disk full")
    with pytest.raises(errors.ServerError, match="disk full"):
        client.containers.create("alpine")
    assert client.containers.create("alpine")


def test_unsupported_calls_raise_not_implemented(client):
    with pytest.raises(errors.NotImplementedByEngine, match="fake engine"):
        client.api.inspect_swarm()


def test_system(engine, client):
    assert client.ping()
    assert client.version()["ApiVersion"] == client.api.api_version == "1.51"
    assert client.info()["Images"] == 1
    assert client.df()["LayersSize"] == 4096
    assert ("GET", "/info") in engine.requests


@pytest.mark.parametrize("tcp", [True, False])
def test_close_ends_everything(tcp):
    before = threading.active_count()
    engine = FakeEngine(tcp=tcp, api_version="1.41")
    engine.add_image("alpine")
    engine.when(seconds=None)
    with DockerClient(engine.host) as client:
        container = client.containers.run("alpine", detach=True)
        stream = container.logs(stream=True, follow=True)
        ended = []

        def follow():
            with contextlib.suppress(errors.StreamTruncated):
                list(stream)
            ended.append(True)

        follower = threading.Thread(target=follow)
        follower.start()
        engine.close()
        follower.join(5)
        assert ended
    for _ in range(200):  # the thread that created the container waits a moment for another call
        if threading.active_count() <= before:
            break
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_files_are_listed_by_folder(engine, client):
    container = client.containers.create("alpine")
    container.copy_to({"a.txt": "a", "sub/b.txt": "b"}, "/")
    assert [file.path for file in container.list_files("/")] == ["/a.txt"]
    assert [file.path for file in container.list_files("/", recursive=True)] == ["/a.txt", "/sub/b.txt"]
    assert [file.path for file in container.list_files("/sub")] == ["/sub/b.txt"]


def test_rules_of_an_engine_are_enforced(engine, client):
    engine.when(seconds=None)
    container = client.containers.run("alpine", detach=True, name="web")
    container.start()  # again: nothing changes
    network = client.networks.create("net")
    network.connect(container)
    cases = [
        (errors.Conflict, "is not running", lambda: client.containers.create("alpine").exec_run("x")),
        (errors.BadRequest, "Invalid container name", lambda: client.containers.create("alpine", name="-")),
        (errors.Conflict, "already exists", lambda: client.networks.create("net")),
        (errors.Forbidden, "already exists in network", lambda: network.connect(container)),
        (errors.Forbidden, "pre-defined network", lambda: client.networks.get("bridge").remove()),
        (errors.Conflict, "already in use", lambda: client.containers.create("alpine").rename("web")),
        (errors.NotFound, "No such exec instance", lambda: client.api.exec_inspect("nothing")),
        (errors.BadRequest, "invalid filter 'volume'", lambda: client.containers.list(filters={"volume": "data"})),
        (errors.BadRequest, "holds no images", lambda: client.images.load(b"not a tar archive")),
    ]
    for error, message, call in cases:
        with pytest.raises(error, match=message):
            call()
    network.disconnect(container)
    with pytest.raises(errors.Forbidden, match="is not connected to network"):
        network.disconnect(container)


def test_exec_is_started_only_once(engine, client):
    engine.when(seconds=None)
    container = client.containers.run("alpine", detach=True)
    exec_id = client.api.exec_create(container.id, ["true"])["Id"]
    assert client.api.exec_start(exec_id, detach=True) == ""
    with pytest.raises(errors.Conflict, match="started already"):
        client.api.exec_start(exec_id)


def test_image_in_use_is_removed_only_by_force(engine, client):
    container = client.containers.create("alpine")
    with pytest.raises(errors.Conflict):
        client.images.remove("alpine")
    image = container.commit("mine", tag="1")
    assert image.tags == ["mine:1"]
    client.images.remove("alpine", force=True)
    assert [item.tags for item in client.images.list()] == [["mine:1"]]


def test_prune_removes_what_is_unused(engine, client):
    engine.when(seconds=None)
    running = client.containers.run("alpine", detach=True, labels={"a": "1"})
    stopped = client.containers.create("alpine", labels={"a": "1"})
    client.networks.create("used").connect(running)
    client.networks.create("unused")
    assert client.containers.prune({"label": ["a=2"]})["ContainersDeleted"] in (None, [])
    assert client.containers.prune({"label": ["a=1"]})["ContainersDeleted"] == [stopped.id]
    assert client.networks.prune()["NetworksDeleted"] == ["unused"]
    engine.add_image("alpine:old")
    engine.add_image("alpine:old")  # takes the name from the first one
    assert len(client.images.prune({"dangling": True})["ImagesDeleted"]) == 1


def test_events_are_filtered(engine, client):
    container = client.containers.create("alpine", name="web", labels={"a": "1"})
    client.containers.create("alpine", name="other")
    client.networks.create("net")
    until = int(time.time()) + 1

    def found(**filters):
        return [event["Actor"]["Attributes"].get("name") for event in client.events(0, until, filters, decode=True)]

    assert found(event="create") == ["web", "other", "net"]
    assert found(type="network") == ["net"]
    assert found(label="a") == found(label="a=1") == ["web"]
    assert found(label="a=2") == []
    assert found(container=container.id) == found(container="web") == ["web"]
    assert found(image="alpine", event="create") == ["web", "other"]
    assert found(image="busybox") == []


def test_updates_changes_and_statistics(engine, client):
    engine.when(seconds=None)
    container = client.containers.run("alpine", detach=True)
    container.update(mem_limit="64m")
    container.reload()
    assert container.attrs["HostConfig"]["Memory"] == 64 * 2**20
    assert client.api.diff(container.id) in (None, [])
    container.copy_to({"new": "x"}, "/")
    assert [change["Path"] for change in container.diff()] == ["/new"]
    container.restart()
    with container.stats(decode=True) as records:
        first, second = next(records), next(records)
    assert first["read"] <= second["read"]


def test_version_of_engine_29_reports_less(engine):
    with FakeEngine(api_version="1.52") as new, DockerClient(new.host) as client:
        new.add_image("alpine")
        container = client.containers.create("alpine")
        assert "GraphDriver" not in container.attrs
        assert client.networks.get("bridge").attrs["Status"]["IPAM"]
        (listed,) = client.api.containers(all=True)
        assert listed["Health"]["Status"] == "none"
        with DockerClient(new.host, version="1.39") as old:
            with pytest.raises(errors.DockerException, match=r"1\.40"):
                old.containers.list()
        assert client.containers.list(all=True, filters={"health": "none"}) == [container]
