"""What BuildKit may ask us for while it builds: whether we live, credentials, secrets, an ssh agent, a context."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dockerkit.build.buildkit import grpc, messages
from dockerkit.build.buildkit.grpc import GrpcError
from dockerkit.build.buildkit.secrets import Secret
from dockerkit.errors import DockerException

if TYPE_CHECKING:
    from dockerkit.auth import AuthConfig
    from dockerkit.build.buildkit.call import Call

__all__ = ["AUTH", "HEALTH", "SECRETS", "SSH_CHECK", "SSH_FORWARD", "UPLOAD", "credentials", "health"]

HEALTH = "/grpc.health.v1.Health/Check"
AUTH = "/moby.filesync.v1.Auth/Credentials"
SECRETS = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
SSH_CHECK = "/moby.sshforward.v1.SSH/CheckAgent"
SSH_FORWARD = "/moby.sshforward.v1.SSH/ForwardAgent"
UPLOAD = "/moby.upload.v1.Upload/Pull"
FILES = "/moby.filesync.v1.FileSync/DiffCopy"
OUTPUTS = "/moby.filesync.v1.FileSend/DiffCopy"

Handler = Callable[["Call"], None]

_SERVING = 1
_BLOCK = 32 * 1024


def unary(request: str, answer: Callable[[Any], Any]) -> Handler:
    """The handler of calls with one request and one answer."""

    def handle(call: Call) -> None:
        call.send(answer(messages.parse(request, call.receive())).SerializeToString())

    return handle


def health() -> Handler:
    """Yes, we live. BuildKit gives a session up that does not answer this."""
    return unary("HealthRequest", lambda _: messages.HealthResponse(status=_SERVING))


def credentials(auth: AuthConfig | Callable[[], AuthConfig]) -> Handler:
    """Registry credentials, looked up when asked for; empty ones for a registry that is not known."""

    def answer(request: Any) -> Any:
        config = auth() if callable(auth) else auth
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
    """The secrets that were given for this build, and nothing else, by their exact ids."""

    def answer(request: Any) -> Any:
        secret = known.get(request.id)
        if secret is None:
            raise GrpcError(grpc.NOT_FOUND, f"no secret {request.id!r} was given for this build")
        return messages.GetSecretResponse(data=secret.read())

    return unary("GetSecretRequest", answer)


def ssh_check(agents: Mapping[str, str]) -> Handler:
    """Whether there is an agent of that id."""

    def answer(request: Any) -> Any:
        _agent(agents, request.id)
        return messages.CheckAgentResponse()

    return unary("CheckAgentRequest", answer)


_MAX_AGENT_MESSAGE = 256 * 1024
_LIST_KEYS, _SIGN = 11, 13
_AGENT_FAILURE = b"\0\0\0\1\5"


def ssh_forward(agents: Mapping[str, str]) -> Handler:
    """A conversation between a build step and the agent. Steps may list keys and have something signed, no more."""

    def handle(call: Call) -> None:
        path = _agent(agents, call.header("buildkit.ssh.id"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
            try:
                agent.connect(path)
            except OSError as error:
                raise GrpcError(grpc.UNAVAILABLE, f"the ssh agent at {path} can't be reached: {error}") from error
            call.at_end(lambda: _hang_up(agent))
            held = b""
            while (message := call.receive()) is not None:
                held += messages.parse("BytesMessage", message).data
                while (size := _frame(held)) is not None:
                    request, held = held[:size], held[size:]
                    answer = _converse(agent, request) if request[4] in (_LIST_KEYS, _SIGN) else _AGENT_FAILURE
                    for at in range(0, len(answer), _BLOCK):
                        call.send(messages.BytesMessage(data=answer[at : at + _BLOCK]).SerializeToString())

    return handle


def _agent(agents: Mapping[str, str], id: str) -> str:
    try:
        return agents[id or "default"]
    except KeyError:
        raise GrpcError(grpc.NOT_FOUND, f"no ssh agent {id or 'default'!r} was given for this build") from None


def _frame(data: bytes) -> int | None:
    """The length of the first message of the agent's protocol, once it is whole."""
    if len(data) < 5:
        return None
    size = int.from_bytes(data[:4], "big")
    if not 1 <= size <= _MAX_AGENT_MESSAGE:
        raise GrpcError(grpc.UNKNOWN, "a build step sent what is no message for an ssh agent")
    return size + 4 if len(data) >= size + 4 else None


def _converse(agent: socket.socket, request: bytes) -> bytes:
    answer = b""
    try:
        agent.sendall(request)
        while (size := _frame(answer)) is None:
            data = agent.recv(_BLOCK)
            if not data:
                raise GrpcError(grpc.UNAVAILABLE, "the ssh agent closed the connection")
            answer += data
    except OSError as error:
        raise GrpcError(grpc.UNAVAILABLE, f"the ssh agent broke off: {error}") from error
    return answer[:size]


def _hang_up(agent: socket.socket) -> None:
    with suppress(OSError):
        agent.shutdown(socket.SHUT_RDWR)


def upload(source: Iterable[bytes]) -> Handler:
    """A context as one archive, made while it is sent; it can be asked for once."""
    pieces = iter(source)

    def handle(call: Call) -> None:
        for piece in pieces:
            for at in range(0, len(piece), _BLOCK):
                call.send(messages.BytesMessage(data=piece[at : at + _BLOCK]).SerializeToString())

    return handle
