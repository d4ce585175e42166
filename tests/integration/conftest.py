"""The engines that the tests run on, and fixtures that clean up after tests.

Before the first test, every engine that is asked for is brought up (those that run already are used, and left
running); after the last one, those that this run started are stopped, and their files removed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import pathlib
import platform
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import named_engine
import podman
import pytest
from api_coverage import Coverage, recorded
from engines import host, private, registry
from engines.host import EngineUnavailable
from engines.images import ask, give_busybox, version
from engines.registry import PASSWORD, REGISTRIES, USER, Registry
from engines.roots import add_packages
from engines.settings import BUSYBOX, CACHE, DEFAULT, ROOTS, SPECS, Spec
from housekeeping import LABEL, PREFIX, RUN, inventory, nameless, remove_ours

if TYPE_CHECKING:
    from dockerkit import APIClient, DockerClient

MUST_IN_CI = ("bookworm", "trixie")


@dataclass(frozen=True)
class Engine:
    """A running engine."""

    name: str
    host: str
    api_version: str
    spec: Spec

    @property
    def address(self) -> str:
        """Address of published ports."""
        return self.spec.address

    @property
    def gateway(self) -> str:
        """This machine's address, as seen by containers."""
        return self.spec.gateway

    @property
    def tcp(self) -> str:
        """Address of the same engine over TCP, without TLS."""
        return self.spec.tcp

    @property
    def socket(self) -> pathlib.Path:
        return self.spec.socket

    def speaks(self, api_version: str) -> bool:
        """Return whether the engine supports an API version; tests check this instead of its name."""
        return _numbers(self.api_version) >= _numbers(api_version)

    @cached_property
    def containerd_store(self) -> bool:
        """Whether images are in containerd's store, which supports several platforms, attestations and caches."""
        status = json.loads(ask(self.socket, "GET", "/info")).get("DriverStatus") or []
        return ["driver-type", "io.containerd.snapshotter.v1"] in status


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


class Engines:
    """The engines and registries of this run, owned by the main pytest process."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.started: list[str] = []
        self.missing: dict[str, str] = {}
        self.registries: list[Registry] = []
        self._before: dict[str, set[str]] = {}
        self.left: dict[str, set[str]] = {}
        self.named_host = ""
        self.brought_busybox = False
        self.left_out: list[str] = []
        self.maybe_left: set[str] = set()

    def bring_up(self, asked: list[str]) -> None:
        if any(_is_address(name) for name in asked):
            try:
                self.use_named(asked[0])
            except EngineUnavailable as error:
                pytest.exit(f"--engine {asked[0]}: {error}", returncode=1)
            return
        names = asked or list(DEFAULT)
        required = asked or (MUST_IN_CI if os.environ.get("CI") else ())
        self.started = [name for name in names if not private.is_up(SPECS[name])]
        with ThreadPoolExecutor() as pool:
            failures = dict(zip(names, pool.map(_try_up, names), strict=True))
        self.missing = {name: failure for name, failure in failures.items() if failure}
        self.names = [name for name in names if name not in self.missing]
        self.started = [name for name in self.started if name not in self.missing]  # to be stopped at the end
        if not self.names and not asked and not required:
            try:  # no root, no Debian: the engine that the docker command would use
                self.use_named("")
            except EngineUnavailable as error:
                self.missing[named_engine.NAME] = str(error)
            return
        if fatal := [name for name in required if name in self.missing]:
            pytest.exit("\n".join(f"engine {name} is needed: {self.missing[name]}" for name in fatal), returncode=1)
        if self.names:
            self.registries = [one for one in REGISTRIES.values() if registry.up(one)]
            _have_tools()
        self._before = {name: inventory(SPECS[name].socket) for name in self.names if name in self.started}

    def use_named(self, host: str) -> None:
        """Use an existing engine."""
        spec = SPECS[named_engine.NAME] = named_engine.spec_of(host)
        self.names, self.named_host = [spec.name], spec.host
        self.brought_busybox = named_engine.give_busybox(spec)
        self._named_before = inventory(spec.socket)

    def look_what_is_left(self) -> None:
        """Find what the tests left on the engines started for them, without a label or name of a test."""
        for name, before in self._before.items():
            if private.is_up(SPECS[name]) and (left := inventory(SPECS[name].socket) - before):
                self.left[name] = left
        if self.named_host and (left := inventory(SPECS[named_engine.NAME].socket) - self._named_before):
            self.maybe_left = left

    def take_down(self) -> None:
        if self.brought_busybox:
            named_engine.remove_busybox(SPECS[named_engine.NAME])
            self.brought_busybox = False
        for name in self.started:
            private.down(SPECS[name])
        for one in self.registries:
            registry.down(one)
        self.started, self.registries = [], []


# Programs that some tests use: command -> the Debian packages that contain it.
TOOLS = {
    "gcc": ("gcc", "libc6-dev"),
    "git": ("git",),
    "ssh": ("openssh-client",),
    "sshd": ("openssh-server",),
}


def _have_tools() -> None:
    """Install the programs; the docker command is taken from a root, since its package would install an engine."""
    with host.lock(ROOTS / ".packages.lock"):
        host.have(TOOLS)
    if not shutil.which("docker"):
        add_packages("trixie", "docker", "docker-cli")
        root, command = ROOTS / "trixie", CACHE / "bin" / "docker"
        libraries = root / f"usr/lib/{platform.machine()}-linux-gnu"
        (loader,) = libraries.glob("ld-linux-*")
        command.parent.mkdir(exist_ok=True)
        command.write_text(f'#!/bin/sh\nexec {loader} --library-path {libraries} {root}/usr/bin/docker "$@"\n')
        command.chmod(0o755)
        os.environ["PATH"] += f"{os.pathsep}{command.parent}"


def _try_up(name: str) -> str | None:
    """Start an engine; return why it can't be started, or None."""
    try:
        private.up(SPECS[name])
    except (EngineUnavailable, OSError) as error:
        return str(error)
    return None


KEY = pytest.StashKey[Engines]()


def _is_address(name: str) -> bool:
    return "://" in name


def _engine_name(name: str) -> str:
    if name not in SPECS and not _is_address(name):
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(SPECS)}, nor an address such as unix:///path")
    return name


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        action="append",
        default=[],
        type=_engine_name,
        help=f"run on this engine only, and may be repeated: {', '.join(SPECS)}; or one engine by unix:///path",
    )

    parser.addoption(
        "--asyncio", action="store_true", help="run the tests that use `client` through the asynchronous client only"
    )
    parser.addoption(
        "--api-coverage", type=float, help="fail if less than this percentage of an engine's operations were used"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "synchronous: not through the asynchronous client, too")
    config.pluginmanager.register(Coverage(config), "api-coverage")


def pytest_sessionstart(session: pytest.Session) -> None:
    engines = session.config.stash[KEY] = Engines()
    handed = getattr(session.config, "workerinput", None)
    if handed is not None:
        engines.names, engines.started = handed["engines"], handed["started"]
        if handed["named_host"]:
            SPECS[named_engine.NAME] = named_engine.spec_of(handed["named_host"])
    elif not session.config.option.collectonly:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the engines are stopped first
        try:
            engines.bring_up(session.config.getoption("--engine"))
            if engines.named_host:
                session.config.option.api_coverage = None  # of private engines, for which all tests count
        except BaseException:
            engines.take_down()
            raise


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell pytest-xdist's workers what is running; they start and stop nothing."""
    engines = node.config.stash[KEY]
    node.workerinput["engines"], node.workerinput["started"] = engines.names, engines.started
    node.workerinput["named_host"] = engines.named_host


def pytest_sessionfinish(session: pytest.Session) -> None:
    if KEY in session.config.stash and not hasattr(session.config, "workerinput"):
        engines = session.config.stash[KEY]
        engines.look_what_is_left()  # not in a fixture's teardown, which --reruns would repeat
        if session.exitstatus == 0 and any(not _reruns(session.config, name) for name in engines.left):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        engines.take_down()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run tests of the same engine one after another in one worker; those without an engine file by file."""
    from xdist.scheduler import LoadScopeScheduling

    class ByEngine(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path, _, test = nodeid.partition("::")
            of_engine = _ENGINE_IN_ID.search(test) if path.startswith("tests/integration/") else None
            return of_engine[1] if of_engine else path

    return ByEngine(config, log)


# A test's parameters are joined by dashes: [sid], [asked-sid], [trixie-1m-tmpfs].
_ENGINE_IN_ID = re.compile(rf"[-\[]({'|'.join(sorted([*SPECS, named_engine.NAME], key=len, reverse=True))})[-\]]")


def pytest_report_header(config: pytest.Config) -> list[str]:
    engines = config.stash.get(KEY, None) or Engines()
    return [f"engines: {', '.join(engines.names) or 'none'}", *_missing(engines)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for report in terminalreporter.stats.get("rerun", []):  # a final pass should not hide the first failure
        reason = report.longreprtext.strip().rpartition("\n")[2]
        terminalreporter.write_line(f"RERUN after {report.when} of {report.nodeid}: {reason}", yellow=True)
    engines = config.stash.get(KEY, None) or Engines()
    for line in _missing(engines):
        terminalreporter.write_line(line, yellow=True)
    if engines.named_host:
        terminalreporter.write_line(f"RAN ON {engines.named_host}, which is not a private engine", yellow=True)
    if engines.missing and set(engines.names) <= {named_engine.NAME} or engines.named_host:
        terminalreporter.write_line(
            "LEFT OUT, since they need or change a whole engine: tests of prune, swarms, plugins, registries, ssh, TLS and "
            "restarts",
            yellow=True,
        )
    if engines.maybe_left:
        terminalreporter.write_line(
            f"New on {engines.named_host} since the start: {sorted(engines.maybe_left)}", yellow=True
        )
    for name, left in engines.left.items():
        cause = "a test that was rerun" if _reruns(config, name) else "FAILED: tests"
        terminalreporter.write_line(f"{cause} left this on {name}, without their label: {sorted(left)}", red=True)


def _reruns(config: pytest.Config, engine: str) -> bool:
    """Return whether a test on an engine failed at first, since it may leave objects that a passing test removes."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reruns = reporter.stats.get("rerun", []) if reporter else []
    return any((of := _ENGINE_IN_ID.search(report.nodeid)) and of[1] == engine for report in reruns)


def _missing(engines: Engines) -> list[str]:
    return [f"SKIPPED ENGINE {name}, nothing was tested on it: {reason}" for name, reason in engines.missing.items()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        config = metafunc.config
        names = config.stash[KEY].names
        if config.option.collectonly:
            asked = config.getoption("--engine") or DEFAULT
            names = [named_engine.NAME if _is_address(name) else name for name in asked]
        if "client" not in metafunc.fixturenames or not names or not _is_for_both(metafunc):
            metafunc.parametrize("engine", names, indirect=True, scope="session")
            return
        pairs = [(name, "synchronous") for name in names]
        if config.getoption("--asyncio"):
            pairs = [(name, "asyncio") for name in names]
        else:
            pairs.append((names[-1], "asyncio"))  # one engine is enough: the differences are in the client
        ids = [name if kind == "synchronous" else f"{name}-asyncio" for name, kind in pairs]
        metafunc.parametrize(("engine", "client"), pairs, ids=ids, indirect=True, scope="session")


# Test files that also run through the asynchronous client.
BOTH = {
    *("test_call", "test_containers", "test_copy", "test_exec_objects", "test_images", "test_logs_events_stats"),
    *("test_networks", "test_objects", "test_sandbox", "test_volumes", "test_waiting"),
}


def _is_for_both(metafunc: pytest.Metafunc) -> bool:
    if metafunc.definition.get_closest_marker("synchronous"):
        return False
    return metafunc.module.__name__.rpartition(".")[2] in BOTH or bool(metafunc.config.getoption("--asyncio"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    podman.mark(items)
    for item in items:
        if "tests/integration/" in item.path.as_posix():  # engines warn about options that they ignore
            item.add_marker(pytest.mark.filterwarnings("default::dockerkit.errors.EngineWarning"))
    engines = config.stash.get(KEY, None) or Engines()
    if not config.option.collectonly and set(engines.names) <= {named_engine.NAME}:  # no private engine
        ours = [item for item in items if "tests/integration/" in item.path.as_posix()]
        left_out = set(named_engine.leave_out(ours))
        engines.left_out = sorted({item.path.stem for item in left_out})
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A running engine; the test runs once for each."""
    spec = SPECS[request.param]
    facts = version(spec.socket)
    if facts is None:
        pytest.fail(f"{spec.name} no longer answers at {spec.socket}: an earlier test may have ended it", pytrace=False)
    if spec.name != named_engine.NAME:
        give_busybox(spec.socket, spec.root)
    yield Engine(spec.name, spec.host, facts["ApiVersion"], spec)
    remove_ours(spec.socket)


@pytest.fixture
def api(engine: Engine) -> Iterator[APIClient]:
    """The low-level client of the engine."""
    from dockerkit import APIClient

    with APIClient(engine.host) as client:
        yield client


@pytest.fixture
def client(engine: Engine, request: pytest.FixtureRequest) -> Iterator[DockerClient]:
    """The client of the engine; for some tests the asynchronous one behind a synchronous interface."""
    from dockerkit import DockerClient

    if getattr(request, "param", "synchronous") == "asyncio":
        from through_asyncio import through_asyncio

        with through_asyncio(engine.host) as other:
            yield other
        return
    with DockerClient(engine.host) as client:
        yield client


@pytest.fixture
def requests_of() -> Callable[[DockerClient], AbstractContextManager[list[str]]]:
    """Record the requests of a client inside a block: ``with requests_of(client) as sent``."""
    return lambda client: recorded(getattr(client, "synchronous", client).api)


@pytest.fixture
def busybox(engine: Engine) -> str:
    """Name of an image on the engine: a static busybox."""
    return BUSYBOX


@pytest.fixture
def no_images_left(engine: Engine) -> Iterator[None]:
    """Remove unnamed images created by other programs during a test, which set no labels."""
    before = nameless(engine.socket)
    yield
    for image in nameless(engine.socket) - before:
        ask(engine.socket, "DELETE", f"/images/{image}?force=1")


_counter = itertools.count(1)


@pytest.fixture(scope="session")
def unique() -> Callable[..., str]:
    """Return a function for unique names, by which objects of a test are found and removed at the end."""

    def name(kind: str = "x") -> str:
        return f"{PREFIX}{kind}-{next(_counter)}"

    return name


@pytest.fixture(scope="session")
def labels() -> dict[str, str]:
    """Labels for everything that a test creates."""
    return {LABEL: RUN}


@pytest.fixture(scope="session")
def private_engine(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Engine]]:
    """Start an engine by name (podman-bookworm, …) that is not started by default."""
    started: list[Spec] = []

    def bring_up(name: str) -> Engine:
        spec = SPECS[name]
        if private.up(spec):
            started.append(spec)
        facts = version(spec.socket)
        assert facts is not None
        return Engine(name, spec.host, facts["ApiVersion"], spec)

    yield bring_up
    for spec in started:
        private.down(spec)


@dataclass(frozen=True)
class RegistryAccess:
    """A registry with a password, and optionally with a private authority."""

    host: str
    user: str = USER
    password: str = PASSWORD
    ca: str | None = None


@pytest.fixture(scope="session", name="registry")
def open_registry() -> str:
    """Address of the open registry, ``127.0.0.1:PORT`` for this machine and the engines."""
    return REGISTRIES["open"].host


@pytest.fixture(scope="session")
def auth_registry() -> RegistryAccess:
    """A registry with a password."""
    return RegistryAccess(REGISTRIES["auth"].host)


@pytest.fixture(scope="session")
def tls_registry() -> RegistryAccess:
    """A registry with a password, over TLS; ``ca`` is the file of the authority to trust."""
    return RegistryAccess(REGISTRIES["tls"].host, ca=str(REGISTRIES["tls"].ca))


@pytest.fixture
def box(
    api: APIClient, busybox: str, unique: Callable[..., str], labels: dict[str, str]
) -> Iterator[Callable[..., str]]:
    """Return a function that creates and starts containers with low-level calls; they are removed after the test."""
    from dockerkit.errors import NotFound

    made: list[str] = []

    def make(command: object = ("sleep", "600"), *, start: bool = True, **options: Any) -> str:
        options.setdefault("name", unique("box"))
        options["labels"] = {**labels, **options.get("labels", {})}
        made.append(api.create_container(busybox, command, **options)["Id"])
        if start:
            api.start(made[-1])
        return made[-1]

    yield make
    for container in made:
        try:
            api.remove_container(container, v=True, force=True)
        except NotFound:
            continue
