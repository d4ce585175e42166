"""Secrets of a swarm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.models.resource import RAISE, D
from dockerkit.models.swarm_files import SwarmFile, SwarmFileCollection

if TYPE_CHECKING:
    from dockerkit.api.refs import Ref
    from dockerkit.parsing.json_data import ToEngine


class Secret(SwarmFile):
    """A secret: a file that only the containers of services using it can read. The engine never returns its content."""

    kind = "Secret"


class SecretCollection(SwarmFileCollection[Secret]):
    """Create, list and manage secrets of a swarm; requires a manager node."""

    model = Secret

    def create(
        self,
        name: str,
        data: bytes | str | None = None,
        labels: Mapping[str, str] | None = None,
        driver: Mapping[str, Any] | ToEngine | None = None,
        templating: Mapping[str, Any] | ToEngine | None = None,
    ) -> Secret:
        """Create a secret. ``POST /secrets/create``

        Args:
            name: name of the secret.
            data: content; a string is encoded as UTF-8. None if a driver provides it.
            labels: a dict.
            driver: a :class:`~dockerkit.types.DriverConfig` of a secrets plugin (API 1.31).
            templating: ``{"Name": "golang"}`` if the content is a template (API 1.37).

        Raises:
            Conflict: the name is taken.
            ServiceUnavailable: the engine is not a swarm manager.
        """
        created = self.client.api.create_secret(name, data, labels, driver, templating=templating)
        return self._created(created, name, labels)

    def get(self, secret_id: Ref, *, default: D = RAISE) -> Secret | D:
        """Return a secret. ``GET /secrets/{id}``

        Args:
            secret_id: ID or name.
            default: returned instead of raising NotFound.

        Raises:
            NotFound: the secret does not exist.
        """
        return self._get(lambda: self.client.api.inspect_secret(secret_id), default)

    def rotate(
        self, secret: Secret | str, data: bytes | str, *, name: str | None = None, remove_old: bool = True
    ) -> Secret:
        """Replace a secret with a new one, in each service that uses it.

        Secrets can't be changed, so this creates a new one with the same labels. Each service that uses the old one gets
        the new one under the same file name, owner and mode, which replaces its containers as its update settings say.
        Then the old one is removed.

        Args:
            secret: the old secret: an object, ID or name.
            data: new content.
            name: name of the new secret; None appends or increments a number: ``password.2``.
            remove_old: remove the old one at the end; False keeps it for a rollback.

        Returns:
            The new secret.

        Raises:
            NotFound: the secret does not exist.
            Conflict: the new name is taken.
        """
        return self._rotate(secret, data, name, remove_old=remove_old)
