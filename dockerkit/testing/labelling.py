"""Add labels to everything that a client creates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import Json
from dockerkit.api.client import APIClient
from dockerkit.models.images import ImageCollection
from dockerkit.parsing import values
from dockerkit.parsing.json_data import ToEngine, to_json_data

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.request import Request
    from dockerkit.builder.buildkit import BuildResult
    from dockerkit.builder.buildkit.options import BuildKitOptions
    from dockerkit.builder.buildkit.remote import BuildKitHost
    from dockerkit.client import DockerClient
    from dockerkit.progress import ProgressSpec
    from dockerkit.transport import HTTPRequest

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
    """Return query and body of a create request, with labels added."""
    if method == "POST" and path in _IN_BODY:
        fields: dict[str, Any] = to_json_data(body or {})
        return query, {**fields, "Labels": {**(fields.get("Labels") or {}), **labels}}
    if method == "POST" and path == "/build":
        labelled_query = dict(query or {})
        labelled_query["labels"] = json.dumps({**json.loads(str(labelled_query.get("labels") or "{}")), **labels})
        return labelled_query, body
    return query, body


class LabellingAPI(APIClient):
    """An APIClient that labels the containers, networks, volumes, images, services, secrets and configs it creates."""

    def __init__(self, base_url: str | None = None, *, labels: Mapping[str, str]) -> None:
        self._labels = dict(labels)
        super().__init__(base_url)

    def _encode(self, request: Request) -> HTTPRequest:
        query, body = with_labels(self._labels, request.method, request.path, request.query, request.body)
        return super()._encode(request._replace(query=query, body=body))


class LabellingImages(ImageCollection):
    """The images of a client, with labels added to BuildKit builds."""

    def __init__(self, client: DockerClient, labels: Mapping[str, str]) -> None:
        super().__init__(client)
        self._labels = dict(labels)

    def buildkit(
        self, *, builder: str | BuildKitHost = "auto", progress: ProgressSpec = None, **options: Unpack[BuildKitOptions]
    ) -> BuildResult:
        """Build as :meth:`ImageCollection.buildkit` does, with labels added."""
        requested = options.get("labels")
        options["labels"] = {**(values.labels(requested) if requested else {}), **self._labels}
        return super().buildkit(builder=builder, progress=progress, **options)
