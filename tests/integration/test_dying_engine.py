"""A real engine is killed during 220 operations of all kinds, and restarted."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from engines import private
from engines.settings import Spec

from dockerkit import DockerClient, errors

SPEC = Spec("mortal", 9, "bookworm")
pytestmark = pytest.mark.xdist_group("mortal")

BOUND = 90.0  # seconds within which every operation ends


@pytest.fixture(scope="module")
def mortal() -> Iterator[Spec]:
    private.up(SPEC)
    try:
        yield SPEC
    finally:
        private.down(SPEC)


@pytest.fixture
def silent_registry(mortal: Spec) -> Iterator[str]:
    """Address of a registry that accepts connections and never responds, so a pull from it never ends."""
    with socket.create_server((mortal.gateway, 0)) as server:
        yield f"{mortal.gateway}:{server.getsockname()[1]}"


def operations(client: DockerClient, sleeper: str, registry: str) -> list[Callable[[int], Any]]:
    """Return one operation of each kind; most are in progress when the engine dies."""
    api = client.api
    return [
        lambda n: api.inspect_container(sleeper),
        lambda n: client.containers.list(all=True),
        lambda n: list(api.logs(sleeper, stream=True, follow=True)),
        lambda n: api.exec_start(api.exec_create(sleeper, ["sleep", "60"])["Id"]),
        lambda n: list(api.events(decode=True)),
        lambda n: api.wait(sleeper),
        lambda n: list(api.stats(sleeper, decode=True)),
        lambda n: client.containers.run("busybox", ["sleep", "60"], name=f"mortal-run-{n}", remove=True),
        lambda n: sum(map(len, api.export(sleeper))),
        lambda n: list(api.build(fileobj=_dockerfile(n), custom_context=False, decode=True)),
        lambda n: list(api.pull(f"{registry}/silent", tag=str(n), stream=True, decode=True)),
    ]


def _dockerfile(n: int) -> Any:
    import io

    return io.BytesIO(f"FROM busybox\nENV N={n}\nRUN sleep 20\n".encode())


def test_every_operation_ends_correctly_and_the_client_continues(mortal: Spec, silent_registry: str) -> None:
    with DockerClient(mortal.host) as client:
        for container in client.containers.list(all=True):  # of a run that failed
            container.remove(force=True)
        created = client.api.create_container(
            "busybox", ["sh", "-c", "while :; do date; sleep 0.1; done"], name="sleeper"
        )
        client.api.start(created)
        kinds = operations(client, created["Id"], silent_registry)
        outcomes: list[tuple[int, Any]] = []

        def work(n: int) -> None:
            try:
                result = kinds[n % len(kinds)](n)
            except BaseException as error:
                result = error
            outcomes.append((n % len(kinds), result))

        threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(20 * len(kinds))]
        for thread in threads:
            thread.start()
        time.sleep(4)
        private.crash(mortal)
        deadline = time.monotonic() + BOUND
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))
        assert not [thread for thread in threads if thread.is_alive()], "somebody hangs"

        wrong = [
            (kind, outcome)
            for kind, outcome in outcomes
            if isinstance(outcome, BaseException) and not isinstance(outcome, errors.DockerException)
        ]
        assert not wrong
        # Operations that outlived the engine were interrupted, and none is reported as a success.
        endless = {2: "logs", 4: "events", 6: "stats", 9: "build", 10: "pull"}
        for kind, name in endless.items():
            got = Counter(type(outcome).__name__ for number, outcome in outcomes if number == kind)
            assert sum(got.values()) == 20
            assert "list" not in got, (name, got)

        assert client.ping()
        assert client.containers.get("sleeper").status == "exited"
        assert client.containers.run("busybox", ["echo", "back"], remove=True) == b"back\n"
        for container in client.containers.list(all=True):
            container.remove(force=True)


def test_no_connection_is_left_open(mortal: Spec) -> None:
    """The numbers of descriptors and threads are the same before and after a crash during streams."""
    with DockerClient(mortal.host) as client:
        client.ping()
        before, running = len(os.listdir("/proc/self/fd")), threading.active_count()
        streams = [client.events(decode=True) for _ in range(20)]
        private.crash(mortal)
        for stream in streams:
            with pytest.raises(errors.StreamTruncated):
                list(stream)
        assert client.ping()
        assert len(os.listdir("/proc/self/fd")) <= before
        assert threading.active_count() <= running
