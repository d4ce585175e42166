"""Copy files into and out of containers, by the rules of ``docker cp``.

The result depends on what exists at the destination. A file is copied into an existing folder under its own name;
otherwise it becomes the destination. The same holds for a folder. With ``/.`` at its end, only its contents are copied.
"""

from __future__ import annotations

import os
import posixpath
import stat as modes
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from dockerkit import errors
from dockerkit.errors import InvalidArgument, StreamTruncated, UnreadableFile, UnsafeArchive
from dockerkit.files import archive
from dockerkit.files.modes import from_go
from dockerkit.parsing.responses import parsing_response
from dockerkit.parsing.values import (
    ContainerPath,
    container_path,
    file_content,
    integer,
    local_path,
    owner_ids,
    raise_invalid,
    size,
)

if TYPE_CHECKING:
    from tarfile import TarInfo

    from dockerkit.api.base import Ref
    from dockerkit.api.client import APIClient
    from dockerkit.files.archive import Entry
    from dockerkit.files.extract import OutsideLinks

__all__ = ["FileStat", "Folder", "Owner", "Source"]

Source = str | os.PathLike[str] | Mapping[str, str | bytes]
"""What to copy: a local path, or a dict of file contents by name."""

Owner = tuple[int, int] | Literal["keep"]
"""Owner of copied files: user and group ID, or "keep" for the IDs that the local files have."""

OnBytes = Callable[[int], None] | None
"""Callback with the number of bytes of each block."""

_MOST_LINKS = 16
_SPECIAL = {b"2": modes.S_IFLNK, b"3": modes.S_IFCHR, b"4": modes.S_IFBLK, b"5": modes.S_IFDIR, b"6": modes.S_IFIFO}


@dataclass(frozen=True)
class FileStat:
    """A file or folder in a container.

    Attributes:
        path: absolute path in the container.
        size: size in bytes.
        mode: type and permission bits, as in ``os.stat``.
        mtime: time of the last modification.
        link_target: target of a symbolic link in the container.
        uid, gid: owner, if known: a listing includes it, a stat does not.
    """

    path: str
    size: int
    mode: int
    mtime: datetime
    link_target: str = ""
    uid: int | None = None
    gid: int | None = None

    @property
    def name(self) -> str:
        """Last part of the path."""
        return posixpath.basename(self.path) or "/"

    @property
    def is_dir(self) -> bool:
        """Whether this is a folder."""
        return modes.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        """Whether this is a regular file."""
        return modes.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether this is a symbolic link."""
        return modes.S_ISLNK(self.mode)


@dataclass(frozen=True)
class Folder:
    """A folder in a container, whose files are accessed. Paths are those in the container.

    Attributes:
        api: sends the calls.
        container: the container.
        root: absolute path of the folder, which links may not leave; "" is the container's root.
    """

    api: APIClient
    container: Ref
    root: str = ""

    def locate(self, path: ContainerPath) -> str:
        """Return a caller's path, which starts at the folder, as a path in the container."""
        path = container_path(path)
        if not self.root:
            return path
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise InvalidArgument(f"path: {path!r} has '..' in it")
        return "/".join([self.root, *parts])

    def relative(self, file: FileStat) -> FileStat:
        """Return a file with its path as callers see it."""
        return replace(file, path=file.path.removeprefix(self.root) or "/")

    def stat(self, path: str, *, follow_links: bool = False) -> FileStat:
        """Return the type, size, mode and times of a path."""
        entry = _from_go(path, self.api.stat_archive(self.container, path) or {})
        if follow_links and entry.is_link:
            self._check_inside(path, entry.link_target)
            return self.stat(entry.link_target or path)
        return entry

    def exists(self, path: str) -> bool:
        """Return whether a path exists. The container itself must exist."""
        try:
            self.stat(path)
        except errors.NotFound:
            self.api.inspect_container(self.container)  # a missing one gives the same 404, so tell the two apart
            return False
        return True

    def copy_to(self, source: Source, path: str, *, follow_links: bool, owner: Owner, on_bytes: OnBytes) -> None:
        """Copy into the container; see :meth:`dockerkit.models.containers.files.ContainerFiles.copy_to`."""
        ids = None if owner == "keep" else owner_ids(owner)
        if isinstance(source, Mapping):
            uid, gid = ids or (0, 0)
            entries = archive.files(source, "source", uid=uid, gid=gid, mtime=int(time.time()))
            found = self._existing(path)
            if found is None or not found.is_dir:
                what = "does not exist in the container" if found is None else "is not a folder"
                raise InvalidArgument(f"path: {path!r} {what}; a dict of files is copied into an existing folder")
            folder = found.path
        else:
            here = _Local(source, follow_links)
            folder, name = _destination(here, path, self._existing(path))
            entries = _owned(here.path, name, ids)
        self.api.put_archive(self.container, folder, archive.pack(entries, on_bytes=on_bytes))

    def copy_from(
        self,
        path: str,
        target: str | os.PathLike[str],
        *,
        follow_links: bool,
        outside_links: OutsideLinks,
        keep_owner: bool,
        max_bytes: int | None,
        on_bytes: OnBytes,
    ) -> int:
        """Copy out of the container; see :meth:`dockerkit.models.files.FileCopier.copy_from`."""
        from dockerkit.files.extract import extract

        source, here = path, local_path(target, "target")
        max_bytes = None if max_bytes is None else size(max_bytes, "max_bytes")
        if follow_links or path.endswith("/"):
            entry = self.stat(path)
            if entry.is_link:
                source = entry.link_target
        content_only = posixpath.basename(path) == "."
        stream, info = self.api.get_archive(self.container, source)
        with stream:
            entry = _from_go(source, info or {})
            if path.endswith("/") and not entry.is_dir:
                raise InvalidArgument(f"path: {path!r} is not a folder")
            top = entry.name if source == path else posixpath.basename(path.rstrip("/"))
            folder, name = _local_destination(entry.is_dir, content_only, top, here)
            rename = _renaming(posixpath.basename(posixpath.normpath(source)), name, content_only)
            return extract(
                stream,
                folder,
                rename=rename,
                outside_links=outside_links,
                keep_owner=keep_owner,
                max_bytes=max_bytes,
                on_bytes=on_bytes,
            )

    def read_bytes(self, path: str, max_bytes: int | None) -> bytes:
        """Return the content of one file. Links are followed."""
        from dockerkit.files.extract import members, read_content

        source = path
        max_bytes = None if max_bytes is None else size(max_bytes, "max_bytes")
        for _ in range(_MOST_LINKS):
            stream, info = self.api.get_archive(self.container, source)
            with stream:
                member, content = next(members(stream), (None, None))
                if member is not None and content is not None:
                    return read_content(member, content, max_bytes)
                if member is None or not member.issym():
                    kind = "a directory" if member is not None and member.isdir() else "not a regular file"
                    raise InvalidArgument(f"path: {path!r} is {kind}")
            source = str((info or {}).get("linkTarget") or posixpath.join(posixpath.dirname(source), member.linkname))
            self._check_inside(path, source)
        raise InvalidArgument(f"path: {path!r} has too many levels of symbolic links")

    def write_file(
        self, path: str, content: bytes | str, *, mode: int, owner: tuple[int, int], mtime: float | None
    ) -> None:
        """Write one file. A link is followed; an existing file is replaced."""
        found = self._existing(path)
        if path.endswith("/") or (found is not None and found.is_dir):
            raise InvalidArgument(f"path: {path!r} is a folder; pass the path of a file")
        folder, name = posixpath.split(found.path if found else path)
        data = file_content(content, "content")
        mode = integer(mode, "mode")
        if mtime is not None and (isinstance(mtime, bool) or not isinstance(mtime, (int, float))):
            raise_invalid("mtime", "seconds since 1970", mtime)
        uid, gid = owner_ids(owner)
        when = int(time.time() if mtime is None else mtime)
        entry = archive.Entry(name, modes.S_IFREG | (mode & 0o7777), data, len(data), when, "", uid, gid)
        self.api.put_archive(self.container, folder or "/", b"".join(archive.pack([entry])))

    def list_files(self, path: str, *, recursive: bool) -> list[FileStat]:
        """List a folder, sorted by name. The engine also sends the contents, so a large folder takes time."""
        from dockerkit.files.extract import members

        base = absolute(path)
        if not self.stat(base, follow_links=True).is_dir:
            raise InvalidArgument(f"path: {path!r} is not a folder")
        stream, _ = self.api.get_archive(self.container, base.rstrip("/") + "/.")
        found = []
        with stream:
            for member, _ in members(stream):
                name = member.name.lstrip("/").removeprefix("./")
                if name in ("", ".") or ("/" in name and not recursive):
                    continue
                found.append(_from_member(posixpath.join(base, name), member))
        return sorted(found, key=lambda file: file.path)

    def _existing(self, path: str) -> FileStat | None:
        """Return what exists at a destination, with links followed; None if nothing does."""
        try:
            return self.stat(absolute(path), follow_links=True)
        except errors.NotFound:
            return None

    def _check_inside(self, path: str, target: str) -> None:
        """Reject a link that leaves the folder."""
        if not f"{absolute(target)}/".startswith(f"{self.root}/"):
            raise InvalidArgument(f"path: {path!r} is a link that points outside {self.root!r}, to {target!r}")


class _Local:
    """A local path to copy."""

    def __init__(self, source: str | os.PathLike[str], follow_links: bool) -> None:
        path = local_path(source, "source")
        self.content_only = os.path.basename(path) == "."
        wants_folder = path.endswith(os.sep)
        self.path = os.path.abspath(path)
        self.name = os.path.basename(self.path)
        if follow_links or wants_folder or self.content_only:
            self.path = os.path.realpath(self.path)
        try:
            self.is_dir = modes.S_ISDIR(os.lstat(self.path).st_mode)
        except OSError as error:
            raise UnreadableFile.of(error, self.path) from error
        if (wants_folder or self.content_only) and not self.is_dir:
            raise InvalidArgument(f"source: {path!r} is not a folder")


def _destination(here: _Local, path: str, found: FileStat | None) -> tuple[str, str]:
    """Return the folder in the container to unpack in, and the name in it ("" for only the contents)."""
    if found is not None and found.is_dir:
        return found.path, "" if here.content_only else here.name
    if found is not None:
        if here.is_dir:
            raise InvalidArgument(f"path: {path!r} is a file in the container; a folder can't replace it")
        if path.endswith(("/", "/.")):
            raise InvalidArgument(f"path: {path!r} is not a folder in the container")
        return posixpath.dirname(found.path) or "/", posixpath.basename(found.path)
    if path.endswith(("/", "/.")) and not here.is_dir:
        raise InvalidArgument(f"path: no such folder in the container: {path!r}")
    cleaned = absolute(path)
    return posixpath.dirname(cleaned), posixpath.basename(cleaned)


def _local_destination(is_dir: bool, content_only: bool, top: str, target: str) -> tuple[str, str]:
    """Return the local folder to write to, and the name in it ("" for only the contents)."""
    if os.path.isdir(target):
        return target, "" if content_only or top in ("/", ".", "") else top
    if os.path.lexists(target) and is_dir:
        raise InvalidArgument(f"target: {target!r} is a file; a folder can't replace it")
    if not is_dir and target.endswith(os.sep):
        raise InvalidArgument(f"target: no such folder: {target!r}")
    folder, name = os.path.split(os.path.abspath(target))
    if not os.path.isdir(folder):
        raise InvalidArgument(f"target: no such folder: {folder!r}")
    return folder, name


def _renaming(top: str, name: str, content_only: bool) -> Callable[[str], str]:
    """Return a function that renames members: it replaces the first part of each name."""

    def rename(member: str) -> str:
        if content_only or not top:  # "./a", or "/a" if the root itself was requested
            rest = member.removeprefix("./") if content_only else member.removeprefix("/")
            rest = "" if rest == "." else rest
        elif member.rstrip("/") == top:
            rest = ""
        elif member.startswith(top + "/"):
            rest = member[len(top) + 1 :]
        else:
            raise UnsafeArchive(f"member {member!r} is not part of {top!r}")
        return f"{name}/{rest}" if name and rest else name or rest

    return rename


def _owned(path: str, name: str, ids: tuple[int, int] | None) -> Iterator[Entry]:
    if ids is not None:
        return archive.walk(path, name, uid=ids[0], gid=ids[1])

    def renamed() -> Iterator[Entry]:
        for entry in archive.walk(path, name):
            inside = entry.name[len(name) :].lstrip("/")
            info = os.lstat(os.path.join(path, inside) if inside else path)
            yield entry._replace(uid=info.st_uid, gid=info.st_gid)

    return renamed()


def absolute(path: str) -> str:
    """Return a path of a container as an absolute path without redundant parts."""
    cleaned = posixpath.normpath(posixpath.join("/", path))
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _from_go(path: str, info: Mapping[str, Any]) -> FileStat:
    if "mode" not in info:
        raise StreamTruncated(f"the engine did not report the type of {path!r}")
    with parsing_response("X-Docker-Container-Path-Stat"):
        mode = from_go(int(info["mode"]))
        when = datetime.fromisoformat(info["mtime"])
        where = posixpath.normpath(posixpath.join("/", path))
        size, target = int(info.get("size") or 0), str(info.get("linkTarget") or "")
        return FileStat(where, size, mode, when, target)


def _from_member(path: str, member: TarInfo) -> FileStat:
    kind = _SPECIAL.get(member.type, modes.S_IFREG)
    when = datetime.fromtimestamp(member.mtime, UTC)
    link = member.linkname if member.issym() else ""
    return FileStat(path, member.size, kind | member.mode & 0o7777, when, link, member.uid, member.gid)
