"""Run code with ``import docker`` on dockerkit."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import pkgutil
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["SURFACE_VERSION", "install_as_docker"]

SURFACE_VERSION = "7.2.0"
"""Version of docker-py whose API is provided; the value of ``docker.__version__``."""

_NAME = "docker"

# Modules of docker that are not the same objects as dockerkit's.
_REPLACEMENTS = {
    "docker.client": "dockerkit.compat.client",
    "docker.api.client": "dockerkit.compat.api_client",
    **dict.fromkeys(
        (f"docker.transport{module}" for module in ("", ".basehttpadapter", ".npipeconn", ".sshconn", ".unixconn")),
        "dockerkit.compat.transport",
    ),
}
_OVERLAYS = ("docker", "docker.api", "docker.types")


def _native(name: str) -> str:
    return "dockerkit" + name.removeprefix(_NAME)


def _is_overlay(name: str) -> bool:
    return name in _OVERLAYS or name.startswith("docker.types.")


class _Overlay(ModuleType):
    """A module of dockerkit with the clients and values of the drop-in profile."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(_native(self.__name__)), name)
        if isinstance(value, ModuleType) and value.__name__ == f"{_native(self.__name__)}.{name}":
            return importlib.import_module(f"{self.__name__}.{name}")
        value = _counterpart(name, value)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return dir(importlib.import_module(_native(self.__name__)))


def _counterpart(name: str, value: object) -> object:
    """Return the object that replaces an object of dockerkit under the alias; most are the same object."""
    from dockerkit.compat import client
    from dockerkit.compat.types import drop_in
    from dockerkit.types.base import Value

    if name in client.__all__:
        return getattr(client, name)
    if isinstance(value, type) and issubclass(value, Value) and value is not Value:
        return drop_in(value)  # pyright: ignore[reportArgumentType] # classes are hashable
    return value


class _OverlayLoader(importlib.abc.Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Overlay(spec.name, importlib.import_module(_native(spec.name)).__doc__)

    def exec_module(self, module: ModuleType) -> None:
        names = getattr(importlib.import_module(_native(module.__name__)), "__all__", None)
        if names is not None:
            module.__all__ = names  # type: ignore[attr-defined] # for `from docker import *`
        if module.__name__ == _NAME:
            module.__version__ = SURFACE_VERSION  # type: ignore[attr-defined]


class _Alias(importlib.abc.Loader):
    """Loads a module of dockerkit under its second name. It is the same object, so that its classes are the same."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(_REPLACEMENTS.get(spec.name) or _native(spec.name))
        self._original = (module.__spec__, module.__loader__)
        from dockerkit.compat import helpers

        for name in helpers.ADDED.get(spec.name, ()):
            vars(module).setdefault(name, getattr(helpers, name))
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just set the spec of the second name on the module, which was executed long before.
        module.__spec__, module.__loader__ = self._original


class _Finder(importlib.abc.MetaPathFinder):
    """Finds ``docker`` and its submodules in dockerkit."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _NAME and not fullname.startswith(f"{_NAME}."):
            return None
        if fullname in _REPLACEMENTS:
            return ModuleSpec(fullname, _Alias(), is_package=fullname == "docker.transport")
        native = importlib.util.find_spec(_native(fullname))
        if native is None:
            return None
        if _is_overlay(fullname):
            return ModuleSpec(fullname, _OverlayLoader(), is_package=native.submodule_search_locations is not None)
        return ModuleSpec(fullname, _Alias())


def install_as_docker() -> None:
    """Make ``import docker`` import dockerkit, in its drop-in profile, for the rest of this process.

    Libraries that import docker (docker-py) then run on dockerkit, unchanged, whether docker-py is installed or not.
    Call it before they are imported; further calls do nothing. Exceptions and objects are the same under both names, so
    ``except docker.errors.NotFound`` catches errors raised by dockerkit. Clients created through ``docker`` behave as
    docker-py's do where programs depend on it; clients created through ``dockerkit`` are not affected.

    Raises:
        RuntimeError: docker-py is already imported, so other modules may hold references to it.

    Example::

        import dockerkit

        dockerkit.install_as_docker()

        from testcontainers.core.container import DockerContainer
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if _NAME in sys.modules:
        raise RuntimeError("docker is already imported: call dockerkit.install_as_docker() before importing it")
    sys.meta_path.insert(0, _Finder())
    importlib.import_module(_NAME)
    _load_everything()


def _load_everything() -> None:
    """Import the modules that docker-py imports eagerly.

    Otherwise a test runner that restores ``sys.modules`` would create a module, and its classes, twice.
    """
    for package in ("dockerkit.errors", "dockerkit.models", "dockerkit.streams"):
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            importlib.import_module(module.name)
