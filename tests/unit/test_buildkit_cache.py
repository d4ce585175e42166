"""Cache and annotations of a build: what is sent, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("h2")

from dockerkit.builder.buildkit import grpc
from dockerkit.builder.buildkit.call import RpcCall
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.builder.buildkit.localcache import LocalCache, content_handlers
from dockerkit.builder.buildkit.options import BuildRequest
from dockerkit.errors import InvalidArgument

ACTIONS = ("ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL", "ACTIONS_CACHE_SERVICE_V2")


@pytest.fixture(autouse=True)
def _no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ACTIONS:
        monkeypatch.delenv(name, raising=False)


def request(**options: Any) -> BuildRequest:
    return BuildRequest.of({"fileobj": "FROM scratch\n", **options}, {})  # type: ignore[typeddict-item]


def test_github_cache_takes_the_variables_of_the_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgument, match="ACTIONS_RUNTIME_TOKEN"):
        request(cache_to="type=gha,mode=max")
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", "a-token")
    with pytest.raises(InvalidArgument, match="ACTIONS_RESULTS_URL"):
        request(cache_from=["type=gha"])
    monkeypatch.setenv("ACTIONS_RESULTS_URL", "https://results.example/")
    monkeypatch.setenv("ACTIONS_CACHE_SERVICE_V2", "True")
    plan = request(cache_to="type=gha,mode=max", cache_from=[{"type": "gha", "token": "other"}])
    common = {"type": "gha", "version": "2", "url_v2": "https://results.example/"}
    assert plan.cache_to == [{**common, "mode": "max", "token": "a-token"}]
    assert plan.cache_from == [{**common, "token": "other"}]
    assert "a-token" not in repr(plan)


def test_other_caches_are_passed_on() -> None:
    s3 = {"type": "s3", "region": "eu", "bucket": "b"}
    assert request(cache_to=[s3], cache_from=[s3]).cache_to == [s3]


def test_caches_are_stored_in_folders(tmp_path: Path) -> None:
    for spec, name in (("type=local", "dest"), ("type=local,src=x", "dest")):
        with pytest.raises(InvalidArgument, match=name):
            request(cache_to=spec)
    with pytest.raises(InvalidArgument, match="at most one local folder"):
        request(cache_to=["type=local,dest=a", "type=local,dest=b"])
    plan = request(cache_from=[f"type=local,src={tmp_path}"])
    assert plan.cache_from == []
    assert "does not contain a cache yet" in plan.warnings[0]
    digest = f"sha256:{'a' * 64}"
    LocalCache(str(tmp_path), "other").add_manifest({"digest": f"sha256:{'b' * 64}", "size": 1})
    LocalCache(str(tmp_path)).add_manifest({"digest": digest, "size": 1})
    LocalCache(str(tmp_path)).add_manifest({"digest": digest, "size": 1})
    assert len(json.loads((tmp_path / "index.json").read_text())["manifests"]) == 2
    (source,) = request(cache_from=[f"type=local,src={tmp_path}"]).cache_from
    assert source == {"type": "local", "src": str(tmp_path), "digest": digest}
    (source,) = request(cache_from=[{**source, "digest": f"sha256:{'c' * 64}"}]).cache_from
    assert source["digest"] == f"sha256:{'c' * 64}"


class Call(RpcCall):
    """A call of BuildKit with these messages."""

    def __init__(self, folder: Path, *messages: Any) -> None:
        self._folder, self._messages = folder, [message.SerializeToString() for message in messages]
        self.sent: list[bytes] = []

    def header(self, name: str) -> str:
        return f"local:{self._folder}" if name == "buildkit-attachable-store-id" else ""

    def receive(self, timeout: float | None = None, *, until: Callable[[], bool] | None = None) -> bytes | None:
        return self._messages.pop(0) if self._messages else None

    def send(self, message: Any, *, flush: bool = True) -> None:
        self.sent.append(message.SerializeToString())


def test_content_is_written_atomically_and_only_inside_the_folder(tmp_path: Path) -> None:
    from dockerkit.builder.buildkit import messages

    handlers = content_handlers({str(tmp_path): LocalCache(str(tmp_path))})
    write, read = (handlers[f"/containerd.services.content.v1.Content/{name}"] for name in ("Write", "Read"))
    digest = "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of "x"
    for total, expected, data, status in (
        (2, digest, b"x", grpc.FAILED_PRECONDITION),
        (1, digest, b"y", grpc.FAILED_PRECONDITION),
        (1, "sha256:../../../etc/passwd", b"x", grpc.INVALID_ARGUMENT),
    ):
        with pytest.raises(GrpcError) as caught:
            write(Call(tmp_path, messages.WriteContentRequest(action=2, total=total, expected=expected, data=data)))
        assert caught.value.status == status
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    parts = [messages.WriteContentRequest(action=0), messages.WriteContentRequest(action=2, expected=digest, data=b"x")]
    write(call := Call(tmp_path, *parts))
    assert messages.WriteContentResponse.FromString(call.sent[-1]).digest == digest
    with pytest.raises(GrpcError) as caught:
        write(Call(tmp_path, *parts[1:]))
    assert caught.value.status == grpc.ALREADY_EXISTS
    read(call := Call(tmp_path, messages.ReadContentRequest(digest=digest)))
    assert messages.ReadContentResponse.FromString(call.sent[0]).data == b"x"
    for stranger in ("sha256:" + "0" * 64, "../index.json"):
        with pytest.raises(GrpcError):
            read(Call(tmp_path, messages.ReadContentRequest(digest=stranger)))
    with pytest.raises(GrpcError):
        read(Call(tmp_path / "other", messages.ReadContentRequest(digest=digest)))


def test_annotations() -> None:
    plan = request(annotations={"a.b": "1", "index:c": "2", "manifest[linux/arm64]:d": "3"})
    assert plan.annotations == {
        "annotation.a.b": "1",
        "annotation-index.c": "2",
        "annotation-manifest[linux/arm64].d": "3",
    }
    for wrong in ("", "image:a", "a b", "manifest[x:a"):
        with pytest.raises(InvalidArgument, match="annotations"):
            request(annotations={wrong: "1"})
    with pytest.raises(InvalidArgument, match="no image"):
        request(annotations={"a": "1"}, outputs="type=cacheonly")
