"""Build contexts: what is sent, in which order, and what is refused."""

from __future__ import annotations

import io
import os
import socket
import stat
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from dockerkit.builder.context import BuildContext, open_context
from dockerkit.errors import InvalidArgument, UnreadableFile


def sent(context: BuildContext) -> dict[str, bytes | None]:
    data = context.data()
    assert data is not None
    archive = data if isinstance(data, bytes) else b"".join(cast("Iterable[bytes]", data))
    found: dict[str, bytes | None] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            assert member.name not in found
            found[member.name] = content.read() if content else None
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    for name in ("Dockerfile", "b.txt", "a/x.py", "a/x.o", "deep/er/keep.me", "deep/er/drop.me"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_folder_is_sent_in_order(folder: Path) -> None:
    context = open_context(folder)
    assert context.dockerfile is None and context.repeatable
    names = ["Dockerfile", "a", "a/x.o", "a/x.py", "b.txt", "deep", "deep/er", "deep/er/drop.me", "deep/er/keep.me"]
    assert list(sent(context)) == names
    assert sent(context)["a/x.py"] == b"a/x.py"


def test_same_context_is_the_same_bytes(folder: Path) -> None:
    def every() -> list[bytes]:
        return [b"".join(cast("Iterable[bytes]", open_context(folder, gzip=gzip).data())) for gzip in (False, True)]

    first = every()
    for path in folder.rglob("*"):
        os.utime(path, (1, os.lstat(path).st_mtime))  # the time of the measurement does not matter
    assert every() == first
    assert zlib.decompress(first[1], 31) == first[0]


def test_ignored_files_are_omitted_except_the_build_files(folder: Path) -> None:
    (folder / ".dockerignore").write_text("*\n!deep/er/keep.me\n")
    assert list(sent(open_context(folder))) == [".dockerignore", "Dockerfile", "deep", "deep/er", "deep/er/keep.me"]
    assert list(sent(open_context(folder, ignore=["deep", "a/*.o"]))) == [
        "Dockerfile", "a", "a/x.py", "b.txt", ".dockerignore",
    ]  # fmt: skip


def test_folders_with_nothing_to_keep_are_not_entered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[str] = []
    scandir = os.scandir

    def recorded(path: str) -> Any:
        entered.append(os.path.relpath(path, folder))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", recorded)
    (folder / ".dockerignore").write_text("*\n!a/*.py\n")
    assert list(sent(open_context(folder))) == [".dockerignore", "Dockerfile", "a", "a/x.py"]
    assert entered == [".", "a"]


def test_dockerfile_in_an_ignored_folder_is_kept(folder: Path) -> None:
    (folder / ".dockerignore").write_text("deep\n")
    context = open_context(folder, dockerfile="deep/er/drop.me")
    assert context.dockerfile == "deep/er/drop.me"
    assert {"deep", "deep/er", "deep/er/drop.me"} == {name for name in sent(context) if name.startswith("deep")}


def test_ignore_file_of_the_dockerfile_comes_first(folder: Path) -> None:
    (folder / ".dockerignore").write_text("a\n")
    (folder / "Dockerfile.dockerignore").write_text("deep\nDockerfile\n")
    found = sent(open_context(folder))
    assert "a/x.py" in found and "deep" not in found and "Dockerfile" in found
    # The engine receives the same rules, so that it hides the Dockerfile from COPY.
    assert (found[".dockerignore"] or b"").split() == [b"deep", b"Dockerfile"]


def test_dockerfile_outside_the_context_is_added(folder: Path) -> None:
    other = folder.parent / "Other"
    other.write_text("FROM scratch\n")
    for dockerfile in (other, "../Other"):
        context = open_context(folder, dockerfile=dockerfile)
        assert context.dockerfile is not None
        found = sent(context)
        assert found[context.dockerfile] == b"FROM scratch\n" and found["Dockerfile"] == b"Dockerfile"
        assert (found[".dockerignore"] or b"").split() == [context.dockerfile.encode(), b".dockerignore"]
    (folder / ".dockerignore").write_bytes(b"b.txt")
    found = sent(open_context(folder, dockerfile=other))
    assert found[".dockerignore"] == f"b.txt\n{context.dockerfile}\n".encode()


def test_dockerfile_is_also_found_from_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert open_context("context", dockerfile="context/a/x.py").dockerfile == "a/x.py"
    assert open_context("context", dockerfile="a/x.py").dockerfile == "a/x.py"


def test_dockerfile_in_memory_goes_with_a_folder(folder: Path) -> None:
    for fileobj in (io.BytesIO(b"FROM a"), io.StringIO("FROM a"), b"FROM a", "FROM a"):
        context = open_context(folder, fileobj=fileobj)
        assert sent(context)[cast("str", context.dockerfile)] == b"FROM a"
        assert "a/x.py" in sent(context)


def test_dockerfile_alone() -> None:
    context = open_context(fileobj=io.BytesIO(b"FROM a"))
    assert context.dockerfile is None
    assert sent(context) == {"Dockerfile": b"FROM a"}


def test_dockerfile_alone_may_have_a_name() -> None:
    context = open_context(fileobj=io.BytesIO(b"FROM a"), dockerfile="Dockerfile.x")
    assert context.dockerfile == "Dockerfile.x" and sent(context) == {"Dockerfile.x": b"FROM a"}


def test_watched_context_reports_sent_bytes(folder: Path) -> None:
    for context in (
        open_context(folder), open_context(fileobj=b"a tar", custom_context=True),
        open_context(fileobj=io.BytesIO(b"a tar"), custom_context=True),
    ):  # fmt: skip
        reported: list[int] = []
        pieces = list(cast("Iterable[bytes]", open_context(context.watched(reported.append)).data()))
        assert reported == [len(piece) for piece in pieces] and sum(reported) >= 5
    with pytest.raises(InvalidArgument, match="already open"):
        open_context(context, gzip=True)
    assert open_context("https://x/y.git").watched(reported.append).data() is None


def test_dict_of_files(folder: Path) -> None:
    context = open_context({
        "Dockerfile": "FROM a", "src/app.py": b"print()", "data": folder / "a", "one": folder / "b.txt",
        ".dockerignore": "**/*.o\nDockerfile\n",
    })  # fmt: skip
    assert sent(context) == {
        ".dockerignore": b"**/*.o\nDockerfile\n", "Dockerfile": b"FROM a", "data": None, "data/x.py": b"a/x.py",
        "one": b"b.txt", "src": None, "src/app.py": b"print()",
    }  # fmt: skip
    context = open_context({"app.py": "x"}, dockerfile=folder / "Dockerfile")
    assert sent(context) == {"Dockerfile": b"Dockerfile", "app.py": b"x"}
    context = open_context({"x/Dockerfile": "FROM b"}, dockerfile="x/Dockerfile")
    assert context.dockerfile == "x/Dockerfile"


def test_modes_times_and_links(folder: Path) -> None:
    (folder / "b.txt").chmod(0o4751)
    os.utime(folder / "b.txt", (5, 1234567890.9))
    os.symlink("../outside", folder / "link")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        data = b"".join(cast("Iterable[bytes]", open_context(folder).data()))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = {member.name: member for member in tar}
    assert "socket" not in found
    assert (found["b.txt"].mode, found["b.txt"].mtime) == (0o4751, 1234567890)
    assert found["link"].issym() and found["link"].linkname == "../outside"
    assert {(member.uid, member.gid, member.uname) for member in found.values()} == {(0, 0, "")}


def test_sparse_file_takes_no_memory(folder: Path) -> None:
    with (folder / "big").open("wb") as file:
        file.truncate(64 * 2**20)
    pieces = cast("Iterator[bytes]", iter(cast("Iterable[bytes]", open_context(folder).data())))
    lengths = [len(piece) for piece in pieces]
    assert sum(lengths) > 64 * 2**20 and max(lengths) <= 2 * 2**20


def test_unreadable_file_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refusing(path: str, flags: int, *rest: int) -> int:  # root may read everything
        if path.endswith("x.py"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(UnreadableFile, match=r"can't read .*/a/x\.py: Permission denied"):
        sent(open_context(folder))


def test_tar_archive_is_passed_on() -> None:
    archive = io.BytesIO(b"tar")
    context = open_context(fileobj=archive, custom_context=True, encoding="gzip", dockerfile="D")
    assert (context.data(), context.encoding, context.dockerfile, context.repeatable) == (archive, "gzip", "D", False)
    with pytest.warns(UserWarning, match="path is ignored"):
        open_context(".", fileobj=archive, custom_context=True)


@pytest.mark.parametrize(
    "url", ["https://example.com/x.git", "git://x", "git@host:x.git", "github.com/a/b", "http://x/y.tar"]
)
def test_engine_fetches_urls_itself(url: str) -> None:
    context = open_context(url, dockerfile="sub/Dockerfile")
    assert (context.remote, context.dockerfile, context.data()) == (url, "sub/Dockerfile", None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "path: must be a folder"),
        ({"path": "/no/such/folder"}, "is not a folder"),
        ({"path": __file__}, "is not a folder"),
        ({"custom_context": True}, "custom_context"),
        ({"path": "https://x/y.git", "fileobj": b""}, "fetches this context itself"),
        ({"path": {}}, "'Dockerfile' is not among the files"),
        ({"path": {"../x": "y", "Dockerfile": ""}}, "without '..'"),
        ({"path": ".", "fileobj": b"", "dockerfile": "x"}, "not both"),
    ],
)
def test_rejects_invalid_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        open_context(**arguments)


def test_missing_dockerfile_is_named(folder: Path) -> None:
    with pytest.raises(UnreadableFile, match="Cannot locate specified Dockerfile: Nope .*/context/Nope"):
        open_context(folder, dockerfile="Nope")
    (folder / "Dockerfile").rename(folder / "dockerfile")
    assert open_context(folder).dockerfile == "dockerfile"


def test_folder_that_vanished_is_named(folder: Path) -> None:
    context = open_context(folder)
    (folder / "b.txt").unlink()
    assert "b.txt" not in sent(context)
    assert stat.S_ISDIR((folder / "a").stat().st_mode)
