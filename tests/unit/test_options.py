"""Options are found by completion, help(), and suggestions for names used elsewhere."""

from __future__ import annotations

import contextlib
import inspect
import pydoc

import pytest

import dockerkit
from dockerkit.builder.buildkit.options import BuildKitOptions
from dockerkit.errors import DeprecatedMethod, InvalidArgument, UnknownOption
from dockerkit.models.containers import Container
from dockerkit.models.containers.run_options import CallOptions, RunOptions
from dockerkit.parsing.options import _ALIASES, similar_name
from dockerkit.types.create_options import CreateOptions

SETUP = "import dockerkit\nclient = dockerkit.from_env()\n"


@pytest.fixture(scope="module")
def client():
    with dockerkit.DockerClient("unix:///nothing/here.sock") as client:
        yield client


@pytest.fixture
def container(client):
    return Container({"Id": "1" * 64}, client)


@pytest.fixture(scope="module")
def shell():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shell.history_manager.enabled = False
    yield shell
    shell.history_manager.end_session()
    shell.history_manager.save_thread and shell.history_manager.save_thread.stop()


METHODS = {
    "run": ("containers", RunOptions),
    "call": ("containers", CallOptions),
    "map": ("containers", CallOptions),
    "create": ("containers", CreateOptions),
    "ensure": ("containers", CreateOptions),
    "build": ("images", BuildKitOptions),
    "buildkit": ("images", BuildKitOptions),
    "check": ("images", BuildKitOptions),
}


@pytest.mark.parametrize("name", METHODS)
def test_signatures_have_a_parameter_for_each_option(client, name):
    collection, options = METHODS[name]
    method = getattr(getattr(client, collection), name)
    signature = inspect.signature(method)
    assert set(options.__annotations__) <= set(signature.parameters)
    assert "options" not in signature.parameters
    assert "self" not in signature.parameters
    assert "self" in inspect.signature(method.__func__).parameters
    assert signature.return_annotation == method.__func__.__annotations__["return"]
    assert signature.replace(parameters=[]).parameters == {}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("client.", "containers"),
        ("client.containers.", "run"),
        ("client.containers.list()[0].", "exec"),
        ("client.images.get('x').", "tags"),
    ],
)
def test_jedi_completes_objects(jedi, written, expected):
    source = SETUP + written
    found = jedi.Script(source).complete(3, len(written))
    assert expected in {completion.name for completion in found}


OPTIONS = [
    ("client.containers.run('busybox', mem", "mem_limit"),
    ("client.containers.run('busybox', rest", "restart_policy"),
    ("client.containers.create('busybox', por", "ports"),
    ("client.containers.call('busybox', max_", "max_output"),
    ("client.images.build(pat", "path"),
    ("client.images.build(secr", "secrets"),
]


@pytest.mark.parametrize(("written", "expected"), OPTIONS)
def test_jedi_completes_options_of_live_objects(jedi, client, written, expected):
    found = jedi.Interpreter(written, [{"client": client}]).complete()
    assert f"{expected}=" in {completion.name_with_symbols for completion in found}


@pytest.mark.parametrize("use_jedi", [True, False])
@pytest.mark.parametrize(("written", "expected"), OPTIONS)
@pytest.mark.usefixtures("jedi")
def test_ipython_completes_options(client, shell, written, expected, use_jedi):
    from IPython.core.completer import provisionalcompleter

    shell.user_ns["client"] = client
    shell.Completer.use_jedi = use_jedi
    if not use_jedi:  # then IPython reads no property
        collection = written.split(".")[1]
        shell.user_ns[collection] = getattr(client, collection)
        written = written.removeprefix("client.")
    with provisionalcompleter():
        found = {completion.text for completion in shell.Completer.completions(written, len(written))}
    assert f"{expected}=" in found


def test_help_of_run_lists_the_most_used_options(client):
    text = pydoc.plain(pydoc.render_doc(client.containers.run))
    for purpose in (
        "network: ``ports``",
        "files: ``volumes``",
        "limits: ``mem_limit``",
        "lifecycle: ``restart_policy``",
    ):
        assert purpose in text
    documented = set(text.split("most common ones", 1)[1].split("for all options")[0].split("``")[1::2])
    assert len(documented) >= 25
    assert documented <= set(inspect.signature(client.containers.run).parameters)


TYPOS = [
    ("run", "env", "environment"),
    ("run", "envs", "environment"),
    ("run", "rm", "remove"),
    ("create", "memory", "mem_limit"),
    ("run", "publish", "ports"),
    ("call", "port", "ports"),
    ("run", "volume", "volumes"),
    ("create", "workdir", "working_dir"),
    ("run", "net", "network"),
    ("run", "restart", "restart_policy"),
    ("run", "add_host", "extra_hosts"),
    ("run", "h", "hostname"),
    ("run", "memlimit", "mem_limit"),
    ("run", "environmant", "environment"),
]


@pytest.mark.parametrize(("method", "written", "suggestion"), TYPOS)
def test_typos_of_container_options_name_the_method_and_what_was_meant(client, method, written, suggestion):
    with pytest.raises(UnknownOption) as caught:
        getattr(client.containers, method)("busybox", **{written: "x"})
    assert str(caught.value) == f"{method}() has no option {written!r}; did you mean {suggestion}?"


def test_typos_in_other_methods_are_explained_alike(client, container):
    calls = {
        "build() has no option 'tags'; did you mean tag?": lambda: client.images.build(path=".", tags="x"),
        "build() has no option 'build_args'; did you mean buildargs?": lambda: client.images.build(
            path={"Dockerfile": ""}, builder="classic", build_args={}
        ),
        "ensure() has no option 'env'; did you mean environment?": lambda: client.containers.ensure(
            "x", name="x", env={}
        ),
        "create() has no option 'replica'; did you mean replicas?": lambda: client.services.create("x", replica=1),
        "create() has no option 'drivers'; did you mean driver?": lambda: client.networks.create("n", drivers="x"),
        "create() has no option 'naem'; did you mean name?": lambda: client.volumes.create(naem="x"),
        "exec() has no option 'env'; did you mean environment?": lambda: container.exec("true", env={}),
        "exec() has no option 'cwd'; did you mean workdir?": lambda: container.exec("true", cwd="/"),
        "exec_run() has no option 'working_dir'; did you mean workdir?": lambda: container.exec_run(
            "true", working_dir="/"
        ),
        "logs() has no option 'tails'; did you mean tail?": lambda: container.logs(tails=3),
        "pull() has no option 'plattform'; did you mean platform?": lambda: client.images.pull("x", plattform="x"),
    }
    for message, call in calls.items():
        with pytest.raises(UnknownOption) as caught:
            call()
        assert str(caught.value) == message


@pytest.mark.parametrize("written", ["check", "xyz", "output"])
def test_no_suggestion_without_a_close_match(client, written):
    with pytest.raises(UnknownOption) as caught:
        client.containers.run("busybox", **{written: True})
    assert str(caught.value) == f"run() has no option {written!r}"


def test_type_errors_from_inside_a_method_are_left_alone(container):
    with pytest.raises(TypeError) as caught:
        container.exec()
    assert not isinstance(caught.value, InvalidArgument)
    assert "cmd" in str(caught.value)


def test_each_alias_leads_to_an_option_that_exists(client, container):
    methods = [
        *(client.containers.run, client.images.build, client.services.create, container.exec),
        *(client.containers.create, container.popen, container.exec_run),
        *(container.logs, container.stop, container.kill, container.copy_to, client.networks.create),
    ]
    known = {name for method in methods for name in inspect.signature(method).parameters}
    for alias, names in _ALIASES.items():
        assert any(name in known for name in names), alias
    assert similar_name("env", ["environment"]) == "environment"


COLLECTIONS = (
    *("containers", "images", "networks", "volumes", "services", "nodes", "secrets", "configs", "plugins", "tasks"),
    *("swarm", "system"),
)


def methods(client):
    """Return all public methods of collections and objects with keyword options."""
    for name in COLLECTIONS:
        collection = getattr(client, name)
        subjects = [collection]
        if hasattr(collection, "model"):
            subjects.append(collection.model({"Id": "a" * 64, "ID": "a" * 64, "Spec": {}}, client, collection))
        for subject in subjects:
            for method in dir(type(subject)):
                function = inspect.getattr_static(type(subject), method)
                if method in ("prepare_model", "map") or method.startswith("_") or not inspect.isfunction(function):
                    continue
                parameters = [*inspect.signature(getattr(subject, method)).parameters.values()]
                if any(one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) for one in parameters):
                    yield f"{type(subject).__name__}.{method}", getattr(subject, method), parameters


def test_every_method_explains_an_unknown_option(client):
    plain, seen = [], 0
    for where, method, parameters in methods(client):
        needed = {
            one.name: "x" for one in parameters if one.default is one.empty and one.kind is not one.POSITIONAL_ONLY
        }
        leading = ["x" for one in parameters if one.kind is one.POSITIONAL_ONLY]
        with contextlib.suppress(UnknownOption, DeprecatedMethod):  # start() says where to pass its options
            try:
                result = method(*leading, **needed, no_such_option=1)
                if inspect.isgenerator(result):
                    next(result)
            except TypeError as error:
                if not isinstance(error, UnknownOption):
                    plain.append(f"{where}: {error}")
                raise UnknownOption("x") from None
        seen += 1
    assert seen > 150
    assert plain == []


def test_methods_with_few_options_list_them(client, container):
    for call, message in (
        (lambda: container.stop(time=5), "stop() has no option 'time'; did you mean timeout?"),
        (lambda: container.stop(grace=5), "stop() has no option 'grace'; it has timeout, signal"),
        (lambda: container.logs(lines=5), "logs() has no option 'lines'; did you mean tail?"),
        (lambda: client.containers.list(filter={}), "list() has no option 'filter'; did you mean filters?"),
        (lambda: container.update(memory="1g"), "update() has no option 'memory'; did you mean mem_limit?"),
    ):
        with pytest.raises(UnknownOption) as caught:
            call()
        assert str(caught.value) == message


def test_wrong_number_of_arguments_stays_python_s_error(container):
    with pytest.raises(TypeError, match="takes from 1 to 3 positional arguments"):
        container.stop(1, 2, 3)
