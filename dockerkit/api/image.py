"""Images: list, inspect, tag, remove. ``/images``"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, overload

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.defaults import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.api.encode import filters_with
from dockerkit.api.image_archive import ImageArchiveAPI
from dockerkit.api.image_registry import ImageRegistryAPI, name_and_tag
from dockerkit.api.refs import check_lower_case
from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.parsing.platforms import Platform, platform_json, platform_list
from dockerkit.parsing.values import sequence

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from dockerkit.types import answers
    from dockerkit.types.filters import ImageFilters, ImagePruneFilters
    from dockerkit.types.flags import No, Yes

    class ImageListOptions(TypedDict, total=False):
        """Options of images() that don't change its return type."""

        all: bool
        filters: ImageFilters | None
        shared_size: bool | None
        manifests: bool | None
        identity: bool | None


__all__ = ["DEFAULT_DATA_CHUNK_SIZE", "ImageAPI"]

_LIST_ATTEMPTS = 5


class ImageAPI(ImageArchiveAPI, ImageRegistryAPI, APIBase):
    """Calls on images. ``image`` is a name, an ID, a dict with ``Id``, or an object."""

    @overload
    def images(
        self,
        name: str | None = None,
        quiet: No = False,
        all: bool = False,
        filters: ImageFilters | None = None,
        *,
        shared_size: bool | None = None,
        manifests: bool | None = None,
        identity: bool | None = None,
    ) -> list[answers.ImageSummary]: ...

    @overload
    def images(self, name: str | None = None, *, quiet: Yes, **options: Unpack[ImageListOptions]) -> list[str]: ...

    @overload
    def images(
        self, name: str | None = None, *, quiet: bool, **options: Unpack[ImageListOptions]
    ) -> list[answers.ImageSummary] | list[str]: ...

    def images(
        self,
        name: str | None = None,
        quiet: bool = False,
        all: bool = False,
        filters: ImageFilters | None = None,
        *,
        shared_size: bool | None = None,
        manifests: bool | None = None,
        identity: bool | None = None,
    ) -> list[answers.ImageSummary] | list[str]:
        """List images. ``GET /images/json``

        Args:
            name: only images with this name; ``*`` is a wildcard.
            quiet: return only their IDs.
            all: include untagged intermediate images.
            filters: ``{"dangling": True, "label": [...], "reference": ..., "before": ..., "since": ..., "until": ...}``.
            shared_size: include ``SharedSize``, the bytes shared with other images (API 1.42).
            manifests: include ``Manifests``, the content for each platform (API 1.47).
            identity: include ``Identity`` in each manifest, which implies `manifests` (API 1.54).

        Returns:
            Summaries, newest first; IDs with `quiet`.
        """
        if identity and manifests is False:
            raise InvalidArgument("identity: requires manifests; omit manifests=False")
        combined = filters_with(filters)
        query: dict[str, object] = {
            "all": all or None,
            "filters": combined,
            "shared-size": shared_size,
            "manifests": True if identity else manifests,
            "identity": identity,
        }
        if name:
            if self.supports("GET /images/json", "filters.reference"):
                references = (filters or {}).get("reference", [])
                combined["reference"] = [name, *([references] if isinstance(references, str) else references)]
            else:
                query["filter"] = name
        summaries = self._list_images(query)
        return [summary["Id"] for summary in summaries] if quiet else summaries

    def _list_images(self, query: Mapping[str, object]) -> list[answers.ImageSummary]:
        for attempt in range(_LIST_ATTEMPTS):
            try:
                summaries: list[answers.ImageSummary] = self._json("GET", "/images/json", query=query, kind=list)
                return summaries
            except DockerException as error:  # naming NotFound here would import requests
                # With containerd's store, the whole list fails if an image is removed while the engine reads it.
                if attempt == _LIST_ATTEMPTS - 1 or "content digest" not in str(getattr(error, "explanation", "")):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def inspect_image(
        self, image: Ref, *, manifests: bool | None = None, platform: Platform | None = None
    ) -> answers.ImageInspect:
        """Return all details of an image. ``GET /images/{name}/json``

        Args:
            manifests: include ``Manifests``, the content for each platform (API 1.48); not with `platform`.
            platform: platform of a multi-platform image (API 1.49).

        Raises:
            ImageNotFound: the image does not exist, or not for that platform.
        """
        query = {"manifests": manifests, "platform": platform_json(platform)}
        return self._json("GET", "/images/{name}/json", name=image, query=query)

    def history(self, image: Ref, platform: Platform | None = None) -> list[answers.ImageHistoryResponseItem]:
        """Return the build steps of an image, newest first. ``GET /images/{name}/history``

        Args:
            platform: platform of a multi-platform image (API 1.48).
        """
        query = {"platform": platform_json(platform)}
        return self._json("GET", "/images/{name}/history", name=image, query=query, kind=list)

    def image_attestations(
        self,
        image: Ref,
        *,
        platform: Platform | Iterable[Platform] | None = None,
        type: str | Sequence[str] | None = None,
        statement: bool | None = None,
    ) -> list[answers.AttestationStatement]:
        """Return signed statements about an image: provenance, SBOM. ``GET /images/{name}/attestations`` (API 1.55)

        Args:
            platform: only statements about one or several platforms.
            type: only one or several predicate types, such as ``https://slsa.dev/provenance/v1``.
            statement: whether to include the statements themselves.
        """
        types = [type] if isinstance(type, str) else type
        query = {"platform": platform_list(platform), "type": types and sequence(types, "type"), "statement": statement}
        return self._json("GET", "/images/{name}/attestations", name=image, query=query, kind=list)

    def tag(self, image: Ref, repository: str, tag: str | None = None, force: bool = False) -> bool:
        """Add a name to an image. ``POST /images/{name}/tag``

        Args:
            repository: new name, optionally with a tag.
            tag: tag; ``latest`` if neither has one.
            force: accepted for compatibility with docker-py and ignored: an existing name is always moved.

        Returns:
            True.
        """
        del force
        if not repository:
            raise InvalidArgument("repository: must be a non-empty name")
        if tag is None:
            repository, tag = name_and_tag(repository)
        check_lower_case(repository, "repository")
        self._no_content("POST", "/images/{name}/tag", name=image, query={"repo": repository, "tag": tag})
        return True

    def remove_image(
        self,
        image: Ref,
        force: bool = False,
        noprune: bool = False,
        *,
        platforms: Platform | Iterable[Platform] | None = None,
    ) -> list[answers.ImageDeleteResponseItem]:
        """Remove a name of an image, and the image itself with its last name. ``DELETE /images/{name}``

        Args:
            force: remove it even if stopped containers use it or it has several names.
            noprune: keep untagged parents.
            platforms: only remove the content for one or several platforms (API 1.50).

        Returns:
            A list of ``{"Untagged": name}`` and ``{"Deleted": id}``.

        Raises:
            ImageNotFound: the image does not exist.
            Conflict: a container uses the image.
        """
        query = {"force": force or None, "noprune": noprune or None, "platforms": platform_list(platforms)}
        return self._json("DELETE", "/images/{name}", name=image, query=query, kind=list)

    def prune_images(self, filters: ImagePruneFilters | None = None) -> answers.ImagePruneResponse:
        """Remove unused images. ``POST /images/prune``

        Args:
            filters: ``{"dangling": False}`` for all unused images, not only untagged ones; ``until`` (a time or a duration
                such as "24h"), ``label``, ``label!``.

        Returns:
            ``ImagesDeleted`` and ``SpaceReclaimed`` (bytes).
        """
        return self._json("POST", "/images/prune", query={"filters": filters}, timeout=None, lists=("ImagesDeleted",))


ImageApiMixin = ImageAPI  # docker-py's name
