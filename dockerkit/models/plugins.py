"""Plugins that the engine manages."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.api.encode import Filters
from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.models.resource import Collection, Model
from dockerkit.models.tables import Table

if TYPE_CHECKING:
    from dockerkit.api.refs import Ref
    from dockerkit.auth import AuthSource
    from dockerkit.streams import ProgressStream
    from dockerkit.types import answers

Grant = Callable[[Sequence[Mapping[str, Any]]], bool]
"""Is asked what a plugin wants to be allowed (``Name``, ``Description``, ``Value`` of each), and says yes or no."""

OnRecord = Callable[[Mapping[str, Any]], None]
"""Is given each progress record of the engine."""


class Plugin(Model):
    """A plugin: a driver for volumes, networks, logs... that runs in a container of its own."""

    @property
    def name(self) -> str | None:
        """Its name, with tag."""
        return self.attrs.get("Name")

    @property
    def enabled(self) -> bool | None:
        """Whether it runs, as of the last :meth:`reload`."""
        return self.attrs.get("Enabled")

    @property
    def settings(self) -> dict[str, Any] | None:
        """Its ``Args``, ``Devices``, ``Env`` and ``Mounts``."""
        return self.attrs.get("Settings")

    def configure(self, options: Mapping[str, object] | Sequence[str]) -> None:
        """Set variables, mounts, devices or arguments of the plugin, which must be disabled. ``POST /plugins/{name}/set``

        Args:
            options: a dict, or a list of ``"NAME=value"``.
        """
        self.client.api.configure_plugin(self._reference(), options)
        self.reload()

    def enable(self, timeout: int = 0) -> None:
        """Start it. ``POST /plugins/{name}/enable``

        Args:
            timeout: seconds that the engine waits for it to listen; 0 is the engine's own.
        """
        self.client.api.enable_plugin(self._reference(), timeout)
        self.reload()

    def disable(self, force: bool = False) -> None:
        """Stop it. ``POST /plugins/{name}/disable``

        Args:
            force: even if it is in use.
        """
        self.client.api.disable_plugin(self._reference(), force)
        self.reload()

    def push(self, *, auth_config: AuthSource | None = None) -> ProgressStream[dict[str, Any]]:
        """Send it to the registry that its name says. ``POST /plugins/{name}/push``

        Args:
            auth_config: credentials for the registry; None takes what the client knows, ``{}`` sends none.

        Returns:
            An iterator of progress records; the push is done when it has ended.

        Raises:
            PushError: it failed on the way; raised by the iterator.
        """
        return self.client.api.push_plugin(self._reference(), auth_config=auth_config)

    def remove(self, force: bool = False) -> bool:
        """Remove it. ``DELETE /plugins/{name}``

        Args:
            force: disable it first if it is enabled.

        Returns:
            True.
        """
        return self.client.api.remove_plugin(self._reference(), force)

    def upgrade(
        self,
        remote: str | None = None,
        *,
        grant: Grant | None = None,
        auth_config: AuthSource | None = None,
        on_record: OnRecord | None = None,
    ) -> builtins.list[dict[str, Any]]:
        """Replace it with a newer one from a registry; it must be disabled. ``POST /plugins/{name}/upgrade``

        Args:
            remote: reference of the newer one; None is its own name.
            grant: is asked whether what it wants is allowed; None allows all.
            auth_config: credentials for the registry; None takes what the client knows, ``{}`` sends none.
            on_record: is given each progress record as it comes.

        Returns:
            The progress records; the upgrade is done.

        Raises:
            DockerException: it is enabled, or ``grant`` said no.
            PullError: the upgrade failed on the way.
        """
        if self.enabled:
            raise DockerException(f"plugin {self.name} must be disabled before it can be upgraded: call disable()")
        source = remote or self._reference()
        privileges = _granted(self.client.api.plugin_privileges(source, auth_config=auth_config), source, grant)
        records = []
        with self.client.api.upgrade_plugin(self._reference(), source, privileges, auth_config=auth_config) as stream:
            for record in stream:
                records.append(record)
                if on_record:
                    on_record(record)
        self.reload()
        return records

    def _reference(self) -> str:
        return self.name or self.id or ""

    def _inspect(self) -> dict[str, Any]:
        attrs: dict[str, Any] = {**self.client.api.inspect_plugin(self._reference())}
        return attrs

    def __repr__(self) -> str:
        return f"<Plugin: {self.name!r}>"


class PluginCollection(Collection[Plugin]):
    """The plugins that are installed."""

    model = Plugin

    def create(self, name: str, plugin_data_dir: str | os.PathLike[str], gzip: bool = False) -> Plugin:
        """Make a plugin from a local folder; it is not enabled. ``POST /plugins/create``

        Args:
            name: its reference; ``:latest`` is added where there is no tag.
            plugin_data_dir: a folder with ``config.json`` and ``rootfs/``.
            gzip: taken for docker-py's sake: no engine reads a compressed plugin, so it is sent plain.

        Raises:
            InvalidArgument: the folder lacks one of the two.
        """
        self.client.api.create_plugin(name, plugin_data_dir, gzip)
        return self.get(name)

    def get(self, name: Ref) -> Plugin:
        """One plugin. ``GET /plugins/{name}/json``

        Args:
            name: its name or id.

        Raises:
            NotFound: there is none.
        """
        return self.prepare_model({**self.client.api.inspect_plugin(name)})

    def install(
        self,
        remote_name: str,
        local_name: str | None = None,
        *,
        grant: Grant | None = None,
        settings: Mapping[str, object] | Sequence[str] | None = None,
        enable: bool = False,
        auth_config: AuthSource | None = None,
        on_record: OnRecord | None = None,
    ) -> Plugin:
        """Install a plugin from a registry. ``GET /plugins/privileges``, ``POST /plugins/pull``

        Args:
            remote_name: its reference in the registry.
            local_name: to be known by here; None is the same.
            grant: is asked whether what it wants is allowed; None allows all.
            settings: to be set before it is enabled: a dict, or a list of ``"NAME=value"``.
            enable: start it afterwards.
            auth_config: credentials for the registry; None takes what the client knows, ``{}`` sends none.
            on_record: is given each progress record as it comes.

        Raises:
            DockerException: ``grant`` said no.
            PullError: it failed on the way.
        """
        api = self.client.api
        privileges = _granted(api.plugin_privileges(remote_name, auth_config=auth_config), remote_name, grant)
        with api.pull_plugin(remote_name, privileges, local_name, auth_config=auth_config) as stream:
            for record in stream:
                if on_record:
                    on_record(record)
        plugin = self.get(local_name or remote_name)
        if settings:
            plugin.configure(settings)
        if enable:
            plugin.enable()
        return plugin

    def list(self, filters: Filters | None = None) -> builtins.list[Plugin]:
        """List plugins, by one request. ``GET /plugins``

        Args:
            filters: ``{"enabled": True, "capability": "volumedriver"}`` (API 1.28).
        """
        return Table(self.prepare_model({**attrs}) for attrs in self.client.api.plugins(filters))


def _granted(
    privileges: builtins.list[answers.PluginPrivilege], name: str, grant: Grant | None
) -> builtins.list[answers.PluginPrivilege]:
    if grant is not None and not callable(grant):
        raise InvalidArgument(f"grant: a function is needed that says yes or no, not {grant!r}")
    if grant is not None and not grant(privileges):
        wants = ", ".join(f"{one['Name']} {one['Value']}" for one in privileges)
        raise DockerException(f"plugin {name} was not granted what it wants: {wants}")
    return privileges
