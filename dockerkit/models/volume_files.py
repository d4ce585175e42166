"""The files of a volume, without a container of the user's own and without an image from outside.

The Engine reads and writes archives of containers only, but also of those that never ran. So an image is made of an
empty archive, a container of it with the volume mounted, and both are removed afterwards. Nothing is ever started.
"""

from __future__ import annotations

import contextlib
import json
import stat as modes
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dockerkit import errors
from dockerkit.errors import InvalidArgument

if TYPE_CHECKING:
    from dockerkit.api.base import Data
    from dockerkit.client import DockerClient
    from dockerkit.streams import ByteStream

_ROOT = "/volume"
_EMPTY_ARCHIVE = bytes(1024)

Kind = Literal["file", "folder", "link", "other"]


@dataclass(frozen=True, slots=True)
class VolumeEntry:
    """A file or folder in a volume.

    Attributes:
        path: from the volume's root on, ``/`` between the parts, none in front.
        kind: ``"file"``, ``"folder"``, ``"link"`` or ``"other"``.
        size: of a file: bytes.
        mode: its permission bits.
        mtime: when it was last changed: seconds since 1970.
        uid, gid: its owner.
        link: of a link: where it points.
    """

    path: str
    kind: Kind
    size: int
    mode: int
    mtime: float
    uid: int
    gid: int
    link: str = ""


class VolumeFiles:
    """Access to the files of a volume; made by :meth:`dockerkit.models.volumes.Volume.files`, to be closed.

    Paths start at the volume's root, with or without a slash in front.
    """

    def __init__(self, client: DockerClient, volume: str) -> None:
        self._client = client
        self._image = self._container = ""
        try:
            labels = "LABEL dockerkit.helper=volume"
            records = client.api.import_image_from_data(_EMPTY_ARCHIVE, changes=labels)
            self._image = str(json.loads(records.splitlines()[-1]).get("status"))
            made = client.api.create_container_from_config(
                {
                    "Image": self._image,
                    "Cmd": ["never started"],
                    "Labels": {"dockerkit.helper": "volume"},
                    "NetworkDisabled": True,
                    "HostConfig": {"Binds": [f"{volume}:{_ROOT}"], "NetworkMode": "none"},
                }
            )
            self._container = made["Id"]
        except BaseException:
            self.close()
            raise

    def archive(self, path: str = "/") -> ByteStream:
        """A file or folder as a tar stream.

        Args:
            path: of the file or folder; with a slash at its end, what is in the folder, with names from there on.

        Raises:
            NotFound: there is none.
        """
        return self._client.api.get_archive(self._container, self._at(path))[0]

    def extract(self, data: Data, path: str = "/") -> None:
        """Unpack a tar archive; owners and times are kept.

        Args:
            data: the archive, plain or compressed: bytes, a binary file, or an iterator of blocks; streamed.
            path: of a folder that exists.
        """
        self._client.api.put_archive(self._container, self._at(path).removesuffix("/."), data)

    def read(self, path: str, max_bytes: int | None = None) -> bytes:
        """A file's content.

        Args:
            path: of the file; links are followed inside the volume.
            max_bytes: refuse a larger one.

        Raises:
            NotFound: there is no such file.
            InvalidArgument: it is no file, or larger than that.
        """
        from dockerkit.extract import members

        place = self._at(path).removesuffix("/.")
        stream, _ = self._client.api.get_archive(self._container, place)
        with stream:
            for member, content in members(stream):
                if content is None:
                    break
                if max_bytes is not None and member.size > max_bytes:
                    raise InvalidArgument(f"max_bytes: {path!r} has {member.size} bytes, more than {max_bytes}")
                return content.read()
        raise InvalidArgument(f"path: {path!r} is no regular file")

    def read_text(self, path: str, encoding: str = "utf-8", max_bytes: int | None = None) -> str:
        """A file's content as text.

        Args:
            path: of the file.
            encoding: of the text.
            max_bytes: refuse a larger one.
        """
        return self.read(path, max_bytes).decode(encoding)

    def write(self, path: str, data: bytes | str, *, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
        """Write a file; folders above it that there are not are made.

        Args:
            path: of the file.
            data: its content; a text is encoded as UTF-8.
            mode: its permission bits.
            uid, gid: its owner.
        """
        from dockerkit.archive import files, pack

        self.extract(pack(files({path: data}, mode=mode, uid=uid, gid=gid)))

    def list(self, path: str = "/") -> list[VolumeEntry]:
        """Everything below a folder, at any depth. The Engine sends contents too, so this takes time for large volumes.

        Args:
            path: of the folder.
        """
        from dockerkit.extract import members

        with self.archive(path.rstrip("/") + "/") as stream:
            entries = [_entry(member) for member, _ in members(stream)]
        return [entry for entry in entries if entry.path]

    def stat(self, path: str) -> Mapping[str, Any] | None:
        """What a path is, or None where there is nothing. ``HEAD /containers/{id}/archive``

        Args:
            path: of a file or folder.

        Returns:
            ``name``, ``size`` (bytes), ``mode`` (Go's bits), ``mtime``, ``linkTarget``.
        """
        try:
            return self._client.api.stat_archive(self._container, self._at(path).removesuffix("/."))
        except errors.NotFound:
            return None

    def close(self) -> None:
        """Remove what was made to get at the files."""
        with contextlib.suppress(errors.NotFound):
            if self._container:
                self._client.api.remove_container(self._container, force=True)
        with contextlib.suppress(errors.NotFound):
            if self._image:
                self._client.api.remove_image(self._image)
        self._container = self._image = ""

    def _at(self, path: str) -> str:
        """The place of a path in the container: of a folder, of what is in it."""
        if not self._container:
            raise InvalidArgument("these files are closed: ask volume.files() for them again")
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise InvalidArgument(f"path: {path!r} has '..' in it")
        return "/".join([_ROOT, *parts, "."] if path.endswith("/") or not parts else [_ROOT, *parts])

    def __enter__(self) -> VolumeFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
