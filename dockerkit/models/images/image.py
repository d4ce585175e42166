"""An image: the object that ``client.images`` returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dockerkit.api.defaults import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.api.refs import resolve_id
from dockerkit.errors import InvalidArgument
from dockerkit.models.containers.files import ImageFiles
from dockerkit.parsing.platforms import Platform
from dockerkit.parsing.reference import Reference

if TYPE_CHECKING:
    from dockerkit.api.base import Ref
    from dockerkit.credentials.auth import AuthSource
    from dockerkit.progress import ProgressSpec
    from dockerkit.registry.client import Registry
    from dockerkit.streams import ByteStream
    from dockerkit.types import answers
    from dockerkit.types.views import ImageConfig

__all__ = ["Image"]


# Details that only a list returns on request, and an inspect does not.
_ONLY_LISTED = frozenset({"Manifests", "SharedSize", "Containers"})
_UNTAGGED = ("<none>:<none>", "<none>@<none>")


class Image(ImageFiles):
    """An image on the engine.

    An image from a list holds the attributes of the list's summary, and is inspected once for the others. An image from
    ``container.image`` holds only its ID.
    """

    _views = ("config",)
    _index: str | None = None  # with containerd's store: the ID of the multi-platform image

    def _choose_platform(self, platform: Platform, name: Ref) -> None:
        """Select a platform of a multi-platform image; the engine does not accept a platform's own ID."""
        if (self._attrs.get("Descriptor") or {}).get("digest") != self._attrs.get("Id"):
            return  # not containerd's store, where an image has one platform
        self._platform = platform
        self._index = next((digest.rpartition("@")[2] for digest in self.digests), resolve_id(name, "name"))

    def _inspect(self) -> dict[str, Any]:
        only_listed = {key: value for key, value in self._attrs.items() if self._partial and key in _ONLY_LISTED}
        return {**only_listed, **self.client.api.inspect_image(self, platform=self._platform)}

    @property
    def display_name(self) -> str:
        """First tag, or the short ID if it has none. Never makes a request."""
        return next(iter(self._known_tags()), self.short_id)

    def _known_tags(self) -> list[str]:
        return [] if self._partial and "RepoTags" not in self._attrs else self.tags

    def _summary(self) -> list[str]:
        return [repr(tag) for tag in self._known_tags()[1:]]

    @property
    def id(self) -> str | None:
        """Full ID: ``sha256:`` and 64 hex digits.

        With containerd's store, all platforms of an image share one ID; ``attrs["Id"]`` is the chosen platform's.
        """
        return self._index or self._attrs.get("Id")

    @property
    def short_id(self) -> str:
        """First 12 hex digits of the ID, after ``sha256:``."""
        return (self.id or "")[: 19 if (self.id or "").startswith("sha256:") else 12]

    @property
    def tags(self) -> list[str]:
        """Names of the image with tags, such as ``busybox:latest``. :attr:`digests` has the names with digests."""
        return [tag for tag in self._get_attr("RepoTags") or () if tag not in _UNTAGGED and "@" not in tag]

    @property
    def digests(self) -> list[str]:
        """Names with digest, as known to registries."""
        return [digest for digest in self._get_attr("RepoDigests") or () if digest not in _UNTAGGED]

    @property
    def size(self) -> int:
        """Size of all layers in bytes."""
        return int(self._get_attr("Size") or 0)

    @property
    def created(self) -> datetime | None:
        """Time of creation; None if not recorded."""
        moment = self._get_attr("Created")
        if isinstance(moment, int):
            return datetime.fromtimestamp(moment, UTC)
        return datetime.fromisoformat(moment) if moment else None

    @property
    def platform(self) -> str:
        """Platform, such as ``linux/arm64/v8``."""
        attrs = self._load()
        return "/".join(part for key in ("Os", "Architecture", "Variant") if (part := attrs.get(key)))

    @cached_property
    def config(self) -> ImageConfig:
        """Default configuration of containers: command, environment, user, ports."""
        from dockerkit.types.views import ImageConfig

        return ImageConfig.of(self._load().get("Config"))

    def reload(self) -> None:
        """Fetch the attributes again. ``GET /images/{name}/json``"""
        super().reload()

    def inspect(self, *, platform: Platform | None = None, manifests: bool | None = None) -> answers.ImageInspect:
        """Return the attributes, for one platform or with all manifests. ``GET /images/{name}/json``

        Args:
            platform: platform of a multi-platform image (API 1.49).
            manifests: include ``Manifests`` (API 1.48).
        """
        if platform is None and not manifests:  # the engine does not accept both
            platform = self._platform
        return self.client.api.inspect_image(self, platform=platform, manifests=manifests)

    @property
    def identity(self) -> answers.Identity | None:
        """Origin of the image: pulls, builds and verified signatures (API 1.53). None if not reported."""
        return self._load().get("Identity")

    def manifests(self) -> list[answers.ImageManifestSummary]:
        """Return the image's content by platform (API 1.48). ``GET /images/{name}/json``"""
        return self.inspect(manifests=True).get("Manifests") or []

    def history(self, platform: Platform | None = None) -> list[answers.ImageHistoryResponseItem]:
        """Return the steps that created the image, newest first. ``GET /images/{name}/history``

        Args:
            platform: platform of a multi-platform image (API 1.48).
        """
        return self.client.api.history(self, platform or self._platform)

    def attestations(
        self,
        *,
        platform: Platform | Iterable[Platform] | None = None,
        type: str | Sequence[str] | None = None,
        statement: bool | None = None,
    ) -> list[answers.AttestationStatement]:
        """Return signed statements about the image (API 1.55). ``GET /images/{name}/attestations``

        Args:
            platform, type, statement: as for the low-level ``image_attestations``.
        """
        return self.client.api.image_attestations(self, platform=platform, type=type, statement=statement)

    def tag(self, repository: str, tag: str | None = None, force: bool = False) -> bool:
        """Add a name to the image. ``POST /images/{name}/tag``

        Args:
            repository: new name, optionally with the tag.
            tag: tag; ``latest`` by default.
            force: accepted for compatibility with docker-py and ignored.

        Returns:
            True. :attr:`tags` has the name after :meth:`reload`.
        """
        return self.client.api.tag(self, repository, tag, force)

    def remove(
        self, force: bool = False, noprune: bool = False, *, platforms: Platform | Iterable[Platform] | None = None
    ) -> list[answers.ImageDeleteResponseItem]:
        """Remove the image with all its names. ``DELETE /images/{name}``

        Args:
            force: remove it even if it has several names or stopped containers use it.
            noprune: keep untagged parents.
            platforms: remove only these platforms (API 1.50).

        Raises:
            Conflict: a container uses the image, or it has several names.
        """
        return self.client.api.remove_image(self, force, noprune, platforms=platforms)

    def save(
        self,
        chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE,
        named: bool | str = False,
        *,
        platform: Platform | Iterable[Platform] | None = None,
    ) -> ByteStream:
        """Save the image as a tar archive, for :meth:`ImageCollection.load`. ``GET /images/{name}/get``

        Args:
            chunk_size: maximum bytes per chunk.
            named: keep a name in the archive: True for the first one, or one of :attr:`tags`.
            platform: save only these platforms, one or several (API 1.48).

        Returns:
            The archive as an iterator of chunks, readable file and context manager.

        Raises:
            InvalidArgument: `named` is not one of the image's names.

        Example::

            with image.save(named=True) as archive, open("image.tar", "wb") as file:
                for piece in archive:
                    file.write(piece)
        """
        name: Ref = self
        if isinstance(named, str):
            if named not in self.tags:
                raise InvalidArgument(
                    f"named: must be a name of the image ({', '.join(self.tags) or 'it has none'}), got {named!r}"
                )
            name = named
        elif named and self.tags:
            name = self.tags[0]
        return self.client.api.get_image(name, chunk_size, platform=platform or self._platform)

    def registry(self) -> Registry:
        """Return the registry that the image was pulled from or is named for. Makes no request.

        Its methods take the names of this image: ``image.registry().tags(image.tags[0])``.

        Raises:
            InvalidArgument: the image has no name, or names in several registries.
        """
        hosts = {Reference.parse(name).domain for name in (*self.tags, *self.digests)}
        if len(hosts) != 1:
            raise InvalidArgument(
                f"the image has names in {len(hosts)} registries{': ' * bool(hosts)}{', '.join(sorted(hosts))}; "
                "use client.registry(host)"
            )
        return self.client.registry(hosts.pop())

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
            repository: name to push; can be omitted if the image has only one.
            tag, auth_config, platform, progress: as for :meth:`ImageCollection.push`.

        Returns:
            The digest in the registry; None if the engine does not report it.

        Raises:
            PushError: the push failed.
            InvalidArgument: no name was passed, and the image has none or several.
        """
        if repository is None:
            if not self.tags:
                raise InvalidArgument("repository: the image has no name to push; add one with tag()")
            if len(self.tags) > 1:
                raise InvalidArgument(f"repository: must be one of the image's names: {', '.join(self.tags)}")
            repository = self.tags[0]
        platform = platform or self._platform
        images = self.client.images
        return images.push(repository, tag, auth_config=auth_config, platform=platform, progress=progress).digest
