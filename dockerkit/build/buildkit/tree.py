"""What BuildKit may see of a context: a folder, or files in memory, walked as its protocol wants it.

Entries come depth first, siblings by the bytes of their names, and each folder directly before what is in it.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from dockerkit.archive import clean_name
from dockerkit.build.ignore import IgnoreRules, Verdict
from dockerkit.errors import InvalidArgument, UnreadableFile

__all__ = ["Files", "Folder", "Item", "Tree", "walk"]

_MAX_LINKS = 255
_LITERAL = re.compile(r"(?:[^*?\[\\]|\\.)*", re.DOTALL)  # a pattern that stands for one name


class Item(NamedTuple):
    """One thing in a folder.

    Attributes:
        name: in its folder.
        mode: type and permission bits, as ``os.stat`` gives them.
        size: bytes of a regular file.
        mtime: nanoseconds since 1970.
        source: of a regular file: its path on disk, or its content.
        link: of a symbolic link: where it points.
        twin: the same for all names of a file with several; None where it has one.
        device: number of a device.
    """

    name: str
    mode: int
    size: int = 0
    mtime: int = 0
    source: str | bytes = b""
    link: str = ""
    twin: tuple[int, int] | None = None
    device: int = 0


class Tree(Protocol):
    """Where the files are. Paths are relative, with ``/``; "" is the top."""

    def items(self, path: str) -> list[Item]:
        """What is in a folder, in order."""
        ...

    def item(self, path: str) -> Item | None:
        """What is there; None if nothing is."""
        ...


class Folder:
    """A folder on disk; nothing is read of it before it is asked for."""

    def __init__(self, root: str) -> None:
        self.root = root

    def items(self, path: str) -> list[Item]:
        place = self._place(path)
        try:
            with os.scandir(place) as entries:
                found = [_item(entry.path, entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError as error:
            raise UnreadableFile.of(error, error.filename or place) from error
        found.sort()  # by their names; the order of characters is that of their bytes in UTF-8
        return found

    def item(self, path: str) -> Item | None:
        place = self._place(path)
        try:
            return _item(place, path.rpartition("/")[2], os.lstat(place))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UnreadableFile.of(error, place) from error

    def _place(self, path: str) -> str:
        return os.path.join(self.root, *path.split("/")) if path else self.root


class Files:
    """Files in memory, and files and folders on disk, by their names in the context.

    Args:
        contents: texts, bytes, or paths on disk.
        mtime: of texts and bytes, in nanoseconds; now if None, so that what was sent earlier is never taken for them.
    """

    def __init__(self, contents: Mapping[str, str | bytes | os.PathLike[str]], *, mtime: int | None = None) -> None:
        self._mtime = time.time_ns() if mtime is None else mtime
        self._folders: dict[str, dict[str, Item]] = {"": {}}
        self._mounted: dict[str, str] = {}
        for name, value in contents.items():
            self._add(clean_name(name), value)

    def items(self, path: str) -> list[Item]:
        inside = self._on_disk(path)
        if inside is not None:
            return Folder(inside).items("")
        return sorted(self._folders[path].values())

    def item(self, path: str) -> Item | None:
        inside = self._on_disk(path)
        if inside is not None:
            return Folder(os.path.dirname(inside)).item(os.path.basename(inside))
        folder, _, name = path.rpartition("/")
        return self._folders.get(folder, {}).get(name)

    def _add(self, name: str, value: str | bytes | os.PathLike[str]) -> None:
        folder, _, last = name.rpartition("/")
        self._make(folder)
        if isinstance(value, (str, bytes)):
            data = value.encode() if isinstance(value, str) else value
            self._folders[folder][last] = Item(last, stat.S_IFREG | 0o644, len(data), self._mtime, data)
            return
        place = os.path.realpath(value)
        found = Folder(os.path.dirname(place)).item(os.path.basename(place))
        if found is None:
            raise UnreadableFile(f"{name}: there is no {place}")
        self._folders[folder][last] = found._replace(name=last)
        if stat.S_ISDIR(found.mode):
            self._mounted[name] = place

    def _make(self, folder: str) -> None:
        if folder not in self._folders:
            above, _, last = folder.rpartition("/")
            self._make(above)
            self._folders[folder] = {}
            self._folders[above][last] = Item(last, stat.S_IFDIR | 0o755, 0, self._mtime)

    def _on_disk(self, path: str) -> str | None:
        for name, place in self._mounted.items():
            if path == name or path.startswith(name + "/"):
                return os.path.join(place, *path[len(name) + 1 :].split("/")) if path != name else place
        return None


def _item(path: str, name: str, info: os.stat_result) -> Item:
    mode = info.st_mode
    if stat.S_ISREG(mode):
        twin = (info.st_dev, info.st_ino) if info.st_nlink > 1 else None
        return Item(name, mode, info.st_size, info.st_mtime_ns, path, "", twin)
    if stat.S_ISLNK(mode):
        return Item(name, mode, 0, info.st_mtime_ns, b"", os.readlink(path))
    device = info.st_rdev if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else 0
    return Item(name, mode, 0, info.st_mtime_ns, b"", "", None, device)


class _Rules(NamedTuple):
    """What comes along: all that `wanted` and not `ignored`."""

    ignored: IgnoreRules
    unwanted: IgnoreRules


def walk(
    tree: Tree, *, include: Iterable[str] = (), exclude: Iterable[str] = (), follow: Iterable[str] = ()
) -> Iterator[tuple[str, Item]]:
    """The entries of a tree that BuildKit asked for, with their paths.

    Args:
        tree: where the files are.
        include: patterns of what is wanted; everything if there are none, and none in `follow`.
        exclude: patterns of what is not, as in ``.dockerignore``.
        follow: names that instructions use: what they match is wanted, and whatever symbolic links lead to.
    """
    wanted, followed = list(include), list(follow)
    if followed:
        wanted += _follow(tree, followed)
    if any(pattern in ("", ".", "/") for pattern in wanted):
        wanted = []
    rules = _Rules(
        IgnoreRules(exclude),
        IgnoreRules(["**", *("!" + pattern for pattern in wanted)] if wanted else ()),
    )
    yield from _walk(tree, "", rules, rules.ignored.root, rules.unwanted.root, [])


def _walk(
    tree: Tree, prefix: str, rules: _Rules, ignored: Verdict, unwanted: Verdict, above: list[tuple[str, Item]]
) -> Iterator[tuple[str, Item]]:
    """What is below a folder. `above` are the folders on the way which have not been sent yet."""
    for item in tree.items(prefix.rstrip("/")):
        path = prefix + item.name
        is_ignored, below_ignored = rules.ignored.judge(path, ignored) if ignored else (False, ignored)
        is_unwanted, below_unwanted = rules.unwanted.judge(path, unwanted) if unwanted else (False, unwanted)
        leave = is_ignored or is_unwanted
        if not leave:
            yield from above
            above.clear()
            yield path, item
        if not stat.S_ISDIR(item.mode):
            continue
        if is_ignored and not rules.ignored.may_descend(path):
            continue
        if is_unwanted and not rules.unwanted.may_descend(path):
            continue
        waiting = [*above, (path, item)] if leave else []
        sent = len(waiting)
        yield from _walk(tree, path + "/", rules, below_ignored, below_unwanted, waiting)
        if leave and len(waiting) < sent:
            above.clear()


def _follow(tree: Tree, names: Iterable[str]) -> list[str]:
    """Patterns for what names lead to: themselves, each symbolic link on the way, and what those point to."""
    found: dict[str, None] = {}
    seen: set[tuple[str, tuple[str, ...]]] = set()

    def resolve(base: str, parts: tuple[str, ...], links: int) -> None:
        if (base, parts) in seen or links > _MAX_LINKS:
            return
        seen.add((base, parts))
        for at, part in enumerate(parts):
            if part in ("", "."):
                continue
            if part == "..":
                base = base.rpartition("/")[0]
                continue
            if "**" in part:
                found[_join(_escaped(base), "/".join(parts[at:]))] = None
                return
            rest = parts[at + 1 :]
            if not _LITERAL.fullmatch(part):
                glob(base, part, rest, links)
                return
            path = _join(base, re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL))
            item = tree.item(path)
            if item is not None and stat.S_ISLNK(item.mode):
                jump(base, path, item, rest, links)
                return
            base = path
        found[_escaped(base)] = None

    def glob(base: str, part: str, rest: tuple[str, ...], links: int) -> None:
        last = not any(piece not in ("", ".") for piece in rest)
        found[_join(_escaped(base), "/".join((part, *rest)))] = None
        item = tree.item(base) if base else None
        if base and (item is None or not stat.S_ISDIR(item.mode)):
            return
        matches = IgnoreRules([part])
        for item in tree.items(base):
            if not matches.ignores(item.name):
                continue
            path = _join(base, item.name)
            if stat.S_ISLNK(item.mode):
                jump(base, path, item, rest, links)
            elif not last and stat.S_ISDIR(item.mode):
                resolve(path, rest, links)

    def jump(base: str, path: str, item: Item, rest: tuple[str, ...], links: int) -> None:
        found[_escaped(path)] = None
        target = item.link.replace("\\", "/") if os.sep == "\\" else item.link
        resolve("" if target.startswith("/") else base, (*map(_escaped, target.split("/")), *rest), links + 1)

    for name in names:
        resolve("", tuple(name.split("/")), 0)
    return list(found)


def _join(base: str, name: str) -> str:
    return f"{base}/{name}" if base else name


def _escaped(path: str) -> str:
    """A path as a pattern that matches it alone."""
    return "".join("\\" + char if char in "*?[]\\" else char for char in path)


def name_refused(path: str) -> InvalidArgument:
    """The error for a name that can't be sent."""
    return InvalidArgument(
        f"the context holds a file whose name is no UTF-8, which BuildKit can't take: {os.fsencode(path)!r}; "
        "rename it, or exclude it in .dockerignore"
    )
