"""Credentials of one registry, and normalization of registry names, for :mod:`dockerkit.credentials.auth`."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from dockerkit.cliconfig.configfile import LEGACY_DOCKER_CONFIG_FILENAME
from dockerkit.cliconfig.json_file import read_json
from dockerkit.errors import InvalidArgument, InvalidConfigFile, InvalidRepository
from dockerkit.errors.caller import argument_name
from dockerkit.parsing.reference import split_registry
from dockerkit.parsing.values import string

INDEX_NAME = "docker.io"
INDEX_URL = f"https://index.{INDEX_NAME}/v1/"
TOKEN_USERNAME = "<token>"  # noqa: S105  the user name that marks an identity token in a credential helper

_HUB_HOSTS = frozenset({INDEX_NAME, f"index.{INDEX_NAME}", f"registry-1.{INDEX_NAME}"})
_SECRET_KEYS = frozenset({"password", "secret", "auth", "identitytoken", "registrytoken"})
ENVIRONMENT = "DOCKER_AUTH_CONFIG"

T = TypeVar("T")


class SecretDict(dict[str, Any]):
    """A dict whose repr hides its content, and which can't be pickled."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} contains secrets and can't be pickled; load it again in the other process"
        )

    def __str__(self) -> str:
        return repr(self)

    def __copy__(self) -> SecretDict:
        return type(self)(self)

    def copy(self) -> Any:
        """Return a copy."""
        return self.__copy__()

    def __deepcopy__(self, memo: object) -> SecretDict:
        return self.__copy__()


class Credential(SecretDict):
    """Credentials of one registry, as the Engine's AuthConfig: username and password, or a token.

    A dict whose repr hides the secrets. The properties ignore the case of keys, which differs between config.json,
    helpers and the Engine.
    """

    def __repr__(self) -> str:
        masked = {key: "***" if value and key.lower() in _SECRET_KEYS else value for key, value in self.items()}
        return f"Credential({masked!r})"

    def _value(self, *names: str) -> str | None:
        for key, value in self.items():
            if key.lower() in names and value:
                return str(value)
        return None

    @property
    def username(self) -> str | None:
        """User name."""
        return self._value("username")

    @property
    def password(self) -> str | None:
        """Password, or an access token used as one."""
        return self._value("password", "secret")

    @property
    def identity_token(self) -> str | None:
        """Token that a registry returned at login, used instead of user and password."""
        return self._value("identitytoken")

    @property
    def registry_token(self) -> str | None:
        """Bearer token that is sent to the registry unchanged."""
        return self._value("registrytoken")


def parse_entry(registry: str, entry: object) -> Credential:
    """Parse one entry of ``auths`` in config.json; null is an empty entry. Errors omit its content."""
    if entry is None:
        return Credential()
    if not isinstance(entry, Mapping):
        raise InvalidArgument("an entry must be a JSON object")
    entry = {str(key).lower(): value for key, value in entry.items()}  # Go's JSON decoder ignores the case of keys
    for ours, theirs in (("IdentityToken", "identitytoken"), ("RegistryToken", "registrytoken")):
        if isinstance(entry.get(theirs), str) and entry[theirs]:
            return Credential({ours: entry[theirs]})
    if entry.get("auth"):
        username, password = decode_auth(entry["auth"])
    elif isinstance(entry.get("username"), str) and entry["username"]:
        username, password = entry["username"], str(entry.get("password") or "")
    else:
        return Credential()  # the docker command writes {} if a helper stores the secret
    return Credential(username=username, password=password, email=entry.get("email"), serveraddress=registry)


def parse_entries(entries: Mapping[str, object]) -> tuple[dict[str, Credential], dict[str, str]]:
    """Parse ``auths``. Return the valid entries, and the reason for each invalid one, by registry."""
    parsed: dict[str, Credential] = {}
    damaged: dict[str, str] = {}
    for server, entry in entries.items():
        try:
            parsed[server] = parse_entry(server, entry)
        except InvalidArgument as error:
            damaged[server] = str(error.args[0])
    return parsed, damaged


def from_environment(value: str) -> tuple[dict[str, Credential], dict[str, str]]:
    """Parse the value of ``DOCKER_AUTH_CONFIG``, like :func:`parse_entries`."""
    try:
        parsed, damaged = parse_entries(json.loads(value)["auths"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InvalidConfigFile(
            f'environment variable {ENVIRONMENT} must be JSON like {{"auths": {{"registry": {{"auth": "…"}}}}}}'
        ) from None
    return {server: entry for server, entry in parsed.items() if entry}, damaged


def file_entry(entry: Credential) -> dict[str, str]:
    """Return a credential in the format of config.json."""
    if entry.identity_token:
        secret = f"{entry.username or ''}:".encode()
        return {"auth": base64.b64encode(secret).decode(), "identitytoken": entry.identity_token}
    return {"auth": base64.b64encode(f"{entry.username or ''}:{entry.password or ''}".encode()).decode()}


def server_name(registry: str | None) -> str:
    """Return the name under which a registry's credentials are stored: a URL for Docker Hub, otherwise the host."""
    return INDEX_URL if not registry or _host(registry) == INDEX_NAME else convert_to_hostname(registry)


def _host(registry: str) -> str:
    host = convert_to_hostname(registry)
    return INDEX_NAME if host in _HUB_HOSTS else host


def matching(entries: Mapping[str, Any], registry: str) -> list[str]:
    """Return the keys that refer to a registry's host."""
    return [key for key in entries if _host(key) == _host(registry)]


def lookup(entries: Mapping[str, T], registry: str) -> T | None:
    """Return the entry for a registry: by its exact name, otherwise by another name of the same host."""
    if string(registry, "registry") in entries:
        return entries[registry]
    return next((entries[key] for key in matching(entries, registry)), None)


def drop(entries: dict[str, Any], registry: str) -> None:
    """Remove a registry's entries, however their keys are spelled."""
    for key in matching(entries, registry):
        del entries[key]


def convert_to_hostname(url: str) -> str:
    """Return the host (with port) of a registry's URL."""
    return string(url, "registry").removeprefix("http://").removeprefix("https://").split("/", 1)[0]


def resolve_index_name(index_name: str) -> str:
    """Return a registry's host; always "docker.io" for Docker Hub."""
    host = convert_to_hostname(index_name)
    return INDEX_NAME if host == f"index.{INDEX_NAME}" else host


def split_repo_name(repo_name: str) -> tuple[str, str]:
    """Split an image name into (registry, remainder), as written; the registry defaults to "docker.io"."""
    return split_registry(repo_name)


def resolve_repository_name(repo_name: str) -> tuple[str, str]:
    """Split an image name into (registry, remainder).

    Raises:
        InvalidRepository: the name contains a scheme, or its registry begins or ends with a hyphen.
    """
    if not isinstance(repo_name, str):
        repo_name = string(repo_name, argument_name(repo_name, "repository"))
    if "://" in repo_name:
        raise InvalidRepository(f"Repository name cannot contain a scheme ({repo_name})")
    index_name, remote_name = split_repo_name(repo_name)
    if index_name.startswith("-") or index_name.endswith("-"):
        raise InvalidRepository(f"Invalid index name ({index_name}). Cannot begin or end with a hyphen.")
    return resolve_index_name(index_name), remote_name


def decode_auth(auth: str | bytes) -> tuple[str, str]:
    """Decode ``auth`` of config.json to (user, password).

    Raises:
        InvalidArgument: the value is not base64 of "user:password".
    """
    try:
        if isinstance(auth, str):
            auth = auth.replace("\r", "").replace("\n", "")  # base64 tools wrap lines; the docker command allows it
        decoded = base64.b64decode(auth, validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError, TypeError):
        decoded = ""
    user, colon, password = decoded.partition(":")
    if not colon:
        raise InvalidArgument("auth: must be base64 of 'user:password'")
    return user, password.strip("\0")


def is_entry(value: object) -> bool:
    """Return whether a value looks like an entry of ``auths`` in config.json."""
    return isinstance(value, Mapping) and not {"auth", "identitytoken"}.isdisjoint(str(key).lower() for key in value)


def read_credentials(path: str) -> Mapping[str, Any]:
    """Read a config.json, or a ``.dockercfg`` in either of its two layouts."""
    if path.endswith(LEGACY_DOCKER_CONFIG_FILENAME):
        try:
            return read_json(path)
        except InvalidConfigFile:
            return _read_oldest_layout(path)
    return read_json(path)


def _read_oldest_layout(path: str) -> Mapping[str, Any]:
    """Read the oldest .dockercfg layout: lines ``auth = base64`` and ``email = address``, for Docker Hub."""
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            lines = dict(line.split(" = ", 1) for line in file.read().split("\n") if line.strip())
        return {INDEX_URL: {"auth": lines["auth"].strip(), "email": lines.get("email", "").strip()}}
    except (OSError, ValueError, KeyError):
        raise InvalidConfigFile(f"{path}: neither JSON nor lines of 'auth = …'") from None
