"""Send a tree of files to BuildKit, which requests only files that changed since the last transfer."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote_plus

from dockerkit.builder.buildkit import grpc, messages
from dockerkit.builder.buildkit.call import RpcCall
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.builder.buildkit.tree import Item, Tree, invalid_name_error, walk
from dockerkit.files.modes import to_go
from dockerkit.files.reading import file_blocks

__all__ = ["send_tree"]

_STAT, _REQ, _DATA, _FIN, _ERR = range(5)
_BLOCK = 32 * 1024
_CHECK_INTERVAL = 256  # entries sent before checking for requests


def send_tree(call: RpcCall, tree: Tree) -> None:
    """Serve a call of ``FileSync/DiffCopy``. Files that can't be read or sent are also reported to BuildKit."""
    try:
        include, exclude = _values(call, "include-patterns"), _values(call, "exclude-patterns")
        _Sender(call).run(walk(tree, include=include, exclude=exclude, follow=_values(call, "followpaths")))
    except GrpcError:
        raise
    except Exception as error:
        with suppress(GrpcError):
            call.send(messages.Packet(type=_ERR, data=str(error).encode()))
        raise


def _values(call: RpcCall, name: str) -> list[str]:
    values = call.values(name)
    return [unquote_plus(value) for value in values] if call.header(f"{name}-encoded") else values


class _Sender:
    def __init__(self, call: RpcCall) -> None:
        self._call = call
        self._files: dict[int, Item] = {}
        self._requested: deque[int] = deque()
        self._first_paths: dict[tuple[int, int], str] = {}
        self._complete = False

    def run(self, entries: Iterator[tuple[str, Item]]) -> None:
        send = self._call.send
        for number, (path, item) in enumerate(entries):
            send(messages.Packet(type=_STAT, stat=self._stat(number, path, item)), flush=False)
            if number % _CHECK_INTERVAL == _CHECK_INTERVAL - 1:
                self._check_requests()
        send(messages.Packet(type=_STAT))
        while True:
            while self._requested:
                self._send_file(self._requested.popleft())
            if self._complete:
                break
            self._handle(self._call.receive())
        send(messages.Packet(type=_FIN))  # then BuildKit waits for the end of the call

    def _check_requests(self) -> None:
        with suppress(TimeoutError):
            while not self._complete:
                self._handle(self._call.receive(0))

    def _handle(self, message: bytes | None) -> None:
        if message is None:
            raise GrpcError(grpc.CANCELLED, "BuildKit ended the transfer of files before it was complete")
        packet = messages.parse("Packet", message)
        if packet.type == _REQ:
            self._requested.append(packet.id)
        elif packet.type == _FIN:
            self._complete = True
        elif packet.type == _ERR:
            raise GrpcError(grpc.CANCELLED, packet.data.decode("utf-8", "replace"))

    def _stat(self, number: int, path: str, item: Item) -> object:
        kind = stat.S_IFMT(item.mode)
        mode = to_go(item.mode if kind != stat.S_IFSOCK else item.mode & 0o7777)
        try:
            entry = messages.Stat(path=path, mode=mode, mtime=item.mtime, linkname=item.link, xattrs=item.xattrs)
        except UnicodeEncodeError:
            raise invalid_name_error(path) from None
        if kind == stat.S_IFREG:
            first = self._first_paths.setdefault(item.inode, path) if item.inode else path
            if first != path:
                entry.linkname = first
            else:
                entry.size = item.size
                self._files[number] = item
        elif item.device:
            entry.devmajor, entry.devminor = os.major(item.device), os.minor(item.device)
        elif kind == stat.S_IFSOCK:
            self._files[number] = item._replace(source=b"")  # arrives as an empty file
        return entry

    def _send_file(self, number: int) -> None:
        item = self._files.get(number)
        if item is None:
            raise GrpcError(grpc.INTERNAL, f"BuildKit requested entry {number}, which is not a regular file")
        for block in _blocks(item):
            self._call.send(messages.Packet(type=_DATA, id=number, data=block))
        self._call.send(messages.Packet(type=_DATA, id=number), flush=False)
        if not self._requested:
            self._check_requests()


def _blocks(item: Item) -> Iterator[bytes]:
    source = item.source
    if isinstance(source, bytes):
        return (source[offset : offset + _BLOCK] for offset in range(0, len(source), _BLOCK))
    return file_blocks(source, _BLOCK)
