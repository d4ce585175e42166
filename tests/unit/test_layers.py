"""The layers keep together: verbs of objects have the parameters of their calls, and everything public says what it does."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

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

# (class, verb, call): the verb takes what the call takes, without the id.
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

# Parameters that the verb leaves out on purpose: (class, verb) -> names.
LEFT_OUT = {
    (DockerClient, "df"): "system.df() has them, with a typed report",
}


# Defaults that differ on purpose.
OTHER_DEFAULTS = {
    (Container, "stop", "timeout"): "the container's own; the low-level call has the 10 seconds that it always had",
}


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


@pytest.mark.parametrize(("owner", "verb", "call"), PASSED_THROUGH, ids=lambda value: getattr(value, "__name__", value))
def test_verbs_take_what_their_calls_take(owner, verb, call):
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
    # docker-py's verbs of objects take keywords only, so only their order in the call is promised.
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


def test_everything_public_says_what_it_does():
    silent = [f"{cls.__module__}.{cls.__name__}" for cls in public_classes() if not (cls.__doc__ or "").strip()]
    silent += [name for cls in public_classes() for name, function in members(cls) if not inspect.getdoc(function)]
    assert silent == []


FACTS = json.loads((Path(__file__).parents[2] / "scripts" / "data" / "operations.json").read_text())["operations"]
CALL = re.compile(r"``(GET|POST|PUT|DELETE|HEAD|OPTIONS) /\S+``")
# Public methods of the API layer that are no calls.
NO_CALLS = {"dial": "a connection for others to talk on"}


def test_each_low_level_call_names_the_engines():
    nameless = [
        name
        for cls in public_classes()
        if cls.__module__.startswith("dockerkit.api.") and cls.__name__.endswith("API")
        if cls.__module__ != "dockerkit.api.raw"  # whatever call its user names
        for name, function in members(cls)
        if not CALL.search(doc := inspect.getdoc(function) or "")
        and "sends nothing" not in doc.lower()
        and function.__name__ not in NO_CALLS
    ]
    assert nameless == []


def test_what_a_low_level_call_names_is_one_of_the_engines_operations():
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


def test_docstrings_name_only_parameters_that_there_are():
    """And all of them, where there is an Args section."""
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


def test_each_option_and_each_field_is_explained():
    """The text below a row is what editors and the documentation show."""
    silent = []
    for cls in public_classes():
        if not cls.__module__.startswith("dockerkit.types.") or cls.__module__.endswith((".views", ".base")):
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
    assert answers  # made by a script, loaded by nobody at run time
