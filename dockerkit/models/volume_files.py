"""Access to the files of a volume, without a container or image of the user's.

The Engine reads and writes archives only of containers, but also of containers that never ran. So this creates an image
from an empty archive and a container with the volume mounted, and removes both afterwards. Nothing is started.
"""

from __future__ import annotations

import contextlib
import json
import stat as modes
import tarfile
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from dockerkit.errors import InvalidArgument
from dockerkit.errors.base import IgnoreGone
from dockerkit.models.containers.ending import close_in_background
from dockerkit.models.files import FileReader
from dockerkit.models.streaming import when_dropped
from dockerkit.parsing.values import ContainerPath, container_path, file_content, integer, owner_ids
from dockerkit.streams.closable import SelfClosing
from dockerkit.transport.scope import run_outside
from dockerkit.transport.shield import Shielded, shielded

if TYPE_CHECKING:
    from dockerkit.api.base import Data
    from dockerkit.client import DockerClient
    from dockerkit.models.containers.copying import Folder
    from dockerkit.streams import ByteStream

_ROOT = "/volume"
_EMPTY_ARCHIVE = bytes(1024)

Kind = Literal["file", "folder", "link", "other"]


@dataclass(frozen=True, slots=True)
class VolumeEntry:
    """A file or folder in a volume.

    Attributes:
        path: path relative to the volume's root, separated by ``/``.
        kind: ``"file"``, ``"folder"``, ``"link"`` or ``"other"``.
        size: size of a file in bytes.
        mode: permission bits.
        mtime: modification time in seconds since 1970.
        uid, gid: owner.
        link: target of a link.
    """

    path: str
    kind: Kind
    size: int
    mode: int
    mtime: float
    uid: int
    gid: int
    link: str = ""


class VolumeFiles(SelfClosing, FileReader):
    """Access to the files of a volume, created by :meth:`dockerkit.models.volumes.Volume.files`. Close it after use.

    Paths are relative to the volume's root, with or without a leading slash.
    """

    def __init__(self, client: DockerClient, volume: str) -> None:
        self._client = client
        self._container = ""
        helpers = contextlib.ExitStack()
        self._remove_helpers = partial(run_outside, helpers.close)
        self._finalizer = when_dropped(self, partial(close_in_background, self._remove_helpers))
        try:
            image = Shielded(partial(_import_image, client), partial(_remove_image, client))
            helpers.callback(image.undo, quiet=False)
            config = {
                "Image": image.result(),
                "Cmd": ["never started"],
                "Labels": {"dockerkit.helper": "volume"},
                "NetworkDisabled": True,
                "HostConfig": {"Binds": [f"{volume}:{_ROOT}"], "NetworkMode": "none"},
            }
            container = client.api.begin_create_container(config, volumes=False)
            helpers.callback(container.undo, quiet=False)
            self._container = container.result()["Id"]
        except BaseException:
            self.close()
            raise

    def archive(self, path: ContainerPath = "/") -> ByteStream:
        """Return a file or folder as a tar stream.

        Args:
            path: path of the file or folder; with a trailing slash, the contents of the folder, with names relative to
                it.

        Raises:
            NotFound: the path does not exist.
        """
        return self._client.api.get_archive(self._container, self._locate(path))[0]

    def extract(self, data: Data, path: ContainerPath = "/") -> None:
        """Extract a tar archive, and keep owners and times.

        Args:
            data: the archive, plain or compressed, which is streamed: bytes, a binary file, or an iterator of bytes.
            path: path of an existing folder.
        """
        self._client.api.put_archive(self._container, self._locate(path).removesuffix("/."), data)

    def read(self, path: ContainerPath, max_bytes: int | None = None) -> bytes:
        """Return the content of one file; the same as :meth:`read_bytes`."""
        return self.read_bytes(path, max_bytes)

    def write(self, path: ContainerPath, data: bytes | str, *, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
        """Write a file, and create missing folders above it.

        Args:
            path: path of the file.
            data: content; a string is encoded as UTF-8.
            mode: permission bits.
            uid, gid: owner.
        """
        from dockerkit.files.archive import files, pack

        content, mode = {container_path(path): file_content(data, "data")}, integer(mode, "mode") & 0o7777
        uid, gid = integer(uid, "uid"), integer(gid, "gid")
        self.extract(pack(files(content, mode=mode, uid=uid, gid=gid, mtime=int(time.time()))))

    def write_file(
        self, path: ContainerPath, content: bytes | str, *, mode: int = 0o644, owner: tuple[int, int] = (0, 0)
    ) -> None:
        """Write a file, as a container's ``write_file`` does, and create missing folders above it.

        Args:
            path: path of the file.
            content: bytes, or a string (encoded as UTF-8).
            mode: permission bits.
            owner: user and group ID.
        """
        uid, gid = owner_ids(owner)
        self.write(path, file_content(content, "content"), mode=mode, uid=uid, gid=gid)

    def list(self, path: ContainerPath = "/") -> list[VolumeEntry]:
        """List everything below a folder, recursively. The engine also sends the contents, so large volumes take time.

        Args:
            path: path of the folder.
        """
        from dockerkit.files.extract import members

        with self.archive(container_path(path).rstrip("/") + "/") as stream:
            entries = [_entry(member) for member, _ in members(stream)]
        return [entry for entry in entries if entry.path]

    def close(self) -> None:
        """Remove the temporary container and image."""
        shielded(self._remove_helpers)
        self._container = ""
        self._finalizer.detach()

    def _folder(self) -> contextlib.AbstractContextManager[Folder]:
        if not self._container:
            raise InvalidArgument("these files are closed; call volume.files() again")
        from dockerkit.models.containers.copying import Folder

        return contextlib.nullcontext(Folder(self._client.api, self._container, _ROOT))

    def _locate(self, path: ContainerPath) -> str:
        """Return the path in the container; a trailing slash selects the contents of a folder."""
        with self._folder() as folder:
            place = folder.locate(path)
        return f"{place}/." if place == _ROOT or container_path(path).endswith("/") else place


def _import_image(client: DockerClient) -> str:
    records = client.api.import_image_from_data(_EMPTY_ARCHIVE, changes="LABEL dockerkit.helper=volume")
    return str(json.loads(records.rstrip("\n").split("\n")[-1]).get("status"))


def _remove_image(client: DockerClient, image: str) -> None:
    with IgnoreGone():
        client.api.remove_image(image)


def _entry(member: tarfile.TarInfo) -> VolumeEntry:
    path = "/".join(part for part in member.name.split("/") if part not in ("", "."))
    kind: Kind = "other"
    if member.isreg() or member.islnk():
        kind = "file"
    elif member.isdir():
        kind = "folder"
    elif member.issym():
        kind = "link"
    return VolumeEntry(
        path, kind, member.size, modes.S_IMODE(member.mode), member.mtime, member.uid, member.gid, member.linkname
    )
