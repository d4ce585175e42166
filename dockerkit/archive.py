"""Tar archives in and out, a piece at a time.

`pack` turns entries into the bytes of an archive without holding more than one piece of it; the same entries give
the same bytes. `extract` writes an archive into a folder and refuses whatever would reach outside it.
Archives are in GNU's format, which engines of all versions read, and which knows no limit on names and sizes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from dockerkit.errors import InvalidArgument, UnreadableFile

__all__ = ["Entry", "entry_of", "pack", "walk"]

_T = TypeVar("_T")

_BLOCK = 512
_END = bytes(2 * _BLOCK)
_FIRST_PIECE = 8 * 1024  # small, so that the other side has something to do at once
PIECE = 256 * 1024
_READ = 1024 * 1024
_SMALL = 64 * 1024
_READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
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
    """One member of an archive to be made.

    Attributes:
        name: its path in the archive, ``/`` between the parts, none in front.
        mode: type and permission bits, as ``os.stat`` gives them.
        source: of a regular file: its path on disk, or its content as bytes.
        size: of a file on disk: its length in bytes.
        mtime: seconds since 1970.
        link: of a symbolic link: where it points.
        uid, gid: owner; numbers only, names would differ from one machine to the next.
        device: of a device: its number.
        inode: of a file on disk that has several names: device and inode. The second one that is packed becomes a hard
            link to the first.
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


def entry_of(path: str, name: str, info: os.stat_result, *, uid: int = 0, gid: int = 0) -> Entry:
    """The entry for something on disk, owned by `uid` and `gid` in the archive."""
    mode = info.st_mode
    if stat.S_ISREG(mode):
        return Entry(name, mode, path, info.st_size, int(info.st_mtime), "", uid, gid, 0, inode_of(info))
    link = _reading(os.readlink, path) if stat.S_ISLNK(mode) else ""
    device = info.st_rdev if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else 0
    return Entry(name, mode, b"", 0, int(info.st_mtime), link, uid, gid, device)


def inode_of(info: os.stat_result) -> tuple[int, int] | None:
    """What tells two names of one file from two files; None for a file with one name only."""
    return (info.st_dev, info.st_ino) if info.st_nlink > 1 else None


def walk(path: str, name: str, *, uid: int = 0, gid: int = 0) -> Iterator[Entry]:
    """The entries of a file or folder and of all that is in it, in a fixed order. Sockets are left out.

    Args:
        path: what to walk. A symbolic link stays one.
        name: its name in the archive; empty for a folder's content alone.
        uid, gid: owner of everything in the archive.
    """
    waiting = [(path, name)]
    while waiting:
        path, name = waiting.pop()
        info = _reading(os.lstat, path)
        if stat.S_ISSOCK(info.st_mode):
            continue
        if name:
            yield entry_of(path, name, info, uid=uid, gid=gid)
        if stat.S_ISDIR(info.st_mode):
            children = sorted(_reading(os.listdir, path), reverse=True)
            waiting += [(os.path.join(path, child), f"{name}/{child}" if name else child) for child in children]


def pack(entries: Iterable[Entry], *, on_bytes: Callable[[int], None] | None = None) -> Iterator[bytes]:
    """The archive that holds `entries`, in pieces.

    Args:
        entries: the members, in order; read as they are needed.
        on_bytes: told the length of each piece, for showing progress.

    Raises:
        UnreadableFile: a file can't be read, or shrank meanwhile; the message names it.
    """
    parts: list[bytes] = []
    held, limit = 0, _FIRST_PIECE
    tell = on_bytes or (lambda _: None)
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
                tell(len(piece))
                yield piece
                parts.clear()
            parts.append(bytes(-size % _BLOCK))
            held, limit = len(parts[0]), PIECE
            continue
        data = source if isinstance(source, bytes) else _content(source, size) if size else b""
        header = _header(entry, len(data))
        parts.append(header)
        held += len(header)
        if data:
            padding = -len(data) % _BLOCK
            parts += (data, bytes(padding))
            held += len(data) + padding
        if held >= limit:
            piece = b"".join(parts)
            tell(held)
            yield piece
            parts.clear()
            held, limit = 0, PIECE
    parts.append(_END)
    piece = b"".join(parts)
    tell(len(piece))
    yield piece


def files(
    contents: Mapping[str, str | bytes], *, mode: int = 0o644, uid: int = 0, gid: int = 0, mtime: int = 0
) -> Iterator[Entry]:
    """Entries for files given as texts or bytes; texts are encoded as UTF-8."""
    for name, content in contents.items():
        data = content.encode() if isinstance(content, str) else bytes(content)
        yield Entry(clean_name(name), stat.S_IFREG | mode, data, len(data), mtime, "", uid, gid)


def clean_name(name: str) -> str:
    """A member's name without leading slashes and needless parts.

    Raises:
        InvalidArgument: the name is empty or leads outside.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in name:
        raise InvalidArgument(f"{name!r} is no name for a file in an archive: give a relative path without '..'")
    return "/".join(parts)


def _reading(read: Callable[[str], _T], path: str) -> _T:
    try:
        return read(path)
    except OSError as error:
        raise UnreadableFile.of(error, path) from error


def _content(path: str, size: int) -> bytes:
    """A small file's content, whatever its length is by now."""
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
    """The first `size` bytes of a file: as many as its header promises."""
    try:
        with open(path, "rb", buffering=0) as file:
            left = size
            while left:
                block = file.read(min(left, _READ))
                if not block:
                    raise UnreadableFile(f"{path} became shorter while it was read: {left} of {size} bytes are missing")
                left -= len(block)
                yield block
    except OSError as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile.of(error, path) from error


def _header(entry: Entry, size: int) -> bytes:
    name, mode, link = os.fsencode(entry.name), entry.mode, os.fsencode(entry.link)
    kind = _KINDS[stat.S_IFMT(mode)]
    if link and kind == b"0":
        kind = b"1"
    if kind == b"5":
        name += b"/"
    before = b""
    if len(name) > 100:
        before = _long(b"L", name)
        name = name[:100]
    if len(link) > 100:
        before += _long(b"K", link)
        link = link[:100]
    tail = _TAIL
    extra = 0
    if entry.device:
        devices = b"%07o\0%07o\0" % (os.major(entry.device), os.minor(entry.device))
        tail = bytes(64) + devices + _TAIL[64 + len(devices) :]
        extra = sum(devices)
    uid, gid, mtime = entry.uid, entry.gid, entry.mtime
    if uid == gid == 0 and 0 <= mtime < _OCTAL_END and size < _OCTAL_END:  # nearly all of a build context
        block = b"%s%07o\x000000000\x000000000\0%011o\0%011o\0" % (name.ljust(100, b"\0"), mode & 0o7777, size, mtime)
    else:
        numbers = _number(uid, 8) + _number(gid, 8) + _number(size, 12) + _number(mtime, 12)
        block = b"%s%07o\0%s" % (name.ljust(100, b"\0"), mode & 0o7777, numbers)
    checksum = sum(block) + kind[0] + sum(link) + extra + _CHECKSUM_OF_CONSTANTS
    return b"%s%s%06o\0 %s%s%s%s" % (before, block, checksum, kind, link.ljust(100, b"\0"), _MAGIC, tail)


def _number(value: int, width: int) -> bytes:
    """A number as octal digits, or in base 256 where these don't suffice."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return (value + (0x80 << 8 * (width - 1)) if value >= 0 else value + (1 << 8 * width)).to_bytes(width, "big")


def _long(kind: bytes, text: bytes) -> bytes:
    """The member in front of one whose name or link does not fit the header."""
    block = b"%s%s" % (
        b"././@LongLink".ljust(100, b"\0"),
        b"0000644\x000000000\x000000000\0%011o\0%011o\0" % (len(text) + 1, 0),
    )
    checksum = sum(block) + kind[0] + _CHECKSUM_OF_CONSTANTS
    return b"%s%06o\0 %s%s%s%s%s" % (
        block,
        checksum,
        kind,
        bytes(100),
        _MAGIC,
        _TAIL,
        text + bytes(_BLOCK - len(text) % _BLOCK),
    )
