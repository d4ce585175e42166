"""Build contexts for ``POST /build``, as a tar stream created while it is sent.

A context is a folder, a dict of files, an existing tar archive, or an address that the engine fetches itself. It can be
sent more than once (unless it is a stream), and the same context always yields the same bytes: files are sorted by
name and carry no owner.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from operator import attrgetter
from typing import IO, NamedTuple, cast

from dockerkit.builder.ignore import IgnoreRules, Verdict
from dockerkit.errors import InvalidArgument, UnreadableFile
from dockerkit.files import archive
from dockerkit.files.archive import Entry, entry_of
from dockerkit.files.reading import read_file
from dockerkit.parsing.values import local_path, raise_invalid, sequence, string_list

__all__ = ["BuildContext", "Files", "folder_entries", "is_remote", "open_context"]

Files = Mapping[str, "str | bytes | os.PathLike[str]"]
"""A context as a dict: keys are names in the context; values are strings, bytes, or paths of files or folders on disk."""

DOCKERFILE = "Dockerfile"
IGNORE_FILE = ".dockerignore"
_REMOTES = ("http://", "https://", "git://", "ssh://", "git@", "github.com/")


@dataclass(frozen=True)
class BuildContext:
    """A context, ready to be sent.

    Attributes:
        dockerfile: name of the Dockerfile in the context; None for the engine's default.
        remote: address from which the engine fetches the context; then nothing is sent.
        encoding: compression of the data, for the ``Content-Encoding`` header.
    """

    dockerfile: str | None = None
    remote: str | None = None
    encoding: str | None = None
    _pieces: Callable[[], Iterable[bytes]] = field(default=tuple, repr=False)
    _stream: IO[bytes] | Iterable[bytes] | bytes | None = field(default=None, repr=False)

    @property
    def repeatable(self) -> bool:
        """Return whether the context can be sent again."""
        return self._stream is None or isinstance(self._stream, bytes)

    def data(self) -> IO[bytes] | Iterable[bytes] | bytes | None:
        """Return the bytes to send, generated on demand; None with ``remote``."""
        if self.remote is not None:
            return None
        return self._stream if self._stream is not None else self._pieces()

    def watched(self, on_bytes: Callable[[int], None]) -> BuildContext:
        """Return a copy of the context that reports the length of each sent chunk."""
        stream = self._stream
        if self.remote is not None:
            return self
        if stream is None:
            return replace(self, _pieces=lambda: _report_progress(self._pieces(), on_bytes))
        if isinstance(stream, bytes):
            pieces: Iterable[bytes] = [stream]
        else:
            read = getattr(stream, "read", None)
            pieces = iter(partial(read, archive.PIECE), b"") if read else stream
        return replace(self, _stream=_report_progress(pieces, on_bytes))


def is_remote(path: object) -> bool:
    """Return whether the engine fetches this context: a URL or a git repository. An existing folder takes precedence."""
    return isinstance(path, str) and path.startswith(_REMOTES) and not os.path.isdir(path)


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
    """Return the context that a build's arguments describe. Only the Dockerfile and ignore file are read yet.

    Args:
        path: a folder; a dict of files; a git repository or URL for the engine to fetch; or the result of an earlier call.
        dockerfile: path of the Dockerfile: in the context, or anywhere on disk, relative to the context, or else to the
            working directory. Default: ``Dockerfile`` in the context.
        fileobj: the Dockerfile itself, alone or with `path`; with `custom_context`, the whole context as tar.
        custom_context: treat `fileobj` as a tar archive, compressed as specified by `encoding`.
        encoding: compression of a `custom_context`: "gzip", "bzip2", "xz"…
        gzip: compress the context; only worthwhile over slow connections.
        ignore: patterns instead of those in ``<Dockerfile>.dockerignore`` or ``.dockerignore``.

    Raises:
        InvalidArgument: the context is missing, or the arguments contradict each other.
        UnreadableFile: the Dockerfile does not exist.
    """
    if isinstance(path, BuildContext):
        if any((dockerfile, fileobj, custom_context, encoding, gzip, ignore)):
            raise InvalidArgument("path: this context is already open; pass its options to open_context()")
        return path
    name = local_path(dockerfile, "dockerfile") if dockerfile not in (None, "") else None
    if ignore is not None:
        ignore = string_list(sequence(ignore, "ignore"), "ignore")
    if custom_context:
        if fileobj is None or isinstance(fileobj, str):
            raise InvalidArgument("custom_context: pass the tar archive as fileobj, opened in binary mode")
        if path is not None:
            warnings.warn("with custom_context, the archive is the whole context and path is ignored", stacklevel=4)
        return BuildContext(name, None, "gzip" if gzip else encoding, _stream=cast("IO[bytes]", fileobj))
    if is_remote(path):
        if fileobj is not None or gzip or ignore is not None:
            raise InvalidArgument(
                "path: the engine fetches this context itself; fileobj, gzip and ignore have no effect, omit them"
            )
        return BuildContext(name, str(path))
    if fileobj is not None and path is not None and dockerfile is not None:
        raise InvalidArgument("dockerfile: pass either dockerfile or fileobj, not both")
    content = _content(fileobj) if fileobj is not None else None
    if path is None and content is None:
        raise InvalidArgument("path: must be a folder, a dict of files or a URL; or pass the Dockerfile as fileobj")
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
    """Yield the entries of a folder that belong to the context, sorted by name, folders before their contents.

    Args:
        root: the folder.
        rules: what to exclude. An excluded folder is skipped unless an exception could match in it; if one
            does, the folder itself is included too.
        keep: paths to include regardless of the rules.
    """
    rules = rules or IgnoreRules()
    included = frozenset(keep)
    parents = {path[:index] for path in included for index in range(len(path)) if path[index] == "/"}
    levels = [_Level(_listing(root), "", rules.root, None)]
    pending = 0  # levels whose folder has not been sent, because nothing in it has been
    judge = rules.judge
    while levels:
        items, prefix, parent, _ = levels[-1]
        for item in items:
            path = prefix + item.name
            ignored, verdict = judge(path, parent)
            if ignored and path in included:
                ignored = False
            try:
                is_folder = item.is_dir(follow_symlinks=False)
                if ignored and not (is_folder and (path in parents or rules.may_descend(path))):
                    continue
                info = item.stat(follow_symlinks=False)
            except OSError as error:
                raise UnreadableFile.of(error, item.path) from error
            if stat.S_ISSOCK(info.st_mode):
                continue
            entry = entry_of(item.path, path, info)
            if not ignored:
                if pending:
                    for index, level in enumerate(levels):
                        if level.folder is not None:
                            yield level.folder
                            levels[index] = level._replace(folder=None)
                    pending = 0
                yield entry
            if is_folder:
                pending += ignored
                levels.append(_Level(_listing(item.path), path + "/", verdict, entry if ignored else None))
                break
        else:
            pending -= levels.pop().folder is not None


class _Level(NamedTuple):
    """A folder being walked: its remaining entries, and its own entry until that is sent."""

    items: Iterator[os.DirEntry[str]]
    prefix: str
    verdict: Verdict
    folder: Entry | None


def _listing(path: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(path) as items:
            return iter(sorted(items, key=attrgetter("name")))
    except OSError as error:
        raise UnreadableFile.of(error, path) from error


def _from_folder(
    path: str | os.PathLike[str],
    dockerfile: str | os.PathLike[str] | None,
    content: bytes | None,
    ignore: Iterable[str] | None,
) -> tuple[str | None, Callable[[], Iterator[Entry]]]:
    root = os.path.realpath(local_path(path))
    if not os.path.isdir(root):
        raise InvalidArgument(f"path: {os.fspath(path)!r} is not a folder")
    resolved = _Dockerfile(None, content) if content is not None else _find_dockerfile(root, dockerfile)
    default_ignore_file = os.path.join(root, IGNORE_FILE)
    ignore_file = next(
        (file for file in (resolved.ignore_file, default_ignore_file) if file and os.path.isfile(file)), None
    )
    if ignore is not None:
        ignore_content, ignore_file = "\n".join(ignore).encode(), None
    else:
        ignore_content = read_file(ignore_file) if ignore_file else b""
    rules = IgnoreRules.read(ignore_content)
    extra: dict[str, bytes] = {}
    if resolved.content is not None:
        extra[_hidden_name(resolved.content)] = resolved.content
    name = next(iter(extra), resolved.name)
    if extra or (rules and ignore_file != default_ignore_file):
        # The engine reads .dockerignore again and applies its rules to these two files.
        hidden = [*extra] if os.path.isfile(default_ignore_file) else [*extra, IGNORE_FILE]
        extra[IGNORE_FILE] = ignore_content + "".join(f"\n{file}" for file in hidden).encode() + b"\n"
    keep = {IGNORE_FILE, resolved.name or DOCKERFILE}

    def entries() -> Iterator[Entry]:
        disk_entries = folder_entries(root, rules, keep=keep)
        yield from (entry for entry in disk_entries if entry.name not in extra) if extra else disk_entries
        yield from archive.files(extra)

    return name, entries


def _from_files(
    contents: Files, dockerfile: str | os.PathLike[str] | None, content: bytes | None, ignore: Iterable[str] | None
) -> tuple[str | None, Callable[[], Iterator[Entry]]]:
    for file, value in contents.items():
        if not isinstance(file, str) or not isinstance(value, (str, bytes, os.PathLike)):
            raise_invalid("path", "a folder, a URL, or a dict of strings, bytes and paths by file name", contents)
    members = {archive.clean_name(name, "path"): value for name, value in contents.items()}
    name = local_path(dockerfile, "dockerfile") if dockerfile is not None else None
    if content is None and name is not None and name not in members:
        content = read_file(name)
    if content is not None:
        name = None if DOCKERFILE not in members else _hidden_name(content)
        members[name or DOCKERFILE] = content
    elif (name or DOCKERFILE) not in members:
        raise InvalidArgument(f"path: {name or DOCKERFILE!r} is not among the files {sorted(members)}")
    ignore_content = "\n".join(ignore) if ignore is not None else members.get(IGNORE_FILE, b"")
    rules = IgnoreRules.read(
        ignore_content if isinstance(ignore_content, (bytes, str)) else read_file(os.fspath(ignore_content))
    )
    keep = {IGNORE_FILE, name or DOCKERFILE}

    def entries() -> Iterator[Entry]:
        folders: set[str] = set()
        for name, value in sorted(members.items()):
            for entry in _member(name, value):
                if entry.name not in keep and rules.ignores(entry.name):
                    continue
                for index, char in enumerate(entry.name):
                    if char == "/" and entry.name[:index] not in folders:
                        folders.add(entry.name[:index])
                        yield Entry(entry.name[:index], stat.S_IFDIR | 0o755)
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
        raise UnreadableFile(errno.ENOENT, f"{name}: {path} does not exist")
    return archive.walk(path, name)


class _Dockerfile(NamedTuple):
    """A Dockerfile, by its name in the context or by its content, and its ignore file."""

    name: str | None
    content: bytes | None = None
    ignore_file: str | None = None


def dockerfile_path(root: str, dockerfile: str | os.PathLike[str] | None) -> str:
    """Find a Dockerfile: in the folder, or else relative to the working directory."""
    if not dockerfile:
        lower = not os.path.exists(os.path.join(root, DOCKERFILE)) and os.path.isfile(os.path.join(root, "dockerfile"))
        name = DOCKERFILE.lower() if lower else DOCKERFILE
    else:
        name = os.fspath(dockerfile)
    path = os.path.join(root, name)
    if not os.path.isfile(path) and os.path.isfile(name):
        path = os.path.abspath(name)
    if not os.path.isfile(path):
        from dockerkit.errors.api import DockerfileNotFound

        missing = path if os.path.isdir(root) else f"the folder {root}"
        raise DockerfileNotFound(f"Cannot locate specified Dockerfile: {name} ({missing} does not exist)")
    return path


def _find_dockerfile(root: str, dockerfile: str | os.PathLike[str] | None) -> _Dockerfile:
    path = dockerfile_path(root, dockerfile)
    ignore_file = path + IGNORE_FILE
    real = os.path.realpath(path)
    if os.path.commonpath([root, real]) != root:
        return _Dockerfile(None, read_file(path), ignore_file)
    name = os.path.relpath(real, root).replace(os.sep, "/")
    return _Dockerfile(None if name == DOCKERFILE else name, None, ignore_file)


def _hidden_name(content: bytes) -> str:
    """Return a name for a Dockerfile from outside the context: always the same for a file, and unlikely to be taken."""
    return f".dockerfile.{hashlib.sha256(content).hexdigest()[:20]}"


def _content(fileobj: IO[bytes] | IO[str] | str | bytes) -> bytes:
    if isinstance(fileobj, (str, bytes)):
        content: str | bytes = fileobj
    else:
        if not hasattr(fileobj, "read"):
            raise_invalid("fileobj", "a file, bytes or a string", fileobj)
        if fileobj.seekable():  # a file that was just written is positioned at its end
            fileobj.seek(0)
        content = fileobj.read()
    return content.encode() if isinstance(content, str) else content


def _report_progress(pieces: Iterable[bytes], on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    for piece in pieces:
        on_bytes(len(piece))
        yield piece


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)  # unlike the gzip module, writes no time to the header
    for piece in pieces:
        if compressed := compressor.compress(piece):
            yield compressed
    yield compressor.flush()


_MISSING = re.compile(
    r'(?:checksum of ref \S+|compute cache key): "/?([^"]+)":? not found|excluded by \.dockerignore: stat (\S+?): '
)


def missing_file(message: str, path: object, dockerfile: object) -> str:
    """Return why the context lacks a file that an instruction copies; "" for another kind of message or context."""
    match = _MISSING.search(message)
    if match is None:
        return ""
    name = next(filter(None, match.groups()))
    if isinstance(path, Mapping):
        return "" if name in path else f"{name!r} does not exist in the build context"
    if not isinstance(path, (str, os.PathLike)) or not os.path.isdir(path):
        return ""
    folder = os.fspath(path)
    if not os.path.lexists(os.path.join(folder, name)):
        return f"{name!r} does not exist in the build context {folder!r}"
    ignore_name = f"{dockerfile if isinstance(dockerfile, str) else 'Dockerfile'}{IGNORE_FILE}"
    for file in (os.path.join(folder, ignore_name), os.path.join(folder, IGNORE_FILE)):
        try:
            with open(file, encoding="utf-8-sig", errors="replace") as lines:
                rules = [(number, line.strip()) for number, line in enumerate(lines, 1)]
        except OSError:
            continue
        for number, rule in reversed(rules):
            if not rule.startswith("!") and IgnoreRules.read(rule).ignores(name):
                return f"{name!r} is excluded from the build context by line {number} of {file}: {rule}"
        break
    return ""
