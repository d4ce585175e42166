"""What things cost, counted without a clock: modules imported, requests and connections made, memory held."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit.api.client import APIClient

HEAVY = {"requests", "urllib3", "pydantic", "pydantic_core", "dataclasses", "inspect", "typing_extensions", "asyncio"}


def loaded_by(code: str, **environment: str) -> set[str]:
    """The modules that a fresh interpreter has after running the code."""
    program = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{program}"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_importing_dockerkit_loads_nothing() -> None:
    ours = {name for name in loaded_by("import dockerkit") if name.startswith("dockerkit")}
    assert ours == {"dockerkit"}


def test_a_first_ping_loads_nothing_heavy(scripted: ScriptedEngine) -> None:
    code = "import dockerkit\nwith dockerkit.from_env() as client: client.ping()"
    loaded = loaded_by(code, DOCKER_HOST=scripted.host)
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
    assert len(loaded) < 200


def test_a_list_of_objects_loads_neither_requests_nor_pydantic(scripted: ScriptedEngine) -> None:
    scripted.on("GET", "/containers/json", Answer.json([{"Id": "a", "Names": ["/n"], "State": "running"}]))
    code = "import dockerkit\nwith dockerkit.from_env() as client: print([c.name for c in client.containers.list()])"
    loaded = loaded_by(code, DOCKER_HOST=scripted.host)
    assert not {name.partition(".")[0] for name in loaded} & {"requests", "urllib3", "pydantic", "pydantic_core"}


@pytest.mark.parametrize(
    ("call", "requests"),
    [
        (lambda api: api.inspect_container("abc"), ["GET /containers/abc/json"]),
        (lambda api: api.containers(all=True), ["GET /containers/json"]),
        (lambda api: api.logs("abc"), ["GET /containers/abc/logs"]),
        (lambda api: api.exec_start("abc"), ["POST /exec/abc/start"]),
        (lambda api: api.ping(), []),
    ],
)
def test_a_call_makes_only_the_requests_that_it_needs(
    scripted: ScriptedEngine, call: Callable[[APIClient], object], requests: list[str]
) -> None:
    scripted.on("GET", "/containers/abc/json", Answer.json({"Id": "abc"}))
    scripted.on("GET", "/containers/json", Answer.json([]))
    scripted.on("GET", "/containers/abc/logs", Answer.chunked([], media_type=MULTIPLEXED))
    scripted.on("POST", "/exec/abc/start", Answer.upgraded([], media_type=MULTIPLEXED))
    with APIClient(scripted.host) as api:
        call(api)
    assert [f"{request.method} {request.path}" for request in scripted.requests] == requests
    assert scripted.pings == 1


@pytest.mark.parametrize("kind", ["export", "logs"])
def test_a_stream_is_never_held(scripted: ScriptedEngine, kind: str) -> None:
    """64 MiB go through in memory that does not grow with them."""
    block = b"x" * 32768
    chunk = block if kind == "export" else frame(1, block)
    path = f"/containers/abc/{kind}"
    scripted.on("GET", path, Answer.chunked([chunk] * 2048, media_type=MULTIPLEXED))
    with APIClient(scripted.host) as api:
        stream = api.export("abc") if kind == "export" else api.logs("abc", stream=True, follow=False)
        size = len(next(stream))
        tracemalloc.start()
        try:
            size += sum(len(piece) for piece in stream)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert size == 64 * 1024 * 1024
    assert peak < 4 * 1024 * 1024
