"""Plugins that the engine manages. ``/plugins``"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from dockerkit.api.base import APIBase, Ref
from dockerkit.api.checks import check_optional, nonempty_string
from dockerkit.api.encode import scalar
from dockerkit.errors import InvalidArgument
from dockerkit.parsing import values
from dockerkit.parsing.values import local_path, string, string_list
from dockerkit.streams import ProgressStream

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from dockerkit.credentials.auth import AuthSource
    from dockerkit.parsing.json_data import ToEngine
    from dockerkit.parsing.values import Duration
    from dockerkit.types import answers
    from dockerkit.types.filters import PluginFilters
    from dockerkit.types.flags import No, Yes

    Privileges = Sequence[Mapping[str, Any] | ToEngine]

    class RegistryAuth(TypedDict, total=False):
        """The option of pull_plugin() and its like that doesn't change the return type."""

        auth_config: AuthSource | None


# The name of a plugin is its complete reference, "vieux/sshfs:latest".


class PluginAPI(APIBase):
    """Calls on plugins. A name may also be a dict with ``Id``, or an object."""

    def plugins(self, filters: PluginFilters | None = None) -> list[answers.Plugin]:
        """List installed plugins. ``GET /plugins``

        Args:
            filters: ``{"enabled": True, "capability": "volumedriver"}`` (API 1.28).
        """
        return self._json("GET", "/plugins", query={"filters": filters or {}}, kind=list)

    def inspect_plugin(self, name: Ref) -> answers.Plugin:
        """Return all details of a plugin. ``GET /plugins/{name}/json``, before API 1.25 ``GET /plugins/{name}``"""
        if self.supports("GET /plugins/{name}/json"):
            return self._json("GET", "/plugins/{name}/json", name=name)
        return self._json("GET", "/plugins/{name}", name=name)

    def plugin_privileges(self, name: str, *, auth_config: AuthSource | None = None) -> list[answers.PluginPrivilege]:
        """Return the privileges that a plugin in a registry requests. ``GET /plugins/privileges``

        Args:
            name: reference of the plugin in the registry.
            auth_config: credentials for the registry; None uses the stored ones, ``{}`` sends none.

        Returns:
            ``[{"Name", "Description", "Value"}]``, to pass to :meth:`pull_plugin`.
        """
        headers = self._plugin_header(name, auth_config)
        query = {"remote": nonempty_string(name, "name")}
        return self._json("GET", "/plugins/privileges", query=query, headers=headers, timeout=None, kind=list)

    @overload
    def pull_plugin(
        self,
        remote: str,
        privileges: Privileges,
        name: str | None = None,
        *,
        decode: Yes = True,
        **options: Unpack[RegistryAuth],
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def pull_plugin(
        self,
        remote: str,
        privileges: Privileges,
        name: str | None = None,
        *,
        decode: No,
        **options: Unpack[RegistryAuth],
    ) -> ProgressStream[bytes]: ...

    @overload
    def pull_plugin(
        self,
        remote: str,
        privileges: Privileges,
        name: str | None = None,
        *,
        decode: bool,
        **options: Unpack[RegistryAuth],
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
        """Install a plugin from a registry, without enabling it. ``POST /plugins/pull``

        Args:
            remote: reference of the plugin in the registry.
            privileges: privileges to grant: the result of :meth:`plugin_privileges`.
            name: local name; None uses ``remote``.
            auth_config: credentials for the registry; None uses the stored ones, ``{}`` sends none.
            decode: yield dicts; False yields the bytes of each record.

        Returns:
            An iterator of progress records; the plugin is installed when it ends.

        Raises:
            PullError: the pull failed; raised while iterating.
        """
        return self._progress(
            "POST",
            "/plugins/pull",
            query={
                "remote": nonempty_string(remote, "remote"),
                "name": check_optional(nonempty_string, "name", name),
            },
            body=_privileges(privileges),
            headers=self._plugin_header(remote, auth_config),
            decode=decode,
            error="PullError",
        )

    @overload
    def upgrade_plugin(
        self, name: Ref, remote: str, privileges: Privileges, *, decode: Yes = True, **options: Unpack[RegistryAuth]
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def upgrade_plugin(
        self, name: Ref, remote: str, privileges: Privileges, *, decode: No, **options: Unpack[RegistryAuth]
    ) -> ProgressStream[bytes]: ...

    @overload
    def upgrade_plugin(
        self, name: Ref, remote: str, privileges: Privileges, *, decode: bool, **options: Unpack[RegistryAuth]
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
            name: name of the installed plugin.
            remote, privileges, auth_config, decode: as for :meth:`pull_plugin`.

        Returns:
            An iterator of progress records; the plugin is upgraded when it ends.
        """
        return self._progress(
            "POST",
            "/plugins/{name}/upgrade",
            name=name,
            query={"remote": nonempty_string(remote, "remote")},
            body=_privileges(privileges),
            headers=self._plugin_header(remote, auth_config),
            decode=decode,
            error="PullError",
        )

    def create_plugin(self, name: str, plugin_data_dir: str | os.PathLike[str], gzip: bool = False) -> bool:
        """Create a plugin from a local folder. ``POST /plugins/create``

        Args:
            name: reference of the plugin; ``:latest`` is added if it has no tag.
            plugin_data_dir: folder with ``config.json`` and ``rootfs/``.
            gzip: accepted for compatibility with docker-py and ignored: no engine reads a compressed plugin.

        Returns:
            True.

        Raises:
            InvalidArgument: the folder lacks one of them.
        """
        from dockerkit.files.archive import pack, walk

        folder = local_path(plugin_data_dir, "plugin_data_dir")
        for part, exists in (("config.json", os.path.isfile), ("rootfs", os.path.isdir)):
            if not exists(os.path.join(folder, part)):
                raise InvalidArgument(f"plugin_data_dir: {folder!r} has no {part}")
        entries = (entry for part in ("config.json", "rootfs") for entry in walk(os.path.join(folder, part), part))
        self._no_content(
            "POST",
            "/plugins/create",
            query={"name": nonempty_string(name, "name")},
            data=pack(entries),
            timeout=None,
        )
        return True

    def configure_plugin(self, name: Ref, options: Mapping[str, object] | Sequence[str]) -> bool:
        """Set a plugin's variables, mounts, devices or arguments. ``POST /plugins/{name}/set``

        Args:
            name: name of the plugin, which must be disabled.
            options: a dict, or a list of ``"NAME=value"``.

        Returns:
            True.
        """
        if isinstance(options, Mapping):
            settings = [
                f"{string(key, 'options')}={scalar(f'options[{key!r}]', value)}" for key, value in options.items()
            ]
        elif isinstance(options, str):
            raise InvalidArgument(f"options: must be a dict or a list, got {options!r}")
        else:
            settings = string_list(options, "options")
        self._no_content("POST", "/plugins/{name}/set", name=name, body=settings)
        return True

    def enable_plugin(self, name: Ref, timeout: Duration = 0) -> bool:
        """Start a plugin. ``POST /plugins/{name}/enable``

        Args:
            name: name of the plugin.
            timeout: seconds that the engine waits for the plugin to listen; 0 is the engine's default.

        Returns:
            True.
        """
        self._no_content(
            "POST",
            "/plugins/{name}/enable",
            name=name,
            query={"timeout": check_optional(values.seconds, "timeout", timeout)},
            timeout=None,
        )
        return True

    def disable_plugin(self, name: Ref, force: bool = False) -> bool:
        """Stop a plugin. ``POST /plugins/{name}/disable``

        Args:
            name: name of the plugin.
            force: disable it even if it is in use.

        Returns:
            True.
        """
        self._no_content("POST", "/plugins/{name}/disable", name=name, query={"force": force or None}, timeout=None)
        return True

    @overload
    def push_plugin(
        self, name: Ref, *, decode: Yes = True, **options: Unpack[RegistryAuth]
    ) -> ProgressStream[dict[str, Any]]: ...

    @overload
    def push_plugin(self, name: Ref, *, decode: No, **options: Unpack[RegistryAuth]) -> ProgressStream[bytes]: ...

    @overload
    def push_plugin(
        self, name: Ref, *, decode: bool, **options: Unpack[RegistryAuth]
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]: ...

    def push_plugin(
        self, name: Ref, *, auth_config: AuthSource | None = None, decode: bool = True
    ) -> ProgressStream[dict[str, Any]] | ProgressStream[bytes]:
        """Push a plugin to the registry in its name. ``POST /plugins/{name}/push``

        Args:
            name: name of the plugin.
            auth_config: credentials for the registry; None uses the stored ones, ``{}`` sends none.
            decode: yield dicts; False yields the bytes of each record.

        Returns:
            An iterator of progress records; the plugin is pushed when it ends.

        Raises:
            PushError: the push failed; raised while iterating.
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
            error="PushError",
        )

    def remove_plugin(self, name: Ref, force: bool = False) -> bool:
        """Remove a plugin. ``DELETE /plugins/{name}``

        Args:
            name: name of the plugin.
            force: disable it first if it is enabled.

        Returns:
            True.
        """
        self._no_content("DELETE", "/plugins/{name}", name=name, query={"force": force or None}, timeout=None)
        return True

    def _plugin_header(self, reference: str, auth_config: AuthSource | None, *, always: bool = False) -> dict[str, str]:
        from dockerkit.credentials.auth import registry_headers, resolve_repository_name

        return registry_headers(self, resolve_repository_name(reference)[0], auth_config, always=always)


def _privileges(privileges: object) -> list[Any]:
    if not isinstance(privileges, Sequence) or isinstance(privileges, str):
        raise InvalidArgument(f"privileges: must be the result of plugin_privileges(), got {privileges!r}")
    return list(privileges)


PluginApiMixin = PluginAPI  # docker-py's name
