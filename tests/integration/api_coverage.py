"""Which operations and parameters of the Engine API the tests have used, by engine: a report at the end of the run.

Counted is what dockerkit sent to a real engine. ``--api-coverage 95`` makes the run
fail below a percentage of the operations that an engine has; the facts are those that the version table is made of.
"""

from __future__ import annotations

import functools
import json
import pathlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from engines.settings import SPECS

FACTS = json.loads((pathlib.Path(__file__).parents[2] / "scripts/data/operations.json").read_text())
NEEDED_ON = ("bookworm", "trixie", "sid", "sid-containerd")
MOST = 70  # percentage from which on the report lists what is missing

# Operations that no test engine supports, and why.
OUT_OF_REACH = {
    "POST /containers/{name}/checkpoints": "needs an experimental engine with CRIU",
    "DELETE /containers/{name}/checkpoints/{checkpoint}": "needs an experimental engine with CRIU",
    "GET /containers/{name}/checkpoints": "needs an experimental engine",
    "PUT /volumes/{name}": "changes cluster volumes only, which need a CSI plugin",
    "GET /images/{name}/attestations": "needs an engine with API 1.55",
    "POST /grpc": "a private channel between the engine and its own command",
    "GET /plugins/{name}": "engines with API 1.24 only",
}

Used = dict[str, dict[str, set[str]]]  # engine -> operation -> names of parameters and fields


def names_of(query: Any, headers: Any, body: Any) -> Iterator[str]:
    """Return the names that a request uses, as in the documents."""
    for name, value in (query or {}).items():
        if value is not None:
            yield f"query {name}"
            if name == "filters" and isinstance(value, Mapping):
                yield from (f"filter {key}" for key in value)
    yield from (f"header {name}" for name in headers or {})
    yield from (f"body {path}" for path in paths_of(body))


def paths_of(value: Any, path: str = "") -> Iterator[str]:
    """Return the dotted paths of a body's fields; for maps, whose keys are not fields, both forms."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if item is not None:
                for step in (key, "{}"):
                    here = f"{path}.{step}" if path else step
                    yield here
                    yield from paths_of(item, here)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from paths_of(item, f"{path}[]")


class Coverage:
    """The pytest plugin: watches the low-level clients of this process."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.used: Used = {}
        self.engines = {one: spec.name for spec in SPECS.values() for one in (spec.host, spec.tcp)}

    def note(self, host: str, operation: str, names: Iterator[str]) -> None:
        engine = self.engines.get(host)
        if "/swarm-" in host:  # the nodes of test_swarm_nodes.py
            engine = "trixie"
        if engine is not None:
            self.used.setdefault(engine, {}).setdefault(operation, set()).update(names)

    def pytest_sessionstart(self) -> None:
        from dockerkit.api.base import APIBase
        from dockerkit.parsing.json_data import to_json_data

        encode = APIBase._encode

        @functools.wraps(encode)
        def encoding(api: APIBase, request: Any) -> Any:
            encoded = encode(api, request)  # first, because it refuses what can't be sent
            names = names_of(request.query, request.headers, to_json_data(request.body))
            self.note(api.endpoint.host, f"{request.method} {request.path}", names)
            return encoded

        APIBase._encode = encoding  # type: ignore[method-assign]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for engine, operations in json.loads(getattr(node, "workeroutput", {}).get("api_coverage", "{}")).items():
            for operation, names in operations.items():
                self.used.setdefault(engine, {}).setdefault(operation, set()).update(names)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output["api_coverage"] = json.dumps(self.used, default=sorted)
            return
        wanted = self.config.getoption("--api-coverage")
        shares = [share(name, operations) for name, operations in self.used.items() if name in NEEDED_ON]
        if wanted is not None and min(shares, default=100) < wanted and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        wanted = self.config.getoption("--api-coverage")
        for engine in sorted(self.used):
            for line in report(engine, self.used[engine]):
                terminalreporter.write_line(line)
            if wanted is not None and engine in NEEDED_ON and share(engine, self.used[engine]) < wanted:
                terminalreporter.write_line(f"API coverage on {engine} is below {wanted:g} %", red=True)


def version_of(engine: str) -> tuple[int, int]:
    from engines.images import version

    facts = version(SPECS[engine].socket)
    text = facts["ApiVersion"] if facts else FACTS["newest"]
    return min(numbers(text), numbers(FACTS["newest"]))


def numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def existing(engine: str) -> dict[str, set[str]]:
    """Return the operations of an engine, each with its names."""
    spoken = version_of(engine)

    def known(fact: Mapping[str, Any]) -> bool:
        last = fact["last"]
        return (
            numbers(fact["first"]) <= spoken
            and (last is None or spoken <= numbers(last))
            and not (fact.get("ignored") or fact.get("output_only"))
        )

    return {
        f"{one['method']} {one['path']}": {
            *(f"query {fact['name']}" for fact in one["query"] if known(fact)),
            *(f"header {fact['name']}" for fact in one["headers"] if known(fact)),
            *(f"filter {fact['name']}" for fact in one.get("filters", ()) if known(fact)),
            *(f"body {fact['path']}" for fact in (one["body"] or {}).get("fields") or () if known(fact)),
        }
        for one in FACTS["operations"]
        if known(one)
    }


def share(engine: str, used: Mapping[str, set[str]]) -> float:
    """Return the percentage of the reachable operations of an engine that were used."""
    there = existing(engine).keys() - OUT_OF_REACH.keys()
    return 100 * len(there & used.keys()) / len(there)


def report(engine: str, used: Mapping[str, set[str]]) -> Iterator[str]:
    there = existing(engine)
    names = sum(len(facts) for facts in there.values())
    seen = sum(len(facts & used.get(operation, set())) for operation, facts in there.items())
    yield (
        f"API coverage on {engine}: {len(there.keys() & used.keys())} of {len(there)} operations "
        f"({share(engine, used):.0f} % of those in reach), {seen} of {names} parameters, filters and fields"
    )
    if share(engine, used) < MOST:  # only a part of the tests ran
        return
    missing = sorted(there.keys() - used.keys() - OUT_OF_REACH.keys())
    if missing:
        yield f"  not used: {', '.join(missing)}"
    for operation in sorted(OUT_OF_REACH.keys() & there.keys() - used.keys()):
        yield f"  out of reach: {operation}: {OUT_OF_REACH[operation]}"


@contextmanager
def recorded(api: Any) -> Iterator[list[str]]:
    """Record the requests of a client inside the block, as ``"GET /networks/{id}"``."""
    sent: list[str] = []
    encode = api._encode

    def encoding(request: Any) -> Any:
        sent.append(f"{request.method} {request.path}")
        return encode(request)

    api._encode = encoding
    try:
        yield sent
    finally:
        del api._encode
