"""File modes in Go's format, used by the engine: same permission bits, different type and special bits."""

from __future__ import annotations

import stat

__all__ = ["from_go", "to_go"]

_CHARACTER = 1 << 21
_TYPES = {
    stat.S_IFDIR: 1 << 31,
    stat.S_IFLNK: 1 << 27,
    stat.S_IFCHR: 1 << 26 | _CHARACTER,
    stat.S_IFBLK: 1 << 26,
    stat.S_IFIFO: 1 << 25,
    stat.S_IFSOCK: 1 << 24,
}
_SPECIAL = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}


def to_go(mode: int) -> int:
    """Convert a mode of ``os.stat`` to Go's format."""
    special = sum(go_bits for bit, go_bits in _SPECIAL.items() if mode & bit)
    return _TYPES.get(stat.S_IFMT(mode), 0) | special | mode & 0o777


def from_go(mode: int) -> int:
    """Convert a mode in Go's format to that of ``os.stat``."""
    kind = next((kind for kind, go_bits in _TYPES.items() if mode & go_bits == go_bits), stat.S_IFREG)
    special = sum(bit for bit, go_bits in _SPECIAL.items() if mode & go_bits)
    return kind | special | mode & 0o777
