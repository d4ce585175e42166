"""Writing an archive into a folder, without leaving it.

An archive from a container is input from a stranger. Nothing here follows a link: a member whose folder is a link is
refused, and so are absolute names, ``..``, links that point outside, and devices.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Literal, Protocol, cast, runtime_checkable

from dockerkit.errors import InvalidArgument, StreamTruncated, UnsafeArchive

__all__ = ["OutsideLinks", "extract", "members"]

OutsideLinks = Literal["refuse", "skip", "keep"]
_COPY = 1024 * 1024


@runtime_checkable
class Readable(Protocol):
    """What an archive is read from: a file, or a stream of an engine."""

    def read(self, n: int = -1, /) -> bytes: ...


class _Pieces:
    """An iterable of bytes as something to read from."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""

    def read(self, n: int = -1, /) -> bytes:
        parts, length = [self._held], len(self._held)
        while n < 0 or length < n:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece)
            length += len(piece)
        data = b"".join(parts)
        taken = len(data) if n < 0 else n
        self._held = data[taken:]
        return data[:taken]


def members(archive: Readable | Iterable[bytes]) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """The members of an archive as they come, each with its content where it is a regular file.

    The content must be read before the next member is asked for. Nothing is kept of members that went by.

    Raises:
        StreamTruncated: the archive ends in the middle.
        UnsafeArchive: this is no tar archive.
    """
    source = archive if isinstance(archive, Readable) else _Pieces(archive)
    with _tar_errors(), tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|", bufsize=_COPY) as tar:
        for member in tar:
            tar.members = []  # type: ignore[attr-defined]  # it would remember all of them
            yield member, tar.extractfile(member) if member.isreg() else None


@contextlib.contextmanager
def _tar_errors() -> Iterator[None]:
    try:
        yield
    except tarfile.ReadError as error:
        if "unexpected end" in str(error) or "empty" in str(error):
            raise StreamTruncated("the archive ends in the middle of a member") from error
        raise UnsafeArchive(f"this is no tar archive: {error}") from error
    except tarfile.TarError as error:
        raise UnsafeArchive(f"this archive can't be read: {error}") from error


def extract(
    archive: Readable | Iterable[bytes],
    folder: str | os.PathLike[str],
    *,
    rename: Callable[[str], str] | None = None,
    outside_links: OutsideLinks = "refuse",
    keep_owner: bool = False,
    max_bytes: int | None = None,
    max_members: int | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> int:
    """Write an archive's files into a folder, as they come.

    Permission bits and times are taken over; set-user-id and the like are not. Files that are in the way are
    replaced, folders are merged.

    Args:
        archive: a tar archive, not compressed: something to read from, or an iterable of pieces.
        folder: where to; it must exist.
        rename: given a member's name, returns its name below `folder`, which is then checked; an empty one is the
            folder itself.
        outside_links: what to do with a symbolic link whose target lies outside: refuse the archive, leave the link out,
            or write it. Links are never followed, whatever this says.
        keep_owner: give files the owner that the archive names (only the superuser may).
        max_bytes: refuse more than this much content, in bytes.
        max_members: refuse more than this many members.
        on_bytes: told the number of content bytes as they are written.

    Returns:
        How many bytes of content were written.

    Raises:
        UnsafeArchive: a member would leave the folder, is a device, or a limit is exceeded. What came before it is there.
        StreamTruncated: the archive ends in the middle.
    """
    root = os.path.realpath(folder)
    if not os.path.isdir(root):
        raise InvalidArgument(f"folder: {os.fspath(folder)!r} is no folder")
    target = _Target(root, outside_links, keep_owner)
    total = 0
    for count, (member, content) in enumerate(members(archive), 1):
        if max_members is not None and count > max_members:
            raise UnsafeArchive(f"the archive has more than {max_members} members")
        total += member.size if content else 0
        if max_bytes is not None and total > max_bytes:
            raise UnsafeArchive(f"the archive holds more than {max_bytes} bytes")
        target.write(member, content, rename, on_bytes)
    target.finish()
    return total


class _Target:
    """The folder written to. Folders known to be real ones are remembered, so each is looked at once."""

    def __init__(self, root: str, outside_links: OutsideLinks, keep_owner: bool) -> None:
        self.root = root
        self.outside_links = outside_links
        self.keep_owner = keep_owner
        self._real = {""}
        self._folders: dict[str, tarfile.TarInfo] = {}

    def write(
        self,
        member: tarfile.TarInfo,
        content: IO[bytes] | None,
        rename: Callable[[str], str] | None,
        on_bytes: Callable[[int], None] | None,
    ) -> None:
        name = _safe(rename(member.name) if rename else member.name, member.name)
        if not name:
            if member.isdir():
                return
            raise UnsafeArchive(f"member {member.name!r} would replace the folder itself")
        self._enter(posixpath.dirname(name), member.name)
        path = self._path(name)
        if member.isdir():
            self._make_folder(name, path)
            self._folders[name] = member  # a folder without write permission could not be filled: see finish()
            return
        if content is not None:
            self._clear(path, name)
            with open(path, "xb") as file:
                while block := _read(content):
                    file.write(block)
                    if on_bytes:
                        on_bytes(len(block))
            if os.path.getsize(path) != member.size:
                raise StreamTruncated(f"the archive ends in the middle of {member.name!r}")
        elif member.issym():
            if self.outside_links != "keep" and not self._may_point(name, member.linkname):
                if self.outside_links == "skip":
                    return
                raise UnsafeArchive(
                    f"member {member.name!r} is a link to {member.linkname!r}, which may lead outside; "
                    "outside_links='skip' leaves such links out, 'keep' writes them"
                )
            self._clear(path, name)
            os.symlink(member.linkname, path)
        elif member.islnk():
            self._link(member, path, name, rename)
            return
        else:
            raise UnsafeArchive(f"member {member.name!r} is a device or pipe")
        self._dress(path, member)

    def finish(self) -> None:
        for name, member in sorted(self._folders.items(), reverse=True):
            self._dress(self._path(name), member)

    def _path(self, name: str) -> str:
        return os.path.join(self.root, *name.split("/"))

    def _enter(self, folder: str, member: str) -> None:
        """Make sure that a folder and those above it are real ones."""
        at = 0
        while folder not in self._real and at != -1:
            at = folder.find("/", at + 1)
            above = folder if at == -1 else folder[:at]
            if above in self._real:
                continue
            path = self._path(above)
            try:
                mode = os.lstat(path).st_mode
            except FileNotFoundError:
                os.mkdir(path)
            else:
                if not stat.S_ISDIR(mode):
                    raise UnsafeArchive(
                        f"member {member!r} would be written through {above!r}, which is no real folder"
                    )
            self._real.add(above)

    def _make_folder(self, name: str, path: str) -> None:
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            os.mkdir(path)
        else:
            if not stat.S_ISDIR(mode):
                raise UnsafeArchive(f"member {name!r} is a folder, and something else is in its place")
        self._real.add(name)

    def _clear(self, path: str, name: str) -> None:
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return
        if stat.S_ISDIR(mode):
            raise UnsafeArchive(f"member {name!r} is no folder, and a folder is in its place")
        os.unlink(path)

    def _may_point(self, name: str, link: str) -> bool:
        """Whether a link stays inside: all its ``..`` are in front, and no more than folders above it.

        Further back, ``..`` could follow another link and count from there.
        """
        parts = [part for part in link.replace("\\", "/").split("/") if part not in ("", ".")]
        if link.startswith(("/", "\\")) or os.path.splitdrive(link)[0]:
            return False
        up = 0
        while up < len(parts) and parts[up] == "..":
            up += 1
        return up <= name.count("/") and ".." not in parts[up:]

    def _link(self, member: tarfile.TarInfo, path: str, name: str, rename: Callable[[str], str] | None) -> None:
        other = _safe(rename(member.linkname) if rename else member.linkname, member.name)
        self._enter(posixpath.dirname(other), member.name)
        source = self._path(other)
        try:
            regular = stat.S_ISREG(os.lstat(source).st_mode)
        except FileNotFoundError:
            regular = False
        if not regular:
            raise UnsafeArchive(
                f"member {member.name!r} is a hard link to {member.linkname!r}, which is no file in the archive"
            )
        if other == name:
            return
        self._clear(path, name)
        try:
            os.link(source, path)
        except OSError:  # no hard links on this file system
            shutil.copy2(source, path)

    def _dress(self, path: str, member: tarfile.TarInfo) -> None:
        if self.keep_owner and hasattr(os, "lchown"):
            os.lchown(path, member.uid, member.gid)
        if member.issym():
            if os.utime in os.supports_follow_symlinks:
                os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)
            return
        os.chmod(path, member.mode & 0o777)
        os.utime(path, (member.mtime, member.mtime))


def _read(content: IO[bytes]) -> bytes:
    with _tar_errors():
        return content.read(_COPY)


def _safe(name: str, member: str) -> str:
    if name.startswith("/") or "\0" in name or os.path.splitdrive(name)[0] or (os.sep != "/" and os.sep in name):
        raise UnsafeArchive(f"member {member!r} has an absolute name")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UnsafeArchive(f"member {member!r} would leave the folder")
    return "/".join(parts)
