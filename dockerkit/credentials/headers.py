"""Telling the Engine the credentials for a registry, and once more with fresh ones when the registry refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from dockerkit.credentials.entries import INDEX_NAME, resolve_index_name
from dockerkit.errors import DockerException

if TYPE_CHECKING:
    from dockerkit.auth import AuthConfig
    from dockerkit.streams import ProgressStream

__all__ = [
    "AuthSource",
    "call_with_credentials",
    "encode_header",
    "get_config_header",
    "is_refusal",
    "registry_headers",
    "stream_with_credentials",
]

T = TypeVar("T")

AuthSource: TypeAlias = Mapping[str, Any] | Callable[[str], Mapping[str, Any]]
"""Credentials of one call: a dict (``username``, ``password``… or ``identitytoken``), or a function which is given the
registry's host name and returns one; it is called again when the registry refuses."""


class HasAuth(Protocol):
    """Who has registry credentials: the APIClient."""

    @property
    def _auth(self) -> AuthConfig: ...


def encode_header(auth: Mapping[str, Any]) -> bytes:
    """The value of ``X-Registry-Auth`` (or, for a map by registry, of ``X-Registry-Config``): JSON in base64url."""
    return base64.urlsafe_b64encode(json.dumps(auth).encode("ascii"))


def get_config_header(client: HasAuth, registry: str | None) -> bytes | None:
    """The value of ``X-Registry-Auth`` for a registry, out of what the client knows; None if it knows nothing."""
    found = client._auth.resolve_authconfig(registry)
    return encode_header(found) if found else None


def registry_headers(
    client: HasAuth, registry: str | None, given: AuthSource | None = None, *, always: bool = False
) -> dict[str, str]:
    """The header that tells the Engine the credentials for a registry.

    Args:
        client: whose credentials are asked when none are given; not touched otherwise.
        registry: host name of the registry; None means the Docker Hub.
        given: credentials of this call; ``{}`` means none at all.
        always: send an empty record where there are no credentials (a push wants one).
    """
    found: Mapping[str, Any] | None
    if given is None:
        found = client._auth.resolve_authconfig(registry)
    else:
        found = given(resolve_index_name(registry or INDEX_NAME)) if callable(given) else given
    if not found and not always:
        return {}
    return {"X-Registry-Auth": encode_header(found or {}).decode()}


def call_with_credentials(
    client: HasAuth,
    registry: str | None,
    call: Callable[[dict[str, str]], T],
    given: AuthSource | None = None,
    *,
    always: bool = False,
) -> T:
    """Call with credentials, and once more with fresh ones when the registry refuses the first.

    Args:
        client, registry, given, always: as for :func:`registry_headers`.
        call: gets the headers; whatever it raises about credentials (see :func:`is_refusal`) leads to the second try,
            if there are other credentials by then: a function as ``given`` is called again, helpers are asked again,
            config.json is read again. A dict as ``given`` is all there is, so there is no second try.
    """
    headers = registry_headers(client, registry, given, always=always)
    try:
        return call(headers)
    except DockerException as error:
        fresh = _other_headers(headers, error, client, registry, given, always=always)
        if fresh is None:
            raise
    return call(fresh)


def stream_with_credentials(
    client: HasAuth,
    registry: str | None,
    call: Callable[[dict[str, str]], ProgressStream[T]],
    given: AuthSource | None = None,
    *,
    always: bool = False,
) -> ProgressStream[T]:
    """The same for a call that gives a stream, which may begin with the refusal.

    Once a record was handed on there is no second try: whoever reads would see the beginning twice.
    """
    headers = registry_headers(client, registry, given, always=always)

    def again(error: DockerException) -> ProgressStream[T] | None:
        fresh = _other_headers(headers, error, client, registry, given, always=always)
        return None if fresh is None else call(fresh)

    try:
        records = call(headers)
    except DockerException as error:
        other = again(error)
        if other is None:
            raise
        return other
    return records.or_instead(again)


def _other_headers(
    used: Mapping[str, str],
    error: DockerException,
    client: HasAuth,
    registry: str | None,
    given: AuthSource | None,
    *,
    always: bool,
) -> dict[str, str] | None:
    """Fresh credentials where those used were refused; None where that was not it, or there are no others."""
    if not is_refusal(error) or (given is not None and not callable(given)):
        return None
    found: AuthSource = given if given is not None else client._auth.fresh(registry) or {}
    fresh = registry_headers(client, registry, found, always=always)
    return None if fresh == used else fresh


def is_refusal(error: BaseException) -> bool:
    """Whether an error says that a registry did not like the credentials (or their absence).

    The Engine passes a registry's 401 on with this status, as 500 or 404, or inside a stream, depending on its version;
    then only the text tells.
    """
    if getattr(error, "status_code", None) == 401:
        return True
    text = str(error).lower()
    return any(
        phrase in text
        for phrase in (
            "unauthorized",
            "authentication required",
            "no basic auth",
            "pull access denied",
            "access to the resource is denied",
        )
    )
