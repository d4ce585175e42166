"""A docker context."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from dockerkit import errors
from dockerkit.cliconfig import context_store
from dockerkit.cliconfig.configfile import config_dir
from dockerkit.endpoint.address import parse_host
from dockerkit.endpoint.discovery import DEFAULT_SOCKET, context_tls
from dockerkit.endpoint.tls import TLSConfig as _TLSConfig
from dockerkit.parsing import values

__all__ = ["Context"]

_IN_MEMORY = "<IN MEMORY>"


class Context:
    """A named engine, as stored by the docker command.

    Args:
        name: name of the context.
        orchestrator: obsolete field of the docker command ("swarm", "kubernetes"); stored but not used.
        host: address of the engine; None for the default socket.
        endpoints: addresses by kind, as in ``meta.json``, instead of ``host``.
        tls: whether ``tcp://host`` without a port means the TLS port.
        description: description for users.

    Attributes:
        name, orchestrator, endpoints: values of the arguments.
        context_type: type set by some tools in the metadata; None for engines.
        tls_cfg: TLS configuration by endpoint (``"docker"``).
        meta_path, tls_path: paths of the stored files; ``"<IN MEMORY>"`` before :meth:`save`.
    """

    def __init__(
        self,
        name: str,
        orchestrator: str | None = None,
        host: str | None = None,
        endpoints: Mapping[str, dict[str, Any]] | None = None,
        tls: bool = False,
        *,
        description: str | None = None,
    ) -> None:
        if not name:
            raise errors.MissingContextParameter("name")
        self.name: str = values.string(name, "name")
        self.orchestrator: str | None = None if orchestrator is None else values.string(orchestrator, "orchestrator")
        self.context_type: str | None = None
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.tls_cfg: dict[str, _TLSConfig] = {}
        self.meta_path: str = _IN_MEMORY
        self.tls_path: str = _IN_MEMORY
        self._metadata: dict[str, Any] = {"StackOrchestrator": orchestrator} if orchestrator else {}
        if description:
            self._metadata["Description"] = description
        if not endpoints:
            self.endpoints[self._kind] = {"Host": _address(host, tls), "SkipTLSVerify": False}
            return
        for kind, fields in values.mapping(endpoints, "endpoints").items():
            if not isinstance(fields, dict):
                raise errors.ContextException(f"context {name!r}: endpoint {kind!r} must be an object, got {fields!r}")
            self.endpoints[kind] = dict(fields)
        if "docker" in self.endpoints:
            docker = self.endpoints["docker"]
            docker["Host"] = docker.get("Host") or _address(host, tls)
            docker["SkipTLSVerify"] = bool(docker.get("SkipTLSVerify", False))

    @property
    def _kind(self) -> str:
        return self.orchestrator if self.orchestrator and self.orchestrator != "swarm" else "docker"

    @classmethod
    def load_context(cls, name: str) -> Context | None:
        """Read a stored context; return None if it does not exist.

        Raises:
            InvalidConfigFile: the file is damaged.
        """
        folder = config_dir()
        try:
            meta = context_store.read(folder, name)
        except errors.ContextNotFound:
            return None
        metadata = meta.get("Metadata") or {}
        loaded = cls(meta["Name"], metadata.get("StackOrchestrator"), endpoints=meta["Endpoints"])
        loaded._metadata = metadata
        loaded.context_type = metadata.get("Type")
        loaded._set_paths(folder)
        tls = context_tls(folder, name, loaded.endpoints.get("docker", {}))
        if tls is not None and (tls.cert or tls.ca_cert):
            loaded.tls_cfg["docker"] = tls
        return loaded

    def _set_paths(self, folder: str) -> None:
        self.meta_path = context_store.meta_dir(folder, self.name)
        self.tls_path = context_store.tls_dir(folder, self.name)

    def set_endpoint(
        self,
        name: str = "docker",
        host: str | None = None,
        tls_cfg: _TLSConfig | None = None,
        skip_tls_verify: bool = False,
        def_namespace: str | None = None,
    ) -> None:
        """Set one of the endpoints; call :meth:`save` to store it.

        Args:
            name: kind of endpoint, ``"docker"`` for an engine.
            host: address; None for the default socket.
            tls_cfg: TLS files.
            skip_tls_verify: accept any certificate.
            def_namespace: obsolete Kubernetes field of the docker command.
        """
        self.endpoints[name] = {"Host": _address(host, tls_cfg is not None), "SkipTLSVerify": skip_tls_verify}
        if def_namespace:
            self.endpoints[name]["DefaultNamespace"] = def_namespace
        if tls_cfg is not None:
            self.tls_cfg[name] = tls_cfg

    def save(self) -> None:
        """Write the context, with copies of its TLS files, into the docker command's store."""
        context_store.check_name(self.name)
        folder = config_dir()
        files = {kind: _files(tls) for kind, tls in self.tls_cfg.items()}
        context_store.write(folder, self.Metadata, files)
        self._set_paths(folder)

    def remove(self) -> None:
        """Delete the context and its TLS files from the store."""
        context_store.remove(config_dir(), self.name)
        self.meta_path = self.tls_path = _IN_MEMORY

    def inspect(self) -> dict[str, Any]:
        """Return all attributes, in the format of ``docker context inspect``."""
        return {**self.Metadata, **self.TLSMaterial, **self.Storage}

    def __call__(self) -> dict[str, Any]:
        return self.inspect()

    def is_docker_host(self) -> bool:
        """Return whether the context refers to an engine, not to another tool's entry in the same store."""
        return self.context_type is None

    def __repr__(self) -> str:
        return f"<Context: {self.name!r}>"

    def __str__(self) -> str:
        return json.dumps(self.inspect(), indent=2)

    @property
    def description(self) -> str:
        """Description for users; empty if there is none."""
        return str(self._metadata.get("Description", ""))

    @property
    def Name(self) -> str:
        """Name, as in ``docker context inspect``."""
        return self.name

    @property
    def Host(self) -> str | None:
        """Address of the engine."""
        return self.endpoints.get(self._kind, {}).get("Host")

    @property
    def Orchestrator(self) -> str | None:
        """Obsolete docker-py attribute; normally None."""
        return self.orchestrator

    @property
    def Metadata(self) -> dict[str, Any]:
        """Content of ``meta.json``."""
        return {"Name": self.name, "Metadata": self._metadata, "Endpoints": self.endpoints}

    @property
    def TLSConfig(self) -> _TLSConfig | None:
        """TLS configuration of the engine; None if the context has no TLS files."""
        return self.tls_cfg.get(self._kind)

    @property
    def TLSMaterial(self) -> dict[str, dict[str, list[str]]]:
        """Names of the TLS files, by endpoint."""
        return {"TLSMaterial": {kind: sorted(_files(tls)) for kind, tls in self.tls_cfg.items()}}

    @property
    def Storage(self) -> dict[str, dict[str, str]]:
        """Paths of the stored files."""
        return {"Storage": {"MetadataPath": self.meta_path, "TLSPath": self.tls_path}}


def _address(host: str | None, tls: bool) -> str:
    return parse_host(host, parameter="host", tls=tls)[0] if host else DEFAULT_SOCKET


def _files(tls: _TLSConfig) -> dict[str, str]:
    files = {context_store.CA: tls.authorities} if tls.authorities else {}
    if tls.cert is not None:
        files[context_store.CERT], files[context_store.KEY] = tls.cert
    return {name: os.path.abspath(path) for name, path in files.items()}
