"""Images: ``client.images`` and the objects it returns."""

from __future__ import annotations

from dockerkit.api.defaults import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.models.images.collection import ImageCollection
from dockerkit.models.images.image import Image
from dockerkit.models.images.registry import RegistryData, normalize_platform

__all__ = ["DEFAULT_DATA_CHUNK_SIZE", "Image", "ImageCollection", "RegistryData", "normalize_platform"]
