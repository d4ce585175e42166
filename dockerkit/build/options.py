"""The options of a build, as keywords of ``images.build``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from dockerkit.api.base import Timeout
    from dockerkit.build.context import Files
    from dockerkit.platforms import Platform

__all__ = ["BUILDKIT_ONLY", "BuildOptions"]

BUILDKIT_ONLY: frozenset[str] = frozenset()
"""Options that the classic builder does not have."""


class BuildOptions(TypedDict, total=False):
    """Keywords of :meth:`~dockerkit.models.images.ImageCollection.build`; none is required but one of path and fileobj.

    What each means is told at :meth:`dockerkit.api.build.BuildAPI.build`.
    """

    path: str | os.PathLike[str] | Files | None
    tag: str | Sequence[str] | None
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
    decode: bool
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
    auth_configs: Mapping[str, Mapping[str, Any]] | None
    ignore: Iterable[str] | None
