"""The options of a BuildKit build, and their translation to a solve request."""

from __future__ import annotations

import csv
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from dockerkit.builder.buildkit.localcache import LocalCache
from dockerkit.builder.buildkit.outputs import Exporter, OutputSpec, outputs_of
from dockerkit.builder.buildkit.secrets import Secret, SecretSource, secrets_of
from dockerkit.builder.buildkit.sources import ContextSpec, Source, named_contexts, source_of
from dockerkit.builder.options import BuildOptions
from dockerkit.errors import InvalidArgument
from dockerkit.parsing import shorthands, values
from dockerkit.parsing.options import check_options
from dockerkit.parsing.platforms import Platform, platform_text
from dockerkit.parsing.reference import Reference

if TYPE_CHECKING:
    from dockerkit.builder.buildkit.control import Engine

__all__ = ["BUILDKIT_ONLY", "CLASSIC_ONLY", "BuildKitOptions", "BuildRequest", "is_requested", "needs_buildkit"]

BUILDKIT_ONLY = frozenset(
    {"allow", "annotations", "cache_to", "contexts", "provenance", "sbom", "secrets", "ssh", "transfer"}
)
"""Options that the classic builder does not have. :func:`needs_buildkit` also checks values of other options."""

CLASSIC_ONLY = frozenset({"container_limits", "isolation", "security_opt", "squash"})
"""Options that BuildKit would silently ignore."""

_ATTESTATIONS = ("provenance", "sbom")

_LEVELS = frozenset({"manifest", "index", "manifest-descriptor", "index-descriptor"})
_ANNOTATION = re.compile(r"(?:(?P<level>[a-z-]+)(?:\[(?P<platform>[A-Za-z0-9_/.-]+)\])?:)?(?P<name>[^\s:\[\]]+)")

_KNOWN_ARGUMENTS = re.compile(
    r"(?i)(https?|ftp|no|all)_proxy|BUILDKIT_.*|SOURCE_DATE_EPOCH|(TARGET|BUILD)(PLATFORM|OS|ARCH|VARIANT)"
)


class BuildKitOptions(BuildOptions, total=False):
    """Options of a BuildKit build, with those of :class:`~dockerkit.builder.options.BuildOptions`.

    See ``docs/buildkit.md`` for what each engine supports.
    """

    path: ContextSpec | None
    """The context: a folder, a dict of files, a git repository or URL."""
    contexts: Mapping[str, ContextSpec] | None
    """Further contexts by name: folders, dicts of files, URLs, ``docker-image://name``."""
    transfer: Literal["sync", "tar"]
    """Transfer of a folder: "sync" sends files with a changed size or time; "tar" sends all."""
    tag: str | Sequence[str] | None
    """Name of the image, or several."""
    platform: Platform | Sequence[Platform] | None
    """Target platform; several require containerd's image store."""
    annotations: Mapping[str, str] | Sequence[str] | None
    """Annotations of the image's manifest; prefix names with ``index:`` or ``manifest[linux/arm64]:`` for other targets."""
    nocache: bool | Sequence[str]
    """True to ignore the cache, or names of stages for which to ignore it."""
    cache_from: Sequence[str | Mapping[str, str]] | None
    """Images, or records such as ``{"type": "registry", "ref": ...}``, ``{"type": "local", "src": folder}``."""
    cache_to: str | Sequence[str | Mapping[str, str]] | None
    """"inline", or records such as ``{"type": "registry", "ref": ..., "mode": "max"}``, ``{"type": "local", "dest": folder}``, ``{"type": "gha"}``."""
    outputs: OutputSpec | Sequence[OutputSpec] | None
    """Where the result goes: a folder, or records such as ``{"type": "tar", "dest": ...}``; by default an image in the engine."""
    secrets: Mapping[str, SecretSource] | Sequence[str] | None
    """For ``RUN --mount=type=secret``, by id: bytes, a Path, ``{"env": name}``."""
    ssh: Mapping[str, str | os.PathLike[str] | None] | Sequence[str] | str | bool | None
    """For ``RUN --mount=type=ssh``: True for this user's agent, or sockets by id."""
    allow: Sequence[str] | None
    """Entitlements: "network.host", "security.insecure"."""
    provenance: bool | str | None
    """Attach a provenance attestation: True, or parameters such as "mode=max"; False for none."""
    sbom: bool | str | None
    """Attach an SBOM: True, or parameters such as "generator=IMAGE"; False for none."""
    timeout: float | None
    """Maximum seconds without any message from BuildKit; unlimited by default."""
    decode: bool
    """Accepted as in docker-py, and ignored: the log has dicts."""


def is_requested(name: str, value: object) -> bool:
    """Return whether an option has an effect; empty and disabled options have none."""
    if name in _ATTESTATIONS:
        return _attestation(name, value) is not None
    return value not in (None, False, "", (), [], {})


def needs_buildkit(options: Mapping[str, Any]) -> list[str]:
    """Return the options among these that the classic builder does not support."""
    needed = {name for name in BUILDKIT_ONLY if is_requested(name, options.get(name))}
    for name in ("nocache", "platform"):
        if isinstance(options.get(name), (list, tuple)):
            needed.add(name)
    if options.get("outputs") is not None:
        needed.add("outputs")
    if any(not isinstance(source, str) for source in values.sequence(options.get("cache_from") or (), "cache_from")):
        needed.add("cache_from")
    return sorted(needed)


@dataclass
class BuildRequest:
    """A validated build request.

    Attributes:
        source, secrets, agents, outputs: contents of the session.
        attrs: attributes for the Dockerfile frontend.
        tags: full image names.
        warnings: warnings for the user.
    """

    source: Source
    secrets: dict[str, Secret]
    agents: dict[str, str]
    outputs: tuple[Exporter, ...]
    attrs: dict[str, str]
    tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    cache_from: list[dict[str, str]] = field(default_factory=list, repr=False)  # may contain tokens
    cache_to: list[dict[str, str]] = field(default_factory=list, repr=False)
    local_caches: dict[str, LocalCache] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    entitlements: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    auth_configs: Mapping[str, Mapping[str, Any]] | None = None
    timeout: float | None = None
    warnings: list[str] = field(default_factory=list)
    requested: frozenset[str] = frozenset()

    @classmethod
    def of(cls, options: BuildKitOptions, proxies: Mapping[str, str]) -> BuildRequest:
        """Validate the options as far as possible without an engine.

        Args:
            options: options of the build.
            proxies: build arguments from the docker command's configuration.

        Raises:
            InvalidArgument: an option is invalid, or BuildKit would ignore it; the message names it.
            UnreadableFile: the Dockerfile or a secret can't be read.
        """
        settings = {name: value for name, value in options.items() if value is not None}
        check_options("build", settings, BuildKitOptions.__annotations__)
        if ignored := sorted(name for name in CLASSIC_ONLY if settings.get(name)):
            raise InvalidArgument(f"{ignored[0]}: BuildKit ignores it; omit it, or pass builder='classic'")
        get = cast("dict[str, Any]", settings).get
        source = source_of(
            get("path"), dockerfile=get("dockerfile"), fileobj=get("fileobj"), ignore=get("ignore"),
            custom_context=get("custom_context", False), encoding=get("encoding"), transfer=get("transfer", "sync"),
        )  # fmt: skip
        named = named_contexts(get("contexts"))
        source.trees.update(named.trees)
        outputs = outputs_of(get("outputs"))
        plan = cls(source, secrets_of(get("secrets")), _agents(get("ssh")), outputs, dict(source.attrs))
        plan.requested = frozenset(name for name, value in settings.items() if is_requested(name, value))
        plan.attrs.update(named.attrs)
        plan.timeout = values.time_limit(get("timeout"))
        plan.auth_configs = values.mapping_of_mappings(get("auth_configs"), "auth_configs")
        plan._tags(get("tag"))
        plan._annotations(get("annotations"))
        plan._frontend(settings, proxies if get("use_config_proxy", True) else {})
        plan._caches(get("cache_from"), get("cache_to"))
        return plan

    def _tags(self, tag: str | Sequence[str] | None) -> None:
        names = [tag] if isinstance(tag, str) else values.string_list(tag or (), "tag")
        references = [Reference.parse(name) for name in names]
        self.tags = tuple(f"{item.repository}:{item.tag or 'latest'}" for item in references)
        if names and all(output.type in ("tar", "local", "cacheonly") for output in self.outputs):
            raise InvalidArgument("tag: these outputs include no image; omit tag")

    def _annotations(self, annotations: Mapping[str, str] | Sequence[str] | None) -> None:
        if not annotations:
            return
        if all(output.type in ("tar", "local", "cacheonly") for output in self.outputs):
            raise InvalidArgument("annotations: these outputs include no image; omit annotations")
        for name, value in values.labels(annotations, "annotations").items():
            match = _ANNOTATION.fullmatch(name)
            if match is None or (match["level"] or "manifest") not in _LEVELS:
                raise InvalidArgument(
                    f"annotations: must be a name, optionally after 'index:' or a target such as 'manifest[linux/arm64]:', "
                    f"got {name!r}"
                )
            level = f"-{match['level']}" if match["level"] else ""
            platform = f"[{match['platform']}]" if match["platform"] else ""
            self.annotations[f"annotation{level}{platform}.{match['name']}"] = value

    def _frontend(self, settings: Mapping[str, Any], proxies: Mapping[str, str]) -> None:
        attrs = self.attrs
        if target := settings.get("target"):
            attrs["target"] = values.string(target, "target")
        platform = settings.get("platform") or os.environ.get("DOCKER_DEFAULT_PLATFORM") or ()
        platforms = [platform] if isinstance(platform, (str, Mapping)) else values.sequence(platform, "platform")
        self.platforms = tuple(cast("str", platform_text(item)) for entry in platforms for item in _split(entry))
        if self.platforms:
            attrs["platform"] = ",".join(self.platforms)
        arguments = values.build_arguments(settings.get("buildargs") or {})
        for name, value in {**proxies, **arguments}.items():
            if value is not None:
                attrs[f"build-arg:{name}"] = value
        self._check_arguments(arguments)
        for name, value in values.labels(settings["labels"]).items() if settings.get("labels") else ():
            attrs[f"label:{name}"] = value
        nocache = settings.get("nocache")
        if isinstance(nocache, str):
            raise InvalidArgument("nocache: must be True or a list of stages")
        if nocache:
            attrs["no-cache"] = "" if nocache is True else ",".join(values.string_list(nocache, "nocache"))
        # With containerd's store, "default" would query the registry even for a local image.
        attrs["image-resolve-mode"] = "pull" if settings.get("pull") else "local"
        self._network(settings.get("network_mode"))
        self.entitlements += values.string_list(settings.get("allow") or (), "allow")
        self.hosts = shorthands.extra_hosts(settings["extra_hosts"]) if settings.get("extra_hosts") else []
        if "shmsize" in settings:
            attrs["shm-size"] = str(values.size(settings["shmsize"], "shmsize"))
        if settings.get("ulimits"):
            limits = shorthands.ulimits(settings["ulimits"])
            attrs["ulimit"] = ",".join(f"{item['Name']}={item['Soft']}:{item['Hard']}" for item in limits)
        if parent := settings.get("cgroup_parent"):
            attrs["cgroup-parent"] = values.string(parent, "cgroup_parent")
        for name in _ATTESTATIONS:
            parameters = _attestation(name, settings.get(name))
            if parameters is not None:
                attrs[f"attest:{name}"] = parameters

    def _network(self, mode: str | None) -> None:
        if mode not in (None, "default", "none", "host"):
            raise InvalidArgument(f"network_mode: must be 'default', 'none' or 'host' for BuildKit, got {mode!r}")
        if mode in ("none", "host"):
            self.attrs["force-network-mode"] = str(mode)
        if mode == "host":
            self.entitlements.append("network.host")

    def _check_arguments(self, arguments: Mapping[str, object]) -> None:
        """Warn about build arguments that the Dockerfile does not declare. BuildKit silently ignores them."""
        dockerfile = self.source.dockerfile
        if dockerfile is None or re.match(r"\s*#\s*syntax\s*=", dockerfile):
            return
        joined = re.sub(r"\\[ \t]*\n", " ", dockerfile)
        declared = {
            word.partition("=")[0]
            for line in re.findall(r"(?im)^[ \t]*ARG[ \t]+(.*)$", joined)
            for word in line.split()
        }
        for name in arguments:
            if name not in declared and not _KNOWN_ARGUMENTS.fullmatch(name):
                self.warnings.append(f"buildargs: the Dockerfile has no ARG {name}, so its value is ignored")

    def _caches(self, sources: Iterable[Any] | None, targets: Any) -> None:
        self.cache_from = [_cache(item, "cache_from") for item in _as_list(sources, "cache_from")]
        self.cache_to = [_cache(item, "cache_to") for item in _as_list(targets, "cache_to")]
        self._local_caches()
        inline = self.attrs.pop("build-arg:BUILDKIT_INLINE_CACHE", "")
        if inline.lower() in ("1", "true", "t") and not any(item["type"] == "inline" for item in self.cache_to):
            self.cache_to.append({"type": "inline"})

    def _local_caches(self) -> None:
        """Open local caches. A missing cache to read is only a warning, since the first build has none."""
        targets = [cache for cache in self.cache_to if cache["type"] == "local"]
        if len(targets) > 1:
            raise InvalidArgument("cache_to: must contain at most one local folder")
        for cache in targets:
            self.local_caches["cache_to"] = LocalCache(cache["dest"], cache.get("tag", "latest"))
        for cache in [cache for cache in self.cache_from if cache["type"] == "local"]:
            local = LocalCache(cache["src"], cache.get("tag", "latest"))
            digest = cache.get("digest") or local.digest()
            if digest is None:
                self.cache_from.remove(cache)
                self.warnings.append(f"cache_from: {local.folder} does not contain a cache yet")
            else:
                cache["digest"] = digest
                self.local_caches[f"cache_from {local.folder}"] = local

    def check(self, engine: Engine) -> None:
        """Reject options that this engine does not support or would silently ignore.

        Raises:
            InvalidArgument: an option is not supported; the message says what it requires.
        """
        if not engine.modern:
            for name in ("annotations", "contexts", "shmsize", "ulimits", "cgroup_parent", "provenance", "sbom"):
                if name in self.requested:
                    raise InvalidArgument(
                        f"{name}: not supported by this engine's BuildKit; requires Engine 23 or newer"
                    )
            if self.attrs.get("no-cache"):
                raise InvalidArgument(
                    "nocache: stages are not supported by this engine's BuildKit; pass True, or use Engine 23 or newer"
                )
            if ":" in self.attrs.get("context", "").partition("#")[2]:
                raise InvalidArgument(
                    "path: a folder of a repository is not supported by this engine's BuildKit; requires Engine 23 or newer"
                )
            if len(self.outputs) > 1:
                raise InvalidArgument(
                    "outputs: this engine's BuildKit supports only one output; several require Engine 26 or newer"
                )
        if engine.containerd:
            return
        store = "requires containerd's image store, which this engine does not use"
        if len(self.platforms) > 1:
            raise InvalidArgument(f"platform: more than one {store}")
        for output in self.outputs:
            if output.type in ("oci", "docker") or (output.type == "image" and output.attrs):
                raise InvalidArgument(f"outputs: type {output.type!r}{' with attributes' * bool(output.attrs)} {store}")
        if "annotations" in self.requested:
            raise InvalidArgument(f"annotations: this option {store}")
        for name in _ATTESTATIONS:
            if name in self.requested:
                raise InvalidArgument(f"{name}: an attestation {store}")
        for cache in self.cache_to:
            if cache["type"] != "inline":
                raise InvalidArgument(f"cache_to: type {cache['type']!r} {store}; 'inline' works")


def _attestation(name: str, value: object) -> str | None:
    """Return the frontend's parameters of an attestation; None if disabled. The mere key would enable it in BuildKit."""
    if value is None or isinstance(value, bool):
        return "" if value else None
    if not isinstance(value, str):
        raise InvalidArgument(f"{name}: must be True, False or parameters such as 'mode=max', got {value!r}")
    normalized = value.strip().lower()
    if normalized in ("", "0", "f", "false"):
        return None
    if normalized in ("1", "t", "true"):
        return ""
    parameters: list[str] = []
    for part in next(csv.reader([value])):
        key, equals, setting = part.strip().partition("=")
        if not (key and equals):
            raise InvalidArgument(f"{name}: must be True, False or parameters such as 'mode=max', got {value!r}")
        if key != "disabled":
            parameters.append(part)
        elif setting.lower() in ("1", "t", "true"):
            return None
    return ",".join(f'"{part}"' if "," in part else part for part in parameters)


def _split(platform: object) -> Iterable[Any]:
    return platform.split(",") if isinstance(platform, str) else [platform]


def _as_list(value: Any, name: str) -> list[Any]:
    return [value] if isinstance(value, (str, Mapping)) else values.sequence(value or (), name)


def _cache(spec: object, name: str) -> dict[str, str]:
    """Parse a cache source or target: a record, ``type=registry,ref=...``, "inline", or an image name."""
    if isinstance(spec, str) and "=" in spec:
        record = {key: value for key, _, value in (part.partition("=") for part in spec.split(","))}
    elif isinstance(spec, str):
        record = {"type": "inline"} if spec == "inline" and name == "cache_to" else {"type": "registry", "ref": spec}
    elif isinstance(spec, Mapping):
        record = {str(key): str(value) for key, value in spec.items()}
    else:
        raise InvalidArgument(f"{name}: {spec!r} is not a valid cache")
    kind = record.setdefault("type", "registry")
    if kind == "local":
        folder = "dest" if name == "cache_to" else "src"
        if not record.get(folder):
            raise InvalidArgument(f"{name}: type 'local' requires {folder}, the path of a folder")
        record[folder] = os.path.abspath(record[folder])
    if kind == "gha":
        _from_runner(record, name)
    if kind == "registry" and not record.get("ref"):
        raise InvalidArgument(f"{name}: type 'registry' requires a ref")
    return record


def _from_runner(record: dict[str, str], name: str) -> None:
    """Fill in the attributes of GitHub's cache from the runner's environment variables."""
    env = os.environ
    if env.get("ACTIONS_CACHE_SERVICE_V2", "").lower() in ("1", "true", "t"):
        record.setdefault("version", "2")
    variables = {"token": "ACTIONS_RUNTIME_TOKEN", "url_v2": "ACTIONS_RESULTS_URL", "url": "ACTIONS_CACHE_URL"}
    for key, variable in variables.items():
        if env.get(variable):
            record.setdefault(key, env[variable])
    if not record.get("token") or not (record.get("url") or record.get("url_v2")):
        raise InvalidArgument(
            f"{name}: type 'gha' requires ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL or ACTIONS_CACHE_URL, which a "
            "workflow step must export from the runner; or pass token and url_v2"
        )


def _agents(settings: Any) -> dict[str, str]:
    """Return paths of SSH agents by ID; the default is the user's own agent."""
    if settings is True:
        paths: dict[str, Any] = {"default": None}
    elif isinstance(settings, Mapping):
        paths = dict(settings)
    else:
        specs = values.string_list([settings] if isinstance(settings, str) else settings or (), "ssh")
        paths = {id: path or None for id, _, path in (spec.partition("=") for spec in specs)}
    agents = {}
    for id, path in paths.items():
        socket_path = (
            values.local_path(path, f"ssh[{id!r}]") if path is not None else os.environ.get("SSH_AUTH_SOCK", "")
        )
        if not socket_path:
            raise InvalidArgument(
                f"ssh[{id!r}]: no ssh agent found (SSH_AUTH_SOCK is not set); start one, or pass the path of its socket"
            )
        try:
            is_socket = stat.S_ISSOCK(os.stat(socket_path).st_mode)
        except OSError as error:
            raise InvalidArgument(
                f"ssh[{id!r}]: the agent's socket {socket_path} can't be used: {error.strerror}"
            ) from error
        if not is_socket:
            raise InvalidArgument(
                f"ssh[{id!r}]: {socket_path} is not the socket of an agent; add key files to an agent with ssh-add"
            )
        agents[id] = socket_path
    return agents
