"""Images and registries: search, pull, push. ``/images/search``, ``/images/create``, ``/images/{name}/push``"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from dockerkit.api.base import Base
from dockerkit.api.encode import Filters
from dockerkit.api.image_archive import text_of
from dockerkit.api.refs import name_of
from dockerkit.errors import PullError, PushError
from dockerkit.platforms import Platform, platform_json, platform_text
from dockerkit.reference import parse_repository_tag
from dockerkit.streams import ProgressStream

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from dockerkit.auth import AuthSource
    from dockerkit.types import answers

    class RegistryOptions(TypedDict, total=False):
        """Of the options of a pull or push those that don't change what is answered."""

        auth_config: AuthSource | None
        platform: Platform | None
        all_tags: bool


class ImageRegistryAPI(Base):
    """The calls that ask registries."""

    def search(
        self,
        term: str,
        limit: int | None = None,
        *,
        filters: Filters | None = None,
        auth_config: AuthSource | None = None,
    ) -> list[answers.ImageSearchResponseItem]:
        """Search Docker Hub, or the registry that the term begins with. ``GET /images/search``

        Args:
            term: what to look for; ``registry/words`` asks another registry.
            limit: at most so many.
            filters: ``{"is-official": True, "stars": 3}``.
            auth_config: credentials of this call, instead of those known.
        """
        from dockerkit.auth import call_with_credentials, resolve_repository_name

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
        stream: Literal[False] = False,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> str: ...

    @overload
    def pull(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: Literal[True],
        decode: Literal[True],
        **options: Unpack[RegistryOptions],
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def pull(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: Literal[True],
        decode: Literal[False] = False,
        **options: Unpack[RegistryOptions],
    ) -> ProgressStream[bytes]: ...

    @overload
    def pull(
        self,
        repository: str,
        tag: str | None = None,
        stream: bool = False,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        platform: Platform | None = None,
        all_tags: bool = False,
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
            repository: name of the image; may hold tag or digest.
            tag: tag or digest; ``latest`` where nothing says one.
            stream: give the records as they come, instead of waiting for the end.
            auth_config: credentials of this call: ``{"username": ..., "password": ...}``, or a function that is given
                the registry's name and returns them; instead of those known.
            decode: with `stream`, dicts instead of bytes.
            platform: "linux/arm64"; the engine's own by default (API 1.32).
            all_tags: all tags of the repository.

        Returns:
            An iterator of records with `stream`; closing it cancels the pull. Else the text of all records.

        Raises:
            PullError: the pull failed after it had begun; while iterating, with `stream`.
            ImageNotFound: there is no such image, or it is not for everyone.
        """

        def call(headers: Mapping[str, str]) -> ProgressStream[Any]:
            return self._pull(
                repository, tag, headers=headers, decode=stream and decode, platform=platform, all_tags=all_tags
            )

        if stream:
            return self._stream_with_credentials(repository, call, auth_config)
        return self._with_credentials(repository, lambda headers: text_of(call(headers)), auth_config)

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        stream: Literal[False] = False,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        *,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> str: ...

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: Literal[True],
        decode: Literal[True],
        **options: Unpack[RegistryOptions],
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def push(
        self,
        repository: str,
        tag: str | None = None,
        *,
        stream: Literal[True],
        decode: Literal[False] = False,
        **options: Unpack[RegistryOptions],
    ) -> ProgressStream[bytes]: ...

    @overload
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
            repository: name of the image, with the registry in front; may hold the tag.
            tag: the tag; ``latest`` where nothing says one.
            stream: give the records as they come, instead of waiting for the end.
            auth_config: credentials of this call, as for :meth:`pull`.
            decode: with `stream`, dicts instead of bytes.
            platform: of several platforms that the image has, only this one (API 1.46).
            all_tags: all tags of the repository.

        Returns:
            An iterator of records with `stream`; closing it cancels the push. Else the text of all records.

        Raises:
            PushError: the push failed after it had begun; while iterating, with `stream`.
            ImageNotFound: there is no such image.
        """

        def call(headers: Mapping[str, str]) -> ProgressStream[Any]:
            return self._push(
                repository, tag, headers=headers, decode=stream and decode, platform=platform, all_tags=all_tags
            )

        if stream:
            return self._stream_with_credentials(repository, call, auth_config, always=True)
        return self._with_credentials(repository, lambda headers: text_of(call(headers)), auth_config, always=True)

    def _pull(
        self,
        repository: str,
        tag: str | None,
        *,
        headers: Mapping[str, str],
        decode: bool = True,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> ProgressStream[Any]:
        name, own_tag = parse_repository_tag(repository)
        query = {
            "fromImage": name,
            "tag": None if all_tags else tag or own_tag or "latest",
            "platform": platform_text(platform),
        }
        return self._progress(
            "POST", "/images/create", query=query, headers=headers, decode=decode, error=PullError, timeout=None
        )

    def _push(
        self,
        repository: str,
        tag: str | None,
        *,
        headers: Mapping[str, str],
        decode: bool = True,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> ProgressStream[Any]:
        name, own_tag = name_and_tag(repository)
        query = {"tag": None if all_tags else tag or own_tag or "latest", "platform": platform_json(platform)}
        return self._progress(
            "POST", "/images/{name}/push", name=name, query=query, headers=headers, decode=decode, error=PushError,
            timeout=None,
        )  # fmt: skip

    def _with_credentials(self, repository: str, call: Any, given: AuthSource | None, *, always: bool = False) -> Any:
        from dockerkit.auth import call_with_credentials, resolve_repository_name

        registry, _ = resolve_repository_name(name_of(repository, "repository"))
        return call_with_credentials(self, registry, call, given, always=always)

    def _stream_with_credentials(
        self,
        repository: str,
        call: Callable[[Mapping[str, str]], ProgressStream[Any]],
        given: AuthSource | None,
        *,
        always: bool = False,
    ) -> ProgressStream[Any]:
        from dockerkit.auth import resolve_repository_name, stream_with_credentials

        registry, _ = resolve_repository_name(name_of(repository, "repository"))
        return stream_with_credentials(self, registry, call, given, always=always)


def name_and_tag(repository: str) -> tuple[str, str | None]:
    """Name and tag; a digest stays with the name."""
    if "@" in repository:
        return repository, None
    return parse_repository_tag(repository)
