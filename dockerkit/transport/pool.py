"""The connections to one engine: idle ones, which any request may reuse, and those in use."""

from __future__ import annotations

import contextlib
import os
import weakref
from typing import Any

from dockerkit import runtime
from dockerkit.errors import ClientClosed
from dockerkit.transport.attempt import Attempt
from dockerkit.transport.connection import Connection
from dockerkit.transport.dial import Dialer
from dockerkit.transport.scope import current


class Pool:
    """Keeps idle connections, newest first, for any thread of this process.

    It needs no lock: ``append`` and ``pop`` of a list are atomic, so two threads never get the same connection.
    Connections in use are only weakly referenced, so they are closed by garbage collection if their user was interrupted.
    A forked child starts without connections, since two processes can't share one.
    """

    def __init__(self, dial: Dialer, max_idle: int) -> None:
        self._dial = dial
        self._max_idle = max_idle
        self._idle: list[Connection] = []
        self._connections: dict[int, weakref.ref[Connection]] = {}
        self._attempts: set[Attempt] = set()
        self._process = os.getpid()
        self.closed: bool = False
        self._closed_by: object = None

    def take(self, timeout: float | None, *, fresh: bool = False, half_close: bool = False) -> Connection:
        """Return an idle connection or, always with `fresh` or `half_close` (see Dialer), a new one."""
        if self._process != os.getpid():
            self._forget_after_fork()
        if self.closed:
            if self._closed_by is not runtime.current_thread():
                raise _closed_error()
            self.closed = False  # the thread that closed the client may reuse it, as docker-py allows
        connection = None if fresh or half_close else self._take_idle()
        if connection is None:
            connection = self._connect(timeout, half_close)
        connection.sent = 0
        if (scope := current()) is not None:
            connection.scope = scope
            scope.add(connection)
        return connection

    def _take_idle(self) -> Connection | None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if not connection.is_stale():
                return connection
            connection.close()
        return None

    def _connect(self, timeout: float | None, half_close: bool) -> Connection:
        attempt = Attempt(timeout)
        self._attempts.add(attempt)
        try:
            connection = Connection(self._dial(attempt, half_close=half_close))
        finally:
            self._attempts.discard(attempt)
            attempt.done()
        self.adopt(connection)
        if self.closed:  # by another thread, while this one was connecting
            connection.close()
            raise _closed_error()
        return connection

    def adopt(self, connection: Connection) -> None:
        """Register a connection in use, so that :meth:`close` ends it too."""
        connections, key = self._connections, id(connection)
        connections[key] = weakref.ref(connection, lambda _: connections.pop(key, None))

    def release(self, connection: Connection, reusable: bool) -> None:
        """Take a connection back after use; close it if it can't be reused."""
        if connection.scope is not None:
            connection.scope.discard(connection)
            connection.scope = None
        if (
            reusable
            and not (connection.stopped or self.closed)
            and self._process == os.getpid()
            and len(self._idle) < self._max_idle
        ):
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close idle connections, and end those in use, whose users get :class:`ClientClosed`.

        Other threads get it for new requests too. The thread that calls this may continue with new connections.
        """
        if self._process != os.getpid():
            self._forget_after_fork()
        self.closed, self._closed_by = True, runtime.current_thread()
        for attempt in list(self._attempts):
            attempt.stop()
        while self._idle:
            with contextlib.suppress(IndexError):
                self._idle.pop().close()
        for reference in list(self._connections.values()):
            if (connection := reference()) is not None:
                connection.stop()

    def _forget_after_fork(self) -> None:
        for reference in list(self._connections.values()):
            if (connection := reference()) is not None:
                connection.abandon()
        self._idle, self._connections, self._attempts, self._process = [], {}, set(), os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError("a connection pool can't be pickled: pickle the client instead, which connects again")


def _closed_error() -> ClientClosed:
    return ClientClosed("this client was closed by another thread. Create a new client to continue")
