"""The builders available to an engine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from dockerkit.errors import BuildError, DockerException, InvalidArgument
from dockerkit.transport.shield import Shielded

if TYPE_CHECKING:
    from dockerkit.builder.buildkit.control import Control
    from dockerkit.builder.buildkit.history import PastBuild
    from dockerkit.builder.buildkit.remote import BuildKitHost, BuildKitInfo
    from dockerkit.client import DockerClient

__all__ = ["BuilderStatus", "Builders"]


_PastBuilds: TypeAlias = "list[PastBuild]"  # in the body of Builders, list is a method


@dataclass(frozen=True)
class BuilderStatus:
    """A builder, and whether it can be used.

    Attributes:
        name: "buildkit" or "classic" for the engine's builders, otherwise an address; a value for ``builder=``.
        usable: whether it can be used.
        reason: why it can't be used, or why ``builder="auto"`` selects it; "" for a usable one that is not selected.
    """

    name: str
    usable: bool
    reason: str = ""


class Builders:
    """Inspect builders: the engine's two, and the BuildKit daemon in ``BUILDKIT_HOST``.

    Args:
        client: the client of the engine.
    """

    def __init__(self, client: DockerClient) -> None:
        self._client = client

    def list(self) -> list[BuilderStatus]:
        """Return all builders and whether they can be used. ``GET /_ping``

        Connects to the daemon in ``BUILDKIT_HOST``.
        """
        from dockerkit.builder.buildkit import reason_against

        found = []
        if remote := os.environ.get("BUILDKIT_HOST"):
            try:
                self.inspect(remote)
            except DockerException as error:
                found.append(BuilderStatus(remote, False, str(error)))
            else:
                found.append(BuilderStatus(remote, True, "set in BUILDKIT_HOST"))
        against = reason_against(self._client.api)
        default = "" if remote else "supported by the engine, so it is the default"
        only = "" if remote or not against else "the only builder that the engine supports"
        buildkit = BuilderStatus("buildkit", not against, against or default)
        return [*found, buildkit, BuilderStatus("classic", True, only)]

    def inspect(self, builder: str | BuildKitHost = "buildkit") -> BuildKitInfo:
        """Return version, workers and platforms of a BuildKit daemon. Connects to it.

        Args:
            builder: "buildkit" for the engine's, an address, or a
                :class:`~dockerkit.builder.buildkit.remote.BuildKitHost`.

        Raises:
            BuildKitUnavailable: there is no BuildKit.
            MissingExtra: h2 or protobuf are not installed.
        """
        with self._open(builder) as control:
            return control.info()

    def history(self, builder: str | BuildKitHost = "buildkit") -> _PastBuilds:
        """Return the builds that BuildKit has recorded, newest first, including running ones. Connects to it.

        Args:
            builder: as for :meth:`inspect`.

        Raises:
            BuildKitUnavailable: there is no BuildKit, or it is too old to record builds.
        """
        with self._open(builder) as control:
            from dockerkit.builder.buildkit.history import list_builds

            return list_builds(control)

    def logs(self, build: str, builder: str | BuildKitHost = "buildkit") -> str:
        """Return the log of a recorded build; waits for the end of a running one. Connects to BuildKit.

        Args:
            build: its ID, from :meth:`history`.
            builder: as for :meth:`inspect`.

        Raises:
            BuildError: the build does not exist.
        """
        if not build:
            raise InvalidArgument("build: must be the ID of a build from history()")
        with self._open(builder) as control:
            from dockerkit.builder.buildkit.history import read_log

            return read_log(control, build)

    @contextlib.contextmanager
    def _open(self, builder: str | BuildKitHost) -> Iterator[Control]:
        if builder == "classic":
            raise InvalidArgument("builder: must be a BuildKit, got 'classic', which has no status and no history")
        from dockerkit.builder.buildkit import check_extra
        from dockerkit.builder.buildkit.remote import BuildKitHost

        remote = BuildKitHost(builder) if isinstance(builder, str) and builder != "buildkit" else builder
        check_extra()
        from dockerkit.builder.buildkit.control import Control
        from dockerkit.builder.buildkit.grpc import GrpcError

        dial = partial(Control, self._client.api, remote if isinstance(remote, BuildKitHost) else None)
        with contextlib.ExitStack() as undo:
            control = Shielded(dial, Control.close).result_or(undo)
            try:
                yield control
            except GrpcError as error:
                raise BuildError(f"BuildKit request failed: {error.message}", code=error.status) from error

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"
