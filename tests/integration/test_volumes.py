"""Volumes: calls, objects, and their files."""

from __future__ import annotations

import io
import tarfile

import pytest

from dockerkit.errors import APIError, Conflict, InvalidArgument, InvalidVersion, NotFound, NullResource, UnsafeArchive
from dockerkit.models.volume_files import VolumeEntry


@pytest.fixture
def volume(client, unique, labels):
    with client.volumes.create(unique("vol"), labels=labels) as volume:
        yield volume


class TestCalls:
    def test_life_cycle(self, api, unique, labels):
        name = unique("vol")
        made = api.create_volume(name, driver="local", labels=labels)
        assert (made["Name"], made["Driver"], made["Labels"]) == (name, "local", labels)
        assert api.create_volume(name)["CreatedAt"] == made["CreatedAt"]
        assert api.inspect_volume(made)["Mountpoint"] == made["Mountpoint"]
        assert name in {one["Name"] for one in api.volumes()["Volumes"]}
        assert api.remove_volume(name) is None
        with pytest.raises(NotFound):
            api.inspect_volume(name)

    def test_without_a_name_and_with_options(self, api, labels):
        options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
        made = api.create_volume(driver_opts=options, labels=labels)
        assert len(made["Name"]) == 64
        assert api.inspect_volume(made["Name"])["Options"] == options
        api.remove_volume(made["Name"], force=True)
        api.remove_volume(made["Name"], force=True)

    def test_filters(self, api, unique, labels):
        mark = unique("mark")
        names = {unique("vol"), unique("vol")}
        for name in names:
            api.create_volume(name, labels={**labels, mark: "1"})
        for filters in (
            {"label": mark},
            {"label": [f"{mark}=1"], "dangling": True},
            {"label": mark, "driver": "local"},
        ):
            assert {one["Name"] for one in api.volumes(filters)["Volumes"]} == names
        one = names.pop()
        assert one in {found["Name"] for found in api.volumes({"name": one})["Volumes"]}
        assert not api.volumes({"label": mark, "dangling": False})["Volumes"]
        with pytest.raises(InvalidArgument, match="'color' is not a filter"):
            api.volumes({"color": "red"})

    def test_errors(self, api, box, unique, labels):
        name = unique("vol")
        api.create_volume(name, labels=labels)
        container = box(start=False, host_config=api.create_host_config(binds=[f"{name}:/data"]))
        with pytest.raises(Conflict):
            api.remove_volume(name)
        api.remove_container(container)
        api.remove_volume(name)
        with pytest.raises(NotFound):
            api.remove_volume(name)
        for nothing in ("", {}, {"Name": ""}):
            with pytest.raises(NullResource):
                api.inspect_volume(nothing)
        with pytest.raises(InvalidArgument, match="driver_opts"):
            api.create_volume(name, driver_opts="size=1m")
        with pytest.raises(InvalidArgument, match="labels"):
            api.create_volume(name, labels="a")
        with pytest.raises(APIError):
            api.create_volume(name, driver="no-such-driver")

    def test_prune(self, api, unique, labels):
        mark = unique("mark")
        name = unique("vol")
        anonymous = api.create_volume(labels={**labels, mark: ""})["Name"]
        api.create_volume(name, labels={**labels, mark: ""})
        named_too = not api.supports("POST /volumes/prune", "filters.all")
        pruned = api.prune_volumes({"label": mark})
        assert set(pruned["VolumesDeleted"]) == ({anonymous, name} if named_too else {anonymous})
        if not named_too:
            assert api.prune_volumes({"label": mark, "all": True})["VolumesDeleted"] == [name]
        assert not api.prune_volumes({"label": mark})["VolumesDeleted"]

    def test_only_cluster_volumes_can_be_updated(self, api, unique, labels):
        name = api.create_volume(unique("vol"), labels=labels)["Name"]
        with pytest.raises(APIError if api.supports("PUT /volumes/{name}") else InvalidVersion):
            api.update_volume(name, 1, {"Availability": "drain"})
        api.remove_volume(name)


class TestObjects:
    def test_create_get_list_remove(self, client, volume, labels):
        assert client.volumes.get(volume.name) == volume
        assert volume in client.volumes.list(filters={"name": volume.name})
        assert (volume.driver, volume.labels, volume.options) == ("local", labels, {})
        assert volume.mountpoint.startswith("/")
        assert volume.version is None
        volume.remove()
        with pytest.raises(NotFound):
            volume.reload()

    def test_list_is_one_request(self, client, volume, requests_of):
        with requests_of(client) as sent:
            found = next(one for one in client.volumes.list() if one == volume)
            assert found.name == volume.name
            assert found.driver == "local"
            repr(found)
        assert sent == ["GET /volumes"]

    def test_prune_all(self, client, unique, labels):
        mark = unique("mark")
        volume = client.volumes.create(unique("vol"), labels={**labels, mark: ""})
        assert client.volumes.prune({"label": mark}, all=True)["VolumesDeleted"] == [volume.name]

    def test_usage(self, client, volume):
        with volume.files() as files:
            files.write("data", b"x" * 5000)
        usage = volume.usage()
        assert usage["Size"] >= 5000
        assert usage["RefCount"] == 0

    def test_local_volume_cannot_be_updated(self, volume):
        with pytest.raises(InvalidArgument, match="cluster"):
            volume.update(availability="drain")


def archive_of(contents):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size, member.uid, member.gid, member.mode, member.mtime = len(content), 12, 34, 0o640, 1_600_000_000
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class TestFiles:
    def test_write_read_list_stat(self, volume):
        with volume.files() as files:
            files.write("etc/app.conf", "größe = 1", mode=0o600, uid=7, gid=8)
            files.write("/empty", b"")
            assert files.read("etc/app.conf") == "größe = 1".encode()
            assert files.read_text("/etc/app.conf") == "größe = 1"
            assert files.read("empty") == b""
            assert {one.path: one.kind for one in files.list()} == {
                "etc": "folder",
                "etc/app.conf": "file",
                "empty": "file",
            }
            (entry,) = files.list("etc")
            assert entry == VolumeEntry("app.conf", "file", 11, 0o600, entry.mtime, 7, 8)
            assert files.stat("etc/app.conf").size == 11
            assert files.exists("/etc/app.conf") and not files.exists("nothing")
            with pytest.raises(NotFound):
                files.stat("nothing")

    def test_read_rejects_folders_and_large_files(self, volume):
        with volume.files() as files:
            files.write("a/b", "0123456789")
            with pytest.raises(NotFound):
                files.read("nothing")
            with pytest.raises(InvalidArgument, match="is a directory"):
                files.read("a")
            with pytest.raises(UnsafeArchive, match="max_bytes"):
                files.read("a/b", max_bytes=9)
            assert files.read("a/b", max_bytes=10) == b"0123456789"
            with pytest.raises(InvalidArgument, match=r"\.\."):
                files.read("../etc/passwd")
        with pytest.raises(InvalidArgument, match="closed"):
            files.read("a/b")

    def test_links_are_followed_inside_the_volume(self, volume):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, target in (("near", "a/b"), ("a/up", "../a/b"), ("out", "/etc/passwd"), ("gone", "missing")):
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE, target
                tar.addfile(member)
        with volume.files() as files:
            files.write("a/b", "content")
            files.extract(archive.getvalue())
            assert files.read("near") == files.read("a/up") == b"content"
            with pytest.raises(InvalidArgument, match="points outside"):
                files.read("out")
            with pytest.raises(NotFound):
                files.read("gone")

    def test_containers_see_the_same_files(self, client, api, volume, box):
        with volume.files() as files:
            files.write("question", "6*7")
        box(
            ["sh", "-c", "echo $(( $(cat /data/question) )) > /data/answer"],
            host_config=api.create_host_config(binds=[f"{volume.name}:/data"]),
            name=f"{volume.name}-box",
        )
        api.wait(f"{volume.name}-box")
        with volume.files() as files:
            assert files.read_text("answer") == "42\n"

    def test_backup_and_restore(self, client, volume, unique, labels, tmp_path):
        content = {"a": b"1", "folder/b": b"22" * 100_000}
        volume.restore(archive_of(content))
        target = tmp_path / "backup.tar"
        assert volume.backup(target) == target.stat().st_size
        assert [path.name for path in tmp_path.iterdir()] == ["backup.tar"]
        with tarfile.open(target) as tar:
            owned = {
                one.name.removeprefix("./"): (one.uid, one.gid, one.mode & 0o7777, one.mtime)
                for one in tar
                if one.isreg()
            }
        assert owned == dict.fromkeys(content, (12, 34, 0o640, 1_600_000_000))
        with client.volumes.create(unique("vol"), labels=labels) as other:
            other.restore(target)
            with other.files() as files:
                assert {path: files.read(path) for path in content} == content
        buffer = io.BytesIO()
        volume.backup(buffer)
        assert buffer.getvalue() == target.read_bytes()

    def test_failed_backup_leaves_nothing(self, client, volume, tmp_path, monkeypatch):
        def broken(*_):
            raise ConnectionError("cut")

        monkeypatch.setattr("dockerkit.streams.ByteStream.__next__", broken)
        with pytest.raises(ConnectionError, match="cut"):
            volume.backup(tmp_path / "backup.tar")
        assert not list(tmp_path.iterdir())

    def test_clone(self, client, volume, unique):
        volume.restore(archive_of({"x/y": b"z"}))
        name = unique("vol")
        with volume.clone(name) as twin:
            assert (twin.name, twin.labels) == (name, volume.labels)
            with twin.files() as files:
                assert files.read("x/y") == b"z"
                assert {(one.path, one.uid) for one in files.list() if one.kind == "file"} == {("x/y", 12)}
            with pytest.raises(InvalidArgument, match=name):
                volume.clone(name)

    def test_volume_files_leave_nothing_behind(self, client, volume):
        def there():
            ours = {"label": "dockerkit.helper=volume"}
            found = client.api.images(all=True, filters=ours), client.api.containers(all=True, filters=ours)
            return {one["Id"] for kind in found for one in kind}

        before = there()
        with volume.files() as files:
            files.write("a", "b")
            assert len(there() - before) == 2
        with pytest.raises(NotFound), volume.files() as files:
            files.read("nothing")
        with pytest.raises(APIError):
            client.volumes.prepare_model({"Name": "not/a/name"}).files()
        assert there() == before


def test_volumes_have_the_file_methods_of_containers(client, unique, labels):
    with client.volumes.create(unique("volume"), labels=labels) as volume:
        volume.write_file("/conf/app.ini", "a=1", mode=0o600, owner=(5, 6))
        assert (volume.read_bytes("conf/app.ini"), volume.read_text("/conf/app.ini")) == (b"a=1", "a=1")
        assert (volume.exists("/conf"), volume.exists("/other")) == (True, False)
        assert [file.path for file in volume.list_files()] == ["/conf"]
        (file,) = [file for file in volume.list_files(recursive=True) if not file.is_dir]
        assert (file.path, file.size, file.uid, file.gid) == ("/conf/app.ini", 3, 5, 6)
        assert (volume.stat("/conf/app.ini").path, volume.stat("/").is_dir) == ("/conf/app.ini", True)
        assert volume.stat("/conf/app.ini").mtime.year > 2000


def test_containers_and_images_have_exists(client, busybox, labels):
    container = client.containers.create(busybox, labels=labels)
    for holder in (container, client.images.get(busybox)):
        assert (holder.exists("/bin"), holder.exists("/nothing")) == (True, False)
        assert holder.stat("/bin").is_dir
    container.remove()
    with pytest.raises(NotFound):
        container.exists("/bin")


def test_networks_and_volumes_are_ensured(client, unique, labels):
    name = unique("ensured")
    network = client.networks.ensure(name, labels=labels, internal=True)
    assert network.ensured.action == "created"
    assert client.networks.ensure(name, labels=labels, internal=True, driver="bridge").ensured.action == "unchanged"
    with pytest.raises(Conflict, match="Internal: True instead of False"):
        client.networks.ensure(name, internal=False)
    replaced = client.networks.ensure(name, labels=labels, internal=False, replace=True)
    assert (replaced.ensured.action, replaced.id != network.id) == ("replaced", True)
    replaced.remove()
    assert client.volumes.ensure(name, labels=labels).ensured.action == "created"
    volume = client.volumes.ensure(name, labels=labels)
    assert volume.ensured.action == "unchanged"
    with pytest.raises(Conflict, match="Labels.more was not set"):
        client.volumes.ensure(name, labels={"more": "1"})
    volume.remove()
