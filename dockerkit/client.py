"""DockerClient: the front door of the object layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from dockerkit.constants import DEFAULT_CONNECT_RETRY, DEFAULT_TIMEOUT_SECONDS, DEFAULT_USER_AGENT, KEPT_CONNECTIONS
from dockerkit.constants import DEFAULT_MAX_POOL_SIZE as DEFAULT_MAX_POOL_SIZE

if TYPE_CHECKING:
    import ssl
    from datetime import datetime
    from typing import Self

    from dockerkit.api.client import APIClient
    from dockerkit.api.connected import Seconds
    from dockerkit.api.encode import Filters
    from dockerkit.config import Endpoint
    from dockerkit.hooks import Hook
    from dockerkit.models.configs import ConfigCollection
    from dockerkit.models.containers import ContainerCollection
    from dockerkit.models.images import ImageCollection
    from dockerkit.models.networks import NetworkCollection
    from dockerkit.models.nodes import NodeCollection
    from dockerkit.models.plugins import PluginCollection
    from dockerkit.models.secrets import SecretCollection
    from dockerkit.models.services import ServiceCollection
    from dockerkit.models.stacks import StackCollection
    from dockerkit.models.swarm import Swarm
    from dockerkit.models.system import System
    from dockerkit.models.tasks import TaskCollection
    from dockerkit.models.volumes import VolumeCollection
    from dockerkit.streams import JSONStream
    from dockerkit.tls import TLSConfig
    from dockerkit.transport.dial import Dial
    from dockerkit.types import answers


class DockerClient:
    """A client of one Docker Engine: containers, images, networks, volumes, swarm, as objects.

    Nothing is sent before the first call. Threads may share a client, forked children may go on using it, and it can be
    pickled. It is a context manager; at its end the connections are closed.

    Args:
        base_url: ``unix:///path``, ``tcp://host:port``, ``ssh://user@host``; None to find the engine as the docker
            command does.
        version: API version to speak; None or ``"auto"`` for the newest that both sides know.
        timeout: seconds for connecting and for each wait on an answer, or a pair of both; None is no limit.
        tls: True, a TLSConfig or an ssl context, for tcp.
        user_agent: the User-Agent header.
        num_pools: taken for docker-py's sake; there is one pool.
        credstore_env: environment variables for credential helpers.
        use_ssh_client: taken for docker-py's sake; ssh:// always runs the system's ssh where there is one.
        max_pool_size: idle connections that are kept.
        context: name of a docker context, instead of base_url.
        environment: instead of ``os.environ``, for ``DOCKER_HOST`` and its like.
        headers: sent with each request.
        hooks: told about each request, see :mod:`dockerkit.hooks`.
        connect_retry: seconds to go on trying when an engine that answered before refuses connections; 0 for none.
        dial: connects instead of dockerkit: a function of the seconds it may take that returns a connected socket.

    Example::

        with DockerClient() as client:
            client.containers.run("busybox", "true", remove=True)
    """

    def __init__(
        self,
        base_url: str | None = None,
        version: str | None = None,
        timeout: Seconds = DEFAULT_TIMEOUT_SECONDS,
        tls: TLSConfig | ssl.SSLContext | bool | None = False,
        user_agent: str = DEFAULT_USER_AGENT,
        num_pools: int | None = None,
        credstore_env: Mapping[str, str] | None = None,
        use_ssh_client: bool = False,
        max_pool_size: int = KEPT_CONNECTIONS,
        *,
        context: str | None = None,
        environment: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        hooks: Sequence[Hook] = (),
        connect_retry: float = DEFAULT_CONNECT_RETRY,
        dial: Dial | None = None,
    ) -> None:
        from dockerkit.api.client import APIClient

        self.api: APIClient = APIClient(
            base_url,
            version,
            timeout,
            tls,
            user_agent,
            num_pools,
            credstore_env,
            use_ssh_client,
            max_pool_size,
            context=context,
            environment=environment,
            headers=headers,
            hooks=hooks,
            connect_retry=connect_retry,
            dial=dial,
        )

    @classmethod
    def from_env(
        cls,
        *,
        version: str | None = None,
        timeout: Seconds = DEFAULT_TIMEOUT_SECONDS,
        max_pool_size: int = KEPT_CONNECTIONS,
        environment: Mapping[str, str] | None = None,
        use_ssh_client: bool = False,
        use_context: bool = True,
        credstore_env: Mapping[str, str] | None = None,
        user_agent: str = DEFAULT_USER_AGENT,
        headers: Mapping[str, str] | None = None,
        hooks: Sequence[Hook] = (),
        connect_retry: float = DEFAULT_CONNECT_RETRY,
    ) -> Self:
        """A client of the engine that the docker command would talk to.

        Args:
            version, timeout, max_pool_size, use_ssh_client, credstore_env, user_agent, headers, hooks, connect_retry:
                as for the class.
            environment: instead of ``os.environ``.
            use_context: False to ignore docker contexts.

        Raises:
            ContextNotFound: ``DOCKER_CONTEXT`` or the current context names none that exists.
            InvalidArgument: ``DOCKER_HOST`` can't be understood.
        """
        return cls(
            version=version,
            timeout=timeout,
            max_pool_size=max_pool_size,
            environment=environment,
            use_ssh_client=use_ssh_client,
            context=None if use_context else "default",
            credstore_env=credstore_env,
            user_agent=user_agent,
            headers=headers,
            hooks=hooks,
            connect_retry=connect_retry,
        )

    @classmethod
    def from_context(
        cls,
        name: str | None = None,
        *,
        version: str | None = None,
        timeout: Seconds = DEFAULT_TIMEOUT_SECONDS,
        max_pool_size: int = KEPT_CONNECTIONS,
        use_ssh_client: bool = False,
        credstore_env: Mapping[str, str] | None = None,
        user_agent: str = DEFAULT_USER_AGENT,
        headers: Mapping[str, str] | None = None,
        hooks: Sequence[Hook] = (),
        connect_retry: float = DEFAULT_CONNECT_RETRY,
    ) -> Self:
        """A client of the engine of a docker context.

        Args:
            name: of the context; None is the current one.
            version, timeout, max_pool_size, use_ssh_client, credstore_env, user_agent, headers, hooks, connect_retry:
                as for the class.

        Raises:
            ContextNotFound: there is no such context.
        """
        return cls(
            version=version,
            timeout=timeout,
            max_pool_size=max_pool_size,
            context=name,
            use_ssh_client=use_ssh_client,
            credstore_env=credstore_env,
            user_agent=user_agent,
            headers=headers,
            hooks=hooks,
            connect_retry=connect_retry,
        )

    def with_timeout(self, timeout: Seconds) -> Self:
        """This client with another timeout, over the same connections; closing either closes both.

        It counts for streams, waits, pulls and builds too, which have no read timeout else.

        Args:
            timeout: seconds for connecting and for each wait on an answer, or a pair of both; None is no limit.

        Example::

            client.with_timeout((5, 600)).containers.get("db").commit("backup")
        """
        twin = type(self).__new__(type(self))
        twin.api = self.api.with_timeout(timeout)
        return twin

    @property
    def endpoint(self) -> Endpoint:
        """Where the engine is, what named it, and why that was taken."""
        return self.api.endpoint

    @cached_property
    def containers(self) -> ContainerCollection:
        """Containers: ``run``, ``create``, ``get``, ``list``, ``prune``."""
        from dockerkit.models.containers import ContainerCollection

        return ContainerCollection(self)

    @cached_property
    def images(self) -> ImageCollection:
        """Images: ``pull``, ``push``, ``build``, ``get``, ``list``, ``load``, ``search``, ``prune``."""
        from dockerkit.models.images import ImageCollection

        return ImageCollection(self)

    @cached_property
    def networks(self) -> NetworkCollection:
        """Networks: ``create``, ``get``, ``list``, ``prune``."""
        from dockerkit.models.networks import NetworkCollection

        return NetworkCollection(self)

    @cached_property
    def volumes(self) -> VolumeCollection:
        """Volumes: ``create``, ``get``, ``list``, ``prune``."""
        from dockerkit.models.volumes import VolumeCollection

        return VolumeCollection(self)

    @cached_property
    def services(self) -> ServiceCollection:
        """Services of the swarm: ``create``, ``get``, ``list``."""
        from dockerkit.models.services import ServiceCollection

        return ServiceCollection(self)

    @cached_property
    def stacks(self) -> StackCollection:
        """Stacks of the swarm, services that belong together: ``deploy``, ``get``, ``list``."""
        from dockerkit.models.stacks import StackCollection

        return StackCollection(self)

    @cached_property
    def tasks(self) -> TaskCollection:
        """Tasks of the swarm: ``get``, ``list``."""
        from dockerkit.models.tasks import TaskCollection

        return TaskCollection(self)

    @cached_property
    def nodes(self) -> NodeCollection:
        """Nodes of the swarm: ``get``, ``list``."""
        from dockerkit.models.nodes import NodeCollection

        return NodeCollection(self)

    @property
    def swarm(self) -> Swarm:
        """The swarm that the engine is part of: ``init``, ``join``, ``leave``, ``update``, ``unlock``.

        A new object each time, so that its facts are of now; they are asked for when they are first used.
        """
        from dockerkit.models.swarm import Swarm

        return Swarm(client=self)

    @cached_property
    def secrets(self) -> SecretCollection:
        """Secrets of the swarm: ``create``, ``get``, ``list``."""
        from dockerkit.models.secrets import SecretCollection

        return SecretCollection(self)

    @cached_property
    def configs(self) -> ConfigCollection:
        """Configs of the swarm: ``create``, ``get``, ``list``."""
        from dockerkit.models.configs import ConfigCollection

        return ConfigCollection(self)

    @cached_property
    def plugins(self) -> PluginCollection:
        """Plugins of the engine: ``install``, ``create``, ``get``, ``list``."""
        from dockerkit.models.plugins import PluginCollection

        return PluginCollection(self)

    @cached_property
    def system(self) -> System:
        """The engine itself: typed events, disk use, prune of everything."""
        from dockerkit.models.system import System

        return System(self)

    def ping(self) -> bool:
        """Whether the engine answers. ``GET /_ping``

        Raises:
            ConnectionFailed: it does not; the message says what to do.
        """
        return self.api.ping()

    def version(self, api_version: bool = True) -> answers.SystemVersion:
        """Versions of the engine and its parts. ``GET /version``

        Args:
            api_version: ask under the API version in use, or under the engine's newest.
        """
        return self.api.version(api_version)

    def info(self) -> answers.SystemInfo:
        """What the engine says about itself and its host. ``GET /info``"""
        return self.api.info()

    def df(self) -> answers.SystemDataUsageResponse:
        """Disk use of images, containers, volumes and build cache. ``GET /system/df``"""
        return self.api.df()

    @overload
    def events(
        self,
        since: datetime | float | str | None = None,
        until: datetime | float | str | None = None,
        filters: Filters | None = None,
        decode: Literal[False] | None = None,
    ) -> JSONStream[bytes]: ...

    @overload
    def events(
        self,
        since: datetime | float | str | None = None,
        until: datetime | float | str | None = None,
        filters: Filters | None = None,
        *,
        decode: Literal[True],
    ) -> JSONStream[dict[str, Any]]: ...

    @overload
    def events(
        self,
        since: datetime | float | str | None = None,
        until: datetime | float | str | None = None,
        filters: Filters | None = None,
        decode: bool | None = None,
    ) -> JSONStream[bytes] | JSONStream[dict[str, Any]]: ...

    def events(
        self,
        since: datetime | float | str | None = None,
        until: datetime | float | str | None = None,
        filters: Filters | None = None,
        decode: bool | None = None,
    ) -> JSONStream[bytes] | JSONStream[dict[str, Any]]:
        """What happens at the engine, as it happens. ``GET /events``

        Args:
            since, until: a datetime (UTC where it has no zone), or seconds since 1970.
            filters: ``{"type": "container", "event": ["start", "die"], ...}``.
            decode: dicts instead of bytes.

        Returns:
            An iterator with ``close()``, which other threads may call.
        """
        return self.api.events(since, until, filters, decode)

    def login(
        self,
        username: str | None = None,
        password: str | None = None,
        email: str | None = None,
        registry: str | None = None,
        reauth: bool = False,
        dockercfg_path: str | None = None,
        *,
        save: bool = False,
    ) -> dict[str, Any]:
        """Check credentials with a registry and use them from now on. ``POST /auth``

        Args:
            username, password, email: for the registry.
            registry: its address; None is Docker Hub.
            reauth: ask the registry even where these credentials are known.
            dockercfg_path: read this config.json first.
            save: keep them beyond this client, where the docker command keeps its own.

        Raises:
            APIError: the registry does not accept them.
        """
        return self.api.login(username, password, email, registry, reauth, dockercfg_path, save=save)

    def logout(self, registry: str | None = None) -> bool:
        """Forget the credentials for a registry: this client's, and those that the docker command keeps. Sends nothing.

        Args:
            registry: its address; None is Docker Hub.

        Returns:
            Whether there were any.
        """
        return self.api.logout(registry)

    def close(self) -> None:
        """Close all connections; calls that run in other threads end with ClientClosed."""
        self.api.close()

    if not TYPE_CHECKING:  # a type checker must go on refusing names that there are not

        def __getattr__(self, name: str) -> Any:
            from dockerkit.api.client import APIClient

            hint = f": the low-level call is client.api.{name}" if hasattr(APIClient, name) else ""
            raise AttributeError(f"'DockerClient' object has no attribute {name!r}{hint}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<DockerClient {self.api.endpoint.host}>"

    def __getstate__(self) -> dict[str, Any]:
        return {"api": self.api}


from_env: Final = DockerClient.from_env
from_context: Final = DockerClient.from_context
