"""What stands between this program and an engine: ``python -m dockerkit doctor``.

It looks where a client would look, connects, asks the engine about itself, and says of each problem what to do.
Nothing is changed, and no secret is shown.
"""

from __future__ import annotations

import os
import platform
import shutil
import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from dockerkit import config, errors
from dockerkit.config import Endpoint
from dockerkit.context import store

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient

__all__ = ["Problem", "Report", "examine"]

_VARIABLES = (
    *("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_API_VERSION"),
    *("DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_BUILDKIT", "BUILDX_BUILDER"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "XDG_RUNTIME_DIR"),
)
_EXTRAS = {
    "buildkit": ("h2", "google.protobuf"),
    "otel": ("opentelemetry",),
    "progress": ("rich",),
    "ssh": ("paramiko",),
    "windows": ("win32file",),
}
_CLOCK_SKEW = 60.0
_SLOW_DRIVERS = ("aufs", "devicemapper", "vfs")


@dataclass(frozen=True)
class Problem:
    """Something that is wrong, or will be.

    Attributes:
        level: ``"error"``: nothing works before it is solved; ``"warning"``: something may not.
        what: the problem.
        do: what to do about it.
    """

    level: str
    what: str
    do: str = ""


@dataclass
class Report:
    """What was found. The sections are plain values, ready for JSON."""

    client: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    endpoint: dict[str, Any] = field(default_factory=dict)
    contexts: list[dict[str, Any]] = field(default_factory=list)
    engine: dict[str, Any] = field(default_factory=dict)
    credentials: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Whether an engine answers, and nothing stands in the way."""
        return not any(problem.level == "error" for problem in self.problems)

    def error(self, what: object, do: str = "") -> None:
        """Note what keeps it from working, and what to do."""
        self.problems.append(Problem("error", str(what), do))

    def warning(self, what: object, do: str = "") -> None:
        """Note what may be in the way, and what to do."""
        self.problems.append(Problem("warning", str(what), do))

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {"healthy": self.healthy, **asdict(self)}


def examine(
    base_url: str | None = None,
    *,
    context: str | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 10,
) -> Report:
    """Look at everything; problems are reported, not raised.

    Args:
        base_url: an engine's address; found as a client finds it when None.
        context: a docker context, instead.
        environment: variables to read instead of the process's own.
        timeout: seconds for each answer of the engine.
    """
    env = os.environ if environment is None else environment
    report = Report()
    _client(report)
    _environment(report, env)
    settings = _settings(report, env)
    _contexts(report, env, settings)
    _credentials(report, env, settings)
    try:
        endpoint = config.resolve(base_url, context=context, environment=env)
    except errors.DockerException as error:
        report.error(error)
        return report
    _endpoint(report, endpoint, env)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.EngineWarning)  # a damaged config.json is reported already
        _engine(report, endpoint, env, timeout)
    return report


def _client(report: Report) -> None:
    from importlib.util import find_spec

    from dockerkit import __version__
    from dockerkit.api import versions

    def there(module: str) -> bool:
        try:
            return find_spec(module) is not None
        except ModuleNotFoundError:
            return False

    report.client = {
        "dockerkit": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "api_versions": f"{versions.FLOOR} to {versions.CEILING}",
        "extras": [name for name, modules in _EXTRAS.items() if all(map(there, modules))],
        "ssh": shutil.which("ssh"),
        "docker_command": shutil.which("docker"),
    }


def _environment(report: Report, env: Mapping[str, str]) -> None:
    report.environment = {name: _without_login(env[name]) for name in _VARIABLES if env.get(name)}
    if env.get("DOCKER_CERT_PATH") and not env.get("DOCKER_TLS_VERIFY") and not env.get("DOCKER_TLS"):
        report.warning("DOCKER_CERT_PATH is set, but TLS is not asked for", "Set DOCKER_TLS_VERIFY=1 as well")
    for name in ("DOCKER_TLS_VERIFY", "DOCKER_TLS"):
        if env.get(name, "").lower() in ("0", "false", "no", "off"):
            report.warning(
                f"{name}={env[name]} switches TLS on: any text does, for the docker command too", f"Unset {name}"
            )


def _settings(report: Report, env: Mapping[str, str]) -> dict[str, Any]:
    try:
        return config.config_file(env)
    except errors.InvalidConfigFile as error:
        report.error(error, "Repair the file, or move it away and log in again")
        return {}


def _contexts(report: Report, env: Mapping[str, str], settings: Mapping[str, Any]) -> None:
    folder = config.config_dir(env)
    try:
        current = store.current_name(folder, settings)
        stored = store.names(folder)
        for name in stored:
            docker = store.read(folder, name)["Endpoints"].get("docker") or {}
            files = sorted(store.tls_files(folder, name))
            report.contexts.append(
                {"name": name, "host": docker.get("Host"), "tls_files": files, "current": name == current}
            )
    except errors.DockerException as error:
        report.error(error, "`docker context rm` it, or repair the file")
        return
    if current != store.DEFAULT and env.get("DOCKER_HOST"):
        report.warning(
            f"DOCKER_HOST is set and overrides the chosen context {current!r}", "Unset DOCKER_HOST to use it"
        )
    elif current != store.DEFAULT and env.get("DOCKER_CONTEXT") not in (None, "", current):
        report.warning(f"DOCKER_CONTEXT is set and overrides the chosen context {current!r}", "Unset DOCKER_CONTEXT")


def _credentials(report: Report, env: Mapping[str, str], settings: Mapping[str, Any]) -> None:
    path = os.path.join(config.config_dir(env), "config.json")
    helpers = {"": settings.get("credsStore"), **(settings.get("credHelpers") or {})}
    found = []
    for registry, helper in helpers.items():
        if not helper:
            continue
        program = shutil.which(f"docker-credential-{helper}", path=env.get("PATH"))
        found.append({"registry": registry or "all others", "helper": helper, "program": program})
        if program is None:
            report.warning(
                f"{path} names the credential helper {helper!r}, but there is no program docker-credential-{helper}",
                f"Install it, or take {'credsStore' if not registry else f'credHelpers for {registry}'} out of the file",
            )
    kept = [name for name, entry in (settings.get("auths") or {}).items() if entry]
    report.credentials = {
        "file": path if os.path.isfile(path) else None,
        "helpers": found,
        "in_file": kept,
    }
    if kept and os.name == "posix" and os.stat(path).st_mode & 0o077:
        report.warning(f"{path} holds passwords, and others may read it", f"chmod 600 {path}")


def _endpoint(report: Report, endpoint: Endpoint, env: Mapping[str, str]) -> None:
    tls = endpoint.tls
    report.endpoint = {
        "host": endpoint.host,
        "source": endpoint.source,
        "reason": endpoint.reason,
        "context": endpoint.context,
        "tls": None if tls is None else "verified" if tls.verifies else "not verified",
        "proxy": _without_login(endpoint.proxy) if endpoint.proxy else None,
        "looked_for": list(endpoint.tried),
    }
    if tls is not None and not tls.verifies:
        report.warning(
            "TLS without verifying: whoever sits between can read and change everything", "Give the CA, and verify"
        )
    if endpoint.scheme == "tcp" and tls is None and endpoint.hostname not in ("localhost", "127.0.0.1", "::1"):
        report.warning(
            f"{endpoint.host} is reached without TLS: whoever can connect to it is root there, and all can be read",
            "Use ssh://, or TLS with client certificates",
        )


def _engine(report: Report, endpoint: Endpoint, env: Mapping[str, str], timeout: float) -> None:
    from dockerkit.api.client import APIClient

    try:
        # By its address, so that what was reported is what is tried.
        with APIClient(endpoint.host, tls=endpoint.tls, timeout=timeout, environment=env) as api:
            api.endpoint = endpoint
            api._transport = api._new_transport()
            began = time.monotonic()
            headers = api._ping_headers()
            report.engine["answered_after_ms"] = round((time.monotonic() - began) * 1000, 1)
            report.engine["builder"] = {"1": "classic", "2": "BuildKit"}.get(
                headers.get("Builder-Version") or "", "not told"
            )
            _facts(report, api)
    except errors.DockerException as error:
        report.error(error)


def _facts(report: Report, api: APIClient) -> None:
    version: Mapping[str, Any] = api.version()
    info: Mapping[str, Any] = api.info()
    swarm = info.get("Swarm") or {}
    report.engine |= {
        "product": ", ".join(
            f"{part.get('Name')} {str(part.get('Version')).partition(chr(10))[0]}"
            for part in version.get("Components") or ()
            if part.get("Name")
        )
        or (version.get("Platform") or {}).get("Name"),
        "version": version.get("Version"),
        "api_version": version.get("ApiVersion"),
        "min_api_version": version.get("MinAPIVersion"),
        "spoken_api_version": api.api_version,
        "system": f"{info.get('OperatingSystem')} ({info.get('OSType')}/{info.get('Architecture')})",
        "kernel": info.get("KernelVersion"),
        "name": info.get("Name"),
        "containers": info.get("Containers"),
        "images": info.get("Images"),
        "storage": info.get("Driver"),
        "cgroups": f"{info.get('CgroupDriver')}, version {info.get('CgroupVersion')}",
        "runtimes": sorted(info.get("Runtimes") or ()),
        "swarm": swarm.get("LocalNodeState") or "inactive",
        "security": list(info.get("SecurityOptions") or ()),
        "proxy": _without_login(info.get("HttpProxy") or "") or None,
        "experimental": bool(info.get("ExperimentalBuild")),
    }
    for warning in info.get("Warnings") or ():
        report.warning(f"the engine says: {' '.join(warning.split())}")
    if swarm.get("Error"):
        report.warning(f"swarm: {swarm['Error']}", "`docker swarm leave`, and join again, or `docker swarm unlock`")
    if info.get("Driver") in _SLOW_DRIVERS:
        report.warning(f"the storage driver {info['Driver']} is slow, or no longer maintained", "Use overlay2")
    skew = _skew(info.get("SystemTime"))
    if skew is not None and abs(skew) > _CLOCK_SKEW:
        report.warning(
            f"the engine's clock is {abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} ours",
            "Set the clocks: certificates, tokens and `since=` depend on them",
        )


def _skew(text: str | None) -> float | None:
    """Seconds that the engine's clock is ahead."""
    from datetime import UTC, datetime

    if not text:
        return None
    try:
        return (datetime.fromisoformat(text[:19]).replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds() + _zone(text)
    except ValueError:
        return None


def _zone(text: str) -> float:
    """Seconds to add to a local time such as ``2024-05-06T07:08:09.123456789+02:00`` to have UTC."""
    tail = text[19:]
    sign = max(tail.rfind("+"), tail.rfind("-"))
    if sign < 0:
        return 0
    hours, _, minutes = tail[sign + 1 :].partition(":")
    return (-1 if tail[sign] == "+" else 1) * (int(hours) * 3600 + int(minutes or 0) * 60)


def _without_login(text: str) -> str:
    """An address without what one logs in with there; of an engine's only the password is a secret."""
    scheme, mark, rest = text.rpartition("://")
    login, at, place = rest.rpartition("@")
    if not at:
        return text
    if scheme in ("http", "https", ""):
        return f"{scheme}{mark}{place}"
    user, colon, _ = login.partition(":")
    return f"{scheme}{mark}{user}{':***' if colon else ''}@{place}"


# --- for people


def render(report: Report) -> str:
    """The report as text."""
    lines: list[str] = []
    sections = (
        ("Client", report.client),
        ("Environment", report.environment),
        ("Endpoint", report.endpoint),
        ("Engine", report.engine),
        ("Credentials", report.credentials),
    )
    for title, facts in sections:
        if facts:
            lines += [title, *_rows(facts), ""]
        if title == "Endpoint" and report.contexts:
            lines += ["Contexts"]
            lines += [f"  {'*' if one['current'] else ' '} {one['name']}: {one['host']}" for one in report.contexts]
            lines += [""]
    for problem in report.problems:
        lines.append(f"{problem.level.upper()}: {problem.what}")
        if problem.do:
            lines.append(f"  -> {problem.do}")
    lines.append("All is well." if not report.problems else "")
    return "\n".join(lines).rstrip() + "\n"


def _rows(facts: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, value in facts.items():
        label = f"  {name.replace('_', ' ') if name.islower() else name}: "
        if isinstance(value, list) and value and (isinstance(value[0], dict) or name == "looked_for"):
            rows.append(label.rstrip())
            rows += [
                "    " + (", ".join(f"{k} {v}" for k, v in one.items()) if isinstance(one, dict) else str(one))
                for one in value
            ]
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else value
            rows.append(label + ("none" if text in (None, "") else str(text)))
    return rows
