"""Plugins managed by the engine."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.errors import DockerException, InvalidArgument
from dockerkit.models.pushes import PushRecords
from dockerkit.models.resource import RAISE, Collection, D, Model
from dockerkit.models.tables import Table

if TYPE_CHECKING:
    from dockerkit.api.refs import Ref
    from dockerkit.credentials.auth import AuthSource
    from dockerkit.parsing.values import Duration
    from dockerkit.types import answers
    from dockerkit.types.filters import PluginFilters

Grant = Callable[[Sequence[Mapping[str, Any]]], bool]
"""Callback that receives the requested privileges (``Name``, ``Description``, ``Value``) and returns whether to grant
them."""

OnRecord = Callable[[Mapping[str, Any]], None]
"""Callback for progress records of the engine."""


class Plugin(Model):
    """A plugin: a driver for volumes, networks, logs or similar that runs in its own container."""

    @property
    def name(self) -> str | None:
        """Name with tag."""
        return self.attrs.get("Name")

    @property
    def enabled(self) -> bool | None:
        """Whether the plugin is enabled, at the last :meth:`reload`."""
        return self.attrs.get("Enabled")

    @property
    def settings(self) -> dict[str, Any] | None:
        """``Args``, ``Devices``, ``Env`` and ``Mounts``."""
        return self.attrs.get("Settings")

    def configure(self, options: Mapping[str, object] | Sequence[str]) -> None:
        """Set variables, mounts, devices or arguments of a disabled plugin. ``POST /plugins/{name}/set``

        Args:
            options: a dict, or a list of ``"NAME=value"``.
        """
        self.client.api.configure_plugin(self._reference(), options)
        self.reload()

    def enable(self, timeout: Duration = 0) -> None:
        """Enable the plugin. ``POST /plugins/{name}/enable``

        Args:
            timeout: seconds for the plugin to start listening; 0 for the engine's default.
        """
        self.client.api.enable_plugin(self._reference(), timeout)
        self.reload()

    def disable(self, force: bool = False) -> None:
        """Disable the plugin. ``POST /plugins/{name}/disable``

        Args:
            force: disable it even if it is in use.
        """
        self.client.api.disable_plugin(self._reference(), force)
        self.reload()

    def push(self, *, auth_config: AuthSource | None = None, on_record: OnRecord | None = None) -> PushRecords:
        """Push the plugin to the registry in its name, and wait until it is done. ``POST /plugins/{name}/push``

        Args:
            auth_config: credentials for the registry; None uses the stored ones, ``{}`` sends none.
            on_record: called with each progress record.

        Returns:
            The progress records: a list with the ``digest`` in the registry.

        Raises:
            PushError: the push failed.
        """
        with self.client.api.push_plugin(self._reference(), auth_config=auth_config) as stream:
            return PushRecords(_followed(stream, on_record))

    def remove(self, force: bool = False) -> bool:
        """Remove the plugin. ``DELETE /plugins/{name}``

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
        """Replace a disabled plugin with a newer version from a registry. ``POST /plugins/{name}/upgrade``

        Args:
            remote: reference of the new version; None for the plugin's name.
            grant: called with the requested privileges; None grants all.
            auth_config: credentials for the registry; None uses the stored ones, ``{}`` sends none.
            on_record: called with each progress record.

        Returns:
            The progress records, after the upgrade.

        Raises:
            DockerException: the plugin is enabled, or ``grant`` returned false.
            PullError: the upgrade failed.
        """
        if self.enabled:
            raise DockerException(f"plugin {self.name} must be disabled before it can be upgraded: call disable()")
        source = remote or self._reference()
        privileges = _granted(self.client.api.plugin_privileges(source, auth_config=auth_config), source, grant)
        with self.client.api.upgrade_plugin(self._reference(), source, privileges, auth_config=auth_config) as stream:
            records = [*_followed(stream, on_record)]
        self.reload()
        return records

    def _reference(self) -> str:
        return self.name or self.id or ""

    def _inspect(self) -> dict[str, Any]:
        return {**self.client.api.inspect_plugin(self._reference())}


class PluginCollection(Collection[Plugin]):
    """Install, list and manage plugins; ``client.plugins``."""

    model = Plugin

    def create(self, name: str, plugin_data_dir: str | os.PathLike[str], gzip: bool = False) -> Plugin:
        """Create a disabled plugin from a local folder. ``POST /plugins/create``

        Args:
            name: reference; ``:latest`` is appended if it has no tag.
            plugin_data_dir: folder with ``config.json`` and ``rootfs/``.
            gzip: accepted for compatibility with docker-py and ignored: no engine accepts a compressed plugin.

        Raises:
            InvalidArgument: the folder lacks ``config.json`` or ``rootfs/``.
        """
        self.client.api.create_plugin(name, plugin_data_dir, gzip)
        return self.get(name)

    def get(self, name: Ref, *, default: D = RAISE) -> Plugin | D:
        """Return a plugin. ``GET /plugins/{name}/json``

        Args:
            name: name or ID.
            default: returned instead of raising NotFound.

        Raises:
            NotFound: the plugin does not exist.
        """
        return self._get(lambda: self.client.api.inspect_plugin(name), default)

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
            remote_name: reference in the registry.
            local_name: local name; None for the same.
            grant: called with the requested privileges; None grants all.
            settings: settings to apply before enabling: a dict, or a list of ``"NAME=value"``.
            enable: enable it after the installation.
            auth_config: credentials for the registry; None uses the stored ones, ``{}`` sends none.
            on_record: called with each progress record.

        Raises:
            DockerException: ``grant`` returned false.
            PullError: the installation failed.
        """
        api = self.client.api
        privileges = _granted(api.plugin_privileges(remote_name, auth_config=auth_config), remote_name, grant)
        with api.pull_plugin(remote_name, privileges, local_name, auth_config=auth_config) as stream:
            for _ in _followed(stream, on_record):
                pass
        plugin = self.get(local_name or remote_name)
        if settings:
            plugin.configure(settings)
        if enable:
            plugin.enable()
        return plugin

    def list(self, filters: PluginFilters | None = None) -> Table[Plugin]:
        """List plugins, in one request. ``GET /plugins``

        Args:
            filters: ``{"enabled": True, "capability": "volumedriver"}`` (API 1.28).
        """
        return Table(self.prepare_model({**attrs}) for attrs in self.client.api.plugins(filters))


def _followed(records: Iterable[dict[str, Any]], on_record: OnRecord | None) -> Iterator[dict[str, Any]]:
    for record in records:
        if on_record:
            on_record(record)
        yield record


def _granted(
    privileges: builtins.list[answers.PluginPrivilege], name: str, grant: Grant | None
) -> builtins.list[answers.PluginPrivilege]:
    if grant is not None and not callable(grant):
        raise InvalidArgument(f"grant: must be a function that returns a bool, got {grant!r}")
    if grant is not None and not grant(privileges):
        wants = ", ".join(f"{item['Name']} {item['Value']}" for item in privileges)
        raise DockerException(f"plugin {name} was not granted its privileges: {wants}")
    return privileges
