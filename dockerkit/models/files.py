"""Files of containers, running or not, and of images."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dockerkit.models import copying
from dockerkit.models.copying import FileStat, Owner, Source
from dockerkit.models.resource import Model
from dockerkit.progress import following

if TYPE_CHECKING:
    from dockerkit.extract import OutsideLinks
    from dockerkit.progress import ProgressSpec

__all__ = ["ContainerFiles", "FileStat", "ImageFiles"]


class ContainerFiles(Model):
    """The part of a container that deals with its files. It need not run."""

    def copy_to(
        self,
        source: Source,
        path: str,
        *,
        follow_links: bool = False,
        owner: Owner = (0, 0),
        progress: ProgressSpec = None,
    ) -> None:
        """Copy files into the container, as ``docker cp`` does. ``PUT /containers/{id}/archive``

        Args:
            source: a file or folder on this machine; a folder with ``/.`` at its end means its content. Or a dict of
                contents (text or bytes) by name.
            path: where to in the container. A folder that exists takes the source under its own name; else the source
                becomes this path, whose folder must exist.
            follow_links: copy what a symbolic link points to, not the link.
            owner: user and group id of what arrives; "keep" for the ids that it has here.
            progress: show it: True, "plain", a function.

        Raises:
            InvalidArgument: source and destination don't go together, such as a folder onto a file.
            UnreadableFile: a file can't be read; it is named.
            NotFound: the destination's folder does not exist.

        Example::

            container.copy_to("site/.", "/var/www")
            container.copy_to({"app.conf": "debug = true"}, "/etc/app")
        """
        with _shown(progress, f"Copying to {path}") as on_bytes:
            copying.copy_to(
                self.client.api, self._ref, source, path, follow_links=follow_links, owner=owner, on_bytes=on_bytes
            )

    def copy_from(
        self,
        path: str,
        target: str | os.PathLike[str],
        *,
        follow_links: bool = False,
        outside_links: OutsideLinks = "refuse",
        keep_owner: bool = False,
        max_bytes: int | None = None,
        progress: ProgressSpec = None,
    ) -> int:
        """Copy files out of the container, as ``docker cp`` does. ``GET /containers/{id}/archive``

        The archive is taken as a stranger's: nothing is written outside of `target`.

        Args:
            path: a file or folder in the container; a folder with ``/.`` at its end means its content.
            target: where to on this machine. A folder that exists takes the source under its own name; else the source
                becomes this path, whose folder must exist.
            follow_links: copy what `path` points to where it is a symbolic link.
            outside_links: what to do with links that lead out of what is copied: "refuse" the copy, "skip" them, or
                "keep" them. They are never followed.
            keep_owner: give files the owners that they have in the container (only the superuser may).
            max_bytes: refuse more than this much content.
            progress: show it: True, "plain", a function.

        Returns:
            How many bytes of content were written.

        Raises:
            NotFound: there is no such path.
            UnsafeArchive: a member would leave the target, is a device, or `max_bytes` is exceeded.
            InvalidArgument: source and target don't go together.
        """
        with _shown(progress, f"Copying from {path}") as on_bytes:
            return copying.copy_from(
                self.client.api, self._ref, path, target, follow_links=follow_links, outside_links=outside_links,
                keep_owner=keep_owner, max_bytes=max_bytes, on_bytes=on_bytes,
            )  # fmt: skip

    def read_bytes(self, path: str, *, max_bytes: int | None = None) -> bytes:
        """The content of one file. ``GET /containers/{id}/archive``

        Args:
            path: of the file; links are followed.
            max_bytes: refuse a larger one.

        Raises:
            NotFound: there is no such file.
            InvalidArgument: it is no regular file.
            UnsafeArchive: it is larger than `max_bytes`.
        """
        return copying.read_bytes(self.client.api, self._ref, path, max_bytes=max_bytes)

    def read_text(
        self, path: str, encoding: str = "utf-8", errors: str = "strict", *, max_bytes: int | None = None
    ) -> str:
        """The content of one file as text. ``GET /containers/{id}/archive``

        Args:
            path, max_bytes: as for :meth:`read_bytes`.
            encoding, errors: how it is decoded.
        """
        return self.read_bytes(path, max_bytes=max_bytes).decode(encoding, errors)

    def write_file(
        self,
        path: str,
        content: bytes | str,
        *,
        mode: int = 0o644,
        owner: tuple[int, int] = (0, 0),
        mtime: float | None = None,
    ) -> None:
        """Write one file. ``PUT /containers/{id}/archive``

        Args:
            path: of the file, in a folder that exists; a file that is there is replaced, a link followed.
            content: bytes, or text (as UTF-8).
            mode: permission bits.
            owner: user and group id.
            mtime: time of change in seconds since 1970; now by default.

        Raises:
            NotFound: its folder does not exist.
            InvalidArgument: the path is a folder.
        """
        copying.write_file(self.client.api, self._ref, path, content, mode=mode, owner=owner, mtime=mtime)

    def stat(self, path: str, *, follow_links: bool = False) -> FileStat:
        """What a path is: type, size, mode, times. ``HEAD /containers/{id}/archive``

        Args:
            path: in the container.
            follow_links: tell what a link points to, not the link.

        Raises:
            NotFound: there is no such path.
        """
        return copying.stat(self.client.api, self._ref, path, follow_links=follow_links)

    def list_files(self, path: str = "/", *, recursive: bool = False) -> list[FileStat]:
        """What is in a folder, sorted by path. ``GET /containers/{id}/archive``

        The engine has no call for that alone: it sends all contents, of which the names are kept.

        Args:
            path: of the folder.
            recursive: also what is in its folders.

        Raises:
            NotFound: there is no such folder.
            InvalidArgument: it is no folder.
        """
        return copying.list_files(self.client.api, self._ref, path, recursive=recursive)

    @property
    def _ref(self) -> dict[str, object]:
        return {"Id": self.id}


class ImageFiles(Model):
    """The part of an image that deals with its files: read through a container that never runs."""

    def copy_from(
        self,
        path: str,
        target: str | os.PathLike[str],
        *,
        follow_links: bool = False,
        outside_links: OutsideLinks = "refuse",
        keep_owner: bool = False,
        max_bytes: int | None = None,
        progress: ProgressSpec = None,
    ) -> int:
        """Copy files out of the image, as ``docker cp`` does. ``POST /containers/create``, ``GET /containers/{id}/archive``

        Args:
            path, target, follow_links, outside_links, keep_owner, max_bytes, progress: as for a container's ``copy_from``.

        Returns:
            How many bytes of content were written.

        Raises:
            NotFound: there is no such path.
            UnsafeArchive: a member would leave the target, is a device, or `max_bytes` is exceeded.
        """
        with self._container() as container, _shown(progress, f"Copying from {path}") as on_bytes:
            return copying.copy_from(
                self.client.api, container, path, target, follow_links=follow_links, outside_links=outside_links,
                keep_owner=keep_owner, max_bytes=max_bytes, on_bytes=on_bytes,
            )  # fmt: skip

    def read_bytes(self, path: str, *, max_bytes: int | None = None) -> bytes:
        """The content of one file of the image. ``POST /containers/create``, ``GET /containers/{id}/archive``

        Args:
            path: of the file; links are followed.
            max_bytes: refuse a larger one.
        """
        with self._container() as container:
            return copying.read_bytes(self.client.api, container, path, max_bytes=max_bytes)

    def read_text(
        self, path: str, encoding: str = "utf-8", errors: str = "strict", *, max_bytes: int | None = None
    ) -> str:
        """The content of one file of the image as text. ``POST /containers/create``, ``GET /containers/{id}/archive``

        Args:
            path, max_bytes: as for :meth:`read_bytes`.
            encoding, errors: how it is decoded.
        """
        return self.read_bytes(path, max_bytes=max_bytes).decode(encoding, errors)

    def list_files(self, path: str = "/", *, recursive: bool = False) -> list[FileStat]:
        """What is in a folder of the image. ``POST /containers/create``, ``GET /containers/{id}/archive``

        Args:
            path: of the folder.
            recursive: also what is in its folders.
        """
        with self._container() as container:
            return copying.list_files(self.client.api, container, path, recursive=recursive)

    @contextlib.contextmanager
    def _container(self) -> Iterator[str]:
        """A container of the image that is made to be looked into, and removed at the end."""
        api = self.client.api
        # Images without a command can't be made into containers without one; it never runs.
        made = api.create_container(self.id or "", ["/nothing"], network_disabled=True)["Id"]
        try:
            yield made
        finally:
            api.remove_container(made, v=True, force=True)


@contextlib.contextmanager
def _shown(progress: ProgressSpec, title: str) -> Iterator[Callable[[int], None] | None]:
    """What counts bytes for a display; None where none is wanted."""
    if not progress:
        yield None
        return
    with following(progress, title) as state:
        done = 0

        def count(length: int) -> None:
            nonlocal done
            done += length
            state.amount(title, done)

        yield count
