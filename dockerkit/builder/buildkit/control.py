"""BuildKit's control service: the connection, and the engine's capabilities."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockerkit.builder.buildkit import grpc, messages
from dockerkit.builder.buildkit.channel import Channel
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.errors import BuildKitUnavailable, DockerException, InvalidVersion
from dockerkit.transport.bridge import bridge

if TYPE_CHECKING:
    import socket

    from dockerkit.api.client import APIClient
    from dockerkit.builder.buildkit.call import RpcCall
    from dockerkit.builder.buildkit.remote import BuildKitHost, BuildKitInfo
    from dockerkit.transport import HijackedConnection

__all__ = ["Control", "Engine", "new_id"]

_SERVICE = "/moby.buildkit.v1.Control/"
_PROBE_SECONDS = 10.0
_STREAM_SECONDS = 60.0
_SESSION = "x-docker-expose-session-"


def new_id() -> str:
    """Return an unguessable ID."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Engine:
    """Capabilities of the engine behind a control connection.

    Attributes:
        containerd: whether images are in containerd's store, which supports more kinds.
        modern: whether it supports all current options; 20.10 does not.
        gateway: address of ``host-gateway``; "" if not reported.
    """

    containerd: bool
    modern: bool
    gateway: str


class Control:
    """A connection to BuildKit's control service, of the engine or of another daemon."""

    def __init__(self, api: APIClient, remote: BuildKitHost | None = None) -> None:
        self._api = api
        self._remote = remote
        self.native: bool = False
        self.channel: Channel = self._dial()

    def _dial(self) -> Channel:
        """Open one connection: HTTP/2 on the engine's socket, or the upgrade ``/grpc``.

        API 1.53 deprecates the upgrade, so newer engines get it only as a fallback.
        """
        if self._remote is not None:
            try:
                return self._open(self._remote.dial())
            except (GrpcError, TimeoutError, OSError) as error:
                raise BuildKitUnavailable(f"no BuildKit at {self._remote.address}: {error}") from error
        dialers = [self._dial_upgraded, self._dial_native]
        if self._api.deprecates_upgrades:
            dialers.reverse()
        reasons = []
        for dial in dialers:
            try:
                return dial()
            except (GrpcError, TimeoutError, DockerException, OSError) as error:
                status = getattr(error, "status_code", None)  # naming APIError here would import requests
                if dial == self._dial_upgraded and not isinstance(error, InvalidVersion) and status is None:
                    raise  # no response at all
                reasons.append(str(error).partition("\n")[0])
        raise BuildKitUnavailable(
            f"the engine at {self._api.endpoint.host} has no BuildKit to build with ({'; '.join(reasons)}); "
            "pass builder='classic' to build without it"
        )

    def _dial_upgraded(self) -> Channel:
        return channel_over(self._api.grpc(), name="control")

    def _dial_native(self) -> Channel:
        return self._open(self._api.dial(protocol="h2"))

    def _open(self, sock: socket.socket) -> Channel:
        """Return a channel on a socket with HTTP/2 prior knowledge, if BuildKit responds there."""
        channel = Channel(sock, name="control")
        try:
            channel.call(f"{_SERVICE}ListWorkers").unary(
                messages.ListWorkersRequest(), "ListWorkersResponse", _PROBE_SECONDS
            )
        except BaseException:
            channel.close()
            raise
        self.native = True
        return channel

    def call(self, method: str, metadata: Iterable[tuple[str, str]] = ()) -> RpcCall:
        """Start a call of the control service."""
        return self.channel.call(_SERVICE + method, metadata)

    def stream(self, method: str, request: Any, kind: str) -> Iterator[Any]:
        """Send a request and yield the responses, which are all of the same kind."""
        call = self.call(method)
        try:
            call.request(request)
            yield from call.each(kind, _STREAM_SECONDS)
        finally:
            call.cancel()

    def info(self) -> BuildKitInfo:
        """Return version and workers."""
        from dockerkit.builder.buildkit.remote import BuildKitInfo, BuildKitWorker

        info, records = self._reports(_PROBE_SECONDS)
        workers = []
        for item in records:
            platforms = (
                "/".join(filter(None, (platform.os, platform.architecture, platform.variant)))
                for platform in item.platforms
            )
            workers.append(BuildKitWorker(item.id, tuple(dict.fromkeys(platforms)), dict(item.labels)))
        return BuildKitInfo("" if info is None else info.version.version, tuple(workers))

    def engine(self) -> Engine:
        """Return the engine's capabilities."""
        info, workers = self._reports()
        labels: dict[str, str] = {}
        for worker in workers:
            labels.update(worker.labels)
        prefix = "org.mobyproject.buildkit.worker."
        gateway = labels.get(f"{prefix}moby.host-gateway-ip", "")
        return Engine(f"{prefix}snapshotter" in labels, info is not None, gateway)

    def _reports(self, timeout: float | None = None) -> tuple[Any, Any]:
        """Return the response of Info, None if this BuildKit does not know it, and the records of ListWorkers."""
        info, workers = self.call("Info"), self.call("ListWorkers")
        for call, request in ((info, messages.InfoRequest()), (workers, messages.ListWorkersRequest())):
            with suppress(GrpcError):  # an engine may report an unknown method before the request is sent; see below
                call.request(request)
        records = workers.response("ListWorkersResponse", timeout).records
        try:
            return info.response("InfoResponse", timeout), records
        except GrpcError as error:
            if error.status != grpc.UNIMPLEMENTED:
                raise
        return None, records

    def session(
        self, session_id: str, shared_key: str, methods: Iterable[str], serve: Callable[[RpcCall], None]
    ) -> Channel:
        """Open a session whose calls are handled by `serve`."""
        if not self.native:
            link = self._api.session(session_id, shared_key=shared_key, methods=list(methods))
            return channel_over(link, serve, name="session")
        return self.tunnel(session_id, shared_key, methods, serve)

    def tunnel(
        self, session_id: str, shared_key: str, methods: Iterable[str], serve: Callable[[RpcCall], None]
    ) -> Channel:
        """Open a session through this connection, in a separate call."""
        metadata = [(f"{_SESSION}uuid", session_id), (f"{_SESSION}name", ""), (f"{_SESSION}sharedkey", shared_key)]
        call = self.call("Session", [*metadata, *((f"{_SESSION}grpc-method", method) for method in methods)])
        return Channel(bridge(_Tunnel(call), "dockerkit-tunnel"), serve=serve, name="session")

    def close(self) -> None:
        """Close the sessions on this connection, then the connection."""
        self.channel.close()


def channel_over(link: HijackedConnection, serve: Callable[[RpcCall], None] | None = None, *, name: str) -> Channel:
    """Return a channel over a connection that was upgraded from HTTP/1.1."""
    initial_data = link.recv() if link.pending else b""
    return Channel(link.raw_socket, initial_data=initial_data, serve=serve, release=link.close, name=name)


class _Tunnel:
    """The bytes of a session in a call's messages."""

    def __init__(self, call: RpcCall) -> None:
        self._call = call

    def recv(self, _: int, /) -> bytes:
        try:
            for message in self._call.each("BytesMessage"):
                if message.data:
                    return bytes(message.data)
        except GrpcError as error:
            raise ConnectionResetError(str(error)) from error
        return b""

    def sendall(self, data: bytes, /) -> None:
        try:
            self._call.send_bytes(data)
        except GrpcError as error:
            raise BrokenPipeError(str(error)) from error

    def shutdown_write(self) -> None:
        self._call.finish()

    def close(self) -> None:
        self._call.cancel()


def details(error: GrpcError) -> list[tuple[str, Any]]:
    """Return the typed details of a failure, as pairs of short type name and value."""
    pairs = []
    with suppress(Exception):
        for detail in messages.parse("RpcStatus", error.details).details:
            if detail.type_url.endswith("+json"):
                name = detail.type_url.rpartition("/")[2].removesuffix("+json").rpartition(".")[2]
                with suppress(ValueError):
                    pairs.append((name, json.loads(detail.value)))
    return pairs
