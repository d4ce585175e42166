"""Ids and names on their way into a path: refused or quoted, never something else than a name."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_engine import Answer, ScriptedEngine

from dockerkit.api.client import APIClient
from dockerkit.api.refs import fill
from dockerkit.errors import InvalidArgument, NullResource

CONTAINER = "/containers/{id}/json"


@pytest.mark.parametrize("ref", [None, "", {}, {"Id": ""}, {"Id": None}, type("X", (), {"id": None})()])
def test_an_empty_reference_is_refused(ref: object) -> None:
    with pytest.raises(NullResource, match="id"):
        fill(CONTAINER, {"id": ref})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "ref",
    [
        "a/b",
        "../images/x",
        "..",
        ".",
        "a\r\nX-Evil: 1",
        "a\0",
        " a",
        "a\n",
        "/",
        "//a",
        "/..",
        "a/",
        7,
        ["a"],
        {"Id": 7},
    ],
)
def test_what_is_no_name_is_refused(ref: object) -> None:
    with pytest.raises(InvalidArgument, match="id"):
        fill(CONTAINER, {"id": ref})  # type: ignore[dict-item]


@pytest.mark.parametrize("name", ["../../containers/x", "a//b", "/a", "a/", "a/../b", "a/./b"])
def test_a_repository_may_have_slashes_but_no_tricks(name: str) -> None:
    with pytest.raises(InvalidArgument, match="name"):
        fill("/images/{name}/json", {"name": name})


def test_what_a_name_may_hold_is_quoted() -> None:
    assert fill(CONTAINER, {"id": "a?b#c%2e&d"}) == "/containers/a%3Fb%23c%252e%26d/json"
    assert unquote(fill("/images/{name}/json", {"name": "127.0.0.1:5000/a/b@sha256:00"})) == (
        "/images/127.0.0.1:5000/a/b@sha256:00/json"
    )


@given(st.text(max_size=30))
def test_any_text_is_refused_or_stays_one_segment(name: str) -> None:
    try:
        path = fill(CONTAINER, {"id": name})
    except InvalidArgument:
        return
    assert path.count("/") == 3
    assert path.isascii()
    assert not set(path) & set("?#\r\n \\")
    assert unquote(path) == f"/containers/{name.removeprefix('/')}/json"


def test_a_container_may_be_named_as_the_engine_does() -> None:
    assert fill(CONTAINER, {"id": "/web"}) == "/containers/web/json"
    with pytest.raises(InvalidArgument, match="slash"):
        fill("/volumes/{name}", {"name": "/web"})


@pytest.mark.parametrize("headers", [{"X-A": "b\r\nX-Evil: 1"}, {"X-A\r\nX-Evil": "1"}, {"X-A": "b\0"}, {"": "x"}])
def test_a_header_can_not_add_another(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument, match="headers"):
        APIClient("unix:///nowhere", headers=headers)


def test_a_value_can_not_add_a_parameter(scripted: ScriptedEngine) -> None:
    scripted.on("POST", "/containers/abc/kill", Answer.empty())
    with APIClient(scripted.host) as api:
        api.kill("abc", signal="HUP&evil=1#x")
    assert scripted.requests[-1].query == {"signal": ["HUP&evil=1#x"]}
