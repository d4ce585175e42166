"""HTTP: interim responses, framing, uploads, deadlines and cancellation."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scripted_engine import Answer, ScriptedEngine
from test_api_coverage import calls
from test_wrong_types import CALLS

from dockerkit import errors
from dockerkit.api.client import APIClient
from dockerkit.client import DockerClient
from dockerkit.streams.readers import Stream
from dockerkit.transport import HijackedConnection, Scope
from dockerkit.transport.http1 import HeadParser, InvalidResponse

CONTAINER = "/containers/abc/json"
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"Id":"abc"}'


@pytest.fixture
def api(scripted: ScriptedEngine) -> Iterator[APIClient]:
    with APIClient(scripted.host, version="1.51", timeout=(5, 1)) as client:
        yield client


def within(seconds: float, call: Callable[[], Any]) -> Any:
    """Return the result or exception of a call, within a time limit."""
    begun = time.monotonic()
    try:
        return call()
    except errors.DockerException as error:
        return error
    finally:
        assert time.monotonic() - begun < seconds


# --- heads ---


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
    ],
)
def test_interim_responses_are_skipped(scripted: ScriptedEngine, api: APIClient, interim: bytes) -> None:
    scripted.on("GET", CONTAINER, Answer.raw(interim + OK, close=False))
    scripted.on(
        "POST",
        "/containers/abc/kill",
        Answer.raw(interim + b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n", close=False),
    )
    for _ in range(2):
        assert api.inspect_container("abc") == {"Id": "abc"}
        with pytest.raises(errors.Conflict):
            api.kill("abc")
    assert scripted.connections == 1


@pytest.mark.parametrize("pause", [0, 0.05])
def test_endless_interim_responses_end_in_an_error(scripted: ScriptedEngine, api: APIClient, pause: float) -> None:
    def endless(request: Any, wire: Any) -> None:
        while not wire.gone():
            wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            time.sleep(pause)

    scripted.on("GET", CONTAINER, endless)
    assert isinstance(within(4, lambda: api.inspect_container("abc")), (errors.ConnectionFailed, errors.ReadTimeout))


def test_timeout_limits_the_whole_head(scripted: ScriptedEngine, api: APIClient) -> None:
    def trickle(request: Any, wire: Any) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nX: ")
        while not wire.gone():
            wire.send(b"y")
            time.sleep(0.05)

    scripted.on("GET", CONTAINER, trickle)
    assert isinstance(within(3, lambda: api.inspect_container("abc")), errors.ReadTimeout)


@pytest.mark.parametrize("framing", ["Transfer-Encoding: chunked", "Content-Length: 10"])
def test_responses_without_a_body_are_not_waited_for(scripted: ScriptedEngine, api: APIClient, framing: str) -> None:
    def head(status: str) -> Any:
        return Answer.raw(f"HTTP/1.1 {status}\r\n{framing}\r\n\r\n".encode(), close=False)

    scripted.on("HEAD", "/containers/abc/archive", head("404 Not Found"))
    scripted.on("POST", "/containers/abc/start", head("204 No Content"), head("304 Not Modified"))
    with pytest.raises(errors.NotFound):
        api.stat_archive("abc", "/x")
    assert within(0.9, lambda: api.start("abc")) is not False
    assert within(0.9, lambda: api.start("abc")) is False
    assert scripted.connections == 1


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 12\r\nContent-Length: 13",
        b"Content-Length: 12, 13",
        b"Content-Length: -1",
        b"Content-Length: 0x10",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Bad Header: x",
        b"X: a\rb\0",
        b" folded: first",
    ],
)
def test_ambiguous_head_is_refused(scripted: ScriptedEngine, api: APIClient, head: bytes) -> None:
    scripted.on("GET", CONTAINER, Answer.raw(b"HTTP/1.1 200 OK\r\n" + head + b'\r\n\r\n{"Id":"abc"}'))
    with pytest.raises(errors.ConnectionFailed):
        api.inspect_container("abc")


def test_whitespace_around_header_values_is_stripped(scripted: ScriptedEngine, api: APIClient) -> None:
    body = b'c\r\n{"Id":"abc"}\r\n0\r\n\r\n'
    scripted.on(
        "GET", CONTAINER, Answer.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: \t CHUNKED  \r\n\r\n" + body, close=False)
    )
    assert api.inspect_container("abc") == {"Id": "abc"}


def test_connection_with_length_and_chunks_is_not_reused(scripted: ScriptedEngine, api: APIClient) -> None:
    wire = b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{"Id":"abc"}\r\n0\r\n\r\n'
    scripted.on("GET", CONTAINER, Answer.raw(wire, close=False))
    for _ in range(2):
        assert api.inspect_container("abc") == {"Id": "abc"}
    assert scripted.connections == 2


def test_bytes_after_a_response_are_not_the_next_response(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", CONTAINER, Answer.raw(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", close=False))
    for _ in range(3):
        assert api.inspect_container("abc") == {"Id": "abc"}


def test_prefix_of_a_tcp_address_is_sent() -> None:
    engine = ScriptedEngine(tcp=True)
    try:
        engine.on("GET", "/engine/one/v1.51/info", Answer.json({"ID": "x"}))
        engine.on("POST", "/engine/one/v1.51/exec/e/start", Answer.upgraded([b"out"]))
        with APIClient(f"{engine.host}/engine/one/", version="1.51") as api:
            assert api.info() == {"ID": "x"}
            with api.exec_start("e", socket=True) as link:
                assert link.recv() == b"out"
    finally:
        engine.close()


# --- cost ---


def test_stop_reaches_the_socket_in_six_frames(scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted.on("POST", "/containers/abc/stop", Answer.empty())
    scripted.on("GET", CONTAINER, Answer.json({"Id": "abc"}))
    depths: list[list[str]] = []

    class Counting(socket.socket):
        def count(self) -> None:
            frame, ours = sys._getframe(2), []
            while frame is not None:
                if "/dockerkit/" in frame.f_code.co_filename:
                    ours.append(frame.f_code.co_qualname)
                frame = frame.f_back  # type: ignore[assignment]
            depths.append(ours)

        def send(self, *args: Any) -> int:
            self.count()
            return super().send(*args)

        def recv(self, *args: Any) -> bytes:
            self.count()
            return super().recv(*args)

    def dial(timeout: float | None) -> socket.socket:
        sock = Counting(socket.AF_UNIX)
        sock.connect(scripted.host.removeprefix("unix://"))
        return sock

    with DockerClient("tcp://engine:2375", version="1.51", dial=dial) as client:
        container = client.containers.get("abc")
        depths.clear()
        container.stop()
    assert len(depths) == 2  # one send, one receive
    assert max(map(len, depths)) <= 6, depths


# --- uploads ---


@pytest.fixture
def uploaded(scripted: ScriptedEngine) -> ScriptedEngine:
    scripted.on("PUT", "/containers/abc/archive", Answer.empty(200))
    return scripted


class Growing(io.FileIO):
    """A file class with its own read()."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(2)
        return b"".join(bytes([byte]) + b"!" for byte in data)


def test_overridden_read_is_respected(uploaded: ScriptedEngine, api: APIClient, tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"abcd")
    with Growing(tmp_path / "plain") as file:
        api.put_archive("abc", "/", file)
    assert uploaded.requests[-1].body == b"a!b!c!d!"
    (tmp_path / "packed").write_bytes(gzip.compress(b"content" * 1000))
    with gzip.open(tmp_path / "packed") as packed:
        api.put_archive("abc", "/", packed)
    assert uploaded.requests[-1].body == b"content" * 1000


def slow_reader(size: int, then: Callable[[], None]) -> Callable[[socket.socket], bytes]:
    """Read the announced bytes, slowly at first; return everything received until the client closes."""

    def take(sock: socket.socket) -> bytes:
        data = sock.recv(1000)
        then()
        time.sleep(0.1)
        while len(data) < size and (more := sock.recv(65536)):
            data += more
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        sock.settimeout(0.3)
        try:
            while more := sock.recv(65536):
                data += more
        except TimeoutError:
            pass
        return data

    return take


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("change", ["grows", "shrinks"])
def test_file_that_changes_while_it_is_sent(tmp_path: Path, change: str, tls: bool) -> None:
    size = 8_000_000
    path = tmp_path / "archive.tar"
    path.write_bytes(b"a" * size)

    def alter() -> None:
        if change == "grows":
            with path.open("ab") as file:
                file.write(b"POST /evil HTTP/1.1\r\n\r\n" * 10)
        else:
            os.truncate(path, size // 2)

    ours, theirs = socket.socketpair()
    received: list[bytes] = []
    take = slow_reader(size, alter)
    if tls:
        import ssl

        import trustme

        authority = trustme.CA()
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("engine").configure_cert(server)
        client = ssl.create_default_context()
        authority.configure_trust(client)

    def serve() -> None:
        with theirs:
            try:
                if tls:
                    with server.wrap_socket(theirs, server_side=True) as secure:
                        received.append(take(secure))
                else:
                    received.append(take(theirs))
            except OSError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()

    def dial(timeout: float | None) -> socket.socket:
        return client.wrap_socket(ours, server_hostname="engine") if tls else ours

    with APIClient("tcp://engine:2375", version="1.51", dial=dial, timeout=5) as api, path.open("rb") as file:
        got = within(5, lambda: api.put_archive("abc", "/", file))
    thread.join(5)
    if change == "grows":
        assert got is True
        assert received[0].endswith(b"a") and b"evil" not in received[0]
        assert received[0].count(b"a" * 1000) >= size // 1000 - 1
    else:
        assert isinstance(got, errors.UnreadableFile)
        assert "became shorter while it was sent" in str(got)


@pytest.mark.parametrize("kind", ["bytes", "file", "blocks"])
def test_early_refusal_is_read_while_sending(scripted: ScriptedEngine, tmp_path: Path, kind: str) -> None:
    """The engine refuses immediately, keeps the connection open and stops reading."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(1000)
            sock.sendall(b'HTTP/1.1 413 Too Large\r\nContent-Length: 22\r\n\r\n{"message":"too large"}'[:-1])
            done.wait(10)

    thread = threading.Thread(target=serve)
    thread.start()
    size = 64 * 1024 * 1024
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(size)
    try:
        with APIClient("tcp://{}:{}".format(*listener.getsockname()), version="1.51", timeout=3) as api:
            with path.open("rb") as file:
                data = {"bytes": b"x" * size, "file": file, "blocks": (b"x" * 65536 for _ in range(1024))}[kind]
                got = within(3, lambda: api.put_archive("abc", "/", data))
        assert isinstance(got, errors.APIError)
        assert got.status_code == 413
    finally:
        done.set()
        thread.join()
        listener.close()


def test_rejects_framing_headers(scripted: ScriptedEngine) -> None:
    for name in ("Content-Length", "transfer-encoding", "Host"):
        with APIClient(scripted.host, version="1.51", headers={name: "5"}) as api:
            with pytest.raises(errors.InvalidArgument, match=name):
                api.info()


# --- deadlines ---


def test_full_backlog_is_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(0)
    waiting = []
    while True:  # fill the queue
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        if sock.connect_ex(path):
            sock.close()
            break
        waiting.append(sock)
    try:
        with APIClient(f"unix://{path}", version="1.51", timeout=0.3) as api:
            begun = time.monotonic()
            with pytest.raises(errors.ConnectTimeout):
                api.info()
            assert 0.25 < time.monotonic() - begun < 2

        def serve() -> None:
            for _ in waiting:
                listener.accept()[0].close()
            sock, _ = listener.accept()
            with sock:
                sock.recv(1000)
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Timer(0.3, serve)
        with APIClient(f"unix://{path}", version="1.51", timeout=5) as api:
            thread.start()
            assert api.info() == {}
        thread.join()
    finally:
        for sock in waiting:
            sock.close()
        listener.close()


STREAMS: dict[str, Callable[[APIClient], Any]] = {
    "events": lambda api: api.events(),
    "logs": lambda api: api.logs("abc", stream=True, follow=True),
    "stats": lambda api: api.stats("abc", stream=True),
    "wait": lambda api: api.wait("abc"),
    "attach": lambda api: api.attach("abc", stream=True),
    "exec": lambda api: api.exec_start("abc"),
}


@pytest.fixture
def silent(scripted: ScriptedEngine) -> ScriptedEngine:
    """An engine that accepts requests and never responds."""
    for method, path in (
        *(("GET", path) for path in ("/events", "/info", CONTAINER, "/containers/abc/logs", "/containers/abc/stats")),
        *(("POST", path) for path in ("/containers/abc/wait", "/containers/abc/attach", "/exec/abc/start")),
        ("POST", "/images/create"), ("PUT", "/containers/abc/archive"), ("POST", "/build"),
    ):  # fmt: skip
        scripted.on(method, path, Answer.hang())
    return scripted


@pytest.mark.parametrize("name", STREAMS)
def test_waiting_for_the_head_of_a_stream_has_a_limit(silent: ScriptedEngine, name: str) -> None:
    with APIClient(silent.host, version="1.51", timeout=(5, 0.2)) as api:
        assert isinstance(within(2, lambda: STREAMS[name](api)), errors.ReadTimeout)


EVERYTHING: dict[str, Callable[[APIClient], Any]] = {
    **STREAMS,
    "info": lambda api: api.info(),
    "pull": lambda api: api.pull("busybox", tag="latest"),
    "upload": lambda api: api.put_archive("abc", "/", iter([b"x"])),
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_scope_limits_requests_sent_within_it(silent: ScriptedEngine, name: str) -> None:
    with APIClient(silent.host, version="1.51", timeout=60) as api, Scope(0.2) as scope:
        assert isinstance(within(2, lambda: EVERYTHING[name](api)), errors.ReadTimeout)
        assert scope.expired


@pytest.mark.parametrize("name", EVERYTHING)
def test_scope_is_cancelled_from_another_thread(silent: ScriptedEngine, name: str) -> None:
    with APIClient(silent.host, version="1.51", timeout=60) as api, Scope() as scope:
        timer = threading.Timer(0.1, scope.cancel)
        timer.start()
        assert isinstance(within(2, lambda: EVERYTHING[name](api)), errors.RequestCancelled)
        timer.join()
        assert isinstance(within(1, api.info), errors.RequestCancelled)


def test_scope_bounds_the_body_too(scripted: ScriptedEngine, api: APIClient) -> None:
    def stream(request: Any, wire: Any) -> None:
        Answer.chunked([b'{"n":1}\n'], truncate=True)(request, wire)
        Answer.hang()(request, wire)

    scripted.on("GET", "/events", stream)
    with Scope(0.3):
        events = api.events(decode=True)
    assert next(events) == {"n": 1}
    assert isinstance(within(2, lambda: next(events)), errors.ReadTimeout)


def test_inner_scope_never_outlasts_the_outer_one() -> None:
    with Scope(10) as outer:
        with Scope(60) as inner:
            assert inner.deadline == outer.deadline
        with Scope(1) as inner:
            assert inner.deadline is not None and outer.deadline is not None
            assert inner.deadline < outer.deadline
            outer.cancel()
            assert inner.cancelled
        assert Scope().cancelled


@pytest.mark.parametrize("name", EVERYTHING)
def test_closing_the_client_reaches_a_request_whose_head_is_awaited(silent: ScriptedEngine, name: str) -> None:
    with APIClient(silent.host, version="1.51", timeout=60) as api:
        timer = threading.Timer(0.1, api.close)
        timer.start()
        assert isinstance(within(2, lambda: EVERYTHING[name](api)), errors.ClientClosed)
        timer.join()


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("name", EVERYTHING)
def test_signal_interrupts_every_wait(silent: ScriptedEngine, name: str) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        with APIClient(silent.host, version="1.51", timeout=60) as api:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            begun = time.monotonic()
            with pytest.raises(Interrupted):
                EVERYTHING[name](api)
            assert time.monotonic() - begun < 2
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_closing_the_client_cancels_connecting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(0)
    waiting = []
    try:
        while True:
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
            if waiting[-1].connect_ex(path):
                break
        with APIClient(f"unix://{path}", version="1.51", timeout=60) as api:
            timer = threading.Timer(0.1, api.close)
            timer.start()
            assert isinstance(within(2, api.info), errors.ClientClosed)
            timer.join()
    finally:
        for sock in waiting:
            sock.close()
        listener.close()


def test_tcp_connections_notice_a_dead_peer_in_minutes() -> None:
    engine = ScriptedEngine(tcp=True)
    try:
        with APIClient(engine.host) as api:
            sock = api.dial()
            with sock:
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                idle, every, count = (
                    sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                    for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
                )
                assert idle + every * count <= 120
    finally:
        engine.close()


# --- closing ---


def one_then_silence(request: Any, wire: Any) -> None:
    Answer.chunked([b'{"n":1}\n'], truncate=True)(request, wire)
    Answer.hang()(request, wire)


def test_stream_is_closed_by_a_signal_handler_of_its_reader(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("GET", "/events", one_then_silence)
    stream = api.events(decode=True)
    previous = signal.signal(signal.SIGALRM, lambda *_: stream.close())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        assert within(2, lambda: list(stream)) == [{"n": 1}]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert stream.closed
    assert stream._source._connection.sock.fileno() == -1  # type: ignore[attr-defined]


def test_two_readers_of_one_stream_get_an_error_that_says_so(scripted: ScriptedEngine, api: APIClient) -> None:
    more = threading.Event()

    def slow(request: Any, wire: Any) -> None:
        with wire.chunked("application/json") as chunk:
            chunk(b'{"n":1}\n')
            more.wait(5)
            chunk(b'{"n":2}\n')

    scripted.on("GET", "/events", slow)
    stream = api.events(decode=True)
    assert next(stream) == {"n": 1}
    rest: list[Any] = []
    reader = threading.Thread(target=lambda: rest.extend(stream))
    reader.start()
    time.sleep(0.1)
    with pytest.raises(errors.StreamInUse):
        next(stream)
    more.set()
    reader.join(5)
    assert rest == [{"n": 2}]


def test_writing_to_a_process_that_has_ended_is_a_broken_pipe(scripted: ScriptedEngine, api: APIClient) -> None:
    def ended(wire: Any) -> None:
        wire.half_close()
        time.sleep(2)

    scripted.on("POST", "/exec/abc/start", Answer.upgraded(talk=ended))
    with api.exec_start("abc", socket=True) as link:
        begun = time.monotonic()
        with pytest.raises(BrokenPipeError):
            while time.monotonic() < begun + 5:
                link.sendall(b"x" * 65536)
        assert time.monotonic() - begun < 1.5


def test_errors_and_their_pickles_contain_no_query(scripted: ScriptedEngine, api: APIClient) -> None:
    scripted.on("POST", "/images/create", Answer.error(500, "no"))
    with pytest.raises(errors.APIError) as caught:
        api.import_image("https://u:hunter2@example.com/x.tar", changes=["ENV T=hunter2"])
    for text in (str(caught.value), repr(caught.value), repr(pickle.dumps(caught.value))):
        assert "hunter2" not in text


# --- odd responses, for every call ---


class Odd(ScriptedEngine):
    """Sends the same bytes in response to every request."""

    wire = b""

    def _answer(self, request: Any, wire: Any) -> None:
        if request.path == "/_ping":
            wire.respond(200, b"OK", {"Api-Version": "1.51"})
        else:
            wire.send(self.wire)
            wire.keep = False


ODD = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "an empty body": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "no chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a cut body": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n[{",
    "a cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n[{",
    "a page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>",
    "no UTF-8": b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe",
    "damaged gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: GZIP\r\n\r\n\x1f\x8b\x08garbage",
    "another coding": b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\nx",
    "an error without text": b"HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n",
    "an upgrade": b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    "an odd status": b"HTTP/1.1 299 X\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
}
QUIET = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


def consume(result: object) -> None:
    if isinstance(result, Stream):
        with result:
            list(result)
    elif isinstance(result, HijackedConnection):
        with result:
            result.read()
    elif isinstance(result, tuple):
        for one in result:
            consume(one)


@QUIET
@pytest.mark.parametrize("name", ODD)
def test_odd_response_ends_in_a_result_or_a_dockerkit_error(tmp_path: Path, name: str) -> None:
    engine = Odd()
    engine.wire = ODD[name]
    (tmp_path / "f").write_bytes(b"x")
    failures = []
    try:
        with APIClient(engine.host, version="1.51", timeout=(5, 2)) as api:
            for number, call in enumerate(calls(api, tmp_path)):
                try:
                    consume(call())
                except errors.DockerException:
                    pass
                except Exception as error:
                    failures.append((number, repr(error)))
        with DockerClient(engine.host, version="1.51", timeout=(5, 2)) as client:
            for operation, use in CALLS.items():
                try:
                    consume(use(client))
                except errors.DockerException:
                    pass
                except Exception as error:
                    failures.append((operation, repr(error)))
    finally:
        engine.close()
    assert failures == []


@pytest.mark.parametrize("members", [1, 2, 3])
def test_members_of_gzip_follow_each_other(scripted: ScriptedEngine, api: APIClient, members: int) -> None:
    packed = b"".join(gzip.compress(b"%d" % number * 1000) for number in range(members))
    headers = {"Content-Encoding": "GZIP"}
    scripted.on("GET", "/containers/abc/archive", Answer.chunked([packed[:15], packed[15:]], headers=headers))
    stream, _ = api.get_archive("abc", "/x", encode_stream=True)
    assert stream.read() == b"".join(b"%d" % number * 1000 for number in range(members))


# --- heads that are parsed without h11 ---

_VALUES = st.one_of(
    st.sampled_from(
        [b"", b" ", b"5", b" 5\t", b"5, 5", b"+5", b"9" * 21, b"chunked", b"Chunked", b"gzip, chunked", b"close"]
    ),
    st.binary(max_size=6),
)
_NAMES = st.sampled_from(
    [b"Content-Length", b"content-length", b"Transfer-Encoding", b"Connection", b"X-Name", b"a b", b"", b" X"]
)
_LINES = st.lists(
    st.tuples(_NAMES, st.sampled_from([b":", b": ", b" :"]), _VALUES, st.sampled_from([b"\r\n", b"\r\n", b"\n"]))
)
_STATUS_LINES = st.sampled_from([
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 404 Not Found\r\n", b"HTTP/1.1 204 \r\n", b"HTTP/1.1 304\r\n"),
    *(b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 099 OK\r\n", b"HTTP/1.1 600 \x00\r\n", b"HTTP/1.1 101 Switching\r\n"),
    *(b"HTTP/1.1 500 \xe9\r\n", b"http/1.1 200 OK\r\n"),
])  # fmt: skip


@given(_STATUS_LINES, _LINES, st.sampled_from(["GET", "HEAD", "POST"]), st.booleans(), st.binary(max_size=5))
@example(b"HTTP/1.1 200 OK\r\n", [(b"Content-Length", b": ", b"5", b"\r\n")] * 2, "GET", False, b"")
@example(b"HTTP/1.1 200 OK\r\n", [(b"Transfer-Encoding", b": ", b"5", b"\r\n")], "GET", False, b"")
@example(b"HTTP/1.1 200 OK\r\n", [(b"Content-Length", b": ", b"chunked", b"\r\n")], "GET", False, b"")
def test_heads_mean_the_same_with_and_without_h11(
    status_line: bytes, lines: list[tuple[bytes, ...]], method: str, upgrade: bool, rest: bytes
) -> None:
    head = status_line + b"".join(map(b"".join, lines)) + b"\r\n"

    def parsed(*blocks: bytes) -> object:
        parser = HeadParser(method, upgrade=upgrade)
        try:
            found = [head for block in blocks if (head := parser.feed(block)) is not None]
        except InvalidResponse:
            return "invalid"
        return [(*item._replace(headers=dict(item.headers)), parser.rest) for item in found]

    assert parsed(head + rest) == parsed(head[:1], head[1:] + rest)  # h11 parses data in two blocks
