"""Configs of a swarm: files for services that need not be secret."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.models.resource import RAISE, D
from dockerkit.models.swarm_files import SwarmFile, SwarmFileCollection

if TYPE_CHECKING:
    from dockerkit.api.refs import Ref
    from dockerkit.parsing.json_data import ToEngine


class Config(SwarmFile):
    """A config: a file mounted in the containers of services that refer to it."""

    kind = "Config"

    @property
    def data(self) -> bytes:
        """Content of the config."""
        return base64.b64decode((self._load().get("Spec") or {}).get("Data") or "")


class ConfigCollection(SwarmFileCollection[Config]):
    """Create, list and manage configs of a swarm; requires a manager node (API 1.30)."""

    model = Config

    def create(
        self,
        name: str,
        data: bytes | str,
        labels: Mapping[str, str] | None = None,
        templating: Mapping[str, Any] | ToEngine | None = None,
    ) -> Config:
        """Create a config. ``POST /configs/create``

        Args:
            name: name of the config.
            data: content; a string is encoded as UTF-8.
            labels: a dict.
            templating: ``{"Name": "golang"}`` if the content is a template (API 1.37).

        Raises:
            Conflict: the name is taken.
            ServiceUnavailable: the engine is not a swarm manager.
        """
        created = self.client.api.create_config(name, data, labels, templating)
        return self._created(created, name, labels)

    def get(self, config_id: Ref, *, default: D = RAISE) -> Config | D:
        """Return a config. ``GET /configs/{id}``

        Args:
            config_id: ID or name.
            default: returned instead of raising NotFound.

        Raises:
            NotFound: the config does not exist.
        """
        return self._get(lambda: self.client.api.inspect_config(config_id), default)

    def rotate(
        self, config: Config | str, data: bytes | str, *, name: str | None = None, remove_old: bool = True
    ) -> Config:
        """Replace a config with a new one, in each service that uses it.

        Configs can't be changed, so this creates a new one with the same labels. Each service that uses the old one gets
        the new one under the same file name, owner and mode, which replaces its containers as its update settings say.
        Then the old one is removed.

        Args:
            config: the old config: an object, ID or name.
            data: new content.
            name: name of the new config; None appends or increments a number: ``nginx.conf.2``.
            remove_old: remove the old one at the end; False keeps it for a rollback.

        Returns:
            The new config.

        Raises:
            NotFound: the config does not exist.
            Conflict: the new name is taken.
        """
        return self._rotate(config, data, name, remove_old=remove_old)
