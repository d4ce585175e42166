"""One registry's credentials and one registry's name: the parts that :mod:`dockerkit.auth` is made of."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from dockerkit.errors import InvalidArgument, InvalidConfigFile, InvalidRepository

INDEX_NAME = "docker.io"
INDEX_URL = f"https://index.{INDEX_NAME}/v1/"
TOKEN_USERNAME = "<token>"  # noqa: S105  the user name that marks an identity token in a credential helper

_HUB_HOSTS = frozenset({INDEX_NAME, f"index.{INDEX_NAME}", f"registry-1.{INDEX_NAME}"})
_SECRET_KEYS = frozenset({"password", "secret", "auth", "identitytoken", "registrytoken"})
ENVIRONMENT = "DOCKER_AUTH_CONFIG"

T = TypeVar("T")


class Secretive(dict[str, Any]):
    """A dict that doesn't show what it keeps, and stays where it is."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds secrets and is not pickled; load it anew where it is needed")

    def __str__(self) -> str:
        return repr(self)

    def __copy__(self) -> Secretive:
        return type(self)(self)

    def copy(self) -> Any:
        """Another one with the same content."""
        return self.__copy__()

    def __deepcopy__(self, memo: object) -> Secretive:
        return self.__copy__()


class Credential(Secretive):
    """What one registry wants to know, as the Engine's AuthConfig: username and password, or a token.

    A dict whose repr hides the secrets. The properties read it whatever the case of its keys, which differs between
    config.json, helpers and the Engine.
    """

    def __repr__(self) -> str:
        shown = {key: "***" if value and key.lower() in _SECRET_KEYS else value for key, value in self.items()}
        return f"Credential({shown!r})"

    def _text(self, *names: str) -> str | None:
        for key, value in self.items():
            if key.lower() in names and value:
                return str(value)
        return None

    @property
    def username(self) -> str | None:
        """The user's name."""
        return self._text("username")

    @property
    def password(self) -> str | None:
        """The password, or access token used as one."""
        return self._text("password", "secret")

    @property
    def identity_token(self) -> str | None:
        """The token that a registry gave at login, instead of user and password."""
        return self._text("identitytoken")

    @property
    def registry_token(self) -> str | None:
        """A bearer token that is sent to the registry as it is."""
        return self._text("registrytoken")


def parse_entry(registry: str, entry: object) -> Credential:
    """One entry of ``auths`` in config.json."""
    if not isinstance(entry, Mapping):
        raise InvalidArgument("an entry is a JSON object")
    for ours, theirs in (("IdentityToken", "identitytoken"), ("RegistryToken", "registrytoken")):
        if isinstance(entry.get(theirs), str) and entry[theirs]:
            return Credential({ours: entry[theirs]})
    if entry.get("auth"):
        try:
            username, password = decode_auth(entry["auth"])
        except InvalidArgument as error:
            raise ValueError(str(error)) from None
    elif isinstance(entry.get("username"), str) and entry["username"]:
        username, password = entry["username"], str(entry.get("password") or "")
    else:
        return Credential()  # the docker command leaves {} where a helper keeps the secret
    return Credential(username=username, password=password, email=entry.get("email"), serveraddress=registry)


def from_environment(text: str) -> dict[str, Credential]:
    """What ``DOCKER_AUTH_CONFIG`` holds, by registry."""
    try:
        auths = json.loads(text)["auths"]
        entries = {server: parse_entry(server, entry) for server, entry in auths.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InvalidConfigFile(
            f'environment variable {ENVIRONMENT}: wanted is JSON like {{"auths": {{"registry": {{"auth": "…"}}}}}}'
        ) from None
    return {server: entry for server, entry in entries.items() if entry}


def file_entry(entry: Credential) -> dict[str, str]:
    """A credential as config.json keeps it."""
    if entry.identity_token:
        secret = f"{entry.username or ''}:".encode()
        return {"auth": base64.b64encode(secret).decode(), "identitytoken": entry.identity_token}
    return {"auth": base64.b64encode(f"{entry.username or ''}:{entry.password or ''}".encode()).decode()}


def server_name(registry: str | None) -> str:
    """The name under which credentials for a registry are kept: the Hub's is a URL, the others' the host."""
    return INDEX_URL if not registry or _host(registry) == INDEX_NAME else convert_to_hostname(registry)


def _host(registry: str) -> str:
    host = convert_to_hostname(registry)
    return INDEX_NAME if host in _HUB_HOSTS else host


def matching(entries: Mapping[str, Any], registry: str) -> list[str]:
    """The keys that stand for a registry's host."""
    return [key for key in entries if _host(key) == _host(registry)]


def lookup(entries: Mapping[str, T], registry: str) -> T | None:
    """The entry for a registry: under exactly this name, else under another name of the same host."""
    if registry in entries:
        return entries[registry]
    return next((entries[key] for key in matching(entries, registry)), None)


def drop(entries: dict[str, Any], registry: str) -> None:
    """Take a registry's entries away, whatever form their keys have."""
    for key in matching(entries, registry):
        del entries[key]


def convert_to_hostname(url: str) -> str:
    """A registry's host (with port) out of its URL."""
    return url.removeprefix("http://").removeprefix("https://").split("/", 1)[0]


def resolve_index_name(index_name: str) -> str:
    """A registry's host, the Docker Hub always as "docker.io"."""
    host = convert_to_hostname(index_name)
    return INDEX_NAME if host == f"index.{INDEX_NAME}" else host


def split_repo_name(repo_name: str) -> tuple[str, str]:
    """(registry, the rest) of an image name, as written; "docker.io" where it names no registry."""
    first, slash, rest = repo_name.partition("/")
    if not slash or ("." not in first and ":" not in first and first != "localhost"):
        return INDEX_NAME, repo_name
    return first, rest


def resolve_repository_name(repo_name: str) -> tuple[str, str]:
    """(registry, the rest) of an image name.

    Raises:
        InvalidRepository: it holds a scheme, or a registry that begins or ends with a hyphen.
    """
    if "://" in repo_name:
        raise InvalidRepository(f"Repository name cannot contain a scheme ({repo_name})")
    index_name, remote_name = split_repo_name(repo_name)
    if index_name.startswith("-") or index_name.endswith("-"):
        raise InvalidRepository(f"Invalid index name ({index_name}). Cannot begin or end with a hyphen.")
    return resolve_index_name(index_name), remote_name


def decode_auth(auth: str | bytes) -> tuple[str, str]:
    """(user, password) out of config.json's ``auth``.

    Raises:
        InvalidArgument: it is no base64 of "user:password".
    """
    try:
        text = base64.b64decode(auth, validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError, TypeError):
        text = ""
    user, colon, password = text.partition(":")
    if not colon:
        raise InvalidArgument("auth: no base64 of 'user:password'")
    return user, password.strip("\0")
