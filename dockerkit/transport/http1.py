"""HTTP/1.1 without I/O: formats the head of a request, and parses the head of a response.

Heads are parsed by h11, which follows RFC 9112 and refuses ambiguous ones: contradictory lengths, folded or damaged
header lines, codings other than ``chunked``. Three parts are implemented here because h11 was measured to be slow: the
head of a request (10 µs of a call's 60), plain and unambiguous heads of responses (4 µs instead of 27), and the chunked
coding (:mod:`dockerkit.transport.chunked`; three times slower for a stream of small chunks).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from dockerkit.errors import InvalidArgument

if TYPE_CHECKING:
    import h11

MAX_HEAD_BYTES = 64 * 1024
MAX_INTERIM = 32  # interim responses (1xx) before the final one

_LENGTH_DIGITS = 20  # as in h11
_SWITCHING_PROTOCOLS = 101

_UNSAFE_TARGET = re.compile(r"[^!-~]")
_UNSAFE_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")
_BODY_EXPECTED = frozenset({"POST", "PUT", "PATCH"})

# A complete final head in plain ASCII: nearly every response of an engine. h11 parses all others.
_PLAIN_HEAD = re.compile(
    rb"HTTP/1\.1 (101|[2-5][0-9]{2}) ([ -~]*+)\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~]*+\r\n)++)\r\n"
)


class Disconnected(ConnectionError):
    """The connection ended before the head of the response was complete."""


class InvalidResponse(OSError):
    """The received bytes are not an HTTP response."""


class Headers(Mapping[str, str]):
    """The headers of a response, with case-insensitive names. Values of a repeated header are joined with commas."""

    __slots__ = ("_items", "_raw")

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._raw = raw
        self._items: dict[str, tuple[str, str]] | None = None

    def _load(self) -> dict[str, tuple[str, str]]:
        if self._items is None:
            items: dict[str, tuple[str, str]] = {}
            for raw_name, raw_value in self._raw:
                name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
                previous = items.get(name.lower())
                items[name.lower()] = (name, value) if previous is None else (previous[0], f"{previous[1]}, {value}")
            self._items = items
        return self._items

    def __getitem__(self, name: str) -> str:
        return self._load()[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._load().values())

    def __len__(self) -> int:
        return len(self._load())

    def __repr__(self) -> str:
        return f"Headers({dict(self)!r})"


class Head(NamedTuple):
    """The head of a response, and the framing of its body.

    Attributes:
        length: bytes of the body; None if it is chunked or ends with the connection.
        chunked: whether the body uses the chunked coding.
        reusable: whether another request may follow on the connection.
        version: HTTP version, ``b"1.1"``.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    length: int | None
    chunked: bool
    reusable: bool
    version: bytes


def request_head(
    method: str, target: str, host: str, headers: Mapping[str, str], length: int | None, *, chunked: bool
) -> bytes:
    """Return the head of a request; refuse headers of the body's framing, and characters that could inject others."""
    if _UNSAFE_TARGET.search(target) or not method.isalpha():
        raise InvalidArgument(f"path: must be quoted ASCII, got {method} {target.partition('?')[0]!r}")
    lines = [f"{method} {target} HTTP/1.1\r\nHost: {host}"]
    has_encoding = False
    for name, value in headers.items():
        lines.append(f"{name}: {value}")
        lowered = name.lower()
        if lowered == "accept-encoding":
            has_encoding = True
        elif lowered in ("content-length", "transfer-encoding", "host"):
            raise InvalidArgument(f"headers: {name} is set by dockerkit and can't be passed")
    if not has_encoding:
        lines.append("Accept-Encoding: identity")
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif length is not None or method in _BODY_EXPECTED:
        lines.append(f"Content-Length: {length or 0}")
    if any(_UNSAFE_HEADER.search(line) for line in lines[1:]):
        raise InvalidArgument("headers: must not have control characters")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class HeadParser:
    """Incremental parser: takes blocks and returns the final head; interim responses before it are skipped.

    Attributes:
        rest: bytes after the head.
    """

    __slots__ = ("_h11", "_interim", "_method", "_upgrade", "rest")

    def __init__(self, method: str, *, upgrade: bool = False) -> None:
        self.rest: bytes = b""
        self._h11: h11.Connection | None = None
        self._method = method
        self._upgrade = upgrade
        self._interim = 0

    def feed(self, data: bytes) -> Head | None:
        """Parse a block, which is empty at the end of the connection; return the head as soon as it is complete."""
        if not data:
            raise Disconnected("the connection was closed before the response was complete")
        if self._h11 is None and (match := _PLAIN_HEAD.match(data)) is not None:
            status = int(match[1])
            fields = [line.partition(b":") for line in match[3][:-2].split(b"\r\n")]
            raw = [(name, value.strip()) for name, _, value in fields]
            head = self._head(status, match[2], raw, b"1.1")
            if head is not None and (status != _SWITCHING_PROTOCOLS or self._upgrade):
                self.rest = data[match.end() :]
                return head
        return self._parse_with_h11(data)

    def _parse_with_h11(self, data: bytes) -> Head | None:
        import h11  # rarely needed, and slow to import

        try:
            if self._h11 is None:  # it has to know the request
                upgrade = [("Connection", "Upgrade"), ("Upgrade", "tcp")] if self._upgrade else []
                self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
                self._h11.send(h11.Request(method="GET", target="/", headers=[("Host", "docker"), *upgrade]))
            self._h11.receive_data(data)
            while (event := self._h11.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Response) or (
                    isinstance(event, h11.InformationalResponse) and event.status_code == _SWITCHING_PROTOCOLS
                ):
                    self.rest = self._h11.trailing_data[0]
                    raw = event.headers.raw_items()  # a list; iterating over h11's own object is slow
                    return self._head(event.status_code, event.reason, raw, event.http_version)
                self._interim += 1
                if self._interim > MAX_INTERIM:
                    raise InvalidResponse(f"more than {MAX_INTERIM} interim responses arrived before the final one")
        except h11.RemoteProtocolError as error:
            raise InvalidResponse(str(error)) from error
        return None

    def _head(self, status: int, reason: bytes, raw: list[tuple[bytes, bytes]], version: bytes) -> Head | None:
        """Return the head; None if its framing is left to h11."""
        length: int | None = None
        chunked = False
        reusable = version == b"1.1"
        for raw_name, value in raw:
            name = raw_name.lower()
            if name == b"content-length":
                if length is not None or not value.isdigit() or len(value) > _LENGTH_DIGITS:
                    return None
                length = int(value)
            elif name == b"transfer-encoding":
                if chunked or value != b"chunked":
                    return None
                chunked = True
            elif name == b"connection" and b"close" in value.lower():
                reusable = False
        if chunked and length is not None:  # the coding takes precedence, but a proxy in between may disagree
            length, reusable = None, False
        if self._method == "HEAD" or status in (204, 304):
            length, chunked = 0, False
        elif length is None and not chunked:
            reusable = False
        return Head(
            status,
            reason.decode("latin-1"),
            Headers(raw),
            length,
            chunked,
            reusable,
            version,
        )
