"""Let code that says ``import docker`` run on dockerkit."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import dockerkit

__all__ = ["SURFACE_VERSION", "install_as_docker"]

SURFACE_VERSION = "7.2.0"
"""The docker-py whose names, parameters and defaults are there; libraries that ask ``docker.__version__`` get it."""

_NAME = "docker"


class _Docker(ModuleType):
    """The package ``docker``: what dockerkit has, but for the version."""

    __version__ = SURFACE_VERSION

    def __getattr__(self, name: str) -> object:
        return getattr(dockerkit, name)

    def __dir__(self) -> list[str]:
        return dir(dockerkit)


class _Package(importlib.abc.Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Docker(spec.name, dockerkit.__doc__)

    def exec_module(self, module: ModuleType) -> None:
        module.__all__ = dockerkit.__all__  # type: ignore[attr-defined] # for `from docker import *`


class _Alias(importlib.abc.Loader):
    """One module of dockerkit under its second name: the same object, so that classes are the same."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module("dockerkit" + spec.name.removeprefix(_NAME))
        self._own = (module.__spec__, module.__loader__)
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just put its spec for the second name on the module, which has run long ago.
        module.__spec__, module.__loader__ = self._own


class _Finder(importlib.abc.MetaPathFinder):
    """Finds ``docker`` and what is below it in dockerkit."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == _NAME:
            return ModuleSpec(fullname, _Package(), is_package=True)
        if fullname.startswith(f"{_NAME}.") and importlib.util.find_spec("dockerkit" + fullname.removeprefix(_NAME)):
            return ModuleSpec(fullname, _Alias())
        return None


def install_as_docker() -> None:
    """Make ``import docker`` mean dockerkit from now on, for this process.

    Libraries that import docker (docker-py) then run on dockerkit, unchanged, whether docker-py is installed or not.
    Call it before they are imported; calling it again does nothing. Classes are the same under both names, so
    ``except docker.errors.NotFound`` catches what dockerkit raises.

    Raises:
        RuntimeError: docker-py is imported already, and somebody may hold on to it.

    Example::

        import dockerkit

        dockerkit.install_as_docker()

        from testcontainers.core.container import DockerContainer
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if _NAME in sys.modules:
        raise RuntimeError("docker is imported already: call dockerkit.install_as_docker() before what imports docker")
    sys.meta_path.insert(0, _Finder())
    importlib.import_module(_NAME)
