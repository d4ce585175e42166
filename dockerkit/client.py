"""DockerClient: the entry point of the high-level layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, overload

from dockerkit.api.defaults import (
    DEFAULT_CONNECT_RETRY,
    DEFAULT_TIMEOUT_SECONDS,
    DEFAULT_USER_AGENT,
    MAX_IDLE_CONNECTIONS,
)
from dockerkit.api.defaults import DEFAULT_MAX_POOL_SIZE as DEFAULT_MAX_POOL_SIZE

if TYPE_CHECKING:
    import ssl
    from typing import Self, Unpack

    from dockerkit.api.client import APIClient
    from dockerkit.api.container_streams import TimeLike
    from dockerkit.api.request import Seconds
    from dockerkit.endpoint.discovery import Endpoint
    from dockerkit.endpoint.tls import TLSConfig
    from dockerkit.hooks import Hook
    from dockerkit.models.builders import Builders
    from dockerkit.models.configs import ConfigCollection
    from dockerkit.models.containers import ContainerCollection
    from dockerkit.models.images import Image, ImageCollection
    from dockerkit.models.networks import NetworkCollection
    from dockerkit.models.nodes import NodeCollection
    from dockerkit.models.plugins import PluginCollection
    from dockerkit.models.sandbox import Sandbox, SandboxOptions
    from dockerkit.models.secrets import SecretCollection
    from dockerkit.models.services import ServiceCollection
    from dockerkit.models.services.stacks import StackCollection
    from dockerkit.models.swarm import Swarm
    from dockerkit.models.system import System
    from dockerkit.models.tasks import TaskCollection
    from dockerkit.models.volumes import VolumeCollection
    from dockerkit.parsing.values import Duration, Environment
    from dockerkit.progress import ProgressSpec
    from dockerkit.registry.client import Registry, RegistryOptions
    from dockerkit.streams import JSONStream
    from dockerkit.transport import Transport
    from dockerkit.transport.dial import Dial
    from dockerkit.types import answers
    from dockerkit.types.filters import EventFilters
    from dockerkit.types.flags import No, Yes


class DockerClient:
    """A client of one Docker Engine: containers, images, networks, volumes, swarm, as objects.

    Sends nothing before the first call. A client is thread-safe, forked children may keep using it, and it can be pickled.
    It is a context manager, which closes its connections at the end.

    Args:
        base_url: ``unix:///path``, ``tcp://host:port``, ``ssh://user@host``, ``npipe:////./pipe/name``; None finds the engine
            as the docker command does.
        version: API version; None or ``"auto"`` negotiates the newest that both sides support.
        timeout: connect and read timeout in seconds; pass a pair to set them separately. None disables them. Streams,
            waits, pulls and builds have no read timeout.
        tls: True, a TLSConfig or an ssl context, for tcp.
        user_agent: value of the User-Agent header.
        num_pools: accepted for compatibility with docker-py and ignored; there is one pool.
        credstore_env: environment variables for credential helpers.
        use_ssh_client: accepted for compatibility with docker-py and ignored; ssh:// always runs the system's ssh if there
            is one.
        max_pool_size: maximum number of idle connections.
        context: name of a Docker context, instead of base_url.
        environment: variables to use instead of ``os.environ``, such as ``DOCKER_HOST``.
        headers: additional headers of each request.
        hooks: called for each request, see :mod:`dockerkit.hooks`.
        connect_retry: seconds to retry connecting while an engine that was reachable before restarts; 0 disables retries.
            A request that was already sent is never repeated, except GET and HEAD.
        dial: opens connections instead of dockerkit, for example through your own tunnel. A function that takes a
            timeout in seconds (None: no limit) and returns a connected socket on which the engine speaks plain HTTP.
        transport: sends the requests instead of dockerkit, see :class:`dockerkit.transport.Transport`.

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
        max_pool_size: int = MAX_IDLE_CONNECTIONS,
        *,
        context: str | None = None,
        environment: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        hooks: Sequence[Hook] = (),
        connect_retry: Duration = DEFAULT_CONNECT_RETRY,
        dial: Dial | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.api: APIClient = self._create_api(
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
            transport=transport,
        )

    @staticmethod
    def _create_api(*args: Any, **options: Any) -> APIClient:
        from dockerkit.api.client import APIClient

        return APIClient(*args, **options)

    @classmethod
    def from_env(
        cls,
        *,
        version: str | None = None,
        timeout: Seconds = DEFAULT_TIMEOUT_SECONDS,
        max_pool_size: int = MAX_IDLE_CONNECTIONS,
        environment: Mapping[str, str] | None = None,
        use_ssh_client: bool = False,
        use_context: bool = True,
        credstore_env: Mapping[str, str] | None = None,
        user_agent: str = DEFAULT_USER_AGENT,
        headers: Mapping[str, str] | None = None,
        hooks: Sequence[Hook] = (),
        connect_retry: Duration = DEFAULT_CONNECT_RETRY,
    ) -> Self:
        """Create a client of the engine that the docker command would use.

        Args:
            version, timeout, max_pool_size, use_ssh_client, credstore_env, user_agent, headers, hooks, connect_retry:
                as for the class.
            environment: variables to use instead of ``os.environ``.
            use_context: False ignores Docker contexts.

        Raises:
            ContextNotFound: ``DOCKER_CONTEXT`` or the current context does not exist.
            InvalidArgument: ``DOCKER_HOST`` is invalid.
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
        max_pool_size: int = MAX_IDLE_CONNECTIONS,
        use_ssh_client: bool = False,
        credstore_env: Mapping[str, str] | None = None,
        user_agent: str = DEFAULT_USER_AGENT,
        headers: Mapping[str, str] | None = None,
        hooks: Sequence[Hook] = (),
        connect_retry: Duration = DEFAULT_CONNECT_RETRY,
    ) -> Self:
        """Create a client of the engine of a Docker context.

        Args:
            name: name of the context; None is the current one.
            version, timeout, max_pool_size, use_ssh_client, credstore_env, user_agent, headers, hooks, connect_retry:
                as for the class.

        Raises:
            ContextNotFound: the context does not exist.
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
        """Return this client with another timeout, over the same connections; closing either closes both.

        Also applies to streams, waits, pulls and builds, which otherwise have no read timeout.

        Args:
            timeout: connect and read timeout in seconds; pass a pair to set them separately. None disables them.

        Example::

            client.with_timeout((5, 600)).containers.get("db").commit("backup")
        """
        twin = type(self).__new__(type(self))
        twin.api = self.api.with_timeout(timeout)
        return twin

    @property
    def endpoint(self) -> Endpoint:
        """The address of the engine, where it was configured, and why it was chosen."""
        return self.api.endpoint

    @cached_property
    def containers(self) -> ContainerCollection:
        """Containers: ``run``, ``create``, ``get``, ``list``, ``prune``."""
        from dockerkit.models.containers import ContainerCollection

        return ContainerCollection(self)

    def sandbox(
        self,
        image: str | Image,
        *,
        network: bool | str = False,
        memory: int | str = "256m",
        cpus: float | str = 1,
        pids: int = 64,
        disk: int | str = "64m",
        timeout: Duration | None = 30,
        max_output: int | str | None = "1m",
        files: Mapping[str, bytes | str] | None = None,
        workdir: str = "/sandbox",
        user: str = "65534:65534",
        interpreter: Sequence[str] = ("sh", "-c"),
        environment: Environment | None = None,
        progress: ProgressSpec = None,
        **options: Unpack[SandboxOptions],
    ) -> Sandbox:
        """Start a container for untrusted code. See the guide for what it does not protect against.

        Args:
            image: name, ID or Image. It must contain ``sh`` and ``sleep``.
            network: False disables networking, True uses the engine's default network; or the name of a network.
            memory: memory limit, as ``"256m"`` or bytes. Swap is disabled.
            cpus: maximum CPUs.
            pids: maximum number of processes and threads.
            disk: size limit of its folder, and of ``/tmp``. Both are in memory and count against the memory limit.
            timeout: seconds for each run; None disables the limit.
            max_output: bytes to keep of each run's stdout and stderr; None keeps everything.
            files: initial files in its folder: contents by path.
            workdir: path of its folder.
            user: user that runs the code: ``uid:gid``.
            interpreter: command that runs code passed as a string, its last argument: ``["python3", "-c"]``.
            environment: a dict, or a list of ``"NAME=value"``.
            progress: display of a pull: True, "plain", a function.
            options: as for :meth:`ContainerCollection.create`: ``name``, ``labels``, ``platform``, ``pull``, ``volumes``
                and ``runtime``, such as gVisor's ``"runsc"``.

        Returns:
            A context manager, which removes the container at the end.

        Example::

            with client.sandbox("python:3.12", interpreter=["python3", "-c"]) as sandbox:
                print(sandbox.run("print(6 * 7)", timeout=5).stdout)
        """
        from dockerkit.models.sandbox import Sandbox

        return Sandbox(
            self,
            image,
            network=network,
            memory=memory,
            cpus=cpus,
            pids=pids,
            disk=disk,
            timeout=timeout,
            max_output=max_output,
            files=files,
            workdir=workdir,
            user=user,
            interpreter=interpreter,
            environment=environment,
            progress=progress,
            options=options,
        )

    @cached_property
    def images(self) -> ImageCollection:
        """Images: ``pull``, ``push``, ``build``, ``get``, ``list``, ``load``, ``search``, ``prune``."""
        from dockerkit.models.images import ImageCollection

        return ImageCollection(self)

    @cached_property
    def builders(self) -> Builders:
        """Builders of images: ``list`` shows which can be used, ``inspect`` shows version and platforms of a BuildKit."""
        from dockerkit.models.builders import Builders

        return Builders(self)

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
        """Stacks of the swarm, groups of services: ``deploy``, ``get``, ``list``."""
        from dockerkit.models.services.stacks import StackCollection

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
        """The swarm of the engine: ``init``, ``join``, ``leave``, ``update``, ``unlock``.

        Returns a new object each time, which loads its attributes on first access.
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
        """The engine itself: typed events, disk usage, system prune."""
        from dockerkit.models.system import System

        return System(self)

    def registry(self, host: str = "docker.io", **options: Unpack[RegistryOptions]) -> Registry:
        """Return a registry, to list tags, read manifests and copy images without pulling. Sends nothing.

        It uses the credentials of this client's pulls, and the engine's list of insecure registries.

        Args:
            host: host and port of the registry; "docker.io" is Docker Hub.
            options: other arguments of :class:`~dockerkit.registry.client.Registry`.

        Example::

            with client.registry("registry.example.com") as registry:
                print(registry.tags("team/app"))
        """
        from dockerkit.registry.client import Registry

        return Registry._of_engine(self.api, host, **options)

    def ping(self) -> bool:
        """Return whether the engine responds. ``GET /_ping``

        Raises:
            ConnectionFailed: the engine does not respond; the message says what to do.
        """
        return self.api.ping()

    def version(self, api_version: bool = True) -> answers.SystemVersion:
        """Return the versions of the engine and its components. ``GET /version``

        Args:
            api_version: prefix the path with the API version in use; False sends it without a version.
        """
        return self.api.version(api_version)

    def info(self) -> answers.SystemInfo:
        """Return details of the engine and its host. ``GET /info``"""
        return self.api.info()

    def df(self) -> answers.SystemDataUsageResponse:
        """Return the disk usage of images, containers, volumes and build cache. ``GET /system/df``"""
        return self.api.df()

    @overload
    def events(
        self,
        since: TimeLike = None,
        until: TimeLike = None,
        filters: EventFilters | None = None,
        decode: No | None = None,
    ) -> JSONStream[bytes]: ...

    @overload
    def events(
        self, since: TimeLike = None, until: TimeLike = None, filters: EventFilters | None = None, *, decode: Yes
    ) -> JSONStream[dict[str, Any]]: ...

    @overload
    def events(
        self,
        since: TimeLike = None,
        until: TimeLike = None,
        filters: EventFilters | None = None,
        decode: bool | None = None,
    ) -> JSONStream[bytes] | JSONStream[dict[str, Any]]: ...

    def events(
        self,
        since: TimeLike = None,
        until: TimeLike = None,
        filters: EventFilters | None = None,
        decode: bool | None = None,
    ) -> JSONStream[bytes] | JSONStream[dict[str, Any]]:
        """Stream the engine's events. ``GET /events``

        Args:
            since, until: start and end: a datetime (UTC if it is naive), or seconds since 1970.
            filters: ``{"type": "container", "event": ["start", "die"], ...}``.
            decode: yield dicts instead of bytes.

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
        """Log in to a registry, and store the credentials for this client's calls. ``POST /auth``

        Args:
            username, password, email: account at the registry.
            registry: host name or URL; None is Docker Hub.
            reauth: log in even if credentials are already stored.
            dockercfg_path: config.json to load first.
            save: also store the credentials where the docker command does.

        Raises:
            APIError: the registry refuses the credentials.

        Example::

            client.login("me", "secret", registry="registry.example.com")
            client.images.pull("registry.example.com/team/app:1.2")
        """
        return self.api.login(username, password, email, registry, reauth, dockercfg_path, save=save)

    def logout(self, registry: str | None = None) -> bool:
        """Delete the credentials for a registry, from this client and from the docker command's configuration. Sends nothing.

        Args:
            registry: host name or URL; None is Docker Hub.

        Returns:
            Whether credentials were stored.
        """
        return self.api.logout(registry)

    def close(self) -> None:
        """Close all connections; calls in other threads raise ClientClosed."""
        self.api.close()

    if not TYPE_CHECKING:  # type checkers must still refuse unknown names

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
