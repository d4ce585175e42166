"""The docker command's context store on disk.

::

    CONFIG/config.json                                  "currentContext": the context in use
    CONFIG/contexts/meta/<sha256 of the name>/meta.json name, description, endpoints
    CONFIG/contexts/tls/<sha256>/docker/*.pem           ca.pem, cert.pem, key.pem
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Mapping
from typing import Any

from dockerkit import errors
from dockerkit.cliconfig.json_file import edit_json, read_json
from dockerkit.errors.caller import argument_name
from dockerkit.files.atomic import atomic_write
from dockerkit.parsing.values import raise_invalid

DEFAULT = "default"
METAFILE = "meta.json"
CA, CERT, KEY = "ca.pem", "cert.pem", "key.pem"


def context_id(name: str) -> str:
    """Return the folder name of a context: the SHA-256 of its name."""
    import hashlib  # imported lazily, as below: every client imports this module, few use contexts

    return hashlib.sha256(name.encode()).hexdigest()


def contexts_dir(config_dir: str) -> str:
    """Return the path of the context store."""
    return os.path.join(config_dir, "contexts")


def meta_dir(config_dir: str, name: str | None = None) -> str:
    """Return the folder of a context's metadata; with None, the folder of all contexts' metadata."""
    folder = os.path.join(contexts_dir(config_dir), "meta")
    return folder if name is None else os.path.join(folder, context_id(name))


def tls_dir(config_dir: str, name: str | None = None) -> str:
    """Return the folder of a context's certificates; with None, the folder of all contexts' certificates."""
    folder = os.path.join(contexts_dir(config_dir), "tls")
    return folder if name is None else os.path.join(folder, context_id(name))


def names(config_dir: str) -> list[str]:
    """Return the sorted names of the stored contexts, without the built-in ``default``. Damaged ones cause a warning."""
    stored = []
    folder = meta_dir(config_dir)
    for entry in os.listdir(folder) if os.path.isdir(folder) else ():
        path = os.path.join(folder, entry, METAFILE)
        if os.path.isfile(path):
            try:
                stored.append(str(_load(path)["Name"]))
            except errors.InvalidConfigFile as error:
                warnings.warn(f"{error}; this context is skipped", errors.EngineWarning, stacklevel=3)
    return sorted(stored)


def read(config_dir: str, name: str) -> dict[str, Any]:
    """Return the content of a context's ``meta.json``. The error for an unknown name lists the known ones."""
    if not isinstance(name, str):
        raise_invalid(argument_name(name, "name"), "the name of a context", name)
    path = os.path.join(meta_dir(config_dir, name), METAFILE)
    if not os.path.isfile(path):
        available = ", ".join([DEFAULT, *names(config_dir)])
        raise errors.ContextNotFound(name, f"looked in {meta_dir(config_dir)}; known: {available}")
    return _load(path)


def tls_files(config_dir: str, name: str) -> dict[str, str]:
    """Return the paths of the TLS files of a context's engine, by file name (``ca.pem``, ``cert.pem``, ``key.pem``)."""
    folder = os.path.join(tls_dir(config_dir, name), "docker")
    if not os.path.isdir(folder):
        return {}
    return {entry: os.path.join(folder, entry) for entry in sorted(os.listdir(folder))}


def _load(path: str) -> dict[str, Any]:
    meta = read_json(path)
    if not isinstance(meta.get("Name"), str) or not isinstance(meta.get("Endpoints"), dict):
        raise errors.InvalidConfigFile(f"{path} is not a docker context: it lacks Name or Endpoints")
    return meta


def current_name(config_dir: str, config: Mapping[str, Any]) -> str:
    """Return the name of the context set by ``docker context use``; otherwise ``default``."""
    name = config.get("currentContext") or DEFAULT
    if not isinstance(name, str):
        raise errors.InvalidConfigFile(f"{os.path.join(config_dir, 'config.json')}: currentContext must be a string")
    return name


def check_name(name: str) -> None:
    """Reject a name that the docker command would not accept for a context."""
    if not name:
        raise errors.MissingContextParameter("name")
    if name == DEFAULT:
        raise errors.ContextException(f"{DEFAULT!r} is the built-in context: choose another name")
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]+", name):
        raise errors.InvalidArgument(
            f"name: must be two or more letters, digits or '_.+-', starting with a letter or digit, got {name!r}"
        )


def write(config_dir: str, meta: Mapping[str, Any], tls: Mapping[str, Mapping[str, str]]) -> None:
    """Store or replace a context. `tls` has the source paths of its TLS files, by endpoint and target name."""
    name = meta["Name"]
    for endpoint, files in tls.items():
        folder = os.path.join(tls_dir(config_dir, name), endpoint)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for file_name, source in files.items():
            with open(source, "rb") as file, atomic_write(os.path.join(folder, file_name), 0o600) as copy:
                copy.write(file.read())
    os.makedirs(meta_dir(config_dir, name), exist_ok=True)
    with atomic_write(os.path.join(meta_dir(config_dir, name), METAFILE), 0o644) as file:
        file.write(json.dumps(meta, separators=(",", ":")).encode())


def remove(config_dir: str, name: str) -> None:
    """Delete a context and its TLS files. If it is in use, switch to the default context."""
    config_path = os.path.join(config_dir, "config.json")
    if os.path.isfile(config_path) and read_json(config_path).get("currentContext") == name:
        use(config_dir, DEFAULT)
    for folder in (meta_dir(config_dir, name), tls_dir(config_dir, name)):
        if os.path.isdir(folder):
            import shutil

            shutil.rmtree(folder)


def use(config_dir: str, name: str) -> None:
    """Set the current context in ``config.json``. Everything else in that file is kept."""

    def choose(config: dict[str, Any]) -> None:
        if name == DEFAULT:
            config.pop("currentContext", None)
        else:
            config["currentContext"] = name

    edit_json(os.path.join(config_dir, "config.json"), choose)
