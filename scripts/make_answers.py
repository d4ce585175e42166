#!/usr/bin/env python3
"""Write dockerkit/types/answers.py: TypedDicts of the Engine's responses and bodies, from its OpenAPI documents.

    scripts/make_answers.py v1.55.yaml [v1.41.yaml ...]

The first document is the newest. Older ones only add what it no longer has, so that fields which old engines still send
can be named. Names and types are taken, nothing else. The documents are at github.com/moby/moby, under api/docs.

Needs PyYAML.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from pathlib import Path
from typing import Any

import yaml

MODULE = Path(__file__).resolve().parent.parent / "dockerkit/types/answers.py"
Schema = dict[str, Any]

HEADER = '''"""What the Engine's JSON holds, as TypedDicts. Made by scripts/make_answers.py: change the script, not this file.

For editors and type checkers only: nothing here is imported when dockerkit runs, and answers stay the engine's own
dicts. Engines differ, so no key is sure to be there: use ``.get`` where that matters. (The types of answers have all
keys required nevertheless, so that type checkers let them be read; those of bodies only have none.) Enumerations are
open, so they are plain ``str``; moments are RFC 3339 text, and ``0001-01-01T00:00:00Z`` means never. Longer than other
modules, as it is generated.
"""

from __future__ import annotations

from typing import Any, TypedDict

'''

# The documents' faults: what a field, or a type, is in truth.
PATCHES = {
    "ContainerConfig.Cmd": "list[str] | None",
    "ContainerConfig.Entrypoint": "list[str] | None",
    "ContainerConfig.ExposedPorts": "dict[str, dict[str, Any]] | None",
    "ContainerConfig.Volumes": "dict[str, dict[str, Any]] | None",
    "ContainerInspectResponse.HostConfig": "HostConfig",
    "HealthConfig.Test": "list[str]",
    "PortMap": "dict[str, list[PortBinding] | None]",
    "ContainerTopResponse.Processes": "list[list[str]] | None",
    "SystemInfo.DriverStatus": "list[list[str]] | None",
    "SystemInfo.SystemStatus": "list[list[str]] | None",
}
# Fields that engines spell otherwise than the documents.
RENAMED = {"HealthCheck": "Healthcheck"}
# Lists and maps that engines send as null where they are empty, though the document does not say so: seen on real ones
# by tests/integration/test_answers.py.
NULLABLE = {
    "BuildPruneResponse": {"CachesDeleted"},
    "ContainerBlkioStats": {"io_service_bytes_recursive"},
    "ContainerConfig": {"Env", "Labels"},
    "ContainerPruneResponse": {"ContainersDeleted"},
    "DistributionInspect": {"Platforms"},
    "DriverData": {"Data"},
    "EndpointSettings": {"Aliases", "DNSNames", "IPAMConfig", "Links"},
    "ExecInspectResponse": {"ExitCode"},
    "Health": {"Log"},
    "Network": {"Containers", "Labels"},
    "HostConfig": {
        "Binds",
        "CapAdd",
        "CapDrop",
        "Dns",
        "DnsOptions",
        "DnsSearch",
        "ExtraHosts",
        "GroupAdd",
        "Links",
        "PortBindings",
        "SecurityOpt",
        "VolumesFrom",
    },
    "IPAM": {"Config", "Options"},
    "ImageConfig": {"Entrypoint", "Labels", "Volumes"},
    "ImagePruneResponse": {"ImagesDeleted"},
    "ImageSummary": {"Labels", "RepoDigests", "RepoTags"},
    "NetworkPruneResponse": {"NetworksDeleted"},
    "PluginsInfo": {"Authorization"},
    "RegistryServiceConfig": {
        "AllowNondistributableArtifactsCIDRs",
        "AllowNondistributableArtifactsHostnames",
        "Mirrors",
    },
    "Resources": {
        "BlkioDeviceReadBps",
        "BlkioDeviceReadIOps",
        "BlkioDeviceWriteBps",
        "BlkioDeviceWriteIOps",
        "BlkioWeightDevice",
        "DeviceCgroupRules",
        "DeviceRequests",
        "Devices",
        "MemorySwappiness",
        "Ulimits",
    },
    "SystemInfo": {"GenericResources"},
    "Volume": {"Labels", "Options"},
    "VolumeListResponse": {"Volumes", "Warnings"},
    "VolumePruneResponse": {"VolumesDeleted"},
}


class Documents:
    """The combined definitions of all documents, and the types created from them so far."""

    def __init__(self, documents: list[Schema]) -> None:
        self.definitions: dict[str, Schema] = {}
        self.operations: dict[str, Schema] = {}
        for document in documents:
            for name, schema in document["definitions"].items():
                add_older(self.definitions.setdefault(name, schema), schema)
            for methods in document["paths"].values():
                for operation in methods.values():
                    self.operations.setdefault(operation["operationId"], operation)
        self.lines: dict[str, list[str]] = {}
        self.answered: set[str] = {"EventMessage", "BuildInfo", "CreateImageInfo", "PushImageInfo"}
        self.bases: dict[str, list[str]] = {}
        self.aliases: dict[str, str] = {}

    def write(self) -> str:
        for name, schema in self.definitions.items():
            self.named(name, schema)
        for name, operation in self.operations.items():
            for code, response in operation["responses"].items():
                if str(code).startswith("2") and "schema" in response:
                    self.anonymous(f"{name}Response", response["schema"])
                    self.answered.add(self.type_of(f"{name}Response", response["schema"]))
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "body" and "schema" in parameter:
                    self.anonymous(f"{name}Body", parameter["schema"])
        self.require_keys()
        classes = "\n\n\n".join("\n".join(self.lines[name]) for name in self.bases_first())
        aliases = "\n".join(f"{name} = {self.aliases[name]}" for name in sorted(self.aliases))
        return f"{HEADER}\n{classes}\n\n\n{aliases}\n"

    def require_keys(self) -> None:
        """Make the types of responses total, so that their keys can be read."""
        seen: set[str] = set()
        todo = {word for kind in self.answered for word in re.findall(r"\w+", kind)}
        while todo:
            name = todo.pop()
            seen.add(name)
            text = "\n".join(self.lines.get(name, [])) + self.aliases.get(name, "")
            todo |= {word for word in re.findall(r"\w+", text) if word in self.lines or word in self.aliases} - seen
        for name in seen & self.lines.keys():
            self.lines[name] = [
                line.replace(", total=False):", "):") for line in self.lines[name] if line != "    total=False,"
            ]

    def bases_first(self) -> list[str]:
        """Return the classes by name, each after its base classes."""
        order: dict[str, None] = {}

        def add(name: str) -> None:
            for base in self.bases[name]:
                add(base)
            order[name] = None

        for name in sorted(self.lines):
            add(name)
        return list(order)

    def anonymous(self, name: str, schema: Schema) -> None:
        """Define a request or response that has no name in the document."""
        if "$ref" in schema or name in self.definitions or not (properties(schema, self) or "allOf" in schema):
            return
        self.named(name, schema)

    def named(self, name: str, schema: Schema) -> None:
        """Define a name: a TypedDict for an object with known fields, otherwise an alias."""
        if name in PATCHES:
            self.type_of(name, schema, top=True)  # defines what the patch may name
            self.aliases[name] = PATCHES[name]
            return
        bases, fields = inherited(schema), properties(schema, self)
        if not fields and not bases:
            self.aliases[name] = self.type_of(name, schema, top=True)
            return
        self.bases[name] = bases
        taken = {field for base in bases for field in properties(self.definitions[base], self)}
        body = {field: self.field_type(name, field, part) for field, part in fields.items() if field not in taken}
        if all(field.isidentifier() and not keyword.iskeyword(field) for field in body):
            lines = [f"class {name}({', '.join(bases or ['TypedDict'])}, total=False):"]
            lines += [f"    {field}: {kind}" for field, kind in body.items()] or ["    pass"]
        else:
            lines = [f"{name} = TypedDict(", f'    "{name}",', "    {"]
            lines += [f'        "{field}": "{kind}",' for field, kind in body.items()]
            lines += ["    },", "    total=False,", ")"]
        self.lines[name] = lines

    def field_type(self, owner: str, field: str, schema: Schema) -> str:
        path = f"{owner}.{field}"
        kind = PATCHES.get(path) or self.type_of(owner + upper(field), schema)
        nullable = schema.get("x-nullable") is True or field in NULLABLE.get(owner, ())
        return f"{kind} | None" if nullable and not kind.endswith("None") and kind != "Any" else kind

    def type_of(self, name: str, schema: Schema, *, top: bool = False) -> str:
        """Return the type of a schema; objects inside it are defined under the given name."""
        if "$ref" in schema:
            return str(schema["$ref"].rpartition("/")[2])
        parts = schema.get("allOf")
        if parts and not top:
            if len(parts) == 1:
                return self.type_of(name, parts[0])
            self.named(name, schema)
            return name
        kind = schema.get("type")
        if kind == "array":
            items = self.type_of(singular(name), schema["items"])
            return f"list[{items} | None]" if schema["items"].get("x-nullable") is True else f"list[{items}]"
        if isinstance(schema.get("additionalProperties"), dict):
            value = schema["additionalProperties"]
            inner = self.type_of(singular(name), value)
            return f"dict[str, {inner} | None]" if value.get("x-nullable") is True else f"dict[str, {inner}]"
        if properties(schema, self) and not top:
            self.named(name, schema)
            return name
        simple = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict[str, Any]"}
        return simple.get(str(kind), "Any")


def inherited(schema: Schema) -> list[str]:
    """Return the definitions that a schema includes completely."""
    return [part["$ref"].rpartition("/")[2] for part in schema.get("allOf", []) if "$ref" in part]


def properties(schema: Schema, documents: Documents) -> dict[str, Schema]:
    """Return the fields of a schema, without those of included definitions; all fields of a reference."""
    if "$ref" in schema:
        target = documents.definitions[schema["$ref"].rpartition("/")[2]]
        inner = properties(target, documents)
        for base in inherited(target):
            inner |= properties(documents.definitions[base], documents)
        return inner
    fields: dict[str, Schema] = dict(schema.get("properties") or {})
    for part in schema.get("allOf", []):
        if "$ref" not in part:
            fields |= part.get("properties") or {}
    return {RENAMED.get(name, name): schema for name, schema in fields.items()}


def add_older(newer: Schema, older: Schema) -> None:
    """Add the fields that only an older document has, at any depth."""
    if newer is older or "$ref" in newer or "$ref" in older:
        return
    for key in ("items", "additionalProperties"):
        if isinstance(newer.get(key), dict) and isinstance(older.get(key), dict):
            add_older(newer[key], older[key])
    if "allOf" in newer:
        objects = [part for part in newer["allOf"] if "$ref" not in part]
        for part in older.get("allOf", [older]):
            if objects and "$ref" not in part:
                add_older(objects[0], part)
        return
    if not newer.get("properties") or not older.get("properties"):
        return
    for name, schema in older["properties"].items():
        add_older(newer["properties"].setdefault(name, schema), schema)


def upper(field: str) -> str:
    """Return a field's name as part of a class name."""
    return "".join(part[:1].upper() + part[1:] for part in field.replace("-", "_").replace(".", "_").split("_"))


def singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us")) else name + "Item"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", nargs="+", type=Path, help="OpenAPI documents, the newest first")
    arguments = parser.parse_args()
    MODULE.write_text(Documents([yaml.safe_load(path.read_text()) for path in arguments.documents]).write())
    return 0


if __name__ == "__main__":
    sys.exit(main())
