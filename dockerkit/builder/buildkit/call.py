"""One gRPC call on a channel, as client or as server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from queue import Empty
from typing import TYPE_CHECKING, Any, Final, cast

from dockerkit import runtime
from dockerkit.builder.buildkit import grpc, messages
from dockerkit.builder.buildkit.grpc import GrpcError

if TYPE_CHECKING:
    from queue import SimpleQueue

    from dockerkit.builder.buildkit.channel import Channel

__all__ = ["BUFFERED", "RpcCall"]

BUFFERED = 256 * 1024
"""Maximum number of queued bytes; more makes the sender wait."""

_FLUSH_SIZE = 32 * 1024  # bytes of small messages that are worth flushing
_LARGE = 512 * 1024
_PIECE_SIZE = 32 * 1024
_CANCEL = 8  # HTTP/2's error code for "no longer wanted"


class _Poke:
    """Queue item that makes ``receive`` check ``until`` again."""


_POKE: Final = _Poke()


class RpcCall:
    """A bidirectional stream of messages, open until both sides have finished. Thread-safe.

    Receiving and cancelling take no lock: a signal may interrupt them at any point, and a finalizer may cancel.
    """

    def __init__(
        self, channel: Channel, number: int, path: str, metadata: Iterable[tuple[str, str]] = (), *, ours: bool
    ) -> None:
        self.path = path
        self.metadata: list[tuple[str, str]] = list(metadata)
        self.ours = ours
        self.number = number
        # Used by the channel's thread, under its lock:
        self.output: bytearray = bytearray()
        self.last: list[tuple[str, str]] | None = None
        self.headers_sent = False
        self.input_ended: bool = False
        self.starved: bool = False
        self.credit: int = 0
        self._channel = channel
        self._changed = runtime.Condition(channel.lock)
        self._parser = grpc.MessageParser()
        self._acknowledged = 0  # bytes of the unfinished message
        # Messages with the number of bytes to acknowledge for each; at the end None, or why the call failed.
        self._inbox: SimpleQueue[tuple[bytes, int] | GrpcError | _Poke | None] = runtime.SimpleQueue()
        self._unacknowledged = 0  # bytes received but not yet acknowledged to the channel
        self._headers: dict[str, str] = {}
        self._failure: GrpcError | None = None
        self._finished = self._closed = False
        self._end_callbacks: list[Callable[[], object]] = []

    # -- for the code that makes or serves the call ----------------------------------------------------------------

    def header(self, name: str) -> str:
        """Return a metadata value; "" if it is missing."""
        return next((value for key, value in self.metadata if key == name), "")

    def values(self, name: str) -> list[str]:
        """Return all metadata values of a name."""
        return [value for key, value in self.metadata if key == name]

    def receive(self, timeout: float | None = None, *, until: Callable[[], bool] | None = None) -> bytes | None:
        """Return the next message; None after the other side's last one.

        Args:
            timeout: seconds to wait; None to wait indefinitely.
            until: stop condition, checked at each :meth:`poke`; once it is true, the wait ends.

        Raises:
            TimeoutError: no message arrived in time.
            GrpcError: the call failed or was cancelled.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        if self.output:
            self._channel.wake()
        while True:
            waiting = self._inbox.empty()
            remaining = None if deadline is None else max(deadline - time.monotonic(), 0)
            try:
                if waiting and until is not None and until():
                    raise Empty
                item = self._inbox.get(timeout=remaining)
            except Empty:
                raise TimeoutError(f"no message of {self.path} arrived in time") from None
            if isinstance(item, _Poke):
                continue
            if not isinstance(item, tuple):
                self._inbox.put(item)  # for later calls of receive
                if item is not None:
                    raise item
                return None
            message, unacknowledged = item
            self._unacknowledged += unacknowledged
            starved = self._inbox.empty()
            if starved or self._unacknowledged >= BUFFERED:
                self._channel.post(partial(self._acknowledge, self._unacknowledged, starved))
                self._unacknowledged = 0
            return message

    def _acknowledge(self, unacknowledged: int, starved: bool) -> None:
        self.credit += unacknowledged
        self.starved = starved

    def each(self, kind: str, timeout: float | None = None) -> Iterator[Any]:
        """Yield the messages of the other side, all of the same kind, until its last one."""
        while (message := self.receive(timeout)) is not None:
            yield messages.parse(kind, message)

    def send(self, message: Any, *, flush: bool = True) -> None:
        """Send a message or its bytes; wait while too many bytes are queued.

        Without `flush`, it may be delayed until the next receive or finish.
        """
        data = message if isinstance(message, bytes) else message.SerializeToString()
        with self._channel.lock:  # not the condition's own `with`: a signal inside it would leave the lock held
            while len(self.output) >= BUFFERED and self._failure is None and not self._closed:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            if self._closed or self._finished:
                raise GrpcError(grpc.CANCELLED, "the call has ended")
            queued = len(self.output)
            self.output += b"\0" + len(data).to_bytes(4, "big")
            self.output += data
            wake = flush or queued < _FLUSH_SIZE <= len(self.output) or len(self.output) >= BUFFERED
        if wake:
            self._channel.wake()

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as messages of at most 32 KiB."""
        for offset in range(0, len(data), _PIECE_SIZE):
            self.send(messages.BytesMessage(data=data[offset : offset + _PIECE_SIZE]))

    def request(self, message: Any) -> None:
        """Send a message that is the complete request."""
        self.send(message)
        self.finish()

    def finish(self, status: int = grpc.OK, message: str = "") -> None:
        """Complete the response, or the request if this side started the call. Further calls do nothing."""
        with self._channel.lock:
            if self._finished or self._closed:
                return
            self._finished = True
            self.last = grpc.trailers(status, message)
        self._channel.wake()

    def unary(self, request: Any, kind: str, timeout: float | None = None) -> Any:
        """Send a single request and wait for a single response of the given kind."""
        self.request(request)
        return self.response(kind, timeout)

    def response(self, kind: str, timeout: float | None = None) -> Any:
        """Wait for a single response of the given kind."""
        message = self.receive(timeout)
        if message is not None and self.receive(timeout) is not None:  # a failure would also arrive after the message
            raise GrpcError(grpc.INTERNAL, f"{self.path} returned more than one response")
        return messages.parse(kind, message)

    def cancel(self) -> None:
        """Cancel the call and notify the other side. Never blocks, so signal handlers and finalizers may call it."""
        self._channel.post(self._cancel)

    def _cancel(self) -> None:
        if not self._closed:
            self._channel.abandon(self.number, _CANCEL)
            self.fail(GrpcError(grpc.CANCELLED, "the call was cancelled"))

    def on_end(self, action: Callable[[], object]) -> None:
        """Register a callback for the end of the call. It runs under the channel's lock and may wake other waiters."""
        with self._channel.lock:
            if self._closed:
                action()
            else:
                self._end_callbacks.append(action)

    def poke(self) -> None:
        """Wake a waiting :meth:`receive` so that it checks `until` again."""
        self._inbox.put(_POKE)

    @property
    def ended(self) -> bool:
        """Return whether the other side has sent its last message."""
        return self._failure is not None or self.input_ended

    # -- for the channel's thread, with its lock held ------------------------------------------------------------

    @property
    def has_output(self) -> bool:
        return bool(self.output) or self.last is not None

    def handle_data(self, data: bytes, length: int) -> None:
        """Handle received bytes, `length` including padding. They are acknowledged once their message is read; those of
        a message too large for the window immediately, since it could not be completed otherwise.
        """
        try:
            completed = self._parser.feed(data)
        except GrpcError as error:
            self._channel.abandon(self.number, _CANCEL)
            self.fail(error)
            return
        self.credit += length - len(data)
        for message in completed:
            self._inbox.put((message, len(message) + 5 - self._acknowledged))
            self._acknowledged = 0
        if self._parser.message_size > _LARGE:
            self.credit += self._parser.pending - self._acknowledged
            self._acknowledged = self._parser.pending
            self.starved = True

    def handle_headers(self, headers: Iterable[tuple[Any, Any]]) -> None:
        self._headers.update(cast("Iterable[tuple[str, str]]", headers))

    def handle_end(self) -> None:
        self.input_ended = True
        if self.ours:
            self._failure = self._failure or grpc.outcome(self._headers)
            self.close()
        self._inbox.put(self._failure)

    def fail(self, failure: GrpcError) -> None:
        if not self._closed:
            self._failure = self._failure or failure
            self.close()
            self._inbox.put(self._failure)

    def drained(self) -> None:
        self._changed.notify_all()

    def close(self) -> None:
        """Mark the call as ended and wake all waiters."""
        self._closed = True
        actions, self._end_callbacks = self._end_callbacks, []
        for action in actions:
            action()
        self._changed.notify_all()
