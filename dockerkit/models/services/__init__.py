"""Services of a swarm: ``client.services`` and the objects it returns."""

from __future__ import annotations

from dockerkit.models.services.collection import ServiceCollection
from dockerkit.models.services.service import Service

__all__ = ["Service", "ServiceCollection"]
