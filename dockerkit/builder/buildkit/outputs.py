"""Build outputs: an image in the engine, or files on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from dockerkit._lazy import lazy_names
from dockerkit.errors import InvalidArgument
from dockerkit.files.atomic import atomic_write
from dockerkit.files.extract import extract
from dockerkit.parsing.values import file_target, sequence

__all__ = ["Exporter", "OutputSpec", "outputs_of"]

Kind = Literal["image", "tar", "local", "oci", "docker", "cacheonly"]
Destination: TypeAlias = "str | os.PathLike[str] | IO[bytes]"
OutputSpec: TypeAlias = "Exporter | str | Mapping[str, object]"
"""An :class:`Exporter`, or the docker command's format: ``"type=tar,dest=out.tar"``, a folder's path, or a dict."""

_KINDS = get_args(Kind)
_TO_FILES = frozenset({"tar", "local", "oci", "docker"})


@dataclass(frozen=True)
class Exporter:
    """One output of a build.

    Attributes:
        type: "image": in the engine; "tar": the files of the last stage as an archive; "local": the same in a folder;
            "oci", "docker": the image as an archive (containerd's image store only); "cacheonly": nothing.
        dest: destination path; archives also accept a binary file that is open for writing.
        attrs: further BuildKit attributes, such as ``compression`` or ``push``.
    """

    type: Kind = "image"
    dest: Destination | None = None
    attrs: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.type not in _KINDS:
            raise InvalidArgument(f"outputs: type must be one of {', '.join(_KINDS)}, got {self.type!r}")
        if self.to_files and self.dest is None:
            raise InvalidArgument(f"outputs: type {self.type!r} requires a dest")
        if not self.to_files and self.dest is not None:
            raise InvalidArgument(f"outputs: type {self.type!r} does not take a dest")
        if self.type == "local" and not isinstance(self.dest, (str, os.PathLike)):
            raise InvalidArgument("outputs: the dest of type 'local' must be the path of a folder")
        if self.type != "local" and self.dest is not None:
            file_target(self.dest, "outputs: dest")

    @property
    def to_files(self) -> bool:
        """Return whether the output is written on this machine, not in the engine."""
        return self.type in _TO_FILES

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write the output; a destination path appears only once it is complete.

        Raises:
            UnsafeArchive: a file would be written outside the folder, or is a device.
            OSError: the output can't be written.
        """
        if self.type == "local":
            os.makedirs(cast("str", self.dest), exist_ok=True)
            extract(pieces, cast("str", self.dest), outside_links="keep")
        elif isinstance(self.dest, (str, os.PathLike)):
            os.makedirs(os.path.dirname(os.path.abspath(self.dest)), exist_ok=True)
            with atomic_write(self.dest) as file:
                for piece in pieces:
                    file.write(piece)
        else:
            for piece in pieces:
                cast("IO[bytes]", self.dest).write(piece)


def outputs_of(specs: OutputSpec | Sequence[OutputSpec] | None) -> tuple[Exporter, ...]:
    """Parse the ``outputs`` argument; the default is an image."""
    if specs is None:
        return (Exporter(),)
    items = [specs] if isinstance(specs, (str, Exporter, Mapping)) else sequence(specs, "outputs")
    if not items:
        raise InvalidArgument("outputs: must not be empty; omit it to build an image")
    exporters = tuple(_output(spec) for spec in items)
    if sum(output.type == "image" for output in exporters) > 1:
        raise InvalidArgument("outputs: must contain at most one image; pass several tags instead")
    effective = tuple(output for output in exporters if output.type != "cacheonly")  # it adds nothing to other outputs
    return effective or exporters[:1]


def _output(spec: OutputSpec) -> Exporter:
    if isinstance(spec, Exporter):
        return spec
    if isinstance(spec, str):
        parts = [part.partition("=") for part in spec.split(",")] if "=" in spec else []
        fields: dict[str, object] = {key: value for key, _, value in parts} or {"type": "local", "dest": spec}
    elif isinstance(spec, Mapping):
        fields = dict(spec)
    else:
        raise InvalidArgument(f"outputs: {spec!r} is not a valid output")
    kind = fields.pop("type", "image")
    dest = fields.pop("dest", None)
    attrs = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in fields.items()}
    return Exporter(cast("Kind", kind), cast("Destination | None", dest), attrs)


if TYPE_CHECKING:
    Output = Exporter
else:
    __getattr__, __dir__ = lazy_names(__name__, renamed={"Output": "Exporter"})
