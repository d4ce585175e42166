"""Wait conditions, which can be combined with ``&`` and ``|``. They evaluate a state and never wait themselves.

A condition evaluates a :class:`ContainerSnapshot`, which :mod:`dockerkit.models.containers.waiter` updates from events
and one log stream. Conditions that no event reports (a port, a file, a function) are polled.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from dockerkit import errors, runtime
from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.errors.base import IgnoreGone
from dockerkit.parsing.values import ContainerPath, container_path, integer, raise_invalid, string, time_limit

if TYPE_CHECKING:
    from dockerkit.models.containers import Container
    from dockerkit.models.containers.log_lines import LogEntry
    from dockerkit.parsing.values import Duration

__all__ = [
    "AllOf",
    "AnyOf",
    "Check",
    "Condition",
    "ContainerSnapshot",
    "Exited",
    "File",
    "Healthy",
    "Http",
    "Log",
    "Port",
    "Running",
    "condition",
]

GONE = "the container has stopped"


@dataclass
class ContainerSnapshot:
    """Known state of the container.

    Attributes:
        container: the container.
        state: last ``State`` returned by the engine.
        gone: whether the container was removed.
        log_ended: whether the log has ended.
    """

    container: Container
    state: Mapping[str, Any] = field(default_factory=dict)
    gone: bool = False
    log_ended: bool = False

    @property
    def stopped(self) -> bool:
        """Whether the container has run and stopped."""
        return self.gone or self.state.get("Status") in ("exited", "dead", "removing")

    @property
    def health(self) -> str | None:
        """Status of the health check: "starting", "healthy" or "unhealthy"; None without a health check."""
        status = (self.state.get("Health") or {}).get("Status")
        return None if status in (None, "", "none") else str(status)


class Condition:
    """A condition to wait for. ``a & b`` waits for both, ``a | b`` for either; functions are accepted as conditions."""

    def met(self, situation: ContainerSnapshot) -> bool:
        """Return whether the condition is met."""
        raise NotImplementedError

    def impossible_reason(self, situation: ContainerSnapshot) -> str | None:
        """Return why the condition can no longer be met; None while it can."""
        return GONE if situation.stopped else None

    def poll(self, situation: ContainerSnapshot) -> None:
        """Check what no event reports."""

    def on_log_line(self, entry: LogEntry) -> None:
        """Handle a line of the container's log."""

    def reset(self) -> None:
        """Discard the state of a previous wait."""

    def parts(self) -> Iterator[Condition]:
        """Yield the simple conditions that this one consists of."""
        yield self

    def __and__(self, other: Condition | Callable[[Container], object]) -> AllOf:
        return AllOf(self, condition(other))

    def __rand__(self, other: Callable[[Container], object]) -> AllOf:
        return AllOf(condition(other), self)

    def __or__(self, other: Condition | Callable[[Container], object]) -> AnyOf:
        return AnyOf(self, condition(other))

    def __ror__(self, other: Callable[[Container], object]) -> AnyOf:
        return AnyOf(condition(other), self)


class _Composite(Condition):
    _sign: ClassVar[str]

    def __init__(self, *conditions: Condition) -> None:
        self.conditions = conditions

    def poll(self, situation: ContainerSnapshot) -> None:
        for item in self.conditions:
            if not item.met(situation):
                item.poll(situation)

    def on_log_line(self, entry: LogEntry) -> None:
        for item in self.conditions:
            item.on_log_line(entry)

    def parts(self) -> Iterator[Condition]:
        for item in self.conditions:
            yield from item.parts()

    def __repr__(self) -> str:
        return f"({f' {self._sign} '.join(map(repr, self.conditions))})"


class AllOf(_Composite):
    """Waits for all of its conditions."""

    _sign = "&"

    def met(self, situation: ContainerSnapshot) -> bool:
        return all(item.met(situation) for item in self.conditions)

    def impossible_reason(self, situation: ContainerSnapshot) -> str | None:
        reasons = (item.impossible_reason(situation) for item in self.conditions if not item.met(situation))
        return next(filter(None, reasons), None)


class AnyOf(_Composite):
    """Waits for any of its conditions."""

    _sign = "|"

    def met(self, situation: ContainerSnapshot) -> bool:
        return any(item.met(situation) for item in self.conditions)

    def impossible_reason(self, situation: ContainerSnapshot) -> str | None:
        reasons = [item.impossible_reason(situation) for item in self.conditions]
        return None if None in reasons else "; ".join(dict.fromkeys(why for why in reasons if why))


class PolledCondition(Condition):
    """A condition that no event reports, so it is polled. Once met, it stays met."""

    _met = False

    def reset(self) -> None:
        self._met = False

    def met(self, situation: ContainerSnapshot) -> bool:
        return self._met

    def poll(self, situation: ContainerSnapshot) -> None:
        if situation.state.get("Status") == "running" and not self._met:
            self._met = self._look(situation.container)

    def _look(self, container: Container) -> bool:
        raise NotImplementedError


class Check(PolledCondition):
    """Wait until a function returns a true value.

    Args:
        function: called with the container periodically. An exception ends the wait.
    """

    def __init__(self, function: Callable[[Container], object]) -> None:
        self.function = function

    def _look(self, container: Container) -> bool:
        return bool(self.function(container))

    def __repr__(self) -> str:
        return f"Check({getattr(self.function, '__name__', self.function)})"


def condition(expected: Condition | Callable[[Container], object]) -> Condition:
    """Return a condition; wrap a function in :class:`Check`.

    Raises:
        InvalidArgument: the value is neither a condition nor a function.
    """
    if isinstance(expected, Condition):
        return expected
    if isinstance(expected, type) or not callable(expected):
        raise InvalidArgument(
            "condition: must be Healthy(), Running(), Exited(), Log(...), Port(...), Http(...), File(...) "
            f"or a function, got {expected!r}"
        )
    return Check(expected)


_LISTENING = {"tcp": "0A", "udp": "07"}


@dataclass(frozen=True)
class Running(Condition):
    """Wait until the container is running."""

    def met(self, situation: ContainerSnapshot) -> bool:
        return situation.state.get("Status") == "running" and not situation.gone


@dataclass(frozen=True)
class Healthy(Condition):
    """Wait until the health check succeeds. Fails immediately if it fails or does not exist."""

    def met(self, situation: ContainerSnapshot) -> bool:
        return situation.health == "healthy" and not situation.stopped

    def impossible_reason(self, situation: ContainerSnapshot) -> str | None:
        if situation.stopped:
            return GONE
        if situation.health == "unhealthy":
            return "the container is unhealthy"
        if situation.health is None and situation.state.get("Status") == "running":
            return "the container has no health check: create it with healthcheck=, or wait for another condition"
        return None


@dataclass(frozen=True)
class Exited(Condition):
    """Wait until the container has stopped, optionally with a certain exit code."""

    code: int | None = None

    def __post_init__(self) -> None:
        if self.code is not None:
            integer(self.code, "code")

    def met(self, situation: ContainerSnapshot) -> bool:
        return situation.stopped and self.code in (None, situation.state.get("ExitCode"))

    def impossible_reason(self, situation: ContainerSnapshot) -> str | None:
        return f"the container stopped with exit code {situation.state.get('ExitCode')}" if situation.stopped else None


class Log(Condition):
    """Wait until a line of the log matches a pattern.

    Args:
        pattern: regular expression, string or compiled, searched in each line.
        count: number of lines that must match.
        stream: "stdout" or "stderr"; None for both.
    """

    def __init__(self, pattern: str | re.Pattern[str], count: int = 1, stream: str | None = None) -> None:
        try:
            self.pattern: re.Pattern[str] = re.compile(pattern)
        except (re.error, TypeError) as error:
            raise InvalidArgument(f"pattern: {pattern!r} is not a valid regular expression: {error}") from None
        self.count: int = integer(count, "count")
        if self.count < 1:
            raise InvalidArgument(f"count: must be a number above 0, got {count!r}")
        if stream not in (None, "stdout", "stderr"):
            raise_invalid("stream", "'stdout', 'stderr' or None", stream)
        self.stream = stream
        self.matches: list[re.Match[str]] = []

    def reset(self) -> None:
        self.matches = []

    def on_log_line(self, entry: LogEntry) -> None:
        if len(self.matches) < self.count and self.stream in (None, entry.stream):
            found = self.pattern.search(entry.text)
            if found:
                self.matches.append(found)

    def met(self, situation: ContainerSnapshot) -> bool:
        return len(self.matches) >= self.count

    def impossible_reason(self, situation: ContainerSnapshot) -> str | None:
        # The last lines may arrive after the event of the container's end.
        return GONE if situation.stopped and situation.log_ended else None

    def __repr__(self) -> str:
        times = f", count={self.count}" if self.count > 1 else ""
        return f"Log({self.pattern.pattern!r}{times})"


class Port(PolledCondition):
    """Wait until a port of the container is listened on.

    Checks ``/proc/net`` in the container, since a published port accepts connections even if nothing listens. If the
    container has no ``cat``, it tries to connect to the container's address instead.

    Args:
        port: port number or string, such as 80, "80/tcp" or "53/udp".
    """

    def __init__(self, port: int | str) -> None:
        self.number: int
        self.protocol: str
        self.number, self.protocol = _port(port)

    def _look(self, container: Container) -> bool:
        files = [f"/proc/net/{self.protocol}", f"/proc/net/{self.protocol}6"]
        try:
            listed = container.exec(["cat", *files], timeout=10).stdout
        except errors.ExecStartError:
            listed = b""
        if not listed:
            return _accepts(container, self.number) if self.protocol == "tcp" else False
        local_port = f":{self.number:04X}"
        for line in listed.decode("ascii", "replace").split("\n"):
            fields = line.split()
            if len(fields) > 3 and fields[1].endswith(local_port) and fields[3] == _LISTENING[self.protocol]:
                return True
        return False

    def __repr__(self) -> str:
        return f"Port({self.number if self.protocol == 'tcp' else f'{self.number}/{self.protocol}'!r})"


class Http(PolledCondition):
    """Wait until a web server in the container responds on its published port.

    Args:
        port: port of the container; must be published.
        path: path to request.
        status: expected status code; None for any below 400.
        tls: use https. The certificate is not verified, since this only checks readiness.
        host: host of the engine's published ports; None for the one of ``container.address``.
        timeout: maximum seconds per request.
    """

    def __init__(
        self,
        port: int | str,
        path: str = "/",
        status: int | None = None,
        *,
        tls: bool = False,
        host: str | None = None,
        timeout: Duration = 2.0,
    ) -> None:
        _port(port)
        self.port = port
        self.path: str = string(path, "path")
        self.status: int | None = None if status is None else integer(status, "status")
        self.tls = tls
        self.host: str | None = None if host is None else string(host, "host")
        self.timeout: float | None = time_limit(timeout)

    def _look(self, container: Container) -> bool:
        import http.client  # imported lazily: with ssl, it costs as much as all other modules here
        import ssl

        container.reload()
        try:
            address = container.address(self.port)
        except DockerException:
            return False
        connect: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection
        if self.tls:
            unchecked = ssl.create_default_context()
            unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
            connect = partial(http.client.HTTPSConnection, context=unchecked)
        connection = connect(self.host or address.host, address.port, timeout=self.timeout)
        try:
            runtime.run_blocking(connection.request, "GET", self.path)
            status = runtime.run_blocking(connection.getresponse).status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return status < 400 if self.status is None else status == self.status

    def __repr__(self) -> str:
        return f"Http({self.port!r}, {self.path!r})"


class File(PolledCondition):
    """Wait until a file or folder exists in the container.

    Args:
        path: absolute path.
    """

    def __init__(self, path: ContainerPath) -> None:
        self.path: str = container_path(path)
        if not self.path.startswith("/"):
            raise_invalid("path", "an absolute path", path)

    def _look(self, container: Container) -> bool:
        with IgnoreGone():
            return container.client.api.stat_archive(container, self.path) is not None
        return False

    def __repr__(self) -> str:
        return f"File({self.path!r})"


def _port(port: object) -> tuple[int, str]:
    number, _, protocol = str(port).partition("/")
    if not number.isdecimal() or not 0 < int(number) < 65536 or (protocol or "tcp") not in _LISTENING:
        raise InvalidArgument(f"port: must be a number or a string such as '80/tcp' or '53/udp', got {port!r}")
    return int(number), protocol or "tcp"


def _accepts(container: Container, port: int) -> bool:
    """Return whether the container's own address accepts a connection; only possible on the engine's machine."""
    settings: Mapping[str, Any] = container.client.api.inspect_container(container).get("NetworkSettings") or {}
    networks = (settings.get("Networks") or {}).values()
    for address in filter(None, (network.get("IPAddress") for network in networks)):
        with contextlib.suppress(OSError):
            runtime.run_blocking(socket.create_connection, (address, port), 1).close()
            return True
    return False
