"""The options of a BuildKit build, and what BuildKit is asked for because of them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Literal, TypedDict, cast

from dockerkit.build.buildkit.outputs import Output, OutputSpec, outputs_of
from dockerkit.build.buildkit.secrets import Secret, SecretSource, secrets_of
from dockerkit.build.buildkit.sources import ContextSpec, Source, named_contexts, source_of
from dockerkit.errors import InvalidArgument, UnknownOption
from dockerkit.platforms import Platform, platform_text
from dockerkit.reference import Reference
from dockerkit.types import parse, shorthands

if TYPE_CHECKING:
    from dockerkit.build.buildkit.control import Engine

__all__ = ["BUILDKIT_ONLY", "CLASSIC_ONLY", "BuildKitOptions", "Plan", "needs_buildkit"]

BUILDKIT_ONLY = frozenset({"allow", "cache_to", "contexts", "provenance", "sbom", "secrets", "ssh", "transfer"})
"""Options that the classic builder does not have; :func:`needs_buildkit` knows forms of others too."""

CLASSIC_ONLY = frozenset({"container_limits", "isolation", "security_opt", "squash"})
"""Options that BuildKit would silently ignore."""

_KNOWN_ARGUMENTS = re.compile(
    r"(?i)(https?|ftp|no|all)_proxy|BUILDKIT_.*|SOURCE_DATE_EPOCH|(TARGET|BUILD)(PLATFORM|OS|ARCH|VARIANT)"
)


class BuildKitOptions(TypedDict, total=False):
    """Keywords of a build by BuildKit. Those that the classic builder has too mean the same there.

    See ``docs/buildkit.md`` for what each engine can.
    """

    path: ContextSpec | None
    """The context: a folder, a dict of files, a git repository or URL."""
    fileobj: IO[bytes] | IO[str] | str | bytes | None
    """The Dockerfile; with ``custom_context`` the whole context as tar."""
    dockerfile: str | os.PathLike[str] | None
    """Path of the Dockerfile."""
    custom_context: bool
    encoding: str | None
    ignore: Iterable[str] | None
    """Patterns instead of those in ``.dockerignore``."""
    transfer: Literal["sync", "tar"]
    """How a folder travels: "sync" sends changed files, told by size and time; "tar" sends all."""
    contexts: Mapping[str, ContextSpec] | None
    """Further contexts by name: folders, dicts of files, URLs, ``docker-image://name``."""
    tag: str | Sequence[str] | None
    target: str | None
    platform: Platform | Sequence[Platform] | None
    """Several need containerd's image store."""
    buildargs: Mapping[str, str | float | None] | None
    labels: Mapping[str, str] | Sequence[str] | None
    nocache: bool | Sequence[str]
    """True: run everything anew; names of stages: only those."""
    cache_from: Sequence[str | Mapping[str, str]] | None
    """Images, or records such as ``{"type": "registry", "ref": ...}``."""
    cache_to: str | Sequence[str | Mapping[str, str]] | None
    """"inline", or records such as ``{"type": "registry", "ref": ..., "mode": "max"}``."""
    pull: bool
    network_mode: str | None
    extra_hosts: Mapping[str, str] | Sequence[str] | None
    shmsize: int | str | None
    ulimits: Sequence[object] | None
    cgroup_parent: str | None
    outputs: OutputSpec | Sequence[OutputSpec] | None
    secrets: Mapping[str, SecretSource] | Sequence[str] | None
    """For ``RUN --mount=type=secret``, by id: bytes, a Path, ``{"env": name}``."""
    ssh: Mapping[str, str | os.PathLike[str] | None] | Sequence[str] | str | bool | None
    """For ``RUN --mount=type=ssh``: True for this user's agent, or sockets by id."""
    allow: Sequence[str] | None
    """Entitlements: "network.host", "security.insecure"."""
    provenance: bool | str | None
    sbom: bool | str | None
    use_config_proxy: bool
    auth_configs: Mapping[str, Mapping[str, Any]] | None
    timeout: float | None
    """Seconds to wait for the next sign of life; none by default."""
    decode: bool
    quiet: bool
    rm: bool
    forcerm: bool
    gzip: bool
    container_limits: Mapping[str, int | str] | None
    squash: bool | None
    isolation: str | None
    security_opt: Sequence[str] | None


def needs_buildkit(options: Mapping[str, Any]) -> list[str]:
    """The options among these which the classic builder does not have."""
    needed = {name for name in BUILDKIT_ONLY if options.get(name)}
    for name in ("nocache", "platform"):
        if isinstance(options.get(name), (list, tuple)):
            needed.add(name)
    if options.get("outputs") is not None:
        needed.add("outputs")
    if any(not isinstance(source, str) for source in options.get("cache_from") or ()):
        needed.add("cache_from")
    return sorted(needed)


@dataclass
class Plan:
    """A build, ready to be asked for.

    Attributes:
        source, secrets, agents, outputs: what the session is for.
        attrs: what the Dockerfile frontend is told.
        tags: complete image names.
        warnings: what the user should know.
    """

    source: Source
    secrets: dict[str, Secret]
    agents: dict[str, str]
    outputs: tuple[Output, ...]
    attrs: dict[str, str]
    tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    cache_from: list[dict[str, str]] = field(default_factory=list)
    cache_to: list[dict[str, str]] = field(default_factory=list)
    entitlements: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    auth_configs: Mapping[str, Mapping[str, Any]] | None = None
    timeout: float | None = None
    warnings: list[str] = field(default_factory=list)
    asked: frozenset[str] = frozenset()

    @classmethod
    def of(cls, options: BuildKitOptions, proxies: Mapping[str, str]) -> Plan:
        """Check the options as far as that can be done without an engine.

        Args:
            options: the keywords.
            proxies: build arguments from the docker command's configuration.

        Raises:
            InvalidArgument: one that makes no sense, or that BuildKit would ignore; the message names it.
            UnreadableFile: the Dockerfile or a secret can't be read.
        """
        given = {name: value for name, value in options.items() if value is not None}
        if unknown := given.keys() - BuildKitOptions.__annotations__.keys():
            raise UnknownOption(f"{min(unknown)}: there is no such option of a build")
        if ignored := sorted(name for name in CLASSIC_ONLY if given.get(name)):
            raise InvalidArgument(f"{ignored[0]}: BuildKit does not heed it; builder='classic' does")
        get = cast("dict[str, Any]", given).get
        source = source_of(
            get("path"), dockerfile=get("dockerfile"), fileobj=get("fileobj"), ignore=get("ignore"),
            custom_context=get("custom_context", False), encoding=get("encoding"), transfer=get("transfer", "sync"),
        )  # fmt: skip
        named = named_contexts(get("contexts"))
        source.trees.update(named.trees)
        outputs = outputs_of(get("outputs"))
        plan = cls(source, secrets_of(get("secrets")), _agents(get("ssh")), outputs, dict(source.attrs))
        plan.asked = frozenset(name for name in given if given[name] not in (False, (), [], {}))
        plan.attrs.update(named.attrs)
        plan.timeout, plan.auth_configs = _timeout(get("timeout")), get("auth_configs")
        plan._tags(get("tag"))
        plan._frontend(given, proxies if get("use_config_proxy", True) else {})
        plan._caches(get("cache_from"), get("cache_to"))
        return plan

    def _tags(self, tag: str | Sequence[str] | None) -> None:
        names = [tag] if isinstance(tag, str) else list(tag or ())
        references = [Reference.parse(name) for name in names]
        self.tags = tuple(f"{one.repository}:{one.tag or 'latest'}" for one in references)
        if names and all(output.type in ("tar", "local", "cacheonly") for output in self.outputs):
            raise InvalidArgument("tag: these outputs hold no image that could be named; leave it out")

    def _frontend(self, given: Mapping[str, Any], proxies: Mapping[str, str]) -> None:
        attrs = self.attrs
        if target := given.get("target"):
            attrs["target"] = parse.text(target, "target")
        platform = given.get("platform") or os.environ.get("DOCKER_DEFAULT_PLATFORM") or ()
        several = [platform] if isinstance(platform, (str, Mapping)) else list(platform)
        self.platforms = tuple(cast("str", platform_text(one)) for entry in several for one in _split(entry))
        if self.platforms:
            attrs["platform"] = ",".join(self.platforms)
        for name, value in {**proxies, **(given.get("buildargs") or {})}.items():
            if value is not None:
                attrs[f"build-arg:{name}"] = _argument(name, value)
        self._look_for_arguments(given.get("buildargs") or {})
        for name, value in parse.labels(given["labels"]).items() if given.get("labels") else ():
            attrs[f"label:{name}"] = value
        nocache = given.get("nocache")
        if isinstance(nocache, str):
            raise InvalidArgument("nocache: True, or a list of stages is needed")
        if nocache:
            attrs["no-cache"] = "" if nocache is True else ",".join(nocache)
        # "default" would ask the registry even for an image that is here, in containerd's store.
        attrs["image-resolve-mode"] = "pull" if given.get("pull") else "local"
        self._network(given.get("network_mode"))
        self.entitlements += given.get("allow") or ()
        self.hosts = shorthands.extra_hosts(given["extra_hosts"]) if given.get("extra_hosts") else []
        if "shmsize" in given:
            attrs["shm-size"] = str(parse.size(given["shmsize"], "shmsize"))
        if given.get("ulimits"):
            limits = shorthands.ulimits(given["ulimits"])
            attrs["ulimit"] = ",".join(f"{one['Name']}={one['Soft']}:{one['Hard']}" for one in limits)
        if parent := given.get("cgroup_parent"):
            attrs["cgroup-parent"] = parent
        for name in ("provenance", "sbom"):
            value = given.get(name)
            if value:
                attrs[f"attest:{name}"] = "" if value is True else value
            elif value is False:
                attrs[f"attest:{name}"] = "disabled=true"

    def _network(self, mode: str | None) -> None:
        if mode not in (None, "default", "none", "host"):
            raise InvalidArgument(f"network_mode: BuildKit knows 'default', 'none' and 'host', not {mode!r}")
        if mode in ("none", "host"):
            self.attrs["force-network-mode"] = str(mode)
        if mode == "host":
            self.entitlements.append("network.host")

    def _look_for_arguments(self, arguments: Mapping[str, object]) -> None:
        """Build arguments which the Dockerfile does not have: BuildKit passes over them without a word."""
        text = self.source.dockerfile
        if text is None or re.match(r"\s*#\s*syntax\s*=", text):
            return
        joined = re.sub(r"\\[ \t]*\n", " ", text)
        declared = {
            word.partition("=")[0]
            for line in re.findall(r"(?im)^[ \t]*ARG[ \t]+(.*)$", joined)
            for word in line.split()
        }
        for name in arguments:
            if name not in declared and not _KNOWN_ARGUMENTS.fullmatch(name):
                self.warnings.append(f"buildargs: the Dockerfile has no ARG {name}, so its value goes nowhere")

    def _caches(self, sources: Iterable[Any] | None, targets: Any) -> None:
        self.cache_from = [_cache(one, "cache_from") for one in _listed(sources)]
        self.cache_to = [_cache(one, "cache_to") for one in _listed(targets)]
        inline = self.attrs.pop("build-arg:BUILDKIT_INLINE_CACHE", "")
        if inline.lower() in ("1", "true", "t") and not any(one["type"] == "inline" for one in self.cache_to):
            self.cache_to.append({"type": "inline"})

    def check(self, engine: Engine) -> None:
        """Refuse what this engine can't do, or would pass over without a word.

        Raises:
            InvalidArgument: names the option and what it needs.
        """
        if not engine.modern:
            for name in ("contexts", "shmsize", "ulimits", "cgroup_parent", "provenance", "sbom"):
                if name in self.asked:
                    raise InvalidArgument(f"{name}: this engine's BuildKit is too old to heed it (Engine 23 does)")
            if self.attrs.get("no-cache"):
                raise InvalidArgument("nocache: this engine's BuildKit can't do it by stage (Engine 23 can); give True")
            if ":" in self.attrs.get("context", "").partition("#")[2]:
                raise InvalidArgument("path: this engine's BuildKit knows no folder of a repository (Engine 23 does)")
            if len(self.outputs) > 1:
                raise InvalidArgument("outputs: this engine's BuildKit makes one at a time (Engine 26 makes several)")
        if engine.containerd:
            return
        store = "needs containerd's image store, which this engine does not use"
        if len(self.platforms) > 1:
            raise InvalidArgument(f"platform: more than one {store}")
        for output in self.outputs:
            if output.type in ("oci", "docker") or (output.type == "image" and output.attrs):
                raise InvalidArgument(f"outputs: type {output.type!r}{' with attributes' * bool(output.attrs)} {store}")
        for name in ("provenance", "sbom"):
            if name in self.asked:
                raise InvalidArgument(f"{name}: an attestation {store}")
        for cache in self.cache_to:
            if cache["type"] != "inline":
                raise InvalidArgument(f"cache_to: type {cache['type']!r} {store}; 'inline' works")


def _timeout(seconds: object) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        raise InvalidArgument(f"timeout: seconds above 0 are needed, or None for no limit, not {seconds!r}")
    return float(seconds)


def _split(platform: object) -> Iterable[Any]:
    return platform.split(",") if isinstance(platform, str) else [platform]


def _argument(name: str, value: object) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return parse.text(value, f"buildargs[{name!r}]")


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, (str, Mapping)) else list(value or ())


def _cache(spec: object, name: str) -> dict[str, str]:
    """One place for cache: a record, ``type=registry,ref=...``, "inline", or an image's name."""
    if isinstance(spec, str) and "=" in spec:
        record = {key: value for key, _, value in (part.partition("=") for part in spec.split(","))}
    elif isinstance(spec, str):
        record = {"type": "inline"} if spec == "inline" and name == "cache_to" else {"type": "registry", "ref": spec}
    elif isinstance(spec, Mapping):
        record = {str(key): str(value) for key, value in spec.items()}
    else:
        raise InvalidArgument(f"{name}: {spec!r} is no place for cache")
    kind = record.setdefault("type", "registry")
    if kind == "local":
        raise InvalidArgument(f"{name}: type 'local' is not supported; 'inline' and 'registry' are")
    if kind == "registry" and not record.get("ref"):
        raise InvalidArgument(f"{name}: type 'registry' needs a ref")
    return record


def _agents(given: Any) -> dict[str, str]:
    """Paths of ssh agents by id; what has no path is this user's."""
    if given is True:
        wanted: dict[str, Any] = {"default": None}
    elif isinstance(given, Mapping):
        wanted = dict(given)
    else:
        wanted = {id: path or None for id, _, path in (text.partition("=") for text in _listed(given))}
    found = {}
    for id, path in wanted.items():
        place = os.fspath(path) if path is not None else os.environ.get("SSH_AUTH_SOCK", "")
        if not place:
            raise InvalidArgument(f"ssh[{id!r}]: no ssh agent is known here: start one, or give its socket's path")
        try:
            is_socket = stat.S_ISSOCK(os.stat(place).st_mode)
        except OSError as error:
            raise InvalidArgument(f"ssh[{id!r}]: the agent's socket {place} can't be used: {error.strerror}") from error
        if not is_socket:
            raise InvalidArgument(f"ssh[{id!r}]: {place} is no agent's socket; put key files in an agent with ssh-add")
        found[id] = place
    return found
