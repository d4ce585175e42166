"""Create, list, choose and remove docker contexts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from dockerkit import config, errors
from dockerkit.context import store
from dockerkit.context.context import Context
from dockerkit.tls import TLSConfig

METAFILE = store.METAFILE


class ContextAPI:
    """The docker command's contexts; all are class methods, under docker-py's names.

    Example::

        ContextAPI.create_context("build-host", host="ssh://me@build-host", description="the fast one")
        ContextAPI.set_current_context("build-host")
    """

    DEFAULT_CONTEXT = Context(store.DEFAULT)

    @classmethod
    def create_context(
        cls,
        name: str,
        orchestrator: str | None = None,
        host: str | None = None,
        tls_cfg: TLSConfig | None = None,
        default_namespace: str | None = None,
        skip_tls_verify: bool = False,
        *,
        description: str | None = None,
    ) -> Context:
        """Store a new context.

        Args:
            name: its name.
            orchestrator: an old field of the docker command; kept, not used.
            host: the engine's address; the default socket when None.
            tls_cfg: TLS files, which are copied into the store.
            default_namespace: an old field of the docker command for Kubernetes.
            skip_tls_verify: accept any certificate.
            description: a text for people.

        Raises:
            ContextAlreadyExists: there is one of that name.
            MissingContextParameter, ContextException, InvalidArgument: the name is empty, reserved, or none.
        """
        store.check_name(name)
        if Context.load_context(name) is not None:
            raise errors.ContextAlreadyExists(name)
        kind = orchestrator if orchestrator and orchestrator != "swarm" else "docker"
        context = Context(name, orchestrator, description=description)
        context.set_endpoint(kind, host, tls_cfg, skip_tls_verify, default_namespace)
        context.save()
        return context

    @classmethod
    def contexts(cls) -> list[Context]:
        """All contexts: the built-in ``default`` first, then those in the store by name."""
        stored = (Context.load_context(name) for name in store.names(config.config_dir()))
        return [_default(), *(context for context in stored if context is not None)]

    @classmethod
    def get_context(cls, name: str | None = None) -> Context | None:
        """One context, or the one in use; None when there is none of that name."""
        name = name or _in_use()
        return _default() if name == store.DEFAULT else Context.load_context(name)

    @classmethod
    def get_current_context(cls) -> Context | None:
        """The context in use: ``default`` with ``DOCKER_HOST``, else ``DOCKER_CONTEXT``, else the one chosen."""
        return cls.get_context()

    @classmethod
    def inspect_context(cls, name: str = "default") -> dict[str, Any]:
        """All there is to say of a context, in the form of ``docker context inspect``.

        Raises:
            ContextNotFound: there is none of that name.
        """
        return _existing(name).inspect()

    @classmethod
    def set_current_context(cls, name: str = "default") -> None:
        """Choose the context that is used from now on, as ``docker context use`` does.

        Raises:
            ContextNotFound: there is none of that name.
        """
        store.use(config.config_dir(), _existing(name).name)

    @classmethod
    def remove_context(cls, name: str) -> None:
        """Delete a context and its TLS files. If it was in use, ``default`` is from now on.

        Raises:
            ContextNotFound: there is none of that name.
            ContextException: it is the built-in one.
        """
        if name == store.DEFAULT:
            raise errors.ContextException(f"{store.DEFAULT!r} is the built-in context: it can't be removed")
        _existing(name).remove()

    @classmethod
    def kwargs_from_context(
        cls, name: str | None = None, environment: Mapping[str, str] | None = None
    ) -> dict[str, str | TLSConfig]:
        """``base_url`` and ``tls`` for a client of that context.

        Args:
            name: the context; when None, ``DOCKER_CONTEXT``, then the one chosen with ``docker context use``.
            environment: variables to read instead of the process's own.

        Raises:
            ContextNotFound: there is none of that name.
        """
        env = {k: v for k, v in (os.environ if environment is None else environment).items() if k != "DOCKER_HOST"}
        found = config.resolve(context=name, environment=env)
        return {"base_url": found.host} if found.tls is None else {"base_url": found.host, "tls": found.tls}


def _in_use() -> str:
    if os.environ.get("DOCKER_HOST"):
        return store.DEFAULT
    return os.environ.get("DOCKER_CONTEXT") or store.current_name(config.config_dir(), config.config_file())


def _default() -> Context:
    return Context(store.DEFAULT, host=os.environ.get("DOCKER_HOST"))


def _existing(name: str) -> Context:
    if not name:
        raise errors.MissingContextParameter("name")
    context = ContextAPI.get_context(name)
    if context is None:
        known = ", ".join([store.DEFAULT, *store.names(config.config_dir())])
        raise errors.ContextNotFound(name, f"known: {known}")
    return context
