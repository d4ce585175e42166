"""docker-py's ``docker.utils.decorators``, for subclasses of APIClient. dockerkit itself does not use them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from dockerkit.api.refs import resolve_id
from dockerkit.api.versions import version_lt
from dockerkit.errors import InvalidVersion

__all__ = ["check_resource", "minimum_version", "update_headers"]


_P = ParamSpec("_P")
_R = TypeVar("_R")


def check_resource(resource_name: str) -> Callable[[Callable[..., _R]], Callable[..., _R]]:
    """Let a method accept an ID, a dict with one, or an object, as first argument or with this name."""

    def decorate(method: Callable[..., _R]) -> Callable[..., _R]:
        @functools.wraps(method)
        def checked(self: object, resource_id: Any = None, *args: Any, **kwargs: Any) -> _R:
            resource = kwargs.pop(resource_name, None) if resource_id is None else resource_id
            return method(self, resolve_id(resource, resource_name), *args, **kwargs)

        return checked

    return decorate


def minimum_version(version: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Raise InvalidVersion from a method below this API version."""

    def decorate(method: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(method)
        def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            current = getattr(args[0], "api_version")  # noqa: B009 - a method's first argument is its client
            if version_lt(current, version):
                raise InvalidVersion(f"{method.__name__} requires API version {version}; this client uses {current}")
            return method(*args, **kwargs)

        return checked

    return decorate


def update_headers(f: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return the method unchanged: the headers of config.json are sent with every request."""
    return f
