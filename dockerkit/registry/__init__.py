"""Access registries without an engine: tags, manifests, blobs, and copying images between registries.

::

    import dockerkit

    with dockerkit.Registry("registry.example.com") as registry:
        print(registry.tags("team/app"))
        print(registry.config("team/app:1.2", platform="linux/arm64").created)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerkit._lazy import lazy_names

if TYPE_CHECKING:
    from dockerkit.registry.client import Registry
    from dockerkit.registry.copy import annotate_index, copy_image, create_index
    from dockerkit.registry.manifests import Attestation, Descriptor, Index, Manifest, RegistryImageConfig

__all__ = [
    "Attestation", "Descriptor", "Index", "Manifest", "Registry", "RegistryImageConfig", "annotate_index",
    "copy_image", "create_index",
]  # fmt: skip

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "dockerkit.registry.client": "Registry",
            "dockerkit.registry.copy": "annotate_index copy_image create_index",
            "dockerkit.registry.manifests": "Attestation Descriptor Index Manifest RegistryImageConfig",
        },
    )
