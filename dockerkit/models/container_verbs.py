"""What can be done with a container, one verb for each call of the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.constants import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.models.resource import Model

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.base import Data
    from dockerkit.api.container import ExitCode
    from dockerkit.models.images import Image
    from dockerkit.streams import ByteStream
    from dockerkit.types import answers
    from dockerkit.types.host_options import UpdateOptions


class ContainerVerbs(Model):
    """The part of a container that passes through to the engine."""

    def start(
        self, *args: object, checkpoint: str | None = None, checkpoint_dir: str | None = None, **kwargs: Any
    ) -> bool:
        """Start it; one that runs already is left alone. ``POST /containers/{id}/start``

        Args:
            args, kwargs: nothing: options are given when it is created.
            checkpoint: name of a checkpoint to start from (an experimental engine).
            checkpoint_dir: folder of the checkpoint, where it is not the engine's own.

        Returns:
            False where it ran already.
        """
        api = self.client.api
        if args or kwargs:
            api.start(self, *args, **kwargs)  # says where options belong
        return api._start(self, checkpoint, checkpoint_dir)

    def stop(self, timeout: float | None = None, signal: str | int | None = None) -> bool:
        """Stop it: its stop signal, then, after a while, SIGKILL. ``POST /containers/{id}/stop``

        Args:
            timeout: seconds before SIGKILL; -1 waits for ever, None is its own (10 as a rule).
            signal: instead of its stop signal: a name or a number (API 1.42).

        Returns:
            False where it did not run.
        """
        return self.client.api._stop(self, timeout, signal)

    def restart(self, timeout: float | None = 10, signal: str | int | None = None) -> None:
        """Stop it and start it again. ``POST /containers/{id}/restart``

        Args:
            timeout: seconds between the stop signal and SIGKILL; None is its own.
            signal: instead of its stop signal: a name or a number (API 1.42).
        """
        self.client.api.restart(self, timeout, signal)

    def kill(self, signal: str | int | None = None) -> None:
        """Send a signal to its main process. ``POST /containers/{id}/kill``

        Args:
            signal: a name ("SIGHUP", "HUP") or a number; None is SIGKILL.

        Raises:
            Conflict: it does not run.
        """
        self.client.api.kill(self, signal)

    def pause(self) -> None:
        """Freeze all its processes. ``POST /containers/{id}/pause``"""
        self.client.api.pause(self)

    def unpause(self) -> None:
        """Let it go on after :meth:`pause`. ``POST /containers/{id}/unpause``"""
        self.client.api.unpause(self)

    def rename(self, name: str) -> None:
        """Give it another name. ``POST /containers/{id}/rename``

        Raises:
            Conflict: the name is taken.
        """
        self.client.api.rename(self, name)

    def resize(self, height: int, width: int) -> None:
        """Tell its terminal its size. ``POST /containers/{id}/resize``

        Args:
            height, width: rows and columns.
        """
        self.client.api.resize(self, height, width)

    def remove(self, v: bool = False, link: bool = False, force: bool = False) -> None:
        """Remove it. ``DELETE /containers/{id}``

        Args:
            v: also its anonymous volumes.
            link: only the link of this name, not the container.
            force: kill it first if it runs.

        Raises:
            Conflict: it runs, or is being removed.
        """
        self.client.api.remove_container(self, v, link, force)

    def wait(self, timeout: float | None = None, condition: str | None = None) -> ExitCode:
        """Wait until it stops. ``POST /containers/{id}/wait``

        Args:
            timeout: seconds; None waits for ever.
            condition: ``"not-running"`` (the default), ``"next-exit"`` or ``"removed"`` (API 1.30).

        Returns:
            The exit code; it also answers ``["StatusCode"]`` and ``["Error"]``.

        Raises:
            EngineTimeout: it did not stop in time.
        """
        return self.client.api.wait(self, timeout, condition)

    def update(self, **options: Unpack[UpdateOptions]) -> answers.ContainerUpdateResponse:
        """Change its limits. ``POST /containers/{id}/update``

        Args:
            options: the rows of :class:`~dockerkit.types.host_options.UpdateOptions`: those of
                :meth:`ContainerCollection.create` which are about CPU, memory, block devices, processes, and
                ``restart_policy``.

        Returns:
            ``{"Warnings": [...]}``.

        Raises:
            UnknownOption: an option that there is not, or that can't be changed later.
        """
        return self.client.api.update_container(self, **options)

    def commit(
        self,
        repository: str | None = None,
        tag: str | None = None,
        message: str | None = None,
        author: str | None = None,
        pause: bool = True,
        changes: str | Sequence[str] | None = None,
        conf: Mapping[str, Any] | None = None,
    ) -> Image:
        """Make an image of it. ``POST /commit``

        Args:
            repository, tag: the image's name; None leaves it without.
            message, author: kept in the image's history.
            pause: hold the container meanwhile.
            changes: Dockerfile instructions to apply: one text, or a list.
            conf: the Engine's ``ContainerConfig`` for the image, instead of the container's.
        """
        made = self.client.api.commit(self, repository, tag, message, author, pause=pause, changes=changes, conf=conf)
        return self.client.images.get(made["Id"])

    def diff(self) -> list[answers.FilesystemChange]:
        """What changed in its files since it was created. ``GET /containers/{id}/changes``

        Returns:
            ``{"Path", "Kind"}`` of each: kind 0 is modified, 1 added, 2 deleted.
        """
        return self.client.api.diff(self)

    def top(self, ps_args: str | None = None) -> answers.ContainerTopResponse:
        """Its processes. ``GET /containers/{id}/top``

        Args:
            ps_args: options for ``ps``, as ``"aux"``; None is the engine's ``-ef``.
        """
        return self.client.api.top(self, ps_args)

    def export(self, chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE) -> ByteStream:
        """Its files as a tar stream. ``GET /containers/{id}/export``

        Args:
            chunk_size: bytes that one chunk has at most.
        """
        return self.client.api.export(self, chunk_size)

    def get_archive(
        self, path: str, chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE, encode_stream: bool = False
    ) -> tuple[ByteStream, dict[str, Any] | None]:
        """A file or folder of it as a tar stream. ``GET /containers/{id}/archive``

        Args:
            path: of the file or folder.
            chunk_size: bytes that one chunk has at most.
            encode_stream: let the engine compress on the way.

        Returns:
            The stream, and what the path is: ``name``, ``size``, ``mode``, ``mtime``, ``linkTarget``.
        """
        return self.client.api.get_archive(self, path, chunk_size, encode_stream)

    def put_archive(
        self,
        path: str,
        data: Data,
        *,
        no_overwrite_dir_non_dir: bool | None = None,
        copy_uid_gid: bool | None = None,
    ) -> bool:
        """Unpack a tar archive in it. ``PUT /containers/{id}/archive``

        Args:
            path: of a folder that exists.
            data: the archive: bytes, a binary file, or an iterator of blocks; streamed.
            no_overwrite_dir_non_dir: refuse to put a file in a folder's place, and the reverse.
            copy_uid_gid: give what is unpacked to the container's user, not to the owners in the archive (API 1.30).

        Returns:
            True.

        Raises:
            NotFound: there is no such folder.
            BadRequest: a file and a folder would change places, and that was refused.
        """
        return self.client.api.put_archive(
            self, path, data, no_overwrite_dir_non_dir=no_overwrite_dir_non_dir, copy_uid_gid=copy_uid_gid
        )
