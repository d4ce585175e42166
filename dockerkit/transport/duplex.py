"""Both directions of a hijacked connection at once, each with a deadline, from one thread or from several."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterable, Iterator

from dockerkit.errors import ClientClosed
from dockerkit.transport.exchange import FIRST_BLOCK, next_block
from dockerkit.transport.hijack import Hijacked

__all__ = ["Duplex"]

_SEND_BLOCK = 64 * 1024
_READ, _WRITE = 1, 2


class Duplex:
    """Reads and writes a hijacked connection without ever blocking in the socket.

    The socket's own calls never wait; waiting is done beside it. So a deadline holds in both directions, and one thread
    may read while another writes. (TLS, ssh and pipes are a plain socket here, see :mod:`dockerkit.transport.bridge`.)

    Args:
        link: the connection; it must not be read or written elsewhere from now on.
    """

    def __init__(self, link: Hijacked) -> None:
        self.link = link
        self._socket = link._socket
        self._socket.setblocking(False)
        self._block = FIRST_BLOCK

    def receive(self, deadline: float | None = None) -> bytes:
        """What has come; b"" at the end.

        Args:
            deadline: on the monotonic clock; None waits for ever.

        Raises:
            TimeoutError: nothing came until then.
            StreamTruncated: the connection broke.
            ClientClosed: the client was closed meanwhile.
        """
        if self.link._early:
            return self.link.recv()
        while True:
            try:
                data = self._recv()
            except BlockingIOError:
                self._wait(_READ, deadline)
            except (OSError, ValueError) as error:
                self.link._end(error)
                return b""
            else:
                if not data and self.link._connection.pool_closed():
                    raise ClientClosed(f"the client was closed during {self.link._asked}")
                return data

    def send(self, data: bytes | bytearray | memoryview, deadline: float | None = None) -> None:
        """Send all of it.

        Raises:
            BrokenPipeError: the process no longer reads its input.
            TimeoutError: it did not take all of it until then.
        """
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[self._send_some(rest) :]
            if rest:
                self._wait(_WRITE, deadline)

    def close_write(self) -> None:
        """No more input comes: the process sees the end of its stdin."""
        self.link.close_write()

    def converse(self, blocks: Iterable[bytes], deadline: float | None = None) -> Iterator[bytes]:
        """Send all blocks, then the end of input, and yield what comes meanwhile and after.

        Once the process reads no more, the rest is not sent.

        Raises:
            TimeoutError, StreamTruncated, ClientClosed: as :meth:`receive`; StreamTruncated from a ConnectionError, after
                all output, also where the input was refused: the process has ended, or the connection is broken.
        """
        source = iter(blocks)
        rest = memoryview(b"")
        refused: OSError | None = None
        while True:
            if not rest:
                block = next(source, None)
                if block is None:
                    self.close_write()
                    break
                rest = memoryview(block).cast("B")
            try:
                rest = rest[self._send_some(rest) :]
            except (BrokenPipeError, ConnectionResetError) as error:
                refused = error
                break
            while data := self._receive_now():
                yield data
            if data is None:  # the end, before all was sent
                return
            if rest:
                self._wait(_READ | _WRITE, deadline)
        while data := self.receive(deadline):
            yield data
        if refused:  # a reset is told once only, here to who sent
            self.link._end(refused)

    def _send_some(self, data: memoryview) -> int:
        try:
            return self._socket.send(data[:_SEND_BLOCK])
        except BlockingIOError:
            return 0

    def _receive_now(self) -> bytes | None:
        """What is there; b"" where nothing is, None at the end."""
        if self.link._early:
            return self.link.recv()
        try:
            data = self._recv()
        except BlockingIOError:
            return b""
        except (OSError, ValueError) as error:
            self.link._end(error)
            return None
        return data or None

    def _recv(self) -> bytes:
        data = self._socket.recv(self._block)
        self._block = next_block(self._block, len(data))
        self.link.received += len(data)
        return data

    def _wait(self, direction: int, deadline: float | None) -> None:
        seconds = None
        if deadline is not None:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                raise TimeoutError("the process did not go on in time")
        try:
            _ready(self._socket, direction, seconds)
        except (OSError, ValueError):  # closed meanwhile: the next call on the socket says so
            return


def _ready(sock: socket.socket, direction: int, seconds: float | None) -> None:
    if hasattr(select, "poll"):  # unlike select(), it knows no limit of descriptors
        poll = select.poll()
        wanted = (select.POLLIN if direction & _READ else 0) | (select.POLLOUT if direction & _WRITE else 0)
        poll.register(sock, wanted)
        poll.poll(None if seconds is None else max(seconds * 1000, 1))
    else:
        select.select([sock] if direction & _READ else [], [sock] if direction & _WRITE else [], [], seconds)
