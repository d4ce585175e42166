"""Every public name of docker-py 7.2 exists, with its parameters and defaults; differences are listed with a reason.

``data/docker_py_surface.json`` holds names, parameters and defaults. Where docker-py takes ``*args, **kwargs`` and hands
them to another call, ours must take that call's parameters.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from docker_py_differences import DIFFERENCES

from dockerkit.types.base import Value

SURFACE = json.loads((Path(__file__).parent / "data" / "docker_py_surface.json").read_text())
MODULES: dict[str, dict[str, Any]] = SURFACE["modules"]
CALLS = {
    member: f"{module}.{name}.{member}"
    for module, content in MODULES.items()
    for name, cls in content.get("classes", {}).items()
    if name.endswith("ApiMixin")
    for member in cls.get("members", {})
}
OPTIONS = {
    name: cls["members"]["__init__"]
    for module, content in MODULES.items()
    if module.startswith("docker.types")
    for name, cls in content.get("classes", {}).items()
    if "__init__" in cls.get("members", {})
}
Parameter = inspect.Parameter
ABSENT = object()
ANY = [Parameter("any", Parameter.POSITIONAL_ONLY)] * 99  # *args: Any, handed to a class that is looked at by itself


def ours(dotted: str) -> Any:
    """Return dockerkit's object for a name of docker-py."""
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        name = ".".join(["dockerkit", *parts[1:size]])
        try:
            thing: Any = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not name.startswith(str(error.name)):
                raise
            continue
        for part in parts[size:]:
            thing = inspect.getattr_static(thing, part) if inspect.isclass(thing) else getattr(thing, part)
        return thing
    raise AttributeError(dotted)


def function(module: str, name: str, member: str | None = None) -> dict[str, Any] | None:
    """Return the recorded signature of a function, method or constructor of docker-py."""
    content = MODULES.get(module, {})
    if member is None and name in content.get("functions", {}):
        return content["functions"][name]
    return content.get("classes", {}).get(name, {}).get("members", {}).get(member or "__init__")


def plain(fact: dict[str, Any]) -> list[list[str]]:
    return [parameter for parameter in fact.get("params", []) if not parameter[0].startswith("*")]


def target(fact: dict[str, Any]) -> dict[str, Any] | None:
    """Return the call that receives ``*args`` and ``**kwargs``."""
    for name in fact.get("forwards_to", []):
        last = name.rpartition(".")[2]
        if last in OPTIONS:
            return {"params": plain(OPTIONS[last])[1:]}
        if last == "APIClient":
            return function("docker.api.client", "APIClient")
        if last in CALLS:
            return function(*CALLS[last].rsplit(".", 2))
        if found := function("docker.utils.utils", last):
            return found
    return None


def wanted(path: str, fact: dict[str, Any]) -> tuple[list[list[str]], set[str]]:
    """Return docker-py's parameters in order, and its other keywords."""
    own = plain(fact)
    stars = {parameter[0] for parameter in fact.get("params", [])}
    keywords = set(fact.get("kwargs_read", [])) | set(SURFACE["resolved_kwargs"].get(path, []))
    keywords.discard("(any APIClient keyword)")
    more: list[list[str]] = []
    if call := target(fact):
        of_model = ".models." in path and "Collection." not in path and ".Swarm." not in path
        more = plain(call)[len(own) + of_model :]
    if "*args" in stars:
        own = own + more
    elif "**kwargs" in stars and path not in SURFACE["resolved_kwargs"]:
        keywords |= {parameter[0] for parameter in more}
    return own, keywords


def unpacked(function: Any, annotation: object) -> list[str] | None:
    """Return the keywords of ``**options: Unpack[SomeDict]``."""
    text = annotation if isinstance(annotation, str) else str(annotation)
    match = re.fullmatch(r"(?:typing\.)?Unpack\[(?:[\w.]+\.)?(\w+)\]", text)
    if not match:
        return None
    module = sys.modules[function.__module__]
    found = getattr(module, match[1], None)
    if found is None:  # imported for type checkers only
        imports = ast.walk(ast.parse(inspect.getsource(module)))
        (home,) = {
            node.module
            for node in imports
            if isinstance(node, ast.ImportFrom) and any(name.name == match[1] for name in node.names)
        }
        found = getattr(importlib.import_module(str(home)), match[1])
    return list(found.__annotations__)


def accepted(thing: Any, *, method: bool) -> tuple[list[Parameter], set[str], bool]:
    """Return (positional parameters, other keywords, whether any keyword is accepted) of our function."""
    if inspect.isclass(thing) and issubclass(thing, Value):  # any field by position; the Engine's names go as well
        fields = [
            Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=Parameter.empty if f.is_required() else f.default)
            for name, f in thing.model_fields.items()
        ]
        return fields, set(thing._aliases), False
    if isinstance(thing, (classmethod, staticmethod)):
        method, thing = isinstance(thing, classmethod), thing.__func__
    parameters = list(inspect.signature(thing).parameters.values())[1 if method else 0 :]
    positional = [p for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    keywords = {p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY}
    for p in parameters:
        if p.kind is Parameter.VAR_KEYWORD:
            names = unpacked(thing.__init__ if inspect.isclass(thing) else thing, p.annotation)
            if names is None:
                anything = any(q.kind is Parameter.VAR_POSITIONAL for q in parameters)
                return [*positional, *(ANY if anything else [])], keywords, True
            keywords |= set(names)
            if any(p.kind is Parameter.VAR_POSITIONAL for p in parameters):  # the rows go by position, in their order
                positional += [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=ABSENT) for name in names]
    return positional, keywords, False


def same(default: Any, expected: str) -> bool:
    if default is ABSENT:
        return True
    try:
        value = ast.literal_eval(expected)
    except (ValueError, SyntaxError):
        return default is not Parameter.empty
    return bool(default == value) and isinstance(default, bool) == isinstance(value, bool)


def signature_faults(path: str, fact: dict[str, Any], thing: Any, *, method: bool) -> Iterator[str]:
    positional, keywords, anything = accepted(thing, method=method)
    by_name = {p.name: p for p in positional}
    own, more = wanted(path, fact)
    for index, (name, *default) in enumerate(own):
        if index < len(positional) and positional[index] is ANY[0]:
            continue
        if index >= len(positional) or positional[index].name != name:
            known = name in by_name or name in keywords or anything
            yield f"{path}({name}) is not number {index + 1}" if known else f"{path}({name})"
        elif default and not same(by_name[name].default, default[0]):
            yield f"{path}({name}={default[0]})"
    if not anything:
        for name in sorted(more - set(by_name) - keywords):
            yield f"{path}({name})"


def member_faults(module: str, cls: str, member: str, fact: dict[str, Any]) -> Iterator[str]:
    path = f"{module}.{cls}.{member}"
    home = ours("docker.api.client.APIClient" if cls.endswith("ApiMixin") else f"{module}.{cls}")
    if member == "__init__":
        yield from signature_faults(f"{module}.{cls}", fact, home, method=False)
        return
    try:
        thing = inspect.getattr_static(home, member)
    except AttributeError:
        annotations = {key for base in home.__mro__ for key in base.__dict__.get("__annotations__", ())}
        if member not in annotations:
            yield path
        return
    if fact["kind"] in ("method", "classmethod", "staticmethod") and not member.startswith("__"):
        yield from signature_faults(path, fact, thing, method=fact["kind"] == "method")


@cache
def faults(module: str) -> frozenset[str]:
    return frozenset(find_faults(module))


def find_faults(module: str) -> Iterator[str]:
    content = MODULES[module]
    try:
        ours(module)
    except AttributeError:
        yield module
        return
    for name in [
        *content.get("constants", []),
        *content.get("functions", {}),
        *content.get("reexports", {}),
        *content.get("classes", {}),
    ]:
        try:
            thing = ours(f"{module}.{name}")
        except AttributeError:
            yield f"{module}.{name}"
            continue
        if name in content.get("functions", {}):
            yield from signature_faults(f"{module}.{name}", content["functions"][name], thing, method=False)
        for member, fact in content.get("classes", {}).get(name, {}).get("members", {}).items():
            yield from member_faults(module, name, member, fact)


@pytest.mark.parametrize("module", MODULES)
def test_module_has_docker_pys_surface(module):
    missing = sorted(faults(module) - set(DIFFERENCES))
    assert missing == [], "missing or different, and not in docker_py_differences.py"


def test_listed_differences_are_true():
    found = {fault for module in MODULES for fault in faults(module)}
    assert sorted(set(DIFFERENCES) - found) == []


def test_differences_are_documented():
    guide = (Path(__file__).parents[2] / "docs" / "migration.md").read_text()
    assert sorted({reason for reason in DIFFERENCES.values() if reason not in guide}) == []


def test_bases_are_kept():
    """Users catch these classes, and use them with isinstance."""
    from dockerkit import errors

    for name, fact in MODULES["docker.errors"]["classes"].items():
        for base in fact.get("bases", []):
            if base.startswith("docker.errors."):
                assert issubclass(getattr(errors, name), getattr(errors, base.rpartition(".")[2])), (name, base)
