"""Images: what containers are made from, and the registries they come from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from dockerkit import errors
from dockerkit.constants import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import InvalidArgument
from dockerkit.models.files import ImageFiles
from dockerkit.models.image_archives import ImageArchives
from dockerkit.models.image_builds import ImageBuilds
from dockerkit.models.registry import ImageTransfers, RegistryData, normalize_platform
from dockerkit.models.resource import Model
from dockerkit.models.tables import Table
from dockerkit.platforms import Platform

if TYPE_CHECKING:
    from dockerkit.api.base import Ref
    from dockerkit.api.encode import Filters
    from dockerkit.auth import AuthSource
    from dockerkit.progress import ProgressSpec
    from dockerkit.streams import ByteStream
    from dockerkit.types import answers
    from dockerkit.types.views import ImageConfig

__all__ = ["DEFAULT_DATA_CHUNK_SIZE", "Image", "ImageCollection", "RegistryData", "normalize_platform"]

# Inside ImageCollection, list is a method.
_Images: TypeAlias = "list[Image]"
_Removed: TypeAlias = "list[answers.ImageDeleteResponseItem]"
_Hits: TypeAlias = "list[answers.ImageSearchResponseItem]"

# What a list was asked for besides, and an inspect would not bring.
_ONLY_LISTED = frozenset({"Manifests", "SharedSize", "Containers"})
_UNTAGGED = ("<none>:<none>", "<none>@<none>")


class Image(ImageFiles, Model):
    """An image in the engine.

    One that came from a list answers from the list's summary what that knows, and is inspected once for the rest.
    """

    _attrs: dict[str, Any]

    @property
    def attrs(self) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What inspecting it answers, as the engine sent it; asked for when first needed."""
        return self._full()

    @attrs.setter
    def attrs(self, attrs: dict[str, Any]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._attrs = attrs
        self.__dict__.pop("config", None)

    def _full(self) -> dict[str, Any]:
        if self._partial:
            self.reload()
        return self._attrs

    def _inspect(self) -> dict[str, Any]:
        only_listed = {key: value for key, value in self._attrs.items() if self._partial and key in _ONLY_LISTED}
        return {**only_listed, **cast("dict[str, Any]", self.client.api.inspect_image(self._ref))}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(repr(tag) for tag in self.tags) or repr(self.short_id)}>"

    @property
    def id(self) -> str | None:
        """The full id: ``sha256:`` and 64 digits."""
        return self._attrs.get("Id")

    @property
    def short_id(self) -> str:
        """The first 12 digits of the id, behind ``sha256:``."""
        return (self.id or "")[: 19 if (self.id or "").startswith("sha256:") else 12]

    @property
    def tags(self) -> list[str]:
        """The image's names."""
        return [tag for tag in self._attrs.get("RepoTags") or () if tag not in _UNTAGGED]

    @property
    def digests(self) -> list[str]:
        """Names with the digest under which registries know the image."""
        return [digest for digest in self._attrs.get("RepoDigests") or () if digest not in _UNTAGGED]

    @property
    def labels(self) -> dict[str, str]:
        """The image's labels."""
        if self._partial and "Labels" in self._attrs:
            return self._attrs["Labels"] or {}
        return (self._full().get("Config") or {}).get("Labels") or {}

    @property
    def size(self) -> int:
        """Bytes of all its layers."""
        return int(self._attrs.get("Size") or 0)

    @property
    def created(self) -> datetime | None:
        """When it was made; None where it does not say."""
        moment = self._attrs.get("Created")
        if isinstance(moment, int):
            return datetime.fromtimestamp(moment, UTC)
        return datetime.fromisoformat(moment) if moment else None

    @property
    def platform(self) -> str:
        """Its platform, as ``linux/arm64/v8``."""
        attrs = self._full()
        return "/".join(part for key in ("Os", "Architecture", "Variant") if (part := attrs.get(key)))

    @cached_property
    def config(self) -> ImageConfig:
        """How containers of it run, unless told otherwise: command, environment, user, ports."""
        from dockerkit.types.views import ImageConfig

        return ImageConfig.of(self._full().get("Config"))

    def reload(self) -> None:
        """Ask the engine for the facts anew. ``GET /images/{name}/json``"""
        super().reload()

    def inspect(self, *, platform: Platform | None = None, manifests: bool | None = None) -> answers.ImageInspect:
        """The engine's facts, for one of several platforms or with all manifests. ``GET /images/{name}/json``

        Args:
            platform: of several platforms that the image has, this one (API 1.49).
            manifests: also ``Manifests`` (API 1.48).
        """
        return self.client.api.inspect_image(self._ref, platform=platform, manifests=manifests)

    def manifests(self) -> list[answers.ImageManifestSummary]:
        """What the image has for each platform (API 1.48). ``GET /images/{name}/json``"""
        return self.inspect(manifests=True).get("Manifests") or []

    def history(self, platform: Platform | None = None) -> list[answers.ImageHistoryResponseItem]:
        """The steps that made the image, newest first. ``GET /images/{name}/history``

        Args:
            platform: of several platforms that the image has, this one (API 1.48).
        """
        return self.client.api.history(self._ref, platform)

    def attestations(
        self,
        *,
        platform: Platform | Iterable[Platform] | None = None,
        type: str | Sequence[str] | None = None,
        statement: bool | None = None,
    ) -> list[answers.AttestationStatement]:
        """Signed statements about the image (API 1.55). ``GET /images/{name}/attestations``

        Args:
            platform, type, statement: as for the low-level ``image_attestations``.
        """
        return self.client.api.image_attestations(self._ref, platform=platform, type=type, statement=statement)

    def tag(self, repository: str, tag: str | None = None, force: bool = False) -> bool:
        """Give the image one more name. ``POST /images/{name}/tag``

        Args:
            repository: the new name, which may hold the tag.
            tag: the tag; ``latest`` where neither says one.
            force: taken for docker-py's sake.

        Returns:
            True. :meth:`reload` shows the name in :attr:`tags`.
        """
        return self.client.api.tag(self._ref, repository, tag, force)

    def remove(
        self,
        force: bool = False,
        noprune: bool = False,
        *,
        platforms: Platform | Iterable[Platform] | None = None,
    ) -> list[answers.ImageDeleteResponseItem]:
        """Remove the image with all its names. ``DELETE /images/{name}``

        Args:
            force: also if it has several names, or stopped containers use it.
            noprune: keep untagged parents.
            platforms: only what it has for these platforms (API 1.50).

        Raises:
            Conflict: a container uses it, or it has several names.
        """
        return self.client.api.remove_image(self._ref, force, noprune, platforms=platforms)

    def save(
        self,
        chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE,
        named: bool | str = False,
        *,
        platform: Platform | Iterable[Platform] | None = None,
    ) -> ByteStream:
        """The image as a tar archive, for :meth:`ImageCollection.load`. ``GET /images/{name}/get``

        Args:
            chunk_size: bytes of each piece.
            named: keep a name in the archive: True for the first, or one of :attr:`tags`.
            platform: only what it has for one or several platforms (API 1.48).

        Returns:
            An iterator of pieces, also a readable file and a context manager.

        Raises:
            InvalidArgument: `named` is none of the image's names.

        Example::

            with image.save(named=True) as archive, open("image.tar", "wb") as file:
                for piece in archive:
                    file.write(piece)
        """
        name: Ref = self._ref
        if isinstance(named, str):
            if named not in self.tags:
                raise InvalidArgument(
                    f"named: {named!r} is none of the image's names: {', '.join(self.tags) or 'it has none'}"
                )
            name = named
        elif named and self.tags:
            name = self.tags[0]
        return self.client.api.get_image(name, chunk_size, platform=platform)

    def push(
        self,
        repository: str | None = None,
        tag: str | None = None,
        *,
        auth_config: AuthSource | None = None,
        platform: Platform | None = None,
        progress: ProgressSpec = None,
    ) -> str | None:
        """Push the image under one of its names. ``POST /images/{name}/push``

        Args:
            repository: the name; its only one by default.
            tag, auth_config, platform, progress: as for :meth:`ImageCollection.push`.

        Returns:
            The digest under which the registry has it now, where the engine tells it.

        Raises:
            PushError: the push failed.
            InvalidArgument: no name is given, and the image has none or several.
        """
        if repository is None:
            if len(self.tags) != 1:
                raise InvalidArgument(f"repository: which of {self.tags} is to be pushed?" if self.tags else
                                      "repository: the image has no name to push it under; tag() gives one")  # fmt: skip
            repository = self.tags[0]
        text = self.client.images.push(repository, tag, auth_config=auth_config, platform=platform, progress=progress)
        told = (json.loads(line).get("aux") for line in text.splitlines() if '"aux"' in line)
        return next((str(aux["Digest"]) for aux in told if isinstance(aux, dict) and aux.get("Digest")), None)

    @property
    def _ref(self) -> Ref:
        return {"Id": self.id}


class ImageCollection(ImageTransfers, ImageArchives, ImageBuilds):
    """The images of an engine."""

    model = Image

    def get(self, name: Ref, *, platform: Platform | None = None) -> Image:
        """One image. ``GET /images/{name}/json``

        Args:
            name: its name or id.
            platform: of several platforms that it has, this one (API 1.49).

        Raises:
            ImageNotFound: there is no such image.
        """
        return self.prepare_model(cast("dict[str, Any]", self.client.api.inspect_image(name, platform=platform)))

    def exists(self, name: Ref, *, platform: Platform | None = None) -> bool:
        """Whether there is such an image. ``GET /images/{name}/json``

        Args:
            name, platform: as for :meth:`get`.
        """
        try:
            self.client.api.inspect_image(name, platform=platform)
        except errors.NotFound:
            return False
        return True

    def list(
        self,
        name: str | None = None,
        all: bool = False,
        filters: Filters | None = None,
        *,
        shared_size: bool | None = None,
        manifests: bool | None = None,
        identity: bool | None = None,
    ) -> _Images:
        """The images, newest first, with one request. ``GET /images/json``

        Args:
            name: only those of this name; ``*`` stands for anything in it.
            all: also the untagged layers that other images are built on.
            filters: ``{"dangling": True, "label": [...], "before": ..., "since": ..., "until": ...}``.
            shared_size, manifests, identity: more facts about each, on newer engines.
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
        """Remove a name, and the image itself with its last name. ``DELETE /images/{name}``

        Args:
            image: name, id, or object.
            force: also if stopped containers use it, or it has several names.
            noprune: keep untagged parents.
            platforms: only what it has for these platforms (API 1.50).

        Raises:
            ImageNotFound: there is no such image.
            Conflict: a container uses it.
        """
        return self.client.api.remove_image(image, force, noprune, platforms=platforms)

    def search(
        self,
        term: str,
        limit: int | None = None,
        *,
        filters: Filters | None = None,
        auth_config: AuthSource | None = None,
    ) -> _Hits:
        """Search Docker Hub. ``GET /images/search``

        Args:
            term: what to look for.
            limit: at most so many.
            filters: ``{"is-official": True, "stars": 3}``.
            auth_config: credentials of this call.
        """
        return self.client.api.search(term, limit, filters=filters, auth_config=auth_config)

    def prune(self, filters: Filters | None = None) -> answers.ImagePruneResponse:
        """Remove unused images. ``POST /images/prune``

        Args:
            filters: ``{"dangling": False}`` for all that no container uses; ``until``, ``label``.

        Returns:
            ``ImagesDeleted`` and ``SpaceReclaimed`` (bytes).
        """
        return self.client.api.prune_images(filters)

    def prune_builds(
        self,
        filters: Filters | None = None,
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
