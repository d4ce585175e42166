"""Blobs: verified and resumable downloads, uploads, and mounts from another repository."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import IO, TYPE_CHECKING, Self
from urllib.parse import urlencode

from dockerkit.errors import DigestMismatch, ReadTimeout, RegistryError, StreamTruncated
from dockerkit.registry.http import read_blocks
from dockerkit.registry.manifests import digest_of, hasher, sha256
from dockerkit.streams import ByteStream
from dockerkit.transport.upload import blocks_of

if TYPE_CHECKING:
    import requests

    from dockerkit.registry.client import Registry

__all__ = ["BlobStream", "upload_blob"]

_BLOCK = 128 * 1024
_BINARY = {"Content-Type": "application/octet-stream"}


class BlobStream(ByteStream):
    """A streamed blob, verified by its digest at the end. Also a readable file: ``read``, ``readinto``.

    Attributes:
        digest: requested digest.
    """

    def __init__(self, get: Callable[[int], requests.Response], digest: str, what: str, retries: int) -> None:
        self.digest = digest
        super().__init__(_Download(get, digest, what, retries), _BLOCK)

    def __enter__(self) -> Self:
        return self


class _Download:
    """The source of a blob's bytes: a response, and further ones if it is interrupted."""

    def __init__(self, get: Callable[[int], requests.Response], digest: str, what: str, retries: int) -> None:
        self._get = get
        self._digest = digest
        self._what = what
        self._retries = retries
        self._hash = hasher(digest)
        self.closed = False
        self._response = get(0)

    @property
    def headers(self) -> dict[str, str]:
        return {}  # content is passed on as stored, without decoding

    def chunks(self, size: int = _BLOCK) -> Iterator[bytes]:
        offset = 0
        attempts = 0
        while True:
            try:
                for block in read_blocks(self._response, self._what):
                    self._hash.update(block)
                    offset += len(block)
                    yield block
                break
            except (StreamTruncated, ReadTimeout):
                if self.closed:
                    return
                if attempts >= self._retries:
                    raise
                attempts += 1
                self._response = self._get(offset)
        if self.closed:
            return
        actual = digest_of(self._hash)
        if actual != self._digest:
            raise DigestMismatch(f"{self._what}: the registry sent content with digest {actual}")

    def close(self) -> None:
        self.closed = True
        self._response.close()


def upload_blob(
    registry: Registry,
    path: str,
    data: bytes | IO[bytes] | Iterable[bytes],
    *,
    mount_from: str | None = None,
    digest: str | None = None,
) -> tuple[str, int]:
    """Upload a blob, or mount it from another repository of the registry; then the data is not read.

    Return the digest and the number of bytes sent.
    """
    scopes: tuple[str, ...] = (f"repository:{path}:pull,push",)
    query: dict[str, str] = {}
    if mount_from is not None and digest is not None:
        scopes += (f"repository:{mount_from}:pull",)
        query = {"mount": digest, "from": mount_from}
    what = f"{registry.host}/{path}"
    request = partial(registry._request, scopes=scopes, what=what)
    upload_path = f"/v2/{path}/blobs/uploads/" + (f"?{urlencode(query)}" if query else "")
    response = request("POST", upload_path, body=b"", expected=(201, 202))
    response.close()
    if response.status_code == 201:
        return digest or "", 0
    location = response.headers.get("Location")
    if not location:
        raise RegistryError(f"{what}: the registry returned no upload location")
    if isinstance(data, bytes):
        actual, size = digest or sha256(data), len(data)
    else:
        hashed = _HashedBlocks(data, digest)
        response = request("PATCH", location, headers=_BINARY, body=iter(hashed), expected=(202, 204))
        response.close()
        location = response.headers.get("Location") or location
        actual, size = hashed.digest, hashed.size
        data = b""
    if digest is not None and actual != digest:
        raise DigestMismatch(f"{what}: the content has digest {actual}, expected {digest}")
    location += ("&" if "?" in location else "?") + urlencode({"digest": actual})
    response = request("PUT", location, headers=_BINARY, body=data, expected=(201,))
    response.close()
    stored = response.headers.get("Docker-Content-Digest") or actual
    if stored != actual:
        raise DigestMismatch(f"{what}: the registry stored {stored}, expected {actual}")
    return actual, size


class _HashedBlocks:
    """Data in blocks, hashed and counted while it is sent."""

    def __init__(self, data: IO[bytes] | Iterable[bytes], expected: str | None) -> None:
        self._data = data
        self._hash = hasher(expected or "sha256:")
        self.size = 0

    @property
    def digest(self) -> str:
        return digest_of(self._hash)

    def __iter__(self) -> Iterator[bytes]:
        for block in blocks_of(self._data):
            if block:
                self._hash.update(block)
                self.size += len(block)
                yield block
