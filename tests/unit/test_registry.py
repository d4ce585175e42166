"""The registry client with a registry in memory that requires tokens and has faults."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from scripted_registry_server import BASIC, IDENTITY, PASSWORD, USER, digest_of, memory_registry

import dockerkit
from dockerkit import errors
from dockerkit.registry import Index, Manifest, Registry, copy_image
from dockerkit.registry.auth import Authenticator, parse_challenge
from dockerkit.registry.client import _is_insecure_for
from dockerkit.registry.copy import annotate_index, create_index
from dockerkit.registry.manifests import OCI_MANIFEST

ACCOUNT = {"username": USER, "password": PASSWORD}


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_AUTH_CONFIG", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


def opener(**options: Any) -> Any:
    return lambda host: Registry(host, **options)


def test_registry_is_public_and_sends_nothing_when_created():
    assert dockerkit.Registry is Registry
    assert repr(Registry("registry.example.com:5000")) == "<Registry registry.example.com:5000>"
    assert Registry().host == Registry("https://index.docker.io/v1/").host == "docker.io"


def test_naming_the_registry_loads_no_requests():
    code = "import sys, dockerkit; dockerkit.Registry('a.example'); sys.exit('requests' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("host", ["", "nohost", "a b.c", "-a.b", None, 7])
def test_rejects_invalid_hosts(host):
    with pytest.raises((errors.InvalidArgument, errors.InvalidRepository)):
        Registry(host)


def test_lists_tags_page_by_page():
    with memory_registry() as server, Registry(server.host) as registry:
        server.tags["team/app"] = ["1", "2", "3"]
        assert registry.ping()
        assert registry.tags("team/app") == registry.tags(f"{server.host}/team/app") == ["1", "2", "3"]
        with pytest.raises(errors.NotFound, match="repository name not known"):
            registry.tags("team/other")


def test_reads_manifest_index_and_config():
    with memory_registry() as server, Registry(server.host) as registry:
        digest = server.add_index("app:1")
        index = registry.manifest("app:1")
        assert isinstance(index, Index)
        assert (index.digest, registry.digest("app:1"), index.platforms) == (
            digest,
            digest,
            ["linux/amd64", "linux/arm64/v8"],
        )
        for platform in ("linux/arm64", "linux/arm64/v8", {"os": "linux", "architecture": "arm64"}):
            manifest = registry.manifest("app:1", platform=platform)
            assert isinstance(manifest, Manifest)
            assert registry.config("app:1", platform=platform).platform == "linux/arm64/v8"
        config = registry.config(f"app@{manifest.digest}")
        assert (config.labels, config.config.cmd, config.created.year) == ({"for": "linux/arm64/v8"}, ["/run"], 2030)
        assert manifest.size == sum(len(server.blobs["app", one.digest]) for one in (manifest.config, *manifest.layers))
        with pytest.raises(
            errors.RegistryError, match=r"does not support 'linux/riscv64', only linux/amd64, linux/arm64/v8"
        ):
            registry.manifest("app:1", platform="linux/riscv64")
        with pytest.raises(errors.RegistryError, match="choose a platform"):
            registry.config("app:1")
        assert registry.exists("app:1")
        assert not registry.exists("app:2")
        with pytest.raises(errors.NotFound, match="MANIFEST_UNKNOWN"):
            registry.manifest("app:2")


def test_checks_the_platform_of_a_single_image():
    with memory_registry() as server, Registry(server.host) as registry:
        server.add_image("app:1", "linux/arm64")
        assert registry.manifest("app:1", platform="linux/arm64/v8")
        with pytest.raises(errors.RegistryError, match="only linux/arm64"):
            registry.manifest("app:1", platform="linux/amd64")


def test_uploads_and_streams_blobs():
    with memory_registry() as server, Registry(server.host) as registry:
        content = b"layer" * 100_000
        for data in (content, io.BytesIO(content), iter([content[:10], b"", content[10:]])):
            found = registry.upload("team/app", data, media_type="x/y")
            assert (found.digest, found.size, found.media_type) == (digest_of(content), len(content), "x/y")
            assert server.blobs.pop(("team/app", found.digest)) == content
        registry.upload("team/app", content)
        assert registry.has_blob("team/app", found.digest)
        assert not registry.has_blob("team/app", digest_of(b""))
        with registry.blob("team/app", found.digest) as blob:
            assert blob.read(3) + blob.read() == content
        with registry.blob("team/app", found.digest) as blob:
            next(blob)  # the rest is not read, and the connection is closed


def test_deletes_by_digest_and_explains_tags():
    with memory_registry() as server, Registry(server.host) as registry:
        digest = server.add_image("app:1")
        with pytest.raises(errors.RegistryError, match="cannot delete a single tag"):
            registry.delete("app:1")
        registry.delete(f"app@{digest}")
        assert not registry.exists("app:1")


def test_a_name_without_tag_or_digest_is_never_deleted():
    with memory_registry() as server, Registry(server.host) as registry:
        server.add_image("app:latest")
        for name in ("app", f"{server.host}/app"):
            with pytest.raises(errors.InvalidArgument, match="must have a tag or a digest to be deleted"):
                registry.delete(name)
        assert registry.exists("app:latest")


def test_finds_attestations_in_the_index_and_among_referrers():
    with memory_registry() as server, Registry(server.host) as registry:
        server.add_index("app:1")
        (found,) = registry.attestations("app:1")
        assert (found.predicate_type, found.predicate, found.platform) == (
            "https://slsa.dev/provenance/v1", {"by": "test"}, "linux/amd64")  # fmt: skip
        assert registry.attestations("app:1", platform="linux/arm64") == []
        assert registry.attestations("app:1", predicate_type="https://spdx.dev/") == []
        digest = server.add_image("single:1")
        subject = server.descriptor("single", digest)
        statement = b'{"predicateType": "https://spdx.dev/Document", "predicate": {"packages": []}}'
        server.blobs["single", digest_of(statement)] = statement
        layer = {"mediaType": "application/vnd.in-toto+json", "digest": digest_of(statement), "size": len(statement)}
        server.add_image("single", "linux/amd64", subject=subject, artifactType="sbom", layers=[layer])
        (sbom,) = registry.attestations("single:1", predicate_type="https://spdx.dev/")
        assert (sbom.subject, sbom.predicate) == (digest, {"packages": []})
        assert [one.artifact_type for one in registry.referrers("single:1", artifact_type="sbom")] == ["sbom"]
        assert registry.referrers("single:1", artifact_type="other") == []


def test_referrers_fall_back_to_the_tag():
    with memory_registry("none", "no referrers") as server, Registry(server.host) as registry:
        digest = server.add_image("app:1")
        assert registry.referrers("app:1") == []
        entry = {"mediaType": "a/b", "digest": digest_of(b"s"), "size": 1, "artifactType": "sig"}
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
        server.add_manifest("app", digest.replace(":", "-"), index)
        assert [one.digest for one in registry.referrers("app:1")] == [digest_of(b"s")]


@pytest.mark.parametrize("fault", ["", "no referrers"])
def test_stored_referrers_are_found_whether_the_registry_lists_them_or_not(fault):
    with memory_registry("none", *filter(None, [fault])) as server, Registry(server.host) as registry:
        subject = server.descriptor("app", server.add_image("app:1"))
        empty = registry.upload("app", b"{}", media_type="application/vnd.oci.empty.v1+json").attrs
        artifact = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": empty,
            "layers": [empty],
            "subject": subject,
        }
        stored = []
        for number in (1, 2, 2):  # storing one again changes nothing
            record = {**artifact, "artifactType": f"kind/{number}", "annotations": {"number": str(number)}}
            digest = digest_of(json.dumps(record, separators=(",", ":")).encode())
            stored.append(registry.put_manifest(f"app@{digest}", json.dumps(record, separators=(",", ":")).encode()))
        found = registry.referrers("app:1")
        assert sorted(one.digest for one in found) == sorted(set(stored))
        assert [one.annotations for one in registry.referrers("app:1", artifact_type="kind/2")] == [{"number": "2"}]
        fallback = {subject["digest"].replace(":", "-")} if fault else set()
        assert set(registry.tags("app")) == {"1"} | fallback


# -- credentials ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_uses_credentials(auth):
    with memory_registry(auth) as server:
        server.add_image("app:1")
        asked = []

        def account(host: str) -> dict[str, str]:
            asked.append(host)
            return ACCOUNT

        for source in (ACCOUNT, account):
            with Registry(server.host, auth_config=source) as registry:
                assert registry.exists("app:1")
                registry.upload("app", b"x")
        assert set(asked) == {server.host}


def test_uses_an_identity_token_and_reuses_bearer_tokens():
    with memory_registry("token") as server, Registry(server.host, auth_config={"identitytoken": IDENTITY}) as registry:
        server.add_image("app:1")
        for _ in range(3):
            assert registry.exists("app:1")
        assert len(server.sent("POST", "/token")) == 1
        assert list(server.scopes.values()) == [["repository:app:pull"]]


def test_gets_anonymous_tokens():
    with memory_registry("token") as server, Registry(server.host) as registry:
        server.add_image("app:1")
        assert registry.exists("app:1")
        assert "authorization" not in server.sent("GET", "/token")[0]
        with pytest.raises(errors.Unauthorized, match="authentication required"):
            registry.upload("app", b"x")


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_wrong_credentials_are_an_error_that_hides_them(auth):
    with memory_registry(auth) as server:
        with Registry(server.host, auth_config={"username": USER, "password": "wrong one"}) as registry:
            with pytest.raises(errors.Unauthorized) as caught:
                registry.exists("app:1")
        assert "wrong one" not in f"{caught.value!r}{caught.value}{vars(caught.value)}"


def test_stops_if_no_token_is_accepted():
    with memory_registry("token", "never") as server, Registry(server.host, auth_config=ACCOUNT) as registry:
        with pytest.raises(errors.Unauthorized):
            registry.exists("app:1")
        assert len(server.requests) < 8


def test_reads_changed_credentials_again_after_a_refusal(tmp_path: Path):
    with memory_registry("basic") as server, Registry(server.host) as registry:
        server.add_image("app:1")
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"auths": {server.host: {"username": USER, "password": "old"}}}))
        with pytest.raises(errors.Unauthorized):
            registry.exists("app:1")
        config.write_text(json.dumps({"auths": {server.host: ACCOUNT}}))
        assert registry.exists("app:1")


def test_token_service_of_another_host_is_not_given_credentials():
    with memory_registry("token") as server, memory_registry() as stranger:
        server.add_image("app:1")
        server.realm = f"http://localhost:{stranger.host.rpartition(':')[2]}/token"
        with Registry(server.host, auth_config=ACCOUNT) as registry:
            with pytest.raises(errors.RegistryError, match=r"pass token_hosts=\['localhost:\d+'\]") as caught:
                registry.exists("app:1")
        assert stranger.requests == []
        assert PASSWORD not in str(caught.value)
        with Registry(server.host, auth_config=ACCOUNT, token_hosts=["localhost"]) as registry:
            with pytest.raises(errors.Unauthorized):  # tokens of that service are not for this registry
                registry.exists("app:1")
        assert stranger.sent("GET", "/token")[0]["authorization"] == BASIC
        stranger.requests.clear()
        with Registry(server.host) as registry, pytest.raises(errors.Unauthorized):
            registry.exists("app:1")
        assert "authorization" not in stranger.sent("GET", "/token")[0]


@pytest.mark.parametrize(
    ("host", "service", "trusted"),
    [
        ("registry-1.docker.io", "auth.docker.io", True),
        ("registry.gitlab.example.com", "gitlab.example.com", True),
        ("ghcr.io", "ghcr.io", True),
        ("registry.example.com:5000", "registry.example.com:5001", True),
        ("registry.example.com", "example.com.evil.org", False),
        ("registry.example.com", "notexample.com", False),
        ("example.com", "evil.com", False),
        ("example.co.uk", "evil.co.uk", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("registry.example.com", "allowed.test", True),
    ],
)
def test_which_token_services_are_trusted(host, service, trusted):
    authenticator = Authenticator(host, lambda fresh: None, ["allowed.test"])
    assert authenticator._is_trusted(service.partition(":")[0], service) is trusted


def test_reads_challenges():
    assert parse_challenge('Bearer realm="https://a/t?x=1,2",service="a \\"b\\"", scope=pull') == (
        "bearer", {"realm": "https://a/t?x=1,2", "service": 'a "b"', "scope": "pull"})  # fmt: skip
    assert parse_challenge("Basic") == ("basic", {})


def test_redirect_to_another_host_leaves_credentials_behind():
    with memory_registry("basic") as server, memory_registry() as storage:
        server.add_image("app:1")
        storage.blobs = server.blobs
        server.redirect_to = f"http://{storage.host}"
        with Registry(server.host, auth_config=ACCOUNT) as registry:
            layer = registry.manifest("app:1", platform="linux/amd64").layers[0]
            assert registry.blob("app", layer.digest).read() == server.blobs["app", layer.digest]
            storage.blobs = {}
            with pytest.raises(errors.NotFound) as caught:
                registry.blob("app", layer.digest)
        assert all("authorization" not in headers for _, _, headers in storage.requests)
        assert "s3cret" not in f"{caught.value}{vars(caught.value)}"


def test_redirects_within_the_registry_keep_the_credentials_and_end():
    with memory_registry("basic", "moved") as server, Registry(server.host, auth_config=ACCOUNT) as registry:
        server.add_image("new/app:1")
        assert registry.exists("old/app:1")
        with pytest.raises(errors.RegistryError, match="redirects more than"):
            registry.exists("circle/app:1")


def test_redirect_from_tls_to_plain_http_is_refused():
    from dockerkit.registry.http import RegistryHTTP

    http = RegistryHTTP("a.example", Authenticator("a.example", lambda fresh: None), insecure=lambda: False,
                        timeout=(1, 1), retries=0)  # fmt: skip
    with pytest.raises(errors.RegistryError, match="not HTTPS"):
        http._follow("GET", "http://a.example/blob", None, (200,), "app")
    with pytest.raises(errors.RegistryError, match="not HTTPS"):
        http._follow("GET", "file:///etc/passwd", None, (200,), "app")


# -- misbehaviour --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["endless", "circle"])
def test_endless_lists_are_an_error(fault):
    with memory_registry("none", fault) as server, Registry(server.host) as registry:
        server.tags["app"] = ["1"]
        with pytest.raises(errors.RegistryError, match="does not end"):
            registry.tags("app")


def test_list_that_continues_at_another_host_is_an_error():
    with memory_registry("basic", "elsewhere") as server, Registry(server.host, auth_config=ACCOUNT) as registry:
        server.tags["app"] = ["1"]
        server.redirect_to = "http://evil.example"
        with pytest.raises(errors.RegistryError, match=r"continues at another host, evil\.example"):
            registry.tags("app")


def test_wrong_content_is_refused():
    with memory_registry("none", "wrong manifest", "wrong blob") as server, Registry(server.host) as registry:
        server.add_image("app:1")
        blob = next(iter(server.blobs))[1]
        with pytest.raises(errors.DigestMismatch):
            registry.manifest("app:1")
        with pytest.raises(errors.DigestMismatch):
            registry.blob("app", blob).read()


def test_registry_that_stores_other_content_is_an_error():
    with memory_registry("none", "other digest") as server, Registry(server.host) as registry:
        server.add_image("app:1")
        with pytest.raises(errors.DigestMismatch, match="the registry stored"):
            registry.put_manifest("app:2", registry.manifest("app:1").raw)


def test_interrupted_download_is_resumed():
    with memory_registry("none", "cut once") as server, Registry(server.host) as registry:
        content = b"0123456789" * 50_000
        server.blobs["app", digest_of(content)] = content
        assert registry.blob("app", digest_of(content)).read() == content


def test_repeatedly_interrupted_download_is_an_error():
    with memory_registry("none", "cut") as server, Registry(server.host, retries=1) as registry:
        server.blobs["app", digest_of(b"x" * 100)] = b"x" * 100
        with pytest.raises(errors.StreamTruncated):
            registry.blob("app", digest_of(b"x" * 100)).read()


def test_huge_manifests_are_refused():
    with memory_registry("none", "huge manifest") as server, Registry(server.host) as registry:
        server.add_image("app:1")
        with pytest.raises(errors.RegistryError, match="larger than"):
            registry.manifest("app:1")


@pytest.mark.parametrize(
    "content", [b"[]", b"{", b"{}", b'{"schemaVersion": 1}', b'{"manifests": [{}]}', b'{"layers": []}']
)
def test_content_that_is_not_a_manifest_is_an_error(content):
    with memory_registry() as server, Registry(server.host) as registry:
        server.manifests["app", "1"] = content, "application/json"
        with pytest.raises(errors.RegistryError):
            registry.manifest("app:1")


@pytest.mark.parametrize(
    "failure", [(503, {}), (429, {"Retry-After": "0"}), (502, {"Retry-After": "Wed, 01 Jan 2020 00:00:00 GMT"})]
)
def test_temporary_failures_are_retried(failure):
    with memory_registry() as server, Registry(server.host) as registry:
        server.add_image("app:1")
        registry.ping()
        server.failures, server.failure = 2, failure
        assert registry.exists("app:1")


def test_waits_as_long_as_the_registry_asks_but_not_for_minutes():
    with memory_registry() as server, Registry(server.host) as registry:
        server.add_image("app:1")
        registry.ping()
        server.failures, server.failure = 1, (429, {"Retry-After": "3600"})
        begun = time.monotonic()
        with pytest.raises(errors.APIError, match="429"):
            registry.exists("app:1")
        assert time.monotonic() - begun < 30


def test_unreachable_registry_is_a_connection_error():
    with pytest.raises(errors.ConnectionFailed, match="(?i)refused"):
        Registry("127.0.0.1:1", retries=0).ping()


def test_proxies_are_for_other_hosts_only(monkeypatch: pytest.MonkeyPatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:1")
    with memory_registry() as server, Registry(server.host, retries=0) as registry:
        assert registry.ping()
    with (
        Registry("registry.invalid", retries=0) as registry,
        pytest.raises(errors.ConnectionFailed, match="(?i)refused"),
    ):
        registry.ping()


def test_secure_registry_is_not_reached_over_plain_http():
    with memory_registry() as server, Registry(server.host, insecure=False, retries=0) as registry:
        with pytest.raises(errors.ConnectionFailed, match="the TLS connection to the registry failed"):
            registry.ping()
        assert server.requests == []


def test_follows_the_engines_insecure_registries():
    info = {"RegistryConfig": {"IndexConfigs": {"a.example:5000": {"Secure": False}, "docker.io": {"Secure": True}},
                               "InsecureRegistryCIDRs": ["10.0.0.0/8"]}}  # fmt: skip
    found = {
        host
        for host in ("a.example:5000", "b.example", "docker.io", "10.1.2.3:5000", "11.0.0.1")
        if _is_insecure_for(info, host)
    }
    assert found == {"a.example:5000", "10.1.2.3:5000"}


# -- copying -------------------------------------------------------------------------------------------------------


def test_copy_skips_existing_blobs():
    with memory_registry() as source, memory_registry("token") as target:
        digest = source.add_index("app:1")
        seen: list[Any] = []
        open_registry = opener(auth_config=ACCOUNT)
        for _ in range(2):
            assert copy_image(f"{source.host}/app:1", f"{target.host}/team/app", open_registry=open_registry,
                              progress=seen.append) == digest  # fmt: skip
        assert target.manifests["team/app", "1"] == source.manifests["app", "1"]
        assert {blob for _, blob in target.blobs} == {blob for _, blob in source.blobs}
        assert len(target.sent("PATCH", "/uploads/")) == len(source.blobs)
        assert seen[-1].percent == 100
        assert not any("authorization" in headers for _, _, headers in source.requests)


def test_copies_one_platform_or_several():
    with memory_registry() as server:
        server.add_index("app:1", ("linux/amd64", "linux/arm64/v8", "linux/s390x"))
        names = f"{server.host}/app:1", f"{server.host}/other:2"
        with Registry(server.host) as registry:
            arm = registry.manifest("app:1", platform="linux/arm64").digest
            assert copy_image(*names, platform="linux/arm64") == arm == registry.digest("other:2")
            digest = copy_image(*names, platform=["linux/amd64", "linux/s390x"])
            index = registry.manifest("other:2")
            assert isinstance(index, Index)
            assert (index.digest, index.platforms) == (digest, ["linux/amd64", "linux/s390x"])
            assert len(registry.attestations("other:2")) == 1
        with pytest.raises(errors.RegistryError, match="does not support 'linux/riscv64'"):
            copy_image(*names, platform=["linux/riscv64"])


@pytest.mark.parametrize("faults", [(), ("no mount",)])
def test_mounts_layers_within_a_registry(faults):
    with memory_registry("token", *faults) as server:
        digest = server.add_image("a:1")
        assert (
            copy_image(f"{server.host}/a:1", f"{server.host}/b:1", open_registry=opener(auth_config=ACCOUNT)) == digest
        )
        assert bool(server.sent("PATCH", "/uploads/")) is bool(faults)
        assert ["repository:a:pull", "repository:b:pull,push"] in server.scopes.values()


def test_retags_without_sending_blobs():
    with memory_registry() as server:
        digest = server.add_index("app:1")
        assert copy_image(f"{server.host}/app:1", f"{server.host}/app:2") == digest
        assert server.sent("POST", "") == []


def test_copy_refuses_a_target_with_a_digest_and_wrong_content():
    with memory_registry("none", "wrong blob") as source, memory_registry() as target:
        source.add_image("app:1")
        with pytest.raises(errors.InvalidArgument, match="target"):
            copy_image(f"{source.host}/app:1", f"{target.host}/app@{digest_of(b'')}")
        with pytest.raises(errors.DigestMismatch):
            copy_image(f"{source.host}/app:1", f"{target.host}/app")
        assert target.manifests == {}


def test_creates_an_index_of_images_from_several_registries():
    with memory_registry() as server, memory_registry() as other:
        server.add_image("app:amd64", "linux/amd64")
        other.add_image("app:arm64", "linux/arm64/v8")
        sources = [f"{server.host}/app:amd64", f"{other.host}/app:arm64"]
        digest = create_index(f"{server.host}/app:1", sources, annotations={"a": "b"})
        with Registry(server.host) as registry:
            index = registry.manifest("app:1")
            assert isinstance(index, Index)
            assert (index.digest, index.platforms) == (digest, ["linux/amd64", "linux/arm64/v8"])
            assert (index.media_type, index.annotations) == ("application/vnd.oci.image.index.v1+json", {"a": "b"})
            assert registry.config("app:1", platform="linux/arm64").labels == {"for": "linux/arm64/v8"}
        with pytest.raises(errors.InvalidArgument, match="sources"):
            create_index(f"{server.host}/app:1", [])


def test_index_of_docker_images_is_a_docker_manifest_list_and_later_sources_win():
    with memory_registry() as server:
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        server.add_image("app:old", "linux/amd64", mediaType=kind, annotations={"old": "1"})
        new = server.add_image("app:new", "linux/amd64", mediaType=kind)
        create_index(f"{server.host}/app:1", [f"{server.host}/app:old", f"{server.host}/app:new"])
        with Registry(server.host) as registry:
            index = registry.manifest("app:1")
            assert isinstance(index, Index)
            assert index.media_type == "application/vnd.docker.distribution.manifest.list.v2+json"
            assert [one.digest for one in index.manifests] == [new]


def test_annotates_an_index_and_its_entries():
    with memory_registry() as server, Registry(server.host) as registry:
        server.add_index("app:1")
        name = f"{server.host}/app:1"
        annotate_index(name, {"a": "1", "b": "2"})
        annotate_index(name, {"c": "3"}, platform="linux/arm64")
        digest = annotate_index(name, {"b": None})
        index = registry.manifest("app:1")
        assert isinstance(index, Index)
        assert (index.digest, index.annotations) == (digest, {"a": "1"})
        found = index.find("linux/arm64")
        assert found is not None
        assert found.annotations == {"c": "3"}
        server.add_image("single:1")
        with pytest.raises(errors.RegistryError, match="create_index"):
            annotate_index(f"{server.host}/single:1", {"a": "1"})


# -- reaching it ---------------------------------------------------------------------------------------------------


def test_connection_that_breaks_is_tried_again_and_then_an_error():
    with memory_registry() as server, Registry(server.host, retries=1) as registry:
        server.add_image("app:1")
        assert registry.ping()
    with pytest.raises(errors.ConnectionFailed, match="could not be reached: Connection refused"):
        registry.manifest("app:1")  # the server is gone, which two attempts find


def test_token_service_that_is_overloaded_is_asked_again():
    with memory_registry("token") as server, Registry(server.host, auth_config=ACCOUNT) as registry:
        server.add_image("app:1")
        assert registry.ping()
        server.failures, server.failure = 1, (503, {"Retry-After": "0"})
        assert registry.exists("app:1")


def test_certificates_of_the_docker_command_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import trustme

    from dockerkit.registry import http

    folder = tmp_path / "certs.d" / "registry.test:5000"
    folder.mkdir(parents=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    issued = authority.issue_cert("client.test")
    issued.cert_chain_pems[0].write_to_path(str(folder / "client.cert"))
    issued.private_key_pem.write_to_path(str(folder / "client.key"))
    monkeypatch.setattr(http, "_CERTIFICATES", (str(tmp_path / "certs.d"),))
    context = http._context("registry.test:5000", None, True, client_certs=True)
    assert len(context.get_ca_certs()) > len(http._context("other.test", None, True).get_ca_certs())
    (folder / "bad.crt").write_text("not a certificate")
    with pytest.raises(errors.TLSParameterError, match=r"bad\.crt can't be read as PEM certificates"):
        http._context("registry.test:5000", None, True)


def test_single_image_is_not_copied_for_several_platforms():
    with memory_registry() as source, memory_registry() as target:
        source.add_image("app:1", "linux/amd64")
        with pytest.raises(errors.RegistryError, match="has only one platform; pass that one or omit platform"):
            copy_image(f"{source.host}/app:1", f"{target.host}/app:1", platform=["linux/amd64", "linux/arm64"])
        assert target.manifests == {}


def test_bearer_token_can_be_given():
    with memory_registry("token") as server:
        server.add_image("app:1")
        with Registry(server.host, auth_config=ACCOUNT) as registry:
            assert registry.exists("app:1")
        (token,) = [name for name, scopes in server.scopes.items() if "repository:app:pull" in scopes][:1]
        with Registry(server.host, auth_config={"registrytoken": token}) as registry:
            assert registry.exists("app:1")
