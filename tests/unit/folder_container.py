"""A container whose files are a folder of this machine, served through the Engine's archive calls."""

from __future__ import annotations

import base64
import io
import json
import os
import posixpath
import tarfile
from pathlib import Path

from scripted_engine import ScriptedEngine

from dockerkit.files.modes import to_go
from dockerkit.testing.server import Connection, Request

_ZERO_OWNER = {"uid": 0, "gid": 0}


class FolderContainer:
    """Serves ``/containers/{id}/archive`` as the Engine does.

    Args:
        engine: where to serve it.
        identity: ID of the container.
        root: folder with the container's files.

    Attributes:
        uploaded: all members of uploaded archives.
    """

    def __init__(self, engine: ScriptedEngine, identity: str, root: Path) -> None:
        self.root = root
        self.uploaded: list[tarfile.TarInfo] = []
        for method, script in (("HEAD", self._stat), ("GET", self._get), ("PUT", self._put)):
            engine.on(method, f"/containers/{identity}/archive", script)
        engine.on("GET", f"/containers/{identity}/json", lambda request, wire: wire.json({"Id": identity}))

    def _local(self, path: str) -> Path:
        """Return the local path, with links in its folders resolved inside of the root."""
        folder, base = posixpath.split(posixpath.normpath(f"/{path}"))
        if path.endswith(("/", "/.")):
            return self._resolve(posixpath.join(folder, base))
        return self._resolve(folder) / base

    def _resolve(self, path: str) -> Path:
        local = self.root
        for part in path.split("/"):
            local = local / part if part not in ("", ".") else local
            while local.is_symlink():
                target = os.readlink(local)
                local = self._resolve(target) if target.startswith("/") else local.parent / target
        return local

    def _inside(self, local: Path) -> str:
        return "/" + str(local.relative_to(self.root)).removeprefix(".")

    def _header(self, path: str, local: Path) -> dict[str, str]:
        info = local.lstat()
        target = self._inside(self._resolve(self._inside(local))) if local.is_symlink() else ""
        name = posixpath.basename(posixpath.normpath(path)) or "/"
        stat = {"name": name, "size": info.st_size, "mode": to_go(info.st_mode), "linkTarget": target}
        stat["mtime"] = "2024-01-02T03:04:05.123456789Z"
        return {"X-Docker-Container-Path-Stat": base64.b64encode(json.dumps(stat).encode()).decode()}

    def _missing(self, request: Request, wire: Connection) -> None:
        message = f"Could not find the file {request.param('path')} in container abc"
        wire.respond(404) if request.method == "HEAD" else wire.json({"message": message}, 404)

    def _stat(self, request: Request, wire: Connection) -> None:
        local = self._local(request.param("path"))
        if not os.path.lexists(local):
            self._missing(request, wire)
        else:
            wire.respond(200, headers=self._header(request.param("path"), local))

    def _get(self, request: Request, wire: Connection) -> None:
        path = request.param("path")
        local = self._local(path)
        if not os.path.lexists(local):
            self._missing(request, wire)
            return
        buffer = io.BytesIO()
        base = "." if path.endswith("/.") else posixpath.basename(posixpath.normpath(path)) or "/"

        def named(member: tarfile.TarInfo) -> tarfile.TarInfo:
            if base == "/":  # the root itself
                member.name = f"/{member.name.removeprefix('root').lstrip('/')}"
            return member.replace(**_ZERO_OWNER, deep=False)

        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.add(local, "root" if base == "/" else base, filter=named)
        wire.respond(200, buffer.getvalue(), {"Content-Type": "application/x-tar", **self._header(path, local)})

    def _put(self, request: Request, wire: Connection) -> None:
        local = self._local(request.param("path") + "/")
        if not local.is_dir():
            self._missing(request, wire)
            return
        with tarfile.open(fileobj=io.BytesIO(request.body)) as archive:
            for member in archive:
                self.uploaded.append(member)
                mine = member.replace(uid=os.getuid(), gid=os.getgid(), uname="", gname="", deep=False)
                archive.extract(mine, local, filter="fully_trusted")
        wire.respond(200)
