"""Files into and out of containers, running or not, and out of images."""

from __future__ import annotations

import io
import os
import stat
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from dockerkit.errors import APIError, InvalidArgument, NotFound, UnreadableFile, UnsafeArchive
from dockerkit.models.containers.files import ContainerFiles

if TYPE_CHECKING:
    from dockerkit import DockerClient
    from dockerkit.progress import Progress

Box = Callable[..., str]


@pytest.fixture
def stopped(client: DockerClient, box: Box) -> ContainerFiles:
    """A container that was never started."""
    return ContainerFiles({"Id": box(start=False)}, client)


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


def paths(container: ContainerFiles, folder: str) -> list[str]:
    return [file.path for file in container.list_files(folder, recursive=True)]


def test_one_file(stopped: ContainerFiles) -> None:
    stopped.write_file("/tmp/a.txt", "grüße", mode=0o4750, owner=(12, 34), mtime=1_000_000)
    assert stopped.read_bytes("/tmp/a.txt") == "grüße".encode()
    assert stopped.read_text("/tmp/a.txt") == "grüße"
    facts = stopped.stat("/tmp/a.txt")
    assert (facts.name, facts.path, facts.size) == ("a.txt", "/tmp/a.txt", 7)
    assert facts.is_file and not facts.is_dir and stat.S_IMODE(facts.mode) == 0o4750
    assert facts.mtime.timestamp() == 1_000_000
    (listed,) = [file for file in stopped.list_files("/tmp") if file.name == "a.txt"]
    assert (listed.uid, listed.gid, listed.size, listed.mtime) == (12, 34, 7, facts.mtime)
    stopped.write_file("/tmp/a.txt", b"new")
    assert stopped.read_bytes("/tmp/a.txt") == b"new"
    with pytest.raises(UnsafeArchive, match="3 bytes, more than max_bytes=2"):
        stopped.read_bytes("/tmp/a.txt", max_bytes=2)
    assert stopped.read_bytes("/tmp/a.txt", max_bytes=3) == b"new"


def test_rejects_paths_that_are_not_files(stopped: ContainerFiles) -> None:
    for path in ("/nope", "/tmp/nope/x"):
        with pytest.raises(NotFound):
            stopped.read_bytes(path)
        with pytest.raises(NotFound):
            stopped.stat(path)
    with pytest.raises(NotFound):
        stopped.write_file("/tmp/nope/x", b"")
    for path in ("/tmp", "/tmp/"):
        with pytest.raises(InvalidArgument, match="folder"):
            stopped.write_file(path, b"")
        with pytest.raises(InvalidArgument, match="is a directory"):
            stopped.read_bytes(path)
    stopped.write_file("/tmp/x", b"")
    with pytest.raises((InvalidArgument, NotFound)):
        stopped.list_files("/tmp/x")


def test_links_in_the_container(stopped: ContainerFiles, tmp_path: Path) -> None:
    stopped.copy_to({"real": "one"}, "/tmp")
    os.symlink("real", tmp_path / "l1")
    os.symlink("/tmp/l1", tmp_path / "l2")
    stopped.copy_to(tmp_path / "l1", "/tmp/l1"), stopped.copy_to(tmp_path / "l2", "/tmp/l2")
    facts = stopped.stat("/tmp/l2")
    assert facts.is_link and facts.link_target == "/tmp/real"
    assert stopped.stat("/tmp/l2", follow_links=True).is_file
    assert stopped.read_text("/tmp/l2") == "one"
    stopped.write_file("/tmp/l2", "two")
    assert stopped.read_text("/tmp/real") == "two" and stopped.stat("/tmp/l2").is_link
    stopped.copy_from("/tmp/l1", tmp_path / "copied")
    assert os.readlink(tmp_path / "copied") == "real"
    stopped.copy_from("/tmp/l2", tmp_path / "followed", follow_links=True)
    assert (tmp_path / "followed").read_text() == "two"


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        ("tree/file", "/tmp", ["/tmp/file"]),
        ("tree/file", "/tmp/", ["/tmp/file"]),
        ("tree/file", "/tmp/new", ["/tmp/new"]),
        ("tree", "/tmp", ["/tmp/tree", "/tmp/tree/file", "/tmp/tree/link", "/tmp/tree/sub", "/tmp/tree/sub/deep.txt"]),
        ("tree/", "/tmp/new", ["/tmp/new", "/tmp/new/file", "/tmp/new/link", "/tmp/new/sub", "/tmp/new/sub/deep.txt"]),
        ("tree/sub/.", "/tmp", ["/tmp/deep.txt"]),
        ("tree/sub/.", "/tmp/new/", ["/tmp/new", "/tmp/new/deep.txt"]),
        ("folder-link", "/tmp", ["/tmp/folder-link"]),
        ("file-link", "/tmp", ["/tmp/file-link"]),
    ],
)
def test_copy_to_targets_a_folder_or_a_new_name(
    stopped: ContainerFiles, tree: Path, source: str, destination: str, expected: list[str]
) -> None:
    stopped.copy_to(f"{tree.parent}/{source}", destination)
    assert paths(stopped, "/tmp") == expected
    if source == "folder-link":
        assert stopped.stat("/tmp/folder-link").is_link


def test_local_links_are_followed_on_request(stopped: ContainerFiles, tree: Path) -> None:
    stopped.copy_to(tree.parent / "file-link", "/tmp", follow_links=True)
    assert stopped.stat("/tmp/file-link").is_file
    stopped.copy_to(f"{tree.parent}/folder-link/", "/tmp")
    assert stopped.stat("/tmp/folder-link").is_dir


def test_copy_to_replaces_files_but_not_folders(stopped: ContainerFiles, tree: Path) -> None:
    stopped.write_file("/tmp/f", "old")
    stopped.copy_to(tree / "file", "/tmp/f")
    assert stopped.read_text("/tmp/f") == "content"
    with pytest.raises(InvalidArgument, match="is a file in the container"):
        stopped.copy_to(tree, "/tmp/f")
    with pytest.raises(InvalidArgument):
        stopped.copy_to(tree / "file", "/tmp/f/")
    with pytest.raises(InvalidArgument, match="no such folder in the container: '/tmp/none/'"):
        stopped.copy_to(tree / "file", "/tmp/none/")
    with pytest.raises(NotFound):
        stopped.copy_to(tree, "/tmp/none/deeper")
    with pytest.raises(InvalidArgument, match="is not a folder"):
        stopped.copy_to(f"{tree}/file/", "/tmp")
    with pytest.raises(UnreadableFile, match="nothing"):
        stopped.copy_to(tree / "nothing", "/tmp")
    with pytest.raises(InvalidArgument, match="is not a folder"):
        stopped.copy_to({"a": b""}, "/tmp/f")


def test_owners(stopped: ContainerFiles, tree: Path) -> None:
    os.chown(tree / "file", 1234, 55)
    os.chown(tree, 77, 88)
    stopped.copy_to(tree, "/tmp")
    stopped.copy_to(tree, "/tmp/kept", owner="keep")
    stopped.copy_to(tree, "/tmp/given", owner=(5, 6))
    owners = {file.path: (file.uid, file.gid) for file in stopped.list_files("/tmp", recursive=True)}
    assert owners["/tmp/tree"] == owners["/tmp/tree/file"] == (0, 0)
    assert owners["/tmp/kept"] == (77, 88) and owners["/tmp/kept/file"] == (1234, 55)
    assert owners["/tmp/given/sub/deep.txt"] == (5, 6)
    with pytest.raises(InvalidArgument, match="owner"):
        stopped.copy_to(tree, "/tmp/x", owner=("root", "root"))  # type: ignore[arg-type]


def test_copy_from_targets_a_folder_or_a_new_name(stopped: ContainerFiles, tree: Path, tmp_path: Path) -> None:
    stopped.copy_to(tree, "/tmp")
    out = tmp_path / "out"
    out.mkdir()
    assert stopped.copy_from("/tmp/tree/file", out) == 7
    assert stopped.copy_from("/tmp/tree", out) == 11
    stopped.copy_from("/tmp/tree", out / "new")
    stopped.copy_from("/tmp/tree/sub/.", out)
    stopped.copy_from("/tmp/tree/file", out / "as")
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*"))
    assert found == ["as", "deep.txt", "file", "new", "new/file", "new/link", "new/sub", "new/sub/deep.txt", "tree",
                     "tree/file", "tree/link", "tree/sub", "tree/sub/deep.txt"]  # fmt: skip
    assert (out / "as").read_text() == "content" and os.readlink(out / "new/link") == "file"
    assert (out / "file").stat().st_mtime == int((tree / "file").stat().st_mtime)
    with pytest.raises(InvalidArgument, match="is a file"):
        stopped.copy_from("/tmp/tree", out / "file")
    with pytest.raises(InvalidArgument, match="no such folder"):
        stopped.copy_from("/tmp/tree/file", f"{out}/none/")
    with pytest.raises(InvalidArgument, match="no such folder"):
        stopped.copy_from("/tmp/tree/file", out / "none" / "x")
    with pytest.raises(NotFound):
        stopped.copy_from("/tmp/none", out)
    with pytest.raises(UnsafeArchive, match="more than 10 bytes"):
        stopped.copy_from("/tmp/tree", tmp_path / "bounded", max_bytes=10)


def test_links_outside_the_copied_folder_are_refused(stopped: ContainerFiles, tmp_path: Path) -> None:
    os.symlink("/etc/passwd", tmp_path / "evil")
    stopped.copy_to(tmp_path / "evil", "/tmp")
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UnsafeArchive, match="outside_links"):
        stopped.copy_from("/tmp", out)
    stopped.copy_from("/tmp", out, outside_links="skip")
    assert os.listdir(out / "tmp") == []
    stopped.copy_from("/tmp/evil", out, outside_links="keep")
    assert os.readlink(out / "evil") == "/etc/passwd"


def test_whole_root(stopped: ContainerFiles, tmp_path: Path) -> None:
    assert {"/bin", "/tmp"} <= {file.path for file in stopped.list_files("/")}
    stopped.copy_from("/", tmp_path, outside_links="skip")
    assert (tmp_path / "bin" / "sh").exists()


def test_running_container_sees_copied_files(client: DockerClient, box: Box) -> None:
    container = ContainerFiles({"Id": box()}, client)
    container.copy_to({"dir/script": "#!/bin/sh\necho hi\n"}, "/")
    assert container.read_text("/dir/script").endswith("echo hi\n")
    made = client.api.exec_create(container.id or "", ["sh", "/dir/script"])
    assert client.api.exec_start(made) == b"hi\n"


def test_out_of_an_image(client: DockerClient, busybox: str, tmp_path: Path) -> None:
    image = client.images.get(busybox)
    before = len(client.api.containers(all=True))
    assert image.read_bytes("/bin/sh")[:4] == b"\x7fELF"
    assert "/bin/sh" in [file.path for file in image.list_files("/bin")]
    image.copy_from("/bin/sh", tmp_path / "sh", follow_links=True)
    assert os.access(tmp_path / "sh", os.X_OK)
    with pytest.raises(NotFound):
        image.read_bytes("/nope")
    assert len(client.api.containers(all=True)) == before


def test_progress(stopped: ContainerFiles, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(3 * 2**20))
    states: list[Progress] = []
    amounts: list[Any] = []

    def told(state: Progress) -> None:
        states.append(state)
        amounts.extend(step.current for step in state.steps.values())

    stopped.copy_to(tmp_path / "big", "/tmp", progress=told)
    assert states[-1].ended is not None and max(amounts) > 3 * 2**20
    amounts.clear()
    stopped.copy_from("/tmp/big", tmp_path / "back", progress=told)
    assert max(amounts) == 3 * 2**20 and (tmp_path / "back").read_bytes() == bytes(3 * 2**20)


def test_options_of_putting_archives(client: DockerClient, busybox: str, labels: dict[str, str]) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("given"))
    folder = io.BytesIO()
    with tarfile.open(fileobj=folder, mode="w") as tar:
        inside = tarfile.TarInfo("given")
        inside.type = tarfile.DIRTYPE
        tar.addfile(inside)
    passwd = io.BytesIO()
    with tarfile.open(fileobj=passwd, mode="w") as tar:
        entry = tarfile.TarInfo("etc/passwd")
        entry.size = len(line := b"daemon:x:1:1::/:/bin/sh\n")
        tar.addfile(entry, io.BytesIO(line))
    container = client.containers.create(busybox, "true", user="daemon", labels=labels)
    try:
        container.put_archive("/", passwd.getvalue())  # newer engines look there, older ones on their own host
        for chown, owner in ((None, 0), (True, 1)):
            assert container.put_archive("/tmp", content.getvalue(), copy_uid_gid=chown)
            (file,) = [file for file in container.list_files("/tmp") if file.name == "given"]
            assert file.uid == owner
        with pytest.raises(APIError, match="cannot overwrite"):
            container.put_archive("/tmp", folder.getvalue(), no_overwrite_dir_non_dir=True)
        assert container.put_archive("/tmp", folder.getvalue())
        assert container.stat("/tmp/given").is_dir
    finally:
        container.remove(force=True)


def test_capabilities_of_programs_are_copied(client: DockerClient, box: Box, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"#!/bin/sh\n")
    capability = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)  # net_bind_service, effective
    os.setxattr(program, "security.capability", capability)
    os.setxattr(program, "user.note", b"stays here")
    container = ContainerFiles({"Id": box(start=False)}, client)
    container.copy_to(program, "/bin/program")
    stream, _ = client.api.get_archive(container.id, "/bin/program")
    with stream, tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        (member,) = archive.getmembers()
    value = member.pax_headers["SCHILY.xattr.security.capability"].encode("utf-8", "surrogateescape")
    assert value == capability


def test_writing_to_a_tmpfs_is_refused(client: DockerClient, box: Box, tree: Path) -> None:
    identity = box(volumes=["/run/data"], host_config=client.api.create_host_config(tmpfs={"/run": ""}))
    container = client.containers.get(identity)
    for path in ("/run/pid", "/run/../run/pid", "/dev/shm/x", PurePosixPath("/run/a/b")):
        with pytest.raises(InvalidArgument, match="exec"):
            container.write_file(path, "x")
    with pytest.raises(InvalidArgument, match="exec"):
        container.copy_to(tree, "/run")
    with pytest.raises(InvalidArgument, match="exec"):
        container.copy_to({"run/pid": "x"}, "/")
    container.write_file("/run/data/file", "seen")
    assert container.exec(["cat", "/run/data/file"]).stdout == b"seen"
    container.write_file(PurePosixPath("/running"), "seen")
    assert container.exec(["cat", "/running"]).stdout == b"seen"
