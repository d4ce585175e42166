"""gRPC calls over one socket, in either role: BuildKit calls us in a session, and we call it to start builds.

HTTP/2 itself is h2's; this is its driver. One thread owns the socket, because a TLS socket can't be read and written
by two. Calls are answered by a thread each. All state is guarded by one lock, and whoever waits for a call waits on
that call's condition, so closing the channel wakes everybody.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.frame_buffer
import h2.settings

from dockerkit.build.buildkit import grpc
from dockerkit.build.buildkit.call import BUFFERED, Call
from dockerkit.build.buildkit.grpc import GrpcError

if TYPE_CHECKING:
    from hyperframe.frame import Frame

__all__ = ["Channel"]

_READ = 64 * 1024
_WINDOW = 1024 * 1024
_HEADERS = 16 * 1024 * 1024  # patterns of .dockerignore and names in COPY come as headers, so there may be many
_GOODBYE_SECONDS = 1.0
_JOIN_SECONDS = 10.0


class _Frames(h2.frame_buffer.FrameBuffer):
    """h2 refuses headers in more than 64 frames (1 MiB); the bound here is one of bytes."""

    def _update_header_buffer(self, f: Frame | None) -> Frame | None:
        parts = self._headers_buffer
        if len(parts) > 32:
            parts[0].data = b"".join(part.data for part in parts)
            del parts[1:]
            if len(parts[0].data) > _HEADERS:
                raise h2.exceptions.ProtocolError("the headers of a call are too large")
        return super()._update_header_buffer(f)


class Channel:
    """An HTTP/2 connection with gRPC calls on it.

    Args:
        sock: connected; the channel closes it.
        early: what was read from it already.
        serve: answers a call, in a thread of its own; without it we are the client.
        release: called once the socket is no longer used.
        name: of its threads.

    Attributes:
        failure: why it ended, if it was not closed by us.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        early: bytes = b"",
        serve: Callable[[Call], None] | None = None,
        release: Callable[[], None] | None = None,
        name: str = "buildkit",
    ) -> None:
        self.failure: BaseException | None = None
        self.lock: threading.Lock = threading.Lock()
        self._socket = sock
        self._early = early
        self._serve = serve
        self._release = release
        self._name = name
        self._calls: dict[int, Call] = {}
        self._threads: set[threading.Thread] = set()
        self._outgoing = bytearray()
        self._closing = self._ended = self._greeted = False
        self._woken = False
        self._h2 = _connection(client=serve is None)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(2**30)  # what holds back are the calls' own windows
        self._wake_out, self._wake_in = socket.socketpair()
        for end in (self._wake_out, self._wake_in, sock):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"dockerkit-{name}", daemon=True)
        self._thread.start()

    # -- asked by anybody ----------------------------------------------------------------------------------------

    def call(self, path: str, metadata: Iterable[tuple[str, str]] = ()) -> Call:
        """Start a call; messages are sent and received on what is returned."""
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("user-agent", "dockerkit"),
            *metadata,
        ]
        with self.lock:
            self._check()
            number = self._h2.get_next_available_stream_id()
            self._h2.send_headers(number, headers)
            call = self._calls[number] = Call(self, number, path, ours=True)
        self.wake()
        return call

    def wake(self) -> None:
        """Have the thread look at what there is to send."""
        if not self._woken:
            self._woken = True
            with contextlib.suppress(OSError):
                self._wake_in.send(b"\0")

    @property
    def closed(self) -> bool:
        """Whether it came to its end."""
        return self._ended

    def close(self) -> None:
        """Say good-bye, end all calls, and wait until no thread and no socket is left."""
        with self.lock:
            if not self._closing and not self._ended:
                self._closing = True
                with contextlib.suppress(h2.exceptions.ProtocolError):
                    self._h2.close_connection()
        self._woken = False
        self.wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(_JOIN_SECONDS)
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(_JOIN_SECONDS)

    def abandon(self, number: int, code: int) -> None:
        """End a call from our side, with the lock held."""
        with contextlib.suppress(h2.exceptions.ProtocolError):
            self._h2.reset_stream(number, code)
        self._calls.pop(number, None)

    def _check(self) -> None:
        if self._closing or self._ended:
            raise GrpcError(grpc.UNAVAILABLE, f"the connection to BuildKit is closed{self._why()}")

    def _why(self) -> str:
        return f": {self.failure}" if self.failure else ""

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._wake_out, selectors.EVENT_READ)
                selector.register(self._socket, selectors.EVENT_READ)
                self._loop(selector)
        except Exception as error:
            self.failure = error
        finally:
            self._end()

    def _loop(self, selector: selectors.BaseSelector) -> None:
        alive = not self._early or self._take(self._early)
        deadline = None
        while alive:
            with self.lock:
                self._woken = False
                self._flush()
                closing = self._closing
            if closing:
                deadline = deadline or time.monotonic() + _GOODBYE_SECONDS
                if not self._outgoing or time.monotonic() >= deadline:
                    return
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
            selector.modify(self._socket, events)
            pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
            for key, ready in selector.select(0 if pending else 0.1 if closing else None):
                if key.fileobj is self._wake_out:
                    with contextlib.suppress(BlockingIOError):
                        self._wake_out.recv(4096)
                elif ready & selectors.EVENT_READ:
                    alive = self._read()
            if pending and alive:
                alive = self._read()
            self._write()

    def _read(self) -> bool:
        """Take what has come; whether the connection goes on."""
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError):
            return True
        return self._take(data)

    def _write(self) -> None:
        while self._outgoing:
            try:
                sent = self._socket.send(memoryview(self._outgoing)[: 256 * 1024])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError):
                return
            del self._outgoing[:sent]

    def _take(self, data: bytes) -> bool:
        if not data:
            if not self._closing:
                self.failure = ConnectionError("the engine closed the connection")
            return False
        if not self._greeted and data.startswith(b"HTTP/1"):
            self.failure = ConnectionError("the engine does not speak HTTP/2 here")
            return False
        self._greeted = True
        with self.lock:
            events = self._h2.receive_data(data)
            return False not in [self._handle(event) for event in events]  # all of them, also after the first False

    def _handle(self, event: h2.events.Event) -> bool:
        """What h2 says has happened, with the lock held; whether the connection goes on."""
        if isinstance(event, h2.events.RequestReceived):
            self._accept(event)
        elif isinstance(event, h2.events.ConnectionTerminated):
            if event.error_code and not self._closing:
                self.failure = ConnectionError(f"the engine ended the connection with HTTP/2 error {event.error_code}")
            return bool(self._calls) and not event.error_code  # a polite good-bye lets calls come to their end
        elif (call := self._calls.get(getattr(event, "stream_id", None) or 0)) is not None:
            if isinstance(event, h2.events.DataReceived):
                call.take(event.data, event.flow_controlled_length)
            elif isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                call.take_headers(event.headers)
            elif isinstance(event, h2.events.StreamEnded):
                call.take_end()
                if call.ours:
                    self.abandon(call.number, h2.errors.ErrorCodes.CANCEL)  # in case that we still had something to say
            elif isinstance(event, h2.events.StreamReset):
                call.break_off(GrpcError(grpc.CANCELLED, "the other side cancelled the call"))
                self._forget(call)
        elif isinstance(event, h2.events.DataReceived) and event.stream_id:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        return True

    def _accept(self, event: h2.events.RequestReceived) -> None:
        headers = [(_text(name), _text(value)) for name, value in event.headers]
        number = event.stream_id
        call = Call(self, number, dict(headers).get(":path", ""), headers, ours=False)
        self._calls[number] = call
        thread = threading.Thread(target=self._answer, args=(call,), name=f"dockerkit{call.path}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _answer(self, call: Call) -> None:
        assert self._serve is not None
        try:
            self._serve(call)
        except GrpcError as error:
            call.finish(error.status, error.message)
        except BaseException as error:
            call.finish(grpc.UNKNOWN, str(error) or type(error).__name__)
        else:
            call.finish()
        finally:
            self._threads.discard(threading.current_thread())

    def _flush(self) -> None:
        """Turn what calls have for the other side into bytes, with the lock held."""
        for call in list(self._calls.values()):
            if call.credit and (call.credit >= _WINDOW // 4 or call.starved):
                with contextlib.suppress(h2.exceptions.ProtocolError):
                    self._h2.acknowledge_received_data(call.credit, call.number)
                call.credit, call.starved = 0, False
            if call.has_output and len(self._outgoing) < BUFFERED:
                try:
                    self._send(call)
                except h2.exceptions.StreamClosedError:
                    call.break_off(GrpcError(grpc.CANCELLED, "the other side ended the call"))
                    self._forget(call)
        self._outgoing += self._h2.data_to_send()

    def _send(self, call: Call) -> None:
        number, output = call.number, call.output
        if self._serve is not None and not call.answered and output:
            self._h2.send_headers(number, [(":status", "200"), ("content-type", "application/grpc")])
            call.answered = True
        while output:
            room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size, len(output))
            if room <= 0:
                return
            with memoryview(output) as view:
                self._h2.send_data(number, bytes(view[:room]))
            del output[:room]
        call.drained()
        if call.last is None:
            return
        if self._serve is None:
            self._h2.end_stream(number)
            call.last = None
            return
        head = [] if call.answered else [(":status", "200"), ("content-type", "application/grpc")]
        self._h2.send_headers(number, [*head, *call.last], end_stream=True)
        call.last = None
        if not call.input_ended:
            self._h2.reset_stream(number, h2.errors.ErrorCodes.NO_ERROR)
        self._forget(call)
        call.close()

    def _forget(self, call: Call) -> None:
        self._calls.pop(call.number, None)

    def _end(self) -> None:
        """Nothing more will come or go."""
        with self.lock:
            self._ended = True
            calls, self._calls = list(self._calls.values()), {}
            for call in calls:
                call.break_off(GrpcError(grpc.UNAVAILABLE, f"the connection to BuildKit ended{self._why()}"))
        for sock in (self._wake_in, self._wake_out, self._socket):
            sock.close()
        if self._release is not None:
            self._release()


def _connection(*, client: bool) -> h2.connection.H2Connection:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=client, header_encoding="utf-8"))
    connection.incoming_buffer = _Frames(server=not client)
    connection.incoming_buffer.max_frame_size = connection.max_inbound_frame_size
    connection.decoder.max_header_list_size = _HEADERS
    codes = h2.settings.SettingCodes
    values = {
        codes.MAX_HEADER_LIST_SIZE: _HEADERS,
        codes.INITIAL_WINDOW_SIZE: _WINDOW,
        codes.MAX_CONCURRENT_STREAMS: 100,
    }
    connection.local_settings = h2.settings.Settings(client=client, initial_values=values)
    return connection


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
