"""Building with the engine's BuildKit, without the docker command: ``pip install 'dockerkit[buildkit]'``.

::

    from dockerkit.build.buildkit import build, stream

    result = build(client.api, path=".", tag="app:1", secrets={"token": {"env": "TOKEN"}}, progress=True)

    with stream(client.api, path=".", target="test") as events:
        for event in events:
            print(event.kind, event.text)
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from dockerkit.build.buildkit.options import BUILDKIT_ONLY, CLASSIC_ONLY, BuildKitOptions, needs_buildkit
from dockerkit.build.buildkit.outputs import Output
from dockerkit.errors import MissingExtra, NoBuildKit

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.client import APIClient
    from dockerkit.build.buildkit.running import BuildResult, BuildStream
    from dockerkit.build.buildkit.trace import BuildWarning
    from dockerkit.progress import ProgressSpec

__all__ = [
    "BUILDKIT_ONLY",
    "CLASSIC_ONLY",
    "BuildKitOptions",
    "BuildResult",
    "BuildStream",
    "BuildWarning",
    "MissingExtra",
    "NoBuildKit",
    "Output",
    "build",
    "needs_buildkit",
    "reason_against",
    "stream",
]

_NEEDED = ("h2", "google.protobuf")


def build(api: APIClient, *, progress: ProgressSpec = None, **options: Unpack[BuildKitOptions]) -> BuildResult:
    """Build with BuildKit and wait for the end. ``POST /grpc``, ``POST /session``

    Args:
        api: the engine.
        progress: how it is shown: True, "plain", a function...
        options: what to build, and how; see :class:`BuildKitOptions`.

    Returns:
        The image's id, the warnings, the steps and the log.

    Raises:
        BuildError: a step failed, or BuildKit could not build.
        InvalidArgument: an option that makes no sense, or that the engine would ignore.
        UnreadableFile: a file can't be read.
        MissingExtra: h2 or protobuf are not installed.
        NoBuildKit: the engine has none.
    """
    with stream(api, progress=progress, **options) as running:
        return running.result()


def stream(api: APIClient, *, progress: ProgressSpec = None, **options: Unpack[BuildKitOptions]) -> BuildStream:
    """Start a build with BuildKit.

    The arguments and errors are those of :func:`build`.

    Returns:
        An iterator over the build's events, with ``result()``, ``cancel()`` and ``close()``.
    """
    _check_extra()
    from dockerkit.build.buildkit.options import Plan
    from dockerkit.build.buildkit.running import BuildStream

    proxies = api._proxies.get_environment() if options.get("use_config_proxy", True) else {}
    plan = Plan.of(options, proxies)
    return BuildStream(api, plan, progress, f"Building {', '.join(plan.tags) or 'an image'}")


def reason_against(api: APIClient) -> str | None:
    """Why BuildKit can't be used with this engine; None if it can.

    Asks the engine once, by its ``/_ping`` (headers ``Builder-Version``, ``OSType``).
    """
    if missing := _missing():
        return f"{missing} is not installed (pip install 'dockerkit[buildkit]')"
    return _engine_lacks(api)


def _engine_lacks(api: APIClient) -> str | None:
    headers = api._ping_headers()
    if "Libpod-Api-Version" in headers:
        return "Podman builds with Buildah"
    if (headers.get("Ostype") or headers.get("OSType") or "linux") != "linux":
        return "engines for Windows have no BuildKit"
    if not api._supports("POST /grpc"):
        return "the engine is too old"
    if headers.get("Builder-Version") == "1":
        return "the engine prefers its classic builder"
    return None


def _missing() -> str:
    for name in _NEEDED:
        try:
            found = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is None:
            return name.removeprefix("google.")
    return ""


def _check_extra() -> None:
    if missing := _missing():
        raise MissingExtra(f"building with BuildKit needs {missing}: pip install 'dockerkit[buildkit]'")


_ELSEWHERE = {"BuildResult": "running", "BuildStream": "running", "BuildWarning": "trace"}


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _check_extra()
    return getattr(importlib.import_module(f"{__name__}.{_ELSEWHERE[name]}"), name)
