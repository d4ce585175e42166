"""The docker command's ``config.json`` and its forerunners: where they are, and reading them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from dockerkit.config import config_dir, home_dir
from dockerkit.credentials.entries import INDEX_URL
from dockerkit.errors import InvalidConfigFile
from dockerkit.localfiles import read_json

__all__ = ["config_path", "find_config_file", "home_dir", "load_general_config", "read_credentials"]

DOCKER_CONFIG_FILENAME = os.path.join(".docker", "config.json")
LEGACY_DOCKER_CONFIG_FILENAME = ".dockercfg"


def config_path(environment: Mapping[str, str] | None = None) -> str:
    """Where config.json is or would be: in ``$DOCKER_CONFIG``, else in ``~/.docker``."""
    return os.path.join(config_dir(environment), "config.json")


def find_config_file(config_path: str | None = None, environment: Mapping[str, str] | None = None) -> str | None:
    """The first configuration file that exists.

    Args:
        config_path: a file to look at before all others.
        environment: the variables to look at; this process's if None.

    Returns:
        ``config_path``, ``$DOCKER_CONFIG/config.json``, ``~/.docker/config.json`` or the old ``~/.dockercfg``; None
        where none of them exists. With ``$DOCKER_CONFIG`` the home folder is not looked at.
    """
    variables = os.environ if environment is None else environment
    candidates = [config_path] if config_path else []
    candidates.append(os.path.join(config_dir(variables), "config.json"))
    if not variables.get("DOCKER_CONFIG"):
        candidates.append(os.path.join(home_dir(variables), LEGACY_DOCKER_CONFIG_FILENAME))
    return next((path for path in candidates if os.path.exists(path)), None)


def load_general_config(config_path: str | None = None) -> dict[str, Any]:
    """config.json as it is; empty where there is none, or where it can't be read.

    :func:`dockerkit.auth.load_config` is the call that complains about an unreadable one.
    """
    path = find_config_file(config_path)
    if path is None:
        return {}
    try:
        return read_json(path)
    except InvalidConfigFile:
        return {}


def is_entry(value: object) -> bool:
    """Whether a value looks like one of config.json's ``auths``."""
    return isinstance(value, Mapping) and ("auth" in value or "identitytoken" in value)


def read_credentials(path: str) -> Mapping[str, Any]:
    """A config.json, or one of the two layouts of a ``.dockercfg``.

    Raises:
        InvalidConfigFile: it is neither.
    """
    if path.endswith(LEGACY_DOCKER_CONFIG_FILENAME):
        try:
            return read_json(path)
        except InvalidConfigFile:
            return _read_ancient(path)
    return read_json(path)


def _read_ancient(path: str) -> Mapping[str, Any]:
    """A .dockercfg of the first years: lines ``auth = base64`` and ``email = address``, for the Docker Hub."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = dict(line.split(" = ", 1) for line in file.read().splitlines() if line.strip())
        return {INDEX_URL: {"auth": lines["auth"].strip(), "email": lines.get("email", "").strip()}}
    except (OSError, ValueError, KeyError):
        raise InvalidConfigFile(f"{path}: neither JSON nor lines of 'auth = …'") from None
