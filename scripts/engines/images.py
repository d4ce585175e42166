"""The one image that tests and demo need: a static busybox, made here and given to the engine."""

from __future__ import annotations

import http.client
import io
import json
import pathlib
import socket
import subprocess
import tarfile
import urllib.parse

from engines.host import EngineUnavailable
from engines.settings import BUSYBOX

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
}


class _Connection(http.client.HTTPConnection):
    """HTTP to an engine's Unix socket. These scripts run before dockerkit is installed."""

    def __init__(self, path: pathlib.Path, timeout: float = 60) -> None:
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(path: pathlib.Path, method: str, target: str, body: bytes | None = None, timeout: float = 60) -> bytes:
    """One call to the engine at a Unix socket."""
    connection = _Connection(path, timeout)
    try:
        connection.request(method, target, body, {"Content-Type": "application/x-tar"} if body else {})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise EngineUnavailable(f"{method} {target} answered {answer.status}: {content.decode(errors='replace')[:500]}")
    return content


def version(path: pathlib.Path) -> dict[str, str] | None:
    """What the engine at `path` is, or None when none answers."""
    try:
        facts: dict[str, str] = json.loads(ask(path, "GET", "/version", timeout=10))
    except (OSError, http.client.HTTPException, EngineUnavailable, ValueError):
        return None
    return facts


def give_busybox(path: pathlib.Path, root: pathlib.Path, reference: str = BUSYBOX) -> None:
    """Import the busybox image, unless the engine has it."""
    try:
        ask(path, "GET", f"/images/{reference}/json")
    except EngineUnavailable:
        repository, tag = reference.rsplit(":", 1)
        query = [("fromSrc", "-"), ("repo", repository), ("tag", tag)]
        query += [("changes", 'CMD ["sh"]'), ("changes", "ENV PATH=/bin")]
        ask(path, "POST", f"/images/create?{urllib.parse.urlencode(query)}", busybox_tar(root / "bin/busybox"), 120)


def busybox_tar(program: pathlib.Path) -> bytes:
    """A file system with a static busybox and a link for each of its commands."""
    commands = subprocess.run([program, "--list"], stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "var", "usr"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
        _add(tar, "bin/busybox", program.read_bytes(), 0o755)
        for path, text in FILES.items():
            _add(tar, path, text.encode(), 0o644)
        for command in sorted(set(commands) - {"busybox"}):
            link = tarfile.TarInfo(f"bin/{command}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    tar.addfile(member, io.BytesIO(content))
