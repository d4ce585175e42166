"""Diagnose the connection to an engine: ``python -m dockerkit doctor``.

It finds the engine as a client does, connects, inspects it, and says for each problem what to do. It changes nothing and
shows no secrets.
"""

from __future__ import annotations

import os
import platform
import shutil
import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.cliconfig import configfile, context_store
from dockerkit.endpoint import discovery
from dockerkit.endpoint.discovery import Endpoint
from dockerkit.errors.quoting import without_password
from dockerkit.parsing.times import parse_time

if TYPE_CHECKING:
    from dockerkit.api.client import APIClient
    from dockerkit.parsing.values import Duration

__all__ = ["Problem", "Report", "examine"]

_VARIABLES = (
    *("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_API_VERSION"),
    *("DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_BUILDKIT", "BUILDX_BUILDER"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "XDG_RUNTIME_DIR"),
)
_EXTRAS = {
    "asyncio": ("greenlet", "AsyncDockerClient"),
    "otel": ("opentelemetry", "traces of requests"),
    "progress": ("rich", 'progress="rich"'),
    "socks": ("socks", "engines behind SOCKS proxies"),
    "ssh": ("paramiko", "ssh:// without the ssh command"),
    "testing": ("pytest", "fixtures for pytest"),
    "websocket": ("websocket", "attach_socket(ws=True)"),
    "windows": ("win32file", "named pipes of Windows"),
}
"""The module that an extra installs, and what it is for."""
_LISTED = ("looked_for", "extras_not_installed")  # one line for each
_CLOCK_SKEW = 60.0
_SLOW_DRIVERS = ("aufs", "devicemapper", "vfs")


@dataclass(frozen=True)
class Problem:
    """A problem found by the doctor.

    Attributes:
        level: ``"error"`` if nothing works before it is solved, otherwise ``"warning"``.
        what: description of the problem.
        do: what to do.
    """

    level: str
    what: str
    do: str = ""


@dataclass
class Report:
    """The results. The sections are plain values that can be written as JSON."""

    client: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    endpoint: dict[str, Any] = field(default_factory=dict)
    contexts: list[dict[str, Any]] = field(default_factory=list)
    engine: dict[str, Any] = field(default_factory=dict)
    credentials: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Whether an engine responds and no errors were found."""
        return not any(problem.level == "error" for problem in self.problems)

    def error(self, what: object, do: str = "") -> None:
        """Add an error, and what to do."""
        self.problems.append(Problem("error", str(what), do))

    def warning(self, what: object, do: str = "") -> None:
        """Add a warning, and what to do."""
        self.problems.append(Problem("warning", str(what), do))

    def as_dict(self) -> dict[str, Any]:
        """Return the report as a dict that can be written as JSON."""
        return {"healthy": self.healthy, **asdict(self)}


def examine(
    base_url: str | None = None,
    *,
    context: str | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: Duration = 10,
) -> Report:
    """Examine the configuration and the engine; problems are reported, not raised.

    Args:
        base_url: address of the engine; None finds it as a client does.
        context: name of a Docker context, instead of base_url.
        environment: variables to use instead of ``os.environ``.
        timeout: seconds for each response of the engine.
    """
    env = os.environ if environment is None else environment
    report = Report()
    _client(report)
    _environment(report, env)
    settings = _settings(report, env)
    _contexts(report, env, settings)
    _credentials(report, env, settings)
    try:
        endpoint = discovery.resolve(base_url, context=context, environment=env)
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

    missing = [name for name, (module, _) in _EXTRAS.items() if find_spec(module) is None]
    report.client = {
        "dockerkit": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "api_versions": f"{versions.FLOOR} to {versions.CEILING}",
        "extras": [name for name in _EXTRAS if name not in missing],
        "extras_not_installed": [
            f"{name}, for {_EXTRAS[name][1]}: pip install 'dockerkit[{name}]'"
            for name in missing
            if name != "windows" or os.name == "nt"
        ],
        "ssh": shutil.which("ssh"),
        "docker_command": shutil.which("docker"),
    }


def _environment(report: Report, env: Mapping[str, str]) -> None:
    report.environment = {name: _without_login(env[name]) for name in _VARIABLES if env.get(name)}
    if env.get("DOCKER_CERT_PATH") and not env.get("DOCKER_TLS_VERIFY") and not env.get("DOCKER_TLS"):
        report.warning("DOCKER_CERT_PATH is set, but TLS is not enabled", "Also set DOCKER_TLS_VERIFY=1")
    for name in ("DOCKER_TLS_VERIFY", "DOCKER_TLS"):
        if env.get(name, "").lower() in ("0", "false", "no", "off"):
            report.warning(
                f"{name}={env[name]} enables TLS, as any non-empty value does, for the docker command too",
                f"Unset {name}",
            )


def _settings(report: Report, env: Mapping[str, str]) -> dict[str, Any]:
    try:
        return configfile.config_file(env)
    except errors.InvalidConfigFile as error:
        report.error(error, "Repair the file, or move it away and log in again")
        return {}


def _contexts(report: Report, env: Mapping[str, str], settings: Mapping[str, Any]) -> None:
    folder = configfile.config_dir(env)
    try:
        current = context_store.current_name(folder, settings)
        stored = context_store.names(folder)
        for name in stored:
            docker = context_store.read(folder, name)["Endpoints"].get("docker") or {}
            files = sorted(context_store.tls_files(folder, name))
            report.contexts.append(
                {"name": name, "host": docker.get("Host"), "tls_files": files, "current": name == current}
            )
    except errors.DockerException as error:
        report.error(error, "`docker context rm` it, or repair the file")
        return
    if current != context_store.DEFAULT and env.get("DOCKER_HOST"):
        report.warning(
            f"DOCKER_HOST is set and overrides the current context {current!r}", "Unset DOCKER_HOST to use the context"
        )
    elif current != context_store.DEFAULT and env.get("DOCKER_CONTEXT") not in (None, "", current):
        report.warning(f"DOCKER_CONTEXT is set and overrides the current context {current!r}", "Unset DOCKER_CONTEXT")


def _credentials(report: Report, env: Mapping[str, str], settings: Mapping[str, Any]) -> None:
    path = os.path.join(configfile.config_dir(env), "config.json")
    helpers = {"": settings.get("credsStore"), **(settings.get("credHelpers") or {})}
    described = []
    for registry, helper in helpers.items():
        if not helper:
            continue
        program = shutil.which(f"docker-credential-{helper}", path=env.get("PATH"))
        described.append({"registry": registry or "all others", "helper": helper, "program": program})
        if program is None:
            report.warning(
                f"{path} names the credential helper {helper!r}, but the program docker-credential-{helper} is not installed",
                f"Install it, or remove {'credsStore' if not registry else f'credHelpers for {registry}'} from the file",
            )
    stored = [name for name, entry in (settings.get("auths") or {}).items() if entry]
    report.credentials = {
        "file": path if os.path.isfile(path) else None,
        "helpers": described,
        "in_file": stored,
    }
    if stored and os.name == "posix" and os.stat(path).st_mode & 0o077:
        report.warning(f"{path} contains passwords and is readable by other users", f"chmod 600 {path}")


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
            "TLS certificates are not verified: an attacker in between can read and change everything",
            "Configure the CA, and enable verification",
        )
    if endpoint.scheme == "tcp" and tls is None and endpoint.hostname not in ("localhost", "127.0.0.1", "::1"):
        report.warning(
            f"{endpoint.host} is reached without TLS: anyone who can connect has root access to it, and traffic is not encrypted",
            "Use ssh://, or TLS with client certificates",
        )


def _engine(report: Report, endpoint: Endpoint, env: Mapping[str, str], timeout: Duration) -> None:
    from dockerkit.api.client import APIClient

    try:
        with APIClient(endpoint, timeout=timeout, environment=env) as api:
            began = time.monotonic()
            headers = api.ping_headers()
            report.engine["answered_after_ms"] = round((time.monotonic() - began) * 1000, 1)
            report.engine["builder"] = {"1": "classic", "2": "BuildKit"}.get(
                headers.get("Builder-Version") or "", "unknown"
            )
            _details(report, api)
    except errors.DockerException as error:
        report.error(str(error).partition("\n  List everything that was tried")[0])  # which the report does


def _details(report: Report, api: APIClient) -> None:
    version: Mapping[str, Any] = api.version()
    info: Mapping[str, Any] = api.info()
    swarm = info.get("Swarm") or {}
    report.engine |= {
        "product": ", ".join(
            f"{component.get('Name')} {str(component.get('Version')).partition(chr(10))[0]}"
            for component in version.get("Components") or ()
            if component.get("Name")
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
    if "podman" in str(report.engine["product"]).lower():
        report.engine["builder"] = "Buildah, without BuildKit"
        report.engine["differences"] = "Podman is not Docker in all things: see Podman in dockerkit's documentation"
    for warning in info.get("Warnings") or ():
        report.warning(f"the engine reports: {' '.join(warning.split()).removeprefix('WARNING: ')}")
    if swarm.get("Error"):
        report.warning(f"swarm: {swarm['Error']}", "`docker swarm leave`, and join again, or `docker swarm unlock`")
    if info.get("Driver") in _SLOW_DRIVERS:
        report.warning(f"the storage driver {info['Driver']} is slow or no longer maintained", "Use overlay2")
    engine_time = parse_time(info.get("SystemTime"))
    skew = 0.0 if engine_time is None else (engine_time - datetime.now(UTC)).total_seconds()
    if abs(skew) > _CLOCK_SKEW:
        report.warning(
            f"the engine's clock is {abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} this machine's",
            "Synchronize the clocks: certificates, tokens and `since=` depend on them",
        )


def _without_login(address: str) -> str:
    """Return an address without a proxy's login, or without an engine's password."""
    scheme, mark, rest = address.rpartition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}" if scheme in ("http", "https", "") else without_password(address)


# --- text output


def render(report: Report, *, colour: bool = False) -> str:
    """Return the report as text, in ANSI colours if requested: the verdict, the problems, and the details."""

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    lines: list[str] = [paint(*_verdict(report))]
    for problem in sorted(report.problems, key=lambda problem: problem.level):  # errors before warnings
        lines.append(
            paint(f"{problem.level.upper()}:", "31" if problem.level == "error" else "33") + f" {problem.what}"
        )
        if problem.do:
            lines.append(f"  -> {problem.do}")
    sections = (
        ("Client", report.client),
        ("Environment", report.environment),
        ("Endpoint", report.endpoint),
        ("Engine", report.engine),
        ("Credentials", report.credentials),
    )
    for title, section in sections:
        if rows := _rows(section):
            lines += ["", paint(title, "1"), *rows]
        if title == "Endpoint" and report.contexts:
            lines += ["", paint("Contexts", "1")]
            lines += [f"  {'*' if item['current'] else ' '} {item['name']}: {item['host']}" for item in report.contexts]
    return "\n".join(lines) + "\n"


def _verdict(report: Report) -> tuple[str, str]:
    """A sentence, and its colour."""
    host = report.endpoint.get("host")
    if not report.healthy:
        return f"\u2717 No working engine{f' at {host}' if host else ''}.", "31"
    warnings = len(report.problems)
    noted = f" {warnings} warning{'s' * (warnings > 1)}." if warnings else ""
    return f"\u2713 Engine {report.engine.get('version')} responds at {host}.{noted}", "33" if warnings else "32"


def _rows(section: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, value in section.items():
        label = f"  {name.replace('_', ' ') if name.islower() else name}: "
        if isinstance(value, list) and value and (isinstance(value[0], dict) or name in _LISTED):
            rows.append(label.rstrip())
            rows += [
                "    " + (", ".join(f"{k} {v}" for k, v in item.items()) if isinstance(item, dict) else str(item))
                for item in value
            ]
        else:
            displayed = ", ".join(map(str, value)) if isinstance(value, list) else value
            if displayed not in (None, ""):
                rows.append(f"{label}{displayed}")
    return rows
