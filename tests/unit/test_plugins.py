"""Plugins with scripted responses: their privileges, settings, and upgrades."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.models.plugins import Plugin

PRIVILEGES = [{"Name": "network", "Description": "", "Value": ["host"]}, {"Name": "mount", "Value": ["/data"]}]
ATTRS: dict[str, Any] = {"Id": "p1", "Name": "store:latest", "Enabled": False, "Settings": {"Env": ["DEBUG=0"]}}


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(scripted.host, version="1.51") as client:
        yield client


@pytest.fixture
def plugin(client: DockerClient) -> Plugin:
    return client.plugins.prepare_model(dict(ATTRS))


def lines(*records: dict[str, Any]) -> Any:
    return Answer.chunked([json.dumps(record).encode() + b"\n" for record in records])


def test_plugin_is_installed_configured_and_enabled(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/plugins/privileges", Answer.json(PRIVILEGES))
    scripted.on("POST", "/plugins/pull", lines({"status": "Downloading"}, {"status": "Done"}))
    scripted.on("GET", "/plugins/mine/json", Answer.json(ATTRS), Answer.json({**ATTRS, "Enabled": True}))
    scripted.on("POST", "/plugins/store:latest/set", Answer.empty())
    scripted.on("POST", "/plugins/store:latest/enable", Answer.empty(200))
    scripted.on("GET", "/plugins/store:latest/json", Answer.json({**ATTRS, "Enabled": True}))
    asked: list[Any] = []
    seen: list[dict[str, Any]] = []
    plugin = client.plugins.install(
        "store", "mine", grant=lambda wanted: asked.append(wanted) or True, settings={"DEBUG": 1}, enable=True,
        on_record=seen.append, auth_config={},
    )  # fmt: skip
    assert plugin.enabled and plugin.settings == {"Env": ["DEBUG=0"]}
    assert asked == [PRIVILEGES]
    assert [record["status"] for record in seen] == ["Downloading", "Done"]
    pull = next(request for request in scripted.requests if request.path == "/plugins/pull")
    assert (pull.param("remote"), pull.param("name"), pull.json()) == ("store", "mine", PRIVILEGES)
    settings = next(request for request in scripted.requests if request.path.endswith("/set"))
    assert settings.json() == ["DEBUG=1"]


def test_plugin_is_not_installed_unless_its_privileges_are_granted(
    scripted: ScriptedEngine, client: DockerClient
) -> None:
    scripted.on("GET", "/plugins/privileges", Answer.json(PRIVILEGES))
    with pytest.raises(errors.DockerException, match=r"not granted its privileges: network \['host'\], mount"):
        client.plugins.install("store", grant=lambda wanted: False)
    with pytest.raises(errors.InvalidArgument, match="grant: must be a function that returns a bool"):
        client.plugins.install("store", grant=True)
    assert {request.path for request in scripted.requests} == {"/plugins/privileges"}


def test_plugin_is_disabled_upgraded_and_removed(scripted: ScriptedEngine, plugin: Plugin) -> None:
    path = "/plugins/store:latest"
    scripted.on("POST", f"{path}/disable", Answer.empty(200))
    scripted.on("GET", f"{path}/json", Answer.json(ATTRS))
    scripted.on("GET", "/plugins/privileges", Answer.json(PRIVILEGES))
    scripted.on("POST", f"{path}/upgrade", lines({"status": "Upgrading"}))
    scripted.on("DELETE", path, Answer.json(ATTRS))
    plugin.disable(force=True)
    assert plugin.upgrade() == [{"status": "Upgrading"}]
    assert plugin.upgrade("store:2", grant=lambda wanted: True) == [{"status": "Upgrading"}]
    upgrades = [request for request in scripted.requests if request.path == f"{path}/upgrade"]
    assert [request.param("remote") for request in upgrades] == ["store:latest", "store:2"]
    assert plugin.remove(force=True)
    assert scripted.requests[-1].query == {"force": ["true"]}


def test_enabled_plugin_must_be_disabled_before_an_upgrade(scripted: ScriptedEngine, client: DockerClient) -> None:
    plugin = client.plugins.prepare_model({**ATTRS, "Enabled": True})
    with pytest.raises(errors.DockerException, match="must be disabled before it can be upgraded: call disable"):
        plugin.upgrade()
    assert not scripted.requests


def test_failed_upgrade_raises_the_engines_error(scripted: ScriptedEngine, plugin: Plugin) -> None:
    scripted.on("GET", "/plugins/privileges", Answer.json([]))
    scripted.on("POST", "/plugins/store:latest/upgrade", lines({"errorDetail": {"message": "manifest unknown"}}))
    with pytest.raises(errors.PullError, match="manifest unknown"):
        plugin.upgrade()


def test_plugins_are_listed_and_found_by_name(scripted: ScriptedEngine, client: DockerClient) -> None:
    scripted.on("GET", "/plugins", Answer.json([ATTRS]))
    scripted.on("GET", "/plugins/store/json", Answer.json(ATTRS))
    scripted.on("GET", "/plugins/other/json", Answer.error(404, 'plugin "other" not found'))
    (listed,) = client.plugins.list({"enabled": False})
    assert listed == client.plugins.get("store")
    assert (listed.name, listed.id) == ("store:latest", "p1")
    assert client.plugins.get("other", default=None) is None
    with pytest.raises(errors.NotFound):
        client.plugins.get("other")
