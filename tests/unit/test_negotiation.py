"""Negotiation of the API version: refused versions, engines out of range, restrictive proxies."""

from __future__ import annotations

import io

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import APIClient, DockerClient, doctor
from dockerkit.api import versions
from dockerkit.errors import BadRequest, Forbidden, InvalidVersion

TOO_OLD = "client version 1.24 is too old. Minimum supported API version is 1.40, please upgrade your client to a newer version"
TOO_NEW = "client version 1.99 is too new. Maximum supported API version is 1.55"
VERSION = {"Version": "29.7.2", "ApiVersion": "1.55", "MinAPIVersion": "1.40"}


def refusing(scripted: ScriptedEngine, message: str) -> None:
    scripted.on("GET", "/info", Answer.error(400, message))
    scripted.on("GET", "/version", Answer.json(VERSION))


@pytest.mark.parametrize(("version", "message"), [("1.24", TOO_OLD), ("1.99", TOO_NEW)])
def test_refused_version_argument_names_both_ranges_and_the_fix(scripted, version, message):
    refusing(scripted, message)
    with APIClient(scripted.host, version=version) as api, pytest.raises(InvalidVersion) as caught:
        api.info()
    text = str(caught.value)
    assert version in text and "1.40 to 1.55" in text and f"1.24 to {versions.CEILING}" in text
    assert "omit `version=`" in text
    assert caught.value.spoken == version
    assert isinstance(caught.value.__cause__, BadRequest)


def test_refused_environment_version_names_the_variable(scripted):
    refusing(scripted, TOO_OLD)
    with DockerClient(scripted.host, environment={"DOCKER_API_VERSION": "1.24"}) as client:
        with pytest.raises(InvalidVersion, match="unset DOCKER_API_VERSION"):
            client.info()


def test_refused_version_says_what_it_can_if_the_engine_hides_its_range(scripted):
    scripted.on("GET", "/info", Answer.error(400, TOO_OLD))
    scripted.on("GET", "/version", Answer.error(403, "forbidden"))
    with (
        APIClient(scripted.host, version="1.24") as api,
        pytest.raises(InvalidVersion, match=r"accepts 1\.40 and later"),
    ):
        api.info()


def test_engine_that_is_too_new_asks_to_upgrade_dockerkit(scripted):
    scripted.api_version = "2.10"
    scripted.on("GET", "/version", Answer.json({"ApiVersion": "2.10", "MinAPIVersion": "2.1"}))
    spoken = versions.CEILING
    message = TOO_OLD.replace("1.40", "2.1").replace("1.24", spoken)
    scripted.on("GET", "/info", Answer.json({"message": message}, 400, {"Api-Version": "2.10"}))
    with APIClient(scripted.host) as api, pytest.raises(InvalidVersion, match=r"2\.1 to 2\.10.*upgrade dockerkit"):
        api.info()
    with APIClient(scripted.host, version="1.40") as api, pytest.raises(InvalidVersion, match="upgrade dockerkit"):
        api.info()


def test_doctor_reports_a_version_that_the_engine_refuses(scripted):
    scripted.on("GET", "/version", Answer.error(400, TOO_OLD))
    report = doctor.examine(scripted.host, environment={"DOCKER_API_VERSION": "1.24"})
    assert not report.healthy
    assert any("unset DOCKER_API_VERSION" in problem.what for problem in report.problems)


def test_other_bad_requests_stay_bad_requests(scripted):
    scripted.on("GET", "/info", Answer.json({"message": "something else"}, 400, {"Api-Version": scripted.api_version}))
    with APIClient(scripted.host) as api, pytest.raises(BadRequest, match="something else"):
        api.info()


@pytest.mark.parametrize("status", [401, 403, 404, 405, 500, 502, 503])
def test_forbidden_ping_with_headers_tells_the_version(scripted, status):
    scripted.on("GET", "/_ping", Answer.json({"message": "no"}, status, {"Api-Version": "1.41"}))
    with APIClient(scripted.host) as api:
        assert api.api_version == "1.41"


STRANGE = [
    Answer.error(403, "forbidden"),
    Answer.text("<html>no</html>", 404),
    Answer.text("not allowed", 405),
    Answer.error(502, "bad gateway"),
    Answer.text("OK", 200),
    Answer.text("OK", 200, {"Api-Version": "strange"}),
]


@pytest.mark.parametrize("ping", STRANGE)
def test_without_ping_the_version_call_tells(scripted, ping):
    scripted.on("GET", "/_ping", ping)
    scripted.on("GET", "/version", Answer.json(VERSION))
    with APIClient(scripted.host) as api:
        assert api.api_version == "1.55"


@pytest.mark.parametrize("version", [*STRANGE, Answer.json([]), Answer.json({"ApiVersion": 1})])
def test_without_both_an_allowed_call_still_works_and_tells_the_version(scripted, version):
    scripted.on("GET", "/_ping", Answer.error(403, "forbidden"))
    scripted.on("GET", "/version", version)
    scripted.on("GET", "/containers/json", Answer.json([], 200, {"Api-Version": "1.41"}))
    with APIClient(scripted.host) as api:
        assert api.containers() == []
        assert api.api_version == "1.41"
    assert scripted.requests[-1].target.startswith("/v1.24/")


def test_guess_that_the_engine_refuses_is_corrected_and_the_call_repeated(scripted):
    for path in ("/_ping", "/version"):
        scripted.on("GET", path, Answer.error(403, "forbidden"))
    refused = Answer.json({"message": TOO_OLD}, 400, {"Api-Version": "1.55"})
    scripted.on("POST", "/containers/create", refused, Answer.json({"Id": "a" * 64, "Warnings": []}, 201))
    with APIClient(scripted.host) as api:
        assert api.create_container("busybox", "true")["Id"] == "a" * 64
    assert [request.target.split("/")[1] for request in scripted.requests[-2:]] == ["v1.24", "v1.55"]


@pytest.mark.parametrize("status", [403, 404, 405, 500, 502])
def test_guess_is_corrected_by_a_first_call_that_takes_over_the_connection(scripted, status):
    """For example through a proxy for sockets that forbids all but attach."""
    for path in ("/_ping", "/version"):
        scripted.on("GET", path, Answer.error(status, "forbidden"))
    refused = Answer.json({"message": TOO_OLD}, 400, {"Api-Version": "1.55"})
    scripted.on("POST", "/containers/c/attach", refused, Answer.upgraded([b"hello"]))
    with APIClient(scripted.host) as api, api.attach_socket("c") as connection:
        assert connection.recv(5) == b"hello"
    assert [request.target.split("/")[1] for request in scripted.requests[-2:]] == ["v1.24", "v1.55"]


def test_takeover_that_the_engine_keeps_refusing_is_an_error(scripted):
    for path in ("/_ping", "/version"):
        scripted.on("GET", path, Answer.error(403, "forbidden"))
    scripted.on("POST", "/containers/c/attach", Answer.json({"message": TOO_OLD}, 400, {"Api-Version": "1.55"}))
    with APIClient(scripted.host) as api, pytest.raises(InvalidVersion):
        api.attach_socket("c")
    assert len(scripted.requests) < 8


def test_stream_that_cannot_be_sent_twice_is_refused_but_teaches_the_version(scripted):
    for path in ("/_ping", "/version"):
        scripted.on("GET", path, Answer.error(403, "forbidden"))
    scripted.on("POST", "/images/load", Answer.json({"message": TOO_OLD}, 400, {"Api-Version": "1.55"}))
    with APIClient(scripted.host) as api:
        with pytest.raises(InvalidVersion):
            api.load_image(io.BytesIO(b"tar"))
        assert api.api_version == "1.55"


def test_option_refused_under_a_guessed_version_says_why_the_version_is_low(scripted):
    for path in ("/_ping", "/version"):
        scripted.on("GET", path, Answer.error(403, "forbidden"))
    with APIClient(scripted.host) as api, pytest.raises(InvalidVersion) as caught:
        api.df("volume")
    assert "Pass `version`" in "".join(caught.value.__notes__)


def test_engine_replaced_by_one_that_refuses_the_negotiated_version_is_negotiated_with_again(scripted):
    scripted.api_version = "1.41"
    refused = Answer.json({"message": TOO_OLD.replace("1.24", "1.41")}, 400, {"Api-Version": "1.52"})
    scripted.on("GET", "/info", Answer.json({"ID": "a"}), refused, Answer.json({"ID": "b"}))
    with APIClient(scripted.host) as api:
        assert (api.info()["ID"], api.api_version) == ("a", "1.41")
        assert (api.info()["ID"], api.api_version) == ("b", "1.52")


def test_forbidden_ping_is_still_an_error_of_ping_itself(scripted):
    scripted.on("GET", "/_ping", Answer.error(403, "forbidden"))
    with APIClient(scripted.host) as api, pytest.raises(Forbidden):
        api.ping()
