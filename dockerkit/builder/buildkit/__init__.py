"""Build images with the engine's BuildKit, without the docker command.

::

    from dockerkit.builder.buildkit import build, stream

    result = build(client.api, path=".", tag="app:1", secrets={"token": {"env": "TOKEN"}}, progress=True)

    with stream(client.api, path=".", target="test") as events:
        for event in events:
            print(event.kind, event.text)
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from dockerkit._lazy import lazy_names
from dockerkit.builder.buildkit.options import BUILDKIT_ONLY, CLASSIC_ONLY, BuildKitOptions, needs_buildkit
from dockerkit.builder.buildkit.outputs import Exporter
from dockerkit.errors import BuildKitUnavailable, MissingExtra

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.client import APIClient
    from dockerkit.builder.buildkit.options import BuildRequest
    from dockerkit.builder.buildkit.remote import BuildKitHost
    from dockerkit.builder.buildkit.running import BuildResult, BuildStream
    from dockerkit.builder.buildkit.trace import BuildWarning
    from dockerkit.progress import ProgressSpec

    NoBuildKit = BuildKitUnavailable
    Output = Exporter

__all__ = [
    "BUILDKIT_ONLY",
    "CLASSIC_ONLY",
    "BuildKitOptions",
    "BuildKitUnavailable",
    "BuildResult",
    "BuildStream",
    "BuildWarning",
    "Exporter",
    "MissingExtra",
    "build",
    "check",
    "needs_buildkit",
    "reason_against",
    "stream",
]

_REQUIRED = ("h2", "google.protobuf")


def build(
    api: APIClient,
    *,
    builder: BuildKitHost | None = None,
    progress: ProgressSpec = None,
    **options: Unpack[BuildKitOptions],
) -> BuildResult:
    """Build with BuildKit and wait until the build has finished. ``POST /grpc``, ``POST /session``

    Args:
        api: the engine.
        builder: BuildKit daemon to use instead of the engine's.
        progress: progress display: True, "plain", a function…
        options: what to build, and how; see :class:`BuildKitOptions`.

    Returns:
        The image ID, warnings, steps and log.

    Raises:
        BuildError: a step or the build as a whole failed.
        InvalidArgument: an option is invalid, or the engine would ignore it.
        UnreadableFile: a file can't be read.
        MissingExtra: h2 or protobuf is not installed.
        BuildKitUnavailable: the engine has no BuildKit.
    """
    with stream(api, builder=builder, progress=progress, **options) as running:
        return running.result()


def check(
    api: APIClient, *, builder: BuildKitHost | None = None, **options: Unpack[BuildKitOptions]
) -> list[BuildWarning]:
    """Check a Dockerfile without building it. ``POST /grpc``, ``POST /session``

    The arguments are those of :func:`build`.

    Returns:
        One warning for each problem; empty if there are none.

    Raises:
        BuildError: the Dockerfile can't be parsed.
        InvalidArgument: an option is invalid.
        BuildKitUnavailable: the engine has no BuildKit, or one without checks (Engine 27 and newer have them).
    """
    check_extra()
    from dockerkit.builder.buildkit.checks import check_build

    return check_build(api, _request(api, options), builder)


def stream(
    api: APIClient,
    *,
    builder: BuildKitHost | None = None,
    progress: ProgressSpec = None,
    **options: Unpack[BuildKitOptions],
) -> BuildStream:
    """Start a build with BuildKit.

    The arguments and errors are those of :func:`build`.

    Returns:
        An iterator over the build's events, with ``result()``, ``cancel()`` and ``close()``.
    """
    check_extra()
    from dockerkit.builder.buildkit.running import BuildStream

    plan = _request(api, options)
    return BuildStream(api, plan, progress, f"Building {', '.join(plan.tags) or 'an image'}", builder)


def _request(api: APIClient, options: BuildKitOptions) -> BuildRequest:
    from dockerkit.builder.buildkit.options import BuildRequest

    proxies = api.proxy_config.get_environment() if options.get("use_config_proxy", True) else {}
    return BuildRequest.of(options, proxies)


def reason_against(api: APIClient) -> str | None:
    """Return why BuildKit can't be used with this engine; None if it can.

    Sends one request, ``GET /_ping`` (headers ``Builder-Version``, ``OSType``).
    """
    if missing := _missing():
        return f"{missing} is not installed; run: pip install --upgrade dockerkit"
    return _engine_lacks(api)


def _engine_lacks(api: APIClient) -> str | None:
    headers = api.ping_headers()
    if "Libpod-Api-Version" in headers:
        return "Podman builds with Buildah"
    if (headers.get("Ostype") or headers.get("OSType") or "linux") != "linux":
        return "Windows engines have no BuildKit"
    if not api.supports("POST /grpc"):
        return "the engine is too old"
    if headers.get("Builder-Version") == "1":
        return "the engine prefers its classic builder"
    return None


def _missing() -> str:
    for name in _REQUIRED:
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            spec = None
        if spec is None:
            return name.removeprefix("google.")
    return ""


def check_extra() -> None:
    """Raise MissingExtra if a package that BuildKit support needs is not installed."""
    if missing := _missing():
        raise MissingExtra(
            f"BuildKit support requires {missing}, which is installed with dockerkit: pip install --upgrade dockerkit"
        )


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {".running": "BuildResult BuildStream", ".trace": "BuildWarning"},
        renamed={"NoBuildKit": "BuildKitUnavailable", "Output": "Exporter"},
        before=check_extra,
    )
