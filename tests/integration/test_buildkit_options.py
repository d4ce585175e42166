"""BuildKit on real engines: each option has its effect, or is refused."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest
from buildkit_help import COPY_ALL, ours, write

from dockerkit import APIClient
from dockerkit.builder.buildkit import Exporter, build
from dockerkit.errors import BuildError, BuildKitUnavailable, InvalidArgument, NotFound
from dockerkit.registry import Index, Manifest

NOTHING = "type=cacheonly"


def log_of(result) -> list[str]:
    return [line for step in result.steps for line in step.log]


def test_tags_labels_target_and_arguments(api: APIClient, busybox: str, unique, labels) -> None:
    tags = [unique("one"), f"example.com:5000/{unique('two')}:v2"]
    dockerfile = f"""FROM {busybox} AS first
ARG WITH=default
ARG WITHOUT=default
ARG NUMBER
LABEL args="$WITH $WITHOUT $NUMBER"
FROM first AS second
RUN false
"""
    result = build(
        api, fileobj=dockerfile, tag=tags, labels=labels | {"dkt": "a=b, c"}, target="first",
        buildargs={"WITH": "a value, with = and ü", "WITHOUT": None, "NUMBER": 7},
    )  # fmt: skip
    image = api.inspect_image(tags[0])
    assert image["Id"] == result.image_id
    assert {tags[0] + ":latest", tags[1]} <= set(image["RepoTags"])
    assert image["Config"]["Labels"]["dkt"] == "a=b, c"
    assert image["Config"]["Labels"]["args"] == "a value, with = and ü default 7"
    assert result.tags == (f"docker.io/library/{tags[0]}:latest", tags[1])
    assert result.warnings == [] or all("ARG" not in str(one) for one in result.warnings)


def test_build_without_a_tag(api: APIClient, busybox: str, labels) -> None:
    result = build(api, fileobj=f"FROM {busybox}\nENV a=b\n", labels=labels)
    assert api.inspect_image(result.image_id)["Config"]["Env"][-1] == "a=b"


def test_network_mode(api: APIClient, busybox: str) -> None:
    dockerfile = f"FROM {busybox}\nRUN ip -o link | wc -l\n"
    for mode, few in (("none", True), ("host", False)):
        result = build(api, fileobj=dockerfile, network_mode=mode, nocache=True, outputs=NOTHING)
        assert (log_of(result) == ["1"]) is few, mode
    with pytest.raises(InvalidArgument, match="network_mode"):
        build(api, fileobj=dockerfile, network_mode="some-network")


def test_extra_hosts(api: APIClient, busybox: str) -> None:
    hosts = {"one": "10.1.2.3", "two": "fe80::1", "gateway": "host-gateway"}
    result = build(
        api, fileobj=f"FROM {busybox}\nRUN cat /etc/hosts\n", extra_hosts=hosts, nocache=True, outputs=NOTHING
    )
    lines = {tuple(line.split()) for line in log_of(result)}
    assert {("10.1.2.3", "one"), ("fe80::1", "two")} <= lines
    network = api.inspect_network("bridge")["IPAM"]["Config"][0]["Subnet"]
    assert (network.replace(".0.0/16", ".0.1"), "gateway") in lines


def test_shm_size_and_ulimits(api: APIClient, busybox: str, engine) -> None:
    dockerfile = f"FROM {busybox}\nRUN df -k /dev/shm | tail -1; ulimit -n; ulimit -Hn\n"
    options = {"fileobj": dockerfile, "nocache": True, "outputs": NOTHING}
    if not engine.speaks("1.42"):
        for name, value in (("shmsize", "32m"), ("ulimits", ["nofile=100"]), ("cgroup_parent", "x")):
            with pytest.raises(InvalidArgument, match=name):
                build(api, **options, **{name: value})
        return
    lines = log_of(build(api, shmsize="32m", ulimits=["nofile=1000:2000"], **options))
    assert "32768" in lines[0]
    assert lines[1:] == ["1000", "2000"]


def test_nocache_accepts_true_or_stages(api: APIClient, busybox: str, engine) -> None:
    dockerfile = f"FROM {busybox} AS one\nRUN echo one > /one\nFROM {busybox} AS two\nRUN echo two > /two\nFROM scratch\nCOPY --from=one /one /\nCOPY --from=two /two /\n"

    def cached(nocache) -> list[bool]:
        result = build(api, fileobj=dockerfile, nocache=nocache, outputs=NOTHING)
        return [step.cached for word in ("echo one", "echo two") for step in result.steps if word in step.name]

    cached(False)
    assert cached(False) == [True, True]
    assert cached(True) == [False, False]
    if not engine.speaks("1.42"):
        with pytest.raises(InvalidArgument, match="stages are not supported"):
            cached(["one"])
    else:
        assert cached(["one"]) == [False, True]


def test_platform(api: APIClient, busybox: str, engine) -> None:
    result = build(
        api,
        fileobj=f"FROM {busybox}\nARG TARGETPLATFORM\nRUN echo $TARGETPLATFORM\n",
        platform="linux/amd64",
        nocache=True,
        outputs=NOTHING,
    )
    assert log_of(result) == ["linux/amd64"]
    if not engine.containerd_store:
        with pytest.raises(InvalidArgument, match="platform: more than one requires containerd"):
            build(api, fileobj="FROM scratch\n", platform=["linux/amd64", "linux/arm64"])


def test_pull_asks_the_registry_again(api: APIClient, registry: str, busybox: str, unique) -> None:
    name = f"{registry}/{unique('pulled')}"
    api.tag(busybox, name, "1")
    for _ in api.push(name, "1", stream=True, decode=True):
        pass
    build(api, fileobj=f"FROM {name}:1\n", outputs=NOTHING, pull=True)
    api.tag(busybox, name, "2")
    build(api, fileobj=f"FROM {name}:2\n", outputs=NOTHING)  # only exists here
    from dockerkit.errors import BuildError

    with pytest.raises(BuildError, match="not found"):
        build(api, fileobj=f"FROM {name}:2\n", outputs=NOTHING, pull=True)
    for number in ("1", "2"):
        api.remove_image(f"{name}:{number}")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"container_limits": {"memory": 1}}, "container_limits: BuildKit ignores it"),
        ({"squash": True}, "squash"),
        ({"isolation": "hyperv"}, "isolation"),
        ({"security_opt": ["x"]}, "security_opt"),
        ({"nocache": "stage"}, "nocache"),
        ({"tag": "x", "outputs": "out"}, "tag"),
        ({"outputs": []}, "outputs"),
        ({"outputs": "type=tar"}, "dest"),
        ({"outputs": {"type": "cloud"}}, "type"),
        ({"outputs": ["type=image", "type=image"]}, "several tags"),
        ({"cache_to": "type=local"}, "dest"),
        ({"cache_from": [{"type": "registry"}]}, "ref"),
        ({"buildargs": {"a": ["b"]}}, "buildargs"),
        ({"nonsense": 1}, "nonsense"),
        ({"timeout": 0}, "timeout"),
        ({"transfer": "tar", "path": "https://example.com/x.git"}, "transfer"),
    ],
)
def test_invalid_options_are_rejected_without_a_request(options: dict, told: str) -> None:
    with APIClient("unix:///nowhere", version="1.41") as nobody:
        with pytest.raises(ValueError, match=told):
            build(nobody, **{"path": {"Dockerfile": "FROM scratch"}, **options})


def test_reports_build_arguments_missing_in_the_dockerfile(api: APIClient) -> None:
    dockerfile = "ARG HAS\nFROM scratch\nARG A=1 \\\n    B=2\nCOPY Dockerfile /\n"
    given = {"HAS": "1", "A": "1", "B": "1", "HTTP_PROXY": "", "NOT": "1"}
    result = build(api, path={"Dockerfile": dockerfile}, buildargs=given, outputs=NOTHING)
    assert [str(one) for one in result.warnings if "buildargs" in str(one)] == [
        "buildargs: the Dockerfile has no ARG NOT, so its value is ignored"
    ]


# -- outputs ---------------------------------------------------------------------------------------------------------


def test_tar_to_a_path_appears_only_when_complete(api: APIClient, tmp_path: Path) -> None:
    target = tmp_path / "new" / "out.tar"
    result = build(api, path={"Dockerfile": COPY_ALL, "f": "x"}, outputs=f"type=tar,dest={target}")
    assert result.image_id is None
    with tarfile.open(target) as tar:
        assert {"Dockerfile", "f"} <= {name.strip("./") for name in tar.getnames()}
    assert [path.name for path in target.parent.iterdir()] == ["out.tar"]
    before = target.read_bytes()
    from dockerkit.errors import BuildError

    with pytest.raises(BuildError):
        build(api, fileobj="FROM scratch\nCOPY none /\n", outputs=f"type=tar,dest={target}")
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == ["out.tar"]


def test_local_folder(api: APIClient, busybox: str, tmp_path: Path) -> None:
    write(tmp_path / "out", {"kept": "before", "bin/f": "before"})
    dockerfile = f"""FROM {busybox} AS made
RUN mkdir -p /o/bin && echo now > /o/bin/f && chmod 4755 /o/bin/f && ln -s /etc/passwd /o/link && ln /o/bin/f /o/hard
FROM scratch
COPY --from=made /o /
"""
    build(api, fileobj=dockerfile, outputs=str(tmp_path / "out"))
    assert (tmp_path / "out/bin/f").read_text() == "now\n"
    assert (tmp_path / "out/bin/f").stat().st_mode & 0o7777 == 0o755  # no set-user-id from a build
    assert (tmp_path / "out/link").readlink() == Path("/etc/passwd")
    assert (tmp_path / "out/hard").read_text() == "now\n"
    assert (tmp_path / "out/kept").read_text() == "before"


def test_local_output_does_not_follow_links_outside(api: APIClient, tmp_path: Path) -> None:
    from dockerkit.errors import UnsafeArchive

    (tmp_path / "out").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "out" / "dir").symlink_to(tmp_path / "outside")
    with pytest.raises(UnsafeArchive):
        build(api, path={"Dockerfile": "FROM scratch\nCOPY f /dir/f\n", "f": "x"}, outputs=str(tmp_path / "out"))
    assert list((tmp_path / "outside").iterdir()) == []
    assert ours() == []


def test_image_and_archive_at_once(api: APIClient, unique, labels, engine) -> None:
    archive = io.BytesIO()
    options = {
        "path": {"Dockerfile": COPY_ALL, "f": "x"},
        "tag": unique("both"),
        "labels": labels,
        "outputs": [Exporter(), Exporter("tar", archive)],
    }
    if not engine.speaks("1.42"):
        with pytest.raises(InvalidArgument, match="only one output"):
            build(api, **options)
        return
    result = build(api, **options)
    assert api.inspect_image(options["tag"])["Id"] == result.image_id
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        assert "f" in [name.strip("./") for name in tar.getnames()]


def test_two_archives_and_a_folder_at_once(api: APIClient, tmp_path: Path, engine) -> None:
    outputs = [f"type=tar,dest={tmp_path}/a.tar", str(tmp_path / "b"), {"type": "tar", "dest": tmp_path / "c.tar"}]
    if not engine.speaks("1.42"):
        with pytest.raises(InvalidArgument, match="only one output"):
            build(api, path={"Dockerfile": COPY_ALL, "f": "x"}, outputs=outputs)
        return
    build(api, path={"Dockerfile": COPY_ALL, "f": "x" * 100_000}, outputs=outputs)
    assert (tmp_path / "b/f").read_text() == "x" * 100_000
    for name in ("a.tar", "c.tar"):
        with tarfile.open(tmp_path / name) as tar:
            assert tar.extractfile("f").read() == b"x" * 100_000


def test_cache_only(api: APIClient, busybox: str, unique) -> None:
    result = build(api, fileobj=f"FROM {busybox}\nRUN echo {unique()}\n", outputs=NOTHING)
    assert result.image_id is None
    assert result.steps[-1].name.startswith("[")


def test_image_archives(api: APIClient, unique, engine, tmp_path: Path, registry: str, labels) -> None:
    options = {"path": {"Dockerfile": COPY_ALL, "f": "x"}, "labels": labels}
    if not engine.containerd_store:
        for kind in ("oci", "docker"):
            with pytest.raises(InvalidArgument, match="requires containerd's image store"):
                build(api, outputs=Exporter(kind, tmp_path / "x"), **options)
        for name, value in (("provenance", True), ("sbom", True), ("cache_to", f"type=registry,ref={registry}/x")):
            with pytest.raises(InvalidArgument, match=name):
                build(api, **options, **{name: value})
        assert not (tmp_path / "x").exists()
        return
    tag = unique("oci")
    build(api, tag=tag, outputs=Exporter("oci", tmp_path / "oci.tar"), **options)
    with tarfile.open(tmp_path / "oci.tar") as tar:
        index = json.load(tar.extractfile("index.json"))
        assert index["manifests"][0]["annotations"]["io.containerd.image.name"].endswith(f"{tag}:latest")
    build(api, tag=tag, outputs=Exporter("docker", tmp_path / "docker.tar"), **options)
    with open(tmp_path / "docker.tar", "rb") as archive:
        api.load_image(archive)
    assert api.inspect_image(tag)["Config"]["Labels"]["dockerkit.test"] == labels["dockerkit.test"]


def test_options_that_require_the_containerd_store(api: APIClient, unique, engine, registry: str, labels) -> None:
    options = {"path": {"Dockerfile": COPY_ALL, "f": "x"}, "labels": labels}
    if not engine.containerd_store:
        for asked in (
            {"platform": ["linux/amd64", "linux/arm64"]},
            {"provenance": "mode=max"},
            {"cache_to": f"type=registry,ref={registry}/x:1"},
        ):
            with pytest.raises(InvalidArgument, match=next(iter(asked))):
                build(api, tag=unique("refused"), **asked, **options)
        return
    tag = f"{registry}/{unique('multi')}:1"
    result = build(api, tag=tag, platform=["linux/amd64", "linux/arm64"], provenance="mode=max", **options)
    manifests = api.inspect_image(tag, manifests=True)["Manifests"]
    found = {(one["Kind"], one.get("ImageData", {}).get("Platform", {}).get("architecture")) for one in manifests}
    assert {("image", "amd64"), ("image", "arm64")} <= found
    assert any(kind == "attestation" for kind, _ in found)
    assert result.image_id == api.inspect_image(tag)["Id"]
    cache = f"{registry}/{unique('cache')}:1"
    build(api, cache_to=f"type=registry,ref={cache},mode=max", outputs=NOTHING, **options)
    from urllib.request import Request, urlopen

    repository, _, number = cache.partition("/")[2].rpartition(":")
    accepts = {"Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"}
    with urlopen(Request(f"http://{registry}/v2/{repository}/manifests/{number}", headers=accepts)) as answer:
        assert b"buildkit" in answer.read()
    pushed = f"{registry}/{unique('pushed')}:1"
    build(api, tag=pushed, outputs=Exporter("image", attrs={"push": "true"}), **options)
    with APIClient(engine.host) as other:
        assert other.inspect_distribution(pushed)["Descriptor"]["digest"]
    nameless = build(api, outputs={"type": "image", "compression": "uncompressed"}, **options)
    assert nameless.image_id in {image["Id"] for image in api.images(filters={"dangling": True})}


OFF = [{}, {"provenance": False}, {"provenance": "false"}, {"sbom": False}, {"sbom": "false", "provenance": "0"}]


@pytest.mark.parametrize("off", OFF, ids=str)
def test_attestations_that_are_off_leave_a_plain_manifest(client, unique, engine, registry: str, labels, off) -> None:
    """Existing code passes provenance=false to get an image that is not an index."""
    name = f"{registry}/{unique('plain')}:1"
    options = {"path": {"Dockerfile": COPY_ALL, "f": "x"}, "labels": labels}
    build(client.api, tag=name, **off, **options)
    client.images.push(name)
    with client.registry(registry) as opened:
        assert isinstance(opened.manifest(name), Manifest)
        assert opened.attestations(name) == []
        if engine.containerd_store:
            build(client.api, tag=name, provenance=True, **options)
            client.images.push(name)
            index = opened.manifest(name)
            assert isinstance(index, Index)
            assert sum(one.attests is not None for one in index.manifests) == 1


def test_referrers_and_attestations_of_an_image(client, unique, engine, registry: str, labels) -> None:
    """BuildKit's provenance is in the index; a signature is a referrer of the image."""
    if not engine.containerd_store:
        pytest.skip("this engine's store has no attestations")
    name = f"{registry}/{unique('signed')}:1"
    options = {"path": {"Dockerfile": COPY_ALL, "f": "x"}, "labels": labels}
    build(client.api, tag=name, provenance="mode=max", **options)
    client.images.push(name)
    with client.registry(registry) as opened:
        index = opened.manifest(name)
        image = next(one for one in index.manifests if one.attests is None)
        (provenance,) = opened.attestations(name)
        assert provenance.predicate_type.startswith("https://slsa.dev/provenance/")
        assert (provenance.subject, provenance.platform) == (image.digest, image.platform)
        repository = name.partition("/")[2].rpartition(":")[0]
        statement = {"predicateType": "https://spdx.dev/Document", "predicate": {"packages": []}}
        layer = opened.upload(repository, json.dumps(statement).encode(), media_type="application/vnd.in-toto+json")
        artifact = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "test/sbom",
            "config": opened.upload(repository, b"{}", media_type="application/vnd.oci.empty.v1+json").attrs,
            "layers": [layer.attrs],
            "subject": {"mediaType": image.media_type, "digest": image.digest, "size": image.size},
        }).encode()  # fmt: skip
        digest = f"sha256:{hashlib.sha256(artifact).hexdigest()}"
        assert opened.put_manifest(f"{repository}@{digest}", artifact) == digest
        (referrer,) = opened.referrers(f"{repository}@{image.digest}")
        assert (referrer.digest, referrer.artifact_type) == (digest, "test/sbom")
        (sbom,) = opened.attestations(name, predicate_type="https://spdx.dev/")
        assert (sbom.predicate, sbom.platform) == ({"packages": []}, image.platform)


def test_checks_of_the_dockerfile(client, busybox: str, unique, labels) -> None:
    questionable = {"Dockerfile": f"FROM {busybox} AS Upper\nWORKDIR x\nCOPY f /f\n", "f": ""}
    try:
        found = client.images.check(path=questionable)
    except BuildKitUnavailable as error:
        assert "Engine 27" in str(error)
        with pytest.raises(BuildKitUnavailable):
            client.images.build(path=questionable, check=True)
        return
    rules = {str(warning).partition(":")[0]: warning for warning in found}
    assert {"StageNameCasing", "WorkdirRelativePath"} <= rules.keys()
    assert (rules["StageNameCasing"].dockerfile, rules["WorkdirRelativePath"].lines) == ("Dockerfile", (2,))
    with pytest.raises(BuildError, match="unknown instruction: RUNN") as caught:
        client.images.check(fileobj=f"FROM {busybox}\nRUNN true\n")
    assert caught.value.lines == (2,)
    with pytest.raises(BuildError, match="StageNameCasing"):
        client.images.build(path=questionable, check=True, labels=labels)
    assert client.images.check(fileobj=f"FROM {busybox}\nRUN true\n") == []
    image, _ = client.images.build(fileobj=f"FROM {busybox}\nRUN true\n", check=True, tag=unique("ok"), labels=labels)
    image.remove(force=True)
    assert client.ping()


def test_images_build_chooses_buildkit(client, busybox: str, unique, labels, tmp_path: Path) -> None:
    image, log = client.images.build(
        fileobj=f"FROM {busybox}\nRUN --mount=type=secret,id=a cat /run/secrets/a | wc -c\n",
        secrets={"a": b"xyz"},
        tag=unique("auto"),
        labels=labels,
    )
    assert log.builder == "buildkit"
    assert any("3" in record["stream"] for record in log)
    client.images.remove(image.id, force=True)
    with pytest.raises(NotFound):
        client.images.get(image.id)
