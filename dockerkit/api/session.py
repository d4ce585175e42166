"""Connections to the engine's BuildKit: sessions, on which it calls the client back, and control connections.

Both turn a connection into HTTP/2 with gRPC calls, which :mod:`dockerkit.builder.buildkit` implements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockerkit.api import versions
from dockerkit.api.base import UNSET, APIBase, Timeout

if TYPE_CHECKING:
    import socket

    from dockerkit.transport import HijackedConnection

_EXPOSE = "X-Docker-Expose-Session-"


class SessionAPI(APIBase):
    """The calls that open connections to BuildKit."""

    def session(
        self, session_id: str, *, shared_key: str = "", name: str = "", methods: Sequence[str] = ()
    ) -> HijackedConnection:
        """Open a session: the engine becomes the HTTP/2 client on this connection. ``POST /session``

        Args:
            session_id: unguessable name by which a build finds the session.
            shared_key: key under which the engine caches the files that the session sends. Folders with the same key
                count as the same folder, and files with unchanged size and time are not sent again.
            name: name that old engines show.
            methods: paths of the gRPC methods that the session serves, such as ``/moby.filesync.v1.FileSync/DiffCopy``.

        Returns:
            The connection; the first bytes of HTTP/2 may already have been read.
        """
        headers = {
            "Upgrade": "h2c",
            f"{_EXPOSE}Uuid": session_id,
            f"{_EXPOSE}Name": name,
            f"{_EXPOSE}Sharedkey": shared_key,
        }
        # The header is repeated for each method. A mapping can't repeat a key, so the keys differ in case.
        header = f"{_EXPOSE}Grpc-Method".lower()
        offsets = [offset for offset, char in enumerate(header) if char.isalpha()]
        for offset, method in zip(offsets, methods, strict=False):
            headers[header[:offset] + header[offset].upper() + header[offset + 1 :]] = method
        return self._hijack("POST", "/session", headers=headers)

    def grpc(self) -> HijackedConnection:
        """Open BuildKit's control connection, on which dockerkit is the HTTP/2 client. ``POST /grpc``"""
        return self._hijack("POST", "/grpc", headers={"Upgrade": "h2c"})

    @property
    def deprecates_upgrades(self) -> bool:
        """Whether HTTP/2 on the engine's own socket, by :meth:`dial`, replaces ``POST /grpc`` and ``POST /session`` (API 1.53)."""
        return self.supports(versions.NATIVE_HTTP2)

    def dial(self, timeout: Timeout = UNSET, *, protocol: str | None = None) -> socket.socket:
        """Return a connected socket to the engine, for protocols other than HTTP/1.1; the caller closes it.

        Args:
            timeout: connect timeout in seconds; the client's by default.
            protocol: protocol that TLS must negotiate by ALPN, such as "h2"; ignored without TLS.

        Raises:
            ConnectionFailed: the engine can't be reached, or does not speak `protocol`.
        """
        return self._transport.dial(self._timeouts_of(timeout).connect, protocol=protocol)
