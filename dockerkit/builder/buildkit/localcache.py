"""Build cache in a local folder: a content store that BuildKit reads and writes through the session.

The folder is an OCI image layout, as written by the docker command: ``index.json``, and blobs by digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from dockerkit.builder.buildkit import grpc, messages
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.builder.buildkit.services import unary
from dockerkit.files.atomic import atomic_write

if TYPE_CHECKING:
    from dockerkit.builder.buildkit.call import RpcCall

__all__ = ["LocalCache", "content_handlers"]

_SERVICE = "/containerd.services.content.v1.Content/"
_STORE = "buildkit-attachable-store-id"
_TAG = "org.opencontainers.image.ref.name"
_INDEX = "application/vnd.oci.image.index.v1+json"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_BLOCK = 256 * 1024
_WRITE, _COMMIT = 1, 2


class LocalCache:
    """A build cache in a folder, which is created on the first write, under a name in the folder's index."""

    def __init__(self, folder: str, tag: str = "latest") -> None:
        self.folder = folder
        self.tag = tag

    def digest(self) -> str | None:
        """Return the digest of the cache's manifest; None if the cache does not exist."""
        for entry in self._entries():
            if (entry.get("annotations") or {}).get(_TAG) == self.tag and _DIGEST.fullmatch(str(entry.get("digest"))):
                return str(entry["digest"])
        return None

    def add_manifest(self, descriptor: Mapping[str, Any]) -> None:
        """Add the manifest of a new cache to the index, replacing the one with the same name."""
        entry = {**descriptor, "annotations": {**(descriptor.get("annotations") or {}), _TAG: self.tag}}
        others = [item for item in self._entries() if (item.get("annotations") or {}).get(_TAG) != self.tag]
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [*others, entry]}
        for name, content in (("oci-layout", {"imageLayoutVersion": "1.0.0"}), ("index.json", index)):
            with atomic_write(os.path.join(self.folder, name)) as file:
                file.write(json.dumps(content).encode())

    def path(self, digest: str) -> str:
        """Return the path of content in the folder."""
        if not _DIGEST.fullmatch(digest):
            raise GrpcError(grpc.INVALID_ARGUMENT, f"{digest!r} is not a sha256 digest")
        return os.path.join(self.folder, "blobs", "sha256", digest.partition(":")[2])

    def _entries(self) -> list[dict[str, Any]]:
        try:
            with open(os.path.join(self.folder, "index.json"), encoding="utf-8") as file:
                manifests = json.load(file).get("manifests") or []
        except (OSError, ValueError, AttributeError):
            return []
        return [entry for entry in manifests if isinstance(entry, dict)]


class _Upload:
    """An upload of content into the folder. The file appears only once it is complete."""

    def __init__(self, cache: LocalCache) -> None:
        self._cache = cache
        folder = os.path.join(cache.folder, "ingest")
        os.makedirs(folder, exist_ok=True)
        handle, self._path = tempfile.mkstemp(dir=folder)
        self._file: IO[bytes] = open(handle, "wb")  # noqa: SIM115  closed by close()
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    def write(self, offset: int, data: bytes) -> None:
        if offset != self.size:
            raise GrpcError(grpc.OUT_OF_RANGE, f"offset {offset} does not match the {self.size} bytes received")
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def commit(self, size: int, expected: str) -> None:
        if (size and size != self.size) or (expected and expected != self.digest):
            raise GrpcError(grpc.FAILED_PRECONDITION, f"{self.digest} ({self.size} bytes) is not {expected} ({size})")
        self._file.close()
        target = self._cache.path(self.digest)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(self._path, target)

    def close(self) -> None:
        self._file.close()
        with suppress(FileNotFoundError):
            os.unlink(self._path)


def content_handlers(caches: Mapping[str, LocalCache]) -> dict[str, Any]:
    """Return the methods of containerd's content service, for caches by folder path."""

    def cache_of(call: RpcCall) -> LocalCache:
        name = call.header(_STORE).removeprefix("local:")
        if name not in caches:
            raise GrpcError(grpc.NOT_FOUND, f"this build has no cache in {name!r}")
        return caches[name]

    def info(call: RpcCall) -> None:
        request = messages.parse("ContentInfoRequest", call.receive())
        size = os.path.getsize(_existing(cache_of(call), request.digest))
        content_info = messages.ContentInfo(digest=request.digest, size=size)
        call.send(messages.ContentInfoResponse(info=content_info))

    def update(request: Any) -> Any:  # labels are for containerd's garbage collection; a folder needs none
        return messages.ContentInfoResponse(info=request.info)

    def read(call: RpcCall) -> None:
        request = messages.parse("ReadContentRequest", call.receive())
        with open(_existing(cache_of(call), request.digest), "rb") as file:
            file.seek(request.offset)
            remaining = request.size or os.fstat(file.fileno()).st_size - request.offset
            offset = request.offset
            while remaining > 0 and (data := file.read(min(_BLOCK, remaining))):
                call.send(messages.ReadContentResponse(offset=offset, data=data))
                offset += len(data)
                remaining -= len(data)

    def write(call: RpcCall) -> None:
        cache = cache_of(call)
        upload: _Upload | None = None
        try:
            for request in call.each("WriteContentRequest"):
                if request.expected and os.path.exists(cache.path(request.expected)):
                    raise GrpcError(grpc.ALREADY_EXISTS, f"{request.expected} already exists")
                upload = upload or _Upload(cache)
                if request.action in (_WRITE, _COMMIT) and request.data:
                    upload.write(request.offset, request.data)
                if request.action == _COMMIT:
                    upload.commit(request.total, request.expected)
                state = {"offset": upload.size, "total": request.total, "digest": upload.digest}
                call.send(messages.WriteContentResponse(action=request.action, **state))
        finally:
            if upload is not None:
                upload.close()

    handlers = {"Info": info, "Update": unary("ContentUpdateRequest", update), "Read": read, "Write": write}
    return {f"{_SERVICE}{name}": handler for name, handler in handlers.items()}


def _existing(cache: LocalCache, digest: str) -> str:
    path = cache.path(digest)
    if not os.path.isfile(path):
        raise GrpcError(grpc.NOT_FOUND, f"content {digest} is not in {cache.folder}")
    return path
