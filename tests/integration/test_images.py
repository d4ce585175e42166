"""Images on real engines and registries."""

from __future__ import annotations

import functools
import http.server
import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dockerkit.errors import (
    APIError,
    Conflict,
    DockerException,
    ImageLoadError,
    ImageNotFound,
    InvalidArgument,
    InvalidRepository,
    InvalidVersion,
    NotFound,
    PullError,
    PushError,
    StreamError,
)
from dockerkit.models.pushes import pushed_digest

if TYPE_CHECKING:
    from conftest import Engine, RegistryAccess

    from dockerkit import APIClient, DockerClient
    from dockerkit.models.images import Image
    from dockerkit.progress import Progress

Name = Callable[..., str]


@pytest.fixture
def made(client: DockerClient, busybox: str, unique: Name, labels: dict[str, str]) -> Iterator[Callable[..., Image]]:
    """Create a unique image, which is removed with all its names after the test."""
    ids: list[str] = []

    def make(*tags: str, content: str | None = None) -> Image:
        name = unique("img")
        dockerfile = f'FROM {busybox}\nCOPY file /file\nCMD ["cat", "/file"]\n'
        files = {"Dockerfile": dockerfile, "file": content or name}
        image, _ = client.images.build(path=files, tag=list(tags) or f"{name}:1", labels=labels, rm=True)
        ids.append(image.id or "")
        return image

    yield make
    for image in ids:
        try:
            client.images.remove(image, force=True)
        except NotFound:
            continue


def root_archive(content: bytes = b"hello") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        member = tarfile.TarInfo("file")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def test_image_has_typed_attributes(client: DockerClient, made: Callable[..., Image], labels: dict[str, str]) -> None:
    image = made()
    assert repr(image) == f"<Image '{image.tags[0]}' {image.short_id.removeprefix('sha256:')}>"
    assert image.short_id == (image.id or "")[:19] and image.short_id.startswith("sha256:")
    assert image.labels == labels
    assert image.size > 1000
    assert image.platform.startswith("linux/")
    assert image.config.cmd == ["cat", "/file"] and image.config.environment["PATH"]
    assert image.created is not None and abs((datetime.now(UTC) - image.created).total_seconds()) < 3600
    assert image.attrs["Config"]["Cmd"] == ["cat", "/file"]
    assert image == client.images.get(image.tags[0]) and hash(image) == hash(client.images.get(image.id or ""))
    steps = image.history()
    assert steps[0]["Id"] == image.id and any("cat" in step["CreatedBy"] for step in steps)


@pytest.mark.synchronous  # inspects internals
def test_list_is_one_request_and_knows_the_same(
    client: DockerClient, made: Callable[..., Image], labels: dict[str, str]
) -> None:
    image = made()
    key, value = next(iter(labels.items()))
    for found in (
        client.images.list(name=image.tags[0]),
        client.images.list(filters={"label": f"{key}={value}", "reference": image.tags[0]}),
    ):
        assert [(one.id, one.tags, one.labels) for one in found] == [(image.id, image.tags, labels)]
        assert found[0].size > 1000 and found[0].created is not None
        assert found[0]._partial  # all of that from the list
        assert found[0].platform == image.platform and found[0].attrs["Config"] == image.attrs["Config"]
    assert client.images.list(name="no-such-name") == []
    assert image.id in client.api.images(quiet=True)


def test_tag_exists_remove(client: DockerClient, made: Callable[..., Image], unique: Name) -> None:
    image, name = made(), unique("img")
    assert image.tag(name, "two") and image.tag(f"{name}:three") and image.tag(f"localhost:5000/{name}")
    image.reload()
    assert {f"{name}:two", f"{name}:three", f"localhost:5000/{name}:latest"} < set(image.tags)
    assert client.images.exists(f"{name}:two")
    assert client.images.remove(f"{name}:two") == [{"Untagged": f"{name}:two"}]
    assert not client.images.exists(f"{name}:two")
    with pytest.raises(Conflict):
        image.remove()
    removed = image.remove(force=True)
    assert {"Deleted": image.id} in removed
    with pytest.raises(ImageNotFound):
        client.images.get(image.id or "")


def test_prune_removes_only_untagged_images(
    client: DockerClient, made: Callable[..., Image], unique: Name, labels: dict[str, str]
) -> None:
    kept, name = made(), unique("img")
    old = made(f"{name}:1")
    made(f"{name}:1")  # removes the name
    nameless = client.images.exists(old.id)  # containerd's store removes it with its name
    key, value = next(iter(labels.items()))
    answer = client.images.prune({"dangling": True, "label": f"{key}={value}"})
    deleted = [item.get("Deleted") for item in answer["ImagesDeleted"]]
    assert (old.id in deleted) == nameless and kept.id not in deleted
    assert answer["SpaceReclaimed"] >= 0


def test_push_and_pull(
    engine: Engine, client: DockerClient, made: Callable[..., Image], registry: str, unique: Name
) -> None:
    repository = f"{registry}/{unique('img')}"
    image = made(f"{repository}:a", f"{repository}:b")
    pushed = client.images.push(repository, "a")
    assert "digest: sha256:" in pushed
    assert pushed.reference == f"{repository}@{pushed.digest}" and pushed.digests == {"a": pushed.digest}
    assert client.images.push(repository, "a", progress=lambda _: None).digest == pushed.digest
    assert client.images.push(repository, all_tags=True).digests == {"a": pushed.digest, "b": pushed.digest}
    assert image.push(f"{repository}:b") == image.push(repository, "a")
    data = client.images.get_registry_data(f"{repository}:a")
    assert data.id == image.push(f"{repository}:a") and data.id.startswith("sha256:")
    assert data.short_id == data.id[:19] and data.image_name == f"{repository}:a"
    if not data.attrs["Platforms"]:  # an OCI manifest; engines do not report its platform
        assert engine.containerd_store and data.platforms == []
        with pytest.raises(DockerException, match="does not report"):
            data.has_platform("linux")
    else:
        assert data.platforms == [image.platform] and data.has_platform(image.platform)
        assert data.has_platform("linux") and not data.has_platform("plan9/mips")
    image.remove(force=True)
    assert data.pull() == image
    assert client.images.get(f"{repository}@{data.id}") == image
    image.remove(force=True)
    assert client.images.pull(repository, "a") == image
    assert client.images.pull(f"{repository}@{data.id}") == image
    image.remove(force=True)
    every = client.images.pull(repository, all_tags=True)
    assert [one.id for one in every] == [image.id] and set(every[0].tags) == {f"{repository}:a", f"{repository}:b"}
    data.reload()
    assert data.id in "".join(image.digests) or data.id in "".join(every[0].digests)


def test_untagged_pull_is_latest(client: DockerClient, made: Callable[..., Image], registry: str, unique: Name) -> None:
    repository = f"{registry}/{unique('img')}"
    image = made(f"{repository}:old", f"{repository}:latest")
    client.images.push(repository, "old")
    client.images.push(repository)
    image.remove(force=True)
    assert client.images.pull(repository).tags == [f"{repository}:latest"]


def test_records_are_streamed(api: APIClient, made: Callable[..., Image], registry: str, unique: Name) -> None:
    repository = f"{registry}/{unique('img')}"
    made(f"{repository}:latest")
    with api.push(repository, stream=True, decode=True) as records:  # type: ignore[union-attr]
        statuses = list(records)
    assert (pushed_digest(statuses) or "").startswith("sha256:")
    with api.pull(repository, stream=True) as lines:  # type: ignore[union-attr]
        assert all(line.startswith(b"{") for line in lines)


def test_failed_pull_raises(client: DockerClient, registry: str, unique: Name, busybox: str) -> None:
    for call in (
        lambda: client.images.pull(f"{registry}/{unique('img')}"),
        lambda: client.images.pull(f"127.0.0.1:1/{unique('img')}"),
        lambda: client.api.pull(f"{registry}/{unique('img')}", stream=True),
    ):
        with pytest.raises((ImageNotFound, APIError, PullError)):
            call()
    with pytest.raises(NotFound):
        client.images.get_registry_data(f"{registry}/{unique('img')}")
    with pytest.raises(InvalidRepository):
        client.images.pull("https://example.com/x")


def test_failed_push_raises(client: DockerClient, made: Callable[..., Image], unique: Name) -> None:
    name = f"127.0.0.1:1/{unique('img')}"
    made(f"{name}:latest")
    with pytest.raises(PushError) as caught:
        client.images.push(name)
    assert caught.value.message
    with pytest.raises((ImageNotFound, PushError, APIError)):
        client.images.push(f"127.0.0.1:1/{unique('img')}")


def test_registry_with_a_password(
    client: DockerClient, made: Callable[..., Image], auth_registry: RegistryAccess, unique: Name
) -> None:
    repository = f"{auth_registry.host}/{unique('img')}"
    image = made(f"{repository}:latest")
    right = {"username": auth_registry.user, "password": auth_registry.password}
    wrong = {"username": auth_registry.user, "password": "wrong"}
    for given in ({}, wrong):
        with pytest.raises(PushError, match=r"(?i)unauthorized|authentication|no basic auth"):
            client.images.push(repository, auth_config=given)
        with pytest.raises(APIError):
            client.images.get_registry_data(repository, auth_config=given)
    client.images.push(repository, auth_config=right)
    asked: list[str] = []

    def fresh(host: str) -> dict[str, str]:
        asked.append(host)
        return right if len(asked) > 1 else wrong

    image.remove(force=True)
    assert client.images.pull(repository, auth_config=fresh) == image
    assert asked == [auth_registry.host] * 2
    assert client.images.get_registry_data(repository, auth_config=right).pull() == image
    client.api.auth_config.add_auth(auth_registry.host, right)
    image.remove(force=True)
    assert client.images.pull(repository) == image


def test_registry_with_tls(
    client: DockerClient, made: Callable[..., Image], tls_registry: RegistryAccess, unique: Name
) -> None:
    repository = f"{tls_registry.host}/{unique('img')}"
    image = made(f"{repository}:latest")
    login = {"username": tls_registry.user, "password": tls_registry.password}
    digest = image.push(auth_config=login)
    assert digest is not None and client.images.get_registry_data(repository, login).id == digest
    image.remove(force=True)
    assert client.images.pull(repository, digest, auth_config=login) == image


def test_save_and_load(client: DockerClient, made: Callable[..., Image], tmp_path: Path) -> None:
    one, two = made(), made()
    path = tmp_path / "images.tar"
    written = client.images.save([one.tags[0], two.tags[0]], path)
    assert written == path.stat().st_size
    one.remove(force=True), two.remove(force=True)
    loaded = client.images.load(path)
    assert {image.id for image in loaded} == {one.id, two.id}
    assert client.images.get(one.tags[0]) == one
    with two.save() as archive:
        content = archive.read()
    two.remove(force=True)
    assert [image.tags for image in client.images.load(content)] == [[]]  # it was saved by its ID
    client.images.remove(two, force=True)
    with one.save(named=True, chunk_size=65536) as archive:
        content = archive.read()
    assert client.images.load(content) == [one]
    with one.save(named=one.tags[0]) as archive:
        assert client.images.load(archive) == [one]  # from one connection to the other
    with pytest.raises(InvalidArgument, match="must be a name of the image"):
        one.save(named="other:1")
    with pytest.raises(ImageNotFound):
        client.images.save("no-such-image", path)


def test_load_rejects_data_that_is_not_an_archive(client: DockerClient) -> None:
    with pytest.raises((ImageLoadError, APIError)):
        client.images.load(b"this is not an archive" * 1000)


def test_failed_save_leaves_no_file(client: DockerClient, busybox: str, tmp_path: Path) -> None:
    class Full(io.RawIOBase):
        def write(self, data: Any, /) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        client.images.save(busybox, Full())  # type: ignore[arg-type]
    with pytest.raises(IsADirectoryError):
        client.images.save(busybox, tmp_path)
    assert os.listdir(tmp_path) == []


def test_import(engine: Engine, client: DockerClient, unique: Name, tmp_path: Path, labels: dict[str, str]) -> None:
    key, value = next(iter(labels.items()))
    changes = [f"LABEL {key}={value}", 'CMD ["/file"]']
    path = tmp_path / "root.tar"
    path.write_bytes(root_archive())
    images = []
    for source in (path, str(path), root_archive(), io.BytesIO(root_archive()), iter([root_archive()])):
        image = client.images.import_image(source, unique("img"), "1", changes=changes, message="made here")
        images.append(image)
        assert image.labels == labels and image.attrs["Config"]["Cmd"] == ["/file"]
        assert image.history()[0]["Comment"] == "made here"
        assert image.read_bytes("/file") == b"hello"
    for image in images:
        image.remove(force=True)
    assert "sha256:" in client.api.import_image_from_data(root_archive(), unique("img"), "1", changes[0])
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer((engine.gateway, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        url = f"http://{engine.gateway}:{server.server_address[1]}/root.tar"
        try:
            image = client.images.import_image(url, unique("img"), "1", changes=changes)
        finally:
            server.shutdown()
            thread.join()
    assert image.read_bytes("/file") == b"hello"
    image.remove(force=True)
    with pytest.raises((StreamError, APIError)):
        client.images.import_image("http://127.0.0.1:1/nothing.tar", unique("img"))
    with pytest.raises(InvalidArgument):
        client.api.import_image()


def test_reports_progress(
    client: DockerClient, made: Callable[..., Image], registry: str, unique: Name, tmp_path: Path
) -> None:
    repository = f"{registry}/{unique('img')}"
    image = made(f"{repository}:latest")
    states: list[Progress] = []
    client.images.push(repository, progress=states.append)
    assert states[-1].title == f"Pushing {repository}" and states[-1].ended is not None and states[-1].steps
    image.remove(force=True)
    client.images.pull(repository, progress=states.append)
    assert states[-1].error is None and all(step.done for step in states[-1].steps.values())
    size = client.images.save(image, tmp_path / "x.tar", progress=states.append)
    assert states[-1].steps["Saving images"].current == size
    client.images.load(tmp_path / "x.tar", progress=states.append)
    with pytest.raises(APIError):
        client.images.pull(f"{registry}/{unique('img')}", progress=states.append)


def test_platforms(engine: Engine, client: DockerClient, busybox: str) -> None:
    image = client.images.get(busybox)
    for call in (
        lambda: image.inspect(platform=image.platform),
        lambda: image.inspect(manifests=True),
        lambda: image.history(image.platform),
        lambda: client.images.list(manifests=True),
    ):
        if engine.speaks("1.49"):
            assert call()
        else:
            with pytest.raises(InvalidVersion):
                call()
    with pytest.raises(InvalidArgument, match="platform"):
        image.inspect(platform="amd64")


def test_every_platform_parameter_of_a_newer_engine(
    engine: Engine, client: DockerClient, unique: Name, registry: str, tmp_path: Path
) -> None:
    if not (engine.containerd_store and engine.speaks("1.50")):
        pytest.skip("needs containerd's image store and API 1.50")
    name = f"{registry}/{unique('img')}"
    image = client.images.import_image(root_archive(), name, "latest", platform="linux/amd64")
    try:
        assert [one["Kind"] for one in image.manifests()] == ["image"]
        assert client.images.list(name, manifests=True)[0].cached_attrs["Manifests"]
        assert client.images.get(name, platform="linux/amd64").platform == "linux/amd64"
        assert not client.images.exists(name, platform="linux/arm64")
        client.images.push(name, platform="linux/amd64")
        client.images.save(name, tmp_path / "x.tar", platform="linux/amd64")
        image.remove(platforms="linux/amd64", force=True)
        assert client.images.load(tmp_path / "x.tar", platform={"os": "linux", "architecture": "amd64"})
        with pytest.raises((ImageLoadError, APIError)):
            client.images.load(tmp_path / "x.tar", platform="linux/arm64")
    finally:
        client.images.remove(name, force=True)


def test_search_reaches_docker_hub_or_says_so(client: DockerClient) -> None:
    with pytest.raises(APIError):  # the test engines have no internet access
        client.images.search("127.0.0.1:1/busybox", limit=1)


def test_image_of_one_of_several_platforms_works(
    client: DockerClient, unique: Callable[..., str], registry: str
) -> None:
    """In containerd's store the engine does not accept the ID of one platform's manifest."""
    name = f"{registry}/{unique('platforms')}"
    dockerfile = 'FROM scratch\nARG TARGETARCH\nCOPY x /of-$TARGETARCH\nCMD ["/x"]\n'
    try:
        client.images.buildkit(
            path={"Dockerfile": dockerfile, "x": ""}, platform=["linux/amd64", "linux/arm64"], tag=f"{name}:1"
        )
    except InvalidArgument:
        pytest.skip("this engine's store has one platform of an image")
    image = client.images.get(f"{name}:1", platform="linux/arm64")
    try:
        image.reload()
        assert image.platform == "linux/arm64"
        assert client.images.get(image.id) == image
        assert "of-arm64" in str(image.history())
        assert [entry.name for entry in image.list_files("/") if "of-" in entry.name] == ["of-arm64"]
        container = client.containers.create(image)
        container.remove()
        assert image.tag(name, "2")
        image.reload()
        assert sorted(image.tags) == [f"{name}:1", f"{name}:2"]
        with image.save() as archive:
            assert any(archive)
        assert image.push(f"{name}:1")
        with client.registry(registry) as opened:
            assert opened.config(f"{name}:1").platform == "linux/arm64"
    finally:
        image.remove(force=True)
    assert not client.images.exists(f"{name}:1")


def test_build_pushes_all_tags(client: DockerClient, busybox: str, registry: str, unique: Name, labels: Any) -> None:
    names = [f"{registry}/{unique('img')}:{tag}" for tag in ("1", "2")]
    for builder in ("classic", "auto"):
        image, log = client.images.build(
            path={"Dockerfile": f"FROM {busybox}"}, tag=names, labels=labels, builder=builder, push=True
        )
        assert [client.images.get_registry_data(name).id for name in names] == [result.digest for result in log.pushed]
        image.remove(force=True)
    with pytest.raises(InvalidArgument, match="push: requires tag"):
        client.images.build(path={"Dockerfile": f"FROM {busybox}"}, push=True)


def test_build_pushes_with_the_credentials_of_the_build(
    client: DockerClient, busybox: str, registry: str, auth_registry: RegistryAccess, unique: Name, labels: Any
) -> None:
    names = [f"{auth_registry.host}/{unique('img')}:1", f"{registry}/{unique('img')}:1"]
    right = {auth_registry.host: {"username": auth_registry.user, "password": auth_registry.password}}
    options: Any = {"path": {"Dockerfile": f"FROM {busybox}"}, "tag": names, "labels": labels}
    for builder in ("classic", "auto"):
        image, log = client.images.build(builder=builder, auth_configs=right, push=True, **options)
        try:
            assert all(result.digest for result in log.pushed)
            with pytest.raises(PushError, match=r"(?i)unauthorized|authentication|no basic auth"):
                client.images.build(builder=builder, auth_configs={}, push=True, **options)
        finally:
            image.remove(force=True)


def test_many_images_are_pulled_and_removed(
    client: DockerClient, made: Callable[..., Image], registry: str, unique: Name
) -> None:
    names = [f"{registry}/{unique('img')}:1" for _ in range(3)]
    made(*names)
    for name in names:
        client.images.push(name)
    report = client.images.remove_many([*names, f"{registry}/nothing:1"], force=True)
    assert (set(report.done), list(report.failed)) == (set(names), [f"{registry}/nothing:1"])
    pulled = client.images.pull_many([*names, f"{registry}/nothing:1"])
    assert (set(pulled.done), pulled.ok) == (set(names), False)
    with pytest.raises(ExceptionGroup, match="1 of 4 failed"):
        pulled.check()
    client.images.remove_many(names).check()
