"""Arguments that can't be right: refused by name, before anything is sent."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit.api.client import APIClient
from dockerkit.errors import InvalidArgument


@pytest.fixture
def api(scripted: ScriptedEngine) -> Iterator[APIClient]:
    with APIClient(scripted.host, version="1.51") as client:
        yield client


@pytest.mark.parametrize("parameter", ["since", "until"])
@pytest.mark.parametrize(
    "wrong", ["x", "", "10 minutes", "2020-13-01", True, -1, float("inf"), float("nan"), [], "inf"]
)
def test_a_time_that_is_none_is_refused(api: APIClient, parameter: str, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match=parameter):
        api.logs("c", **{parameter: wrong})
    with pytest.raises(InvalidArgument, match=parameter):
        api.events(**{parameter: wrong})


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (0, "0"),
        ("1700000000.25", "1700000000.25"),
        (datetime(2020, 1, 1, tzinfo=UTC), "1577836800"),
        ("2020-01-01", "1577836800"),
        ("2020-01-01T00:00:00.123456789Z", "1577836800.123456789"),
        ("2020-01-01T02:00:00+02:00", "1577836800"),
    ],
)
def test_times_reach_the_engine_as_seconds(api: APIClient, scripted: ScriptedEngine, given: Any, sent: str) -> None:
    scripted.on("GET", "/events", Answer.text(""))
    with api.events(since=given):
        assert scripted.requests[-1].query["since"] == [sent]


def test_a_time_may_be_told_by_how_long_ago_it_was(api: APIClient, scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/events", Answer.text(""))
    before = datetime.now(UTC).timestamp() - 90
    with api.events(since="1m30s"):
        sent = float(scripted.requests[-1].query["since"][0])
    assert before - 0.001 <= sent <= datetime.now(UTC).timestamp() - 90 + 0.001


@pytest.mark.parametrize("wrong", ["", " ", 1.5, True, ["KILL"], b"KILL"])
def test_a_signal_that_is_none_is_refused(api: APIClient, wrong: Any) -> None:
    for call in (
        api.kill,
        lambda c, signal: api.stop(c, signal=signal),
        lambda c, signal: api.restart(c, signal=signal),
    ):
        with pytest.raises(InvalidArgument, match="signal"):
            call("c", signal=wrong)


@pytest.mark.parametrize("wrong", ["x", [("label", "x")], 5])
def test_filters_that_are_no_mapping_are_refused(api: APIClient, wrong: Any) -> None:
    for call in (api.containers, api.images, api.networks, api.volumes, api.events, api.prune_containers):
        with pytest.raises(InvalidArgument, match="filters"):
            call(filters=wrong)


@pytest.mark.parametrize("wrong", ["x", 1.5, True, None])
def test_a_limit_that_is_no_number_is_refused(api: APIClient, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="limit"):
        api.containers(limit=wrong)


@pytest.mark.parametrize("wrong", ["text", io.StringIO("text"), {"a": b"b"}, 5, None])
def test_an_archive_that_has_no_bytes_is_refused(api: APIClient, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="data"):
        api.put_archive("c", "/", wrong)


def test_a_block_of_an_archive_that_is_no_bytes_is_refused_when_it_comes(api: APIClient) -> None:
    with pytest.raises(InvalidArgument, match="blocks"):
        api.put_archive("c", "/", [b"good", "bad"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "data", [b"abc", bytearray(b"abc"), memoryview(b"abc"), io.BytesIO(b"abc"), [b"a", bytearray(b"bc")]]
)
def test_every_form_of_an_archive_is_sent(api: APIClient, scripted: ScriptedEngine, data: Any) -> None:
    scripted.on("PUT", "/containers/c/archive", Answer.empty(200))
    assert api.put_archive("c", "/", data)
    assert scripted.requests[-1].body == b"abc"


@pytest.mark.parametrize("wrong", [None, "x", 5, []])
def test_a_container_is_not_made_from_what_is_no_body(api: APIClient, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="config"):
        api.create_container_from_config(wrong)


def test_a_request_by_hand_may_bring_its_own_filters(api: APIClient, scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/json", Answer.text("[]"))
    api.request("GET", "/containers/json", params={"filters": '{"label":["a"]}'})
    assert scripted.requests[-1].query["filters"] == ['{"label":["a"]}']
