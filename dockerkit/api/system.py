"""The engine itself: ping, version, info, disk usage, events, logins. ``/info``, ``/events``, ``/auth``..."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from dockerkit.api import versions
from dockerkit.api.base import APIBase
from dockerkit.api.container_streams import TimeLike, _time_seconds
from dockerkit.parsing.values import local_path, sequence
from dockerkit.streams import ByteStream, JSONStream

if TYPE_CHECKING:
    from dockerkit.types import answers
    from dockerkit.types.filters import EventFilters
    from dockerkit.types.flags import No, Yes


class SystemAPI(APIBase):
    """Calls on the engine itself."""

    def ping(self) -> bool:
        """Return whether the engine responds. ``GET /_ping``

        Raises:
            ConnectionFailed: the engine does not respond.
        """
        return self._text("GET", "/_ping", versioned=False) == "OK"

    def ping_head(self) -> Mapping[str, str]:
        """Return the headers in which the engine describes itself. ``HEAD /_ping``

        Returns:
            ``Api-Version``, ``Ostype``, ``Docker-Experimental``, ``Builder-Version``, ``Swarm``...; names are case-insensitive.

        Raises:
            InvalidVersion: the engine is older than API 1.40.
        """
        return self._headers("HEAD", "/_ping")

    def version(self, api_version: bool = True) -> answers.SystemVersion:
        """Return the versions of the engine and its components. ``GET /version``

        Args:
            api_version: prefix the path with the API version in use; False sends it without a version.
        """
        return self._json("GET", "/version", versioned=api_version)

    def info(self) -> answers.SystemInfo:
        """Return the engine's state and settings. ``GET /info``"""
        return self._json("GET", "/info")

    def df(
        self, type: str | Sequence[str] | None = None, verbose: bool | None = None
    ) -> answers.SystemDataUsageResponse:
        """Return the disk usage of images, containers, volumes and build cache. ``GET /system/df``

        Args:
            type: only ``"container"``, ``"image"``, ``"volume"``, ``"build-cache"``: one or several (API 1.42).
            verbose: include the items of the totals, and omit the older fields (API 1.52).
        """
        kinds = [type] if isinstance(type, str) else type and sequence(type, "type")
        return self._json("GET", "/system/df", query={"type": kinds, "verbose": verbose}, timeout=None)

    @overload
    def events(
        self,
        since: TimeLike = None,
        until: TimeLike = None,
        filters: EventFilters | None = None,
        decode: No | None = None,
    ) -> JSONStream[bytes]: ...

    @overload
    def events(
        self, since: TimeLike = None, until: TimeLike = None, filters: EventFilters | None = None, *, decode: Yes
    ) -> JSONStream[dict[str, Any]]: ...

    @overload
    def events(
        self,
        since: TimeLike = None,
        until: TimeLike = None,
        filters: EventFilters | None = None,
        decode: bool | None = None,
    ) -> JSONStream[bytes] | JSONStream[dict[str, Any]]: ...

    def events(
        self,
        since: TimeLike = None,
        until: TimeLike = None,
        filters: EventFilters | None = None,
        decode: bool | None = None,
    ) -> JSONStream[bytes] | JSONStream[dict[str, Any]]:
        """Stream the engine's events. ``GET /events``

        Args:
            since: include earlier events from this time: a datetime (UTC if it is naive) or seconds since 1970.
            until: end of the stream; None continues indefinitely.
            filters: ``{"type": "container", "event": ["start", "die"], "label": ...}``.
            decode: yield dicts instead of bytes.

        Returns:
            An iterator that can be closed from any thread.
        """
        query = {
            "since": _time_seconds("since", since),
            "until": _time_seconds("until", until),
            "filters": filters or {},
        }
        headers = {"Accept": "application/jsonl"} if self.supports(versions.JSONL_EVENTS) else None
        return self._json_lines("GET", "/events", query=query, headers=headers, decode=decode)

    def login(
        self,
        username: str | None,
        password: str | None = None,
        email: str | None = None,
        registry: str | None = None,
        reauth: bool = False,
        dockercfg_path: str | None = None,
        *,
        auth: str | None = None,
        identity_token: str | None = None,
        registry_token: str | None = None,
        save: bool = False,
    ) -> dict[str, Any]:
        """Log in to a registry, and store the credentials for this client's calls. ``POST /auth``

        Args:
            username, password: account at the registry.
            email: no longer used by engines.
            registry: host name or URL; None is Docker Hub.
            reauth: log in even if credentials are already stored.
            dockercfg_path: configuration file to load first.
            auth: base64 of ``user:password``, instead of both.
            identity_token: token instead of a password.
            registry_token: bearer token, sent to the registry unchanged.
            save: also store the credentials where the docker command does: in the credential helper that config.json names,
                otherwise in config.json (encoded, not encrypted).

        Returns:
            The engine's response (``Status``, ``IdentityToken``), or the credentials if they were already stored.

        Raises:
            Unauthorized: the registry refuses the credentials (older engines: ServerError).
            StoreError: the credential helper failed to store them.
        """
        if dockercfg_path and os.path.exists(local_path(dockercfg_path, "dockercfg_path")):
            self.reload_config(dockercfg_path)
        if not reauth and not save and username:
            stored_login = self.auth_config.resolve_authconfig(registry)
            if stored_login and stored_login.username == username:
                return stored_login
        body = {
            "username": username,
            "password": password,
            "email": self._email(email),
            "serveraddress": registry,
            "auth": auth,
            "identitytoken": identity_token,
            "registrytoken": registry_token,
        }
        response: dict[str, Any] = self._json("POST", "/auth", body=body) or {}
        credentials = {name: value for name, value in body.items() if value is not None}
        if token := response.get("IdentityToken"):
            credentials = {"username": username or "", "identitytoken": token, "serveraddress": registry or ""}
        self.auth_config.add_auth(registry or "docker.io", credentials)
        if save:
            self.auth_config.save(registry, credentials)
        return response

    def logout(self, registry: str | None = None) -> bool:
        """Delete the credentials for a registry, from this client and from the docker command's configuration. Sends nothing.

        Args:
            registry: host name or URL; None is Docker Hub.

        Returns:
            Whether credentials were stored.

        Raises:
            StoreError: the credential helper failed.
            InvalidConfigFile: config.json can't be read.
        """
        return self.auth_config.erase(registry)

    def _email(self, email: str | None) -> str | None:
        if email is None or self.supports("POST /auth", "email"):
            return email
        warnings.warn("email: no longer accepted by engines; it was not sent", DeprecationWarning, stacklevel=3)
        return None

    def reload_config(self, dockercfg_path: str | None = None) -> None:
        """Load the registry credentials again. Sends nothing.

        Args:
            dockercfg_path: configuration file; None is the docker command's.
        """
        from dockerkit.credentials.auth import AuthConfig

        if dockercfg_path is not None:
            dockercfg_path = local_path(dockercfg_path, "dockercfg_path")
        self._auth_config = AuthConfig.load_config(
            dockercfg_path, None, self.credstore_env, environment=self._environment
        )

    def debug_vars(self) -> dict[str, Any]:
        """Return counters of the engine process. ``GET /debug/vars``"""
        return self._json("GET", "/debug/vars", versioned=False)

    def debug_pprof(self, name: str, seconds: int | None = None) -> ByteStream:
        """Return a profile of the engine process. ``GET /debug/pprof/{name}``

        Args:
            name: ``"heap"``, ``"goroutine"``, ``"profile"``, ``"trace"``...
            seconds: duration, for profiles that are sampled.

        Returns:
            The profile in the format of Go's tools.
        """
        return self._bytes("GET", "/debug/pprof/{name}", name=name, query={"seconds": seconds}, versioned=False)
