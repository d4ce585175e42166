"""Kill and remove containers within bounded time, and report whether they may still run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dockerkit import runtime
from dockerkit.errors import ClientClosed, DockerException
from dockerkit.errors.base import IgnoreGone
from dockerkit.transport.scope import Scope, run_outside
from dockerkit.transport.shield import shielded

if TYPE_CHECKING:
    from dockerkit.models.containers import Container

__all__ = ["close_in_background", "kill_container", "remove_container"]

_SECONDS = 3.0  # time for a failing or stalled engine to recover
_PAUSE = 0.2


def kill_container(container: Container) -> str | None:
    """Kill a container within three seconds, also outside of the caller's deadline, with a second try if that fails.

    Returns:
        None if the container was killed, "" if it had already exited, otherwise the reason why it may still run.
    """
    return run_outside(_kill, container)


def _kill(container: Container) -> str | None:
    reason = "the engine did not respond"
    with Scope(_SECONDS) as scope:
        while not scope.expired:
            try:
                container.client.api.kill(container)
            except ClientClosed as error:  # retrying would not help
                return str(error)
            except DockerException as error:
                if error.is_gone():
                    return ""
                reason = str(error)
            else:
                return None
            runtime.sleep(min(_PAUSE, scope.remaining() or 0))
    return reason


def remove_container(
    container: Container, *, deadline: float | None = None, quiet: bool = False, has_result: bool = False
) -> None:
    """Remove a container with its anonymous volumes, in any state; ignore it if it is already removed.

    An interrupt reaches the caller when the container is removed, or after three seconds.

    Args:
        container: the container.
        deadline: end of the caller's time on the monotonic clock; three seconds are taken in any case.
        quiet: log errors as warnings instead of raising them, because another error is on its way to the caller.
        has_result: log only that the engine does not respond, because the caller's result must not be lost for that.
    """
    seconds = None if deadline is None else max(deadline - time.monotonic(), _SECONDS)
    try:
        shielded(run_outside, _remove, container, seconds)
    except DockerException as error:
        if not quiet and not (has_result and error.is_disconnect()):
            raise
        import logging

        logging.getLogger(__name__).warning("container %s was not removed: %s", container.short_id, error)


def _remove(container: Container, seconds: float | None) -> None:
    with Scope(seconds), IgnoreGone():
        container.client.api.remove_container(container, v=True, force=True)


def close_in_background(close: Callable[[], object]) -> None:
    """Call a function that removes something, without keeping the caller, such as a finalizer, waiting."""
    if threading.main_thread().is_alive():
        thread = runtime.Thread(_quietly, (close,), name="dockerkit-remove")
        thread.daemon = False  # an interpreter that exits waits for it
        thread.start()
    else:  # no thread can be started
        _quietly(close)


def _quietly(close: Callable[[], object]) -> None:
    try:
        close()
    except DockerException as error:
        import logging

        logging.getLogger(__name__).warning("what a dropped object left in the engine was not removed: %s", error)
