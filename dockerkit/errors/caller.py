"""Find the function that the user called, and the parameter that has a value, for errors detected in inner functions.

Only for errors: these functions inspect the call stack.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from types import CodeType, FrameType

# The packages whose methods take arguments of users. The methods of others only forward calls, such as Scope.run().
_PACKAGES = tuple(
    f"dockerkit.{package}" for package in ("api.", "client", "endpoint.", "models.", "registry.", "types.")
)
_INTERNAL = ("dockerkit.api.versions",)  # its Gate is only called by clients
_RECEIVERS = (("self",), ("cls",))


def called_function() -> str | None:
    """Return the public function or class that the caller called, such as ``"Container.stop"``; None if unknown."""
    called = None
    for frame in _public_frames():
        name = frame.f_code.co_name
        if frame.f_code.co_varnames[:1] in _RECEIVERS:
            receiver = frame.f_locals.get(frame.f_code.co_varnames[0])
            owner = (receiver if isinstance(receiver, type) else type(receiver)).__name__
            name = owner if name == "__init__" else f"{owner}.{name}"
        if not name.startswith("_"):
            called = name
    return called


def argument_name(value: object, name: str) -> str:
    """Return the name of the public parameter that has a value.

    Args:
        value: the value; it may be an item of an argument.
        name: its name in the inner function, such as a field of the Engine; returned if no parameter has the value.
    """
    parameter_name = name
    for frame in _public_frames():
        matches = [parameter for parameter, argument in _arguments(frame) if _holds(argument, value)]
        if matches:
            # Several arguments may be the same number or constant.
            parameter_name = matches[0] if len(matches) == 1 else name
    return parameter_name


def _public_frames() -> Iterator[FrameType]:
    """Yield the frames of public functions, the one that the caller called last.

    Foreign frames further inside are skipped, such as those of a tool that wraps a private method.
    """
    frame: FrameType | None = sys._getframe(1)
    seen_public = False
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if _is_public(module, frame.f_code):
            seen_public = True
            yield frame
        elif seen_public and not module.startswith("dockerkit."):
            return  # this is the caller; if it is a callback, the frames above it belong to another call
        frame = frame.f_back


def _is_public(module: str, code: CodeType) -> bool:
    name = code.co_name
    if code.co_varnames[:1] in _RECEIVERS:
        return module.startswith(_PACKAGES) and module not in _INTERNAL and (name == "__init__" or name[0] != "_")
    return module.startswith("dockerkit.") and name in sys.modules["dockerkit"].__all__


def _arguments(frame: FrameType) -> Iterator[tuple[str, object]]:
    code, local = frame.f_code, frame.f_locals
    for parameter in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
        if parameter not in ("self", "cls") and parameter in local:
            yield parameter, local[parameter]
    options = local.get("options")
    if isinstance(options, dict):
        yield from options.items()


def _holds(argument: object, value: object, depth: int = 3) -> bool:
    if argument is value:
        return True
    items = argument.values() if isinstance(argument, Mapping) else argument
    return (
        depth > 0
        and isinstance(items, Collection)
        and not isinstance(items, (str, bytes))
        and any(_holds(item, value, depth - 1) for item in items)
    )
