"""Configs of a swarm: files for services that are not secret. ``/configs``"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.checks import version_index
from dockerkit.api.secret import swarm_file

if TYPE_CHECKING:
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.types import answers
    from dockerkit.types.filters import SwarmFileFilters


class ConfigAPI(APIBase):
    """Calls on configs; they require a manager of a swarm, and API 1.30.

    ``id`` is an ID, a name, a dict with ``ID``, or an object.
    """

    def configs(self, filters: SwarmFileFilters | None = None) -> list[answers.Config]:
        """List configs. ``GET /configs``

        Args:
            filters: ``{"id": ..., "name": ..., "label": ["a=b"]}``.
        """
        return self._json("GET", "/configs", query={"filters": filters or {}}, kind=list)

    def create_config(
        self,
        name: str,
        data: bytes | str,
        labels: Mapping[str, str] | None = None,
        templating: Mapping[str, Any] | ToEngine | None = None,
    ) -> answers.IDResponse:
        """Create a config. ``POST /configs/create``

        Args:
            name: name of the config.
            data: content; a string is encoded as UTF-8.
            labels: a dict.
            templating: ``{"Name": "golang"}`` if the content is a template (API 1.37).

        Returns:
            ``{"ID": ...}``.

        Raises:
            Conflict: the name is taken.
            ServiceUnavailable: this engine is not a manager of a swarm.
        """
        body = {**swarm_file(name, data, labels), "Templating": templating}
        return self._json("POST", "/configs/create", body=body, needs="ID")

    def inspect_config(self, id: Ref) -> answers.Config:
        """Return all details of a config, with its content in base64. ``GET /configs/{id}``"""
        return self._json("GET", "/configs/{id}", id=id)

    def update_config(self, id: Ref, version: int, spec: Mapping[str, Any] | ToEngine) -> None:
        """Change the labels of a config; nothing else can be changed. ``POST /configs/{id}/update``

        Args:
            version: ``Version.Index`` of the config, which prevents lost updates.
            spec: complete ``Spec`` as inspected, with changed ``Labels``.
        """
        self._no_content("POST", "/configs/{id}/update", id=id, query={"version": version_index(version)}, body=spec)

    def remove_config(self, id: Ref) -> bool:
        """Remove a config. ``DELETE /configs/{id}``

        Returns:
            True.

        Raises:
            BadRequest: a service uses the config.
        """
        self._no_content("DELETE", "/configs/{id}", id=id)
        return True


ConfigApiMixin = ConfigAPI  # docker-py's name
