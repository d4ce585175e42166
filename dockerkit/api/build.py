"""Classic builds, and the build cache of all builders. ``/build``"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, overload

from dockerkit.api.base import APIBase, Timeout
from dockerkit.errors import InvalidArgument
from dockerkit.parsing.platforms import Platform, platform_text
from dockerkit.parsing.reference import Reference
from dockerkit.streams import ProgressStream

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.builder.context import BuildContext, Files
    from dockerkit.builder.options import BuildOptions
    from dockerkit.types import answers
    from dockerkit.types.filters import BuildPruneFilters
    from dockerkit.types.flags import No, Yes

    Context = str | os.PathLike[str] | Files | BuildContext | None
    Tags = str | Sequence[str] | None

    class ClassicBuildOptions(BuildOptions, total=False):
        """Options of build() that don't change its return type."""

        nocache: bool
        timeout: Timeout
        cache_from: Sequence[str] | None
        platform: Platform | None
        outputs: str | Sequence[Mapping[str, object]] | None
        version: str | None
        session: str | None
        buildid: str | None


CONTAINER_LIMITS_KEYS = ("memory", "memswap", "cpushares", "cpusetcpus", "cpusetmems", "cpuperiod", "cpuquota")
_SIZES = ("memory", "memswap")


class BuildAPI(APIBase):
    """Calls that build images."""

    @overload
    def build(
        self, path: Context = None, tag: Tags = None, *, decode: Yes, **options: Unpack[ClassicBuildOptions]
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def build(
        self, path: Context = None, tag: Tags = None, *, decode: No = False, **options: Unpack[ClassicBuildOptions]
    ) -> ProgressStream[bytes]: ...

    @overload
    def build(
        self, path: Context = None, tag: Tags = None, *, decode: bool, **options: Unpack[ClassicBuildOptions]
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]: ...

    def build(
        self,
        path: Context = None,
        tag: Tags = None,
        quiet: bool = False,
        fileobj: IO[bytes] | IO[str] | str | bytes | None = None,
        nocache: bool = False,
        rm: bool = False,
        timeout: Timeout = None,
        custom_context: bool = False,
        encoding: str | None = None,
        pull: bool = False,
        forcerm: bool = False,
        dockerfile: str | os.PathLike[str] | None = None,
        container_limits: Mapping[str, int | str | None] | None = None,
        decode: bool = False,
        buildargs: Mapping[str, str | float | None] | None = None,
        gzip: bool = False,
        shmsize: int | str | None = None,
        labels: Mapping[str, str] | Sequence[str] | None = None,
        cache_from: Sequence[str] | None = None,
        target: str | None = None,
        network_mode: str | None = None,
        squash: bool | None = None,
        extra_hosts: Mapping[str, str] | Sequence[str] | None = None,
        platform: Platform | None = None,
        isolation: str | None = None,
        use_config_proxy: bool = True,
        *,
        ulimits: Sequence[object] | None = None,
        cgroup_parent: str | None = None,
        security_opt: Sequence[str] | None = None,
        outputs: str | Sequence[Mapping[str, object]] | None = None,
        version: str | None = None,
        session: str | None = None,
        buildid: str | None = None,
        auth_configs: Mapping[str, Mapping[str, Any]] | None = None,
        ignore: Iterable[str] | None = None,
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]:
        """Build an image from a Dockerfile with the classic builder. ``POST /build``

        Args:
            path: the context: a folder, a dict of files (strings, bytes, or paths on disk, by their names in the context),
                a git repository or URL that the engine fetches, or an open BuildContext.
            tag: name of the image, or several.
            quiet: only return the image's ID.
            fileobj: content of the Dockerfile, alone or with `path`; with `custom_context` the context as a tar archive.
            nocache: don't use the build cache.
            rm: remove the containers of successful steps; `forcerm` also removes those of failed steps.
            timeout: seconds to wait for the next output; no limit by default.
            custom_context: `fileobj` is the context, compressed with `encoding` ("gzip", "bzip2", "xz").
            pull: always look for a newer base image.
            dockerfile: path of the Dockerfile, in the context or anywhere on disk; with `custom_context` and URLs its name
                in the context.
            container_limits: limits of each step: ``memory``, ``memswap`` (bytes or "512m"), ``cpushares``, ``cpusetcpus``,
                ``cpusetmems``, ``cpuperiod``, ``cpuquota``.
            decode: yield dicts instead of bytes.
            buildargs: values of ``ARG``; None keeps the Dockerfile's default.
            gzip: compress the context during upload; only worth it on slow connections.
            shmsize: size of ``/dev/shm`` in each step, in bytes or as "64m".
            labels: labels of the image: a dict, or a list of names or "name=value".
            cache_from: images whose layers may be reused.
            target: build only up to this stage.
            network_mode: network of each step: "host", "none" or the name of a network.
            squash: squash the new layers into one (experimental engines).
            extra_hosts: lines for ``/etc/hosts`` in each step: a dict of names to addresses.
            platform: platform of the image: "linux/arm64" (API 1.34).
            isolation: isolation of each step, on Windows.
            use_config_proxy: pass the proxy settings of config.json as build arguments.
            ulimits: process limits of each step: Ulimit values, dicts, or "nofile=1024:2048".
            cgroup_parent: parent cgroup of the steps.
            security_opt: security options of each step.
            outputs, version, session: for BuildKit: exporters (JSON), "2", and the ID of a session.
            buildid: ID that you choose, for :meth:`cancel_build` of a BuildKit build.
            auth_configs: credentials by registry, instead of all stored ones.
            ignore: patterns instead of those in ``.dockerignore``.

        Returns:
            An iterator of records; closing it cancels the build. The image's ID is in the record with ``aux``.

        Raises:
            BuildError: a step failed; raised while iterating.
            InvalidArgument: there is no context, or arguments contradict each other.
            UnreadableFile: a file of the context, or the Dockerfile, can't be read.
        """
        from dockerkit.builder.context import open_context
        from dockerkit.parsing import shorthands, values
        from dockerkit.parsing.json_data import to_json_data

        context = open_context(
            path, dockerfile=dockerfile, fileobj=fileobj, custom_context=custom_context, encoding=encoding, gzip=gzip,
            ignore=ignore,
        )  # fmt: skip
        query: dict[str, object] = {
            "t": _tags(tag),
            "q": quiet,
            "nocache": nocache,
            "rm": rm,
            "forcerm": forcerm,
            "pull": pull,
            "remote": context.remote,
            "dockerfile": context.dockerfile,
            **_limits(container_limits or {}),
            "buildargs": _arguments(buildargs, self.proxy_config.get_environment() if use_config_proxy else {}),
            "shmsize": None if shmsize is None else values.size(shmsize, "shmsize"),
            "labels": _compact(values.labels(labels)) if labels else None,
            "cachefrom": _compact(values.string_list(cache_from, "cache_from")) if cache_from else None,
            "target": target or None,
            "networkmode": network_mode,
            "squash": squash,
            "extrahosts": shorthands.extra_hosts(extra_hosts) if extra_hosts else None,
            "platform": platform_text(platform),
            "isolation": isolation,
            "ulimits": _compact(shorthands.ulimits(ulimits)) if ulimits else None,
            "cgroupparent": cgroup_parent,
            "securityopt": _compact(values.string_list(security_opt, "security_opt")) if security_opt else None,
            "outputs": outputs
            if outputs is None or isinstance(outputs, str)
            else _compact(to_json_data(values.sequence(outputs, "outputs"), "outputs")),
            "version": version,
            "session": session,
            "buildid": buildid,
        }
        return self._progress(
            "POST", "/build", query=query, data=context.data(), headers=self._build_headers(context, auth_configs),
            decode=decode, error="BuildError", timeout=timeout,
        )  # fmt: skip

    def _build_headers(
        self, context: BuildContext, auth_configs: Mapping[str, Mapping[str, Any]] | None
    ) -> dict[str, str]:
        from dockerkit.credentials.auth import INDEX_NAME, INDEX_URL, encode_header
        from dockerkit.parsing.values import mapping_of_mappings

        headers = {"Content-Encoding": context.encoding} if context.encoding else {}
        passed = mapping_of_mappings(auth_configs, "auth_configs")
        credentials: dict[str, Mapping[str, Any]] = dict(
            self.auth_config.get_all_credentials() if passed is None else passed
        )
        if INDEX_NAME in credentials:  # the engine only looks up Docker Hub by its URL
            credentials.setdefault(INDEX_URL, credentials[INDEX_NAME])
        if credentials:
            headers["X-Registry-Config"] = encode_header(credentials).decode()
        return headers

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
            filters: ``until`` (a duration such as "24h"), ``id``, ``parent``, ``type``, ``description``, ``inuse``,
                ``shared``, ``private``.
            keep_storage: old name of `reserved_space`.
            all: also remove cache that images use, not only dangling cache.
            reserved_space: amount of cache to keep, in bytes or as "2g" (API 1.48).
            max_used_space: maximum size of the cache (API 1.48).
            min_free_space: amount of disk space to free up (API 1.48).

        Returns:
            ``CachesDeleted`` and ``SpaceReclaimed`` (bytes).
        """
        if keep_storage is not None and reserved_space is not None:
            raise InvalidArgument("keep_storage: is the old name of reserved_space; pass only one of them")
        if keep_storage is not None and not self.supports("POST /build/prune", "keep-storage"):
            keep_storage, reserved_space = None, keep_storage
        query = {
            "filters": filters,
            "all": all,
            "keep-storage": _bytes(keep_storage, "keep_storage"),
            "reserved-space": _bytes(reserved_space, "reserved_space"),
            "max-used-space": _bytes(max_used_space, "max_used_space"),
            "min-free-space": _bytes(min_free_space, "min_free_space"),
        }
        return self._json("POST", "/build/prune", query=query, timeout=None, lists=("CachesDeleted",))

    def cancel_build(self, buildid: str) -> None:
        """Cancel a BuildKit build. ``POST /build/cancel``

        Args:
            buildid: ID that was passed to the build. To cancel a classic build, close its stream.
        """
        if not buildid:
            raise InvalidArgument("buildid: must be the ID passed to build()")
        self._no_content("POST", "/build/cancel", query={"id": buildid})


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _tags(tag: str | Sequence[str] | None) -> list[str] | None:
    from dockerkit.parsing.values import string_list

    tags = [tag] if isinstance(tag, str) else string_list(tag or (), "tag")
    for name in tags:
        Reference.parse(name)
    return tags or None


def _limits(limits: Mapping[str, int | str | None]) -> dict[str, object]:
    from dockerkit.parsing import values

    for name in values.mapping(limits, "container_limits"):
        if name not in CONTAINER_LIMITS_KEYS:
            raise InvalidArgument(f"container_limits: unknown limit {name!r}; use {', '.join(CONTAINER_LIMITS_KEYS)}")
    return {
        name: values.size(value, f"container_limits[{name!r}]") if name in _SIZES else value
        for name, value in limits.items()
        if value is not None
    }


def _arguments(buildargs: Mapping[str, str | float | None] | None, proxies: Mapping[str, str]) -> str | None:
    from dockerkit.parsing import values

    arguments: dict[str, str | None] = dict(proxies)
    arguments.update(values.build_arguments(buildargs or {}))
    return _compact(arguments) if arguments else None


def _bytes(value: int | str | None, name: str) -> int | None:
    from dockerkit.parsing import values

    return None if value is None else values.size(value, name)


BuildApiMixin = BuildAPI  # docker-py's name
