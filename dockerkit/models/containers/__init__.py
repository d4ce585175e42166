"""Containers: ``client.containers`` and the objects it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerkit._lazy import lazy_names
from dockerkit.api.defaults import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.models.containers.attributes import Address
from dockerkit.models.containers.collection import ContainerCollection
from dockerkit.models.containers.container import Container
from dockerkit.models.containers.output import ExecResult

__all__ = ["DEFAULT_DATA_CHUNK_SIZE", "Address", "Container", "ContainerCollection", "ExecResult"]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__, {"dockerkit.types.create_options": "RUN_CREATE_KWARGS RUN_HOST_CONFIG_KWARGS"}
    )
