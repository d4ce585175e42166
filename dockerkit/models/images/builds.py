"""Build images with either builder through one method."""

from __future__ import annotations

import importlib
import logging
import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from dockerkit import errors, runtime
from dockerkit.builder.context import open_context
from dockerkit.errors import InvalidArgument
from dockerkit.models.resource import Collection
from dockerkit.parsing.options import check_options, expands_options
from dockerkit.parsing.values import mapping_of_mappings, string_list
from dockerkit.progress import track_operation

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.builder.buildkit.options import BuildKitOptions
    from dockerkit.builder.buildkit.remote import BuildKitHost
    from dockerkit.builder.buildkit.running import BuildResult
    from dockerkit.builder.buildkit.trace import BuildWarning
    from dockerkit.credentials.auth import AuthSource
    from dockerkit.models.images import Image
    from dockerkit.models.pushes import PushResult
    from dockerkit.progress import Progress, ProgressSpec

_ALLOWED = "because engine and options allow it"
_OF_CONTEXT = ("path", "dockerfile", "fileobj", "custom_context", "encoding", "gzip", "ignore")
_LOG_LINES = 20
_HEREDOC = re.compile(r"\d*<<-?[^<]+")
_ADVICE = "pass builder='buildkit', or leave builder and DOCKER_BUILDKIT unset"
_STEP = re.compile(r"Step \d+/\d+ : (.*)")
_ID = re.compile(r"(?:Successfully built |^)(sha256:[0-9a-f]{64}|[0-9a-f]{12,64})\s*$")
_NOISE = (" ---> ", "Removing intermediate container ")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # the classic builder colors the stderr of steps red

log: logging.Logger = logging.getLogger(__name__)


class BuildLog(Iterator[dict[str, Any]]):
    """The records of a build, in order.

    Attributes:
        builder: builder used: "classic" or "buildkit".
        reason: why this builder was used.
        records: list of all records.
        pushed: results of the pushes, with ``push=True``.
    """

    def __init__(self, records: list[dict[str, Any]], builder: str, reason: str) -> None:
        self.records = records
        self.builder = builder
        self.reason = reason
        self.pushed: tuple[PushResult, ...] = ()
        self._left = iter(records)

    def __next__(self) -> dict[str, Any]:
        return next(self._left)

    def __repr__(self) -> str:
        return f"<BuildLog: {len(self.records)} records of the {self.builder} builder, {self.reason}>"


class ImageBuilds(Collection["Image"]):
    """Build methods of ``client.images``."""

    @expands_options("dockerkit.builder.buildkit.options:BuildKitOptions")
    def build(
        self,
        *,
        builder: str | BuildKitHost = "auto",
        progress: ProgressSpec = None,
        push: bool = False,
        check: bool = False,
        **options: Unpack[BuildKitOptions],
    ) -> tuple[Image, BuildLog]:
        """Build an image. ``POST /build``, or ``POST /grpc`` with BuildKit

        Args:
            builder: "classic", "buildkit", or "auto". "auto" uses BuildKit if the engine and the options allow it, and
                the classic builder otherwise. ``DOCKER_BUILDKIT=0`` or ``1`` overrides that, as for the docker command,
                and ``BUILDKIT_HOST`` selects another BuildKit. The log has the builder that was used, and why. You can
                also pass the address of a BuildKit daemon, ``tcp://host:port`` or ``unix:///path``, or a
                :class:`~dockerkit.builder.buildkit.remote.BuildKitHost` for TLS; the image is then loaded into the
                engine.
            progress: progress display: True (chosen automatically), "plain" (lines), or a function called with the
                state.
            push: push all names in `tag` afterwards, with `auth_configs` as credentials if passed; ``pushed`` of the
                log has the results.
            check: run BuildKit's checks of the Dockerfile first, and build only if they find nothing; see :meth:`check`.
            options: `path`, `fileobj`, `dockerfile`, `tag`, `buildargs`, `target`, `platform`..., and with BuildKit
                `secrets`, `ssh`, `cache_to`, `contexts`...; see
                :class:`~dockerkit.builder.buildkit.options.BuildKitOptions`.

        Returns:
            The image, and a log that iterates over the records of the build.

        Raises:
            BuildError: a step failed. The error has the log (``build_log``), the failed step, the last lines of its
                output and its exit code.
            InvalidArgument: the context is missing, or arguments contradict each other or are not supported by the
                builder.
            UnreadableFile: a file of the context, or the Dockerfile, can't be read.

        Example::

            image, log = client.images.build(path=".", tag="app:1", progress=True)
        """
        from dockerkit.builder.buildkit.options import BuildKitOptions

        check_options(self.build, options, BuildKitOptions.__annotations__)
        tag = options.get("tag")
        names = [tag] if isinstance(tag, str) else string_list(tag or (), "tag")
        mapping_of_mappings(options.get("auth_configs"), "auth_configs")
        if push and not names:
            raise InvalidArgument("push: requires tag, the name to push")
        if check:
            self._require_checked(builder, options)
        try:
            image, build_log = self._build(builder, progress, options)
        except errors.BuildError as error:
            if self.client.api.profile.explains_errors:
                from dockerkit.builder.context import missing_file

                if error.step and "from=" not in error.step:  # which names another stage or image
                    error.hint = missing_file(error.msg, options.get("path"), options.get("dockerfile"))
            raise
        if push:
            images, auth = self.client.images, _auth_source(options.get("auth_configs"))
            build_log.pushed = tuple(images.push(name, auth_config=auth, progress=progress) for name in names)
        return image, build_log

    def _build(
        self, builder: str | BuildKitHost, progress: ProgressSpec, options: BuildKitOptions
    ) -> tuple[Image, BuildLog]:
        which, reason = self._choose(builder, options)
        log.debug("building with the %s builder: %s", which, reason)
        if which == "classic":
            return self._build_classic(progress, options, reason)
        try:
            result = self.buildkit(builder=which, progress=progress, **options)
        except InvalidArgument as error:  # nothing was sent yet: an option that this engine's BuildKit does not support
            if reason is not _ALLOWED or not _is_repeatable(options):
                raise
            return self._build_classic(progress, options, f"because BuildKit can't: {error.args[0]}")
        if result.image_id is None:
            raise InvalidArgument(
                "outputs: the build succeeded but created no image here; use images.buildkit() for such outputs"
            )
        return self.get(result.image_id), BuildLog(result.log, "buildkit", reason)

    @expands_options("dockerkit.builder.buildkit.options:BuildKitOptions")
    def buildkit(
        self, *, builder: str | BuildKitHost = "auto", progress: ProgressSpec = None, **options: Unpack[BuildKitOptions]
    ) -> BuildResult:
        """Build with BuildKit, including outputs other than an image: files, archives, cache. ``POST /grpc``

        Args:
            builder: "buildkit" for the engine's, or an address as for :meth:`build`. "auto" uses ``BUILDKIT_HOST`` if
                set, otherwise the engine's.
            progress: progress display, as for :meth:`build`.
            options: as for :meth:`build`.

        Returns:
            The image's ID (None if the outputs contain no image), the warnings, the steps, and the log.

        Raises:
            BuildError: a step failed.
            InvalidArgument: an option is invalid, or not supported by the engine.
        """
        # 0.2 s, which must not block an event loop
        runtime.run_blocking(importlib.import_module, "dockerkit.builder.buildkit.running")
        from dockerkit.builder.buildkit import build as buildkit_build

        remote = _remote(builder)
        if remote is None:
            return buildkit_build(self.client.api, progress=progress, **options)
        from dockerkit.builder.buildkit.outputs import Exporter, outputs_of

        outputs = outputs_of(options.get("outputs"))
        images = [output for output in outputs if output.type == "image" and not output.attrs]
        if not images:
            return buildkit_build(self.client.api, builder=remote, progress=progress, **options)
        platform = options.get("platform")
        if isinstance(platform, (list, tuple)) and len(platform) > 1:
            raise InvalidArgument(
                "platform: several can't be loaded into the engine from another builder; use outputs= to push them "
                "(type=image,push=true) or to write an archive (type=oci)"
            )
        with tempfile.TemporaryFile() as archive:
            exporters = [Exporter("docker", archive) if output in images else output for output in outputs]
            adjusted = cast("BuildKitOptions", {**options, "outputs": exporters})
            result = buildkit_build(self.client.api, builder=remote, progress=progress, **adjusted)
            archive.seek(0)
            loaded = self.client.images.load(archive)
        result.image_id = loaded[0].id if loaded else None
        return result

    @expands_options("dockerkit.builder.buildkit.options:BuildKitOptions")
    def check(self, *, builder: str | BuildKitHost = "auto", **options: Unpack[BuildKitOptions]) -> list[BuildWarning]:
        """Check a Dockerfile with BuildKit's rules, without building it. ``POST /grpc``

        Args:
            builder: as for :meth:`buildkit`.
            options: as for :meth:`build`: `path`, `fileobj`, `dockerfile`, `target`, `buildargs`…

        Returns:
            Warnings with text, explanation, file and lines; empty if there are none.

        Raises:
            BuildError: the Dockerfile can't be parsed, or an image that it names can't be found.
            BuildKitUnavailable: the builder has no checks, which require Engine 27.

        Example::

            for warning in client.images.check(path="."):
                print(warning)
        """
        from dockerkit.builder.buildkit import check

        return check(self.client.api, builder=_remote(builder), **options)

    def _require_checked(self, builder: str | BuildKitHost, options: BuildKitOptions) -> None:
        if builder == "classic":
            raise InvalidArgument("check: the classic builder has no checks; builder='buildkit' does")
        if not _is_repeatable(options):
            raise InvalidArgument("check: the Dockerfile is read twice; pass fileobj as a string or bytes")
        if warnings := self.check(builder=builder, **options):
            texts = [str(warning) for warning in warnings]
            lines = "\n".join(f"  {text}" for text in texts)
            raise errors.BuildError(
                f"the checks of the Dockerfile found {len(texts)} problems\n{lines}", warnings=texts
            )

    def _choose(self, builder: str | BuildKitHost, options: BuildKitOptions) -> tuple[str | BuildKitHost, str]:
        """Return the builder, and why it was chosen."""
        from dockerkit.builder.buildkit import CLASSIC_ONLY, needs_buildkit, reason_against

        needed = needs_buildkit(options)
        if builder == "classic" and needed:
            raise InvalidArgument(f"{needed[0]}: not supported by the classic builder; pass builder='buildkit'")
        if builder != "auto":
            return builder, "as requested"
        remote = os.environ.get("BUILDKIT_HOST")
        if needed:
            return (remote, f"because BUILDKIT_HOST={remote}") if remote else (
                "buildkit", f"because {needed[0]} needs it")  # fmt: skip
        for name in sorted(CLASSIC_ONLY):
            if options.get(name):
                return "classic", f"because {name} needs it"
        if options.get("network_mode") not in (None, "default", "none", "host"):
            return "classic", "because network_mode names a network"
        if remote:
            return remote, f"because BUILDKIT_HOST={remote}"
        wish = os.environ.get("DOCKER_BUILDKIT")
        if wish:
            return ("classic" if wish.lower() in ("0", "false", "f") else "buildkit"), f"because DOCKER_BUILDKIT={wish}"
        if not self.client.api.profile.prefers_buildkit:
            return "classic", "as docker-py does"
        if against := reason_against(self.client.api):
            return "classic", f"because {against}"
        return "buildkit", _ALLOWED

    def _build_classic(self, progress: ProgressSpec, options: BuildKitOptions, reason: str) -> tuple[Image, BuildLog]:
        from dockerkit.builder.buildkit.options import BUILDKIT_ONLY

        # Options of BuildKit alone are unset or have no effect here; otherwise _choose() would have picked it.
        settings: dict[str, Any] = {name: value for name, value in options.items() if name not in BUILDKIT_ONLY}
        settings.pop("decode", None)
        context = open_context(**{name: settings.pop(name) for name in _OF_CONTEXT if name in settings})
        if settings.get("platform") is None:
            settings["platform"] = os.environ.get("DOCKER_DEFAULT_PLATFORM") or None
        tag = settings.get("tag")
        title = f"Building {tag if isinstance(tag, str) else ', '.join(tag or ()) or 'an image'}"
        output = _ClassicLog()
        with track_operation(progress, title) as state:
            if progress:
                context = context.watched(_sending(state))
            with self.client.api.build(context, decode=True, **settings) as stream:
                stream.raises = True
                if "context" in state.steps:
                    state.step_done("context")
                try:
                    for record in stream:
                        output.feed(record)
                        state.feed(record)
                except errors.BuildError as error:
                    raise self.client.api.phrased(output.explained(error)) from None
        if output.image is None:
            raise output.explained(errors.BuildError("the engine did not report the ID of the built image"))
        return self.get(output.image), BuildLog(output.records, "classic", reason)


def _remote(builder: str | BuildKitHost) -> BuildKitHost | None:
    """Return the BuildKit daemon that `builder` or ``BUILDKIT_HOST`` names; None for the engine's."""
    if builder == "auto":
        builder = os.environ.get("BUILDKIT_HOST") or "buildkit"
    if builder == "buildkit":
        return None
    from dockerkit.builder.buildkit.remote import BuildKitHost

    return builder if isinstance(builder, BuildKitHost) else BuildKitHost(builder)


def _auth_source(auth_configs: Mapping[str, Mapping[str, Any]] | None) -> AuthSource | None:
    """Return the source of credentials for pushes; None for those of the client."""
    if auth_configs is None:
        return None
    from dockerkit.credentials.auth import AuthConfig

    config = AuthConfig({"auths": dict(auth_configs)})
    return lambda registry: config.resolve_authconfig(registry) or {}


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
    """Output of the classic builder so far."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.image: str | None = None
        self._has_id = False  # whether a record had the ID; engines before API 1.30 report it only in the text
        self._step: str | None = None
        self._output = ""

    def feed(self, record: dict[str, Any]) -> None:
        self.records.append(record)
        aux = record.get("aux")
        if isinstance(aux, Mapping) and aux.get("ID"):
            self.image, self._has_id = str(aux["ID"]), True
        text = record.get("stream")
        if not isinstance(text, str):
            return
        if started := _STEP.match(text):
            step = started[1].rstrip()
            self._step, self._output = step, ""
            if _has_heredoc(step):  # the classic builder would run the first line alone
                raise errors.BuildError(f"the classic builder does not support here-documents: {_ADVICE}")
            return
        self._output = (self._output + text)[-64 * 1024 :]
        if not self._has_id and (found := _ID.search(text)):
            self.image = found[1]

    def explained(self, error: errors.BuildError) -> errors.BuildError:
        """Return the error with details added."""
        lines = [line.rstrip() for line in _COLOURS.sub("", self._output).split("\n")]
        error.build_log = list(self.records)
        error.step = error.step or self._step
        if "requires BuildKit" in error.msg:
            error.add_note(f"The classic builder was used: {_ADVICE}.")
        error.log = tuple(line for line in lines if line and not line.startswith(_NOISE))[-_LOG_LINES:]
        return error


def _has_heredoc(step: str) -> bool:
    """Return whether an instruction begins a here-document, by the rule of BuildKit's parser: a word such as ``<<EOF``."""
    instruction, _, rest = step.partition(" ")
    if instruction.upper() not in ("RUN", "COPY", "ADD") or "<<" not in rest:
        return False
    try:
        words = shlex.split(rest, posix=False)
    except ValueError:  # an open quote
        return False
    return any(_HEREDOC.fullmatch(word) for word in words)
