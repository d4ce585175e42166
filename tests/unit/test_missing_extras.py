"""Features whose package is missing say how to install it."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from dockerkit import APIClient, errors, hooks

VERSION = "1.45"


def attach_by_websocket() -> None:
    with APIClient("tcp://127.0.0.1:1", version=VERSION) as api:
        api.attach_socket("c", ws=True)


def ping(address: str, proxy: str = "") -> Callable[[], None]:
    def call() -> None:
        environment = {"PATH": "", "HTTP_PROXY": proxy}
        with APIClient(address, version=VERSION, environment=environment, connect_retry=0) as api:
            api.ping()

    return call


# Extra: the module that is missing, and what needs it.
FEATURES: dict[str, tuple[str, Callable[[], object]]] = {
    "otel": ("opentelemetry", hooks.OpenTelemetry),
    "socks": ("socks", ping("tcp://engine.invalid:2375", "socks5h://127.0.0.1:1")),
    "ssh": ("paramiko", ping("ssh://engine.invalid")),
    "websocket": ("websocket", attach_by_websocket),
    "windows": ("pywintypes", ping("npipe:////./pipe/docker_engine")),
}
# Others raise on import (asyncio), work without it (progress), are for pytest (testing), or always installed.
ELSEWHERE = {"all", "asyncio", "buildkit", "progress", "testing"}


@pytest.mark.parametrize("extra", FEATURES)
def test_missing_extra_is_named(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, feature = FEATURES[extra]
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("PATH", "")
    if extra == "windows":
        monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(errors.MissingExtra, match=rf"pip install 'dockerkit\[{extra}\]'") as caught:
        feature()
    assert isinstance(caught.value, ImportError)


def test_each_extra_is_tested() -> None:
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"].keys() == FEATURES.keys() | ELSEWHERE
