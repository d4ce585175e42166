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


def unary(request: str, answer: Callable[[Any], Any]) -> Handler:
    """Return a handler for calls with one request and one response."""

    def handle(call: RpcCall) -> None:
        call.send(answer(messages.parse(request, call.receive())))

    return handle


def health() -> Handler:
    """Return the handler of health checks. BuildKit abandons a session that does not respond to them."""
    return unary("HealthRequest", lambda _: messages.HealthResponse(status=_SERVING))


def credentials(auth: Callable[[], AuthConfig]) -> Handler:
    """Return the handler that looks up registry credentials; empty ones for unknown registries."""

    def answer(request: Any) -> Any:
        config = auth()
        try:
            found = config.resolve_authconfig(request.host)
        except DockerException as error:
            raise GrpcError(grpc.UNKNOWN, str(error)) from error
        if not found:
            return messages.CredentialsResponse()
        if found.identity_token:
            return messages.CredentialsResponse(secret=found.identity_token)
        return messages.CredentialsResponse(username=found.username or "", secret=found.password or "")

    return unary("CredentialsRequest", answer)


def secrets(known: Mapping[str, Secret]) -> Handler:
    """Return the handler that serves the secrets passed for this build by their exact IDs, and nothing else."""

    def answer(request: Any) -> Any:
        secret = known.get(request.id)
        if secret is None:
            raise GrpcError(grpc.NOT_FOUND, f"no secret {request.id!r} was passed to this build")
        return messages.GetSecretResponse(data=secret.read())

    return unary("GetSecretRequest", answer)


def ssh_check(agents: Mapping[str, str]) -> Handler:
    """Return the handler that checks whether an SSH agent with the given ID exists."""

    def answer(request: Any) -> Any:
        _agent(agents, request.id)
        return messages.CheckAgentResponse()

    return unary("CheckAgentRequest", answer)


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
            call.at_end(agent.stop)
            held = b""
            for message in call.each("BytesMessage"):
                held += message.data
                while (size := _frame(held)) is not None:
                    request, held = held[:size], held[size:]
                    known = request[4] in (_LIST_KEYS, _SIGN)
                    call.send_bytes(_converse(agent, request) if known else _AGENT_FAILURE)

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


def _converse(agent: Connection, request: bytes) -> bytes:
    answer = b""
    try:
        agent.send_all(request)
        while (size := _frame(answer)) is None:
            data = agent.recv(_BLOCK, None)
            if not data:
                raise GrpcError(grpc.UNAVAILABLE, "the ssh agent closed the connection")
            answer += data
    except OSError as error:
        raise GrpcError(grpc.UNAVAILABLE, f"the connection to the ssh agent failed: {error}") from error
    return answer[:size]


def upload(source: Iterable[bytes]) -> Handler:
    """Return the handler that sends a context as one archive, created on the fly. It can be requested only once."""
    pieces = iter(source)

    def handle(call: RpcCall) -> None:
        for piece in pieces:
            call.send_bytes(piece)

    return handle
