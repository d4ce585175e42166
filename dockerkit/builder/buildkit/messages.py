"""Protobuf messages that BuildKit and its clients exchange, described as data.

protobuf creates the classes from this table at import time. Generated modules would tie
every user of dockerkit to one protobuf version, and only field numbers and types matter on the wire.
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from dockerkit.builder.buildkit import grpc
from dockerkit.builder.buildkit.grpc import GrpcError

_PACKAGE = "dockerkit.buildkit"

# "name number type", types: protobuf's own or a message of the table; "*" in front: repeated; "map" is string → type.
_TABLE = """
Timestamp: seconds 1 int64, nanos 2 int32

HealthRequest: service 1 string
HealthResponse: status 1 int32

CredentialsRequest: host 1 string
CredentialsResponse: username 1 string, secret 2 string

GetSecretRequest: id 1 string, annotations 2 map string
GetSecretResponse: data 1 bytes

CheckAgentRequest: id 1 string
CheckAgentResponse:

BytesMessage: data 1 bytes

Packet: type 1 int32, stat 2 Stat, id 3 uint32, data 4 bytes
Stat: path 1 string, mode 2 uint32, uid 3 uint32, gid 4 uint32, size 5 int64, mtime 6 int64, linkname 7 string,
    devmajor 8 int64, devminor 9 int64, xattrs 10 map bytes

CacheEntry: type 1 string, attrs 2 map string
CacheOptions: exports 4 *CacheEntry, imports 5 *CacheEntry
Exporter: type 1 string, attrs 2 map string
SolveRequest: ref 1 string, exporter 3 string, exporter_attrs 4 map string, session 5 string, frontend 6 string,
    frontend_attrs 7 map string, cache 8 CacheOptions, entitlements 9 *string, internal 11 bool, exporters 13 *Exporter
SolveResponse: exporter_response 1 map string

GatewayRequest: frontend 2 string, frontend_attrs 3 map string, allow_result_return 5 bool
GatewayResponse: result 3 GatewayResult
GatewayResult: metadata 10 map bytes

StatusRequest: ref 1 string
StatusResponse: vertexes 1 *Vertex, statuses 2 *VertexStatus, logs 3 *VertexLog, warnings 4 *VertexWarning
Vertex: digest 1 string, inputs 2 *string, name 3 string, cached 4 bool, started 5 Timestamp, completed 6 Timestamp,
    error 7 string
VertexStatus: id 1 string, vertex 2 string, name 3 string, current 4 int64, total 5 int64, timestamp 6 Timestamp,
    started 7 Timestamp, completed 8 Timestamp
VertexLog: vertex 1 string, timestamp 2 Timestamp, stream 3 int64, msg 4 bytes
VertexWarning: vertex 1 string, level 2 int64, short 3 bytes, detail 4 *bytes, url 5 string, info 6 SourceInfo,
    ranges 7 *Range
SourceInfo: filename 1 string, data 2 bytes, language 4 string
Range: start 1 Position, end 2 Position
Position: line 1 int32, character 2 int32

ContentInfo: digest 1 string, size 2 int64, created_at 3 Timestamp, updated_at 4 Timestamp, labels 5 map string
ContentInfoRequest: digest 1 string
ContentInfoResponse: info 1 ContentInfo
ContentUpdateRequest: info 1 ContentInfo
ReadContentRequest: digest 1 string, offset 2 int64, size 3 int64
ReadContentResponse: offset 1 int64, data 2 bytes
WriteContentRequest: action 1 int32, ref 2 string, total 3 int64, expected 4 string, offset 5 int64, data 6 bytes
WriteContentResponse: action 1 int32, offset 4 int64, total 5 int64, digest 6 string

HistoryRequest: active_only 1 bool, ref 2 string, early_exit 3 bool
HistoryEvent: type 1 int32, record 2 HistoryRecord
HistoryRecord: ref 1 string, frontend_attrs 3 map string, error 5 RpcStatus, created_at 6 Timestamp,
    completed_at 7 Timestamp, num_cached_steps 15 int32, num_total_steps 16 int32

InfoRequest:
InfoResponse: version 1 Version

ListWorkersRequest: filter 1 *string
ListWorkersResponse: records 1 *Worker
Worker: id 1 string, labels 2 map string, platforms 3 *Platform, version 5 Version
Platform: architecture 1 string, os 2 string, variant 3 string
Version: package 1 string, version 2 string, revision 3 string

RpcStatus: code 1 int32, message 2 string, details 3 *Detail
Detail: type_url 1 string, value 2 bytes
"""

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "uint32": _Field.TYPE_UINT32,
}


def _add_field(
    message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str, *, repeated: bool = False
) -> None:
    field = message.field.add(name=name, number=number)
    field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    if kind in _TYPES:
        field.type = _TYPES[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"


def _describe(table: str) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="dockerkit/buildkit", package=_PACKAGE, syntax="proto3")
    for row in re.sub(r"\n +", " ", table).strip().splitlines():
        if not row:
            continue
        title, _, fields = row.partition(":")
        message = file.message_type.add(name=title)
        for definition in filter(None, (part.strip() for part in fields.split(","))):
            name, number, *kind = definition.split()
            if kind[0] == "map":
                entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
                entry.options.map_entry = True
                _add_field(entry, "key", 1, "string")
                _add_field(entry, "value", 2, kind[1])
                _add_field(message, name, int(number), f"{title}.{entry.name}", repeated=True)
            else:
                _add_field(message, name, int(number), kind[0].lstrip("*"), repeated=kind[0].startswith("*"))
    return file


_pool = descriptor_pool.DescriptorPool()  # a separate pool avoids clashes with other descriptors of the same messages
_pool.Add(_describe(_TABLE))


def parse(kind: str, data: bytes | None) -> Any:
    """Parse a message of the given kind, or raise GrpcError if it is missing or malformed."""
    if data is None:
        raise GrpcError(grpc.INTERNAL, f"missing message of type {kind}")
    try:
        return (globals().get(kind) or __getattr__(kind)).FromString(data)
    except DecodeError as error:
        raise GrpcError(grpc.INTERNAL, f"received a malformed message of type {kind}") from error


def __getattr__(name: str) -> Any:
    """Return the class of a message in the table."""
    try:
        descriptor = _pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    globals()[name] = message_factory.GetMessageClass(descriptor)
    return globals()[name]
