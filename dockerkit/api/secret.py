"""Secrets of a swarm. ``/secrets``"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import Base, Ref
from dockerkit.api.checks import index, optional
from dockerkit.api.encode import Filters
from dockerkit.api.refs import checked_name
from dockerkit.errors import InvalidArgument
from dockerkit.types import parse

if TYPE_CHECKING:
    from dockerkit.types import answers
    from dockerkit.types.wire import ToEngine


class SecretAPI(Base):
    """The calls on secrets; each needs a manager of a swarm."""

    def secrets(self, filters: Filters | None = None) -> list[answers.Secret]:
        """List secrets. ``GET /secrets``

        Args:
            filters: ``{"id": ..., "name": ..., "names": ..., "label": ["a=b"]}``.
        """
        return self._json("GET", "/secrets", query={"filters": filters or {}}, kind=list)

    def create_secret(
        self,
        name: str,
        data: bytes | str | None,
        labels: Mapping[str, str] | None = None,
        driver: Mapping[str, Any] | ToEngine | None = None,
        *,
        templating: Mapping[str, Any] | ToEngine | None = None,
    ) -> answers.IDResponse:
        """Make a secret. ``POST /secrets/create``

        Args:
            name: its name.
            data: its content; a text is encoded as UTF-8. None where a driver brings it.
            labels: a dict.
            driver: a :class:`~dockerkit.types.DriverConfig` of a secrets plugin (API 1.31).
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
            "Driver": driver,
            "Templating": templating,
        }
        return self._json("POST", "/secrets/create", body=body, needs="ID")

    def inspect_secret(self, id: Ref) -> answers.Secret:
        """A secret's facts; its content is never told. ``GET /secrets/{id}``

        Args:
            id: id, name, dict with ``ID``, or object.
        """
        return self._json("GET", "/secrets/{id}", id=id)

    def update_secret(self, id: Ref, version: int, spec: Mapping[str, Any] | ToEngine) -> None:
        """Change a secret's labels; nothing else of it can be changed. ``POST /secrets/{id}/update``

        Args:
            id: id, name, dict with ``ID``, or object.
            version: ``Version.Index`` of the secret that is to be changed: protects from lost updates.
            spec: the whole ``Spec`` as it was inspected, with other ``Labels``.
        """
        self._none("POST", "/secrets/{id}/update", id=id, query={"version": index(version)}, body=spec)

    def remove_secret(self, id: Ref) -> bool:
        """Remove a secret. ``DELETE /secrets/{id}``

        Args:
            id: id, name, dict with ``ID``, or object.

        Returns:
            True.

        Raises:
            BadRequest: a service uses it.
        """
        self._none("DELETE", "/secrets/{id}", id=id)
        return True


def encoded(parameter: str, data: bytes | str | None) -> str | None:
    """The content of a secret or config as the Engine takes it: base64."""
    if isinstance(data, str):
        data = data.encode()
    if data is None:
        return None
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise InvalidArgument(f"{parameter}: bytes or a text are needed, not {type(data).__name__}")
    return base64.b64encode(data).decode()


SecretApiMixin = SecretAPI  # its name in docker-py
