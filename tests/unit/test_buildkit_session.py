"""The services of a session, called by the engine's end of the protocol."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from buildkit_engine import Peer
from hypothesis import given
from hypothesis import strategies as st

from dockerkit.builder.buildkit import messages as m
from dockerkit.builder.buildkit import services
from dockerkit.builder.buildkit.channel import Channel
from dockerkit.builder.buildkit.outputs import Exporter, outputs_of
from dockerkit.builder.buildkit.secrets import secrets_of
from dockerkit.builder.buildkit.session import BuildSession
from dockerkit.builder.buildkit.sources import _sniffable, source_of
from dockerkit.builder.buildkit.tree import Files, Folder, walk
from dockerkit.credentials.auth import AuthConfig
from dockerkit.errors import InvalidArgument

STAT, REQ, DATA, FIN, ERR = range(5)


@pytest.fixture
def open_session() -> Iterator[Callable[..., Peer]]:
    peers: list[tuple[Channel, Peer]] = []

    def make(session: BuildSession | None = None, **parts: object) -> Peer:
        session = session or BuildSession(auth=parts.pop("auth", lambda: AuthConfig({})), **parts)
        one, two = socket.socketpair()
        channel = Channel(one, serve=session.serve, name="session")
        peer = Peer(two)
        peers.append((channel, peer))
        return peer

    yield make
    for channel, peer in peers:
        peer.close()
        channel.close()
    deadline = time.monotonic() + 5
    while names := [thread.name for thread in threading.enumerate() if thread.name.startswith("dockerkit")]:
        assert time.monotonic() < deadline, names
        time.sleep(0.005)


def synced(
    peer: Peer, name: str, is_requested: Callable[[str], bool] = lambda path: True, **patterns: list[str]
) -> tuple[list, dict]:
    """Transfer files as the engine does; return the entries, and the content of requested files."""
    metadata = [
        ("dir-name", name),
        *((key.replace("_", "-"), value) for key, values in patterns.items() for value in values),
    ]
    number = peer.start(services.FILES, metadata)
    stats, files, requested = [], {}, []
    finished = False
    while (message := peer.message(number)) is not None:
        packet = m.Packet.FromString(message)
        if packet.type == STAT and packet.HasField("stat"):
            if packet.stat.mode < 0o1000 and not packet.stat.linkname and is_requested(packet.stat.path):
                requested.append(len(stats))
                peer.send(number, m.Packet(type=REQ, id=len(stats)).SerializeToString())
            stats.append(packet.stat)
        elif packet.type == STAT:
            finished = True
        elif packet.type == DATA and packet.data:
            files[stats[packet.id].path] = files.get(stats[packet.id].path, b"") + packet.data
        elif packet.type == DATA:
            files.setdefault(stats[packet.id].path, b"")
            requested.remove(packet.id)
        elif packet.type == ERR:
            raise RuntimeError(packet.data.decode())
        elif packet.type == FIN:
            break
        if finished and not requested:
            peer.send(number, m.Packet(type=FIN).SerializeToString())
            finished = False
    assert peer.message(number) is None
    assert peer.status(number)[0] == 0, peer.status(number)
    return stats, files


def make(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def paths(tree: Folder | Files, **patterns: list[str]) -> list[str]:
    return [path for path, _ in walk(tree, **patterns)]


# -- files -----------------------------------------------------------------------------------------------------------


def test_transfer_of_files(open_session, tmp_path: Path) -> None:
    make(tmp_path, "a/z", "a-b", "a.txt", "b")
    (tmp_path / "big").write_bytes(os.urandom(100_000))
    (tmp_path / "link").symlink_to("a")
    os.link(tmp_path / "b", tmp_path / "c")
    peer = open_session(trees={"context": Folder(str(tmp_path))})
    stats, files = synced(peer, "context")
    assert [one.path for one in stats] == ["a", "a/z", "a-b", "a.txt", "b", "big", "c", "link"]
    by_path = {one.path: one for one in stats}
    assert by_path["a"].mode & 1 << 31 and by_path["a"].size == 0
    assert by_path["link"].mode & 1 << 27 and by_path["link"].linkname == "a"
    assert by_path["c"].linkname == "b" and by_path["c"].size == 0
    assert by_path["b"].mtime == (tmp_path / "b").stat().st_mtime_ns
    assert files == {"a/z": b"a/z", "a-b": b"a-b", "a.txt": b"a.txt", "b": b"b", "big": (tmp_path / "big").read_bytes()}
    assert synced(peer, "context", lambda path: False)[1] == {}


def test_files_are_requested_during_the_listing(open_session, tmp_path: Path) -> None:
    peer = open_session(trees={"context": Files({f"{n:05}": b"x" * (n % 50) for n in range(1200)})})
    stats, files = synced(peer, "context")
    assert len(stats) == len(files) == 1200


def test_rejects_unknown_folders_and_invalid_requests(open_session) -> None:
    peer = open_session(trees={"context": Files({"f": "x"})})
    assert peer.unary(services.FILES, b"", [("dir-name", "elsewhere")]) is None
    assert peer.status()[0] == 5
    number = peer.start(services.FILES, [("dir-name", "context")])
    peer.send(number, m.Packet(type=REQ, id=99).SerializeToString())
    while peer.message(number) is not None:
        pass
    assert peer.status(number)[0] != 0
    number = peer.start(services.FILES, [("dir-name", "context")])
    peer.send(number, m.Packet(type=ERR, data=b"disk full").SerializeToString())
    while peer.message(number) is not None:
        pass
    assert "disk full" in peer.status(number)[1]


def test_encoded_patterns(open_session) -> None:
    peer = open_session(trees={"context": Files({"ü b": "x", "c": "y"})})
    metadata = [("dir-name", "context"), ("exclude-patterns", "%C3%BC+b"), ("exclude-patterns-encoded", "1")]
    number = peer.start(services.FILES, metadata)
    first = m.Packet.FromString(peer.message(number))
    assert first.stat.path == "c"


def test_unreadable_file_is_reported_to_both_sides(open_session, tmp_path: Path) -> None:
    make(tmp_path, "gone")
    session = BuildSession(auth=lambda: AuthConfig({}), trees={"context": Folder(str(tmp_path))})
    peer = open_session(session)
    number = peer.start(services.FILES, [("dir-name", "context")])
    assert m.Packet.FromString(peer.message(number)).stat.path == "gone"
    (tmp_path / "gone").unlink()
    peer.send(number, m.Packet(type=REQ, id=0).SerializeToString())
    kinds = []
    while (message := peer.message(number)) is not None:
        kinds.append(m.Packet.FromString(message).type)
    assert kinds[-1] == ERR
    assert "gone" in peer.status(number)[1]
    assert "gone" in str(session.failures[0])


def test_shared_key_differs_by_folder_and_is_new_for_files_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LOCALAPPDATA", raising=False)

    def key(**trees: object) -> str:
        return BuildSession(auth=lambda: AuthConfig({}), trees=trees)._shared_key()

    one, two = (Folder(str(make(tmp_path / name, "f"))) for name in ("one", "two"))
    assert key(context=one) == key(context=one)
    assert len({key(context=one), key(context=two), key(context=one, other=two), key(context=two, other=one)}) == 4
    assert key(context=Files({})) != key(context=Files({}))
    before = key(context=one)
    (tmp_path / "one").rename(tmp_path / "old")
    make(tmp_path / "one", "f")
    assert key(context=one) != before


def test_walk_with_patterns(tmp_path: Path) -> None:
    tree = Folder(str(make(tmp_path, "a/b/c", "a/d", "e", "f.log", "node/x/keep", "node/y")))
    assert paths(tree, exclude=["node", "!node/x/keep", "*.log"]) == [
        "a",
        "a/b",
        "a/b/c",
        "a/d",
        "e",
        "node",
        "node/x",
        "node/x/keep",
    ]
    assert paths(tree, include=["a/b/c", "e"]) == ["a", "a/b", "a/b/c", "e"]
    assert paths(tree, include=["a"], exclude=["a/b"]) == ["a", "a/d"]
    assert paths(tree, follow=["node/y"]) == ["node", "node/y"]
    assert paths(tree, follow=["/"]) == paths(tree)
    assert paths(tree, follow=["*.log", "missing"]) == ["f.log"]
    assert paths(tree, follow=["../../e"]) == ["e"]
    assert paths(tree, follow=["missing"]) == []


def test_walk_follows_links_without_leaving(tmp_path: Path) -> None:
    make(tmp_path, "real/file", "other", "we[i]rd*/f")
    for name, target in (
        ("one", "two"),
        ("two", "/real"),
        ("loop", "loop2"),
        ("loop2", "loop"),
        ("up", "../../../real/file"),
        ("glob1", "real"),
        ("w", "we[i]rd*"),
    ):
        (tmp_path / name).symlink_to(target)
    tree = Folder(str(tmp_path))
    assert paths(tree, follow=["one/file"]) == ["one", "real", "real/file", "two"]
    assert paths(tree, follow=["loop/x"]) == ["loop", "loop2"]
    assert paths(tree, follow=["up"]) == ["real", "real/file", "up"]
    assert paths(tree, follow=["glob?/file"]) == ["glob1", "real", "real/file"]
    assert paths(tree, follow=["w/f"]) == ["w", "we[i]rd*", "we[i]rd*/f"]


_name = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=6).filter(
    lambda name: name not in (".", "..")
)


@given(st.sets(st.lists(_name, min_size=1, max_size=4).map("/".join), max_size=12))
def test_entries_are_sorted_by_the_bytes_of_their_names(names: set[str]) -> None:
    files = {name for name in names if not any(other.startswith(name + "/") for other in names)}
    got = paths(Files(dict.fromkeys(files, "")))
    assert got == sorted(got, key=lambda path: [part.encode() for part in path.split("/")])
    assert files <= set(got)
    assert all(path.rpartition("/")[0] in {"", *got[:at]} for at, path in enumerate(got))


# -- the other services ----------------------------------------------------------------------------------------------


def test_health_responds_and_unknown_methods_are_unimplemented(open_session) -> None:
    peer = open_session()
    assert m.HealthResponse.FromString(peer.unary(services.HEALTH)).status == 1
    for path in ("/moby.filesync.v1.Auth/FetchToken", services.FILES, services.OUTPUTS, services.UPLOAD, "/x", ""):
        assert peer.unary(path or "/", b"") is None
        assert peer.status()[0] == 12


def test_credentials(open_session) -> None:
    config = AuthConfig(
        {
            "auths": {
                "https://index.docker.io/v1/": {"username": "hub", "password": "p1"},
                "r:5000": {"username": "u", "password": "p2"},
                "t": {"identitytoken": "tok"},
            }
        }
    )
    peer = open_session(auth=lambda: config)

    def ask(host: str) -> tuple[str, str]:
        response = m.CredentialsResponse.FromString(
            peer.unary(services.AUTH, m.CredentialsRequest(host=host).SerializeToString())
        )
        return response.username, response.secret

    assert ask("registry-1.docker.io") == ("hub", "p1")
    assert ask("r:5000") == ("u", "p2")
    assert ask("t") == ("", "tok")
    assert ask("unknown") == ("", "")


def test_secrets(open_session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"from file")
    monkeypatch.setenv("DKT_VALUE", "from env")
    known = secrets_of({"m": b"in memory", "f": tmp_path / "f", "e": {"env": "DKT_VALUE"}})
    assert "in memory" not in repr(known) and "from env" not in repr(known)
    peer = open_session(secrets=known)
    for id, value in (("m", b"in memory"), ("f", b"from file"), ("e", b"from env"), ("m", b"in memory")):
        response = peer.unary(services.SECRETS, m.GetSecretRequest(id=id).SerializeToString())
        assert m.GetSecretResponse.FromString(response).data == value
    for id in ("DKT_VALUE", "PATH", "", "HTTP_AUTH_TOKEN_x"):
        assert peer.unary(services.SECRETS, m.GetSecretRequest(id=id).SerializeToString()) is None
        assert peer.status()[0] == 5


def test_secrets_are_parsed_from_strings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t")
    (tmp_path / "f").write_bytes(b"x")
    known = secrets_of([f"id=a,src={tmp_path}/f", "id=b,env=TOKEN", "id=TOKEN", f"id=c,type=file,source={tmp_path}/f"])
    assert {id: secret.read() for id, secret in known.items()} == {"a": b"x", "b": b"t", "TOKEN": b"t", "c": b"x"}
    for wrong in (["id=a,what=b"], ["env=TOKEN"], "id=a", ["id=a,src=x,env=TOKEN"]):
        with pytest.raises((InvalidArgument, OSError)):
            secrets_of(wrong)


def test_ssh_agent_receives_only_allowed_requests(open_session, tmp_path: Path) -> None:
    path = str(tmp_path / "agent")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    got: list[bytes] = []

    def agent() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                got.append(data)
                connection.sendall((70_000).to_bytes(4, "big") + b"\x0c" + b"k" * 69_999)

    thread = threading.Thread(target=agent)
    thread.start()
    peer = open_session(agents={"default": path})
    assert peer.unary(services.SSH_CHECK, m.CheckAgentRequest(id="default").SerializeToString()) == b""
    assert peer.unary(services.SSH_CHECK, m.CheckAgentRequest(id="other").SerializeToString()) is None
    assert peer.status()[0] == 5
    number = peer.start(services.SSH_FORWARD, [("buildkit.ssh.id", "default")])
    requests = b"\0\0\0\1\x0b" + b"\0\0\0\1\x13" + b"\0\0\0\2\x0dx"
    for at in range(0, len(requests), 3):
        peer.send(number, m.BytesMessage(data=requests[at : at + 3]).SerializeToString())
    answers = b""
    while len(answers) < 2 * 70_004 + 5:
        answers += m.BytesMessage.FromString(peer.message(number)).data
    assert answers[70_004:70_009] == b"\0\0\0\1\5"
    assert got == [b"\0\0\0\1\x0b", b"\0\0\0\2\x0dx"]
    peer.end(number)
    assert peer.message(number) is None and peer.status(number)[0] == 0
    thread.join(5)
    listener.close()
    number = peer.start(services.SSH_FORWARD, [("buildkit.ssh.id", "default")])
    assert peer.message(number) is None and peer.status(number)[0] == 14


def test_upload(open_session) -> None:
    peer = open_session(archive=iter([b"a" * 100_000, b"", b"b"]))
    number = peer.start(services.UPLOAD)
    got = b""
    while (message := peer.message(number)) is not None:
        got += m.BytesMessage.FromString(message).data
    assert got == b"a" * 100_000 + b"b"


def archive_of(files: dict[str, bytes], format: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_writes_each_output_separately(open_session, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    outputs = outputs_of(
        [Exporter(), Exporter("tar", buffer), str(tmp_path / "out"), f"type=tar,dest={tmp_path}/o.tar"]
    )
    session = BuildSession(auth=lambda: AuthConfig({}), outputs=outputs)
    peer = open_session(session)
    content = archive_of({"f": b"x" * 50_000})
    for place in (3, 1, 2):
        number = peer.start(services.OUTPUTS, [("buildkit-attachable-exporter-id", str(place))])
        for at in range(0, len(content), 20_000):
            peer.send(number, m.BytesMessage(data=content[at : at + 20_000]).SerializeToString())
        peer.end(number)
        assert peer.message(number) is None and peer.status(number)[0] == 0
        assert len(session.missing()) == {3: 2, 1: 1, 2: 0}[place]
    assert buffer.getvalue() == (tmp_path / "o.tar").read_bytes() == content
    assert (tmp_path / "out/f").read_bytes() == b"x" * 50_000
    number = peer.start(services.OUTPUTS, [("buildkit-attachable-exporter-id", "0")])
    peer.end(number)
    assert peer.message(number) is None and peer.status(number)[0] == 5


def test_interrupted_output_leaves_no_file(open_session, tmp_path: Path) -> None:
    session = BuildSession(auth=lambda: AuthConfig({}), outputs=outputs_of(f"type=tar,dest={tmp_path}/o.tar"))
    peer = open_session(session)
    number = peer.start(services.OUTPUTS)
    peer.send(number, m.BytesMessage(data=b"half").SerializeToString())

    def wait_for_files(number: int) -> None:
        deadline = time.monotonic() + 5
        while len(list(tmp_path.iterdir())) != number:
            assert time.monotonic() < deadline, list(tmp_path.iterdir())
            time.sleep(0.01)

    wait_for_files(1)  # it has started
    peer.h2.reset_stream(number)
    peer.flush()
    wait_for_files(0)
    assert len(session.missing()) == 1


@pytest.mark.parametrize("first", ["f", "n" * 150])
@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archives_that_start_with_an_extended_header_are_wrapped(first: str, format: int) -> None:
    import gzip

    content = archive_of({first: b"x", "Dockerfile": b"y"}, format)
    for size in (1, 300, 100_000):
        sent = b"".join(_sniffable(iter([content[at : at + size] for at in range(0, len(content), size)])))
        assert (sent == content) is (first == "f")
        if first != "f":
            assert gzip.decompress(sent) == content
    assert b"".join(_sniffable(iter([]))) == b""


def test_ignore_files_of_a_source(tmp_path: Path) -> None:
    make(tmp_path, "Dockerfile", "sub/My", "sub/My.dockerignore")

    def names(**options: object) -> dict[str, bytes]:
        source = source_of(tmp_path, **options)
        return {item.name: item.source for _, item in walk(source.trees["dockerfile"])}

    assert set(names()) == {"Dockerfile"}
    assert names(dockerfile="sub/My") == {"Dockerfile": b"sub/My", "Dockerfile.dockerignore": b"sub/My.dockerignore"}
    assert names(ignore=["a", "b"])["Dockerfile.dockerignore"] == b"a\nb\n"
    assert names(fileobj="FROM x")["Dockerfile"] == b"FROM x"
