"""Calls on images, registries and builds: requests and results."""

from __future__ import annotations

import base64
import io
import json
import pickle
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import APIClient, DockerClient
from dockerkit.errors import (
    BuildError,
    ImageLoadError,
    ImageNotFound,
    InvalidArgument,
    InvalidRepository,
    InvalidVersion,
    NullResource,
    PullError,
    PushError,
    ServerError,
    StreamError,
    StreamTruncated,
)
from dockerkit.parsing.platforms import platform_json, platform_list, platform_text

ID = "sha256:" + "ab" * 32
SECRET = "s3cr3t-password"


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


@pytest.fixture
def api(scripted: ScriptedEngine) -> Iterator[APIClient]:
    with APIClient(scripted.host) as client:
        yield client


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host) as made:
        yield made


def lines(*records: dict[str, Any]) -> Any:
    return Answer.chunked([json.dumps(record).encode() + b"\r\n" for record in records])


def last(scripted: ScriptedEngine) -> dict[str, list[str]]:
    return dict(scripted.requests[-1].query)


GONE = "rpc error: code = NotFound desc = content digest 30acc0985c37: not found"


def test_list_is_repeated_if_an_image_is_removed_meanwhile(scripted: ScriptedEngine, api: APIClient) -> None:
    """Engine 28.5 with containerd's store fails the whole list then."""
    scripted.on("GET", "/images/json", Answer.error(404, GONE), Answer.error(404, GONE), Answer.json([{"Id": ID}]))
    assert api.images() == [{"Id": ID}]
    for answer, attempts in ((Answer.error(404, "No such image: x"), 1), (Answer.error(404, GONE), 5)):
        scripted.on("GET", "/images/json", answer)
        before = len(scripted.requests)
        with pytest.raises(ImageNotFound):
            api.images(filters={"before": "x"})
        assert len(scripted.requests) - before == attempts


def test_pull_is_repeated_if_its_content_was_collected(
    scripted: ScriptedEngine, client: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockerkit.models.containers.pull._PAUSES", (0.001,))
    text = f"failed to check image {ID}: rpc error: code = NotFound desc = content digest {ID}: not found"
    failed = lines({"errorDetail": {"message": text}, "error": text})
    scripted.on("POST", "/images/create", failed, lines({"status": "done"}))
    scripted.on("GET", "/images/app:latest/json", Answer.json({"Id": ID}))
    assert client.images.pull("app").id == ID
    scripted.on("POST", "/images/create", failed)
    with pytest.raises(PullError, match="content digest"):
        client.images.pull("app")
    busy = "toomanyrequests: slow down"
    scripted.on("POST", "/images/create", lines({"errorDetail": {"message": busy}, "error": busy}))
    before = len(scripted.requests)
    with pytest.raises(PullError, match=busy):
        client.images.pull("app")
    assert len(scripted.requests) - before == 1


def test_list(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/images/json", Answer.json([{"Id": ID}]))
    assert api.images() == [{"Id": ID}] and last(scripted) == {}
    assert api.images(quiet=True, all=True) == [ID] and last(scripted) == {"all": ["true"]}
    api.images("app", filters={"reference": "other", "dangling": True}, shared_size=True, manifests=True)
    query = last(scripted)
    assert json.loads(query.pop("filters")[0]) == {"reference": ["app", "other"], "dangling": ["true"]}
    assert query == {"shared-size": ["true"], "manifests": ["true"]}


def test_old_engines_filter_by_name_with_their_own_parameter() -> None:
    engine = ScriptedEngine(api_version="1.24")
    engine.on("GET", "/images/json", Answer.json([]))
    with APIClient(engine.host) as api:
        api.images("app")
        assert last(engine) == {"filter": ["app"]}
        with pytest.raises(InvalidVersion, match="shared-size"):
            api.images(shared_size=True)
    engine.close()


@pytest.mark.parametrize(
    ("repository", "tag", "extra", "expected"),
    [
        ("app", None, {}, {"fromImage": "app", "tag": "latest"}),
        ("app:1", None, {}, {"fromImage": "app", "tag": "1"}),
        ("app", "2", {}, {"fromImage": "app", "tag": "2"}),
        ("app:1", "2", {}, {"fromImage": "app", "tag": "2"}),
        ("host:5000/app", None, {}, {"fromImage": "host:5000/app", "tag": "latest"}),
        (f"app@{ID}", None, {}, {"fromImage": "app", "tag": ID}),
        ("app", ID, {}, {"fromImage": "app", "tag": ID}),
        ("app:1", None, {"all_tags": True}, {"fromImage": "app"}),
        ("app", None, {"platform": "linux/arm64"}, {"fromImage": "app", "tag": "latest", "platform": "linux/arm64"}),
    ],
)
def test_pull_sends_name_tag_and_platform(
    scripted: ScriptedEngine, api: APIClient, repository: str, tag: str | None, extra: Any, expected: dict[str, str]
) -> None:
    scripted.on("POST", "/images/create", lines({"status": "Done"}))
    assert api.pull(repository, tag, **extra) == '{"status": "Done"}\r\n'
    assert last(scripted) == {name: [value] for name, value in expected.items()}
    assert "X-Registry-Auth" not in scripted.requests[-1].headers


def test_pull_in_records(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/images/create", lines({"status": "a"}, {"status": "b"}))
    assert list(api.pull("app", stream=True, decode=True)) == [{"status": "a"}, {"status": "b"}]
    assert list(api.pull("app", stream=True)) == [b'{"status": "a"}', b'{"status": "b"}']


FAILED = {"errorDetail": {"code": 7, "message": "no space left"}, "error": "no space left"}


def test_failures_in_streams(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("POST", "/images/create", lines({"status": "a"}, FAILED))
    scripted.on("POST", "/images/app/push", lines({"status": "a"}, {"error": "denied"}))
    scripted.on("POST", "/images/load", lines(FAILED))
    for error, call in (
        (PullError, lambda: client.images.pull("app")),
        (PullError, lambda: client.api.pull("app")),
        (PullError, lambda: list(client.api.pull("app", stream=True, decode=True))),
        (PushError, lambda: client.images.push("app")),
        (PushError, lambda: client.images.push("app", progress=lambda state: None)),
        (ImageLoadError, lambda: client.images.load(b"")),
    ):
        with pytest.raises(error) as caught:
            call()
        assert caught.value.message in ("no space left", "denied")
        again = pickle.loads(pickle.dumps(caught.value))
        assert (again.message, again.code, again.detail) == (
            caught.value.message,
            caught.value.code,
            caught.value.detail,
        )


def test_truncated_stream_is_an_error(scripted: ScriptedEngine, client: DockerClient) -> None:
    cut = Answer.chunked([b'{"status":"a"}\r\n'], truncate=True)
    scripted.on("POST", "/images/create", cut)
    scripted.on("POST", "/images/app/push", cut)
    scripted.on("POST", "/build", cut)
    with pytest.raises(StreamTruncated):
        client.images.pull("app")
    with pytest.raises(StreamTruncated):
        client.images.push("app")
    with pytest.raises(StreamTruncated):
        client.images.build(path={"Dockerfile": ""}, builder="classic")


def test_podman_answers_a_failed_push_with_a_record(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/images/app/push", Answer.json({"errorDetail": {"message": "no route"}, "error": "x"}, 500))
    with pytest.raises(ServerError) as caught:
        api.push("app")
    assert caught.value.explanation == "no route"


def test_push(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/images/host:5000%2Fteam%2Fapp/push", lines({"status": "ok"}))
    api.push("host:5000/team/app:1", platform="linux/arm64/v8")
    assert json.loads(last(scripted)["platform"][0]) == {"os": "linux", "architecture": "arm64", "variant": "v8"}
    assert last(scripted)["tag"] == ["1"]
    assert base64.urlsafe_b64decode(scripted.requests[-1].headers["X-Registry-Auth"]) == b"{}"
    api.push("host:5000/team/app", all_tags=True, auth_config={"username": "me", "password": SECRET})
    assert "tag" not in last(scripted)
    sent = json.loads(base64.urlsafe_b64decode(scripted.requests[-1].headers["X-Registry-Auth"]))
    assert (sent["username"], sent["password"]) == ("me", SECRET)


def test_refused_credentials_are_fetched_again_once(scripted: ScriptedEngine, client: DockerClient) -> None:
    refused = lines({"errorDetail": {"message": "unauthorized: authentication required"}, "error": "unauthorized"})
    scripted.on("POST", "/images/create", refused, lines({"status": "ok"}))
    scripted.on("GET", "/images/host:5000%2Fapp:latest/json", Answer.json({"Id": ID}))
    given = iter(["old", "new"])
    client.images.pull("host:5000/app", auth_config=lambda host: {"username": host, "password": next(given)})
    sent = [
        json.loads(base64.urlsafe_b64decode(request.headers["X-Registry-Auth"])) for request in scripted.requests[:2]
    ]
    assert [(one["username"], one["password"]) for one in sent] == [("host:5000", "old"), ("host:5000", "new")]
    scripted.on("POST", "/images/create", refused)
    with pytest.raises(PullError) as caught:
        client.images.pull("host:5000/app", auth_config={"username": "me", "password": SECRET})
    assert len([one for one in scripted.requests if one.path == "/images/create"]) == 3  # no retry with the same ones
    assert SECRET not in f"{caught.value!r}{caught.value.__dict__}{caught.value.__traceback__}"


@pytest.mark.parametrize(("verb", "path"), [("pull", "/images/create"), ("push", "/images/host:5000%2Fapp/push")])
@pytest.mark.parametrize("decode", [True, False])
def test_stream_that_begins_with_a_refusal_is_retried_once(
    scripted: ScriptedEngine, api: APIClient, verb: str, path: str, decode: bool
) -> None:
    record = {"errorDetail": {"message": "unauthorized: authentication required"}, "error": "unauthorized"}
    refused, begun = lines(record), lines({"status": "begun"}, record)
    records = [{"status": "one"}, {"status": "two"}]
    scripted.on("POST", path, refused, lines(*records), refused, begun, refused)
    passwords = iter(range(100))

    def stream() -> Any:
        source = lambda host: {"username": host, "password": str(next(passwords))}  # noqa: E731
        return getattr(api, verb)("host:5000/app", stream=True, decode=decode, auth_config=source)

    def sent() -> int:
        return len([one for one in scripted.requests if one.method == "POST"])

    plain = records if decode else [json.dumps(one).encode() for one in records]
    opened = stream()
    assert sent() == 1
    assert list(opened) == plain and sent() == 2
    opened = stream()
    assert next(opened)  # the retry has started
    assert next(opened)  # the record with the failure
    with pytest.raises(StreamError, match="unauthorized"):  # it is not retried again
        next(opened)
    assert sent() == 4
    with pytest.raises(StreamError, match="unauthorized"):
        list(stream())
    assert sent() == 6
    with pytest.raises(StreamError, match="unauthorized"):  # a dict can't be refreshed
        list(getattr(api, verb)("host:5000/app", stream=True, auth_config={"username": "me", "password": SECRET}))
    assert sent() == 7


def test_stream_that_is_closed_while_credentials_are_fetched_stays_closed(
    scripted: ScriptedEngine, api: APIClient
) -> None:
    scripted.on("POST", "/images/create", lines({"error": "unauthorized"}), lines({"status": "one"}))
    given = iter("12")

    def credentials(host: str) -> dict[str, str]:
        number = next(given)
        if number == "2":
            opened.close()
        return {"username": host, "password": number}

    opened = api.pull("host:5000/app", stream=True, decode=True, auth_config=credentials)
    assert list(opened) == [] and opened.closed


def test_rejects_invalid_image_names(api: APIClient) -> None:
    with pytest.raises(NullResource):
        api.pull("")
    with pytest.raises(InvalidArgument):
        api.push(7)  # type: ignore[call-overload]
    with pytest.raises(InvalidRepository):
        api.pull("https://host/app")
    with pytest.raises(NullResource):
        api.inspect_image("")
    with pytest.raises(InvalidArgument):
        api.get_image([])
    with pytest.raises(InvalidArgument):
        api.tag("a", "")


def test_archives(scripted: ScriptedEngine, api: APIClient, tmp_path: Path) -> None:
    scripted.on("GET", "/images/get", Answer.length(b"tar"))
    scripted.on("GET", "/images/app:1/get", Answer.length(b"tar" * 10))
    scripted.on("POST", "/images/load", lines({"stream": "Loaded image: app:1\n"}))
    several = ["linux/amd64", "linux/arm64"]
    with APIClient(scripted.host, version="1.52") as newer:
        assert newer.get_image(["a", {"Id": ID}], platform=several).read() == b"tar"
    query = last(scripted)
    assert query["names"] == ["a", ID] and len(query["platform"]) == 2
    assert list(api.get_image("app:1", chunk_size=15)) == [b"tar" * 5] * 2
    path = tmp_path / "x.tar"
    path.write_bytes(b"archive")
    for data in (b"archive", io.BytesIO(b"archive"), iter([b"arch", b"ive"]), path):
        assert list(api.load_image(data, quiet=True)) == [{"stream": "Loaded image: app:1\n"}]
        assert scripted.requests[-1].body == b"archive" and last(scripted) == {"quiet": ["true"]}
        assert scripted.requests[-1].headers["Content-Type"] == "application/x-tar"


def test_save_writes_the_file_atomically(scripted: ScriptedEngine, client: DockerClient, tmp_path: Path) -> None:
    scripted.on("GET", "/images/app/get", Answer.length(b"tar" * 100, cut_after=100))
    with pytest.raises(StreamTruncated):
        client.images.save("app", tmp_path / "x.tar")
    assert list(tmp_path.iterdir()) == []


def test_imports(scripted: ScriptedEngine, client: DockerClient, tmp_path: Path) -> None:
    scripted.on("POST", "/images/create", lines({"status": ID}))
    scripted.on("GET", f"/images/{ID}/json", Answer.json({"Id": ID}))
    client.images.import_image(b"tar", "app", "1", changes=["CMD a", "ENV b=c"], message="m", platform="linux/arm64")
    request = scripted.requests[-2]
    assert request.body == b"tar" and dict(request.query) == {
        "fromSrc": ["-"], "repo": ["app"], "tag": ["1"], "changes": ["CMD a", "ENV b=c"], "message": ["m"],
        "platform": ["linux/arm64"],
    }  # fmt: skip
    client.api.import_image_from_url("http://x/y.tar", "app")
    assert last(scripted)["fromSrc"] == ["http://x/y.tar"] and scripted.requests[-1].body == b""
    client.api.import_image_from_image("base:2", "app")
    assert last(scripted) == {"fromImage": ["base"], "repo": ["app"], "tag": ["2"]}
    client.api.import_image_from_stream(iter([b"a", b"b"]))
    assert scripted.requests[-1].body == b"ab"
    scripted.on("POST", "/images/create", lines({"status": "Downloading"}))
    with pytest.raises(StreamTruncated, match="did not report the ID of the image"):
        client.images.import_image(b"tar")


def test_inspecting_for_one_platform(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/images/app/json", Answer.json({"Id": ID}))
    scripted.on("GET", "/images/app/history", Answer.json([]))
    scripted.on("DELETE", "/images/app", Answer.json([]))
    amd = '{"os":"linux","architecture":"amd64"}'
    api.inspect_image("app", platform="linux/amd64")
    assert last(scripted) == {"platform": [amd]}
    api.history("app", {"OS": "linux", "Architecture": "amd64", "variant": ""})
    assert last(scripted) == {"platform": [amd]}
    api.remove_image("app", force=True, platforms=["linux/amd64"])
    assert last(scripted) == {"force": ["true"], "platforms": [amd]}


def test_distribution(scripted: ScriptedEngine, client: DockerClient) -> None:
    answer = {"Descriptor": {"digest": ID}, "Platforms": [{"os": "linux", "architecture": "arm64", "variant": "v8"}]}
    scripted.on("GET", "/distribution/host%2Fapp:1/json", Answer.json(answer))
    scripted.on("GET", "/version", Answer.json({"Os": "linux", "Arch": "arm64"}))
    data = client.images.get_registry_data("host/app:1", {"username": "a", "password": "b"})
    assert scripted.requests[-1].headers["X-Registry-Auth"]
    assert data.id == ID and data.short_id == ID[:19] and data.platforms == ["linux/arm64/v8"]
    assert data.has_platform("linux/arm64") and data.has_platform({"os": "linux"}) and data.has_platform("linux")
    assert not data.has_platform("linux/amd64") and not data.has_platform("linux/arm64/v7")
    for bad in ("a/b/c/d", "linux//v8", ""):
        with pytest.raises(InvalidArgument):
            data.has_platform(bad)


def test_classic_build_sends_its_options(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/build", lines({"stream": "ok"}))
    list(api.build(
        {"Dockerfile": "FROM a"}, tag=["x:1", "y"], quiet=True, nocache=True, rm=True, pull=True, forcerm=True,
        container_limits={"memory": "1g", "cpushares": 3}, buildargs={"A": "b", "N": 1, "U": None}, shmsize="64m",
        labels={"l": "v"}, cache_from=["c"], target="t", network_mode="none", squash=True, extra_hosts={"h": "1.2.3.4"},
        platform="linux/arm64", isolation="hyperv", ulimits=["nofile=1:2"], cgroup_parent="/g", security_opt=["s"],
        outputs=[{"Type": "tar"}], version="1", session="s", buildid="b", auth_configs={"docker.io": {"username": "u"}},
    ))  # fmt: skip
    query = last(scripted)
    assert {name: json.loads(query.pop(name)[0]) for name in ("buildargs", "labels", "cachefrom", "ulimits", "outputs",
                                                              "securityopt")} == {
        "buildargs": {"A": "b", "N": "1", "U": None}, "labels": {"l": "v"}, "cachefrom": ["c"], "securityopt": ["s"],
        "ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}], "outputs": [{"Type": "tar"}],
    }  # fmt: skip
    true = ["true"]
    assert query == {
        "t": ["x:1", "y"], "q": true, "nocache": true, "rm": true, "pull": true, "forcerm": true, "memory": [str(2**30)],
        "cpushares": ["3"], "shmsize": [str(64 * 2**20)], "target": ["t"], "networkmode": ["none"], "squash": true,
        "extrahosts": ["h:1.2.3.4"], "platform": ["linux/arm64"], "isolation": ["hyperv"], "cgroupparent": ["/g"],
        "version": ["1"], "session": ["s"], "buildid": ["b"],
    }  # fmt: skip
    known = json.loads(base64.urlsafe_b64decode(scripted.requests[-1].headers["X-Registry-Config"]))
    assert known == {"docker.io": {"username": "u"}, "https://index.docker.io/v1/": {"username": "u"}}
    with tarfile.open(fileobj=io.BytesIO(scripted.requests[-1].body)) as tar:
        assert tar.getnames() == ["Dockerfile"]


def test_build_that_the_engine_fetches_sends_nothing(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/build", lines({"stream": "ok"}))
    list(api.build("https://example.com/x.git#main", dockerfile="sub/Dockerfile"))
    assert last(scripted)["remote"] == ["https://example.com/x.git#main"]
    assert last(scripted)["dockerfile"] == ["sub/Dockerfile"] and scripted.requests[-1].body == b""
    list(api.build(fileobj=io.BytesIO(b"tar"), custom_context=True, encoding="xz"))
    assert scripted.requests[-1].headers["Content-Encoding"] == "xz" and scripted.requests[-1].body == b"tar"


STEPS = [
    {"stream": "Step 1/2 : FROM a"}, {"stream": "\n"}, {"stream": " ---> abc\n"}, {"stream": "Step 2/2 : RUN make"},
    {"stream": "\n"}, {"stream": " ---> Running in 123\n"}, {"stream": "one\ntwo\n"}, {"stream": "\x1b[91mthree\n\x1b[0m"},
]  # fmt: skip


def test_build_error_has_step_and_output(scripted: ScriptedEngine, client: DockerClient) -> None:
    failure = {"errorDetail": {"code": 2, "message": "returned a non-zero code: 2"}, "error": "x"}
    scripted.on("POST", "/build", lines(*STEPS, failure))
    with pytest.raises(BuildError) as caught:
        client.images.build(path={"Dockerfile": ""}, builder="classic")
    error = caught.value
    assert (error.msg, error.step, error.exit_code) == ("returned a non-zero code: 2", "RUN make", 2)
    assert error.log == ("one", "two", "three") and list(error.build_log) == [*STEPS, failure]
    assert str(error).splitlines()[0] == "returned a non-zero code: 2" and "in step: RUN make" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (again.step, again.log, list(again.build_log)) == (error.step, error.log, list(error.build_log))


@pytest.mark.parametrize(
    "records",
    [
        [{"aux": {"ID": ID}}, {"stream": "Successfully built 0123456789ab\n"}],
        [{"stream": "Successfully built 0123456789ab\n"}, {"aux": {"ID": ID}}],
        [{"stream": ID + "\n"}],
    ],
)
def test_build_returns_the_image_in_the_response(
    scripted: ScriptedEngine, client: DockerClient, records: list[dict[str, Any]]
) -> None:
    scripted.on("POST", "/build", lines({"stream": "RUN echo Successfully built ffffffffffff\n"}, *records))
    scripted.on("GET", f"/images/{ID}/json", Answer.json({"Id": ID, "RepoTags": ["x:1"]}))
    image, log = client.images.build(path={"Dockerfile": ""}, builder="classic")
    assert image.id == ID and next(log)["stream"].startswith("RUN")


@pytest.mark.parametrize("step", ["RUN <<EOF", "RUN 3<<-EOF cat", "COPY <<'a b' /x", "ADD <<a <<b /x/"])
def test_heredocs_are_refused_by_the_classic_builder(scripted: ScriptedEngine, client: DockerClient, step: str) -> None:
    scripted.on("POST", "/build", lines({"stream": f"Step 1/2 : {step}"}, {"stream": ID + "\n"}))
    with pytest.raises(BuildError, match="here-documents: pass builder='buildkit'") as caught:
        client.images.build(path={"Dockerfile": ""}, builder="classic")
    assert caught.value.step == step


@pytest.mark.parametrize(
    "step", ["RUN echo $((1<<3))", "RUN cat <<< x", 'RUN echo "a <<b"', "RUN echo '<<", "ENV A=<<B"]
)
def test_other_uses_of_less_than_signs_are_no_heredocs(
    scripted: ScriptedEngine, client: DockerClient, step: str
) -> None:
    scripted.on("POST", "/build", lines({"stream": f"Step 1/2 : {step}"}, {"stream": ID + "\n"}))
    scripted.on("GET", f"/images/{ID}/json", Answer.json({"Id": ID}))
    assert client.images.build(path={"Dockerfile": ""}, builder="classic")[0].id == ID


def test_option_that_needs_buildkit_says_how_to_get_it(scripted: ScriptedEngine, client: DockerClient) -> None:
    message = "the --mount option requires BuildKit"
    scripted.on("POST", "/build", lines({"errorDetail": {"message": message}, "error": message}))
    with pytest.raises(BuildError, match="requires BuildKit") as caught:
        client.images.build(path={"Dockerfile": ""}, builder="classic")
    assert "pass builder='buildkit'" in caught.value.__notes__[0]


def test_build_without_an_image_id_is_an_error(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("POST", "/build", lines({"stream": "hm"}))
    with pytest.raises(BuildError, match="did not report the ID of the built image"):
        client.images.build(path={"Dockerfile": ""}, builder="classic")


def test_cache_pruning_speaks_the_engines_version() -> None:
    for version, expected in (("1.47", {"keep-storage": ["1024"]}), ("1.52", {"reserved-space": ["1024"]})):
        engine = ScriptedEngine(api_version=version)
        engine.on("POST", "/build/prune", Answer.json({"SpaceReclaimed": 0}))
        with APIClient(engine.host) as api:
            api.prune_builds(keep_storage="1k")
            assert last(engine) == expected
        engine.close()


def test_cancelling_by_name(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/build/cancel", Answer.empty())
    api.cancel_build("mine")
    assert last(scripted) == {"id": ["mine"]}
    with pytest.raises(InvalidArgument):
        api.cancel_build("")


def test_attestations() -> None:
    engine = ScriptedEngine(api_version="1.55")
    engine.on("GET", "/images/app/attestations", Answer.json([]))
    with APIClient(engine.host) as api:
        api.image_attestations("app", platform="linux/amd64", type="https://slsa.dev/provenance/v1", statement=True)
        assert last(engine) == {"platform": ['{"os":"linux","architecture":"amd64"}'], "statement": ["true"],
                                "type": ["https://slsa.dev/provenance/v1"]}  # fmt: skip
    engine.close()


def test_repr_and_attributes_of_a_summary_send_no_request(scripted: ScriptedEngine, client: DockerClient) -> None:
    summary = {"Id": ID, "RepoTags": ["a:1", "b:2"], "RepoDigests": ["<none>@<none>"], "Labels": None, "Created": 0,
               "Size": 5}  # fmt: skip
    scripted.on("GET", "/images/json", Answer.json([summary, {"Id": ID, "RepoTags": ["<none>:<none>"]}]))
    image, unnamed = client.images.list()
    assert repr(image) == "<Image 'a:1' 'b:2' abababababab>" and repr(unnamed) == f"<Image '{ID[7:19]}'>"
    assert (image.tags, image.digests, image.labels, image.size) == (["a:1", "b:2"], [], {}, 5)
    assert image == unnamed and len({image, unnamed}) == 1
    assert image.created is not None and image.created.year == 1970
    assert len(scripted.requests) == 1
    scripted.on("GET", f"/images/{ID}/json", Answer.json({"Id": ID, "Config": {"Cmd": ["x"]}, "Os": "linux",
                                                          "Architecture": "arm64"}))  # fmt: skip
    assert image.config.cmd == ["x"] and image.attrs["Config"] == {"Cmd": ["x"]} and image.platform == "linux/arm64"
    assert len(scripted.requests) == 2
    scripted.on("POST", "/images/a/push", lines({"status": "ok"}))
    with pytest.raises(InvalidArgument, match="must be one of"):
        client.images.list()[0].push()
    with pytest.raises(InvalidArgument, match="no name to push"):
        unnamed.push()


def test_exists(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/images/app/json", Answer.json({"Id": ID}), Answer.error(404, "No such image: app"),
                Answer.error(404, "No such image: app"))  # fmt: skip
    assert client.images.exists("app") and not client.images.exists("app")
    with pytest.raises(ImageNotFound):
        client.images.get("app")


def test_platforms() -> None:
    assert platform_text("linux/arm64/v8") == "linux/arm64/v8" and platform_text(None) is None
    assert platform_text({"os": "linux", "Architecture": "arm", "variant": "v7"}) == "linux/arm/v7"
    assert json.loads(platform_json({"os": "windows", "architecture": "amd64", "os.version": "10"}) or "") == {
        "os": "windows", "architecture": "amd64", "os.version": "10",
    }  # fmt: skip
    assert platform_list("linux/amd64") == platform_list(["linux/amd64"]) and platform_list(None) is None
    for bad in ("", "linux", "a/b/c/d", "linux/", {"os": "linux"}, 7):
        with pytest.raises(InvalidArgument):
            platform_json(bad)  # type: ignore[arg-type]
