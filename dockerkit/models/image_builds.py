"""Building images: one call, two builders."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from dockerkit.build.context import open_context
from dockerkit.errors import BuildError, InvalidArgument
from dockerkit.models.resource import Collection
from dockerkit.progress import following

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.build.buildkit.options import BuildKitOptions
    from dockerkit.build.buildkit.running import BuildResult
    from dockerkit.models.images import Image
    from dockerkit.progress import Progress, ProgressSpec

Builder = Literal["auto", "classic", "buildkit"]
_ALLOWED = "because engine and options allow it"
_OF_CONTEXT = ("path", "dockerfile", "fileobj", "custom_context", "encoding", "gzip", "ignore")
_LOG_LINES = 20
_STEP = re.compile(r"Step \d+/\d+ : (.*)")
_ID = re.compile(r"(?:Successfully built |^)(sha256:[0-9a-f]{64}|[0-9a-f]{12,64})\s*$")
_NOISE = (" ---> ", "Removing intermediate container ")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # what steps say on stderr comes in red

log: logging.Logger = logging.getLogger(__name__)


class BuildLog(Iterator[dict[str, Any]]):
    """The records of a build, one after the other.

    Attributes:
        builder: which builder it was: "classic" or "buildkit".
        reason: why it was that one.
        records: all of them.
    """

    def __init__(self, records: list[dict[str, Any]], builder: str, reason: str) -> None:
        self.records = records
        self.builder = builder
        self.reason = reason
        self._left = iter(records)

    def __next__(self) -> dict[str, Any]:
        return next(self._left)

    def __repr__(self) -> str:
        return f"<BuildLog: {len(self.records)} records of the {self.builder} builder, {self.reason}>"


class ImageBuilds(Collection["Image"]):
    """The part of the images that builds new ones."""

    def build(
        self, *, builder: Builder = "auto", progress: ProgressSpec = None, **options: Unpack[BuildKitOptions]
    ) -> tuple[Image, BuildLog]:
        """Build an image. ``POST /build``, or ``POST /grpc`` with BuildKit

        Args:
            builder: "classic", "buildkit", or "auto": BuildKit where the extra of that name is installed and engine and
                options allow it, else the classic builder; ``DOCKER_BUILDKIT=0`` or ``1`` decides as for the docker
                command. The log says which it was, and why.
            progress: show it: True (what fits the place), "plain" (lines), a function that gets the state.
            options: `path`, `fileobj`, `dockerfile`, `tag`, `buildargs`, `target`, `platform`..., and with BuildKit
                `secrets`, `ssh`, `cache_to`, `contexts`...; see
                :class:`~dockerkit.build.buildkit.options.BuildKitOptions`.

        Returns:
            The image, and an iterator over the records of the build.

        Raises:
            BuildError: a step failed. It has the log (``build_log``), the failed step and its last lines of output, and
                its exit code.
            InvalidArgument: there is no context, or arguments contradict each other, or the builder does not know them.
            UnreadableFile: a file of the context, or the Dockerfile, can't be read.

        Example::

            image, log = client.images.build(path=".", tag="app:1", progress=True)
        """
        which, reason = self._choose(builder, options)
        log.debug("building with the %s builder: %s", which, reason)
        if which == "classic":
            return self._build_classic(progress, options, reason)
        try:
            result = self.buildkit(progress=progress, **options)
        except InvalidArgument as error:  # before anything was sent: an option that this engine's BuildKit can't heed
            if reason is not _ALLOWED or not _is_repeatable(options):
                raise
            return self._build_classic(progress, options, f"because BuildKit can't: {error}")
        if result.image_id is None:
            raise InvalidArgument("outputs: this build went well but made no image here; images.buildkit() is for that")
        return self.get(result.image_id), BuildLog(result.log, "buildkit", reason)

    def buildkit(self, *, progress: ProgressSpec = None, **options: Unpack[BuildKitOptions]) -> BuildResult:
        """Build with BuildKit, also what is no image in the engine: files, archives, cache. ``POST /grpc``

        Args:
            progress: show it, as for :meth:`build`.
            options: as for :meth:`build`.

        Returns:
            The image's id (None where the outputs hold none), the warnings, the steps, and the log.

        Raises:
            BuildError: a step failed.
            InvalidArgument: an option that makes no sense, or that the engine would ignore.
        """
        from dockerkit.build.buildkit import build as buildkit_build

        return buildkit_build(self.client.api, progress=progress, **options)

    def _choose(self, builder: str, options: BuildKitOptions) -> tuple[str, str]:
        """The builder, and why it is that one."""
        from dockerkit.build.buildkit import CLASSIC_ONLY, needs_buildkit, reason_against

        if builder not in ("auto", "classic", "buildkit"):
            raise InvalidArgument(f"builder: one of auto, classic, buildkit is needed, not {builder!r}")
        needed = needs_buildkit(options)
        if builder == "classic" and needed:
            raise InvalidArgument(f"{needed[0]}: the classic builder does not know it; builder='buildkit' does")
        if builder != "auto":
            return builder, "as was asked for"
        if needed:
            return "buildkit", f"because {needed[0]} needs it"
        for name in sorted(CLASSIC_ONLY):
            if options.get(name):
                return "classic", f"because {name} needs it"
        if options.get("network_mode") not in (None, "default", "none", "host"):
            return "classic", "because network_mode names a network"
        wish = os.environ.get("DOCKER_BUILDKIT")
        if wish:
            return ("classic" if wish.lower() in ("0", "false", "f") else "buildkit"), f"because DOCKER_BUILDKIT={wish}"
        if against := reason_against(self.client.api):
            return "classic", f"because {against}"
        return "buildkit", _ALLOWED

    def _build_classic(self, progress: ProgressSpec, options: BuildKitOptions, reason: str) -> tuple[Image, BuildLog]:
        settings: dict[str, Any] = {**options}
        settings.pop("decode", None)
        context = open_context(**{name: settings.pop(name) for name in _OF_CONTEXT if name in settings})
        if settings.get("platform") is None:
            settings["platform"] = os.environ.get("DOCKER_DEFAULT_PLATFORM") or None
        tag = settings.get("tag")
        title = f"Building {tag if isinstance(tag, str) else ', '.join(tag or ()) or 'an image'}"
        said = _ClassicLog()
        with following(progress, title) as state:
            if progress:
                context = context.watched(_sending(state))
            with self.client.api.build(context, decode=True, **settings) as stream:
                if "context" in state.steps:
                    state.step_done("context")
                try:
                    for record in stream:
                        said.feed(record)
                        state.feed(record)
                except BuildError as error:
                    raise said.explained(error) from None
        if said.image is None:
            raise said.explained(BuildError("the engine did not say which image it built"))
        return self.get(said.image), BuildLog(said.records, "classic", reason)


def _sending(state: Progress) -> Callable[[int], None]:
    sent = 0

    def on_bytes(length: int) -> None:
        nonlocal sent
        sent += length
        state.amount("context", sent, name="sending the context")

    return on_bytes


def _is_repeatable(options: BuildKitOptions) -> bool:
    fileobj = options.get("fileobj")
    return fileobj is None or isinstance(fileobj, (str, bytes))


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
        lines = [line.rstrip() for line in _COLOURS.sub("", self._output).splitlines()]
        error.build_log = [*self.records, *error.build_log]
        error.step = error.step or self._step
        error.log = tuple(line for line in lines if line and not line.startswith(_NOISE))[-_LOG_LINES:]
        return error
