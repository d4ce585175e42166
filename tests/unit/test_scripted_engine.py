"""The scripted engine that other unit tests rely on."""

from __future__ import annotations

import http.client
import socket
import threading

import pytest
from scripted_engine import Answer, ScriptedEngine, frame


def dial(engine: ScriptedEngine) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(engine.host.removeprefix("unix://"))
    sock.settimeout(5)
    return sock


def ask(engine: ScriptedEngine, request: bytes) -> bytes:
    """Send bytes, and return everything received until the engine closes."""
    with dial(engine) as sock:
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65536), b""))


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def test_requests_are_recorded_with_path_query_and_chunked_body(scripted):
    scripted.on("POST", "/build", Answer.empty(200))
    ask(
        scripted,
        b"POST /v1.41/build?t=a%2Fb&q=1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-Some: thing\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
    )
    (request,) = scripted.requests
    assert (request.method, request.path, request.version) == ("POST", "/build", "1.41")
    assert request.query == {"t": ["a/b"], "q": ["1"]}
    assert request.headers["x-some"] == "thing"
    assert request.body == b"abcde"


def test_responses_are_used_in_sequence_and_the_last_repeats(scripted):
    scripted.on("GET", "/x", Answer.text("one"), Answer.text("two"))
    answers = ask(scripted, get("/v1.51/x") + get("/v1.51/x") + get("/x"))
    assert [answers.count(word) for word in (b"one", b"two")] == [1, 2]
    assert scripted.connections == 1


def test_ping_needs_no_script(scripted):
    answer = ask(scripted, get("/_ping"))
    assert b"Api-Version: 1.51" in answer
    assert answer.endswith(b"OK")
    assert (scripted.pings, scripted.requests) == (1, [])


@pytest.mark.parametrize(
    ("script", "tail", "whole"),
    [
        (Answer.chunked([b"ab", b"c"]), b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", True),
        (Answer.chunked([b"ab"], truncate=True), b"2\r\nab\r\n", False),
        (Answer.length(b"abcd"), b"Content-Length: 4\r\n\r\nabcd", True),
        (Answer.length(b"abcd", cut_after=2), b"Content-Length: 4\r\n\r\nab", False),
        (Answer.raw(b"HTTP/1.1 200 OK\r\n\r\nzz", piece=1), b"OK\r\n\r\nzz", False),
    ],
)
def test_bytes_go_out_as_scripted(scripted, script, tail, whole):
    scripted.on("GET", "/x", script)
    with dial(scripted) as sock:
        sock.sendall(get("/x"))
        data = b""
        while not data.endswith(tail):
            part = sock.recv(65536)
            assert part, data
            data += part
        sock.sendall(get("/_ping")) if whole else None
        assert (b"Api-Version" in sock.recv(65536)) is whole


@pytest.mark.parametrize("with_head", [True, False])
def test_upgrade_echoes_until_half_close(scripted, with_head):
    early = frame(1, b"early")
    scripted.on("POST", "/exec/1/start", Answer.upgraded([early], with_head=with_head, echo=True))
    with dial(scripted) as sock:
        sock.sendall(b"POST /exec/1/start HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}after")
        sock.shutdown(socket.SHUT_WR)
        data = b"".join(iter(lambda: sock.recv(65536), b""))
    assert data.partition(b"\r\n\r\n")[2] == early + b"after"
    assert scripted.requests[0].json() == {}


def test_tcp_and_close_while_a_client_waits():
    engine = ScriptedEngine(tcp=True, api_version="1.41")
    started = threading.active_count()
    engine.on("GET", "/slow", Answer.hang())
    host, _, port = engine.host.removeprefix("tcp://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.request("GET", "/slow")
    while not engine.requests:
        pass
    engine.close()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        connection.getresponse()
    connection.close()
    assert threading.active_count() < started


def test_reports_unscripted_requests():
    engine = ScriptedEngine()
    try:
        assert b"404" in ask(engine, get("/nothing"))
        assert [request.path for request in engine.unexpected] == ["/nothing"]
    finally:
        engine.close()
