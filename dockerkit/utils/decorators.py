"""docker-py's ``docker.utils.decorators``, for subclasses of APIClient that use them. dockerkit itself needs none."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from dockerkit.api.refs import name_of
from dockerkit.api.versions import version_lt
from dockerkit.errors import InvalidVersion

__all__ = ["check_resource", "minimum_version", "update_headers"]


_P = ParamSpec("_P")
_R = TypeVar("_R")


def check_resource(resource_name: str) -> Callable[[Callable[..., _R]], Callable[..., _R]]:
    """Let a method take an id, a dict with one, or an object, under this name or first."""

    def decorate(method: Callable[..., _R]) -> Callable[..., _R]:
        @functools.wraps(method)
        def checked(self: object, resource_id: Any = None, *args: Any, **kwargs: Any) -> _R:
            given = kwargs.pop(resource_name, None) if resource_id is None else resource_id
            return method(self, name_of(given, resource_name), *args, **kwargs)

        return checked

    return decorate


def minimum_version(version: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Refuse a method with InvalidVersion below this API version."""

    def decorate(method: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(method)
        def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            spoken = getattr(args[0], "api_version")  # noqa: B009 - a method's first argument is its client
            if version_lt(spoken, version):
                raise InvalidVersion(f"{method.__name__} needs API version {version}; this client speaks {spoken}")
            return method(*args, **kwargs)

        return checked

    return decorate


def update_headers(f: Callable[_P, _R]) -> Callable[_P, _R]:
    """The method as it is: headers of config.json and of the client go with every request."""
    return f
