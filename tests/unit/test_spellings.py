"""Both spellings of every dict give the same body, and strings mean the same as for the docker command."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockerkit import DockerClient, types
from dockerkit.builder.context import is_remote
from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.parsing import shorthands, values
from dockerkit.parsing.ports import port_bindings
from dockerkit.testing import MockResponse, MockTransport
from dockerkit.types.base import Value, engine_dict
from dockerkit.types.healthcheck import Healthcheck
from dockerkit.types.limits import DeviceRequest, LogConfig, Ulimit
from dockerkit.types.mounts import Mount

# A value in dockerkit's format for each field; the Engine's differs if there is a conversion.
SAMPLES: dict[type[Value], dict[str, Any]] = {
    Healthcheck: {
        "test": "curl -f x", "interval": "5s", "timeout": 1.5, "retries": 3, "start_period": "1m", "start_interval": "2s",
    },
    Mount: {"target": "/x", "source": "cache", "type": "bind", "read_only": True, "consistency": "cached", "propagation": "rshared",
            "non_recursive": True, "create_mountpoint": True},
    Ulimit: {"name": "nofile", "soft": 1, "hard": 2},
    DeviceRequest: {"driver": "nvidia", "count": 1, "device_ids": ["0"], "capabilities": [["gpu"]], "options": {"a": True, "b": 1}},
    LogConfig: {"type": "json-file", "config": {"max-size": "1m", "compress": True}},
}  # fmt: skip


def engine_spelling(kind: type[Value], ours: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in ours.items():
        part = body
        *above, last = kind._engine_fields[name].path
        for key in above:
            part = part.setdefault(key, {})
        part[last] = value
    return body


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_both_spellings_give_the_same_body(kind: type[Value]) -> None:
    whole = SAMPLES[kind]
    required = {name: whole[name] for name, field in kind.model_fields.items() if field.is_required()}
    cases = [whole, *({**required, name: value} for name, value in whole.items())]
    for case in cases:
        if kind is Mount:
            case = {**case, "type": "bind"}
        ours = engine_dict(kind, case, "option")
        assert engine_dict(kind, engine_spelling(kind, case), "option") == ours
        assert engine_dict(kind, ours, "option") == ours, "the body itself is a body"


def sent(call: Callable[[DockerClient], object]) -> Any:
    """Return the body of the request that a call sends."""
    transport = MockTransport(lambda _: MockResponse(json={"ID": "a" * 64, "Id": "a" * 64}))
    with DockerClient(transport=transport, version="1.51") as client:
        call(client)
    body = transport.requests[0].body
    assert isinstance(body, bytes)
    return json.loads(body)


Call = Callable[[DockerClient, Any], object]
UPDATE = {
    "parallelism": 2, "delay": "5s", "failure_action": "pause", "monitor": "1s", "max_failure_ratio": 0.5, "order": "start-first",
}  # fmt: skip
ENDPOINT = {"aliases": ["a"], "links": {"b": "c"}, "ipv4_address": "10.0.0.2", "driver_opt": {"a": 1}, "gw_priority": 1}
# For each option that accepts a dict: its class, a value in dockerkit's spelling, and a call.
OPTIONS: dict[str, tuple[type[Value], dict[str, Any], Call]] = {
    "update_config": (types.UpdateConfig, UPDATE, lambda c, v: c.services.create("x", update_config=v)),
    "rollback_config": (types.RollbackConfig, UPDATE, lambda c, v: c.services.create("x", rollback_config=v)),
    "restart_policy": (
        types.RestartPolicy, {"condition": "any", "delay": "5s", "max_attempts": 3, "window": "1m"},
        lambda c, v: c.services.create("x", restart_policy=v),
    ),
    "resources": (
        types.Resources, {"cpu_limit": 1.5, "mem_limit": "512m", "mem_reservation": "1m", "pids_limit": 5},
        lambda c, v: c.services.create("x", resources=v),
    ),
    "endpoint_spec": (
        types.EndpointSpec, {"mode": "vip", "ports": ["8080:80"]}, lambda c, v: c.services.create("x", endpoint_spec=v)
    ),
    "privileges": (
        types.Privileges, {"selinux_disable": True, "no_new_privileges": True}, lambda c, v: c.services.create("x", privileges=v)
    ),
    "dns_config": (
        types.DNSConfig, {"nameservers": ["1.1.1.1"], "search": ["x"]}, lambda c, v: c.services.create("x", dns_config=v)
    ),
    "healthcheck": (
        Healthcheck, {"test": "curl x", "interval": "5s", "retries": 3}, lambda c, v: c.services.create("x", healthcheck=v)
    ),
    "mounts": (
        Mount, {"target": "/x", "source": "/y", "type": "bind", "read_only": True}, lambda c, v: c.services.create("x", mounts=[v])
    ),
    "ulimits": (Ulimit, {"name": "nofile", "soft": 1, "hard": 2}, lambda c, v: c.services.create("x", ulimits=[v])),
    "preferences": (
        types.PlacementPreference, {"strategy": "spread", "descriptor": "node.labels.x"},
        lambda c, v: c.services.create("x", preferences=[v]),
    ),
    "networks of services": (
        types.NetworkAttachmentConfig, {"target": "n", "aliases": ["a"], "options": {"a": 1}},
        lambda c, v: c.services.create("x", networks=[v]),
    ),
    "secrets": (
        types.SecretReference, {"secret_id": "a", "secret_name": "b", "filename": "c", "uid": "5", "mode": 0o400},
        lambda c, v: c.services.create("x", secrets=[v]),
    ),
    "configs": (
        types.ConfigReference, {"config_id": "a", "config_name": "b", "filename": "c", "uid": "5", "mode": 0o400},
        lambda c, v: c.services.create("x", configs=[v]),
    ),
    "ipam": (
        types.IPAMConfig, {"driver": "default", "pool_configs": [{"subnet": "10.0.0.0/24"}], "options": {"a": 1}},
        lambda c, v: c.networks.create("x", ipam=v),
    ),
    "pools of ipam": (
        types.IPAMPool, {"subnet": "10.0.0.0/24", "gateway": "10.0.0.1", "aux_addresses": {"a": "10.0.0.9"}},
        lambda c, v: c.networks.create("x", ipam={"pool_configs": [v]}),
    ),
    "endpoint_config": (
        types.EndpointConfig, ENDPOINT, lambda c, v: c.api.connect_container_to_network("x", "y", endpoint_config=v)
    ),
    "networks of containers": (
        types.EndpointConfig, ENDPOINT, lambda c, v: c.containers.create("x", networks={"n": v})
    ),
    "networking_config": (
        types.EndpointConfig, ENDPOINT,
        lambda c, v: c.api.create_container("x", networking_config={"EndpointsConfig": {"n": v}}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
def test_both_spellings_of_an_option_give_the_same_body(option: str) -> None:
    kind, ours, call = OPTIONS[option]
    theirs = engine_spelling(kind, {name: value for name, value in ours.items() if kind._engine_fields[name].path})
    body = sent(lambda client: call(client, ours))
    assert body == sent(lambda client: call(client, theirs))
    assert body == sent(lambda client: call(client, kind(**ours)))
    assert sent(lambda client: call(client, {**theirs, "Newer": {"a": 1}})) != body, "what we don't know is sent"


@pytest.mark.parametrize("option", ["update_config", "restart_policy", "ipam"])
def test_fields_missing_in_a_dict_are_not_sent(option: str) -> None:
    kind, ours, call = OPTIONS[option]
    name = next(iter(ours))
    one = {name: ours[name]}
    body = json.dumps(sent(lambda client: call(client, one)))
    assert body == json.dumps(sent(lambda client: call(client, engine_spelling(kind, one))))
    assert "FailureAction" not in body and "Window" not in body


def test_service_mode_can_be_a_dict() -> None:
    for mode in (
        {"mode": "replicated", "replicas": 3},
        {"Replicated": {"Replicas": 3}},
        types.ServiceMode("replicated", 3),
    ):
        body = sent(lambda client, mode=mode: client.services.create("x", mode=mode))  # type: ignore[misc]
        assert body["Mode"] == {"Replicated": {"Replicas": 3}}


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_both_spellings_are_checked(kind: type[Value]) -> None:
    whole = SAMPLES[kind]
    for name in whole:
        for wrong in (object(), {"x": object()}, -1.5, b"\xff"):
            outcomes = []
            for case in ({**whole, name: wrong}, engine_spelling(kind, {**whole, name: wrong})):
                try:
                    outcomes.append(repr(engine_dict(kind, case, "option")))
                except DockerException as error:
                    assert "option" in str(error)
                    outcomes.append("refused")
            assert outcomes[0] == outcomes[1], (name, wrong)


def test_unknown_fields_keep_their_spelling() -> None:
    given = {"Target": "/x", "Type": "volume", "New": 1, "VolumeOptions": {"Newer": {"a": 1}, "Labels": {"a": 1}}}
    assert engine_dict(Mount, given, "mounts") == {
        "Target": "/x", "Type": "volume", "New": 1, "VolumeOptions": {"Newer": {"a": 1}, "Labels": {"a": "1"}},
    }  # fmt: skip


GPUS = [
    ("all", {"Count": -1, "Capabilities": [["gpu"]]}),
    ("2", {"Count": 2, "Capabilities": [["gpu"]]}),
    ("count=2", {"Count": 2, "Capabilities": [["gpu"]]}),
    ('"device=0,2"', {"DeviceIDs": ["0", "2"], "Capabilities": [["gpu"]]}),
    ("device=0,2", {"DeviceIDs": ["0", "2"], "Capabilities": [["gpu"]]}),
    ("device=GPU-1", {"DeviceIDs": ["GPU-1"], "Capabilities": [["gpu"]]}),
    ("all,capabilities=utility", {"Count": -1, "Capabilities": [["utility", "gpu"]]}),
    ('"capabilities=compute,utility"', {"Count": 1, "Capabilities": [["compute", "utility", "gpu"]]}),
    ("driver=nvidia", {"Driver": "nvidia", "Count": 1, "Capabilities": [["gpu"]]}),
    (
        'driver=nvidia,"options=a=b,c=d"',
        {"Driver": "nvidia", "Count": 1, "Options": {"a": "b", "c": "d"}, "Capabilities": [["gpu"]]},
    ),
]


@pytest.mark.parametrize(("text", "body"), GPUS)
def test_gpus_match_docker_run(text: str, body: dict[str, Any]) -> None:
    assert DeviceRequest.gpus(text).to_engine() == body


@pytest.mark.parametrize(
    "text", ["GPU-1", "0,1", "gpu=1", "all,all", "count=x", "device=", '"device=0', "count=1,count=2"]
)
def test_rejects_invalid_gpus(text: str) -> None:
    with pytest.raises(InvalidArgument, match="gpus"):
        DeviceRequest.gpus(text)


def test_ranges_of_ports_are_paired() -> None:
    paired = {f"{80 + at}/tcp": [{"HostPort": str(18080 + at)}] for at in range(5)}
    assert port_bindings({"80-84/tcp": "18080-18084"}) == paired
    assert port_bindings(["18080-18084:80-84/tcp"]) == paired
    assert port_bindings({"80-81": ("127.0.0.1", "90-91")}) == {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "90"}],
        "81/tcp": [{"HostIp": "127.0.0.1", "HostPort": "91"}],
    }
    assert port_bindings({"80-81": None}) == {"80/tcp": [{"HostPort": ""}], "81/tcp": [{"HostPort": ""}]}
    for wrong in ("18080-18083", 18080, "18080", ("127.0.0.1", 1)):
        with pytest.raises(InvalidArgument, match=r"port_bindings\['80-84/tcp'\]"):
            port_bindings({"80-84/tcp": wrong})


def test_host_folders_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert shorthands.binds([".ssh:/x", "...:/y", "name:/z", "~/a:/b"]) == [
        f"{tmp_path}/.ssh:/x", f"{tmp_path}/...:/y", "name:/z", "/home/me/a:/b",
    ]  # fmt: skip
    for source, expected in {
        ".cache": f"{tmp_path}/.cache", "cache": f"{tmp_path}/cache", "/abs": "/abs", "C:\\x": "C:\\x", "~/c": "/home/me/c",
        "../c": f"{tmp_path.parent}/c",
    }.items():  # fmt: skip
        assert Mount("/x", source, type="bind")["Source"] == expected
    with pytest.raises(InvalidArgument, match="home folder"):
        shorthands.binds([f"~nobody-{os.urandom(4).hex()}/x:/y"])


@pytest.mark.parametrize(("given", "line"), [
    ("v6=[::1]", "v6:::1"), ("v6:::1", "v6:::1"), ("a:10.0.0.1", "a:10.0.0.1"), ("a=host-gateway", "a:host-gateway"),
    ({"v6": "[::1]"}, "v6:::1"),
])  # fmt: skip
def test_addresses_of_extra_hosts(given: Any, line: str) -> None:
    assert shorthands.extra_hosts(given if isinstance(given, dict) else [given]) == [line]


@pytest.mark.parametrize("wrong", ["a:10.0.0", "a=gateway", "a:[10.0.0.1", "a:::1]"])
def test_extra_hosts_without_an_address_are_refused(wrong: str) -> None:
    with pytest.raises(InvalidArgument, match="extra_hosts"):
        shorthands.extra_hosts([wrong])


@pytest.mark.parametrize("convert", [values.string_map, values.labels, values.build_arguments])
def test_numbers_and_booleans_are_converted_to_strings(convert: Callable[[object, str], dict[str, str]]) -> None:
    given = {"a": True, "b": False, "c": 1, "d": 1.5, "e": "x"}
    expected = {"a": "true", "b": "false", "c": "1", "d": "1.5", "e": "x"}
    assert convert(given, "option") == expected
    assert values.environment(given) == ["a=True", "b=False", "c=1", "d=1.5", "e=x"], "as str() has it, and docker-py"


def test_all_values_are_exported() -> None:
    assert {kind.__name__ for kind in SAMPLES} <= set(dir(types))


@pytest.mark.parametrize(
    ("rules", "host", "direct"),
    [
        (".example.com", "example.com", False), (".example.com", "a.example.com", True),
        ("*.example.com", "example.com", False), ("*.example.com", "a.example.com", True),
        ("example.com", "example.com", True), ("example.com", "a.example.com", True), ("EXAMPLE.com", "Example.COM", True),
        ("example.com", "notexample.com", False), ("*", "anything", True), ("example.com:2375", "example.com", True),
        ("example.com:1", "example.com", False),
    ],
)  # fmt: skip
def test_no_proxy_as_the_docker_command_reads_it(rules: str, host: str, direct: bool) -> None:
    from dockerkit.endpoint.discovery import _bypasses_proxy

    assert _bypasses_proxy(host, 2375, rules) is direct


def test_folder_takes_precedence_over_a_repository_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_remote("github.com/org/app")
    (tmp_path / "github.com" / "org" / "app").mkdir(parents=True)
    assert not is_remote("github.com/org/app")
    assert is_remote("https://github.com/org/app")
