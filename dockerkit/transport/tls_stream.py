"""TLS with half-close: one direction can end before the other.

Python's SSLSocket can't end its own direction while output is on its way: its ``unwrap`` discards received data that was
not read yet. Attach and exec require this, so their connections use TLS in memory, between two threads and a socket pair
(see :mod:`dockerkit.transport.bridge`).
"""

from __future__ import annotations

import contextlib
import socket
import ssl

from dockerkit import runtime
from dockerkit.runtime import READ
from dockerkit.transport.attempt import Attempt
from dockerkit.transport.bridge import bridge
from dockerkit.transport.connection import Connection

_BLOCK = 64 * 1024


def connect(
    sock: socket.socket, context: ssl.SSLContext, name: str, attempt: Attempt, protocol: str | None = None
) -> socket.socket:
    """Start TLS on a connected, non-blocking socket. Return another for the decrypted bytes, which owns the first.

    If there is a `protocol`, the other side must choose it by ALPN.
    """
    stream = _TLSStream(sock, context, name)
    stream.handshake(attempt)
    if protocol is not None and stream.protocol != protocol:
        raise ssl.SSLError(
            f"TLS did not agree on {protocol}: the other side does not speak it, or a custom SSLContext does not offer it; "
            "pass TLSConfig(context=function)"
        )
    return bridge(stream, "dockerkit-tls")


class _TLSStream:
    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self._sock, self._connection = sock, Connection(sock)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._lock = runtime.Lock()  # protects the TLS state; never held while waiting for the network
        self._send_lock = runtime.Lock()  # keeps records in order
        self._read_ahead = bytearray()

    @property
    def protocol(self) -> str | None:
        return self._tls.selected_alpn_protocol()

    def handshake(self, attempt: Attempt) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                attempt.wait(self._sock, READ)
                self._receive()
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    self._flush()  # sends the alert to the other side
                raise
            else:
                self._flush()
                return

    def recv(self, nbytes: int, /) -> bytes:
        while True:
            with self._lock:
                if self._read_ahead:
                    data = bytes(self._read_ahead[:nbytes])
                    del self._read_ahead[:nbytes]
                    return data
                try:
                    return self._tls.read(nbytes)
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLZeroReturnError:
                    return b""
            self._receive()

    def sendall(self, data: bytes, /) -> None:
        with self._send_lock:
            with self._lock:
                self._tls.write(data)
            self._flush()

    def shutdown_write(self) -> None:
        with self._send_lock:
            with self._lock:
                # unwrap() also expects the other side's closing message, and would fail on output before it.
                with contextlib.suppress(ssl.SSLError):
                    while data := self._tls.read(_BLOCK):
                        self._read_ahead += data
                with contextlib.suppress(ssl.SSLError):
                    self._tls.unwrap()
            self._flush()

    def close(self) -> None:
        self._connection.stop()
        self._connection.close()

    def _receive(self) -> None:
        data = self._connection.recv(_BLOCK, None)
        with self._lock:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _flush(self) -> None:
        with self._lock:
            data = self._outgoing.read()
        if data:
            self._connection.send_all(data)
