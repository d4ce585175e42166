"""Pull the image of a container to create."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from dockerkit import errors, runtime
from dockerkit.progress import watch

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient
    from dockerkit.progress import ProgressSpec

T = TypeVar("T")

_PAUSES = (0.5, 1.5, 4.0)  # seconds before each further attempt
COLLECTED = r"content digest \S+: not found"
"""Error of a pull if another client removed an image with the same content, which containerd then collected."""

# Engines pass a registry's error on only as text, usually with status 500.
_TEMPORARY = (
    r"toomanyrequests|too many requests|unexpected (HTTP )?status( code)?:? (429|5\d\d)|unexpected EOF|connection reset"
    r"|i/o timeout|TLS handshake timeout|(service|temporarily) unavailable|bad gateway|gateway time-?out|" + COLLECTED
)


def pull(api: APIClient, image: str, platform: str | None, progress: ProgressSpec = None) -> None:
    """Pull an image. Retry if the registry is busy or content was collected meanwhile, but not if it refuses."""

    def attempt() -> None:
        with api.pull(image, platform=platform, stream=True, decode=True) as records:
            deque(watch(records, progress, f"Pulling {image}"), maxlen=0)

    retry_pull(attempt)


def retry_pull(attempt: Callable[[], T], temporary: str = _TEMPORARY) -> T:
    """Retry a pull after a pause if its failure was temporary, by the pattern of its message."""
    for pause in (*_PAUSES, None):
        try:
            return attempt()
        except (errors.PullError, errors.APIError) as error:
            if pause is None or not re.search(temporary, str(error), re.IGNORECASE):
                raise
        runtime.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - so that many clients don't return together
    raise AssertionError("the last attempt returns or raises")
