"""Archives: packing, extracting, and staying in the target folder."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import socket
import stat
import subprocess
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit.errors import InvalidArgument, StreamTruncated, UnreadableFile, UnsafeArchive
from dockerkit.files.archive import Entry, clean_name, files, pack, walk
from dockerkit.files.extract import extract, members, read_content


def packed(*entries: Entry) -> bytes:
    return b"".join(pack(entries))


def link(name: str, target: str) -> Entry:
    return Entry(name, stat.S_IFLNK | 0o777, link=target)


def tar_of(fill: Callable[[tarfile.TarFile], None]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        fill(tar)
    return out.getvalue()


def hard_link(name: str, target: str) -> bytes:
    def fill(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = tarfile.LNKTYPE, target
        tar.addfile(member)

    return tar_of(fill)


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=130).filter(
    lambda name: name not in (".", "..")
)


@given(
    st.dictionaries(names, st.binary(max_size=2000), max_size=8),
    st.integers(-(2**33), 2**35),
    st.integers(0, 2**31),
    st.integers(0, 0o7777),
)
def test_packed_files_are_read_back(contents: dict[str, bytes], mtime: int, uid: int, mode: int) -> None:
    archive = b"".join(pack(files(contents, mtime=mtime, uid=uid, gid=uid, mode=mode)))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = {}
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            found[member.name] = content.read()
            assert (member.mtime, member.uid, member.gid, member.mode) == (mtime, uid, uid, mode)
            assert member.uname == member.gname == ""
    assert found == contents


def test_sizes_beyond_eight_gib_are_in_the_header(tmp_path: Path) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(9 * 2**30)
    first = next(pack(walk(str(big), "big")))
    assert tarfile.TarInfo.frombuf(first[:512], "utf-8", "strict").size == 9 * 2**30


def test_links_long_names_and_pipes_survive(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir(mode=0o750)
    os.symlink("x" * 150, tmp_path / "dir" / ("l" * 120))
    os.mkfifo(tmp_path / "pipe", 0o600)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        archive = b"".join(pack(walk(str(tmp_path), "top")))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = {member.name: member for member in tar}
    assert list(found) == ["top", "top/dir", f"top/dir/{'l' * 120}", "top/pipe"]
    assert found[f"top/dir/{'l' * 120}"].linkname == "x" * 150
    assert found["top/dir"].mode == 0o750
    assert found["top/pipe"].isfifo()


def test_hard_links_are_packed_as_hard_links(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_bytes(b"x" * 100_000)  # one that is packed in chunks
    long = "b/" + "n" * 120
    for name in ("b/again", long, "z"):
        os.link(tmp_path / "a", tmp_path / name)
    (tmp_path / "small").write_text("s")
    os.link(tmp_path / "small", tmp_path / "small-too")
    os.link(tmp_path / "small-too", tmp_path.parent / f"{tmp_path.name}-outside")
    (tmp_path / "twin").write_text("s")
    archive = packed(*walk(str(tmp_path), "top"))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        links = {member.name: member.linkname for member in tar if member.islnk()}
        assert tar.extractfile(f"top/{long}").read() == b"x" * 100_000  # type: ignore[union-attr]
    assert links == {"top/b/again": "top/a", f"top/{long}": "top/a", "top/z": "top/a", "top/small-too": "top/small"}
    assert len(archive) < 120_000
    (tmp_path / "out").mkdir()
    extract([archive], str(tmp_path / "out"))
    assert (tmp_path / "out" / "top" / "z").stat().st_nlink == 4
    without_first = [entry for entry in walk(str(tmp_path / "out" / "top"), "") if entry.name != "a"]
    with tarfile.open(fileobj=io.BytesIO(packed(*without_first))) as tar:
        assert tar.getmember("z").linkname == "b/again"  # the first name in the archive


def test_large_files_are_packed_in_chunks(tmp_path: Path) -> None:
    content = os.urandom(3 * 2**20 + 17)
    (tmp_path / "big").write_bytes(content)
    reported: list[int] = []
    pieces = list(pack(walk(str(tmp_path), ""), on_bytes=reported.append))
    assert max(map(len, pieces)) < 2 * 2**20
    assert reported == [len(piece) for piece in pieces]
    assert [file and file.read() for _, file in members(pieces)] == [content]


def test_packs_deep_trees(tmp_path: Path) -> None:
    depth = 1050  # deeper than Python's stack
    folders = ["/".join(["d"] * number) for number in range(1, depth + 1)]
    archive = packed(Entry(folders[-1] + "/f", stat.S_IFREG | 0o644, b"x", 1))
    extract([archive], tmp_path)
    assert [entry.name for entry in walk(str(tmp_path / "d"), "d")] == [*folders, folders[-1] + "/f"]
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # pytest's own shutil.rmtree() could not


def test_shrinking_file_is_named_in_the_error(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(2**20))
    (entry,) = walk(str(big), "big")
    big.write_bytes(b"short")
    with pytest.raises(UnreadableFile, match="big shrank"):
        packed(entry)


def test_changed_small_file_is_packed_with_its_current_content(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.write_bytes(b"short")
    (entry,) = walk(str(small), "small")
    small.write_bytes(b"rather longer")
    with tarfile.open(fileobj=io.BytesIO(packed(entry))) as tar:
        content = tar.extractfile("small")
        assert content is not None and content.read() == b"rather longer"


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    entry = Entry("x", stat.S_IFREG | 0o644, str(tmp_path / "gone"), 5)
    with pytest.raises(UnreadableFile, match=r"can't read .*/gone: No such file") as caught:
        packed(entry)
    assert isinstance(caught.value, OSError) and caught.value.errno == 2
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("name", ["", "/", "..", "a/../b", "a\0b", "."])
def test_rejects_invalid_member_names(name: str) -> None:
    with pytest.raises(InvalidArgument, match="^files: the names of files must be relative paths"):
        clean_name(name, "files")


def test_extracting_restores_files(tmp_path: Path) -> None:
    archive = packed(
        Entry("d", stat.S_IFDIR | 0o500, mtime=10),
        Entry("d/f", stat.S_IFREG | 0o4640, b"content", 7, 20),
        link("d/up", "../other"),
        Entry("other", stat.S_IFREG | 0o600, b"", 0, 30),
    )
    total = extract([archive], tmp_path)
    assert total == 7
    assert (tmp_path / "d/f").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "d/f").stat().st_mode) == 0o640  # no set-user-id
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o500
    assert (tmp_path / "d").stat().st_mtime == 10 and (tmp_path / "d/f").stat().st_mtime == 20
    assert os.readlink(tmp_path / "d/up") == "../other"


HOSTILE = {
    "absolute name": packed(Entry("/etc/x", stat.S_IFREG | 0o644, b"x", 1)),
    "parent": packed(Entry("a/../../x", stat.S_IFREG | 0o644, b"x", 1)),
    "absolute link": packed(link("l", "/etc")),
    "link out": packed(link("a/l", "../../x")),
    "link out over a link": packed(link("d", "."), link("s/l", "../d/..")),
    "through a link": packed(link("l", "dir"), Entry("l/x", stat.S_IFREG | 0o644, b"x", 1)),
    "device": packed(Entry("null", stat.S_IFCHR | 0o666, device=os.makedev(1, 3))),
    "pipe": packed(Entry("pipe", stat.S_IFIFO | 0o666)),
    "hard link out": hard_link("x", "../secret"),
    "hard link to an absolute name": hard_link("x", "/etc/passwd"),
    "hard link to a link": packed(link("l", "x"))[:-1024] + hard_link("y", "l"),
    "hard link to nothing": hard_link("x", "missing"),
    "the folder itself": packed(Entry(".", stat.S_IFREG | 0o644, b"x", 1)),
    "no archive": b"this is not a tar archive" * 100,
}


@pytest.mark.parametrize("archive", HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives_are_refused(tmp_path: Path, archive: bytes) -> None:
    target = tmp_path / "a" / "b" / "target"
    target.mkdir(parents=True)
    (tmp_path / "a" / "b" / "secret").write_text("secret")
    before = {path for path in tmp_path.rglob("*") if target not in path.parents}
    with pytest.raises(UnsafeArchive):
        extract([archive], target)
    assert {path for path in tmp_path.rglob("*") if target not in path.parents} == before


def test_extract_does_not_follow_existing_links(tmp_path: Path) -> None:
    target, outside = tmp_path / "target", tmp_path / "outside"
    target.mkdir(), outside.mkdir()
    (outside / "f").write_text("mine")
    os.symlink(outside, target / "d")
    os.symlink(outside / "f", target / "f")
    with pytest.raises(UnsafeArchive, match="not a real folder"):
        extract([packed(Entry("d/f", stat.S_IFREG | 0o644, b"theirs", 6))], target)
    extract([packed(Entry("f", stat.S_IFREG | 0o644, b"theirs", 6))], target)  # the link itself is replaced
    assert (outside / "f").read_text() == "mine"
    assert (target / "f").read_text() == "theirs" and not (target / "f").is_symlink()


def test_outside_links_are_skipped_or_kept_on_request(tmp_path: Path) -> None:
    archive = packed(link("l", "/etc"), Entry("f", stat.S_IFREG | 0o644, b"x", 1))
    extract([archive], tmp_path, outside_links="skip")
    assert not os.path.lexists(tmp_path / "l") and (tmp_path / "f").exists()
    extract([archive], tmp_path, outside_links="keep")
    assert os.readlink(tmp_path / "l") == "/etc"
    with pytest.raises(UnsafeArchive):  # nothing is written through it, either
        extract([packed(Entry("l/x", stat.S_IFREG | 0o644, b"x", 1))], tmp_path, outside_links="keep")


def test_extract_enforces_limits(tmp_path: Path) -> None:
    archive = packed(*(Entry(f"f{n}", stat.S_IFREG | 0o644, bytes(100), 100) for n in range(5)))
    assert extract([archive], tmp_path, max_bytes=500, max_members=5) == 500
    with pytest.raises(UnsafeArchive, match="499 bytes"):
        extract([archive], tmp_path, max_bytes=499)
    with pytest.raises(UnsafeArchive, match="4 members"):
        extract([archive], tmp_path, max_members=4)


def test_extract_creates_hard_links_inside_the_target(tmp_path: Path) -> None:
    extract([packed(Entry("f", stat.S_IFREG | 0o644, b"x", 1))[:-1024] + hard_link("d/g", "f")], tmp_path)
    assert (tmp_path / "d/g").samefile(tmp_path / "f")


def test_extract_renames_folders_with_their_contents(tmp_path: Path) -> None:
    archive = packed(Entry("old", stat.S_IFDIR | 0o755), Entry("old/f", stat.S_IFREG | 0o644, b"x", 1))
    extract([archive], tmp_path, rename=lambda name: name.replace("old", "new", 1))
    assert (tmp_path / "new/f").read_text() == "x" and not (tmp_path / "old").exists()


@given(cut=st.integers(1, 2999))
def test_truncated_archive_is_an_error(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    archive = packed(Entry("f", stat.S_IFREG | 0o644, bytes(range(256)) * 10, 2560))
    with pytest.raises((StreamTruncated, UnsafeArchive)):
        extract([archive[:cut]], tmp_path_factory.mktemp("cut"))


@given(st.lists(st.integers(1, 700), max_size=20))
def test_members_do_not_depend_on_chunk_borders(cuts: list[int]) -> None:
    archive = packed(Entry("f", stat.S_IFREG | 0o644, b"abc" * 500, 1500), link("l", "f"))
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(archive[at : at + cut])
        at += cut
    pieces.append(archive[at:])
    found = [(member.name, content and content.read()) for member, content in members(pieces)]
    assert found == [("f", b"abc" * 500), ("l", None)]


places = st.lists(st.sampled_from(["a", "b", "c", "..", ".", "/"]), min_size=1, max_size=4).map("/".join)
kinds = st.sampled_from([stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK])


@given(st.lists(st.tuples(places, kinds, places), min_size=1, max_size=8), st.sampled_from(["refuse", "skip", "keep"]))
def test_extract_never_writes_outside_the_target(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, int, str]], outside_links: Any
) -> None:
    sandbox = tmp_path_factory.mktemp("sandbox")
    target = sandbox / "a" / "b"
    target.mkdir(parents=True)
    (sandbox / "a" / "c").write_text("not yours")
    archive = packed(*(Entry(name, kind | 0o755, b"x", 1, 0, link) for name, kind, link in entries))
    with contextlib.suppress(UnsafeArchive):
        extract([archive], target, outside_links=outside_links)
    outside = {path for path in sandbox.rglob("*") if target not in path.parents and path != target}
    assert outside == {sandbox / "a", sandbox / "a" / "c"} and (sandbox / "a" / "c").read_text() == "not yours"
    if outside_links != "keep":
        for path in target.rglob("*"):
            try:
                end = os.path.realpath(path, strict=True)
            except FileNotFoundError:
                end = os.path.realpath(path)
            except OSError:  # links in a cycle lead nowhere
                continue
            assert Path(end).is_relative_to(target), path


THREE = [packed(Entry(name, stat.S_IFREG | 0o644, name.encode() * 600, 600))[:-1024] for name in "abc"]
END = bytes(1024)


@pytest.mark.parametrize(
    "archive",
    [
        THREE[0] + b"\xff" + THREE[1][1:] + THREE[2] + END,
        THREE[0] + bytes(512) + THREE[1][512:] + THREE[2] + END,
        THREE[0] + THREE[1],
        THREE[0] + THREE[1][:100],
        THREE[0] + THREE[1][:700],
    ],
    ids=["damaged header", "empty header", "no end mark", "cut in a header", "cut in content"],
)
def test_damaged_archive_is_an_error(tmp_path: Path, archive: bytes) -> None:
    with pytest.raises((UnsafeArchive, StreamTruncated), match=r"damaged|ends"):
        extract([archive], tmp_path)


def header(kind: bytes, size: int) -> bytes:
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def endless(kind: bytes, sent: list[int]) -> Iterator[bytes]:
    yield header(kind, 2**30)
    for _ in range(2**14):
        sent.append(65536)
        yield b"100000 comment=" + b"x" * 65521


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_header_size_is_limited(tmp_path: Path, kind: bytes) -> None:
    sent: list[int] = []
    tracemalloc.start()
    try:
        with pytest.raises(UnsafeArchive, match="header"):
            extract(endless(kind, sent), tmp_path, max_bytes=1000)
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert sum(sent) < 4 * 1024 * 1024


def pax(*records: tuple[str, str], kind: bytes = tarfile.XHDTYPE) -> bytes:
    data = b""
    for key, value in records:
        rest = f" {key}={value}\n".encode()
        length = len(rest) + 1
        length = len(rest) + len(str(length + 1))
        data += str(length).encode() + rest
    return header(kind, len(data)) + data + bytes(-len(data) % 512)


@pytest.mark.parametrize(
    "archive",
    [
        pax(("mtime", "nan")) + THREE[0] + END,
        pax(("mtime", "1e400")) + THREE[0] + END,
        pax(("mtime", "1e15")) + THREE[0] + END,
        pax(("size", "-5")) + THREE[0] + END,
        pax(*((f"k{n}", "v") for n in range(100)), kind=tarfile.XGLTYPE) + THREE[0] + END,
        header(tarfile.GNUTYPE_LONGNAME, 5),
        (header(tarfile.GNUTYPE_LONGNAME, 1) + b"x" + bytes(511)) * 900 + THREE[0] + END,
    ],
    ids=["nan", "infinite", "far future", "negative size", "many global headers", "cut", "nested headers"],
)
def test_malformed_headers_raise_dockerkit_errors(tmp_path: Path, archive: bytes) -> None:
    with pytest.raises((UnsafeArchive, StreamTruncated)):
        extract([archive], tmp_path)
    with pytest.raises((UnsafeArchive, StreamTruncated)):
        for member, content in members([archive]):
            if content is not None:
                read_content(member, content)


def test_truncated_content_raises_a_dockerkit_error() -> None:
    for cut in (513, 600, 1100):
        with pytest.raises(StreamTruncated):
            for member, content in members([THREE[0][:cut]]):
                assert content is not None
                read_content(member, content)


@pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="this system has no calls relative to a folder")
def test_folder_replaced_by_a_link_is_not_followed(tmp_path: Path) -> None:
    target, outside = tmp_path / "target", tmp_path / "outside"
    target.mkdir(), outside.mkdir()
    (outside / "shadow").write_text("secret")
    (outside / "shadow").chmod(0o600)
    archive = packed(
        Entry("sub", stat.S_IFDIR | 0o755),
        Entry("sub/first", stat.S_IFREG | 0o666, b"x", 1),
        Entry("sub/shadow", stat.S_IFREG | 0o666, b"theirs", 6),
        Entry("sub/deep/shadow", stat.S_IFREG | 0o666, b"theirs", 6),
    )

    def swap(name: str) -> str:
        if name == "sub/shadow":
            os.rename(target / "sub", target / "moved")
            os.symlink(outside, target / "sub")
        return name

    with pytest.raises(UnsafeArchive, match="not a real folder"):
        extract([archive], target, rename=swap)
    assert (outside / "shadow").read_text() == "secret"
    assert stat.S_IMODE((outside / "shadow").stat().st_mode) == 0o600
    assert sorted(path.name for path in outside.iterdir()) == ["shadow"]


@pytest.mark.skipif(os.chmod not in os.supports_fd, reason="this system can't change a file by its descriptor")
def test_file_replaced_by_a_link_does_not_change_the_target(tmp_path: Path) -> None:
    target, outside = tmp_path / "target", tmp_path / "outside"
    target.mkdir()
    outside.write_text("theirs")
    outside.chmod(0o600)

    def swap(_: int) -> None:
        (target / "f").unlink()
        os.symlink(outside, target / "f")

    extract([packed(Entry("f", stat.S_IFREG | 0o666, b"theirs", 6))], target, on_bytes=swap)
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600


def test_closes_all_descriptors(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    names = [Entry(f"d{n}/e/f", stat.S_IFREG | 0o644, b"x", 1) for n in range(20)]
    extract([packed(*names)], tmp_path)
    with pytest.raises(UnsafeArchive):
        extract([packed(*names, Entry("../x", stat.S_IFREG | 0o644, b"x", 1))], tmp_path)
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before


def test_members_do_not_replace_files_of_another_type(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnsafeArchive, match="'file' is a folder, but its path exists and is not a folder"):
        extract([packed(Entry("file", stat.S_IFDIR | 0o755))], tmp_path)
    with pytest.raises(UnsafeArchive, match="'folder' is not a folder, but its path exists and is a folder"):
        extract([packed(Entry("folder", stat.S_IFREG | 0o644, b"x", 1))], tmp_path)
    extract([packed(Entry("folder", stat.S_IFDIR | 0o700), Entry(".", stat.S_IFDIR | 0o700))], tmp_path)
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o700


def test_hard_link_to_itself_keeps_the_file(tmp_path: Path) -> None:
    extract([packed(Entry("f", stat.S_IFREG | 0o644, b"x", 1))[:-1024] + hard_link("f", "f")], tmp_path)
    assert (tmp_path / "f").read_text() == "x"


def test_hard_link_becomes_a_copy_where_the_file_system_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    extract([packed(Entry("f", stat.S_IFREG | 0o644, b"x", 1))[:-1024] + hard_link("d/g", "f")], tmp_path)
    assert (tmp_path / "d/g").read_text() == "x"
    assert not (tmp_path / "d/g").samefile(tmp_path / "f")


def test_owners_are_kept_on_request(tmp_path: Path) -> None:
    mine = {"uid": os.getuid(), "gid": os.getgid()}
    entries = [Entry("f", stat.S_IFREG | 0o644, b"x", 1, **mine), link("l", "f")._replace(**mine)]
    extract([packed(*entries)], tmp_path, keep_owner=True)
    for name in ("f", "l"):
        info = (tmp_path / name).lstat()
        assert (info.st_uid, info.st_gid) == (os.getuid(), os.getgid())


def test_read_content_enforces_its_limit() -> None:
    for member, content in members([packed(Entry("f", stat.S_IFREG | 0o644, b"12345", 5))]):
        assert content is not None
        with pytest.raises(UnsafeArchive, match="'f' has 5 bytes, more than max_bytes=4"):
            read_content(member, content, 4)
        assert read_content(member, content, 5) == b"12345"
