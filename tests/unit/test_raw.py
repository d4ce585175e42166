"""Manual requests, and undocumented uses of docker-py's APIClient in existing code."""

from __future__ import annotations

import pytest
import requests
from scripted_engine import Answer, ScriptedEngine

from dockerkit import APIClient, errors


@pytest.fixture
def api(scripted):
    with APIClient(scripted.host) as api:
        yield api


def test_sends_every_http_method(scripted, api):
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        scripted.on(method, "/thing", Answer.empty(200, {"X-Some": method}))
        response = api.request(method, "/v1.40/thing", params={"all": True, "none": None}, headers={"X-More": "1"})
        assert (response.status_code, response.headers["x-some"], response.ok) == (200, method, True)
        assert scripted.requests[-1].headers["X-More"] == "1"
        assert scripted.requests[-1].target == "/v1.40/thing?all=true"
    assert api.head(f"{api.base_url}/_ping").headers["Api-Version"] == "1.51"
    scripted.on("HEAD", "/thing", Answer.length(b"x" * 10, cut_after=0))
    assert api.head("/thing").headers["Content-Length"] == "10"


def test_sends_json_and_data_bodies(scripted, api):
    scripted.on("POST", "/thing", Answer.json({"answer": 42}, 201))
    assert api.post("/thing", json={"a": 1}).json() == {"answer": 42}
    assert scripted.requests[-1].json() == {"a": 1}
    assert scripted.requests[-1].headers["Content-Type"] == "application/json"


def test_body_is_streamed_on_request(scripted, api):
    scripted.on("GET", "/thing", Answer.chunked([b"a" * 70_000, b"b" * 10]))
    with api.get("/thing", stream=True) as response:
        assert b"".join(response.iter_content(1000)) == b"a" * 70_000 + b"b" * 10
    scripted.on("GET", "/thing", Answer.length(b"abc"))
    with api.get("/thing", stream=True) as response:
        assert response.raw.read() == b"abc"
        assert response.connection is not None


def test_uploads_by_hand(scripted, api, tmp_path):
    scripted.on("POST", "/thing", Answer.empty(200))
    (tmp_path / "f").write_bytes(b"file")
    with (tmp_path / "f").open("rb") as file:
        for data, sent in ((b"x", b"x"), (iter([b"a", b"b"]), b"ab"), (file, b"file")):
            assert api.post("/thing", data=data).ok
            assert scripted.requests[-1].body == sent


def test_session_only_reaches_the_engine(scripted, api):
    scripted.on("GET", "/thing", Answer.json({"a": 1}, headers={"Set-Cookie": "a=b"}))
    session = api._session
    assert session.get(f"{api.base_url}/thing").json() == {"a": 1}
    with pytest.raises(errors.InvalidArgument, match="path of this engine"):
        session.get("http://elsewhere.example/")


def test_error_statuses_do_not_raise(scripted, api):
    scripted.on("GET", "/thing", Answer.error(404, "no such thing"))
    response = api.get("/thing")
    assert isinstance(response, requests.Response)
    with pytest.raises(requests.HTTPError):
        response.raise_for_status()
    with pytest.raises(errors.NotFound, match="no such thing"):
        api._result(response)


@pytest.mark.parametrize("url", ["http://elsewhere/x", "x", "/a b", "/a\r\nHost: x"])
def test_rejects_urls_of_other_servers(api, url):
    with pytest.raises(errors.InvalidArgument, match="url"):
        api.get(url)


def test_private_helpers_of_docker_py_work(scripted, api):
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
