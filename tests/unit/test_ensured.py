"""``ensure`` of networks, volumes, images, secrets and configs; that of containers is in test_containers.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.models.containers import pull
from dockerkit.models.ensured import Difference, Ensured, differences
from dockerkit.types import IPAMConfig, IPAMPool


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host, version="1.51") as client:
        yield client


def sent(scripted: ScriptedEngine) -> list[str]:
    return [f"{request.method} {request.path}" for request in scripted.requests]


def test_differences_compare_only_what_is_requested() -> None:
    current = {"Driver": "bridge", "Labels": {"a": "1", "b": "2"}, "Pools": [{"Subnet": "10.0.0.0/24", "Gateway": "x"}]}
    assert differences(current, {"Driver": "bridge", "Labels": {"a": "1"}, "Scope": None}) == ()
    assert differences(current, {"Pools": [{"Subnet": "10.0.0.0/24"}], "Options": {}}) == ()
    found = differences(
        current, {"Driver": "overlay", "Labels": {"a": "9", "c": "3"}, "Pools": [{"Subnet": "10.1.0.0/24"}]}
    )
    assert [difference.name for difference in found] == ["Driver", "Labels.a", "Labels.c", "Pools[0].Subnet"]
    assert str(Ensured("replaced", found[:1])) == "replaced (Driver: 'bridge' instead of 'overlay')"
    assert str(Difference("Env.A", None, "…")) == "Env.A was not set"
    assert (Ensured("unchanged").changed, Ensured("started").changed) == (False, True)


NETWORK: dict[str, Any] = {
    "Id": "1" * 64, "Name": "net", "Driver": "bridge", "Internal": False, "Labels": {}, "EnableIPv6": False,
    "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.9.0.0/24", "Gateway": "10.9.0.1"}]},
}  # fmt: skip


def test_a_network_is_created_kept_refused_or_replaced(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/networks/net", Answer.error(404, "no such network"), Answer.json(NETWORK))
    scripted.on("GET", f"/networks/{'1' * 64}", Answer.json(NETWORK))
    scripted.on("POST", "/networks/create", Answer.json({"Id": "1" * 64}, 201))
    scripted.on("DELETE", f"/networks/{'1' * 64}", Answer.empty())
    assert str(client.networks.ensure("net").ensured) == "created"
    ipam = IPAMConfig(pool_configs=[IPAMPool(subnet="10.9.0.0/24")])
    assert str(client.networks.ensure("net", driver="bridge", ipam=ipam, enable_ipv6=False).ensured) == "unchanged"
    scripted.requests.clear()
    with pytest.raises(errors.Conflict, match="network 'net' exists .*Internal: False instead of True.*replace=True"):
        client.networks.ensure("net", internal=True)
    assert sent(scripted) == ["GET /networks/net"]
    replaced = client.networks.ensure("net", internal=True, replace=True)
    assert replaced.ensured == Ensured("replaced", (Difference("Internal", False, True),))
    assert sent(scripted)[2:4] == [f"DELETE /networks/{'1' * 64}", "POST /networks/create"]


def test_ensure_ignores_matches_by_id_prefix(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/networks/ab", Answer.json({**NETWORK, "Id": "ab" * 32, "Name": "other"}))
    scripted.on("GET", f"/networks/{'1' * 64}", Answer.json({**NETWORK, "Name": "ab"}))
    scripted.on("POST", "/networks/create", Answer.json({"Id": "1" * 64}, 201))
    assert client.networks.ensure("ab").ensured == Ensured("created")


def test_ensure_returns_an_object_created_concurrently(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/networks/net", Answer.error(404, "no such network"), Answer.json(NETWORK))
    scripted.on("POST", "/networks/create", Answer.error(409, "already exists"))
    assert client.networks.ensure("net").ensured == Ensured("unchanged")


def test_ensure_never_changes_a_volume(scripted: ScriptedEngine, client: DockerClient) -> None:
    volume = {"Name": "data", "Driver": "local", "Options": None, "Labels": {"a": "1"}}
    scripted.on("GET", "/volumes/data", Answer.error(404, "no such volume"), Answer.json(volume))
    scripted.on("POST", "/volumes/create", Answer.json(volume, 201))
    assert client.volumes.ensure("data", labels={"a": "1"}).ensured == Ensured("created")
    scripted.requests.clear()
    assert client.volumes.ensure("data", "local", labels={"a": "1"}).ensured == Ensured("unchanged")
    with pytest.raises(errors.Conflict, match="volume 'data' exists .*Options.type was not set.*clone"):
        client.volumes.ensure("data", driver_opts={"type": "tmpfs"})
    assert set(sent(scripted)) == {"GET /volumes/data"}


def test_image_is_pulled_if_it_is_missing_or_for_another_platform(scripted, client, monkeypatch) -> None:
    monkeypatch.setattr(pull, "_PAUSES", (0.001,))
    image = {"Id": "sha256:1", "Os": "linux", "Architecture": "amd64", "Variant": ""}
    missing = Answer.error(404, "No such image")
    scripted.on("GET", "/images/app:1/json", missing, *[Answer.json(image)] * 4)
    scripted.on("POST", "/images/create", Answer.error(500, "toomanyrequests"), Answer.json({"status": "done"}))
    assert client.images.ensure("app:1").ensured == Ensured("created")
    assert sent(scripted).count("POST /images/create") == 2
    assert client.images.ensure("app:1", platform="linux/amd64").ensured == Ensured("unchanged")
    found = client.images.ensure("app:1", platform="linux/arm64").ensured
    assert str(found) == "replaced (Architecture: 'amd64' instead of 'arm64')"
    assert scripted.requests[-2].param("platform") == "linux/arm64"
