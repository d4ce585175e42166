"""The session of a build: everything that BuildKit may request from the client."""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from dockerkit.builder.buildkit import grpc, services
from dockerkit.builder.buildkit.control import new_id
from dockerkit.builder.buildkit.filesync import send_tree
from dockerkit.builder.buildkit.grpc import GrpcError
from dockerkit.builder.buildkit.localcache import LocalCache, content_handlers
from dockerkit.builder.buildkit.tree import Folder, Tree
from dockerkit.cliconfig.configfile import home_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockerkit.builder.buildkit.call import RpcCall
    from dockerkit.builder.buildkit.channel import Channel
    from dockerkit.builder.buildkit.control import Control
    from dockerkit.builder.buildkit.outputs import Exporter
    from dockerkit.builder.buildkit.secrets import Secret
    from dockerkit.credentials.auth import AuthConfig

__all__ = ["BuildSession"]


class BuildSession:
    """The services of one build.

    Trees are passed by the name under which BuildKit requests them, secrets and socket paths of SSH agents by ID,
    outputs in the order passed to BuildKit, and caches by folder path.

    Attributes:
        id: unguessable session ID.
        failures: exceptions raised on this side; BuildKit only receives their messages.
        received: indexes of the complete outputs.
    """

    def __init__(
        self,
        *,
        auth: Callable[[], AuthConfig],
        trees: Mapping[str, Tree] | None = None,
        secrets: Mapping[str, Secret] | None = None,
        agents: Mapping[str, str] | None = None,
        outputs: Iterable[Exporter] = (),
        archive: Iterable[bytes] | None = None,
        caches: Mapping[str, LocalCache] | None = None,
    ) -> None:
        self.id: str = new_id()
        self.failures: list[Exception] = []
        self.received: set[int] = set()
        self._trees = dict(trees or {})
        self._outputs = list(outputs)
        self._handlers: dict[str, services.Handler] = {
            services.HEALTH: services.health(),
            services.AUTH: services.credentials(auth),
            services.SECRETS: services.secrets(secrets or {}),
            services.SSH_CHECK: services.ssh_check(agents or {}),
            services.SSH_FORWARD: services.ssh_forward(agents or {}),
        }
        if self._trees:
            self._handlers[services.FILES] = self._files
        if archive is not None:
            self._handlers[services.UPLOAD] = services.upload(archive)
        if caches:
            self._handlers |= content_handlers(caches)
        if any(output.to_files for output in self._outputs):
            self._handlers[services.OUTPUTS] = self._receive

    def open(self, control: Control) -> Channel:
        """Open the session on an engine. The caller closes the returned channel."""
        return control.session(self.id, self._shared_key(), sorted(self._handlers), self.serve)

    def serve(self, call: RpcCall) -> None:
        """Serve one call."""
        handler = self._handlers.get(call.path)
        if handler is None:
            raise GrpcError(grpc.UNIMPLEMENTED, f"unknown method {call.path}")
        try:
            handler(call)
        except GrpcError:
            raise
        except Exception as error:
            self.failures.append(error)
            raise

    def _files(self, call: RpcCall) -> None:
        name = call.header("dir-name")
        tree = self._trees.get(name)
        if tree is None:
            raise GrpcError(grpc.NOT_FOUND, f"no folder {name!r} was passed to this build")
        send_tree(call, tree)

    def _receive(self, call: RpcCall) -> None:
        number = int(call.header("buildkit-attachable-exporter-id") or next(self._file_outputs(), 0))
        if not (0 <= number < len(self._outputs) and self._outputs[number].to_files):
            raise GrpcError(grpc.NOT_FOUND, f"this build has no output {number} to write on the client")
        self._outputs[number].write(message.data for message in call.each("BytesMessage"))
        self.received.add(number)

    def missing(self) -> list[Exporter]:
        """Return the outputs that BuildKit should have sent but did not."""
        return [self._outputs[number] for number in self._file_outputs() if number not in self.received]

    def _file_outputs(self) -> Iterator[int]:
        return (number for number, output in enumerate(self._outputs) if output.to_files)

    def _shared_key(self) -> str:
        """Return the key under which BuildKit stores received files, to compare them with the next transfer.

        It compares sizes and times, never content. So no two folders may share a key, and files from memory,
        which differ each time, get a new one.
        """
        folders = [tree for tree in self._trees.values() if isinstance(tree, Folder)]
        if not folders:
            return new_id()
        parts = [_node()]
        for name, tree in sorted(self._trees.items()):
            if isinstance(tree, Folder):
                info = os.stat(tree.root)
                parts += [name, os.path.realpath(tree.root), f"{info.st_dev}:{info.st_ino}"]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


@functools.cache
def _node() -> str:
    """Return a random ID of this machine and user, stored in the cache folder; of this process if that fails."""
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or os.path.join(home_dir(), ".cache")
    path = os.path.join(base, "dockerkit", "node")
    new = new_id()
    with suppress(OSError):
        if not os.path.exists(path):
            _create(path, new)
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(200).strip() or new
    return new


def _create(path: str, content: str) -> None:
    """Create a file with its content at once, unless another process is faster."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    try:
        with open(handle, "w", encoding="ascii") as file:
            file.write(content)
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)
