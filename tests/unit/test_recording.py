"""Record a (fake) engine and replay the recording; it contains no secrets."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit import DockerClient, errors
from dockerkit.testing import FakeEngine, Recorder, Replayer
from dockerkit.testing.recordings.recording import packed, redacted, redacted_target, unpacked

PASSWORD = "hunter2-very-secret"


def use(client):
    """Make the calls that are recorded, and later replayed."""
    seen = [client.ping(), client.version()["ApiVersion"]]
    with pytest.raises(errors.ImageNotFound):
        client.images.get("missing")
    environment = {"DB_PASSWORD": PASSWORD, "PLAIN": "kept"}
    container = client.containers.create("alpine", "serve", name="web", environment=environment, stdin_open=True)
    container.start()
    seen.append(container.exec_run("ls"))
    exec_id = client.api.exec_create(container.id, "cat", stdin=True)["Id"]
    with client.api.exec_start(exec_id, socket=True) as sock:
        sock.sendall(PASSWORD.encode())
        sock.close_write()
        seen.append(sock.read())
    seen.append(container.logs())
    seen.append(list(container.logs(stream=True, follow=False)))
    container.remove(force=True)
    client.api.login("me", PASSWORD, registry="registry.example", reauth=True)
    return seen


def test_replays_recorded_requests(tmp_path):
    file = tmp_path / "engine.jsonl"
    with FakeEngine() as engine:
        engine.add_image("alpine")
        engine.when(command="serve", stdout=b"\xff ready\n", seconds=None)
        engine.when_exec("ls", stdout="a b\n")
        engine.when_exec("cat", program=lambda process: process.write(str(len(process.stdin.read()))))
        with Recorder(file, engine.host) as recorder, DockerClient(recorder.host) as client:
            recorded = use(client)
    text = file.read_text()
    assert PASSWORD not in text
    assert base64.b64encode(PASSWORD.encode()).decode() not in text
    assert "PLAIN=kept" in text
    with Replayer(file) as replayer, DockerClient(replayer.host) as client:
        assert use(client) == recorded
        assert replayer.missing == []
        with pytest.raises(errors.NotFound, match="nothing was recorded"):
            client.volumes.get("x")
    assert replayer.missing == ["GET /volumes/x"]


def test_rejects_a_file_that_is_not_a_recording(tmp_path):
    file = tmp_path / "x"
    file.write_text('{"key": "a"}\n')
    with pytest.raises(errors.InvalidArgument, match="line 1"):
        Replayer(file)


def test_reports_a_missing_engine(tmp_path):
    with Recorder(tmp_path / "x", f"unix://{tmp_path}/none.sock") as recorder, DockerClient(recorder.host) as client:
        with pytest.raises(errors.APIError, match="recorder"):
            client.info()


@pytest.mark.parametrize(
    "value",
    [
        {"password": PASSWORD},
        {"Env": ["API_TOKEN=" + PASSWORD]},
        {"AuthConfig": {"identitytoken": PASSWORD, "auth": PASSWORD}},
        {"JoinTokens": {"Worker": PASSWORD}},
        {"UnlockKey": PASSWORD},
        [{"url": f"https://me:{PASSWORD}@example/x"}],
        {"Labels": {"my.secret": PASSWORD}},
    ],
)
def test_secrets_are_hidden(value):
    assert PASSWORD not in json.dumps(redacted(value))


def test_keeps_values_that_are_not_secret():
    value = {"Env": ["PATH=/bin"], "Labels": {"a": "b"}, "Image": "x", "Secrets": [{"SecretID": "1"}]}
    assert redacted(value) == value


def test_targets_lose_versions_and_secrets():
    assert redacted_target('/v1.41/build?t=x&buildargs={"TOKEN":"' + PASSWORD + '"}') == (
        "/build?buildargs=%7B%22TOKEN%22%3A+%22%2A%2A%2A%22%7D&t=x"
    )
    assert PASSWORD not in redacted_target(f"/build?remote=https://me:{PASSWORD}@example/x.git")


@given(st.binary(max_size=100))
def test_bytes_survive(data):
    assert unpacked(packed(data)) == data
