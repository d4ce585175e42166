"""A broken engine: recorded exchanges of every kind of response, damaged at every byte.

Each must end, within its bound, in the right result or in an error of ours: never in a hang, a silent short result or a
socket left open (the test run makes unclosed sockets errors).
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_engine import MULTIPLEXED, Answer, ScriptedEngine, frame

from dockerkit import errors
from dockerkit.api.client import APIClient

STEP = max(1, 50 // settings.default.max_examples)  # `make unit` tries at most every fifth byte, `make test` every byte
BOUND = 2.0  # seconds for any single exchange; the read timeout of the clients below is 0.2


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def head(media: str = "application/json", framing: str = "Transfer-Encoding: chunked", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nApi-Version: 1.51\r\nContent-Type: {media}\r\n{framing}\r\n\r\n".encode()


@dataclass(frozen=True)
class Kind:
    """One kind of response: its bytes, its request, and the expected result."""

    method: str
    path: str
    wire: bytes
    ask: Callable[[APIClient], Any]
    expected: Any
    ends_with_connection: bool = False  # no length and no chunks: a cut can't be distinguished from the end


INSPECT = json.dumps({"Id": "abc", "Config": {"Tty": False}}).encode()
EVENTS = [b'{"n":1}\n', b'{"n":2}\n']
OUTPUT = frame(1, b"out\n") + frame(2, b"err\n")

KINDS = {
    "json with a length": Kind(
        "GET",
        "/containers/abc/json",
        head(framing=f"Content-Length: {len(INSPECT)}") + INSPECT,
        lambda api: api.inspect_container("abc"),
        json.loads(INSPECT),
    ),
    "json in chunks": Kind(
        "GET",
        "/containers/abc/json",
        head() + chunked(INSPECT[:7], INSPECT[7:]),
        lambda api: api.inspect_container("abc"),
        json.loads(INSPECT),
    ),
    "nothing": Kind(
        "POST",
        "/containers/abc/kill",
        head(framing="Content-Length: 0", status="204 No Content"),
        lambda api: api.kill("abc"),
        None,
    ),
    "json lines": Kind(
        "GET", "/events", head() + chunked(*EVENTS), lambda api: list(api.events(decode=True)), [{"n": 1}, {"n": 2}]
    ),
    "progress": Kind(
        "POST",
        "/images/create",
        head() + chunked(*EVENTS),
        lambda api: list(api.pull("busybox", tag="latest", stream=True, decode=True)),
        [{"n": 1}, {"n": 2}],
    ),
    "frames": Kind(
        "GET",
        "/containers/abc/logs",
        head(MULTIPLEXED) + chunked(OUTPUT[:5], OUTPUT[5:]),
        lambda api: api.logs("abc", demux=True),
        (b"out\n", b"err\n"),
    ),
    "bytes": Kind(
        "GET",
        "/containers/abc/export",
        head("application/x-tar") + chunked(b"tar", b"archive"),
        lambda api: api.export("abc").read(),
        b"tararchive",
    ),
    "hijacked": Kind(
        "POST",
        "/exec/abc/start",
        head(MULTIPLEXED, "Connection: Upgrade\r\nUpgrade: tcp", "101 UPGRADED") + OUTPUT,
        lambda api: api.exec_start("abc", demux=True),
        (b"out\n", b"err\n"),
        ends_with_connection=True,
    ),
    "error": Kind(
        "GET",
        "/containers/abc/json",
        head(framing="Content-Length: 20", status="404 Not Found") + b'{"message": "no one"}'[:20],
        lambda api: api.inspect_container("abc"),
        errors.NotFound,
    ),
}


@pytest.fixture
def api(scripted: ScriptedEngine) -> Iterator[APIClient]:
    with APIClient(scripted.host, version="1.51", timeout=(5, 0.2)) as client:
        yield client


def outcome(api: APIClient, kind: Kind) -> Any:
    """Return the result or dockerkit's exception; any other exception fails the test."""
    begun = time.monotonic()
    try:
        return kind.ask(api)
    except errors.DockerException as error:
        return error
    finally:
        assert time.monotonic() - begun < BOUND


def is_right(kind: Kind, got: Any) -> bool:
    if isinstance(kind.expected, type):
        return isinstance(got, kind.expected)
    return bool(got == kind.expected)


@pytest.mark.parametrize("name", KINDS)
def test_result_does_not_depend_on_segmentation(scripted: ScriptedEngine, api: APIClient, name: str) -> None:
    kind = KINDS[name]
    for piece in (0, 1, 7):
        answer = Answer.raw(kind.wire, piece=piece, close=kind.ends_with_connection)
        scripted.on(kind.method, kind.path, answer)
        assert is_right(kind, outcome(api, kind))


@pytest.mark.parametrize("name", KINDS)
def test_cut_at_every_byte(scripted: ScriptedEngine, api: APIClient, name: str) -> None:
    kind = KINDS[name]
    body = kind.wire.index(b"\r\n\r\n") + 4
    for end in range(0, len(kind.wire), STEP):
        scripted.on(kind.method, kind.path, Answer.raw(kind.wire[:end]))
        got = outcome(api, kind)
        if kind.ends_with_connection and end >= body and not isinstance(got, Exception):
            borders = [body, body + 12, body + 24]
            assert end in borders, (end, got)  # between two frames a hijacked stream may end
        elif name == "nothing" and end >= body:
            assert got is None
        elif isinstance(kind.expected, type):
            assert isinstance(got, errors.DockerException), (end, got)
        else:
            assert isinstance(got, (errors.StreamTruncated, errors.ConnectionFailed)), (end, got)


@pytest.mark.parametrize("name", KINDS)
def test_delayed_at_every_byte(scripted: ScriptedEngine, api: APIClient, name: str) -> None:
    kind = KINDS[name]

    def late(request: Any, wire: Any) -> None:
        wire.send(kind.wire[:end])
        time.sleep(0.001)
        wire.send(kind.wire[end:])
        wire.keep = not kind.ends_with_connection

    scripted.on(kind.method, kind.path, late)
    for end in range(0, len(kind.wire), STEP**2):  # noqa: B007 - `late` reads it
        assert is_right(kind, outcome(api, kind)), end


@pytest.mark.parametrize("name", KINDS)
def test_reset_at_every_byte(name: str) -> None:
    """Unlike a cut, a reset is never mistaken for the end of a hijacked connection."""
    kind = KINDS[name]
    body = kind.wire.index(b"\r\n\r\n") + 4

    def reset(request: Any, wire: Any) -> None:
        wire.send(kind.wire[:end])
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.rfile.close()
        wire.sock.close()
        wire.keep = False

    engine = ScriptedEngine(tcp=True)
    try:
        engine.on(kind.method, kind.path, reset)
        with APIClient(engine.host, version="1.51", timeout=(5, 0.2)) as api:
            for end in range(0, len(kind.wire), STEP):  # noqa: B007 - `reset` reads it
                got = outcome(api, kind)
                if name == "nothing" and end >= body:
                    assert got is None or isinstance(got, errors.ConnectionFailed), (end, got)
                else:
                    assert isinstance(got, errors.DockerException), (end, got)
    finally:
        engine.close()


@pytest.mark.parametrize("name", KINDS)
def test_stalled_at_every_byte(name: str) -> None:
    """Calls end at their read timeout. A stream may be silent for hours, and ends when its client is closed."""
    kind = KINDS[name]
    with ThreadPoolExecutor(16) as pool:
        for end, got in pool.map(partial(stalled, kind), range(0, len(kind.wire), STEP**2)):
            if name in ("json with a length", "json in chunks", "nothing"):
                assert isinstance(got, errors.ReadTimeout), (end, got)
            assert isinstance(got, (errors.ReadTimeout, errors.APIError, errors.ClientClosed)), (end, got)


def stalled(kind: Kind, end: int) -> tuple[int, Any]:
    """Return the outcome if the connection stalls after some bytes."""

    def stall(request: Any, wire: Any) -> None:
        wire.send(kind.wire[:end])
        Answer.hang()(request, wire)

    engine = ScriptedEngine()
    try:
        engine.on(kind.method, kind.path, stall)
        with APIClient(engine.host, version="1.51", timeout=(5, 0.05)) as api:
            times_out = kind.path.endswith(("/json", "/kill"))
            closing = threading.Timer(BOUND if times_out else 0.1, api.close)
            closing.start()
            got = outcome(api, kind)
            closing.cancel()
            closing.join()
    finally:
        engine.close()
    return end, got


@pytest.mark.parametrize("name", KINDS)
def test_every_byte_doubled(scripted: ScriptedEngine, api: APIClient, name: str) -> None:
    """A doubled byte may change the content unnoticed, but nothing hangs or leaks."""
    kind = KINDS[name]
    for position in range(0, len(kind.wire), STEP):
        damaged = kind.wire[: position + 1] + kind.wire[position:]
        scripted.on(kind.method, kind.path, Answer.raw(damaged))
        outcome(api, kind)


@given(name=st.sampled_from(sorted(KINDS)), data=st.data())
def test_any_damage_ends_in_a_result_or_a_dockerkit_error(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    damaged = bytearray(kind.wire)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.integers(0, 255))
    engine = ScriptedEngine()
    try:
        engine.on(kind.method, kind.path, Answer.raw(bytes(damaged)))
        with APIClient(engine.host, version="1.51", timeout=(5, 0.2)) as api:
            outcome(api, kind)
    finally:
        engine.close()


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 5000,
        b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 200_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
        b"HTTP/1.1 9999 WHAT\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46",
        b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + b"[" * 12,
        b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"[" * 200_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xfe\xfd\xfc",
    ],
    ids=["headers without end", "endless header", "huge chunk", "negative chunk", "odd status", "ssh",
         "tls alert", "half json", "deep json", "no utf-8"],
)  # fmt: skip
def test_hostile_head_or_body_is_an_error(scripted: ScriptedEngine, api: APIClient, reply: bytes) -> None:
    scripted.on("GET", "/containers/abc/json", Answer.raw(reply))
    with pytest.raises(errors.DockerException):
        api.inspect_container("abc")


@pytest.mark.parametrize("answer", [Answer.json({"Id": "a"}), Answer.chunked([OUTPUT], media_type=MULTIPLEXED)])
def test_body_instead_of_the_connection_is_an_error(scripted: ScriptedEngine, api: APIClient, answer: Any) -> None:
    scripted.on("POST", "/exec/abc/start", answer)
    with pytest.raises(errors.StreamParseError, match="POST /v1.51/exec/abc/start returned a body"):
        api.exec_start("abc")


def test_endless_answer_is_refused_and_not_kept(
    scripted: ScriptedEngine, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dockerkit.transport import exchange

    monkeypatch.setattr(exchange.Response.read, "__defaults__", (1_000_000,))
    scripted.on("GET", "/containers/abc/json", Answer.chunked([b"x" * 65536] * 40))
    with pytest.raises(errors.StreamParseError, match="larger than"):
        api.inspect_container("abc")


def test_error_in_the_stream_is_raised(scripted: ScriptedEngine, api: APIClient) -> None:
    record = {"errorDetail": {"code": 28, "message": "no space left"}, "error": "no space left"}
    scripted.on("POST", "/images/create", Answer.chunked([b'{"status":"Pulling"}\n', json.dumps(record).encode()]))
    stream = api.pull("busybox", tag="latest", stream=True, decode=True)
    assert next(stream) == {"status": "Pulling"}
    assert next(stream) == record
    with pytest.raises(errors.PullError, match="no space left") as caught:
        next(stream)
    assert caught.value.code == 28
