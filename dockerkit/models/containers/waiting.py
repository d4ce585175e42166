"""Wait for a container; see :class:`ContainerWaiting`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from dockerkit._lazy import lazy_names
from dockerkit.errors import WaitFailed
from dockerkit.errors.base import IgnoreGone
from dockerkit.models.resource import Model
from dockerkit.parsing.values import time_limit

if TYPE_CHECKING:
    from dockerkit.models.containers import Container
    from dockerkit.models.containers.conditions import Check, Condition, Exited, File, Healthy, Http, Log, Port, Running
    from dockerkit.parsing.values import Duration
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {"dockerkit.models.containers.conditions": "Check Condition Exited File Healthy Http Log Port Running"},
    )

__all__ = ["Check", "Condition", "ContainerWaiting", "Exited", "File", "Healthy", "Http", "Log", "Port", "Running"]


class ContainerWaiting(Model):
    """Waiting for a container."""

    def wait_until(
        self, wanted: Condition | Callable[[Container], object], timeout: Duration | None = 60.0
    ) -> Container:
        """Wait for a condition, and fail immediately if it can no longer be met.

        ``GET /events``, ``GET /containers/{id}/json``, and ``GET /containers/{id}/logs`` if a log line is awaited

        Args:
            wanted: condition to wait for: :class:`Healthy`, :class:`Running`, :class:`Exited`, :class:`Log`,
                :class:`Port`, :class:`Http`, :class:`File`, or a function called with the container; combined with
                ``&`` and ``|``.
            timeout: maximum seconds to wait; None for no limit.

        Returns:
            The container, with its current attributes.

        Raises:
            WaitTimeout: the condition was not met in time.
            ContainerExited: the container stopped before.
            ContainerUnhealthy: :class:`Healthy` was awaited, but the container is unhealthy or has no health check.
            NotFound: the container does not exist.

        The first three errors contain the container's state and its last log lines.

        Example::

            container.wait_until(Healthy() & (Port(5432) | Log("ready to accept", count=2)), timeout=30)
        """
        from dockerkit.models.containers.conditions import condition
        from dockerkit.models.containers.waiter import Waiter

        timeout = time_limit(timeout)
        waiter = Waiter(cast("Container", self), condition(wanted), timeout)
        try:
            with waiter.scope:
                waiter.run()
                if not waiter.situation.gone:
                    with IgnoreGone():  # an auto-removed container may disappear now; then keep its last attributes
                        self.reload()
        except TimeoutError as error:
            waiter.close()
            if isinstance(error, WaitFailed) or timeout is None or not waiter.scope.expired:
                raise
            raise waiter.timed_out() from None
        finally:
            waiter.close()
        return cast("Container", self)
