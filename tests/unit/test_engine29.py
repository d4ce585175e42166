"""Different responses of Engine 29 and containerd's image store, recorded on Engine 29.7.2."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_engine import Answer, Script, ScriptedEngine

from dockerkit import APIClient, DockerClient, doctor
from dockerkit.builder.buildkit import needs_buildkit
from dockerkit.builder.buildkit.options import BuildRequest
from dockerkit.errors import (
    DockerException,
    EngineWarning,
    ImageNotFound,
    InvalidArgument,
    InvalidVersion,
    NotImplementedByEngine,
    PushError,
    UnknownOption,
)  # fmt: skip
from dockerkit.progress import Progress
from dockerkit.progress.display import Terminal
from dockerkit.progress.html import to_html
from dockerkit.testing import FakeEngine

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data/engine29.json").read_text())
DIGEST = "sha256:3fe9593fbf2843f544a46838cec59668e1339ed676ff50198dea08c1160e59fc"


def lines(*records: object) -> Script:
    return Answer.chunked([json.dumps(record).encode() + b"\r\n" for record in records])


@pytest.fixture
def engine(scripted: ScriptedEngine) -> ScriptedEngine:
    scripted.api_version = "1.55"
    return scripted


@pytest.fixture
def client(engine: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(engine.host) as client:
        yield client


# -- attestations ------------------------------------------------------------------------------------------------------


def attestations(**options: Any) -> dict[str, str]:
    attrs = BuildRequest.of({"fileobj": "FROM scratch", **options}, {}).attrs  # type: ignore[typeddict-item]
    return {name: value for name, value in attrs.items() if name.startswith("attest:")}


@pytest.mark.parametrize("name", ["provenance", "sbom"])
@pytest.mark.parametrize("off", [False, None, "", "false", "False", "0", "disabled=true", "mode=max,disabled=1"])
def test_attestation_that_is_off_is_not_sent(name, off):
    """For BuildKit the mere key means enabled, whatever its value."""
    assert attestations(**{name: off}) == {}
    assert needs_buildkit({name: off}) == []


@pytest.mark.parametrize(
    ("value", "sent"),
    [(True, ""), ("true", ""), ("1", ""), ("mode=max", "mode=max"), ("mode=min,disabled=false", "mode=min"),
     ("generator=r/scanner:1", "generator=r/scanner:1")],
)  # fmt: skip
def test_attestation_that_is_on_is_sent_as_buildkit_reads_it(value, sent):
    assert attestations(provenance=value) == {"attest:provenance": sent}
    assert needs_buildkit({"provenance": value}) == ["provenance"]


@pytest.mark.parametrize("value", ["fales", "max", 3, ["mode=max"]])
def test_rejects_invalid_attestations(value):
    with pytest.raises(InvalidArgument, match="provenance: must be True, False"):
        attestations(provenance=value)


NOTHING = {
    "provenance": False, "sbom": "false", "ssh": False, "secrets": {}, "cache_to": None, "allow": [], "contexts": {},
    "transfer": None,
}  # fmt: skip


@pytest.mark.parametrize("builder", ["classic", "auto"])
def test_empty_options_do_not_require_buildkit(engine, client, monkeypatch, builder):
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    engine.on("POST", "/build", lines({"aux": {"ID": DIGEST}}))
    engine.on("GET", f"/images/{DIGEST}/json", Answer.json({"Id": DIGEST}))
    image, log = client.images.build(path={"Dockerfile": "FROM scratch"}, builder=builder, **NOTHING)
    assert (image.id, log.builder) == (DIGEST, "classic")


# -- digests and tags --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "records",
    [
        RECORDED["POST /images/{name}/push records"],
        [{"status": f"1: digest: {DIGEST} size: 405"}, {"progressDetail": {}, "aux": {"Tag": "1", "Digest": DIGEST}}],
        [{"progressDetail": {}, "aux": {"Tag": "1", "Digest": DIGEST, "Size": 405}}],
    ],
)
def test_push_returns_the_digest_however_the_engine_reports_it(engine, client, records):
    engine.on("POST", "/images/127.0.0.1:5000%2Fpp/push", lines(*records))
    image = client.images.prepare_model({"Id": DIGEST, "RepoTags": ["127.0.0.1:5000/pp:1"]})
    assert image.push() == DIGEST
    engine.on("POST", "/plugins/127.0.0.1:5000%2Fpp:1/push", lines(*records))
    seen: list[object] = []
    pushed = client.plugins.prepare_model({"Name": "127.0.0.1:5000/pp:1"}).push(on_record=seen.append)
    assert (pushed.digest, list(pushed), seen) == (DIGEST, records, records)


def test_push_without_a_digest_returns_none(engine, client):
    engine.on("POST", "/images/pp/push", lines({"status": "done"}))
    engine.on("GET", "/distribution/pp:1/json", Answer.error(404, "not found"))
    assert client.images.prepare_model({"Id": DIGEST, "RepoTags": ["pp:1"]}).push() is None


def test_failed_plugin_push_raises(engine, client):
    engine.on("POST", "/plugins/pp/push", lines({"errorDetail": {"message": "denied"}, "error": "denied"}))
    with pytest.raises(PushError, match="denied"):
        client.plugins.prepare_model({"Name": "pp"}).push()


def test_names_with_a_digest_are_not_tags(client):
    image = client.images.prepare_model(RECORDED["GET /images/{name}/json"])
    assert image.tags == ["127.0.0.1:5000/bb:1", "127.0.0.1:5000/pp:1", "127.0.0.1:5000/runme:1", "busybox:latest"]
    assert f"127.0.0.1:5000/pp@{DIGEST}" in image.digests


# -- registries --------------------------------------------------------------------------------------------------------


def test_platforms_that_the_engine_does_not_report(engine, client):
    engine.on("GET", "/version", Answer.json(RECORDED["GET /version"]))
    one = RECORDED["GET /distribution/{name}/json of an OCI image with one platform"]
    engine.on("GET", "/distribution/r%2Fone/json", Answer.json(one))
    data = client.images.get_registry_data("r/one")
    assert data.platforms == []
    with pytest.raises(DockerException, match="r/one: the engine does not report the platforms"):
        data.has_platform("linux/amd64")


def test_attestations_are_not_platforms(engine, client):
    engine.on("GET", "/version", Answer.json(RECORDED["GET /version"]))
    index = RECORDED["GET /distribution/{name}/json of an index with an attestation"]
    engine.on("GET", "/distribution/r%2Findex/json", Answer.json(index))
    data = client.images.get_registry_data("r/index")
    assert data.platforms == ["linux/amd64"]
    assert data.has_platform("linux/amd64")
    assert not data.has_platform("unknown/unknown")


# -- progress ----------------------------------------------------------------------------------------------------------


def test_seconds_of_unpacking_are_not_shown_as_bytes():
    progress = Progress("Pulling big")
    records = RECORDED["POST /images/create?fromImage records"]
    for record in records[:5]:
        progress.feed(record)
    layer = progress.steps["57fbc6259032"]
    assert (layer.status, layer.current, layer.detail) == ("Extracting", None, "3 s")
    assert progress.total == 6002144
    assert "Extracting" in to_html(progress) and "3 s" in to_html(progress)
    shown = Terminal(io.StringIO())._layer(layer, 80)
    assert shown == "57fbc6259032: Extracting  3 s"
    for record in records[5:]:
        progress.feed(record)
    assert (layer.done, layer.detail) == (True, "")


# -- objects over recorded responses -----------------------------------------------------------------------------------


def test_inspected_container(client):
    container = client.containers.prepare_model(RECORDED["GET /containers/{id}/json"])
    settings = container.network_settings
    assert (settings.ip_address, settings.networks["bridge"].mac_address) == ("172.17.0.2", "de:4b:ac:ef:08:74")
    assert [binding.host_port for binding in settings.ports["80/tcp"]] == [32770, 32770]
    assert settings.networks["bridge"].aliases == settings.networks["bridge"].dns_names == []
    config = container.config
    assert (config.cmd, config.entrypoint, config.volumes, config.on_build) == (["sleep", "600"], [], {}, [])
    assert container.labels == {}


def test_listed_container_has_its_health_and_address_without_an_inspect(engine, client):
    engine.on("GET", "/containers/json", Answer.json(RECORDED["GET /containers/json"]))
    (container,) = client.containers.list()
    assert (container.status, container.health) == ("running", "healthy")
    for status, expected in (("unhealthy", "unhealthy"), ("starting", "starting"), ("none", "unknown")):
        summary = {**RECORDED["GET /containers/json"][0], "Health": {"Status": status, "FailingStreak": 1}}
        engine.on("GET", "/containers/json", Answer.json([summary]))
        assert client.containers.list()[0].health == expected
    assert {request.path for request in engine.requests} == {"/containers/json"}


def test_inspected_image(client):
    image = client.images.prepare_model(RECORDED["GET /images/{name}/json"])
    config = image.config
    assert (config.cmd, config.environment, config.entrypoint, config.labels) == (["sh"], {"PATH": "/bin"}, [], {})
    assert (image.labels, image.platform, image.size) == ({}, "linux/amd64", 1142353)
    assert image.created is not None and image.created.year == 2026
    assert [pull["Repository"] for pull in image.identity["Pull"]][-1] == "docker.io/library/busybox"
    assert client.images.prepare_model({"Id": DIGEST}).identity is None


def test_listed_image(engine, client):
    engine.on("GET", "/images/json", Answer.json([RECORDED["GET /images/json[0]"]]))
    (image,) = client.images.list()
    assert (image.labels, image.size, len(image.tags), len(image.digests)) == ({}, 3247697, 4, 1)


def test_network_reports_its_addresses(engine, client):
    network = client.networks.prepare_model({"Name": "bridge", **RECORDED["GET /networks/bridge"]})
    assert network.ipam_status["Subnets"]["172.17.0.0/16"]["IPsInUse"] == 4


@pytest.mark.parametrize("name", ["GET /system/df", "GET /system/df?verbose=1"])
def test_disk_use_and_volume_usage(engine, client, name):
    engine.on("GET", "/system/df", Answer.json(RECORDED[name]))
    use = client.system.df()
    assert (use.images.count, use.images.reclaimable, use.containers.active) == (20, 148168891, 1)
    assert (use.volumes.count, use.build_cache.count, use.build_cache.items) == (2, 0, ())
    assert engine.requests[-1].query["verbose"] in (["1"], ["true"])
    (volume,) = use.volumes.items
    assert client.volumes.prepare_model({"Name": volume["Name"]}).usage() == {"RefCount": 0, "Size": 0}
    assert client.volumes.prepare_model({"Name": "another"}).usage() is None


def test_events_have_no_old_fields_and_are_asked_for_as_jsonl(engine, client):
    engine.on("GET", "/events", lines(RECORDED["GET /events"]))
    with client.system.events(until=1795896532) as events:
        (event,) = events
    assert (event.type, event.action, event.id, event.name) == (
        "container", "create", RECORDED["GET /events"]["Actor"]["ID"], "rec",
    )  # fmt: skip
    assert engine.requests[-1].headers["Accept"] == "application/jsonl"
    with APIClient(engine.host, version="1.51") as api:
        list(api.events())
    assert engine.requests[-1].headers["Accept"] != "application/jsonl"


def test_mac_address_at_connect_warns_where_it_is_ignored(engine):
    engine.on("POST", "/networks/n/connect", Answer.empty(200))
    for version, ignored in (("1.44", True), ("1.53", True), ("1.54", False), ("1.55", False)):
        with APIClient(engine.host, version=version) as api, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            api.connect_container_to_network("c", "n", mac_address="02:42:ac:11:00:02")
            api.connect_container_to_network("c", "n", endpoint_config={"MacAddress": "02:42:ac:11:00:02"})
            api.connect_container_to_network("c", "n", aliases=["x"])
        assert [warning.category for warning in caught] == [EngineWarning] * (2 * ignored), version
        assert all("mac_address" in str(warning.message) for warning in caught)


def test_attestation_list(engine, client):
    recorded = RECORDED["GET /images/{name}/attestations"]
    engine.on("GET", f"/images/{DIGEST}/attestations", Answer.json(recorded))
    assert client.images.prepare_model({"Id": DIGEST}).attestations() == recorded


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_identity_asks_for_manifests_too(engine, client):
    engine.on("GET", "/images/json", Answer.json([]))
    client.images.list(identity=True)
    assert engine.requests[-1].query["manifests"] in (["1"], ["true"])
    with pytest.raises(InvalidArgument, match="identity"):
        client.api.images(identity=True, manifests=False)


def test_several_platforms_are_refused_by_name_below_1_52(engine):
    several = ["linux/amd64", "linux/arm64"]
    with APIClient(engine.host, version="1.51") as api:
        for call in (
            lambda: api.get_image("x", platform=several),
            lambda: api.get_image(["x", "y"], platform=several),
            lambda: api.load_image(b"", platform=several),
        ):
            with pytest.raises(InvalidVersion, match="platform.*1.52") as caught:
                call()
            assert (caught.value.parameter, caught.value.needed) == ("platform", "1.52")


OWNERS = {
    "run": lambda client: client.containers.run("x", foo=1),
    "create": lambda client: client.containers.create("x", foo=1),
    "ensure": lambda client: client.containers.ensure("x", name="n", foo=1),
    "create_container": lambda client: client.api.create_container("x", foo=1),
    "update_container": lambda client: client.api.update_container("x", foo=1),
    "create_host_config": lambda client: client.api.create_host_config(foo=1),
    "swarm.init": lambda client: client.swarm.init(foo=1),
    "services.create": lambda client: client.services.create("x", foo=1),
    "build": lambda client: client.images.build(path={"Dockerfile": ""}, builder="classic", foo=1),
}


@pytest.mark.parametrize("owner", OWNERS)
def test_unknown_option_names_the_called_function(client, owner):
    with pytest.raises(UnknownOption, match=rf"^{owner.removeprefix('services.')}\(\) has no option 'foo'"):
        OWNERS[owner](client)


REFUSALS = {
    "pull of nothing": (
        ("POST", "/images/create"), lambda client: client.images.pull("127.0.0.1:5000/nothere:1"), ImageNotFound,
        "image '127.0.0.1:5000/nothere:1' is not in its registry",
    ),
    "POST /containers/create, other platform": (
        ("POST", "/containers/create"), lambda client: client.containers.create("x", platform="linux/arm64"),
        ImageNotFound, "image '127.0.0.1:5000/runme:1' is on the engine, but not for linux/arm64",
    ),
    "GET /images/x/attestations on the classic store": (
        ("GET", "/images/x/attestations"), lambda client: client.api.image_attestations("x"), NotImplementedByEngine,
        "the legacy image store does not support attestations",
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", REFUSALS)
def test_recorded_refusals_are_explained(engine, client, key):
    (method, path), call, kind, news = REFUSALS[key]
    status, body = RECORDED["errors"][key]
    engine.on(method, path, Answer.json(body, status))
    with pytest.raises(kind) as caught:
        call(client)
    assert str(caught.value).startswith(news)


@pytest.mark.parametrize("version", ["1.51", "1.55"])
def test_fake_engine_refuses_pulls_as_its_version_does(version):
    with FakeEngine(api_version=version) as fake, DockerClient(fake.host) as client:
        fake.refuse_pull("nothere:1")
        with pytest.raises(ImageNotFound, match="is not in its registry") as caught:
            client.images.pull("nothere:1")
    assert str(caught.value.explanation).startswith("failed to resolve" if version == "1.55" else "pull access denied")


def test_doctor_does_not_repeat_the_word_warning(engine):
    engine.on("GET", "/version", Answer.json(RECORDED["GET /version"]))
    engine.on("GET", "/info", Answer.json(RECORDED["GET /info"]))
    (warning,) = [problem.what for problem in doctor.examine(engine.host).problems if "cgroup" in problem.what]
    assert warning.startswith("the engine reports: Support for cgroup v1")


# -- the fake engine ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.51", "1.52", "1.55"])
def test_fake_engine_responds_in_the_shape_of_its_version(version):
    lean = version != "1.51"
    with FakeEngine(api_version=version) as fake, DockerClient(fake.host) as client:
        fake.add_image("app")
        container = client.containers.create("app", ["serve"], name="web")
        image = client.images.get("app")
        assert ("Parent" in image.attrs, "Labels" in image.attrs["Config"]) == (not lean, not lean)
        assert (image.labels, image.config.cmd) == ({}, ["sh"])
        assert image.push("app") == image.id
        assert all(("status" in event) is not lean for event in fake.events if event["Type"] == "container")
        (listed,) = client.containers.list(all=True)
        assert (listed.health, "Health" in listed._attrs) == ("unknown", lean)
        use = client.system.df()
        assert (use.images.count, use.containers.count, use.volumes.count) == (1, 1, 0)
        assert ("ImageUsage" in use.raw, "Images" in use.raw) == (lean, not lean)
        client.volumes.create("data")
        client.volumes.get("data").usage()
        assert client.images.prune()["ImagesDeleted"] == []
        container.reload()
        assert ("Storage" in container.attrs, "GraphDriver" in container.attrs) == (lean, not lean)
        container.remove()
        network = client.networks.create("net")
        expected = {"172.30.0.0/16": {"IPsInUse": 3, "DynamicIPsAvailable": 65533}} if lean else None
        network.reload()
        assert (network.ipam_status or {}).get("Subnets") == expected
        assert "Status" not in client.api.networks("net")[0]


def test_fake_engine_refuses_the_versions_that_engine_29_refuses():
    with FakeEngine(api_version="1.55") as fake:
        for version, key in (("1.24", "GET /v1.24/version (29.3+: min 1.40; 29.0-29.2: min 1.44)"),
                             ("1.56", "GET /v1.56/version")):  # fmt: skip
            status, recorded = RECORDED["errors"][key]
            with (
                APIClient(fake.host, version=version) as api,
                pytest.raises(InvalidVersion, match="1.40 to 1.55") as caught,
            ):
                api.version()
            cause = caught.value.__cause__
            assert (cause.status_code, cause.explanation) == (status, recorded["message"])
        with APIClient(fake.host, version="1.40") as api:
            assert api.version()["MinAPIVersion"] == "1.40"
