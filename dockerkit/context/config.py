"""Where contexts are kept: docker-py's names for it."""

from __future__ import annotations

import os

from dockerkit import config
from dockerkit.address import parse_host
from dockerkit.context import store

METAFILE = store.METAFILE
IS_WINDOWS_PLATFORM = os.name == "nt"
DEFAULT_UNIX_SOCKET = "http+unix:///var/run/docker.sock"


def get_current_context_name() -> str:
    """The context chosen with ``docker context use``."""
    return store.current_name(config.config_dir(), config.config_file())


def write_context_name_to_docker_config(name: str | None = None) -> Exception | None:
    """Choose a context; returns what went wrong instead of raising it, as docker-py does."""
    try:
        store.use(config.config_dir(), name or store.DEFAULT)
    except Exception as error:
        return error
    return None


def get_context_id(name: str) -> str:
    """The name of a context's folders in the store."""
    return store.context_id(name)


def get_context_dir() -> str:
    """The store of contexts."""
    return store.contexts_dir(config.config_dir())


def get_meta_dir(name: str | None = None) -> str:
    """The folder of a context's description; of all of them with None."""
    return store.meta_dir(config.config_dir(), name or None)


def get_meta_file(name: str) -> str:
    """The file of a context's description."""
    return os.path.join(get_meta_dir(name), METAFILE)


def get_tls_dir(name: str | None = None, endpoint: str = "") -> str:
    """The folder of a context's certificates, or of one endpoint's."""
    folder = store.tls_dir(config.config_dir(), name or None)
    return os.path.join(folder, endpoint) if name and endpoint else folder


def get_context_host(path: str | None = None, tls: bool = False) -> str:
    """An address in its normal form; the default socket when None."""
    return parse_host(path, parameter="path", tls=tls)[0] if path else config.DEFAULT_SOCKET
