"""Archives: what is packed comes out again, and nothing gets out of its folder."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import socket
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit.archive import Entry, clean_name, files, pack, walk
from dockerkit.errors import InvalidArgument, StreamTruncated, UnreadableFile, UnsafeArchive
from dockerkit.extract import extract, members


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
def test_what_is_packed_is_read_back(contents: dict[str, bytes], mtime: int, uid: int, mode: int) -> None:
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


def test_several_names_of_one_file_stay_that(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_bytes(b"x" * 100_000)  # one that comes in pieces
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
        assert tar.getmember("z").linkname == "b/again"  # the first that is in the archive


def test_a_large_file_comes_in_pieces(tmp_path: Path) -> None:
    content = os.urandom(3 * 2**20 + 17)
    (tmp_path / "big").write_bytes(content)
    told: list[int] = []
    pieces = list(pack(walk(str(tmp_path), ""), on_bytes=told.append))
    assert max(map(len, pieces)) < 2 * 2**20
    assert told == [len(piece) for piece in pieces]
    assert [file and file.read() for _, file in members(pieces)] == [content]


def test_deep_trees(tmp_path: Path) -> None:
    depth = 1050  # deeper than Python's stack
    folders = ["/".join(["d"] * number) for number in range(1, depth + 1)]
    archive = packed(Entry(folders[-1] + "/f", stat.S_IFREG | 0o644, b"x", 1))
    extract([archive], tmp_path)
    assert [entry.name for entry in walk(str(tmp_path / "d"), "d")] == [*folders, folders[-1] + "/f"]
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # pytest's own shutil.rmtree() could not


def test_a_file_that_shrinks_is_named(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(2**20))
    (entry,) = walk(str(big), "big")
    big.write_bytes(b"short")
    with pytest.raises(UnreadableFile, match="big became shorter"):
        packed(entry)


def test_a_small_file_that_changes_is_sent_as_it_is(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.write_bytes(b"short")
    (entry,) = walk(str(small), "small")
    small.write_bytes(b"rather longer")
    with tarfile.open(fileobj=io.BytesIO(packed(entry))) as tar:
        content = tar.extractfile("small")
        assert content is not None and content.read() == b"rather longer"


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    entry = Entry("x", stat.S_IFREG | 0o644, str(tmp_path / "gone"), 5)
    with pytest.raises(UnreadableFile, match=r"can't read .*/gone: No such file") as caught:
        packed(entry)
    assert isinstance(caught.value, OSError) and caught.value.errno == 2
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("name", ["", "/", "..", "a/../b", "a\0b", "."])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(InvalidArgument, match="no name for a file"):
        clean_name(name)


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


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    target, outside = tmp_path / "target", tmp_path / "outside"
    target.mkdir(), outside.mkdir()
    (outside / "f").write_text("mine")
    os.symlink(outside, target / "d")
    os.symlink(outside / "f", target / "f")
    with pytest.raises(UnsafeArchive, match="no real folder"):
        extract([packed(Entry("d/f", stat.S_IFREG | 0o644, b"theirs", 6))], target)
    extract([packed(Entry("f", stat.S_IFREG | 0o644, b"theirs", 6))], target)  # the link itself is replaced
    assert (outside / "f").read_text() == "mine"
    assert (target / "f").read_text() == "theirs" and not (target / "f").is_symlink()


def test_outside_links_on_request(tmp_path: Path) -> None:
    archive = packed(link("l", "/etc"), Entry("f", stat.S_IFREG | 0o644, b"x", 1))
    extract([archive], tmp_path, outside_links="skip")
    assert not os.path.lexists(tmp_path / "l") and (tmp_path / "f").exists()
    extract([archive], tmp_path, outside_links="keep")
    assert os.readlink(tmp_path / "l") == "/etc"
    with pytest.raises(UnsafeArchive):  # and still nothing is written through it
        extract([packed(Entry("l/x", stat.S_IFREG | 0o644, b"x", 1))], tmp_path, outside_links="keep")


def test_limits(tmp_path: Path) -> None:
    archive = packed(*(Entry(f"f{n}", stat.S_IFREG | 0o644, bytes(100), 100) for n in range(5)))
    assert extract([archive], tmp_path, max_bytes=500, max_members=5) == 500
    with pytest.raises(UnsafeArchive, match="499 bytes"):
        extract([archive], tmp_path, max_bytes=499)
    with pytest.raises(UnsafeArchive, match="4 members"):
        extract([archive], tmp_path, max_members=4)


def test_hard_links_inside_are_made(tmp_path: Path) -> None:
    extract([packed(Entry("f", stat.S_IFREG | 0o644, b"x", 1))[:-1024] + hard_link("d/g", "f")], tmp_path)
    assert (tmp_path / "d/g").samefile(tmp_path / "f")


def test_renaming_moves_everything(tmp_path: Path) -> None:
    archive = packed(Entry("old", stat.S_IFDIR | 0o755), Entry("old/f", stat.S_IFREG | 0o644, b"x", 1))
    extract([archive], tmp_path, rename=lambda name: name.replace("old", "new", 1))
    assert (tmp_path / "new/f").read_text() == "x" and not (tmp_path / "old").exists()


@given(cut=st.integers(1, 2999))
def test_a_cut_archive_is_an_error(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    archive = packed(Entry("f", stat.S_IFREG | 0o644, bytes(range(256)) * 10, 2560))
    with pytest.raises((StreamTruncated, UnsafeArchive)):
        extract([archive[:cut]], tmp_path_factory.mktemp("cut"))


@given(st.lists(st.integers(1, 700), max_size=20))
def test_piece_borders_do_not_matter(cuts: list[int]) -> None:
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
def test_no_archive_gets_out(
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
            except OSError:  # links in a circle lead nowhere
                continue
            assert Path(end).is_relative_to(target), path
