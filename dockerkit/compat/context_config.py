"""The store of docker contexts, under docker-py's names."""

from __future__ import annotations

import os

from dockerkit.cliconfig import configfile, context_store
from dockerkit.compat.constants import DEFAULT_UNIX_SOCKET, IS_WINDOWS_PLATFORM
from dockerkit.endpoint import discovery
from dockerkit.endpoint.address import parse_host

__all__ = [
    "DEFAULT_UNIX_SOCKET", "IS_WINDOWS_PLATFORM", "METAFILE", "get_context_dir", "get_context_host", "get_context_id",
    "get_current_context_name", "get_meta_dir", "get_meta_file", "get_tls_dir", "write_context_name_to_docker_config",
]  # fmt: skip

METAFILE = context_store.METAFILE


def get_current_context_name() -> str:
    """Return the context set by ``docker context use``."""
    return context_store.current_name(configfile.config_dir(), configfile.config_file())


def write_context_name_to_docker_config(name: str | None = None) -> Exception | None:
    """Set the current context; return an error instead of raising it, as docker-py does."""
    try:
        context_store.use(configfile.config_dir(), name or context_store.DEFAULT)
    except Exception as error:
        return error
    return None


def get_context_id(name: str) -> str:
    """Return the name of a context's folders in the store."""
    return context_store.context_id(name)


def get_context_dir() -> str:
    """Return the folder of the store."""
    return context_store.contexts_dir(configfile.config_dir())


def get_meta_dir(name: str | None = None) -> str:
    """Return the folder of a context's metadata, or of all with None."""
    return context_store.meta_dir(configfile.config_dir(), name or None)


def get_meta_file(name: str) -> str:
    """Return the file of a context's metadata."""
    return os.path.join(get_meta_dir(name), METAFILE)


def get_tls_dir(name: str | None = None, endpoint: str = "") -> str:
    """Return the folder of a context's certificates, or of one endpoint's."""
    folder = context_store.tls_dir(configfile.config_dir(), name or None)
    return os.path.join(folder, endpoint) if name and endpoint else folder


def get_context_host(path: str | None = None, tls: bool = False) -> str:
    """Return a normalized address; the default socket for None."""
    return parse_host(path, parameter="path", tls=tls)[0] if path else discovery.DEFAULT_SOCKET
