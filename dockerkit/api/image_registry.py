"""Images and registries: search, pull, push. ``/images/search``, ``/images/create``, ``/images/{name}/push``"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from dockerkit import errors
from dockerkit.api.base import APIBase
from dockerkit.api.image_archive import read_lines
from dockerkit.api.refs import check_lower_case, resolve_id
from dockerkit.errors.caller import argument_name
from dockerkit.parsing.platforms import Platform, platform_json, platform_text
from dockerkit.parsing.reference import parse_repository_tag
from dockerkit.parsing.values import string
from dockerkit.streams import ProgressStream

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from dockerkit.credentials.auth import AuthSource
    from dockerkit.types import answers
    from dockerkit.types.filters import SearchFilters
    from dockerkit.types.flags import No, Yes

    class RegistryOptions(TypedDict, total=False):
        """Options of pull() and push() that don't change the return type."""

        auth_config: AuthSource | None
        platform: Platform | None
        all_tags: bool


T = TypeVar("T")


class ImageRegistryAPI(APIBase):
    """Calls that access registries."""

    def search(
        self,
        term: str,
        limit: int | None = None,
        *,
        filters: SearchFilters | None = None,
        auth_config: AuthSource | None = None,
    ) -> list[answers.ImageSearchResponseItem]:
        """Search for images on Docker Hub or another registry. ``GET /images/search``

        Args:
            term: search term; ``registry/term`` searches another registry.
            limit: maximum number of results.
            filters: ``{"is-official": True, "stars": 3}``.
            auth_config: credentials for this call instead of the stored ones.
        """
        from dockerkit.credentials.auth import call_with_credentials, resolve_repository_name

        query = {"term": term, "limit": limit, "filters": filters}
        return call_with_credentials(
            self,
            resolve_repository_name(term)[0],
            lambda headers: self._json("GET", "/images/search", query=query, headers=headers, timeout=None, kind=list),
            auth_config,
        )

    @overload
    def pull(
        self,
        repository: str,
        tag: str | None = None,
        stream: No = False,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> str: ...

    @overload
    def pull(
        self, repository: str, tag: str | None = None, *, stream: Yes, decode: Yes, **options: Unpack[RegistryOptions]
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def pull(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: Yes,
        decode: No = False,
        **options: Unpack[RegistryOptions],
    ) -> ProgressStream[bytes]: ...

    @overload
    def pull(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: bool,
        decode: bool = False,
        **options: Unpack[RegistryOptions],
    ) -> str | ProgressStream[dict[str, Any]] | ProgressStream[bytes]: ...

    def pull(
        self,
        repository: str,
        tag: str | None = None,
        stream: bool = False,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> str | ProgressStream[dict[str, Any]] | ProgressStream[bytes]:
        """Pull an image. ``POST /images/create``

        Args:
            repository: name of the image, optionally with tag or digest.
            tag: tag or digest; ``latest`` if neither has one.
            stream: return the records as they arrive, instead of waiting for the end.
            auth_config: credentials for this call instead of the stored ones: ``{"username": ..., "password": ...}``, or
                a function that takes the registry's name and returns them.
            decode: yield dicts instead of bytes, with `stream`.
            platform: such as "linux/arm64"; the engine's platform by default (API 1.32).
            all_tags: pull all tags of the repository.

        Returns:
            All records as a string. With `stream`, an iterator of records; closing it cancels the pull.

        Raises:
            PullError: the pull failed after it had started; with `stream`, raised while iterating.
            ImageNotFound: the image does not exist, or requires credentials.
        """

        def call(headers: Mapping[str, str]) -> ProgressStream[Any]:
            return self.pull_records(
                repository, tag, headers=headers, decode=stream and decode, platform=platform, all_tags=all_tags
            )

        if stream:
            return self._stream_with_credentials(repository, call, auth_config)
        return self._output_with_credentials(repository, call, auth_config)

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        stream: No = False,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        *,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> str: ...

    @overload
    def push(
        self, repository: str, tag: str | None = None, *, stream: Yes, decode: Yes, **options: Unpack[RegistryOptions]
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: Yes,
        decode: No = False,
        **options: Unpack[RegistryOptions],
    ) -> ProgressStream[bytes]: ...

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: bool,
        decode: bool = False,
        **options: Unpack[RegistryOptions],
    ) -> str | ProgressStream[dict[str, Any]] | ProgressStream[bytes]: ...

    def push(
        self,
        repository: str,
        tag: str | None = None,
        stream: bool = False,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        *,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> str | ProgressStream[dict[str, Any]] | ProgressStream[bytes]:
        """Push an image to its registry. ``POST /images/{name}/push``

        Args:
            repository: name of the image including its registry, optionally with a tag.
            tag: tag; the default is ``latest``, or all tags in the drop-in profile, as in docker-py.
            stream: return the records as they arrive, instead of waiting for the end.
            auth_config: credentials for this call, as for :meth:`pull`.
            decode: yield dicts instead of bytes, with `stream`.
            platform: push only this platform of a multi-platform image (API 1.46).
            all_tags: push all tags of the repository.

        Returns:
            All records as a string. With `stream`, an iterator of records; closing it cancels the push.

        Raises:
            PushError: the push failed after it had started; with `stream`, raised while iterating.
            ImageNotFound: the image does not exist.
        """

        def call(headers: Mapping[str, str]) -> ProgressStream[Any]:
            return self.push_records(
                repository, tag, headers=headers, decode=stream and decode, platform=platform, all_tags=all_tags
            )

        if stream:
            return self._stream_with_credentials(repository, call, auth_config, always=True)
        return self._output_with_credentials(repository, call, auth_config, always=True)

    def pull_records(
        self,
        repository: str,
        tag: str | None,
        *,
        headers: Mapping[str, str],
        decode: bool = True,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> ProgressStream[Any]:
        """Pull an image with one set of credentials. ``POST /images/create``

        Args:
            repository, tag, platform, all_tags: as for :meth:`pull`.
            headers: the credentials, from :meth:`with_credentials`.
            decode: yield dicts instead of bytes.
        """
        name, tag_in_name = parse_repository_tag(repository)
        check_lower_case(name, "repository")
        query = {
            "fromImage": name,
            "tag": None if all_tags else tag or tag_in_name or "latest",
            "platform": platform_text(platform),
        }
        return self._progress(
            "POST", "/images/create", query=query, headers=headers, decode=decode, error="PullError", timeout=None
        )

    def push_records(
        self,
        repository: str,
        tag: str | None,
        *,
        headers: Mapping[str, str],
        decode: bool = True,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> ProgressStream[Any]:
        """Push an image with one set of credentials. ``POST /images/{name}/push``

        Args:
            repository, tag, platform, all_tags: as for :meth:`push`.
            headers: the credentials, from :meth:`with_credentials`.
            decode: yield dicts instead of bytes.
        """
        name, tag_in_name = name_and_tag(repository)
        default = "latest" if self.profile.pushes_latest_only else None
        query = {"tag": None if all_tags else tag or tag_in_name or default, "platform": platform_json(platform)}
        return self._progress(
            "POST", "/images/{name}/push", name=name, query=query, headers=headers, decode=decode, error="PushError",
            timeout=None,
        )  # fmt: skip

    def with_credentials(
        self,
        repository: str,
        call: Callable[[dict[str, str]], T],
        auth_config: AuthSource | None,
        *,
        always: bool = False,
    ) -> T:
        """Make a call with the credentials for an image's registry; if they are refused, retry once with fresh ones.

        Sends nothing itself.

        Args:
            repository: name of the image.
            call: makes the call, with the headers that carry the credentials.
            auth_config: credentials for this call instead of the stored ones.
            always: send empty credentials if there are none, as a push requires.
        """
        from dockerkit.credentials.auth import call_with_credentials, resolve_repository_name

        registry, _ = resolve_repository_name(resolve_id(repository, "repository"))
        return call_with_credentials(self, registry, call, auth_config, always=always)

    def _output_with_credentials(
        self,
        repository: str,
        call: Callable[[Mapping[str, str]], ProgressStream[bytes]],
        auth_config: AuthSource | None,
        *,
        always: bool = False,
    ) -> str:
        output = ""

        def read(headers: Mapping[str, str]) -> None:
            nonlocal output
            records = call(headers)
            records.raises = False  # the output is read completely first
            output = read_lines(records)
            if records.failure is not None:
                raise records.failure

        try:
            self.with_credentials(repository, read, auth_config, always=always)
        except errors.StreamError:
            if self.profile.raises_in_streams:
                raise
        return output

    def _stream_with_credentials(
        self,
        repository: str,
        call: Callable[[Mapping[str, str]], ProgressStream[Any]],
        auth_config: AuthSource | None,
        *,
        always: bool = False,
    ) -> ProgressStream[Any]:
        from dockerkit.credentials.auth import resolve_repository_name, stream_with_credentials

        registry, _ = resolve_repository_name(resolve_id(repository, "repository"))
        return stream_with_credentials(self, registry, call, auth_config, always=always)


def name_and_tag(repository: str) -> tuple[str, str | None]:
    """Return name and tag; a digest stays with the name."""
    if not isinstance(repository, str):
        repository = string(repository, argument_name(repository, "repository"))
    if "@" in repository:
        return repository, None
    return parse_repository_tag(repository)
