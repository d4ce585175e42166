"""Sources of a build's Dockerfile and files, in BuildKit's terms."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from dockerkit.builder import context as contexts
from dockerkit.builder.buildkit.tree import Files, Folder, Tree
from dockerkit.errors import InvalidArgument
from dockerkit.files.reading import read_file
from dockerkit.parsing.values import local_path, mapping, raise_invalid, sequence, string_list

__all__ = ["ContextSpec", "Source", "named_contexts", "source_of"]

ContextSpec = str | os.PathLike[str] | contexts.Files

_DOCKERFILE = "Dockerfile"
_BLOCK = 128 * 1024
_UPLOAD = "http://buildkit-session/context"


@dataclass
class Source:
    """The Dockerfile and files of a build.

    Attributes:
        attrs: frontend attributes that describe the source.
        trees: folders and files that BuildKit fetches through the session, by name.
        archive: the whole context as one archive.
        dockerfile: content of the Dockerfile, if known on this side.
        name: name of the Dockerfile in errors.
    """

    attrs: dict[str, str] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    archive: Iterable[bytes] | None = None
    dockerfile: str | None = None
    name: str = _DOCKERFILE


def source_of(
    path: ContextSpec | None,
    *,
    dockerfile: str | os.PathLike[str] | None = None,
    fileobj: IO[bytes] | IO[str] | str | bytes | None = None,
    custom_context: bool = False,
    encoding: str | None = None,
    ignore: Iterable[str] | None = None,
    transfer: str = "sync",
) -> Source:
    """Return the source that a build's arguments describe. They mean the same as for the classic builder."""
    if transfer not in ("sync", "tar"):
        raise InvalidArgument(f"transfer: must be 'sync' or 'tar', got {transfer!r}")
    if custom_context or transfer == "tar":
        return _archived(path, dockerfile, fileobj, custom_context, encoding, ignore)
    if contexts.is_remote(path):
        if fileobj is not None or ignore is not None:
            raise InvalidArgument(
                "path: the engine fetches this context itself; fileobj and ignore have no effect, omit them"
            )
        attrs = {"context": str(path)} | ({"filename": os.fspath(dockerfile)} if dockerfile is not None else {})
        return Source(attrs, name=os.fspath(dockerfile or _DOCKERFILE))
    if fileobj is not None and dockerfile is not None:
        raise InvalidArgument("dockerfile: pass either dockerfile or fileobj, not both")
    if dockerfile not in (None, ""):
        dockerfile = local_path(dockerfile, "dockerfile")
    if path is None and fileobj is None:
        raise InvalidArgument("path: must be a folder, a dict of files or a URL; or pass the Dockerfile as fileobj")
    resolved = _Dockerfile.from_fileobj(fileobj) if fileobj is not None else _Dockerfile.find(path, dockerfile)
    files: dict[str, str | bytes | os.PathLike[str]] = {_DOCKERFILE: resolved.content}
    ignore_content = resolved.ignore
    if ignore is not None:
        ignore_content = "".join(f"{line}\n" for line in string_list(sequence(ignore, "ignore"), "ignore")).encode()
    if ignore_content is not None:
        files[f"{_DOCKERFILE}.dockerignore"] = ignore_content
    trees: dict[str, Tree] = {"context": _tree(path if path is not None else {}, "path"), "dockerfile": Files(files)}
    return Source({"filename": _DOCKERFILE}, trees, None, resolved.content.decode("utf-8", "replace"), resolved.name)


def named_contexts(specs: Mapping[str, ContextSpec] | None) -> Source:
    """Return the source of named contexts, for ``FROM name`` and ``COPY --from=name``."""
    source = Source()
    for name, spec in (mapping(specs, "contexts") if specs else {}).items():
        key = f"context:{name}"
        if isinstance(spec, str) and (spec.startswith("docker-image://") or contexts.is_remote(spec)):
            source.attrs[key] = spec
        else:
            source.attrs[key] = f"local:named-{name}"
            source.trees[f"named-{name}"] = _tree(spec, f"contexts[{name!r}]")
    return source


def _tree(spec: ContextSpec, argument: str) -> Tree:
    if isinstance(spec, Mapping):
        for name, content in spec.items():
            if not isinstance(name, str) or not isinstance(content, (str, bytes, os.PathLike)):
                raise_invalid(argument, "a folder, or a dict of strings, bytes and paths by file name", spec)
        return Files(spec)
    root = os.path.realpath(local_path(spec, argument))
    if not os.path.isdir(root):
        raise InvalidArgument(f"{argument}: {os.fspath(spec)!r} is not a folder")
    return Folder(root)


@dataclass
class _Dockerfile:
    """A Dockerfile's content and name, and the ignore file that belongs to it alone.

    BuildKit gets these from memory with a fresh modification time: it would reuse the old Dockerfile
    if an edit left size and time unchanged.
    """

    content: bytes
    name: str = _DOCKERFILE
    ignore: bytes | None = None

    @classmethod
    def from_fileobj(cls, fileobj: IO[bytes] | IO[str] | str | bytes) -> _Dockerfile:
        if not isinstance(fileobj, (str, bytes)) and not hasattr(fileobj, "read"):
            raise_invalid("fileobj", "a file, bytes or a string", fileobj)
        content = fileobj if isinstance(fileobj, (str, bytes)) else fileobj.read()
        return cls(content.encode() if isinstance(content, str) else content)

    @classmethod
    def find(cls, path: ContextSpec | None, dockerfile: str | os.PathLike[str] | None) -> _Dockerfile:
        name = os.fspath(dockerfile) if dockerfile is not None else None
        if isinstance(path, Mapping):
            member = path.get(name or _DOCKERFILE)
            if member is not None:
                ignore_content = path.get(f"{name or _DOCKERFILE}.dockerignore")
                return cls(
                    _content(member), name or _DOCKERFILE, None if ignore_content is None else _content(ignore_content)
                )
            if name is None:
                raise InvalidArgument(f"path: {_DOCKERFILE!r} is not among the files {sorted(path)}")
            file_path = name
        else:
            file_path = contexts.dockerfile_path(local_path(path), dockerfile)
        ignore_path = f"{file_path}.dockerignore"
        ignore = read_file(ignore_path) if os.path.isfile(ignore_path) else None
        return cls(read_file(file_path), name or os.path.basename(file_path), ignore)


def _content(value: str | bytes | os.PathLike[str]) -> bytes:
    if isinstance(value, os.PathLike):
        return read_file(os.fspath(value))
    return value.encode() if isinstance(value, str) else value


def _archived(
    path: ContextSpec | None,
    dockerfile: str | os.PathLike[str] | None,
    fileobj: IO[bytes] | IO[str] | str | bytes | None,
    custom_context: bool,
    encoding: str | None,
    ignore: Iterable[str] | None,
) -> Source:
    if encoding not in (None, "gzip", "bzip2"):
        raise InvalidArgument(f"encoding: must be gzip or bzip2 for BuildKit, got {encoding!r}")
    context = contexts.open_context(
        path, dockerfile=dockerfile, fileobj=fileobj, custom_context=custom_context, encoding=encoding, ignore=ignore
    )
    data = context.data()
    if data is None:
        raise InvalidArgument("transfer: the engine fetches this context itself; omit transfer")
    attrs = {"context": _UPLOAD} | ({"filename": context.dockerfile} if context.dockerfile else {})
    return Source(attrs, archive=_sniffable(_blocks(data)), name=context.dockerfile or _DOCKERFILE)


def _blocks(data: IO[bytes] | Iterable[bytes] | bytes) -> Iterator[bytes]:
    if isinstance(data, bytes):
        data = io.BytesIO(data)
    read = getattr(data, "read", None)
    if read is None:
        yield from data
        return
    while block := read(_BLOCK):
        yield block


def _sniffable(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Rewrite the start of an archive so that BuildKit recognizes it.

    It only looks at the first KiB, and mistakes an archive whose first member has an extended header (a long name, a
    fractional time) for a Dockerfile. Compressed archives are not affected.
    """
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= 512:
            break
    compress = head[257:262] == b"ustar" and head[156:157] in (b"x", b"g", b"L", b"K")
    compressor = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS) if compress else None
    yield compressor.compress(head) if compressor else head
    for piece in pieces:
        yield compressor.compress(piece) if compressor else piece
    if compressor:
        yield compressor.flush()
