"""BuildKit's control service: the connection to it, and what its engine can."""

from __future__ import annotations

import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dockerkit.build.buildkit import grpc, messages
from dockerkit.build.buildkit.channel import Channel
from dockerkit.build.buildkit.grpc import GrpcError
from dockerkit.errors import DockerException, InvalidVersion, NoBuildKit

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient
    from dockerkit.build.buildkit.call import Call
    from dockerkit.transport import Hijacked

__all__ = ["Control", "Engine", "new_id"]

_SERVICE = "/moby.buildkit.v1.Control/"
_PROBE_SECONDS = 10.0
_SESSION = "x-docker-expose-session-"


def new_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Engine:
    """What the engine behind a control connection can.

    Attributes:
        containerd: whether its images are in containerd's store, which holds more kinds of them.
        modern: whether it heeds all of today's options; 20.10 does not.
        gateway: the address that ``host-gateway`` stands for; "" if it does not tell.
    """

    containerd: bool
    modern: bool
    gateway: str


class Control:
    """A connection to BuildKit's control service.

    Args:
        api: the engine.
    """

    def __init__(self, api: APIClient) -> None:
        self._api = api
        self.native: bool = False
        self._pumps: list[threading.Thread] = []
        self.channel: Channel = self._dial()

    def _dial(self) -> Channel:
        """One connection: by the upgrade that engines up to 29 offer, else by HTTP/2 on their socket as it is."""
        try:
            link = self._api.grpc()
        except DockerException as error:
            if not isinstance(error, InvalidVersion) and getattr(error, "status_code", None) is None:
                raise  # no answer at all; (APIError is not named here, since that would load requests)
            refused = error
        else:
            return over(link, name="control")
        with suppress(GrpcError, TimeoutError, DockerException, OSError):
            channel = Channel(self._api.dial(), name="control")
            try:
                channel.call(f"{_SERVICE}ListWorkers").ask(
                    messages.ListWorkersRequest(), "ListWorkersResponse", _PROBE_SECONDS
                )
            except BaseException:
                channel.close()
                raise
            self.native = True
            return channel
        raise NoBuildKit(
            f"the engine at {self._api.endpoint.host} has no BuildKit to build with ({refused}); "
            "builder='classic' builds without it"
        ) from refused

    def call(self, method: str, metadata: Iterable[tuple[str, str]] = ()) -> Call:
        """Start a call of the control service."""
        return self.channel.call(_SERVICE + method, metadata)

    def engine(self) -> Engine:
        """What this engine can."""
        info, workers = self.call("Info"), self.call("ListWorkers")
        for call, request in ((info, messages.InfoRequest()), (workers, messages.ListWorkersRequest())):
            with suppress(GrpcError):  # an engine may say that it has no such method before it is asked; see below
                call.send(request.SerializeToString())
                call.finish()
        labels: dict[str, str] = {}
        for worker in workers.answer("ListWorkersResponse").records:
            labels.update(worker.labels)
        prefix = "org.mobyproject.buildkit.worker."
        return Engine(
            f"{prefix}snapshotter" in labels, _is_implemented(info), labels.get(f"{prefix}moby.host-gateway-ip", "")
        )

    def session(
        self, session_id: str, shared_key: str, methods: Iterable[str], serve: Callable[[Call], None]
    ) -> Channel:
        """Open a session whose calls `serve` answers."""
        if not self.native:
            return over(
                self._api.session(session_id, shared_key=shared_key, methods=list(methods)), serve, name="session"
            )
        return self.tunnel(session_id, shared_key, methods, serve)

    def tunnel(
        self, session_id: str, shared_key: str, methods: Iterable[str], serve: Callable[[Call], None]
    ) -> Channel:
        """Open a session through this very connection, in a call of its own."""
        metadata = [(f"{_SESSION}uuid", session_id), (f"{_SESSION}name", ""), (f"{_SESSION}sharedkey", shared_key)]
        call = self.call("Session", [*metadata, *((f"{_SESSION}grpc-method", method) for method in methods)])
        ours, theirs = socket.socketpair()
        for pump in (_outwards, _inwards):
            self._pumps.append(threading.Thread(target=pump, args=(call, ours), name="dockerkit-tunnel", daemon=True))
            self._pumps[-1].start()
        return Channel(theirs, serve=serve, release=call.cancel, name="session")

    def close(self) -> None:
        """Close the connection, after the sessions that go through it."""
        self.channel.close()
        for pump in self._pumps:
            pump.join(_PROBE_SECONDS)


def _is_implemented(info: Call) -> bool:
    try:
        info.answer("InfoResponse")
    except GrpcError as error:
        if error.status == grpc.UNIMPLEMENTED:
            return False
        raise
    return True


def over(link: Hijacked, serve: Callable[[Call], None] | None = None, *, name: str) -> Channel:
    """A channel over a connection that was taken over from HTTP/1.1."""
    early = link.recv() if link._early else b""
    return Channel(cast("socket.socket", link._socket), early=early, serve=serve, release=link.close, name=name)


def _outwards(call: Call, ours: socket.socket) -> None:
    try:
        with suppress(OSError, GrpcError):
            while data := ours.recv(32 * 1024):
                call.send(messages.BytesMessage(data=data).SerializeToString())
            call.finish()
    finally:
        ours.close()


def _inwards(call: Call, ours: socket.socket) -> None:
    with suppress(OSError, GrpcError):
        while (message := call.receive()) is not None:
            ours.sendall(messages.parse("BytesMessage", message).data)
    with suppress(OSError):
        ours.shutdown(socket.SHUT_RDWR)


def details(error: GrpcError) -> list[tuple[str, Any]]:
    """The typed details of a failure, as pairs of a type's short name and its value."""
    found = []
    with suppress(Exception):
        for detail in messages.parse("RpcStatus", error.details).details:
            if detail.type_url.endswith("+json"):
                name = detail.type_url.rpartition("/")[2].removesuffix("+json").rpartition(".")[2]
                with suppress(ValueError):
                    found.append((name, json.loads(detail.value)))
    return found
