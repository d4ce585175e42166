"""Files of containers, as tar streams. ``/containers/{id}/archive`` and ``/containers/{id}/export``"""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Mapping
from typing import Any

from dockerkit.api.base import Base, Data, Ref
from dockerkit.constants import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import InvalidArgument, StreamParseError
from dockerkit.streams import ByteStream


class ContainerFilesAPI(Base):
    """The calls that move containers' files."""

    def export(self, container: Ref, chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE) -> ByteStream:
        """A container's files as a tar stream. ``GET /containers/{id}/export``

        Args:
            container: id, name, dict with ``Id``, or object.
            chunk_size: bytes that one chunk has at most.
        """
        return self._bytes("GET", "/containers/{id}/export", id=container, chunk_size=chunk_size)

    def get_archive(
        self,
        container: Ref,
        path: str,
        chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE,
        encode_stream: bool = False,
    ) -> tuple[ByteStream, dict[str, Any] | None]:
        """A file or folder of a container as a tar stream. ``GET /containers/{id}/archive``

        Args:
            container: id, name, dict with ``Id``, or object.
            path: of the file or folder.
            chunk_size: bytes that one chunk has at most.
            encode_stream: let the engine compress on the way; what comes out is plain all the same.

        Returns:
            The stream, and what the path is: ``name``, ``size``, ``mode``, ``mtime``, ``linkTarget``.

        Raises:
            NotFound: there is no such container or path.
        """
        headers = {"Accept-Encoding": "gzip" if encode_stream else "identity"}
        stream = self._bytes(
            "GET",
            "/containers/{id}/archive",
            id=container,
            query={"path": _path(path)},
            headers=headers,
            chunk_size=chunk_size,
        )
        try:
            return stream, _path_stat(stream.headers)
        except StreamParseError:
            stream.close()
            raise

    def stat_archive(self, container: Ref, path: str) -> dict[str, Any] | None:
        """What a path in a container is, without its content. ``HEAD /containers/{id}/archive``

        Args:
            container: id, name, dict with ``Id``, or object.
            path: of the file or folder.

        Returns:
            ``name``, ``size`` (bytes), ``mode`` (Go's bits), ``mtime``, ``linkTarget``.

        Raises:
            NotFound: there is no such container or path.
        """
        return _path_stat(self._headers("HEAD", "/containers/{id}/archive", id=container, query={"path": _path(path)}))

    def put_archive(
        self,
        container: Ref,
        path: str,
        data: Data,
        *,
        no_overwrite_dir_non_dir: bool | None = None,
        copy_uid_gid: bool | None = None,
    ) -> bool:
        """Unpack a tar archive in a container. ``PUT /containers/{id}/archive``

        Args:
            container: id, name, dict with ``Id``, or object.
            path: of a folder that exists.
            data: the archive, plain or compressed: bytes, a binary file, or an iterator of blocks; streamed.
            no_overwrite_dir_non_dir: refuse to put a file in a folder's place, and the reverse.
            copy_uid_gid: give what is unpacked to the container's user, not to the owners in the archive (API 1.30).

        Returns:
            True.
        """
        if data is None:
            raise InvalidArgument("data: bytes, a binary file or blocks of bytes are needed, not None")
        query = {
            "path": _path(path),
            "noOverwriteDirNonDir": no_overwrite_dir_non_dir,
            "copyUIDGID": copy_uid_gid,
        }
        self._none("PUT", "/containers/{id}/archive", id=container, query=query, data=data, timeout=None)
        return True

    def copy(self, container: Ref, resource: str) -> ByteStream:
        """The old name of :meth:`get_archive`: a file or folder as a tar stream. ``GET /containers/{id}/archive``

        Args:
            container: id, name, dict with ``Id``, or object.
            resource: path of the file or folder.
        """
        warnings.warn("copy() has gone from the Engine: use get_archive()", DeprecationWarning, stacklevel=2)
        return self.get_archive(container, resource)[0]


def _path(path: object) -> str:
    if not isinstance(path, str) or not path or "\0" in path:
        raise InvalidArgument(f"path: the path of a file or folder is needed, not {path!r}")
    return path


def _path_stat(headers: Mapping[str, str]) -> dict[str, Any] | None:
    encoded = headers.get("X-Docker-Container-Path-Stat")
    if not encoded:
        return None
    try:
        stat: dict[str, Any] = json.loads(base64.b64decode(encoded))
    except ValueError as error:
        raise StreamParseError(
            f"the engine's description of what is in the archive can't be read: {encoded!r}"
        ) from error
    return stat
