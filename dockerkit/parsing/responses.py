"""Handle responses that are valid JSON, but of unexpected types."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from dockerkit.errors import DockerException, StreamParseError

UNEXPECTED = (TypeError, AttributeError, ValueError, LookupError, OverflowError)
"""Errors raised by code that reads a value of an unexpected type."""


def unexpected_response(what: str, error: Exception) -> StreamParseError:
    """Return the error for a response of an unexpected type."""
    return StreamParseError(f"{what}: unexpected response from the engine ({error})")


@contextlib.contextmanager
def parsing_response(what: str) -> Iterator[None]:
    """Convert errors of a block that reads a response to StreamParseError; `what` is read, for the message."""
    try:
        yield
    except DockerException:
        raise
    except UNEXPECTED as error:
        raise unexpected_response(what, error) from error
