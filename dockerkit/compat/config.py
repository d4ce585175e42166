"""docker-py's ``docker.utils.config``: the docker command's config.json."""

from __future__ import annotations

import os

from dockerkit.cliconfig.configfile import (
    DOCKER_CONFIG_FILENAME,
    LEGACY_DOCKER_CONFIG_FILENAME,
    find_config_file,
    home_dir,
    load_general_config,
)
from dockerkit.compat.constants import IS_WINDOWS_PLATFORM

__all__ = [
    "DOCKER_CONFIG_FILENAME", "IS_WINDOWS_PLATFORM", "LEGACY_DOCKER_CONFIG_FILENAME", "config_path_from_environment",
    "find_config_file", "home_dir", "load_general_config",
]  # fmt: skip


def config_path_from_environment() -> str | None:
    """Return the path of config.json in ``DOCKER_CONFIG``; None if not set."""
    folder = os.environ.get("DOCKER_CONFIG")
    return os.path.join(folder, os.path.basename(DOCKER_CONFIG_FILENAME)) if folder else None
