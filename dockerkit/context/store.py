"""The docker command's store of contexts, as files.

::

    CONFIG/config.json                                  "currentContext": the one in use
    CONFIG/contexts/meta/<sha256 of the name>/meta.json name, description, endpoints
    CONFIG/contexts/tls/<sha256>/docker/*.pem           ca.pem, cert.pem, key.pem
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from dockerkit import errors
from dockerkit.localfiles import edit_json, read_json, replacing

DEFAULT = "default"
METAFILE = "meta.json"
CA, CERT, KEY = "ca.pem", "cert.pem", "key.pem"


def context_id(name: str) -> str:
    """The name of a context's folders: the SHA-256 of its name."""
    import hashlib  # here, and the like below: every client reads this module, few have contexts

    return hashlib.sha256(name.encode()).hexdigest()


def contexts_dir(config_dir: str) -> str:
    """The store below the docker command's folder."""
    return os.path.join(config_dir, "contexts")


def meta_dir(config_dir: str, name: str | None = None) -> str:
    """The folder of a context's description; of all of them with None."""
    folder = os.path.join(contexts_dir(config_dir), "meta")
    return folder if name is None else os.path.join(folder, context_id(name))


def tls_dir(config_dir: str, name: str | None = None) -> str:
    """The folder of a context's certificates; of all of them with None."""
    folder = os.path.join(contexts_dir(config_dir), "tls")
    return folder if name is None else os.path.join(folder, context_id(name))


def names(config_dir: str) -> list[str]:
    """Names of the stored contexts, sorted; the built-in ``default`` is not among them."""
    found = []
    folder = meta_dir(config_dir)
    for entry in os.listdir(folder) if os.path.isdir(folder) else ():
        path = os.path.join(folder, entry, METAFILE)
        if os.path.isfile(path):
            found.append(str(_load(path)["Name"]))
    return sorted(found)


def read(config_dir: str, name: str) -> dict[str, Any]:
    """What ``meta.json`` says of a context.

    Raises:
        ContextNotFound: there is none of that name; the message lists those there are.
        InvalidConfigFile: the file is damaged.
    """
    path = os.path.join(meta_dir(config_dir, name), METAFILE)
    if not os.path.isfile(path):
        known = ", ".join([DEFAULT, *names(config_dir)])
        raise errors.ContextNotFound(name, f"looked in {meta_dir(config_dir)}; known: {known}")
    return _load(path)


def tls_files(config_dir: str, name: str, endpoint: str = "docker") -> dict[str, str]:
    """Paths of the TLS files of a context's endpoint, by file name (``ca.pem``, ``cert.pem``, ``key.pem``)."""
    folder = os.path.join(tls_dir(config_dir, name), endpoint)
    if not os.path.isdir(folder):
        return {}
    return {entry: os.path.join(folder, entry) for entry in sorted(os.listdir(folder))}


def _load(path: str) -> dict[str, Any]:
    meta = read_json(path)
    if not isinstance(meta.get("Name"), str) or not isinstance(meta.get("Endpoints"), dict):
        raise errors.InvalidConfigFile(f"{path} is no docker context: it lacks Name or Endpoints")
    return meta


def current_name(config_dir: str, config: Mapping[str, Any]) -> str:
    """The context that ``docker context use`` chose; ``default`` when none."""
    name = config.get("currentContext") or DEFAULT
    if not isinstance(name, str):
        raise errors.InvalidConfigFile(f"{os.path.join(config_dir, 'config.json')}: currentContext is no text")
    return name


def check_name(name: str) -> None:
    """Refuse a name that the docker command would not take for a context.

    Raises:
        MissingContextParameter: it is empty.
        ContextException: it is ``default``.
        InvalidArgument: it is too short, or holds other than letters, digits and ``_.+-``.
    """
    if not name:
        raise errors.MissingContextParameter("name")
    if name == DEFAULT:
        raise errors.ContextException(f"{DEFAULT!r} is the built-in context: choose another name")
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]+", name):
        raise errors.InvalidArgument(
            f"name: {name!r} is no name for a context: letters, digits and '_.+-', two or more, first a letter or digit"
        )


def write(config_dir: str, meta: Mapping[str, Any], tls: Mapping[str, Mapping[str, str]]) -> None:
    """Store a context; one of the same name is replaced.

    Args:
        config_dir: the docker command's folder; made when missing.
        meta: what ``meta.json`` shall say.
        tls: for each endpoint, paths of the files to copy, by the name they shall have (``ca.pem``...).
    """
    name = meta["Name"]
    for endpoint, files in tls.items():
        folder = os.path.join(tls_dir(config_dir, name), endpoint)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for file_name, source in files.items():
            with open(source, "rb") as file, replacing(os.path.join(folder, file_name), 0o600) as copy:
                copy.write(file.read())
    os.makedirs(meta_dir(config_dir, name), exist_ok=True)
    with replacing(os.path.join(meta_dir(config_dir, name), METAFILE), 0o644) as file:
        file.write(json.dumps(meta, separators=(",", ":")).encode())


def remove(config_dir: str, name: str) -> None:
    """Delete a context and its TLS files, and leave it if it is the one in use."""
    config_path = os.path.join(config_dir, "config.json")
    if os.path.isfile(config_path) and read_json(config_path).get("currentContext") == name:
        use(config_dir, DEFAULT)
    for folder in (meta_dir(config_dir, name), tls_dir(config_dir, name)):
        if os.path.isdir(folder):
            import shutil

            shutil.rmtree(folder)


def use(config_dir: str, name: str) -> None:
    """Make a context the one in use, in ``config.json``; all else in that file stays as it is."""

    def choose(config: dict[str, Any]) -> None:
        if name == DEFAULT:
            config.pop("currentContext", None)
        else:
            config["currentContext"] = name

    edit_json(os.path.join(config_dir, "config.json"), choose)
