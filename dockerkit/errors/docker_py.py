"""Errors in docker-py's words, because programs search ``str(error)`` for them."""

from __future__ import annotations

from dataclasses import replace

from dockerkit.errors.api import APIError, ErrorResponse, StreamError
from dockerkit.errors.base import DockerException
from dockerkit.errors.run import ContainerError, RunTimeout

__all__ = ["rephrase"]


def rephrase(error: DockerException, host: str, base_url: str) -> None:
    """Replace an error's message with docker-py's. The original message becomes a note, which tracebacks show.

    In URLs, the engine's address (`host`) is replaced with docker-py's format of it.
    """
    if isinstance(error, StreamError):
        message = error.message
    elif isinstance(error, APIError) and isinstance(error.response, ErrorResponse):
        response = error.response
        if response.url.startswith(host):
            error.response = response = replace(response, url=base_url + response.url.removeprefix(host))
        kind = "Client" if error.is_client_error() else "Server"
        message = f"{response.status_code} {kind} Error for {response.url}: {response.reason}"
        if error.explanation:
            message += f' ("{error.explanation}")'
    elif isinstance(error, ContainerError) and not isinstance(error, RunTimeout):
        message = (
            f"Command '{error.command}' in image '{error.image}' returned non-zero exit status {error.exit_status}"
        )
        if error.stderr is not None:
            message += f": {error.stderr!r}"
    else:
        return
    if message == str(error):
        return
    error.add_note(str(error))
    error.args = (message, *error.args[1:])
