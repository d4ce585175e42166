"""A walk over all parameters: the same value in another type of list, mapping, string or number sends the same request."""

from __future__ import annotations

import collections
import enum
import functools
import importlib
import inspect
import pathlib
import re
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from test_argument_walk import TARGETS, methods, name_of, target

from dockerkit import DockerClient, errors
from dockerkit.models.configs import Config
from dockerkit.models.secrets import Secret
from dockerkit.parsing import values
from dockerkit.testing.server import Connection, Request, Server

# An iterator can't be read again by another builder, so a missing builder is an error then.
REFUSED = ("refused", "BuildKitUnavailable")
Outcome = tuple[str, list[tuple[str, str, bytes]]]

# Values to try for a parameter, until one is accepted and changes the request.
CANDIDATES: list[Any] = [
    ["x"], ["A=b"], ["/x:/y"], ["10.0.0.1"], ["a:10.0.0.1"], ["80/tcp"], [80], ["1g:2g"],
    {"A": "b"}, {"80/tcp": 8080}, {"80/tcp": ["8080", "8081"]}, {"/x": {"bind": "/y", "mode": "ro"}}, {"/y": ""}, {"label": ["a=b"]},
    [{"target": "/x", "source": "y", "type": "volume"}], [{"name": "nofile", "soft": 1, "hard": 2}],
    [{"device_ids": ["0"], "capabilities": [["gpu"]]}], [{"Path": "/dev/sda", "Rate": 1}], [{"Path": "/dev/sda", "Weight": 10}],
    [("/dev/sda", 1)], {"Name": "always"}, {"condition": "any", "delay": 5}, {"test": ["CMD", "true"], "interval": 5},
    {"type": "json-file", "config": {"a": "b"}}, {"parallelism": 2, "order": "stop-first"}, {"cpu_limit": 1, "mem_limit": "1g"},
    {"mode": "vip", "ports": ["8080:80"]}, {"nameservers": ["10.0.0.1"]}, {"strategy": "spread", "descriptor": "x"},
    [{"strategy": "spread", "descriptor": "x"}], [{"secret_id": "a", "secret_name": "b"}], [{"config_id": "a", "config_name": "b"}],
    {"pool_configs": [{"subnet": "10.0.0.0/24"}]}, {"x": {"aliases": ["a"]}}, {"username": "a", "password": "b"},
    "x", "1g", "10.0.0.1", "linux/arm64", "on-failure:3", "/x", "a:b", "1m", "host", "container:x", "private", 5, 1.5,
]  # fmt: skip


def others(value: Any) -> Iterator[tuple[bool, Callable[[], Any]]]:
    """Yield makers of the same value in other types, and whether they must be accepted or may be refused.

    Members of enums are strings and numbers, so they must be accepted, but not as the keys of a dict.
    """
    if isinstance(value, str):
        yield True, lambda: enum.Enum("Choice", {"ITEM": value}, type=str).ITEM  # type: ignore[attr-defined]
    elif isinstance(value, int):
        yield True, lambda: enum.IntEnum("Number", {"ITEM": value}).ITEM  # type: ignore[attr-defined]
    elif isinstance(value, list):
        for kind in (tuple, collections.UserList, collections.deque, iter):
            yield False, functools.partial(kind, value)
        if len(value) == 1 and isinstance(value[0], (str, int)):
            yield from (
                (False, make) for make in (lambda: set(value), lambda: frozenset(value), lambda: {value[0]: 0}.keys())
            )
        for number, item in enumerate(value):
            for required, make in others(item):
                yield required, lambda number=number, make=make: [*value[:number], make(), *value[number + 1 :]]
    elif isinstance(value, dict):
        yield False, lambda: types.MappingProxyType(value)
        yield False, lambda: collections.UserDict(value)
        for key, item in value.items():
            for required, make in others(item):
                yield required, lambda key=key, make=make: {**value, key: make()}
            for _, make in others(key):
                yield False, lambda key=key, make=make: {(make() if old == key else old): value[old] for old in value}


KINDS: dict[type[Any], str] = {
    list: r"Sequence|Iterable|list\[|Labels|Environment|Command|Ports|StringOrList\b|Number\b",
    dict: r"Mapping|dict\[|Filters|Labels|Environment|Ports",
    str: r"\bstr\b|Literal|Size|Duration|StringOrList\b|TimeLike|Platform|\bRef\b",
    int: r"\bint\b|Size|Duration|TimeLike|Number\b",
}


GIB = 1024**3
# The accepted spellings of one value, by what the annotation says.
SPELLED: dict[str, Callable[[pathlib.Path], list[Any]]] = {
    r"\bSize\b": lambda _: [GIB, "1g", "1G", "1gb", "1GiB", "1Gi", "1024m", "1.0g", " 1g ", "1073741824", "1073741824b", float(GIB)],
    r"\bstr \| os\.PathLike": lambda folder: [str(folder / "file"), folder / "file", pathlib.PurePath(folder / "file")],
}  # fmt: skip


def annotation_texts(subject: object, name: str) -> dict[str, str]:
    """Return the annotations of a method's parameters as text, those of its options too."""
    method = inspect.getattr_static(type(subject), name)
    texts = {one.name: str(one.annotation) for one in inspect.signature(inspect.unwrap(method)).parameters.values()}
    if source := getattr(getattr(method, "__signature__", None), "_source", None):
        module, _, options = source[1].partition(":")
        for key, value in getattr(importlib.import_module(module), options).__annotations__.items():
            field = next(iter(getattr(value, "__metadata__", ())), None)
            texts[key] = "Size" if getattr(field, "convert", None) is values.size else str(value)
    return texts


@pytest.mark.parametrize("which", TARGETS, ids=name_of)
def test_the_same_value_in_another_type_sends_the_same_request(which: Any, tmp_path: pathlib.Path) -> None:
    requests: list[tuple[str, str, bytes]] = []
    (tmp_path / "file").write_bytes(b"x")

    def answer(request: Request, connection: Connection) -> None:
        if request.path == "/_ping":
            connection.respond(200, b"OK", {"Api-Version": "1.51", "Ostype": "linux"})
            return
        body = re.sub(rb"DOCKERKIT_EXEC=\w+", b"DOCKERKIT_EXEC", request.body)  # random: it finds the process again
        target = re.sub(r"(since|until)=[0-9.]+", r"\1", request.target)  # "1m" is relative to the time of the call
        requests.append((request.method, target, body))
        connection.keep = False
        connection.json({"message": "No such thing"}, 404, {"Connection": "close"})

    def outcome(function: Callable[..., Any], leading: list[str], arguments: dict[str, Any]) -> Outcome:
        requests.clear()
        refused = ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function(*leading, **arguments)
        except errors.InvalidArgument:
            refused = "refused"
        except errors.DockerException as error:
            refused = type(error).__name__
        except Exception as error:
            refused = repr(error)[:100]
        return refused, list(requests)

    wrong: dict[str, str] = {}
    tried = spellings = 0
    with Server(answer) as server, DockerClient(server.host, timeout=(30, 30)) as client:
        subject = target(client, which)
        for name, function, leading, needed in methods(subject, tmp_path):
            texts = annotation_texts(subject, name)
            without = outcome(function, leading, needed)
            for one in inspect.signature(function).parameters.values():
                if one.kind not in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY):
                    continue
                for spelled in (
                    make(tmp_path) for pattern, make in SPELLED.items() if re.search(pattern, texts[one.name])
                ):
                    outcomes = [outcome(function, leading, {**needed, one.name: value}) for value in spelled]
                    spellings += outcomes[0][1] != []
                    if any(got != outcomes[0] for got in outcomes):
                        wrong[f"{name}({one.name})"] = repr([*zip(spelled, outcomes, strict=True)])
                for kind, pattern in KINDS.items():
                    if not re.search(pattern, texts[one.name]):
                        continue
                    accepted = 0
                    for candidate in CANDIDATES:
                        if type(candidate) is not kind or accepted == 2:
                            continue
                        expected = outcome(function, leading, {**needed, one.name: candidate})
                        if expected == without or not expected[1] or expected[0] == "refused":
                            continue
                        accepted += 1
                        for required, make in others(candidate):
                            value = make()
                            got = outcome(function, leading, {**needed, one.name: value})
                            tried += 1
                            if got != expected and (required or got[0] not in REFUSED):
                                wrong[f"{name}({one.name}={value!r})"] = f"{got[0]} {got[1]} instead of {expected}"
    assert tried or which in (Config, Secret)
    assert spellings or which not in ("containers", "images", "api")
    assert not wrong, "\n".join(f"{place}: {what}" for place, what in wrong.items())
