"""The FastAPI example, on a fake engine."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockerkit import DockerClient
from dockerkit.testing import FakeEngine

PATH = Path(__file__).resolve().parents[2] / "examples/fastapi_service.py"


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    testclient = pytest.importorskip("fastapi.testclient")
    with FakeEngine() as engine:
        engine.add_image("alpine")
        engine.when("alpine", ["echo", "hi"], stdout="hi\n")
        engine.when("alpine", ["sleep"], seconds=None)
        engine.add_image("web")
        engine.when("web", stdout="one\n", seconds=None)
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        spec = importlib.util.spec_from_file_location("fastapi_service", PATH)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(__import__("sys").modules, "fastapi_service", module)
        spec.loader.exec_module(module)
        with testclient.TestClient(module.app) as client:
            client.engine = engine
            yield client


def test_runs_commands(http: Any) -> None:
    assert http.post("/run?image=alpine", json=["echo", "hi"]).json() == {"exit_code": 0, "output": "hi\n"}
    assert http.post("/run?image=alpine&seconds=0.2", json=["sleep"]).status_code == 504
    assert not http.engine.containers


def test_lists_containers_and_streams_logs(http: Any) -> None:
    with DockerClient(http.engine.host) as client:
        client.containers.run("web", name="web", detach=True)
    assert http.get("/containers").json() == [{"name": "web", "status": "running"}]
    assert http.get("/containers/web/logs").text == "one\n"
    assert http.get("/containers/missing/logs").status_code == 404
