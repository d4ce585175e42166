"""Images: getting them in, out and around. ``/images``"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from dockerkit.api.base import Base, Ref
from dockerkit.api.encode import Filters, filters_with
from dockerkit.api.image_archive import ImageArchiveAPI, text_of
from dockerkit.api.refs import name_of
from dockerkit.constants import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import InvalidArgument, PullError, PushError
from dockerkit.platforms import Platform, platform_json, platform_list, platform_text
from dockerkit.reference import parse_repository_tag
from dockerkit.streams import ProgressStream

if TYPE_CHECKING:
    from dockerkit.auth import AuthSource
    from dockerkit.types import answers

__all__ = ["DEFAULT_DATA_CHUNK_SIZE", "ImageAPI"]


class ImageAPI(ImageArchiveAPI, Base):
    """The calls on images."""

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
    ) -> list[Any]:
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
        found: list[answers.ImageSummary] = self._json("GET", "/images/json", query=query)
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
        return self._json("GET", "/images/{name}/history", name=image, query=query)

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
        return self._json("GET", "/images/{name}/attestations", name=image, query=query)

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
            repository, tag = _name_and_tag(repository)
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
        return self._json("DELETE", "/images/{name}", name=image, query=query)

    def prune_images(self, filters: Filters | None = None) -> answers.ImagePruneResponse:
        """Remove unused images. ``POST /images/prune``

        Args:
            filters: ``{"dangling": False}`` for all that no container uses, not only untagged ones; ``until`` (a time or
                a duration such as "24h"), ``label``, ``label!``.

        Returns:
            ``ImagesDeleted`` and ``SpaceReclaimed`` (bytes).
        """
        return self._json("POST", "/images/prune", query={"filters": filters}, timeout=None)

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
            lambda headers: self._json("GET", "/images/search", query=query, headers=headers, timeout=None),
            auth_config,
        )

    # -- registries ----------------------------------------------------------------------------------------------

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
        auth_config: AuthSource | None = None,
        decode: Literal[True],
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> ProgressStream[dict[str, Any]]: ...

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
    ) -> str | ProgressStream[Any]: ...

    def pull(
        self,
        repository: str,
        tag: str | None = None,
        stream: bool = False,
        auth_config: AuthSource | None = None,
        decode: bool = False,
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> str | ProgressStream[Any]:
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
        auth_config: AuthSource | None = None,
        decode: Literal[True],
        platform: Platform | None = None,
        all_tags: bool = False,
    ) -> ProgressStream[dict[str, Any]]: ...

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
    ) -> str | ProgressStream[Any]: ...

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
    ) -> str | ProgressStream[Any]:
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
        name, own_tag = _name_and_tag(repository)
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


def _name_and_tag(repository: str) -> tuple[str, str | None]:
    """Name and tag; a digest stays with the name."""
    if "@" in repository:
        return repository, None
    return parse_repository_tag(repository)


ImageApiMixin = ImageAPI  # its name in docker-py
