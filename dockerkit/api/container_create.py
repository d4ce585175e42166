"""Creating containers: the parts of the request body, and the call. ``POST /containers/create``"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import APIBase
from dockerkit.api.refs import checked_name
from dockerkit.errors import InvalidArgument
from dockerkit.errors.base import IgnoreGone
from dockerkit.transport.scope import Scope, run_outside
from dockerkit.transport.shield import Shielded

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.parsing.values import Duration, Environment
    from dockerkit.types import answers
    from dockerkit.types.host_options import CommonHostOptions, HostOptions

    Body = Mapping[str, Any] | ToEngine
    Command = str | Sequence[str]
    Ports = Iterable[int | str | tuple[int | str, str]] | Mapping[str, Mapping[str, Any]]
    Labels = Mapping[str, str] | Sequence[str]
    Links = Mapping[str, str] | Sequence[str | tuple[str, str]]

_REMOVAL_SECONDS = 3.0


class ContainerCreateAPI(APIBase):
    """Calls that create containers."""

    def create_container(
        self,
        image: str,
        command: Command | None = None,
        hostname: str | None = None,
        user: str | int | None = None,
        detach: bool = False,
        stdin_open: bool = False,
        tty: bool = False,
        ports: Ports | None = None,
        environment: Environment | None = None,
        volumes: str | Sequence[str] | Mapping[str, Any] | None = None,
        network_disabled: bool = False,
        name: str | None = None,
        entrypoint: Command | None = None,
        working_dir: str | None = None,
        domainname: str | None = None,
        host_config: Body | None = None,
        mac_address: str | None = None,
        labels: Labels | None = None,
        stop_signal: str | None = None,
        networking_config: Body | None = None,
        healthcheck: Body | None = None,
        stop_timeout: Duration | None = None,
        runtime: str | None = None,
        use_config_proxy: bool = True,
        platform: str | None = None,
        **host_options: Unpack[CommonHostOptions],
    ) -> answers.ContainerCreateResponse:
        """Create a container; :meth:`start` runs it. ``POST /containers/create``

        Args:
            image: name or ID of a local image.
            command: command to run, as a list or a string that is split as a shell would.
            hostname, domainname: name and domain of the container.
            user, working_dir: user and directory of its process.
            detach: don't attach to the streams.
            stdin_open: keep stdin open.
            tty: allocate a terminal.
            ports: ports to expose: ``[80, "53/udp", (53, "udp")]``.
            environment: a dict, or a list of ``"NAME=value"``.
            volumes: folders in the container that become anonymous volumes.
            network_disabled: disable networking.
            name: name of the container; None lets the engine choose.
            entrypoint: entrypoint instead of the image's, as a list or a string that is split.
            host_config: result of :meth:`create_host_config`.
            mac_address: MAC address (removed in API 1.52: pass it to :meth:`create_endpoint_config`).
            labels: a dict, or a list of names.
            stop_signal, stop_timeout: signal that stops it, and seconds until it is killed.
            networking_config: result of :meth:`create_networking_config`.
            healthcheck: a Healthcheck, or the Engine's dict (nanoseconds).
            runtime: OCI runtime.
            use_config_proxy: pass the proxy settings of the docker command's config.json to the container.
            platform: required platform of the image, such as ``"linux/arm64"`` (API 1.41).
            host_options: other options of :meth:`create_host_config` (``mem_limit="512m"``, ``dns=[...]``), added to
                `host_config`.

        Returns:
            ``{"Id": ..., "Warnings": [...]}``.

        Raises:
            ImageNotFound: the image does not exist.
            Conflict: the name is taken.
            InvalidArgument: an option is invalid; the message names it.
        """
        config = self.create_container_config(
            image,
            command,
            hostname,
            user,
            detach,
            stdin_open,
            tty,
            ports,
            self.with_proxies(environment) if use_config_proxy else environment,
            volumes,
            network_disabled,
            entrypoint,
            working_dir,
            domainname,
            self._with_options(host_config, host_options),
            mac_address,
            labels,
            stop_signal,
            networking_config,
            healthcheck,
            stop_timeout,
            runtime,
        )
        return self.create_container_from_config(config, name, platform)

    def _with_options(self, host_config: Body | None, options: CommonHostOptions) -> Body | None:
        if not options:
            return host_config
        from dockerkit.parsing.json_data import to_json_data
        from dockerkit.types.containers import host_options

        return {**to_json_data(host_config or {}), **host_options(options, "create_container")}

    def with_proxies(self, environment: Environment | None) -> Environment | None:
        """Add the proxy variables of the docker command's configuration to an environment. Sends nothing."""
        proxies = self.proxy_config
        if not proxies:
            return environment
        from dockerkit.parsing import values

        variables = None if environment is None else values.environment(environment)
        return proxies.inject_proxy_environment(variables)

    def create_container_config(
        self,
        image: str,
        command: Command | None = None,
        hostname: str | None = None,
        user: str | int | None = None,
        detach: bool = False,
        stdin_open: bool = False,
        tty: bool = False,
        ports: Ports | None = None,
        environment: Environment | None = None,
        volumes: str | Sequence[str] | Mapping[str, Any] | None = None,
        network_disabled: bool = False,
        entrypoint: Command | None = None,
        working_dir: str | None = None,
        domainname: str | None = None,
        host_config: Body | None = None,
        mac_address: str | None = None,
        labels: Labels | None = None,
        stop_signal: str | None = None,
        networking_config: Body | None = None,
        healthcheck: Body | None = None,
        stop_timeout: Duration | None = None,
        runtime: str | None = None,
    ) -> dict[str, Any]:
        """Return the body of a create call, from the options of :meth:`create_container`. Sends nothing."""
        from dockerkit.types.containers import container_config

        options = {name: value for name, value in locals().items() if name not in ("self", "container_config")}
        return container_config(**options)

    def create_container_from_config(
        self, config: Body, name: str | None = None, platform: str | None = None
    ) -> answers.ContainerCreateResponse:
        """Create a container from a complete body. ``POST /containers/create``

        If an interrupt, such as Ctrl-C, ends the wait for the response, the container is removed.

        Args:
            config: the Engine's ``ContainerConfig``, including ``HostConfig`` and ``NetworkingConfig``.
            name: name of the container; None lets the engine choose.
            platform: ``"linux/arm64"`` (API 1.41).

        Returns:
            ``{"Id": ..., "Warnings": [...]}``.
        """
        creation = self.begin_create_container(config, name, platform)
        try:
            return creation.result()
        except BaseException:
            creation.undo()
            raise

    def begin_create_container(
        self, config: Body, name: str | None = None, platform: str | None = None, *, volumes: bool = True
    ) -> Shielded[answers.ContainerCreateResponse]:
        """Prepare a create call that can be undone, whenever it is interrupted. ``POST /containers/create``

        Args:
            config, name, platform: as for :meth:`create_container_from_config`.
            volumes: whether undoing it also removes the container's anonymous volumes.

        Returns:
            The call: ``result()`` sends it, ``undo()`` removes the container.
        """
        if not isinstance(config, Mapping) and not hasattr(config, "to_engine"):
            raise InvalidArgument(f"config: must be the body of a create call, got {config!r}")
        query = {"name": checked_name(name) if name else None, "platform": platform}

        def create() -> answers.ContainerCreateResponse:
            return self._json("POST", "/containers/create", query=query, body=config, needs="Id", lists=("Warnings",))

        return Shielded(create, lambda created: run_outside(self._discard, created["Id"], volumes))

    def _discard(self, container: str, volumes: bool) -> None:
        with Scope(_REMOVAL_SECONDS), IgnoreGone():
            query = {"v": volumes or None, "force": True}
            self._no_content("DELETE", "/containers/{id}", query=query, id=container)

    def create_host_config(self, **options: Unpack[HostOptions]) -> dict[str, Any]:
        """Return the ``HostConfig`` of a create call: limits, mounts, ports, privileges. Sends nothing.

        Args:
            options: options of :class:`dockerkit.types.containers.HostOptions`.

        Raises:
            TypeError: an option is unknown.
            InvalidArgument: a value is invalid; the message names the option.
        """
        from dockerkit.types.containers import host_config

        return host_config(**options)

    def create_networking_config(self, endpoints_config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the ``NetworkingConfig`` of a create call. Sends nothing.

        Args:
            endpoints_config: ``{network name: endpoint config}``, with results of :meth:`create_endpoint_config`.
        """
        from dockerkit.types.containers import networking_config

        return networking_config(endpoints_config)

    def create_endpoint_config(
        self,
        aliases: Sequence[str] | None = None,
        links: Links | None = None,
        ipv4_address: str | None = None,
        ipv6_address: str | None = None,
        link_local_ips: Sequence[str] | None = None,
        driver_opt: Mapping[str, str] | None = None,
        mac_address: str | None = None,
        *,
        gw_priority: int | None = None,
    ) -> dict[str, Any]:
        """Return the endpoint configuration of a container in a network. Sends nothing.

        Args:
            aliases: additional names of the container in this network.
            links: links to other containers with their aliases: ``{"db": "database"}``.
            ipv4_address, ipv6_address: fixed addresses in the network's subnets.
            link_local_ips: link-local addresses.
            driver_opt: options of the network driver (API 1.30).
            mac_address: MAC address of the interface (API 1.44).
            gw_priority: the network with the highest priority provides the default route; the default is 0 (API 1.48).

        Raises:
            InvalidArgument: an argument is invalid; the message names it.
        """
        from dockerkit.types.networks import EndpointConfig

        return EndpointConfig(
            None, aliases, links, ipv4_address, ipv6_address, link_local_ips, driver_opt, mac_address, gw_priority
        ).to_engine()
