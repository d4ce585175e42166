"""docker-py's ``docker.client`` in the drop-in profile, for ``import docker``."""

from __future__ import annotations

from typing import Any, Final

from dockerkit import client as native
from dockerkit.compat.api_client import APIClient as APIClient
from dockerkit.compat.constants import DEFAULT_MAX_POOL_SIZE as DEFAULT_MAX_POOL_SIZE
from dockerkit.compat.constants import DEFAULT_TIMEOUT_SECONDS as DEFAULT_TIMEOUT_SECONDS
from dockerkit.compat.utils import kwargs_from_env as kwargs_from_env

__all__ = ["APIClient", "DockerClient", "from_context", "from_env"]


class DockerClient(native.DockerClient):
    """A client with docker-py's behavior; see :mod:`dockerkit.compat.profile`."""

    api: APIClient  # pyright: ignore[reportIncompatibleVariableOverride]

    @staticmethod
    def _create_api(*args: Any, **options: Any) -> APIClient:
        return APIClient(*args, **options)


from_env: Final = DockerClient.from_env
from_context: Final = DockerClient.from_context
