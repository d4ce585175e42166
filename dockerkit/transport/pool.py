"""The connections to one engine that are open and idle, whatever path they were used for."""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import select
import socket
from collections.abc import Callable
from io import BufferedReader
from typing import Any

from dockerkit.errors import ClientClosed

Dial = Callable[[float | None], socket.socket]


class _Head:
    """Reads a head line by line, and remembers how its last line ended."""

    def __init__(self, stream: BufferedReader) -> None:
        self.last = b""
        self.close = stream.close
        self._readline = stream.readline

    def readline(self, limit: int = -1) -> bytes:
        self.last = self._readline(limit)
        return self.last


class Response(http.client.HTTPResponse):
    """The standard library's response, which also notices that its head was cut short."""

    fp: io.BufferedReader

    def begin(self) -> None:
        """Read the head.

        Raises:
            RemoteDisconnected: the connection ended before the head did.
        """
        stream = self.fp
        head = _Head(stream)
        self.fp = head  # type: ignore[assignment]  # begin() uses no more of it
        try:
            super().begin()
        finally:
            if self.fp is not None:
                self.fp = stream
        if head.last not in (b"\r\n", b"\n"):
            raise http.client.RemoteDisconnected("the connection ended in the head of the answer")


class Connection(http.client.HTTPConnection):
    """The standard library's HTTP connection over a socket that was dialled elsewhere."""

    response_class: type[http.client.HTTPResponse] = Response
    auto_open = 0  # never dial by yourself: a reconnect is the pool's decision

    def __init__(self, sock: socket.socket, host: str, pool: Pool | None = None) -> None:
        super().__init__(host, blocksize=128 * 1024)
        self.sock = sock
        self._process = os.getpid()
        self.used = 0  # requests it has carried; the second one may meet a connection that the engine has closed
        self._pool = pool
        self.wire = sock  # the standard library forgets its own at the first error

    def pool_closed(self) -> bool:
        """Whether the client that owns this connection has been closed."""
        return self._pool is not None and self._pool.closed

    def shut_down(self) -> None:
        """End both directions, which wakes a thread that reads; the socket itself is closed by its owner.

        A forked child that drops what it inherited only closes its own handle: the parent's conversation goes on.
        """
        if self._process != os.getpid():
            return
        with contextlib.suppress(OSError):
            self.wire.shutdown(socket.SHUT_RDWR)

    def abandon(self) -> None:
        """Close only this process's handle, after a fork: the parent's conversation goes on.

        Not :meth:`close`, which would wait for the buffer's lock: a thread that read when the process forked holds it,
        and is not here to let it go.
        """
        with contextlib.suppress(OSError):
            os.close(self.wire.detach())

    def is_stale(self) -> bool:
        """Whether an idle connection can't be used again: the engine closed it, or sent what nobody asked for."""
        poll = select.poll() if hasattr(select, "poll") else None
        if poll is None:
            return bool(select.select([self.sock], [], [], 0)[0])
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))


class Pool:
    """Keeps idle connections, newest first, for any thread of this process.

    No lock: ``append`` and ``pop`` of a list are atomic, and two threads never get the same connection.
    A forked child starts with none, since two processes can't share a conversation.
    """

    def __init__(self, dial: Dial, host: str, keep: int) -> None:
        self._dial = dial
        self._host = host
        self._keep = keep
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._process = os.getpid()
        self.closed: bool = False

    def take(self, timeout: float | None, *, fresh: bool = False, dial: Dial | None = None) -> Connection:
        """An idle connection, or a new one.

        Args:
            timeout: seconds that a new connection may take.
            fresh: never an idle one.
            dial: how to connect, instead of the pool's own way.
        """
        self._forget_after_fork()
        self._refuse_when_closed()
        while not fresh:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if not connection.is_stale():
                self._busy.add(connection)
                return connection
            connection.close()
        connection = Connection((dial or self._dial)(timeout), self._host, self)
        self._busy.add(connection)
        try:
            self._refuse_when_closed()  # another thread may have closed the client while this one dialled
        except ClientClosed:
            self.give_back(connection, False)
            raise
        return connection

    def _refuse_when_closed(self) -> None:
        if self.closed:
            raise ClientClosed("this client has been closed: make a new one")

    def give_back(self, connection: Connection, reusable: bool) -> None:
        """Return a connection after use; one that can't be used again is closed."""
        self._busy.discard(connection)
        if reusable and not self.closed and self._process == os.getpid() and len(self._idle) < self._keep:
            self._idle.append(connection)
        else:
            connection.close()

    def adopt(self, connection: Connection) -> None:
        """Count a connection that was dialled outside (a hijacked one) among those that :meth:`close` ends."""
        self._busy.add(connection)

    def close(self) -> None:
        """Close what is idle, and end what is in use: its users see :class:`ClientClosed`."""
        self._forget_after_fork()
        self.closed = True
        for connection in list(self._busy):
            connection.shut_down()
        while self._idle:
            with contextlib.suppress(IndexError):
                self._idle.pop().close()

    def _forget_after_fork(self) -> None:
        if self._process != os.getpid():
            for connection in [*self._idle, *self._busy]:
                connection.abandon()
            self._idle, self._busy, self._process = [], set(), os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError("a pool of connections can't be pickled: pickle the client, it connects anew")
