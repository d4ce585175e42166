"""Durations: wherever a call accepts seconds, it also accepts a timedelta and a string such as "10s"."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

import dockerkit
from dockerkit import APIClient, DockerClient, Registry
from dockerkit.errors import InvalidArgument
from dockerkit.models.containers.conditions import Http
from dockerkit.models.containers.process import Process
from dockerkit.models.services.stacks import Stack
from dockerkit.parsing import values

ID = "c" * 64
NAMES = {
    *(
        "timeout",
        "wait_timeout",
        "stop_timeout",
        "stable_for",
        "reconnect",
        "connect_retry",
        "interval",
        "start_period",
    ),
    *("start_interval", "stop_grace_period", "delay", "window", "monitor", "node_cert_expiry", "heartbeat_period"),
}
LEFT_OUT = (
    "dockerkit.transport", "dockerkit.compat", "dockerkit.aio", "dockerkit.runtime", "dockerkit.progress",
    "dockerkit.builder.buildkit.call",  # internal: all durations are seconds
    "dockerkit.credentials",  # docker-py's helper protocol
    "dockerkit.errors",  # attributes of errors
    "dockerkit.types.views", "dockerkit.types.answers",  # what engines return
    "dockerkit.registry.http", "dockerkit.testing.mock",
)  # fmt: skip
INSIDE = {
    "dockerkit.api.adapter.TransportAdapter.send",  # requests' own
    "dockerkit.builder.buildkit.options.BuildRequest.__init__",
    "dockerkit.models.containers.call.run_to_end",
    "dockerkit.models.containers.run.RunOutput.__init__",
    "dockerkit.models.containers.waiter.Waiter.__init__",
}
"""Created only by dockerkit, from checked durations."""


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Return all public functions and methods of the public modules."""
    for info in pkgutil.walk_packages(dockerkit.__path__, "dockerkit."):
        if info.name.startswith(LEFT_OUT) or "_pb2" in info.name or info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, item in vars(module).items():
            if getattr(item, "__module__", None) != info.name or name.startswith("_"):
                continue
            if inspect.isfunction(item):
                yield f"{info.name}.{name}", item
            elif inspect.isclass(item):
                for method, member in vars(item).items():
                    if inspect.isfunction(member) and (not method.startswith("_") or method == "__init__"):
                        yield f"{info.name}.{name}.{method}", member


def test_every_parameter_in_seconds_takes_any_duration() -> None:
    wrong, seen = [], 0
    for where, function in functions():
        for name, annotation in inspect.get_annotations(function).items():
            if name in NAMES:
                seen += 1
                if not any(kind in str(annotation) for kind in ("Duration", "Seconds", "Timeout", "timedelta")):
                    wrong.append(f"{where}({name}: {annotation})")
    assert seen > 40
    assert {one.partition("(")[0] for one in wrong} == INSIDE


@pytest.mark.parametrize("value", ["10s", "10000ms", timedelta(seconds=10), 10, 10.0])
def test_time_limit_is_seconds(value: object) -> None:
    assert values.time_limit(value) == 10


@pytest.mark.parametrize(
    "wrong", ["10", "soon", "", -1, "-1s", 0, "0s", timedelta(0), True, float("nan"), float("inf"), [], b"1s"]
)
def test_time_limit_is_refused_by_name(wrong: object) -> None:
    with pytest.raises(
        InvalidArgument, match=r"^wait_timeout: must be a number of seconds above 0, a timedelta, a string"
    ):
        values.time_limit(wrong, "wait_timeout")


@pytest.mark.parametrize("nothing", [0, "0s", timedelta(0)])
def test_zero_is_allowed_where_it_means_something(nothing: object) -> None:
    assert values.time_limit(nothing, zero=True) == 0


def test_no_limit_is_none() -> None:
    assert values.time_limit(None) is None


@pytest.fixture
def client(scripted: ScriptedEngine) -> Iterator[DockerClient]:
    with DockerClient(
        scripted.host, version="1.51", timeout=("2s", timedelta(seconds=5)), connect_retry="0s"
    ) as client:
        yield client


def test_engine_gets_whole_seconds(scripted: ScriptedEngine, client: DockerClient) -> None:
    for verb in ("stop", "restart"):
        scripted.on("POST", f"/containers/{ID}/{verb}", Answer.empty())
        for value, sent in (("1m30s", "90"), (timedelta(milliseconds=1500), "2"), (3, "3"), (-1, "-1"), (0, "0")):
            getattr(client.api, verb)(ID, value)
            assert scripted.requests[-1].query == {"t": [sent]}
    scripted.on("POST", "/plugins/p/enable", Answer.empty())
    client.api.enable_plugin("p", "5s")
    assert scripted.requests[-1].query == {"timeout": ["5"]}


CALLS: dict[str, Callable[[DockerClient, Any], Any]] = {
    "client": lambda client, wrong: DockerClient("unix:///x", timeout=wrong),
    "pair": lambda client, wrong: APIClient("unix:///x", timeout=(1, wrong)),
    "connect_retry": lambda client, wrong: APIClient("unix:///x", connect_retry=wrong),
    "with_timeout": lambda client, wrong: client.with_timeout(wrong),
    "registry": lambda client, wrong: Registry("registry.example.com", timeout=wrong),
    "run": lambda client, wrong: client.containers.run("busybox", timeout=wrong),
    "call": lambda client, wrong: client.containers.call("busybox", timeout=wrong),
    "stop": lambda client, wrong: client.api.stop(ID, wrong),
    "restart": lambda client, wrong: client.api.restart(ID, wrong),
    "wait": lambda client, wrong: client.api.wait(ID, wrong),
    "wait_until": lambda client, wrong: client.containers.prepare_model({"Id": ID}).wait_until(lambda _: True, wrong),
    "exec": lambda client, wrong: client.containers.prepare_model({"Id": ID}).exec("true", timeout=wrong),
    "sandbox": lambda client, wrong: client.sandbox("busybox", timeout=wrong),
    "service": lambda client, wrong: list(client.services.prepare_model({"ID": ID}).watch(wrong)),
    "stable_for": lambda client, wrong: list(client.services.prepare_model({"ID": ID}).watch(1, stable_for=wrong)),
    "stack": lambda client, wrong: Stack("s", client).wait(wrong),
    "drain": lambda client, wrong: client.nodes.prepare_model({"ID": ID}).drain(wrong),
    "node": lambda client, wrong: client.nodes.prepare_model({"ID": ID}).wait_until("ready", wrong),
    "plugin": lambda client, wrong: client.api.enable_plugin("p", wrong),
    "Http": lambda client, wrong: Http(80, timeout=wrong),
    "events": lambda client, wrong: client.system.events(reconnect=wrong),
    "logs": lambda client, wrong: client.containers.prepare_model({"Id": ID, "Name": "/x"}).log_entries(follow=True, reconnect=wrong),
    "build": lambda client, wrong: client.images.build(path={"Dockerfile": "FROM x"}, timeout=wrong),
    "process": lambda client, wrong: Process.wait(Process(client, ID, "x", stdin=False, tty=False, user="", privileged=False, environment=None, workdir=None), wrong),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("wrong", ["10 parsecs", [], True], ids=repr)
def test_rejects_invalid_durations(
    scripted: ScriptedEngine, client: DockerClient, call: Callable[[DockerClient, Any], Any], wrong: object
) -> None:
    with pytest.raises(InvalidArgument, match=r"^(timeout|connect_retry|stable_for|reconnect): "):
        call(client, wrong)
    assert not [request for request in scripted.requests if request.method == "POST"]
