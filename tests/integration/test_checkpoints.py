"""Checkpoints require an experimental engine and CRIU. The test engines are experimental, but Debian has no CRIU."""

from __future__ import annotations

import pytest

from dockerkit.errors import APIError, InvalidArgument, NotFound


def test_container_without_checkpoints_has_none(api, box):
    assert api.info()["ExperimentalBuild"]
    assert api.checkpoints(box()) == []


def test_checkpoint_is_made_and_started_from_or_the_engine_says_why_not(api, box):
    container = box()
    try:
        api.create_checkpoint(container, "frozen", exit=True)
    except APIError as error:
        assert "criu" in str(error).lower()
        with pytest.raises(APIError):
            api.remove_checkpoint(container, "frozen")
        return
    assert api.checkpoints(container) == [{"Name": "frozen"}]
    api.start(container, checkpoint="frozen")
    assert api.inspect_container(container)["State"]["Running"]
    api.remove_checkpoint(container, "frozen")
    assert api.checkpoints(container) == []


def test_errors(api, box, unique):
    with pytest.raises(NotFound):
        api.checkpoints(unique("none"))
    for name in ("", "a/b", None):
        with pytest.raises(InvalidArgument, match="checkpoint"):
            api.create_checkpoint(box(), name)
