"""gRPC calls over one socket, in both roles: BuildKit calls the client in a session, and the client starts builds.

h2 implements HTTP/2; this module drives it. One thread owns the socket, because a TLS socket can't be read and written
by two. Each incoming call is served by its own thread. One lock guards the state of h2, and only senders wait for it:
cancelling, receiving and closing post to the thread instead (:meth:`Channel.post`), because signal handlers and
finalizers do these too and may interrupt the holder of the lock.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.frame_buffer
import h2.settings

from dockerkit import runtime
from dockerkit.builder.buildkit import grpc
from dockerkit.builder.buildkit.call import BUFFERED, RpcCall
from dockerkit.builder.buildkit.grpc import GrpcError

if TYPE_CHECKING:
    from hyperframe.frame import Frame

__all__ = ["Channel"]

_READ = 64 * 1024
_WINDOW = 1024 * 1024
_HEADERS = 16 * 1024 * 1024  # .dockerignore patterns and names in COPY arrive as headers, so there may be many
_NOT_READY = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_GOAWAY_SECONDS = 0.5
_CLOSE_SECONDS = 1.0  # total for all threads; one blocked in a credential helper ends at its own timeout


class _Frames(h2.frame_buffer.FrameBuffer):
    """Limits headers by bytes, where h2 rejects more than 64 frames (1 MiB)."""

    def _update_header_buffer(self, f: Frame | None) -> Frame | None:
        parts = self._headers_buffer
        if len(parts) > 32:
            parts[0].data = b"".join(part.data for part in parts)
            del parts[1:]
            if len(parts[0].data) > _HEADERS:
                raise h2.exceptions.ProtocolError("the headers of a call are too large")
        return super()._update_header_buffer(f)


class Channel:
    """An HTTP/2 connection for gRPC calls, on a connected socket that the channel closes.

    `initial_data` has bytes already read from it. `serve` handles each incoming call in a thread; without it, this side
    is the client. `release` is called once the socket is unused. `failure` is the error that ended the connection, or
    None if this side closed it.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        initial_data: bytes = b"",
        serve: Callable[[RpcCall], None] | None = None,
        release: Callable[[], None] | None = None,
        name: str = "buildkit",
    ) -> None:
        self.failure: BaseException | None = None
        self.lock: threading.Lock = runtime.Lock()
        self._socket = sock
        self._initial_data = initial_data
        self._serve = serve
        self._release = release
        self._name = name
        self._calls: dict[int, RpcCall] = {}
        self._threads: set[threading.Thread] = set()
        self._outgoing = bytearray()
        self._posted: deque[Callable[[], object]] = deque()
        self._closing = self._ended = self._received_data = False
        self._h2 = _connection(client=serve is None)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(2**30)  # flow control is left to the calls' own windows
        self._wake_out, self._wake_in = socket.socketpair()
        for end in (self._wake_out, self._wake_in, sock):
            end.setblocking(False)
        self._thread = runtime.Thread(self._run, name=f"dockerkit-{name}")
        self._thread.start()

    # -- callable from any thread --------------------------------------------------------------------------------

    def call(self, path: str, metadata: Iterable[tuple[str, str]] = ()) -> RpcCall:
        """Start a call and return it."""
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
            if self._closing or self._ended:
                raise GrpcError(grpc.UNAVAILABLE, f"the connection to BuildKit is closed{self._failure_suffix()}")
            number = self._h2.get_next_available_stream_id()
            self._h2.send_headers(number, headers)
            call = self._calls[number] = RpcCall(self, number, path, ours=True)
        self.wake()
        return call

    def wake(self) -> None:
        """Wake the thread to send queued data."""
        with contextlib.suppress(OSError):  # a full buffer also raises, and wakes the thread anyway
            self._wake_in.send(b"\0")

    def post(self, action: Callable[[], object]) -> None:
        """Run an action in the channel's thread with the lock held. Never blocks."""
        self._posted.append(action)
        self.wake()

    @property
    def closed(self) -> bool:
        """Return whether the channel has ended."""
        return self._ended

    def stop(self) -> None:
        """Send GOAWAY and end all calls. Never blocks."""
        if not self._closing:
            self._closing = True
            self.post(self._send_goaway)

    def _send_goaway(self) -> None:
        with contextlib.suppress(h2.exceptions.ProtocolError):
            self._h2.close_connection()

    def close(self) -> None:
        """Stop the channel and wait at most one second for its threads and socket to end."""
        self.stop()
        deadline = time.monotonic() + _CLOSE_SECONDS
        for thread in (self._thread, *list(self._threads)):
            if thread is not runtime.current_thread():
                thread.join(max(deadline - time.monotonic(), 0))

    def abandon(self, number: int, code: int) -> None:
        """Reset a call; requires the lock."""
        with contextlib.suppress(h2.exceptions.ProtocolError):
            self._h2.reset_stream(number, code)
        self._calls.pop(number, None)

    def _failure_suffix(self) -> str:
        return f": {self.failure}" if self.failure else ""

    # -- the channel's thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._loop()
        except Exception as error:
            self.failure = error
        finally:
            self._end()

    def _loop(self) -> None:
        alive = not self._initial_data or self._process(self._initial_data)
        deadline = None
        while alive:
            with self.lock:
                while self._posted:
                    self._posted.popleft()()
                self._flush()
                closing = self._closing
            if closing:
                deadline = deadline or time.monotonic() + _GOAWAY_SECONDS
                if not self._outgoing or time.monotonic() >= deadline:
                    return
            wake, link = self._wake_out.fileno(), self._socket.fileno()
            interests = {wake: runtime.READ, link: runtime.READ | (runtime.WRITE if self._outgoing else 0)}
            pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
            ready = runtime.wait_any(interests, 0 if pending else 0.1 if closing else None)
            if wake in ready:
                with contextlib.suppress(BlockingIOError):
                    self._wake_out.recv(4096)
            if ready.get(link, 0) & ~runtime.WRITE:  # readable, or broken
                alive = self._read()
            if pending and alive:
                alive = self._read()
            self._write()

    def _read(self) -> bool:
        """Process received data and return whether the connection stays open."""
        try:
            data = self._socket.recv(_READ)
        except _NOT_READY:
            return True
        return self._process(data)

    def _write(self) -> None:
        while self._outgoing:
            try:
                sent = self._socket.send(memoryview(self._outgoing)[: 256 * 1024])
            except _NOT_READY:
                return
            del self._outgoing[:sent]

    def _process(self, data: bytes) -> bool:
        if not data:
            if not self._closing:
                self.failure = ConnectionError("the engine closed the connection")
            return False
        if not self._received_data and data.startswith(b"HTTP/1"):
            self.failure = ConnectionError("the engine does not speak HTTP/2 here")
            return False
        self._received_data = True
        with self.lock:
            events = self._h2.receive_data(data)
            results = [self._handle(event) for event in events]  # every event is processed, even after the first False
            return all(results)

    def _handle(self, event: h2.events.Event) -> bool:
        """Process an event of h2, with the lock held, and return whether the connection stays open."""
        if isinstance(event, h2.events.RequestReceived):
            self._accept(event)
        elif isinstance(event, h2.events.ConnectionTerminated):
            if event.error_code and not self._closing:
                self.failure = ConnectionError(f"the engine ended the connection with HTTP/2 error {event.error_code}")
            return bool(self._calls) and not event.error_code  # a graceful shutdown lets open calls finish
        elif (call := self._calls.get(getattr(event, "stream_id", None) or 0)) is not None:
            if isinstance(event, h2.events.DataReceived):
                call.handle_data(event.data, event.flow_controlled_length)
            elif isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                call.handle_headers(event.headers)
            elif isinstance(event, h2.events.StreamEnded):
                call.handle_end()
                if call.ours:
                    self.abandon(call.number, h2.errors.ErrorCodes.CANCEL)  # in case this side has not finished sending
            elif isinstance(event, h2.events.StreamReset):
                call.fail(GrpcError(grpc.CANCELLED, "the other side cancelled the call"))
                self._forget(call)
        elif isinstance(event, h2.events.DataReceived) and event.stream_id:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        return True

    def _accept(self, event: h2.events.RequestReceived) -> None:
        headers = cast("list[tuple[str, str]]", event.headers)  # h2 decodes them
        number = event.stream_id
        call = RpcCall(self, number, dict(headers).get(":path", ""), headers, ours=False)
        self._calls[number] = call
        thread = runtime.Thread(self._run_handler, (call,), name=f"dockerkit{call.path}")
        self._threads.add(thread)
        thread.start()

    def _run_handler(self, call: RpcCall) -> None:
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
            self._threads.discard(runtime.current_thread())

    def _flush(self) -> None:
        """Convert the calls' queued messages to bytes, with the lock held."""
        for call in list(self._calls.values()):
            if call.credit and (call.credit >= _WINDOW // 4 or call.starved):
                with contextlib.suppress(h2.exceptions.ProtocolError):
                    self._h2.acknowledge_received_data(call.credit, call.number)
                call.credit, call.starved = 0, False
            if call.has_output and len(self._outgoing) < BUFFERED:
                try:
                    self._send(call)
                except h2.exceptions.StreamClosedError:
                    call.fail(GrpcError(grpc.CANCELLED, "the other side ended the call"))
                    self._forget(call)
        self._outgoing += self._h2.data_to_send()

    def _send(self, call: RpcCall) -> None:
        number, output = call.number, call.output
        if self._serve is not None and not call.headers_sent and output:
            self._h2.send_headers(number, [(":status", "200"), ("content-type", "application/grpc")])
            call.headers_sent = True
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
        head = [] if call.headers_sent else [(":status", "200"), ("content-type", "application/grpc")]
        self._h2.send_headers(number, [*head, *call.last], end_stream=True)
        call.last = None
        if not call.input_ended:
            self._h2.reset_stream(number, h2.errors.ErrorCodes.NO_ERROR)
        self._forget(call)
        call.close()

    def _forget(self, call: RpcCall) -> None:
        self._calls.pop(call.number, None)

    def _end(self) -> None:
        """End all calls after the connection has ended."""
        with self.lock:
            self._ended = True
            calls, self._calls = list(self._calls.values()), {}
            for call in calls:
                call.fail(GrpcError(grpc.UNAVAILABLE, f"the connection to BuildKit ended{self._failure_suffix()}"))
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
