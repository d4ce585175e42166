"""Build cache in folders, and annotations: on engines with containerd's store, and refused by the others."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dockerkit.builder.buildkit import Exporter
from dockerkit.errors import BuildError, InvalidArgument

if TYPE_CHECKING:
    from dockerkit import DockerClient

NOTHING = "type=cacheonly"


def has_containerd_store(client: DockerClient) -> bool:
    return "io.containerd.snapshotter.v1" in str(client.info().get("DriverStatus"))


def test_cache_in_a_folder(client: DockerClient, busybox: str, tmp_path: Path, unique: Callable[..., str]) -> None:
    folder = tmp_path / "cache"
    words = unique("words")
    options: dict[str, Any] = {"fileobj": f"FROM {busybox}\nRUN echo {words} > /o\n", "outputs": NOTHING}
    target = {"type": "local", "dest": str(folder), "mode": "max"}
    if not has_containerd_store(client):
        with pytest.raises(InvalidArgument, match="cache_to"):
            client.images.buildkit(cache_to=[target], **options)
        assert not folder.exists()
        return
    source = {"type": "local", "src": str(folder)}
    first = client.images.buildkit(cache_to=[target], cache_from=[source], **options)
    assert any("does not contain a cache yet" in str(warning) for warning in first.warnings)
    index = json.loads((folder / "index.json").read_text())
    digest = index["manifests"][0]["digest"]
    kept = sorted(path.name for path in (folder / "blobs/sha256").iterdir())
    assert digest.partition(":")[2] in kept
    assert list((folder / "ingest").iterdir()) == []
    client.images.buildkit(cache_to=f"type=local,dest={folder},tag=other", **options)
    names = [
        one["annotations"]["org.opencontainers.image.ref.name"]
        for one in json.loads((folder / "index.json").read_text())["manifests"]
    ]
    assert names == ["latest", "other"]
    again = client.images.buildkit(cache_from=[source], **options)
    assert any("importing cache manifest" in step.name for step in again.steps)


def test_unwritable_folder_is_named(client: DockerClient, busybox: str, tmp_path: Path) -> None:
    if not has_containerd_store(client):
        pytest.skip("this engine exports no cache")
    (tmp_path / "file").write_text("")
    with pytest.raises((OSError, BuildError), match="file"):
        client.images.buildkit(
            fileobj=f"FROM {busybox}\nRUN true\n",
            outputs=NOTHING,
            cache_to=[{"type": "local", "dest": str(tmp_path / "file")}],
        )


def test_annotations(client: DockerClient) -> None:
    archive = io.BytesIO()
    options: dict[str, Any] = {
        "fileobj": "FROM scratch\nLABEL a=b\n",
        "annotations": {"org.example.a": "1", "manifest:org.example.b": "2"},
    }
    if not has_containerd_store(client):
        with pytest.raises(InvalidArgument, match="annotations"):
            client.images.buildkit(**options)
        return
    client.images.buildkit(outputs=Exporter("oci", archive), **options)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        manifests = [
            record["annotations"]
            for member in tar
            if member.name.startswith("blobs/")
            and member.isfile()
            and "layers" in (record := json.loads(tar.extractfile(member).read() if member.size < 5000 else "{}"))  # type: ignore[union-attr]
        ]
    assert manifests == [{"org.example.a": "1", "org.example.b": "2"}]
