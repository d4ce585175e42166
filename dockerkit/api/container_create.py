"""How containers are made: the bodies of a create call, and the call. ``POST /containers/create``"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.api.base import Base
from dockerkit.api.refs import checked_name
from dockerkit.errors import InvalidArgument

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.types import answers
    from dockerkit.types.host_options import CommonHostOptions, HostOptions
    from dockerkit.types.parse import Environment
    from dockerkit.types.wire import ToEngine

    Body = Mapping[str, Any] | ToEngine
    Command = str | Sequence[str]
    Ports = Iterable[int | str | tuple[int | str, str]] | Mapping[str, Mapping[str, Any]]
    Labels = Mapping[str, str] | Sequence[str]
    Links = Mapping[str, str] | Sequence[str | tuple[str, str]]


class ContainerCreateAPI(Base):
    """Making containers."""

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
        stop_timeout: int | None = None,
        runtime: str | None = None,
        use_config_proxy: bool = True,
        platform: str | None = None,
        **host_options: Unpack[CommonHostOptions],
    ) -> answers.ContainerCreateResponse:
        """Make a container; :meth:`start` runs it. ``POST /containers/create``

        Args:
            image: name or id of a local image.
            command: what to run: a list, or a text that is split as a shell would.
            hostname, domainname, user, working_dir: of the container.
            detach: not attached to the streams.
            stdin_open: keep stdin open.
            tty: give it a terminal.
            ports: to expose: ``[80, "53/udp", (53, "udp")]``.
            environment: a dict, or a list of ``"NAME=value"``.
            volumes: folders in the container that become anonymous volumes.
            network_disabled: no network at all.
            name: of the container; None lets the engine choose.
            entrypoint: instead of the image's: a list, or a text that is split.
            host_config: of :meth:`create_host_config`.
            mac_address: of the container (gone from API 1.52: give it to the endpoint).
            labels: a dict, or a list of names.
            stop_signal, stop_timeout: what stops it, and after how many seconds it is killed.
            networking_config: of :meth:`create_networking_config`.
            healthcheck: a Healthcheck, or the Engine's dict (nanoseconds).
            runtime: the OCI runtime.
            use_config_proxy: tell the container the proxies of the docker command's config.json.
            platform: ``"linux/arm64"``: fail where the image is for another (API 1.41).
            host_options: any other option of :meth:`create_host_config` (``mem_limit="512m"``, ``dns=[...]``), added to
                `host_config`.

        Returns:
            ``{"Id": ..., "Warnings": [...]}``.

        Raises:
            ImageNotFound: there is no such image.
            Conflict: the name is taken.
            InvalidArgument: an option can't be right; the message names it.
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
            self._with_proxies(environment) if use_config_proxy else environment,
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
        from dockerkit.types.wire import wire

        return {**wire(host_config or {}), **self.create_host_config(**options)}

    def _with_proxies(self, environment: Environment | None) -> Environment | None:
        proxies = self._proxies
        if not proxies:
            return environment
        from dockerkit.types import parse

        given = None if environment is None else parse.environment(environment)
        return proxies.inject_proxy_environment(given)

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
        stop_timeout: int | None = None,
        runtime: str | None = None,
    ) -> dict[str, Any]:
        """The body of a create call, from the options of :meth:`create_container`. Sends nothing."""
        from dockerkit.types.containers import container_config

        options = {name: value for name, value in locals().items() if name not in ("self", "container_config")}
        return container_config(**options)

    def create_container_from_config(
        self, config: Body, name: str | None = None, platform: str | None = None
    ) -> answers.ContainerCreateResponse:
        """Make a container from a whole body. ``POST /containers/create``

        Args:
            config: the Engine's ``ContainerConfig`` with ``HostConfig`` and ``NetworkingConfig`` in it.
            name: of the container; None lets the engine choose.
            platform: ``"linux/arm64"`` (API 1.41).

        Returns:
            ``{"Id": ..., "Warnings": [...]}``.
        """
        if not isinstance(config, Mapping) and not hasattr(config, "to_engine"):
            raise InvalidArgument(f"config: the body of a create call is needed, not {config!r}")
        query = {"name": None if name is None else checked_name(name), "platform": platform}
        return self._json("POST", "/containers/create", query=query, body=config, needs="Id")

    def create_host_config(self, **options: Unpack[HostOptions]) -> dict[str, Any]:
        """The part of a create call that is about the host: limits, mounts, ports, privileges. Sends nothing.

        Args:
            options: the rows of :class:`dockerkit.types.containers.HostOptions`.

        Raises:
            TypeError: an option that there is not.
            InvalidArgument: a value that can't be right; the message names the option.
        """
        from dockerkit.types.containers import host_config

        return host_config(**options)

    def create_networking_config(self, endpoints_config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The part of a create call that names networks. Sends nothing.

        Args:
            endpoints_config: ``{network name: endpoint config}``, of :meth:`create_endpoint_config`.
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
        """A container's place in a network. Sends nothing.

        Args:
            aliases: more names for the container in this network.
            links: other containers under names of their own: ``{"db": "database"}``.
            ipv4_address, ipv6_address: fixed addresses out of the network's ranges.
            link_local_ips: link-local addresses.
            driver_opt: options of the network's driver (API 1.30).
            mac_address: the interface's (API 1.44).
            gw_priority: the network with the highest gives the default route; 0 is usual (API 1.48).

        Raises:
            InvalidArgument: an argument can't be right; the message names it.
        """
        from dockerkit.types.networks import EndpointConfig

        return EndpointConfig(
            None, aliases, links, ipv4_address, ipv6_address, link_local_ips, driver_opt, mac_address, gw_priority
        ).to_engine()
