"""Consistency of the layers: parameters of methods and calls, docstrings, imports."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import import_graph
import pytest

import dockerkit
from dockerkit.api.client import APIClient
from dockerkit.client import DockerClient
from dockerkit.models.configs import Config
from dockerkit.models.containers import Container, ContainerCollection
from dockerkit.models.nodes import Node
from dockerkit.models.plugins import Plugin
from dockerkit.models.secrets import Secret
from dockerkit.models.volumes import Volume
from dockerkit.types import answers
from dockerkit.types.base import Value
from dockerkit.types.host_options import MoreLimits, NamedLimits

# (class, method, call): the method accepts the call's parameters, without the ID.
PASSED_THROUGH = [
    *((Container, verb, verb) for verb in (
        "attach", "attach_socket", "commit", "diff", "export", "get_archive", "kill", "logs", "pause", "rename",
        "resize", "restart", "stats", "stop", "top", "unpause", "wait",
    )),
    (Container, "remove", "remove_container"),
    (ContainerCollection, "prune", "prune_containers"),
    (Volume, "remove", "remove_volume"),
    (Node, "remove", "remove_node"),
    (Plugin, "remove", "remove_plugin"),
    (Plugin, "enable", "enable_plugin"),
    (Plugin, "disable", "disable_plugin"),
    (Secret, "remove", "remove_secret"),
    (Config, "remove", "remove_config"),
    (DockerClient, "version", "version"),
    (DockerClient, "info", "info"),
    (DockerClient, "ping", "ping"),
    (DockerClient, "df", "df"),
    (DockerClient, "events", "events"),
]  # fmt: skip

# Parameters that the method omits on purpose: (class, method) -> names.
LEFT_OUT = {
    (DockerClient, "df"): "system.df() has them, with a typed report",
}


# Defaults that differ on purpose.
OTHER_DEFAULTS = {
    (Container, "stop", "timeout"): "the container's own; the low-level call has the 10 seconds that it always had",
}


ROOT = Path(__file__).resolve().parents[2]


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


@pytest.mark.parametrize(("owner", "verb", "call"), PASSED_THROUGH, ids=lambda value: getattr(value, "__name__", value))
def test_object_methods_accept_the_parameters_of_their_calls(owner, verb, call):
    ours = parameters(getattr(owner, verb))
    theirs = parameters(getattr(APIClient, call))
    ours.pop("self")
    theirs.pop("self")
    on_an_object = owner is not DockerClient and owner is not ContainerCollection
    if on_an_object:
        theirs.pop(next(iter(theirs)))
    missing = set(theirs) - set(ours)
    if (owner, verb) in LEFT_OUT:
        assert missing, "nothing is left out any more: take the entry away"
        return
    assert missing == set()
    for name in set(ours) & set(theirs):
        if (owner, verb, name) not in OTHER_DEFAULTS:
            assert ours[name].default == theirs[name].default, name
    # docker-py's methods of objects accept keywords only, so only their order in the call is guaranteed.
    shared = [name for name in ours if name in theirs]
    assert shared == [name for name in theirs if name in ours] or verb == "commit"


def test_update_takes_the_options_that_can_be_updated():
    api = set(parameters(APIClient.update_container)) - {"self", "container", "body", "resources"}
    assert api == NamedLimits.__annotations__.keys()
    assert not api & MoreLimits.__annotations__.keys()


def public_classes() -> Iterator[type]:
    for package in ("dockerkit.api", "dockerkit.models", "dockerkit.types"):
        for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
            if info.name.startswith("_") or info.name == "answers":
                continue
            module = importlib.import_module(f"{package}.{info.name}")
            for name, found in vars(module).items():
                if inspect.isclass(found) and found.__module__ == module.__name__ and not name.startswith("_"):
                    yield found


def members(owner: type) -> Iterator[tuple[str, Any]]:
    if getattr(owner, "_is_protocol", False):
        return
    for name, member in vars(owner).items():
        function = member
        if isinstance(member, property):
            function = member.fget
        elif isinstance(member, cached_property):
            function = member.func
        elif isinstance(member, (classmethod, staticmethod)):
            function = member.__func__
        ours = inspect.isfunction(function) and function.__module__.startswith("dockerkit")  # pydantic adds its own
        if not name.startswith("_") and ours:
            yield f"{owner.__module__}.{owner.__qualname__}.{name}", function


def is_filters(cls):
    """Return whether these are names of filters, which their calls describe."""
    return cls.__module__ == "dockerkit.types.filters"


def test_everything_public_has_a_docstring():
    silent = [
        f"{cls.__module__}.{cls.__name__}"
        for cls in public_classes()
        if not (cls.__doc__ or "").strip() and not is_filters(cls)
    ]
    silent += [name for cls in public_classes() for name, function in members(cls) if not inspect.getdoc(function)]
    assert silent == []


FACTS = json.loads((Path(__file__).parents[2] / "scripts" / "data" / "operations.json").read_text())["operations"]
CALL = re.compile(r"``(GET|POST|PUT|DELETE|HEAD|OPTIONS) /\S+``")
# Public methods of the API layer that are not calls.
NO_CALLS = {"dial": "a connection for others to talk on"}


def test_low_level_docstrings_name_the_engine_call():
    nameless = [
        name
        for cls in public_classes()
        if cls.__module__.startswith("dockerkit.api.") and cls.__name__.endswith("API")
        if cls.__module__ != "dockerkit.api.raw"  # any call that its user names
        for name, function in members(cls)
        if not CALL.search(doc := inspect.getdoc(function) or "")
        and "sends nothing" not in doc.lower()
        and function.__name__ not in NO_CALLS
    ]
    assert nameless == []


def test_engine_calls_in_docstrings_exist():
    operations = {f"{fact['method']} {fact['path']}" for fact in FACTS}
    unknown = {
        f"{name}: {call.strip('`')}"
        for cls in public_classes()
        if cls.__module__.startswith("dockerkit.api.")
        for name, function in members(cls)
        for call in re.findall(r"``(?:GET|POST|PUT|DELETE|HEAD) /\S+``", inspect.getdoc(function) or "")
        if call.strip("`") not in operations
    }
    assert unknown == set()


def test_docstrings_name_only_existing_parameters():
    """An Args section names all of them."""
    wrong = []
    for cls in public_classes():
        for name, function in members(cls):
            doc = inspect.getdoc(function) or ""
            match = re.search(r"^Args:\n((?:    .*\n?|\n)+)", doc, re.MULTILINE)
            if not match:
                continue
            named = {
                word.strip().lstrip("*")
                for line in re.findall(r"^    (\*{0,2}\w[\w, *]*):", match[1], re.MULTILINE)
                for word in line.split(",")
            }
            real = set(inspect.signature(function).parameters) - {"self", "cls", "_"}
            if named - real:
                wrong.append((name, sorted(named - real)))
    assert wrong == []


def test_every_option_and_field_has_a_docstring():
    """Editors and the documentation show this text."""
    silent = []
    for cls in public_classes():
        if not cls.__module__.startswith("dockerkit.types.") or cls.__module__.endswith((".views", ".base")):
            continue
        if is_filters(cls):
            continue
        if issubclass(cls, Value):
            names = set(cls.__annotations__) - {"types", "condition_types"}
        elif hasattr(cls, "__total__"):
            names = set(re.findall(r"^    (\w+): ", inspect.getsource(cls), re.MULTILINE))
        else:
            continue
        source = inspect.getsource(cls)
        for name in names:
            row = re.search(rf"^    {name}: (?:.|\n)*?(?=^    \w+: |^    def |^    @|\Z)", source, re.MULTILINE)
            if row and '"""' not in row[0]:
                silent.append(f"{cls.__name__}.{name}")
    assert sorted(silent) == []


def test_names_of_the_package_can_be_reached():
    for name in dockerkit.__all__:
        assert getattr(dockerkit, name) is not None
    assert answers  # generated, never loaded at run time


def test_architecture_page_lists_the_folders_that_exist():
    page = (ROOT / "docs/architecture.md").read_text()
    tree = page[page.index("```\ndockerkit/") :].split("```")[1]
    listed = set(re.findall(r"([a-z_]+)/", tree)) - {"dockerkit"}
    package = ROOT / "dockerkit"
    folders = {path.parent.name for path in package.rglob("__init__.py")} - {"dockerkit"}
    assert listed == folders


def test_root_of_the_package_has_at_most_twelve_modules():
    assert len(list((ROOT / "dockerkit").glob("*.py"))) <= 12


def private_members(package):
    """Return the private names of a package's classes: methods, and attributes set by methods."""
    names = set()
    for path in (ROOT / "dockerkit" / package).rglob("*.py"):
        for owner in ast.walk(ast.parse(path.read_text())):
            if isinstance(owner, ast.ClassDef):
                for node in ast.walk(owner):
                    if isinstance(node, ast.FunctionDef):
                        names.add(node.name)
                    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                        names.add(node.attr)
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


@pytest.mark.parametrize("package", ["api", "transport"])
def test_no_other_room_uses_private_names_of_the_layer(package):
    """``x._name`` where the layer has such a name, x is not self, and the module has no class with that name of its
    own.
    """
    private = private_members(package)
    used = []
    for path in (ROOT / "dockerkit").rglob("*.py"):
        if path.is_relative_to(ROOT / "dockerkit" / package):
            continue
        tree = ast.parse(path.read_text())
        own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        own |= {
            node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in private - own:
                owner = ast.unparse(node.value)
                if owner not in ("self", "cls", "super()"):
                    used.append(f"{path.relative_to(ROOT)}:{node.lineno}: {owner}.{node.attr}")
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"dockerkit.{package}"):
                used += [f"{path.relative_to(ROOT)}: {a.name}" for a in node.names if a.name.startswith("_")]
    assert used == []


def test_imports_have_no_cycles():
    """Imports inside functions and lazy names count; those for type checkers do not."""
    assert import_graph.cycle(import_graph.graph()) == []


def test_rooms_import_downwards_only():
    """The same check as in ``make lint``."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    level = {room: number for number, layer in enumerate(contract["layers"]) for room in layer.split(" | ")}
    wrong = [
        f"{name} imports {other}"
        for name, others in import_graph.graph().items()
        for other in others
        if (room := name.split(".")[1]) != (below := other.split(".")[1])
        and below not in contract["exhaustive_ignores"]
        and level[room] >= level[below]
    ]
    assert wrong == []


def test_import_cycle_is_detected():
    edges = import_graph.graph()
    edges["dockerkit.errors.base"] = edges["dockerkit.errors.base"] | {"dockerkit.api.client"}
    assert {"dockerkit.errors.base", "dockerkit.api.client"} <= set(import_graph.cycle(edges))


def test_models_import_the_client_only_for_typing():
    """Back references are from models to the client, for type checkers; no other room names a room above it."""
    order = [
        "client",
        "models",
        "buildkit",
        "api",
        "builder",
        "credentials",
        "types",
        "streams",
        "transport",
        "endpoint",
    ]

    def room_of(module):  # of builder/, api needs the contexts, and buildkit/ needs api
        return "buildkit" if module.startswith("dockerkit.builder.buildkit") else (module + ".").split(".")[1]

    upward = set()
    for name, path in import_graph.modules().items():
        room = room_of(name)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dockerkit."):
                other = room_of(node.module)
                if room in order and other in order and order.index(other) < order.index(room):
                    upward.add((room, other))
    assert upward == {("models", "client")}
