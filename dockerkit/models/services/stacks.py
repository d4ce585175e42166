"""Stacks: services, networks, secrets and configs of a swarm that belong together.

The Engine has no stacks. The docker command marks their parts with a label, and dockerkit uses the same one, so each
can list, change and remove the stacks of the other.
"""

from __future__ import annotations

import builtins
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from dockerkit import errors, runtime
from dockerkit.errors import ConvergenceTimeout, InvalidArgument
from dockerkit.errors.base import IgnoreGone
from dockerkit.models.resource import RAISE, D
from dockerkit.models.services.options import ServiceUpdateOptions
from dockerkit.parsing.responses import parsing_response
from dockerkit.parsing.values import boolean, time_limit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockerkit.client import DockerClient
    from dockerkit.models.configs import Config
    from dockerkit.models.networks import Network
    from dockerkit.models.secrets import Secret
    from dockerkit.models.services import Service
    from dockerkit.models.tasks import Task
    from dockerkit.parsing.values import Duration

__all__ = ["Stack", "StackCollection"]

T = TypeVar("T")
N = TypeVar("N", "Service", "Network", "Secret", "Config")

_NAMESPACE = "com.docker.stack.namespace"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_ONLY_FOR_UPDATES = {"name", "force_update", "registry_auth_from", "fetch_current_spec"}
_REMOVING = 60.0  # maximum seconds until the tasks have left the networks of a stack


class Stack:
    """The parts of a swarm with the same stack name.

    Attributes:
        name: name of the stack. The names of its parts begin with it: ``"shop_web"``.
    """

    def __init__(self, name: str, client: DockerClient) -> None:
        self.name: str = name
        self.client: DockerClient = client

    @property
    def _label(self) -> str:
        return f"{_NAMESPACE}={self.name}"

    def services(self) -> builtins.list[Service]:
        """List the services, in one request. ``GET /services``"""
        return self.client.services.list({"label": self._label})

    def tasks(self) -> builtins.list[Task]:
        """List the tasks of the services, in one request. ``GET /tasks``"""
        return self.client.tasks.list({"label": self._label})

    def networks(self) -> builtins.list[Network]:
        """List the networks, in one request. ``GET /networks``"""
        return self.client.networks.list(filters={"label": self._label})

    def secrets(self) -> builtins.list[Secret]:
        """List the secrets, in one request. ``GET /secrets``"""
        return self.client.secrets.list({"label": self._label})

    def configs(self) -> builtins.list[Config]:
        """List the configs, in one request. ``GET /configs``"""
        return self.client.configs.list({"label": self._label})

    def wait(self, timeout: Duration | None = 300, *, stable_for: Duration = 5) -> None:
        """Wait until all services have converged. ``GET /services`` and ``GET /tasks``

        Args:
            timeout: maximum seconds to wait for all of them; None for no limit.
            stable_for: seconds that all tasks of a service must run without interruption.

        Raises:
            ConvergenceFailed: an update was paused or rolled back, or no task of a service is left that could run.
            ConvergenceTimeout: the services did not converge in time.
        """
        limit = time_limit(timeout)
        deadline = None if limit is None else time.monotonic() + limit
        for service in self.services():
            service.wait(None if deadline is None else max(deadline - time.monotonic(), 0.1), stable_for=stable_for)

    def remove(self) -> None:
        """Remove services, secrets, configs and networks; volumes are kept. ``DELETE /services/{id}`` and similar calls

        Raises:
            ConvergenceTimeout: the tasks did not leave the networks within a minute.
        """
        parts: Sequence[Service | Secret | Config] = [*self.services(), *self.secrets(), *self.configs()]
        for part in parts:
            with IgnoreGone():
                part.remove()
        deadline = time.monotonic() + _REMOVING
        for network in self.networks():
            while not _gone(network):
                if time.monotonic() > deadline:
                    raise ConvergenceTimeout(f"stack {self.name}: network {network.name} is still in use")
                runtime.sleep(0.2)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stack) and self.name == other.name

    def __hash__(self) -> int:
        return hash(f"Stack:{self.name}")

    def __repr__(self) -> str:
        return f"<Stack: {self.name!r}>"


class StackCollection:
    """Deploy, list and remove stacks; requires a manager node."""

    def __init__(self, client: DockerClient) -> None:
        self.client: DockerClient = client

    def list(self) -> builtins.list[Stack]:
        """List stacks that have services, in one request. ``GET /services``"""
        labels = [service.labels.get(_NAMESPACE) for service in self.client.services.list({"label": _NAMESPACE})]
        return [Stack(name, self.client) for name in sorted({label for label in labels if label})]

    def get(self, name: str, *, default: D = RAISE) -> Stack | D:
        """Return a stack. ``GET /services``

        Args:
            name: name of the stack.
            default: returned instead of raising NotFound.

        Raises:
            NotFound: the stack has no service.
        """
        stack = Stack(_checked(name), self.client)
        if stack.services():
            return stack
        if default is RAISE:
            raise errors.NotFound(f"no stack named {name!r}: the swarm has no service with this stack label")
        return default

    def exists(self, name: str, /) -> bool:
        """Return whether the stack has a service. ``GET /services``"""
        return self.get(name, default=None) is not None

    def deploy(
        self,
        name: str,
        services: Mapping[str, ServiceUpdateOptions],
        *,
        networks: Mapping[str, Mapping[str, Any]] | None = None,
        secrets: Mapping[str, bytes | str] | None = None,
        configs: Mapping[str, bytes | str] | None = None,
        prune: bool = False,
    ) -> Stack:
        """Create or update a stack. ``POST /services/create``, ``POST /services/{id}/update``

        Services are created, or updated to exactly these options. Their tasks are replaced only if the options differ.
        Existing networks and secrets are not changed.

        Args:
            name: name of the stack.
            services: options of :class:`~dockerkit.models.services.options.ServiceUpdateOptions`, including ``image``,
                by name of the service in the stack. Names of networks, secrets and configs refer to those of the stack
                if it has them, otherwise to those of the swarm. A service without ``networks`` joins the stack's
                network ``default``, where the others find it by its name in the stack.
            networks: options of ``networks.create()`` by name in the stack; the driver is ``"overlay"`` by default.
            secrets, configs: contents by name in the stack. Containers see each in a file with this name.
            prune: also remove services of the stack that are not listed.

        Returns:
            The stack; call :meth:`Stack.wait` to wait until it is running.

        Raises:
            TypeError: an option of a service is unknown.
            InvalidArgument: a value is invalid, or a config exists with different content. Configs can't be changed;
                ``configs.rotate()`` replaces one.
            ServiceUnavailable: the engine is not a swarm manager.

        Example::

            client.stacks.deploy(
                "shop",
                {"web": {"image": "nginx", "ports": {8080: 80}}, "db": {"image": "redis"}},
            ).wait()
        """
        stack = Stack(_checked(name), self.client)
        boolean(prune, "prune")
        _check_services(services)
        there = _by_name(stack.services())
        requested = dict(networks or {})
        if any(options.get("networks") is None for options in services.values()):
            requested.setdefault("default", {})
        own = _Parts(stack, requested, secrets or {}, configs or {})
        own.make()
        for key, options in services.items():
            complete = own.service(key, options)
            if (service := there.pop(f"{name}_{key}", None)) is None:
                self.client.services.create(name=f"{name}_{key}", **complete)
            else:
                service._replace({"name": service.name, **complete})
        if prune:
            for service in there.values():
                service.remove()
        return stack


@dataclass
class _Parts:
    """Networks, secrets and configs of a stack."""

    stack: Stack
    networks: Mapping[str, Mapping[str, Any]]
    secrets: Mapping[str, bytes | str]
    configs: Mapping[str, bytes | str]

    def __post_init__(self) -> None:
        for kind in ("networks", "secrets", "configs"):
            for key in getattr(self, kind):
                _checked(key, kind)

    def make(self) -> None:
        """List the existing ones, and create the missing ones."""
        client, label = self.stack.client, {_NAMESPACE: self.stack.name}
        there = _by_name(self.stack.configs())
        for key, content in self.configs.items():
            config = there.get(self._prefixed(key))
            if config is not None and config.data != (content.encode() if isinstance(content, str) else content):
                raise InvalidArgument(
                    f"configs[{key!r}]: {config.name} exists with different content, and configs can't be changed: "
                    f"call client.configs.rotate({config.name!r}, ...), or choose another name"
                )
        for name, options in self._missing(self.networks, _by_name(self.stack.networks())):
            labels = {**(options.get("labels") or {}), **label}
            client.networks.create(name, **{"driver": "overlay", **options, "labels": labels})
        for name, content in self._missing(self.secrets, _by_name(self.stack.secrets())):
            client.secrets.create(name, content, label)
        for name, content in self._missing(self.configs, there):
            client.configs.create(name, content, label)

    def _missing(self, requested: Mapping[str, T], there: Mapping[str | None, object]) -> Iterator[tuple[str, T]]:
        return ((self._prefixed(key), part) for key, part in requested.items() if self._prefixed(key) not in there)

    def service(self, key: str, options: ServiceUpdateOptions) -> dict[str, Any]:
        """Return a service's options, with the stack's label and names."""
        from dockerkit.types.services import ConfigReference, NetworkAttachmentConfig, SecretReference

        label = {_NAMESPACE: self.stack.name}
        complete: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        complete["labels"] = {**(options.get("labels") or {}), **label}
        complete["container_labels"] = {**(options.get("container_labels") or {}), **label}
        joined: Sequence[Any] = complete.get("networks", ["default"])
        complete["networks"] = [
            NetworkAttachmentConfig(self._prefixed(item) if item in self.networks else item, aliases=[key])
            if isinstance(item, str)
            else item
            for item in joined
        ]
        for kind, make in (("secrets", SecretReference), ("configs", ConfigReference)):
            mine: Mapping[str, object] = getattr(self, kind)
            if any(isinstance(item, str) and item in mine for item in complete.get(kind, ())):
                known = {part.name: part.id for part in getattr(self.stack, kind)()}
                complete[kind] = [
                    make(known[self._prefixed(item)], self._prefixed(item), item)
                    if isinstance(item, str) and item in mine
                    else item
                    for item in complete[kind]
                ]
        return complete

    def _prefixed(self, key: str) -> str:
        return f"{self.stack.name}_{key}"


def _checked(name: object, parameter: str = "name") -> str:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise InvalidArgument(
        f"{parameter}: must begin with a letter or digit and contain only letters, digits, '_', '.' and '-', "
        f"got {name!r}"
    )


def _check_services(services: object) -> None:
    if not isinstance(services, Mapping) or not services:
        raise InvalidArgument("services: must be a non-empty mapping of names to options")
    known = ServiceUpdateOptions.__annotations__.keys() - _ONLY_FOR_UPDATES
    for key, options in services.items():
        place = f"services[{_checked(key, 'services')!r}]"
        if not isinstance(options, Mapping) or not options.get("image"):
            raise InvalidArgument(f"{place}: must be options including an image, got {options!r}")
        if unknown := options.keys() - known:
            wrong, right = ", ".join(sorted(unknown)), ", ".join(sorted(known))
            raise TypeError(f"{place}: unknown option {wrong}; known are {right}")


def _gone(network: Network) -> bool:
    """Remove a network; return False while it is in use, as a manager rejects it until all tasks have left."""
    try:
        network.reload()
        network.remove()
    except errors.APIError as error:
        if error.is_gone():
            return isinstance(error, errors.NotFound)
        if not re.search(r"in use|active endpoints|not found", str(error)):
            raise
    return False


def _by_name(objects: Iterable[N]) -> dict[str | None, N]:
    with parsing_response("the names of a stack's objects"):
        return {one.name: one for one in objects}
