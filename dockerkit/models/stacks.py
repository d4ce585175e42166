"""Stacks: the services, networks, secrets and configs of a swarm that belong together, told by one label.

The Engine knows no stacks. The docker command keeps them by a label, and so do we: what one deployed, the other lists,
changes and removes.
"""

from __future__ import annotations

import builtins
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.errors import ConvergenceTimeout, InvalidArgument
from dockerkit.models.service_options import ServiceUpdateOptions

if TYPE_CHECKING:
    from dockerkit.client import DockerClient
    from dockerkit.models.configs import Config
    from dockerkit.models.networks import Network
    from dockerkit.models.secrets import Secret
    from dockerkit.models.services import Service
    from dockerkit.models.tasks import Task

__all__ = ["Stack", "StackCollection"]

_NAMESPACE = "com.docker.stack.namespace"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_REMOVING = 60.0  # seconds that tasks may take to leave the networks of a stack


class Stack:
    """What belongs together in a swarm under one name.

    Attributes:
        name: its name; those of its parts begin with it: ``"shop_web"``.
    """

    def __init__(self, name: str, client: DockerClient) -> None:
        self.name: str = name
        self.client: DockerClient = client

    @property
    def _ours(self) -> dict[str, str]:
        return {"label": f"{_NAMESPACE}={self.name}"}

    def services(self) -> builtins.list[Service]:
        """Its services, by one request. ``GET /services``"""
        return self.client.services.list(self._ours)

    def tasks(self) -> builtins.list[Task]:
        """The tasks of its services, by one request. ``GET /tasks``"""
        return self.client.tasks.list(self._ours)

    def networks(self) -> builtins.list[Network]:
        """Its networks, by one request. ``GET /networks``"""
        return self.client.networks.list(filters=self._ours)

    def secrets(self) -> builtins.list[Secret]:
        """Its secrets, by one request. ``GET /secrets``"""
        return self.client.secrets.list(self._ours)

    def configs(self) -> builtins.list[Config]:
        """Its configs, by one request. ``GET /configs``"""
        return self.client.configs.list(self._ours)

    def wait(self, timeout: float | None = 300, *, stable_for: float = 5) -> None:
        """Wait until all its services are as they are to be. ``GET /services`` and ``GET /tasks``

        Args:
            timeout: seconds for all of them; None waits for ever.
            stable_for: seconds that all tasks of a service must have run in a row.

        Raises:
            ConvergenceFailed: an update was paused or rolled back, or no task of a service is left that could run.
            ConvergenceTimeout: they have not come so far in time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        for service in self.services():
            service.wait(None if deadline is None else max(deadline - time.monotonic(), 0.1), stable_for=stable_for)

    def remove(self) -> None:
        """Remove its services, secrets, configs and networks; volumes stay. ``DELETE /services/{id}`` and the like

        Raises:
            ConvergenceTimeout: tasks did not leave its networks within a minute.
        """
        parts: Sequence[Service | Secret | Config] = [*self.services(), *self.secrets(), *self.configs()]
        for part in parts:
            part.remove()
        deadline = time.monotonic() + _REMOVING
        for network in self.networks():
            while not _gone(network):
                if time.monotonic() > deadline:
                    raise ConvergenceTimeout(f"stack {self.name}: its network {network.name} is still in use")
                time.sleep(0.2)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stack) and self.name == other.name

    def __hash__(self) -> int:
        return hash(f"Stack:{self.name}")

    def __repr__(self) -> str:
        return f"<Stack: {self.name!r}>"


class StackCollection:
    """The stacks of a swarm; a manager knows them."""

    def __init__(self, client: DockerClient) -> None:
        self.client: DockerClient = client

    def list(self) -> builtins.list[Stack]:
        """List stacks that have services, by one request. ``GET /services``"""
        labels = [service.labels.get(_NAMESPACE) for service in self.client.services.list({"label": _NAMESPACE})]
        return [Stack(name, self.client) for name in sorted({label for label in labels if label})]

    def get(self, name: str) -> Stack:
        """One stack. ``GET /services``

        Raises:
            NotFound: there is no service of such a stack.
        """
        stack = Stack(_checked(name), self.client)
        if not stack.services():
            raise errors.NotFound(f"the swarm has no service of a stack named {name!r}")
        return stack

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
        """Make a stack, or make it what is described here. ``POST /services/create``, ``POST /services/{id}/update``

        Services are created, or updated to exactly their options; tasks are replaced only where these differ. Networks
        and secrets that are there stay as they are.

        Args:
            name: of the stack.
            services: by their name in the stack, the rows of
                :class:`~dockerkit.models.service_options.ServiceUpdateOptions`; ``image`` must be given. Where networks,
                secrets and configs are named that this stack has, its own are meant; else those of the swarm. A service
                without ``networks`` joins the stack's network ``default``. The others find it by its name in the stack.
            networks: by their name in the stack, keywords of ``networks.create()``; the driver is ``"overlay"`` where
                none is given.
            secrets, configs: by their name in the stack, their content. Containers see it in a file of that name.
            prune: also remove services of the stack that are not described.

        Returns:
            The stack; :meth:`Stack.wait` waits until it runs.

        Raises:
            TypeError: an option that services have not.
            InvalidArgument: a value that can't be right; or a config is there with another content, which can't be
                changed: ``configs.rotate()`` replaces it.
            ServiceUnavailable: this engine is no manager of a swarm.

        Example::

            client.stacks.deploy(
                "shop",
                {"web": {"image": "nginx", "replicas": 2, "ports": {8080: 80}}, "db": {"image": "redis"}},
            ).wait()
        """
        stack = Stack(_checked(name), self.client)
        _check_services(services)
        there = {service.name: service for service in stack.services()}
        wanted = dict(networks or {})
        if any(options.get("networks") is None for options in services.values()):
            wanted.setdefault("default", {})
        own = _Parts(stack, wanted, secrets or {}, configs or {})
        own.make()
        for key, options in services.items():
            whole = own.service(key, options)
            if (service := there.pop(f"{name}_{key}", None)) is None:
                self.client.services.create(name=f"{name}_{key}", **whole)
            else:
                service._replace({"name": service.name, **whole})
        if prune:
            for service in there.values():
                service.remove()
        return stack


class _Parts:
    """What a stack has besides services."""

    def __init__(
        self,
        stack: Stack,
        networks: Mapping[str, Mapping[str, Any]],
        secrets: Mapping[str, bytes | str],
        configs: Mapping[str, bytes | str],
    ) -> None:
        self.stack = stack
        self.networks = networks
        self.secrets = secrets
        self.configs = configs
        for kind in ("networks", "secrets", "configs"):
            for key in getattr(self, kind):
                _checked(key, kind)

    def make(self) -> None:
        """Make those that are missing, after a look at those that are there."""
        client, label = self.stack.client, {_NAMESPACE: self.stack.name}
        there = {config.name: config for config in self.stack.configs()}
        for key, content in self.configs.items():
            config = there.get(self._full(key))
            if config is not None and config.data != (content.encode() if isinstance(content, str) else content):
                raise InvalidArgument(
                    f"configs[{key!r}]: {config.name} is there with another content, and configs can't change: "
                    f"call client.configs.rotate({config.name!r}, ...), or give the new one another name"
                )
        networks = {network.name for network in self.stack.networks()}
        for key, options in self.networks.items():
            if self._full(key) not in networks:
                labels = {**(options.get("labels") or {}), **label}
                client.networks.create(self._full(key), **{"driver": "overlay", **options, "labels": labels})
        secrets = {secret.name for secret in self.stack.secrets()}
        for key, content in self.secrets.items():
            if self._full(key) not in secrets:
                client.secrets.create(self._full(key), content, label)
        for key, content in self.configs.items():
            if self._full(key) not in there:
                client.configs.create(self._full(key), content, label)

    def service(self, key: str, options: ServiceUpdateOptions) -> dict[str, Any]:
        """A service's options, with the stack's label and names."""
        from dockerkit.types.services import ConfigReference, NetworkAttachmentConfig, SecretReference

        label = {_NAMESPACE: self.stack.name}
        whole: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        whole["labels"] = {**(options.get("labels") or {}), **label}
        whole["container_labels"] = {**(options.get("container_labels") or {}), **label}
        joined: Sequence[Any] = whole.get("networks", ["default"])
        whole["networks"] = [
            NetworkAttachmentConfig(self._full(one) if one in self.networks else one, aliases=[key])
            if isinstance(one, str)
            else one
            for one in joined
        ]
        ids: dict[str, Callable[[], Sequence[Any]]] = {"secrets": self.stack.secrets, "configs": self.stack.configs}
        for kind, make in (("secrets", SecretReference), ("configs", ConfigReference)):
            mine: Mapping[str, object] = getattr(self, kind)
            if any(isinstance(one, str) and one in mine for one in whole.get(kind, ())):
                known = {part.name: part.id for part in ids[kind]()}
                whole[kind] = [
                    make(known[self._full(one)], self._full(one), one) if isinstance(one, str) and one in mine else one
                    for one in whole[kind]
                ]
        return whole

    def _full(self, key: str) -> str:
        return f"{self.stack.name}_{key}"


def _checked(name: object, parameter: str = "name") -> str:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise InvalidArgument(
        f"{parameter}: a name of letters, digits, '_', '.' and '-' is needed, which begins with one of the former two, "
        f"not {name!r}"
    )


def _check_services(services: object) -> None:
    if not isinstance(services, Mapping) or not services:
        raise InvalidArgument("services: a mapping of names to their options is needed, with one at least")
    known = ServiceUpdateOptions.__annotations__.keys() - {"name", "force_update", "registry_auth_from"}
    for key, options in services.items():
        place = f"services[{_checked(key, 'services')!r}]"
        if not isinstance(options, Mapping) or not options.get("image"):
            raise InvalidArgument(f"{place}: options are needed, with an image at least, not {options!r}")
        if unknown := options.keys() - known:
            raise TypeError(
                f"{place}: there is no option {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
            )


def _gone(network: Network) -> bool:
    """Remove a network; False as long as it is there, which a manager lets it be until its tasks have left."""
    try:
        network.reload()
        network.remove()
    except errors.NotFound:
        return True
    except errors.APIError as error:
        if not re.search(r"in use|active endpoints|not found", str(error)):
            raise
    return False
