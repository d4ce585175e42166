"""Trees of files sent to BuildKit: a folder, or files in memory, walked in the order of its protocol.

Entries come depth first, siblings sorted by the bytes of their names, each folder directly before its contents.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from dockerkit.builder.ignore import IgnoreRules, Verdict
from dockerkit.errors import InvalidArgument, UnreadableFile
from dockerkit.files.archive import clean_name, inode_of, read_xattrs

__all__ = ["Files", "Folder", "Item", "Tree", "walk"]

NO_XATTRS: Mapping[str, bytes] = {}
_MAX_LINKS = 255
_LITERAL = re.compile(r"(?:[^*?\[\\]|\\.)*", re.DOTALL)  # a pattern without wildcards


class Item(NamedTuple):
    """One entry of a folder.

    Attributes:
        mode: type and permission bits, as in ``os.stat``.
        mtime: modification time in nanoseconds since 1970.
        source: path on disk or content of a regular file.
        inode: key shared by all hard links to a file; None if there is only one.
    """

    name: str
    mode: int
    size: int = 0
    mtime: int = 0
    source: str | bytes = b""
    link: str = ""
    inode: tuple[int, int] | None = None
    device: int = 0
    xattrs: Mapping[str, bytes] = NO_XATTRS


class Tree(Protocol):
    """A source of files. Paths are relative, with ``/`` as the separator; "" is the root."""

    def items(self, path: str) -> list[Item]:
        """Return the entries of a folder, in order."""
        ...

    def item(self, path: str) -> Item | None:
        """Return the entry at a path; None if there is none."""
        ...


class Folder:
    """A folder on disk, read lazily."""

    def __init__(self, root: str) -> None:
        self.root = root

    def items(self, path: str) -> list[Item]:
        disk_path = self._disk_path(path)
        try:
            with os.scandir(disk_path) as entries:
                items = [_item(entry.path, entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError as error:
            raise UnreadableFile.of(error, error.filename or disk_path) from error
        items.sort()  # by name; characters sort like their UTF-8 bytes
        return items

    def item(self, path: str) -> Item | None:
        disk_path = self._disk_path(path)
        try:
            return _item(disk_path, path.rpartition("/")[2], os.lstat(disk_path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UnreadableFile.of(error, disk_path) from error

    def _disk_path(self, path: str) -> str:
        return os.path.join(self.root, *path.split("/")) if path else self.root


class Files:
    """Files in memory, and files and folders on disk, keyed by name in the context.

    Strings and bytes have a modification time of now, so that BuildKit never reuses older files.
    """

    def __init__(self, contents: Mapping[str, str | bytes | os.PathLike[str]]) -> None:
        self._mtime = time.time_ns()
        self._folders: dict[str, dict[str, Item]] = {"": {}}
        self._mounted: dict[str, str] = {}
        for name, value in contents.items():
            self._add(clean_name(name, "path"), value)

    def items(self, path: str) -> list[Item]:
        disk_path = self._on_disk(path)
        if disk_path is not None:
            return Folder(disk_path).items("")
        return sorted(self._folders[path].values())

    def item(self, path: str) -> Item | None:
        disk_path = self._on_disk(path)
        if disk_path is not None:
            return Folder(os.path.dirname(disk_path)).item(os.path.basename(disk_path))
        folder, _, name = path.rpartition("/")
        return self._folders.get(folder, {}).get(name)

    def _add(self, name: str, value: str | bytes | os.PathLike[str]) -> None:
        folder, _, last = name.rpartition("/")
        self._make_folder(folder)
        if isinstance(value, (str, bytes)):
            data = value.encode() if isinstance(value, str) else value
            self._folders[folder][last] = Item(last, stat.S_IFREG | 0o644, len(data), self._mtime, data)
            return
        disk_path = os.path.realpath(value)
        item = Folder(os.path.dirname(disk_path)).item(os.path.basename(disk_path))
        if item is None:
            raise UnreadableFile(f"{name}: {disk_path} does not exist")
        self._folders[folder][last] = item._replace(name=last)
        if stat.S_ISDIR(item.mode):
            self._mounted[name] = disk_path

    def _make_folder(self, folder: str) -> None:
        if folder not in self._folders:
            parent, _, last = folder.rpartition("/")
            self._make_folder(parent)
            self._folders[folder] = {}
            self._folders[parent][last] = Item(last, stat.S_IFDIR | 0o755, 0, self._mtime)

    def _on_disk(self, path: str) -> str | None:
        for name, disk_path in self._mounted.items():
            if path == name or path.startswith(name + "/"):
                return os.path.join(disk_path, *path[len(name) + 1 :].split("/")) if path != name else disk_path
        return None


def _item(path: str, name: str, info: os.stat_result) -> Item:
    mode = info.st_mode
    if stat.S_ISREG(mode):
        xattrs = read_xattrs(path) or NO_XATTRS
        return Item(name, mode, info.st_size, info.st_mtime_ns, path, "", inode_of(info), 0, xattrs)
    if stat.S_ISLNK(mode):
        return Item(name, mode, 0, info.st_mtime_ns, b"", os.readlink(path))
    device = info.st_rdev if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else 0
    xattrs = (read_xattrs(path) if stat.S_ISDIR(mode) else {}) or NO_XATTRS
    return Item(name, mode, 0, info.st_mtime_ns, b"", "", None, device, xattrs)


class _Rules(NamedTuple):
    """Selects what is sent: everything requested and not `ignored`."""

    ignored: IgnoreRules
    unrequested: IgnoreRules


def walk(
    tree: Tree, *, include: Iterable[str] = (), exclude: Iterable[str] = (), follow: Iterable[str] = ()
) -> Iterator[tuple[str, Item]]:
    """Yield the entries of a tree that BuildKit requested, with their paths.

    `include` and `exclude` are patterns as in ``.dockerignore``. `follow` has names used in instructions: what they
    match is included, and the targets of symbolic links. Without `include` and `follow`, everything is.
    """
    included, follow_names = list(include), list(follow)
    if follow_names:
        included += _follow(tree, follow_names)
    if any(pattern in ("", ".", "/") for pattern in included):
        included = []
    unrequested = ["**", *("!" + pattern for pattern in included)] if included else []
    rules = _Rules(IgnoreRules(exclude), IgnoreRules(unrequested))
    yield from _walk(tree, "", rules, rules.ignored.root, rules.unrequested.root, [])


def _walk(
    tree: Tree, prefix: str, rules: _Rules, ignored: Verdict, unrequested: Verdict, pending: list[tuple[str, Item]]
) -> Iterator[tuple[str, Item]]:
    """Yield the entries below a folder. `pending` holds the parent folders that have not been sent yet."""
    for item in tree.items(prefix.rstrip("/")):
        path = prefix + item.name
        is_ignored, below_ignored = rules.ignored.judge(path, ignored) if ignored else (False, ignored)
        is_unrequested, below_unrequested = (
            rules.unrequested.judge(path, unrequested) if unrequested else (False, unrequested)
        )
        skip = is_ignored or is_unrequested
        if not skip:
            yield from pending
            pending.clear()
            yield path, item
        if not stat.S_ISDIR(item.mode):
            continue
        if is_ignored and not rules.ignored.may_descend(path):
            continue
        if is_unrequested and not rules.unrequested.may_descend(path):
            continue
        child_pending = [*pending, (path, item)] if skip else []
        count = len(child_pending)
        yield from _walk(tree, path + "/", rules, below_ignored, below_unrequested, child_pending)
        if skip and len(child_pending) < count:
            pending.clear()


def _follow(tree: Tree, names: Iterable[str]) -> list[str]:
    """Return patterns for the names, every symbolic link on their way, and the links' targets."""
    patterns: dict[str, None] = {}
    seen: set[tuple[str, tuple[str, ...]]] = set()

    def resolve(base: str, parts: tuple[str, ...], links: int) -> None:
        if (base, parts) in seen or links > _MAX_LINKS:
            return
        seen.add((base, parts))
        for index, part in enumerate(parts):
            if part in ("", "."):
                continue
            if part == "..":
                base = base.rpartition("/")[0]
                continue
            if "**" in part:
                patterns[_join(_escaped(base), "/".join(parts[index:]))] = None
                return
            rest = parts[index + 1 :]
            if not _LITERAL.fullmatch(part):
                glob(base, part, rest, links)
                return
            path = _join(base, re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL))
            item = tree.item(path)
            if item is not None and stat.S_ISLNK(item.mode):
                follow_link(base, path, item, rest, links)
                return
            base = path
        patterns[_escaped(base)] = None

    def glob(base: str, part: str, rest: tuple[str, ...], links: int) -> None:
        last = not any(piece not in ("", ".") for piece in rest)
        patterns[_join(_escaped(base), "/".join((part, *rest)))] = None
        item = tree.item(base) if base else None
        if base and (item is None or not stat.S_ISDIR(item.mode)):
            return
        matches = IgnoreRules([part])
        for item in tree.items(base):
            if not matches.ignores(item.name):
                continue
            path = _join(base, item.name)
            if stat.S_ISLNK(item.mode):
                follow_link(base, path, item, rest, links)
            elif not last and stat.S_ISDIR(item.mode):
                resolve(path, rest, links)

    def follow_link(base: str, path: str, item: Item, rest: tuple[str, ...], links: int) -> None:
        patterns[_escaped(path)] = None
        target = item.link.replace("\\", "/") if os.sep == "\\" else item.link
        resolve("" if target.startswith("/") else base, (*map(_escaped, target.split("/")), *rest), links + 1)

    for name in names:
        resolve("", tuple(name.split("/")), 0)
    return list(patterns)


def _join(base: str, name: str) -> str:
    return f"{base}/{name}" if base else name


def _escaped(path: str) -> str:
    """Escape a path to a pattern that matches only this path."""
    return "".join("\\" + char if char in "*?[]\\" else char for char in path)


def invalid_name_error(path: str) -> InvalidArgument:
    """Return the error for a name that can't be sent."""
    return InvalidArgument(
        f"the context contains a file whose name is not valid UTF-8, which BuildKit requires: {os.fsencode(path)!r}; "
        "rename it, or exclude it in .dockerignore"
    )
