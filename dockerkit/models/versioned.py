"""What swarm objects share: an update names the version that it was made from, and loses against a quicker one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from dockerkit import errors

T = TypeVar("T")

_ATTEMPTS = 8


def retried(attempt: Callable[[], T]) -> T:
    """Do an update again as long as somebody else's change came in between.

    Args:
        attempt: reads the object, and updates it from what it read.
    """
    for number in range(1, _ATTEMPTS + 1):
        try:
            return attempt()
        except errors.APIError as error:
            if number == _ATTEMPTS or "update out of sequence" not in str(error):
                raise
            time.sleep(random.uniform(0, 0.05 * number))  # noqa: S311 - so that two who collide don't do so again
    raise AssertionError("the last attempt returns or raises")
