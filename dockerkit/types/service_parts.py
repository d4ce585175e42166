"""Smaller parts of a service: secrets, configs, placement, networks, privileges, plugins."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from dockerkit.errors import InvalidArgument
from dockerkit.types import parse, shorthands
from dockerkit.types.base import Value, Wire

Part = Mapping[str, Any]
Texted = Mapping[str, str | int | float | bool]


def _id(value: object, name: str) -> str:
    return str(parse.whole(value, name)) if isinstance(value, int) else parse.text(value, name)


class SecretReference(Value):
    """A secret that containers can read: ``SecretReference(secret.id, secret.name)``."""

    secret_id: Annotated[str, Wire("SecretID")]
    """Its id."""
    secret_name: Annotated[str, Wire("SecretName")]
    """Its name."""
    filename: Annotated[str | None, Wire("File.Name", parse.text)] = None
    """The file, below ``/run/secrets``; None is its name."""
    uid: Annotated[str | int | None, Wire("File.UID", _id)] = None
    """The file's owner; None is 0."""
    gid: Annotated[str | int | None, Wire("File.GID", _id)] = None
    """The file's group; None is 0."""
    mode: Annotated[int, Wire("File.Mode")] = 0o444
    """The file's permissions."""

    def to_engine(self) -> dict[str, Any]:
        """The Engine's dict."""
        body = super().to_engine()
        body["File"] = {"Name": self.secret_name, "UID": "0", "GID": "0", **body["File"]}
        return body


class ConfigReference(Value):
    """A config that containers can read: ``ConfigReference(config.id, config.name, "/etc/app.conf")``."""

    config_id: Annotated[str, Wire("ConfigID")]
    """Its id."""
    config_name: Annotated[str, Wire("ConfigName")]
    """Its name."""
    filename: Annotated[str | None, Wire("File.Name", parse.text)] = None
    """The file; None is its name, in the root folder."""
    uid: Annotated[str | int | None, Wire("File.UID", _id)] = None
    """The file's owner; None is 0."""
    gid: Annotated[str | int | None, Wire("File.GID", _id)] = None
    """The file's group; None is 0."""
    mode: Annotated[int, Wire("File.Mode")] = 0o444
    """The file's permissions."""
    runtime: Annotated[bool | Part | None, Wire("")] = None
    """True: no file, but for the engine itself, as a credential spec (API 1.40)."""

    def to_engine(self) -> dict[str, Any]:
        """The Engine's dict."""
        body = super().to_engine()
        if self.runtime is not None and self.runtime is not False:
            del body["File"]
            return {**body, "Runtime": {}}
        body["File"] = {"Name": self.config_name, "UID": "0", "GID": "0", **body["File"]}
        return body


class PlacementPreference(Value):
    """What to spread tasks over: ``PlacementPreference("spread", "node.labels.rack")``."""

    strategy: Annotated[Literal["spread"], Wire("")]
    """spread is the only one."""
    descriptor: Annotated[str, Wire("Spread.SpreadDescriptor")]
    """The label of nodes or engines."""


def _preferences(value: object, name: str) -> list[dict[str, Any]]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        parse.refuse(name, "a list of preferences", value)
    return [
        PlacementPreference(*item).to_engine() if isinstance(item, tuple) else shorthands.mapping(item, name)
        for item in value
    ]


def _platforms(value: object, name: str) -> list[dict[str, Any]]:
    """Pairs of architecture and system, ``"linux/arm64"`` texts, or the Engine's dicts."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        parse.refuse(name, "a list of platforms", value)
    plain = []
    for item in value:
        if isinstance(item, Mapping):
            plain.append(shorthands.mapping(item, name))
            continue
        pair = item.split("/")[1::-1] if isinstance(item, str) else item
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            parse.refuse(name, "(architecture, system)", item)
        plain.append({"Architecture": parse.text(pair[0], name), "OS": parse.text(pair[1], name)})
    return plain


class Placement(Value):
    """Which nodes may run the tasks of a service: ``Placement(["node.role == worker"], maxreplicas=1)``."""

    constraints: Annotated[Sequence[str] | None, Wire("Constraints", parse.texts)] = None
    """What must be so: ``["node.labels.disk == ssd"]``."""
    preferences: Annotated[
        Sequence[PlacementPreference | tuple[str, str] | Part] | None, Wire("Preferences", _preferences)
    ] = None
    """What to spread over: ``[("spread", "node.labels.rack")]`` (API 1.28)."""
    platforms: Annotated[Sequence[tuple[str, str] | str | Part] | None, Wire("Platforms", _platforms)] = None
    """Platforms: ``[("amd64", "linux")]`` (API 1.30)."""
    maxreplicas: Annotated[int | None, Wire("MaxReplicas")] = None
    """How many tasks a node may have (API 1.40)."""


class DNSConfig(Value):
    """Name servers of containers."""

    nameservers: Annotated[Sequence[str] | None, Wire("Nameservers", parse.texts)] = None
    """Their addresses."""
    search: Annotated[Sequence[str] | None, Wire("Search", parse.texts)] = None
    """Domains in which to look names up."""
    options: Annotated[Sequence[str] | None, Wire("Options", parse.texts)] = None
    """Options for resolv.conf."""


def _profile(value: object, name: str) -> str:
    """A seccomp profile as the Engine takes it: its JSON in base64."""
    if isinstance(value, Mapping):
        value = json.dumps(shorthands.mapping(value, name))
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        parse.refuse(name, "a profile as a dict, or its JSON,", value)
    return base64.b64encode(value).decode()


class Privileges(Value):
    """What the containers of a service may do (API 1.29)."""

    credentialspec_file: Annotated[str | None, Wire("CredentialSpec.File")] = None
    """Windows: a credential spec's file."""
    credentialspec_registry: Annotated[str | None, Wire("CredentialSpec.Registry")] = None
    """Windows: a credential spec's name in the registry."""
    selinux_disable: Annotated[bool | None, Wire("SELinuxContext.Disable")] = None
    """Without SELinux."""
    selinux_user: Annotated[str | None, Wire("SELinuxContext.User")] = None
    """SELinux: the user label."""
    selinux_role: Annotated[str | None, Wire("SELinuxContext.Role")] = None
    """SELinux: the role label."""
    selinux_type: Annotated[str | None, Wire("SELinuxContext.Type")] = None
    """SELinux: the type label."""
    selinux_level: Annotated[str | None, Wire("SELinuxContext.Level")] = None
    """SELinux: the level label."""
    credentialspec_config: Annotated[str | None, Wire("CredentialSpec.Config")] = None
    """Windows: a credential spec in a config, which is a :class:`ConfigReference` with ``runtime=True`` (API 1.40)."""
    seccomp_mode: Annotated[Literal["default", "unconfined", "custom"] | None, Wire("Seccomp.Mode")] = None
    """Which system calls are open to them (API 1.44)."""
    seccomp_profile: Annotated[str | bytes | Part | None, Wire("Seccomp.Profile", _profile)] = None
    """For the mode custom: the profile, as a dict or its JSON."""
    apparmor_mode: Annotated[Literal["default", "disabled"] | None, Wire("AppArmor.Mode")] = None
    """AppArmor (API 1.44)."""
    no_new_privileges: Annotated[bool | None, Wire("NoNewPrivileges")] = None
    """Programs can't gain more than they are started with (API 1.44)."""

    @model_validator(mode="after")
    def _one_spec(self) -> Self:
        given = [
            name
            for name in ("credentialspec_file", "credentialspec_registry", "credentialspec_config")
            if self.__dict__[name] is not None
        ]
        if len(given) > 1:
            raise InvalidArgument(f"{given[0]}: give only one of {', '.join(given)}")
        return self


def attachments(value: object, name: str = "networks") -> list[dict[str, Any]]:
    """Networks of a service: names, ids, values or dicts, as the Engine's dicts."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        parse.refuse(name, "a list of networks", value)
    return [{"Target": item} if isinstance(item, str) and item else shorthands.mapping(item, name) for item in value]


class NetworkAttachmentConfig(Value):
    """A network that a service is in: ``NetworkAttachmentConfig("net", aliases=["db"])``."""

    target: Annotated[str, Wire("Target")]
    """Its name or id."""
    aliases: Annotated[Sequence[str] | None, Wire("Aliases", parse.texts)] = None
    """Further names of the service in it."""
    options: Annotated[Texted | None, Wire("DriverOpts", parse.text_map)] = None
    """Options of the network's driver (API 1.30)."""


class NetworkAttachmentSpec(Value):
    """Stands for a container outside of services that is in one of the swarm's networks."""

    container_id: Annotated[str, Wire("ContainerID")]
    """The container."""


class PluginPrivilege(Value):
    """What a plugin asks for, and is given when it is installed."""

    name: Annotated[str, Wire("Name")]
    """network, mount, device, capabilities..."""
    description: Annotated[str | None, Wire("Description")] = None
    """For people."""
    value: Annotated[Sequence[str] | None, Wire("Value", parse.texts)] = None
    """Which ones."""


def _privileges(value: object, name: str) -> list[dict[str, Any]]:
    """In a service these have names in lower case."""
    return [{key.lower(): item for key, item in row.items()} for row in shorthands.mappings(value, name)]


class PluginSpec(Value):
    """A plugin that a service installs on nodes (API 1.31)."""

    name: Annotated[str | None, Wire("Name")] = None
    """The name that it gets."""
    remote: Annotated[str | None, Wire("Remote")] = None
    """Where it is pulled from."""
    disabled: Annotated[bool | None, Wire("Disabled")] = None
    """Install it, and don't enable it."""
    privileges: Annotated[Sequence[PluginPrivilege | Part] | None, Wire("privileges", _privileges)] = None
    """What it may do."""
    env: Annotated[parse.Environment | None, Wire("env", parse.environment)] = None
    """Its settings (API 1.41)."""
