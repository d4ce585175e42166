"""Create, list, choose and remove docker contexts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from dockerkit import errors
from dockerkit.cliconfig import configfile, context_store
from dockerkit.endpoint import discovery
from dockerkit.endpoint.context import Context
from dockerkit.endpoint.tls import TLSConfig

__all__ = ["METAFILE", "ContextAPI"]

METAFILE = context_store.METAFILE


class ContextAPI:
    """Manages the docker command's contexts, with class methods under docker-py's names.

    Example::

        ContextAPI.create_context("build-host", host="ssh://me@build-host")
        ContextAPI.set_current_context("build-host")
    """

    DEFAULT_CONTEXT = Context(context_store.DEFAULT)

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
            name: name of the context.
            orchestrator: obsolete field of the docker command; stored but not used.
            host: address of the engine; None for the default socket.
            tls_cfg: TLS files, which are copied into the store.
            default_namespace: obsolete Kubernetes field of the docker command.
            skip_tls_verify: accept any certificate.
            description: description for users.

        Raises:
            ContextAlreadyExists: a context with that name exists.
            MissingContextParameter, ContextException, InvalidArgument: the name is empty, reserved, or invalid.
        """
        context_store.check_name(name)
        if Context.load_context(name) is not None:
            raise errors.ContextAlreadyExists(name)
        context = Context(name, orchestrator, description=description)
        context.set_endpoint(context._kind, host, tls_cfg, skip_tls_verify, default_namespace)
        context.save()
        return context

    @classmethod
    def contexts(cls) -> list[Context]:
        """Return all contexts: the built-in ``default`` first, then the stored ones by name."""
        stored = (Context.load_context(name) for name in context_store.names(configfile.config_dir()))
        return [_default(), *(context for context in stored if context is not None)]

    @classmethod
    def get_context(cls, name: str | None = None) -> Context | None:
        """Return a context, by default the current one; None if it does not exist."""
        name = name or _current_name()
        return _default() if name == context_store.DEFAULT else Context.load_context(name)

    @classmethod
    def get_current_context(cls) -> Context | None:
        """Return the current context: ``default`` with ``DOCKER_HOST``, else ``DOCKER_CONTEXT`` or the chosen one."""
        return cls.get_context()

    @classmethod
    def inspect_context(cls, name: str = "default") -> dict[str, Any]:
        """Return all attributes of a context, in the format of ``docker context inspect``.

        Raises:
            ContextNotFound: the context does not exist.
        """
        return _get_existing(name).inspect()

    @classmethod
    def set_current_context(cls, name: str = "default") -> None:
        """Set the current context, as ``docker context use`` does.

        Raises:
            ContextNotFound: the context does not exist.
        """
        context_store.use(configfile.config_dir(), _get_existing(name).name)

    @classmethod
    def remove_context(cls, name: str) -> None:
        """Delete a context and its TLS files. If it is the current one, switch to ``default``.

        Raises:
            ContextNotFound: the context does not exist.
            ContextException: the context is the built-in one.
        """
        if name == context_store.DEFAULT:
            raise errors.ContextException(f"{context_store.DEFAULT!r} is the built-in context: it can't be removed")
        _get_existing(name).remove()

    @classmethod
    def kwargs_from_context(
        cls, name: str | None = None, environment: Mapping[str, str] | None = None
    ) -> dict[str, str | TLSConfig]:
        """Return ``base_url`` and ``tls`` for a client of a context.

        Args:
            name: name of the context; None for ``DOCKER_CONTEXT``, otherwise the one set by ``docker context use``.
            environment: variables to read instead of the process's.

        Raises:
            ContextNotFound: the context does not exist.
        """
        env = {k: v for k, v in (os.environ if environment is None else environment).items() if k != "DOCKER_HOST"}
        endpoint = discovery.resolve(context=name, environment=env)
        return {"base_url": endpoint.host} if endpoint.tls is None else {"base_url": endpoint.host, "tls": endpoint.tls}


def _current_name() -> str:
    if os.environ.get("DOCKER_HOST"):
        return context_store.DEFAULT
    return os.environ.get("DOCKER_CONTEXT") or context_store.current_name(
        configfile.config_dir(), configfile.config_file()
    )


def _default() -> Context:
    return Context(context_store.DEFAULT, host=os.environ.get("DOCKER_HOST"))


def _get_existing(name: str) -> Context:
    if not name:
        raise errors.MissingContextParameter("name")
    context = ContextAPI.get_context(name)
    if context is None:
        names = ", ".join([context_store.DEFAULT, *context_store.names(configfile.config_dir())])
        raise errors.ContextNotFound(name, f"known: {names}")
    return context
