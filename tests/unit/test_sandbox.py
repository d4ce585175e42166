"""Sandboxes without an engine: the create request, and parsing of a shell's output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.models.containers.process import KeptOutput, ProcessOutput
from dockerkit.models.sandbox import _read_until

CID = "5" * 64


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host, version="1.51") as client:
        yield client


def test_container_is_hardened(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/images/app/json", Answer.json({"Id": "sha256:1", "Config": {"Volumes": {"/data": {}}}}))
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
    scripted.on("POST", f"/containers/{CID}/start", Answer.empty())
    scripted.on("PUT", f"/containers/{CID}/archive", Answer.empty(200))
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())
    with client.sandbox("app", files={"a/b": "x"}, disk="1m", memory="64m", pids=9, cpus=0.5, runtime="runsc"):
        pass
    body = next(request for request in scripted.requests if request.path == "/containers/create").json()
    host = body["HostConfig"]
    scratch = "size=1048576,mode=1777,nosuid,nodev"
    assert {name: host[name] for name in ("CapDrop", "SecurityOpt", "ReadonlyRootfs", "NetworkMode", "LogConfig")} == {
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        "NetworkMode": "none",
        "LogConfig": {"Type": "none"},
    }
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"], host["NanoCpus"]) == (2**26, 2**26, 9, 5 * 10**8)
    assert host["Tmpfs"] == {"/tmp": scratch, "/data": scratch}
    assert host["Mounts"][0]["VolumeOptions"]["DriverConfig"]["Options"]["o"] == scratch
    assert host["Runtime"] == "runsc"
    assert body["Healthcheck"] == {"Test": ["NONE"]}
    assert scripted.requests[-1].query == {"v": ["true"], "force": ["true"]}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("user", "root"), ("user", "0:0"), ("user", "0:1"), ("workdir", "here"), ("workdir", "/."), ("timeout", 0),
        ("max_output", "lots"), ("disk", "big"), ("files", {"../x": ""}), ("files", {"/etc/x": ""}),
    ],
)  # fmt: skip
def test_rejects_options_that_weaken_the_sandbox(
    scripted: ScriptedEngine, client: DockerClient, option: str, value: Any
) -> None:
    with pytest.raises(errors.InvalidArgument, match="path" if option == "files" else option):
        client.sandbox("app", **{option: value})
    assert not scripted.requests


class Pieces:
    def __init__(self, *pieces: tuple[str, bytes]) -> None:
        self._pieces = [ProcessOutput(stream, data) for stream, data in pieces]  # type: ignore[arg-type]

    def read_piece(self, timeout: float | None = None) -> ProcessOutput | None:
        return self._pieces.pop(0) if self._pieces else None


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_output_ends_at_the_mark_in_any_chunking(size: int) -> None:
    texts = {"stdout": b"out MAR MARK 12\n", "stderr": b"err\nMARK \n"}
    pieces = [
        (stream, text[start : start + size]) for stream, text in texts.items() for start in range(0, len(text), size)
    ]
    out = KeptOutput()
    assert _read_until(Pieces(*pieces), b"MARK ", out, None) == 12  # type: ignore[arg-type]
    assert out.read() == (b"out MAR ", b"err\n")


def test_shell_that_ends_loses_no_output() -> None:
    out = KeptOutput()
    assert _read_until(Pieces(("stdout", b"bye MAR"), ("stderr", b"MARK")), b"MARK ", out, None) is None  # type: ignore[arg-type]
    assert out.read() == (b"bye MAR", b"MARK")
