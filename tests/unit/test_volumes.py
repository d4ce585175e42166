"""Volumes: their files, backups and clones, through a helper container that serves a local folder."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from folder_container import FolderContainer
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.models.volumes import Volume

HELPER = "f" * 64


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The volume's root, in the helper container."""
    root = tmp_path / "helper" / "volume"
    root.mkdir(parents=True)
    return root


@pytest.fixture
def volume(scripted: ScriptedEngine, root: Path) -> Iterator[Volume]:
    FolderContainer(scripted, HELPER, root.parent)
    scripted.on("POST", "/images/create", Answer.chunked([b'{"status":"sha256:helper"}\n']))
    scripted.on("POST", "/containers/create", Answer.json({"Id": HELPER, "Warnings": []}, 201))
    scripted.on("DELETE", f"/containers/{HELPER}", Answer.empty())
    scripted.on("DELETE", "/images/sha256:helper", Answer.json([]))
    attrs = {"Name": "data", "Driver": "local", "Options": {"o": "x"}, "Labels": {"a": "b"}}
    with DockerClient(scripted.host, version="1.51") as client:
        yield client.volumes.prepare_model(attrs)


def cleaned_up(scripted: ScriptedEngine) -> bool:
    """Return whether the last requests removed the helper container and its image."""
    return [item.path for item in scripted.requests[-2:]] == [f"/containers/{HELPER}", "/images/sha256:helper"]


def test_files_are_written_read_and_listed(scripted: ScriptedEngine, volume: Volume, root: Path) -> None:
    with volume.files() as files:
        files.write("a/b.txt", "text", mode=0o600)
        files.write_file("/c", b"\xff", owner=(5, 6))
        os.symlink("c", root / "link")
        os.mkfifo(root / "pipe")
        assert files.read("a/b.txt") == b"text"
        assert files.read_bytes("link") == b"\xff"
        listed = {entry.path: entry for entry in files.list()}
        assert {path: entry.kind for path, entry in listed.items()} == {
            "a": "folder",
            "a/b.txt": "file",
            "c": "file",
            "link": "link",
            "pipe": "other",
        }
        assert (listed["a/b.txt"].size, listed["a/b.txt"].mode, listed["link"].link) == (4, 0o600, "c")
        assert [entry.path for entry in files.list("a")] == ["b.txt"]
        with pytest.raises(errors.InvalidArgument, match=r"has '..' in it"):
            files.read("../etc/passwd")
        with pytest.raises(errors.UnsafeArchive):
            files.read("a/b.txt", max_bytes=3)
    assert cleaned_up(scripted)
    with pytest.raises(errors.InvalidArgument, match="these files are closed; call volume.files"):
        files.read("c")
    created = next(item.json() for item in scripted.requests if item.path == "/containers/create")
    assert created["HostConfig"]["Binds"] == ["data:/volume"]


def test_methods_of_the_volume_open_and_close_its_files(scripted: ScriptedEngine, volume: Volume, root: Path) -> None:
    volume.write_file("sub/f", "x", mode=0o640)
    assert cleaned_up(scripted)
    assert volume.read_text("sub/f") == "x"
    assert [file.path for file in volume.list_files("sub")] == ["/sub/f"]
    assert volume.stat("sub/f").path == "/sub/f"
    assert volume.exists("sub") and not volume.exists("other")
    assert cleaned_up(scripted)
    os.symlink("/etc/passwd", root / "evil")
    with pytest.raises(errors.InvalidArgument, match="points outside"):
        volume.read_bytes("evil")


def test_backup_and_restore_keep_all_files(volume: Volume, root: Path, tmp_path: Path) -> None:
    (root / "sub").mkdir()
    (root / "sub/f").write_text("content")
    size = volume.backup(tmp_path / "backup.tar")
    assert size == (tmp_path / "backup.tar").stat().st_size
    buffer = io.BytesIO()
    assert volume.backup(buffer) == len(buffer.getvalue())
    with tarfile.open(tmp_path / "backup.tar") as archive:
        assert "./sub/f" in archive.getnames()
    (root / "sub/f").unlink()
    (root / "other").touch()
    volume.restore(tmp_path / "backup.tar")
    assert (root / "sub/f").read_text() == "content" and (root / "other").exists()
    (root / "sub/f").write_text("changed")
    volume.restore(iter([buffer.getvalue()]))
    assert (root / "sub/f").read_text() == "content"


def test_compressed_backup_is_sent_as_it_is(scripted: ScriptedEngine, volume: Volume) -> None:
    scripted.on("PUT", f"/containers/{HELPER}/archive", Answer.empty(200))
    data = gzip.compress(b"")
    volume.restore(data)
    assert next(item.body for item in scripted.requests if item.method == "PUT") == data


@pytest.mark.parametrize(
    ("arguments", "driver", "options", "labels"),
    [
        ({}, "local", {"o": "x"}, {"a": "b"}),
        ({"name": "twin", "labels": {}}, "local", {"o": "x"}, {}),
        ({"driver": "nfs"}, "nfs", None, {"a": "b"}),
        ({"driver_opts": {"o": "y"}}, "local", {"o": "y"}, {"a": "b"}),
    ],
)
def test_clone_has_the_settings_of_the_original_unless_others_are_given(
    scripted: ScriptedEngine,
    volume: Volume,
    root: Path,
    arguments: dict[str, Any],
    driver: str,
    options: dict[str, str] | None,
    labels: dict[str, str],
) -> None:
    (root / "f").touch()
    scripted.on("POST", "/volumes/create", Answer.json({"Name": "twin", "Driver": driver}, 201))
    scripted.on("GET", "/volumes/twin", Answer.error(404, "get twin: no such volume"))
    twin = volume.clone(**arguments)
    assert twin.name == "twin"
    created = next(item.json() for item in scripted.requests if item.path == "/volumes/create")
    assert (created.get("Driver"), created.get("DriverOpts"), created.get("Labels") or {}) == (driver, options, labels)
    assert cleaned_up(scripted)


def test_clone_that_fails_leaves_no_volume(scripted: ScriptedEngine, volume: Volume) -> None:
    scripted.on("POST", "/volumes/create", Answer.json({"Name": "twin", "Driver": "local"}, 201))
    scripted.on("PUT", f"/containers/{HELPER}/archive", Answer.error(500, "no space left on device"))
    scripted.on("DELETE", "/volumes/twin", Answer.empty())
    with pytest.raises(errors.ServerError, match="no space left"):
        volume.clone()
    assert scripted.requests[-1].path == "/volumes/twin"
    scripted.on("GET", "/volumes/data", Answer.json({"Name": "data"}))
    with pytest.raises(errors.InvalidArgument, match="name: volume 'data' already exists"):
        volume.clone("data")


def test_helper_image_is_removed_if_the_helper_container_cannot_be_created(
    scripted: ScriptedEngine, volume: Volume
) -> None:
    scripted.on("POST", "/containers/create", Answer.error(400, "invalid volume name"))
    with pytest.raises(errors.BadRequest):
        volume.files()
    assert scripted.requests[-1].path == "/images/sha256:helper"


def test_cluster_volume_is_updated_and_others_cannot_be(scripted: ScriptedEngine, volume: Volume) -> None:
    scripted.on("GET", "/volumes/data", Answer.json({"Name": "data"}))
    with pytest.raises(errors.InvalidArgument, match="volume data is not a cluster volume"):
        volume.update(availability="drain")
    cluster = {"Version": {"Index": 7}, "Spec": {"Group": "g", "Availability": "active"}}
    scripted.on("GET", "/volumes/data", Answer.json({"Name": "data", "ClusterVolume": cluster}))
    conflict = Answer.error(500, "rpc error: update out of sequence")
    scripted.on("PUT", "/volumes/data", conflict, Answer.empty(200))
    volume.update(availability="drain")
    update = [item for item in scripted.requests if item.method == "PUT"][-1]
    assert (update.param("version"), update.json()["Spec"]) == ("7", {"Group": "g", "Availability": "drain"})
    volume.update({"Group": "other"})
    assert scripted.requests[-2].json()["Spec"] == {"Group": "other"}


def test_volume_of_a_block_is_removed_at_its_end(scripted: ScriptedEngine, volume: Volume) -> None:
    scripted.on("DELETE", "/volumes/data", Answer.empty())
    with volume as entered:
        assert entered is volume
    assert (scripted.requests[-1].method, scripted.requests[-1].query) == ("DELETE", {"force": ["true"]})


def test_prune_includes_named_volumes_on_request(scripted: ScriptedEngine, volume: Volume) -> None:
    scripted.on("POST", "/volumes/prune", Answer.json({"VolumesDeleted": None, "SpaceReclaimed": 0}))
    volumes = volume.client.volumes
    volumes.prune({"label": ["a"]}, all=True)
    volumes.prune({"label": ["a"]})
    found = [json.loads(item.param("filters")) for item in scripted.requests]
    assert found == [{"label": ["a"], "all": ["true"]}, {"label": ["a"]}]
