"""The options that the classic builder and BuildKit share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, TypedDict


class BuildOptions(TypedDict, total=False):
    """Options of a build with either builder."""

    fileobj: IO[bytes] | IO[str] | str | bytes | None
    """The Dockerfile; with ``custom_context`` the whole context as tar."""
    dockerfile: str | os.PathLike[str] | None
    """Path of the Dockerfile, in the context or anywhere on disk."""
    custom_context: bool
    """``fileobj`` is the context."""
    encoding: str | None
    """Compression of that context: "gzip", "bzip2", "xz"."""
    ignore: Iterable[str] | None
    """Patterns instead of those in ``.dockerignore``."""
    gzip: bool
    """Compress the context during upload."""
    target: str | None
    """Build only up to this stage."""
    buildargs: Mapping[str, str | float | None] | None
    """Values of ``ARG``; None keeps the Dockerfile's default."""
    use_config_proxy: bool
    """Pass the proxy settings of config.json as build arguments."""
    labels: Mapping[str, str] | Sequence[str] | None
    """Labels of the image: a dict, or a list of names or "name=value"."""
    pull: bool
    """Always look for a newer base image."""
    network_mode: str | None
    """Network of each step: "host", "none"; with the classic builder also the name of a network."""
    extra_hosts: Mapping[str, str] | Sequence[str] | None
    """Lines for ``/etc/hosts`` in each step: a dict of names to addresses."""
    shmsize: int | str | None
    """Size of ``/dev/shm`` in each step, in bytes or as "64m"."""
    ulimits: Sequence[object] | None
    """Process limits of each step: Ulimit values, dicts, or "nofile=1024:2048"."""
    cgroup_parent: str | None
    """Parent cgroup of the steps."""
    auth_configs: Mapping[str, Mapping[str, Any]] | None
    """Credentials by registry, instead of all stored ones."""
    quiet: bool
    """Only return the image's ID."""
    rm: bool
    """Classic: remove the containers of successful steps."""
    forcerm: bool
    """Classic: also remove those of failed steps."""
    container_limits: Mapping[str, int | str | None] | None
    """Classic: limits of each step, such as ``{"memory": "512m"}``."""
    squash: bool | None
    """Classic: squash the new layers into one (experimental engines)."""
    isolation: str | None
    """Classic: isolation of each step, on Windows."""
    security_opt: Sequence[str] | None
    """Classic: security options of each step."""
