"""A session: what BuildKit may ask for during one build, and the answers."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from dockerkit.build.buildkit import grpc, messages, services
from dockerkit.build.buildkit.filesync import send_tree
from dockerkit.build.buildkit.grpc import GrpcError
from dockerkit.build.buildkit.tree import Folder, Tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockerkit.auth import AuthConfig
    from dockerkit.build.buildkit.call import Call
    from dockerkit.build.buildkit.channel import Channel
    from dockerkit.build.buildkit.control import Control
    from dockerkit.build.buildkit.outputs import Output
    from dockerkit.build.buildkit.secrets import Secret

__all__ = ["Session"]


class Session:
    """The services of one build.

    Args:
        auth: where registry credentials come from; asked when BuildKit asks.
        trees: folders and files by the name under which BuildKit asks for them.
        secrets: by id.
        agents: paths of ssh agents' sockets by id.
        outputs: in the order in which BuildKit was told of them.
        archive: a context that is one archive.

    Attributes:
        id: nobody can guess it.
        failures: what went wrong here; BuildKit only learns the text.
        written: the outputs that are complete, by their place.
    """

    def __init__(
        self,
        *,
        auth: Callable[[], AuthConfig],
        trees: Mapping[str, Tree] | None = None,
        secrets: Mapping[str, Secret] | None = None,
        agents: Mapping[str, str] | None = None,
        outputs: Iterable[Output] = (),
        archive: Iterable[bytes] | None = None,
    ) -> None:
        self.id: str = _new_id()
        self.failures: list[Exception] = []
        self.written: set[int] = set()
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
        if any(output.to_files for output in self._outputs):
            self._handlers[services.OUTPUTS] = self._receive

    def open(self, control: Control) -> Channel:
        """Open it on an engine; whoever gets the channel closes it."""
        return control.session(self.id, self._shared_key(), sorted(self._handlers), self.serve)

    def serve(self, call: Call) -> None:
        """Answer one call."""
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

    def _files(self, call: Call) -> None:
        name = call.header("dir-name")
        tree = self._trees.get(name)
        if tree is None:
            raise GrpcError(grpc.NOT_FOUND, f"no folder {name!r} was given for this build")
        send_tree(call, tree)

    def _receive(self, call: Call) -> None:
        number = int(call.header("buildkit-attachable-exporter-id") or next(self._file_outputs(), 0))
        if not (0 <= number < len(self._outputs) and self._outputs[number].to_files):
            raise GrpcError(grpc.NOT_FOUND, f"this build has no output {number} that is written here")
        self._outputs[number].write(_pieces(call))
        self.written.add(number)

    def missing(self) -> list[Output]:
        """The outputs which BuildKit should have sent and has not."""
        return [self._outputs[number] for number in self._file_outputs() if number not in self.written]

    def _file_outputs(self) -> Iterator[int]:
        return (number for number, output in enumerate(self._outputs) if output.to_files)

    def _shared_key(self) -> str:
        """Under which BuildKit keeps the files that it got, to compare them next time.

        It compares sizes and times, never content. So no two folders may have the same key, and files from memory,
        which are others each time, get a new one.
        """
        folders = [tree for tree in self._trees.values() if isinstance(tree, Folder)]
        if not folders:
            return _new_id()
        parts = [_node()]
        for name, tree in sorted(self._trees.items()):
            if isinstance(tree, Folder):
                info = os.stat(tree.root)
                parts += [name, os.path.realpath(tree.root), f"{info.st_dev}:{info.st_ino}"]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _pieces(call: Call) -> Iterator[bytes]:
    while (message := call.receive()) is not None:
        yield messages.parse("BytesMessage", message).data


def _new_id() -> str:
    return secrets.token_hex(16)


_made: list[str] = []


def _node() -> str:
    """A random name of this machine and user, kept in the cache folder; of this process where that can't be."""
    if _made:
        return _made[0]
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(base, "dockerkit", "node")
    name = _new_id()
    with suppress(OSError):
        name = _kept(path, name)
    _made.append(name)
    return name


def _kept(path: str, fresh: str) -> str:
    """The content of a file, which is made with `fresh` if there is none; no reader ever sees half of it."""
    with suppress(FileNotFoundError):
        return _content(path) or fresh
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    try:
        with open(handle, "w", encoding="ascii") as file:
            file.write(fresh)
        os.link(temporary, path)  # fails where another process was faster
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
    return _content(path) or fresh


def _content(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read(200).strip()
