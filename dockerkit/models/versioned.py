"""What swarm objects share: a spec, and a version. An update names the one it was made from, and loses against a quicker."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from dockerkit import errors
from dockerkit.models.resource import Model

T = TypeVar("T")

_ATTEMPTS = 8


class Versioned(Model):
    """An object of a swarm that has a spec."""

    id_attribute = "ID"

    @property
    def version(self) -> int:
        """Counts its changes; an update names the one that it was made from."""
        return int(self._fact("Version")["Index"])

    @property
    def spec(self) -> dict[str, Any]:
        """What it was told to be, as of the last :meth:`reload`."""
        return self._fact("Spec") or {}

    @property
    def name(self) -> str | None:
        """Its name."""
        return self.spec.get("Name")

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return self.spec.get("Labels") or {}


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
