"""Helpers for the tests of BuildKit builds."""

from __future__ import annotations

import contextlib
import io
import select
import socket
import ssl
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dockerkit import APIClient
from dockerkit.builder.buildkit import Exporter, build

COPY_ALL = "FROM scratch\nCOPY . /\n"


def built_files(api: APIClient, **options: Any) -> dict[str, tarfile.TarInfo | bytes]:
    """Return the files of an image by name: the content of regular files, the archive's record of others."""
    archive = io.BytesIO()
    build(api, outputs=Exporter("tar", archive), **options)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        return {
            one.name.strip("./"): tar.extractfile(one).read() if one.isreg() else one  # type: ignore[union-attr]
            for one in tar
            if one.name.strip("./")
        }


def built_members(api: APIClient, **options: Any) -> dict[str, tarfile.TarInfo]:
    """Return the archive's records of an image's files by name."""
    archive = io.BytesIO()
    build(api, outputs=Exporter("tar", archive), **options)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        return {one.name.strip("./"): one for one in tar if one.name.strip("./")}


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def ours(seconds: float = 5) -> list[str]:
    """Return the threads of BuildKit connections that stay alive; those of TLS end shortly after their connection."""
    end = time.monotonic() + seconds
    while names := [thread.name for thread in threading.enumerate() if thread.name.startswith("dockerkit")]:
        if time.monotonic() > end:
            break
        time.sleep(0.01)
    return names


@contextlib.contextmanager
def tls_door(engine_socket: Path, context: ssl.SSLContext, agreed: list[str | None] | None = None) -> Iterator[int]:
    """Open a TLS port in front of an engine's Unix socket; `agreed` collects the ALPN protocol of each connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_sockets: set[socket.socket] = set()
    threads: list[threading.Thread] = []

    def relay(raw: socket.socket) -> None:
        # Python's TLS sockets must not be read and written by two threads: one thread does both.
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError, ValueError):
            # Handshakes may fail, and the engine may be gone already: neither is the test's business.
            stack.enter_context(raw)
            secure = stack.enter_context(context.wrap_socket(raw, server_side=True))
            inner = stack.enter_context(socket.socket(socket.AF_UNIX))
            open_sockets.update((secure, inner))
            stack.callback(open_sockets.difference_update, (secure, inner))
            if agreed is not None:
                agreed.append(secure.selected_alpn_protocol())
            inner.connect(str(engine_socket))
            while True:
                waiting = [secure] if secure.pending() else select.select([secure, inner], [], [])[0]
                for one in waiting:
                    data = one.recv(65536)
                    if not data:
                        return
                    (inner if one is secure else secure).sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = listener.accept()
                threads.append(threading.Thread(target=relay, args=(raw,), daemon=True))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for end in list(open_sockets):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(10)
