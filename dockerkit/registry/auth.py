"""Authentication to a registry: Basic, and tokens from its token service."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dockerkit import runtime
from dockerkit.credentials.entries import Credential
from dockerkit.errors import RegistryError

if TYPE_CHECKING:
    from dockerkit.registry.http import RegistryHTTP

__all__ = ["Authenticator", "parse_challenge"]

_EARLY_SECONDS = 10.0
_DEFAULT_SECONDS = 60.0
_CLIENT_ID = "dockerkit"
_PARAMETER = re.compile(r'\s*([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))\s*,?')
_SHARED_SUFFIX = re.compile(r"(co|com|org|net|ac|gov|edu)\.[a-z]{2}")


class Authenticator:
    """The ``Authorization`` headers for one registry.

    `credentials` is called with True after a refusal, to get fresh ones. `token_hosts` may receive them too.
    """

    def __init__(
        self, host: str, credentials: Callable[[bool], Credential | None], token_hosts: Iterable[str] = ()
    ) -> None:
        self._host = host
        self._credentials = credentials
        self._token_hosts = frozenset(token_hosts)
        self._lock = runtime.Lock()
        self._basic: str | None = None
        self._tokens: dict[tuple[str, ...], tuple[str, float]] = {}

    def header(self, scopes: Iterable[str]) -> str | None:
        """Return the header for a request that needs these scopes; None before the registry has requested one."""
        token, expires = self._tokens.get(tuple(sorted(scopes)), ("", 0.0))
        return f"Bearer {token}" if token and time.monotonic() < expires else self._basic

    def accept(
        self, challenges: Iterable[str], scopes: Iterable[str], http: RegistryHTTP, *, refused: str | None
    ) -> bool:
        """Handle a 401 response with its values of ``WWW-Authenticate``; return whether to repeat the request.

        `refused` is the header that the registry has refused, `http` reaches the token service.
        """
        parsed = dict(parse_challenge(challenge) for challenge in challenges)
        with self._lock:
            if "bearer" in parsed:
                return self._fetch_token(parsed["bearer"], tuple(sorted(scopes)), http, refused)
            if "basic" in parsed:
                return self._use_basic(refused)
        return False

    def _use_basic(self, refused: str | None) -> bool:
        for fresh in (False, True):
            header = _basic_header(self._credentials(fresh))
            if header and header != refused:
                self._basic = header
                return True
        return False

    def _fetch_token(
        self, challenge: Mapping[str, str], scopes: tuple[str, ...], http: RegistryHTTP, refused: str | None
    ) -> bool:
        realm = challenge.get("realm", "")
        credential = self._credentials(False)
        if credential and credential.registry_token:
            header = f"Bearer {credential.registry_token}"
            self._tokens[scopes] = credential.registry_token, float("inf")
            return header != refused
        self._check_realm(realm, credential, http)
        query: dict[str, Any] = {"scope": list(scopes) or challenge.get("scope", "").split()}
        if challenge.get("service"):
            query["service"] = challenge["service"]
        status, body = _request_token(http, realm, query, credential)
        if status == 401:
            fresh = self._credentials(True)
            if fresh and fresh != credential:
                status, body = _request_token(http, realm, query, fresh)
        if status == 401:
            return False
        if status != 200:
            raise RegistryError(f"{self._host}: the token service {_host(realm)} returned status {status}")
        try:
            record = json.loads(body)
            token = record.get("token") or record["access_token"]
            seconds = float(record.get("expires_in") or _DEFAULT_SECONDS)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise RegistryError(f"{self._host}: the token service {_host(realm)} returned no token") from None
        self._tokens[scopes] = str(token), time.monotonic() + max(seconds - _EARLY_SECONDS, 1.0)
        return f"Bearer {token}" != refused

    def _check_realm(self, realm: str, credential: Credential | None, http: RegistryHTTP) -> None:
        """Refuse to send credentials to other hosts or unencrypted."""
        parts = urlsplit(realm)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise RegistryError(
                f"{self._host}: the address of the token service is invalid: {parts.scheme}://{_host(realm)}"
            )
        if parts.scheme == "http" and not http.is_plain:
            raise RegistryError(f"{self._host}: the token service {_host(realm)} is not reached over HTTPS")
        if credential and not self._is_trusted(parts.hostname, _host(realm)):
            raise RegistryError(
                f"{self._host}: the token service {_host(realm)} is another host, which does not receive the "
                f"credentials; pass token_hosts=[{_host(realm)!r}] to allow it"
            )

    def _is_trusted(self, name: str, host: str) -> bool:
        """Return whether a token service may receive the registry's credentials: only on its host or in its domain."""
        registry_name = urlsplit(f"//{self._host}").hostname or ""
        if name == registry_name or name in self._token_hosts or host in self._token_hosts:
            return True
        domain = registry_name.partition(".")[2]
        if "." not in domain or _SHARED_SUFFIX.fullmatch(domain) or domain.replace(".", "").isdigit():
            return False
        return name == domain or name.endswith(f".{domain}")


def _request_token(
    http: RegistryHTTP, realm: str, query: dict[str, Any], credential: Credential | None
) -> tuple[int, bytes]:
    if credential and credential.identity_token:
        form = {
            "grant_type": "refresh_token",
            "client_id": _CLIENT_ID,
            "refresh_token": credential.identity_token,
            "service": query.get("service", ""),
            "scope": " ".join(query["scope"]),
        }
        return http.token_request(realm, query={}, headers={}, form=form)
    header = _basic_header(credential)
    return http.token_request(realm, query=query, headers={"Authorization": header} if header else {})


def parse_challenge(challenge: str) -> tuple[str, dict[str, str]]:
    """Parse a ``WWW-Authenticate`` header to the lower-case scheme and its parameters."""
    scheme, _, rest = challenge.strip().partition(" ")
    parameters = {}
    for name, quoted, unquoted in _PARAMETER.findall(rest):
        parameters[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) or unquoted
    return scheme.lower(), parameters


def _basic_header(credential: Credential | None) -> str | None:
    if not credential or not credential.username:
        return None
    login = f"{credential.username}:{credential.password or ''}"
    return "Basic " + base64.b64encode(login.encode()).decode()


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
