"""What one can wait for. How conditions are combined is in :mod:`dockerkit.models.condition_base`."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.models.condition_base import GONE, AllOf, AnyOf, Asked, Check, Condition, Situation, condition

if TYPE_CHECKING:
    from dockerkit.models.containers import Container
    from dockerkit.models.log_lines import LogEntry

__all__ = [
    "AllOf",
    "AnyOf",
    "Check",
    "Condition",
    "Exited",
    "File",
    "Healthy",
    "Http",
    "Log",
    "Port",
    "Running",
    "Situation",
    "condition",
]

_LISTENING = {"tcp": "0A", "udp": "07"}


@dataclass(frozen=True)
class Running(Condition):
    """The container runs."""

    def met(self, situation: Situation) -> bool:
        return situation.state.get("Status") == "running" and not situation.gone


@dataclass(frozen=True)
class Healthy(Condition):
    """The container's health check succeeds. Fails at once when it turns unhealthy, and where there is no health check."""

    def met(self, situation: Situation) -> bool:
        return situation.health == "healthy" and not situation.stopped

    def hopeless(self, situation: Situation) -> str | None:
        if situation.stopped:
            return GONE
        if situation.health == "unhealthy":
            return "the container is unhealthy"
        if situation.health is None and situation.state.get("Status") == "running":
            return "the container has no health check: give it one with healthcheck=, or wait for something else"
        return None


@dataclass(frozen=True)
class Exited(Condition):
    """The container stops, with this exit code if one is named."""

    code: int | None = None

    def met(self, situation: Situation) -> bool:
        return situation.stopped and self.code in (None, situation.state.get("ExitCode"))

    def hopeless(self, situation: Situation) -> str | None:
        return f"the container stopped with exit code {situation.state.get('ExitCode')}" if situation.stopped else None


class Log(Condition):
    """A line of the log matches a pattern.

    Args:
        pattern: a regular expression, searched in each line; or a compiled one.
        count: so many lines must match.
        stream: only "stdout" or "stderr"; None for both.
    """

    def __init__(self, pattern: str | re.Pattern[str], count: int = 1, stream: str | None = None) -> None:
        try:
            self.pattern: re.Pattern[str] = re.compile(pattern)
        except (re.error, TypeError) as error:
            raise InvalidArgument(f"pattern: {pattern!r} is no regular expression: {error}") from None
        if count < 1:
            raise InvalidArgument(f"count: a number above 0 is needed, not {count!r}")
        self.count = count
        self.stream = stream
        self.matches: list[re.Match[str]] = []

    def begin(self) -> None:
        self.matches = []

    def read(self, entry: LogEntry) -> None:
        if len(self.matches) < self.count and self.stream in (None, entry.stream):
            found = self.pattern.search(entry.text)
            if found:
                self.matches.append(found)

    def met(self, situation: Situation) -> bool:
        return len(self.matches) >= self.count

    def hopeless(self, situation: Situation) -> str | None:
        # Its last lines may come after the news of its end.
        return GONE if situation.stopped and situation.log_ended else None

    def __repr__(self) -> str:
        times = f", count={self.count}" if self.count > 1 else ""
        return f"Log({self.pattern.pattern!r}{times})"


class Port(Asked):
    """Something listens at a port of the container.

    It is looked for inside, in ``/proc/net`` (a published port takes connections whether or not somebody listens); in a
    container without ``cat`` a connection to its address is tried.

    Args:
        port: 80, "80/tcp", "53/udp".
    """

    def __init__(self, port: int | str) -> None:
        number, _, protocol = str(port).partition("/")
        if not number.isdigit() or not 0 < int(number) < 65536 or (protocol or "tcp") not in _LISTENING:
            raise InvalidArgument(f"port: {port!r} is no port; a number, or text like '80/tcp' or '53/udp', is needed")
        self.number: int = int(number)
        self.protocol: str = protocol or "tcp"

    def _look(self, container: Container) -> bool:
        files = [f"/proc/net/{self.protocol}", f"/proc/net/{self.protocol}6"]
        try:
            done = container.exec(["cat", *files], timeout=10)
        except errors.APIError as error:
            if error.status_code not in (400, 500):  # how some engines say that there is no such program
                raise
            listed = b""
        else:
            listed = b"" if done.returncode in (126, 127) else done.stdout
        if not listed:
            return _accepts(container, self.number) if self.protocol == "tcp" else False
        wanted = f":{self.number:04X}"
        for line in listed.decode("ascii", "replace").splitlines():
            fields = line.split()
            if len(fields) > 3 and fields[1].endswith(wanted) and fields[3] == _LISTENING[self.protocol]:
                return True
        return False

    def __repr__(self) -> str:
        return f"Port({self.number if self.protocol == 'tcp' else f'{self.number}/{self.protocol}'!r})"


class Http(Asked):
    """A web server in the container answers, at its published port.

    Args:
        port: of the container; it must be published.
        path: what to ask for.
        status: the wanted status; None for any below 400.
        tls: https; the certificate is not checked, since it is about readiness.
        host: where the engine's published ports are reached; None for what ``container.address`` says.
        timeout: seconds for one try.
    """

    def __init__(
        self,
        port: int | str,
        path: str = "/",
        status: int | None = None,
        *,
        tls: bool = False,
        host: str | None = None,
        timeout: float = 2.0,
    ) -> None:
        self.port = port
        self.path = path
        self.status = status
        self.tls = tls
        self.host = host
        self.timeout = timeout

    def _look(self, container: Container) -> bool:
        container.reload()
        try:
            address = container.address(self.port)
        except DockerException:
            return False
        host = self.host or address.host
        connection: http.client.HTTPConnection
        if self.tls:
            unchecked = ssl.create_default_context()
            unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
            connection = http.client.HTTPSConnection(host, address.port, timeout=self.timeout, context=unchecked)
        else:
            connection = http.client.HTTPConnection(host, address.port, timeout=self.timeout)
        try:
            connection.request("GET", self.path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return status < 400 if self.status is None else status == self.status

    def __repr__(self) -> str:
        return f"Http({self.port!r}, {self.path!r})"


class File(Asked):
    """A file or folder exists in the container.

    Args:
        path: its absolute path.
    """

    def __init__(self, path: str) -> None:
        if not path.startswith("/"):
            raise InvalidArgument(f"path: an absolute path is needed, not {path!r}")
        self.path = path

    def _look(self, container: Container) -> bool:
        try:
            return container.client.api.stat_archive(container.id or "", self.path) is not None
        except errors.NotFound:
            return False

    def __repr__(self) -> str:
        return f"File({self.path!r})"


def _accepts(container: Container, port: int) -> bool:
    """Whether a connection to the container's own address is taken; only where we are on the engine's machine."""
    settings: Mapping[str, Any] = (
        container.client.api.inspect_container(container.id or "").get("NetworkSettings") or {}
    )
    networks = (settings.get("Networks") or {}).values()
    for address in filter(None, (network.get("IPAddress") for network in networks)):
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            continue
        return True
    return False
