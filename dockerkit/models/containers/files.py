"""Files of containers, running or not, and of images."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dockerkit.errors import InvalidArgument
from dockerkit.models.files import FileCopier, counting
from dockerkit.models.resource import LazyModel, Model
from dockerkit.parsing.platforms import Platform, platform_text
from dockerkit.parsing.values import ContainerPath, container_path

if TYPE_CHECKING:
    from dockerkit.models.containers.copying import Folder, Owner, Source
    from dockerkit.progress import ProgressSpec

__all__ = ["ContainerFiles", "ImageFiles"]


class ContainerFiles(FileCopier, Model):
    """File operations of a container, running or not."""

    def copy_to(
        self,
        source: Source,
        path: ContainerPath,
        *,
        follow_links: bool = False,
        owner: Owner = (0, 0),
        progress: ProgressSpec = None,
    ) -> None:
        """Copy files into the container, as ``docker cp`` does. ``PUT /containers/{id}/archive``

        Args:
            source: a local file or folder; with ``/.`` at its end, only the contents of the folder. Or a dict of file
                contents (strings or bytes) by name.
            path: destination in the container. The source is copied into an existing folder under its own name;
                otherwise it becomes this path, whose parent must exist.
            follow_links: copy the target of a symbolic link instead of the link.
            owner: user and group ID of the copied files; "keep" for the IDs of the local files.
            progress: progress display: True, "plain" or a function.

        Raises:
            InvalidArgument: source and destination don't match, such as a folder onto a file; or the destination is on
                a tmpfs, which Docker's archive calls can't write to.
            UnreadableFile: a local file can't be read; the message names it.
            NotFound: the parent of the destination does not exist.

        Example::

            container.copy_to("site/.", "/var/www")
            container.copy_to({"app.conf": "debug = true"}, "/etc/app")
        """
        place = container_path(path)
        names = source if isinstance(source, Mapping) else ()
        self._refuse_tmpfs(place, *(posixpath.join(place, name) for name in names if isinstance(name, str)))
        with self._folder() as folder, counting(progress, f"Copying to {path}") as on_bytes:
            folder.copy_to(source, place, follow_links=follow_links, owner=owner, on_bytes=on_bytes)

    def write_file(
        self,
        path: ContainerPath,
        content: bytes | str,
        *,
        mode: int = 0o644,
        owner: tuple[int, int] = (0, 0),
        mtime: float | None = None,
    ) -> None:
        """Write one file. ``PUT /containers/{id}/archive``

        Args:
            path: path of the file, in an existing folder. An existing file is replaced; a link is followed.
            content: bytes, or a string (encoded as UTF-8).
            mode: permission bits.
            owner: user and group ID.
            mtime: modification time in seconds since 1970; default: now.

        Raises:
            NotFound: the folder does not exist.
            InvalidArgument: the path is a folder, or on a tmpfs, which Docker's archive calls can't write to.
        """
        place = container_path(path)
        self._refuse_tmpfs(place)
        with self._folder() as folder:
            folder.write_file(place, content, mode=mode, owner=owner, mtime=mtime)

    def _folder(self) -> contextlib.AbstractContextManager[Folder]:
        from dockerkit.models.containers.copying import Folder

        return contextlib.nullcontext(Folder(self.client.api, self))

    def _refuse_tmpfs(self, *paths: str) -> None:
        """Reject paths on a tmpfs: Docker's archive calls write below the mount, where the container sees nothing."""
        from dockerkit.models.containers.copying import absolute

        mounts: dict[str, str] = dict.fromkeys(("/dev", "/proc", "/sys"), "tmpfs")
        host = self.attrs.get("HostConfig") or {}
        mounts.update(dict.fromkeys(host.get("Tmpfs") or (), "tmpfs"))
        mounts.update({mount["Destination"]: mount["Type"] for mount in self.attrs.get("Mounts") or ()})
        for path in paths:
            place = absolute(path)
            over = [mount for mount in mounts if f"{place}/".startswith(f"{mount.rstrip('/')}/")]
            nearest = max(over, key=len, default="/")
            if mounts.get(nearest) == "tmpfs" and "Libpod-Api-Version" not in self.client.api.ping_headers():
                raise InvalidArgument(
                    f"path: {path!r} is in the container's own {nearest}, which Docker's archive calls can't write to: "
                    "write with exec() in the running container, or mount a volume there"
                )


class ImageFiles(FileCopier, LazyModel):
    """File operations of an image, which read through a container that is never started."""

    _platform: Platform | None = None  # the chosen platform of a multi-platform image

    @contextlib.contextmanager
    def _folder(self) -> Iterator[Folder]:
        from dockerkit.models.containers.copying import Folder

        api = self.client.api
        # An image without a command needs one here; it never runs.
        platform = platform_text(self._platform)
        config = api.create_container_config(self.id or "", ["/nothing"], network_disabled=True)
        creation = api.begin_create_container(config, platform=platform)
        try:
            yield Folder(api, creation.result()["Id"])
        finally:
            creation.undo()
