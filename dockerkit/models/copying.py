"""Copying files into and out of containers, by the rules of ``docker cp``.

What exists at the destination decides: a file goes into a folder under its own name, or becomes the destination; a
folder goes into a folder that exists, or becomes it; with ``/.`` at its end only its content goes.
"""

from __future__ import annotations

import os
import posixpath
import stat as modes
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Literal

from dockerkit import archive, errors
from dockerkit.errors import InvalidArgument, StreamTruncated, UnreadableFile, UnsafeArchive
from dockerkit.extract import OutsideLinks, extract, members

if TYPE_CHECKING:
    from tarfile import TarInfo

    from dockerkit.api.base import Ref
    from dockerkit.api.client import APIClient
    from dockerkit.archive import Entry

__all__ = ["FileStat", "Owner", "Source", "copy_from", "copy_to", "list_files", "read_bytes", "stat", "write_file"]

Source = str | os.PathLike[str] | Mapping[str, str | bytes]
"""What is copied in: a path on this machine, or a dict of contents by name."""

Owner = tuple[int, int] | Literal["keep"]
"""Who owns what is copied in: user and group id, or "keep" for the ids that the files have here."""

# How Go writes the type and special bits of a file's mode.
_GO_TYPES = {
    1 << 31: modes.S_IFDIR,
    1 << 27: modes.S_IFLNK,
    1 << 25: modes.S_IFIFO,
    1 << 24: modes.S_IFSOCK,
    1 << 26: modes.S_IFBLK,
}
_GO_CHARACTER = 1 << 21
_GO_BITS = {1 << 23: modes.S_ISUID, 1 << 22: modes.S_ISGID, 1 << 20: modes.S_ISVTX}
_MOST_LINKS = 16


@dataclass(frozen=True)
class FileStat:
    """A file or folder in a container.

    Attributes:
        path: where it is.
        size: in bytes.
        mode: type and permission bits, as ``os.stat`` gives them.
        mtime: when its content changed last.
        link_target: of a symbolic link: where it leads to, in the container.
        uid, gid: its owner, where known: a listing tells, a stat does not.
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
        """The last part of the path."""
        return posixpath.basename(self.path) or "/"

    @property
    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return modes.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return modes.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return modes.S_ISLNK(self.mode)


def stat(api: APIClient, container: Ref, path: str, *, follow_links: bool = False) -> FileStat:
    """What a path in a container is.

    Raises:
        NotFound: there is no such path, or container.
    """
    facts = _facts(api, container, path)
    if follow_links and facts.is_link:
        return _facts(api, container, facts.link_target or path)
    return facts


def copy_to(
    api: APIClient,
    container: Ref,
    source: Source,
    path: str,
    *,
    follow_links: bool = False,
    owner: Owner = (0, 0),
    on_bytes: Callable[[int], None] | None = None,
) -> None:
    """Copy into a container; see :meth:`dockerkit.models.files.ContainerFiles.copy_to`."""
    ids = None if owner == "keep" else _ids(owner)
    found = _existing(api, container, path)
    if isinstance(source, Mapping):
        if found is None or not found.is_dir:
            raise InvalidArgument(f"path: {path!r} is no folder in the container; files given as a dict go into one")
        uid, gid = ids or (0, 0)
        entries = archive.files(source, uid=uid, gid=gid, mtime=int(time.time()))
        api.put_archive(container, found.path, archive.pack(entries, on_bytes=on_bytes))
        return
    here = _Local(source, follow_links)
    folder, name = _destination(here, path, found)
    entries = _owned(here.path, name, ids)
    api.put_archive(container, folder, archive.pack(entries, on_bytes=on_bytes))


def copy_from(
    api: APIClient,
    container: Ref,
    path: str,
    target: str | os.PathLike[str],
    *,
    follow_links: bool = False,
    outside_links: OutsideLinks = "refuse",
    keep_owner: bool = False,
    max_bytes: int | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> int:
    """Copy out of a container; see :meth:`dockerkit.models.files.ContainerFiles.copy_from`."""
    asked = path
    if follow_links or path.endswith("/"):
        facts = _facts(api, container, path)
        if facts.is_link:
            asked = facts.link_target
    content_only = posixpath.basename(path) == "."
    stream, info = api.get_archive(container, asked)
    with stream:
        facts = _from_go(asked, info or {})
        if path.endswith("/") and not facts.is_dir:
            raise InvalidArgument(f"path: {path!r} is no folder")
        here = os.fspath(target)
        top = facts.name if asked == path else posixpath.basename(path.rstrip("/"))
        folder, name = _local_destination(facts.is_dir, content_only, top, here)
        rename = _renaming(posixpath.basename(posixpath.normpath(asked)), name, content_only)
        return extract(
            stream, folder, rename=rename, outside_links=outside_links, keep_owner=keep_owner, max_bytes=max_bytes,
            on_bytes=on_bytes,
        )  # fmt: skip


def read_bytes(api: APIClient, container: Ref, path: str, *, max_bytes: int | None = None) -> bytes:
    """The content of one file; links are followed.

    Raises:
        NotFound: there is no such file, or container.
        InvalidArgument: it is no regular file.
        UnsafeArchive: it has more than `max_bytes`.
    """
    asked = path
    for _ in range(_MOST_LINKS):
        stream, info = api.get_archive(container, asked)
        with stream:
            member, content = next(members(stream), (None, None))
            if member is not None and content is not None:
                return _content(member, content, max_bytes)
            if member is None or not member.issym():
                raise InvalidArgument(f"path: {path!r} is no regular file")
        asked = (info or {}).get("linkTarget") or posixpath.join(posixpath.dirname(asked), member.linkname)
    raise InvalidArgument(f"path: {path!r} leads from link to link")


def write_file(
    api: APIClient,
    container: Ref,
    path: str,
    content: bytes | str,
    *,
    mode: int = 0o644,
    owner: tuple[int, int] = (0, 0),
    mtime: float | None = None,
) -> None:
    """Write one file; a link is followed, a file replaced.

    Raises:
        NotFound: its folder does not exist, or there is no such container.
        InvalidArgument: the path is a folder.
    """
    found = _existing(api, container, path)
    if path.endswith("/") or (found is not None and found.is_dir):
        raise InvalidArgument(f"path: {path!r} is a folder; the path of a file is needed")
    folder, name = posixpath.split(found.path if found else path)
    data = content.encode() if isinstance(content, str) else bytes(content)
    uid, gid = _ids(owner)
    when = int(time.time() if mtime is None else mtime)
    entry = archive.Entry(name, modes.S_IFREG | (mode & 0o7777), data, len(data), when, "", uid, gid)
    api.put_archive(container, folder or "/", b"".join(archive.pack([entry])))


def list_files(api: APIClient, container: Ref, path: str, *, recursive: bool = False) -> list[FileStat]:
    """What is in a folder, by name. The engine sends contents too, so a large folder takes its time.

    Raises:
        NotFound: there is no such folder, or container.
        InvalidArgument: it is no folder.
    """
    base = _absolute(path)
    if not stat(api, container, base, follow_links=True).is_dir:
        raise InvalidArgument(f"path: {path!r} is no folder")
    stream, _ = api.get_archive(container, base.rstrip("/") + "/.")
    found = []
    with stream:
        for member, _ in members(stream):
            name = member.name.lstrip("/").removeprefix("./")
            if name in ("", ".") or ("/" in name and not recursive):
                continue
            found.append(_from_member(posixpath.join(base, name), member))
    return sorted(found, key=lambda file: file.path)


class _Local:
    """A path on this machine that is to be copied."""

    def __init__(self, source: str | os.PathLike[str], follow_links: bool) -> None:
        given = os.fspath(source)
        self.content_only = os.path.basename(given) == "."
        wants_folder = given.endswith(os.sep)
        self.path = os.path.abspath(given)
        self.name = os.path.basename(self.path)
        if follow_links or wants_folder or self.content_only:
            self.path = os.path.realpath(self.path)
        try:
            self.is_dir = modes.S_ISDIR(os.lstat(self.path).st_mode)
        except OSError as error:
            raise UnreadableFile.of(error, self.path) from error
        if (wants_folder or self.content_only) and not self.is_dir:
            raise InvalidArgument(f"source: {given!r} is no folder")


def _destination(here: _Local, path: str, found: FileStat | None) -> tuple[str, str]:
    """The folder in the container that the archive is unpacked in, and the name in it ("": only the content)."""
    if found is not None and found.is_dir:
        return found.path, "" if here.content_only else here.name
    if found is not None:
        if here.is_dir:
            raise InvalidArgument(f"path: {path!r} is a file in the container; a folder can't become one")
        if path.endswith(("/", "/.")):
            raise InvalidArgument(f"path: {path!r} is no folder in the container")
        return posixpath.dirname(found.path) or "/", posixpath.basename(found.path)
    if path.endswith(("/", "/.")) and not here.is_dir:
        raise InvalidArgument(f"path: there is no folder {path!r} in the container")
    cleaned = _absolute(path)
    return posixpath.dirname(cleaned), posixpath.basename(cleaned)


def _local_destination(is_dir: bool, content_only: bool, top: str, target: str) -> tuple[str, str]:
    """The same the other way: a folder on this machine, and the name in it."""
    if os.path.isdir(target):
        return target, "" if content_only or top in ("/", ".", "") else top
    if os.path.lexists(target) and is_dir:
        raise InvalidArgument(f"target: {target!r} is a file; a folder can't become one")
    if not is_dir and target.endswith(os.sep):
        raise InvalidArgument(f"target: there is no folder {target!r}")
    folder, name = os.path.split(os.path.abspath(target))
    if not os.path.isdir(folder):
        raise InvalidArgument(f"target: there is no folder {folder!r}")
    return folder, name


def _renaming(top: str, name: str, content_only: bool) -> Callable[[str], str]:
    """How members get their new names: the first part of each is replaced."""

    def rename(member: str) -> str:
        if content_only or not top:  # "./a", or "/a" where the root itself was asked for
            rest = member.removeprefix("./") if content_only else member.removeprefix("/")
            rest = "" if rest == "." else rest
        elif member.rstrip("/") == top:
            rest = ""
        elif member.startswith(top + "/"):
            rest = member[len(top) + 1 :]
        else:
            raise UnsafeArchive(f"member {member!r} does not belong to {top!r}")
        return f"{name}/{rest}" if name and rest else name or rest

    return rename


def _owned(path: str, name: str, ids: tuple[int, int] | None) -> Iterator[Entry]:
    if ids is not None:
        return archive.walk(path, name, uid=ids[0], gid=ids[1])

    def kept() -> Iterator[Entry]:
        for entry in archive.walk(path, name):
            inside = entry.name[len(name) :].lstrip("/")
            info = os.lstat(os.path.join(path, inside) if inside else path)
            yield entry._replace(uid=info.st_uid, gid=info.st_gid)

    return kept()


def _ids(owner: object) -> tuple[int, int]:
    if isinstance(owner, tuple) and len(owner) == 2 and all(type(number) is int and number >= 0 for number in owner):
        return owner
    raise InvalidArgument(f"owner: numbers of user and group, such as (1000, 1000), are needed, not {owner!r}")


def _existing(api: APIClient, container: Ref, path: str) -> FileStat | None:
    """What is at a destination, behind a link; None where nothing is."""
    try:
        return stat(api, container, _absolute(path), follow_links=True)
    except errors.NotFound:
        return None


def _absolute(path: str) -> str:
    cleaned = posixpath.normpath(posixpath.join("/", path))
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _facts(api: APIClient, container: Ref, path: str) -> FileStat:
    return _from_go(path, api.stat_archive(container, path) or {})


def _from_go(path: str, info: Mapping[str, Any]) -> FileStat:
    if "mode" not in info:
        raise StreamTruncated(f"the engine did not say what {path!r} is")
    bits = int(info["mode"])
    kind = next((kind for bit, kind in _GO_TYPES.items() if bits & bit), modes.S_IFREG)
    if kind == modes.S_IFBLK and bits & _GO_CHARACTER:
        kind = modes.S_IFCHR
    special = sum(mode for bit, mode in _GO_BITS.items() if bits & bit)
    when = datetime.fromisoformat(info["mtime"])
    where = posixpath.normpath(posixpath.join("/", path))
    return FileStat(
        where, int(info.get("size") or 0), kind | special | bits & 0o777, when, info.get("linkTarget") or ""
    )


def _from_member(path: str, member: TarInfo) -> FileStat:
    from datetime import UTC

    kind = (
        modes.S_IFDIR if member.isdir() else modes.S_IFLNK if member.issym() else modes.S_IFIFO if member.isfifo()
        else modes.S_IFCHR if member.ischr() else modes.S_IFBLK if member.isblk() else modes.S_IFREG
    )  # fmt: skip
    when = datetime.fromtimestamp(member.mtime, UTC)
    link = member.linkname if member.issym() else ""
    return FileStat(path, member.size, kind | member.mode & 0o7777, when, link, member.uid, member.gid)


def _content(member: TarInfo, content: IO[bytes], max_bytes: int | None) -> bytes:
    if max_bytes is not None and member.size > max_bytes:
        raise UnsafeArchive(f"{member.name!r} has {member.size} bytes, more than {max_bytes}")
    data = content.read()
    if len(data) != member.size:
        raise StreamTruncated(f"the archive ends in the middle of {member.name!r}")
    return data
