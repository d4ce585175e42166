"""Build contexts: what ``POST /build`` gets to work with, as a stream of tar made while it is sent.

A context is a folder, a dict of files, a ready tar archive, or a place that the engine fetches itself. It can be sent
more than once (unless it is somebody's stream), and the same context is the same bytes: files come in the order of
their names, and belong to nobody.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, NamedTuple, cast

from dockerkit import archive
from dockerkit.archive import Entry, entry_of
from dockerkit.build.ignore import IgnoreRules, Verdict
from dockerkit.errors import InvalidArgument, UnreadableFile

__all__ = ["BuildContext", "Files", "folder_entries", "is_remote", "open_context"]

Files = Mapping[str, "str | bytes | os.PathLike[str]"]
"""A context as a dict: a text, bytes, or the path of a file or folder on disk, by its name in the context."""

DOCKERFILE = "Dockerfile"
IGNORE_FILE = ".dockerignore"
_REMOTES = ("http://", "https://", "git://", "ssh://", "git@", "github.com/")


@dataclass(frozen=True)
class BuildContext:
    """A context, ready to be sent.

    Attributes:
        dockerfile: the Dockerfile's name in it; None for the engine's default.
        remote: where the engine fetches the context itself; then nothing is sent.
        encoding: the compression of what is sent, for the ``Content-Encoding`` header.
    """

    dockerfile: str | None = None
    remote: str | None = None
    encoding: str | None = None
    _pieces: Callable[[], Iterable[bytes]] = field(default=tuple, repr=False)
    _stream: IO[bytes] | Iterable[bytes] | bytes | None = field(default=None, repr=False)

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent a second time."""
        return self._stream is None or isinstance(self._stream, bytes)

    def data(self) -> IO[bytes] | Iterable[bytes] | bytes | None:
        """The bytes to send, made as they are asked for; None with ``remote``."""
        if self.remote is not None:
            return None
        return self._stream if self._stream is not None else self._pieces()

    def watched(self, on_bytes: Callable[[int], None]) -> BuildContext:
        """The same context, whose sending tells the length of each piece."""
        stream = self._stream
        if self.remote is not None:
            return self
        if stream is None:
            return replace(self, _pieces=lambda: _told(self._pieces(), on_bytes))
        if isinstance(stream, bytes):
            pieces: Iterable[bytes] = [stream]
        else:
            read = getattr(stream, "read", None)
            pieces = iter(partial(read, archive.PIECE), b"") if read else stream
        return replace(self, _stream=_told(pieces, on_bytes))


def is_remote(path: object) -> bool:
    """Whether the engine, not we, fetches this context: a URL or a git repository."""
    return isinstance(path, str) and path.startswith(_REMOTES)


def open_context(
    path: str | os.PathLike[str] | Files | BuildContext | None = None,
    *,
    dockerfile: str | os.PathLike[str] | None = None,
    fileobj: IO[bytes] | IO[str] | str | bytes | None = None,
    custom_context: bool = False,
    encoding: str | None = None,
    gzip: bool = False,
    ignore: Iterable[str] | None = None,
) -> BuildContext:
    """The context that these arguments of a build describe. Nothing but the Dockerfile and ignore file is read yet.

    Args:
        path: a folder; a dict of files; a git repository or URL for the engine to fetch; or what an earlier call gave.
        dockerfile: path of the Dockerfile: in the context, or anywhere on disk, relative to the context, or else to the
            working directory. Default: ``Dockerfile`` in the context.
        fileobj: the Dockerfile itself, to go with `path` or alone; with `custom_context` the whole context as tar.
        custom_context: `fileobj` is a tar archive, compressed as `encoding` says.
        encoding: compression of a `custom_context`: "gzip", "bzip2", "xz"…
        gzip: compress what is sent; pays over slow lines only.
        ignore: patterns instead of those in ``<Dockerfile>.dockerignore`` or ``.dockerignore``.

    Raises:
        InvalidArgument: there is no context, or the arguments contradict each other.
        UnreadableFile: the Dockerfile is not there.
    """
    if isinstance(path, BuildContext):
        if any((dockerfile, fileobj, custom_context, encoding, gzip, ignore)):
            raise InvalidArgument("path: this context is open already; give what belongs to it to open_context()")
        return path
    name = os.fspath(dockerfile) if dockerfile is not None else None
    if custom_context:
        if fileobj is None or isinstance(fileobj, str):
            raise InvalidArgument("custom_context: give the tar archive as fileobj, opened in binary mode")
        if path is not None:
            warnings.warn("with custom_context the archive is the whole context: path is not used", stacklevel=4)
        return BuildContext(name, None, "gzip" if gzip else encoding, _stream=cast("IO[bytes]", fileobj))
    if is_remote(path):
        if fileobj is not None or gzip or ignore is not None:
            raise InvalidArgument("path: the engine fetches this context itself: fileobj, gzip, ignore can't be heeded")
        return BuildContext(name, str(path))
    if fileobj is not None and path is not None and dockerfile is not None:
        raise InvalidArgument("dockerfile: the Dockerfile is given already, as fileobj")
    content = _content(fileobj) if fileobj is not None else None
    if path is None and content is None:
        raise InvalidArgument("path: a folder, a dict of files or a URL is needed; or the Dockerfile as fileobj")
    if path is None and name is not None:
        name, entries = _from_files({name: content or b""}, name, None, ignore)
    elif path is None or isinstance(path, Mapping):
        name, entries = _from_files(path or {}, dockerfile, content, ignore)
    else:
        name, entries = _from_folder(path, dockerfile, content, ignore)
    if gzip:
        return BuildContext(name, None, "gzip", lambda: _gzip(archive.pack(entries())))
    return BuildContext(name, None, None, lambda: archive.pack(entries()))


def folder_entries(root: str, rules: IgnoreRules | None = None, *, keep: Iterable[str] = ()) -> Iterator[Entry]:
    """What of a folder goes into a context, sorted by name, folders before their content.

    Args:
        root: the folder.
        rules: what to leave out. A folder that is left out is not entered unless an exception could match in it; if one
            does, the folder itself comes too.
        keep: paths that come whatever the rules say.
    """
    rules = rules or IgnoreRules()
    kept = frozenset(keep)
    above = {path[:at] for path in kept for at in range(len(path)) if path[at] == "/"}
    levels = [_Level(_listing(root), "", rules.root, None)]
    waiting = 0  # levels whose own folder has not been sent, because nothing in it has been
    judge = rules.judge
    while levels:
        level = levels[-1]
        for item in level.items:
            path = level.prefix + item.name
            ignored, verdict = judge(path, level.verdict)
            if ignored and path in kept:
                ignored = False
            is_folder = _is_folder(item)
            if ignored and not (is_folder and (path in above or rules.may_descend(path))):
                continue
            entry = _entry(item, path)
            if entry is None:
                continue
            if not ignored:
                if waiting:
                    for at, passed in enumerate(levels):
                        if passed.folder is not None:
                            yield passed.folder
                            levels[at] = passed._replace(folder=None)
                    waiting = 0
                yield entry
            if is_folder:
                waiting += ignored
                levels.append(_Level(_listing(item.path), path + "/", verdict, entry if ignored else None))
                break
        else:
            waiting -= levels.pop().folder is not None


class _Level(NamedTuple):
    """A folder on the way down: what is left to look at, and the folder's entry while it waits to be needed."""

    items: Iterator[os.DirEntry[str]]
    prefix: str
    verdict: Verdict
    folder: Entry | None


def _listing(path: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(path) as items:
            return iter(sorted(items, key=_name))
    except OSError as error:
        raise UnreadableFile.of(error, path) from error


def _name(item: os.DirEntry[str]) -> str:
    return item.name


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir(follow_symlinks=False)
    except OSError as error:
        raise UnreadableFile.of(error, item.path) from error


def _entry(item: os.DirEntry[str], path: str) -> Entry | None:
    try:
        info = item.stat(follow_symlinks=False)
    except OSError as error:
        raise UnreadableFile.of(error, item.path) from error
    mode = info.st_mode
    if stat.S_ISREG(mode):
        return Entry(path, mode, item.path, info.st_size, int(info.st_mtime), inode=archive.inode_of(info))
    return None if stat.S_ISSOCK(mode) else entry_of(item.path, path, info)


def _from_folder(
    path: str | os.PathLike[str],
    dockerfile: str | os.PathLike[str] | None,
    content: bytes | None,
    ignore: Iterable[str] | None,
) -> tuple[str | None, Callable[[], Iterator[Entry]]]:
    root = os.path.realpath(path)
    if not os.path.isdir(root):
        raise InvalidArgument(f"path: {os.fspath(path)!r} is no folder")
    found = _Dockerfile(None, content) if content is not None else _find_dockerfile(root, dockerfile)
    own = os.path.join(root, IGNORE_FILE)
    governing = next((file for file in (found.ignore_file, own) if file and os.path.isfile(file)), None)
    if ignore is not None:
        told, governing = "\n".join(ignore).encode(), None
    else:
        told = _reading(governing) if governing else b""
    rules = IgnoreRules.read(told)
    extra: dict[str, bytes] = {}
    if found.content is not None:
        extra[_hidden_name(found.content)] = found.content
    name = next(iter(extra), found.name)
    if extra or (rules and governing != own):
        # The engine itself reads .dockerignore once more: what it says about these two files is done there.
        hidden = [*extra] if os.path.isfile(own) else [*extra, IGNORE_FILE]
        extra[IGNORE_FILE] = told + "".join(f"\n{file}" for file in hidden).encode() + b"\n"
    keep = {IGNORE_FILE, found.name or DOCKERFILE}

    def entries() -> Iterator[Entry]:
        for entry in folder_entries(root, rules, keep=keep):
            if entry.name not in extra:
                yield entry
        yield from archive.files(extra)

    return name, entries


def _from_files(
    contents: Files, dockerfile: str | os.PathLike[str] | None, content: bytes | None, ignore: Iterable[str] | None
) -> tuple[str | None, Callable[[], Iterator[Entry]]]:
    members = {archive.clean_name(name): value for name, value in contents.items()}
    name = os.fspath(dockerfile) if dockerfile is not None else None
    if content is None and name is not None and name not in members:
        content = _reading(name)
    if content is not None:
        name = None if DOCKERFILE not in members else _hidden_name(content)
        members[name or DOCKERFILE] = content
    elif (name or DOCKERFILE) not in members:
        raise InvalidArgument(f"path: there is no {name or DOCKERFILE!r} among the files; they are {sorted(members)}")
    told = "\n".join(ignore) if ignore is not None else members.get(IGNORE_FILE, b"")
    rules = IgnoreRules.read(told if isinstance(told, (bytes, str)) else _reading(os.fspath(told)))
    keep = {IGNORE_FILE, name or DOCKERFILE}

    def entries() -> Iterator[Entry]:
        folders: set[str] = set()
        for name, value in sorted(members.items()):
            for entry in _member(name, value):
                if entry.name not in keep and rules.ignores(entry.name):
                    continue
                for at, char in enumerate(entry.name):
                    if char == "/" and entry.name[:at] not in folders:
                        folders.add(entry.name[:at])
                        yield Entry(entry.name[:at], stat.S_IFDIR | 0o755)
                if not (stat.S_ISDIR(entry.mode) and entry.name in folders):
                    yield entry
                if stat.S_ISDIR(entry.mode):
                    folders.add(entry.name)

    return name, entries


def _member(name: str, value: str | bytes | os.PathLike[str]) -> Iterator[Entry]:
    if isinstance(value, (str, bytes)):
        return archive.files({name: value})
    path = os.path.realpath(value)
    if not os.path.exists(path):
        raise UnreadableFile(errno.ENOENT, f"{name}: there is no {path}")
    return archive.walk(path, name)


class _Dockerfile(NamedTuple):
    """A Dockerfile: by its name in the context, or by its content; and the ignore file that belongs to it."""

    name: str | None
    content: bytes | None = None
    ignore_file: str | None = None


def _find_dockerfile(root: str, dockerfile: str | os.PathLike[str] | None) -> _Dockerfile:
    if dockerfile is None:
        lower = not os.path.exists(os.path.join(root, DOCKERFILE)) and os.path.isfile(os.path.join(root, "dockerfile"))
        given = DOCKERFILE.lower() if lower else DOCKERFILE
    else:
        given = os.fspath(dockerfile)
    path = os.path.join(root, given)
    if not os.path.isfile(path) and os.path.isfile(given):
        path = os.path.abspath(given)
    if not os.path.isfile(path):
        raise UnreadableFile(errno.ENOENT, f"there is no Dockerfile {path}")
    beside = path + IGNORE_FILE
    real = os.path.realpath(path)
    if os.path.commonpath([root, real]) != root:
        return _Dockerfile(None, _reading(path), beside)
    name = os.path.relpath(real, root).replace(os.sep, "/")
    return _Dockerfile(None if name == DOCKERFILE else name, None, beside)


def _hidden_name(content: bytes) -> str:
    """A name for a Dockerfile from elsewhere: always the same for the same file, unlikely to be taken."""
    return f".dockerfile.{hashlib.sha256(content).hexdigest()[:20]}"


def _reading(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UnreadableFile.of(error, path) from error


def _content(fileobj: IO[bytes] | IO[str] | str | bytes) -> bytes:
    content = fileobj if isinstance(fileobj, (str, bytes)) else fileobj.read()
    return content.encode() if isinstance(content, str) else content


def _told(pieces: Iterable[bytes], on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    for piece in pieces:
        on_bytes(len(piece))
        yield piece


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    squeeze = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)  # with no time in its header, unlike gzip's
    for piece in pieces:
        if squeezed := squeeze.compress(piece):
            yield squeezed
    yield squeeze.flush()
