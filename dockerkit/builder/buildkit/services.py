"""Services that BuildKit calls during a build: health, credentials, secrets, SSH agents, contexts."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dockerkit.builder.buildkit import grpc, messages
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.builder.buildkit.secrets import Secret
from dockerkit.errors import DockerException
from dockerkit.transport.attempt import Attempt
from dockerkit.transport.connection import Connection

if TYPE_CHECKING:
    from dockerkit.builder.buildkit.call import RpcCall
    from dockerkit.credentials.auth import AuthConfig

__all__ = ["AUTH", "HEALTH", "SECRETS", "SSH_CHECK", "SSH_FORWARD", "UPLOAD", "credentials", "health"]

HEALTH = "/grpc.health.v1.Health/Check"
AUTH = "/moby.filesync.v1.Auth/Credentials"
SECRETS = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
SSH_CHECK = "/moby.sshforward.v1.SSH/CheckAgent"
SSH_FORWARD = "/moby.sshforward.v1.SSH/ForwardAgent"
UPLOAD = "/moby.upload.v1.Upload/Pull"
FILES = "/moby.filesync.v1.FileSync/DiffCopy"
OUTPUTS = "/moby.filesync.v1.FileSend/DiffCopy"

Handler = Callable[["RpcCall"], None]

_SERVING = 1
_BLOCK = 32 * 1024


def unary(request: str, respond: Callable[[Any], Any]) -> Handler:
    """Return a handler for calls with one request and one response."""

    def handle(call: RpcCall) -> None:
        call.send(respond(messages.parse(request, call.receive())))

    return handle


def health() -> Handler:
    """Return the handler of health checks. BuildKit abandons a session that does not respond to them."""
    return unary("HealthRequest", lambda _: messages.HealthResponse(status=_SERVING))


def credentials(auth: Callable[[], AuthConfig]) -> Handler:
    """Return the handler that looks up registry credentials; empty ones for unknown registries."""

    def respond(request: Any) -> Any:
        config = auth()
        try:
            login = config.resolve_authconfig(request.host)
        except DockerException as error:
            raise GrpcError(grpc.UNKNOWN, str(error)) from error
        if not login:
            return messages.CredentialsResponse()
        if login.identity_token:
            return messages.CredentialsResponse(secret=login.identity_token)
        return messages.CredentialsResponse(username=login.username or "", secret=login.password or "")

    return unary("CredentialsRequest", respond)


def secrets(available: Mapping[str, Secret]) -> Handler:
    """Return the handler that serves the secrets passed for this build by their exact IDs, and nothing else."""

    def respond(request: Any) -> Any:
        secret = available.get(request.id)
        if secret is None:
            raise GrpcError(grpc.NOT_FOUND, f"no secret {request.id!r} was passed to this build")
        return messages.GetSecretResponse(data=secret.read())

    return unary("GetSecretRequest", respond)


def ssh_check(agents: Mapping[str, str]) -> Handler:
    """Return the handler that checks whether an SSH agent with the given ID exists."""

    def respond(request: Any) -> Any:
        _agent(agents, request.id)
        return messages.CheckAgentResponse()

    return unary("CheckAgentRequest", respond)


_MAX_AGENT_MESSAGE = 256 * 1024
_LIST_KEYS, _SIGN = 11, 13
_AGENT_FAILURE = b"\0\0\0\1\5"


def ssh_forward(agents: Mapping[str, str]) -> Handler:
    """Return the handler that connects a build step to an SSH agent. Steps may only list keys and request signatures."""

    def handle(call: RpcCall) -> None:
        path = _agent(agents, call.header("buildkit.ssh.id"))
        attempt = Attempt(None)
        try:
            agent = Connection(attempt.connect(socket.AF_UNIX, path))
        except OSError as error:
            raise GrpcError(grpc.UNAVAILABLE, f"the ssh agent at {path} can't be reached: {error}") from error
        finally:
            attempt.done()
        with closing(agent):
            call.on_end(agent.stop)
            buffer = b""
            for message in call.each("BytesMessage"):
                buffer += message.data
                while (size := _frame(buffer)) is not None:
                    request, buffer = buffer[:size], buffer[size:]
                    allowed = request[4] in (_LIST_KEYS, _SIGN)
                    call.send_bytes(_exchange(agent, request) if allowed else _AGENT_FAILURE)

    return handle


def _agent(agents: Mapping[str, str], id: str) -> str:
    try:
        return agents[id or "default"]
    except KeyError:
        raise GrpcError(grpc.NOT_FOUND, f"no ssh agent {id or 'default'!r} was passed to this build") from None


def _frame(data: bytes) -> int | None:
    """Return the length of the first agent message once it is complete."""
    if len(data) < 5:
        return None
    size = int.from_bytes(data[:4], "big")
    if not 1 <= size <= _MAX_AGENT_MESSAGE:
        raise GrpcError(grpc.UNKNOWN, "a build step sent an invalid message to the ssh agent")
    return size + 4 if len(data) >= size + 4 else None


def _exchange(agent: Connection, request: bytes) -> bytes:
    response = b""
    try:
        agent.send_all(request)
        while (size := _frame(response)) is None:
            data = agent.recv(_BLOCK, None)
            if not data:
                raise GrpcError(grpc.UNAVAILABLE, "the ssh agent closed the connection")
            response += data
    except OSError as error:
        raise GrpcError(grpc.UNAVAILABLE, f"the connection to the ssh agent failed: {error}") from error
    return response[:size]


def upload(source: Iterable[bytes]) -> Handler:
    """Return the handler that sends a context as one archive, created on the fly. It can be requested only once."""
    pieces = iter(source)

    def handle(call: RpcCall) -> None:
        for piece in pieces:
            call.send_bytes(piece)

    return handle
