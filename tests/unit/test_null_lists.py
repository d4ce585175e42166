"""Engines write null for an empty list, which must not cause a TypeError in any documented response."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import APIClient, DockerClient, doctor
from dockerkit.models.configs import Config
from dockerkit.models.containers import Container
from dockerkit.models.images import Image
from dockerkit.models.images.registry import RegistryData
from dockerkit.models.networks import Network
from dockerkit.models.nodes import Node
from dockerkit.models.plugins import Plugin
from dockerkit.models.resource import Model
from dockerkit.models.secrets import Secret
from dockerkit.models.services import Service
from dockerkit.models.swarm import Swarm
from dockerkit.models.tasks import Task
from dockerkit.models.volumes import Volume
from dockerkit.types import answers
from dockerkit.types.views import View

# Calls whose response contains lists, by method: a function that makes the call, and its operation.
CALLS: dict[str, tuple[str, str, Callable[[APIClient], Any]]] = {
    "create_container": ("POST", "/containers/create", lambda api: api.create_container("x")),
    "create_container_from_config": (
        "POST", "/containers/create", lambda api: api.create_container_from_config({"Image": "x"}),
    ),
    "create_service": ("POST", "/services/create", lambda api: api.create_service({"ContainerSpec": {"Image": "x"}})),
    "prune_builds": ("POST", "/build/prune", lambda api: api.prune_builds()),
    "prune_containers": ("POST", "/containers/prune", lambda api: api.prune_containers()),
    "prune_images": ("POST", "/images/prune", lambda api: api.prune_images()),
    "prune_networks": ("POST", "/networks/prune", lambda api: api.prune_networks()),
    "prune_volumes": ("POST", "/volumes/prune", lambda api: api.prune_volumes()),
    "top": ("GET", "/containers/c/top", lambda api: api.top("c")),
    "update_container": ("POST", "/containers/c/update", lambda api: api.update_container("c", mem_limit=1)),
    "update_service": (
        "POST", "/services/s/update", lambda api: api.update_service("s", 1, {"ContainerSpec": {"Image": "x"}}),
    ),
    "volumes": ("GET", "/volumes", lambda api: api.volumes()),
}  # fmt: skip
# Inspect calls return the engine's data unchanged; the properties of objects are tested below.
RAW = {
    "df", "exec_inspect", "info", "inspect_config", "inspect_container", "inspect_distribution", "inspect_image",
    "inspect_network", "inspect_node", "inspect_plugin", "inspect_secret", "inspect_service", "inspect_swarm",
    "inspect_task", "inspect_volume", "create_volume", "version",
}  # fmt: skip


def list_fields(kind: Any) -> list[str]:
    """Return the fields that are lists, or lists or null."""
    hints = get_type_hints(kind)
    return [name for name, hint in hints.items() if list in (get_origin(hint), *map(get_origin, get_args(hint)))]


def responses() -> dict[str, Any]:
    """Return the low-level methods that return an object with lists, and its type."""
    found = {}
    for name, method in inspect.getmembers(APIClient, inspect.isfunction):
        returned = str(method.__annotations__.get("return", ""))
        kind = getattr(answers, returned.removeprefix("answers."), None)
        if name[0] != "_" and returned.startswith("answers.") and is_typeddict(kind) and list_fields(kind):
            found[name] = kind
    return found


def test_every_low_level_response_with_lists_is_known() -> None:
    assert {name for name in responses() if name not in RAW} <= CALLS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_null_lists_of_low_level_responses_are_empty(scripted: ScriptedEngine, name: str) -> None:
    method, path, call = CALLS[name]
    fields = list_fields(responses()[name])
    scripted.on(method, path, Answer.json({"Id": "a" * 64, "ID": "b", **dict.fromkeys(fields)}))
    with APIClient(scripted.host) as api:
        answer = call(api)
    assert fields and {field: answer[field] for field in fields} == {field: [] for field in fields}


def samples(kind: Any, depth: int = 0, *, maps: bool = False) -> Any:
    """Return a value of a type in which every list is null, and with `maps` every map too."""
    origin = get_origin(kind)
    if is_typeddict(kind):
        hints = {} if depth > 6 else get_type_hints(kind)
        return {name: samples(hint, depth + 1, maps=maps) for name, hint in hints.items()}
    if origin in (Union, types.UnionType):
        return samples(get_args(kind)[0], depth, maps=maps)
    if origin is list or (origin is dict and maps):
        return None
    if origin is dict:
        return {"key": samples(get_args(kind)[1], depth + 1)}
    return {str: "2024-05-06T07:08:09Z", int: 1, float: 1.0, bool: True}.get(kind)


OBJECTS: list[tuple[type[Model], Any]] = [
    (Config, answers.Config),
    (Container, answers.ContainerInspectResponse),
    (Container, answers.ContainerSummary),
    (Image, answers.ImageInspect),
    (Image, answers.ImageSummary),
    (Network, answers.NetworkInspect),
    (Node, answers.Node),
    (Plugin, answers.Plugin),
    (Secret, answers.Secret),
    (RegistryData, answers.DistributionInspect),
    (Service, answers.Service),
    (Swarm, answers.Swarm),
    (Task, answers.Task),
    (Volume, answers.Volume),
]


def properties(kind: type[Any]) -> Iterator[tuple[str, str]]:
    """Return the names of the properties, and their types."""
    for name in dir(kind):
        found = inspect.getattr_static(kind, name, None)
        function = getattr(found, "fget", None) or getattr(found, "func", None)
        if name[0] != "_" and (isinstance(found, property) or type(found).__name__ == "cached_property"):
            yield name, str(function.__annotations__.get("return", ""))


def check(name: str, value: Any, returns: str) -> None:
    """Check that a property for a list or map returns one, also in views below it."""
    for kind in (list, dict):
        if returns.startswith(f"{kind.__name__}[") and not returns.endswith("None"):
            assert isinstance(value, kind), f"{name} is {value!r}"
    if isinstance(value, View):
        own = {field: str(info.annotation) for field, info in type(value).model_fields.items()}
        own.update((one, kind) for one, kind in properties(type(value)) if not one.startswith("model_"))
        for field, kind in own.items():
            check(f"{name}.{field}", getattr(value, field), kind)
    elif isinstance(value, dict):
        for key, item in value.items():
            check(f"{name}[{key!r}]", item, "")


@pytest.mark.parametrize("maps", [False, True], ids=["lists", "maps"])
@pytest.mark.parametrize(("kind", "shape"), OBJECTS, ids=lambda one: one.__name__)
def test_objects_read_null_lists_and_maps_as_empty(
    scripted: ScriptedEngine, kind: type[Model], shape: Any, maps: bool
) -> None:
    attrs = samples(shape, maps=maps)
    scripted.on("GET", "/images/2024-05-06T07:08:09Z/json", Answer.json(samples(answers.ImageInspect, maps=maps)))
    scripted.on("GET", "/containers/json", Answer.json(None))
    scripted.on("GET", "/swarm", Answer.json(attrs))
    with DockerClient(scripted.host) as client:
        first: Any = ["image"] if kind is RegistryData else []
        thing = kind(*first, attrs, client, getattr(client, f"{kind.__name__.lower()}s", None))
        for name, returns in properties(kind):
            check(f"{kind.__name__}.{name}", getattr(thing, name), returns)


def test_disk_use_with_null_lists(scripted: ScriptedEngine) -> None:
    scripted.api_version = "1.55"
    scripted.on("GET", "/system/df", Answer.json(samples(answers.SystemDataUsageResponse)))
    with DockerClient(scripted.host) as client:
        use = client.system.df()
    assert use.images.items == use.containers.items == use.volumes.items == use.build_cache.items == ()


@pytest.mark.parametrize("maps", [False, True], ids=["lists", "maps"])
def test_code_that_reads_the_engines_information_takes_null_lists_and_maps(
    scripted: ScriptedEngine, maps: bool
) -> None:
    version = {**samples(answers.SystemVersion, maps=maps), "ApiVersion": "1.51", "MinAPIVersion": "1.24"}
    scripted.on("GET", "/info", Answer.json(samples(answers.SystemInfo, maps=maps)))
    scripted.on("GET", "/version", Answer.json(version))
    for path in ("/containers/json", "/images/json", "/networks"):
        scripted.on("GET", path, Answer.json(None))
    scripted.on("GET", "/volumes", Answer.json({"Volumes": None, "Warnings": None}))
    scripted.on("GET", "/system/df", Answer.json(samples(answers.SystemDataUsageResponse, maps=maps)))
    assert doctor.examine(scripted.host).engine
    with DockerClient(scripted.host) as client:
        assert not client.registry("registry.example.com")._is_insecure()
        assert client.builders.list()
