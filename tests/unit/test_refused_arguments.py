"""Calls on networks, volumes, the swarm and plugins refuse invalid arguments by name, before sending anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dockerkit import APIClient
from dockerkit.errors import InvalidArgument, NullResource

CASES: list[tuple[str, Callable[[Any], Any]]] = [
    ("name", lambda api: api.create_network(None)),
    ("name", lambda api: api.create_network("")),
    ("name", lambda api: api.create_network("a/b")),
    ("labels", lambda api: api.create_network("n", labels="a")),
    ("options", lambda api: api.create_network("n", options=["a=b"])),
    ("driver", lambda api: api.create_network("n", driver=3)),
    ("ipam", lambda api: api.create_network("n", ipam="10.0.0.0/8")),
    ("filters", lambda api: api.networks(filters=["a"])),
    ("name", lambda api: api.create_volume(3)),
    ("driver_opts", lambda api: api.create_volume(driver_opts="size=1m")),
    ("labels", lambda api: api.create_volume(labels={1: "a"})),
    ("version", lambda api: api.update_volume("v", None, {})),
    ("name", lambda api: api.create_secret(None, b"")),
    ("data", lambda api: api.create_secret("s", 3)),
    ("labels", lambda api: api.create_secret("s", b"", labels=3)),
    ("version", lambda api: api.update_secret("s", "x", {})),
    ("name", lambda api: api.create_config("", b"")),
    ("data", lambda api: api.create_config("c", {})),
    ("version", lambda api: api.update_config("s", -1, {})),
    ("version", lambda api: api.update_node("n", True, {})),
    ("version", lambda api: api.update_service("s", None)),
    ("version", lambda api: api.update_swarm("x")),
    ("name", lambda api: api.create_service({"ContainerSpec": {"Image": "i"}}, name="")),
    ("task_template", lambda api: api.create_service({})),
    ("labels", lambda api: api.create_service({"ContainerSpec": {"Image": "i"}}, labels=5)),
    ("mode", lambda api: api.create_service({"ContainerSpec": {"Image": "i"}}, mode="many")),
    ("tail", lambda api: api.service_logs("s", tail="some")),
    ("since", lambda api: api.task_logs("t", since="")),
    ("subnet_size", lambda api: api.init_swarm(subnet_size="24")),
    ("default_addr_pool", lambda api: api.init_swarm(default_addr_pool="10.0.0.0/8")),
    ("remote_addrs", lambda api: api.join_swarm("10.0.0.1", "t")),
    ("join_token", lambda api: api.join_swarm(["10.0.0.1"], None)),
    ("key", lambda api: api.unlock_swarm("")),
    ("name", lambda api: api.plugin_privileges("")),
    ("remote", lambda api: api.pull_plugin("", [])),
    ("privileges", lambda api: api.pull_plugin("p", "all")),
    ("options", lambda api: api.configure_plugin("p", "A=b")),
    ("plugin_data_dir", lambda api: api.create_plugin("p", "/nowhere")),
    ("endpoint_config", lambda api: api.connect_container_to_network("c", "n", aliases=["a"], endpoint_config={})),
    ("ipv4_address", lambda api: api.create_endpoint_config(ipv4_address="x")),
    ("ipv4_address", lambda api: api.create_endpoint_config(None, None, "10.0.0.300")),
    ("ipv4_address", lambda api: api.create_endpoint_config(ipv4_address="10.0.0.2/24")),
    ("ipv4_address", lambda api: api.create_endpoint_config(ipv4_address="fd00::2")),
    ("ipv4_address", lambda api: api.create_endpoint_config(ipv4_address=167772162)),
    ("ipv4_address", lambda api: api.connect_container_to_network("c", "n", "10.0.0")),
    ("ipv6_address", lambda api: api.create_endpoint_config(ipv6_address="10.0.0.2")),
    ("ipv6_address", lambda api: api.create_endpoint_config(ipv6_address="fe80::1%eth0")),
    ("ipv6_address", lambda api: api.connect_container_to_network("c", "n", ipv6_address="fd00::2::3")),
    ("link_local_ips", lambda api: api.create_endpoint_config(link_local_ips=["169.254.1.1", "169.254.1"])),
    ("link_local_ips", lambda api: api.create_endpoint_config(link_local_ips="169.254.1.1")),
    ("external_ca", lambda api: api.create_swarm_spec(external_ca={"URL": "u"}, external_cas=[{"URL": "u"}])),
    ("node_cert_expiry", lambda api: api.create_swarm_spec(node_cert_expiry="soon")),
]

BY_ID = [
    "inspect_network", "remove_network", "inspect_volume", "remove_volume", "inspect_secret", "remove_secret",
    "inspect_config", "remove_config", "inspect_node", "remove_node", "inspect_service", "remove_service",
    "service_logs", "inspect_task", "task_logs", "inspect_plugin", "remove_plugin", "enable_plugin", "checkpoints",
]  # fmt: skip


@pytest.fixture(scope="module")
def api() -> Iterator[APIClient]:
    with APIClient("unix:///nowhere", version="1.55") as api:
        yield api


@pytest.mark.parametrize(("name", "call"), CASES)
def test_error_names_the_parameter(api: APIClient, name: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(InvalidArgument, match=rf"^{name}\b"):
        call(api)


@pytest.mark.parametrize("method", BY_ID)
@pytest.mark.parametrize("nothing", [None, "", {}])
def test_rejects_empty_ids(api: APIClient, method: str, nothing: Any) -> None:
    with pytest.raises(NullResource):
        getattr(api, method)(nothing)


@pytest.mark.parametrize("method", BY_ID)
@pytest.mark.parametrize("wrong", [3, "../x", "a\nb", ["a"]])
def test_rejects_invalid_ids(api: APIClient, method: str, wrong: Any) -> None:
    with pytest.raises(InvalidArgument):
        getattr(api, method)(wrong)
