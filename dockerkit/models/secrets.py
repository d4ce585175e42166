"""Secrets of a swarm."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.encode import Filters
from dockerkit.models.resource import Collection
from dockerkit.models.rotation import rotate
from dockerkit.models.tables import Table
from dockerkit.models.versioned import Versioned, retried

if TYPE_CHECKING:
    from dockerkit.api.refs import Ref
    from dockerkit.types.wire import ToEngine


class Secret(Versioned):
    """A secret: a file that only the containers of services which name it can read. Its content is never told."""

    def update(self, labels: Mapping[str, str]) -> None:
        """Replace its labels; nothing else of a secret can be changed. ``POST /secrets/{id}/update``

        Args:
            labels: all that it is to have.
        """

        def attempt() -> None:
            self.reload()
            self.client.api.update_secret(self, self.version, {**self.attrs["Spec"], "Labels": dict(labels)})

        retried(attempt)
        self.reload()

    def remove(self) -> bool:
        """Remove it. ``DELETE /secrets/{id}``

        Returns:
            True.

        Raises:
            BadRequest: a service uses it.
        """
        return self.client.api.remove_secret(self)

    def __repr__(self) -> str:
        return f"<Secret: {(self.attrs.get('Spec') or {}).get('Name')!r}>"


class SecretCollection(Collection[Secret]):
    """The secrets of a swarm; a manager knows them."""

    model = Secret

    def create(
        self,
        name: str,
        data: bytes | str | None = None,
        labels: Mapping[str, str] | None = None,
        driver: Mapping[str, Any] | ToEngine | None = None,
        templating: Mapping[str, Any] | ToEngine | None = None,
    ) -> Secret:
        """Make a secret. ``POST /secrets/create``

        Args:
            name: its name.
            data: its content; a text is encoded as UTF-8. None where a driver brings it.
            labels: a dict.
            driver: a :class:`~dockerkit.types.DriverConfig` of a secrets plugin (API 1.31).
            templating: ``{"Name": "golang"}``: the content is a template (API 1.37).

        Raises:
            Conflict: the name is taken.
            ServiceUnavailable: this engine is no manager of a swarm.
        """
        made = self.client.api.create_secret(name, data, labels, driver, templating=templating)
        spec = {"Name": name, "Labels": dict(labels or {})}
        return self.prepare_model({**made, "Spec": spec}, partial=True)

    def get(self, secret_id: Ref) -> Secret:
        """One secret. ``GET /secrets/{id}``

        Args:
            secret_id: id or name.

        Raises:
            NotFound: there is none.
        """
        return self.prepare_model(self.client.api.inspect_secret(secret_id))

    def list(self, filters: Filters | None = None) -> builtins.list[Secret]:
        """List secrets, by one request. ``GET /secrets``

        Args:
            filters: ``{"id": ..., "name": ..., "names": ..., "label": ["a=b"]}``.
        """
        return Table(self.prepare_model(attrs) for attrs in self.client.api.secrets(filters))

    def rotate(
        self, secret: Secret | str, data: bytes | str, *, name: str | None = None, remove_old: bool = True
    ) -> Secret:
        """Put a new secret in the place of an old one, in each service that uses it.

        Secrets can't change. So a new one is made, with the same labels; each service that has the old one gets the new
        one under the same file name, owner and mode (which replaces its containers, as its update settings say); then
        the old one is removed.

        Args:
            secret: the old one: an object, id or name.
            data: the new content.
            name: of the new one; None adds a number to the old name, or counts it up: ``password.2``.
            remove_old: False keeps it, to go back to.

        Returns:
            The new secret.

        Raises:
            NotFound: there is no such secret.
            Conflict: the new name is taken.
        """
        old = secret if isinstance(secret, Secret) else self.get(secret)

        def make(new_name: str) -> Secret:
            return self.create(new_name, data, old.labels)

        new = rotate(self.client, "Secret", old, name, make)
        if remove_old:
            old.remove()
        return new
