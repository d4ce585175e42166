"""Images in registries: inspect, pull, push and copy them."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast, overload

from dockerkit import errors
from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.models.pushes import PushResult
from dockerkit.models.resource import Collection, Model
from dockerkit.parsing.platforms import Platform, platform_text
from dockerkit.parsing.reference import parse_repository_tag
from dockerkit.parsing.values import string
from dockerkit.progress import watch

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.image_registry import RegistryOptions
    from dockerkit.client import DockerClient
    from dockerkit.credentials.auth import AuthSource
    from dockerkit.models.images import Image
    from dockerkit.progress import ProgressSpec
    from dockerkit.streams import ProgressStream
    from dockerkit.types.flags import No, Yes

    class PushOptions(RegistryOptions, total=False):
        """The options of push that don't affect the type of its result."""

        progress: ProgressSpec


__all__ = ["ImageTransfers", "RegistryData", "normalize_platform"]


class RegistryData(Model):
    """Data of a registry about an image, without pulling it.

    Attributes:
        image_name: the requested name.
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
        """Digest of the image or of its index of platforms."""
        return str((self.attrs.get("Descriptor") or {}).get("digest") or "")

    @property
    def short_id(self) -> str:
        """First 12 hex digits of the digest, after ``sha256:``."""
        return self.id[:19]

    @property
    def platforms(self) -> list[str]:
        """Available platforms, such as ``linux/arm64/v8``.

        Empty if the engine does not report them, as for an OCI image with a single platform.
        """
        return [str(platform_text(platform)) for platform in self._offered() if platform.get("os")]

    def _offered(self) -> list[dict[str, Any]]:
        # Attestations are listed in an index like images, with the platform unknown/unknown.
        return [platform for platform in self.attrs.get("Platforms") or () if platform.get("os") != "unknown"]

    def pull(self, platform: Platform | None = None, *, progress: ProgressSpec = None) -> Image:
        """Pull the image by its digest. ``POST /images/create``

        Args:
            platform: platform to pull, such as "linux/arm64"; default: the engine's.
            progress: progress display: True, "plain" or a function.

        Raises:
            PullError: the pull failed.
        """
        repository, _ = parse_repository_tag(self.image_name.partition("@")[0])
        images = self.client.images
        return images.pull(repository, self.id, auth_config=self._auth_config, platform=platform, progress=progress)

    def has_platform(self, platform: Platform) -> bool:
        """Return whether the image is available for a platform.

        Args:
            platform: "linux/arm64/v8" or a record with ``os`` and ``architecture``; missing parts match anything.

        Raises:
            InvalidArgument: the platform is invalid.
            DockerException: the engine does not report the platforms of this image.
        """
        if not self.attrs.get("Platforms"):
            raise DockerException(
                f"{self.image_name}: the engine does not report the platforms in the registry, as for an OCI image with "
                "a single one; pull(platform=...) fails if it is not available"
            )
        if isinstance(platform, str):
            parts = platform.split("/")
            if len(parts) > 3 or not all(parts):
                raise InvalidArgument(f"platform: must look like linux/arm64/v8, got {platform!r}")
            platform = normalize_platform(
                dict(zip(("os", "architecture", "variant"), parts, strict=False)), self.client.version()
            )
        required = {key: value for key, value in platform.items() if value}
        return any(all(offered.get(key) == value for key, value in required.items()) for offered in self._offered())

    def reload(self) -> None:
        """Fetch the data from the registry again. ``GET /distribution/{name}/json``"""
        answer = self.client.api.inspect_distribution(self.image_name, self._auth_config)
        self.attrs: dict[str, Any] = cast("dict[str, Any]", answer)


class ImageTransfers(Collection["Image"]):
    """Registry methods of ``client.images``."""

    def get_registry_data(self, name: str, auth_config: AuthSource | None = None) -> RegistryData:
        """Return a registry's data about an image. ``GET /distribution/{name}/json``

        Args:
            name: name of the image, with tag or digest.
            auth_config: credentials for this call, instead of the stored ones.

        Raises:
            NotFound: the registry does not have the image.
        """
        data = RegistryData(name, None, self.client, self)
        data._auth_config = auth_config
        data.reload()
        return data

    def copy(
        self,
        source: str,
        target: str,
        *,
        platform: Platform | Sequence[Platform] | None = None,
        progress: ProgressSpec = None,
    ) -> str:
        """Copy an image between registries without pulling it. Does not use the engine.

        Uses the same credentials and insecure registries as pulls. See :func:`dockerkit.registry.copy.copy_image`.

        Args:
            source: name of the image, with tag or digest.
            target: new name; its tag defaults to the source's.
            platform: copy only this platform, or an index with several. By default, everything including attestations.
            progress: progress display: True, "plain" or a function.

        Returns:
            The digest of the image in the target registry.

        Raises:
            NotFound: the image does not exist.
            RegistryError: the image is not available for the platform.
            DigestMismatch: a registry sent or stored different data.

        Example::

            client.images.copy("registry.example.com/app:1.2", "mirror.example.com/app")
        """
        from dockerkit.registry.copy import copy_image

        return copy_image(source, target, platform=platform, progress=progress, open_registry=self.client.registry)

    def create_index(
        self,
        target: str,
        sources: Sequence[str],
        *,
        annotations: Mapping[str, str] | None = None,
        progress: ProgressSpec = None,
    ) -> str:
        """Combine images of several platforms under one name in a registry. Does not use the engine.

        Images in other repositories are copied first. See :func:`dockerkit.registry.copy.create_index`.

        Args:
            target: name of the index.
            sources: names of images in registries.
            annotations: annotations of the index.
            progress: progress display: True, "plain" or a function.

        Returns:
            The digest of the index.

        Example::

            app = "registry.example.com/app:1"
            client.images.create_index(app, [f"{app}-amd64", f"{app}-arm64"])
        """
        from dockerkit.registry.copy import create_index

        return create_index(
            target, sources, annotations=annotations, progress=progress, open_registry=self.client.registry
        )

    def annotate_index(
        self, name: str, annotations: Mapping[str, str | None], *, platform: Platform | None = None
    ) -> str:
        """Change annotations of an index in a registry. Does not use the engine.

        Args:
            name: name of the image, with tag.
            annotations: new values; None removes an annotation.
            platform: change the entry for this platform instead of the index itself.

        Returns:
            The new digest.

        Raises:
            RegistryError: the name does not refer to an index, or it lacks the platform.
        """
        from dockerkit.registry.copy import annotate_index

        return annotate_index(name, annotations, platform=platform, open_registry=self.client.registry)

    @overload
    def pull(
        self,
        repository: str,
        tag: str | None = None,
        all_tags: No = False,
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
            repository: name of the image, optionally with tag or digest.
            tag: tag or digest; ``latest`` by default.
            all_tags: pull all tags of the repository.
            auth_config: credentials for this call instead of the stored ones: ``{"username": ..., "password": ...}``,
                or a function that receives the registry's name and returns them.
            platform: platform to pull, such as "linux/arm64"; default: ``DOCKER_DEFAULT_PLATFORM``, or the engine's.
            progress: progress display: True (chosen automatically), "plain" (lines), or a function called with the
                state.
            stream, decode: accepted for compatibility with docker-py and ignored; the low-level ``api.pull`` streams
                records.

        Returns:
            The image; with `all_tags`, all images of the repository.

        Raises:
            PullError: the pull failed after it had started.
            ImageNotFound: the image does not exist, or is private.

        Example::

            client.images.pull("registry.example.com/team/app:1.2", progress=True)
        """
        from dockerkit.models.containers.pull import COLLECTED, retry_pull

        del stream, decode
        name, own_tag = parse_repository_tag(repository)
        tag = string(tag or own_tag or "latest", "tag")
        title = f"Pulling {repository}"
        default = platform or os.environ.get("DOCKER_DEFAULT_PLATFORM") or None

        def call(headers: Mapping[str, str]) -> None:
            with self.client.api.pull_records(
                repository, tag, headers=headers, platform=default, all_tags=all_tags
            ) as records:
                records.raises = True
                deque(watch(records, progress, title), maxlen=0)

        try:
            retry_pull(lambda: self.client.api.with_credentials(repository, call, auth_config), COLLECTED)
        except errors.PullError:
            if self.client.api.profile.raises_in_streams:
                raise
        if all_tags:
            return [self.prepare_model(summary, partial=True) for summary in self.client.api.images(name)]
        return self.get(f"{name}{'@' if ':' in tag else ':'}{tag}")

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: No = False,
        decode: bool = False,
        **options: Unpack[PushOptions],
    ) -> PushResult: ...

    @overload
    def push(
        self, repository: str, tag: str | None = None, *, stream: Yes, decode: Yes, **options: Unpack[PushOptions]
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: Yes,
        decode: No = False,
        **options: Unpack[PushOptions],
    ) -> ProgressStream[bytes]: ...

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: bool,
        decode: bool = False,
        **options: Unpack[PushOptions],
    ) -> PushResult | ProgressStream[dict[str, Any]] | ProgressStream[bytes]: ...

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
    ) -> PushResult | ProgressStream[dict[str, Any]] | ProgressStream[bytes]:
        """Push an image to its registry. ``POST /images/{name}/push``

        Args:
            repository: name of the image including the registry, optionally with the tag.
            tag: tag; ``latest`` by default.
            stream: return the records as they arrive, instead of waiting for the end.
            auth_config: credentials for this call, as for :meth:`pull`.
            decode: with `stream`, dicts instead of bytes.
            platform: push only this platform of a multi-platform image (API 1.46).
            all_tags: push all tags of the repository.
            progress: progress display: True, "plain" or a function; not with `stream`.

        Returns:
            The text of all records, as a :class:`~dockerkit.models.pushes.PushResult` with the ``digest``. If the
            engine did not report the digest, it is fetched from the registry on access. With `stream`, an iterator of
            records.

        Raises:
            PushError: the push failed after it had started.
            ImageNotFound: the image does not exist on the engine.
        """
        api = self.client.api
        options: RegistryOptions = {"auth_config": auth_config, "platform": platform, "all_tags": all_tags}
        if stream:
            records = api.push(repository, tag, stream=True, decode=decode, **options)
            return cast("ProgressStream[dict[str, Any]] | ProgressStream[bytes]", records)

        def call(headers: Mapping[str, str]) -> str:
            with api.push_records(repository, tag, headers=headers, platform=platform, all_tags=all_tags) as records:
                records.raises = True
                shown = watch(records, progress, f"Pushing {repository}")
                return "".join(json.dumps(record) + "\r\n" for record in shown)

        text = (
            api.with_credentials(repository, call, auth_config, always=True)
            if progress
            else api.push(repository, tag, **options)
        )
        name, own_tag = parse_repository_tag(repository)
        pushed = tag or own_tag or "latest"

        def ask_registry() -> str | None:
            try:
                return self.get_registry_data(f"{name}:{pushed}", auth_config).id
            except errors.APIError:  # the push itself succeeded
                return None

        return PushResult(text, name, pushed, None if all_tags else ask_registry)


def normalize_platform(platform: Mapping[str, Any], engine_info: Mapping[str, Any]) -> dict[str, Any]:
    """Return a platform record, with a missing ``os`` or ``architecture`` filled in from ``GET /version``."""
    completed = dict(platform)
    completed["os"] = completed.get("os") or engine_info.get("Os")
    completed["architecture"] = completed.get("architecture") or engine_info.get("Arch")
    return completed
