"""dockerkit: the Docker SDK for Python.

::

    import dockerkit

    with dockerkit.from_env() as client:
        print(client.containers.run("busybox", ["echo", "hello"], remove=True).decode())

Names are loaded on first use, so `import dockerkit` is cheap.
"""

from __future__ import annotations

from dockerkit._lazy import lazy_names

# False without importing typing, which would cost more than this module. Jedi skips what a literal False hides.
TYPE_CHECKING = bool(0)
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
    from dockerkit.compat.drop_in import install_as_docker as install_as_docker
    from dockerkit.endpoint.context import Context as Context
    from dockerkit.endpoint.context_api import ContextAPI as ContextAPI
    from dockerkit.endpoint.discovery import Endpoint as Endpoint
    from dockerkit.endpoint.tls import TLSConfig as TLSConfig
    from dockerkit.files.extract import extract as extract
    from dockerkit.models.containers import Container as Container
    from dockerkit.models.containers.conditions import Exited as Exited
    from dockerkit.models.containers.conditions import File as File
    from dockerkit.models.containers.conditions import Healthy as Healthy
    from dockerkit.models.containers.conditions import Http as Http
    from dockerkit.models.containers.conditions import Log as Log
    from dockerkit.models.containers.conditions import Port as Port
    from dockerkit.models.containers.conditions import Running as Running
    from dockerkit.models.containers.logs import merge_logs as merge_logs
    from dockerkit.models.containers.usage import usage_of as usage_of
    from dockerkit.models.images import Image as Image
    from dockerkit.models.networks import Network as Network
    from dockerkit.models.services import Service as Service
    from dockerkit.models.volumes import Volume as Volume
    from dockerkit.registry.client import Registry as Registry
    from dockerkit.types.healthcheck import Healthcheck as Healthcheck
    from dockerkit.types.mounts import Mount as Mount

__version__ = "0.2.0"


__all__ = [
    "APIClient",
    "Container",
    "Context",
    "ContextAPI",
    "DockerClient",
    "Endpoint",
    "Exited",
    "File",
    "Healthcheck",
    "Healthy",
    "Http",
    "Image",
    "Log",
    "Mount",
    "Network",
    "Port",
    "Registry",
    "Running",
    "Service",
    "TLSConfig",
    "Volume",
    "__version__",
    "extract",
    "from_context",
    "from_env",
    "install_as_docker",
    "merge_logs",
    "usage_of",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "dockerkit.api.client": "APIClient",
            "dockerkit.client": "DockerClient from_context from_env",
            "dockerkit.compat.drop_in": "install_as_docker",
            "dockerkit.endpoint.context": "Context",
            "dockerkit.endpoint.context_api": "ContextAPI",
            "dockerkit.endpoint.discovery": "Endpoint",
            "dockerkit.endpoint.tls": "TLSConfig",
            "dockerkit.files.extract": "extract",
            "dockerkit.registry.client": "Registry",
            "dockerkit.models.containers": "Container",
            "dockerkit.models.containers.conditions": "Exited File Healthy Http Log Port Running",
            "dockerkit.models.containers.logs": "merge_logs",
            "dockerkit.models.containers.usage": "usage_of",
            "dockerkit.models.images": "Image",
            "dockerkit.models.networks": "Network",
            "dockerkit.models.services": "Service",
            "dockerkit.models.volumes": "Volume",
            "dockerkit.types.healthcheck": "Healthcheck",
            "dockerkit.types.mounts": "Mount",
        },
        # Existing code says `import docker` and then `docker.errors.NotFound`.
        submodules="api auth client config constants context credentials errors hooks models progress testing tls transport "
        "types utils version",
    )
