"""The engine as a whole: ping, version, info, use of disk, events, logins. ``/info``, ``/events``, ``/auth``..."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from dockerkit.api.base import Base
from dockerkit.api.container_streams import Moment, _moment
from dockerkit.api.encode import Filters
from dockerkit.errors import InvalidArgument
from dockerkit.streams import ByteStream, JSONStream

if TYPE_CHECKING:
    from dockerkit.types import answers


class SystemAPI(Base):
    """The calls on the engine as a whole."""

    def ping(self) -> bool:
        """Whether the engine answers. ``GET /_ping``

        Raises:
            ConnectionFailed: it does not.
        """
        return self._text("GET", "/_ping", versioned=False) == "OK"

    def ping_head(self) -> Mapping[str, str]:
        """What the engine tells about itself in headers. ``HEAD /_ping``

        Returns:
            ``Api-Version``, ``Ostype``, ``Docker-Experimental``, ``Builder-Version``, ``Swarm``..., in any case of letters.

        Raises:
            InvalidVersion: the engine is older than API 1.40.
        """
        return self._headers("HEAD", "/_ping")

    def version(self, api_version: bool = True) -> answers.SystemVersion:
        """The versions of the engine and its parts. ``GET /version``

        Args:
            api_version: ask under the API version in use; False asks without one, as a first contact does.
        """
        return self._json("GET", "/version", versioned=api_version)

    def info(self) -> answers.SystemInfo:
        """The engine's state and settings. ``GET /info``"""
        return self._json("GET", "/info")

    def df(
        self, type: str | Sequence[str] | None = None, verbose: bool | None = None
    ) -> answers.SystemDataUsageResponse:
        """Use of disk by images, containers, volumes and the build cache. ``GET /system/df``

        Args:
            type: only ``"container"``, ``"image"``, ``"volume"``, ``"build-cache"``: one or several (API 1.42).
            verbose: totals with their items, without the older fields (API 1.52).
        """
        kinds = [type] if isinstance(type, str) else type and list(type)
        return self._json("GET", "/system/df", query={"type": kinds, "verbose": verbose}, timeout=None)

    @overload
    def events(
        self,
        since: Moment = None,
        until: Moment = None,
        filters: Filters | None = None,
        decode: Literal[False] | None = None,
    ) -> JSONStream[bytes]: ...

    @overload
    def events(
        self,
        since: Moment = None,
        until: Moment = None,
        filters: Filters | None = None,
        *,
        decode: Literal[True],
    ) -> JSONStream[dict[str, Any]]: ...

    @overload
    def events(
        self,
        since: Moment = None,
        until: Moment = None,
        filters: Filters | None = None,
        decode: bool | None = None,
    ) -> JSONStream[bytes] | JSONStream[dict[str, Any]]: ...

    def events(
        self,
        since: Moment = None,
        until: Moment = None,
        filters: Filters | None = None,
        decode: bool | None = None,
    ) -> JSONStream[bytes] | JSONStream[dict[str, Any]]:
        """What happens in the engine, as it happens. ``GET /events``

        Args:
            since: also what happened from then on: a datetime (UTC where it has no zone) or seconds since 1970.
            until: stop there; None goes on for ever.
            filters: ``{"type": "container", "event": ["start", "die"], "label": ...}``.
            decode: dicts instead of bytes.

        Returns:
            An iterator that can be closed from any thread.
        """
        query = {"since": _moment("since", since), "until": _moment("until", until), "filters": filters or {}}
        return self._json_lines("GET", "/events", query=query, decode=decode)

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
        """Check credentials with a registry and keep them for this client's calls. ``POST /auth``

        Args:
            username, password: the registry's account.
            email: engines no longer have a use for it.
            registry: host name or URL; None is the Docker Hub.
            reauth: ask the registry even if these credentials are kept already.
            dockercfg_path: read this configuration file first.
            auth: base64 of ``user:password``, instead of these.
            identity_token: a token that stands for the account.
            registry_token: a bearer token, sent to the registry as it is.
            save: keep them beyond this client, where the docker command keeps its own: in the credential helper that
                config.json names, else in config.json itself (encoded, not encrypted).

        Returns:
            The engine's answer (``Status``, ``IdentityToken``); or, where they are kept already, the credentials.

        Raises:
            Unauthorized: the registry refuses them (older engines: ServerError).
            StoreError: the credential helper failed to keep them.
        """
        if dockercfg_path and os.path.exists(dockercfg_path):
            self.reload_config(dockercfg_path)
        if not reauth and not save and username:
            kept = self._auth.resolve_authconfig(registry)
            if kept and kept.username == username:
                return kept
        body = {
            "username": username,
            "password": password,
            "email": self._email(email),
            "serveraddress": registry,
            "auth": auth,
            "identitytoken": identity_token,
            "registrytoken": registry_token,
        }
        if not any((username, auth, identity_token, registry_token)):
            raise InvalidArgument("username: a name and password, or a token, are needed to log in")
        answer: dict[str, Any] = self._json("POST", "/auth", body=body) or {}
        credentials = {name: value for name, value in body.items() if value is not None}
        if token := answer.get("IdentityToken"):
            credentials = {"username": username or "", "identitytoken": token, "serveraddress": registry or ""}
        self._auth.add_auth(registry or "docker.io", credentials)
        if save:
            self._auth.save(registry, credentials)
        return answer

    def logout(self, registry: str | None = None) -> bool:
        """Forget the credentials for a registry: this client's, and those that the docker command keeps. Sends nothing.

        Args:
            registry: host name or URL; None is the Docker Hub.

        Returns:
            Whether there were any.

        Raises:
            StoreError: the credential helper failed.
            InvalidConfigFile: config.json can't be read.
        """
        return self._auth.erase(registry)

    def _email(self, email: str | None) -> str | None:
        if email is None or self._supports("POST /auth", "email"):
            return email
        warnings.warn("email: engines no longer take it; it was not sent", DeprecationWarning, stacklevel=3)
        return None

    def reload_config(self, dockercfg_path: str | None = None) -> None:
        """Read the registry credentials anew. Sends nothing.

        Args:
            dockercfg_path: the file; None is the docker command's.
        """
        from dockerkit.auth import AuthConfig

        self._auth_config = AuthConfig.load_config(
            dockercfg_path, None, self.credstore_env, environment=self._environment
        )

    def debug_vars(self) -> dict[str, Any]:
        """Counters of the engine's own process. ``GET /debug/vars``"""
        return self._json("GET", "/debug/vars", versioned=False)

    def debug_pprof(self, name: str, seconds: int | None = None) -> ByteStream:
        """A profile of the engine's own process. ``GET /debug/pprof/{name}``

        Args:
            name: ``"heap"``, ``"goroutine"``, ``"profile"``, ``"trace"``...
            seconds: how long to watch, for those that watch.

        Returns:
            The profile, as Go's tools read it.
        """
        return self._bytes("GET", "/debug/pprof/{name}", name=name, query={"seconds": seconds}, versioned=False)
