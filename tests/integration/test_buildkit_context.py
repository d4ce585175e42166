"""BuildKit on real engines: all kinds of contexts."""

from __future__ import annotations

import functools
import io
import os
import stat
import tarfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from buildkit_help import COPY_ALL, built_files, built_members, ours, write

from dockerkit import APIClient
from dockerkit.builder.buildkit import build
from dockerkit.errors import InvalidArgument, UnreadableFile


def test_folder_arrives_with_modes_links_and_odd_names(api: APIClient, tmp_path: Path, engine) -> None:
    names = ["a", "a/z", "a-b", "a.txt", "ü ñ", "sp ace/#x", "new\nline", "-dash", "a*b", "[x]", "deep/er/est/file"]
    names.remove("a")
    write(tmp_path, {name: f"content of {name!r}" for name in names} | {"Dockerfile": COPY_ALL, "script": "#!/bin/sh"})
    (tmp_path / "script").chmod(0o4751)
    (tmp_path / "sticky").mkdir()
    (tmp_path / "sticky").chmod(0o1770)
    (tmp_path / "link").symlink_to("a.txt")
    (tmp_path / "dangling").symlink_to("../outside/nothing")
    (tmp_path / "folder-link").symlink_to("deep")
    os.link(tmp_path / "a.txt", tmp_path / "hard")
    os.mkfifo(tmp_path / "pipe")
    members = built_members(api, path=tmp_path)
    assert set(names) <= members.keys()
    assert stat.S_IMODE(members["script"].mode) == 0o4751
    assert stat.S_IMODE(members["sticky"].mode) == 0o1770
    assert members["link"].linkname == "a.txt"
    assert members["dangling"].linkname == "../outside/nothing"
    assert members["folder-link"].linkname == "deep"
    assert not engine.speaks("1.42") or members["pipe"].isfifo()  # 20.10 omits pipes
    assert all(member.uid == member.gid == 0 for member in members.values())
    files = built_files(api, path=tmp_path)
    assert files["new\nline"] == b"content of 'new\\nline'"
    hard = members["hard"]
    assert hard.islnk() or files["hard"] == b"content of 'a.txt'"


def test_extended_attributes_of_users_arrive(api: APIClient, tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": COPY_ALL, "file": "x", "plain": "y"})
    os.setxattr(tmp_path / "file", "user.note", b"kept")
    members = built_members(api, path=tmp_path)
    assert members["file"].pax_headers.get("SCHILY.xattr.user.note") == "kept"
    assert not members["plain"].pax_headers.keys() & {"SCHILY.xattr.user.note"}


def test_two_folders_with_equal_sizes_and_times_keep_their_contents(api: APIClient, tmp_path: Path) -> None:
    """The engine only compares sizes and times, and keeps one copy for each shared key."""
    moment = time.time_ns() - 10**12
    for name, content in (("one", "AAA"), ("two", "BBB")):
        folder = write(tmp_path / name, {"Dockerfile": COPY_ALL, "file": content})
        for path in (folder / "file", folder):
            os.utime(path, ns=(moment, moment))
        assert built_files(api, path=folder)["file"] == content.encode()
    assert built_files(api, path=tmp_path / "one")["file"] == b"AAA"


def test_renamed_folder_is_not_confused_with_another(api: APIClient, tmp_path: Path) -> None:
    moment = time.time_ns() - 10**12
    place = tmp_path / "work"
    for name, content in (("one", "AAA"), ("two", "BBB")):
        folder = write(tmp_path / name, {"Dockerfile": COPY_ALL, "file": content})
        os.utime(folder / "file", ns=(moment, moment))
        folder.rename(place)
        assert built_files(api, path=place)["file"] == content.encode()
        place.rename(tmp_path / f"{name}-used")


def test_files_in_memory_are_always_sent_again(api: APIClient) -> None:
    for content in (b"AAA", b"BBB"):
        assert built_files(api, path={"Dockerfile": COPY_ALL, "file": content})["file"] == content


def test_edited_dockerfile_of_equal_size_and_time_is_used(api: APIClient, tmp_path: Path) -> None:
    write(tmp_path, {"a": "A", "b": "B", "Dockerfile": "FROM scratch\nCOPY a /\n"})
    moment = time.time_ns() - 10**12
    os.utime(tmp_path / "Dockerfile", ns=(moment, moment))
    assert set(built_files(api, path=tmp_path)) == {"a"}
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY b /\n")
    os.utime(tmp_path / "Dockerfile", ns=(moment, moment))
    assert set(built_files(api, path=tmp_path)) == {"b"}


def test_only_changed_files_are_sent(api: APIClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dockerkit.builder.buildkit import filesync

    sent: list[object] = []
    blocks = filesync._blocks
    monkeypatch.setattr(filesync, "_blocks", lambda item: (sent.append(item.source), blocks(item))[1])
    write(tmp_path, {f"f{n}": f"content {n}" for n in range(20)} | {"Dockerfile": COPY_ALL})
    built_files(api, path=tmp_path)
    assert len([one for one in sent if isinstance(one, str)]) == 21
    sent.clear()
    built_files(api, path=tmp_path)
    assert [one for one in sent if isinstance(one, str)] == []
    (tmp_path / "f7").write_text("something else")
    sent.clear()
    assert built_files(api, path=tmp_path)["f7"] == b"something else"
    assert [one for one in sent if isinstance(one, str)] == [str(tmp_path.resolve() / "f7")]


def test_dockerignore_is_applied_like_the_engine_does(api: APIClient, tmp_path: Path) -> None:
    write(
        tmp_path,
        dict.fromkeys(
            ("keep", "a.log", "sub/b.log", "sub/keep.log", "node/x/y", "node/x/z", "deep/n/k", "build/o"), "x"
        )
        | {
            "Dockerfile": COPY_ALL,
            ".dockerignore": "# no logs\n**/*.log\n!sub/keep.log\nnode\n!node/x/y\n/build/\nDockerfile\n",
        },
    )
    files = built_files(api, path=tmp_path)
    assert {name for name, content in files.items() if isinstance(content, bytes)} == {
        ".dockerignore".strip("./"), "keep", "sub/keep.log", "node/x/y", "deep/n/k",
    }  # fmt: skip


def test_ignore_file_of_the_dockerfile_takes_precedence(api: APIClient, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a": "",
            "b": "",
            ".dockerignore": "a\n",
            "other.Dockerfile": COPY_ALL,
            "other.Dockerfile.dockerignore": "b\n*.*\n",
        },
    )
    assert set(built_files(api, path=tmp_path, dockerfile="other.Dockerfile")) == {"a"}


def test_ignore_argument_overrides_ignore_files(api: APIClient, tmp_path: Path) -> None:
    write(tmp_path, {"a": "", "b": "", ".dockerignore": "a\n", "Dockerfile": COPY_ALL})
    assert {"a", "b"} <= set(built_files(api, path=tmp_path, ignore=[]))
    assert "b" not in built_files(api, path=tmp_path, ignore=["b"])


def test_copy_follows_links_to_their_targets(api: APIClient, tmp_path: Path) -> None:
    write(
        tmp_path,
        {"real/data/file": "found", "other": "no", "Dockerfile": "FROM scratch\nCOPY lnk/file /\nCOPY g*b /globbed/\n"},
    )
    (tmp_path / "lnk").symlink_to("second")
    (tmp_path / "second").symlink_to("/real/data")
    (tmp_path / "glob").symlink_to("real/data")
    files = built_files(api, path=tmp_path)
    assert files["file"] == b"found"
    assert files["globbed/file"] == b"found"


def test_files_not_named_by_copy_are_not_read(api: APIClient, tmp_path: Path) -> None:
    write(tmp_path, {"wanted/file": "x", "Dockerfile": "FROM scratch\nCOPY wanted /\n", "secret/file": "y"})
    (tmp_path / "secret" / "file").chmod(0)
    bad = os.fsencode(tmp_path) + b"/not-\xff-utf8"
    os.mkdir(bad)
    assert set(built_files(api, path=tmp_path)) == {"file"}


def test_rejects_a_file_name_that_is_not_utf8(api: APIClient, tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": COPY_ALL})
    with open(os.fsencode(tmp_path) + b"/not-\xff-utf8", "w"):
        pass
    with pytest.raises(InvalidArgument, match=r"not-\\xff-utf8"):
        built_files(api, path=tmp_path)
    assert ours() == []


def test_file_that_vanishes_meanwhile_is_named(api: APIClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dockerkit.builder.buildkit import filesync

    write(tmp_path, {"Dockerfile": COPY_ALL, "fleeting": "x"})
    blocks = filesync._blocks

    def vanishing(item):
        if isinstance(item.source, str) and item.source.endswith("fleeting"):
            os.unlink(item.source)
        return blocks(item)

    monkeypatch.setattr(filesync, "_blocks", vanishing)
    with pytest.raises(UnreadableFile, match="fleeting"):
        built_files(api, path=tmp_path)
    assert ours() == []


def test_dockerfile_from_another_folder_or_a_string(api: APIClient, tmp_path: Path) -> None:
    context = write(tmp_path / "context", {"file": "x"})
    elsewhere = write(tmp_path / "elsewhere", {"My.Dockerfile": "FROM scratch\nCOPY file /a\n"})
    assert set(built_files(api, path=context, dockerfile=elsewhere / "My.Dockerfile")) == {"a"}
    assert set(built_files(api, path=context, fileobj="FROM scratch\nCOPY file /b\n")) == {"b"}
    assert set(built_files(api, path=context, fileobj=io.BytesIO(b"FROM scratch\nCOPY file /c\n"))) == {"c"}
    assert built_files(api, fileobj="FROM scratch\n") == {}


def test_dict_of_files_with_files_and_folders_on_disk(api: APIClient, tmp_path: Path) -> None:
    folder = write(tmp_path, {"x/y": "inner", "z": "outer"})
    files = built_files(
        api,
        path={
            "Dockerfile": COPY_ALL,
            ".dockerignore": "Dockerfile\n.dockerignore\n",
            "lib/mounted": folder,
            "one": folder / "z",
            "t": "ü",
        },
    )
    contents = {name: content for name, content in files.items() if isinstance(content, bytes)}
    assert contents == {"lib/mounted/x/y": b"inner", "lib/mounted/z": b"outer", "one": b"outer", "t": "ü".encode()}


@pytest.mark.parametrize("first", ["Dockerfile", "long" * 40])
@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_accepts_an_archive_as_context_with_any_first_member(api: APIClient, first: str, format: int) -> None:
    """The engine mistakes an archive that starts with an extended header for a Dockerfile."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=format) as tar:
        for name, content in (
            (first, b"FROM scratch\nCOPY big /\n"),
            ("Dockerfile", b"FROM scratch\nCOPY big /\n"),
            ("big", b"x" * 3_000_000),
        ):
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1.5
            tar.addfile(member, io.BytesIO(content))
    archive.seek(0)
    assert built_files(api, fileobj=archive, custom_context=True)["big"] == b"x" * 3_000_000


def test_folder_as_archive_sends_all(api: APIClient, tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": COPY_ALL, "file": "AAA", "ignored": "", ".dockerignore": "ignored"})
    moment = time.time_ns() - 10**12
    for content in ("AAA", "BBB"):  # an edit that "sync" can't see
        (tmp_path / "file").write_text(content)
        os.utime(tmp_path / "file", ns=(moment, moment))
        files = built_files(api, path=tmp_path, transfer="tar")
        assert files["file"] == content.encode()
        assert "ignored" not in files


def test_named_contexts(api: APIClient, tmp_path: Path, engine) -> None:
    side = write(tmp_path / "side", {"s": "from the side"})
    main = write(tmp_path / "main", {"Dockerfile": "FROM scratch\nCOPY --from=side s /s\nCOPY --from=mem m /m\n"})
    contexts = {"side": side, "mem": {"m": b"from memory"}}
    if not engine.speaks("1.42"):  # it would try to pull an image of that name
        with pytest.raises(InvalidArgument, match="contexts: not supported by this engine's BuildKit"):
            built_files(api, path=main, contexts=contexts)
        return
    assert built_files(api, path=main, contexts=contexts) == {"s": b"from the side", "m": b"from memory"}


def test_four_builds_at_once(api: APIClient, tmp_path: Path) -> None:
    results: dict[int, object] = {}

    def run(number: int) -> None:
        folder = write(tmp_path / str(number), {"Dockerfile": COPY_ALL, "which": f"{number}" * 50_000})
        results[number] = built_files(api, path=folder)["which"]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == {number: (f"{number}" * 50_000).encode() for number in range(4)}
    assert ours() == []


def test_thousands_of_patterns(api: APIClient, tmp_path: Path) -> None:
    """They arrive as headers, of which HTTP/2 libraries accept fewer by default."""
    write(
        tmp_path,
        {
            "Dockerfile": COPY_ALL,
            "file": "x",
            ".dockerignore": "".join(f"some/longer/path/{n}/of/a/file\n" for n in range(4_000)),
        },
    )
    assert built_files(api, path=tmp_path)["file"] == b"x"


def test_missing_context_is_rejected_without_a_request(tmp_path: Path) -> None:
    with APIClient("unix:///nowhere", version="1.41") as nobody:
        for options in (
            {},
            {"path": tmp_path / "missing"},
            {"path": {}},
            {"path": {"Dockerfile": ""}, "transfer": "mail"},
        ):
            with pytest.raises((InvalidArgument, UnreadableFile)):
                build(nobody, **options)


def test_context_that_the_engine_fetches_itself(api: APIClient, engine, tmp_path: Path) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in (
            ("Dockerfile", b"FROM scratch\nCOPY f /\n"),
            ("f", b"fetched"),
            ("other/Df", b"FROM scratch\nCOPY f /g\n"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    (tmp_path / "context.tar").write_bytes(archive.getvalue())
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer((engine.gateway, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://{engine.gateway}:{server.server_port}/context.tar"
        assert built_files(api, path=url) == {"f": b"fetched"}
        assert built_files(api, path=url, dockerfile="other/Df") == {"g": b"fetched"}
        server.shutdown()
        thread.join()
