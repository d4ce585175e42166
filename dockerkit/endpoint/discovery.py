"""Find the engine by the rules of the docker command.

In this order: the caller's arguments, ``DOCKER_HOST``, ``DOCKER_CONTEXT``, the context set by ``docker context use``,
the default socket; and only if that socket is missing, the usual sockets of other engines (rootless, Desktop, Colima,
Rancher, OrbStack, Lima, Podman). The result is an :class:`Endpoint`, which also states why it was chosen.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from dockerkit import errors
from dockerkit.cliconfig import context_store
from dockerkit.cliconfig.configfile import config_dir, config_file, home_dir
from dockerkit.endpoint.address import parse_host
from dockerkit.endpoint.tls import TLSConfig

if TYPE_CHECKING:
    import ssl

__all__ = ["DEFAULT_SOCKET", "Endpoint", "api_version", "resolve"]

_WINDOWS = sys.platform == "win32"
DEFAULT_SOCKET = "npipe:////./pipe/docker_engine" if _WINDOWS else "unix:///var/run/docker.sock"
NOT_LISTENING = "exists, but nothing listens on it"


class Endpoint(NamedTuple):
    """The address of an engine, and why it was chosen.

    Attributes:
        host: ``unix:///path``, ``tcp://host:port[/prefix]``, ``ssh://[user@]host[:port][/path]`` or ``npipe:////./pipe/name``.
        source: origin of the address: ``"argument"``, ``"DOCKER_HOST"``, ``"DOCKER_CONTEXT"``, ``"currentContext"``,
            ``"default"`` or ``"probe"``.
        reason: explanation of the choice in plain text.
        tls: TLS configuration; None for plain connections.
        context: name of the docker context it came from.
        proxy: HTTP proxy to use (only for tcp).
        tried: alternatives checked before, in order, each with its outcome.
    """

    host: str
    source: str
    reason: str
    tls: TLSConfig | None = None
    context: str | None = None
    proxy: str | None = None
    tried: tuple[str, ...] = ()

    @property
    def scheme(self) -> str:
        """``unix``, ``tcp``, ``ssh`` or ``npipe``."""
        return self.host.partition("://")[0]

    @property
    def path(self) -> str:
        """Path of the socket or pipe; for tcp, the path prefix of every call; empty if there is none."""
        if self.scheme in ("unix", "npipe"):
            return self.host.partition("://")[2]
        return urlsplit(self.host).path.rstrip("/")

    @property
    def hostname(self) -> str:
        """Host to connect to; ``localhost`` for local sockets."""
        if self.scheme not in ("tcp", "ssh"):
            return "localhost"
        address = urlsplit(self.host).netloc.rpartition("@")[2]  # .hostname would lowercase it; ssh is case-sensitive
        if address.startswith("["):
            return address[1:].partition("]")[0]
        return address.partition(":")[0] or "localhost"

    @property
    def port(self) -> int | None:
        """Port, if the address has one."""
        return urlsplit(self.host).port if self.scheme in ("tcp", "ssh") else None

    @property
    def user(self) -> str | None:
        """User to log in as, for ssh."""
        name = urlsplit(self.host).username if self.scheme == "ssh" else None
        return unquote(name) if name else None

    def __str__(self) -> str:
        return self.host

    def __repr__(self) -> str:  # omits the proxy's address, which may contain a password
        return (
            f"Endpoint(host={self.host!r}, source={self.source!r}, reason={self.reason!r}, tls={self.tls!r}, "
            f"context={self.context!r})"
        )


def of_transport(transport: object) -> Endpoint:
    """Return the endpoint of a client whose transport was passed without an address."""
    return Endpoint(f"transport://{type(transport).__name__}", "argument", "a transport was passed")


def resolve(
    base_url: str | Endpoint | None = None,
    *,
    tls: TLSConfig | ssl.SSLContext | bool | None = None,
    context: str | None = None,
    environment: Mapping[str, str] | None = None,
    use_context: bool = True,
) -> Endpoint:
    """Find the engine that the docker command would find.

    Args:
        base_url: address of the engine; nothing else is checked then. An Endpoint is returned unchanged.
        tls: TLS configuration; True trusts the system's authorities, None (and False, docker-py's default)
            uses the configuration of the address's source.
        context: name of a docker context to use.
        environment: variables to read instead of the process's.
        use_context: whether to use ``DOCKER_CONTEXT`` and the context set by ``docker context use``.

    Raises:
        InvalidArgument: an address is invalid, or both ``base_url`` and ``context`` were passed.
        ContextNotFound: the context does not exist.
        InvalidConfigFile: a file of the docker command is damaged.
        TLSParameterError: a TLS file is missing.
    """
    env = os.environ if environment is None else environment
    if base_url and context:
        raise errors.InvalidArgument("base_url, context: pass only one of them, each names an engine")
    if isinstance(base_url, Endpoint):
        return base_url
    config = _tls_config(tls)
    endpoint = _find(base_url, context, env, use_context, config)
    if endpoint.scheme != "tcp":  # Unix sockets and ssh need no TLS
        return endpoint._replace(tls=None)
    return endpoint._replace(proxy=proxy_of(endpoint, env))


def _find(
    base_url: str | None, context: str | None, env: Mapping[str, str], use_context: bool, tls: TLSConfig | None
) -> Endpoint:
    if base_url:
        host, secure = parse_host(base_url, tls=tls is not None)
        return Endpoint(host, "argument", "base_url was passed", tls or (TLSConfig() if secure else None))
    if context:
        return _from_context(context, "argument", "context was passed", env, tls)
    tried = []
    if env.get("DOCKER_HOST"):
        tls = tls or _environment_tls(env)
        host, secure = parse_host(env["DOCKER_HOST"], parameter="DOCKER_HOST", tls=tls is not None)
        return Endpoint(host, "DOCKER_HOST", "DOCKER_HOST is set", tls or (TLSConfig() if secure else None))
    tried.append("DOCKER_HOST: not set")
    if use_context:
        if env.get("DOCKER_CONTEXT"):
            return _from_context(env["DOCKER_CONTEXT"], "DOCKER_CONTEXT", "DOCKER_CONTEXT is set", env, tls, tried)
        tried.append("DOCKER_CONTEXT: not set")
        folder = config_dir(env)
        name = context_store.current_name(folder, config_file(env))
        path = os.path.join(folder, "config.json")
        if name != context_store.DEFAULT:
            return _from_context(name, "currentContext", f"currentContext of {path}", env, tls, tried)
        tried.append(f"currentContext of {path}: {'not set' if os.path.isfile(path) else 'no such file'}")
    return _default(env, tls, tried)


def _default(env: Mapping[str, str], tls: TLSConfig | None, tried: list[str]) -> Endpoint:
    """Return the default socket or, if it is missing, the first responding one of the other usual sockets."""
    path = DEFAULT_SOCKET.partition("://")[2]
    if _socket_exists(path):
        return Endpoint(DEFAULT_SOCKET, "default", "the default socket", tls, tried=tuple(tried))
    tried.append(f"{path}: no such {'pipe' if _WINDOWS else 'socket'}")
    stopped = None
    for name, candidate in _usual_sockets(env):
        if not _socket_exists(candidate):
            tried.append(f"{candidate} ({name}): no such socket")
        elif not _accepts_connections(candidate):
            tried.append(f"{candidate} ({name}): {NOT_LISTENING}")
            stopped = stopped or (name, candidate)
        else:
            reason = f"{path} is missing; this is the socket of {name}"
            return Endpoint(f"{'npipe' if _WINDOWS else 'unix'}://{candidate}", "probe", reason, tried=tuple(tried))
    reason = "nothing else was found"
    if stopped is not None:
        reason += f" ({stopped[0]} seems to be stopped: {stopped[1]})"
    return Endpoint(DEFAULT_SOCKET, "default", reason, tls, tried=tuple(tried))


def _from_context(
    name: str,
    source: str,
    reason: str,
    env: Mapping[str, str],
    tls: TLSConfig | None,
    tried: list[str] | None = None,
) -> Endpoint:
    tried = [] if tried is None else tried
    if name == context_store.DEFAULT:
        if source == "argument" and env.get("DOCKER_HOST"):  # `docker --context default` uses DOCKER_HOST as well
            return _find(None, None, env, False, tls)._replace(context=name)
        return _default(env, tls, tried)._replace(context=name)
    folder = config_dir(env)
    docker = context_store.read(folder, name)["Endpoints"].get("docker")
    if not isinstance(docker, dict):
        raise errors.ContextException(f"the docker context {name!r} has no docker endpoint")
    address = docker.get("Host") or DEFAULT_SOCKET
    tls = tls or context_tls(folder, name, docker)
    host, secure = parse_host(address, parameter=f"docker context {name!r}, Host", tls=tls is not None)
    tls = tls or (TLSConfig() if secure else None)
    return Endpoint(host, source, f"docker context {name!r}: {reason}", tls, name, tried=tuple(tried))


def context_tls(folder: str, name: str, docker: Mapping[str, Any]) -> TLSConfig | None:
    """Return the TLS configuration of a stored context, from its files or ``SkipTLSVerify``; None if it has neither."""
    files = context_store.tls_files(folder, name)
    skip = bool(docker.get("SkipTLSVerify"))
    if not files and not skip:
        return None
    cert = (
        (files[context_store.CERT], files[context_store.KEY])
        if context_store.CERT in files and context_store.KEY in files
        else None
    )
    return TLSConfig(cert, files.get(context_store.CA), verify=not skip)


def _tls_config(tls: TLSConfig | ssl.SSLContext | bool | None) -> TLSConfig | None:
    if isinstance(tls, TLSConfig):
        return tls
    if tls is None or isinstance(tls, bool):
        return TLSConfig() if tls else None
    import ssl

    if isinstance(tls, ssl.SSLContext):
        return TLSConfig(context=tls)
    raise errors.InvalidArgument(f"tls: must be a TLSConfig, an ssl.SSLContext or a bool, got {type(tls).__name__}")


def _environment_tls(env: Mapping[str, str]) -> TLSConfig | None:
    """Return the TLS configuration from ``DOCKER_TLS_VERIFY``, ``DOCKER_TLS`` and ``DOCKER_CERT_PATH``.

    Any non-empty value of the first two, even "0", enables TLS.
    """
    verify = bool(env.get("DOCKER_TLS_VERIFY"))
    if not verify and not env.get("DOCKER_TLS"):
        return None
    folder = env.get("DOCKER_CERT_PATH") or config_dir(env)
    ca, cert, key = (os.path.join(folder, name) for name in (context_store.CA, context_store.CERT, context_store.KEY))
    if verify and not os.path.isfile(ca):
        raise errors.TLSParameterError(
            f"DOCKER_TLS_VERIFY is set, but {ca} does not exist: "
            f"set DOCKER_CERT_PATH to the folder with {context_store.CA}"
        )
    client_cert = (cert, key) if os.path.isfile(cert) and os.path.isfile(key) else None
    return TLSConfig(client_cert, ca if verify else None, verify=verify)


# --- usual sockets


def _usual_sockets(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (engine name, socket path) of engines that do not use the default socket."""
    if _WINDOWS:
        yield "Docker Desktop", "//./pipe/dockerDesktopLinuxEngine"
        yield "Podman", "//./pipe/podman-machine-default"
        return
    home = home_dir(env)
    runtime = env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    config = env.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    yield "rootless Docker", f"{runtime}/docker.sock"
    yield "Docker Desktop or rootless Docker", f"{home}/.docker/run/docker.sock"
    yield "Docker Desktop", f"{home}/.docker/desktop/docker.sock"
    if env.get("COLIMA_HOME"):
        yield "Colima", f"{env['COLIMA_HOME']}/default/docker.sock"
    yield "Colima", f"{home}/.colima/default/docker.sock"
    yield "Colima", f"{config}/colima/default/docker.sock"
    yield "Rancher Desktop", f"{home}/.rd/docker.sock"
    yield "OrbStack", f"{home}/.orbstack/run/docker.sock"
    yield "Lima", f"{env.get('LIMA_HOME') or home + '/.lima'}/docker/sock/docker.sock"
    yield "Podman", f"{runtime}/podman/podman.sock"
    yield "Podman", "/run/podman/podman.sock"
    yield "Podman", f"{home}/.local/share/containers/podman/machine/podman.sock"


def _socket_exists(path: str) -> bool:
    if _WINDOWS:
        return os.path.exists(path.replace("/", "\\"))
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def _accepts_connections(path: str) -> bool:
    if _WINDOWS:
        return True
    import socket

    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0.5)
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


# --- the docker command's files


def api_version(environment: Mapping[str, str] | None = None) -> str | None:
    """Return the API version in ``DOCKER_API_VERSION``, such as ``"1.41"``; None if not set."""
    env = os.environ if environment is None else environment
    return env.get("DOCKER_API_VERSION", "").strip().removeprefix("v") or None


# --- proxies


def proxy_of(endpoint: Endpoint, env: Mapping[str, str]) -> str | None:
    """Return the HTTP proxy for a tcp endpoint, from ``HTTP_PROXY``/``HTTPS_PROXY`` and ``NO_PROXY``."""
    name = "HTTP_PROXY" if endpoint.tls is None else "HTTPS_PROXY"
    proxy = env.get(name.lower()) or (None if name == "HTTP_PROXY" and "REQUEST_METHOD" in env else env.get(name))
    if not proxy or _bypasses_proxy(endpoint.hostname, endpoint.port, env.get("no_proxy") or env.get("NO_PROXY") or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _bypasses_proxy(host: str, port: int | None, rules: str) -> bool:
    """Return whether ``NO_PROXY`` (names, suffixes, addresses, networks, each with an optional port) matches."""
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    for rule in filter(None, (part.strip().lower() for part in rules.split(","))):
        if rule == "*":
            return True
        name, colon, number = rule.rpartition(":")
        if colon and number.isdigit() and (name.count(":") == 0 or name.startswith("[")):
            if int(number) != port:
                continue
            rule = name.strip("[]")
        if address is not None:
            try:
                if address in ipaddress.ip_network(rule, strict=False):
                    return True
            except ValueError:
                continue
        elif host.lower() == rule or host.lower().endswith("." + rule.removeprefix("*").removeprefix(".")):
            return True
    return False
