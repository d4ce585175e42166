"""The engines that the tests run on, and fixtures to leave them as they were.

Before the first test, every engine that is asked for is brought up (those that run already are used, and left
running); after the last one, those that this run started are taken down with all their files.
"""

from __future__ import annotations

import itertools
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
from typing import TYPE_CHECKING, Any

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
        """Where published ports answer."""
        return self.spec.address

    @property
    def gateway(self) -> str:
        """This machine's address as containers see it."""
        return self.spec.gateway

    @property
    def tcp(self) -> str:
        """The same engine over TCP, without TLS."""
        return self.spec.tcp

    @property
    def socket(self) -> pathlib.Path:
        return self.spec.socket


class Engines:
    """The engines and registries of this run; kept by the pytest process that the others were started by."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.started: list[str] = []
        self.missing: dict[str, str] = {}
        self.registries: list[Registry] = []
        self._before: dict[str, set[str]] = {}
        self.left: dict[str, set[str]] = {}

    def bring_up(self, asked: list[str]) -> None:
        names = asked or list(DEFAULT)
        required = asked or (MUST_IN_CI if os.environ.get("CI") else ())
        self.started = [name for name in names if not private.is_up(SPECS[name])]
        with ThreadPoolExecutor() as pool:
            failures = dict(zip(names, pool.map(_try_up, names), strict=True))
        self.missing = {name: failure for name, failure in failures.items() if failure}
        self.names = [name for name in names if name not in self.missing]
        if fatal := [name for name in required if name in self.missing]:
            pytest.exit("\n".join(f"engine {name} is needed: {self.missing[name]}" for name in fatal), returncode=1)
        if self.names:
            self.registries = [one for one in REGISTRIES.values() if registry.up(one)]
            _have_tools()
        self._before = {name: inventory(SPECS[name].socket) for name in self.names if name in self.started}

    def look_what_is_left(self) -> None:
        """What all tests together left on the engines that were started for them, without label or name of a test."""
        for name, before in self._before.items():
            if private.is_up(SPECS[name]) and (left := inventory(SPECS[name].socket) - before):
                self.left[name] = left

    def take_down(self) -> None:
        for name in self.started:
            private.down(SPECS[name])
        for one in self.registries:
            registry.down(one)
        self.started, self.registries = [], []


# What some tests compare with or talk to: command -> the Debian packages that bring it.
TOOLS = {
    "gcc": ("gcc", "libc6-dev"),
    "git": ("git",),
    "ssh": ("openssh-client",),
    "sshd": ("openssh-server",),
}


def _have_tools() -> None:
    """Install them; but the docker command, whose package would bring an engine, is the one of a root."""
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
    """Why it can't be brought up; None when it is up."""
    try:
        private.up(SPECS[name])
    except (EngineUnavailable, OSError) as error:
        return str(error)
    return None


KEY = pytest.StashKey[Engines]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine", action="append", default=[], choices=list(SPECS), help="run on this engine only; may be repeated"
    )

    parser.addoption(
        "--api-coverage", type=float, help="fail if less than so many percent of an engine's operations were used"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Coverage(config), "api-coverage")


def pytest_sessionstart(session: pytest.Session) -> None:
    engines = session.config.stash[KEY] = Engines()
    handed = getattr(session.config, "workerinput", None)
    if handed is not None:
        engines.names, engines.started = handed["engines"], handed["started"]
    elif not session.config.option.collectonly:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends with the engines taken down
        try:
            engines.bring_up(session.config.getoption("--engine"))
        except BaseException:
            engines.take_down()
            raise


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell pytest-xdist's workers what runs; they start nothing and stop nothing."""
    engines = node.config.stash[KEY]
    node.workerinput["engines"], node.workerinput["started"] = engines.names, engines.started


def pytest_sessionfinish(session: pytest.Session) -> None:
    if KEY in session.config.stash and not hasattr(session.config, "workerinput"):
        engines = session.config.stash[KEY]
        engines.look_what_is_left()  # here, not in a fixture's teardown, which --reruns would try again
        if engines.left and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        engines.take_down()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have tests of the same engine run one after the other, in one worker; those without an engine file by file."""
    from xdist.scheduler import LoadScopeScheduling

    class ByEngine(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path, _, test = nodeid.partition("::")
            of_engine = _ENGINE_IN_ID.search(test) if path.startswith("tests/integration/") else None
            return of_engine[1] if of_engine else path

    return ByEngine(config, log)


# A test's parameters are joined by dashes: [sid], [asked-sid], [trixie-1m-tmpfs].
_ENGINE_IN_ID = re.compile(rf"[-\[]({'|'.join(sorted(SPECS, key=len, reverse=True))})[-\]]")


def pytest_report_header(config: pytest.Config) -> list[str]:
    engines = config.stash.get(KEY, None) or Engines()
    return [f"engines: {', '.join(engines.names) or 'none'}", *_missing(engines)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for report in terminalreporter.stats.get("rerun", []):  # a pass in the end should not hide why it was none at once
        reason = report.longreprtext.strip().rpartition("\n")[2]
        terminalreporter.write_line(f"RERUN after {report.when} of {report.nodeid}: {reason}", yellow=True)
    engines = config.stash.get(KEY, None) or Engines()
    for line in _missing(engines):
        terminalreporter.write_line(line, yellow=True)
    for name, left in engines.left.items():
        terminalreporter.write_line(f"FAILED: tests left this on {name}, without their label: {sorted(left)}", red=True)


def _missing(engines: Engines) -> list[str]:
    return [f"SKIPPED ENGINE {name}, nothing was tested on it: {reason}" for name, reason in engines.missing.items()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        config = metafunc.config
        names = config.stash[KEY].names
        if config.option.collectonly:
            names = config.getoption("--engine") or list(DEFAULT)
        metafunc.parametrize("engine", names, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    podman.mark(items)


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A running engine; the test runs once on each."""
    spec = SPECS[request.param]
    facts = version(spec.socket)
    if facts is None:
        pytest.fail(f"{spec.name} no longer answers at {spec.socket}: an earlier test may have ended it", pytrace=False)
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
def client(engine: Engine) -> Iterator[DockerClient]:
    """The client of the engine."""
    from dockerkit import DockerClient

    with DockerClient(engine.host) as client:
        yield client


@pytest.fixture
def requests_of() -> Callable[[DockerClient], AbstractContextManager[list[str]]]:
    """Record the requests of a client inside a block: ``with requests_of(client) as sent``."""
    return lambda client: recorded(client.api)


@pytest.fixture
def busybox(engine: Engine) -> str:
    """An image that the engine has: a static busybox."""
    return BUSYBOX


@pytest.fixture
def no_images_left(engine: Engine) -> Iterator[None]:
    """Remove images without a name that a test has others make, who set no labels."""
    before = nameless(engine.socket)
    yield
    for image in nameless(engine.socket) - before:
        ask(engine.socket, "DELETE", f"/images/{image}?force=1")


_counter = itertools.count(1)


@pytest.fixture(scope="session")
def unique() -> Callable[..., str]:
    """Make a name that nobody has, and by which what a test created is found and removed at the end."""

    def name(kind: str = "x") -> str:
        return f"{PREFIX}{kind}-{next(_counter)}"

    return name


@pytest.fixture(scope="session")
def labels() -> dict[str, str]:
    """Labels for all that a test creates."""
    return {LABEL: RUN}


@pytest.fixture(scope="session")
def private_engine(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Engine]]:
    """Bring up an engine by name (sid-containerd, podman-bookworm, …) that is not among the usual ones."""
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
    """A registry that wants a password, and maybe trust in a private authority."""

    host: str
    user: str = USER
    password: str = PASSWORD
    ca: str | None = None


@pytest.fixture(scope="session", name="registry")
def open_registry() -> str:
    """The open registry, ``127.0.0.1:PORT`` for us and for the engines."""
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
    """Make (and start, unless told otherwise) a container by the low-level calls; removed when the test ends."""
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
