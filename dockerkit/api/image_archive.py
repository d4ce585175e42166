"""Images as archives: save, load, and import from file systems."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

from dockerkit.api import versions
from dockerkit.api.base import APIBase, Data, Ref
from dockerkit.api.defaults import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.api.refs import resolve_id
from dockerkit.errors import InvalidArgument, UnreadableFile
from dockerkit.parsing.platforms import Platform, platform_list, platform_text
from dockerkit.parsing.reference import parse_repository_tag
from dockerkit.parsing.values import local_path, string_list

if TYPE_CHECKING:
    from dockerkit.streams import ByteStream, ProgressStream


class ImageArchiveAPI(APIBase):
    """Calls on images as archives."""

    def get_image(
        self,
        image: Ref | Sequence[Ref],
        chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE,
        *,
        platform: Platform | Iterable[Platform] | None = None,
    ) -> ByteStream:
        """Save one or several images as a tar archive. ``GET /images/{name}/get``, ``GET /images/get``

        Args:
            image: name, ID, dict with ``Id``, or object; or a list of these.
            chunk_size: bytes of each chunk.
            platform: only the content for this platform (API 1.48), or for several (API 1.52).

        Returns:
            An iterator of chunks, which is also a readable file and a context manager.

        Example::

            with api.get_image(["busybox", "alpine:3"]) as archive, open("images.tar", "wb") as file:
                for chunk in archive:
                    file.write(chunk)
        """
        platforms = self._platforms(platform)
        if isinstance(image, (list, tuple)):
            if not image:
                raise InvalidArgument("image: must name at least one image")
            query = {"names": [resolve_id(item, "image") for item in image], "platform": platforms}
            return self._bytes("GET", "/images/get", query=query, chunk_size=chunk_size)
        ref = cast("Ref", image)
        return self._bytes("GET", "/images/{name}/get", name=ref, query={"platform": platforms}, chunk_size=chunk_size)

    def _platforms(self, platform: Platform | Iterable[Platform] | None) -> list[str] | None:
        platforms = platform_list(platform)
        if platforms and len(platforms) > 1:
            self._negotiated_gate().require(versions.SEVERAL_PLATFORMS, "platform", "more than one")
        return platforms

    def load_image(
        self,
        data: Data | os.PathLike[str],
        quiet: bool | None = None,
        *,
        platform: Platform | Iterable[Platform] | None = None,
    ) -> ProgressStream[dict[str, Any]]:
        """Load images from a tar archive created by :meth:`get_image` or ``docker save``. ``POST /images/load``

        Args:
            data: archive as bytes, a binary file, an iterable of bytes, or the path of a file (a Path, not a str). It is
                streamed.
            quiet: omit progress records.
            platform: only the content for this platform (API 1.48), or for several (API 1.52).

        Returns:
            An iterator of records.

        Raises:
            ImageLoadError: the data is not an image archive; raised while iterating.
        """
        query = {"quiet": quiet, "platform": self._platforms(platform)}

        def send(body: Data) -> ProgressStream[dict[str, Any]]:
            return self._progress("POST", "/images/load", data=body, query=query, error="ImageLoadError", timeout=None)

        if isinstance(data, os.PathLike):
            with opened(data, "data") as file:
                return send(file)
        return send(data)

    def import_image(
        self,
        src: str | os.PathLike[str] | Data | None = None,
        repository: str | None = None,
        tag: str | None = None,
        image: str | None = None,
        changes: str | Sequence[str] | None = None,
        stream_src: bool = False,
        *,
        message: str | None = None,
        platform: Platform | None = None,
    ) -> str:
        """Create an image from a file system archive. ``POST /images/create``

        Args:
            src: archive as the path of a file, a URL that the engine fetches, bytes, a binary file, or an iterable of bytes.
            repository, tag: name of the new image.
            image: image to pull, instead of `src`.
            changes: Dockerfile instructions to apply, such as ``"CMD top"``, as a string or a list.
            stream_src: accepted for compatibility with docker-py and ignored; everything but a string is streamed.
            message: comment in the image's history.
            platform: platform of the new image, such as ``linux/arm64`` (API 1.32).

        Returns:
            The engine's records as a string; the last one has the new image's ID as ``status``.

        Raises:
            StreamError: the data is not an archive, or the URL could not be fetched.
        """
        del stream_src
        if (src is None) == (image is None):
            raise InvalidArgument("src: pass either src, an archive, or image")
        if image is not None:
            return self.import_image_from_image(image, repository, tag, changes)
        options: dict[str, Any] = {
            "repository": repository, "tag": tag, "changes": changes, "message": message, "platform": platform,
        }  # fmt: skip
        if isinstance(src, str) and not os.path.isfile(src):
            return self._import(src, None, **options)
        if isinstance(src, (str, os.PathLike)):
            return self._import_file(src, **options)
        return self._import("-", src, **options)

    def import_image_from_data(
        self,
        data: Data,
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
    ) -> str:
        """Create an image from an archive in memory, as :meth:`import_image` does. ``POST /images/create``

        Args:
            data: archive as bytes.
            repository, tag, changes: as for :meth:`import_image`.
        """
        return self._import("-", data, repository=repository, tag=tag, changes=changes)

    def import_image_from_file(
        self,
        filename: str | os.PathLike[str],
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
    ) -> str:
        """Create an image from an archive on disk, as :meth:`import_image` does. ``POST /images/create``

        Args:
            filename: path of the archive.
            repository, tag, changes: as for :meth:`import_image`.

        Raises:
            OSError: the file can't be opened.
        """
        return self._import_file(filename, repository=repository, tag=tag, changes=changes)

    def import_image_from_stream(
        self,
        stream: IO[bytes] | Iterable[bytes],
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
    ) -> str:
        """Create an image from a streamed archive, as :meth:`import_image` does. ``POST /images/create``

        Args:
            stream: a binary file or an iterable of bytes.
            repository, tag, changes: as for :meth:`import_image`.
        """
        return self._import("-", stream, repository=repository, tag=tag, changes=changes)

    def import_image_from_url(
        self,
        url: str,
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
    ) -> str:
        """Create an image from an archive that the engine fetches, as :meth:`import_image` does. ``POST /images/create``

        Args:
            url: URL of the archive.
            repository, tag, changes: as for :meth:`import_image`.
        """
        return self._import(url, None, repository=repository, tag=tag, changes=changes)

    def import_image_from_image(
        self,
        image: str,
        repository: str | None = None,
        tag: str | None = None,
        changes: str | Sequence[str] | None = None,
    ) -> str:
        """Pull an image; docker-py's old name of this call. ``POST /images/create``

        Args:
            image: name of the image.
            repository, changes: sent, but ignored by the engine.
            tag: tag, if the name has none; ``latest`` by default.
        """
        name, tag_in_name = parse_repository_tag(image)
        query = {
            "fromImage": name, "repo": repository, "tag": tag or tag_in_name or "latest", "changes": _changes(changes),
        }  # fmt: skip
        return read_lines(self._progress("POST", "/images/create", query=query, decode=False))

    def _import_file(self, path: str | os.PathLike[str], **options: Any) -> str:
        with opened(path, "filename") as file:
            return self._import("-", file, **options)

    def _import(
        self,
        source: str,
        data: Data | None,
        *,
        repository: str | None,
        tag: str | None,
        changes: str | Sequence[str] | None,
        message: str | None = None,
        platform: Platform | None = None,
    ) -> str:
        query = {
            "fromSrc": source, "repo": repository, "tag": tag, "changes": _changes(changes), "message": message,
            "platform": platform_text(platform),
        }  # fmt: skip
        return read_lines(self._progress("POST", "/images/create", query=query, data=data, decode=False))


def opened(path: object, name: str) -> IO[bytes]:
    """Open a local file for reading.

    Raises:
        UnreadableFile: it can't be opened.
    """
    file_path = local_path(path, name)
    try:
        return open(file_path, "rb")
    except OSError as error:
        raise UnreadableFile.of(error, file_path) from error


def _changes(changes: str | Sequence[str] | None) -> list[str] | None:
    return [changes] if isinstance(changes, str) else None if changes is None else string_list(changes, "changes")


def read_lines(records: ProgressStream[bytes]) -> str:
    """Return all records of a stream in docker-py's format: JSON strings with line ends."""
    with records:
        return "".join(line.decode("utf-8", "replace") + "\r\n" for line in records)
