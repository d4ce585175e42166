"""One client shared by many threads, and by forked and spawned children."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dockerkit import APIClient, DockerClient, errors

THREADS = 64


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def in_threads(work: Callable[[int], None], count: int = THREADS) -> list[BaseException]:
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


@pytest.fixture(params=["unix", "tcp"])
def shared(request: pytest.FixtureRequest, engine: Any) -> APIClient:
    return APIClient(engine.host if request.param == "unix" else engine.tcp)


def test_threads_get_their_own_responses(shared: APIClient) -> None:
    before = descriptors()

    def work(number: int) -> None:
        for turn in range(20):
            name = f"no-such-container-{number}-{turn}"
            with pytest.raises(errors.NotFound, match=name):
                shared.inspect_container(name)
            assert shared.ping() is True

    with shared:
        assert in_threads(work) == []
    assert descriptors() <= before


def test_threads_run_commands_side_by_side(shared: APIClient, box: Callable[..., str]) -> None:
    container = box()

    def work(number: int) -> None:
        exec_id = shared.exec_create(container, ["sh", "-c", f"read line; echo {number} $line"], stdin=True)["Id"]
        with shared.exec_start(exec_id, socket=True) as stream:
            stream.sendall(f"for {number}\n".encode())
            stream.close_write()
            output = b"".join(iter(lambda: stream.recv(4096), b""))
        assert f"{number} for {number}\n".encode() in output

    with shared:
        assert in_threads(work, 16) == []


def _child(client: DockerClient, names: list[str], answers: Any) -> None:
    """Make calls in several threads of the child, and report failures."""

    def work(number: int) -> None:
        for name in names:
            with pytest.raises(errors.NotFound, match=name):
                client.api.inspect_container(name)

    failures = in_threads(work, 4)
    client.close()
    answers.put((os.getpid(), [repr(error) for error in failures]))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_forked_children_keep_using_the_client(engine: Any, method: str) -> None:
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    with DockerClient(engine.host) as client:
        events = client.api.events(decode=True)  # a stream that is open while children start and exit
        assert client.ping() is True
        names = [[f"child-{number}-{turn}" for turn in range(10)] for number in range(3)]
        children = [context.Process(target=_child, args=(client, some, answers)) for some in names]  # type: ignore[attr-defined]
        for child in children:
            child.start()
        failures = in_threads(lambda number: [client.ping() for _ in range(50)] and None, 8)  # type: ignore[func-returns-value]
        told = [answers.get(timeout=60) for _ in children]
        for child in children:
            child.join()
        assert failures == [] and [errors_ for _, errors_ in told] == [[], [], []]
        assert os.getpid() not in [pid for pid, _ in told]
        assert client.ping() is True, "the parent's connections are still its own"
        events.close()


def test_close_raises_client_closed_in_other_threads(engine: Any) -> None:
    client = APIClient(engine.host)
    client.ping()
    ready = threading.Barrier(9)
    kinds: list[type[BaseException]] = []

    def work() -> None:
        ready.wait()
        try:
            while True:
                client.ping()
        except BaseException as error:
            kinds.append(type(error))

    def follow() -> None:
        events = client.events()
        ready.wait()
        try:
            for _ in events:
                pass
        except BaseException as error:
            kinds.append(type(error))

    threads = [threading.Thread(target=work) for _ in range(7)] + [threading.Thread(target=follow)]
    for thread in threads:
        thread.start()
    ready.wait()
    client.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive(), "nobody hangs"
    assert kinds == [errors.ClientClosed] * 8
