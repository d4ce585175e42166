"""The native and the drop-in profile: clients behave as their table says."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

import dockerkit
from dockerkit import errors
from dockerkit.compat import client as compat
from dockerkit.compat.profile import DIFFERENCES, DROP_IN, NATIVE, Profile, guide_table
from dockerkit.compat.types import drop_in

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = {NATIVE: dockerkit.DockerClient, DROP_IN: compat.DockerClient}

failed = {"errorDetail": {"message": "denied: no"}, "error": "denied: no"}
records = Answer.chunked([json.dumps(record).encode() + b"\n" for record in ({"status": "begun"}, failed)])


@pytest.fixture(params=[NATIVE, DROP_IN], ids=lambda profile: profile.name)
def profile(request: pytest.FixtureRequest) -> Profile:
    return request.param


@pytest.fixture
def client(profile: Profile, scripted: ScriptedEngine):
    with CLIENTS[profile](scripted.host) as client:
        yield client


def test_first_request_of_a_client_follows_the_profile(profile: Profile, scripted: ScriptedEngine) -> None:
    create = CLIENTS[profile]
    with create(scripted.host):
        assert scripted.pings == int(profile.connects_when_created)
    with create(scripted.host, version="1.44"):
        assert scripted.pings == int(profile.connects_when_created)
    if not profile.connects_when_created:
        create("unix:///no/such.sock").close()
        return
    with pytest.raises(
        errors.DockerException, match=r"(?s)^Error while fetching .*'Connection aborted.', FileNotF.*no/such\.sock"
    ):
        create("unix:///no/such.sock")


LOW_LEVEL: dict[str, Callable[[Any], Any]] = {
    "pull": lambda api: api.pull("host/app", stream=True, decode=True),
    "push": lambda api: api.push("host/app", stream=True, decode=True),
    "load_image": lambda api: api.load_image(b"tar"),
    "build": lambda api: api.build({"Dockerfile": "FROM scratch"}, decode=True),
    "pull_plugin": lambda api: api.pull_plugin("host/app", []),
    "push_plugin": lambda api: api.push_plugin("host/app", decode=True),
}
TEXTS: dict[str, Callable[[Any], str]] = {
    "pull": lambda api: api.pull("host/app"),
    "push": lambda api: api.push("host/app"),
    "import_image": lambda api: api.import_image(b"tar"),
}


@pytest.fixture
def failing(scripted: ScriptedEngine) -> ScriptedEngine:
    for path in ("/images/create", "/images/host%2Fapp/push", "/images/load", "/build", "/plugins/pull"):
        scripted.on("POST", path, records)
    scripted.on("POST", "/plugins/host%2Fapp/push", records)
    return scripted


@pytest.mark.parametrize("call", LOW_LEVEL.values(), ids=list(LOW_LEVEL))
def test_stream_returns_the_record_with_the_failure(profile: Profile, failing: ScriptedEngine, client, call) -> None:
    stream = call(client.api)
    assert [next(stream), next(stream)] == [{"status": "begun"}, failed]
    if profile.raises_in_streams:
        with pytest.raises(errors.StreamError, match="denied: no"):
            next(stream)
    else:
        assert list(stream) == []


@pytest.mark.parametrize("call", TEXTS.values(), ids=list(TEXTS))
def test_failure_is_part_of_the_text(profile: Profile, failing: ScriptedEngine, client, call) -> None:
    if profile.raises_in_streams:
        with pytest.raises(errors.APIError, match="denied: no"):
            call(client.api)
    else:
        assert [json.loads(line) for line in call(client.api).splitlines()] == [{"status": "begun"}, failed]


def test_refused_credentials_are_replaced_in_both_profiles(profile: Profile, scripted: ScriptedEngine, client) -> None:
    refused = json.dumps({"error": "unauthorized"}).encode()
    scripted.on("POST", "/images/host%2Fapp/push", Answer.chunked([b'{"status":"a"}\n', refused]), Answer.chunked([]))
    passwords = iter("12")
    assert client.images.push("host/app", auth_config=lambda host: {"password": next(passwords)}) == ""


def test_failed_pull_gets_the_local_image(profile: Profile, failing: ScriptedEngine, client) -> None:
    failing.on("GET", "/images/host%2Fapp:latest/json", Answer.json({"Id": "sha256:1"}))
    if profile.raises_in_streams:
        with pytest.raises(errors.PullError, match="denied: no"):
            client.images.pull("host/app")
    else:
        assert client.images.pull("host/app").id == "sha256:1"


def test_high_level_load_and_build_always_raise(failing: ScriptedEngine, client) -> None:
    with pytest.raises(errors.ImageLoadError):
        client.images.load(b"tar")
    with pytest.raises(errors.BuildError) as caught:
        client.images.build(path={"Dockerfile": "FROM scratch"}, builder="classic")
    assert caught.value.build_log == [{"status": "begun"}, failed]
    assert str(caught.value) == caught.value.msg == "denied: no"


def test_push_without_a_tag(profile: Profile, scripted: ScriptedEngine, client) -> None:
    scripted.on("POST", "/images/host%2Fapp/push", Answer.chunked([]))
    client.images.push("host/app")
    client.images.push("host/app", tag="1")
    latest = ["latest"] if profile.pushes_latest_only else None
    assert [request.query.get("tag") for request in scripted.requests] == [latest, ["1"]]


def test_service_update_keeps_unspecified_settings(scripted: ScriptedEngine, client) -> None:
    template = {"ContainerSpec": {"Image": "a", "Healthcheck": {"Test": ["NONE"]}, "Env": ["A=1"]}}
    spec = {"Name": "web", "Labels": {"a": "b"}, "TaskTemplate": template, "Mode": {"Replicated": {"Replicas": 1}}}
    scripted.on("GET", "/services/1", Answer.json({"ID": "1", "Version": {"Index": 7}, "Spec": spec}))
    scripted.on("POST", "/services/1/update", Answer.json({}))
    service = client.services.get("1")
    service.update(env=["A=2"])
    service.update(env=["A=2"], fetch_current_spec=False)
    service.force_update()
    service.scale(2)
    kept, reset, forced, scaled = scripted.json_bodies()
    assert kept == {**spec, "TaskTemplate": {"ContainerSpec": {**template["ContainerSpec"], "Env": ["A=2"]}}}
    assert reset == {"Name": "web", "TaskTemplate": {"ContainerSpec": {"Image": "a", "Env": ["A=2"]}}}
    assert forced == {**spec, "TaskTemplate": {**template, "ForceUpdate": 1}}
    assert scaled == {**spec, "Mode": {"Replicated": {"Replicas": 2}}}


@pytest.mark.parametrize(
    ("given", "native", "drop_in"),
    [
        ({"network": "net"}, ["net", "other"], ["net", "other"]),
        ({"network": "third"}, ["net", "other", "third"], []),
        ({}, ["other", "net"], []),
        ({"network_mode": "host"}, None, []),
    ],
)
def test_networks_that_only_networking_config_names(
    profile, scripted: ScriptedEngine, client, given, native, drop_in
) -> None:
    scripted.on("POST", "/containers/create", Answer.json({"Id": "c"}))
    expected = native if profile.joins_other_networks else drop_in
    if expected is None:
        return
    config = {"other": {"Aliases": ["x"]}, "net": {"Aliases": ["y"]}}
    client.containers.create("image", networking_config=config, use_config_proxy=False, **given)
    body = scripted.json_bodies()[0]
    joined = body.get("NetworkingConfig", {}).get("EndpointsConfig", {})
    assert sorted(joined) == sorted(expected)


def test_options_that_were_removed_from_the_engine(profile: Profile, scripted: ScriptedEngine, client) -> None:
    scripted.on("POST", "/containers/create", Answer.json({"Id": "c"}))
    if profile.strict:
        with pytest.raises(errors.InvalidVersion, match="was removed"):
            client.containers.create("image", kernel_memory="1m")
    else:
        client.containers.create("image", kernel_memory="1m")
        assert scripted.json_bodies()[0]["HostConfig"]["KernelMemory"] == 1024**2


def test_flags_that_are_not_booleans(profile: Profile, scripted: ScriptedEngine, client) -> None:
    scripted.on("GET", "/containers/json", Answer.json([]))
    if profile.strict:
        with pytest.raises(errors.InvalidArgument, match="all: must be True or False"):
            client.containers.list(all="yes")
    else:
        client.containers.list(all="yes")
        assert scripted.requests[-1].query["all"] == ["yes"]


def test_option_that_the_engine_is_too_old_for_is_refused(profile: Profile, scripted: ScriptedEngine) -> None:
    with CLIENTS[profile](scripted.host, version="1.40") as client:
        with pytest.raises(errors.InvalidVersion, match="or later"):
            client.containers.create("image", platform="linux/amd64")


def test_output_of_a_run_comes_in_lines(profile: Profile, scripted: ScriptedEngine, client) -> None:
    scripted.on("POST", "/containers/create", Answer.json({"Id": "c"}))
    frames = [frame(1, b"a\nb"), frame(2, b"err"), frame(1, b"c\nd\n"), frame(1, b"x" * 20_000)]
    scripted.on("POST", "/containers/c/attach", Answer.upgraded(frames, media_type=MULTIPLEXED))
    scripted.on("POST", "/containers/c/wait", Answer.json({"StatusCode": 0}))
    scripted.on("POST", "/containers/c/start", Answer.empty())
    items = list(client.containers.run("image", stream=True, stderr=True))
    if profile.streams_as_written:
        assert items == [b"a\nb", b"err", b"c\nd\n", b"x" * 20_000]
    else:
        assert items == [b"a\n", b"bc\n", b"d\n", b"x" * 20_000, b"err"]


def test_default_builder_follows_the_profile(profile: Profile, client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    monkeypatch.delenv("BUILDKIT_HOST", raising=False)
    monkeypatch.setattr("dockerkit.builder.buildkit.reason_against", lambda api: None)
    assert client.images._choose("auto", {})[0] == ("buildkit" if profile.prefers_buildkit else "classic")
    assert client.images._choose("auto", {"secrets": ["a"]})[0] == "buildkit"
    monkeypatch.setenv("DOCKER_BUILDKIT", "1")
    assert client.images._choose("auto", {})[0] == "buildkit"


def _run_that_fails(scripted: ScriptedEngine) -> None:
    scripted.on("POST", "/containers/create", Answer.json({"Id": "c"}))
    frames = [frame(1, b"a\n"), frame(2, b"it failed\n")]
    scripted.on("POST", "/containers/c/attach", Answer.upgraded(frames, media_type=MULTIPLEXED))
    scripted.on("POST", "/containers/c/wait", Answer.json({"StatusCode": 3}))
    scripted.on("POST", "/containers/c/start", Answer.empty())
    scripted.on("DELETE", "/containers/c", Answer.empty())


def test_when_a_streamed_run_raises(profile: Profile, scripted: ScriptedEngine, client) -> None:
    _run_that_fails(scripted)
    if profile.streams_as_written:
        output = client.containers.run("image", stream=True, remove=True)
        assert next(output) == b"a\n"
        with pytest.raises(errors.ContainerError):
            next(output)
    else:
        with pytest.raises(errors.ContainerError) as caught:
            client.containers.run("image", stream=True, remove=True)
        assert caught.value.stderr == b"it failed\n"
    assert scripted.requests[-1].method == "DELETE"


def test_output_of_a_streamed_run_is_closed_before_its_end(scripted: ScriptedEngine) -> None:
    _run_that_fails(scripted)
    scripted.on("POST", "/containers/c/wait", Answer.json({"StatusCode": 0}))
    with compat.DockerClient(scripted.host) as client:
        with client.containers.run("image", stream=True, stderr=True) as output:
            assert output.exit_code == 0
            assert next(output) == b"a\n"
        assert list(output) == []
        assert list(client.containers.run("image", stream=True, stderr=True)) == [b"a\n", b"it failed\n"]


def test_wait_result_follows_the_profile(profile: Profile, scripted: ScriptedEngine, client) -> None:
    scripted.on("GET", "/containers/c/json", Answer.json({"Id": "c"}))
    scripted.on("POST", "/containers/c/wait", Answer.json({"StatusCode": 3, "Error": None}))
    returned = client.containers.get("c").wait()
    assert returned["StatusCode"] == 3
    if profile.waits_return_int:
        assert returned == 3
    else:
        assert returned == {"StatusCode": 3}


def test_error_strings_follow_the_profile(profile: Profile, scripted: ScriptedEngine, client) -> None:
    said = "You cannot remove a running container abc. Stop the container before attempting removal or force remove"
    scripted.on("DELETE", "/containers/web", Answer.error(409, said))
    _run_that_fails(scripted)
    with pytest.raises(errors.Conflict) as refused:
        client.api.remove_container("web")
    with pytest.raises(errors.ContainerError) as failed:
        client.containers.run("image", "cmd")
    with pytest.raises(errors.Conflict) as by_hand:
        client.api._result(client.api._delete(client.api._url("/containers/{0}", "web")))
    assert refused.value.explanation == said and refused.value.status_code == 409
    if profile.explains_errors:
        assert str(refused.value).startswith("container 'web' is running. Call stop() first")
        assert "exited with code 3: it failed" in str(failed.value)
        return
    url = f"http+docker://localhost/v{client.api.api_version}/containers/web"
    assert str(refused.value) == f'409 Client Error for {url}: Conflict ("{said}")' == str(by_hand.value)
    assert refused.value.response.url == url
    assert refused.value.__notes__[0].startswith("container 'web' is running. Call stop() first")
    assert str(failed.value) == "Command 'cmd' in image 'image' returned non-zero exit status 3: b'it failed\\n'"
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)


def test_types_are_dicts() -> None:
    from dockerkit import types
    from dockerkit.types.base import Value

    kinds = [
        kind for name in types.__all__ if isinstance(kind := getattr(types, name), type) and issubclass(kind, Value)
    ]
    assert len(kinds) > 20
    for kind in kinds:
        assert issubclass(drop_in(kind), dict) and drop_in(kind).__name__ == kind.__name__
    mount = drop_in(types.Mount)("/data", "volume")
    assert json.loads(json.dumps(mount)) == types.Mount("/data", "volume").to_engine()
    assert (mount["ReadOnly"], mount["TmpfsOptions"], mount.target) == (False, None, "/data")
    mount["Source"] = "other"
    assert mount == {"Target": "/data", "Source": "other", "Type": "volume"}
    parsed = drop_in(types.Mount).parse_mount_string("/a:/b:ro")  # type: ignore[attr-defined]
    assert isinstance(parsed, drop_in(types.Mount)) and parsed["ReadOnly"] is True
    limit = drop_in(types.Ulimit)(name="nofile", soft=1)
    limit.hard = 5
    assert limit == {"Name": "nofile", "Soft": 1, "Hard": 5}
    log = drop_in(types.LogConfig)(type=types.LogConfig.types.JSON)
    log.set_config_value("max-size", "1m")
    assert log == {"Type": "json-file", "Config": {"max-size": "1m"}}
    with pytest.raises(errors.UnknownOption):
        drop_in(types.Mount)("/data", "volume", sorce="x")
    with pytest.raises(KeyError):
        mount["Nothing"]
    with pytest.raises(AttributeError):
        mount.nothing


def test_table_is_complete_and_in_the_guide() -> None:
    assert [row.field for row in DIFFERENCES] == [*Profile._fields[1:], "types"]
    assert all(getattr(NATIVE, field) != getattr(DROP_IN, field) for field in Profile._fields)
    assert guide_table() in (ROOT / "docs/migration.md").read_text()
