"""IDs and names in paths are refused or quoted."""

from __future__ import annotations

import pickle
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_engine import Answer, ScriptedEngine

from dockerkit.api.client import APIClient
from dockerkit.api.refs import format_path
from dockerkit.errors import ImageNotFound, InvalidArgument, NotFound, NullResource

CONTAINER = "/containers/{id}/json"


@pytest.mark.parametrize("ref", [None, "", {}, {"Id": ""}, {"Id": None}, type("X", (), {"id": None})()])
def test_empty_reference_is_refused(ref: object) -> None:
    with pytest.raises(NullResource, match="id"):
        format_path(CONTAINER, {"id": ref})  # type: ignore[dict-item]


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
        "//",
        "/..",
        "a/",
        7,
        ["a"],
        {"Id": 7},
    ],
)
def test_rejects_invalid_names(ref: object) -> None:
    with pytest.raises(InvalidArgument, match="id"):
        format_path(CONTAINER, {"id": ref})  # type: ignore[dict-item]


@pytest.mark.parametrize("name", ["../../containers/x", "a/", "a/../b", "a/./b", "//../a", "//"])
def test_repository_may_have_slashes_but_no_tricks(name: str) -> None:
    with pytest.raises(InvalidArgument, match="name"):
        format_path("/images/{name}/json", {"name": name})


@pytest.mark.parametrize("name", ["a//b", "/a/b", "//a/b"])
def test_repository_has_single_slashes_as_the_engine_cleans_them(name: str) -> None:
    assert unquote(format_path("/images/{name}/json", {"name": name})) == "/images/a/b/json"


def test_invalid_names_also_raise_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        format_path(CONTAINER, {"id": "a/b"})
    assert caught.value.response.status_code == caught.value.status_code == 404
    assert not isinstance(caught.value, ImageNotFound)
    with pytest.raises(ImageNotFound, match="valid ID or name"):
        format_path("/images/{name}/json", {"name": "a b\n"})
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), NotFound)


def test_special_characters_in_names_are_quoted() -> None:
    assert format_path(CONTAINER, {"id": "a?b#c%2e&d"}) == "/containers/a%3Fb%23c%252e%26d/json"
    assert unquote(format_path("/images/{name}/json", {"name": "127.0.0.1:5000/a/b@sha256:00"})) == (
        "/images/127.0.0.1:5000/a/b@sha256:00/json"
    )


@given(st.text(max_size=30))
def test_any_string_is_rejected_or_stays_one_segment(name: str) -> None:
    try:
        path = format_path(CONTAINER, {"id": name})
    except InvalidArgument:
        return
    assert path.count("/") == 3
    assert path.isascii()
    assert not set(path) & set("?#\r\n \\")
    assert unquote(path) == f"/containers/{name.removeprefix('/')}/json"


def test_container_may_be_named_as_the_engine_does() -> None:
    assert format_path(CONTAINER, {"id": "/web"}) == format_path(CONTAINER, {"id": "//web"}) == "/containers/web/json"
    with pytest.raises(InvalidArgument, match="slash"):
        format_path("/volumes/{name}", {"name": "/web"})


@pytest.mark.parametrize("headers", [{"X-A": "b\r\nX-Evil: 1"}, {"X-A\r\nX-Evil": "1"}, {"X-A": "b\0"}, {"": "x"}])
def test_header_value_cannot_inject_headers(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument, match="headers"):
        APIClient("unix:///nowhere", headers=headers)


def test_query_value_cannot_inject_parameters(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/abc/top", Answer.json({}))
    with APIClient(scripted.host) as api:
        api.top("abc", "aux&evil=1#x")
    assert scripted.requests[-1].query == {"ps_args": ["aux&evil=1#x"]}
