"""Registry credentials: where they come from, and how the Engine wants to be told.

For one registry the first of these that has something wins:

1. what the call itself was given (``auth_config=``);
2. ``login()`` of this client;
3. the environment variable ``DOCKER_AUTH_CONFIG``;
4. the credential helper named for that registry in config.json (``credHelpers``);
5. the credential store named there for all (``credsStore``);
6. ``auths`` in config.json.

Helpers are asked for the registry in use only, at each call, so that tokens which expire are fresh ones.
Credentials hide themselves: neither :class:`AuthConfig` nor :class:`Credential` shows a secret in its repr, and neither
can be pickled.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from dockerkit.credentials import configfile
from dockerkit.credentials.entries import (
    ENVIRONMENT,
    INDEX_NAME,
    INDEX_URL,
    TOKEN_USERNAME,
    Credential,
    Secretive,
    convert_to_hostname,
    decode_auth,
    drop,
    file_entry,
    from_environment,
    lookup,
    matching,
    parse_entry,
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
from dockerkit.errors import InvalidConfigFile
from dockerkit.localfiles import edit_json, read_json

__all__ = [
    "INDEX_NAME",
    "INDEX_URL",
    "TOKEN_USERNAME",
    "AuthConfig",
    "AuthSource",
    "Credential",
    "call_with_credentials",
    "convert_to_hostname",
    "decode_auth",
    "encode_header",
    "get_config_header",
    "get_credential_store",
    "is_refusal",
    "load_config",
    "parse_auth",
    "registry_headers",
    "resolve_authconfig",
    "resolve_index_name",
    "resolve_repository_name",
    "split_repo_name",
    "stream_with_credentials",
]

_KNOWN = frozenset({"auths", "credsStore", "credHelpers", "HttpHeaders", "proxies"})

log: logging.Logger = logging.getLogger(__name__)
T = TypeVar("T")


class AuthConfig(Secretive):
    """The credentials part of a config.json, with the logins of this client on top.

    Args:
        dct: a config.json's content with ``auths``, ``credsStore``, ``credHelpers``; or, as in the very old files, the
            entries of ``auths`` themselves.
        credstore_env: variables that credential helpers get besides this process's.

    Attributes:
        path: the file it was read from and where logins are saved; None means the usual place.
        http_headers: ``HttpHeaders`` of the file: sent with every request to the engine.
        proxies: ``proxies`` of the file, by engine or "default".
    """

    def __init__(self, dct: Mapping[str, Any], credstore_env: Mapping[str, str] | None = None) -> None:
        content = {key: dct[key] for key in ("auths", "credsStore", "credHelpers") if dct.get(key)}
        if dct and not _KNOWN & dct.keys():
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
        self._variables: Mapping[str, str] | None = None
        self._stores: dict[str, Store] = {}

    def __repr__(self) -> str:
        return (
            f"<AuthConfig: {len(self.auths)} registries, store {self.creds_store or 'none'}, "
            f"helpers for {sorted(self.cred_helpers)}>"
        )

    def __copy__(self) -> AuthConfig:
        twin = type(self)({}, self.credstore_env)
        twin.update(self)
        twin.__dict__.update({**self.__dict__, "_logins": dict(self._logins)})
        return twin

    @classmethod
    def parse_auth(cls, entries: Mapping[str, Any], raise_on_error: bool = False) -> dict[str, Credential]:
        """The entries of ``auths``, decoded.

        Args:
            entries: by registry: ``auth`` (base64 of user:password), ``identitytoken``, ``registrytoken``, or
                ``username`` and ``password``; ``email``.
            raise_on_error: whether an entry that makes no sense raises; else it is left out, with a warning in the log.

        Raises:
            InvalidConfigFile: an entry makes no sense; its registry is named.
        """
        parsed = {}
        for registry, entry in entries.items():
            try:
                parsed[registry] = parse_entry(registry, entry)
            except ValueError as error:
                if raise_on_error:
                    raise InvalidConfigFile(f"Invalid configuration for registry {registry}: {error}") from None
                log.warning("credentials for %s are left out: %s", registry, error)
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
        """Read the credentials of a config.json.

        Args:
            config_path: the file; the usual places if None (see ``DOCKER_CONFIG``).
            config_dict: the content instead of a file; then ``DOCKER_AUTH_CONFIG`` is not looked at either.
            credstore_env: variables for credential helpers.
            environment: where to look for ``DOCKER_CONFIG`` and ``DOCKER_AUTH_CONFIG``; this process's if None.

        Returns:
            The credentials; empty ones where there is no file.

        Raises:
            InvalidConfigFile: the file is no JSON, or an entry in it makes no sense.
        """
        variables = os.environ if environment is None else environment
        path = configfile.find_config_file(config_path, variables) if config_dict is None else None
        content = (configfile.read_credentials(path) if path else {}) if config_dict is None else config_dict
        _check_shape(content, path or "config_dict")
        auths: Mapping[str, Any] = content.get("auths") or {}
        if not _KNOWN & content.keys():  # the oldest layout: the entries themselves; besides, a file may hold anything
            auths = (
                content
                if path is None
                else {key: value for key, value in content.items() if configfile.is_entry(value)}
            )
        parsed = cls.parse_auth(auths, raise_on_error=True)
        config = cls({**{key: content[key] for key in _KNOWN & content.keys()}, "auths": parsed}, credstore_env)
        config.setdefault("auths", {})
        if config_dict is None:
            config.path = path or config_path or configfile.config_path(variables)
            config._variables = environment
            if variables.get(ENVIRONMENT):
                config._environment = from_environment(variables[ENVIRONMENT])
        return config

    @property
    def auths(self) -> dict[str, Credential]:
        """Credentials kept in the file itself, by registry, and those of this client's logins."""
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
        """Whether there is nothing to ask and nothing kept."""
        return not (self.auths or self.creds_store or self.cred_helpers or self._environment)

    def get_credential_store(self, registry: str | None) -> str | None:
        """Short name of the helper which is asked for a registry; None if there is none."""
        return lookup(self.cred_helpers, registry or INDEX_URL) or self.creds_store

    def add_auth(self, reg: str, data: Mapping[str, Any]) -> None:
        """Take credentials for this client's life; for their registry they win over all others kept."""
        entry = Credential(data)
        self.setdefault("auths", {})[reg] = entry
        self._logins[reg] = entry

    def resolve_authconfig(self, registry: str | None = None) -> Credential | None:
        """The credentials for a registry; None if there are none. See the module's text for the order.

        Args:
            registry: its host name or URL; None means the Docker Hub.

        Raises:
            StoreError: the credential helper for it failed.
        """
        name = registry or INDEX_URL
        found = lookup(self._logins, name) or lookup(self._environment, name)
        if not found:
            helper = self.get_credential_store(registry)
            found = self._ask(helper, name) if helper else None
        return found or lookup(self.auths, name) or None

    def fresh(self, registry: str | None = None) -> Credential | None:
        """Credentials for a registry which refused those of now: the file is read again, helpers are asked again, and
        this client's login for it is passed over where there is something else.
        """
        if self.path:
            again = type(self).load_config(self.path, None, self.credstore_env, environment=self._variables)
            found = again.resolve_authconfig(registry)
        else:
            found = None
        return found or self.resolve_authconfig(registry)

    def get_all_credentials(self) -> dict[str, Credential]:
        """All credentials by registry, as the classic build sends them. A helper that fails is passed over, with a
        warning in the log: its registry may not be in use at all.
        """
        every: dict[str, Credential] = {server: entry for server, entry in self.auths.items() if entry}
        if self.creds_store:
            every.update(self._list(self.creds_store))
        for registry, helper in self.cred_helpers.items():
            found = self._tolerant(helper, partial(self._ask, helper, registry))
            if found:
                every[registry] = found
        return {**every, **self._environment, **self._logins}

    def save(self, registry: str | None, data: Mapping[str, Any]) -> str:
        """Keep credentials beyond this process, where the docker command keeps them too.

        Returns:
            Where: a helper's program name, or the path of a config.json (where they are encoded, not encrypted).

        Raises:
            StoreError: the helper failed.
            InvalidConfigFile: the file that is there can't be read, and was left alone.
        """
        server, entry = server_name(registry), Credential(data)
        helper = self.get_credential_store(registry)
        path = self.path or configfile.config_path()
        place = path
        if helper:
            store, token = self._store(helper), entry.identity_token
            store.store(server, TOKEN_USERNAME if token else entry.username or "", token or entry.password or "")
            place = store.program
        kept = {} if helper else file_entry(entry)
        edit_json(path, lambda record: record.setdefault("auths", {}).update({server: kept}))
        self.path = path
        return place

    def erase(self, registry: str | None) -> bool:
        """Forget the credentials for a registry: of this client, of its helper, and in config.json.

        Returns:
            Whether there were any.

        Raises:
            StoreError: the helper failed.
            InvalidConfigFile: config.json can't be read.
        """
        server = server_name(registry)
        found = False
        for entries in (self._logins, self.auths):
            for key in matching(entries, server):
                found = bool(entries.pop(key)) or found
        helper = self.get_credential_store(registry)
        if helper:
            try:
                self._store(helper).get(server)
                self._store(helper).erase(server)
                found = True
            except CredentialsNotFound:
                pass
        path = self.path or configfile.config_path()
        if os.path.exists(path) and matching(read_json(path).get("auths") or {}, server):
            edit_json(path, lambda record: drop(record["auths"], server))
            found = True
        return found

    def _store(self, helper: str) -> Store:
        if helper not in self._stores:
            self._stores[helper] = Store(helper, self.credstore_env)
        return self._stores[helper]

    def _ask(self, helper: str, registry: str) -> Credential | None:
        server = server_name(registry)
        try:
            found = self._store(helper).get(server)
        except CredentialsNotFound:
            return None
        if found["Username"] == TOKEN_USERNAME:
            return Credential(ServerAddress=server, IdentityToken=found["Secret"])
        return Credential(ServerAddress=server, Username=found["Username"], Password=found["Secret"])

    def _list(self, helper: str) -> dict[str, Credential]:
        servers = self._tolerant(helper, self._store(helper).list) or {}
        answers = {server: self._tolerant(helper, partial(self._ask, helper, server)) for server in servers}
        return {server: found for server, found in answers.items() if found}

    def _tolerant(self, helper: str, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except StoreError as error:
            log.warning("credential helper %s is passed over: %s", helper, error)
            return None


def _check_shape(content: Mapping[str, Any], where: str) -> None:
    for key in ("auths", "credHelpers", "HttpHeaders", "proxies"):
        if not isinstance(content.get(key) or {}, Mapping):
            raise InvalidConfigFile(f"{where}: {key}: a JSON object is wanted")
    helpers = (content.get("credHelpers") or {}).values()
    if not all(isinstance(name, str) for name in (content.get("credsStore") or "", *helpers)):
        raise InvalidConfigFile(f"{where}: credsStore, credHelpers: names of credential helpers are wanted")


def load_config(
    config_path: str | None = None,
    config_dict: Mapping[str, Any] | None = None,
    credstore_env: Mapping[str, str] | None = None,
) -> AuthConfig:
    """The same as :meth:`AuthConfig.load_config`."""
    return AuthConfig.load_config(config_path, config_dict, credstore_env)


def parse_auth(entries: Mapping[str, Any], raise_on_error: bool = False) -> dict[str, Credential]:
    """The same as :meth:`AuthConfig.parse_auth`."""
    return AuthConfig.parse_auth(entries, raise_on_error)


def get_credential_store(authconfig: Mapping[str, Any], registry: str | None) -> str | None:
    """The same as :meth:`AuthConfig.get_credential_store`, for a plain dict too."""
    return _as_config(authconfig).get_credential_store(registry)


def resolve_authconfig(
    authconfig: Mapping[str, Any], registry: str | None = None, credstore_env: Mapping[str, str] | None = None
) -> Credential | None:
    """The same as :meth:`AuthConfig.resolve_authconfig`, for a plain dict too."""
    return _as_config(authconfig, credstore_env).resolve_authconfig(registry)


def _as_config(authconfig: Mapping[str, Any], credstore_env: Mapping[str, str] | None = None) -> AuthConfig:
    return authconfig if isinstance(authconfig, AuthConfig) else AuthConfig(authconfig, credstore_env)
