"""Images in registries: what they say about one, and moving images to and from them."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from dockerkit.errors import InvalidArgument
from dockerkit.models.resource import Collection, Model
from dockerkit.platforms import Platform, platform_text
from dockerkit.progress import watch
from dockerkit.reference import parse_repository_tag

if TYPE_CHECKING:
    from dockerkit.auth import AuthSource
    from dockerkit.client import DockerClient
    from dockerkit.models.images import Image
    from dockerkit.progress import ProgressSpec
    from dockerkit.streams import ProgressStream

__all__ = ["ImageTransfers", "RegistryData", "normalize_platform"]


class RegistryData(Model):
    """What a registry says about an image, without it being here.

    Attributes:
        image_name: the name that was asked for.
    """

    def __init__(
        self,
        image_name: str,
        attrs: dict[str, Any] | None = None,
        client: DockerClient | None = None,
        collection: Collection[Any] | None = None,
    ) -> None:
        super().__init__(attrs, client, collection)
        self.image_name = image_name
        self._auth_config: AuthSource | None = None

    @property
    def id(self) -> str:
        """The digest of the image, or of its list of platforms."""
        return str((self.attrs.get("Descriptor") or {}).get("digest") or "")

    @property
    def short_id(self) -> str:
        """The first 12 digits of the digest, behind ``sha256:``."""
        return self.id[:19]

    @property
    def platforms(self) -> list[str]:
        """The platforms that the registry has it for, as ``linux/arm64/v8``."""
        return [str(platform_text(platform)) for platform in self.attrs.get("Platforms") or () if platform.get("os")]

    def pull(self, platform: Platform | None = None, *, progress: ProgressSpec = None) -> Image:
        """Pull exactly this image, by its digest. ``POST /images/create``

        Args:
            platform: "linux/arm64"; the engine's own by default.
            progress: show it: True, "plain", a function...

        Raises:
            PullError: the pull failed.
        """
        repository, _ = parse_repository_tag(self.image_name.partition("@")[0])
        images = self.client.images
        return images.pull(repository, self.id, auth_config=self._auth_config, platform=platform, progress=progress)

    def has_platform(self, platform: Platform) -> bool:
        """Whether the registry has the image for a platform.

        Args:
            platform: "linux/arm64/v8" or a record with ``os`` and ``architecture``; what it does not say matches anything.

        Raises:
            InvalidArgument: it is no platform.
        """
        if isinstance(platform, str):
            parts = platform.split("/")
            if len(parts) > 3 or not all(parts):
                raise InvalidArgument(f"platform: {platform!r} is none: one looks like linux/arm64/v8")
            platform = normalize_platform(
                dict(zip(("os", "architecture", "variant"), parts, strict=False)), self.client.version()
            )
        wanted = {key: value for key, value in platform.items() if value}
        return any(
            all(offered.get(key) == value for key, value in wanted.items()) for offered in self.attrs["Platforms"]
        )

    def reload(self) -> None:
        """Ask the registry anew. ``GET /distribution/{name}/json``"""
        answer = self.client.api.inspect_distribution(self.image_name, self._auth_config)
        self.attrs: dict[str, Any] = cast("dict[str, Any]", answer)


class ImageTransfers(Collection["Image"]):
    """The part of the images that deals with registries."""

    def get_registry_data(self, name: str, auth_config: AuthSource | None = None) -> RegistryData:
        """What its registry says about an image. ``GET /distribution/{name}/json``

        Args:
            name: name of the image, with tag or digest.
            auth_config: credentials of this call, instead of those known.

        Raises:
            NotFound: the registry has no such image.
        """
        answer = self.client.api.inspect_distribution(name, auth_config)
        data = RegistryData(name, cast("dict[str, Any]", answer), self.client, self)
        data._auth_config = auth_config
        return data

    @overload
    def pull(
        self,
        repository: str,
        tag: str | None = None,
        all_tags: Literal[False] = False,
        *,
        auth_config: AuthSource | None = None,
        platform: Platform | None = None,
        progress: ProgressSpec = None,
        stream: bool | None = None,
        decode: bool | None = None,
    ) -> Image: ...

    @overload
    def pull(
        self,
        repository: str,
        tag: str | None = None,
        all_tags: bool = False,
        *,
        auth_config: AuthSource | None = None,
        platform: Platform | None = None,
        progress: ProgressSpec = None,
        stream: bool | None = None,
        decode: bool | None = None,
    ) -> Image | list[Image]: ...

    def pull(
        self,
        repository: str,
        tag: str | None = None,
        all_tags: bool = False,
        *,
        auth_config: AuthSource | None = None,
        platform: Platform | None = None,
        progress: ProgressSpec = None,
        stream: bool | None = None,
        decode: bool | None = None,
    ) -> Image | list[Image]:
        """Pull an image. ``POST /images/create``

        Args:
            repository: name of the image; may hold tag or digest.
            tag: tag or digest; ``latest`` where nothing says one.
            all_tags: all tags of the repository.
            auth_config: credentials of this call: ``{"username": ..., "password": ...}``, or a function that is given
                the registry's name and returns them; instead of those known.
            platform: "linux/arm64"; by default ``DOCKER_DEFAULT_PLATFORM``, or the engine's own.
            progress: show it: True (what fits the place), "plain" (lines), a function that gets the state.
            stream, decode: taken for docker-py's sake; the low-level ``api.pull`` gives the records.

        Returns:
            The image; with `all_tags` those of the repository.

        Raises:
            PullError: the pull failed after it had begun.
            ImageNotFound: there is no such image, or it is not for everyone.

        Example::

            client.images.pull("registry.example.com/team/app:1.2", progress=True)
        """
        del stream, decode
        name, own_tag = parse_repository_tag(repository)
        tag = tag or own_tag or "latest"
        title = f"Pulling {repository}"
        default = platform or os.environ.get("DOCKER_DEFAULT_PLATFORM") or None

        def call(headers: Mapping[str, str]) -> None:
            with self.client.api._pull(
                repository, tag, headers=headers, platform=default, all_tags=all_tags
            ) as records:
                deque(watch(records, progress, title), maxlen=0)

        self.client.api._with_credentials(repository, call, auth_config)
        if all_tags:
            return [self.prepare_model(summary, partial=True) for summary in self.client.api.images(name)]
        return self.get(f"{name}{'@' if ':' in tag else ':'}{tag}")

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: Literal[False] = False,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        platform: Platform | None = None,
        all_tags: bool = False,
        progress: ProgressSpec = None,
    ) -> str: ...

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: Literal[True],
        auth_config: AuthSource | None = None,
        decode: Literal[True],
        platform: Platform | None = None,
        all_tags: bool = False,
        progress: ProgressSpec = None,
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: Literal[True],
        auth_config: AuthSource | None = None,
        decode: Literal[False] = False,
        platform: Platform | None = None,
        all_tags: bool = False,
        progress: ProgressSpec = None,
    ) -> ProgressStream[bytes]: ...

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: bool,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        platform: Platform | None = None,
        all_tags: bool = False,
        progress: ProgressSpec = None,
    ) -> str | ProgressStream[dict[str, Any]] | ProgressStream[bytes]: ...

    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: bool = False,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        platform: Platform | None = None,
        all_tags: bool = False,
        progress: ProgressSpec = None,
    ) -> str | ProgressStream[dict[str, Any]] | ProgressStream[bytes]:
        """Push an image to its registry. ``POST /images/{name}/push``

        Args:
            repository: name of the image, with the registry in front; may hold the tag.
            tag: the tag; ``latest`` where nothing says one.
            stream: give the records as they come, instead of waiting for the end.
            auth_config: credentials of this call, as for :meth:`pull`.
            decode: with `stream`, dicts instead of bytes.
            platform: of several platforms that the image has, only this one (API 1.46).
            all_tags: all tags of the repository.
            progress: show it: True, "plain", a function; not with `stream`.

        Returns:
            The text of all records; an iterator of records with `stream`.

        Raises:
            PushError: the push failed after it had begun.
            ImageNotFound: there is no such image here.
        """
        api = self.client.api
        if stream or not progress:
            return api.push(repository, tag, stream, auth_config, decode, platform=platform, all_tags=all_tags)

        def call(headers: Mapping[str, str]) -> str:
            with api._push(repository, tag, headers=headers, platform=platform, all_tags=all_tags) as records:
                told = watch(records, progress, f"Pushing {repository}")
                return "".join(json.dumps(record) + "\r\n" for record in told)

        return cast("str", api._with_credentials(repository, call, auth_config, always=True))


def normalize_platform(platform: Mapping[str, Any], engine_info: Mapping[str, Any]) -> dict[str, Any]:
    """A platform record with what it lacks taken from the engine.

    Args:
        platform: a record, maybe without ``os`` or ``architecture``.
        engine_info: the answer to ``GET /version``.
    """
    completed = dict(platform)
    completed["os"] = completed.get("os") or engine_info.get("Os")
    completed["architecture"] = completed.get("architecture") or engine_info.get("Arch")
    return completed
