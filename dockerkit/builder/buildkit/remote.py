"""A standalone BuildKit daemon: its connection, and the information it reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockerkit.endpoint.address import parse_host
from dockerkit.endpoint.discovery import Endpoint
from dockerkit.errors import BuildKitUnavailable, InvalidArgument
from dockerkit.transport.attempt import Attempt
from dockerkit.transport.dial import Dialer
from dockerkit.transport.failures import describe

if TYPE_CHECKING:
    import socket

    from dockerkit.endpoint.tls import TLSConfig

__all__ = ["BuildKitHost", "BuildKitInfo", "BuildKitWorker"]

_CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class BuildKitHost:
    """A BuildKit daemon (buildkitd), for ``images.build(builder=…)``.

    Args:
        address: ``tcp://host:port`` or ``unix:///path``, as in ``BUILDKIT_HOST``.
        tls: CA and client certificate, for daemons with ``--tlscacert``. They negotiate HTTP/2 by ALPN.

    Raises:
        InvalidArgument: the address has an unsupported scheme, or TLS is combined with a Unix socket.

    Example::

        tls = dockerkit.TLSConfig(client_cert=("cert.pem", "key.pem"), ca_cert="ca.pem")
        host = BuildKitHost("tcp://build.example.com:1234", tls)
        client.images.build(path=".", tag="app:1", builder=host)
    """

    address: str
    tls: TLSConfig | None = None

    def __post_init__(self) -> None:
        scheme = self.address.partition("://")[0] if isinstance(self.address, str) else ""
        if scheme not in ("tcp", "unix"):
            raise InvalidArgument(
                f"builder: must be auto, classic, buildkit, tcp://host:port or unix:///path, got {self.address!r}"
            )
        if scheme == "tcp" and self._endpoint().path:
            raise InvalidArgument(f"builder: a BuildKit address must not have a path, got {self.address!r}")
        if scheme == "unix" and self.tls is not None:
            raise InvalidArgument("builder: tls requires a tcp:// address")

    def _endpoint(self) -> Endpoint:
        host, _ = parse_host(self.address, parameter="builder", tls=self.tls is not None)
        return Endpoint(host, "argument", "passed as builder", self.tls)

    def dial(self) -> socket.socket:
        """Return a connected socket that is ready for HTTP/2. The caller closes it.

        Raises:
            BuildKitUnavailable: nothing accepts connections there, or TLS fails.
        """
        attempt = Attempt(_CONNECT_SECONDS)
        try:
            sock = Dialer(self._endpoint())(attempt, protocol="h2")
        except Exception as error:
            cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
            raise BuildKitUnavailable(f"no BuildKit at {self.address}: {describe(cause)}") from error
        finally:
            attempt.done()
        sock.setblocking(True)
        return sock


@dataclass(frozen=True)
class BuildKitWorker:
    """One worker of a BuildKit daemon.

    Attributes:
        id: worker ID.
        platforms: supported platforms, the native one first.
        labels: further attributes, such as its snapshotter.
    """

    id: str
    platforms: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BuildKitInfo:
    """Information reported by a BuildKit daemon.

    Attributes:
        version: BuildKit version; "" if not reported, as in Engine 20.10.
        workers: workers of the daemon.
    """

    version: str
    workers: tuple[BuildKitWorker, ...]

    @property
    def platforms(self) -> list[str]:
        """Supported platforms."""
        return list(dict.fromkeys(platform for worker in self.workers for platform in worker.platforms))
