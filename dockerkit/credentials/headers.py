"""Send registry credentials to the Engine, and retry with fresh ones if the registry refuses them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from dockerkit.credentials.entries import INDEX_NAME, resolve_index_name
from dockerkit.errors import DockerException, InvalidArgument

if TYPE_CHECKING:
    from dockerkit.credentials.auth import AuthConfig
    from dockerkit.streams import ProgressStream

T = TypeVar("T")

AuthSource: TypeAlias = Mapping[str, Any] | Callable[[str], Mapping[str, Any]]
"""Credentials of one call: a dict (``username``, ``password``… or ``identitytoken``), or a function that takes the
registry's host name and returns one; it is called again if the registry refuses the credentials."""


class HasAuth(Protocol):
    """An object with registry credentials: the APIClient."""

    @property
    def auth_config(self) -> AuthConfig: ...


def encode_header(auth: Mapping[str, Any]) -> bytes:
    """Return the value of ``X-Registry-Auth`` (or, for a map by registry, of ``X-Registry-Config``): JSON in base64url."""
    try:
        return base64.urlsafe_b64encode(json.dumps(dict(auth)).encode("ascii"))
    except (TypeError, ValueError):  # the message may contain a secret
        raise InvalidArgument("auth_config: must be a mapping of strings, or a function that returns one") from None


def get_config_header(client: HasAuth, registry: str | None) -> bytes | None:
    """Return the value of ``X-Registry-Auth`` for a registry from the client's credentials; None if it has none."""
    credential = client.auth_config.resolve_authconfig(registry)
    return encode_header(credential) if credential else None


def registry_headers(
    client: HasAuth, registry: str | None, auth_config: AuthSource | None = None, *, always: bool = False
) -> dict[str, str]:
    """Return the header that passes the credentials for a registry to the Engine.

    Args:
        client: source of the credentials if `auth_config` is None.
        registry: host name of the registry; None for Docker Hub.
        auth_config: credentials of this call; ``{}`` for no credentials.
        always: send an empty record instead of no header if no credentials are known, as a push requires.
    """
    credentials: Mapping[str, Any] | None
    if auth_config is None:
        credentials = client.auth_config.resolve_authconfig(registry)
    else:
        credentials = auth_config(resolve_index_name(registry or INDEX_NAME)) if callable(auth_config) else auth_config
    if not credentials and not always:
        return {}
    return {"X-Registry-Auth": encode_header(credentials or {}).decode()}


def call_with_credentials(
    client: HasAuth,
    registry: str | None,
    call: Callable[[dict[str, str]], T],
    auth_config: AuthSource | None = None,
    *,
    always: bool = False,
) -> T:
    """Call with credentials, and again with fresh ones if the registry refuses the first.

    Args:
        client, registry, auth_config, always: as for :func:`registry_headers`.
        call: makes the call with the headers. If it raises an error about credentials (see :func:`is_refusal`), it is
            called again with fresh ones: a function passed as ``auth_config`` and the credential helpers are called
            again, and config.json is read again. A dict, and credentials that have not changed, are not tried twice.
    """
    headers = registry_headers(client, registry, auth_config, always=always)
    try:
        return call(headers)
    except DockerException as error:
        fresh = _fresh_headers(headers, error, client, registry, auth_config, always=always)
        if fresh is None:
            raise
    return call(fresh)


def stream_with_credentials(
    client: HasAuth,
    registry: str | None,
    call: Callable[[dict[str, str]], ProgressStream[T]],
    auth_config: AuthSource | None = None,
    *,
    always: bool = False,
) -> ProgressStream[T]:
    """Do the same for a call that returns a stream, which may begin with the refusal.

    After the first record nothing is retried, since the reader would receive the beginning twice.
    """
    headers = registry_headers(client, registry, auth_config, always=always)

    def retry(error: DockerException) -> ProgressStream[T] | None:
        fresh = _fresh_headers(headers, error, client, registry, auth_config, always=always)
        return None if fresh is None else call(fresh)

    try:
        records = call(headers)
    except DockerException as error:
        retried = retry(error)
        if retried is None:
            raise
        return retried
    return records.or_instead(retry)


def _fresh_headers(
    previous: Mapping[str, str],
    error: DockerException,
    client: HasAuth,
    registry: str | None,
    auth_config: AuthSource | None,
    *,
    always: bool,
) -> dict[str, str] | None:
    """Return headers with fresh credentials if the used ones were refused; None on other errors or without other credentials."""
    if not is_refusal(error) or (auth_config is not None and not callable(auth_config)):
        return None
    source: AuthSource = auth_config if auth_config is not None else client.auth_config.fresh(registry) or {}
    fresh = registry_headers(client, registry, source, always=always)
    return None if fresh == previous else fresh


def is_refusal(error: BaseException) -> bool:
    """Return whether an error means that a registry refused the credentials (or their absence).

    Depending on its version, the Engine passes a registry's 401 on with that status, as 500 or 404, or inside a stream;
    then only the message identifies it.
    """
    if getattr(error, "status_code", None) == 401:
        return True
    message = f"{error} {getattr(error, 'message', '')}".lower()  # a stream's error explains the engine's message
    return any(
        phrase in message
        for phrase in (
            "unauthorized",
            "authentication required",
            "no basic auth",
            "pull access denied",
            "access to the resource is denied",
        )
    )
