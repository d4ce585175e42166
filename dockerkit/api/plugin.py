"""Plugins that the engine manages. ``/plugins``"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from dockerkit.api.base import Base, Ref
from dockerkit.api.checks import optional, reference
from dockerkit.api.encode import Filters, scalar
from dockerkit.errors import InvalidArgument, PullError, PushError
from dockerkit.streams import ProgressStream

if TYPE_CHECKING:
    from dockerkit.auth import AuthSource
    from dockerkit.types import answers
    from dockerkit.types.wire import ToEngine

    Privileges = Sequence[Mapping[str, Any] | ToEngine]

# Below: a plugin's name is the whole of its reference, "vieux/sshfs:latest".


class PluginAPI(Base):
    """The calls on plugins. A name may be a dict with ``Id``, or an object, too."""

    def plugins(self, filters: Filters | None = None) -> list[answers.Plugin]:
        """List the plugins that are installed. ``GET /plugins``

        Args:
            filters: ``{"enabled": True, "capability": "volumedriver"}`` (API 1.28).
        """
        return self._json("GET", "/plugins", query={"filters": filters or {}}, kind=list)

    def inspect_plugin(self, name: Ref) -> answers.Plugin:
        """All that the engine knows of a plugin. ``GET /plugins/{name}/json``, below API 1.25 ``GET /plugins/{name}``"""
        if self._supports("GET /plugins/{name}/json"):
            return self._json("GET", "/plugins/{name}/json", name=name)
        return self._json("GET", "/plugins/{name}", name=name)

    def plugin_privileges(self, name: str, *, auth_config: AuthSource | None = None) -> list[answers.PluginPrivilege]:
        """What a plugin in a registry wants to be allowed. ``GET /plugins/privileges``

        Args:
            name: its reference in the registry.
            auth_config: credentials for it; None takes what this client knows, ``{}`` sends none.

        Returns:
            ``[{"Name", "Description", "Value"}]``, to be given to :meth:`pull_plugin`.
        """
        headers = self._plugin_header(name, auth_config)
        query = {"remote": reference(name, "name")}
        return self._json("GET", "/plugins/privileges", query=query, headers=headers, timeout=None, kind=list)

    @overload
    def pull_plugin(
        self,
        remote: str,
        privileges: Privileges,
        name: str | None = None,
        *,
        auth_config: AuthSource | None = None,
        decode: Literal[True] = True,
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def pull_plugin(
        self,
        remote: str,
        privileges: Privileges,
        name: str | None = None,
        *,
        auth_config: AuthSource | None = None,
        decode: Literal[False],
    ) -> ProgressStream[bytes]: ...

    @overload
    def pull_plugin(
        self,
        remote: str,
        privileges: Privileges,
        name: str | None = None,
        *,
        auth_config: AuthSource | None = None,
        decode: bool,
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]: ...

    def pull_plugin(
        self,
        remote: str,
        privileges: Privileges,
        name: str | None = None,
        *,
        auth_config: AuthSource | None = None,
        decode: bool = True,
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]:
        """Install a plugin from a registry; it is not enabled yet. ``POST /plugins/pull``

        Args:
            remote: its reference in the registry.
            privileges: what it is allowed: the answer of :meth:`plugin_privileges`.
            name: to be known by here; None is ``remote``.
            auth_config: credentials for the registry; None takes what this client knows, ``{}`` sends none.
            decode: dicts; False is the bytes of each record.

        Returns:
            An iterator of progress records; the plugin is there when it has ended.

        Raises:
            PullError: the pull failed on the way; raised by the iterator.
        """
        return self._progress(
            "POST",
            "/plugins/pull",
            query={"remote": reference(remote, "remote"), "name": optional(reference, "name", name)},
            body=_privileges(privileges),
            headers=self._plugin_header(remote, auth_config),
            decode=decode,
            error=PullError,
        )

    @overload
    def upgrade_plugin(
        self,
        name: Ref,
        remote: str,
        privileges: Privileges,
        *,
        auth_config: AuthSource | None = None,
        decode: Literal[True] = True,
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def upgrade_plugin(
        self,
        name: Ref,
        remote: str,
        privileges: Privileges,
        *,
        auth_config: AuthSource | None = None,
        decode: Literal[False],
    ) -> ProgressStream[bytes]: ...

    @overload
    def upgrade_plugin(
        self, name: Ref, remote: str, privileges: Privileges, *, auth_config: AuthSource | None = None, decode: bool
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]: ...

    def upgrade_plugin(
        self,
        name: Ref,
        remote: str,
        privileges: Privileges,
        *,
        auth_config: AuthSource | None = None,
        decode: bool = True,
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]:
        """Replace a disabled plugin with a newer one from a registry. ``POST /plugins/{name}/upgrade``

        Args:
            name: of the installed plugin.
            remote, privileges, auth_config, decode: as of :meth:`pull_plugin`.

        Returns:
            An iterator of progress records; the upgrade is done when it has ended.
        """
        return self._progress(
            "POST",
            "/plugins/{name}/upgrade",
            name=name,
            query={"remote": reference(remote, "remote")},
            body=_privileges(privileges),
            headers=self._plugin_header(remote, auth_config),
            decode=decode,
            error=PullError,
        )

    def create_plugin(self, name: str, plugin_data_dir: str | os.PathLike[str], gzip: bool = False) -> bool:
        """Make a plugin from a local folder. ``POST /plugins/create``

        Args:
            name: its reference; ``:latest`` is added where there is no tag.
            plugin_data_dir: a folder with ``config.json`` and ``rootfs/``.
            gzip: taken for docker-py's sake: no engine reads a compressed plugin, so it is sent plain.

        Returns:
            True.

        Raises:
            InvalidArgument: the folder lacks one of the two.
        """
        from dockerkit.archive import pack, walk

        folder = os.fspath(plugin_data_dir)
        for part, there in (("config.json", os.path.isfile), ("rootfs", os.path.isdir)):
            if not there(os.path.join(folder, part)):
                raise InvalidArgument(f"plugin_data_dir: {folder!r} has no {part}")
        entries = (entry for part in ("config.json", "rootfs") for entry in walk(os.path.join(folder, part), part))
        self._none("POST", "/plugins/create", query={"name": reference(name, "name")}, data=pack(entries), timeout=None)
        return True

    def configure_plugin(self, name: Ref, options: Mapping[str, object] | Sequence[str]) -> bool:
        """Set a plugin's variables, mounts, devices or arguments. ``POST /plugins/{name}/set``

        Args:
            name: of the plugin, which must be disabled.
            options: a dict, or a list of ``"NAME=value"``.

        Returns:
            True.
        """
        if isinstance(options, Mapping):
            settings = [f"{key}={scalar(f'options[{key!r}]', value)}" for key, value in options.items()]
        elif isinstance(options, str):
            raise InvalidArgument(f"options: a dict or a list is needed, not the text {options!r}")
        else:
            settings = list(options)
        self._none("POST", "/plugins/{name}/set", name=name, body=settings)
        return True

    def enable_plugin(self, name: Ref, timeout: int = 0) -> bool:
        """Start a plugin. ``POST /plugins/{name}/enable``

        Args:
            name: of the plugin.
            timeout: seconds that the engine waits for it to listen; 0 is the engine's own.

        Returns:
            True.
        """
        self._none("POST", "/plugins/{name}/enable", name=name, query={"timeout": timeout}, timeout=None)
        return True

    def disable_plugin(self, name: Ref, force: bool = False) -> bool:
        """Stop a plugin. ``POST /plugins/{name}/disable``

        Args:
            name: of the plugin.
            force: even if it is in use.

        Returns:
            True.
        """
        self._none("POST", "/plugins/{name}/disable", name=name, query={"force": force or None}, timeout=None)
        return True

    @overload
    def push_plugin(
        self, name: Ref, *, auth_config: AuthSource | None = None, decode: Literal[True] = True
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def push_plugin(
        self, name: Ref, *, auth_config: AuthSource | None = None, decode: Literal[False]
    ) -> ProgressStream[bytes]: ...

    @overload
    def push_plugin(
        self, name: Ref, *, auth_config: AuthSource | None = None, decode: bool
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]: ...

    def push_plugin(
        self, name: Ref, *, auth_config: AuthSource | None = None, decode: bool = True
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]:
        """Send a plugin to the registry that its name says. ``POST /plugins/{name}/push``

        Args:
            name: of the plugin.
            auth_config: credentials for the registry; None takes what this client knows, ``{}`` sends none.
            decode: dicts; False is the bytes of each record.

        Returns:
            An iterator of progress records; the push is done when it has ended.

        Raises:
            PushError: the push failed on the way; raised by the iterator.
        """
        reference = (
            name if isinstance(name, str) else str(getattr(name, "name", None) or self.inspect_plugin(name)["Name"])
        )
        return self._progress(
            "POST",
            "/plugins/{name}/push",
            name=name,
            headers=self._plugin_header(reference, auth_config, always=True),
            decode=decode,
            error=PushError,
        )

    def remove_plugin(self, name: Ref, force: bool = False) -> bool:
        """Remove a plugin. ``DELETE /plugins/{name}``

        Args:
            name: of the plugin.
            force: disable it first if it is enabled.

        Returns:
            True.
        """
        self._none("DELETE", "/plugins/{name}", name=name, query={"force": force or None}, timeout=None)
        return True

    def _plugin_header(self, reference: str, given: AuthSource | None, *, always: bool = False) -> dict[str, str]:
        from dockerkit.auth import registry_headers, resolve_repository_name

        return registry_headers(self, resolve_repository_name(reference)[0], given, always=always)


def _privileges(privileges: object) -> list[Any]:
    if not isinstance(privileges, Sequence) or isinstance(privileges, str):
        raise InvalidArgument(f"privileges: the list of plugin_privileges() is needed, not {privileges!r}")
    return list(privileges)


PluginApiMixin = PluginAPI  # its name in docker-py
