"""Methods that read files, shared by containers, images and volumes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import IO, TYPE_CHECKING

from dockerkit.files.atomic import atomic_write
from dockerkit.parsing.options import suggest_in_methods
from dockerkit.parsing.values import ContainerPath, check_codec, container_path

if TYPE_CHECKING:
    from dockerkit.files.extract import OutsideLinks
    from dockerkit.models.containers.copying import FileStat, Folder
    from dockerkit.progress import ProgressSpec

__all__ = ["FileCopier", "FileReader", "counting", "write_to"]


@suggest_in_methods
class FileReader:
    """Methods that read files. Images and volumes are read through a temporary container that is never started."""

    def _folder(self) -> AbstractContextManager[Folder]:
        """Return a context manager for the folder to read."""
        raise NotImplementedError

    def read_bytes(self, path: ContainerPath, max_bytes: int | None = None) -> bytes:
        """Return the content of one file. ``GET /containers/{id}/archive``

        Args:
            path: path of the file; links are followed, in a volume only to other files of it.
            max_bytes: maximum size in bytes.

        Raises:
            NotFound: the file does not exist.
            InvalidArgument: the path is not a regular file.
            UnsafeArchive: the file is larger than `max_bytes`.
        """
        path = container_path(path)
        with self._folder() as folder:
            return folder.read_bytes(folder.locate(path), max_bytes)

    def read_text(
        self, path: ContainerPath, encoding: str = "utf-8", errors: str = "strict", *, max_bytes: int | None = None
    ) -> str:
        """Return the content of one file as a string. ``GET /containers/{id}/archive``

        Args:
            path, max_bytes: as for :meth:`read_bytes`.
            encoding, errors: as for :meth:`bytes.decode`.
        """
        check_codec(encoding, errors)
        return self.read_bytes(path, max_bytes=max_bytes).decode(encoding, errors)

    def stat(self, path: ContainerPath, *, follow_links: bool = False) -> FileStat:
        """Return the type, size, mode and times of a path. ``HEAD /containers/{id}/archive``

        Args:
            path: path of a file or folder.
            follow_links: return the target of a link instead of the link.

        Raises:
            NotFound: the path does not exist.
        """
        path = container_path(path)
        with self._folder() as folder:
            return folder.relative(folder.stat(folder.locate(path), follow_links=follow_links))

    def exists(self, path: ContainerPath) -> bool:
        """Return whether a path exists. ``HEAD /containers/{id}/archive``

        Args:
            path: path of a file or folder.
        """
        path = container_path(path)
        with self._folder() as folder:
            return folder.exists(folder.locate(path))

    def list_files(self, path: ContainerPath = "/", *, recursive: bool = False) -> list[FileStat]:
        """List the files in a folder, sorted by path. ``GET /containers/{id}/archive``

        The engine has no call for this: it sends all contents, of which only the names are kept.

        Args:
            path: path of the folder.
            recursive: include its subfolders.

        Raises:
            NotFound: the folder does not exist.
            InvalidArgument: the path is not a folder.
        """
        path = container_path(path)
        with self._folder() as folder:
            return [folder.relative(file) for file in folder.list_files(folder.locate(path), recursive=recursive)]


@suggest_in_methods
class FileCopier(FileReader):
    """Also copies out of a container or an image."""

    def copy_from(
        self,
        path: ContainerPath,
        target: str | os.PathLike[str],
        *,
        follow_links: bool = False,
        outside_links: OutsideLinks = "refuse",
        keep_owner: bool = False,
        max_bytes: int | None = None,
        progress: ProgressSpec = None,
    ) -> int:
        """Copy files out, as ``docker cp`` does. ``GET /containers/{id}/archive``

        The archive is treated as untrusted: nothing is written outside of `target`.

        Args:
            path: file or folder in the container or image; with ``/.`` at its end, only the contents of the folder.
            target: local destination. The source is copied into an existing folder under its own name; otherwise it
                becomes this path, whose parent must exist.
            follow_links: copy the target of `path` if it is a symbolic link.
            outside_links: handling of links that point outside the copied folder: "refuse" the copy, "skip" them, or
                "keep" them. They are never followed.
            keep_owner: set the owners that the files have in the container (requires root).
            max_bytes: maximum size of the contents in bytes.
            progress: progress display: True, "plain" or a function.

        Returns:
            The number of content bytes written.

        Raises:
            NotFound: the path does not exist.
            UnsafeArchive: a member would leave the target or is a device, or `max_bytes` is exceeded.
            InvalidArgument: source and target don't match.
        """
        path = container_path(path)
        with self._folder() as folder, counting(progress, f"Copying from {path}") as on_bytes:
            return folder.copy_from(
                path, target, follow_links=follow_links, outside_links=outside_links, keep_owner=keep_owner,
                max_bytes=max_bytes, on_bytes=on_bytes,
            )  # fmt: skip


def write_to(target: str | IO[bytes], chunks: Iterable[bytes]) -> int:
    """Write chunks to a path, atomically, or to a binary file, and return the number of bytes."""
    if not isinstance(target, str):
        return sum(target.write(chunk) for chunk in chunks)
    with atomic_write(target) as file:
        return sum(file.write(chunk) for chunk in chunks)


@contextlib.contextmanager
def counting(progress: ProgressSpec, title: str) -> Iterator[Callable[[int], None] | None]:
    """Return a callback that counts bytes for a progress display; None without one."""
    if not progress:
        yield None
        return
    from dockerkit.progress import track_operation

    with track_operation(progress, title) as state:
        done = 0

        def count(length: int) -> None:
            nonlocal done
            done += length
            state.amount(title, done)

        yield count
