"""The fuzzing targets. A target receives bytes, and may only raise exceptions of dockerkit, which reject the input."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dockerkit import errors
from dockerkit.builder import ignore
from dockerkit.credentials import auth
from dockerkit.endpoint import address
from dockerkit.files import extract
from dockerkit.parsing import reference, shorthands, values
from dockerkit.streams import frames, jsonlines
from dockerkit.transport.chunked import ChunkDecoder

Target = Callable[[bytes], None]


def cut(data: bytes) -> list[bytes]:
    """Return the input as blocks; its first byte is their length."""
    size = (data[0] if data else 0) % 97 + 1
    return [data[start : start + size] for start in range(1, len(data), size)]


def chunked(data: bytes) -> None:
    decoder = ChunkDecoder()
    for block in cut(data):
        if not decoder.done:
            decoder.feed(block)


def multiplexed(data: bytes) -> None:
    parser = frames.FrameParser()
    for block in cut(data):
        parser.feed(block)
    parser.close()


def json_lines(data: bytes) -> None:
    parser = jsonlines.JSONLines()
    for block in cut(data):
        for line in parser.feed(block):
            jsonlines.decode(line)
    parser.close()


def grpc_messages(data: bytes) -> None:
    from dockerkit.builder.buildkit import grpc

    parser = grpc.MessageParser()
    for block in cut(data):
        parser.feed(block)


def http2(data: bytes) -> None:
    """Feed arbitrary bytes of a peer to the HTTP/2 channel of a build session."""
    import h2.config
    import h2.connection
    import h2.exceptions

    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    connection.initiate_connection()
    try:
        connection.receive_data(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        for block in cut(data):
            connection.receive_data(block)
    except h2.exceptions.ProtocolError:
        pass


def image_reference(data: bytes) -> None:
    parsed = reference.Reference.parse(data.decode("utf-8", "replace"))
    assert reference.Reference.parse(str(parsed)) == parsed


def dockerignore(data: bytes) -> None:
    rules = ignore.IgnoreRules.read(data)
    for path in ("a", "a/b", "node_modules/x/y", "Dockerfile", "ä/ö"):
        rules.ignores(path)
        rules.may_descend(path)


def tar(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as outside:
        folder = Path(outside) / "inside"
        folder.mkdir()
        try:
            extract.extract(io.BytesIO(data), folder, max_bytes=1_000_000, max_members=100)
        finally:
            assert [entry.name for entry in Path(outside).iterdir()] == ["inside"], "written outside"


def config_file(data: bytes) -> None:
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(record, dict):
        auth.AuthConfig.load_config(None, record).resolve_authconfig("registry.example.com")


def text_of(parser: Callable[[Any], object]) -> Target:
    return lambda data: parser(data.decode("utf-8", "replace")) and None


def list_of(parser: Callable[[Any], object]) -> Target:
    return lambda data: parser(data.decode("utf-8", "replace").split("\n")) and None


TARGETS: dict[str, Target] = {
    "chunked": chunked,
    "frames": multiplexed,
    "json-lines": json_lines,
    "grpc": grpc_messages,
    "http2": http2,
    "reference": image_reference,
    "dockerignore": dockerignore,
    "tar": tar,
    "config-file": config_file,
    "size": text_of(values.size),
    "duration": text_of(values.nanoseconds),
    "command": text_of(values.command),
    "environment": list_of(values.environment),
    "ports": list_of(shorthands.published),
    "binds": list_of(shorthands.binds),
    "devices": list_of(shorthands.devices),
    "ulimit": text_of(shorthands.ulimit),
    "host": text_of(address.parse_host),
}
ALLOWED = (errors.DockerException,)


def run(name: str, data: bytes) -> None:
    """Run one target with one input."""
    with contextlib.suppress(ALLOWED):
        TARGETS[name](data)
