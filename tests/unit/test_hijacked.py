"""The socket of exec and attach, used like a socket and like a file; and names kept for existing code."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit import APIClient, errors
from dockerkit.testing.server import Connection
from dockerkit.transport import HijackedConnection


@pytest.fixture
def api(scripted: ScriptedEngine) -> Iterator[APIClient]:
    with APIClient(scripted.host, version="1.51") as api:
        yield api


def opened(scripted: ScriptedEngine, api: APIClient, **options: Any) -> HijackedConnection:
    scripted.on("POST", "/exec/e1/start", Answer.upgraded(**options))
    return api.exec_start("e1", tty=True, socket=True)


def test_socket_echoes_through_its_methods(scripted: ScriptedEngine, api: APIClient) -> None:
    with opened(scripted, api, echo=True) as link:
        assert link.readable() and link.writable()
        assert link.send(b"one") == 3
        link.flush()
        buffer = bytearray(10)
        assert (link.recv_into(buffer), buffer[:3]) == (3, b"one")
        link.sendall(memoryview(b"three"))
        small = bytearray(10)
        assert (link.readinto(small, 2), small[:2]) == (2, b"th")
        assert link.read(0) == b""
        assert link.read(2) == b"re"
        link.shutdown(socket.SHUT_WR)
        assert link.read() == b"e"
    assert link.fileno() == -1


def test_socket_that_does_not_block_reports_that_nothing_has_arrived(scripted: ScriptedEngine, api: APIClient) -> None:
    with opened(scripted, api, echo=True) as link:
        link.setblocking(False)
        assert link.gettimeout() == 0
        with pytest.raises(BlockingIOError, match="nothing has been received yet"):
            link.recv()
        link.settimeout(0.05)
        with pytest.raises(TimeoutError):
            link.recv()
        link.setblocking(True)
        assert link.gettimeout() is None
        link.sendall(b"x")
        assert link.recv() == b"x"


def test_shutdown_of_both_directions_ends_the_connection(scripted: ScriptedEngine, api: APIClient) -> None:
    ended = threading.Event()

    def wait(wire: Connection) -> None:
        assert wire.recv() == b""
        ended.set()

    with opened(scripted, api, talk=wait) as link:
        link.shutdown(socket.SHUT_RDWR)
        assert ended.wait(20)
        assert link.recv() == b""  # as a socket does


def test_output_is_returned_although_the_input_was_refused(scripted: ScriptedEngine, api: APIClient) -> None:
    def refuse(wire: Connection) -> None:
        wire.close_reading()
        wire.send(b"enough")

    link = opened(scripted, api, talk=refuse)
    received = b""
    with link, pytest.raises(errors.StreamTruncated):
        for data in link.converse(b"x" * 100_000 for _ in range(1000)):
            received += data
    assert received == b"enough"


def test_conversation_ends_at_its_deadline_even_if_output_never_pauses(
    scripted: ScriptedEngine, api: APIClient
) -> None:
    def flood(wire: Connection) -> None:
        while not wire.gone():
            wire.send(b"y" * 1000)

    with opened(scripted, api, talk=flood) as link:
        with pytest.raises(TimeoutError, match="did not end in time|timed out"):
            for _ in link.converse([b"x"], time.monotonic() + 0.1):
                pass


def test_former_names_of_reading_a_stream_still_work(scripted: ScriptedEngine, api: APIClient) -> None:
    output = Answer.chunked([frame(1, b"out"), frame(2, b"err")], media_type=MULTIPLEXED)
    scripted.on("GET", "/containers/abc/logs", output)
    streams = [api.logs("abc", stream=True) for _ in range(2)]
    assert (streams[0].together(), streams[1].apart()) == (b"outerr", (b"out", b"err"))


@pytest.mark.parametrize(("status", "client", "server"), [(409, True, False), (500, False, True)])
def test_errors_tell_refusals_from_failures(
    scripted: ScriptedEngine, api: APIClient, status: int, client: bool, server: bool
) -> None:
    scripted.on("GET", "/containers/abc/json", Answer.error(status, "no"))
    with pytest.raises(errors.APIError) as caught:
        api.inspect_container("abc")
    assert (caught.value.is_client_error(), caught.value.is_server_error()) == (client, server)
    assert caught.value.is_error()
