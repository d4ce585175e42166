"""Builds with a BuildKit at a separate address: the engine's, through a bridge that hides the engine's HTTP.

A bridge does the upgrade of ``POST /grpc`` on the engine's socket, so what is beyond it is what buildkitd has on its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import select
import socket
import ssl
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from buildkit_help import ours, write

from dockerkit import TLSConfig
from dockerkit.builder.buildkit import Exporter
from dockerkit.builder.buildkit.remote import BuildKitHost
from dockerkit.errors import BuildError, BuildKitUnavailable, InvalidArgument

if TYPE_CHECKING:
    from conftest import Engine

    from dockerkit import DockerClient


@contextlib.contextmanager
def bridge(engine: Engine, listener: socket.socket, context: ssl.SSLContext | None = None) -> Iterator[None]:
    """Connect each connection to the engine's control service."""
    ends: list[socket.socket] = []

    def serve(outer: socket.socket) -> None:
        inner = socket.socket(socket.AF_UNIX)
        ends.extend((outer, inner))
        try:
            if context is not None:
                outer = context.wrap_socket(outer, server_side=True)
                ends.append(outer)
            inner.connect(str(engine.socket))
            inner.sendall(b"POST /grpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = inner.recv(1)
                if not byte:
                    return
                head += byte
            if not head.startswith(b"HTTP/1.1 101"):
                return
            while True:
                pending = isinstance(outer, ssl.SSLSocket) and outer.pending()
                for end in [outer] if pending else select.select([outer, inner], [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    (inner if end is outer else outer).sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            outer.close()
            inner.close()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def over_tcp(engine: Engine) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    with bridge(engine, listener):
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def over_unix(engine: Engine, tmp_path: Path) -> Iterator[str]:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "buildkitd.sock"))
    listener.listen()
    with bridge(engine, listener):
        yield f"unix://{tmp_path}/buildkitd.sock"


def has_containerd_store(client: DockerClient) -> bool:
    return "io.containerd.snapshotter.v1" in str(client.info().get("DriverStatus"))


@pytest.mark.parametrize("fixture", ["over_tcp", "over_unix"])
def test_builds_files(
    client: DockerClient, fixture: str, request: pytest.FixtureRequest, tmp_path: Path, busybox: str
) -> None:
    address = request.getfixturevalue(fixture)
    write(tmp_path / "context", {"Dockerfile": f"FROM {busybox} AS b\nRUN --mount=type=secret,id=s cat /run/secrets/s > /o\n"
                                 "FROM scratch\nCOPY --from=b /o /\nCOPY f /\n", "f": "content"})  # fmt: skip
    result = client.images.buildkit(
        builder=address, path=tmp_path / "context", secrets={"s": b"secret"}, outputs=str(tmp_path / "out")
    )
    assert ((tmp_path / "out/o").read_text(), (tmp_path / "out/f").read_text()) == ("secret", "content")
    assert result.image_id is None
    assert ours() == []


def test_failed_steps_are_explained(client: DockerClient, over_tcp: str, busybox: str) -> None:
    with pytest.raises(BuildError) as caught:
        client.images.buildkit(
            builder=over_tcp, fileobj=f"FROM {busybox}\nRUN echo words; exit 3\n", outputs="type=cacheonly"
        )
    assert (caught.value.exit_code, caught.value.log) == (3, ("words",))
    assert ours() == []


def test_image_is_loaded_into_the_engine(
    client: DockerClient, over_tcp: str, busybox: str, unique: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"fileobj": f"FROM {busybox}\nRUN echo hello > /greeting\n", "tag": unique("remote")}
    if not has_containerd_store(client):
        with pytest.raises(InvalidArgument, match="store"):  # unchanged, of this engine's BuildKit
            client.images.build(builder=over_tcp, **options)
        return
    for builder in (over_tcp, "auto"):
        image, log = client.images.build(builder=builder, **options)
        try:
            assert image.tags == [f"{options['tag']}:latest"]
            assert image.read_text("/greeting") == "hello\n"
            assert log.builder == "buildkit"
        finally:
            image.remove(force=True)
        monkeypatch.setenv("BUILDKIT_HOST", over_tcp)
    assert "BUILDKIT_HOST" in log.reason
    assert over_tcp == client.builders.list()[0].name


def test_several_platforms_as_an_archive(client: DockerClient, over_tcp: str) -> None:
    archive = io.BytesIO()
    options: dict[str, Any] = {
        "builder": over_tcp, "path": {"Dockerfile": "FROM scratch\nCOPY f /\n", "f": ""},
        "platform": ["linux/amd64", "linux/arm64"],
    }  # fmt: skip
    with pytest.raises(InvalidArgument, match="platform"):
        client.images.buildkit(**options)
    if not has_containerd_store(client):
        return
    client.images.buildkit(outputs=Exporter("oci", archive), **options)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        index = json.load(tar.extractfile("index.json"))  # type: ignore[arg-type]
    assert index["manifests"]


def test_cache_of_another_builder(
    client: DockerClient, over_unix: str, busybox: str, registry: str, tmp_path: Path, unique: Callable[..., str]
) -> None:
    options: dict[str, Any] = {
        "builder": over_unix, "fileobj": f"FROM {busybox}\nRUN echo {unique('words')} > /o\n", "outputs": "type=cacheonly",
    }  # fmt: skip
    folder, image = tmp_path / "cache", f"{registry}/{unique('cache')}:1"
    targets = [{"type": "local", "dest": str(folder)}, {"type": "registry", "ref": image, "mode": "max"}]
    if not has_containerd_store(client):
        for target in targets:
            with pytest.raises(InvalidArgument, match="cache_to"):
                client.images.buildkit(cache_to=[target], **options)
        return
    client.images.buildkit(cache_to=targets, **options)
    assert json.loads((folder / "index.json").read_text())["manifests"]
    with client.registry(registry) as opened:
        assert opened.exists(image)
    for source in ({"type": "local", "src": str(folder)}, {"type": "registry", "ref": image}):
        again = client.images.buildkit(cache_from=[source], **options)
        assert any("importing cache manifest" in step.name for step in again.steps)


def test_checks_and_platforms_of_another_builder(client: DockerClient, over_unix: str, busybox: str) -> None:
    questionable = {"fileobj": f"FROM {busybox} AS Upper\nRUN true\n"}
    try:
        found = client.images.check(builder=over_unix, **questionable)
    except BuildKitUnavailable as error:
        assert "Engine 27" in str(error)
    else:
        assert [str(one).partition(":")[0] for one in found] == ["StageNameCasing"]
    if has_containerd_store(client):
        archive = io.BytesIO()
        client.images.buildkit(
            builder=over_unix, fileobj="FROM scratch\nLABEL a=b\n", platform=["linux/amd64", "linux/arm64"],
            provenance="mode=max", outputs=Exporter("oci", archive),
        )  # fmt: skip
        archive.seek(0)
        with tarfile.open(fileobj=archive) as tar:
            assert tar.extractfile("index.json") is not None


def test_mutual_tls(client: DockerClient, engine: Engine, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    authority.configure_trust(context)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    own = authority.issue_cert("client@example.com")
    own.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    ca = str(tmp_path / "ca.pem")
    with bridge(engine, listener, context):
        tls = TLSConfig(client_cert=(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")), ca_cert=ca)
        result = client.images.buildkit(
            builder=BuildKitHost(address, tls), fileobj="FROM scratch\nLABEL a=b\n", outputs="type=cacheonly"
        )
        assert result.steps
        for stranger in (None, TLSConfig(ca_cert=ca), TLSConfig()):
            with pytest.raises(BuildKitUnavailable, match="no BuildKit at tcp://"):
                client.builders.inspect(BuildKitHost(address, stranger))


def test_inspects_builders(client: DockerClient, over_unix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, engines = client.builders.inspect(over_unix), client.builders.inspect()
    assert theirs == engines
    assert theirs.workers[0].id
    assert theirs.platforms[0].startswith("linux/")
    found = {one.name: one for one in client.builders.list()}
    assert set(found) == {"buildkit", "classic"}
    monkeypatch.setenv("BUILDKIT_HOST", "unix:///nowhere/at.all")
    found = {one.name: one for one in client.builders.list()}
    assert not found["unix:///nowhere/at.all"].usable
    assert "no BuildKit at unix:///nowhere/at.all" in found["unix:///nowhere/at.all"].reason


@pytest.mark.parametrize("address", ["docker-container://x", "ssh://host", "tcp://", "tcp://host:1/path", "host:1234"])
def test_rejects_other_addresses(client: DockerClient, address: str) -> None:
    with pytest.raises(InvalidArgument, match="builder"):
        client.images.buildkit(builder=address, fileobj="FROM scratch\n")


def test_history_and_logs_of_past_builds(
    client: DockerClient, over_tcp: str, busybox: str, unique: Callable[..., str]
) -> None:
    words = unique("words")
    options: dict[str, Any] = {"outputs": "type=cacheonly", "buildargs": {"WORDS": words}}
    with pytest.raises(BuildError):
        client.images.buildkit(fileobj=f"FROM {busybox}\nARG WORDS\nRUN echo said $WORDS; exit 4\n", **options)
    try:
        past = client.builders.history()
    except BuildKitUnavailable as error:
        assert "has no build history" in str(error)
        return
    ours = next(one for one in past if one.options.get("build-arg:WORDS") == words)
    assert ours.error is not None
    assert ours.created is not None
    assert ours.completed is not None
    assert "exit code: 4" in ours.error
    assert ours.created <= ours.completed
    assert f"said {words}" in client.builders.logs(ours.id)
    assert ours.id in [one.id for one in client.builders.history(over_tcp)]
    with pytest.raises((BuildError, BuildKitUnavailable)):
        client.builders.logs("no-such-build")
