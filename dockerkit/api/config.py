"""Configs of a swarm: files for services that are no secrets. ``/configs``"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import Base, Ref
from dockerkit.api.checks import index, optional
from dockerkit.api.encode import Filters
from dockerkit.api.refs import checked_name
from dockerkit.api.secret import encoded
from dockerkit.types import parse

if TYPE_CHECKING:
    from dockerkit.types import answers
    from dockerkit.types.wire import ToEngine


class ConfigAPI(Base):
    """The calls on configs; each needs a manager of a swarm, and API 1.30."""

    def configs(self, filters: Filters | None = None) -> list[answers.Config]:
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
        """Make a config. ``POST /configs/create``

        Args:
            name: its name.
            data: its content; a text is encoded as UTF-8.
            labels: a dict.
            templating: ``{"Name": "golang"}``: the content is a template (API 1.37).

        Returns:
            ``{"ID": ...}``.

        Raises:
            Conflict: the name is taken.
            ServiceUnavailable: this engine is no manager of a swarm.
        """
        body = {
            "Name": checked_name(name),
            "Data": encoded("data", data),
            "Labels": optional(parse.labels, "labels", labels),
            "Templating": templating,
        }
        return self._json("POST", "/configs/create", body=body, needs="ID")

    def inspect_config(self, id: Ref) -> answers.Config:
        """A config's facts, with its content in base64. ``GET /configs/{id}``

        Args:
            id: id, name, dict with ``ID``, or object.
        """
        return self._json("GET", "/configs/{id}", id=id)

    def update_config(self, id: Ref, version: int, spec: Mapping[str, Any] | ToEngine) -> None:
        """Change a config's labels; nothing else of it can be changed. ``POST /configs/{id}/update``

        Args:
            id: id, name, dict with ``ID``, or object.
            version: ``Version.Index`` of the config that is to be changed: protects from lost updates.
            spec: the whole ``Spec`` as it was inspected, with other ``Labels``.
        """
        self._none("POST", "/configs/{id}/update", id=id, query={"version": index(version)}, body=spec)

    def remove_config(self, id: Ref) -> bool:
        """Remove a config. ``DELETE /configs/{id}``

        Args:
            id: id, name, dict with ``ID``, or object.

        Returns:
            True.

        Raises:
            BadRequest: a service uses it.
        """
        self._none("DELETE", "/configs/{id}", id=id)
        return True


ConfigApiMixin = ConfigAPI  # its name in docker-py
