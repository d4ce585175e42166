"""dockerkit: containers, images, networks and everything else of a Docker Engine, from Python.

::

    import dockerkit

    with dockerkit.from_env() as client:
        print(client.containers.run("busybox", ["echo", "hello"]).decode())

The names below are loaded when first used, so that importing dockerkit costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for typing's, which costs more to import than this whole module
if TYPE_CHECKING:
    from dockerkit import api as api
    from dockerkit import auth as auth
    from dockerkit import client as client
    from dockerkit import config as config
    from dockerkit import constants as constants
    from dockerkit import context as context
    from dockerkit import credentials as credentials
    from dockerkit import errors as errors
    from dockerkit import hooks as hooks
    from dockerkit import models as models
    from dockerkit import progress as progress
    from dockerkit import testing as testing
    from dockerkit import tls as tls
    from dockerkit import transport as transport
    from dockerkit import types as types
    from dockerkit import utils as utils
    from dockerkit import version as version
    from dockerkit.api.client import APIClient as APIClient
    from dockerkit.client import DockerClient as DockerClient
    from dockerkit.client import from_context as from_context
    from dockerkit.client import from_env as from_env
    from dockerkit.config import Endpoint as Endpoint
    from dockerkit.context import Context as Context
    from dockerkit.context import ContextAPI as ContextAPI
    from dockerkit.drop_in import install_as_docker as install_as_docker
    from dockerkit.tls import TLSConfig as TLSConfig

__version__ = "0.1.0"

_HOMES = {
    "APIClient": "dockerkit.api.client",
    "Context": "dockerkit.context",
    "ContextAPI": "dockerkit.context",
    "DockerClient": "dockerkit.client",
    "Endpoint": "dockerkit.config",
    "TLSConfig": "dockerkit.tls",
    "from_context": "dockerkit.client",
    "from_env": "dockerkit.client",
    "install_as_docker": "dockerkit.drop_in",
}

# Code in the wild does `import docker` and then says `docker.errors.NotFound`: these load when named.
_SUBMODULES = frozenset(
    {
        "api",
        "auth",
        "client",
        "config",
        "constants",
        "context",
        "credentials",
        "errors",
        "hooks",
        "models",
        "progress",
        "testing",
        "tls",
        "transport",
        "types",
        "utils",
        "version",
    }
)

__all__ = [
    "APIClient",
    "Context",
    "ContextAPI",
    "DockerClient",
    "Endpoint",
    "TLSConfig",
    "__version__",
    "from_context",
    "from_env",
    "install_as_docker",
]


def __getattr__(name: str) -> object:
    import importlib

    if name in _HOMES:
        value: object = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_SUBMODULES})
