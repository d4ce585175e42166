"""Explain an engine's error: what happened, with names instead of IDs, and what to do next.

The engine's own message stays available: every message quotes it, and it is the error's ``explanation``. One without a
rule is quoted unchanged.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dockerkit.errors import api
from dockerkit.errors.api import APIError, ErrorResponse
from dockerkit.errors.quoting import bounded, with_short_ids

if TYPE_CHECKING:
    import requests

__all__ = ["api_error", "create_api_error_from_http_exception", "explain"]

NOT_AN_ENGINE = "Is this address a Docker Engine, or is a proxy in between?"


def _rule(
    pattern: str, message: str, cls: type[APIError] | None = None
) -> tuple[re.Pattern[str], str, type[APIError] | None]:
    """Return a pattern to search for in an engine's message, its explanation, and its class."""
    return re.compile(pattern, re.IGNORECASE | re.DOTALL), message, cls


# {0}, {1}: groups of the pattern. {it}: object of the call, such as "container 'web'". {image}: its image, if known.
_RULES = (
    _rule(
        r'container name "/?([^"]+)" is already in use by (?:container )?"?([0-9a-f]{12})',
        "the name {0!r} is already used by container {1}. Remove or rename that container, or use containers.ensure()",
        api.NameTaken,
    ),
    _rule(
        r"network with name (\S+) already exists",
        "a network named {0!r} already exists. Remove it, or use networks.ensure()",
        api.NameTaken,
    ),
    _rule(
        r"Bind for \S*?:(\d+) failed: port is already allocated|listen \w+ \S*?:(\d+): bind: address already in use",
        "port {0} is already in use on the engine's host. Publish another port, or None for a free one",
        api.PortTaken,
    ),
    _rule(
        r'exec: "([^"]+)": (?:executable file not found|stat \S+: no such file)',
        "the program {0!r} does not exist in {image}. Check the command and the image's PATH",
        api.ProgramNotFound,
    ),
    _rule(
        r'exec: "([^"]+)": (?:permission denied|is a directory)',
        "{0!r} can't be executed in {image}: it is a directory or lacks the executable permission",
        api.ProgramNotFound,
    ),
    _rule(r'chdir to cwd \("([^"]+)"\)', "the directory {0!r} does not exist in {image}, or can't be entered"),
    _rule(r"unable to find (user|group) ([^:]+):", "the {0} {1!r} does not exist in {image}"),
    _rule(
        r"(?:cannot|can not|you cannot) remove (?:a running container|container .*(?:is running|running or paused))",
        "{it} is running. Call stop() first, or remove(force=True)",
    ),
    _rule(
        r"container \S+ is not running|can only (?:create exec sessions|kill) .*running|container is not running",
        "{it} is not running. Call start() first",
        api.NotRunning,
    ),
    _rule(r"container \S+ is paused", "{it} is paused. Call unpause() first"),
    _rule(r"container \S+ is already paused", "{it} is already paused"),
    _rule(r"container \S+ is not paused", "{it} is not paused"),
    _rule(r"could not find the file (\S+) in container", "{0!r} does not exist in {it}", api.PathNotFound),
    _rule(r"no such container: [0-9a-f]{64}", "{it} does not exist", api.ContainerNotFound),
    _rule(r"no such container: (\S+)", "container {0!r} does not exist", api.ContainerNotFound),
    _rule(r"no such container", "{it} does not exist", api.ContainerNotFound),
    _rule(
        r"image with reference (\S+) was found but .*?\(?(?:wanted )?(\w+/[\w/]+)\)?[,)].*?(\w+/[\w/]+)",
        "image {0!r} is on the engine, but not for the requested platform. Pull it with platform=, or omit the platform",
        api.ImageNotFound,
    ),
    _rule(
        r"image with reference (\S+) was found but does not provide the specified platform \(([\w/]+)\)",
        "image {0!r} is on the engine, but not for {1}. Pull it with platform=, or omit the platform",
        api.ImageNotFound,
    ),
    _rule(
        r"no basic auth credentials|unauthorized: authentication required|status.*: 401 unauthorized",
        "the registry requires a login. Call client.login(), or pass auth_config=",
        api.Unauthorized,
    ),
    _rule(
        r'failed to resolve reference "([^"]+)": (?:\S+: not found|pull access denied)',
        "image {0!r} is not in its registry, or reading it needs a login. Check the name and the tag",
        api.ImageNotFound,
    ),
    _rule(
        r"no such image: (\S+?):?(?: no such image.*)?$",
        "image {0!r} is not on the engine. Pull or build it first",
        api.ImageNotFound,
    ),
    _rule(
        r"manifest for (\S+) not found|pull access denied for ([^,]+),",
        "image {0!r} is not in its registry, or reading it needs a login. Check the name and the tag",
        api.ImageNotFound,
    ),
    _rule(
        r'(?:Get|Head) "https?://([^/"]+)/v[12]/[^"]*": (?:dial \w+ .*?: )?(?:connect: )?(.+)',
        "the engine can't reach the registry {0}: {1}. Check the registry's name and the engine's network",
    ),
    _rule(r"network (\S+) not found", "network {0!r} does not exist. Create it with networks.create()", api.NetworkNotFound),
    _rule(r"network not found", "{it} does not exist", api.NetworkNotFound),
    _rule(r"get (\S+): no such volume|no such volume: ?(\S+)?", "volume {0!r} does not exist", api.VolumeNotFound),
    _rule(r"no such volume", "{it} does not exist", api.VolumeNotFound),
    _rule(r'plugin "([^"]+)" not found', "plugin {0!r} is not installed", api.PluginNotFound),
    _rule(r"^service (\S+) not found", "service {0!r} does not exist", api.ServiceNotFound),
    _rule(r"^(secret|config|node|task) (\S+) not found", "{0} {1!r} does not exist"),
    _rule(r"no such exec instance", "this exec does not exist: its container has stopped or was removed"),
    _rule(
        r"network (\S+?)(?: id \w+)? has active endpoints",
        "network {0!r} is in use. Disconnect or remove its containers first",
    ),
    _rule(
        r"endpoint with name (\S+) already exists in network (\S+)",
        "container {0!r} is already connected to network {1!r}",
    ),
    _rule(r"volume is in use - \[(\w{12})", "{it} is used by container {0}. Remove that container first"),
    _rule(
        r'unable to (?:remove repository reference|delete) "?([^" ]+)"? .*container (\w{12})\w* is using',
        "image {0!r} is used by container {1}. Remove that container first, or pass force=True",
    ),
    _rule(
        r'could not select device driver "[^"]*" with capabilities: \[\[.*gpu',
        "the engine has no driver for GPUs. Install the NVIDIA Container Toolkit on its host",
    ),
    _rule(r"pool overlaps with other one", "the subnet overlaps with another network. Choose another subnet"),
    _rule(
        r"this node is not (?:a swarm manager|part of a swarm)",
        "this engine is not a swarm manager. Call client.swarm.init() or client.swarm.join() first",
    ),
    _rule(r"invalid signal: (\S+)", "{0!r} is not a signal that the engine knows"),
    _rule(
        r"bind source path does not exist: (\S+)",
        "{0!r} does not exist on the engine's host. Create it, or use a volume",
    ),
)  # fmt: skip


_BY_STATUS: dict[int, type[APIError]] = {
    400: api.BadRequest,
    401: api.Unauthorized,
    403: api.Forbidden,
    404: api.NotFound,
    409: api.Conflict,
    501: api.NotImplementedByEngine,
    503: api.ServiceUnavailable,
}
_WITH_500 = (api.ProgramNotFound, api.Unauthorized)  # Podman and containerd's store send 500 for these
_BY_ROUTE: dict[str, type[APIError]] = {
    "images": api.ImageNotFound,
    "networks": api.NetworkNotFound,
    "volumes": api.VolumeNotFound,
    "services": api.ServiceNotFound,
    "tasks": api.TaskNotFound,
    "nodes": api.NodeNotFound,
    "secrets": api.SecretNotFound,
    "configs": api.ConfigNotFound,
    "plugins": api.PluginNotFound,
}


def explain(text: str, subject: str = "", image: str = "") -> tuple[type[APIError] | None, str]:
    """Return an exception class (None leaves the choice to the status), and the explanation in a sentence or two.

    A message without a rule is returned with its IDs shortened.

    Args:
        text: the engine's message.
        subject: object of the call, such as ``container 'web'``.
        image: name of the container's image, if known.
    """
    for pattern, message, cls in _RULES:
        if match := pattern.search(text):
            groups = [group.strip(" .") for group in match.groups() if group]
            if "{0" not in message or groups:
                subject = subject or "the container"
                return cls, message.format(*groups, it=subject, image=f"image {image!r}" if image else subject)
    return None, with_short_ids(text)


def api_error(
    response: ErrorResponse, *, route: str = "", subject: str = "", image: str = "", action: str = ""
) -> APIError:
    """Return the exception for an error response.

    Args:
        answer: the engine's response.
        route: the path as in the Engine's API: ``/containers/{id}/start``.
        subject, image: as for :func:`explain`.
        action: what failed, such as ``pulling image 'busybox'``.
    """
    status = response.status_code
    explanation = _explanation(response)
    special, message = explain(explanation, subject, image)
    cls = _BY_STATUS.get(status) or (api.ServerError if status >= 500 else APIError)
    if route == "/auth" and special is api.Unauthorized:
        message = "the registry refused the user name or the password"
    if special is not None and (issubclass(special, cls) or special in _WITH_500):
        cls = special
    elif status == 404:
        about_image = route == "/containers/create" and "image" in explanation.lower()
        cls = api.ImageNotFound if about_image else _BY_ROUTE.get(route.strip("/").partition("/")[0], cls)
    if action and not issubclass(cls, api.ImageNotFound):
        message = f"{action} failed: {message}"
    request = f"{response.method} {response.url.partition('?')[0]} " if response.url else ""
    quoted = "" if message.endswith(with_short_ids(explanation)) else f": {explanation}"
    error = cls(f"{message}\n  {with_short_ids(f'{request}returned {status} {response.reason}{quoted}')}", response)
    error.explanation = bounded(explanation)
    return error


def _explanation(response: ErrorResponse) -> str:
    """Return the engine's message: usually JSON ``{"message"}``, plain text from old engines, HTML from a proxy."""
    body = response.text.strip()
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        pass
    else:
        if isinstance(record, dict):
            # Podman returns a failed push as a record that belongs in the stream.
            detail = record.get("errorDetail")
            message = record.get("message") or (detail.get("message") if isinstance(detail, dict) else None)
            if isinstance(message, str) and message.strip():
                return message.strip()
    if is_web_page(response.content):
        return f"the response is a web page. {NOT_AN_ENGINE}"
    return body[:2000] or ("the response has no text" + ("" if response.method == "HEAD" else f". {NOT_AN_ENGINE}"))


def is_web_page(content: bytes) -> bool:
    """Return whether a response is HTML, which no engine sends."""
    return b"<html" in content[:500].lower()


def create_api_error_from_http_exception(e: requests.HTTPError) -> None:
    """Raise the :class:`APIError` for a requests' HTTPError.

    Raises:
        APIError: always, the subclass that fits the status.
    """
    response = e.response
    method = (response.request.method or "") if response.request is not None else ""
    content, headers = response.content or b"", dict(response.headers)
    raise api_error(ErrorResponse(response.status_code, response.reason, headers, content, method, response.url)) from e
