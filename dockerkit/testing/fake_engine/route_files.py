"""Files in the fake engine's containers, stored when they are uploaded."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import time

from dockerkit.testing.fake_engine.fakes import ZERO_TIME
from dockerkit.testing.fake_engine.routes import Refused, Reply, RouteContext, route


def _stat(path: str, data: bytes | None) -> dict[str, str]:
    mode = 0o644 if data is not None else 0o755 | 1 << 31
    name = path.rstrip("/").rpartition("/")[2] or "/"
    stat = {"name": name, "size": len(data or b""), "mode": mode, "mtime": ZERO_TIME, "linkTarget": ""}
    return {"X-Docker-Container-Path-Stat": base64.b64encode(json.dumps(stat).encode()).decode()}


def _lookup(call: RouteContext) -> tuple[str, bytes | None, dict[str, bytes]]:
    """Path, content of the file (None for a folder), and entries below a folder."""
    files = call.container.files
    path = "/" + call.request.param("path").removesuffix("/.").strip("/")
    below = {name: data for name, data in files.items() if name.startswith(path.rstrip("/") + "/")}
    if path not in files and not below and path != "/":
        raise Refused(404, f"Could not find the file {path} in container {call.id}")
    return path, files.get(path), below


@route("HEAD", "/containers/{id}/archive")
def stat_archive(call: RouteContext) -> Reply:
    path, data, _ = _lookup(call)
    return Reply(200, b"", _stat(path, data))


@route("GET", "/containers/{id}/archive")
def get_archive(call: RouteContext) -> Reply:
    path, data, below = _lookup(call)
    base = "." if call.request.param("path").endswith("/.") else path.rpartition("/")[2]
    folder = path.rstrip("/")
    members = {base: data} if data is not None else {base + name.removeprefix(folder): d for name, d in below.items()}
    return Reply(200, tar_of(members), {"Content-Type": "application/x-tar", **_stat(path, data)})


@route("GET", "/containers/{id}/export")
def export(call: RouteContext) -> Reply:
    return Reply(200, tar_of(call.container.files), {"Content-Type": "application/octet-stream"})


def tar_of(members: dict[str, bytes]) -> bytes:
    """Return an archive of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name.lstrip("/"))
            info.size, info.mtime = len(data), int(time.time())
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@route("PUT", "/containers/{id}/archive")
def put_archive(call: RouteContext) -> int:
    container = call.container
    folder = "/" + call.request.param("path").strip("/")
    try:
        with tarfile.open(fileobj=io.BytesIO(call.request.body)) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    container.files[f"{folder.rstrip('/')}/{member.name.strip('./')}"] = content.read()
    except tarfile.TarError:
        raise Refused(400, "the archive can't be read") from None
    return 200
