"""Secrets of a swarm. ``/secrets``"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.checks import check_optional, version_index
from dockerkit.api.refs import checked_name
from dockerkit.errors import InvalidArgument
from dockerkit.parsing import values

if TYPE_CHECKING:
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.types import answers
    from dockerkit.types.filters import SwarmFileFilters


class SecretAPI(APIBase):
    """Calls on secrets; they require a manager of a swarm.

    ``id`` is an ID, a name, a dict with ``ID``, or an object.
    """

    def secrets(self, filters: SwarmFileFilters | None = None) -> list[answers.Secret]:
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
        """Create a secret. ``POST /secrets/create``

        Args:
            name: name of the secret.
            data: content; a string is encoded as UTF-8. None if a driver provides it.
            labels: a dict.
            driver: :class:`~dockerkit.types.DriverConfig` of a secrets plugin (API 1.31).
            templating: ``{"Name": "golang"}`` if the content is a template (API 1.37).

        Returns:
            ``{"ID": ...}``.

        Raises:
            Conflict: the name is taken.
            ServiceUnavailable: this engine is not a manager of a swarm.
        """
        body = {**swarm_file(name, data, labels), "Driver": driver, "Templating": templating}
        return self._json("POST", "/secrets/create", body=body, needs="ID")

    def inspect_secret(self, id: Ref) -> answers.Secret:
        """Return all details of a secret, except its content. ``GET /secrets/{id}``"""
        return self._json("GET", "/secrets/{id}", id=id)

    def update_secret(self, id: Ref, version: int, spec: Mapping[str, Any] | ToEngine) -> None:
        """Change the labels of a secret; nothing else can be changed. ``POST /secrets/{id}/update``

        Args:
            version: ``Version.Index`` of the secret, which prevents lost updates.
            spec: complete ``Spec`` as inspected, with changed ``Labels``.
        """
        self._no_content("POST", "/secrets/{id}/update", id=id, query={"version": version_index(version)}, body=spec)

    def remove_secret(self, id: Ref) -> bool:
        """Remove a secret. ``DELETE /secrets/{id}``

        Returns:
            True.

        Raises:
            BadRequest: a service uses the secret.
        """
        self._no_content("DELETE", "/secrets/{id}", id=id)
        return True


def swarm_file(name: str, data: bytes | str | None, labels: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the common part of the specs of secrets and configs."""
    return {
        "Name": checked_name(name),
        "Data": _encoded("data", data),
        "Labels": check_optional(values.labels, "labels", labels),
    }


def _encoded(parameter: str, data: bytes | str | None) -> str | None:
    """Return the content of a secret or config in base64."""
    if isinstance(data, str):
        data = data.encode()
    if data is None:
        return None
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise InvalidArgument(f"{parameter}: must be bytes or a string, got {type(data).__name__}")
    return base64.b64encode(data).decode()


SecretApiMixin = SecretAPI  # docker-py's name
