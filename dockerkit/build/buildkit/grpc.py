"""gRPC's own part of a call: messages in a stream of bytes, and how a call ends."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import quote, unquote

from dockerkit.errors import DockerException

__all__ = ["CANCELLED", "MAX_MESSAGE", "NOT_FOUND", "OK", "UNAVAILABLE", "UNIMPLEMENTED", "UNKNOWN"]

OK, CANCELLED, UNKNOWN, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 0, 1, 2, 5, 8, 12, 13, 14

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of the largest message that is taken."""

_HEAD = 5


class GrpcError(DockerException):
    """A call between BuildKit and us failed.

    Attributes:
        status: gRPC's number for the kind of failure.
        message: its text.
        details: the record with details as BuildKit sent it (a google.rpc.Status), or b"".
    """

    def __init__(self, status: int, message: str, details: bytes = b"") -> None:
        super().__init__(message or f"the call failed with gRPC status {status}")
        self.status = status
        self.message = message
        self.details = details


class MessageParser:
    """Cuts what comes into messages.

    Raises:
        GrpcError: a message is compressed, which nobody agreed on, or larger than `MAX_MESSAGE`.
    """

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take some bytes; the messages that are now whole."""
        held = self._data
        held += data
        messages = []
        at = 0
        while len(held) - at >= _HEAD:
            if held[at]:
                raise GrpcError(INTERNAL, "a compressed message came, though no compression was agreed on")
            length = int.from_bytes(held[at + 1 : at + _HEAD], "big")
            if length > MAX_MESSAGE:
                raise GrpcError(RESOURCE_EXHAUSTED, f"a message of {length} bytes came; {MAX_MESSAGE} are allowed")
            if len(held) - at - _HEAD < length:
                break
            messages.append(bytes(held[at + _HEAD : at + _HEAD + length]))
            at += _HEAD + length
        del held[:at]
        return messages

    @property
    def pending(self) -> int:
        """Bytes of a message that is not whole yet."""
        return len(self._data)

    @property
    def wanted(self) -> int:
        """Bytes that this message will have, as far as known."""
        return _HEAD + int.from_bytes(self._data[1:_HEAD], "big") if len(self._data) >= _HEAD else 0


def framed(message: bytes) -> bytes:
    """A message as it travels."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def trailers(status: int, message: str = "") -> list[tuple[str, str]]:
    """The headers that end a call."""
    pairs = [("grpc-status", str(status))]
    return [*pairs, ("grpc-message", quote(message, safe=" !#$&'()*+,/:;=?@[]"))] if message else pairs


def outcome(headers: Mapping[str, str]) -> GrpcError | None:
    """The failure that the last headers of a call tell of."""
    try:
        status = int(headers.get("grpc-status", UNKNOWN))
    except ValueError:
        status = UNKNOWN
    if status == OK:
        return None
    details = headers.get("grpc-status-details-bin", "")
    try:
        record = base64.b64decode(details + "=" * (-len(details) % 4))
    except (binascii.Error, ValueError):
        record = b""
    return GrpcError(status, unquote(headers.get("grpc-message", "")), record)
