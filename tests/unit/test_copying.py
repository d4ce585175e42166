"""Copying files into and out of containers by the rules of docker cp."""

from __future__ import annotations

import base64
import io
import json
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from folder_container import FolderContainer
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.errors import InvalidArgument, NotFound, UnreadableFile, UnsafeArchive
from dockerkit.models.containers.files import ContainerFiles
from dockerkit.progress import Progress


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """The container's root."""
    root = tmp_path / "container"
    (root / "tmp").mkdir(parents=True)
    return root


@pytest.fixture
def served(scripted: ScriptedEngine, inside: Path) -> FolderContainer:
    return FolderContainer(scripted, "abc", inside)


@pytest.fixture
def container(scripted: ScriptedEngine, served: FolderContainer) -> Iterator[ContainerFiles]:
    with DockerClient(scripted.host, version="1.51") as client:
        yield ContainerFiles({"Id": "abc", "HostConfig": {"Tmpfs": {"/run": ""}}, "Mounts": []}, client)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A local folder with a file, a folder, and links."""
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "file").write_text("content")
    (root / "sub" / "deep.txt").write_text("deep")
    os.symlink("file", root / "link")
    os.symlink("tree", tmp_path / "folder-link")
    os.symlink("tree/file", tmp_path / "file-link")
    return root


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_file_is_written_with_its_mode_owner_and_time(container: ContainerFiles, served: FolderContainer) -> None:
    container.write_file("/tmp/a.txt", "grüße", mode=0o4750, owner=(12, 34), mtime=1_000_000)
    (member,) = served.uploaded
    assert (member.name, member.mode, member.uid, member.gid, member.mtime) == ("a.txt", 0o4750, 12, 34, 1_000_000)
    assert container.read_bytes("/tmp/a.txt") == "grüße".encode()
    assert container.read_text("/tmp/a.txt") == "grüße"
    container.write_file("/tmp/a.txt", b"new")
    assert container.read_bytes("/tmp/a.txt", max_bytes=3) == b"new"
    with pytest.raises(UnsafeArchive, match="3 bytes, more than max_bytes=2"):
        container.read_bytes("/tmp/a.txt", max_bytes=2)


def test_stat_reports_type_size_mode_and_time(container: ContainerFiles, inside: Path) -> None:
    (inside / "tmp/program").write_bytes(b"#!/bin/sh\n")
    (inside / "tmp/program").chmod(0o4755)
    facts = container.stat("/tmp/program")
    assert (facts.name, facts.path, facts.size) == ("program", "/tmp/program", 10)
    assert facts.is_file and not facts.is_dir and not facts.is_link
    assert stat.S_IMODE(facts.mode) == 0o4755
    assert facts.mtime.isoformat() == "2024-01-02T03:04:05.123456+00:00"
    root = container.stat("/")
    assert (root.name, root.path, root.is_dir) == ("/", "/", True)
    assert (facts.uid, facts.gid) == (None, None)


def test_exists_tells_a_missing_path_from_a_missing_container(
    scripted: ScriptedEngine, container: ContainerFiles
) -> None:
    assert container.exists("/tmp")
    assert not container.exists("/nope")
    scripted.on("GET", "/containers/abc/json", Answer.error(404, "No such container: abc"))
    with pytest.raises(NotFound, match="abc"):
        container.exists("/nope")


@pytest.mark.parametrize("path", ["/nope", "/tmp/nope/x"])
def test_missing_paths_raise_not_found(container: ContainerFiles, path: str) -> None:
    for call in (container.read_bytes, container.stat, container.list_files):
        with pytest.raises(NotFound):
            call(path)
    with pytest.raises(NotFound):
        container.write_file("/tmp/nope/x", b"")


def test_folders_are_not_files_and_files_are_not_folders(container: ContainerFiles, inside: Path) -> None:
    for path in ("/tmp", "/tmp/"):
        with pytest.raises(InvalidArgument, match="is a folder; pass the path of a file"):
            container.write_file(path, b"")
        with pytest.raises(InvalidArgument, match="is a directory"):
            container.read_bytes(path)
    (inside / "tmp/x").touch()
    with pytest.raises(InvalidArgument, match="is not a folder"):
        container.list_files("/tmp/x")
    os.mkfifo(inside / "tmp/pipe")
    with pytest.raises(InvalidArgument, match="is not a regular file"):
        container.read_bytes("/tmp/pipe")


@pytest.mark.parametrize(
    ("argument", "value"), [("mtime", "now"), ("mtime", True), ("mode", "rwx"), ("owner", ("root", "root"))]
)
def test_write_file_rejects_invalid_metadata(
    container: ContainerFiles, served: FolderContainer, argument: str, value: Any
) -> None:
    with pytest.raises(InvalidArgument, match=argument):
        container.write_file("/tmp/x", "", **{argument: value})
    assert not served.uploaded


def test_links_are_reported_and_followed_on_request(container: ContainerFiles, inside: Path) -> None:
    (inside / "tmp/real").write_text("one")
    os.symlink("real", inside / "tmp/l1")
    os.symlink("/tmp/l1", inside / "tmp/l2")
    facts = container.stat("/tmp/l2")
    assert facts.is_link and facts.link_target == "/tmp/real"
    assert container.stat("/tmp/l2", follow_links=True).is_file
    assert container.read_text("/tmp/l2") == "one"
    container.write_file("/tmp/l2", "two")
    assert (inside / "tmp/real").read_text() == "two"
    assert (inside / "tmp/l2").is_symlink()


def test_links_that_lead_in_circles_end_with_an_error(scripted: ScriptedEngine, container: ContainerFiles) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("circle")
        member.type, member.linkname = tarfile.SYMTYPE, "circle"
        archive.addfile(member)
    scripted.on("GET", "/containers/abc/archive", Answer.length(buffer.getvalue()))
    with pytest.raises(InvalidArgument, match="too many levels of symbolic links"):
        container.read_bytes("/circle")


def test_list_files_reports_each_type_and_the_owner(container: ContainerFiles, inside: Path) -> None:
    (inside / "tmp/sub").mkdir()
    (inside / "tmp/sub/deep").touch()
    (inside / "tmp/file").write_bytes(b"12345")
    os.symlink("file", inside / "tmp/link")
    os.mkfifo(inside / "tmp/pipe")
    found = {file.name: file for file in container.list_files("/tmp")}
    assert list(found) == ["file", "link", "pipe", "sub"]
    assert (found["file"].size, found["file"].uid, found["file"].gid) == (5, 0, 0)
    assert (found["link"].is_link, found["link"].link_target) == (True, "file")
    assert found["sub"].is_dir and stat.S_ISFIFO(found["pipe"].mode)
    everything = [file.path for file in container.list_files("/", recursive=True)]
    assert everything == ["/tmp", "/tmp/file", "/tmp/link", "/tmp/pipe", "/tmp/sub", "/tmp/sub/deep"]


def test_list_files_reports_devices(scripted: ScriptedEngine, container: ContainerFiles) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (("./null", tarfile.CHRTYPE), ("./disk", tarfile.BLKTYPE)):
            member = tarfile.TarInfo(name)
            member.type = kind
            archive.addfile(member)
    scripted.on("GET", "/containers/abc/archive", Answer.length(buffer.getvalue()))
    disk, null = container.list_files("/tmp")
    assert stat.S_ISBLK(disk.mode) and stat.S_ISCHR(null.mode)


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        ("tree/file", "/tmp", ["file"]),
        ("tree/file", "/tmp/", ["file"]),
        ("tree/file", "/tmp/new", ["new"]),
        ("tree", "/tmp", ["tree", "tree/file", "tree/link", "tree/sub", "tree/sub/deep.txt"]),
        ("tree/", "/tmp/new", ["new", "new/file", "new/link", "new/sub", "new/sub/deep.txt"]),
        ("tree/sub/.", "/tmp", ["deep.txt"]),
        ("tree/sub/.", "/tmp/new/", ["new", "new/deep.txt"]),
        ("folder-link", "/tmp", ["folder-link"]),
        ("file-link", "/tmp", ["file-link"]),
    ],
)
def test_copy_to_targets_a_folder_or_a_new_name(
    container: ContainerFiles, inside: Path, tree: Path, source: str, destination: str, expected: list[str]
) -> None:
    container.copy_to(f"{tree.parent}/{source}", destination)
    assert names(inside / "tmp") == expected
    if source.endswith("-link"):
        assert (inside / "tmp" / source).is_symlink()


def test_copy_to_follows_local_links_on_request(container: ContainerFiles, inside: Path, tree: Path) -> None:
    container.copy_to(tree.parent / "file-link", "/tmp", follow_links=True)
    assert (inside / "tmp/file-link").read_text() == "content"
    assert not (inside / "tmp/file-link").is_symlink()
    container.copy_to(f"{tree.parent}/folder-link/", "/tmp")
    assert (inside / "tmp/folder-link").is_dir() and not (inside / "tmp/folder-link").is_symlink()


def test_copy_to_replaces_files_but_not_folders(container: ContainerFiles, inside: Path, tree: Path) -> None:
    (inside / "tmp/f").write_text("old")
    container.copy_to(tree / "file", "/tmp/f")
    assert (inside / "tmp/f").read_text() == "content"
    with pytest.raises(InvalidArgument, match="is a file in the container; a folder can't replace it"):
        container.copy_to(tree, "/tmp/f")
    with pytest.raises(InvalidArgument, match="'/tmp/f/' is not a folder in the container"):
        container.copy_to(tree / "file", "/tmp/f/")
    with pytest.raises(InvalidArgument, match="no such folder in the container: '/tmp/none/'"):
        container.copy_to(tree / "file", "/tmp/none/")
    with pytest.raises(NotFound):
        container.copy_to(tree, "/tmp/none/deeper")
    with pytest.raises(InvalidArgument, match="is not a folder"):
        container.copy_to(f"{tree}/file/", "/tmp")
    with pytest.raises(UnreadableFile, match="nothing"):
        container.copy_to(tree / "nothing", "/tmp")


def test_dict_of_contents_is_copied_into_an_existing_folder(container: ContainerFiles, inside: Path) -> None:
    container.copy_to({"a": "text", "sub/b": b"\xff"}, "/tmp")
    assert (inside / "tmp/a").read_text() == "text"
    assert (inside / "tmp/sub/b").read_bytes() == b"\xff"
    with pytest.raises(InvalidArgument, match="is not a folder; a dict of files is copied into an existing folder"):
        container.copy_to({"a": b""}, "/tmp/a")
    with pytest.raises(InvalidArgument, match="does not exist in the container"):
        container.copy_to({"a": b""}, "/nope")


def test_copied_files_belong_to_root_to_the_given_owner_or_keep_theirs(
    container: ContainerFiles, served: FolderContainer, tree: Path
) -> None:
    mine = (os.getuid(), os.getgid())
    owners = []
    for owner in ((0, 0), (5, 6), "keep"):
        served.uploaded.clear()
        container.copy_to(tree, "/tmp", owner=owner)
        owners.append({(member.uid, member.gid) for member in served.uploaded})
        assert len(served.uploaded) == 5
    assert owners == [{(0, 0)}, {(5, 6)}, {mine}]
    with pytest.raises(InvalidArgument, match="owner"):
        container.copy_to(tree, "/tmp/x", owner=("root", "root"))


@pytest.mark.parametrize("path", ["/run/pid", "/run/../run/pid", "/dev/shm/x"])
def test_writing_to_a_tmpfs_is_refused(container: ContainerFiles, scripted: ScriptedEngine, path: str) -> None:
    with pytest.raises(InvalidArgument, match="Docker's archive calls can't write to: write with exec"):
        container.write_file(path, "x")
    with pytest.raises(InvalidArgument, match="exec"):
        container.copy_to({path.lstrip("/"): "x"}, "/")
    assert not scripted.requests


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("/tmp/tree/file", "", ["file"]),
        ("/tmp/tree/file", "as", ["as"]),
        ("/tmp/tree", "", ["tree", "tree/file", "tree/link", "tree/sub", "tree/sub/deep.txt"]),
        ("/tmp/tree/", "new", ["new", "new/file", "new/link", "new/sub", "new/sub/deep.txt"]),
        ("/tmp/tree/sub/.", "", ["deep.txt"]),
        ("/tmp/tree/sub/.", "new", ["new", "new/deep.txt"]),
        ("/tmp/tree/link", "", ["link"]),
        ("/", "", ["tmp", "tmp/tree", "tmp/tree/file", "tmp/tree/link", "tmp/tree/sub", "tmp/tree/sub/deep.txt"]),
    ],
)
def test_copy_from_targets_a_folder_or_a_new_name(
    container: ContainerFiles, inside: Path, tree: Path, tmp_path: Path, path: str, target: str, expected: list[str]
) -> None:
    os.rename(tree, inside / "tmp/tree")
    out = tmp_path / "out"
    out.mkdir()
    contents = {"file": 7, "sub": 4, "link": 0}
    copied = container.copy_from(path, out / target)
    assert copied == contents.get(path.removeprefix("/tmp/tree/").removesuffix("/."), 11)
    assert names(out) == expected


def test_copy_from_follows_a_link_on_request(container: ContainerFiles, inside: Path, tmp_path: Path) -> None:
    (inside / "tmp/real").write_text("one")
    os.symlink("real", inside / "tmp/link")
    container.copy_from("/tmp/link", tmp_path / "link")
    assert os.readlink(tmp_path / "link") == "real"
    container.copy_from("/tmp/link", tmp_path / "followed", follow_links=True)
    assert (tmp_path / "followed").read_text() == "one"
    container.copy_from("/tmp/real", tmp_path / "plain", follow_links=True)
    assert (tmp_path / "plain").read_text() == "one"
    with pytest.raises(InvalidArgument, match="'/tmp/link/' is not a folder"):
        container.copy_from("/tmp/link/", tmp_path / "folder")


def test_copy_from_rejects_targets_that_do_not_match(
    container: ContainerFiles, inside: Path, tree: Path, tmp_path: Path
) -> None:
    os.rename(tree, inside / "tmp/tree")
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgument, match="is a file; a folder can't replace it"):
        container.copy_from("/tmp/tree", tmp_path / "file")
    with pytest.raises(InvalidArgument, match="no such folder"):
        container.copy_from("/tmp/tree/file", f"{tmp_path}/none/")
    with pytest.raises(InvalidArgument, match="no such folder"):
        container.copy_from("/tmp/tree/file", tmp_path / "none" / "x")
    with pytest.raises(NotFound):
        container.copy_from("/tmp/none", tmp_path)
    with pytest.raises(UnsafeArchive, match="more than 10 bytes"):
        container.copy_from("/tmp/tree", tmp_path / "bounded", max_bytes=10)


def test_links_outside_of_the_copied_folder_are_refused_skipped_or_kept(
    container: ContainerFiles, inside: Path, tmp_path: Path
) -> None:
    os.symlink("/etc/passwd", inside / "tmp/evil")
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UnsafeArchive, match="outside_links"):
        container.copy_from("/tmp", out)
    container.copy_from("/tmp", out, outside_links="skip")
    assert names(out) == ["tmp"]
    container.copy_from("/tmp/evil", out, outside_links="keep")
    assert os.readlink(out / "evil") == "/etc/passwd"


def test_archive_with_another_top_folder_is_refused(
    scripted: ScriptedEngine, container: ContainerFiles, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("other"))
    info = {"name": "asked", "size": 0, "mode": 0o644, "mtime": "2024-01-02T03:04:05Z", "linkTarget": ""}
    header = {"X-Docker-Container-Path-Stat": base64.b64encode(json.dumps(info).encode()).decode()}
    scripted.on("GET", "/containers/abc/archive", Answer.length(buffer.getvalue(), headers=header))
    with pytest.raises(UnsafeArchive, match="'other' is not part of 'asked'"):
        container.copy_from("/asked", tmp_path)


def test_response_without_the_type_of_the_path_is_an_error(
    scripted: ScriptedEngine, container: ContainerFiles, tmp_path: Path
) -> None:
    scripted.on("HEAD", "/containers/abc/archive", Answer.empty(200))
    scripted.on("GET", "/containers/abc/archive", Answer.length(b""))
    calls: list[Callable[[], object]] = [lambda: container.stat("/x"), lambda: container.copy_from("/x", tmp_path)]
    for call in calls:
        with pytest.raises(errors.StreamTruncated, match="did not report the type of '/x'"):
            call()


def test_progress_counts_the_copied_bytes(container: ContainerFiles, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(2**20))
    amounts: list[int] = []

    def show(state: Progress) -> None:
        amounts.extend(step.current or 0 for step in state.steps.values())

    container.copy_to(tmp_path / "big", "/tmp", progress=show)
    assert max(amounts) > 2**20  # with the headers of the archive
    amounts.clear()
    container.copy_from("/tmp/big", tmp_path / "back", progress=show)
    assert max(amounts) == 2**20
    assert (tmp_path / "back").read_bytes() == bytes(2**20)
