"""Images: getting them in, out and around. ``/images``"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, overload

from dockerkit.api.base import Base, Ref
from dockerkit.api.encode import Filters, filters_with
from dockerkit.api.image_archive import ImageArchiveAPI
from dockerkit.api.image_registry import ImageRegistryAPI, name_and_tag
from dockerkit.constants import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import InvalidArgument
from dockerkit.platforms import Platform, platform_json, platform_list

if TYPE_CHECKING:
    from dockerkit.types import answers

__all__ = ["DEFAULT_DATA_CHUNK_SIZE", "ImageAPI"]


class ImageAPI(ImageArchiveAPI, ImageRegistryAPI, Base):
    """The calls on images."""

    @overload
    def images(
        self,
        name: str | None = None,
        quiet: Literal[False] = False,
        all: bool = False,
        filters: Filters | None = None,
        *,
        shared_size: bool | None = None,
        manifests: bool | None = None,
        identity: bool | None = None,
    ) -> list[answers.ImageSummary]: ...

    @overload
    def images(
        self,
        name: str | None = None,
        *,
        quiet: Literal[True],
        all: bool = False,
        filters: Filters | None = None,
        shared_size: bool | None = None,
        manifests: bool | None = None,
        identity: bool | None = None,
    ) -> list[str]: ...

    @overload
    def images(
        self,
        name: str | None = None,
        quiet: bool = False,
        all: bool = False,
        filters: Filters | None = None,
        *,
        shared_size: bool | None = None,
        manifests: bool | None = None,
        identity: bool | None = None,
    ) -> list[answers.ImageSummary] | list[str]: ...

    def images(
        self,
        name: str | None = None,
        quiet: bool = False,
        all: bool = False,
        filters: Filters | None = None,
        *,
        shared_size: bool | None = None,
        manifests: bool | None = None,
        identity: bool | None = None,
    ) -> list[answers.ImageSummary] | list[str]:
        """List images. ``GET /images/json``

        Args:
            name: only those of this name; ``*`` stands for anything in it.
            quiet: only their ids.
            all: also the untagged layers that other images are built on.
            filters: ``{"dangling": True, "label": [...], "reference": ..., "before": ..., "since": ..., "until": ...}``.
            shared_size: also ``SharedSize``, the bytes shared with other images (API 1.42).
            manifests: also ``Manifests``, what the image has for each platform (API 1.47).
            identity: also ``Identity`` in each manifest (API 1.54).

        Returns:
            Summaries, newest first; ids with `quiet`.
        """
        wanted = filters_with(filters)
        query: dict[str, object] = {
            "all": all or None,
            "filters": wanted,
            "shared-size": shared_size,
            "manifests": manifests,
            "identity": identity,
        }
        if name:
            if self._supports("GET /images/json", "filters.reference"):
                given = wanted.get("reference", [])
                wanted["reference"] = [name, *([given] if isinstance(given, (str, bool, int)) else given)]
            else:
                query["filter"] = name
        found: list[answers.ImageSummary] = self._json("GET", "/images/json", query=query, kind=list)
        return [summary["Id"] for summary in found] if quiet else found

    def inspect_image(
        self, image: Ref, *, manifests: bool | None = None, platform: Platform | None = None
    ) -> answers.ImageInspect:
        """All that the engine knows of an image. ``GET /images/{name}/json``

        Args:
            image: name, id, dict with ``Id``, or object.
            manifests: also ``Manifests``, what the image has for each platform (API 1.48); not with `platform`.
            platform: of several platforms that the image has, this one (API 1.49).

        Raises:
            ImageNotFound: there is no such image, or not for that platform.
        """
        query = {"manifests": manifests, "platform": platform_json(platform)}
        return self._json("GET", "/images/{name}/json", name=image, query=query)

    def history(self, image: Ref, platform: Platform | None = None) -> list[answers.ImageHistoryResponseItem]:
        """The steps that made an image, newest first. ``GET /images/{name}/history``

        Args:
            image: name, id, dict with ``Id``, or object.
            platform: of several platforms that the image has, this one (API 1.48).
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
        """Signed statements about an image: provenance, SBOM. ``GET /images/{name}/attestations`` (API 1.55)

        Args:
            image: name, id, dict with ``Id``, or object.
            platform: only those about one or several platforms.
            type: only those of one or several predicate types, such as ``https://slsa.dev/provenance/v1``.
            statement: whether the statements themselves come along.
        """
        types = [type] if isinstance(type, str) else type
        query = {"platform": platform_list(platform), "type": types and list(types), "statement": statement}
        return self._json("GET", "/images/{name}/attestations", name=image, query=query, kind=list)

    def tag(self, image: Ref, repository: str, tag: str | None = None, force: bool = False) -> bool:
        """Give an image one more name. ``POST /images/{name}/tag``

        Args:
            image: name, id, dict with ``Id``, or object.
            repository: the new name, which may hold the tag.
            tag: the tag; ``latest`` where neither says one.
            force: taken for docker-py's sake: a name that is taken moves in any case.

        Returns:
            True.
        """
        del force
        if not repository:
            raise InvalidArgument("repository: a name is needed")
        if tag is None:
            repository, tag = name_and_tag(repository)
        self._none("POST", "/images/{name}/tag", name=image, query={"repo": repository, "tag": tag})
        return True

    def remove_image(
        self,
        image: Ref,
        force: bool = False,
        noprune: bool = False,
        *,
        platforms: Platform | Iterable[Platform] | None = None,
    ) -> list[answers.ImageDeleteResponseItem]:
        """Remove a name, and the image itself with its last name. ``DELETE /images/{name}``

        Args:
            image: name, id, dict with ``Id``, or object.
            force: also if stopped containers use it, or it has several names.
            noprune: keep untagged parents.
            platforms: only what the image has for one or several platforms (API 1.50).

        Returns:
            A list of ``{"Untagged": name}`` and ``{"Deleted": id}``.

        Raises:
            ImageNotFound: there is no such image.
            Conflict: a container uses it.
        """
        query = {"force": force or None, "noprune": noprune or None, "platforms": platform_list(platforms)}
        return self._json("DELETE", "/images/{name}", name=image, query=query, kind=list)

    def prune_images(self, filters: Filters | None = None) -> answers.ImagePruneResponse:
        """Remove unused images. ``POST /images/prune``

        Args:
            filters: ``{"dangling": False}`` for all that no container uses, not only untagged ones; ``until`` (a time or
                a duration such as "24h"), ``label``, ``label!``.

        Returns:
            ``ImagesDeleted`` and ``SpaceReclaimed`` (bytes).
        """
        return self._json("POST", "/images/prune", query={"filters": filters}, timeout=None)


ImageApiMixin = ImageAPI  # its name in docker-py
