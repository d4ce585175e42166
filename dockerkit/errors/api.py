"""Errors of connections and responses.

They are also requests' exceptions, because code written for docker-py catches those.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import requests

from dockerkit.errors.base import DockerException, InvalidArgument, UnreadableFile
from dockerkit.errors.quoting import bounded, quoted

# What engines report with 409 or 500 about an object that is being removed or is gone: Docker, then Podman.
_GONE = re.compile(
    r"marked for removal|removal of (container|volume|network) \S+ is already in progress"
    r"|(already|has) been removed|being removed|no such (container|exec|image|volume|network|object|pod)"
    r"|(container|image|layer|network|volume|exec session)( with \S+ \S+| \S+)?:? not (known|found)"
    r"|no container with (name or )?ID",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ErrorResponse:
    """The response behind an :class:`APIError`, with the attributes of requests' Response.

    Attributes:
        status_code: the HTTP status.
        reason: its text.
        headers: the response headers.
        content: the body, at most 1 MiB.
        method, url: the request.
    """

    status_code: int
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    method: str = ""
    url: str = ""

    @property
    def text(self) -> str:
        """Return the body as a string."""
        return self.content.decode("utf-8", "replace")

    @property
    def ok(self) -> bool:
        """Return whether the status is below 400."""
        return self.status_code < 400

    def json(self) -> Any:
        """Return the body decoded as JSON."""
        return json.loads(self.content)


class ConnectionFailed(DockerException, requests.ConnectionError):
    """The engine can't be reached. The message says which endpoint was tried, why, and what to do.

    Attributes:
        endpoint: the :class:`dockerkit.Endpoint` that was tried.
    """

    def __init__(self, message: str, endpoint: object = None) -> None:
        super().__init__(message)
        self.endpoint = endpoint

    def is_disconnect(self) -> bool:
        """True."""
        return True


class ConnectTimeout(ConnectionFailed, requests.ConnectTimeout, TimeoutError):
    """The engine did not accept the connection within the connect timeout."""


class ReadTimeout(DockerException, requests.ReadTimeout, requests.ConnectionError, TimeoutError):
    """The engine did not respond within the read timeout; the operation may still happen.

    docker-py raises either of the two requests exceptions, depending on what had arrived by then.
    """

    def is_disconnect(self) -> bool:
        """True."""
        return True


class APIError(DockerException, requests.HTTPError):
    """The engine returned an error.

    Attributes:
        response: the response (status_code, reason, headers, content, text, json()), or None.
        explanation: the engine's own text.
    """

    def __init__(self, message: str, response: Any = None, explanation: str | None = None) -> None:
        self.explanation: str | None = explanation and bounded(explanation)
        if self.explanation and self.explanation not in message:
            message = f"{message}: {self.explanation}"
        super().__init__(message)
        self.response = response

    @property
    def status_code(self) -> int | None:
        """Return the HTTP status; None without a response."""
        return None if self.response is None else self.response.status_code

    def is_gone(self) -> bool:
        return self.status_code in (409, 500) and _GONE.search(self.explanation or "") is not None

    def is_error(self) -> bool:
        """Return whether the status is 400 or above."""
        return self.is_client_error() or self.is_server_error()

    def is_client_error(self) -> bool:
        """Return whether the engine refused the request (4xx)."""
        return self.status_code is not None and 400 <= self.status_code < 500

    def is_server_error(self) -> bool:
        """Return whether the engine failed (5xx)."""
        return self.status_code is not None and 500 <= self.status_code < 600


class BadRequest(APIError):
    """400: the engine rejected the parameters."""


class ProgramNotFound(BadRequest):
    """400: the program to run does not exist in the image, or can't be executed."""


class Unauthorized(APIError):
    """401: credentials are missing or wrong."""


class Forbidden(APIError):
    """403: the engine does not allow this."""


class NotFound(APIError):
    """404: the object does not exist."""

    def is_gone(self) -> bool:
        return True


class ImageNotFound(NotFound):
    """404: the image does not exist."""


class InvalidName(NotFound, InvalidArgument):
    """An invalid ID or name, refused before anything is sent. Also a 404, as an engine would return."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.explanation: str | None = bounded(message)
        self.response: Any = ErrorResponse(404, "Not Found", content=bounded(message).encode("utf-8", "replace"))


class InvalidImageName(InvalidName, ImageNotFound):
    """An invalid image name or ID."""


class DockerfileNotFound(UnreadableFile, APIError):
    """The Dockerfile does not exist. Also an APIError, as an engine would return."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.errno: int | None = errno.ENOENT
        self.explanation: str | None = bounded(message)
        self.response: Any = ErrorResponse(400, "Bad Request", content=bounded(message).encode("utf-8", "replace"))


class ContainerNotFound(NotFound):
    """404: the container does not exist."""


class NetworkNotFound(NotFound):
    """404: the network does not exist."""


class VolumeNotFound(NotFound):
    """404: the volume does not exist."""


class ServiceNotFound(NotFound):
    """404: the service does not exist."""


class TaskNotFound(NotFound):
    """404: the task does not exist."""


class NodeNotFound(NotFound):
    """404: the node does not exist."""


class SecretNotFound(NotFound):
    """404: the secret does not exist."""


class ConfigNotFound(NotFound):
    """404: the config does not exist."""


class PluginNotFound(NotFound):
    """404: the plugin is not installed."""


class PathNotFound(NotFound):
    """404: the file or folder does not exist in the container."""


class Conflict(APIError):
    """409: the object is in a state that does not allow this, or the name is taken."""


class NameTaken(Conflict):
    """409: another container or network has this name."""


class NotRunning(Conflict):
    """409: the container is not running."""


class ServerError(APIError):
    """5xx: the engine failed."""


class PortTaken(ServerError):
    """500: a port to publish is already in use on the engine's host."""


class NotImplementedByEngine(ServerError):
    """501: the engine does not implement this."""


class ServiceUnavailable(ServerError):
    """503: not available now, or not on this node (Swarm calls need a manager)."""


class StreamError(APIError):
    """The engine reported a failure in a response that had begun with 200 OK.

    Attributes:
        message: the engine's text.
        code: the engine's numeric code, if any.
        detail: the complete record.
    """

    def __init__(self, message: str, code: int | None = None, detail: Mapping[str, Any] | None = None) -> None:
        content = b"" if detail is None else json.dumps(detail, default=str).encode()
        super().__init__(message, ErrorResponse(200, "OK", content=content), message)
        self.message = message
        self.code = code
        self.detail = detail

    @classmethod
    def from_record(cls, message: str, code: int | None, record: Mapping[str, Any]) -> Self:
        """Create the error for a record that reports a failure."""
        return cls(message, code, record)


class PullError(StreamError):
    """A pull failed after it had begun."""


class PushError(StreamError):
    """A push failed after it had begun."""


class ImageLoadError(StreamError):
    """An image archive could not be loaded."""


class BuildError(StreamError):
    """A build failed.

    Attributes:
        msg: the engine's text (docker-py's name for ``message``).
        build_log: all records of the build, as dicts.
        exit_code: exit code of the failed step, if a step ran.
        step: the failed step as written in the Dockerfile, if known.
        dockerfile: file name of the failed step, if known.
        lines: line numbers of the failed step in that file.
        log: last output lines of the failed step.
        warnings: warnings of the builder.
        hint: the likely cause, if known: why the context lacks a file.
    """

    hint: str = ""

    def __init__(
        self,
        reason: str,
        build_log: Iterable[Mapping[str, Any]] = (),
        *,
        code: int | None = None,
        detail: Mapping[str, Any] | None = None,
        exit_code: int | None = None,
        step: str | None = None,
        dockerfile: str | None = None,
        lines: Sequence[int] = (),
        log: Sequence[str] = (),
        warnings: Sequence[str] = (),
    ) -> None:
        super().__init__(reason, code, detail)
        self.msg = reason
        self.build_log = build_log
        self.exit_code = exit_code
        self.step = step
        self.dockerfile = dockerfile
        self.lines: tuple[int, ...] = tuple(lines)
        self.log: tuple[str, ...] = tuple(log)
        self.warnings: tuple[str, ...] = tuple(warnings)

    @classmethod
    def from_record(cls, message: str, code: int | None, record: Mapping[str, Any]) -> Self:
        """Create the error for a record that reports a failure."""
        return cls(message, [record], code=code, detail=record, exit_code=code)

    def __str__(self) -> str:
        message = f"{self.hint}\n  {self.msg}" if self.hint else self.msg
        if self.step:
            location = f" ({self.dockerfile}:{self.lines[0]})" if self.dockerfile and self.lines else ""
            message += f"\n  in step: {self.step}{location}"
        if self.log:
            message += "\n  last output:\n" + "\n".join(f"    {quoted(line, 500)}" for line in self.log)
        return bounded(message)
