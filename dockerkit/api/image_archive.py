"""Images as archives: saved, loaded, and made from file systems."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

from dockerkit.api.base import Base, Data, Ref
from dockerkit.api.refs import name_of
from dockerkit.constants import DEFAULT_DATA_CHUNK_SIZE
from dockerkit.errors import ImageLoadError, InvalidArgument
from dockerkit.platforms import Platform, platform_list, platform_text
from dockerkit.reference import parse_repository_tag

if TYPE_CHECKING:
    from dockerkit.streams import ByteStream, ProgressStream


class ImageArchiveAPI(Base):
    """The calls that move images as archives."""

    def get_image(
        self,
        image: Ref | Sequence[Ref],
        chunk_size: int | None = DEFAULT_DATA_CHUNK_SIZE,
        *,
        platform: Platform | Iterable[Platform] | None = None,
    ) -> ByteStream:
        """One or several images as a tar archive. ``GET /images/{name}/get``, ``GET /images/get``

        Args:
            image: name, id, dict with ``Id``, or object; or a list of these.
            chunk_size: bytes of each piece.
            platform: only what the image has for this platform (API 1.48), or for several (API 1.52).

        Returns:
            An iterator of pieces, also a readable file. It is a context manager.

        Example::

            with api.get_image(["busybox", "alpine:3"]) as archive, open("images.tar", "wb") as file:
                for piece in archive:
                    file.write(piece)
        """
        platforms = platform_list(platform)
        if isinstance(image, (list, tuple)):
            if not image:
                raise InvalidArgument("image: at least one image is needed")
            query = {"names": [name_of(one, "image") for one in image], "platform": platforms}
            return self._bytes("GET", "/images/get", query=query, chunk_size=chunk_size)
        one = cast("Ref", image)
        return self._bytes("GET", "/images/{name}/get", name=one, query={"platform": platforms}, chunk_size=chunk_size)

    def load_image(
        self,
        data: Data | os.PathLike[str],
        quiet: bool | None = None,
        *,
        platform: Platform | Iterable[Platform] | None = None,
    ) -> ProgressStream[dict[str, Any]]:
        """Load images from a tar archive that :meth:`get_image` or ``docker save`` made. ``POST /images/load``

        Args:
            data: the archive: bytes, a binary file, an iterable of bytes, or the path of a file (a Path, not a str).
                Streamed, not held.
            quiet: no progress records.
            platform: only what the archive has for this platform (API 1.48), or for several (API 1.52).

        Returns:
            An iterator of records.

        Raises:
            ImageLoadError: the archive is no image archive; while iterating.
        """
        query = {"quiet": quiet, "platform": platform_list(platform)}

        def send(body: Data) -> ProgressStream[dict[str, Any]]:
            return self._progress("POST", "/images/load", data=body, query=query, error=ImageLoadError, timeout=None)

        if isinstance(data, os.PathLike):
            with open(data, "rb") as file:
                return send(cast("IO[bytes]", file))
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
        """Make an image from a file system archive. ``POST /images/create``

        Args:
            src: the archive: path of a file, URL that the engine fetches, bytes, a binary file, an iterable of bytes.
            repository, tag: name of the new image.
            image: an existing image instead of `src`: this is a pull.
            changes: Dockerfile instructions to apply: ``"CMD top"`` or a list of such.
            stream_src: taken for docker-py's sake: whatever is no text is streamed.
            message: the comment in the image's history.
            platform: of the new image, ``linux/arm64`` (API 1.32).

        Returns:
            The text of the engine's records; the last holds the new image's id as ``status``.

        Raises:
            StreamError: the archive is none, or the URL could not be fetched.
        """
        del stream_src
        if (src is None) == (image is None):
            raise InvalidArgument("src: give an archive as src, or an image: one of the two")
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
        """Make an image from an archive in memory; as :meth:`import_image`. ``POST /images/create``

        Args:
            data: the archive as bytes.
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
        """Make an image from an archive on disk; as :meth:`import_image`. ``POST /images/create``

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
        """Make an image from an archive that comes as a stream; as :meth:`import_image`. ``POST /images/create``

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
        """Make an image from an archive that the engine fetches; as :meth:`import_image`. ``POST /images/create``

        Args:
            url: where the engine finds the archive.
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
        """Pull an image, under docker-py's old name for it. ``POST /images/create``

        Args:
            image: name of the image.
            repository, changes: passed on; the engine does not heed them with an image.
            tag: its tag, where the name has none; ``latest`` by default.
        """
        name, own_tag = parse_repository_tag(image)
        query = {
            "fromImage": name, "repo": repository, "tag": tag or own_tag or "latest", "changes": _changes(changes),
        }  # fmt: skip
        return text_of(self._progress("POST", "/images/create", query=query, decode=False))

    def _import_file(self, path: str | os.PathLike[str], **options: Any) -> str:
        with open(path, "rb") as file:
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
        return text_of(self._progress("POST", "/images/create", query=query, data=data, decode=False))


def _changes(changes: str | Sequence[str] | None) -> list[str] | None:
    return [changes] if isinstance(changes, str) else None if changes is None else list(changes)


def text_of(records: ProgressStream[bytes]) -> str:
    """All records of a stream as docker-py gives them: JSON texts with line ends."""
    with records:
        return "".join(line.decode("utf-8", "replace") + "\r\n" for line in records)
