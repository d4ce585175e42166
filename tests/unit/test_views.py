"""Typed views: no response makes them raise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit.types import views

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
VIEWS = [getattr(views, name) for name in views.__all__ if name != "View"]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
@given(data=st.data())
def test_views_accept_any_attributes(view, data):
    names = [field.alias for field in view.model_fields.values()]
    facts = data.draw(st.one_of(JSON, st.dictionaries(st.sampled_from(names) | st.text(max_size=5), JSON)))
    made = view.of(facts)
    for name in view.model_fields:
        getattr(made, name)


def test_unexpected_values_are_ignored_individually():
    state = views.ContainerState.of(
        {"Status": "running", "Running": "perhaps", "ExitCode": [], "Pid": 5, "New": {"x": 1}}
    )
    assert (state.status, state.running, state.exit_code, state.pid) == ("running", None, None, 5)
    assert state.model_extra == {"New": {"x": 1}}


def test_times():
    state = views.ContainerState.of(
        {"StartedAt": "2024-02-03T04:05:06.123456789Z", "FinishedAt": "0001-01-01T00:00:00Z"}
    )
    assert state.started_at == datetime(2024, 2, 3, 4, 5, 6, 123456, UTC)
    assert state.finished_at is None


def test_lists_and_maps_are_never_none():
    settings_ = views.NetworkSettings.of(
        {"Networks": None, "Ports": {"80/tcp": None, "81/tcp": [{"HostIp": "::", "HostPort": "8080"}]}}
    )
    assert settings_.networks == {}
    assert settings_.ports["80/tcp"] == []
    assert settings_.ports["81/tcp"][0].host_port == 8080
    assert settings_.ip_address is None
    config = views.ImageConfig.of({"Env": None, "Cmd": "odd", "Labels": 5})
    assert (config.env, config.cmd, config.labels, config.environment) == ([], [], {}, {})
