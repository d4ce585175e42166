"""What registries say about an image. ``/distribution``"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerkit.api.base import Base
from dockerkit.api.refs import name_of

if TYPE_CHECKING:
    from dockerkit.auth import AuthSource
    from dockerkit.types import answers


class DistributionAPI(Base):
    """The call that asks a registry."""

    def inspect_distribution(self, image: str, auth_config: AuthSource | None = None) -> answers.DistributionInspect:
        """Digest and platforms of an image in its registry, without pulling it. ``GET /distribution/{name}/json``

        Args:
            image: name of the image, with tag or digest.
            auth_config: credentials of this call: ``{"username": ..., "password": ...}``, or a function that is given the
                registry's name and returns them; instead of those known.

        Returns:
            ``Descriptor`` (``digest``, ``mediaType``, ``size`` in bytes) and ``Platforms``.

        Raises:
            NotFound: the registry has no such image.
            APIError: the registry did not answer, or refused.
        """
        from dockerkit.auth import call_with_credentials, resolve_repository_name

        registry, _ = resolve_repository_name(name_of(image, "image"))
        return call_with_credentials(
            self,
            registry,
            lambda headers: self._json("GET", "/distribution/{name}/json", name=image, headers=headers, timeout=None),
            auth_config,
        )
