"""gRPC framing: messages in a byte stream, and the status that ends a call."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import quote, unquote

from dockerkit.errors import DockerException

__all__ = ["CANCELLED", "MAX_MESSAGE", "NOT_FOUND", "OK", "UNAVAILABLE", "UNIMPLEMENTED", "UNKNOWN"]

OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS = 0, 1, 2, 3, 5, 6
RESOURCE_EXHAUSTED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 8, 9, 11, 12, 13, 14

MAX_MESSAGE = 16 * 1024 * 1024
"""Maximum size of a received message in bytes."""

_HEAD = 5


class GrpcError(DockerException):
    """A call to or from BuildKit failed; `details` is a serialized google.rpc.Status, if BuildKit sent one."""

    def __init__(self, status: int, message: str, details: bytes = b"") -> None:
        super().__init__(message or f"the call failed with gRPC status {status}")
        self.status = status
        self.message = message
        self.details = details


class MessageParser:
    """Splits received bytes into messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Add received bytes and return the messages they complete."""
        buffer = self._data
        buffer += data
        messages = []
        offset = 0
        while len(buffer) - offset >= _HEAD:
            if buffer[offset]:
                raise GrpcError(INTERNAL, "received a compressed message, but no compression was negotiated")
            length = int.from_bytes(buffer[offset + 1 : offset + _HEAD], "big")
            if length > MAX_MESSAGE:
                raise GrpcError(
                    RESOURCE_EXHAUSTED, f"received a message of {length} bytes; the maximum is {MAX_MESSAGE}"
                )
            if len(buffer) - offset - _HEAD < length:
                break
            messages.append(bytes(buffer[offset + _HEAD : offset + _HEAD + length]))
            offset += _HEAD + length
        del buffer[:offset]
        return messages

    @property
    def pending(self) -> int:
        """Return the number of bytes received of the incomplete message."""
        return len(self._data)

    @property
    def message_size(self) -> int:
        """Return the total size of the incomplete message, as far as known."""
        return _HEAD + int.from_bytes(self._data[1:_HEAD], "big") if len(self._data) >= _HEAD else 0


def framed(message: bytes) -> bytes:
    """Return a message with its length prefix."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def trailers(status: int, message: str = "") -> list[tuple[str, str]]:
    """Return the trailing headers that end a call."""
    pairs = [("grpc-status", str(status))]
    return [*pairs, ("grpc-message", quote(message, safe=" !#$&'()*+,/:;=?@[]"))] if message else pairs


def outcome(headers: Mapping[str, str]) -> GrpcError | None:
    """Return the failure reported by a call's trailing headers, if any."""
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
