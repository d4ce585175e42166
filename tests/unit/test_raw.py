"""Requests by hand, and what code in the wild does with docker-py's APIClient beyond its documentation."""

from __future__ import annotations

import pytest
import requests
from scripted_engine import Answer, ScriptedEngine

from dockerkit import APIClient, errors


@pytest.fixture
def api(scripted):
    with APIClient(scripted.host) as api:
        yield api


def test_verbs(scripted, api):
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        scripted.on(method, "/thing", Answer.empty(200, {"X-Some": method}))
        response = api.request(method, "/v1.40/thing", params={"all": True, "none": None}, headers={"X-More": "1"})
        assert (response.status_code, response.headers["x-some"], response.ok) == (200, method, True)
        assert scripted.requests[-1].headers["X-More"] == "1"
        assert scripted.requests[-1].target == "/v1.40/thing?all=true"
    assert api.head(f"{api.base_url}/_ping").headers["Api-Version"] == "1.51"


def test_bodies(scripted, api):
    scripted.on("POST", "/thing", Answer.json({"answer": 42}, 201))
    assert api.post("/thing", json={"a": 1}).json() == {"answer": 42}
    assert scripted.requests[-1].json() == {"a": 1}
    assert scripted.requests[-1].headers["Content-Type"] == "application/json"


def test_statuses_are_left_to_the_caller(scripted, api):
    scripted.on("GET", "/thing", Answer.error(404, "no such thing"))
    response = api.get("/thing")
    assert isinstance(response, requests.Response)
    with pytest.raises(requests.HTTPError):
        response.raise_for_status()
    with pytest.raises(errors.NotFound, match="no such thing"):
        api._result(response)


@pytest.mark.parametrize("url", ["http://elsewhere/x", "x", "/a b", "/a\r\nHost: x"])
def test_other_servers_and_broken_paths_are_refused(api, url):
    with pytest.raises(errors.InvalidArgument, match="url"):
        api.get(url)


def test_underscored_things(scripted, api):
    assert api._url("/containers/{0}/json", "a b") == "http+docker://localhost/v1.51/containers/a%20b/json"
    assert api._version == api.api_version == "1.51"
    assert api._url("/_ping", versioned_api=False) == "http+docker://localhost/_ping"
    assert api._set_request_timeout({}) == {"timeout": 60}
    scripted.on("GET", "/info", Answer.json({"ID": "x"}))
    assert api._result(api._get(api._url("/info")), json=True) == {"ID": "x"}
    api.headers["X-Meta-Source"] = "me"
    api.info()
    assert scripted.requests[-1].headers["X-Meta-Source"] == "me"


@pytest.mark.parametrize(
    ("host", "base_url"),
    [
        ("unix:///var/run/docker.sock", "http+docker://localhost"),
        ("tcp://1.2.3.4:2375", "http://1.2.3.4:2375"),
        ("ssh://me@host", "http+docker://ssh"),
    ],
)
def test_base_url(host, base_url):
    with APIClient(host) as api:
        assert api.base_url == base_url


def test_tcp():
    engine = ScriptedEngine(tcp=True)
    try:
        with APIClient(engine.host) as api:
            assert api.base_url == engine.host.replace("tcp://", "http://")
            assert api.get(api.base_url + "/_ping").text == "OK"
    finally:
        engine.close()
