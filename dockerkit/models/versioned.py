"""Base class of swarm objects: a spec and a version. An update must match the current version."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

from dockerkit import errors, runtime
from dockerkit.models.resource import Model

T = TypeVar("T")

_ATTEMPTS = 8


class Versioned(Model):
    """A swarm object with a spec."""

    id_attribute = "ID"

    @property
    def version(self) -> int:
        """Version of the object, which an update must match."""
        return int(self._get_attr("Version")["Index"])

    @property
    def spec(self) -> dict[str, Any]:
        """Desired state, at the last :meth:`reload`."""
        return self._get_attr("Spec") or {}

    @property
    def name(self) -> str | None:
        """Name of the object."""
        return self.spec.get("Name")

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the object."""
        return self.spec.get("Labels") or {}


def update_current(model: Model, update: Callable[[], object]) -> None:
    """Update an object based on its current attributes, again while that conflicts with concurrent changes."""

    def attempt() -> None:
        model.reload()
        update()

    retry_on_version_conflict(attempt)
    model.reload()


def retry_on_version_conflict(attempt: Callable[[], T]) -> T:
    """Repeat an update, which fetches the object first, while it conflicts with concurrent changes."""
    for number in range(1, _ATTEMPTS + 1):
        try:
            return attempt()
        except errors.APIError as error:
            if number == _ATTEMPTS or "update out of sequence" not in str(error):
                raise
            runtime.sleep(random.uniform(0, 0.05 * number))  # noqa: S311 - so that two who collide don't do so again
    raise AssertionError("the last attempt returns or raises")
