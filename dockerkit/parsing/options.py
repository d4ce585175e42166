"""The options of methods: their names at run time, and suggestions for misspelled ones."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any, TypeVar, cast

from dockerkit.errors import UnknownOption

__all__ = [
    "Owner",
    "check_options",
    "expands_options",
    "similar_name",
    "suggest_in_methods",
    "suggests_options",
    "unknown_option",
]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

Owner = str | Callable[..., Any]
"""The method with the options: its name for errors, or the method itself, whose signature has all names."""

_MAX_LISTED = 8  # options that an error lists
# Lower values give misleading suggestions: 'check' is not healthcheck, 'memory' is not kernel_memory.
_SIMILARITY = 0.75

# Options of the docker command, of Compose and of other clients. The first name that the method has is suggested.
_ALIASES: dict[str, tuple[str, ...]] = {
    "add_host": ("extra_hosts", "hosts"),
    "args": ("command", "buildargs"),
    "build_arg": ("buildargs",),
    "build_args": ("buildargs",),
    "cap": ("cap_add",),
    "cmd": ("command",),
    "context": ("path",),
    "cpu": ("cpus",),
    "cwd": ("working_dir", "workdir"),
    "d": ("detach",),
    "dest": ("path", "target"),
    "dst": ("path", "target"),
    "e": ("environment", "env"),
    "env": ("environment",),
    "env_vars": ("environment", "env"),
    "environ": ("environment", "env"),
    "envs": ("environment", "env"),
    "f": ("dockerfile",),
    "file": ("dockerfile",),
    "gateway": ("ipam",),
    "gpu": ("gpus",),
    "h": ("hostname",),
    "host": ("hostname", "extra_hosts"),
    "i": ("stdin_open", "open_stdin"),
    "interactive": ("stdin_open", "open_stdin", "stdin"),
    "l": ("labels",),
    "lines": ("tail",),
    "m": ("mem_limit",),
    "mem": ("mem_limit",),
    "memory": ("mem_limit",),
    "memory_limit": ("mem_limit",),
    "memory_swap": ("memswap_limit",),
    "n": ("tail",),
    "mount": ("mounts",),
    "net": ("network", "networks", "network_mode"),
    "no_cache": ("nocache",),
    "p": ("ports",),
    "pids": ("pids_limit",),
    "port": ("ports",),
    "publish": ("ports",),
    "replica": ("replicas",),
    "restart": ("restart_policy",),
    "rm": ("remove", "auto_remove"),
    "sig": ("signal",),
    "src": ("source", "path"),
    "t": ("tty", "tag"),
    "tags": ("tag",),
    "time": ("timeout",),
    "subnet": ("ipam",),
    "u": ("user",),
    "username": ("user",),
    "v": ("volumes",),
    "volume": ("volumes",),
    "w": ("working_dir", "workdir"),
    "workdir": ("working_dir",),
    "working_dir": ("workdir",),
}


def similar_name(name: str, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant; None if none of `names` is similar enough."""
    import difflib

    known = list(names)
    normalized = name.lower().replace("-", "_")
    for alias in (normalized, *_ALIASES.get(normalized, ())):
        if alias in known:
            return alias
    close_matches = difflib.get_close_matches(normalized, known, 1, _SIMILARITY)
    return close_matches[0] if close_matches else None


def unknown_option(owner: Owner, name: str, names: Iterable[str] = ()) -> UnknownOption:
    """Return the error for an unknown option, with the name that was probably meant.

    Args:
        owner: the called method.
        name: the unknown option.
        names: the known ones, if `owner` is not the method itself.
    """
    if not isinstance(owner, str):
        names, owner = inspect.signature(owner).parameters, owner.__name__
    names = [option for option in names if option != "self"]
    if similar := similar_name(name, names):
        hint = f"; did you mean {similar}?"
    else:
        hint = f"; it has {', '.join(names) or 'none'}" if len(names) <= _MAX_LISTED else ""
    return UnknownOption(f"{owner}() has no option {name!r}{hint}")


def check_options(owner: Owner, options: Mapping[str, object], known: Iterable[str]) -> None:
    """Refuse options that are not known, with an UnknownOption that names the first one."""
    if unknown := options.keys() - set(known):
        raise unknown_option(owner, min(unknown), known)


def expands_options(options: str) -> Callable[[F], F]:
    """Decorate a method that takes ``**options: Unpack[SomeOptions]``: its signature has a parameter for each option.

    Completion, ``help()`` and :func:`inspect.signature` read it. It is computed only then, so neither the import nor a call
    is slower.

    Args:
        options: the TypedDict, as ``"module:Name"``.
    """

    def decorate(function: F) -> F:
        function.__signature__ = _LazySignature(function, options)  # type: ignore[attr-defined]
        return function

    return decorate


def suggests_options(function: F) -> F:
    """Decorate a method without ``**options``: an unknown keyword raises UnknownOption, with the name that was meant."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except TypeError as error:
            trace = error.__traceback__
            if trace is not None and trace.tb_next is None:  # the call itself, nothing in it
                known = inspect.signature(function).parameters
                if unknown := options.keys() - known.keys():
                    raise unknown_option(function, min(unknown)) from None
            raise

    return cast("F", call)


def suggest_in_methods(cls: type[T]) -> type[T]:
    """Apply :func:`suggests_options` to all public methods of a class. Inherited methods are not changed."""
    for name, method in list(vars(cls).items()):
        if type(method) is not FunctionType or name.startswith("_") or hasattr(method, "__wrapped__"):
            continue
        code = method.__code__
        if code.co_argcount + code.co_kwonlyargcount > 1 and not code.co_flags & inspect.CO_VARKEYWORDS:
            setattr(cls, name, suggests_options(method))
    return cls


class _LazySignature(inspect.Signature):
    """A signature that is computed on first access."""

    def __init__(self, function: Callable[..., Any], options: str) -> None:
        self._source = function, options

    @functools.cached_property
    def _resolved(self) -> inspect.Signature:
        function, options = self._source
        module, _, name = options.partition(":")
        plain = FunctionType(function.__code__, {}, function.__name__, function.__defaults__, function.__closure__)
        plain.__kwdefaults__, plain.__annotations__ = function.__kwdefaults__, function.__annotations__
        signature = inspect.signature(plain)
        *explicit, _rest = signature.parameters.values()
        names = getattr(importlib.import_module(module), name).__annotations__.keys() - signature.parameters.keys()
        extra = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in sorted(names)]
        return signature.replace(parameters=[*explicit, *extra])

    @functools.cached_property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return self._resolved.parameters

    @functools.cached_property
    def _return_annotation(self) -> object:
        return self._resolved.return_annotation

    def replace(self, **changes: Any) -> inspect.Signature:  # type: ignore[override]
        """Return a plain signature with other parameters."""
        return self._resolved.replace(**changes)
