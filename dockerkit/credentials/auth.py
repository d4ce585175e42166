"""Registry credentials: their sources, and their lookup by registry.

For a registry, the first of these sources that has credentials is used:

1. the call itself (``auth_config=``);
2. ``login()`` of this client;
3. the environment variable ``DOCKER_AUTH_CONFIG``;
4. the credential helper named for that registry in config.json (``credHelpers``);
5. the credential store named there for all registries (``credsStore``);
6. ``auths`` in config.json.

Helpers are run at each call, only for the registry in use, so that tokens are never expired.
Credentials stay secret: neither :class:`AuthConfig` nor :class:`Credential` shows a secret in its repr, and neither
can be pickled.
"""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from dockerkit.cliconfig import configfile
from dockerkit.cliconfig.json_file import edit_json, read_json
from dockerkit.credentials.entries import (
    ENVIRONMENT,
    INDEX_NAME,
    INDEX_URL,
    TOKEN_USERNAME,
    Credential,
    SecretDict,
    convert_to_hostname,
    decode_auth,
    drop,
    file_entry,
    from_environment,
    is_entry,
    lookup,
    matching,
    parse_entries,
    read_credentials,
    resolve_index_name,
    resolve_repository_name,
    server_name,
    split_repo_name,
)
from dockerkit.credentials.errors import CredentialsNotFound, StoreError
from dockerkit.credentials.headers import (
    AuthSource,
    call_with_credentials,
    encode_header,
    get_config_header,
    is_refusal,
    registry_headers,
    stream_with_credentials,
)
from dockerkit.credentials.store import Store
from dockerkit.errors import EngineWarning, InvalidArgument, InvalidConfigFile

__all__ = [
    "INDEX_NAME", "INDEX_URL", "TOKEN_USERNAME", "AuthConfig", "AuthSource", "Credential", "call_with_credentials",
    "convert_to_hostname", "decode_auth", "encode_header", "get_config_header", "get_credential_store", "is_refusal",
    "load_config", "parse_auth", "registry_headers", "resolve_authconfig", "resolve_index_name",
    "resolve_repository_name", "split_repo_name", "stream_with_credentials",
]  # fmt: skip

_FIELDS = frozenset({"auths", "credsStore", "credHelpers", "HttpHeaders", "proxies"})

log: logging.Logger = logging.getLogger(__name__)
T = TypeVar("T")


class AuthConfig(SecretDict):
    """The credentials of a config.json, overridden by the logins of this client.

    Args:
        dct: content of a config.json with ``auths``, ``credsStore``, ``credHelpers``; or, as in very old files, the
            entries of ``auths`` themselves.
        credstore_env: environment variables for credential helpers, in addition to this process's.

    Attributes:
        path: file it was read from and where logins are saved; None for the default location.
        http_headers: ``HttpHeaders`` of the file, sent with every request to the engine.
        proxies: ``proxies`` of the file, by engine or "default".
    """

    def __init__(self, dct: Mapping[str, Any], credstore_env: Mapping[str, str] | None = None) -> None:
        content = {key: dct[key] for key in ("auths", "credsStore", "credHelpers") if dct.get(key)}
        if dct and not _FIELDS & dct.keys():
            content = {"auths": dict(dct)}
        if "auths" in content:
            content["auths"] = {server: Credential(entry) for server, entry in content["auths"].items()}
        super().__init__(content)
        self.credstore_env = credstore_env
        self.path: str | None = None
        self.http_headers: dict[str, str] = dict(dct.get("HttpHeaders") or {})
        self.proxies: dict[str, dict[str, str]] = dict(dct.get("proxies") or {})
        self._logins: dict[str, Credential] = {}
        self._environment: dict[str, Credential] = {}
        self._damaged: dict[str, str] = {}
        self._variables: Mapping[str, str] | None = None
        self._stores: dict[str, Store] = {}

    def __repr__(self) -> str:
        return (
            f"<AuthConfig: {len(self.auths)} registries, store {self.creds_store or 'none'}, "
            f"helpers for {sorted(self.cred_helpers)}>"
        )

    def __copy__(self) -> AuthConfig:
        clone = type(self)({}, self.credstore_env)
        clone.update(self)
        clone.__dict__.update({**self.__dict__, "_logins": dict(self._logins)})
        return clone

    @classmethod
    def parse_auth(cls, entries: Mapping[str, Any], raise_on_error: bool = False) -> dict[str, Credential]:
        """Decode the entries of ``auths``.

        Args:
            entries: entries by registry: ``auth`` (base64 of user:password), ``identitytoken``, ``registrytoken``, or
                ``username`` and ``password``; ``email``.
            raise_on_error: whether an invalid entry raises; otherwise it is skipped, with a warning in the log.

        Raises:
            InvalidConfigFile: an entry is invalid; the message names its registry.
        """
        parsed, damaged = parse_entries(entries)
        for registry, reason in damaged.items():
            if raise_on_error:
                raise InvalidConfigFile(f"Invalid configuration for registry {registry}: {reason}")
            log.warning("credentials for %s are skipped: %s", registry, reason)
        return parsed

    @classmethod
    def load_config(
        cls,
        config_path: str | None,
        config_dict: Mapping[str, Any] | None,
        credstore_env: Mapping[str, str] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> AuthConfig:
        """Read the credentials of a config.json. An invalid entry causes a warning once its registry is used.

        Args:
            config_path: path of the file; None for the default locations (see ``DOCKER_CONFIG``).
            config_dict: content to use instead of a file; ``DOCKER_AUTH_CONFIG`` is then ignored as well.
            credstore_env: environment variables for credential helpers.
            environment: environment with ``DOCKER_CONFIG`` and ``DOCKER_AUTH_CONFIG``; this process's if None.

        Returns:
            The credentials; empty if the file does not exist.

        Raises:
            InvalidConfigFile: the file can't be read, or is not JSON of the right shape.
        """
        variables = os.environ if environment is None else environment
        path = configfile.find_config_file(config_path, variables) if config_dict is None else None
        content = (read_credentials(path) if path else {}) if config_dict is None else config_dict
        _check_shape(content, path or "config_dict")
        auths: Mapping[str, Any] = content.get("auths") or {}
        if not _FIELDS & content.keys():
            # The oldest layout contains only the entries; other files may contain anything.
            auths = content if path is None else {key: value for key, value in content.items() if is_entry(value)}
        parsed, damaged = parse_entries(auths)
        config = cls({**{key: content[key] for key in _FIELDS & content.keys()}, "auths": parsed}, credstore_env)
        config.setdefault("auths", {})
        config._damaged = {registry: f"{path or 'config_dict'}: {reason}" for registry, reason in damaged.items()}
        if config_dict is None:
            config.path = path or config_path or configfile.config_path(variables)
            config._variables = environment
            if variables.get(ENVIRONMENT):
                config._read_environment(variables[ENVIRONMENT])
        return config

    @property
    def auths(self) -> dict[str, Credential]:
        """Credentials stored in the file itself and those of this client's logins, by registry."""
        entries: dict[str, Credential] = self.get("auths", {})
        return entries

    @property
    def creds_store(self) -> str | None:
        """Short name of the credential helper for all registries."""
        return self.get("credsStore")

    @property
    def cred_helpers(self) -> dict[str, str]:
        """Short names of credential helpers, by registry."""
        helpers: dict[str, str] = self.get("credHelpers", {})
        return helpers

    @property
    def is_empty(self) -> bool:
        """Whether there are neither credentials nor helpers."""
        return not (self.auths or self.creds_store or self.cred_helpers or self._environment)

    def get_credential_store(self, registry: str | None) -> str | None:
        """Return the short name of the helper for a registry; None if there is none."""
        return lookup(self.cred_helpers, registry or INDEX_URL) or self.creds_store

    def add_auth(self, reg: str, data: Mapping[str, Any]) -> None:
        """Add credentials for the lifetime of this client. They take precedence over stored ones for their registry."""
        entry = Credential(data)
        self.setdefault("auths", {})[reg] = entry
        self._logins[reg] = entry

    def resolve_authconfig(self, registry: str | None = None) -> Credential | None:
        """Return the credentials for a registry; None if there are none. See the module's docstring for the order.

        Args:
            registry: host name or URL of the registry; None for Docker Hub.

        A missing or failing helper and an invalid entry only cause an :class:`EngineWarning`, as in the docker command,
        since the registry may need no credentials.
        """
        name = registry or INDEX_URL
        credential = lookup(self._logins, name) or lookup(self._environment, name)
        if not credential:
            helper = self.get_credential_store(registry)
            if helper:
                credential = self._skip_on_error(
                    helper, partial(self._get_from_helper, helper, server_name(name)), _warn
                )
        credential = credential or lookup(self.auths, name)
        if not credential and (reason := lookup(self._damaged, name)):
            _warn(f"no credentials are sent to {name}: {reason}")
        return credential or None

    def _read_environment(self, value: str) -> None:
        try:
            self._environment, damaged = from_environment(value)
        except InvalidConfigFile as error:
            _warn(f"{error}; it is ignored")
        else:
            self._damaged.update({registry: f"{ENVIRONMENT}: {reason}" for registry, reason in damaged.items()})

    def fresh(self, registry: str | None = None) -> Credential | None:
        """Return fresh credentials for a registry that refused the current ones. The file is read and helpers are run
        again, and this client's login is skipped if there are other credentials.
        """
        credential = None
        if self.path:
            with contextlib.suppress(InvalidConfigFile):  # another process may be changing it
                reloaded = type(self).load_config(self.path, None, self.credstore_env, environment=self._variables)
                credential = reloaded.resolve_authconfig(registry)
        return credential or self.resolve_authconfig(registry)

    def get_all_credentials(self) -> dict[str, Credential]:
        """Return all credentials by registry, for the classic builder. A failing helper is skipped with a warning in
        the log, since its registry may not be used at all.
        """
        credentials: dict[str, Credential] = {server: entry for server, entry in self.auths.items() if entry}
        if self.creds_store:
            credentials.update(self._list(self.creds_store))
        for registry, helper in self.cred_helpers.items():
            credential = self._skip_on_error(helper, partial(self._get_from_helper, helper, server_name(registry)))
            if credential:
                credentials[registry] = credential
        return {**credentials, **self._environment, **self._logins}

    def save(self, registry: str | None, data: Mapping[str, Any]) -> str:
        """Store credentials where the docker command stores them.

        Returns:
            The location: a helper's program name, or the path of a config.json (where they are encoded, not encrypted).

        Raises:
            StoreError: the helper failed.
            InvalidConfigFile: the existing file can't be read and was not changed.
        """
        server, entry = server_name(registry), Credential(data)
        helper = self.get_credential_store(registry)
        path = self.path or configfile.config_path()
        location = path
        if helper:
            store, token = self._store(helper), entry.identity_token
            store.store(server, TOKEN_USERNAME if token else entry.username or "", token or entry.password or "")
            location = store.program
        stored = {} if helper else file_entry(entry)

        def add(record: dict[str, Any]) -> None:
            auths = record.get("auths") or {}
            if not isinstance(auths, dict):
                raise InvalidConfigFile(f"{path}: auths must be a JSON object")
            record["auths"] = {**auths, server: stored}

        edit_json(path, add, private=bool(stored))
        self.path = path
        return location

    def erase(self, registry: str | None) -> bool:
        """Delete the credentials for a registry from this client, its helper and config.json.

        Returns:
            Whether there were any credentials.

        Raises:
            StoreError: the helper failed.
            InvalidConfigFile: config.json can't be read.
        """
        server = server_name(registry)
        existed = False
        for entries in (self._logins, self.auths):
            for key in matching(entries, server):
                existed = bool(entries.pop(key)) or existed
        helper = self.get_credential_store(registry)
        if helper:
            try:
                self._store(helper).get(server)
                self._store(helper).erase(server)
                existed = True
            except CredentialsNotFound:
                pass
        path = self.path or configfile.config_path()
        if os.path.exists(path) and matching(read_json(path).get("auths") or {}, server):
            edit_json(path, lambda record: drop(record["auths"], server))
            existed = True
        return existed

    def _store(self, helper: str) -> Store:
        if helper not in self._stores:
            self._stores[helper] = Store(helper, self.credstore_env)
        return self._stores[helper]

    def _get_from_helper(self, helper: str, server: str) -> Credential | None:
        try:
            stored = self._store(helper).get(server)
        except CredentialsNotFound:
            return None
        if stored["Username"] == TOKEN_USERNAME:
            return Credential(ServerAddress=server, IdentityToken=stored["Secret"])
        return Credential(ServerAddress=server, Username=stored["Username"], Password=stored["Secret"])

    def _list(self, helper: str) -> dict[str, Credential]:
        servers = self._skip_on_error(helper, self._store(helper).list) or {}
        listed: dict[str, Credential] = {}
        for server in servers:  # spelled as in the helper, which finds no other spelling
            if credential := self._skip_on_error(helper, partial(self._get_from_helper, helper, server)):
                listed[server] = listed[server_name(server)] = credential
        return listed

    def _skip_on_error(
        self, helper: str, call: Callable[[], T], report: Callable[[str], object] = log.warning
    ) -> T | None:
        try:
            return call()
        except (StoreError, InvalidArgument) as error:
            report(f"credential helper {helper} is skipped: {error.args[0]}")
            return None


def _warn(message: str) -> None:
    warnings.warn(message, EngineWarning, stacklevel=4)


def _check_shape(content: Mapping[str, Any], where: str) -> None:
    for key in ("auths", "credHelpers", "HttpHeaders", "proxies"):
        if not isinstance(content.get(key) or {}, Mapping):
            raise InvalidConfigFile(f"{where}: {key} must be a JSON object")
    helpers = (content.get("credHelpers") or {}).values()
    if not all(isinstance(name, str) for name in (content.get("credsStore") or "", *helpers)):
        raise InvalidConfigFile(f"{where}: credsStore and credHelpers must contain names of credential helpers")


def load_config(
    config_path: str | None = None,
    config_dict: Mapping[str, Any] | None = None,
    credstore_env: Mapping[str, str] | None = None,
) -> AuthConfig:
    """Equivalent to :meth:`AuthConfig.load_config`."""
    return AuthConfig.load_config(config_path, config_dict, credstore_env)


def parse_auth(entries: Mapping[str, Any], raise_on_error: bool = False) -> dict[str, Credential]:
    """Equivalent to :meth:`AuthConfig.parse_auth`."""
    return AuthConfig.parse_auth(entries, raise_on_error)


def get_credential_store(authconfig: Mapping[str, Any], registry: str | None) -> str | None:
    """Equivalent to :meth:`AuthConfig.get_credential_store`; also accepts a plain dict."""
    return _as_config(authconfig).get_credential_store(registry)


def resolve_authconfig(
    authconfig: Mapping[str, Any], registry: str | None = None, credstore_env: Mapping[str, str] | None = None
) -> Credential | None:
    """Equivalent to :meth:`AuthConfig.resolve_authconfig`; also accepts a plain dict."""
    return _as_config(authconfig, credstore_env).resolve_authconfig(registry)


def _as_config(authconfig: Mapping[str, Any], credstore_env: Mapping[str, str] | None = None) -> AuthConfig:
    return authconfig if isinstance(authconfig, AuthConfig) else AuthConfig(authconfig, credstore_env)
