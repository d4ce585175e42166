"""Errors in docker-py's words, because programs search ``str(error)`` for them."""

from __future__ import annotations

from dataclasses import replace

from dockerkit.errors.api import APIError, ErrorAnswer, StreamError
from dockerkit.errors.base import DockerException
from dockerkit.errors.run import ContainerError, RunTimeout

__all__ = ["rephrase"]


def rephrase(error: DockerException, host: str, base_url: str) -> None:
    """Replace an error's text with docker-py's. The original text becomes a note, which tracebacks show.

    In URLs, the engine's address (`host`) is replaced with docker-py's form of it.
    """
    if isinstance(error, StreamError):
        text = error.message
    elif isinstance(error, APIError) and isinstance(error.response, ErrorAnswer):
        response = error.response
        if response.url.startswith(host):
            error.response = response = replace(response, url=base_url + response.url.removeprefix(host))
        kind = "Client" if error.is_client_error() else "Server"
        text = f"{response.status_code} {kind} Error for {response.url}: {response.reason}"
        if error.explanation:
            text += f' ("{error.explanation}")'
    elif isinstance(error, ContainerError) and not isinstance(error, RunTimeout):
        text = f"Command '{error.command}' in image '{error.image}' returned non-zero exit status {error.exit_status}"
        if error.stderr is not None:
            text += f": {error.stderr!r}"
    else:
        return
    if text == str(error):
        return
    error.add_note(str(error))
    error.args = (text, *error.args[1:])
