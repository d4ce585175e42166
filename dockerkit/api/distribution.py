"""Images in registries. ``/distribution``"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerkit.api.base import APIBase
from dockerkit.api.refs import resolve_id

if TYPE_CHECKING:
    from dockerkit.credentials.auth import AuthSource
    from dockerkit.types import answers


class DistributionAPI(APIBase):
    """Calls that query a registry."""

    def inspect_distribution(self, image: str, auth_config: AuthSource | None = None) -> answers.DistributionInspect:
        """Return digest and platforms of an image in its registry, without pulling it. ``GET /distribution/{name}/json``

        Args:
            image: name of the image, with tag or digest.
            auth_config: credentials for this call instead of the stored ones: ``{"username": ..., "password": ...}``, or a
                function that takes the registry's name and returns them.

        Returns:
            ``Descriptor`` (``digest``, ``mediaType``, ``size`` in bytes) and ``Platforms``.

        Raises:
            NotFound: the registry has no such image.
            APIError: the registry did not respond, or refused.
        """
        from dockerkit.credentials.auth import call_with_credentials, resolve_repository_name

        registry, _ = resolve_repository_name(resolve_id(image, "image"))
        return call_with_credentials(
            self,
            registry,
            lambda headers: self._json("GET", "/distribution/{name}/json", name=image, headers=headers, timeout=None),
            auth_config,
        )
