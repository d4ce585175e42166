"""Lifecycle of a container: one method per engine call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockerkit.api.defaults import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.models.resource import Model
from dockerkit.parsing.options import check_options, expands_options

if TYPE_CHECKING:
    from typing import Unpack

    from dockerkit.api.base import Data
    from dockerkit.api.container import ExitCode
    from dockerkit.models.images import Image
    from dockerkit.parsing.values import ContainerPath, Duration
    from dockerkit.streams import ByteStream
    from dockerkit.types import answers
    from dockerkit.types.host_options import UpdateOptions


class ContainerLifecycle(Model):
    """Lifecycle methods of a container."""

    def start(
        self, *args: object, checkpoint: str | None = None, checkpoint_dir: str | None = None, **kwargs: Any
    ) -> bool:
        """Start the container. ``POST /containers/{id}/start``

        Args:
            args, kwargs: not accepted: pass options when creating the container.
            checkpoint: name of a checkpoint to restore (requires an experimental engine).
            checkpoint_dir: folder of the checkpoint, if not the engine's default.

        Returns:
            False if the container was already running.
        """
        return self.client.api.start(self, *args, checkpoint=checkpoint, checkpoint_dir=checkpoint_dir, **kwargs)

    def stop(self, timeout: Duration | None = None, signal: str | int | None = None) -> bool:
        """Stop the container: send its stop signal, then SIGKILL after a timeout. ``POST /containers/{id}/stop``

        Args:
            timeout: seconds before SIGKILL; -1 waits indefinitely, None uses the container's stop timeout (10 by
                default).
            signal: name or number of the signal to send instead of the container's stop signal (API 1.42).

        Returns:
            False if the container was not running.
        """
        return self.client.api.stop(self, timeout, signal)

    def restart(self, timeout: Duration | None = 10, signal: str | int | None = None) -> None:
        """Stop and start the container. ``POST /containers/{id}/restart``

        Args:
            timeout: seconds between the stop signal and SIGKILL; None uses the container's stop timeout.
            signal: name or number of the signal to send instead of the container's stop signal (API 1.42).
        """
        self.client.api.restart(self, timeout, signal)

    def kill(self, signal: str | int | None = None) -> None:
        """Send a signal to the main process. ``POST /containers/{id}/kill``

        Args:
            signal: name ("SIGHUP", "HUP") or number; None for SIGKILL.

        Raises:
            Conflict: the container is not running.
        """
        self.client.api.kill(self, signal)

    def pause(self) -> None:
        """Pause all processes of the container. ``POST /containers/{id}/pause``"""
        self.client.api.pause(self)

    def unpause(self) -> None:
        """Unpause the container. ``POST /containers/{id}/unpause``"""
        self.client.api.unpause(self)

    def rename(self, name: str) -> None:
        """Rename the container. ``POST /containers/{id}/rename``

        Raises:
            Conflict: the name is taken.
        """
        self.client.api.rename(self, name)
        self.cached_attrs["Name"] = f"/{name.lstrip('/')}"

    def resize(self, height: int, width: int) -> None:
        """Resize the terminal. ``POST /containers/{id}/resize``

        Args:
            height, width: rows and columns.
        """
        self.client.api.resize(self, height, width)

    def remove(self, v: bool = False, link: bool = False, force: bool = False) -> None:
        """Remove the container. ``DELETE /containers/{id}``

        Args:
            v: also remove its anonymous volumes.
            link: remove only the link with this name, not the container.
            force: kill the container first if it is running.

        Raises:
            Conflict: the container is running or already being removed.
        """
        self.client.api.remove_container(self, v, link, force)

    def wait(self, timeout: Duration | None = None, condition: str | None = None) -> ExitCode:
        """Wait until the container stops. ``POST /containers/{id}/wait``

        Args:
            timeout: maximum seconds to wait; None for no limit.
            condition: ``"not-running"`` (the default), ``"next-exit"`` or ``"removed"`` (API 1.30).

        Returns:
            The exit code; it also supports ``["StatusCode"]`` and ``["Error"]``.

        Raises:
            ReadTimeout: the container did not stop in time.
        """
        return self.client.api.wait(self, timeout, condition)

    @expands_options("dockerkit.types.host_options:UpdateOptions")
    def update(self, **options: Unpack[UpdateOptions]) -> answers.ContainerUpdateResponse:
        """Update the limits of the container. ``POST /containers/{id}/update``

        Args:
            options: options of :class:`~dockerkit.types.host_options.UpdateOptions`: the ones of
                :meth:`ContainerCollection.create` for CPU, memory, block devices and processes, and ``restart_policy``.

        Returns:
            ``{"Warnings": [...]}``.

        Raises:
            UnknownOption: an option is unknown, or can't be changed after creation.

        Example::

            container.update(mem_limit="512m", memswap_limit="1g", cpus=1.5)
        """
        # HostOptions also has those that can't be changed, which get their own message.
        from dockerkit.types.host_options import HostOptions

        check_options("update", options, HostOptions.__annotations__)
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
        """Create an image from the container. ``POST /commit``

        Args:
            repository, tag: name of the image; None leaves it untagged.
            message, author: stored in the image's history.
            pause: pause the container during the commit.
            changes: Dockerfile instructions to apply, as a string or a list.
            conf: ``ContainerConfig`` of the Engine for the image, instead of the container's.
        """
        committed = self.client.api.commit(
            self, repository, tag, message, author, pause=pause, changes=changes, conf=conf
        )
        return self.client.images.get(committed["Id"])

    def diff(self) -> list[answers.FilesystemChange]:
        """Return the changes to the container's files since its creation. ``GET /containers/{id}/changes``

        Returns:
            A list of ``{"Path", "Kind"}``; kind 0 is modified, 1 added, 2 deleted.
        """
        return self.client.api.diff(self)

    def top(self, ps_args: str | None = None) -> answers.ContainerTopResponse:
        """List the container's processes. ``GET /containers/{id}/top``

        Args:
            ps_args: options for ``ps``, such as ``"aux"``; None for the engine's default ``-ef``.
        """
        return self.client.api.top(self, ps_args)

    def export(self, chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE) -> ByteStream:
        """Return the container's files as a tar stream. ``GET /containers/{id}/export``

        Args:
            chunk_size: maximum bytes per chunk.
        """
        return self.client.api.export(self, chunk_size)

    def get_archive(
        self, path: ContainerPath, chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE, encode_stream: bool = False
    ) -> tuple[ByteStream, dict[str, Any] | None]:
        """Return a file or folder as a tar stream. ``GET /containers/{id}/archive``

        Args:
            path: path of the file or folder.
            chunk_size: maximum bytes per chunk.
            encode_stream: let the engine compress the transfer.

        Returns:
            The stream, and a dict with ``name``, ``size``, ``mode``, ``mtime`` and ``linkTarget`` of the path.
        """
        return self.client.api.get_archive(self, path, chunk_size, encode_stream)

    def put_archive(
        self,
        path: ContainerPath,
        data: Data,
        *,
        no_overwrite_dir_non_dir: bool | None = None,
        copy_uid_gid: bool | None = None,
    ) -> bool:
        """Extract a tar archive in the container. ``PUT /containers/{id}/archive``

        Args:
            path: path of an existing folder.
            data: the archive, which is streamed: bytes, a binary file, or an iterator of bytes.
            no_overwrite_dir_non_dir: refuse to replace a folder with a file, and the reverse.
            copy_uid_gid: set the container's user as owner, instead of the owners in the archive (API 1.30).

        Returns:
            True.

        Raises:
            NotFound: the folder does not exist.
            BadRequest: `no_overwrite_dir_non_dir` is set, and a file would replace a folder, or the reverse.
        """
        return self.client.api.put_archive(
            self, path, data, no_overwrite_dir_non_dir=no_overwrite_dir_non_dir, copy_uid_gid=copy_uid_gid
        )
