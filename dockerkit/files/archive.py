"""Create tar archives as a stream.

`pack` converts entries to the bytes of an archive and holds only one block of it in memory; the same entries yield
the same bytes. `extract` writes an archive into a folder and rejects whatever would be written outside it.
Archives use the GNU format, which all engine versions read, and which has no limit on names and sizes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from dockerkit.errors import InvalidArgument, UnreadableFile
from dockerkit.files.reading import file_blocks

__all__ = ["Entry", "entry_of", "pack", "walk"]

_T = TypeVar("_T")

CAPABILITY = "security.capability"
_BLOCK = 512
_END = bytes(2 * _BLOCK)
_FIRST_PIECE = 8 * 1024  # small, so that the receiver can start immediately
PIECE = 256 * 1024
_READ = 1024 * 1024
_SMALL = 64 * 1024
_READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_list_xattrs = getattr(os, "listxattr", None)  # Linux only
_MAGIC = b"ustar  \0"
_TAIL = bytes(_BLOCK - 148 - 8 - 1 - 100 - len(_MAGIC))
_OCTAL_END = 8**11
_CHECKSUM_OF_CONSTANTS = 8 * 0x20 + sum(_MAGIC)
_KINDS = {
    stat.S_IFREG: b"0",
    stat.S_IFLNK: b"2",
    stat.S_IFCHR: b"3",
    stat.S_IFBLK: b"4",
    stat.S_IFDIR: b"5",
    stat.S_IFIFO: b"6",
}


class Entry(NamedTuple):
    """One member of an archive to create.

    Attributes:
        name: path in the archive, separated by ``/``, without a leading one.
        mode: type and permission bits, as in ``os.stat``.
        source: path on disk or content of a regular file.
        size: size of a file on disk in bytes.
        mtime: modification time in seconds since 1970.
        link: target of a symbolic link.
        uid, gid: numeric owner; names would differ between machines.
        device: device number.
        inode: device and inode of a file with several names. Further names become hard links to the first
            one packed.
        capability: ``security.capability`` of a program, which ``docker cp`` and ``docker build`` also keep.
    """

    name: str
    mode: int
    source: str | bytes = b""
    size: int = 0
    mtime: int = 0
    link: str = ""
    uid: int = 0
    gid: int = 0
    device: int = 0
    inode: tuple[int, int] | None = None
    capability: bytes = b""


def entry_of(path: str, name: str, info: os.stat_result, *, uid: int = 0, gid: int = 0) -> Entry:
    """Return the entry for a path on disk, owned by `uid` and `gid` in the archive."""
    mode = info.st_mode
    if stat.S_ISREG(mode):
        inode = inode_of(info) if info.st_nlink > 1 else None
        return Entry(name, mode, path, info.st_size, int(info.st_mtime), "", uid, gid, 0, inode, _capability(path))
    link = _os_call(os.readlink, path) if stat.S_ISLNK(mode) else ""
    device = info.st_rdev if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else 0
    return Entry(name, mode, b"", 0, int(info.st_mtime), link, uid, gid, device)


def _capability(path: str) -> bytes:
    """Return a program's capabilities; empty if it has none, as nearly all files."""
    if _list_xattrs is None:
        return b""
    try:
        return os.getxattr(path, CAPABILITY) if CAPABILITY in _list_xattrs(path) else b""
    except OSError:  # unsupported by the file system; an unreadable file is reported when it is read
        return b""


def read_xattrs(path: str) -> dict[str, bytes]:
    """Return the extended attributes to transfer with a file: capabilities and user attributes (``user.*``)."""
    if not hasattr(os, "listxattr"):
        return {}
    try:
        names = os.listxattr(path, follow_symlinks=False)
        return {
            name: os.getxattr(path, name, follow_symlinks=False)
            for name in names
            if name == CAPABILITY or name.startswith("user.")
        }
    except OSError:  # unsupported by the file system; an unreadable file is reported when it is read
        return {}


def inode_of(info: os.stat_result) -> tuple[int, int] | None:
    """Return the key shared by all hard links to a file; None if there is only one."""
    return (info.st_dev, info.st_ino) if info.st_nlink > 1 else None


def walk(path: str, name: str, *, uid: int = 0, gid: int = 0) -> Iterator[Entry]:
    """Yield the entries of a file or folder and all its contents, in a fixed order. Sockets are skipped.

    Args:
        path: file or folder to walk. Symbolic links are not followed.
        name: name in the archive; empty for only the contents of a folder.
        uid, gid: owner of everything in the archive.
    """
    stack = [(path, name)]
    while stack:
        path, name = stack.pop()
        info = _os_call(os.lstat, path)
        if stat.S_ISSOCK(info.st_mode):
            continue
        if name:
            yield entry_of(path, name, info, uid=uid, gid=gid)
        if stat.S_ISDIR(info.st_mode):
            children = sorted(_os_call(os.listdir, path), reverse=True)
            stack += [(os.path.join(path, child), f"{name}/{child}" if name else child) for child in children]


def pack(entries: Iterable[Entry], *, on_bytes: Callable[[int], None] | None = None) -> Iterator[bytes]:
    """Yield the bytes of an archive with these entries, which are consumed lazily.

    `on_bytes` is called with the length of each block, for progress displays.

    Raises:
        UnreadableFile: a file can't be read, or shrank while being read; the message names it.
    """
    parts: list[bytes] = []
    buffered, limit = 0, _FIRST_PIECE
    report = on_bytes or (lambda _: None)
    names: dict[tuple[int, int], str] = {}
    for entry in entries:
        if entry.inode and (first := names.setdefault(entry.inode, entry.name)) != entry.name:
            entry = entry._replace(source=b"", size=0, link=first)
        source, size = entry.source, entry.size
        if isinstance(source, str) and size > _SMALL:
            parts.append(_header(entry, size))
            for block in _blocks(source, size):
                parts.append(block)
                piece = b"".join(parts)
                report(len(piece))
                yield piece
                parts.clear()
            parts.append(bytes(-size % _BLOCK))
            buffered, limit = len(parts[0]), PIECE
            continue
        data = source if isinstance(source, bytes) else _content(source, size) if size else b""
        header = _header(entry, len(data))
        parts.append(header)
        buffered += len(header)
        if data:
            padding = -len(data) % _BLOCK
            parts += (data, bytes(padding))
            buffered += len(data) + padding
        if buffered >= limit:
            piece = b"".join(parts)
            report(buffered)
            yield piece
            parts.clear()
            buffered, limit = 0, PIECE
    parts.append(_END)
    piece = b"".join(parts)
    report(len(piece))
    yield piece


def files(
    contents: Mapping[str, str | bytes],
    parameter: str = "files",
    *,
    mode: int = 0o644,
    uid: int = 0,
    gid: int = 0,
    mtime: int = 0,
) -> Iterator[Entry]:
    """Return entries for files passed as strings or bytes; strings are encoded as UTF-8.

    Raises:
        InvalidArgument: a name or a content is invalid; the message names the parameter.
    """
    entries = []
    for name, content in contents.items():
        if not isinstance(content, (str, bytes, bytearray, memoryview)):  # bytes(5) would be five null bytes
            raise InvalidArgument(f"{parameter}[{name!r:.100}]: must be bytes or a string, got {content!r:.100}")
        data = content.encode() if isinstance(content, str) else bytes(content)
        entries.append(Entry(clean_name(name, parameter), stat.S_IFREG | mode, data, len(data), mtime, "", uid, gid))
    return iter(entries)


def clean_name(name: str, parameter: str) -> str:
    """Return a member's name without leading slashes and redundant parts.

    Raises:
        InvalidArgument: the name is empty or contains ``..``; the message names the parameter.
    """
    if not isinstance(name, str):
        raise InvalidArgument(f"{parameter}: the names of files must be strings, got {name!r:.100}")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in name:
        raise InvalidArgument(f"{parameter}: the names of files must be relative paths without '..', got {name!r}")
    return "/".join(parts)


def _os_call(read: Callable[[str], _T], path: str) -> _T:
    try:
        return read(path)
    except OSError as error:
        raise UnreadableFile.of(error, path) from error


def _content(path: str, size: int) -> bytes:
    """Return a small file's content, even if its size has changed."""
    try:
        file = os.open(path, _READ_ONLY)
        try:
            data = os.read(file, size + 1)
            while len(data) > size:  # it has grown since it was listed
                more = os.read(file, _READ)
                data += more
                if not more:
                    break
            return data
        finally:
            os.close(file)
    except OSError as error:
        raise UnreadableFile.of(error, path) from error


def _blocks(path: str, size: int) -> Iterator[bytes]:
    """Yield the first `size` bytes of a file, as announced in its header."""
    remaining = size
    for block in file_blocks(path, _READ):
        yield block[:remaining]
        remaining -= len(block)
        if remaining <= 0:
            return
    raise UnreadableFile(f"{path} shrank while it was read: {remaining} of {size} bytes are missing")


def _header(entry: Entry, size: int) -> bytes:
    name, mode, link = os.fsencode(entry.name), entry.mode, os.fsencode(entry.link) if entry.link else b""
    kind = _KINDS[stat.S_IFMT(mode)]
    if link and kind == b"0":
        kind = b"1"
    if kind == b"5":
        name += b"/"
    prefix = b""  # members with what does not fit the header
    if len(name) > 100:
        prefix = _extension(b"L", name + b"\0")
        name = name[:100]
    if len(link) > 100:
        prefix += _extension(b"K", link + b"\0")
        link = link[:100]
    if entry.capability:
        prefix += _pax(b"SCHILY.xattr." + CAPABILITY.encode(), entry.capability)
    tail = _TAIL
    extra = 0
    if entry.device:
        devices = b"%07o\0%07o\0" % (os.major(entry.device), os.minor(entry.device))
        tail = bytes(64) + devices + _TAIL[64 + len(devices) :]
        extra = sum(devices)
    uid, gid, mtime = entry.uid, entry.gid, entry.mtime
    if uid == gid == 0 and 0 <= mtime < _OCTAL_END and size < _OCTAL_END:  # nearly all of a build context
        numbers = b"%07o\x000000000\x000000000\0%011o\0%011o\0" % (mode & 0o7777, size, mtime)
    else:
        numbers = b"%07o\0" % (mode & 0o7777)
        numbers += _number(uid, 8) + _number(gid, 8) + _number(size, 12) + _number(mtime, 12)
    checksum = sum(name) + sum(numbers) + kind[0] + sum(link) + extra + _CHECKSUM_OF_CONSTANTS
    parts = prefix, name.ljust(100, b"\0"), numbers, checksum, kind, link.ljust(100, b"\0"), _MAGIC, tail
    return b"%s%s%s%06o\0 %s%s%s%s" % parts


def _number(value: int, width: int) -> bytes:
    """Return a number as octal digits, or in base 256 if it is too large."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return (value + (0x80 << 8 * (width - 1)) if value >= 0 else value + (1 << 8 * width)).to_bytes(width, "big")


def _pax(key: bytes, value: bytes) -> bytes:
    """Return the member that precedes one with an attribute that the GNU header lacks."""
    record = b" %s=%s\n" % (key, value)
    size = len(record) + len(str(len(record)))
    size = len(record) + len(str(size))
    return _extension(b"x", b"%d%s" % (size, record))


def _extension(kind: bytes, data: bytes) -> bytes:
    numbers = b"0000644\x000000000\x000000000\0%011o\0%011o\0" % (len(data), 0)
    block = b"././@LongLink".ljust(100, b"\0") + numbers
    checksum = sum(block) + kind[0] + _CHECKSUM_OF_CONSTANTS
    end = b"".join((bytes(100), _MAGIC, _TAIL, data, bytes(-len(data) % _BLOCK)))
    return b"%s%06o\0 %s%s" % (block, checksum, kind, end)
