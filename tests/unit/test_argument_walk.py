"""Call everything with values of wrong types: only errors of dockerkit are raised."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import json
import pathlib
import pickle
import re
import threading
import typing
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from scripted_registry_server import memory_registry

import dockerkit
from dockerkit import DockerClient, Mount, errors, hooks, merge_logs, progress, types
from dockerkit.aio import AsyncDockerClient
from dockerkit.builder import buildkit
from dockerkit.builder.buildkit import Exporter
from dockerkit.models.configs import Config
from dockerkit.models.containers import Container
from dockerkit.models.images import Image
from dockerkit.models.networks import Network
from dockerkit.models.nodes import Node
from dockerkit.models.plugins import Plugin
from dockerkit.models.secrets import Secret
from dockerkit.models.services import Service
from dockerkit.models.tasks import Task
from dockerkit.models.volumes import Volume
from dockerkit.parsing import values
from dockerkit.registry import Registry, manifests
from dockerkit.testing import FakeEngine, MockResponse, MockTransport
from dockerkit.testing.server import Connection, Request, Server
from dockerkit.transport import Scope

VALUES: list[Callable[[], Any]] = [
    lambda: 5, lambda: 1.5, lambda: True, lambda: b"\xff", object, lambda: [object()], lambda: {"a": object()},
    lambda: {5: 5}, lambda: "", lambda: "\0", lambda: timedelta(seconds=1), lambda: pathlib.PurePosixPath("/nowhere/x"),
    lambda: [5], lambda: [["a"]], lambda: ("a",), lambda: io.StringIO("x"),
]  # fmt: skip
STEP = max(1, 25 // settings.default.max_examples)  # `make unit` tries some of the values, `make test` all

KINDS = (Container, Image, Network, Volume, Service, Node, Secret, Config, Plugin, Task)
TARGETS = [
    *("containers", "images", "networks", "volumes", "services", "nodes", "secrets", "configs", "plugins", "tasks"),
    *("swarm", "system", "api"),
    *KINDS,
]
# Terminals, threads that run until they are closed, and calls that take internal objects: responses, callbacks.
LEFT_OUT = {
    *("shell", "attach_terminal", "listen", "wait_until", "prepare_model", "close", "dial"),
    *("pull_records", "push_records", "with_credentials", "read_output", "read_wait", "begin_wait", "is_multiplexed"),
    *("supports", "session"),
    *("get", "post", "put", "delete", "head", "patch", "request"),  # of the API: docker-py's session, for raw requests
}


# Arguments that a call needs to get as far as the one that is wrong.
NEEDED: dict[str, Any] = {
    "containers": ["x"], "names": ["x"], "images": ["x"], "container": "x", "config": {}, "version": 1, "remote_addrs": ["x"], "privileges": [], "height": 24, "width": 80, "private_port": 80,
    "data": b"x", "stream": io.BytesIO(b""), "task_template": {"ContainerSpec": {"Image": "x"}}, "sources": ["x"],
    "repository": "x", "conf": {}, "annotations": {}, "checkpoint": "x", "options": {}, "path": "/",
}  # fmt: skip
LOCAL = {"source", "target", "src", "filename", "directory", "plugin_data_dir", "file", "dest"}  # local files
OPTIONAL: dict[str, dict[str, Any]] = {
    "build": {"fileobj": b"FROM x"},
    "buildkit": {"fileobj": b"FROM x"},
    "check": {"fileobj": b"FROM x"},
    **dict.fromkeys(("read_bytes", "read_text", "write_file", "copy_from"), {"path": "/file"}),
}
# Calls that refuse a combination, and name another argument than the changed one.
REFUSES_COMBINATIONS = {"import_image", "create_plugin", "push", "rotate", "copy", "create_index", "create_service"}


@pytest.fixture(scope="module")
def client() -> Iterator[DockerClient]:
    def answer(request: Request, connection: Connection) -> None:
        if request.path == "/_ping":
            connection.respond(200, b"OK", {"Api-Version": "1.51", "Ostype": "linux"})
        else:
            body = json.dumps({"message": "No such thing"}).encode()
            connection.respond(404, body, {"Content-Type": "application/json"})
            connection.keep = False  # a client that speaks HTTP/2 without waiting continues without a request

    server = Server(answer)
    with DockerClient(server.host, timeout=(5, 5)) as client:
        yield client
    server.close()


def target(client: DockerClient, which: str | type[Any]) -> Any:
    if isinstance(which, str):
        return getattr(client, which)
    attrs = {
        "Id": "a" * 64, "ID": "a" * 64, "Name": "n", "Version": {"Index": 1}, "State": {}, "Config": {},
        "Spec": {"TaskTemplate": {"ContainerSpec": {"Image": "x"}}},
    }  # fmt: skip
    return which(attrs, client, getattr(client, f"{which.__name__.lower()}s"))


def walk(fresh: Callable[[], Any], tmp_path: pathlib.Path, left_out: set[str]) -> dict[str, str]:
    """Call each method of an object with each value for each parameter; return what goes wrong."""
    wrong: dict[str, str] = {}

    def call(function: Any, parameter: str, leading: list[str], arguments: dict[str, Any]) -> None:
        name = function.__name__
        place = f"{name}({parameter}={arguments[parameter]!r:.40})"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = function(*leading, **arguments)
            if callable(close := getattr(result, "close", None)):
                close()
        except (errors.InvalidArgument, errors.InvalidRepository) as error:
            if (
                parameter not in str(error)
                and arguments[parameter] not in ("", True)
                and name not in REFUSES_COMBINATIONS
                and "no config.json" not in str(error)
            ):
                wrong[place] = f"the parameter is not named: {error}"[:150]
            if f"{type(subject).__name__}.{name}" != error.function or f"{name}(" not in str(error):
                wrong[place] = f"the function is not named, but {error.function}: {error}"[:250]
        except errors.DockerException:
            pass
        except Exception as error:
            wrong[place] = f"{type(error).__name__}: {error}"[:150]

    calls = 0
    kind = type(fresh())
    for name in dir(kind):
        if name.startswith("_") or name in left_out or not inspect.isfunction(inspect.getattr_static(kind, name)):
            continue
        subject = fresh()
        function = getattr(subject, name)
        parameters = [
            parameter
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        ]
        every = inspect.signature(function).parameters.values()
        leading = ["x" for one in every if one.kind is one.POSITIONAL_ONLY]
        needed = {
            one.name: str(tmp_path / "none")
            if one.name in LOCAL
            else NEEDED.get(one.name, ["x"] if name.endswith("_many") else "none")
            for one in parameters
            if one.default is one.empty or one.name == "name"
        } | OPTIONAL.get(name, {})
        for number, parameter in enumerate(parameters):
            for make in VALUES[number % STEP :: STEP]:
                value = make()
                place = f"{name}({parameter.name}={value!r:.40})"
                arguments = {**needed, parameter.name: value}
                thread = threading.Thread(target=call, args=(function, parameter.name, leading, arguments), daemon=True)
                thread.start()
                thread.join(10)
                calls += 1
                if thread.is_alive():
                    wrong[place] = "hangs"
    assert calls
    return wrong


def name_of(which: str | type[Any]) -> str:
    return which if isinstance(which, str) else which.__name__


@pytest.mark.parametrize("which", TARGETS, ids=name_of)
def test_wrong_types_raise_dockerkit_errors(client: DockerClient, which: Any, tmp_path: pathlib.Path) -> None:
    wrong = walk(lambda: target(client, which), tmp_path, LEFT_OUT)
    assert not wrong, "\n".join(f"{place}: {what}" for place, what in wrong.items())


# Calls that wait for a container, and those that ask a registry.
WAIT = {"attach", "wait", "stats", "events", "watch_usage", "call", "run"}
ASK = {"annotate_index", "create_index", "copy", "search", "get_registry_data"}


@pytest.mark.parametrize("which", ["containers", "images", "volumes", "networks", *KINDS[:4]], ids=name_of)
def test_wrong_types_are_refused_after_the_first_request_too(
    which: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that fulfils requests leads to the code behind them."""
    monkeypatch.chdir(tmp_path)  # some of the values are also names of files to write
    with FakeEngine() as engine, DockerClient(engine.host, timeout=(5, 5)) as client:
        fresh: dict[Any, Callable[[], Any]] = {
            Container: lambda: client.containers.create("none", ["sleep", "1"]),
            Image: lambda: client.images.get("none"),
            Network: lambda: client.networks.create(f"network{len(engine.networks)}"),
            Volume: lambda: client.volumes.create(),
        }

        def prepared() -> Any:
            engine.add_image("none")
            subject = fresh[which]() if which in fresh else getattr(client, which)
            if which is Container:
                subject.write_file("/file", "content")
            return subject

        no_cluster = {"update"} if which is Volume else set()
        wrong = walk(prepared, tmp_path, LEFT_OUT | WAIT | ASK | no_cluster)
    wrong = {place: what for place, what in wrong.items() if "\\x00:latest" not in what and "x:\\x00" not in what}
    assert not wrong, "\n".join(f"{place}: {what}" for place, what in wrong.items())


def test_wrong_types_are_refused_by_registries(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that has the image leads to the code behind the first request."""
    with memory_registry() as server, FakeEngine() as engine, DockerClient(engine.host) as client:
        server.add_index("app:1")
        image = f"{server.host}/app:1"
        needed = {"name": image, "source": image, "sources": [image], "target": f"{server.host}/copy:1", "annotations": {"a": "b"},
                  "repository": "app", "digest": f"sha256:{'0' * 64}", "manifest": {"mediaType": manifests.OCI_INDEX, "manifests": []}}  # fmt: skip
        for name, value in needed.items():
            monkeypatch.setitem(NEEDED, name, value)
        monkeypatch.setitem(globals(), "LOCAL", set())
        with contextlib.ExitStack() as stack:
            wrong = walk(lambda: stack.enter_context(Registry(server.host)), tmp_path, {"close"})
        wrong |= walk(lambda: client.images, tmp_path, set(dir(client.images)) - ASK)
    assert not wrong, "\n".join(f"{place}: {what}" for place, what in wrong.items())


# The accepted spellings of one value, for each alias of parsing.values that an annotation is.
SPELLINGS: list[tuple[Any, list[Any]]] = [
    (values.Duration, [timedelta(seconds=90), "90s", "1m30s", 90, 90.0]),
    (values.Environment, [{"A": "b", "C": "1"}, {"A": "b", "C": 1}, ["A=b", "C=1"], ("A=b", "C=1")]),
    (values.Labels, [{"a": "b", "c": "1"}, ["a=b", "c=1"], ("a=b", "c=1")]),
    (values.ContainerPath, ["/x/y", pathlib.PurePosixPath("/x/y")]),
]


def spellings(function: Any, name: str, annotation: Any) -> list[Any]:
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, {**vars(values), **inspect.unwrap(function).__globals__})  # noqa: S307
        except (NameError, TypeError):  # imported for type checkers only
            return []
    members = set(typing.get_args(annotation)) - {type(None)}
    if name in ("command", "cmd", "entrypoint"):  # other options of the same type hold one string and are not split
        return ["echo 'a b'", ["echo", "a b"], ("echo", "a b")]
    return next((spelled for alias, spelled in SPELLINGS if members == set(typing.get_args(alias))), [])


def methods(
    subject: object, folder: pathlib.Path
) -> Iterator[tuple[str, Callable[..., object], list[str], dict[str, Any]]]:
    """Yield each method with its name, and with arguments that it accepts: positional ones, and required keywords."""
    for name in dir(type(subject)):
        if (
            name.startswith("_")
            or name in LEFT_OUT
            or not inspect.isfunction(inspect.getattr_static(type(subject), name))
        ):
            continue
        function = getattr(subject, name)
        every = inspect.signature(function).parameters.values()
        leading = ["x" for one in every if one.kind is one.POSITIONAL_ONLY]
        needed = {
            one.name: str(folder / "none") if one.name in LOCAL else NEEDED.get(one.name, "none")
            for one in every
            if one.default is one.empty and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        }
        yield name, function, leading, needed | OPTIONAL.get(name, {})


def test_each_accepted_spelling_sends_the_same_request(tmp_path: pathlib.Path) -> None:
    requests: list[tuple[str, str, bytes]] = []

    def answer(request: Request, connection: Connection) -> None:
        if request.path == "/_ping":
            connection.respond(200, b"OK", {"Api-Version": "1.51", "Ostype": "linux"})
            return
        body = re.sub(rb"DOCKERKIT_EXEC=\w+", b"DOCKERKIT_EXEC", request.body)  # random: it finds the process again
        requests.append((request.method, request.target, body))
        connection.keep = False
        connection.json({"message": "No such thing"}, 404, {"Connection": "close"})

    wrong: dict[str, str] = {}
    tried = 0
    with Server(answer) as server, DockerClient(server.host, timeout=(30, 30)) as client:
        for which in TARGETS:
            subject = target(client, which)
            for name, function, leading, needed in methods(subject, tmp_path):
                for one in inspect.signature(function).parameters.values():
                    outcomes = []
                    for value in spellings(function, one.name, one.annotation):
                        requests.clear()
                        refused = ""
                        try:
                            with warnings.catch_warnings():
                                warnings.simplefilter("ignore")
                                function(*leading, **{**needed, one.name: value})
                        except errors.DockerException as error:
                            refused = type(error).__name__
                        outcomes.append((refused, list(requests)))
                        tried += 1
                    if any(outcome != outcomes[0] for outcome in outcomes[1:]):
                        wrong[f"{type(subject).__name__}.{name}({one.name})"] = repr(outcomes)[:400]
    assert tried > 100
    assert not wrong, "\n".join(f"{place}: {what}" for place, what in wrong.items())


def test_errors_name_the_parameter_of_wrapped_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    with DockerClient(transport=MockTransport(lambda request: MockResponse())) as client:
        encode = type(client.api)._encode
        monkeypatch.setattr(type(client.api), "_encode", lambda api, request: encode(api, request))
        with pytest.raises(errors.InvalidArgument, match="shared_size: "):
            client.images.list(shared_size=object())


def test_function_is_the_one_that_the_caller_called() -> None:
    def response(request: Any) -> MockResponse:
        return MockResponse(json={"Id": "a" * 64, "State": {"Status": "running"}})

    def callback(container: Container) -> bool:
        return bool(container.top(ps_args=object()))  # type: ignore[arg-type]

    async def asynchronous() -> None:
        async with AsyncDockerClient(transport=MockTransport(response)) as client:
            await client.containers.run("x", mem_limit="12 parsecs")

    with DockerClient(transport=MockTransport(response), version="1.51") as client:
        container = Container({"Id": "a" * 64, "State": {"Status": "running"}}, client)
        calls: dict[str, Callable[[], object]] = {
            "ContainerCollection.run": lambda: client.containers.run("x", mem_limit="12 parsecs"),
            "ContainerCollection.create": lambda: Scope(5).run(client.containers.create, "x", mem_limit="12 parsecs"),
            "ContainerCollection.remove_many": lambda: client.containers.remove_many([5]),  # type: ignore[list-item]
            "APIClient.stop": lambda: client.api.stop("x", timeout=object()),  # type: ignore[arg-type]
            "Container.top": lambda: container.wait_until(callback, timeout=5),
            "Container.stop": lambda: container.stop(timeout=object()),  # type: ignore[arg-type]
            "Mount": lambda: Mount("/x", 5),  # type: ignore[arg-type]
            "DockerClient": lambda: DockerClient("tcp://127.0.0.1:1", timeout=object()),  # type: ignore[arg-type]
            "ImageCollection.build": lambda: client.images.build(fileobj=b"FROM x", tag="Upper:1"),
            "merge_logs": lambda: merge_logs([container], since="yesterday"),
            "AsyncContainerCollection.run": lambda: asyncio.run(asynchronous()),
        }
        for function, call in calls.items():
            with pytest.raises((errors.InvalidArgument, errors.InvalidRepository)) as caught:
                call()
            assert caught.value.function == function.removeprefix("Async")
            assert str(caught.value).splitlines()[1:] == [f"  in {caught.value.function}()"]
            assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
        with pytest.raises(errors.UnknownOption, match=r"^run\(\) has no option 'mem'; did you mean mem_limit\?$"):
            client.containers.run("x", mem=5)  # type: ignore[call-arg]


@pytest.mark.parametrize("wrong", [5, {"a": 1}, io.StringIO("x")], ids=["number", "mapping", "text file"])
def test_input_is_refused_before_anything_is_created(wrong: Any) -> None:
    with FakeEngine() as engine, DockerClient(engine.host) as client:
        engine.add_image("x")
        for call in (client.containers.run, client.containers.call):
            with pytest.raises(errors.InvalidArgument, match="^input: "):
                call("x", ["cat"], input=wrong)
        assert not [request for request in engine.requests if request[0] == "POST"]


def test_contents_of_files_are_never_numbers() -> None:
    with FakeEngine() as engine, DockerClient(engine.host) as client:
        engine.add_image("x")
        container = client.containers.create("x")
        with pytest.raises(errors.InvalidArgument, match=r"^source\['a'\]: must be bytes or a string, got 5"):
            container.copy_to({"a": 5}, "/")  # type: ignore[dict-item]
        with pytest.raises(
            errors.InvalidArgument, match="^outputs: dest: must be the path of a file, or an open binary file"
        ):
            Exporter("tar", 5)  # type: ignore[arg-type]
        for target in (5, io.StringIO()):
            with pytest.raises(
                errors.InvalidArgument, match="^target: must be the path of a file, or an open binary file"
            ):
                client.volumes.create().backup(target)  # type: ignore[arg-type]


# Classes that only dockerkit creates.
INTERNAL = {buildkit.BuildStream, progress.Progress, types.CancellableStream}
CLASSES = {
    value: name
    for module in (dockerkit, types, buildkit, hooks, progress)
    for name in module.__all__
    if isinstance(value := getattr(module, name), type) and not issubclass(value, (BaseException, dict))
}
FUNCTIONS: dict[Any, list[Any]] = {
    dockerkit.from_context: [], dockerkit.from_env: [], dockerkit.merge_logs: [[]], dockerkit.usage_of: [[]],
    dockerkit.extract: [io.BytesIO(), "."], dockerkit.Context.load_context: ["none"],
    **{kind: ["x"] * 9 for kind in sorted(CLASSES.keys() - INTERNAL, key=CLASSES.__getitem__)},
}  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_wrong_types_are_refused_by_functions_and_classes(
    function: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    wrong = {}
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = [one for one in inspect.signature(function).parameters.values() if one.kind not in variable]
    needed = dict(zip([one.name for one in parameters if one.default is one.empty], FUNCTIONS[function], strict=False))
    for parameter in parameters:
        for make in VALUES:
            value = make()
            try:
                result = function(**{**needed, parameter.name: value})
                if callable(close := getattr(result, "close", None)):
                    close()
            except errors.DockerException:
                pass
            except Exception as error:
                wrong[f"{parameter.name}={value!r:.40}"] = f"{type(error).__name__}: {error}"[:150]
    assert not wrong, "\n".join(f"{place}: {what}" for place, what in wrong.items())
