"""Responses of real engines, compared with their types."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from dockerkit.types import answers


def faults(value: Any, kind: Any, place: str) -> Iterator[str]:
    """Return where a value does not match a type. Missing and additional keys are accepted, since engines differ."""
    origin = get_origin(kind)
    if kind is Any:
        return
    if is_typeddict(kind):
        if not isinstance(value, dict):
            yield f"{place}: {kind.__name__}, not {value!r:.80}"
            return
        for key, expected in get_type_hints(kind).items():
            if key in value:
                yield from faults(value[key], expected, f"{kind.__name__}.{key}")
    elif origin in (Union, types.UnionType):
        tried = [list(faults(value, one, place)) for one in get_args(kind)]
        if all(tried):
            yield min(tried, key=len)[0]
    elif origin is list:
        if not isinstance(value, list):
            yield f"{place}: a list, not {value!r:.80}"
            return
        for item in value:
            yield from faults(item, get_args(kind)[0], f"{place}[]")
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{place}: a dict, not {value!r:.80}"
            return
        for item in value.values():
            yield from faults(item, get_args(kind)[1], f"{place}.*")
    elif not isinstance(value, (int, float) if kind is float else kind) or (kind is int and isinstance(value, bool)):
        yield f"{place}: {kind.__name__}, not {value!r:.80}"


def check(value: Any, kind: Any, name: str) -> list[str]:
    return sorted(set(faults(value, kind, name)))


@pytest.fixture(scope="module")
def swarm(engine):
    from dockerkit import DockerClient

    with DockerClient(engine.host) as client:
        client.swarm.leave(force=True)
        client.swarm.init(advertise_addr=engine.address)
        yield client
        client.swarm.leave(force=True)


def test_container_responses_match_their_types(api, box, unique, labels):
    name = unique("vol")
    api.create_volume(name, labels=labels)
    network = api.create_network(unique("net"), labels=labels)["Id"]
    container = box(
        host_config=api.create_host_config(
            binds=[f"{name}:/data"], port_bindings={"80/tcp": None}, mem_limit="64m", restart_policy={"Name": "always"}
        ),
        ports=[80],
        healthcheck={"Test": ["CMD", "true"]},
    )
    api.connect_container_to_network(container, network)
    stopped = box(start=False)
    found = []
    for one in (container, stopped):
        found += check(api.inspect_container(one, size=True), answers.ContainerInspectResponse, "inspect")
    found += check(api.containers(all=True, size=True), list[answers.ContainerSummary], "list")
    found += check(api.top(container), answers.ContainerTopResponse, "top")
    found += check(api.diff(container), list[answers.FilesystemChange], "changes")
    for one in (container, stopped):
        found += check(api.stats(one, stream=False), answers.ContainerStatsResponse, "stats")
    executed = api.exec_create(container, ["true"])["Id"]
    found += check(api.exec_inspect(executed), answers.ExecInspectResponse, "exec")
    found += check(api.inspect_network(network, verbose=True), answers.NetworkInspect, "network")
    found += check(api.networks(), list[answers.NetworkSummary], "networks")
    found += check(api.inspect_volume(name), answers.Volume, "volume")
    found += check(api.volumes(), answers.VolumeListResponse, "volumes")
    found += check(api.df(), answers.SystemDataUsageResponse, "df")
    api.remove_container(container, force=True)
    api.remove_network(network)
    api.remove_volume(name)
    assert found == []


def test_image_and_system_responses_match_their_types(api, busybox):
    found = check(api.images(), list[answers.ImageSummary], "images")
    found += check(api.inspect_image(busybox), answers.ImageInspect, "image")
    found += check(api.history(busybox), list[answers.ImageHistoryResponseItem], "history")
    found += check(api.info(), answers.SystemInfo, "info")
    found += check(api.version(), answers.SystemVersion, "version")
    found += check(api.plugins(), list[answers.Plugin], "plugins")
    for prune, kind in (
        (api.prune_containers, answers.ContainerPruneResponse),
        (api.prune_networks, answers.NetworkPruneResponse),
        (api.prune_volumes, answers.VolumePruneResponse),
        (api.prune_images, answers.ImagePruneResponse),
    ):
        found += check(prune({"label": "dockerkit.no-such-label"}), kind, prune.__name__)
    assert found == []


def test_swarm_responses_match_their_types(swarm, busybox, unique, labels):
    api = swarm.api
    secret = swarm.secrets.create(unique("secret"), "s", labels=labels)
    config = swarm.configs.create(unique("config"), "c", labels=labels)
    network = swarm.networks.create(unique("net"), driver="overlay", labels=labels)
    image = api.inspect_image(busybox)["Id"]
    service = swarm.services.create(
        image, ["sleep", "60"], name=unique("service"), labels=labels, secrets=[secret], configs=[config],
        networks=[network], ports={0: 80}, stop_grace_period="1s",
    )  # fmt: skip
    service.wait(60, stable_for=0)
    found = check(api.inspect_swarm(), answers.Swarm, "swarm")
    found += check(api.info(), answers.SystemInfo, "info")
    found += check(api.nodes(), list[answers.Node], "nodes")
    found += check(
        api.services(status=api.supports("GET /services", "status") or None), list[answers.Service], "services"
    )
    found += check(api.inspect_service(service, insert_defaults=True), answers.Service, "service")
    found += check(api.tasks(), list[answers.Task], "tasks")
    found += check(api.secrets(), list[answers.Secret], "secrets")
    found += check(api.configs(), list[answers.Config], "configs")
    found += check(api.inspect_network(network, verbose=True), answers.NetworkInspect, "network")
    service.remove()
    assert found == []


def test_events_match_their_type(api, unique, labels):
    name = unique("vol")
    with api.events(filters={"volume": name}, decode=True) as events:
        api.create_volume(name, labels=labels)
        api.remove_volume(name)
        assert check(next(events), answers.EventMessage, "event") == []
