"""The docker command's ``config.json``: where it is, reading it, and changing one part of it safely."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dockerkit.credentials.entries import INDEX_URL
from dockerkit.errors import InvalidConfigFile

__all__ = ["config_path", "edit_config", "find_config_file", "home_dir", "load_general_config", "read_credentials"]

DOCKER_CONFIG_FILENAME = os.path.join(".docker", "config.json")
LEGACY_DOCKER_CONFIG_FILENAME = ".dockercfg"


def home_dir() -> str:
    """The user's home folder, as the docker command sees it."""
    if sys.platform == "win32":
        return os.environ.get("USERPROFILE", "")
    return os.path.expanduser("~")


def config_path(environment: Mapping[str, str] | None = None) -> str:
    """Where config.json is or would be: in ``$DOCKER_CONFIG``, else in ``~/.docker``."""
    folder = (os.environ if environment is None else environment).get("DOCKER_CONFIG")
    return os.path.join(folder, "config.json") if folder else os.path.join(home_dir(), DOCKER_CONFIG_FILENAME)


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
    folder = variables.get("DOCKER_CONFIG")
    candidates = [config_path] if config_path else []
    if folder:
        candidates.append(os.path.join(folder, "config.json"))
    else:
        home = home_dir()
        candidates += [os.path.join(home, DOCKER_CONFIG_FILENAME), os.path.join(home, LEGACY_DOCKER_CONFIG_FILENAME)]
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


def read_json(path: str) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InvalidConfigFile: it can't be read, or is no JSON object. The message has no word of its content.
    """
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise InvalidConfigFile(f"{path}: {error.strerror}") from None
    try:
        record = json.loads(text or b"{}")
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        # `from None`: the cause carries the whole text, passwords and all.
        raise InvalidConfigFile(f"{path}: no valid JSON{where}") from None
    if not isinstance(record, dict):
        raise InvalidConfigFile(f"{path}: a JSON object is wanted")
    return record


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


def edit_config(path: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Read a config.json, change it, and put it back in one step; what is not changed stays, also what we don't know.

    The file appears whole or not at all, readable by its owner only if it is new; a link is followed, not replaced.

    Raises:
        InvalidConfigFile: what is there can't be read, and is left alone.
        OSError: it can't be written.
    """
    target = os.path.realpath(path)
    record = read_json(target) if os.path.exists(target) else {}
    change(record)
    folder = os.path.dirname(target)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix="config.json", dir=folder)  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(record, file, indent="\t")
        with contextlib.suppress(FileNotFoundError):
            os.chmod(temporary, os.stat(target).st_mode & 0o777)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
