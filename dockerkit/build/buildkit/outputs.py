"""What a build makes: an image in the engine, or files here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Literal, TypeAlias, cast

from dockerkit.errors import InvalidArgument
from dockerkit.extract import extract
from dockerkit.localfiles import replacing

__all__ = ["Output", "OutputSpec", "outputs_of"]

Kind = Literal["image", "tar", "local", "oci", "docker", "cacheonly"]
Destination: TypeAlias = "str | os.PathLike[str] | IO[bytes]"
OutputSpec: TypeAlias = "Output | str | Mapping[str, object]"
"""An :class:`Output`, or as the docker command takes it: ``"type=tar,dest=out.tar"``, a folder's path, or a dict."""

_KINDS = ("image", "tar", "local", "oci", "docker", "cacheonly")
_TO_FILES = frozenset({"tar", "local", "oci", "docker"})


@dataclass(frozen=True)
class Output:
    """One result of a build.

    Attributes:
        type: "image": in the engine; "tar": the files of the last stage as an archive; "local": the same in a folder;
            "oci", "docker": the image as an archive (containerd's image store only); "cacheonly": nothing.
        dest: where to: a path, or for archives a binary file that is open for writing.
        attrs: further attributes as BuildKit knows them, such as ``compression`` or ``push``.
    """

    type: Kind = "image"
    dest: Destination | None = None
    attrs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.type not in _KINDS:
            raise InvalidArgument(f"outputs: the type is one of {', '.join(_KINDS)}, not {self.type!r}")
        if self.to_files and self.dest is None:
            raise InvalidArgument(f"outputs: type {self.type!r} needs a dest")
        if not self.to_files and self.dest is not None:
            raise InvalidArgument(f"outputs: type {self.type!r} has no dest")
        if self.type == "local" and not isinstance(self.dest, (str, os.PathLike)):
            raise InvalidArgument("outputs: the dest of type 'local' is the path of a folder")

    @property
    def to_files(self) -> bool:
        """Whether it ends here, not in the engine."""
        return self.type in _TO_FILES

    def write(self, pieces: Iterable[bytes]) -> None:
        """Take what BuildKit made; a path appears only when all is there.

        Raises:
            UnsafeArchive: a file would leave the folder, or is a device.
            OSError: it can't be written.
        """
        if self.type == "local":
            os.makedirs(cast("str", self.dest), exist_ok=True)
            extract(pieces, cast("str", self.dest), outside_links="keep")
        elif isinstance(self.dest, (str, os.PathLike)):
            os.makedirs(os.path.dirname(os.path.abspath(self.dest)), exist_ok=True)
            with replacing(self.dest) as file:
                for piece in pieces:
                    file.write(piece)
        else:
            for piece in pieces:
                cast("IO[bytes]", self.dest).write(piece)


def outputs_of(given: OutputSpec | Sequence[OutputSpec] | None) -> tuple[Output, ...]:
    """The outputs of an argument ``outputs``; an image if there is none.

    Raises:
        InvalidArgument: one that makes no sense, or several for the image.
    """
    if given is None:
        return (Output(),)
    many = [given] if isinstance(given, (str, Output, Mapping)) else list(given)
    if not many:
        raise InvalidArgument("outputs: an empty list makes nothing; leave it out for an image")
    found = tuple(_output(spec) for spec in many)
    if sum(output.type == "image" for output in found) > 1:
        raise InvalidArgument("outputs: the image can be made once; give it several tags instead")
    made = tuple(output for output in found if output.type != "cacheonly")  # beside others it asks for nothing more
    return made or found[:1]


def _output(spec: OutputSpec) -> Output:
    if isinstance(spec, Output):
        return spec
    if isinstance(spec, str):
        parts = [part.partition("=") for part in spec.split(",")] if "=" in spec else []
        fields: dict[str, object] = {key: value for key, _, value in parts} or {"type": "local", "dest": spec}
    elif isinstance(spec, Mapping):
        fields = dict(spec)
    else:
        raise InvalidArgument(f"outputs: {spec!r} is no output")
    kind = fields.pop("type", "image")
    dest = fields.pop("dest", None)
    attrs = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in fields.items()}
    return Output(cast("Kind", kind), cast("Destination | None", dest), attrs)
