"""The image collection: ``client.images``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from dockerkit.models.images.archives import ImageArchives
from dockerkit.models.images.builds import ImageBuilds
from dockerkit.models.images.image import Image
from dockerkit.models.images.registry import ImageTransfers
from dockerkit.models.resource import RAISE, D
from dockerkit.models.tables import Table
from dockerkit.parsing.platforms import Platform, platform_text

if TYPE_CHECKING:
    from dockerkit.api.base import Ref
    from dockerkit.credentials.auth import AuthSource
    from dockerkit.models.batch import BatchReport
    from dockerkit.progress import ProgressSpec
    from dockerkit.types import answers
    from dockerkit.types.filters import BuildPruneFilters, ImageFilters, ImagePruneFilters, SearchFilters

__all__ = ["ImageCollection"]

# In the body of ImageCollection, list is a method.
_Images: TypeAlias = "Table[Image]"
_Removed: TypeAlias = "list[answers.ImageDeleteResponseItem]"
_Hits: TypeAlias = "list[answers.ImageSearchResponseItem]"


class ImageCollection(ImageTransfers, ImageArchives, ImageBuilds):
    """Pull, build, list and manage images; ``client.images``."""

    model = Image

    def get(self, name: Ref, *, platform: Platform | None = None, default: D = RAISE) -> Image | D:
        """Return an image. ``GET /images/{name}/json``

        Args:
            name: name or ID.
            platform: platform of a multi-platform image (API 1.49). The returned image keeps it: ``reload``,
                ``history``, ``save``, ``push`` and containers created from it use this platform.
            default: returned instead of raising NotFound.

        Raises:
            ImageNotFound: the image does not exist.
        """
        image = self._get(lambda: self.client.api.inspect_image(name, platform=platform), default)
        if platform is not None and isinstance(image, Image):
            image._choose_platform(platform, name)
        return image

    def exists(self, name: Ref, /, *, platform: Platform | None = None) -> bool:
        """Return whether an image exists. ``GET /images/{name}/json``

        Args:
            name, platform: as for :meth:`get`.
        """
        return self.get(name, platform=platform, default=None) is not None

    def ensure(
        self,
        name: str,
        *,
        platform: Platform | None = None,
        auth_config: AuthSource | None = None,
        progress: ProgressSpec = None,
    ) -> Image:
        """Make sure that the engine has an image; pull it if it is missing. ``GET /images/{name}/json``

        The pull is retried if the registry is busy, but not if it refuses.

        Args:
            name: name, with tag or digest.
            platform: also pull if the engine has the image only for another platform.
            auth_config, progress: as for :meth:`pull`.

        Returns:
            The image. Its ``ensured`` attribute shows whether it was pulled, and what differed.
        """
        from dockerkit.models.containers.pull import retry_pull
        from dockerkit.models.ensured import Ensured, differences

        requested = platform_text(platform)
        existing = self.get(name, default=None)
        expected = dict(zip(("Os", "Architecture", "Variant"), (requested or "").split("/"), strict=False))
        found = () if existing is None or not requested else differences(existing.attrs, expected)
        if existing is not None and not found:
            existing.ensured = Ensured("unchanged")
            return existing
        image = retry_pull(lambda: self.pull(name, platform=requested, auth_config=auth_config, progress=progress))
        image.ensured = Ensured("replaced" if found else "created", found)
        return image

    def list(
        self,
        name: str | None = None,
        all: bool = False,
        filters: ImageFilters | None = None,
        *,
        shared_size: bool | None = None,
        manifests: bool | None = None,
        identity: bool | None = None,
    ) -> _Images:
        """List images, newest first, in one request. ``GET /images/json``

        Args:
            name: only images with this name; ``*`` matches any characters.
            all: include untagged intermediate layers.
            filters: ``{"dangling": True, "label": [...], "before": ..., "since": ..., "until": ...}``.
            shared_size, manifests, identity: include more details, on newer engines.
        """
        found = self.client.api.images(
            name, all=all, filters=filters, shared_size=shared_size, manifests=manifests, identity=identity
        )
        return Table(self.prepare_model(summary, partial=True) for summary in found)

    def remove(
        self,
        image: Ref,
        force: bool = False,
        noprune: bool = False,
        *,
        platforms: Platform | Iterable[Platform] | None = None,
    ) -> _Removed:
        """Remove a name of an image; removing its last name removes the image. ``DELETE /images/{name}``

        Args:
            image: name, ID, or object.
            force: remove it even if it has several names or stopped containers use it.
            noprune: keep untagged parents.
            platforms: remove only these platforms (API 1.50).

        Raises:
            ImageNotFound: the image does not exist.
            Conflict: a container uses the image.
        """
        return self.client.api.remove_image(image, force, noprune, platforms=platforms)

    def pull_many(
        self,
        names: Iterable[str],
        *,
        platform: Platform | None = None,
        auth_config: AuthSource | None = None,
        workers: int = 3,
    ) -> BatchReport[Image]:
        """Pull several images concurrently. A pull is retried if the registry is busy, but not if it refuses.

        Args:
            names: names of images, with tag or digest.
            platform, auth_config: as for :meth:`pull`.
            workers: number of images to pull at a time.

        Returns:
            The images and the failures, by name; ``check()`` raises if anything failed.
        """
        from dockerkit.models.batch import run_batch
        from dockerkit.models.containers.pull import retry_pull

        return run_batch(
            lambda name: retry_pull(lambda: self.pull(name, platform=platform, auth_config=auth_config)), names, workers
        )

    def remove_many(self, images: Iterable[Ref], force: bool = False, *, workers: int = 8) -> BatchReport[_Removed]:
        """Remove several images concurrently. ``DELETE /images/{name}``

        Args:
            images: names, IDs or objects.
            force: as for :meth:`remove`.
            workers: number of images to remove at a time.

        Returns:
            The successes and failures, by name; ``check()`` raises if anything failed.
        """
        from dockerkit.models.batch import run_batch

        return run_batch(lambda image: self.remove(image, force), images, workers)

    def search(
        self,
        term: str,
        limit: int | None = None,
        *,
        filters: SearchFilters | None = None,
        auth_config: AuthSource | None = None,
    ) -> _Hits:
        """Search Docker Hub. ``GET /images/search``

        Args:
            term: search term.
            limit: maximum number of results.
            filters: ``{"is-official": True, "stars": 3}``.
            auth_config: credentials for this call.
        """
        return self.client.api.search(term, limit, filters=filters, auth_config=auth_config)

    def prune(self, filters: ImagePruneFilters | None = None) -> answers.ImagePruneResponse:
        """Remove unused images. ``POST /images/prune``

        Args:
            filters: ``{"dangling": False}`` for all unused images, not only untagged ones; ``until``, ``label``.

        Returns:
            A dict with ``ImagesDeleted`` and ``SpaceReclaimed`` (bytes).
        """
        return self.client.api.prune_images(filters)

    def prune_builds(
        self,
        filters: BuildPruneFilters | None = None,
        keep_storage: int | str | None = None,
        all: bool | None = None,
        *,
        reserved_space: int | str | None = None,
        max_used_space: int | str | None = None,
        min_free_space: int | str | None = None,
    ) -> answers.BuildPruneResponse:
        """Remove build cache. ``POST /build/prune``

        Args:
            filters, keep_storage, all, reserved_space, max_used_space, min_free_space: as for the low-level
                ``prune_builds``.
        """
        return self.client.api.prune_builds(
            filters, keep_storage, all, reserved_space=reserved_space, max_used_space=max_used_space,
            min_free_space=min_free_space,
        )  # fmt: skip
