"""The exceptions that are requests' exceptions too, because users of docker-py catch those.

Named through :mod:`dockerkit.errors`, which loads this module when one of them is first needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from dockerkit.errors import DockerException


@dataclass(frozen=True)
class ErrorAnswer:
    """The engine's answer behind an :class:`APIError`, under the names that requests' Response has.

    Attributes:
        status_code: the HTTP status.
        reason: its text.
        headers: the answer's headers.
        content: the body, 1 MiB of it at most.
        method, url: what was asked, of which engine.
    """

    status_code: int
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    method: str = ""
    url: str = ""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    @property
    def ok(self) -> bool:
        """What requests calls a status below 400, which an error seldom has."""
        return self.status_code < 400

    def json(self) -> Any:
        """The body decoded as JSON."""
        return json.loads(self.content)


class ConnectionFailed(DockerException, requests.ConnectionError):
    """No engine answered; the message says which endpoint was tried, why that one, and what to do.

    Attributes:
        endpoint: the :class:`dockerkit.config.Endpoint` that was tried.
    """

    def __init__(self, message: str, endpoint: object = None) -> None:
        super().__init__(message)
        self.endpoint = endpoint


class ConnectTimeout(ConnectionFailed, requests.ConnectTimeout, TimeoutError):
    """The engine did not take the connection within the connect timeout."""


class EngineTimeout(DockerException, requests.ReadTimeout, TimeoutError):
    """The engine did not answer within the read timeout; what was asked for may still happen."""


class APIError(DockerException, requests.HTTPError):
    """The engine answered with an error.

    Attributes:
        response: the answer (status_code, reason, headers, content, text, json()), or None.
        explanation: the engine's own words.
    """

    def __init__(self, message: str, response: Any = None, explanation: str | None = None) -> None:
        super().__init__(message)
        self.response = response
        self.explanation = explanation

    def __str__(self) -> str:
        message = str(self.args[0]) if self.args else ""
        if self.explanation and self.explanation not in message:
            return f"{message}: {self.explanation}"
        return message

    @property
    def status_code(self) -> int | None:
        """The HTTP status, or None where there was no answer."""
        return None if self.response is None else self.response.status_code

    def is_error(self) -> bool:
        """Whether the engine refused or failed (status 400 and above)."""
        return self.is_client_error() or self.is_server_error()

    def is_client_error(self) -> bool:
        """Whether the engine refused the request (status 4xx)."""
        return self.status_code is not None and 400 <= self.status_code < 500

    def is_server_error(self) -> bool:
        """Whether the engine itself failed (status 5xx)."""
        return self.status_code is not None and 500 <= self.status_code < 600


class BadRequest(APIError):
    """400: the engine does not understand or accept the parameters."""


class Unauthorized(APIError):
    """401: credentials are missing or wrong."""


class Forbidden(APIError):
    """403: this engine does not allow it."""


class NotFound(APIError):
    """404: there is no such container, image, network…"""


class ImageNotFound(NotFound):
    """404: there is no such image."""


class Conflict(APIError):
    """409: the name is taken, or the resource is in a state that does not allow it."""


class ServerError(APIError):
    """5xx: the engine failed."""


class NotImplementedByEngine(ServerError):
    """501: this engine can't do that."""


class ServiceUnavailable(ServerError):
    """503: not now, or not on this node (swarm calls on a node that is no manager)."""


_BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    501: NotImplementedByEngine,
    503: ServiceUnavailable,
}


def api_error(answer: ErrorAnswer, *, image: bool = False) -> APIError:
    """The exception for an error answer.

    Args:
        answer: what the engine answered.
        image: whether a 404 is about an image.
    """
    cls = _BY_STATUS.get(answer.status_code) or (ServerError if answer.status_code >= 500 else APIError)
    if cls is NotFound and image:
        cls = ImageNotFound
    explanation = _explanation(answer)
    kind = "Server Error" if answer.status_code >= 500 else "Client Error"
    asked = f" for {answer.method} {answer.url}" if answer.url else ""
    return cls(f"{answer.status_code} {kind}{asked}: {answer.reason} ({explanation})", answer, explanation)


def _explanation(answer: ErrorAnswer) -> str:
    """The engine's words: JSON ``{"message"}`` mostly, plain text from old calls, HTML from a proxy between."""
    text = answer.text.strip()
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        pass
    else:
        if isinstance(record, dict):
            # Podman answers a failed push with the record that belongs into its stream.
            detail = record.get("errorDetail")
            told = record.get("message") or (detail.get("message") if isinstance(detail, dict) else None)
            if isinstance(told, str):
                return told.strip()
    if "<html" in text[:500].lower():
        return "the answer is a web page: is there a proxy between, or is that no Docker Engine?"
    return text[:2000] or "the answer has no text"


def create_api_error_from_http_exception(e: requests.HTTPError) -> None:
    """Raise the :class:`APIError` for a requests' HTTPError.

    Raises:
        APIError: always, the subclass that fits the status.
    """
    response = e.response
    answer = ErrorAnswer(
        response.status_code,
        response.reason,
        dict(response.headers),
        response.content,
        (response.request.method or "") if response.request is not None else "",
        response.url,
    )
    raise api_error(answer, image="no such image" in answer.text.lower()) from e
