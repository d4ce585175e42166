"""The classic build, and the cache of all builds. ``/build``"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Literal, overload

from dockerkit.api.base import Base, Timeout
from dockerkit.api.encode import Filters
from dockerkit.errors import BuildError, InvalidArgument
from dockerkit.platforms import Platform, platform_text
from dockerkit.reference import Reference
from dockerkit.streams import ProgressStream

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from dockerkit.build.context import BuildContext, Files
    from dockerkit.types import answers

    class BuildOptions(TypedDict, total=False):
        """Of the options of a build those that don't change what is answered."""

        quiet: bool
        fileobj: IO[bytes] | IO[str] | str | bytes | None
        nocache: bool
        rm: bool
        timeout: Timeout
        custom_context: bool
        encoding: str | None
        pull: bool
        forcerm: bool
        dockerfile: str | os.PathLike[str] | None
        container_limits: Mapping[str, int | str] | None
        buildargs: Mapping[str, str | float | None] | None
        gzip: bool
        shmsize: int | str | None
        labels: Mapping[str, str] | Sequence[str] | None
        cache_from: Sequence[str] | None
        target: str | None
        network_mode: str | None
        squash: bool | None
        extra_hosts: Mapping[str, str] | Sequence[str] | None
        platform: Platform | None
        isolation: str | None
        use_config_proxy: bool
        ulimits: Sequence[object] | None
        cgroup_parent: str | None
        security_opt: Sequence[str] | None
        outputs: str | Sequence[Mapping[str, object]] | None
        version: str | None
        session: str | None
        buildid: str | None
        auth_configs: Mapping[str, Mapping[str, Any]] | None
        ignore: Iterable[str] | None


CONTAINER_LIMITS_KEYS = ("memory", "memswap", "cpushares", "cpusetcpus", "cpusetmems", "cpuperiod", "cpuquota")
_SIZES = ("memory", "memswap")


class BuildAPI(Base):
    """The calls that build images."""

    @overload
    def build(
        self,
        path: str | os.PathLike[str] | Files | BuildContext | None = None,
        tag: str | Sequence[str] | None = None,
        *,
        decode: Literal[True],
        **options: Unpack[BuildOptions],
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def build(
        self,
        path: str | os.PathLike[str] | Files | BuildContext | None = None,
        tag: str | Sequence[str] | None = None,
        *,
        decode: Literal[False] = False,
        **options: Unpack[BuildOptions],
    ) -> ProgressStream[bytes]: ...

    @overload
    def build(
        self,
        path: str | os.PathLike[str] | Files | BuildContext | None = None,
        tag: str | Sequence[str] | None = None,
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
        container_limits: Mapping[str, int | str] | None = None,
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
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]: ...

    def build(
        self,
        path: str | os.PathLike[str] | Files | BuildContext | None = None,
        tag: str | Sequence[str] | None = None,
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
        container_limits: Mapping[str, int | str] | None = None,
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
            path: the context: a folder, a dict of files (texts, bytes, or paths on disk, by their names in the context),
                or a git repository or URL that the engine fetches; or an open BuildContext.
            tag: name of the image, or several.
            quiet: only the image's id.
            fileobj: the Dockerfile itself, alone or with `path`; with `custom_context` the whole context as tar.
            nocache: run every step anew.
            rm: remove the containers of steps that succeeded; `forcerm`: those of failed steps too.
            timeout: seconds to wait for the next output; none by default.
            custom_context: `fileobj` is the context, compressed as `encoding` ("gzip", "bzip2", "xz") says.
            pull: look for a newer base image.
            dockerfile: path of the Dockerfile, in the context or anywhere on disk; with `custom_context` and URLs its name
                in there.
            container_limits: of each step: ``memory``, ``memswap`` (bytes or "512m"), ``cpushares``, ``cpusetcpus``,
                ``cpusetmems``, ``cpuperiod``, ``cpuquota``.
            decode: dicts instead of bytes.
            buildargs: values of ``ARG``; None leaves the Dockerfile's default.
            gzip: compress the context on its way; pays over slow lines only.
            shmsize: of ``/dev/shm`` in each step, in bytes or as "64m".
            labels: of the image: a dict, or a list of names or "name=value".
            cache_from: images whose layers may be reused.
            target: build only up to this stage.
            network_mode: of each step: "host", "none", a network's name.
            squash: one layer for all new ones (experimental engines).
            extra_hosts: lines for ``/etc/hosts`` in each step: a dict of names to addresses.
            platform: of the image: "linux/arm64" (API 1.34).
            isolation: of each step, on Windows.
            use_config_proxy: pass on the proxies of config.json as build arguments.
            ulimits: of each step: Ulimit values, dicts, or "nofile=1024:2048".
            cgroup_parent: cgroup that the steps run below.
            security_opt: of each step.
            outputs, version, session: for BuildKit: what to export (JSON), "2", and the id of a session.
            buildid: a name of your own by which :meth:`cancel_build` finds a BuildKit build.
            auth_configs: credentials by registry, instead of all that are known.
            ignore: patterns instead of those in ``.dockerignore``.

        Returns:
            An iterator of records; closing it cancels the build. The image's id is in the record with ``aux``.

        Raises:
            BuildError: a step failed; while iterating.
            InvalidArgument: there is no context, or arguments contradict each other.
            UnreadableFile: a file of the context, or the Dockerfile, can't be read.
        """
        from dockerkit.build.context import open_context
        from dockerkit.types import parse, shorthands

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
            "buildargs": _arguments(buildargs, self._proxies.get_environment() if use_config_proxy else {}),
            "shmsize": None if shmsize is None else parse.size(shmsize, "shmsize"),
            "labels": _compact(parse.labels(labels)) if labels else None,
            "cachefrom": _compact(list(cache_from)) if cache_from else None,
            "target": target or None,
            "networkmode": network_mode,
            "squash": squash,
            "extrahosts": shorthands.extra_hosts(extra_hosts) if extra_hosts else None,
            "platform": platform_text(platform),
            "isolation": isolation,
            "ulimits": _compact(shorthands.ulimits(ulimits)) if ulimits else None,
            "cgroupparent": cgroup_parent,
            "securityopt": _compact(list(security_opt)) if security_opt else None,
            "outputs": outputs if outputs is None or isinstance(outputs, str) else _compact(list(outputs)),
            "version": version,
            "session": session,
            "buildid": buildid,
        }
        return self._progress(
            "POST", "/build", query=query, data=context.data(), headers=self._build_headers(context, auth_configs),
            decode=decode, error=_failure, timeout=timeout,
        )  # fmt: skip

    def _build_headers(self, context: BuildContext, given: Mapping[str, Mapping[str, Any]] | None) -> dict[str, str]:
        from dockerkit.auth import INDEX_NAME, INDEX_URL, encode_header

        headers = {"Content-Encoding": context.encoding} if context.encoding else {}
        known: dict[str, Mapping[str, Any]] = dict(self._auth.get_all_credentials() if given is None else given)
        if INDEX_NAME in known:  # the engine looks for Docker Hub under its address only
            known.setdefault(INDEX_URL, known[INDEX_NAME])
        if known:
            headers["X-Registry-Config"] = encode_header(known).decode()
        return headers

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
            filters: ``until`` (a duration such as "24h"), ``id``, ``parent``, ``type``, ``description``, ``inuse``,
                ``shared``, ``private``.
            keep_storage: keep so much cache, in bytes or as "2g"; newer engines call it `reserved_space`.
            all: also what is in use by images, not only what dangles.
            reserved_space: keep so much cache (API 1.48).
            max_used_space: the cache may grow up to this (API 1.48).
            min_free_space: remove until so much of the disk is free (API 1.48).

        Returns:
            ``CachesDeleted`` and ``SpaceReclaimed`` (bytes).
        """
        if keep_storage is not None and reserved_space is not None:
            raise InvalidArgument("keep_storage: that is reserved_space under its old name; give one of them")
        if keep_storage is not None and not self._supports("POST /build/prune", "keep-storage"):
            keep_storage, reserved_space = None, keep_storage
        query = {
            "filters": filters,
            "all": all,
            "keep-storage": _bytes(keep_storage, "keep_storage"),
            "reserved-space": _bytes(reserved_space, "reserved_space"),
            "max-used-space": _bytes(max_used_space, "max_used_space"),
            "min-free-space": _bytes(min_free_space, "min_free_space"),
        }
        return self._json("POST", "/build/prune", query=query, timeout=None)

    def cancel_build(self, buildid: str) -> None:
        """Cancel a BuildKit build. ``POST /build/cancel``

        Args:
            buildid: the name that it was given when it was started. Classic builds are cancelled by closing their stream.
        """
        if not buildid:
            raise InvalidArgument("buildid: the name given to build() is needed")
        self._none("POST", "/build/cancel", query={"id": buildid})


def _failure(message: str, code: int | None, record: Mapping[str, Any]) -> BuildError:
    return BuildError(message, [record], code=code, detail=record, exit_code=code)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _tags(tag: str | Sequence[str] | None) -> list[str] | None:
    tags = [tag] if isinstance(tag, str) else list(tag or ())
    for name in tags:
        Reference.parse(name)
    return tags or None


def _limits(limits: Mapping[str, int | str]) -> dict[str, object]:
    from dockerkit.types import parse

    for name in limits:
        if name not in CONTAINER_LIMITS_KEYS:
            raise InvalidArgument(f"container_limits: {name!r} is none of {', '.join(CONTAINER_LIMITS_KEYS)}")
    return {
        name: parse.size(value, f"container_limits[{name!r}]") if name in _SIZES else value
        for name, value in limits.items()
    }


def _arguments(buildargs: Mapping[str, str | float | None] | None, proxies: Mapping[str, str]) -> str | None:
    from dockerkit.types import parse

    arguments: dict[str, str | None] = dict(proxies)
    for name, value in (buildargs or {}).items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        arguments[name] = None if value is None else parse.text(value, f"buildargs[{name!r}]")
    return _compact(arguments) if arguments else None


def _bytes(value: int | str | None, name: str) -> int | None:
    from dockerkit.types import parse

    return None if value is None else parse.size(value, name)


BuildApiMixin = BuildAPI  # its name in docker-py
