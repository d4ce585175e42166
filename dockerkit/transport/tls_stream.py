"""TLS whose two directions end one after the other.

Python's SSLSocket can't say "I am done, go on" while output is on its way: its ``unwrap`` throws away what has come and
was not read yet. Attach and exec need just that, so their connections get TLS in memory, between two threads and a
socket pair (see :mod:`dockerkit.transport.bridge`).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

from dockerkit.transport.bridge import bridge

_BLOCK = 64 * 1024


def connect(sock: socket.socket, context: ssl.SSLContext, name: str) -> socket.socket:
    """Speak TLS over a connected socket.

    Args:
        sock: connected; its timeout counts for the handshake. It is owned by what is returned.
        context: whom to trust, and our certificate.
        name: to expect in the other side's certificate.

    Returns:
        A socket with the plain bytes; its half-close is TLS's.

    Raises:
        ssl.SSLError: the handshake failed.
    """
    stream = _TLSStream(sock, context, name)
    stream.handshake()
    sock.settimeout(None)
    return bridge(stream, "dockerkit-tls")


class _TLSStream:
    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._lock = threading.Lock()  # around the TLS state, never while waiting for the network
        self._sending = threading.Lock()  # so that records leave in the order they were made
        self._read_ahead = bytearray()

    def handshake(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    self._flush()  # the alert that tells the other side
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
        with self._sending:
            with self._lock:
                self._tls.write(data)
            self._flush()

    def shutdown_write(self) -> None:
        with self._sending:
            with self._lock:
                # unwrap() also looks for the other side's good-bye, and would stumble over output before it.
                with contextlib.suppress(ssl.SSLError):
                    while data := self._tls.read(_BLOCK):
                        self._read_ahead += data
                with contextlib.suppress(ssl.SSLError):
                    self._tls.unwrap()
            self._flush()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _receive(self) -> None:
        data = self._sock.recv(_BLOCK)
        with self._lock:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _flush(self) -> None:
        with self._lock:
            data = self._outgoing.read()
        if data:
            self._sock.sendall(data)
