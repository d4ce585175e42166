"""Configs of a swarm: files for services that are no secrets."""

from __future__ import annotations

import base64
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


class Config(Versioned):
    """A config: a file that the containers of services which name it see."""

    @property
    def data(self) -> bytes:
        """Its content."""
        return base64.b64decode((self._full().get("Spec") or {}).get("Data") or "")

    def update(self, labels: Mapping[str, str]) -> None:
        """Replace its labels; nothing else of a config can be changed. ``POST /configs/{id}/update``

        Args:
            labels: all that it is to have.
        """

        def attempt() -> None:
            self.reload()
            self.client.api.update_config(self, self.version, {**self.attrs["Spec"], "Labels": dict(labels)})

        retried(attempt)
        self.reload()

    def remove(self) -> bool:
        """Remove it. ``DELETE /configs/{id}``

        Returns:
            True.

        Raises:
            BadRequest: a service uses it.
        """
        return self.client.api.remove_config(self)

    def __repr__(self) -> str:
        return f"<Config: {(self.attrs.get('Spec') or {}).get('Name')!r}>"


class ConfigCollection(Collection[Config]):
    """The configs of a swarm; a manager knows them (API 1.30)."""

    model = Config

    def create(
        self,
        name: str,
        data: bytes | str,
        labels: Mapping[str, str] | None = None,
        templating: Mapping[str, Any] | ToEngine | None = None,
    ) -> Config:
        """Make a config. ``POST /configs/create``

        Args:
            name: its name.
            data: its content; a text is encoded as UTF-8.
            labels: a dict.
            templating: ``{"Name": "golang"}``: the content is a template (API 1.37).

        Raises:
            Conflict: the name is taken.
            ServiceUnavailable: this engine is no manager of a swarm.
        """
        made = self.client.api.create_config(name, data, labels, templating)
        spec = {"Name": name, "Labels": dict(labels or {})}
        return self.prepare_model({**made, "Spec": spec}, partial=True)

    def get(self, config_id: Ref) -> Config:
        """One config. ``GET /configs/{id}``

        Args:
            config_id: id or name.

        Raises:
            NotFound: there is none.
        """
        return self.prepare_model(self.client.api.inspect_config(config_id))

    def list(self, filters: Filters | None = None) -> builtins.list[Config]:
        """List configs, by one request. ``GET /configs``

        Args:
            filters: ``{"id": ..., "name": ..., "label": ["a=b"]}``.
        """
        return Table(self.prepare_model(attrs) for attrs in self.client.api.configs(filters))

    def rotate(
        self, config: Config | str, data: bytes | str, *, name: str | None = None, remove_old: bool = True
    ) -> Config:
        """Put a new config in the place of an old one, in each service that uses it.

        Configs can't change. So a new one is made, with the same labels; each service that has the old one gets the new
        one under the same file name, owner and mode (which replaces its containers, as its update settings say); then
        the old one is removed.

        Args:
            config: the old one: an object, id or name.
            data: the new content.
            name: of the new one; None adds a number to the old name, or counts it up: ``nginx.conf.2``.
            remove_old: False keeps it, to go back to.

        Returns:
            The new config.

        Raises:
            NotFound: there is no such config.
            Conflict: the new name is taken.
        """
        old = config if isinstance(config, Config) else self.get(config)

        def make(new_name: str) -> Config:
            return self.create(new_name, data, old.labels)

        new = rotate(self.client, "Config", old, name, make)
        if remove_old:
            old.remove()
        return new
