"""Options of ``containers.run`` and ``call``, in addition to those of ``create``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dockerkit.types.create_options import CreateOptions

if TYPE_CHECKING:
    from dockerkit.models.containers import Container
    from dockerkit.models.containers.conditions import Condition
    from dockerkit.models.containers.process import Input
    from dockerkit.parsing.values import Duration
    from dockerkit.progress import ProgressSpec


class StartOptions(CreateOptions, total=False):
    """Options common to ``run`` and ``call``."""

    input: Input | None
    """Data for standard input: bytes, a string (encoded as UTF-8), a binary file or an iterable of bytes."""
    files: Mapping[str, bytes | str] | None
    """Files to write before the start: contents by absolute path."""
    progress: ProgressSpec
    """Progress display of the pull: True, "plain" or a function."""


class RunOptions(StartOptions, total=False):
    """Options of ``containers.run``."""

    wait_for: Condition | Callable[[Container], object] | None
    """With ``detach``, condition to wait for after the start."""
    wait_timeout: Duration | None
    """Maximum seconds to wait for the condition."""


class RunFlags(RunOptions, total=False):
    """Options of ``containers.run`` that don't affect the type of its result."""

    stdout: bool
    stderr: bool
    remove: bool


class CallOptions(StartOptions, total=False):
    """Options of ``containers.call``."""

    check: bool
    """Raise if the exit code is not 0."""
    timeout: Duration | None
    """Maximum run time in seconds."""
    max_output: int | str | None
    """Maximum bytes of stdout and of stderr to keep."""
    remove: bool
    """Remove the container after it has exited."""
