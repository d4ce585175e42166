"""What the tests of BuildKit builds share."""

from __future__ import annotations

import contextlib
import io
import select
import socket
import ssl
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dockerkit import APIClient
from dockerkit.build.buildkit import Output, build

COPY_ALL = "FROM scratch\nCOPY . /\n"


def built_files(api: APIClient, **options: Any) -> dict[str, tarfile.TarInfo | bytes]:
    """The files of an image by name: content of regular ones, the archive's record of others."""
    archive = io.BytesIO()
    build(api, outputs=Output("tar", archive), **options)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        return {
            one.name.strip("./"): tar.extractfile(one).read() if one.isreg() else one  # type: ignore[union-attr]
            for one in tar
            if one.name.strip("./")
        }


def built_members(api: APIClient, **options: Any) -> dict[str, tarfile.TarInfo]:
    """The archive's records of an image's files by name."""
    archive = io.BytesIO()
    build(api, outputs=Output("tar", archive), **options)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        return {one.name.strip("./"): one for one in tar if one.name.strip("./")}


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def ours() -> list[str]:
    """Threads of BuildKit connections that are alive."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("dockerkit")]


@contextlib.contextmanager
def tls_door(engine_socket: Path, context: ssl.SSLContext) -> Iterator[int]:
    """A TLS port that leads to an engine's Unix socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    ends: list[socket.socket] = []

    def plain(raw: socket.socket) -> None:
        # Python's TLS sockets must not be read and written by two threads: one thread does both.
        try:
            secure = context.wrap_socket(raw, server_side=True)
        except OSError:
            raw.close()
            return
        inner = socket.socket(socket.AF_UNIX)
        inner.connect(str(engine_socket))
        ends.extend((secure, inner))
        try:
            while True:
                waiting = [secure] if secure.pending() else select.select([secure, inner], [], [])[0]
                for one in waiting:
                    data = one.recv(65536)
                    if not data:
                        return
                    (inner if one is secure else secure).sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            secure.close()
            inner.close()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = listener.accept()
                threading.Thread(target=plain, args=(raw,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
