"""Where a build's Dockerfile and files come from, as BuildKit wants to be told."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, cast

from dockerkit.build import context as contexts
from dockerkit.build.buildkit.tree import Files, Folder, Tree
from dockerkit.errors import InvalidArgument, UnreadableFile

__all__ = ["ContextSpec", "Source", "named_contexts", "source_of"]

ContextSpec = str | os.PathLike[str] | contexts.Files

_DOCKERFILE = "Dockerfile"
_BLOCK = 128 * 1024
_UPLOAD = "http://buildkit-session/context"


@dataclass
class Source:
    """What a build is made from.

    Attributes:
        attrs: what the Dockerfile frontend is told about it.
        trees: folders and files that BuildKit fetches from here, by name.
        archive: the whole context as one archive.
        dockerfile: the Dockerfile's text, where it is known here.
        name: how errors name the Dockerfile.
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
    """The source that a build's arguments describe; they mean what they mean to the classic builder.

    Raises:
        InvalidArgument: there is none, or the arguments contradict each other.
        UnreadableFile: the Dockerfile can't be read.
    """
    if transfer not in ("sync", "tar"):
        raise InvalidArgument(f"transfer: 'sync' or 'tar' is needed, not {transfer!r}")
    if custom_context or transfer == "tar":
        return _archived(path, dockerfile, fileobj, custom_context, encoding, ignore)
    if contexts.is_remote(path):
        if fileobj is not None or ignore is not None:
            raise InvalidArgument("path: the engine fetches this context itself: fileobj and ignore can't be heeded")
        attrs = {"context": str(path)} | ({"filename": os.fspath(dockerfile)} if dockerfile is not None else {})
        return Source(attrs, name=os.fspath(dockerfile or _DOCKERFILE))
    if fileobj is not None and dockerfile is not None:
        raise InvalidArgument("dockerfile: the Dockerfile is given already, as fileobj")
    if path is None and fileobj is None:
        raise InvalidArgument("path: a folder, a dict of files or a URL is needed; or the Dockerfile as fileobj")
    found = _Dockerfile.given(fileobj) if fileobj is not None else _Dockerfile.find(path, dockerfile)
    files: dict[str, str | bytes | os.PathLike[str]] = {_DOCKERFILE: found.content}
    told = "\n".join(ignore) + "\n" if ignore is not None else found.ignore
    if told is not None:
        files[f"{_DOCKERFILE}.dockerignore"] = told
    trees: dict[str, Tree] = {"context": _tree(path if path is not None else {}, "path"), "dockerfile": Files(files)}
    return Source({"filename": _DOCKERFILE}, trees, None, found.content.decode("utf-8", "replace"), found.name)


def named_contexts(given: Mapping[str, ContextSpec] | None) -> Source:
    """Further contexts, for ``FROM name`` and ``COPY --from=name``: folders, dicts of files, URLs, images.

    Raises:
        InvalidArgument: one that is none of these.
    """
    source = Source()
    for name, spec in (given or {}).items():
        key = f"context:{name}"
        if isinstance(spec, str) and (spec.startswith("docker-image://") or contexts.is_remote(spec)):
            source.attrs[key] = spec
        else:
            source.attrs[key] = f"local:named-{name}"
            source.trees[f"named-{name}"] = _tree(spec, f"contexts[{name!r}]")
    return source


def _tree(spec: ContextSpec, argument: str) -> Tree:
    if isinstance(spec, Mapping):
        return Files(spec)
    root = os.path.realpath(spec)
    if not os.path.isdir(root):
        raise InvalidArgument(f"{argument}: {os.fspath(spec)!r} is no folder")
    return Folder(root)


@dataclass
class _Dockerfile:
    """A Dockerfile's content and name, and the ignore file that belongs to it alone.

    BuildKit gets these from memory, with a time that is always new: it would take an edited Dockerfile for the old one
    if size and time had stayed the same.
    """

    content: bytes
    name: str = _DOCKERFILE
    ignore: bytes | None = None

    @classmethod
    def given(cls, fileobj: IO[bytes] | IO[str] | str | bytes) -> _Dockerfile:
        content = fileobj if isinstance(fileobj, (str, bytes)) else fileobj.read()
        return cls(content.encode() if isinstance(content, str) else content)

    @classmethod
    def find(cls, path: ContextSpec | None, dockerfile: str | os.PathLike[str] | None) -> _Dockerfile:
        name = os.fspath(dockerfile) if dockerfile is not None else None
        if isinstance(path, Mapping):
            member = path.get(name or _DOCKERFILE)
            if member is not None:
                beside = path.get(f"{name or _DOCKERFILE}.dockerignore")
                return cls(_content(member), name or _DOCKERFILE, None if beside is None else _content(beside))
            if name is None:
                raise InvalidArgument(f"path: there is no {_DOCKERFILE!r} among the files; they are {sorted(path)}")
            place = name
        else:
            root = os.fspath(cast("str", path))
            place = os.path.join(root, name or _DOCKERFILE)
            if name is None and not os.path.exists(place):
                lower = os.path.join(root, _DOCKERFILE.lower())
                place = lower if os.path.isfile(lower) else place
            if name is not None and not os.path.isfile(place) and os.path.isfile(name):
                place = name
        beside_place = f"{place}.dockerignore"
        ignore = _read(beside_place) if os.path.isfile(beside_place) else None
        return cls(_read(place), name or os.path.basename(place), ignore)


def _content(value: str | bytes | os.PathLike[str]) -> bytes:
    if isinstance(value, os.PathLike):
        return _read(os.fspath(value))
    return value.encode() if isinstance(value, str) else value


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UnreadableFile.of(error, path) from error


def _archived(
    path: ContextSpec | None,
    dockerfile: str | os.PathLike[str] | None,
    fileobj: IO[bytes] | IO[str] | str | bytes | None,
    custom_context: bool,
    encoding: str | None,
    ignore: Iterable[str] | None,
) -> Source:
    if encoding not in (None, "gzip", "bzip2"):
        raise InvalidArgument(f"encoding: BuildKit unpacks gzip and bzip2, not {encoding!r}")
    context = contexts.open_context(
        path, dockerfile=dockerfile, fileobj=fileobj, custom_context=custom_context, encoding=encoding, ignore=ignore
    )
    data = context.data()
    if data is None:
        raise InvalidArgument("transfer: the engine fetches this context itself")
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
    """The archive so that BuildKit sees it is one.

    It looks at the first KiB only, and takes an archive whose first member has an extended header (a long name, a
    fractional time) for a Dockerfile. Compressed ones are exempt.
    """
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= 512:
            break
    squeeze = head[257:262] == b"ustar" and head[156:157] in (b"x", b"g", b"L", b"K")
    compressor = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS) if squeeze else None
    yield compressor.compress(head) if compressor else head
    for piece in pieces:
        yield compressor.compress(piece) if compressor else piece
    if compressor:
        yield compressor.flush()
