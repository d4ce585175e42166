"""``containers.call``, additions to docker-py's ``run``, and pulls before containers are created."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit import DockerClient, errors
from dockerkit.models.containers import pull
from dockerkit.models.containers.process import KeptOutput

CID = "5" * 64
EXITED = {"Id": CID, "State": {"Status": "exited", "Running": False, "ExitCode": 0, "OOMKilled": False}}


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host, version="1.51") as client:
        yield client


def script_call(scripted: ScriptedEngine, *frames: bytes, code: int = 0, oom: bool = False) -> None:
    scripted.on("POST", "/containers/create", Answer.json({"Id": CID, "Warnings": []}, 201))
    scripted.on("POST", f"/containers/{CID}/attach", Answer.upgraded(frames, media_type=MULTIPLEXED))
    scripted.on("POST", f"/containers/{CID}/start", Answer.empty())
    state = {**EXITED["State"], "ExitCode": code, "OOMKilled": oom}  # type: ignore[dict-item]
    scripted.on("GET", f"/containers/{CID}/json", Answer.json({**EXITED, "State": state}))
    scripted.on("DELETE", f"/containers/{CID}", Answer.empty())


def calls(scripted: ScriptedEngine) -> list[str]:
    return [f"{request.method} {request.path.replace(CID, 'ID')}" for request in scripted.requests]


def test_call_attaches_before_the_start_and_removes_the_container(
    scripted: ScriptedEngine, client: DockerClient
) -> None:
    script_call(scripted, frame(1, b"out\xff"), frame(2, b"err"), code=3, oom=True)
    run = client.containers.call("busybox", "do it")
    assert calls(scripted) == [
        "POST /containers/create", "POST /containers/ID/attach", "POST /containers/ID/start", "GET /containers/ID/json",
        "DELETE /containers/ID",
    ]  # fmt: skip
    assert (run.args, run.returncode, run.stdout, run.stderr) == ("do it", 3, "out\ufffd", "err")
    assert (run.ok, run.oom_killed, run.truncated, run.container_id) == (False, True, False, CID)
    with pytest.raises(errors.ContainerError, match="exited with code 3: err"):
        run.check_returncode()
    assert client.containers.call("busybox", text=False).stdout == b"out\xff"
    with pytest.raises(errors.ContainerError):
        client.containers.call("busybox", check=True)


def test_call_limits_the_kept_output_of_each_stream(scripted: ScriptedEngine, client: DockerClient) -> None:
    script_call(scripted, frame(1, b"abc"), frame(2, b"123"), frame(1, b"def"))
    run = client.containers.call("busybox", max_output=4)
    assert (run.stdout, run.stderr, run.truncated) == ("abcd", "123", True)
    assert client.containers.call("busybox", max_output="1k").truncated is False


def test_kept_output_keeps_the_order_of_streams() -> None:
    out = KeptOutput(order=("stdout", "stderr"))
    for stream, data in (("stdout", b"1"), ("stderr", b"2"), ("stdout", b"3")):
        out[stream].append(data)
    assert (*out.read(), b"".join(out.together)) == (b"13", b"2", b"123")


@pytest.mark.parametrize(
    "options",
    [
        {"max_output": "much"}, {"max_output": -1}, {"timeout": 0}, {"files": {"app.py": ""}}, {"memlimit": "1m"},
    ],
    ids=str,
)  # fmt: skip
def test_call_refuses_invalid_arguments(scripted: ScriptedEngine, client: DockerClient, options: Any) -> None:
    with pytest.raises(errors.InvalidArgument, match=next(iter(options))):
        client.containers.call("busybox", **options)
    assert not scripted.requests


@pytest.mark.parametrize(
    "options",
    [{"input": b"", "detach": True}, {"input": b"", "stream": True}, {"wait_for": lambda _: True}],
    ids=["input, detach", "input, stream", "wait_for"],
)
def test_run_rejects_conflicting_options(scripted: ScriptedEngine, client: DockerClient, options: Any) -> None:
    with pytest.raises(errors.InvalidArgument, match="input|wait_for"):
        client.containers.run("busybox", **options)
    assert not scripted.requests


def test_run_removes_a_container_that_never_becomes_ready(scripted: ScriptedEngine, client: DockerClient) -> None:
    script_call(scripted)
    scripted.on("GET", "/events", Answer.json({}))
    scripted.on("GET", f"/containers/{CID}/logs", Answer.empty())
    with pytest.raises(errors.ContainerExited):
        client.containers.run("busybox", detach=True, wait_for=lambda _: False, wait_timeout=5)
    assert calls(scripted)[-1] == "DELETE /containers/ID"


# -- pulls ---------------------------------------------------------------------------------------------------------

DIGEST = "sha256:" + "0e" * 32
MISSING = Answer.error(404, "No such image: busybox")
CREATED = Answer.json({"Id": CID, "Warnings": []}, 201)
PULLED = Answer.json({"status": "Downloaded"})


def failed(text: str) -> Answer:
    return Answer.json({"errorDetail": {"message": text}, "error": text})


@pytest.mark.parametrize(
    "trouble",
    [
        Answer.error(500, "toomanyrequests: You have reached your pull rate limit"),
        Answer.error(429, "slow down"),
        Answer.error(500, "received unexpected HTTP status: 503 Service Unavailable"),
        failed("unexpected EOF"),
        failed("Get https://registry.example.com/v2/: net/http: TLS handshake timeout"),
        # Engine 28.5 with containerd's store, while another client removed an image with the same content:
        failed(f"failed to check image {DIGEST}: rpc error: code = NotFound desc = content digest {DIGEST}: not found"),
    ],
    ids=["rate limit", "429", "503", "cut", "timeout", "collected"],
)
def test_temporary_pull_failure_is_retried(scripted, client, monkeypatch, trouble) -> None:
    monkeypatch.setattr(pull, "_PAUSES", (0.001, 0.001))
    scripted.on("POST", "/containers/create", MISSING, CREATED)
    scripted.on("POST", "/images/create", trouble, trouble, PULLED)
    seen: list[Any] = []
    client.containers.create("busybox", pull="missing", progress=seen.append)
    assert [request.path for request in scripted.requests].count("/images/create") == 3
    assert seen


@pytest.mark.parametrize(
    "refusal",
    [
        Answer.error(404, "pull access denied for busybox, repository does not exist"),
        Answer.error(500, "unauthorized: authentication required"),
        failed("no matching manifest for linux/arm64"),
        failed("manifest unknown"),
    ],
    ids=["404", "unauthorized", "no platform", "unknown"],
)
def test_pull_is_not_retried_if_the_registry_refuses(scripted, client, refusal) -> None:
    scripted.on("POST", "/containers/create", MISSING)
    scripted.on("POST", "/images/create", refusal)
    with pytest.raises((errors.APIError, errors.PullError)):
        client.containers.run("busybox")
    assert [request.path for request in scripted.requests].count("/images/create") == 1


def test_pull_raises_the_registrys_error_after_the_last_retry(scripted, client, monkeypatch) -> None:
    monkeypatch.setattr(pull, "_PAUSES", (0.001,))
    scripted.on("POST", "/containers/create", MISSING)
    scripted.on("POST", "/images/create", Answer.error(500, "toomanyrequests"))
    with pytest.raises(errors.APIError, match="toomanyrequests"):
        client.containers.run("busybox")
    assert [request.path for request in scripted.requests].count("/images/create") == 2
