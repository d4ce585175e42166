"""One gRPC call on a channel, from either side of it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from dockerkit.build.buildkit import grpc, messages
from dockerkit.build.buildkit.grpc import GrpcError

if TYPE_CHECKING:
    from dockerkit.build.buildkit.channel import Channel

__all__ = ["BUFFERED", "Call"]

BUFFERED = 256 * 1024
"""So many bytes may wait to be sent, before who sends more has to wait."""

_ENOUGH = 32 * 1024  # of small messages, to be sent at once
_LARGE = 512 * 1024
_CANCEL = 8  # HTTP/2's error code for "no longer wanted"


class Call:
    """Messages both ways, until each side says that it is done. Any thread may use it.

    Attributes:
        path: the service and method.
        metadata: the headers that it came with.
        ours: whether we made the call.
    """

    def __init__(
        self, channel: Channel, number: int, path: str, metadata: Iterable[tuple[str, str]] = (), *, ours: bool
    ) -> None:
        self.path = path
        self.metadata: list[tuple[str, str]] = list(metadata)
        self.ours = ours
        self.number = number
        # What the channel's thread works with, under its lock:
        self.output: bytearray = bytearray()
        self.last: list[tuple[str, str]] | None = None
        self.answered = False
        self.input_ended: bool = False
        self.starved: bool = False
        self.credit: int = 0
        self._channel = channel
        self._changed = threading.Condition(channel.lock)
        self._parser = grpc.MessageParser()
        self._paid = 0  # bytes of the unfinished message that were paid back
        self._messages: deque[tuple[bytes, int]] = deque()  # with the bytes of window that are owed for each
        self._headers: dict[str, str] = {}
        self._failure: GrpcError | None = None
        self._finished = self._closed = False
        self._at_end: list[Callable[[], object]] = []

    # -- for whoever makes or answers the call -------------------------------------------------------------------

    def header(self, name: str) -> str:
        """A value of the metadata; "" where there is none."""
        return next((value for key, value in self.metadata if key == name), "")

    def values(self, name: str) -> list[str]:
        """All values of a name in the metadata."""
        return [value for key, value in self.metadata if key == name]

    def receive(self, timeout: float | None = None, *, until: Callable[[], bool] | None = None) -> bytes | None:
        """The next message; None when the other side has sent its last one.

        Args:
            timeout: seconds to wait; None for ever.
            until: asked again at each :meth:`poke`; when it is true there is no more waiting.

        Raises:
            TimeoutError: none came in time.
            GrpcError: the call failed or was cancelled.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            if self.output:
                self._channel.wake()
            while not self._messages:
                if self._failure is not None:
                    raise self._failure
                if self.input_ended:
                    return None
                left = None if deadline is None else deadline - time.monotonic()
                if (left is not None and left <= 0) or (until is not None and until()):
                    raise TimeoutError(f"no message of {self.path} came in time")
                self._changed.wait(left)
            message, owed = self._messages.popleft()
            self.credit += owed
            self.starved = not self._messages
            wake = self.starved or self.credit >= BUFFERED
        if wake:
            self._channel.wake()
        return message

    def send(self, message: bytes, *, at_once: bool = True) -> None:
        """Send a message; waits while much is on its way already.

        Args:
            message: the message.
            at_once: without it the message may wait for others, until something is received or the call finished.

        Raises:
            GrpcError: the call has ended.
        """
        with self._changed:
            while len(self.output) >= BUFFERED and self._failure is None and not self._closed:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            if self._closed or self._finished:
                raise GrpcError(grpc.CANCELLED, "the call has ended")
            before = len(self.output)
            self.output += b"\0" + len(message).to_bytes(4, "big")
            self.output += message
            wake = at_once or before < _ENOUGH <= len(self.output) or len(self.output) >= BUFFERED
        if wake:
            self._channel.wake()

    def finish(self, status: int = grpc.OK, message: str = "") -> None:
        """The answer is complete, or the request is (where we made the call). More than once is once."""
        with self._changed:
            if self._finished or self._closed:
                return
            self._finished = True
            self.last = grpc.trailers(status, message)
        self._channel.wake()

    def ask(self, request: Any, answer: str, timeout: float | None = None) -> Any:
        """Send the only request and wait for the only answer, a message of the kind `answer`.

        Raises:
            GrpcError: the call failed.
            TimeoutError: no answer came in time.
        """
        self.send(request.SerializeToString())
        self.finish()
        return self.answer(answer, timeout)

    def answer(self, kind: str, timeout: float | None = None) -> Any:
        """Wait for the only answer, a message of that kind."""
        message = self.receive(timeout)
        if message is not None and self.receive(timeout) is not None:  # a failure, too, would come after the message
            raise GrpcError(grpc.INTERNAL, f"{self.path} answered more than once")
        return messages.parse(kind, message)

    def cancel(self) -> None:
        """End it at once; the other side is told."""
        with self._changed:
            if not self._closed:
                self._channel.abandon(self.number, _CANCEL)
                self.break_off(GrpcError(grpc.CANCELLED, "the call was cancelled"))
        self._channel.wake()

    def at_end(self, action: Callable[[], object]) -> None:
        """Have `action` called when the call ends, under the channel's lock: to wake who waits for something else."""
        with self._changed:
            if self._closed:
                action()
            else:
                self._at_end.append(action)

    def poke(self) -> None:
        """Wake who waits in :meth:`receive`, to ask its `until` again; for `at_end` of another call of this channel."""
        self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether all that the other side will send has come."""
        return self._failure is not None or self.input_ended

    # -- for the channel's thread, with its lock held ------------------------------------------------------------

    @property
    def has_output(self) -> bool:
        return bool(self.output) or self.last is not None

    def take(self, data: bytes, length: int) -> None:
        """Bytes have come, `length` with their padding. They are paid back when somebody takes their message; those of
        a message that is large for the window at once, since it could not come to its end otherwise.
        """
        try:
            whole = self._parser.feed(data)
        except GrpcError as error:
            self._channel.abandon(self.number, _CANCEL)
            self.break_off(error)
            return
        self.credit += length - len(data)
        for message in whole:
            self._messages.append((message, len(message) + 5 - self._paid))
            self._paid = 0
        if self._parser.wanted > _LARGE:
            self.credit += self._parser.pending - self._paid
            self._paid = self._parser.pending
            self.starved = True
        if whole:
            self._changed.notify_all()

    def take_headers(self, headers: Iterable[tuple[Any, Any]]) -> None:
        self._headers.update(cast("Iterable[tuple[str, str]]", headers))

    def take_end(self) -> None:
        self.input_ended = True
        if self.ours:
            self._failure = self._failure or grpc.outcome(self._headers)
            self.close()
        self._changed.notify_all()

    def break_off(self, failure: GrpcError) -> None:
        if not self._closed:
            self._failure = self._failure or failure
            self.close()

    def drained(self) -> None:
        self._changed.notify_all()

    def close(self) -> None:
        """It is over: wake everybody."""
        self._closed = True
        actions, self._at_end = self._at_end, []
        for action in actions:
            action()
        self._changed.notify_all()
