"""Parts of a service: secrets, configs, placement, networks, privileges, plugins."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from dockerkit.errors import InvalidArgument
from dockerkit.parsing import shorthands, values
from dockerkit.types.base import Value, engine_dict
from dockerkit.types.host_options import HasId
from dockerkit.types.option_schema import EngineField

Part = Mapping[str, Any]
StringMap = Mapping[str, str | int | float | bool]


def _reference(value: object, name: str) -> str:
    """Return an ID, from a string, the Engine's dict, or an object."""
    if isinstance(value, Mapping):
        value = value.get("ID", value.get("Id"))
    return values.string(getattr(value, "id", value), name)


def _id(value: object, name: str) -> str:
    return str(values.integer(value, name)) if isinstance(value, int) else values.string(value, name)


class SecretReference(Value):
    """A secret that containers can read: ``SecretReference(secret.id, secret.name)``."""

    secret_id: Annotated[str | Part | HasId, EngineField("SecretID", _reference)]
    """Its ID, the object, or a dict with ``ID``."""
    secret_name: Annotated[str, EngineField("SecretName")]
    """Its name."""
    filename: Annotated[str | None, EngineField("File.Name", values.string)] = None
    """Name of the file below ``/run/secrets``; None uses the secret's name."""
    uid: Annotated[str | int | None, EngineField("File.UID", _id)] = None
    """Owner of the file; None is 0."""
    gid: Annotated[str | int | None, EngineField("File.GID", _id)] = None
    """Group of the file; None is 0."""
    mode: Annotated[int, EngineField("File.Mode")] = 0o444
    """Permissions of the file."""

    def to_engine(self) -> dict[str, Any]:
        """Return the Engine's dict."""
        body = super().to_engine()
        body["File"] = {"Name": self.secret_name, "UID": "0", "GID": "0", **body["File"]}
        return body


class ConfigReference(Value):
    """A config that containers can read: ``ConfigReference(config.id, config.name, "/etc/app.conf")``."""

    config_id: Annotated[str | Part | HasId, EngineField("ConfigID", _reference)]
    """Its ID, the object, or a dict with ``ID``."""
    config_name: Annotated[str, EngineField("ConfigName")]
    """Its name."""
    filename: Annotated[str | None, EngineField("File.Name", values.string)] = None
    """Path of the file; None uses the config's name in the root folder."""
    uid: Annotated[str | int | None, EngineField("File.UID", _id)] = None
    """Owner of the file; None is 0."""
    gid: Annotated[str | int | None, EngineField("File.GID", _id)] = None
    """Group of the file; None is 0."""
    mode: Annotated[int, EngineField("File.Mode")] = 0o444
    """Permissions of the file."""
    runtime: Annotated[bool | Part | None, EngineField("")] = None
    """True: for the engine itself instead of a file, such as a credential spec (API 1.40)."""

    def to_engine(self) -> dict[str, Any]:
        """Return the Engine's dict."""
        body = super().to_engine()
        if self.runtime is not None and self.runtime is not False:
            del body["File"]
            return {**body, "Runtime": {}}
        body["File"] = {"Name": self.config_name, "UID": "0", "GID": "0", **body["File"]}
        return body


class PlacementPreference(Value):
    """Label over which to spread tasks: ``PlacementPreference("spread", "node.labels.rack")``."""

    strategy: Annotated[Literal["spread"], EngineField("")]
    """Strategy; only spread is supported."""
    descriptor: Annotated[str, EngineField("Spread.SpreadDescriptor")]
    """Label of nodes or engines."""


def _preferences(value: object, name: str) -> list[dict[str, Any]]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        values.raise_invalid(name, "a list of preferences", value)
    return [_preference(item, name) for item in value]


def _preference(value: object, name: str) -> dict[str, Any]:
    if isinstance(value, tuple):
        return PlacementPreference(*value).to_engine()
    if isinstance(value, Mapping) and "strategy" in value:
        return engine_dict(PlacementPreference, value, name)
    return shorthands.mapping(value, name)


def _platforms(value: object, name: str) -> list[dict[str, Any]]:
    """Return platforms, from pairs of architecture and system, ``"linux/arm64"`` strings, or the Engine's dicts."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        values.raise_invalid(name, "a list of platforms", value)
    plain = []
    for item in value:
        if isinstance(item, Mapping):
            plain.append(shorthands.mapping(item, name))
            continue
        pair = item.split("/")[1::-1] if isinstance(item, str) else item
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            values.raise_invalid(name, "(architecture, system)", item)
        plain.append({"Architecture": values.string(pair[0], name), "OS": values.string(pair[1], name)})
    return plain


class Placement(Value):
    """Which nodes may run the tasks of a service: ``Placement(["node.role == worker"], maxreplicas=1)``."""

    constraints: Annotated[Sequence[str] | None, EngineField("Constraints", values.string_list)] = None
    """Constraints: ``["node.labels.disk == ssd"]``."""
    preferences: Annotated[
        Sequence[PlacementPreference | tuple[str, str] | Part] | None, EngineField("Preferences", _preferences)
    ] = None
    """Labels over which to spread tasks: ``[("spread", "node.labels.rack")]`` (API 1.28)."""
    platforms: Annotated[Sequence[tuple[str, str] | str | Part] | None, EngineField("Platforms", _platforms)] = None
    """Platforms: ``[("amd64", "linux")]`` (API 1.30)."""
    maxreplicas: Annotated[int | None, EngineField("MaxReplicas")] = None
    """Maximum number of tasks per node (API 1.40)."""


class DNSConfig(Value):
    """Name servers of containers."""

    nameservers: Annotated[Sequence[str] | None, EngineField("Nameservers", values.string_list)] = None
    """Addresses of name servers."""
    search: Annotated[Sequence[str] | None, EngineField("Search", values.string_list)] = None
    """Search domains."""
    options: Annotated[Sequence[str] | None, EngineField("Options", values.string_list)] = None
    """Options for resolv.conf."""


def _profile(value: object, name: str) -> str:
    """Return a seccomp profile as base64 of its JSON, as the Engine takes it."""
    if isinstance(value, Mapping):
        value = json.dumps(shorthands.mapping(value, name))
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        values.raise_invalid(name, "a profile as a dict, or as JSON", value)
    return base64.b64encode(value).decode()


class Privileges(Value):
    """Security options of the containers of a service (API 1.29)."""

    credentialspec_file: Annotated[str | None, EngineField("CredentialSpec.File")] = None
    """Windows: a credential spec's file."""
    credentialspec_registry: Annotated[str | None, EngineField("CredentialSpec.Registry")] = None
    """Windows: a credential spec's name in the registry."""
    selinux_disable: Annotated[bool | None, EngineField("SELinuxContext.Disable")] = None
    """Disable SELinux."""
    selinux_user: Annotated[str | None, EngineField("SELinuxContext.User")] = None
    """SELinux: the user label."""
    selinux_role: Annotated[str | None, EngineField("SELinuxContext.Role")] = None
    """SELinux: the role label."""
    selinux_type: Annotated[str | None, EngineField("SELinuxContext.Type")] = None
    """SELinux: the type label."""
    selinux_level: Annotated[str | None, EngineField("SELinuxContext.Level")] = None
    """SELinux: the level label."""
    credentialspec_config: Annotated[str | None, EngineField("CredentialSpec.Config")] = None
    """Windows: a credential spec in a config, which is a :class:`ConfigReference` with ``runtime=True`` (API 1.40)."""
    seccomp_mode: Annotated[Literal["default", "unconfined", "custom"] | None, EngineField("Seccomp.Mode")] = None
    """Seccomp mode (API 1.44)."""
    seccomp_profile: Annotated[str | bytes | Part | None, EngineField("Seccomp.Profile", _profile)] = None
    """Seccomp profile for the mode custom, as a dict or JSON."""
    apparmor_mode: Annotated[Literal["default", "disabled"] | None, EngineField("AppArmor.Mode")] = None
    """AppArmor mode (API 1.44)."""
    no_new_privileges: Annotated[bool | None, EngineField("NoNewPrivileges")] = None
    """Prevent processes from gaining privileges (API 1.44)."""

    @model_validator(mode="after")
    def _check_credential_spec(self) -> Self:
        passed = [
            name
            for name in ("credentialspec_file", "credentialspec_registry", "credentialspec_config")
            if self.__dict__[name] is not None
        ]
        if len(passed) > 1:
            raise InvalidArgument(f"{passed[0]}: pass only one of {', '.join(passed)}")
        return self


def attachments(value: object, name: str = "networks") -> list[dict[str, Any]]:
    """Return networks of a service as the Engine's dicts, from names, IDs, values or dicts."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        values.raise_invalid(name, "a list of networks", value)
    return [
        {"Target": item} if isinstance(item, str) and item else engine_dict(NetworkAttachmentConfig, item, name)
        for item in value
    ]


class NetworkAttachmentConfig(Value):
    """A network of a service: ``NetworkAttachmentConfig("net", aliases=["db"])``."""

    target: Annotated[str, EngineField("Target")]
    """Name or ID of the network."""
    aliases: Annotated[Sequence[str] | None, EngineField("Aliases", values.string_list)] = None
    """Additional names of the service in the network."""
    options: Annotated[StringMap | None, EngineField("DriverOpts", values.string_map)] = None
    """Options of the network driver (API 1.30)."""


class NetworkAttachmentSpec(Value):
    """A standalone container in a network of the swarm."""

    container_id: Annotated[str, EngineField("ContainerID")]
    """The container."""


class PluginPrivilege(Value):
    """A privilege that a plugin requests, and is granted when it is installed."""

    name: Annotated[str, EngineField("Name")]
    """Kind: network, mount, device, capabilities..."""
    description: Annotated[str | None, EngineField("Description")] = None
    """Description for users."""
    value: Annotated[Sequence[str] | None, EngineField("Value", values.string_list)] = None
    """Granted values."""


def _privileges(value: object, name: str) -> list[dict[str, Any]]:
    """Return privileges with lower-case keys, as services take them."""
    return [{key.lower(): item for key, item in row.items()} for row in shorthands.mappings(value, name)]


class PluginSpec(Value):
    """A plugin that a service installs on nodes (API 1.31)."""

    name: Annotated[str | None, EngineField("Name")] = None
    """Local name of the plugin."""
    remote: Annotated[str | None, EngineField("Remote")] = None
    """Reference from which it is pulled."""
    disabled: Annotated[bool | None, EngineField("Disabled")] = None
    """Install the plugin without enabling it."""
    privileges: Annotated[Sequence[PluginPrivilege | Part] | None, EngineField("privileges", _privileges)] = None
    """Granted privileges."""
    env: Annotated[values.Environment | None, EngineField("env", values.environment)] = None
    """Settings of the plugin (API 1.41)."""
