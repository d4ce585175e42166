"""Building images: one call, two builders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from dockerkit.errors import BuildError, InvalidArgument
from dockerkit.models.resource import Collection
from dockerkit.progress import following

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.build.options import BuildOptions
    from dockerkit.models.images import Image
    from dockerkit.progress import ProgressSpec

Builder = Literal["auto", "classic", "buildkit"]
_LOG_LINES = 20
_STEP = re.compile(r"Step \d+/\d+ : (.*)")
_ID = re.compile(r"(?:Successfully built |^)(sha256:[0-9a-f]{64}|[0-9a-f]{12,64})\s*$")
_NEEDS_BUILDKIT = "requires BuildKit"


class ImageBuilds(Collection["Image"]):
    """The part of the images that builds new ones."""

    def build(
        self, *, builder: Builder = "auto", progress: ProgressSpec = None, **options: Unpack[BuildOptions]
    ) -> tuple[Image, Iterator[dict[str, Any]]]:
        """Build an image. ``POST /build``

        Args:
            builder: "classic", "buildkit", or "auto": BuildKit where an option or the Dockerfile needs it, or
                ``DOCKER_BUILDKIT=1`` asks for it; else the classic builder.
            progress: show it: True (what fits the place), "plain" (lines), a function that gets the state.
            options: `path`, `fileobj`, `dockerfile`, `tag`, `buildargs`, `target`, `platform`..., see
                :class:`~dockerkit.build.options.BuildOptions`.

        Returns:
            The image, and an iterator over the records of the build.

        Raises:
            BuildError: a step failed. It has the log (``build_log``), the failed step and its last lines of output, and
                its exit code.
            InvalidArgument: there is no context, or arguments contradict each other.
            UnreadableFile: a file of the context, or the Dockerfile, can't be read.

        Example::

            image, log = client.images.build(path=".", tag="app:1", progress=True)
        """
        from dockerkit.build.options import BUILDKIT_ONLY

        if builder not in ("auto", "classic", "buildkit"):
            raise InvalidArgument(f"builder: one of auto, classic, buildkit is needed, not {builder!r}")
        needed = sorted(BUILDKIT_ONLY & {name for name, value in options.items() if value is not None})
        if builder == "classic" and needed:
            raise InvalidArgument(f"builder: the classic builder knows no {', '.join(needed)}")
        if builder == "buildkit" or needed or (builder == "auto" and os.environ.get("DOCKER_BUILDKIT") == "1"):
            return self._build_with_buildkit(progress, options)
        try:
            return self._build_classic(progress, options)
        except BuildError as error:
            if builder == "auto" and _NEEDS_BUILDKIT in error.msg and _is_repeatable(options):
                return self._build_with_buildkit(progress, options)
            raise

    def _build_with_buildkit(
        self, progress: ProgressSpec, options: BuildOptions
    ) -> tuple[Image, Iterator[dict[str, Any]]]:
        from dockerkit.build.buildkit import build as buildkit_build

        return buildkit_build(self.client, progress=progress, **options)

    def _build_classic(self, progress: ProgressSpec, options: BuildOptions) -> tuple[Image, Iterator[dict[str, Any]]]:
        settings: dict[str, Any] = {**options, "decode": True}
        if settings.get("platform") is None:
            settings["platform"] = os.environ.get("DOCKER_DEFAULT_PLATFORM") or None
        tag = settings.get("tag")
        title = f"Building {tag if isinstance(tag, str) else ', '.join(tag or ()) or 'an image'}"
        log = _ClassicLog()
        with self.client.api.build(**settings) as stream, following(progress, title) as state:
            try:
                for record in stream:
                    log.feed(record)
                    state.feed(record)
            except BuildError as error:
                raise log.explained(error) from None
        if log.image is None:
            raise log.explained(BuildError("the engine did not say which image it built"))
        return self.get(log.image), iter(log.records)


class _ClassicLog:
    """What the classic builder has said so far."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.image: str | None = None
        self._told = False  # whether the id came as a fact; else it is read from the text, for engines before 1.30
        self._step: str | None = None
        self._output = ""

    def feed(self, record: dict[str, Any]) -> None:
        self.records.append(record)
        aux = record.get("aux")
        if isinstance(aux, Mapping) and aux.get("ID"):
            self.image, self._told = str(aux["ID"]), True
        text = record.get("stream")
        if not isinstance(text, str):
            return
        if begun := _STEP.match(text):
            self._step, self._output = begun[1].rstrip(), ""
            return
        self._output = (self._output + text)[-64 * 1024 :]
        if not self._told and (found := _ID.search(text)):
            self.image = found[1]

    def explained(self, error: BuildError) -> BuildError:
        """The error with what is known about it."""
        lines = [line.rstrip() for line in self._output.splitlines()]
        error.build_log = [*self.records, *error.build_log]
        error.step = error.step or self._step
        error.log = tuple(line for line in lines if line and not line.startswith(" ---> "))[-_LOG_LINES:]
        return error


def _is_repeatable(options: BuildOptions) -> bool:
    fileobj = options.get("fileobj")
    return fileobj is None or isinstance(fileobj, (str, bytes))
