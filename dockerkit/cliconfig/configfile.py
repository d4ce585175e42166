"""Locate and read the docker command's ``config.json`` and its predecessors."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from dockerkit.cliconfig.json_file import read_json
from dockerkit.errors import EngineWarning, InvalidConfigFile

__all__ = [
    "config_dir", "config_file", "config_path", "find_config_file", "home_dir", "http_headers", "load_general_config",
]  # fmt: skip

DOCKER_CONFIG_FILENAME = os.path.join(".docker", "config.json")
LEGACY_DOCKER_CONFIG_FILENAME = ".dockercfg"


def home_dir(environment: Mapping[str, str] | None = None) -> str:
    """Return the user's home folder, as determined by the docker command.

    For a user without a home, such as a UID without an account, this is a folder below ``os.devnull``, which can't exist
    or be created.
    """
    env = os.environ if environment is None else environment
    home = env.get("USERPROFILE" if sys.platform == "win32" else "HOME") or os.path.expanduser("~")
    return os.devnull if home == "~" else home


def config_dir(environment: Mapping[str, str] | None = None) -> str:
    """Return the docker command's folder: ``DOCKER_CONFIG``, otherwise ``~/.docker``. It may not exist."""
    env = os.environ if environment is None else environment
    return env.get("DOCKER_CONFIG") or os.path.join(home_dir(env), ".docker")


def config_path(environment: Mapping[str, str] | None = None) -> str:
    """Return the path of config.json: in ``$DOCKER_CONFIG``, otherwise in ``~/.docker``. It may not exist."""
    return os.path.join(config_dir(environment), "config.json")


def find_config_file(config_path: str | None = None, environment: Mapping[str, str] | None = None) -> str | None:
    """Return the first existing configuration file.

    Args:
        config_path: file to check before all others.
        environment: environment variables; this process's if None.

    Returns:
        ``config_path``, ``$DOCKER_CONFIG/config.json``, ``~/.docker/config.json`` or the old ``~/.dockercfg``; None
        if none of them exists. With ``$DOCKER_CONFIG``, the home folder is not checked.
    """
    variables = os.environ if environment is None else environment
    candidates = [config_path] if config_path else []
    candidates.append(os.path.join(config_dir(variables), "config.json"))
    if not variables.get("DOCKER_CONFIG"):
        candidates.append(os.path.join(home_dir(variables), LEGACY_DOCKER_CONFIG_FILENAME))
    return next((path for path in candidates if os.path.exists(path)), None)


def load_general_config(config_path: str | None = None) -> dict[str, Any]:
    """Return the content of config.json; empty if it does not exist or can't be read.

    Use :func:`dockerkit.credentials.auth.load_config` to raise an error for an unreadable file.
    """
    path = find_config_file(config_path)
    if path is None:
        return {}
    try:
        return read_json(path)
    except InvalidConfigFile:
        return {}


def config_file(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the content of the docker command's ``config.json``; empty if it does not exist.

    Raises:
        InvalidConfigFile: the file can't be read, or is not a JSON object.
    """
    path = os.path.join(config_dir(environment), "config.json")
    return read_json(path) if os.path.exists(path) else {}


def http_headers(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the ``HttpHeaders`` of ``config.json``, which the docker command sends with every call to an engine.

    ``User-Agent`` is omitted, as in the docker command. An unreadable file only causes a warning, since a client with an
    explicit engine address needs nothing from it.
    """
    try:
        headers = config_file(environment).get("HttpHeaders") or {}
    except InvalidConfigFile as error:
        warnings.warn(f"{error}; its HttpHeaders are not sent", EngineWarning, stacklevel=4)
        return {}
    if not isinstance(headers, dict):
        raise InvalidConfigFile("config.json: HttpHeaders must be an object")
    return {str(name): str(value) for name, value in headers.items() if str(name).lower() != "user-agent"}
