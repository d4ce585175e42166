"""The doors to the engine's BuildKit: a session on which it calls us back, and its control connection.

Both turn a connection into HTTP/2 with gRPC calls on it; :mod:`dockerkit.build.buildkit` speaks that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockerkit.api.base import UNSET, Base, Timeout

if TYPE_CHECKING:
    import socket

    from dockerkit.transport import Hijacked

_EXPOSE = "X-Docker-Expose-Session-"


class SessionAPI(Base):
    """The calls that open connections to BuildKit."""

    def session(
        self, session_id: str, *, shared_key: str = "", name: str = "", methods: Sequence[str] = ()
    ) -> Hijacked:
        """Open a session: the engine becomes the HTTP/2 client on this connection. ``POST /session``

        Args:
            session_id: a name nobody can guess, by which a build finds the session.
            shared_key: under which the engine keeps files that the session sends. Two folders with the same key are
                taken for one, and a file whose size and time did not change is not sent again.
            name: shown by old engines.
            methods: paths of the gRPC methods that are answered, such as ``/moby.filesync.v1.FileSync/DiffCopy``.

        Returns:
            The connection; the first bytes of HTTP/2 may have come with it.
        """
        headers = {
            "Upgrade": "h2c",
            f"{_EXPOSE}Uuid": session_id,
            f"{_EXPOSE}Name": name,
            f"{_EXPOSE}Sharedkey": shared_key,
        }
        # The header is repeated for each method. A mapping can't repeat one, but its case is free.
        header = f"{_EXPOSE}Grpc-Method".lower()
        letters = [at for at, char in enumerate(header) if char.isalpha()]
        for at, method in zip(letters, methods, strict=False):
            headers[header[:at] + header[at].upper() + header[at + 1 :]] = method
        return self._hijack("POST", "/session", headers=headers)

    def grpc(self) -> Hijacked:
        """Open BuildKit's control connection, on which we are the HTTP/2 client. ``POST /grpc``"""
        return self._hijack("POST", "/grpc", headers={"Upgrade": "h2c"})

    def dial(self, timeout: Timeout = UNSET) -> socket.socket:
        """A connected socket to the engine, for what is no HTTP/1.1; the caller closes it.

        Args:
            timeout: seconds for connecting; the client's by default.
        """
        return self._transport.dial(self._timeouts_of(timeout).connect)
