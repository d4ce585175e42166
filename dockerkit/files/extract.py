"""Extract an archive safely into a folder.

An archive from a container is untrusted input. Links are never followed: a member whose folder is a link is
rejected, and so are absolute names, ``..``, links that point outside, and devices.
"""

from __future__ import annotations

import contextlib
import io
import os
import posixpath
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Literal, NamedTuple, Protocol, cast, runtime_checkable

from dockerkit.errors import DockerException, InvalidArgument, StreamTruncated, UnsafeArchive

if TYPE_CHECKING:
    from typing import Self

__all__ = ["OutsideLinks", "extract", "members", "read_content"]

OutsideLinks = Literal["refuse", "skip", "keep"]
_COPY_SIZE = 1024 * 1024
# Before a member. Linux has extended attributes of 64 KiB, and names of 4 KiB.
_MAX_HEADER_BYTES = 1024 * 1024
_MAX_GLOBAL_HEADERS = 64
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799  # the years 1 and 9999, which datetime can hold
# Calls relative to an open folder descriptor: the checked folder is the one written to, despite concurrent renames.
_BY_DESCRIPTOR = {os.open, os.mkdir, os.stat, os.unlink, os.symlink, os.link, os.chown} <= os.supports_dir_fd
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


@runtime_checkable
class Readable(Protocol):
    """A source of an archive: a file, or a stream of an engine."""

    def read(self, n: int = -1, /) -> bytes: ...


class _Pieces:
    """Adapts an iterable of bytes to a readable object."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._buffer = b""

    def read(self, n: int = -1, /) -> bytes:
        parts, length = [self._buffer], len(self._buffer)
        while n < 0 or length < n:
            piece = next(self._pieces, None)
            if piece is None:
                break
            if not isinstance(piece, (bytes, bytearray, memoryview)):
                raise InvalidArgument(f"archive: blocks must be bytes, got {type(piece).__name__} {piece!r:.100}")
            parts.append(piece)
            length += len(piece)
        data = b"".join(parts)
        count = len(data) if n < 0 else n
        self._buffer = data[count:]
        return data[:count]


class _Metered:
    """Limits how far a source is read before the next member, which bounds the size of headers."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.remaining = _MAX_HEADER_BYTES

    def read(self, n: int = -1, /) -> bytes:
        if self.remaining < 0:
            raise UnsafeArchive(f"the archive has a header of more than {_MAX_HEADER_BYTES} bytes")
        data = self._source.read(n)
        self.remaining -= len(data)
        return data


class _Member(tarfile.TarInfo):
    """A member that reports a damaged header, which tarfile would treat as the end of the archive."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        try:
            return super().fromtarfile(tar)
        except (tarfile.EmptyHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise StreamTruncated("the archive ends before its end mark") from error
        except tarfile.InvalidHeaderError as error:  # type: ignore[attr-defined]
            if tar.offset == 0:
                raise
            raise UnsafeArchive(f"the archive is damaged at byte {tar.offset}: {error}") from error


def members(archive: Readable | Iterable[bytes]) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Yield the members of an archive as they arrive, each with its content if it is a regular file.

    Read the content before requesting the next member. Previous members are not kept.

    Raises:
        StreamTruncated: the archive ends before its end mark.
        UnsafeArchive: this is not a tar archive, the archive is damaged, or a member's header is larger than 1 MiB.
    """
    if not isinstance(archive, (Readable, Iterable)) or isinstance(archive, (str, bytes, Mapping, io.TextIOBase)):
        raise InvalidArgument(f"archive: must be a binary file or blocks of bytes, got {archive!r:.200}")
    source = _Metered(archive if isinstance(archive, Readable) else _Pieces(archive))
    with (
        _tar_errors(),
        tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|", bufsize=_COPY_SIZE, tarinfo=_Member) as tar,
    ):
        for member in tar:
            tar.members = []  # type: ignore[attr-defined]  # it would remember all of them
            if (
                member.size < 0
                or not _EARLIEST <= member.mtime <= _LATEST
                or len(tar.pax_headers) > _MAX_GLOBAL_HEADERS
            ):
                raise UnsafeArchive(f"member {member.name!r} has an invalid header")
            source.remaining = member.size + _MAX_HEADER_BYTES
            yield member, tar.extractfile(member) if member.isreg() else None
        if tar.fileobj is not None and tar.fileobj.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise UnsafeArchive(f"the archive is damaged at byte {tar.offset}: an empty header")


@contextlib.contextmanager
def _tar_errors() -> Iterator[None]:
    try:
        yield
    except DockerException:
        raise
    except tarfile.ReadError as error:
        if "unexpected end" in str(error) or "empty" in str(error):
            raise StreamTruncated("the archive ends in the middle of a member") from error
        raise UnsafeArchive(f"not a tar archive: {error}") from error
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        raise UnsafeArchive(f"the archive can't be read: {error}") from error


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
    """Extract an archive's files into a folder as they arrive.

    Permission bits and times are kept; set-user-ID and similar bits are not. Existing files are replaced, folders are
    merged.

    Args:
        archive: uncompressed tar archive: a readable object or an iterable of bytes.
        folder: target folder, which must exist.
        rename: function from a member's name to its name below `folder`, which is then checked; an empty name means
            the folder itself.
        outside_links: handling of symbolic links with a target outside the folder: reject the archive, skip the link,
            or write it. Links are never followed in any case.
        keep_owner: set the owner recorded in the archive (requires root).
        max_bytes: maximum size of the content in bytes.
        max_members: maximum number of members.
        on_bytes: callback with the number of content bytes written.

    Returns:
        The number of content bytes written.

    Raises:
        UnsafeArchive: a member would leave the folder or is a device, or a limit is exceeded. Earlier members remain.
        StreamTruncated: the archive ends within a member.
    """
    if not isinstance(folder, (str, bytes, os.PathLike)) or "\0" in os.fsdecode(folder):
        raise InvalidArgument(f"folder: must be the path of a folder, got {folder!r:.200}")
    root = os.path.realpath(folder)
    if not os.path.isdir(root):
        raise InvalidArgument(f"folder: {os.fspath(folder)!r} is not a folder")
    for name, limit in (("max_bytes", max_bytes), ("max_members", max_members)):
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int)):
            raise InvalidArgument(f"{name}: must be a number or None, got {limit!r:.200}")
    total = 0
    with contextlib.closing(_Target(root, outside_links, keep_owner)) as target:
        for count, (member, content) in enumerate(members(archive), 1):
            if max_members is not None and count > max_members:
                raise UnsafeArchive(f"the archive has more than {max_members} members")
            total += member.size if content else 0
            if max_bytes is not None and total > max_bytes:
                raise UnsafeArchive(f"the archive contains more than {max_bytes} bytes")
            target.write(member, content, rename, on_bytes)
        target.finish()
    return total


class _OpenFolder(NamedTuple):
    """A folder being written to, held by a descriptor where supported, so that it can't be swapped."""

    fd: int | None
    path: str

    def name(self, base: str) -> str:
        """Return the name of an entry for calls with ``dir_fd=fd``."""
        return base if self.fd is not None else os.path.join(self.path, base)

    def mode(self, base: str) -> int | None:
        """Return the mode of an entry without following links; None if it does not exist."""
        try:
            return os.stat(self.name(base), dir_fd=self.fd, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return None

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)


class _Target:
    """The target folder. The last member's folder stays open, since the next member is usually in the same one."""

    def __init__(self, root: str, outside_links: OutsideLinks, keep_owner: bool) -> None:
        self.outside_links = outside_links
        self.keep_owner = keep_owner
        self._root = _OpenFolder(os.open(root, _FOLDER) if _BY_DESCRIPTOR else None, root)
        self._folder, self._open = "", self._root
        self._folders: dict[str, tarfile.TarInfo] = {}

    def write(
        self,
        member: tarfile.TarInfo,
        content: IO[bytes] | None,
        rename: Callable[[str], str] | None,
        on_bytes: Callable[[int], None] | None,
    ) -> None:
        name = _checked_name(rename(member.name) if rename else member.name, member.name)
        if not name:
            if member.isdir():
                return
            raise UnsafeArchive(f"member {member.name!r} would replace the folder itself")
        parent, base = self._ensure_directory(posixpath.dirname(name), member.name), posixpath.basename(name)
        if member.isdir():
            self._make_folder(parent, base, name)
            self._folders[name] = member  # a read-only folder could not be filled, so finish() sets the mode
        elif content is not None:
            self._remove_existing(parent, base, name)
            with self._create(parent, base) as file:
                while block := _read(content):
                    file.write(block)
                    if on_bytes:
                        on_bytes(len(block))
                if file.tell() != member.size:
                    raise StreamTruncated(f"the archive ends in the middle of {member.name!r}")
                file.flush()
                self._apply_metadata(file.fileno(), parent.name(base), member)
        elif member.issym():
            if self.outside_links != "keep" and not self._stays_inside(name, member.linkname):
                if self.outside_links == "skip":
                    return
                raise UnsafeArchive(
                    f"member {member.name!r} is a link to {member.linkname!r}, which may point outside the folder; "
                    "pass outside_links='skip' to skip such links, or 'keep' to write them"
                )
            self._remove_existing(parent, base, name)
            os.symlink(member.linkname, parent.name(base), dir_fd=parent.fd)
            if self.keep_owner and hasattr(os, "lchown"):
                os.chown(parent.name(base), member.uid, member.gid, dir_fd=parent.fd, follow_symlinks=False)
            if os.utime in os.supports_follow_symlinks:
                times = (member.mtime, member.mtime)
                os.utime(parent.name(base), times, dir_fd=parent.fd, follow_symlinks=False)
        elif member.islnk():
            self._write_hard_link(member, parent, name, rename)
        else:
            raise UnsafeArchive(f"member {member.name!r} is a device or pipe")

    def finish(self) -> None:
        """Apply metadata to folders, innermost first."""
        for name, member in sorted(self._folders.items(), reverse=True):
            parent, base = self._ensure_directory(posixpath.dirname(name), member.name), posixpath.basename(name)
            flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
            fd = os.open(base, flags, dir_fd=parent.fd) if _BY_DESCRIPTOR else None
            with contextlib.closing(_OpenFolder(fd, parent.name(base))) as folder:
                self._apply_metadata(folder.fd, folder.path, member)

    def close(self) -> None:
        """Close the folders."""
        if self._open is not self._root:
            self._open.close()
        self._root.close()

    def _ensure_directory(self, folder: str, member: str) -> _OpenFolder:
        """Return the folder of a member. It stays open until another one is entered."""
        if folder != self._folder:
            opened = self._walk(folder, member)
            if self._open is not self._root:
                self._open.close()
            self._folder, self._open = folder, opened
        return self._open

    def _walk(self, folder: str, member: str) -> _OpenFolder:
        """Open a folder, creating it and its parents if missing. Links do not count as folders."""
        parent = self._root
        for part in folder.split("/") if folder else ():
            try:
                child = self._open_child(parent, part, member)
            finally:
                if parent is not self._root:
                    parent.close()
            parent = child
        return parent

    def _open_child(self, parent: _OpenFolder, part: str, member: str) -> _OpenFolder:
        mode = parent.mode(part)
        if mode is None:
            os.mkdir(parent.name(part), dir_fd=parent.fd)
        elif not stat.S_ISDIR(mode):
            raise UnsafeArchive(f"member {member!r} would be written through {part!r}, which is not a real folder")
        path = os.path.join(parent.path, part)
        return _OpenFolder(os.open(part, _FOLDER, dir_fd=parent.fd) if _BY_DESCRIPTOR else None, path)

    def _create(self, parent: _OpenFolder, base: str) -> IO[bytes]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        return os.fdopen(os.open(parent.name(base), flags, 0o666, dir_fd=parent.fd), "wb")

    def _make_folder(self, parent: _OpenFolder, base: str, name: str) -> None:
        mode = parent.mode(base)
        if mode is None:
            os.mkdir(parent.name(base), dir_fd=parent.fd)
        elif not stat.S_ISDIR(mode):
            raise UnsafeArchive(f"member {name!r} is a folder, but its path exists and is not a folder")

    def _remove_existing(self, parent: _OpenFolder, base: str, name: str) -> None:
        mode = parent.mode(base)
        if mode is None:
            return
        if stat.S_ISDIR(mode):
            raise UnsafeArchive(f"member {name!r} is not a folder, but its path exists and is a folder")
        os.unlink(parent.name(base), dir_fd=parent.fd)

    def _stays_inside(self, name: str, link: str) -> bool:
        """Return whether a link stays inside: all ``..`` are at the start, and no more than its depth.

        A later ``..`` could follow another link and be resolved from there.
        """
        parts = [part for part in link.replace("\\", "/").split("/") if part not in ("", ".")]
        if link.startswith(("/", "\\")) or os.path.splitdrive(link)[0]:
            return False
        leading = 0
        while leading < len(parts) and parts[leading] == "..":
            leading += 1
        return leading <= name.count("/") and ".." not in parts[leading:]

    def _write_hard_link(
        self, member: tarfile.TarInfo, parent: _OpenFolder, name: str, rename: Callable[[str], str] | None
    ) -> None:
        link_target = _checked_name(rename(member.linkname) if rename else member.linkname, member.name)
        base, source = posixpath.basename(name), posixpath.basename(link_target)
        source_parent = self._walk(posixpath.dirname(link_target), member.name)
        try:
            if not source or not stat.S_ISREG(source_parent.mode(source) or 0):
                raise UnsafeArchive(
                    f"member {member.name!r} is a hard link to {member.linkname!r}, which is not a file in the archive"
                )
            if link_target == name:
                return
            self._remove_existing(parent, base, name)
            try:
                os.link(
                    source_parent.name(source),
                    parent.name(base),
                    src_dir_fd=source_parent.fd,
                    dst_dir_fd=parent.fd,
                    follow_symlinks=False,
                )
            except OSError:  # no hard links on this file system
                flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
                with (
                    os.fdopen(os.open(source_parent.name(source), flags, dir_fd=source_parent.fd), "rb") as original,
                    self._create(parent, base) as copy,
                ):
                    shutil.copyfileobj(original, copy)
                    copy.flush()
                    self._apply_metadata(copy.fileno(), parent.name(base), member)
        finally:
            if source_parent is not self._root:
                source_parent.close()

    def _apply_metadata(self, fd: int | None, path: str, member: tarfile.TarInfo) -> None:
        """Set owner, mode and times of a file or folder, through its descriptor where supported."""
        if self.keep_owner and hasattr(os, "lchown"):
            os.chown(path if fd is None else fd, member.uid, member.gid)
        os.chmod(fd if fd is not None and os.chmod in os.supports_fd else path, member.mode & 0o777)
        os.utime(fd if fd is not None and os.utime in os.supports_fd else path, (member.mtime, member.mtime))


def read_content(member: tarfile.TarInfo, content: IO[bytes], max_bytes: int | None = None) -> bytes:
    """Return the whole content of a member from :func:`members`.

    Raises:
        UnsafeArchive: the content is larger than `max_bytes`.
        StreamTruncated: the archive ends within the content.
    """
    if max_bytes is not None and member.size > max_bytes:
        raise UnsafeArchive(f"{member.name!r} has {member.size} bytes, more than max_bytes={max_bytes}")
    with _tar_errors():
        data = content.read()
    if len(data) != member.size:
        raise StreamTruncated(f"the archive ends in the middle of {member.name!r}")
    return data


def _read(content: IO[bytes]) -> bytes:
    with _tar_errors():
        return content.read(_COPY_SIZE)


def _checked_name(name: str, member: str) -> str:
    if name.startswith("/") or "\0" in name or os.path.splitdrive(name)[0] or (os.sep != "/" and os.sep in name):
        raise UnsafeArchive(f"member {member!r} has an absolute name")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UnsafeArchive(f"member {member!r} would leave the folder")
    return "/".join(parts)
