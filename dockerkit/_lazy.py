"""Names of a package that load when first used, and names that were renamed."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as in dockerkit's __init__
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["lazy_names"]


def lazy_names(
    package: str,
    modules: Mapping[str, str] | None = None,
    *,
    submodules: str = "",
    renamed: Mapping[str, str] | None = None,
    before: Callable[[], object] | None = None,
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a module.

    Hide the assignment from type checkers (``if not TYPE_CHECKING``), which otherwise accept any name, and import the
    same names for them. A test compares both.

    Args:
        package: the module's ``__name__``.
        modules: module -> the names it defines, separated by blanks; ``.x`` is a submodule of the package.
        submodules: names of submodules that load when used as an attribute, separated by blanks.
        renamed: old names and their new names; using an old one causes a DeprecationWarning.
        before: called before a module is loaded, to raise a clear error if it can't be.
    """
    sources = {name: module for module, names in (modules or {}).items() for name in names.split()}
    loadable = frozenset(submodules.split())
    renames = renamed or {}

    def load(name: str) -> object:
        import importlib

        if name in renames:
            import warnings

            new = renames[name]
            message = f"{package}.{name} was renamed to {new}"
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            return getattr(sys.modules[package], new)
        if name in sources:
            if before is not None:
                before()
            value: object = getattr(importlib.import_module(sources[name], package), name)
        elif name in loadable:
            value = importlib.import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        namespace = vars(sys.modules[package])
        return sorted({*namespace.get("__all__", namespace), *sources, *loadable})

    return load, names
