"""docker-py's ``docker.utils.build``: contexts as temporary tar files. dockerkit itself streams them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, cast

from dockerkit.builder.context import _gzip, folder_entries, open_context
from dockerkit.builder.ignore import IgnoreRules
from dockerkit.compat.constants import IS_WINDOWS_PLATFORM
from dockerkit.errors import InvalidArgument
from dockerkit.files.archive import entry_of, pack
from dockerkit.files.archive import files as archive_files

__all__ = [
    "IS_WINDOWS_PLATFORM", "Pattern", "PatternMatcher", "build_file_list", "create_archive", "exclude_paths",
    "match_tag", "mkbuildcontext", "normalize_slashes", "split_path", "tar", "walk",
]  # fmt: skip


def match_tag(tag: str) -> bool:
    """Return whether a string is a valid image name."""
    from dockerkit.errors import InvalidRepository
    from dockerkit.parsing.reference import Reference

    try:
        Reference.parse(tag)
    except (InvalidRepository, ValueError):
        return False
    return True


def _spool(blocks: Iterable[bytes], fileobj: IO[bytes] | None = None) -> IO[bytes]:
    file = fileobj or cast("IO[bytes]", tempfile.NamedTemporaryFile())  # noqa: SIM115 - it is the result
    for block in blocks:
        file.write(block)
    file.seek(0)
    return file


def tar(
    path: str,
    exclude: Sequence[str] | None = None,
    dockerfile: tuple[str | None, str | None] | None = None,
    fileobj: IO[bytes] | None = None,
    gzip: bool = False,
) -> IO[bytes]:
    """Create the build context of a folder.

    Args:
        path: the folder.
        exclude: patterns of the ignore file.
        dockerfile: name of the Dockerfile in the context, and its content if it is to be added.
        fileobj: file to write to; None for a temporary file.
        gzip: compress it.

    Returns:
        The file, at its start.
    """
    name, content = dockerfile or (None, None)
    extra = [(name, content)] if name and content is not None else []
    return create_archive(path, sorted(exclude_paths(path, exclude or [], name)), fileobj, gzip, extra)


def create_archive(
    root: str,
    files: Iterable[str] | None = None,
    fileobj: IO[bytes] | None = None,
    gzip: bool = False,
    extra_files: Sequence[tuple[str, str]] | None = None,
) -> IO[bytes]:
    """Create a tar archive of a folder.

    Args:
        root: the folder.
        files: paths in the folder; None for all.
        fileobj: file to write to; None for a temporary file.
        gzip: compress it.
        extra_files: (name, content) of additional files.

    Returns:
        The file, at its start.
    """
    if gzip and fileobj is not None:
        raise InvalidArgument("gzip: can't be combined with fileobj")
    added = dict(extra_files or ())
    names = [name for name in (build_file_list(root) if files is None else files) if name not in added]
    on_disk = (entry_of(os.path.join(root, name), name, os.lstat(os.path.join(root, name))) for name in names)
    blocks = pack(chain(on_disk, archive_files(added)))
    return _spool(_gzip(blocks) if gzip else blocks, fileobj)


def mkbuildcontext(dockerfile: IO[bytes] | IO[str]) -> IO[bytes]:
    """Create a context that contains only a Dockerfile.

    Args:
        dockerfile: an open file.
    """
    return _spool(cast("Iterable[bytes]", open_context(fileobj=dockerfile).data()))


def exclude_paths(root: str, patterns: Sequence[str], dockerfile: str | None = None) -> set[str]:
    """Return the paths not excluded by an ignore file's patterns, and always the Dockerfile and .dockerignore."""
    return set(_paths(root, patterns, dockerfile or "Dockerfile", ".dockerignore"))


def _paths(root: str, patterns: Iterable[str], *keep: str) -> Iterator[str]:
    for entry in folder_entries(root, IgnoreRules.read("\n".join(patterns)), keep=keep):
        yield entry.name.rstrip("/")


def build_file_list(root: str) -> list[str]:
    """Yield all paths below a folder, relative to it."""
    return list(_paths(root, []))


def walk(root: str, patterns: Iterable[str], default: bool = True) -> Iterator[str]:
    """Yield the paths not excluded by the patterns (``default`` was always True)."""
    return _paths(root, patterns)


def normalize_slashes(p: str) -> str:
    """Return a path with ``/`` as separator."""
    return p.replace("\\", "/") if IS_WINDOWS_PLATFORM else p


def split_path(p: str) -> list[str]:
    """Return a path's parts without empty ones and ``.``."""
    return [part for part in normalize_slashes(p).split("/") if part not in ("", ".")]


class Pattern:
    """A line of an ignore file."""

    def __init__(self, pattern_str: str) -> None:
        self.exclusion: bool = pattern_str.startswith("!")
        self.dirs: list[str] = self.normalize(pattern_str.removeprefix("!"))
        self.cleaned_pattern: str = "/".join(self.dirs)
        self._rules = IgnoreRules([self.cleaned_pattern] if self.dirs else [])

    @classmethod
    def normalize(cls, p: str) -> list[str]:
        """Return a pattern's parts, with ``..`` resolved."""
        parts: list[str] = []
        for part in split_path(p):
            if part == "..":
                del parts[-1:]
            else:
                parts.append(part)
        return parts

    def match(self, filepath: str) -> bool:
        """Return whether the pattern matches a path or one of its parent folders."""
        return self._rules.ignores(normalize_slashes(filepath))


class PatternMatcher:
    """Patterns of an ignore file."""

    def __init__(self, patterns: Iterable[str]) -> None:
        lines = list(patterns)
        self.patterns: list[Pattern] = [Pattern(line) for line in lines]
        self._lines = lines

    def matches(self, filepath: str) -> bool:
        """Return whether a path is excluded."""
        return IgnoreRules(self._lines).ignores(normalize_slashes(filepath))

    def walk(self, root: str) -> Iterator[str]:
        """Yield the paths of a folder that are not excluded."""
        return walk(root, self._lines)
