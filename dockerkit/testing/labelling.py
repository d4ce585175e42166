"""Labels on all that a client creates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import Data, Json
from dockerkit.api.client import APIClient
from dockerkit.api.refs import Ref
from dockerkit.models.images import ImageCollection
from dockerkit.types import parse
from dockerkit.types.wire import ToEngine, wire

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.build.buildkit import BuildResult
    from dockerkit.build.buildkit.options import BuildKitOptions
    from dockerkit.client import DockerClient
    from dockerkit.progress import ProgressSpec

__all__ = ["LabellingAPI", "LabellingImages", "with_labels"]

_IN_BODY = frozenset(
    {"/containers/create", "/networks/create", "/volumes/create", "/services/create", "/secrets/create", "/configs/create"}
)  # fmt: skip


def with_labels(
    labels: Mapping[str, str],
    method: str,
    path: str,
    query: Mapping[str, object] | None,
    body: Json | ToEngine | None,
) -> tuple[Mapping[str, object] | None, Json | ToEngine | None]:
    """The query and body of a request that makes something, with labels on what it makes."""
    if method == "POST" and path in _IN_BODY:
        given: dict[str, Any] = wire(body or {})
        return query, {**given, "Labels": {**(given.get("Labels") or {}), **labels}}
    if method == "POST" and path == "/build":
        asked = dict(query or {})
        asked["labels"] = json.dumps({**json.loads(str(asked.get("labels") or "{}")), **labels})
        return asked, body
    return query, body


class LabellingAPI(APIClient):
    """An APIClient that labels the containers, networks, volumes, images, services, secrets and configs it makes.

    Args:
        base_url: the engine.
        labels: what to put on.
    """

    def __init__(self, base_url: str | None = None, *, labels: Mapping[str, str]) -> None:
        self._labels = dict(labels)
        super().__init__(base_url)

    def _request(
        self,
        method: str,
        path: str,
        ids: Mapping[str, Ref],
        query: Mapping[str, object] | None,
        body: Json | ToEngine | None,
        data: Data | None,
        headers: Mapping[str, str] | None,
        versioned: bool = True,
    ) -> tuple[str, Mapping[str, str], Data | None]:
        query, body = with_labels(self._labels, method, path, query, body)
        return super()._request(method, path, ids, query, body, data, headers, versioned)


class LabellingImages(ImageCollection):
    """A client's images, which labels those that it builds with BuildKit."""

    def __init__(self, client: DockerClient, labels: Mapping[str, str]) -> None:
        super().__init__(client)
        self._labels = dict(labels)

    def buildkit(self, *, progress: ProgressSpec = None, **options: Unpack[BuildKitOptions]) -> BuildResult:
        """As :meth:`ImageCollection.buildkit`, with the labels."""
        given = options.get("labels")
        options["labels"] = {**(parse.labels(given) if given else {}), **self._labels}
        return super().buildkit(progress=progress, **options)
