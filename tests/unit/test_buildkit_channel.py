"""gRPC over HTTP/2 as server and client: complete, truncated, slow, huge and random data."""

from __future__ import annotations

import os
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

import h2.connection
import h2.frame_buffer
import pytest
from buildkit_engine import Peer
from hypothesis import given
from hypothesis import strategies as st

from dockerkit.builder.buildkit import grpc, messages
from dockerkit.builder.buildkit.call import RpcCall
from dockerkit.builder.buildkit.channel import Channel
from dockerkit.builder.buildkit.grpc import GrpcError, MessageParser, framed


def answer(call: RpcCall) -> None:
    if call.path == "/echo":
        while (message := call.receive()) is not None:
            call.send(message)
    elif call.path == "/count":
        total = 0
        while (message := call.receive()) is not None:
            total += len(message)
        call.send(str(total).encode())
    elif call.path == "/headers":
        call.send(str(len(call.values("p"))).encode())
    elif call.path == "/many":
        for number in range(10_000):
            call.send(b"%d" % number, flush=False)
    elif call.path == "/crash":
        raise ZeroDivisionError("divided")
    elif call.path == "/early":
        raise GrpcError(grpc.NOT_FOUND, "no ü 100%")
    else:
        raise GrpcError(grpc.UNIMPLEMENTED, "unknown")


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    """A client and a server."""
    left, right = socket.socketpair()
    server, client = Channel(left, serve=answer, name="server"), Channel(right, name="client")
    yield client, server
    client.close()
    server.close()
    assert quiet()


@pytest.fixture
def peer() -> Iterator[Peer]:
    """The engine's end of a server."""
    left, right = socket.socketpair()
    server = Channel(left, serve=answer, name="server")
    peer = Peer(right)
    yield peer
    peer.close()
    server.close()
    assert quiet()


def quiet() -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not [thread for thread in threading.enumerate() if thread.name.startswith("dockerkit")]:
            return True
        time.sleep(0.005)
    return False


# -- the framing -----------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=300)), st.lists(st.integers(1, 50), min_size=1))
def test_messages_survive_any_chunking(sent: list[bytes], sizes: list[int]) -> None:
    data = b"".join(map(framed, sent))
    parser, got, at, number = MessageParser(), [], 0, 0
    while at < len(data):
        size = sizes[number % len(sizes)]
        got += parser.feed(data[at : at + size])
        at, number = at + size, number + 1
    assert got == sent
    assert parser.pending == 0


@given(st.binary(max_size=200))
def test_random_bytes_parse_or_raise(data: bytes) -> None:
    parser = MessageParser()
    try:
        got = parser.feed(data)
    except GrpcError:
        return
    assert b"".join(map(framed, got)) + bytes(parser._data) == data


def test_too_large_and_compressed_messages_are_refused() -> None:
    for head in (struct.pack(">BI", 0, grpc.MAX_MESSAGE + 1), struct.pack(">BI", 1, 3)):
        with pytest.raises(GrpcError):
            MessageParser().feed(head)


@given(st.text())
def test_error_messages_survive_encoding(text: str) -> None:
    headers = dict(grpc.trailers(5, text))
    assert all(31 < ord(char) < 127 for char in headers.get("grpc-message", ""))
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    failure = grpc.outcome(headers)
    assert failure is not None and failure.message == text and failure.status == 5


@given(st.dictionaries(st.sampled_from(["grpc-status", "grpc-message", "grpc-status-details-bin"]), st.text()))
def test_outcome_accepts_any_headers(headers: dict[str, str]) -> None:
    failure = grpc.outcome(headers)
    assert failure is None or isinstance(failure.details, bytes)


# -- both ends are dockerkit's ----------------------------------------------------------------------------------------------


def test_sends_and_receives_messages(pair: tuple[Channel, Channel]) -> None:
    client, _ = pair
    call = client.call("/echo")
    for message in (b"", b"a", b"x" * 100_000):
        call.send(message)
        assert call.receive(5) == message
    call.finish()
    assert call.receive(5) is None
    many = client.call("/many")
    assert [many.receive(5) for _ in range(10_001)] == [*(b"%d" % number for number in range(10_000)), None]


def test_sends_huge_messages_in_both_directions_at_once(pair: tuple[Channel, Channel]) -> None:
    client, _ = pair
    content = os.urandom(3 * 1024 * 1024)
    results: list[bool] = []

    def run() -> None:
        call = client.call("/echo")
        sender = threading.Thread(target=lambda: [call.send(content) for _ in range(2)] and call.finish())
        sender.start()
        results.append([call.receive(30) for _ in range(2)] == [content] * 2 and call.receive(30) is None)
        sender.join()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [True] * 3


def test_reports_failures(pair: tuple[Channel, Channel]) -> None:
    client, _ = pair
    for path, status, text in (("/early", 5, "no ü 100%"), ("/crash", 2, "divided"), ("/none", 12, "unknown")):
        with pytest.raises(GrpcError, match=text) as caught:
            client.call(path).unary(messages.BytesMessage(), "BytesMessage", 5)
        assert caught.value.status == status


def test_h2_still_has_the_internals_that_the_channel_replaces() -> None:
    """The only names of h2 in use that are not part of its public API; a new version may lack them."""
    buffer = h2.connection.H2Connection().incoming_buffer
    assert type(buffer) is h2.frame_buffer.FrameBuffer
    assert (buffer._headers_buffer, buffer.max_frame_size) == ([], 0)
    assert buffer._update_header_buffer(None) is None


def test_accepts_more_header_frames_than_h2(peer: Peer) -> None:
    encode = peer.h2.encoder.encode
    peer.h2.encoder.encode = lambda headers: encode(headers, huffman=False)
    assert peer.unary("/headers", b"", [("p", "x" * 1_200_000)]) == b"1"  # 73 CONTINUATION frames
    assert peer.unary("/headers", b"", [("p", f"pattern {n}") for n in range(3000)]) == b"3000"


def test_cancel_and_close_wake_all_waiters(pair: tuple[Channel, Channel]) -> None:
    client, server = pair
    cancelled, closed = client.call("/echo"), client.call("/echo")
    threading.Timer(0.05, cancelled.cancel).start()
    with pytest.raises(GrpcError, match="cancelled"):
        cancelled.receive(5)
    threading.Timer(0.05, client.close).start()
    with pytest.raises(GrpcError, match="ended"):
        closed.receive(5)
    with pytest.raises(GrpcError, match="closed"):
        client.call("/echo")
    with pytest.raises(GrpcError):
        closed.send(b"x")


def test_sender_waits_for_a_slow_reader(pair: tuple[Channel, Channel]) -> None:
    client, _ = pair
    call = client.call("/echo")
    sent = 0

    def send() -> None:
        nonlocal sent
        try:
            for _ in range(1000):
                call.send(b"x" * 32_768)
                sent += 1
        except GrpcError:
            pass

    thread = threading.Thread(target=send)
    thread.start()
    time.sleep(0.1)
    stuck = sent
    assert stuck * 32_768 < 8 * 1024 * 1024  # only windows and buffers
    for _ in range(100):
        assert call.receive(5) == b"x" * 32_768
    deadline = time.monotonic() + 5
    while sent <= stuck and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sent > stuck
    call.cancel()
    thread.join(5)
    assert not thread.is_alive()


def test_receive_times_out(pair: tuple[Channel, Channel]) -> None:
    call = pair[0].call("/echo")
    with pytest.raises(TimeoutError):
        call.receive(0.01)
    with pytest.raises(TimeoutError):
        call.receive(until=lambda: True)


# -- the other end is h2 itself --------------------------------------------------------------------------------------


def test_serves_a_peer(peer: Peer) -> None:
    assert peer.unary("/count", b"x" * 5_000_000) == b"5000000"
    assert peer.status() == (0, "")
    assert peer.unary("/none") is None
    assert peer.status() == (12, "unknown")


def test_honours_small_windows(peer: Peer) -> None:
    peer.hold = True
    number = peer.start("/many")
    time.sleep(0.1)
    while len(peer.data[number]) < 65_535:
        assert peer.step()
    assert len(peer.data[number]) == 65_535
    assert peer.unary("/none") is None  # other calls continue
    peer.hold = False
    peer.h2.acknowledge_received_data(65_535, number)
    peer.flush()
    got = []
    while (message := peer.message(number)) is not None:
        got.append(message)
    assert got == [b"%d" % n for n in range(10_000)]


def test_peer_that_resets_a_call_ends_its_handler(peer: Peer) -> None:
    number = peer.start("/echo")
    peer.send(number, b"x" * 10)
    assert peer.message(number) == b"x" * 10
    peer.h2.reset_stream(number)
    peer.flush()
    assert peer.unary("/count", b"1") == b"1"
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not [thread for thread in threading.enumerate() if thread.name == "dockerkit/echo"]:
            return
        time.sleep(0.005)
    raise AssertionError("the handler goes on")


def test_compressed_message_fails_only_its_call(peer: Peer) -> None:
    number = peer.start("/count")
    peer.h2.send_data(number, b"\1\0\0\0\1x")
    peer.flush()
    assert peer.message(number) is None
    assert number in peer.reset or peer.headers[number].get("grpc-status") not in (None, "0")
    assert peer.unary("/count", b"1") == b"1"


@pytest.mark.parametrize("cut", range(0, 200, 17))
def test_lost_connection_ends_all_calls(cut: int) -> None:
    left, right = socket.socketpair()
    recorded: list[bytes] = []
    recorder = Peer.__new__(Peer)
    recorder.sock = type(
        "Sink", (), {"sendall": lambda self, data: recorded.append(data), "settimeout": lambda self, t: None}
    )()
    Peer.__init__(recorder, recorder.sock)
    number = recorder.start("/echo", [("dir-name", "context")])
    recorder.h2.send_data(number, framed(b"hello"))
    recorder.flush()
    data = b"".join(recorded)
    server = Channel(left, serve=answer, name="server")
    right.sendall(data[:cut])
    right.close()
    deadline = time.monotonic() + 5
    while not server.closed and time.monotonic() < deadline:
        time.sleep(0.002)
    assert server.closed
    server.close()
    assert quiet()


def _feed(data: bytes, *, client: bool) -> BaseException | None:
    left, right = socket.socketpair()
    channel = Channel(left, serve=None if client else answer, name="fuzzed")
    call = channel.call("/x") if client else None
    try:
        right.settimeout(5)
        try:
            right.sendall(data)
            right.shutdown(socket.SHUT_WR)
            while right.recv(65536):
                pass
        except OSError:
            pass
        channel._thread.join(5)
        assert channel.closed
        if call is not None:
            with pytest.raises((GrpcError, TimeoutError)):
                while call.receive(5) is not None:
                    pass
                raise GrpcError(0, "")
    finally:
        right.close()
        channel.close()
    return channel.failure


_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
_frames = st.lists(
    st.builds(
        lambda kind, flags, stream, body: len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body,
        st.integers(0, 12), st.integers(0, 255), st.integers(0, 5), st.binary(max_size=60),
    ),
    max_size=8,
)  # fmt: skip


@given(_frames, st.booleans())
def test_channel_survives_random_frames(frames: list[bytes], client: bool) -> None:
    _feed((b"\0\0\0\4\0\0\0\0\0" if client else _PREFACE) + b"".join(frames), client=client)


@given(st.binary(max_size=200), st.booleans())
def test_channel_survives_random_bytes(data: bytes, client: bool) -> None:
    _feed(data, client=client)


def test_reports_a_server_that_speaks_http_1() -> None:
    failure = _feed(b"HTTP/1.1 400 Bad Request\r\n\r\n", client=True)
    assert "does not speak HTTP/2" in str(failure)


def test_long_run_of_continuation_frames_is_refused_not_followed() -> None:
    head = (1).to_bytes(3, "big") + b"\x01\x00" + (1).to_bytes(4, "big") + b"\x82"
    more = (16_000).to_bytes(3, "big") + b"\x09\x00" + (1).to_bytes(4, "big") + b"\0" * 16_000
    assert _feed(_PREFACE + head + more * 1080, client=False) is not None


def test_channel_survives_mutated_conversations() -> None:
    rng = random.Random(7)
    recorded: list[bytes] = []
    recorder = Peer.__new__(Peer)
    sink = type("Sink", (), {"sendall": lambda self, data: recorded.append(data), "settimeout": lambda self, t: None})()
    Peer.__init__(recorder, sink)
    number = recorder.start("/echo", [("dir-name", "context")])
    recorder.h2.send_data(number, framed(b"hello" * 20))
    recorder.h2.end_stream(number)
    recorder.flush()
    good = b"".join(recorded)
    for _ in range(40):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            bad[rng.randrange(24, len(bad))] = rng.randrange(256)
        _feed(bytes(bad), client=False)
    assert quiet()


# -- signal handlers, finalizers and handlers that hang --------------------------------------------------------------


def test_cancel_and_stop_never_wait_for_a_lock(pair: tuple[Channel, Channel]) -> None:
    """A finalizer or signal handler may run while its own thread holds the lock."""
    client, _ = pair
    call = client.call("/echo")
    with client.lock:
        call.cancel()
        call.poke()
        client.stop()
    with pytest.raises(GrpcError):
        call.receive(5)


def test_close_does_not_wait_for_a_hanging_handler() -> None:
    hang, hanging = threading.Event(), threading.Semaphore(0)

    def serve(_: RpcCall) -> None:
        hanging.release()
        hang.wait()

    left, right = socket.socketpair()
    server, client = Channel(left, serve=serve, name="server"), Channel(right, name="client")
    try:
        for _ in range(5):
            client.call("/hang").finish()
        for _ in range(5):
            assert hanging.acquire(timeout=5)
        server.close()
        assert server.closed
        assert sum(thread.name == "dockerkit/hang" for thread in threading.enumerate()) == 5
    finally:
        hang.set()
        client.close()
    assert quiet()


def test_interruption_at_any_point_of_receiving_leaves_the_channel_usable(pair: tuple[Channel, Channel]) -> None:
    client, _ = pair
    for point in range(1, 200):
        call = client.call("/echo")
        call.send(b"x")
        remaining = point

        def trace(frame: FrameType, event: str, arg: object) -> object:
            nonlocal remaining
            frame.f_trace_opcodes = True
            if event == "opcode" and frame.f_code.co_filename.endswith(("call.py", "channel.py")):
                remaining -= 1
                if not remaining:
                    raise KeyboardInterrupt
            return trace

        tracing = sys.gettrace()  # coverage's own
        sys.settrace(trace)
        try:
            call.receive(5)
        except KeyboardInterrupt:
            pass
        else:
            break
        finally:
            sys.settrace(tracing)
        call.cancel()
        assert client.lock.acquire(timeout=5)
        client.lock.release()
    else:
        pytest.fail("receiving was always interrupted")
    call = client.call("/echo")
    call.send(b"x")
    assert call.receive(5) == b"x"
