"""Files of containers, as tar streams. ``/containers/{id}/archive`` and ``/containers/{id}/export``"""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Mapping
from typing import Any

from dockerkit.api.base import APIBase, Data, Ref
from dockerkit.api.defaults import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import InvalidArgument, StreamParseError
from dockerkit.parsing.values import ContainerPath, container_path
from dockerkit.streams import ByteStream


class ContainerFilesAPI(APIBase):
    """Calls on the files of containers. ``container`` is an ID, a name, a dict with ``Id``, or an object."""

    def export(self, container: Ref, chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE) -> ByteStream:
        """Export the file system of a container as a tar stream. ``GET /containers/{id}/export``

        Args:
            chunk_size: maximum bytes per chunk.
        """
        return self._bytes("GET", "/containers/{id}/export", id=container, chunk_size=chunk_size)

    def get_archive(
        self,
        container: Ref,
        path: ContainerPath,
        chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE,
        encode_stream: bool = False,
    ) -> tuple[ByteStream, dict[str, Any] | None]:
        """Return a file or folder of a container as a tar stream. ``GET /containers/{id}/archive``

        Args:
            path: path of the file or folder.
            chunk_size: maximum bytes per chunk.
            encode_stream: compress the transfer; the returned stream is uncompressed in any case.

        Returns:
            The stream, and the status of the path: ``name``, ``size``, ``mode``, ``mtime``, ``linkTarget``.

        Raises:
            NotFound: the container or path does not exist.
        """
        headers = {"Accept-Encoding": "gzip" if encode_stream else "identity"}
        stream = self._bytes(
            "GET",
            "/containers/{id}/archive",
            id=container,
            query={"path": container_path(path)},
            headers=headers,
            chunk_size=chunk_size,
        )
        try:
            return stream, _path_stat(stream.headers)
        except StreamParseError:
            stream.close()
            raise

    def stat_archive(self, container: Ref, path: ContainerPath) -> dict[str, Any] | None:
        """Return the status of a path in a container, without its content. ``HEAD /containers/{id}/archive``

        Args:
            path: path of the file or folder.

        Returns:
            ``name``, ``size`` (bytes), ``mode`` (Go's bits), ``mtime``, ``linkTarget``.

        Raises:
            NotFound: the container or path does not exist.
        """
        return _path_stat(
            self._headers("HEAD", "/containers/{id}/archive", id=container, query={"path": container_path(path)})
        )

    def put_archive(
        self,
        container: Ref,
        path: ContainerPath,
        data: Data,
        *,
        no_overwrite_dir_non_dir: bool | None = None,
        copy_uid_gid: bool | None = None,
    ) -> bool:
        """Extract a tar archive in a container. ``PUT /containers/{id}/archive``

        Args:
            path: path of an existing folder.
            data: archive, plain or compressed, as bytes, a binary file, or an iterator of blocks. It is streamed.
            no_overwrite_dir_non_dir: refuse to replace a folder with a file, and the reverse.
            copy_uid_gid: make the container's user the owner, instead of the owners in the archive (API 1.30).

        Returns:
            True.
        """
        if data is None:
            raise InvalidArgument("data: must be bytes, a binary file or blocks of bytes, got None")
        query = {
            "path": container_path(path),
            "noOverwriteDirNonDir": no_overwrite_dir_non_dir,
            "copyUIDGID": copy_uid_gid,
        }
        self._no_content("PUT", "/containers/{id}/archive", id=container, query=query, data=data, timeout=None)
        return True

    def copy(self, container: Ref, resource: ContainerPath) -> ByteStream:
        """Return a file or folder as a tar stream; the old name of :meth:`get_archive`. ``GET /containers/{id}/archive``

        Args:
            resource: path of the file or folder.
        """
        warnings.warn("copy() was removed from the Engine: use get_archive()", DeprecationWarning, stacklevel=2)
        return self.get_archive(container, resource)[0]


def _path_stat(headers: Mapping[str, str]) -> dict[str, Any] | None:
    encoded = headers.get("X-Docker-Container-Path-Stat")
    if not encoded:
        return None
    try:
        stat = json.loads(base64.b64decode(encoded))
    except (ValueError, RecursionError):
        stat = None
    if not isinstance(stat, dict):
        raise StreamParseError(f"X-Docker-Container-Path-Stat must be a JSON object in base64, got {encoded[:200]!r}")
    return stat
